"""Presidio's wire: what is asked, and that only sound answers count."""

from __future__ import annotations

import msgspec
import pytest

from gateway.classify.classifier import text_request
from gateway.classify.second_stage.passage import MOST_FOUND, passage_of
from gateway.classify.second_stage.presidio import question, read
from gateway.core.findings import FINDING_TYPES
from gateway.core.second_stage import PRESIDIO_ENTITIES, Presidio

PASSAGE = passage_of(text_request("😀 Maria lives in Köln."))
ASKED = Presidio(url="http://127.0.0.1:5002", language="de", score=0.4)
#: An answer of presidio-analyzer 2.2, key by key.
ANSWER = (
    b'[{"analysis_explanation": null, "end": 7, "entity_type": "PERSON", "score": 0.85, '
    b'"start": 2}, {"analysis_explanation": null, "end": 21, "entity_type": "LOCATION", '
    b'"score": 0.3, "start": 17}]'
)


def test_it_is_asked_for_what_is_wanted_and_nothing_else() -> None:
    """The text as it is, the language, the score and the entities of the map."""
    body = msgspec.json.decode(question(PASSAGE, ASKED))

    assert body == {
        "text": "😀 Maria lives in Köln.\n",
        "language": "de",
        "score_threshold": 0.4,
        "entities": list(PRESIDIO_ENTITIES),
    }


def test_offsets_are_characters_of_the_request() -> None:
    """Also behind a character that takes two units elsewhere; what scores too low is left out."""
    looked = read(ANSWER, PASSAGE, ASKED)

    assert looked.failure == ""
    assert [(one.type, one.start, one.end, one.confidence) for one in looked.findings] == [
        ("person", 2, 7, 0.85)
    ]


def test_every_entity_of_the_map_has_a_type_that_policies_know() -> None:
    """The map names no type of its own."""
    assert set(PRESIDIO_ENTITIES.values()) <= FINDING_TYPES


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (b"", "malformed"),
        (b"[[[[", "malformed"),
        (b'{"findings": []}', "malformed"),
        (b'[{"entity_type": "PERSON", "start": "2", "end": 7, "score": 1}]', "malformed"),
        (b'[{"entity_type": "PET", "start": 2, "end": 7, "score": 1}]', "malformed"),
        (b'[{"entity_type": "PERSON", "start": 2, "end": 99, "score": 1}]', "misplaced"),
        (b'[{"entity_type": "PERSON", "start": -1, "end": 7, "score": 1}]', "misplaced"),
        (b'[{"entity_type": "PERSON", "start": 7, "end": 7, "score": 1}]', "misplaced"),
        (b'[{"entity_type": "PERSON", "start": 2, "end": 7, "score": 7}]', "misplaced"),
        (b"[" + b"[" * 5000, "malformed"),
    ],
)
def test_an_answer_that_cannot_be_relied_on_is_a_failure(answer: bytes, failure: str) -> None:
    """What was not asked for and what has no place in the text is dropped, and told."""
    looked = read(answer, PASSAGE, ASKED)

    assert (looked.findings, looked.failure) == ((), failure)


def test_the_sound_findings_beside_a_failure_count() -> None:
    """They can only raise the level, so they are kept."""
    broken = ANSWER[:-1] + b', {"entity_type": "PERSON", "start": 0, "end": 99, "score": 1}]'
    looked = read(broken, PASSAGE, ASKED)

    assert looked.failure == "misplaced"
    assert [one.type for one in looked.findings] == ["person"]


def test_a_flood_of_findings_is_no_answer() -> None:
    """Nobody works through what only a broken analyzer gives."""
    one = {"entity_type": "PERSON", "start": 2, "end": 7, "score": 1}
    looked = read(msgspec.json.encode([one] * (MOST_FOUND + 1)), PASSAGE, ASKED)

    assert (looked.findings, looked.failure) == ((), "malformed")
