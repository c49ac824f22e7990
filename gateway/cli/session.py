"""What a command needs of the stores: one Redis, the virtual keys, and clear words on failure."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NoReturn, TypeVar

import msgspec
import redis
import typer

from gateway.config.settings import load_settings
from gateway.core.errors import StoreUnavailable
from gateway.stores.connection import RedisConnection
from gateway.stores.embedded import EmbeddedRedisError, open_embedded
from gateway.stores.endpoint import open_client, read_endpoint
from gateway.stores.keybook import KeyBook
from gateway.stores.pepper import load_pepper

_T = TypeVar("_T")


class StoreSession(msgspec.Struct, frozen=True, kw_only=True):
    """An open Redis, blocking, the book of virtual keys in it, the pepper, the home and its URL."""

    client: redis.Redis
    keys: KeyBook
    pepper: bytes
    home: Path
    url: str

    def __repr__(self) -> str:
        return "StoreSession(***)"


@contextmanager
def store_session() -> Iterator[StoreSession]:
    """Open the stores that the environment names, and close them afterwards.

    Without FAIRLEAD_REDIS_URL it is the embedded Redis under FAIRLEAD_HOME, which is shared
    with a running gateway or started for as long as the command takes.

    Raises:
        typer.Exit: status 1 when Redis cannot be reached, 2 when a setting is wrong; the reason
            is on stderr.
    """
    with ExitStack() as stack:
        try:
            settings = load_settings(os.environ)
            pepper = load_pepper(settings.home, settings.pepper)
            url = settings.redis_url
            if url is None:
                embedded = open_embedded(settings.home)
                stack.callback(embedded.close)
                url = embedded.url
            client = stack.enter_context(open_client(url))
        except ValueError as mistake:
            fail(str(mistake), status=2)
        except (EmbeddedRedisError, OSError) as problem:
            fail(f"the embedded Redis cannot be used: {problem}")
        try:
            yield StoreSession(
                client=client,
                keys=KeyBook(client, pepper),
                pepper=pepper,
                home=settings.home,
                url=url,
            )
        except redis.RedisError as problem:
            fail(f"Redis at {read_endpoint(url).label} cannot be used: {problem}")


def ask_store(url: str, work: Callable[[RedisConnection], Awaitable[_T]]) -> _T:
    """Do with a gateway's own kind of connection what its stores know how to do.

    Raises:
        typer.Exit: status 1 when Redis does not answer; the reason is on stderr.
    """

    async def run() -> _T:
        connection = RedisConnection(url, timeout_seconds=10.0)
        await connection.open()
        try:
            return await work(connection)
        finally:
            await connection.close()

    try:
        return asyncio.run(run())
    except StoreUnavailable as problem:
        fail(f"Redis cannot be used: {problem.detail}")


def fail(message: str, status: int = 1) -> NoReturn:
    """End the command with a sentence on stderr; 1: it did not work, 2: it was called wrong."""
    typer.echo(f"fairlead: {message}", err=True)
    raise typer.Exit(status)
