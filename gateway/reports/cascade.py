"""What cascades came to: by deployment, the answers sent on, for which check, and the cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from gateway.core.cascade import PASSED, SAMPLE
from gateway.core.records import LedgerLine

#: How the ledger marks the attempts that a cascade looked at.
MARK = "check: "

#: So many requests that are still open are remembered; attempts of one stand close together.
_MOST_OPEN = 65_536


class CascadeRow(msgspec.Struct, frozen=True, kw_only=True):
    """One deployment whose answers were checked; costs in nano-USD.

    `checked` counts answers, the samples of one as one; `escalated` those that failed, by check.
    `cost_nanousd` is what its calls cost, `unused_nanousd` the part of it for answers that failed,
    and `above_nanousd` what the calls of the same requests cost that came after a failed one.
    """

    deployment: str
    checked: int = 0
    escalated: dict[str, int] = {}
    cost_nanousd: int = 0
    unused_nanousd: int = 0
    above_nanousd: int = 0

    @property
    def share(self) -> float:
        """The share of its answers that were sent on, 0..1."""
        return sum(self.escalated.values()) / self.checked if self.checked else 0.0


def cascade_report(lines: Iterable[LedgerLine]) -> tuple[CascadeRow, ...]:
    """The rows of all deployments whose answers were checked, by name."""
    rows: dict[str, _Row] = {}
    open_requests: dict[str, _Request] = {}
    for line in lines:
        request = open_requests.get(line.request_id)
        if not line.because.startswith(MARK) or line.kind != "settle":
            if request is not None and request.failed_at:
                rows[request.failed_at].above += line.cost_nanousd
            continue
        if request is None:
            request = open_requests[line.request_id] = _Request()
            if len(open_requests) > _MOST_OPEN:
                del open_requests[next(iter(open_requests))]
        if request.failed_at and request.failed_at != line.deployment:
            rows[request.failed_at].above += line.cost_nanousd
        _take(rows.setdefault(line.deployment, _Row()), request, line)
    return tuple(row.frozen(name) for name, row in sorted(rows.items()))


class _Row:
    """A row while it is being counted."""

    def __init__(self) -> None:
        self.checked = self.cost = self.unused = self.above = 0
        self.escalated: Counter[str] = Counter()

    def frozen(self, name: str) -> CascadeRow:
        return CascadeRow(
            deployment=name,
            checked=self.checked,
            escalated=dict(self.escalated),
            cost_nanousd=self.cost,
            unused_nanousd=self.unused,
            above_nanousd=self.above,
        )


class _Request:
    """One request on its way up: what its samples cost so far, and where an answer failed last."""

    def __init__(self) -> None:
        self.samples = 0
        self.failed_at = ""


def _take(row: _Row, request: _Request, line: LedgerLine) -> None:
    found = line.because.removeprefix(MARK)
    row.cost += line.cost_nanousd
    if found == SAMPLE:
        request.samples += line.cost_nanousd
        return
    row.checked += 1
    if found != PASSED:
        row.escalated[found] += 1
        row.unused += line.cost_nanousd + request.samples
        request.failed_at = line.deployment
    request.samples = 0
