"""Finds what is written so as not to be seen: invisible characters, encodings, spelled digits."""

from __future__ import annotations

from gateway.classify.detection import Scanner
from gateway.classify.detectors.base import Found
from gateway.classify.folding import Folding
from gateway.classify.offsets import OffsetMap


def find_everywhere(
    text: str, folding: Folding, scanner: Scanner
) -> tuple[list[Found], tuple[str, ...]]:
    """What the detectors find in a text, with places in that text, and who failed."""
    view, offsets = folding.view(text)
    detection = scanner.scan(view)
    return [_placed(one, offsets) for one in detection.found], detection.failed


def _placed(one: Found, offsets: OffsetMap | None) -> Found:
    if offsets is None:
        return one
    start, end = offsets.span(one.start, one.end)
    return Found(one.type, start, end, one.confidence)
