"""`fairlead keys` as a user meets it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import redis

from gateway.cli.keys import app
from gateway.stores.keys import read_key

Run = Callable[..., Any]


def test_a_key_lives_from_create_to_revoke(run_command: Run, home_client: redis.Redis) -> None:
    """Create, list, rotate and revoke work on the same id and print JSON on request."""
    made = json.loads(
        run_command(
            app,
            *("create --team support --app bot --tags env=prod --models auto,gpt-4o").split(),
            *("--budget-usd 12.50 --per week --max-sensitivity internal --json").split(),
        ).stdout
    )
    rotated = json.loads(run_command(app, "rotate", made["id"], "--grace", "24h", "--json").stdout)
    revoked = json.loads(run_command(app, "revoke", made["id"], "--json").stdout)
    listed = json.loads(run_command(app, "list", "--json").stdout)

    assert read_key(made["key"]) is not None
    assert read_key(rotated["key"]) is not None
    assert rotated["key"] != made["key"]
    assert made["budget_nanousd"] == 12_500_000_000
    assert (made["per"], made["max_sensitivity"], made["tags"]) == (
        "week",
        "internal",
        {"env": "prod"},
    )
    assert revoked["state"] == "revoked"
    assert [(key["id"], key["state"]) for key in listed] == [(made["id"], "revoked")]
    assert "key" not in listed[0]


def test_a_key_is_shown_whole_and_once(run_command: Run, home_client: redis.Redis) -> None:
    """Without --json the key stands on a line of its own, with a sentence that says so."""
    shown = run_command(app, "create", "--name", "the bot").stdout
    (key,) = [text for text in shown.splitlines() if text.startswith("fl_")]
    listed = run_command(app, "list").stdout

    assert read_key(key) is not None
    assert "This key is shown only now" in shown
    assert "the bot" in listed
    assert "fl_" not in listed


def test_a_pasted_key_is_taken_for_its_id(run_command: Run, home_client: redis.Redis) -> None:
    """Whoever has only the text can still revoke it."""
    made = json.loads(run_command(app, "create", "--json").stdout)

    assert run_command(app, "revoke", made["key"]).stdout == f"Key {made['id']} is revoked.\n"


@pytest.mark.parametrize("command", ["revoke", "rotate"])
def test_an_unknown_id_is_said_and_fails(
    run_command: Run, home_client: redis.Redis, command: str
) -> None:
    """The command ends with 1 and names the id."""
    result = run_command(app, command, "nobody")

    assert result.exit_code == 1
    assert "there is no key with the id 'nobody'" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--team", "a b"), "cannot be the name of the team"),
        (("--budget-usd", "much"), "'much' is not an amount of US dollars"),
        (("--budget-usd", "nan"), "'nan' is not an amount of US dollars"),
        (("--budget-usd", "1e12"), "must lie between $0 and $9,007,199"),
        (("--budget-usd", "5", "--per", "year"), "'year' is not a period"),
        (("--max-sensitivity", "secret"), "use one of: public, internal"),
        (("--tags", "plain"), "'plain' is not a tag"),
        (("--expires", "2001-01-01"), "is in the past"),
        (("--expires", "later"), "'later' is not a date"),
    ],
)
def test_wrong_usage_is_explained_before_redis_is_asked(
    run_command: Run, arguments: tuple[str, ...], words: str
) -> None:
    """The command ends with 2 and says what is wrong."""
    result = run_command(app, "create", *arguments)

    assert result.exit_code == 2
    assert words in result.stderr


def test_a_redis_that_is_away_is_said_without_its_password(
    run_command: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An outage is 1, a wrong setting 2, and neither shows the credentials of the URL."""
    monkeypatch.setenv("FAIRLEAD_REDIS_URL", "redis://u:hunter2@127.0.0.1:1")
    away = run_command(app, "list")
    monkeypatch.setenv("FAIRLEAD_REDIS_URL", "http://u:hunter2@127.0.0.1:1")
    wrong = run_command(app, "list")

    assert (away.exit_code, wrong.exit_code) == (1, 2)
    assert "Redis at 127.0.0.1:1 cannot be used" in away.stderr
    assert "FAIRLEAD_REDIS_URL must be" in wrong.stderr
    assert "hunter2" not in away.output + wrong.output
