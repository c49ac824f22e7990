"""Proves what a policy does for all requests, and tells how two policies differ.

Requests are abstracted to finitely many regions (`space`), in which every condition has one
answer; conditions and the engine's steps become formulas over them (`conditions`, `reaching`),
and a solver looks for a request that breaks a claim (`claims`, `proof`). Only `logic` knows the
solver, which is an optional extra of the distribution (`prove`).
"""
