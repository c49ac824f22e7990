"""JSON documents one a line, cut anywhere by the network, put together again."""

from __future__ import annotations

from gateway.wire.sse import LARGEST_EVENT, EventTooLarge


class LineParser:
    """Incremental parser: `feed` bytes as they come, take whole lines out; empty ones are none."""

    def __init__(self, *, largest: int = LARGEST_EVENT) -> None:
        self._largest = largest
        self._pieces: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that this chunk completes.

        Raises:
            EventTooLarge: a line is larger than the bound.
        """
        head, newline, rest = chunk.partition(b"\n")
        self._pieces.append(head)
        self._size += len(head)
        if self._size > self._largest:
            raise EventTooLarge(f"a line is larger than {self._largest} bytes")
        if not newline:
            return []
        *whole, tail = rest.split(b"\n")
        lines = [b"".join(self._pieces), *whole]
        self._pieces, self._size = [tail], len(tail)
        if max(self._size, *map(len, lines)) > self._largest:
            raise EventTooLarge(f"a line is larger than {self._largest} bytes")
        return [line for line in lines if line.strip()]

    def finish(self) -> list[bytes]:
        """The line that stands unfinished at the end."""
        left = b"".join(self._pieces)
        self._pieces, self._size = [], 0
        return [left] if left.strip() else []
