"""Reading a body, and noticing that its sender left."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.core.errors import InvalidRequest, RequestTooLarge
from gateway.runtime.client import Client, ClientDisconnected


class Wire:
    """An ASGI connection whose messages the test puts in."""

    def __init__(self, *messages: dict[str, Any]) -> None:
        self.messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        for message in messages:
            self.messages.put_nowait(message)
        self.client = Client({"headers": []}, self.messages.get, self._send)

    async def _send(self, message: Any) -> None:
        raise AssertionError("nothing is sent here")


def part(content: bytes, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": content, "more_body": more}


async def test_parts_are_joined_to_one_body() -> None:
    """However the server cuts it."""
    assert await Wire(part(b"ab", True), part(b"", True), part(b"cd")).client.body(10) == b"abcd"


async def test_a_body_over_the_limit_is_drained_and_refused() -> None:
    """The rest is read, so that the client gets to see the answer."""
    wire = Wire(part(b"abc", True), part(b"def"))

    with pytest.raises(RequestTooLarge, match="larger than 5 bytes"):
        await wire.client.body(5)
    assert wire.messages.empty()


async def test_an_empty_body_is_told() -> None:
    """Nothing to decode, nothing to guess."""
    with pytest.raises(InvalidRequest, match="empty"):
        await Wire(part(b"")).client.body(5)


async def test_leaving_in_the_middle_of_the_body_is_no_request() -> None:
    """Half a request is not served."""
    wire = Wire(part(b"ab", True), {"type": "http.disconnect"})

    with pytest.raises(ClientDisconnected):
        await wire.client.body(5)
    assert wire.client.gone


async def test_a_watch_cancels_the_work_when_the_client_leaves() -> None:
    """And says so, which tells it from a shutdown."""
    wire = Wire()

    async def work() -> str:
        try:
            with wire.client.watch():
                await asyncio.sleep(30)
        except asyncio.CancelledError:
            return "cancelled"
        return "finished"

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    wire.messages.put_nowait({"type": "http.disconnect"})

    assert await asyncio.wait_for(task, 5) == "cancelled"
    assert wire.client.gone


async def test_after_the_watch_nothing_is_cancelled() -> None:
    """A client that leaves after its answer disturbs nobody."""
    wire = Wire()
    with wire.client.watch():
        await asyncio.sleep(0.25)
    wire.messages.put_nowait({"type": "http.disconnect"})
    await asyncio.sleep(0.01)

    assert not wire.client.gone
