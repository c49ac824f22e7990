"""Long attempts keep their holds alive."""

from __future__ import annotations

import asyncio

from gateway.core.errors import StoreUnavailable
from gateway.runtime.lease import Lease


async def test_a_long_attempt_renews_and_a_short_one_does_not() -> None:
    """One timer is all that a quick attempt costs."""
    renewed: list[int] = []

    async def renew() -> None:
        renewed.append(1)

    with Lease(renew, 30.0):
        await asyncio.sleep(0.01)
    assert renewed == []

    with Lease(renew, 0.06):
        await asyncio.sleep(0.2)
    count = len(renewed)
    await asyncio.sleep(0.1)

    assert count >= 2
    assert len(renewed) == count


async def test_a_store_that_is_away_does_not_end_the_renewing() -> None:
    """It may be back before the lease is over."""
    outcomes = [StoreUnavailable("away"), None, None]
    renewed: list[object] = []

    async def renew() -> None:
        outcome = outcomes.pop(0) if outcomes else None
        renewed.append(outcome)
        if isinstance(outcome, Exception):
            raise outcome

    with Lease(renew, 0.06):
        await asyncio.sleep(0.3)

    assert isinstance(renewed[0], StoreUnavailable)
    assert renewed[1:3] == [None, None]
