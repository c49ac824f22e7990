"""A stream of events amounts to a whole answer."""

from __future__ import annotations

from gateway.core.conversation import (
    Answer,
    ArgumentsDelta,
    Conversation,
    Ended,
    Event,
    Failed,
    Finished,
    ReasoningDelta,
    Started,
    TextDelta,
    ToolCall,
    ToolCallStarted,
    UsageTold,
    fold,
)
from gateway.core.failure import AttemptFailure, FailureKind
from gateway.core.usage import Usage


def test_fold_joins_what_belongs_together() -> None:
    """Text, reasoning and each call's arguments are joined, though they arrive interleaved."""
    events: list[Event] = [
        Started("m"),
        ReasoningDelta("th"),
        TextDelta("a"),
        ToolCallStarted(0, "c0", "f"),
        ToolCallStarted(1, "c1", "g"),
        ArgumentsDelta(1, "{"),
        ArgumentsDelta(0, "{}"),
        ArgumentsDelta(1, "}"),
        ReasoningDelta("ink"),
        TextDelta("b"),
        Finished("tool_calls"),
        UsageTold(Usage(input_tokens=1, output_tokens=2)),
        Ended(),
    ]

    assert fold(events) == Answer(
        model="m",
        text="ab",
        reasoning="think",
        tool_calls=(
            ToolCall(id="c0", name="f", arguments="{}"),
            ToolCall(id="c1", name="g", arguments="{}"),
        ),
        finish="tool_calls",
        usage=Usage(input_tokens=1, output_tokens=2),
        ended=True,
    )


def test_fold_keeps_a_failure() -> None:
    """An error that was told in the stream stays with the answer."""
    failure = AttemptFailure(kind=FailureKind.OVERLOADED)

    assert fold([TextDelta("a"), Failed(failure)]) == Answer(text="a", failure=failure)


def test_origin_defaults_to_the_fields_own_name() -> None:
    """A field is reported under the client's name for it."""
    conversation = Conversation(messages=(), origins={"effort": "/reasoning_effort"})

    assert conversation.origin("effort") == "/reasoning_effort"
    assert conversation.origin("temperature") == "/temperature"
