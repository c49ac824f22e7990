"""Tool calls as servers of OpenAI's wire send them, told one after the other.

A piece belongs to the call of its index; a new id under a known index, with a name, begins
another call all the same. A piece without an index belongs to the call of its id, else to the
last one. A call without a name is none. Clients of other wires read one call at a time, so a
call whose predecessor may still grow waits for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.core.conversation import ArgumentsDelta, Event, ToolCallStarted
from gateway.wire.call_ids import made_id


class CallReader:
    """The calls of one answer; `seed` makes the ids that the server did not give."""

    def __init__(self, *, seed: str) -> None:
        self._seed = seed
        self._calls: list[_Call] = []
        self._by_index: dict[int, _Call] = {}
        self._at = 0
        self._told = 0

    @property
    def seen(self) -> bool:
        """Whether a call was told."""
        return self._told > 0

    def take(self, delta: Mapping[str, Any]) -> list[Event]:
        """The calls in one delta or whole message, also in the form that preceded them."""
        found = delta.get("tool_calls")
        for piece in found if isinstance(found, list) else ():
            if isinstance(piece, dict):
                self._piece(piece, piece.get("function"))
        if isinstance(delta.get("function_call"), dict):
            self._piece({"index": 0}, delta["function_call"])
        return self._tell(last=False)

    def finish(self) -> list[Event]:
        """What waited, and arguments for the calls that came without: clients parse them."""
        return self._tell(last=True)

    def _piece(self, piece: dict[str, Any], function: object) -> None:
        held = function if isinstance(function, dict) else {}
        name = held.get("name") if isinstance(held.get("name"), str) else ""
        call = self._whose(piece, bool(name))
        call.name = call.name or name or ""
        call.waiting += _arguments(held.get("arguments"))

    def _whose(self, piece: dict[str, Any], named: bool) -> _Call:
        call_id = piece["id"] if isinstance(piece.get("id"), str) else ""
        index = piece.get("index")
        numbered = isinstance(index, int) and not isinstance(index, bool)
        known: _Call | None = None
        if numbered:
            known = self._by_index.get(index or 0)
        elif call_id:
            known = next((call for call in self._calls if call.id == call_id), None)
        elif self._calls and not named:
            known = self._calls[-1]
        if known is None or (named and call_id and known.id and call_id != known.id):
            known = _Call()
            self._calls.append(known)
            if numbered:
                self._by_index[index or 0] = known
        known.id = known.id or call_id
        return known

    def _tell(self, *, last: bool) -> list[Event]:
        events: list[Event] = []
        while self._at < len(self._calls):
            call = self._calls[self._at]
            if call.name:
                events += self._grown(call)
            if not last and (self._at + 1 == len(self._calls) or not call.is_whole()):
                break
            if call.name and not call.told.strip():
                events.append(ArgumentsDelta(call.number, "{}"))
            self._at += 1
        return events

    def _grown(self, call: _Call) -> list[Event]:
        events: list[Event] = []
        if call.number < 0:
            call.number = self._told
            self._told += 1
            call_id = call.id or made_id(self._seed, call.number)
            events.append(ToolCallStarted(call.number, call_id, call.name))
        if call.waiting:
            events.append(ArgumentsDelta(call.number, call.waiting))
            call.told += call.waiting
            call.waiting = ""
        return events


class _Call:
    """One call on its way; `number` is its place among those told, -1 before."""

    def __init__(self) -> None:
        self.id = ""
        self.name = ""
        self.number = -1
        self.waiting = ""
        self.told = ""

    def is_whole(self) -> bool:
        """Whether nothing can follow in its arguments."""
        try:
            return isinstance(msgspec.json.decode(self.told), dict)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False


def _arguments(found: object) -> str:
    """Arguments as JSON text, also where a server sends the object itself."""
    if isinstance(found, str):
        return found
    return msgspec.json.encode(found).decode() if isinstance(found, dict | list) else ""
