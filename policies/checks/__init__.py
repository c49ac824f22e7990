"""What a well-formed policy can still have wrong: one file, one code and two examples each.

A check is a module with CODE, TITLE, SEVERITY (`error` refuses the file), BAD and GOOD (whole
policy files) and `check(policy, known)`, which yields a `Finding` for each place.
"""
