"""`fairlead routing quality` tells what use has taught, and takes it back by days."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import redis

from gateway.cli.routing import app
from gateway.core.learning import day_of
from gateway.stores import names
from gateway.stores.connection import RedisConnection
from gateway.stores.embedded import open_embedded
from gateway.stores.learning import LearningStore, Served

Run = Callable[..., Any]
HOUSE = Served(deployment="house", task="code", predicted=500_000)


def learn(home: Path, client: redis.Redis, *days: str) -> None:
    """One good answer of the house on each of these days."""

    async def write(url: str) -> None:
        connection = RedisConnection(url)
        await connection.open()
        for day in days:
            number = day_of(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())
            await LearningStore(connection).count("acme", HOUSE, 1.0, number)
        await connection.close()

    embedded = open_embedded(home)
    asyncio.run(write(embedded.url))
    embedded.close()
    client.sadd(names.ORGS, "acme")


@pytest.mark.parametrize(
    ("words", "days"),
    [
        ((), 4),
        (("--from", "2026-11-02"), 3),
        (("--to", "2026-11-02"), 1),
        (("--from", "2026-11-02", "--to", "2026-11-04"), 2),
        (("--from", "2026-11-02T18:00", "--to", "2026-11-03T06:00"), 2),
    ],
)
def test_whole_days_are_taken_back(
    run_command: Run, home: Path, home_client: redis.Redis, words: tuple[str, ...], days: int
) -> None:
    """Those that lie in the span, or partly do."""
    learn(home, home_client, "2026-11-01", "2026-11-02", "2026-11-03", "2026-11-04")
    taken = run_command(app, "quality", "--forget", "house", *words, "--json")

    assert json.loads(taken.stdout) == {"deployment": "house", "days": days}


@pytest.mark.parametrize(
    "words",
    [
        ("--from", "7d"),
        ("--to", "7d"),
        ("--forget", "house", "--from", "sometime"),
        ("--forget", "house", "--from", "7d", "--to", "8d"),
    ],
)
def test_a_span_is_of_what_is_forgotten(
    run_command: Run, home: Path, words: tuple[str, ...]
) -> None:
    """Without that, or turned round, it is a wrong use."""
    assert run_command(app, "quality", *words).exit_code == 2
