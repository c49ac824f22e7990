"""Commands run in a home of their own with an embedded Redis, as a user would run them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
import typer
from typer.testing import CliRunner

from gateway.stores.embedded import open_embedded
from gateway.stores.endpoint import open_client


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A FAIRLEAD_HOME that nobody else uses."""
    monkeypatch.setenv("FAIRLEAD_HOME", str(tmp_path))
    monkeypatch.delenv("FAIRLEAD_REDIS_URL", raising=False)
    monkeypatch.delenv("FAIRLEAD_PEPPER", raising=False)
    return tmp_path


@pytest.fixture
def home_client(home: Path) -> Iterator[redis.Redis]:
    """A client on the home's embedded Redis, which then stays up between commands."""
    embedded = open_embedded(home)
    with open_client(embedded.url) as client:
        yield client
    embedded.close()


@pytest.fixture
def run_command(home: Path) -> Callable[..., object]:
    """Runs one typer app with arguments and gives its result."""

    def run(app: typer.Typer, *args: str) -> object:
        return CliRunner().invoke(app, args, env={"COLUMNS": "80"})

    return run
