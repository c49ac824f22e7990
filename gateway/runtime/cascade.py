"""Answers of a cascade's lower rungs: looked at while they come, held until they are good enough.

An examination reads the backend's own bytes beside whatever makes the client's answer of them.
A held answer keeps the client's bytes of a stream until the machine says which answer is
delivered; nothing of it reaches the client before.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from gateway.core.cascade import Checks, Examined
from gateway.core.conversation import Conversation, Event, fold
from gateway.runtime.bridges import back_codec, conversation_of, is_guided
from gateway.runtime.exchange import Exchange
from gateway.wire.adequacy import gist_of, shortcoming
from gateway.wire.base import Sending
from gateway.wire.unasked import Stripper

#: The most of a stream that is held, in bytes; a longer answer is passed on without being judged.
MOST_HELD = 8 * 1024 * 1024


class Examination:
    """Looks at one answer of the wire `back` as it goes by."""

    def __init__(self, checks: Checks, conversation: Conversation, back: str) -> None:
        if is_guided(back, conversation):
            # Such answers are reduced to their JSON and checked on their way to the client.
            checks = msgspec.structs.replace(checks, schema=False)
        self._checks = checks
        self._conversation = conversation
        self._codec = back_codec(back)
        self._reader = self._codec.reader()
        self._events: list[Event] = []
        asks = checks.logprob is not None and conversation.logprobs is None
        self._stripper = Stripper(back) if asks else None

    def asking(self, sending: Sending) -> Sending:
        """What is sent, with the wish for log probabilities where a check needs them."""
        return msgspec.structs.replace(sending, logprobs=self._stripper is not None)

    @property
    def adds(self) -> bool:
        """Whether something is asked for that the caller did not ask for."""
        return self._stripper is not None

    def whole(self, body: bytes) -> bytes:
        """A whole answer: what is left of it for the client."""
        self._events += self._codec.read(body)
        return body if self._stripper is None else self._stripper.whole(body)

    def chunk(self, chunk: bytes) -> bytes:
        """A piece of a stream: what is left of it for the client."""
        self._events += self._reader.feed(chunk)
        return chunk if self._stripper is None else self._stripper.feed(chunk)

    def rest(self) -> bytes:
        """The stream has ended: what is still owed of it."""
        self._events += self._reader.finish()
        return b"" if self._stripper is None else self._stripper.finish()

    def result(self) -> Examined:
        """What was found, once the whole answer has gone by."""
        answer = fold(self._events)
        failed = shortcoming(self._conversation, answer, self._checks)
        return Examined(failed=failed, gist=gist_of(answer))


def examination(exchange: Exchange, checks: Checks, back: str) -> Examination | None:
    """An examination of the exchange's next answer; None where its API has nothing to examine."""
    if exchange.request is None:
        return None
    conversation = conversation_of(exchange.api, exchange.request, exchange.hidden)
    return None if conversation is None else Examination(checks, conversation, back)


class HeldAnswer:
    """The client's bytes of one stream, held back; past `MOST_HELD` they are passed on."""

    def __init__(self, write: Callable[[bytes], Awaitable[None]]) -> None:
        self._write = write
        self._chunks: list[bytes] = []
        self._size = 0
        self.passed = False

    async def write(self, chunk: bytes) -> None:
        """Take the next bytes."""
        if self.passed:
            await self._write(chunk)
            return
        self._chunks.append(chunk)
        self._size += len(chunk)
        if self._size > MOST_HELD:
            await self.release()

    async def release(self) -> None:
        """Give out what is held; from now on nothing is held any more."""
        if self.passed:
            return
        self.passed = True
        await self._write(b"".join(self._chunks))
        self._chunks.clear()
