"""OpenAI chat as a backend: what real servers answer, as events, cut anywhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.conversation import (
    ArgumentsDelta,
    Ended,
    Event,
    Failed,
    Finished,
    ToolCallStarted,
    UsageTold,
    fold,
)
from gateway.core.failure import FailureKind
from gateway.core.usage import Usage
from gateway.wire.openai_chat.back import OpenAIChatBack
from tests.upstreams import openai_chat
from tests.upstreams.scripted import Received, Script

TOOLS = (("call_1", "weather", '{"city":"Rome"}'), ("call_2", "now", "{}"))


def _play(answering: Any) -> bytes:
    body = b'{"model": "m-1", "stream_options": {"include_usage": true}}'
    script = answering(Received("POST", "/", (), body, b"", 1, 0.0))
    assert isinstance(script, Script)
    return b"".join(script.pieces)


def _stream(*chunks: bytes) -> list[Event]:
    reader = OpenAIChatBack().reader()
    events = [event for chunk in chunks for event in reader.feed(chunk)]
    return events + list(reader.finish())


def _sse(*chunks: dict[str, Any], done: bool = True) -> bytes:
    events = b"".join(b"data: " + msgspec.json.encode(chunk) + b"\n\n" for chunk in chunks)
    return events + (b"data: [DONE]\n\n" if done else b"")


def _delta(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "chatcmpl-1", "created": 1, "model": "m-1", "choices": [choice]}


def _calls(*pieces: dict[str, Any]) -> dict[str, Any]:
    return _delta(tool_calls=list(pieces))


def _piece(arguments: str | None = None, name: str | None = None, **fields: Any) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {**fields, "function": {key: text for key, text in function.items() if text is not None}}


def _called(events: Iterable[Event]) -> list[tuple[str, str]]:
    return [(call.name, call.arguments) for call in fold(events).tool_calls]


@pytest.mark.parametrize(
    "settings",
    [
        {"text": "Hello there"},
        {"text": "Hi", "tools": TOOLS},
        {"text": "", "tools": TOOLS[1:]},
        {"text": "cut off", "finish": "length"},
        {"text": "no", "finish": "content_filter"},
    ],
)
def test_folded_stream_equals_the_whole_answer(settings: dict[str, Any]) -> None:
    """A stream, folded, is the whole answer."""
    whole = OpenAIChatBack().read(_play(openai_chat.answer(**settings)))
    streamed = _stream(_play(openai_chat.stream(**settings)))

    assert fold(streamed) == fold(whole)
    assert fold(streamed).ended


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_every_cut_gives_the_same_events(newline: bytes) -> None:
    """The stream cut in two at every byte gives the same events, comments and CRLF or not."""
    played = openai_chat.stream(
        ["H\u00e9", " \U0001f600"], tools=TOOLS, newline=newline, comments=True
    )
    stream = _play(played)
    expected = _stream(stream)

    assert fold(expected).text == "H\u00e9 \U0001f600"
    assert all(_stream(stream[:cut], stream[cut:]) == expected for cut in range(len(stream)))


def test_a_call_without_an_index_is_told_apart_by_its_id() -> None:
    """Pieces without an index belong to the call of their id, else to the last one."""
    events = _stream(
        _sse(
            _calls(_piece("", "weather", id="a")),
            _calls(_piece('{"city":')),
            _calls(_piece('"Rome"}', id="a")),
            _calls(_piece("{}", "now", id="b")),
            _delta("tool_calls"),
        )
    )

    assert _called(events) == [("weather", '{"city":"Rome"}'), ("now", "{}")]


def test_calls_that_share_an_index_are_two() -> None:
    """A new id with a name begins another call, though its index is the same."""
    events = _stream(
        _sse(
            _calls(_piece('{"a":1}', "one", id="a", index=0)),
            _calls(_piece('{"b":2}', "two", id="b", index=0)),
            _delta("tool_calls"),
        )
    )

    assert _called(events) == [("one", '{"a":1}'), ("two", '{"b":2}')]


def test_an_id_that_is_repeated_in_every_piece_is_one_call() -> None:
    """Servers that repeat id and name with each piece still make one call."""
    pieces = [_calls(_piece(text, "one", id="a", index=0)) for text in ('{"a"', ":1", "}")]

    assert _called(_stream(_sse(*pieces, _delta("tool_calls")))) == [("one", '{"a":1}')]


def test_two_calls_in_one_delta() -> None:
    """One delta may hold several calls, whole."""
    events = _stream(
        _sse(
            _calls(_piece("{}", "one", id="a", index=0), _piece("{}", "two", id="b", index=1)),
            _delta("tool_calls"),
        )
    )

    assert _called(events) == [("one", "{}"), ("two", "{}")]


@pytest.mark.parametrize("arguments", ["", None])
def test_a_call_without_arguments_has_empty_ones(arguments: str | None) -> None:
    """Clients parse arguments as JSON, so none become an empty object."""
    call = _calls(_piece(arguments, "now", id="a", index=0))

    assert _called(_stream(_sse(call, _delta("tool_calls")))) == [("now", "{}")]


def test_calls_that_interleave_are_told_one_after_the_other() -> None:
    """A call whose predecessor still grows waits, so that every client's wire can tell it."""
    events = _stream(
        _sse(
            _calls(_piece("", "one", id="a", index=0)),
            _calls(_piece('{"b"', "two", id="b", index=1)),
            _calls(_piece('{"a":1}', index=0)),
            _calls(_piece(":2}", index=1)),
            _delta("tool_calls"),
        )
    )
    order = [event.index for event in events if isinstance(event, ToolCallStarted | ArgumentsDelta)]

    assert order == sorted(order)
    assert _called(events) == [("one", '{"a":1}'), ("two", '{"b":2}')]


