"""The fact `time`: hours of the clock, days of the week and of the month, dates, in a zone."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from policies.document import Mapping, Node, Scalar, Sequence, kind_of
from policies.grammar.members import words_schema
from policies.model.conditions import Hours
from policies.problems import Problems, did_you_mean
from policies.shapes import WRONG

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_DAY = re.compile(r"[0-9]{1,2}")
_CLOCK = re.compile(r"([01]?[0-9]|2[0-4])(?::([0-5][0-9]))?")


class HoursShape(msgspec.Struct, frozen=True):
    """A window of time."""

    def read(self, node: Node, problems: Problems) -> Any:
        """The window."""
        if not isinstance(node, Mapping):
            message = f"time is a mapping, not {kind_of(node)}"
            hint = 'time: {hours: "08:00..18:00", weekdays: [mon, fri], zone: Europe/Berlin}'
            problems.add(node.at, message, hint=hint, path=node.path)
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

    def schema(self) -> dict[str, Any]:
        """An object of texts."""
        return {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "hours": {"type": "string"},
                "weekdays": words_schema(),
                "days": words_schema(),
                "dates": {"type": "string"},
                "zone": {"type": "string"},
            },
        }


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


def _days(node: Node) -> dict[str, Any] | None:
    nodes = node.items if isinstance(node, Sequence) else (node,)
    days: set[int] = set()
    for item in nodes:
        text = item.text if isinstance(item, Scalar) else ""
        ends = [int(end) if _DAY.fullmatch(end.strip()) else 0 for end in text.split("..")]
        if len(ends) > 2 or not all(1 <= end <= 31 for end in ends) or ends[0] > ends[-1]:
            return None
        days.update(range(ends[0], ends[-1] + 1))
    return {"days": tuple(sorted(days))} if days else None


def _dates(node: Node) -> dict[str, Any] | None:
    ends = node.text.split("..") if isinstance(node, Scalar) else []
    try:
        first, last = (date.fromisoformat(ends[0].strip()), date.fromisoformat(ends[-1].strip()))
    except (ValueError, IndexError):
        return None
    if len(ends) > 2 or first > last:
        return None
    return {"dates": (first.isoformat(), last.isoformat())}


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
    "days": _days,
    "dates": _dates,
    "zone": _zone,
}
_TIME_HINTS = {
    "hours": 'a range of the clock such as "08:00..18:00"; it may pass midnight',
    "weekdays": "days such as [mon, tue] or mon..fri",
    "days": "days of the month such as 1..5 or [1, 15]",
    "dates": "a date or a range such as 2026-12-20..2027-01-02, both ends included",
    "zone": "a zone name such as Europe/Berlin or UTC",
}
