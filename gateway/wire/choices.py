"""An answer with several choices taken apart, as if each had been asked for alone.

Only OpenAI's chat and completions APIs know several choices, and only as they are: no wire
translates them.
"""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.wire.lenient import dict_of, list_of, object_of
from gateway.wire.sse import EventTooLarge, SseParser


class ChoiceSplitter:
    """Takes one answer apart, whole or as a stream.

    `seen` are the numbers of the choices that came: a backend may make more than it tells.
    """

    def __init__(self, choices: int) -> None:
        self.seen: set[int] = set()
        self._choices = choices
        self._sse = SseParser()
        self._broken = False

    def whole(self, body: bytes) -> list[bytes]:
        """The answer once for each choice; what is no answer is the same for all."""
        answer = object_of(body)
        if answer is None or not isinstance(answer.get("choices"), list):
            return [body] * self._choices
        return [msgspec.json.encode(self._only(answer, n)) for n in range(self._choices)]

    def feed(self, chunk: bytes) -> list[bytes]:
        """The events that these bytes complete, for each choice."""
        if self._broken:
            return [b""] * self._choices
        try:
            return self._split(self._sse.feed(chunk))
        except EventTooLarge:
            self._broken = True
            return [b""] * self._choices

    def finish(self) -> list[bytes]:
        """The event that stood unfinished at the end, for each choice."""
        return self._split([] if self._broken else self._sse.finish())

    def _split(self, events: list[tuple[str, bytes]]) -> list[bytes]:
        parts: list[list[bytes]] = [[] for _ in range(self._choices)]
        for _, payload in events:
            chunk = object_of(payload)
            told = list_of(chunk.get("choices")) if chunk is not None else []
            for number, part in enumerate(parts):
                if chunk is None or not told:
                    part.append(b"data: " + payload + b"\n\n")
                elif (alone := self._only(chunk, number))["choices"]:
                    part.append(b"data: " + msgspec.json.encode(alone) + b"\n\n")
        return [b"".join(part) for part in parts]

    def _only(self, answer: dict[str, Any], number: int) -> dict[str, Any]:
        """The answer with that choice alone, numbered as the first."""
        mine = [
            {**choice, "index": 0}
            for choice in map(dict_of, list_of(answer.get("choices")))
            if choice.get("index", 0) == number
        ]
        if mine:
            self.seen.add(number)
        return {**answer, "choices": mine}
