"""What a judge is asked, and what is read of its answer: two numbers from 0 to 1, or nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.conversation import (
    Answer,
    Conversation,
    Document,
    Image,
    Message,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
)
from gateway.wire.judging import MOST_JUDGED, judge_body, verdict_of

MARK = "KXQWZPBCDFGH"


def asked(text: str, **more: object) -> Conversation:
    message = Message(role="user", parts=(Text(text),))
    return Conversation(messages=(message,), **more)  # type: ignore[arg-type]


def shown(conversation: Conversation, one: Answer, other: Answer) -> str:
    body = judge_body("auto", conversation, (one, other), MARK, schema=True)
    assert body is not None
    return str(json.loads(body)["messages"][1]["content"])


texts = st.text(st.characters(codec="utf-8"), max_size=300)


@given(texts, texts, texts)
def test_no_text_can_leave_its_place(prompt: str, one: str, other: str) -> None:
    """Whatever is said, there are three places, each ended once, in their order."""
    told = shown(asked(prompt), Answer(text=one), Answer(text=other))

    begins = [told.index(f"[{name} {MARK}]") for name in ("REQUEST", "FIRST", "SECOND")]
    assert begins == sorted(begins)
    assert told.count(f"[END {MARK}]") == 3
    assert told.endswith(f"[END {MARK}]")
    assert told.startswith(f"[REQUEST {MARK}]")


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists), st.text())
def test_a_verdict_is_two_bounded_numbers_or_none(held: object, around: str) -> None:
    """Any answer of a judge, in any talk."""
    for text in (around, json.dumps(held), around + json.dumps({"first": held, "second": 0.5})):
        verdict = verdict_of(text)

        assert verdict is None or (0 <= verdict.first <= 1 and 0 <= verdict.second <= 1)


@pytest.mark.parametrize(
    ("text", "scores"),
    [
        ('{"reason": "so", "first": 0.25, "second": 1}', (0.25, 1.0)),
        ('```json\n{"first": 0, "second": 0.5}\n```', (0.0, 0.5)),
        ('Here it is: {"first": 0, "second": 0.5}', (0.0, 0.5)),
        ('{"first": 1.01, "second": 0.5}', None),
        ('{"first": true, "second": 0.5}', None),
        ('{"second": 0.5}', None),
        ("0.5", None),
    ],
)
def test_what_is_read_of_a_verdict(text: str, scores: tuple[float, float] | None) -> None:
    """Fences and talk around it are forgiven; a number out of bounds is not moved into them."""
    verdict = verdict_of(text)

    assert (verdict and (verdict.first, verdict.second)) == scores


def test_everything_that_was_said_is_shown() -> None:
    """Turns, calls, results, tools and the form that was asked for; no earlier reasoning."""
    call = ToolCall(id="c", name="find", arguments='{"q": 1}')
    conversation = Conversation(
        messages=(
            Message(role="system", parts=(Text("Be brief."),)),
            Message(role="assistant", parts=(Thinking(text="hidden thoughts"), call)),
            Message(role="user", parts=(ToolResult(call_id="c", parts=(Text("found it"),)),)),
        ),
        tools=(Tool(name="find", description="Finds.", schema={"type": "object"}),),
        answer_schema={"type": "string"},
    )
    told = shown(conversation, Answer(tool_calls=(call,)), Answer(text="x", finish="length"))

    for piece in (
        "system: Be brief.",
        'assistant: (calls the tool find with {"q": 1})',
        "found it",
        '(a tool: find: Finds. {"type":"object"})',
        'must obey this schema: {"type":"string"}',
        "x\n(the answer was cut here)",
    ):
        assert piece in told
    assert "hidden thoughts" not in told
    assert "(nothing)" in shown(conversation, Answer(), Answer(text="x"))


@pytest.mark.parametrize(
    "conversation",
    [
        Conversation(messages=(Message(role="user", parts=(Image(url="https://a.example/b"),)),)),
        Conversation(
            messages=(
                Message(
                    role="user",
                    parts=(ToolResult(call_id="c", parts=(Document(url="https://a.example/b"),)),),
                ),
            )
        ),
        asked("x", not_understood=("/messages/0/content/1",)),
        asked("x", not_understood=("/input/0",)),
        asked("x" * (MOST_JUDGED + 1)),
        asked("half a character: \ud83d"),
    ],
)
def test_what_cannot_be_shown_whole_is_not_judged(conversation: Conversation) -> None:
    """Pictures, files, what nobody understood, what no wire carries, and far too much."""
    answer = Answer(text="y")

    assert judge_body("auto", conversation, (answer, answer), MARK, schema=True) is None
