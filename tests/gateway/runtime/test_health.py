"""Breakers that gateways share."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.core.failure import AttemptFailure, FailureKind
from gateway.core.health import FAILURES_TO_OPEN, Breaker, admits
from gateway.runtime.health import HealthBoard
from gateway.stores.breakers import BreakerStore
from gateway.stores.connection import RedisConnection
from gateway.stores.embedded import open_embedded

BROKEN = AttemptFailure(kind=FailureKind.SERVER_ERROR)


async def shared_by(board: HealthBoard, store: BreakerStore, name: str) -> Mapping[str, Breaker]:
    for _ in range(200):
        found = await store.load()
        if name in found:
            return found
        await asyncio.sleep(0.005)
    raise AssertionError("the breaker was not published")


async def test_what_one_gateway_learns_the_others_take_over(tmp_path: Path) -> None:
    """An opened breaker travels through Redis; a success closes it for all."""
    embedded = open_embedded(tmp_path)
    connection = RedisConnection(embedded.url)
    await connection.open()
    store = BreakerStore(connection)
    ours, theirs = HealthBoard(store), HealthBoard(store)
    try:
        for _ in range(FAILURES_TO_OPEN):
            ours.failed("house", BROKEN)
        found = await shared_by(ours, store, "house")
        await theirs.refresh()

        assert theirs.breakers["house"] == found["house"]
        assert not admits(theirs.breakers["house"], found["house"].open_until - 1)

        theirs.succeeded("house")
        for _ in range(200):
            if not await store.load():
                break
            await asyncio.sleep(0.005)
        assert "house" not in theirs.breakers
        assert await store.load() == {}
    finally:
        await connection.close()
        embedded.close()


@pytest.mark.parametrize(
    "kind", [FailureKind.REJECTED, FailureKind.CONTEXT_EXCEEDED, FailureKind.RATE_LIMITED]
)
async def test_failures_that_say_nothing_about_health_open_nothing(kind: FailureKind) -> None:
    """A caller's mistake or a full quota does not take a deployment out."""
    board = HealthBoard(store=None)  # type: ignore[arg-type]
    for _ in range(2 * FAILURES_TO_OPEN):
        board.failed("house", AttemptFailure(kind=kind))

    assert board.breakers == {}
