"""The multiplexed client against a real server that is healthy, frozen, restarted or gone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from gateway.core.errors import StoreUnavailable
from gateway.stores.connection import ConnectionLost, NotSent, RedisConnection
from gateway.stores.embedded import EmbeddedRedis, open_embedded
from gateway.stores.endpoint import open_client, read_endpoint
from gateway.stores.scripts import load_scripts
from ops.bench.ledger_server import frozen


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    """A server of the test's own, which it may freeze or kill."""
    embedded = open_embedded(tmp_path)
    yield embedded
    embedded.close()


async def until_available(connection: RedisConnection) -> None:
    """Wait for the probe in the background to succeed."""
    async with asyncio.timeout(20):
        while not connection.available:
            await asyncio.sleep(0.01)


async def test_replies_reach_the_commands_that_asked(connection: RedisConnection) -> None:
    """Many commands at once over one socket get their own replies, of every kind."""
    await asyncio.gather(*(connection.execute("SET", f"k{n}", n) for n in range(300)))
    replies = await asyncio.gather(*(connection.execute("GET", f"k{n}") for n in range(300)))

    assert [int(reply) for reply in replies] == list(range(300))  # type: ignore[arg-type]
    assert await connection.execute("GET", "missing") is None
    assert await connection.execute("MGET", "k1", "missing") == [b"1", None]


async def test_a_cancelled_command_does_not_shift_the_replies_of_others(
    connection: RedisConnection,
) -> None:
    """The reply to a command that nobody waits for any more is dropped."""
    await connection.execute("SET", "a", "1")
    gone = asyncio.create_task(connection.execute("GET", "a"))
    await asyncio.sleep(0)
    kept = asyncio.create_task(connection.execute("GET", "b"))
    await asyncio.sleep(0)
    gone.cancel()

    assert await kept is None
    assert gone.cancelled()


async def test_a_refused_command_is_an_error_that_says_so_and_breaks_nothing(
    connection: RedisConnection,
) -> None:
    """An error reply is for operators; the connection lives on."""
    with pytest.raises(StoreUnavailable) as caught:
        await connection.execute("HSET", "only a key")

    assert "wrong number of arguments" in caught.value.detail
    assert "HSET" not in caught.value.public_message
    assert await connection.execute("PING") == b"PONG"


async def test_a_script_is_loaded_when_the_server_does_not_know_it(
    connection: RedisConnection, client: redis.Redis
) -> None:
    """A server that lost its scripts is given them again."""
    scripts = load_scripts()
    await connection.run(scripts.renew, ("a",), ("h", 1))
    client.script_flush()

    assert await connection.run(scripts.renew, ("a",), ("h", 1)) == 0


async def test_a_frozen_server_fails_commands_in_time_and_then_at_once(
    mortal: EmbeddedRedis,
) -> None:
    """The first command waits for its timeout; afterwards commands cost next to nothing."""
    connection = RedisConnection(mortal.url)
    await connection.open()
    with frozen(mortal.url):
        first = asyncio.create_task(connection.execute("GET", "a"))
        early, _ = await asyncio.wait({first}, timeout=0.1)
        # Well beyond the 0.26 s it should take, well within the second that connecting may.
        in_time, _ = await asyncio.wait({first}, timeout=0.6)
        with pytest.raises(StoreUnavailable, match="cannot reach its ledger"):
            await first
        used = time.process_time()
        for _ in range(100):
            with pytest.raises(NotSent):
                await connection.execute("GET", "a")
        used = time.process_time() - used
        reason = connection.reason
    await until_available(connection)
    reply = await connection.execute("PING")
    await connection.close()

    assert not early
    assert in_time
    assert used < 0.5
    assert "no reply within 0.25 s" in reason
    assert reply == b"PONG"


async def test_a_command_times_out_by_its_own_clock_only(mortal: EmbeddedRedis) -> None:
    """A loop that was busy for longer than the timeout still reads the reply that waits."""
    connection = RedisConnection(mortal.url)
    await connection.open()
    asked = asyncio.create_task(connection.execute("PING"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    time.sleep(0.3)
    reply = await asked
    await connection.close()

    assert reply == b"PONG"


async def test_an_idempotent_command_survives_a_lost_connection(
    connection: RedisConnection, client: redis.Redis
) -> None:
    """It is sent again on a new connection; one that is not idempotent fails instead."""
    await connection.execute("SET", "a", "1")
    for entry in client.client_list():
        if entry["name"] == "fairlead":
            client.client_kill_filter(_id=entry["id"])
    asked = connection.execute("GET", "a", idempotent=True)

    assert await asked == b"1"


async def test_a_command_that_may_have_been_done_is_not_sent_again(
    connection: RedisConnection,
) -> None:
    """A connection that breaks under an INCR is an error: nobody knows whether it counted."""
    sent = asyncio.gather(
        connection.execute("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no"),
        connection.execute("INCR", "n"),
        return_exceptions=True,
    )
    _, outcome = await sent

    assert isinstance(outcome, ConnectionLost)
    assert await connection.execute("GET", "n") is None


async def test_a_restarted_server_is_found_again(tmp_path: Path) -> None:
    """After the server ended and came back the same connection object works on."""
    first = open_embedded(tmp_path)
    connection = RedisConnection(first.url)
    await connection.execute("SET", "a", "1")
    first.close()
    with pytest.raises(StoreUnavailable):
        await connection.execute("GET", "a")
    second = open_embedded(tmp_path)
    await until_available(connection)
    reply = await connection.execute("GET", "a")
    await connection.close()
    second.close()

    assert reply == b"1"


async def test_a_server_that_was_never_there_is_an_error_with_a_reason() -> None:
    """The reason names the place and never the password."""
    connection = RedisConnection("redis://user:hunter2@127.0.0.1:1/0")
    with pytest.raises(StoreUnavailable) as caught:
        await connection.open()
    await connection.close()

    assert "127.0.0.1:1" in caught.value.detail
    assert "hunter2" not in caught.value.detail + repr(connection) + repr(connection.endpoint)


async def test_a_password_and_a_database_are_used(mortal: EmbeddedRedis) -> None:
    """User, password and database of the URL apply to every connection."""
    with open_client(mortal.url) as client:
        client.acl_setuser(
            "gateway", enabled=True, passwords=["+s3cret"], categories=["+@all"], keys=["*"]
        )
    url = mortal.url.replace("unix://", "unix://gateway:s3cret@") + "?db=3"
    connection = RedisConnection(url)
    await connection.execute("SET", "a", "1")
    await connection.close()
    with open_client(mortal.url + "?db=3") as client:
        found = client.get("a")
    wrong = RedisConnection(url.replace("s3cret", "wrong"))
    with pytest.raises(StoreUnavailable) as caught:
        await wrong.open()
    await wrong.close()

    assert found == b"1"
    assert "WRONGPASS" in caught.value.detail


def test_urls_are_read_and_wrong_ones_explained() -> None:
    """TLS, sockets and options are understood; anything else says what to write."""
    assert read_endpoint("rediss://:pw@redis.test:7000/2").tls is True
    assert read_endpoint("rediss://h?ssl_cert_reqs=none").verify is False
    assert read_endpoint("unix:///tmp/a%20b.sock").path == "/tmp/a b.sock"
    with pytest.raises(ValueError, match="use redis://host:port/db") as caught:
        read_endpoint("http://user:hunter2@host")

    assert "hunter2" not in str(caught.value)
