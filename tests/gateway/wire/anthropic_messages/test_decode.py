"""Anthropic's answers as events: whole and streamed, cut anywhere, complete or broken."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.conversation import ArgumentsDelta, Event, Failed, Finished, fold
from gateway.core.failure import FailureKind
from gateway.core.usage import Usage
from gateway.wire.anthropic_messages.decode import MessageReader, read_message, read_usage
from tests.upstreams import anthropic_messages
from tests.upstreams.scripted import Received, Script

TOOLS = (("toolu_1", "weather", '{"city":"Rome"}'), ("toolu_2", "now", "{}"))


def _play(answering: Any) -> Script:
    received = Received("POST", "/", (), b'{"model": "claude-x"}', b"", 1, 0.0)
    script = answering(received)
    assert isinstance(script, Script)
    return script


def _whole(**settings: Any) -> list[Event]:
    return read_message(b"".join(_play(anthropic_messages.answer(**settings)).pieces))


def _stream(*chunks: bytes) -> list[Event]:
    reader = MessageReader()
    events = [event for chunk in chunks for event in reader.feed(chunk)]
    return events + list(reader.finish())


@pytest.mark.parametrize(
    "settings",
    [
        {"text": "Hello there"},
        {"text": ""},
        {"text": "Hi", "tools": TOOLS},
        {"text": "", "tools": TOOLS[1:]},
        {"text": "cut off", "stop": "max_tokens"},
        {"text": "no", "stop": "refusal", "used": (5, 2, 100, 30)},
    ],
)
def test_folded_stream_equals_the_whole_answer(settings: dict[str, Any]) -> None:
    """A stream, folded, is the whole answer."""
    streamed = _stream(*_play(anthropic_messages.stream(**settings)).pieces)

    assert fold(streamed) == fold(_whole(**settings))
    assert fold(streamed).ended


def test_thinking_is_kept_apart() -> None:
    """Shown reasoning does not mix with the answer."""
    whole = fold(_whole(text="4", thinking="2 + 2"))
    streamed = fold(_stream(*_play(anthropic_messages.stream("4", thinking=["2 ", "+ 2"])).pieces))

    assert whole == streamed
    assert (whole.text, whole.reasoning) == ("4", "2 + 2")


def test_parallel_calls_are_numbered_from_zero() -> None:
    """Calls are counted among themselves, not among all blocks of the message."""
    events = _stream(*_play(anthropic_messages.stream("Let me see", tools=TOOLS)).pieces)
    calls = fold(events).tool_calls

    assert [(call.id, call.name, call.arguments) for call in calls] == list(TOOLS)
    assert {event.index for event in events if isinstance(event, ArgumentsDelta)} == {0, 1}


@pytest.mark.parametrize(
    ("vendor", "ours"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
        ("brand_new", "stop"),
    ],
)
def test_finish_reasons(vendor: str, ours: str) -> None:
    """Each stop reason has its twin; an unknown one is a plain stop."""
    assert [event.reason for event in _whole(stop=vendor) if isinstance(event, Finished)] == [ours]


def test_usage_counts_the_cache_in() -> None:
    """Input is the total of fresh, read and written tokens."""
    assert fold(_whole(used=(5, 2, 100, 30))).usage == Usage(
        input_tokens=135, cached_input_tokens=100, cache_write_tokens=30, output_tokens=2
    )


def test_reasoning_tokens_are_part_of_the_output() -> None:
    """Thinking tokens are told apart inside the output."""
    told = {"input_tokens": 3, "output_tokens": 9, "output_tokens_details": {"thinking_tokens": 4}}

    assert read_usage(told) == Usage(input_tokens=3, output_tokens=9, reasoning_tokens=4)


@pytest.mark.parametrize("told", [None, {}, [], {"input_tokens": 0, "output_tokens": 3}])
def test_usage_of_nothing_is_none(told: object) -> None:
    """A server that counts no input has not counted at all."""
    assert read_usage(told) is None


def test_every_cut_gives_the_same_events() -> None:
    """The stream cut in two at every byte gives the same answer."""
    stream = b"".join(_play(anthropic_messages.stream(["H\u00e9", " there"], tools=TOOLS)).pieces)
    expected = _stream(stream)

    assert all(_stream(stream[:cut], stream[cut:]) == expected for cut in range(len(stream)))


def test_error_event_is_a_failure() -> None:
    """An error inside the stream is read as its kind."""
    events = _stream(*_play(anthropic_messages.stream("x", error_after=3)).pieces)
    last = events[-1]

    assert isinstance(last, Failed)
    assert last.failure.kind is FailureKind.OVERLOADED


def test_cut_stream_has_no_end() -> None:
    """A stream that stops before its end marker is not ended and tells no usage."""
    pieces = _play(anthropic_messages.stream(["a", "b"], cut_after=5)).pieces
    answer = fold(_stream(*pieces, b'event: content_block_delta\ndata: {"type": "con'))

    assert not answer.ended
    assert answer.usage is None
    assert answer.failure is None


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html>", FailureKind.BAD_RESPONSE),
        (b"[]", FailureKind.BAD_RESPONSE),
        (b"{}", FailureKind.BAD_RESPONSE),
        (b'{"content": 5}', FailureKind.BAD_RESPONSE),
        (b'{"content": "text"}', FailureKind.BAD_RESPONSE),
        (b"[" * 100_000, FailureKind.BAD_RESPONSE),
        (b'{"type":"error","error":{"type":"api_error"}}', FailureKind.SERVER_ERROR),
    ],
)
def test_bodies_that_are_no_answer(body: bytes, kind: FailureKind) -> None:
    """Garbage and errors under status 200 are failures."""
    (event,) = read_message(body)

    assert isinstance(event, Failed)
    assert event.failure.kind is kind


def test_event_that_is_not_json_is_a_failure() -> None:
    """A broken event inside the stream is a bad response."""
    (event,) = _stream(b"data: {oops\n\n")

    assert isinstance(event, Failed)
    assert event.failure.kind is FailureKind.BAD_RESPONSE


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["text", "tool_use", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "type index delta content_block message usage content text id name input "
                "stop_reason partial_json".split()
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
_BLOCK_TYPES = st.sampled_from(["text", "thinking", "tool_use", "server_tool_use"])
_EVENT_TYPES = st.sampled_from(
    "message_start content_block_start content_block_delta content_block_stop message_delta "
    "message_stop error ping".split()
)


_BLOCKS = st.lists(
    _JSON | st.fixed_dictionaries({"type": _BLOCK_TYPES, "input": _JSON}), max_size=3
)


@given(
    content=_JSON | _BLOCKS,
    usage=_JSON,
    events=st.lists(st.tuples(_EVENT_TYPES, _JSON), max_size=5),
)
def test_odd_shapes_are_survived(content: Any, usage: Any, events: list[tuple[str, Any]]) -> None:
    """Whatever shape a server sends, no exception leaves the reader."""
    fold(read_message(msgspec.json.encode({"content": content, "usage": usage})))
    payloads = [
        msgspec.json.encode({**(inner if isinstance(inner, dict) else {}), "type": kind})
        for kind, inner in events
    ]
    fold(_stream(*(b"data: " + payload + b"\n\n" for payload in payloads)))


def test_usage_tells_how_long_a_cache_lives_what_was_searched_and_the_tier() -> None:
    """Each of them has a price of its own; the standard tier is no tier."""
    told = {
        "input_tokens": 5,
        "cache_creation_input_tokens": 30,
        "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
        "output_tokens": 1,
        "server_tool_use": {"web_search_requests": 2},
        "service_tier": "priority",
    }

    assert read_usage(told) == Usage(
        input_tokens=35,
        cache_write_tokens=30,
        cache_write_1h_tokens=20,
        output_tokens=1,
        web_searches=2,
        service_tier="priority",
    )
    standard = read_usage({**told, "service_tier": "standard"})
    assert standard is not None
    assert standard.service_tier == ""
