"""Servers that complete plain text (/v1/completions), as the backend's side of a translation."""
