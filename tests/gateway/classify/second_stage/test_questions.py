"""The question to a model, and the strict reading of its answer."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.classify.classifier import text_request
from gateway.classify.second_stage.passage import passage_of
from gateway.classify.second_stage.questions import SCHEMA, question, read
from gateway.core.findings import FINDING_TYPES

TEXT = "Ann met Annie\nSmith. Ann has flu."
PASSAGE = passage_of(text_request(TEXT))


def answer(content: Any, finish: str | None = "stop", role: str = "assistant") -> bytes:
    told = content if isinstance(content, str | None) else json.dumps(content)
    choice = {"index": 0, "message": {"role": role, "content": told}, "finish_reason": finish}
    return msgspec.json.encode({"id": "x", "object": "chat.completion", "choices": [choice]})


def named(*pairs: tuple[str, str]) -> dict[str, Any]:
    return {"findings": [{"type": kind, "text": text} for kind, text in pairs]}


def found(*pairs: tuple[str, str]) -> list[tuple[str, str]]:
    looked = read(answer(named(*pairs)), PASSAGE)
    return [(one.type, TEXT[one.start : one.end]) for one in looked.findings]


def test_the_text_stands_between_marks_and_is_not_part_of_the_task() -> None:
    """The task is the system's, with every type; the text is the user's and untouched."""
    body = msgspec.json.decode(question(PASSAGE, "house", "f00d", schema=True))
    system, user = body["messages"]

    assert (system["role"], user["role"]) == ("system", "user")
    assert TEXT not in system["content"]
    assert user["content"] == f"<text f00d>\n{TEXT}\n\n</text f00d>"
    assert "<text f00d>" in system["content"]
    assert body["response_format"]["json_schema"]["schema"] == SCHEMA


def test_a_backend_without_schemas_is_asked_in_words() -> None:
    """The task itself shows the form of the answer."""
    body = msgspec.json.decode(question(PASSAGE, "house", "f00d", schema=False))

    assert "response_format" not in body
    assert '{"findings": [{"type": "...", "text": "..."}]}' in body["messages"][0]["content"]


def test_all_types_but_our_own_register_are_asked_for() -> None:
    """A model cannot know which documents were registered."""
    asked = SCHEMA["properties"]["findings"]["items"]["properties"]["type"]["enum"]

    assert set(asked) == FINDING_TYPES - {"fingerprint"}


def test_a_value_is_found_wherever_it_stands_as_whole_words() -> None:
    """Spaces and line breaks between its words do not matter."""
    assert found(("person", "Ann")) == [("person", "Ann"), ("person", "Ann")]
    assert found(("person", "Annie Smith")) == [("person", "Annie\nSmith")]
    assert found(("medical", "fl")) == [("medical", "fl")]
    assert found(("person", "Ann"), ("person", "Ann"))[2:] == []


@given(st.text(alphabet="ab \n.x", max_size=60), st.integers(0, 59), st.integers(1, 20))
def test_whatever_stands_in_a_text_is_found_there(text: str, start: int, length: int) -> None:
    """Each place says the value, however its words are spaced, and one of them is where it was."""
    value = text[start : start + length]
    passage = passage_of(text_request(text))
    looked = read(answer(named(("person", value))), passage)

    if not value.split():
        assert (looked.findings, looked.failure) == ((), "misplaced")
        return
    assert looked.failure == ""
    assert looked.findings
    for one in looked.findings:
        assert text[one.start : one.end].split() == value.split()


@pytest.mark.parametrize(
    ("told", "failure"),
    [
        (answer("Nothing."), "malformed"),
        (answer(None), "malformed"),
        (answer(""), "malformed"),
        (answer([]), "malformed"),
        (answer({"findings": [], "sure": True}), "malformed"),
        (answer({"findings": [{"type": "person"}]}), "malformed"),
        (answer(named(("pet", "Ann"))), "malformed"),
        (
            answer(
                named(),
            ),
            "",
        ),
        (answer(named(), finish="length"), "malformed"),
        (answer(named(), finish="content_filter"), "malformed"),
        (answer(named(), role="user"), "malformed"),
        (answer(named(("person", "Anna"))), "misplaced"),
        (answer(named(("person", " "))), "misplaced"),
        (b'{"choices": []}', "malformed"),
        (b"not json", "malformed"),
        (answer("[" * 100_000), "malformed"),
    ],
)
def test_only_an_answer_of_the_form_that_was_asked_for_counts(told: bytes, failure: str) -> None:
    """Anything else is a failure, and so is a value that does not stand in the text."""
    looked = read(told, PASSAGE)

    assert (looked.findings, looked.failure) == ((), failure)
