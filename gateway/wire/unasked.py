"""Takes log probabilities that a check asked for, and the client did not, out of an answer.

Rules of this file:
- it works on the backend's own bytes, before anything is made of them for the client;
- only the value under the key `logprobs` is replaced; whatever stands beside it keeps its bytes.
"""

from __future__ import annotations

import msgspec

from gateway.wire.ndjson import LineParser
from gateway.wire.sse import EVENT_END, EventBlocks, EventTooLarge, event_payload

_KEY = "logprobs"
# Inside a JSON string the quotes would be escaped, so model output cannot look like this.
_WRITTEN = b'"logprobs"'
_NULL = msgspec.Raw(b"null")
_EMPTY = msgspec.Raw(b"[]")


class Stripper:
    """Strips one answer in the wire `back`, whole or as a stream."""

    def __init__(self, back: str) -> None:
        self._put = _EMPTY if back == "openai_responses" else _NULL
        self._lines = LineParser() if back == "ollama_chat" else None
        self._events = EventBlocks()

    def whole(self, body: bytes) -> bytes:
        """A whole answer without them; what is no JSON stays as it is."""
        if _WRITTEN not in body:
            return body
        try:
            return bytes(_without(msgspec.Raw(body.strip()), self._put))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return body

    def feed(self, chunk: bytes) -> bytes:
        """The whole events that these bytes, cut anywhere, complete."""
        if self._lines is not None:
            try:
                lines = self._lines.feed(chunk)
            except EventTooLarge:
                return b""  # the stream then ends without its end marker, which is a failure
            return b"".join(self.whole(line) + b"\n" for line in lines)
        block = self._events.feed(chunk)
        if _WRITTEN not in block:
            return block
        stripped, start = [], 0
        for end in EVENT_END.finditer(block):
            stripped.append(self._event(block[start : end.end()]))
            start = end.end()
        return b"".join((*stripped, block[start:]))

    def finish(self) -> bytes:
        """What stood unfinished when the backend closed."""
        if self._lines is not None:
            return b"".join(map(self.whole, self._lines.finish()))
        rest = self._events.tail()
        self._events.clear()
        return self._event(rest) if rest.strip() else rest

    def _event(self, event: bytes) -> bytes:
        if _WRITTEN not in event:
            return event
        named = [line for line in event.splitlines() if line.startswith((b"event:", b"id:"))]
        payload = self.whole(event_payload(event))
        return b"\n".join([*named, b"data: " + payload, b"", b""])


def _without(node: msgspec.Raw, put: msgspec.Raw) -> msgspec.Raw:
    raw = bytes(node)
    if _WRITTEN not in raw:
        return node
    if raw.startswith(b"{"):
        fields = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        kept = {name: put if name == _KEY else _without(held, put) for name, held in fields.items()}
        return msgspec.Raw(msgspec.json.encode(kept))
    if raw.startswith(b"["):
        items = msgspec.json.decode(raw, type=list[msgspec.Raw])
        return msgspec.Raw(msgspec.json.encode([_without(item, put) for item in items]))
    return node
