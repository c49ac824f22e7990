"""Staff matters: pay, reviews, warnings, dismissals, sick leave and hiring of somebody.

Bad: `Draft a written warning for an employee who was late three times`.
Good: `How do I write a good job application?`
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.classify.detectors.base import Detector, Found, View
from gateway.classify.topic_weights import HR
from gateway.classify.topics import finder

_find = finder(HR)


def _look(view: View, hits: list[tuple[int, int, int]]) -> Iterator[Found]:
    for start, end, chance in _find(view.lower, hits):
        yield Found("hr", start, end, chance)


DETECTOR = Detector(name="hr", anchors=HR.anchors(), look_at_hits=_look)
