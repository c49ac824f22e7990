"""What a gateway begins with: the last active version, or a file that changed meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis

from gateway.runtime.live.start import Begin, begin_gateway, begin_worker, bench_for
from gateway.runtime.policies import PolicyUnusable
from gateway.stores import versions
from gateway.stores.endpoint import open_client
from gateway.stores.versions import ask_now
from tests.gateway.runtime.live.conftest import BROKEN, FAILING, text


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A good policy file."""
    file = tmp_path / "policy.yaml"
    file.write_text(text())
    return file


def begun(client: redis.Redis, path: Path, environ: dict[str, str] | None = None) -> Begin:
    return begin_gateway(client, path, bench_for(path, environ or {}))


def put(client: redis.Redis, path: Path, changed: str) -> None:
    """What the admin plane does, without touching the file."""
    before = path.read_text()
    path.write_text(changed)
    digest = ask_now(client, versions.head()).file_digest
    begun(client, path)
    ask_now(client, versions.note_file(digest))
    path.write_text(before)


def route(begin: Begin) -> str:
    return begin.policy.routes[0].id


def test_the_first_start_makes_version_1_of_the_file(client: redis.Redis, path: Path) -> None:
    """And every later start finds it."""
    first, second = begun(client, path), begun(client, path)

    assert [(one.in_force.number, route(one)) for one in (first, second)] == [(1, "first")] * 2
    assert begin_worker(client, path, bench_for(path, {})).in_force == first.in_force


def test_a_file_that_changed_while_nobody_ran_is_a_change(client: redis.Redis, path: Path) -> None:
    """It becomes the next version."""
    begun(client, path)
    path.write_text(text("second"))
    begin = begun(client, path)

    assert (begin.in_force.number, route(begin)) == (2, "second")


def test_the_last_active_version_survives_a_restart(client: redis.Redis, path: Path) -> None:
    """An unchanged file does not undo what was done since."""
    begun(client, path)
    put(client, path, text("elsewhere"))
    begin = begun(client, path)

    assert (begin.in_force.number, route(begin)) == (2, "elsewhere")
    assert path.read_text() == text()


@pytest.mark.parametrize("wrong", [BROKEN, FAILING, None])
def test_a_broken_file_does_not_keep_a_gateway_from_starting(
    client: redis.Redis, path: Path, wrong: str | None
) -> None:
    """The last good version is there, and a note says what is wrong."""
    begun(client, path)
    path.unlink() if wrong is None else path.write_text(wrong)
    begin = begun(client, path)

    assert (begin.in_force.number, route(begin)) == (1, "first")
    assert "The last good version stays in force." in begin.notes[0]


@pytest.mark.parametrize("wrong", [BROKEN, FAILING, None])
def test_without_any_good_version_there_is_no_start(
    client: redis.Redis, path: Path, wrong: str | None
) -> None:
    """The message lists what is wrong."""
    path.unlink() if wrong is None else path.write_text(wrong)

    with pytest.raises(PolicyUnusable, match=str(path)):
        begun(client, path)


def test_an_older_version_is_never_begun_with(client: redis.Redis, path: Path) -> None:
    """It could allow what the one in force forbids."""
    begun(client, path)
    secret = text("second").replace("model: m,", 'model: m, api_key: "env:HOUSE_KEY",')
    path.write_text(secret)
    begun(client, path, {"HOUSE_KEY": "k"})

    with pytest.raises(PolicyUnusable, match=r"version 2 .* cannot be used here"):
        begun(client, path)


def test_a_worker_begins_with_the_file_when_redis_is_away(path: Path) -> None:
    """It follows Redis once that is back."""
    with open_client("unix:///nowhere/redis.sock") as away:
        begin = begin_worker(away, path, bench_for(path, {}))

    assert (begin.in_force.number, route(begin)) == (0, "first")


def test_a_worker_without_anything_to_begin_with_says_why(path: Path) -> None:
    """Neither Redis nor a usable file."""
    path.write_text(BROKEN)
    with (
        open_client("unix:///nowhere/redis.sock") as away,
        pytest.raises(PolicyUnusable, match="broken YAML"),
    ):
        begin_worker(away, path, bench_for(path, {}))
