"""The text of a request that a second stage reads, and the way back to the request's strings."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from gateway.classify.classifier import Joined, join
from gateway.classify.detectors.base import Found
from gateway.classify.tokens import is_inline
from gateway.core.findings import Finding
from gateway.core.request import ChatRequest, Segment

#: The longest text that a second stage is asked about, in characters.
MOST_TEXT = 100_000
#: Findings that are taken from one answer; one with more is no answer.
MOST_FOUND = 5_000

_LONE = re.compile("[\ud800-\udfff]")


class Passage(msgspec.Struct, frozen=True):
    """Strings of a request, joined; `numbers` are their places among all of its strings.

    `text` is what is read, as long as the original: surrogates without partner cannot be sent.
    """

    text: str
    joined: Joined
    segments: tuple[Segment, ...]
    numbers: tuple[int, ...]

    def findings(self, found: Sequence[Found]) -> list[Finding]:
        """Findings with places in the request's own strings."""
        return [
            msgspec.structs.replace(one, segment=self.numbers[one.segment])
            for one in self.joined.findings(found, self.segments)
        ]


def passage_of(request: ChatRequest) -> Passage:
    """What a second stage reads: all but definitions of tools and the bytes of files."""
    chosen = [
        (number, segment)
        for number, segment in enumerate(request.segments)
        if segment.kind != "tool_definition" and not is_inline(segment)
    ]
    segments = tuple(segment for _, segment in chosen)
    joined = join(segments)
    text = _LONE.sub("\ufffd", joined.text)
    return Passage(text, joined, segments, tuple(number for number, _ in chosen))
