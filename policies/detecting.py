"""A policy's own detectors with the terms of their files."""

from __future__ import annotations

from gateway.core.findings import OwnDetector
from policies.model.detectors import DetectorStatement
from policies.model.sensitivity import SensitivityStatement
from policies.problems import Problem
from policies.resolve import TermsLookup


def own_detectors(
    section: SensitivityStatement, terms: TermsLookup
) -> tuple[tuple[OwnDetector, ...], list[Problem]]:
    """The detectors ready to be compiled, and a problem for each file that cannot be read."""
    found: list[OwnDetector] = []
    missing: list[Problem] = []
    for one in section.detectors:
        words = _words(one, terms)
        if words is None:
            missing.append(_missing(one))
            continue
        found.append(
            OwnDetector(
                id=one.id, type=one.type, terms=tuple(sorted(set(words))), pattern=one.pattern
            )
        )
    return tuple(found), missing


def _words(one: DetectorStatement, terms: TermsLookup) -> tuple[str, ...] | None:
    if one.terms is None:
        return ()
    return terms(one.terms.file) if one.terms.file else one.terms.words


def _missing(one: DetectorStatement) -> Problem:
    at = one.at if one.terms is None else one.terms.at
    named = "" if one.terms is None else one.terms.file
    return Problem(
        line=at.line,
        column=at.column,
        message=f"the file of terms '{named}' cannot be read or has none",
        hint="UTF-8 text with a term of two letters or more on each line",
        path=f"sensitivity.detectors.{one.id}.terms",
    )
