"""The policy file: edits come into force, mistakes raise an alarm, and it is kept in step."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest
import redis

from gateway.runtime.live.policy_file import place_of
from gateway.stores import versions
from gateway.stores.versions import ask
from tests.gateway.runtime.live.conftest import BROKEN, FAILING, UNFIT, Stand, text


async def test_an_edit_comes_into_force(stand: Stand) -> None:
    """As a version that says whose file it was."""
    stand.path.write_text(text("second"))
    await stand.turn()
    version = stand.follower.in_force.version

    assert stand.route() == "second"
    assert version is not None
    assert (version.number, version.source) == (2, "file")
    assert version.by.endswith(place_of(stand.path))


async def test_an_edit_is_read_when_it_is_complete(stand: Stand) -> None:
    """While somebody is still writing, nothing happens."""
    for part in ("fairlead: 1\n", "fairlead: 1\ndeployments:\n", text("second")):
        stand.path.write_text(part)
        await stand.watch.look()
        assert "policy_file_refused" not in stand.log.events()
    await stand.turn()

    assert stand.route() == "second"


@pytest.mark.parametrize("wrong", [BROKEN, UNFIT, FAILING, "\xff\xfe", ""])
async def test_a_broken_file_keeps_the_last_good_version_and_raises_an_alarm(
    stand: Stand, wrong: str
) -> None:
    """Log, metric and every gateway's status tell of it once, until the file is right again."""
    stand.path.write_text(wrong, encoding="latin-1")
    await stand.turn(5)
    refused = stand.follower.head.refused
    shown, lines = stand.metrics(), stand.log.events()
    stand.path.write_text(text("mended"))
    await stand.turn()

    assert refused is not None
    assert refused.by == place_of(stand.path)
    assert refused.problems[0].startswith(f"{stand.path}:")
    assert "fairlead_policy_file_refused 1.0" in shown
    assert 'fairlead_policy_changes_total{outcome="refused",source="file"} 1.0' in shown
    assert lines.count("policy_file_refused") == 1
    assert stand.follower.head.refused is None
    assert stand.route() == "mended"
    assert "fairlead_policy_file_refused 0.0" in stand.metrics()


async def test_putting_the_good_text_back_ends_the_alarm(stand: Stand) -> None:
    """Nothing new comes into force by it."""
    stand.path.write_text(BROKEN)
    await stand.turn()
    raised = stand.follower.head.refused
    stand.path.write_text(text())
    await stand.turn()

    assert raised is not None
    assert stand.follower.head.refused is None
    assert stand.follower.in_force.number == 1


async def test_a_file_that_vanishes_is_an_alarm(stand: Stand) -> None:
    """The policy stays; a file that comes back is read."""
    stand.path.unlink()
    await stand.turn()
    refused = stand.follower.head.refused
    stand.path.write_text(text("back"))
    await stand.turn()

    assert refused is not None
    assert "no such file" in refused.problems[0]
    assert stand.route() == "back"


async def test_a_file_that_was_only_touched_changes_nothing(stand: Stand) -> None:
    """The text counts, not the time."""
    os.utime(stand.path, (1, 1))
    await stand.turn()

    assert stand.follower.head.number == 1


async def test_the_file_follows_a_change_from_elsewhere(stand: Stand) -> None:
    """So that the next edit begins with what is in force; its mode stays."""
    stand.path.chmod(0o640)
    await stand.turn()
    await stand.changes.bring(text("elsewhere"), source="admin", by="ann")
    await stand.turn()

    assert stand.path.read_text() == text("elsewhere")
    assert stand.path.stat().st_mode & 0o777 == 0o640
    assert stand.follower.head.number == 2
    assert "policy_file_written" in stand.log.events()


async def test_an_edit_that_is_not_in_force_is_never_written_over(stand: Stand) -> None:
    """Somebody's work with a mistake in it stays where it is."""
    stand.path.write_text(BROKEN)
    await stand.turn()
    await stand.changes.bring(text("elsewhere"), source="admin", by="ann")
    await stand.turn()

    assert stand.route() == "elsewhere"
    assert stand.path.read_text() == BROKEN


async def test_the_newest_change_wins_wherever_it_is_made(stand: Stand) -> None:
    """File, admin plane, file: each on top of the one before."""
    stand.path.write_text(text("file1"))
    await stand.turn()
    await stand.changes.bring(text("admin"), source="admin", by="ann")
    await stand.turn()
    stand.path.write_text(text("file2"))
    await stand.turn()
    known = await ask(stand.connection, versions.all_versions())

    assert stand.route() == "file2"
    assert [one.source for one in known] == ["file", "admin", "file", "file"]


async def test_a_file_that_may_not_be_written_is_told_and_left(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read-only mount: the admin plane's change stays in force; a later edit still wins."""

    def refuse(path: object, text: str) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("gateway.runtime.live.watch.write_text", refuse)
    await stand.changes.bring(text("elsewhere"), source="admin", by="ann")
    await stand.turn(5)

    assert stand.log.events().count("policy_file_not_in_step") == 1
    assert stand.route() == "elsewhere"
    stand.path.write_text(text("edited"))
    await stand.turn()
    assert stand.route() == "edited"


async def test_what_an_admin_did_survives_a_restart(new_stand: Any, stand: Stand) -> None:
    """An unchanged file does not undo it, even where it could not be kept in step."""
    await stand.changes.bring(text("elsewhere"), source="admin", by="ann")
    await stand.follower.look()
    again = await new_stand(text("elsewhere"))
    await again.turn()

    assert again.follower.head.number == 2
    assert again.path.read_text() == text("elsewhere")


async def test_versions_that_redis_lost_are_begun_anew(stand: Stand, client: redis.Redis) -> None:
    """What is in force stays so, as version 1; the file is not taken for an edit."""
    await stand.changes.bring(text("elsewhere"), source="admin", by="ann")
    await stand.turn()
    client.flushall()
    await stand.turn()
    await stand.turn()
    known = await ask(stand.connection, versions.all_versions())

    assert [(one.number, one.source) for one in known] == [(1, "restored")]
    assert stand.route() == "elsewhere"


async def test_one_worker_of_a_home_watches(new_stand: Any) -> None:
    """The others stand by; a change comes once, and they follow."""
    stands = [await new_stand() for _ in range(3)]
    watching = [asyncio.ensure_future(one.watch.watch()) for one in stands]
    following = [asyncio.ensure_future(one.follower.follow()) for one in stands]
    try:
        async with asyncio.timeout(10):
            while any(one.follower.in_force.number != 1 for one in stands):
                await asyncio.sleep(0.02)
            stands[0].path.write_text(text("second"))
            while any(one.route() != "second" for one in stands):
                await asyncio.sleep(0.02)
    finally:
        for task in (*watching, *following):
            task.cancel()
        await asyncio.gather(*watching, *following, return_exceptions=True)
    known = await ask(stands[0].connection, versions.all_versions())

    assert [one.number for one in known] == [2, 1]
    assert sum("outcome=" in one.metrics() for one in stands) == 1
