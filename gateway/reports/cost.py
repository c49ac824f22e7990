"""What was spent, by any dimensions of the ledger."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import msgspec

from gateway.core.records import LedgerLine

#: How a line is filed under each dimension.
DIMENSIONS: dict[str, Callable[[LedgerLine], str]] = {
    "org": lambda line: line.org,
    "team": lambda line: line.team,
    "app": lambda line: line.app,
    "user": lambda line: line.user,
    "key": lambda line: line.key_id,
    "model": lambda line: line.model,
    "alias": lambda line: line.alias,
    "deployment": lambda line: line.deployment,
    "provider": lambda line: line.provider,
    "route": lambda line: line.route,
    "sensitivity": lambda line: line.sensitivity,
    "outcome": lambda line: line.outcome,
    "kind": lambda line: line.kind,
    "hour": lambda line: f"{_moment(line):%Y-%m-%dT%H}",
    "day": lambda line: f"{_moment(line):%Y-%m-%d}",
    "month": lambda line: f"{_moment(line):%Y-%m}",
}

#: Attempts of one request are written close together; a request counts once in a row unless so
#: many other requests lie between two of its attempts. This keeps memory constant.
_REMEMBERED_REQUESTS = 65_536


class CostRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row: the values of the dimensions, in their order, and what fell under them.

    `requests` counts distinct request ids and `attempts` calls upstream. Of the attempts,
    `estimated` settled with tokens that we had to estimate, and `in_doubt` were booked at the
    held amount because nobody settled; `corrections` of these were settled after all.
    """

    dimensions: tuple[str, ...]
    requests: int = 0
    attempts: int = 0
    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    cost_nanousd: int = 0
    estimated: int = 0
    in_doubt: int = 0
    corrections: int = 0


class CostReport(msgspec.Struct, frozen=True, kw_only=True):
    """Rows, dearest first, and the sum of all lines; `by` names the dimensions."""

    by: tuple[str, ...]
    rows: tuple[CostRow, ...]
    total: CostRow

    @property
    def total_nanousd(self) -> int:
        """What all lines together cost."""
        return self.total.cost_nanousd


class UnknownDimension(ValueError):
    """A report was asked for by something that the ledger does not know."""


def check_dimensions(by: Iterable[str]) -> tuple[str, ...]:
    """The dimensions, in their order and each once.

    Raises:
        UnknownDimension: the message lists those that exist.
    """
    chosen = tuple(dict.fromkeys(by))
    for name in chosen:
        if name not in DIMENSIONS:
            known = ", ".join(DIMENSIONS)
            raise UnknownDimension(f"'{name}' is not a dimension of costs; use: {known}")
    return chosen


def cost_report(
    lines: Iterable[LedgerLine],
    by: Iterable[str],
    start: float | None = None,
    end: float | None = None,
) -> CostReport:
    """Sum the lines dated from `start` to before `end` (epoch seconds) by the dimensions.

    The total is exactly the sum of the lines: everything is an integer.

    Raises:
        UnknownDimension: a dimension that does not exist.
    """
    chosen = check_dimensions(by)
    readers = [DIMENSIONS[name] for name in chosen]
    sums: dict[tuple[str, ...], _Sum] = {}
    total, seen = _Sum(), _Recent(_REMEMBERED_REQUESTS)
    for line in lines:
        if (start is not None and line.at < start) or (end is not None and line.at >= end):
            continue
        place = tuple(read(line) for read in readers)
        row = sums.get(place)
        if row is None:
            row = sums[place] = _Sum()
        row.add(line, new_request=seen.is_new((place, line.request_id)))
        total.add(line, new_request=seen.is_new((None, line.request_id)))
    rows = [row.frozen(place) for place, row in sums.items()]
    rows.sort(key=lambda row: (-row.cost_nanousd, row.dimensions))
    return CostReport(by=chosen, rows=tuple(rows), total=total.frozen(()))


class _Sum:
    """A row while it is being summed."""

    __slots__ = (
        "attempts",
        "cached",
        "corrections",
        "cost",
        "estimated",
        "in_doubt",
        "input",
        "output",
        "requests",
    )

    def __init__(self) -> None:
        self.requests = self.attempts = 0
        self.estimated = self.in_doubt = self.corrections = 0
        self.input = self.cached = self.output = self.cost = 0

    def add(self, line: LedgerLine, *, new_request: bool) -> None:
        usage = line.usage
        self.input += usage.input_tokens
        self.cached += usage.cached_input_tokens
        self.output += usage.output_tokens
        self.cost += line.cost_nanousd
        self.requests += new_request
        match line.kind:
            case "correction":
                self.corrections += 1
            case "in_doubt":
                self.attempts += 1
                self.in_doubt += 1
            case _:
                self.attempts += 1
                self.estimated += usage.estimated

    def frozen(self, place: tuple[str, ...]) -> CostRow:
        return CostRow(
            dimensions=place,
            requests=self.requests,
            attempts=self.attempts,
            input_tokens=self.input,
            cached_input_tokens=self.cached,
            output_tokens=self.output,
            cost_nanousd=self.cost,
            estimated=self.estimated,
            in_doubt=self.in_doubt,
            corrections=self.corrections,
        )


class _Recent:
    """Remembers the last so many things that it was asked about."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._seen: OrderedDict[object, None] = OrderedDict()

    def is_new(self, thing: object) -> bool:
        if thing in self._seen:
            self._seen.move_to_end(thing)
            return False
        self._seen[thing] = None
        if len(self._seen) > self._most:
            self._seen.popitem(last=False)
        return True


def _moment(line: LedgerLine) -> datetime:
    return datetime.fromtimestamp(line.at, UTC)
