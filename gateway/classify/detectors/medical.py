"""Medical cases: records, letters, symptoms and treatments of somebody.

Bad: `Discharged on ramipril 2.5 mg, HbA1c 9.4, follow up in clinic`.
Good: `Which drugs inhibit the angiotensin converting enzyme?`
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.classify.detectors.base import Detector, Found, View
from gateway.classify.topic_weights import MEDICAL
from gateway.classify.topics import finder

_find = finder(MEDICAL)


def _look(view: View, hits: list[tuple[int, int, int]]) -> Iterator[Found]:
    for start, end, chance in _find(view.lower, hits):
        yield Found("medical", start, end, chance)


DETECTOR = Detector(name="medical", anchors=MEDICAL.anchors(), look_at_hits=_look)
