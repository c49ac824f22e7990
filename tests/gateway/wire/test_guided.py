"""Backends without schemas: told in words, checked, and asked once more."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from gateway.core.conversation import Answer, Conversation, Event, Message, Text, fold
from gateway.core.failure import FailureKind
from gateway.core.usage import Usage
from gateway.wire.base import Sending
from gateway.wire.guided import GuidedBack
from gateway.wire.openai_chat.back import OpenAIChatBack
from tests.upstreams import openai_chat
from tests.upstreams.scripted import Received, Script

AGE: dict[str, Any] = {"type": "object", "required": ["age"]}
SENDING = Sending(model="m", output_cap=9)


def _asked(correction: str = "", **fields: Any) -> tuple[GuidedBack, dict[str, Any]]:
    said = (Message(role="user", parts=(Text("hi"),)),)
    back = GuidedBack(OpenAIChatBack())
    sending = msgspec.structs.replace(SENDING, correction=correction)
    encoded = back.write(Conversation(messages=said, **fields), sending)
    return back, msgspec.json.decode(encoded.body)


def _play(answering: Any) -> tuple[bytes, ...]:
    body = b'{"model": "m-1", "stream_options": {"include_usage": true}}'
    script = answering(Received("POST", "/", (), body, b"", 1, 0.0))
    assert isinstance(script, Script)
    return script.pieces


def _whole(back: GuidedBack, text: str, **settings: Any) -> Answer:
    return fold(back.read(b"".join(_play(openai_chat.answer(text, **settings)))))


def _streamed(back: GuidedBack, text: str, **settings: Any) -> tuple[list[Event], Answer]:
    """The events before the stream's last piece, and the whole."""
    reader = back.reader()
    *first, last = _play(openai_chat.stream(text, **settings))
    early = [event for piece in first for event in reader.feed(piece)]
    return early, fold([*early, *reader.feed(last), *reader.finish()])


def test_the_schema_is_told_in_the_system_prompt() -> None:
    """The request has no field for it, and the rule comes before the turns."""
    _, sent = _asked(answer_schema=AGE)

    assert "response_format" not in sent
    assert [message["role"] for message in sent["messages"]] == ["system", "user"]
    assert '{"type":"object","required":["age"]}' in sent["messages"][0]["content"]


def test_nothing_changes_without_a_schema() -> None:
    """Other requests go out and stream as ever."""
    back, sent = _asked()
    early, answer = _streamed(back, "Hello there")

    assert [message["content"] for message in sent["messages"]] == ["hi"]
    assert fold(early).text == "Hello there"
    assert answer.ended


@pytest.mark.parametrize("streamed", [False, True])
def test_a_good_answer_passes_as_its_document(streamed: bool) -> None:
    """Talk around the JSON is left out; a stream waits for its end."""
    back, _ = _asked(answer_schema=AGE)
    text = 'Sure: {"age": 3}'
    early, answer = _streamed(back, text) if streamed else ([], _whole(back, text))

    assert not early
    assert (answer.text, answer.failure, answer.ended) == ('{"age": 3}', None, True)


@pytest.mark.parametrize("streamed", [False, True])
def test_a_bad_answer_fails_and_is_paid_for(streamed: bool) -> None:
    """The failure says what to tell the model, keeps the usage and blames no server."""
    back, _ = _asked(answer_schema=AGE)
    answer = _streamed(back, "{}")[1] if streamed else _whole(back, "{}")

    assert answer.failure is not None
    assert answer.failure.kind is FailureKind.BAD_RESPONSE
    assert "'age' is a required property" in answer.failure.correction
    assert "age" not in answer.failure.detail
    assert answer.failure.retryable
    assert not answer.failure.unhealthy
    assert not answer.failure.free
    assert answer.usage == Usage(input_tokens=11, output_tokens=7)


def test_the_second_failure_is_the_last() -> None:
    """An attempt that was told its mistake is not followed by another there."""
    back, sent = _asked("at /age: wrong", answer_schema=AGE)
    failure = _whole(back, "{}").failure

    assert "at /age: wrong" in sent["messages"][-1]["content"]
    assert failure is not None
    assert not failure.retryable
    assert failure.falls_back


@pytest.mark.parametrize(
    "settings",
    [{"finish": "length"}, {"finish": "content_filter"}, {"tools": (("1", "now", "{}"),)}],
)
def test_answers_that_are_no_document_pass(settings: dict[str, Any]) -> None:
    """Cut answers, filtered ones and calls pass, as from a backend that knows schemas."""
    back, _ = _asked(answer_schema=AGE)

    assert _whole(back, "{", **settings).failure is None
    assert _streamed(back, "{", **settings)[1].ended


def test_json_of_any_shape_is_an_object() -> None:
    """A client that asks for JSON alone gets an object."""
    assert _whole(_asked(answer_json=True)[0], "[1]").failure is not None
    assert _whole(_asked(answer_json=True)[0], '{"a": 1}').failure is None


def test_a_cut_stream_is_accounted_for() -> None:
    """What was held back of a stream that broke off still counts as output."""
    back, _ = _asked(answer_schema=AGE)
    answer = _streamed(back, '{"age": 3}', cut_after=2)[1]

    assert answer.text
    assert not answer.ended
