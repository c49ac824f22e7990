"""p024: a detector's pattern needs backtracking, finds nothing at all, or is no pattern."""

from __future__ import annotations

from collections.abc import Iterator

import re2

from policies.checks.base import Finding
from policies.model.detectors import DetectorStatement
from policies.model.file import PolicyFile
from policies.resolve import Known

CODE = "p024"
TITLE = "a detector that cannot look"
SEVERITY = "error"
LEAST_LETTERS = 2
BAD = """\
fairlead: 1
deployments:
  house:
    {adapter: ctransformers, model: m, clearance: restricted,
     price: {gpu_hour_usd: 1, tokens_per_second: 100, utilisation: 0.5}}
aliases: {auto: {}}
sensitivity:
  detectors:
    - {id: staff-numbers, type: national_id, pattern: '(?=EMP)[A-Z]+-[0-9]{6}'}
routes:
  - {id: all, use: [house]}
"""
GOOD = BAD.replace("(?=EMP)[A-Z]+", "EMP")


def check(policy: PolicyFile, known: Known) -> Iterator[Finding]:
    """Every detector has words or a pattern, and patterns are such that take linear time."""
    for detector in policy.sensitivity.detectors:
        path = f"sensitivity.detectors.{detector.id}"
        if (detector.terms is None) is not bool(detector.pattern):
            yield Finding(
                at=detector.at,
                message=f"the detector '{detector.id}' needs either 'terms' or a 'pattern'",
                hint="terms: [Apollo, Zeus], or pattern: 'EMP-[0-9]{6}'",
                path=path,
            )
        elif short := _short(detector):
            yield Finding(
                at=detector.at,
                message=f"the term '{short}' of '{detector.id}' stands in every other text",
                hint=f"terms have {LEAST_LETTERS} letters or more",
                path=path,
            )
        elif detector.pattern and (wrong := fault_of(detector.pattern)):
            yield Finding(
                at=detector.at,
                message=f"the pattern of '{detector.id}' cannot be used: {wrong}",
                hint="write it without look-around and back-references, and so that it matches "
                "something",
                path=path,
            )


def _short(detector: DetectorStatement) -> str:
    words = detector.terms.words if detector.terms is not None else ()
    return next((word for word in words if len(word) < LEAST_LETTERS), "")


def fault_of(pattern: str) -> str:
    """What is wrong with a pattern; empty where nothing is.

    RE2 refuses what can only be matched by trying again and again: such a pattern takes for ever
    on a text that somebody made for it.
    """
    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as problem:
        return _words(problem)
    return "it matches nothing between any two letters" if compiled.search("") else ""


def _words(problem: Exception) -> str:
    told = problem.args[0] if problem.args else ""
    words = told.decode("utf-8", "replace") if isinstance(told, bytes) else str(told)
    if "perl operator: (?" in words or "escape sequence: \\" in words:
        return f"{words}; look-around and back-references need backtracking"
    return words
