"""The policy's versions in Redis: one newest, changed only from a known one."""

from __future__ import annotations

import redis

from gateway.core.versions import Head, PolicyVersion, RefusedChange, WorkerReport, digest_of
from gateway.stores import names, versions
from gateway.stores.connection import RedisConnection
from gateway.stores.versions import ask, ask_now


def made(number: int, text: str = "text") -> PolicyVersion:
    """A version of a text."""
    return PolicyVersion(
        number=number,
        revision=f"rev{number}",
        digest=digest_of(text),
        source="admin",
        by="ann",
        at=1.5,
        diff="+ text\n",
    )


async def test_a_version_is_found_as_it_was_published(connection: RedisConnection) -> None:
    """The head names it; its text and who, when and how are there."""
    before = await ask(connection, versions.head())
    done = await ask(connection, versions.publish(made(1), "text", expected=0))
    head = await ask(connection, versions.head())

    assert before == Head()
    assert done
    assert head == Head(number=1, revision="rev1", digest=digest_of("text"))
    assert await ask(connection, versions.version(1)) == made(1)
    assert await ask(connection, versions.text(1)) == "text"


async def test_of_two_changes_from_one_version_the_first_wins(connection: RedisConnection) -> None:
    """The second is told and changes nothing."""
    await ask(connection, versions.publish(made(1), "text", expected=0))
    first = await ask(connection, versions.publish(made(2, "one"), "one", expected=1))
    second = await ask(connection, versions.publish(made(2, "two"), "two", expected=1))

    assert (first, second) == (True, False)
    assert await ask(connection, versions.text(2)) == "one"


async def test_commands_and_gateways_read_alike(
    connection: RedisConnection, client: redis.Redis
) -> None:
    """A blocking client understands what a gateway wrote, and the other way round."""
    await ask(connection, versions.publish(made(1), "ä: 1", expected=0, file_digest="d"))
    done = ask_now(client, versions.publish(made(2), "text", expected=1))

    assert done is True
    assert ask_now(client, versions.text(1)) == "ä: 1"
    assert ask_now(client, versions.head()) == await ask(connection, versions.head())
    assert ask_now(client, versions.head()).file_digest == "d"
    assert ask_now(client, versions.version(9)) is None
    assert ask_now(client, versions.text(9)) is None


async def test_versions_are_listed_newest_first_and_old_ones_dropped(
    connection: RedisConnection, client: redis.Redis
) -> None:
    """The newest 500 are kept, texts included."""
    for number in range(1, versions.KEPT_VERSIONS + 3):
        client_done = ask_now(client, versions.publish(made(number), "t", expected=number - 1))
        assert client_done
    known = await ask(connection, versions.all_versions())

    assert len(known) == versions.KEPT_VERSIONS
    assert [known[0].number, known[-1].number] == [versions.KEPT_VERSIONS + 2, 3]
    assert client.hlen(names.POLICY_TEXTS) == versions.KEPT_VERSIONS


async def test_an_alarm_stands_until_it_is_cleared_or_a_new_version_comes(
    connection: RedisConnection,
) -> None:
    """Every gateway sees it with the head."""
    refused = RefusedChange(source="file", by="p.yaml", at=2.0, problems=("p.yaml:1:1: wrong",))
    await ask(connection, versions.raise_alarm(refused))
    raised = (await ask(connection, versions.head())).refused
    await ask(connection, versions.clear_alarm())
    cleared = (await ask(connection, versions.head())).refused
    await ask(connection, versions.raise_alarm(refused))
    await ask(connection, versions.publish(made(1), "text", expected=0))

    assert (raised, cleared) == (refused, None)
    assert (await ask(connection, versions.head())).refused is None


async def test_workers_report_and_the_silent_are_not_counted(connection: RedisConnection) -> None:
    """One that ended without a word is still listed, until somebody tidies up."""
    here = WorkerReport(worker="h:1:a", number=1, revision="r", at=100.0)
    silent = WorkerReport(worker="h:2:b", number=1, revision="r", at=50.0, problem="no secret")
    await ask(connection, versions.report(silent))
    await ask(connection, versions.report(here))
    reports = await ask(connection, versions.workers())
    await ask(connection, versions.forget_worker("h:2:b"))

    assert reports == (here, silent)
    assert versions.alive(reports, 101.0) == (here,)
    assert await ask(connection, versions.workers()) == (here,)
