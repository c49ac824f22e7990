"""Holds and settlements as values, and the line that corrects another.

What becomes of them is said twice: by the Lua scripts in `gateway/stores/lua`, and by their twin
in `gateway.core.twin`; a test runs both over the same histories.
"""

from __future__ import annotations

import msgspec

from gateway.core.budgets import BudgetCounter, BudgetUse
from gateway.core.limits import LimitCounter, LimitUse
from gateway.core.money import MAX_NANOUSD
from gateway.core.prices import CostPart
from gateway.core.records import AuditRecord, LedgerLine
from gateway.core.usage import difference

#: The date of a line that is written before its hold is placed; the store fills it in.
UNDATED = -1.0


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """Money to reserve for one attempt.

    `amount_nanousd` is the most that the attempt can cost; `lease_seconds` how long the hold
    lives unless it is renewed. `line` and `audit` are what is written when nobody settles:
    `line.kind` is in_doubt and `line.cost_nanousd` the held amount; its date is filled in when
    the hold is placed. `tokens` is the most that the attempt can use of the limits' windows, and
    a `repeated` attempt of a request counts as no further request.

    Raises:
        ValueError: an amount below 0 or above what Redis counts exactly, or no lease.
    """

    hold_id: str
    request_id: str
    org: str
    amount_nanousd: int
    lease_seconds: float
    counters: tuple[BudgetCounter, ...]
    line: LedgerLine
    audit: AuditRecord | None = None
    limits: tuple[LimitCounter, ...] = ()
    tokens: int = 0
    repeated: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.amount_nanousd <= MAX_NANOUSD:
            raise ValueError(f"a hold of {self.amount_nanousd} nano-USD cannot be counted exactly")
        if self.lease_seconds <= 0:
            raise ValueError("the lease of a hold must be longer than 0 seconds")


class Granted(msgspec.Struct, frozen=True, kw_only=True):
    """The hold stands; `used` is where each of its counters stands now, this hold included.

    `limits` is the same for its limits.
    `at` is when it was placed, in epoch seconds of the store's clock.
    """

    hold_id: str
    at: float = 0.0
    used: tuple[BudgetUse, ...] = ()
    limits: tuple[LimitUse, ...] = ()


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """What an attempt really cost; `audit` is given with the last attempt of a request.

    `counters` are those of the hold; they are used only when the store no longer knows the hold
    (it lost its memory), so that the money is counted all the same.
    """

    hold_id: str
    org: str
    line: LedgerLine
    audit: AuditRecord | None = None
    counters: tuple[BudgetCounter, ...] = ()


def correction_of(in_doubt: LedgerLine, line: LedgerLine) -> LedgerLine:
    """The line that turns a booked in_doubt line into what was really spent.

    Money and tokens are differences, and both lines have the same date, so that sums over any
    span of the ledger come out exact.
    """
    return msgspec.structs.replace(
        line,
        kind="correction",
        at=in_doubt.at,
        usage=difference(line.usage, in_doubt.usage),
        cost_nanousd=line.cost_nanousd - in_doubt.cost_nanousd,
        parts=(*line.parts, *(_taken_back(part) for part in in_doubt.parts)),
        list_nanousd=_listed(line) - _listed(in_doubt),
        because="settled late",
    )


def _taken_back(part: CostPart) -> CostPart:
    return msgspec.structs.replace(part, quantity=-part.quantity, cost_nanousd=-part.cost_nanousd)


def _listed(line: LedgerLine) -> int:
    return line.cost_nanousd if line.list_nanousd is None else line.list_nanousd
