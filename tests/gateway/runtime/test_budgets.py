"""The short memory of how much of a budget is used."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.core.budgets import BudgetCounter, BudgetUse
from gateway.runtime.budgets import BudgetView

TEAM = BudgetCounter(scope="team/a", per="month", cap_nanousd=100)
KEY = BudgetCounter(scope="key/k", per="day", cap_nanousd=100)


def use(counter: BudgetCounter, spent: int) -> BudgetUse:
    return BudgetUse(
        scope=counter.scope,
        per=counter.per,
        period="p",
        spent_nanousd=spent,
        held_nanousd=0,
        cap_nanousd=counter.cap_nanousd,
    )


class Asked:
    """Counts how often the store had to be asked."""

    def __init__(self) -> None:
        self.times = 0

    async def __call__(self, org: str, counters: Sequence[BudgetCounter]) -> Sequence[BudgetUse]:
        self.times += 1
        return [use(counter, 40 if counter is TEAM else 90) for counter in counters]


async def test_the_fullest_budget_counts_and_is_asked_for_once() -> None:
    """A second request within a second does not bother the store."""
    asked = Asked()
    view = BudgetView(asked)

    assert await view.used("o", [TEAM, KEY]) == 0.9
    assert await view.used("o", [TEAM, KEY]) == 0.9
    assert asked.times == 1


async def test_a_granted_hold_brings_fresh_figures() -> None:
    """What a hold's answer tells is used at once."""
    asked = Asked()
    view = BudgetView(asked)
    view.learn("o", [use(TEAM, 75)])

    assert await view.used("o", [TEAM]) == 0.75
    assert asked.times == 0


async def test_orgs_do_not_see_each_others_budgets() -> None:
    """The same scope name in another org is another budget."""
    asked = Asked()
    view = BudgetView(asked)
    view.learn("o", [use(TEAM, 75)])

    assert await view.used("other", [TEAM]) == 0.4


async def test_without_budgets_nothing_is_used() -> None:
    """And nobody is asked."""
    asked = Asked()

    assert await BudgetView(asked).used("o", []) == 0.0
    assert asked.times == 0
