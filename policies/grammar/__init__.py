"""The keys of a policy file: one module a section, one table a kind of statement.

A new key is a line in its section's table, a field of its statement in `policies.model`, and
`fairlead policy schema > policies/schema.json`.
"""
