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
from gateway.wire.choices import ChoiceSplitter
from gateway.wire.unasked import Stripper

#: The most of a stream that is held, in bytes; a longer answer is passed on without being judged.
MOST_HELD = 8 * 1024 * 1024


class Examination:
    """Looks at one answer of the wire `back` as it goes by, at each of its choices."""

    def __init__(
        self, checks: Checks, conversation: Conversation, back: str, choices: int = 1
    ) -> None:
        if is_guided(back, conversation):
            # Such answers are reduced to their JSON and checked on their way to the client.
            checks = msgspec.structs.replace(checks, schema=False)
        self._checks = checks
        self._conversation = conversation
        self._codec = back_codec(back)
        self._readers = [self._codec.reader() for _ in range(choices)]
        self._events: list[list[Event]] = [[] for _ in range(choices)]
        self._splitter = ChoiceSplitter(choices) if choices > 1 else None
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
        parts = [body] if self._splitter is None else self._splitter.whole(body)
        for events, part in zip(self._events, parts, strict=True):
            events += self._codec.read(part)
        return body if self._stripper is None else self._stripper.whole(body)

    def chunk(self, chunk: bytes) -> bytes:
        """A piece of a stream: what is left of it for the client."""
        self._take([chunk] if self._splitter is None else self._splitter.feed(chunk))
        return chunk if self._stripper is None else self._stripper.feed(chunk)

    def rest(self) -> bytes:
        """The stream has ended: what is still owed of it."""
        if self._splitter is not None:
            self._take(self._splitter.finish())
        for events, reader in zip(self._events, self._readers, strict=True):
            events += reader.finish()
        return b"" if self._stripper is None else self._stripper.finish()

    def result(self) -> Examined:
        """What was found, once the whole answer has gone by."""
        told = self._splitter.seen if self._splitter is not None else ()
        answers = [
            fold(events)
            for number, events in enumerate(self._events)
            if number == 0 or number in told
        ]
        found = (shortcoming(self._conversation, one, self._checks) for one in answers)
        return Examined(failed=next(filter(None, found), ""), gist=gist_of(answers[0]))

    def _take(self, parts: list[bytes]) -> None:
        for events, reader, part in zip(self._events, self._readers, parts, strict=True):
            events += reader.feed(part)


def examination(exchange: Exchange, checks: Checks, back: str) -> Examination | None:
    """An examination of the exchange's next answer; None where its API has nothing to examine."""
    if exchange.request is None:
        return None
    conversation = conversation_of(exchange.api, exchange.request, exchange.hidden)
    if conversation is None:
        return None
    # Translated requests have one choice, whatever was asked for.
    choices = exchange.request.choices if back == exchange.api.wire else 1
    return Examination(checks, conversation, back, choices)


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
