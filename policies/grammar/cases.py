"""The section `tests`."""

from __future__ import annotations

from decimal import Decimal

from gateway.core.request import API_NAMES
from gateway.core.token_families import FAMILIES, O200K
from policies.grammar.endpoints import HeadersShape
from policies.grammar.tags import TagsShape
from policies.grammar.words import FINDING, LEVEL, NAME, NAME_PATTERN, NEED, TOKENS, WORD
from policies.model.cases import CaseStatement, ExpectStatement, GivenStatement, SpeedStatement
from policies.shapes import Amount, Choice, Flag, Key, ListOf, PairsOf, Record, Text, Whole

#: Kinds of judgement that can fail; what could not be judged counts as restricted.
JUDGEMENTS = ("findings", "difficulty", "task", "tokens")
_JUDGEMENT = Choice(options={name: name for name in JUDGEMENTS}, what="a judgement")
#: Families whose count is told beside `input_tokens`, which is what o200k_base makes of a request.
COUNTED = frozenset(FAMILIES) - {O200K}
_API = Choice(options={name: name for name in API_NAMES.values()}, what="an API")


_SPEED = Record(
    what="a speed",
    build=SpeedStatement,
    keys={
        "first_byte_seconds": Key(
            Amount(most=Decimal(86_400)),
            "first_byte_seconds: seconds until the answer begins",
            required=True,
        ),
        "tokens_per_second": Key(Amount(positive=True), "output tokens a second"),
    },
)
GIVEN = Record(
    what="given",
    build=GivenStatement,
    keys={
        "text": Key(Text(what="text", longest=200_000), "a prompt that is judged"),
        "model": Key(WORD, "the model asked for; by default the first alias"),
        "org": Key(WORD, "the caller's org"),
        "team": Key(WORD, "the caller's team"),
        "app": Key(WORD, "the caller's app"),
        "user": Key(WORD, "the caller's user"),
        "key": Key(WORD, "the id of the caller's key"),
        "api": Key(_API, "the API that is called; by default chat"),
        "tags": Key(TagsShape(), "tags of the request"),
        "stream": Key(Flag(), "whether the answer is streamed"),
        "sensitivity": Key(LEVEL, "the sensitivity, instead of what the text gives"),
        "declared": Key(LEVEL, "the level that the caller declared; it can only raise"),
        "findings": Key(ListOf(item=FINDING, single=True), "findings, instead of the text's"),
        "difficulty": Key(Amount(most=Decimal(1)), "the difficulty, 0..1"),
        "reliability": Key(Amount(most=Decimal(1)), "the reliability of the difficulty, 0..1"),
        "task": Key(WORD, "the task"),
        "needs": Key(ListOf(item=NEED, single=True), "capabilities that the request needs"),
        "input_tokens": Key(Whole(), "tokens of the input"),
        "counted": Key(
            PairsOf(item=Whole(), what="tokenizer families", known=COUNTED),
            "tokens of the input by tokenizer family; the others read input_tokens",
        ),
        "max_output_tokens": Key(TOKENS, "the caller's own output cap"),
        "failed": Key(
            ListOf(item=_JUDGEMENT, single=True),
            "what could not be judged: findings, difficulty, task, tokens",
        ),
        "budget_used": Key(Amount(), "share of the budget used, 1 is all"),
        "session": Key(WORD, "the id of the conversation"),
        "request_id": Key(WORD, "the id of the request, which decides what is drawn by chance"),
        "speeds": Key(
            PairsOf(item=_SPEED, what="speeds", pattern=NAME_PATTERN),
            "how fast deployments are, by name; without it, nothing is known",
        ),
        "time": Key(
            Text(what="a time", numbers=True),
            "ISO time, such as 2026-03-02T09:30+01:00; else a Wednesday noon",
        ),
    },
)
EXPECT = Record(
    what="expect",
    build=ExpectStatement,
    keys={
        "deployment": Key(NAME, "the first candidate"),
        "any_of": Key(ListOf(item=NAME, least=1), "the first candidate is one of these"),
        "never": Key(ListOf(item=NAME, single=True), "none of these is called at all"),
        "refused": Key(Flag(), "whether the request is refused"),
        "route": Key(WORD, "the route that is taken"),
        "reasons": Key(ListOf(item=WORD, single=True), "ids that are among the reasons"),
        "sensitivity": Key(LEVEL, "the sensitivity that the text is judged to have"),
        "mask": Key(ListOf(item=FINDING, single=True), "the finding types to hide"),
        "output_cap": Key(TOKENS, "the output cap that constraints set"),
        "shadow": Key(NAME, "the deployment that may get a copy"),
        "judge": Key(NAME, "the deployment that may compare the copy's answer"),
        "headers": Key(HeadersShape(references=False), "the headers that the route adds"),
        "tags": Key(TagsShape(), "the tags that the route adds"),
    },
)
CASE = Record(
    what="a test",
    build=CaseStatement,
    keys={
        "name": Key(Text(what="a sentence", longest=200), "name: what is tested", required=True),
        "given": Key(GIVEN, "given: {text: …} or facts", required=True),
        "expect": Key(EXPECT, "expect: {deployment: …}", required=True),
    },
)
