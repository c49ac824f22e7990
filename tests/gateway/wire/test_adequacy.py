"""What an answer falls short of, told from the answer and what was asked."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.core.cascade import USUAL_CHECKS, Checks, alike
from gateway.core.conversation import (
    Answer,
    Conversation,
    TokenLogprob,
    Tool,
    ToolCall,
    ToolChoice,
)
from gateway.core.usage import Usage
from gateway.wire.adequacy import gist_of, shortcoming

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
WEATHER = Tool(name="get_weather", schema={"type": "object", "required": ["city"]})
ASKED = Conversation(messages=())


def said(text: str = "", *calls: tuple[str, str], finish: Any = "stop", **more: Any) -> Answer:
    made = tuple(ToolCall(id=name, name=name, arguments=given) for name, given in calls)
    return Answer(text=text, tool_calls=made, finish=finish, **more)


def asked(**fields: Any) -> Conversation:
    return Conversation(messages=(), **fields)


@pytest.mark.parametrize(
    ("conversation", "answer", "failed"),
    [
        (asked(answer_schema=SCHEMA), said('{"n": 1}'), ""),
        (asked(answer_schema=SCHEMA), said('{"n": "one"}'), "schema"),
        (asked(answer_schema=SCHEMA), said('```json\n{"n": 1}\n```'), "schema"),
        (asked(answer_schema={"type": 7}), said('{"n": "one"}'), ""),
        (asked(answer_json=True), said("[1]"), "schema"),
        (asked(answer_json=True), said('{"a": 1}'), ""),
        (asked(answer_schema=SCHEMA, tools=(WEATHER,)), said("", ("get_weather", "{}")), "tools"),
        (asked(tools=(WEATHER,)), said("", ("get_weather", '{"city": "Paris"}')), ""),
        (asked(tools=(WEATHER,)), said("", ("get_weather", '{"city": ')), "tools"),
        (asked(tools=(WEATHER,)), said("", ("get_weather", "[]")), "tools"),
        (asked(tools=(WEATHER,)), said("", ("weather", "{}")), "tools"),
        (asked(tools=(WEATHER,), not_understood=("/tools/1",)), said("", ("search", "{}")), ""),
        (asked(tools=(Tool(name="now"),)), said("", ("now", "")), ""),
        (asked(tools=(WEATHER,)), said('<tool_call>{"name": "get_weather"}'), "tools"),
        (asked(tools=(WEATHER,)), said("It is warm."), ""),
        (asked(tools=(WEATHER,), tool_choice=ToolChoice(mode="required")), said("Warm."), "tools"),
        (ASKED, said("I'm sorry, but I can't help with that."), "refusal"),
        (ASKED, said(refusal="No."), "refusal"),
        (ASKED, said("Half", finish="content_filter"), "refusal"),
        (ASKED, said("  \n"), "truncated"),
        (ASKED, said("The capital of", finish="length"), "truncated"),
        (ASKED, said("Paris."), ""),
    ],
)
def test_the_first_check_that_an_answer_fails_is_told(
    conversation: Conversation, answer: Answer, failed: str
) -> None:
    """Each shortcoming has one name; what cannot be checked passes."""
    assert shortcoming(conversation, answer, USUAL_CHECKS) == failed


def test_an_answer_cut_at_the_callers_own_cap_is_what_the_caller_asked_for() -> None:
    """A stronger model would be cut there too; cut before the cap it was the server's doing."""
    conversation = asked(output_cap=5)
    at_cap = said("one two", finish="length", usage=Usage(output_tokens=5))
    before = said("one two", finish="length", usage=Usage(output_tokens=3))

    assert shortcoming(conversation, at_cap, USUAL_CHECKS) == ""
    assert shortcoming(conversation, before, USUAL_CHECKS) == "truncated"


def test_a_check_that_was_not_asked_for_is_not_made() -> None:
    """Only the checks of the policy count."""
    assert shortcoming(ASKED, said("I can't help with that."), Checks(schema=True)) == ""


def test_an_unsure_answer_is_told_by_its_mean_log_probability() -> None:
    """The mean over the tokens counts; an answer without any is not judged."""
    tokens = tuple(TokenLogprob(token="t", logprob=number) for number in (-0.5, -2.5))
    answer = said("Perhaps.", logprobs=tokens)

    assert shortcoming(ASKED, answer, Checks(logprob=-1.4)) == "logprob"
    assert shortcoming(ASKED, answer, Checks(logprob=-1.6)) == ""
    assert shortcoming(ASKED, said("Perhaps."), Checks(logprob=-0.1)) == ""


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Paris", "paris.", True),
        ("6 times 7 is what we want, so first we add and then the answer is 42.", "42", True),
        ("We add the parts one after the other, and get\n#### 1,200", "1200.0", True),
        (r"So the sum of all of these parts must be \boxed{12}.", "The answer is 13", False),
        ('{"a": 1, "b": 2}', '{"b":2,"a":1}', True),
        ('{"a": 1}', '{"a": 2}', False),
    ],
)
def test_answers_are_compared_by_what_they_come_to(one: str, other: str, same: bool) -> None:
    """Spelling, order and the way there do not matter; the result does."""
    assert alike(gist_of(said(one)), gist_of(said(other))) is same


def test_calls_are_the_gist_of_an_answer_that_calls() -> None:
    """Their names and arguments count, in any order and spelling."""
    one = said("", ("a", '{"x": 1, "y": 2}'), ("b", "{}"))
    other = said("", ("b", "{}"), ("a", '{"y":2,"x":1}'))

    assert gist_of(one) == gist_of(other)
