"""Streams of Anthropic's Messages, with hidden values put back."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.core.restoring import Restoring
from gateway.wire.restoring.base import Block, Masks

#: The field of each kind of delta that comes in pieces.
_PIECES = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}


class MessagesEvents:
    """See `gateway.wire.restoring.base.Events`."""

    def __init__(self, masks: Masks) -> None:
        self._masks = masks
        self._channels: dict[tuple[object, str], Restoring] = {}

    def take(self, event: Block) -> Iterable[tuple[str, Block]]:
        """The event; before a block stops, what was held back of it."""
        name = str(event.get("type") or "")
        delta = event.get("delta")
        if name == "content_block_delta" and isinstance(delta, dict):
            kind = str(delta.get("type"))
            field = _PIECES.get(kind, "")
            if isinstance(delta.get(field), str):
                delta[field] = self._channel(event.get("index"), kind).feed(delta[field])
                return [(name, event)]
        if name == "content_block_stop":
            index = event.get("index")
            return [*self._left(index), (name, event)]
        return [(name, self._masks.document(event))]

    def rest(self) -> Iterable[tuple[str, Block]]:
        """What was held back of blocks that never stopped."""
        indexes = dict.fromkeys(index for index, _ in self._channels)
        return [one for index in indexes for one in self._left(index)]

    def _channel(self, index: object, kind: str) -> Restoring:
        if (index, kind) not in self._channels:
            is_json = kind == "input_json_delta"
            self._channels[index, kind] = self._masks.channel(is_json=is_json)
        return self._channels[index, kind]

    def _left(self, index: object) -> list[tuple[str, Block]]:
        told: list[tuple[str, Block]] = []
        for (owner, kind), channel in self._channels.items():
            if owner == index and (rest := channel.end()):
                delta = {"type": kind, _PIECES[kind]: rest}
                event = {"type": "content_block_delta", "index": index, "delta": delta}
                told.append(("content_block_delta", event))
        return told
