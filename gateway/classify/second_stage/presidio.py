"""The wire of Presidio's analyzer: `POST /analyze`.

The request is `{text, language, score_threshold, entities}`, the answer a list of
`{entity_type, start, end, score, …}` with offsets in characters, as `presidio-analyzer` 2.2 has
it (https://microsoft.github.io/presidio/api-docs/api-docs.html).
"""

from __future__ import annotations

import msgspec

from gateway.classify.detectors.base import Found
from gateway.classify.second_stage.passage import MOST_FOUND, Passage
from gateway.core.second_stage import Looked, Presidio


class _Result(msgspec.Struct):
    """One finding of Presidio's; what else it tells is not needed."""

    entity_type: str
    start: int
    end: int
    score: float


_ANSWER = msgspec.json.Decoder(list[_Result])


def question(passage: Passage, presidio: Presidio) -> bytes:
    """The body of the request about a text."""
    return msgspec.json.encode(
        {
            "text": passage.text,
            "language": presidio.language,
            "score_threshold": presidio.score,
            "entities": [name for name, _ in presidio.entities],
        }
    )


def read(answer: bytes, passage: Passage, presidio: Presidio) -> Looked:
    """The findings of an answer; what was not asked for or has no place makes it a failure."""
    try:
        results = _ANSWER.decode(answer)
    except (msgspec.DecodeError, RecursionError):
        return Looked(failure="malformed")
    if len(results) > MOST_FOUND:
        return Looked(failure="malformed")
    types, size = dict(presidio.entities), len(passage.text)
    found: list[Found] = []
    failure = ""
    for one in results:
        if not 0 <= one.start < one.end <= size or not 0.0 <= one.score <= 1.0:
            failure = "misplaced"
        elif one.entity_type not in types:
            failure = failure or "malformed"
        elif one.score >= presidio.score:
            found.append(Found(types[one.entity_type], one.start, one.end, one.score))
    return Looked(findings=tuple(passage.findings(found)), failure=failure)
