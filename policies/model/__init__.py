"""A policy file as it is written: one module a section, one frozen value a statement.

Nothing here is resolved: names are words, prices are the decimals of the file, secrets are
references, and every value knows its place. `policies.compiler` turns a `PolicyFile` into what
decides.
"""