def test_a_finished_call_does_not_hold_up_the_next() -> None:
    """Once a call's arguments are whole, the next call streams at once."""
    reader = OpenAIChatBack().reader()
    reader.feed(_sse(_calls(_piece("{}", "one", id="a", index=0)), done=False))
    events = reader.feed(_sse(_calls(_piece('{"b"', "two", id="b", index=1)), done=False))

    assert list(events) == [ToolCallStarted(1, "b", "two"), ArgumentsDelta(1, '{"b"')]


def test_a_call_without_an_id_gets_a_steady_one() -> None:
    """The made id is the same at every reading and differs between calls and answers."""
    body = _sse(_calls(_piece("{}", "one"), _piece("{}", "two")), _delta("tool_calls"))
    other = body.replace(b"chatcmpl-1", b"chatcmpl-2")
    first, again, elsewhere = (
        [call.id for call in fold(_stream(b)).tool_calls] for b in (body, body, other)
    )

    assert first == again
    assert len({*first, *elsewhere}) == 4


def test_arguments_as_an_object_and_the_older_function_call() -> None:
    """Arguments that are no string are written as JSON; `function_call` is a call too."""
    odd = {"function": {"name": "one", "arguments": {"a": 1}}, "id": "a"}
    older = _delta(function_call={"name": "two", "arguments": "{}"})

    assert _called(_stream(_sse(_calls(odd), _delta("stop")))) == [("one", '{"a":1}')]
    assert _called(_stream(_sse(older, _delta("function_call")))) == [("two", "{}")]


@pytest.mark.parametrize(
    ("told", "called", "meant"),
    [
        ("stop", False, "stop"),
        ("stop", True, "tool_calls"),
        ("eos", False, "stop"),
        ("length", True, "length"),
        ("function_call", True, "tool_calls"),
        ("content_filter", False, "content_filter"),
        ("brand_new", False, "stop"),
    ],
)
def test_finish_reasons(told: str, called: bool, meant: str) -> None:
    """Each reason has its twin; `stop` after a call means the call."""
    calls = [_calls(_piece("{}", "one", id="a", index=0))] if called else []
    events = _stream(_sse(*calls, _delta(told)))

    assert [event.reason for event in events if isinstance(event, Finished)] == [meant]


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
def test_reasoning_under_either_name(name: str) -> None:
    """Both names of shown reasoning are read, once where a server sends both."""
    both = {"reasoning": "2 + 2", "reasoning_content": "2 + 2"}

    assert fold(_stream(_sse(_delta(**{name: "2 + 2"}), _delta("stop")))).reasoning == "2 + 2"
    assert fold(_stream(_sse(_delta(**both), _delta("stop")))).reasoning == "2 + 2"


