"""What every check gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from policies.model.file import PolicyFile
from policies.problems import Place
from policies.resolve import Known


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One place where a policy falls short, and what to do about it."""

    at: Place
    message: str
    hint: str = ""
    path: str = ""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One check as the registry lists it; `bad` has what it looks for, `good` has not."""

    code: str
    title: str
    severity: str
    bad: str
    good: str
    check: Callable[[PolicyFile, Known], Iterator[Finding]]
