"""What a command opens, it closes."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.cli.session import store_session


def test_the_embedded_redis_ends_with_the_command_that_started_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing keeps running after a command on a home where no gateway runs."""
    with store_session() as session:
        session.client.set("kept", "yes")
        during = (home / "redis" / "redis.sock").exists()
    after = (home / "redis" / "redis.sock").exists()
    with store_session() as session:
        kept = session.client.get("kept")

    assert (during, after) == (True, False)
    assert kept == b"yes"
    assert (home / "pepper").exists()
