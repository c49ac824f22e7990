"""What is claimed of a policy: one module a kind of claim, listed in `registry`.

A leak is measured against what the file itself says: clearances, invariants, and the levels that
are built in, unless the file gives its reason for a lower one.
"""
