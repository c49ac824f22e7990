"""A `when`: facts with what is asked of them, and groups."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from policies.problems import Place


class Range(msgspec.Struct, frozen=True):
    """An interval of numbers; None is open-ended."""

    low: Decimal | None = None
    low_included: bool = True
    high: Decimal | None = None
    high_included: bool = True


class Among(msgspec.Struct, frozen=True):
    """Numbers of which the fact must be one."""

    numbers: tuple[Decimal, ...]


class Words(msgspec.Struct, frozen=True):
    """Words of which the fact must be one; a word that ends in `*` is a beginning."""

    words: tuple[str, ...]


class Members(msgspec.Struct, frozen=True, kw_only=True):
    """What a set must hold: any of, all of and none of these words (empty tuples ask nothing)."""

    any: tuple[str, ...] = ()
    all: tuple[str, ...] = ()
    none: tuple[str, ...] = ()


class Tagged(msgspec.Struct, frozen=True):
    """Tags that must be there, each with one of its values (empty: any value)."""

    tags: tuple[tuple[str, tuple[str, ...]], ...]


class Hours(msgspec.Struct, frozen=True, kw_only=True):
    """A window of time in `zone`: minutes of the day from `start` to before `end` (it may pass
    midnight), on days that are among `weekdays` (0 = Monday), `days` of the month and `dates`
    (first and last, `YYYY-MM-DD`); None asks nothing. What is asked of the day is asked of the
    one on which the window begins."""

    start: int = 0
    end: int = 1440
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    zone: str = "UTC"
    days: tuple[int, ...] | None = None
    dates: tuple[str, str] | None = None


class Is(msgspec.Struct, frozen=True):
    """A flag's wanted value."""

    wanted: bool


Test = Range | Among | Words | Members | Tagged | Hours | Is


class Term(msgspec.Struct, frozen=True):
    """One fact with what is asked of it; `text` is how the file put it."""

    fact: str
    test: Test
    text: str
    at: Place


class Group(msgspec.Struct, frozen=True):
    """Conditions together: `kind` is all, any or not (none of them holds)."""

    kind: str
    parts: tuple[Condition, ...]
    at: Place


Condition = Term | Group
