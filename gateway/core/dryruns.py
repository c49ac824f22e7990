"""A candidate policy that decides beside the one in force, on real traffic, and serves nobody."""

from __future__ import annotations

import msgspec


class DryRun(msgspec.Struct, frozen=True, kw_only=True):
    """One dry run: which candidate, against which revision it began, by whom, and since when.

    Moments are epoch seconds; `ended` is None while it goes on.
    """

    id: str
    revision: str
    against: str
    by: str
    at: float
    note: str = ""
    ended: float | None = None
