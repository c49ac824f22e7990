"""From token bytes to text that may be shown: whole characters only, and never a stop string."""

from __future__ import annotations

import codecs
from collections.abc import Sequence


class TextStream:
    """Feed token bytes, get text; `stopped` turns True when a stop string was met.

    Bytes of an unfinished character and text that may be the beginning of a stop string are
    held back until it is clear what they are.
    """

    def __init__(self, stop: Sequence[str] = ()) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stop = tuple(text for text in stop if text)
        self._held = ""
        self.stopped = False

    def feed(self, piece: bytes) -> str:
        """Take the bytes of one token; return text to show, maybe none."""
        return self._release(self._decoder.decode(piece))

    def finish(self) -> str:
        """The answer is over: return what was held back, unless a stop string was met."""
        if self.stopped:
            return ""
        shown = self._release(self._decoder.decode(b"", final=True))
        held, self._held = self._held, ""
        return shown if self.stopped else shown + held

    def _release(self, text: str) -> str:
        if self.stopped:
            return ""
        text = self._held + text
        cut = min((at for stop in self._stop if (at := text.find(stop)) >= 0), default=-1)
        if cut >= 0:
            self.stopped = True
            self._held = ""
            return text[:cut]
        keep = max((_overlap(text, stop) for stop in self._stop), default=0)
        end = len(text) - keep
        self._held = text[end:]
        return text[:end]


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of `text` that is a beginning of `stop`."""
    longest = min(len(text), len(stop) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(stop[:size])), 0)
