"""What a worker tells the process that started it: one JSON line on standard output."""

from __future__ import annotations

import msgspec

#: Exit status of a worker whose settings will not work on another try either (EX_CONFIG).
HOPELESS = 78


class WorkerReport(msgspec.Struct, frozen=True, kw_only=True):
    """Ready when `failure` is empty; else why the worker cannot serve."""

    failure: str = ""
    context_tokens: int = 0
