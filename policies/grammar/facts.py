"""Every fact that a condition can ask, with how its value is read."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

from gateway.core.findings import FINDING_TYPES
from gateway.core.request import API_NAMES
from gateway.core.sensitivity import Sensitivity
from policies.grammar.comparisons import ComparedShape, amount
from policies.grammar.hours import HoursShape
from policies.grammar.members import IsShape, MembersShape, TaggedShape, WordsShape
from policies.grammar.words import CAPABILITIES
from policies.shapes import Shape

_NUMBER_HINT = 'write a number, a comparison such as ">= 0.6", a range "0.2..0.6", or a list'
_LEVEL_HINT = (
    f"write a level ({', '.join(level.label for level in Sensitivity)}), "
    'a comparison such as "<= internal", a range "public..internal", or a list'
)


def _level(text: str) -> Decimal | None:
    try:
        return Decimal(int(Sensitivity.parse(text)))
    except ValueError:
        return None


def _number(units: str, what: str) -> ComparedShape:
    return ComparedShape(amount(frozenset(units.split())), what, _NUMBER_HINT)


FACTS: Mapping[str, Shape] = MappingProxyType(
    {
        "sensitivity": ComparedShape(_level, "a sensitivity", _LEVEL_HINT),
        "findings": MembersShape(FINDING_TYPES, "a finding type"),
        "difficulty": _number("%", "the difficulty (0..1)"),
        "reliability": _number("%", "the reliability of the difficulty (0..1)"),
        "task": WordsShape("a task"),
        "needs": MembersShape(CAPABILITIES, "a need"),
        "input_tokens": _number("k m", "a number of tokens"),
        "output_tokens": _number("k m", "a number of tokens"),
        "estimated_cost": _number("usd", "US dollars"),
        "budget_used": _number("%", "a share (1 is all of it)"),
        "model": WordsShape("a model name"),
        "org": WordsShape("an org"),
        "team": WordsShape("a team"),
        "app": WordsShape("an app"),
        "user": WordsShape("a user"),
        "tags": TaggedShape(),
        "key": WordsShape("a key's id"),
        "time": HoursShape(),
        "stream": IsShape(),
        "api": WordsShape("an API", frozenset(API_NAMES.values())),
    }
)