def test_refusals_and_content_in_parts() -> None:
    """A refusal is told apart; parts of content are read by their kind."""
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "text", "text": "yes"},
    ]
    answer = fold(_stream(_sse(_delta(content=parts), _delta(refusal="no"), _delta("stop"))))

    assert (answer.text, answer.refusal, answer.reasoning) == ("yes", "no", "hm")


@pytest.mark.parametrize("style", ["asked", "always", "every_chunk"])
def test_usage_wherever_it_comes(style: Any) -> None:
    """The last usage that was told is the answer's."""
    answer = fold(_stream(_play(openai_chat.stream(used=(11, 7), usage_style=style))))

    assert answer.usage == Usage(input_tokens=11, output_tokens=7)


@pytest.mark.parametrize("style", ["never", "zero"])
def test_usage_of_nothing_is_none(style: Any) -> None:
    """No usage and usage of zero are both for us to estimate."""
    events = _stream(_play(openai_chat.stream(usage_style=style)))

    assert not [event for event in events if isinstance(event, UsageTold)]
    assert fold(events).ended


def test_a_forgotten_end_marker_is_made_up_for() -> None:
    """A stream that gave its finish reason is whole without `[DONE]`."""
    assert fold(_stream(_play(openai_chat.stream(done=False)))).ended


@pytest.mark.parametrize("pieces", [1, 3])
def test_a_cut_stream_never_ends(pieces: int) -> None:
    """Without finish reason and end marker the stream was cut."""
    answer = fold(_stream(_play(openai_chat.stream("one two three", cut_after=pieces))))

    assert not answer.ended
    assert answer.failure is None


def test_an_end_marker_without_a_reason_is_a_stop() -> None:
    """Some servers end without ever saying why."""
    answer = fold(_stream(_sse(_delta(content="hi"))))

    assert (answer.finish, answer.ended) == ("stop", True)


@pytest.mark.parametrize(
    ("stream", "kind"),
    [
        (b'data: {"error":{"type":"overloaded_error"}}\n\n', FailureKind.OVERLOADED),
        (
            b'event: error\ndata: {"error":{"code":"context_length_exceeded"}}\n\n',
            FailureKind.CONTEXT_EXCEEDED,
        ),
        (b"data: <html>\n\n", FailureKind.BAD_RESPONSE),
        (b"data: [DONE]\n\n", FailureKind.BAD_RESPONSE),
        (b'{"error":{"type":"rate_limit_error"}}', FailureKind.RATE_LIMITED),
        (b'data: {"choices":[{"delta":{},"finish_reason":"error"}]}\n\n', FailureKind.SERVER_ERROR),
    ],
)
def test_an_error_inside_a_stream_is_its_failure(stream: bytes, kind: FailureKind) -> None:
    """Errors in events, and bodies that are no stream at all, are read as their kind."""
    last = _stream(stream)[-1]

    assert isinstance(last, Failed)
    assert last.failure.kind is kind


def test_nothing_follows_an_error() -> None:
    """What a server sends after its error is not read."""
    events = _stream(b'data: {"error":{"type":"api_error"}}\n\n' + _sse(_delta(content="x")))

    assert len(events) == 1


def test_a_whole_body_in_place_of_a_stream_is_read() -> None:
    """Servers that ignore `stream` still serve the request."""
    whole = _play(openai_chat.answer("Hello"))
    answer = fold(_stream(whole[:10], whole[10:]))

    assert (answer.text, answer.ended) == ("Hello", True)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"choices": 5}', b"[" * 100_000])
def test_what_is_no_completion_is_a_bad_answer(body: bytes) -> None:
    """A 200 without a completion is a failure, not an empty answer."""
    (event,) = OpenAIChatBack().read(body)

    assert isinstance(event, Failed)
    assert event.failure.kind is FailureKind.BAD_RESPONSE


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "delta",
                        "message",
                        "content",
                        "tool_calls",
                        "function",
                        "name",
                        "arguments",
                        "index",
                        "id",
                        "finish_reason",
                        "usage",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_wrong_types_never_raise(found: Any) -> None:
    """Whatever stands in a chunk or a body, reading it gives events."""
    chunk = {"choices": [found], "usage": found}

    assert isinstance(_stream(_sse(chunk))[-1], Ended | Failed)
    assert OpenAIChatBack().read(msgspec.json.encode(chunk))
