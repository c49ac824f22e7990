"""Legal matters: of clients, disputes, deals, and one's own trouble with the law.

Bad: `Our client was served with a complaint; draft the motion to dismiss`.
Good: `Explain the difference between a trademark and a patent.`
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.classify.detectors.base import Detector, Found, View
from gateway.classify.topic_weights import LEGAL
from gateway.classify.topics import finder

_find = finder(LEGAL)


def _look(view: View, hits: list[tuple[int, int, int]]) -> Iterator[Found]:
    for start, end, chance in _find(view.lower, hits):
        yield Found("legal", start, end, chance)


DETECTOR = Detector(name="legal", anchors=LEGAL.anchors(), look_at_hits=_look)
