"""Streams of Chat Completions and of the older Completions, with hidden values put back."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.core.restoring import Restoring
from gateway.wire.lenient import dict_of, list_of
from gateway.wire.restoring.base import Block, Masks

_TEXTS = ("content", "refusal", "reasoning_content", "reasoning")


class ChatEvents:
    """See `gateway.wire.restoring.base.Events`; events of this API have no names."""

    def __init__(self, masks: Masks) -> None:
        self._masks = masks
        self._texts: dict[tuple[int, str], Restoring] = {}
        self._calls: dict[tuple[int, int], Restoring] = {}
        self._envelope: Block = {}

    def take(self, event: Block) -> Iterable[tuple[str, Block]]:
        """The chunk with what may be told of its texts; the last one of a choice tells the rest."""
        self._envelope = {name: event[name] for name in event if name not in ("choices", "usage")}
        for choice in map(dict_of, list_of(event.get("choices"))):
            index = _index(choice)
            delta = choice.get("delta")
            if isinstance(delta, dict):
                choice["delta"] = self._delta(index, delta)
            if isinstance(choice.get("text"), str):
                choice["text"] = self._text(index, "text", choice["text"])
            if choice.get("logprobs") is not None:
                choice["logprobs"] = None
            if choice.get("finish_reason"):
                self._finish(index, choice)
        return [("", event)]

    def rest(self) -> Iterable[tuple[str, Block]]:
        """A last chunk, where a choice never said that it ended."""
        choices = []
        for index in sorted({index for index, _ in (*self._texts, *self._calls)}):
            choice: Block = {"index": index, "delta": {}, "finish_reason": None}
            self._finish(index, choice)
            if choice["delta"] or choice.get("text"):
                choices.append(choice)
        return [("", {**self._envelope, "choices": choices})] if choices else []

    def _delta(self, index: int, delta: Block) -> Block:
        held = {name: delta.pop(name) for name in ("tool_calls", *_TEXTS) if name in delta}
        told: Block = self._masks.document(delta)
        for name in _TEXTS:
            if isinstance(held.get(name), str):
                told[name] = self._text(index, name, held[name])
            elif name in held:
                told[name] = held[name]
        if "tool_calls" in held:
            for call in map(dict_of, list_of(held["tool_calls"])):
                function = call.get("function")
                if isinstance(function, dict) and isinstance(function.get("arguments"), str):
                    channel = self._call(index, _index(call))
                    function["arguments"] = channel.feed(function["arguments"])
            told["tool_calls"] = held["tool_calls"]
        return told

    def _text(self, index: int, name: str, text: str) -> str:
        if (index, name) not in self._texts:
            self._texts[index, name] = self._masks.channel()
        return self._texts[index, name].feed(text)

    def _call(self, index: int, call: int) -> Restoring:
        if (index, call) not in self._calls:
            self._calls[index, call] = self._masks.channel(is_json=True)
        return self._calls[index, call]

    def _finish(self, index: int, choice: Block) -> None:
        """Put what was held back into the chunk that ends the choice."""
        for (owner, name), channel in self._texts.items():
            if owner == index and (rest := channel.end()):
                holder = choice if name == "text" else choice.setdefault("delta", {})
                holder[name] = (holder.get(name) or "") + rest
        for (owner, call), channel in self._calls.items():
            if owner == index and (rest := channel.end()):
                delta = choice.setdefault("delta", {})
                delta.setdefault("tool_calls", []).append(
                    {"index": call, "function": {"arguments": rest}}
                )


def _index(found: Block) -> int:
    index = found.get("index")
    return index if isinstance(index, int) else 0
