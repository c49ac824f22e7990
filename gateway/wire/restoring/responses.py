"""Streams of OpenAI's Responses, with hidden values put back.

Events are numbered; what was held back of a text is told in an event of its own before the text is
done, so all events are numbered anew.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.core.restoring import Restoring
from gateway.wire.restoring.base import Block, Masks

_DELTA, _DONE = ".delta", ".done"
#: What tells one text of a stream from another.
_PLACES = ("item_id", "output_index", "content_index", "summary_index")


class ResponsesEvents:
    """See `gateway.wire.restoring.base.Events`."""

    def __init__(self, masks: Masks) -> None:
        self._masks = masks
        self._channels: dict[tuple[object, ...], tuple[Restoring, Block]] = {}
        self._number: int | None = None

    def take(self, event: Block) -> Iterable[tuple[str, Block]]:
        """The event; before a text is done, what was held back of it."""
        name = str(event.get("type") or "")
        if self._number is None and isinstance(event.get("sequence_number"), int):
            self._number = event["sequence_number"]
        told: list[Block] = []
        if name.endswith(_DELTA) and isinstance(event.get("delta"), str):
            channel = self._channel(name, event)
            event["delta"] = channel.feed(event["delta"])
            if event.get("logprobs"):
                event["logprobs"] = []
            told.append(event)
        else:
            if name.endswith(_DONE):
                told += self._left(_key(name.removesuffix(_DONE) + _DELTA, event))
            told.append(self._masks.document(event))
        return [(str(one.get("type") or ""), self._numbered(one)) for one in told]

    def rest(self) -> Iterable[tuple[str, Block]]:
        """What was held back of texts that were never done."""
        left = [one for key in self._channels for one in self._left(key)]
        return [(str(one["type"]), self._numbered(one)) for one in left]

    def _channel(self, name: str, event: Block) -> Restoring:
        key = _key(name, event)
        if key not in self._channels:
            is_json = "arguments" in name or "custom_tool" in name
            envelope = {field: event[field] for field in event if field != "delta"}
            self._channels[key] = (self._masks.channel(is_json=is_json), envelope)
        return self._channels[key][0]

    def _left(self, key: tuple[object, ...]) -> list[Block]:
        if key not in self._channels:
            return []
        channel, envelope = self._channels[key]
        rest = channel.end()
        return [{**envelope, "delta": rest}] if rest else []

    def _numbered(self, event: Block) -> Block:
        if self._number is None or "sequence_number" not in event:
            return event
        event["sequence_number"] = self._number
        self._number += 1
        return event


def _key(name: str, event: Block) -> tuple[object, ...]:
    return (name, *(event.get(place) for place in _PLACES))
