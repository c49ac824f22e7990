"""What providers bill, read from their own exports into one form."""

from __future__ import annotations
