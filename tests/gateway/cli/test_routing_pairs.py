"""`fairlead routing pairs` and calibrating from them, without one kept prompt."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import redis

from gateway.classify.cues import load_cues
from gateway.classify.difficulty_calibration import Pair
from gateway.classify.difficulty_kept import features_of, pack_features
from gateway.cli.routing import app
from gateway.config.difficulty_models import load_model
from gateway.core.judged import JudgedPair, Scored
from gateway.stores import names
from gateway.stores.connection import RedisConnection
from gateway.stores.embedded import open_embedded
from gateway.stores.pairs import PairStore
from gateway.stores.pepper import load_pepper
from tests.gateway.classify.test_difficulty_calibration import made

Run = Callable[..., Any]


def judged(pairs: Sequence[Pair], strong: str = "larger", level: float = 0.9) -> list[JudgedPair]:
    """The pairs as a judge would have left them: by turns each deployment has served."""
    cues = load_cues()
    found = []
    for number, one in enumerate(pairs):
        weak_one = Scored(deployment="house", predicted=0.6, score=one.weak_score)
        strong_one = Scored(deployment=strong, predicted=level, score=one.strong_score)
        turn = number % 2 == 0
        features = features_of(one.prompt, len(one.prompt), cues.read(one.prompt))
        found.append(
            JudgedPair(
                request_id=f"req_{number}",
                at=time.time(),
                task="chat",
                judge="umpire",
                served=weak_one if turn else strong_one,
                copied=strong_one if turn else weak_one,
                served_first=number % 4 < 2,
                features=pack_features(features),
            )
        )
    return found


def keep(home: Path, client: redis.Redis, pairs: Sequence[JudgedPair], org: str = "acme") -> None:
    """Write pairs as a gateway does."""

    async def write(url: str) -> None:
        connection = RedisConnection(url)
        await connection.open()
        store = PairStore(connection, load_pepper(home))
        for one in pairs:
            await store.keep(org, one)
        await connection.close()

    embedded = open_embedded(home)
    asyncio.run(write(embedded.url))
    embedded.close()
    client.sadd(names.ORGS, org)


def test_pairs_are_told_by_deployments(
    run_command: Run, home: Path, home_client: redis.Redis
) -> None:
    """How many, what they are worth, and whether the judge favours a place; all can be deleted."""
    empty = run_command(app, "pairs")
    pairs = [Pair("Please sing", 0.25, 0.75)] * 8
    keep(home, home_client, judged(pairs))
    keep(home, home_client, judged(pairs[:2], strong="twin", level=0.6))
    told = json.loads(run_command(app, "pairs", "--json").stdout)
    table = run_command(app, "pairs")
    named = json.loads(run_command(app, "pairs", "--strong", "twin", "--json").stdout)
    none = json.loads(run_command(app, "pairs", "--org", "other", "--json").stdout)
    before = json.loads(run_command(app, "pairs", "--to", "7d", "--json").stdout)
    since = json.loads(run_command(app, "pairs", "--from", "7d", "--json").stdout)
    turned = run_command(app, "pairs", "--from", "7d", "--to", "8d")
    wrong = run_command(app, "pairs", "--forget", "--weak", "house")
    gone = run_command(app, "pairs", "--forget", "--org", "acme")

    assert "There are none" in empty.stdout
    (row,) = told["rows"]
    assert (row["weak"], row["strong"], row["pairs"]) == ("house", "larger", 8)
    assert (row["weak_score"], row["strong_score"], row["rise"]) == (0.25, 0.75, 0.0)
    assert told["alike"] == 2
    assert "2 more are of two deployments" in table.stdout
    assert [(one["weak"], one["pairs"]) for one in named["rows"]] == [("house", 2)]
    assert none["rows"] == before["rows"] == []
    assert since == told
    assert turned.exit_code == 2
    assert wrong.exit_code == 2
    assert "Deleted 10 entries" in gone.stdout
    assert json.loads(run_command(app, "pairs", "--json").stdout)["rows"] == []


def test_a_model_is_learned_from_judged_pairs(
    run_command: Run, home: Path, home_client: redis.Redis
) -> None:
    """The same rules hold as for a file: fifty rows at least, and no worse than what ships."""
    keep(home, home_client, judged(made(49)))
    few = run_command(app, "calibrate", "--from-shadows", "--save", "ours")
    keep(home, home_client, judged(made(240, seed=3)))
    learned = run_command(
        app, "calibrate", "--from-shadows", "--from", "30d", "--save", "ours", "--json"
    )
    told = json.loads(learned.stdout)

    assert few.exit_code == 1
    assert "judged pairs: 49 rows; at least 50 are needed" in few.stderr
    assert learned.exit_code == 0
    assert (told["saved"], told["rows"]) == ("ours", 289)
    assert told["apgr_newest"] > told["apgr_newest_cold_start"]
    assert load_model(home, "ours").evidence == 289


def test_a_worse_model_is_not_adopted_from_judged_pairs(
    run_command: Run, home: Path, home_client: redis.Redis
) -> None:
    """The newest fifth speaks against it."""
    keep(home, home_client, judged([*made(240), *made(60, turned=True, seed=2)]))
    refused = run_command(app, "calibrate", "--from-shadows", "--save", "ours")

    assert refused.exit_code == 1
    assert "Not saved" in refused.stdout
    assert not (home / "difficulty").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("--save", "ours"),
        ("pairs.jsonl", "--from-shadows", "--save", "ours"),
        ("pairs.jsonl", "--from", "30d", "--save", "ours"),
        ("--from-shadows", "--from", "never", "--save", "ours"),
    ],
)
def test_one_source_of_pairs_is_named(run_command: Run, home: Path, words: tuple[str, ...]) -> None:
    """A file or judges, not both and not neither."""
    assert run_command(app, "calibrate", *words).exit_code == 2
