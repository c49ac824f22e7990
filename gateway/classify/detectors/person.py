"""Names of people, only where words say that a name follows; weak alone.

Bad: `My name is Grace Chaudhry`. Good: `Who wrote Pride and Prejudice?`.
"""

from __future__ import annotations

import re

from gateway.classify.detectors.base import Detector, Found, View

_NAME = (
    r"[A-Z][a-z'?\-]{1,20}(?: (?:[A-Z]\. )?(?:van |von |de |del |da |di |bin |al-)?"
    r"[A-Z][A-Za-z'?\-]{1,20}){0,3}"
)
_AFTER = re.compile(rf"(?:[ _](?:is|was|of)|[\"']?[ ]?[:=])?[ ]?[\"']?(?P<name>{_NAME})")
_TITLED = re.compile(rf"\.? (?P<name>{_NAME})")


def _look(view: View, which: int, start: int, end: int) -> Found | None:
    shape = _TITLED if which >= _TITLES_FROM else _AFTER
    text = view.text
    if which >= _TITLES_FROM:
        end -= 1
        if not text[start + 1].isupper():
            return None
    match = shape.match(text, end)
    if match is None:
        return None
    return Found("person", match.start("name"), match.end("name"), 0.7)


_LABELS = (
    "my name is",
    "name:",
    "name is",
    'name":',
    "full_name",
    "surname",
    "i am called",
    "regards,\\n",
    "dear ",
)
_TITLES = (
    "mr",
    "mrs",
    "ms",
    "dr",
    "prof",
    "herr",
    "frau",
    "mme",
    "monsieur",
    "madame",
    "senor",
    "senora",
)
_TITLES_FROM = len(_LABELS)

DETECTOR = Detector(
    name="person", anchors=_LABELS + tuple(f"[^a-z]{title}[^a-z]" for title in _TITLES), look=_look
)
