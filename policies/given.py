"""Reads the facts of a request as a test's `given` writes them: YAML, or JSON, which is YAML."""

from __future__ import annotations

from typing import Any

from policies.document import read_document
from policies.grammar.cases import GIVEN
from policies.model.cases import GivenStatement
from policies.problems import Problems


def read_given(text: str, source: str) -> GivenStatement:
    """What a text gives.

    Args:
        text: a mapping such as `{"findings": ["medical"], "team": "support"}`.
        source: names it in messages.

    Raises:
        PolicyError: it is broken, or not what a test may give.
    """
    problems = Problems()
    read: Any = GIVEN.read(read_document(text, source), problems)
    problems.raise_if_any(source)
    given: GivenStatement = read
    return given
