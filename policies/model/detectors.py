"""One entry of `sensitivity.detectors`."""

from __future__ import annotations

import msgspec

from policies.problems import Place


class TermsStatement(msgspec.Struct, frozen=True, kw_only=True):
    """Words that stand here, or in a file with one on each line; `file` is its path."""

    at: Place
    words: tuple[str, ...] = ()
    file: str = ""


class DetectorStatement(msgspec.Struct, frozen=True, kw_only=True):
    """A company's own detector: what it finds is of a built-in type."""

    at: Place
    id: str
    type: str
    terms: TermsStatement | None = None
    pattern: str = ""
