"""Frozen values and pure functions: no clock, no randomness, no files, no sockets, no logging."""
