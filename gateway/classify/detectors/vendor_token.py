"""Keys and tokens that can be told by their vendor's own shape.

Bad: `Authorization: Bearer ghp_46IX...`. Good: `What does the AKIA prefix mean?`.
"""

from __future__ import annotations

import re

from gateway.classify.detectors.base import Detector, Found, View
from gateway.classify.detectors.vendor_token_formats import FORMATS, INNER_FORMATS
from gateway.classify.entropy import placeholder

_ANCHORS: tuple[str, ...] = tuple(
    dict.fromkeys([anchor for anchor, _ in FORMATS] + [anchor for anchor, _, _ in INNER_FORMATS])
)


def _shape(shapes: list[str]) -> re.Pattern[str]:
    return re.compile(f"(?:{'|'.join(shapes)})")


def _outer() -> dict[int, re.Pattern[str]]:
    by_anchor: dict[str, list[str]] = {}
    for anchor, shape in FORMATS:
        by_anchor.setdefault(anchor, []).append(shape)
    return {_ANCHORS.index(anchor): _shape(shapes) for anchor, shapes in by_anchor.items()}


_OUTER = _outer()
_INNER = {
    _ANCHORS.index(anchor): (re.compile(shape), back) for anchor, shape, back in INNER_FORMATS
}
# Anchors that begin some characters into their shape, or one before it.
_LEAD = {r"[^a]a{20}": -1, "_live_": 2, "_test_": 2, "_prod_": 2}
_BEGINS = {number: _LEAD.get(anchor, 0) for number, anchor in enumerate(_ANCHORS)}


def _look(view: View, which: int, start: int, end: int) -> Found | None:
    text = view.text
    shape = _OUTER.get(which)
    match = None
    if shape is not None:
        begin = start - _BEGINS[which]
        if begin >= 0 and not (begin > 0 and text[begin - 1].isalnum()):
            match = shape.match(text, begin)
    if match is None and which in _INNER:
        inner, back = _INNER[which]
        match = inner.search(text, max(0, start - back), end + 420)
        if match is not None and match.start() > 0 and text[match.start() - 1].isalnum():
            match = None
    if match is None or placeholder(match.group()):
        return None
    return Found("credential", match.start(), match.end(), 0.97)


DETECTOR = Detector(name="vendor_token", anchors=_ANCHORS, look=_look)
