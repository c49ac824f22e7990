"""Hears one answer while it comes, so that it can be compared with another one to the same request.

What is heard are the backend's own bytes: what was hidden from it is hidden there too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from gateway.core.conversation import Answer, Event, fold
from gateway.runtime.bridges import back_codec, conversation_of, is_guided
from gateway.wire.answer_check import json_inside
from gateway.wire.translate import EventReader

if TYPE_CHECKING:
    from gateway.runtime.exchange import Exchange

#: The most bytes of an answer that are heard; a longer one is not compared.
MOST_HEARD = 1024 * 1024


class Listening:
    """One answer of the wire `back`, as it goes by.

    `guided` says that the client gets only the JSON in its text.
    """

    def __init__(self, back: str, *, guided: bool = False) -> None:
        self._codec = back_codec(back)
        self._reader: EventReader | None = None
        self._guided = guided
        self._events: list[Event] = []
        self._size = 0

    def whole(self, body: bytes) -> None:
        """Hear a whole answer."""
        if self._takes(body):
            self._events += self._codec.read(body)

    def chunk(self, chunk: bytes) -> None:
        """Hear a piece of a stream, cut anywhere."""
        if not self._takes(chunk):
            return
        if self._reader is None:
            self._reader = self._codec.reader()
        self._events += self._reader.feed(chunk)

    def heard(self) -> Answer | None:
        """The whole answer, once it has ended; None where it was too long or is none."""
        if self._size > MOST_HEARD:
            return None
        if self._reader is not None:
            self._events += self._reader.finish()
            self._reader = None
        answer = fold(self._events)
        if answer.failure is not None:
            return None
        document = json_inside(answer.text) if self._guided else None
        return answer if document is None else msgspec.structs.replace(answer, text=document)

    def _takes(self, piece: bytes) -> bool:
        self._size += len(piece)
        if self._size > MOST_HEARD:
            self._events.clear()
        return self._size <= MOST_HEARD


def listening_to(exchange: Exchange, back: str) -> Listening | None:
    """What hears the exchange's next answer; None where nobody wants to, or nothing can be."""
    request = exchange.request
    if not exchange.listens or request is None or request.choices > 1:
        return None
    conversation = conversation_of(exchange.api, request, exchange.hidden)
    if conversation is None:
        return None
    return Listening(back, guided=is_guided(back, conversation))
