"""Tool calls as servers of OpenAI's wire send them, put in order.

A piece belongs to the call of its index; a new id under a known index, with a name, begins
another call all the same. A piece without an index belongs to the call of its id, else to the
last one. A call without a name is not one yet.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.core.conversation import ArgumentsDelta, Event, ToolCallStarted


def made_id(seed: str, index: int) -> str:
    """A call's id where the server gave none: the same for the same answer, else another one."""
    return "call_" + hashlib.sha256(f"{seed}/{index}".encode()).hexdigest()[:24]


class _Call:
    """One call on its way; `number` is its place in the answer, set when it was told."""

    def __init__(self, call_id: str) -> None:
        self.id = call_id
        self.name = ""
        self.number: int | None = None
        self.waiting = ""
        self.silent = True


class CallReader:
    """The calls of one answer; `seed` makes the ids that the server did not give."""

    def __init__(self, *, seed: str) -> None:
        self._seed = seed
        self._calls: list[_Call] = []
        self._by_index: dict[int, _Call] = {}
        self._told = 0

    @property
    def seen(self) -> bool:
        """Whether a call was told."""
        return self._told > 0

    def take(self, delta: Mapping[str, Any]) -> list[Event]:
        """The calls in one delta or whole message, also in the form that preceded them."""
        events: list[Event] = []
        found = delta.get("tool_calls")
        for piece in found if isinstance(found, list) else ():
            if isinstance(piece, dict):
                events += self._piece(piece, piece.get("function"))
        if isinstance(delta.get("function_call"), dict):
            events += self._piece({"index": 0}, delta["function_call"])
        return events

    def finish(self) -> list[Event]:
        """Arguments for the calls that came without: clients parse them as JSON."""
        silent = [call for call in self._calls if call.number is not None and call.silent]
        return [ArgumentsDelta(call.number or 0, "{}") for call in silent]

    def _piece(self, piece: dict[str, Any], function: object) -> list[Event]:
        held = function if isinstance(function, dict) else {}
        name = held.get("name") if isinstance(held.get("name"), str) else ""
        call = self._whose(piece, bool(name))
        events: list[Event] = []
        if name and not call.name:
            call.name = name
            call.number = self._told
            self._told += 1
            events.append(ToolCallStarted(call.number, call.id or self._made(call.number), name))
        call.waiting += _arguments(held.get("arguments"))
        if call.number is not None and call.waiting:
            events.append(ArgumentsDelta(call.number, call.waiting))
            call.silent = call.silent and not call.waiting.strip()
            call.waiting = ""
        return events

    def _whose(self, piece: dict[str, Any], named: bool) -> _Call:
        call_id = piece["id"] if isinstance(piece.get("id"), str) else ""
        index = piece.get("index")
        known: _Call | None = None
        if isinstance(index, int) and not isinstance(index, bool):
            known = self._by_index.get(index)
        elif call_id:
            known = next((call for call in self._calls if call.id == call_id), None)
        elif self._calls and not named:
            known = self._calls[-1]
        other = known is not None and named and call_id and known.id and call_id != known.id
        if known is None or other:
            known = _Call(call_id)
            self._calls.append(known)
            if isinstance(index, int):
                self._by_index[index] = known
        elif call_id and not known.id and known.number is None:
            known.id = call_id
        return known

    def _made(self, number: int) -> str:
        return made_id(self._seed, number)


def _arguments(found: object) -> str:
    """Arguments as JSON text, also where a server sends the object itself."""
    if isinstance(found, str):
        return found
    return msgspec.json.encode(found).decode() if isinstance(found, dict | list) else ""
