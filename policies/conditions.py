"""Reads a `when`: facts with what is asked of them, and the groups `any`, `all` and `not`."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from gateway.core.findings import FINDING_TYPES
from gateway.core.profile import Needs
from gateway.core.sensitivity import Sensitivity
from policies.document import Entry, Mapping, Node, Scalar, Sequence, kind_of, shortened
from policies.model import (
    Among,
    Condition,
    Group,
    Hours,
    Is,
    Members,
    Range,
    Tagged,
    Term,
    Test,
    Words,
)
from policies.problems import Problems, did_you_mean
from policies.shapes import WRONG

CAPABILITIES = frozenset(Needs.__struct_fields__)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_COMPARED = re.compile(r"(<=|>=|<|>|==|=)?\s*(\S.*)")
_AMOUNT = re.compile(r"\$?\s*([0-9]{1,30}(?:\.[0-9]{1,30})?)\s*(k|m|%|usd)?", re.IGNORECASE)
_CLOCK = re.compile(r"([01]?[0-9]|2[0-4])(?::([0-5][0-9]))?")
_NUMBER_HINT = 'write a number, a comparison such as ">= 0.6", a range "0.2..0.6", or a list'

#: Reads one bound of a range; None when it cannot.
ReadBound = Callable[[str], Decimal | None]


class ConditionShape(msgspec.Struct, frozen=True):
    """The value of `when`."""

    def read(self, node: Node, problems: Problems) -> Any:
        """The condition: a group over everything that stands in it."""
        return read_condition(node, problems)

    def schema(self) -> dict[str, Any]:
        """A reference to the recursive definition."""
        return {"$ref": "#/$defs/condition"}


def read_condition(node: Node, problems: Problems) -> Any:
    """Read a mapping of facts as a condition, or note what is wrong and give `WRONG`."""
    if not isinstance(node, Mapping):
        message = f"a condition is a mapping of facts, not {kind_of(node)}"
        problems.add(node.at, message, hint=f"facts: {', '.join(FACTS)}", path=node.path)
        return WRONG
    parts = [_read_entry(entry, problems) for entry in node.entries]
    if WRONG in parts:
        return WRONG
    return parts[0] if len(parts) == 1 else Group("all", tuple(parts), node.at)


def _read_entry(entry: Entry, problems: Problems) -> Any:
    if entry.key in ("any", "all", "not"):
        return _read_group(entry, problems)
    reader = FACTS.get(entry.key)
    if reader is None:
        hint = did_you_mean(entry.key, (*FACTS, "any", "all", "not"))
        message = f"there is no fact '{entry.key}'"
        problems.add(entry.at, message, hint=hint, path=entry.node.path)
        return WRONG
    test = reader(entry.node, problems)
    if test is WRONG:
        return WRONG
    return Term(entry.key, test, f"{entry.key}: {written(entry.node)}", entry.at)


def _read_group(entry: Entry, problems: Problems) -> Any:
    node = entry.node
    if entry.key == "not" and isinstance(node, Mapping):
        nodes: tuple[Node, ...] = (node,)
    elif isinstance(node, Sequence) and node.items:
        nodes = node.items
    else:
        message = f"'{entry.key}' takes a list of conditions, not {kind_of(node)}"
        if isinstance(node, Sequence):
            message = f"'{entry.key}' needs at least one condition"
        hint = f"{entry.key}: [{{team: support}}, {{app: helpdesk}}]"
        problems.add(node.at, message, hint=hint, path=node.path)
        return WRONG
    parts = tuple(read_condition(part, problems) for part in nodes)
    return WRONG if WRONG in parts else Group(entry.key, parts, entry.at)


def written(node: Node) -> str:
    """A node as one line of text, for explaining."""
    if isinstance(node, Scalar):
        return shortened(node.text, 80)
    if isinstance(node, Sequence):
        return shortened(f"[{', '.join(written(item) for item in node.items[:12])}]", 200)
    pairs = (f"{entry.key}: {written(entry.node)}" for entry in node.entries[:12])
    return shortened(f"{{{', '.join(pairs)}}}", 200)


def _level(text: str) -> Decimal | None:
    try:
        return Decimal(int(Sensitivity.parse(text)))
    except ValueError:
        return None


def _amount(units: frozenset[str]) -> ReadBound:
    factors = {"": Decimal(1), "k": Decimal(1000), "m": Decimal(10**6), "%": Decimal("0.01")}
    factors["usd"] = Decimal(1)

    def read(text: str) -> Decimal | None:
        matched = _AMOUNT.fullmatch(text.strip())
        if matched is None:
            return None
        unit = (matched.group(2) or "").lower()
        if unit and unit not in units:
            return None
        return Decimal(matched.group(1)) * factors[unit]

    return read


def _numbers(read_bound: ReadBound, what: str, hint: str) -> Callable[[Node, Problems], Any]:
    def read(node: Node, problems: Problems) -> Any:
        if isinstance(node, Sequence) and node.items:
            bounds = tuple(
                read_bound(item.text) if isinstance(item, Scalar) else None for item in node.items
            )
            known = tuple(bound for bound in bounds if bound is not None)
            if len(known) == len(bounds):
                return Among(known)
        elif isinstance(node, Scalar) and node.value is not None:
            found = _range(node.text, read_bound)
            if found is not None:
                return found
        problems.add(node.at, f"{kind_of(node)} does not compare {what}", hint=hint, path=node.path)
        return WRONG

    return read


def _range(text: str, read_bound: ReadBound) -> Range | None:
    if ".." in text:
        ends = [read_bound(end) for end in text.split("..", 1)]
        if ends[0] is None or ends[1] is None or ends[0] > ends[1]:
            return None
        return Range(ends[0], True, ends[1], True)
    matched = _COMPARED.fullmatch(text.strip())
    bound = read_bound(matched.group(2)) if matched else None
    if matched is None or bound is None:
        return None
    match matched.group(1):
        case "<":
            return Range(None, True, bound, False)
        case "<=":
            return Range(None, True, bound, True)
        case ">":
            return Range(bound, False, None, True)
        case ">=":
            return Range(bound, True, None, True)
        case _:
            return Range(bound, True, bound, True)


def _word(node: Node, known: frozenset[str], what: str, problems: Problems) -> str | None:
    text = node.text.strip() if isinstance(node, Scalar) and node.value is not None else ""
    if not text:
        problems.add(node.at, f"{what} was expected here, not {kind_of(node)}", path=node.path)
        return None
    if known and text not in known:
        hint = did_you_mean(text, known)
        problems.add(node.at, f"{kind_of(node)} is not {what}", hint=hint, path=node.path)
        return None
    if "*" in text[:-1]:
        message = f"{kind_of(node)}: a '*' may only stand at the end"
        problems.add(node.at, message, path=node.path)
        return None
    return text


def _word_list(node: Node, known: frozenset[str], what: str, problems: Problems) -> Any:
    nodes = node.items if isinstance(node, Sequence) else (node,)
    if not nodes:
        problems.add(node.at, "the list is empty", hint="nothing can match it", path=node.path)
        return WRONG
    words = tuple(_word(item, known, what, problems) for item in nodes)
    return WRONG if None in words else words


def _words(what: str) -> Callable[[Node, Problems], Any]:
    def read(node: Node, problems: Problems) -> Any:
        words = _word_list(node, frozenset(), what, problems)
        return WRONG if words is WRONG else Words(words)

    return read


def _members(known: frozenset[str], what: str) -> Callable[[Node, Problems], Any]:
    def read(node: Node, problems: Problems) -> Any:
        if not isinstance(node, Mapping):
            words = _word_list(node, known, what, problems)
            return WRONG if words is WRONG else Members(any=words)
        asked: dict[str, Any] = {}
        for entry in node.entries:
            if entry.key not in ("any", "all", "none"):
                hint = did_you_mean(entry.key, ("any", "all", "none"))
                problems.add(entry.at, f"'{entry.key}' is not any, all or none", hint=hint)
                return WRONG
            asked[entry.key] = _word_list(entry.node, known, what, problems)
        if WRONG in asked.values():
            return WRONG
        if not asked:
            problems.add(node.at, "nothing is asked here", hint="use any, all or none")
            return WRONG
        return Members(**asked)

    return read


def _tags(node: Node, problems: Problems) -> Any:
    if not isinstance(node, Mapping) or not node.entries:
        hint = "tags: {project: [apollo, gemini]}"
        problems.add(node.at, f"tags are a mapping, not {kind_of(node)}", hint=hint, path=node.path)
        return WRONG
    tags: list[tuple[str, tuple[str, ...]]] = []
    for entry in node.entries:
        values = _word_list(entry.node, frozenset(), "a tag's value", problems)
        if values is WRONG:
            return WRONG
        tags.append((entry.key, () if "*" in values else values))
    return Tagged(tuple(tags))


def _flag(node: Node, problems: Problems) -> Any:
    if isinstance(node, Scalar) and isinstance(node.value, bool):
        return Is(node.value)
    problems.add(node.at, f"true or false was expected here, not {kind_of(node)}", path=node.path)
    return WRONG


def _hours(node: Node, problems: Problems) -> Any:
    if not isinstance(node, Mapping):
        hint = 'time: {hours: "08:00..18:00", weekdays: [mon, fri], zone: Europe/Berlin}'
        problems.add(node.at, f"time is a mapping, not {kind_of(node)}", hint=hint, path=node.path)
        return WRONG
    given: dict[str, Any] = {}
    for entry in node.entries:
        reader = _TIME_KEYS.get(entry.key)
        if reader is None:
            hint = did_you_mean(entry.key, _TIME_KEYS)
            problems.add(entry.at, f"time has no key '{entry.key}'", hint=hint)
            return WRONG
        value = reader(entry.node)
        if value is None:
            hint = _TIME_HINTS[entry.key]
            message = f"{kind_of(entry.node)} is not a value for '{entry.key}'"
            problems.add(entry.node.at, message, hint=hint, path=entry.node.path)
            return WRONG
        given.update(value)
    return Hours(**given)


def _clock_range(node: Node) -> dict[str, Any] | None:
    ends = node.text.split("..") if isinstance(node, Scalar) else []
    minutes = [_minutes(end.strip()) for end in ends]
    if len(minutes) != 2 or minutes[0] is None or minutes[1] is None:
        return None
    if minutes[0] == minutes[1]:
        return None
    return {"start": minutes[0], "end": minutes[1]}


def _minutes(text: str) -> int | None:
    matched = _CLOCK.fullmatch(text)
    if matched is None:
        return None
    minutes = int(matched.group(1)) * 60 + int(matched.group(2) or 0)
    return minutes if minutes <= 1440 else None


def _weekdays(node: Node) -> dict[str, Any] | None:
    nodes = node.items if isinstance(node, Sequence) else (node,)
    days: set[int] = set()
    for item in nodes:
        text = item.text.lower() if isinstance(item, Scalar) else ""
        ends = [day.strip()[:3] for day in text.split("..")]
        if len(ends) > 2 or any(end not in WEEKDAYS for end in ends):
            return None
        first, last = WEEKDAYS.index(ends[0]), WEEKDAYS.index(ends[-1])
        days.update((first + step) % 7 for step in range((last - first) % 7 + 1))
    return {"weekdays": tuple(sorted(days))} if days else None


def _zone(node: Node) -> dict[str, Any] | None:
    name = node.text if isinstance(node, Scalar) else ""
    try:
        datetime(2026, 1, 1, tzinfo=ZoneInfo(name))
    except (ValueError, OSError, KeyError):
        return None
    return {"zone": name}


_TIME_KEYS: dict[str, Callable[[Node], dict[str, Any] | None]] = {
    "hours": _clock_range,
    "weekdays": _weekdays,
    "zone": _zone,
}
_TIME_HINTS = {
    "hours": 'a range of the clock such as "08:00..18:00"; it may pass midnight',
    "weekdays": "days such as [mon, tue] or mon..fri",
    "zone": "a zone name such as Europe/Berlin or UTC",
}
_LEVEL_HINT = (
    f"write a level ({', '.join(level.label for level in Sensitivity)}), "
    'a comparison such as "<= internal", a range "public..internal", or a list'
)

#: Every fact that a condition can ask, with how its value is read.
FACTS: dict[str, Callable[[Node, Problems], Test | Any]] = {
    "sensitivity": _numbers(_level, "a sensitivity", _LEVEL_HINT),
    "findings": _members(FINDING_TYPES, "a finding type"),
    "difficulty": _numbers(_amount(frozenset("%")), "the difficulty (0..1)", _NUMBER_HINT),
    "task": _words("a task"),
    "needs": _members(CAPABILITIES, "a need"),
    "input_tokens": _numbers(_amount(frozenset("km")), "a number of tokens", _NUMBER_HINT),
    "estimated_cost": _numbers(_amount(frozenset({"usd"})), "US dollars", _NUMBER_HINT),
    "budget_used": _numbers(_amount(frozenset("%")), "a share (1 is all of it)", _NUMBER_HINT),
    "model": _words("a model name"),
    "org": _words("an org"),
    "team": _words("a team"),
    "app": _words("an app"),
    "user": _words("a user"),
    "tags": _tags,
    "time": _hours,
    "stream": _flag,
}

__all__ = ["CAPABILITIES", "FACTS", "Condition", "ConditionShape", "read_condition", "written"]
