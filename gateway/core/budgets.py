"""Budgets: money caps by scope and period, where they stand, and how they refuse."""

from __future__ import annotations

from datetime import datetime

import msgspec

from gateway.core.money import MAX_NANOUSD, NANO
from gateway.core.periods import PERIODS, is_period, period_end, zone_of


class BudgetCounter(msgspec.Struct, frozen=True, kw_only=True):
    """One counter that a hold must fit under: a scope such as `team/support` and a period.

    `per` is a period of the calendar in `zone`, a rolling window such as `24h`, or `total`. With
    `enforce` False the money is counted and never refused. A hold that does not fit may be asked
    for again with a smaller output cap, down to `shrink_to` tokens; 0 is never.

    Raises:
        ValueError: an unknown period, a cap below 0 or one that Redis cannot count exactly.
    """

    scope: str
    per: str
    cap_nanousd: int
    enforce: bool = True
    zone: str = "UTC"
    shrink_to: int = 0

    def __post_init__(self) -> None:
        if not is_period(self.per):
            raise ValueError(
                f"'{self.per}' is not a period; use one of: {', '.join(PERIODS)}, or a rolling "
                "window such as 24h or 30d"
            )
        zone_of(self.zone)
        if not 0 <= self.cap_nanousd <= MAX_NANOUSD:
            limit = MAX_NANOUSD // NANO
            raise ValueError(f"the cap of {self.scope} must lie between $0 and ${limit:,}")


class BudgetUse(msgspec.Struct, frozen=True, kw_only=True):
    """Where one counter stands in its current period."""

    scope: str
    per: str
    period: str
    spent_nanousd: int
    held_nanousd: int
    cap_nanousd: int
    zone: str = "UTC"

    @property
    def share(self) -> float:
        """Spent and held over the cap; 1.0 and more means that the budget is used up."""
        taken = self.spent_nanousd + self.held_nanousd
        if self.cap_nanousd == 0:
            return 1.0
        return taken / self.cap_nanousd


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A counter has no room; nothing was reserved anywhere.

    `available_nanousd` is what is left under the cap; `resets_at` is in epoch seconds, None for
    a budget that never resets.
    """

    counter: BudgetCounter
    amount_nanousd: int
    available_nanousd: int
    resets_at: float | None

    @property
    def message(self) -> str:
        """The refusal in words for the caller: which budget, its cap and when it resets."""
        counter = self.counter
        cap, left = _dollars(counter.cap_nanousd), _dollars(self.available_nanousd)
        if counter.per == "total":
            span = "in total"
        else:
            span = f"in any {counter.per}" if counter.per not in PERIODS else f"per {counter.per}"
        if self.resets_at is None:
            until = "It does not reset."
        else:
            moment = datetime.fromtimestamp(self.resets_at, zone_of(counter.zone))
            verb = "resets at" if counter.per in PERIODS else "is free again by"
            until = f"It {verb} {moment:%Y-%m-%d %H:%M} {counter.zone}."
        return (
            f"The budget of {counter.scope} ({cap} {span}) cannot cover this request, which may "
            f"cost up to {_dollars(self.amount_nanousd)}: {left} is left. {until}"
        )


def refusal(counter: BudgetCounter, amount: int, taken: int, now: float) -> Refused:
    """The refusal by a counter of which `taken` nano-USD are spent or held."""
    return Refused(
        counter=counter,
        amount_nanousd=amount,
        available_nanousd=max(0, counter.cap_nanousd - taken),
        resets_at=period_end(counter.per, now, counter.zone),
    )


def _dollars(nanousd: int) -> str:
    """Dollars with at least two decimals and no trailing zeros beyond them."""
    whole, fraction = divmod(nanousd, NANO)
    digits = f"{fraction:09d}".rstrip("0").ljust(2, "0")
    return f"${whole:,}.{digits}"
