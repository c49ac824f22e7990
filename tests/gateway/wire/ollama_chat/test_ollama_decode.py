"""Ollama's answers as events: whole and line by line, cut anywhere, complete or broken."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.core.conversation import Event, Failed, fold
from gateway.core.failure import FailureKind
from gateway.core.usage import Usage
from gateway.wire.ollama_chat.back import OllamaChatBack
from tests.upstreams import ollama
from tests.upstreams.scripted import Received, Script

TOOLS = (("", "weather", '{"city":"Rome"}'), ("call_9", "now", "{}"))


def _play(answering: Any) -> bytes:
    script = answering(Received("POST", "/", (), b'{"model": "small"}', b"", 1, 0.0))
    assert isinstance(script, Script)
    return b"".join(script.pieces)


def _stream(*chunks: bytes) -> list[Event]:
    reader = OllamaChatBack().reader()
    events = [event for chunk in chunks for event in reader.feed(chunk)]
    return events + list(reader.finish())


@pytest.mark.parametrize(
    "settings",
    [
        {"text": "Hello there"},
        {"text": "", "tools": TOOLS},
        {"text": "Let me see", "tools": TOOLS[1:]},
        {"text": "cut off", "done_reason": "length"},
        {"text": "cached", "used": None},
    ],
)
def test_folded_stream_equals_the_whole_answer(settings: dict[str, Any]) -> None:
    """A stream, folded, is the whole answer."""
    whole = OllamaChatBack().read(_play(ollama.answer(**settings)))

    assert fold(_stream(_play(ollama.stream(**settings)))) == fold(whole)
    assert fold(whole).ended


def test_every_cut_gives_the_same_events() -> None:
    """The stream cut in two at every byte gives the same events."""
    stream = _play(ollama.stream(["H\u00e9", " \U0001f600"], thinking=["hm"], tools=TOOLS))
    expected = _stream(stream)

    assert (fold(expected).text, fold(expected).reasoning) == ("H\u00e9 \U0001f600", "hm")
    assert all(_stream(stream[:cut], stream[cut:]) == expected for cut in range(len(stream)))


def test_calls_finish_with_a_reason_of_their_own() -> None:
    """Ollama says `stop` after a call; an id is made where it gives none."""
    answer = fold(_stream(_play(ollama.stream("", tools=TOOLS))))
    first, second = answer.tool_calls

    assert answer.finish == "tool_calls"
    assert (first.name, first.arguments) == ("weather", '{"city":"Rome"}')
    assert first.id.startswith("call_")
    assert second.id == "call_9"


@pytest.mark.parametrize(
    ("used", "usage"),
    [((9, 3), Usage(input_tokens=9, output_tokens=3)), (None, None), ((0, 3), None)],
)
def test_usage_is_the_counts_of_the_last_line(used: Any, usage: Usage | None) -> None:
    """A prompt that was not counted leaves the usage to be estimated."""
    assert fold(_stream(_play(ollama.stream(used=used)))).usage == usage


def test_an_error_line_is_a_failure() -> None:
    """An error inside the stream ends it."""
    last = _stream(_play(ollama.stream(error_after=1)))[-1]

    assert isinstance(last, Failed)
    assert last.failure.kind is FailureKind.SERVER_ERROR


def test_a_prompt_that_does_not_fit_is_told_as_such() -> None:
    """The context's error is known by its words, under status 200 too."""
    body = b'{"error":"the input length exceeds the context length"}'
    (event,) = OllamaChatBack().read(body)

    assert isinstance(event, Failed)
    assert event.failure.kind is FailureKind.CONTEXT_EXCEEDED


def test_a_cut_stream_never_ends() -> None:
    """A line cut in its middle is not an answer's end, and no failure of the server's telling."""
    whole = _play(ollama.stream())
    answer = fold(_stream(whole[:-20]))

    assert (answer.ended, answer.failure, answer.usage) == (False, None, None)


def test_a_last_line_without_its_line_break_counts() -> None:
    """The stream's end may stand without a line break."""
    assert fold(_stream(_play(ollama.stream()).rstrip())).ended


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"message": 5}', b"[" * 100_000])
def test_what_is_no_answer_is_a_bad_one(body: bytes) -> None:
    """A 200 without a chat answer is a failure, whole or streamed."""
    (event,) = OllamaChatBack().read(body)
    streamed = _stream(body + b"\n") if body else [event]

    assert isinstance(event, Failed)
    assert isinstance(streamed[-1], Failed)
    assert event.failure.kind is FailureKind.BAD_RESPONSE
