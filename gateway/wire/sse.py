"""Server-sent events, cut anywhere by the network, put together again.

Rules of this file (WHATWG HTML, section 9.2.6):
- lines end in LF, CR or CRLF, and a CRLF may be cut in the middle;
- several `data` lines of one event are joined by a line feed;
- lines that begin with a colon are comments; fields other than `event` and `data` are skipped;
- an event without data is none.
"""

from __future__ import annotations

import re

#: A single event larger than this is not a chat answer; in bytes.
LARGEST_EVENT = 16 * 1024 * 1024

_LINE_END = re.compile(rb"\r\n|\n|\r")


class EventTooLarge(ValueError):
    """An event passed the bound; what follows cannot be read."""


class SseParser:
    """Incremental parser: `feed` bytes as they come, take whole events out."""

    def __init__(self, *, largest: int = LARGEST_EVENT) -> None:
        self._largest = largest
        self._tail = b""
        self._name = ""
        self._lines: list[bytes] = []
        self._size = 0
        self._after_cr = False
        self._first = True

    def feed(self, chunk: bytes) -> list[tuple[str, bytes]]:
        """The events `(name, data)` that this chunk completes; the name may be empty.

        Raises:
            EventTooLarge: an event is larger than the bound.
        """
        if self._after_cr and chunk:
            # The CR ended its line already; an LF that follows belongs to it.
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        block = self._tail + chunk if self._tail else chunk
        events = []
        start = 0
        for end in _LINE_END.finditer(block):
            event = self._line(block[start : end.start()])
            start = end.end()
            if event is not None:
                events.append(event)
        self._after_cr = bool(block) and start == len(block) and block.endswith(b"\r")
        self._tail = block[start:]
        if self._size + len(self._tail) > self._largest:
            raise EventTooLarge(f"an event is larger than {self._largest} bytes")
        return events

    def finish(self) -> list[tuple[str, bytes]]:
        """The event that stands unfinished at the end: some servers forget its blank line."""
        events = [self._line(self._tail), self._line(b"")]
        self._tail = b""
        return [event for event in events if event is not None]

    def _line(self, line: bytes) -> tuple[str, bytes] | None:
        if self._first:
            line = line.removeprefix(b"\xef\xbb\xbf")
            self._first = False
        if not line:
            return self._dispatch()
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._lines.append(value)
            self._size += len(value) + 1
            if self._size > self._largest:
                raise EventTooLarge(f"an event is larger than {self._largest} bytes")
        elif field == b"event":
            self._name = value.decode("utf-8", "replace")
        return None

    def _dispatch(self) -> tuple[str, bytes] | None:
        name, lines = self._name, self._lines
        self._name, self._lines, self._size = "", [], 0
        if not lines:
            return None
        return name, lines[0] if len(lines) == 1 else b"\n".join(lines)
