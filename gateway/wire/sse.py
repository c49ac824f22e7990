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

#: The blank line behind an event, in any of the three line ends.
EVENT_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_LINE_END = re.compile(rb"\r\n|\n|\r")


def event_payload(event: bytes) -> bytes:
    """The joined `data` lines of one whole event, trimmed; empty when it has none."""
    lines = [line[5:].strip() for line in event.splitlines() if line.startswith(b"data:")]
    return lines[0] if len(lines) == 1 else b"\n".join(lines)


class EventTooLarge(ValueError):
    """An event passed the bound; what follows cannot be read."""


class EventBlocks:
    """Cuts a stream behind its last whole event, for passing it on as it came.

    Only what is new is searched, and a large event is joined once, however many chunks it
    comes in.
    """

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._end = b""
        self.waiting = 0

    def feed(self, chunk: bytes) -> bytes:
        """Whole events, from what waited and this chunk; the rest, `waiting` bytes, is kept."""
        if not self._pieces and chunk.endswith(b"\n\n"):
            return chunk
        # The end of an event may itself be cut.
        window = self._end + chunk
        cut = max(_end_of_last(window, mark) for mark in _EVENT_MARKS)
        if cut < 0:
            self._keep(chunk)
            self._end = window[-_MARK_OVERLAP:]
            return b""
        cut -= len(self._end)
        whole = b"".join((*self._pieces, chunk[:cut]))
        self.clear()
        self._keep(chunk[cut:])
        self._end = chunk[cut:][-_MARK_OVERLAP:]
        return whole

    def tail(self) -> bytes:
        """What waits for the end of its event."""
        return b"".join(self._pieces)

    def clear(self) -> None:
        """Forget what waits."""
        self._pieces.clear()
        self._end = b""
        self.waiting = 0

    def _keep(self, piece: bytes) -> None:
        if piece:
            self._pieces.append(piece)
            self.waiting += len(piece)


_EVENT_MARKS = (b"\n\n", b"\r\n\r\n", b"\r\r")
_MARK_OVERLAP = 3


def _end_of_last(window: bytes, mark: bytes) -> int:
    at = window.rfind(mark)
    return at + len(mark) if at >= 0 else -1


class SseParser:
    """Incremental parser: `feed` bytes as they come, take whole events out."""

    def __init__(self, *, largest: int = LARGEST_EVENT) -> None:
        self._largest = largest
        self._tail: list[bytes] = []
        self._tail_size = 0
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
        if not chunk:
            return []
        if self._after_cr:
            # The CR ended its line already; an LF that follows belongs to it.
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        events = []
        start = 0
        # Only what is new is searched: a large event comes in many chunks.
        for end in _LINE_END.finditer(chunk):
            event = self._line(self._joined(chunk[start : end.start()]))
            start = end.end()
            if event is not None:
                events.append(event)
        self._after_cr = bool(chunk) and start == len(chunk) and chunk.endswith(b"\r")
        if start < len(chunk):
            self._tail.append(chunk[start:])
            self._tail_size += len(chunk) - start
        if self._size + self._tail_size > self._largest:
            raise EventTooLarge(f"an event is larger than {self._largest} bytes")
        return events

    def finish(self) -> list[tuple[str, bytes]]:
        """The event that stands unfinished at the end: some servers forget its blank line."""
        events = [self._line(self._joined(b"")), self._line(b"")]
        return [event for event in events if event is not None]

    def _joined(self, rest: bytes) -> bytes:
        """The line that ends with `rest`."""
        if not self._tail:
            return rest
        line = b"".join((*self._tail, rest))
        self._tail.clear()
        self._tail_size = 0
        return line

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
