"""What the relays of all wires do alike: hold events back, and keep some for estimating."""

from __future__ import annotations

from collections.abc import Callable

#: Answer bytes that are kept for estimating usage when the server reports none.
_KEPT_FOR_ESTIMATE = 1024 * 1024


class HeldBack:
    """Events that wait until there is model output, so that a fallback stays possible."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []

    def release(self, passed: bytes, *, has_content: bool) -> bytes:
        """All that may go out now, in order; nothing before there is content."""
        if not has_content:
            self._waiting.append(passed)
            return b""
        if self._waiting:
            passed = b"".join(self._waiting) + passed
            self._waiting.clear()
        return passed


class Kept:
    """The first megabyte of a stream, from which the size of its text is reckoned at the end."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []
        self._kept_size = 0
        self._size = 0

    def add(self, block: bytes) -> None:
        """Take a block that went by; beyond the bound only its size is remembered."""
        self._size += len(block)
        if self._kept_size < _KEPT_FOR_ESTIMATE:
            self._blocks.append(block)
            self._kept_size += len(block)

    def text_size(self, measure: Callable[[bytes], int]) -> int:
        """Bytes of model output so far, by `measure` of a block; scaled up beyond the bound."""
        if not self._kept_size:
            return 0
        return sum(map(measure, self._blocks)) * self._size // self._kept_size
