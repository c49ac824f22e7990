"""The keys of a policy file: one table for each kind of statement, and the schema made of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from gateway.core.findings import FINDING_TYPES
from gateway.core.ledger import PERIODS
from policies import model
from policies.conditions import CAPABILITIES, FACTS, ConditionShape
from policies.shapes import (
    Amount,
    Choice,
    Flag,
    Key,
    ListOf,
    NamedRecords,
    PairsOf,
    Record,
    Text,
    Whole,
)
from policies.values import (
    LEVEL,
    NAME,
    NAME_PATTERN,
    WORD,
    BlockShape,
    HeadersShape,
    OptionShape,
    SecretShape,
    SelectorShape,
    TagsShape,
    UrlShape,
    UseShape,
    selector_schema,
)

#: The version of the file format that this code reads.
VERSION = 1
ON_EXHAUSTED = ("refuse", "self_hosted_only")
ON_LOSSY = ("refuse", "record")

_USD = Amount(most=Decimal(10**9))
_FINDING = Choice(options={name: name for name in sorted(FINDING_TYPES)}, what="a finding type")
_NEED = Choice(options={name: name for name in sorted(CAPABILITIES)}, what="a capability")
_ABILITY = Choice(
    options={name: name for name in sorted({*CAPABILITIES, "text"})}, what="a capability"
)
_LOSSY = Choice(options={name: name for name in ON_LOSSY}, what="refuse or record")
_SECONDS = Amount(positive=True, most=Decimal(86_400))
_TOKENS = Whole(least=1, most=100_000_000)
_PROSE = Text(what="a sentence", longest=1000)
_ID = Text(what="an id (lower case, digits and '-')", pattern=r"[a-z0-9][a-z0-9-]{0,79}")

PRICE = Record(
    what="a price",
    build=model.PriceStatement,
    keys={
        "input_usd_per_mtok": Key(_USD, "dollars for a million input tokens"),
        "output_usd_per_mtok": Key(_USD, "dollars for a million output tokens"),
        "cached_input_usd_per_mtok": Key(_USD, "dollars for a million tokens read from a cache"),
        "cache_write_usd_per_mtok": Key(_USD, "dollars for a million tokens written to a cache"),
        "per_request_usd": Key(_USD, "dollars for a call, whatever its size"),
        "gpu_hour_usd": Key(_USD, "dollars that the machine costs an hour"),
        "tokens_per_second": Key(Amount(positive=True), "tokens a second at full load"),
        "utilisation": Key(
            Amount(positive=True, most=Decimal(1)), "share of the time that it is busy, above 0"
        ),
    },
)
DEPLOYMENT = Record(
    what="a deployment",
    build=model.DeploymentStatement,
    keys={
        "adapter": Key(
            WORD,
            "adapter: openai, anthropic, openai_compatible, ctransformers or a vendor's name",
            required=True,
        ),
        "model": Key(WORD, "model: the name that the backend knows it by", required=True),
        "clearance": Key(
            LEVEL,
            "clearance: the most sensitive data it may receive; there is no default",
            required=True,
        ),
        "provider": Key(WORD, "who serves it: a company or a runtime"),
        "base_url": Key(UrlShape(), "the address of its API"),
        "api_key": Key(SecretShape(), "its key, as env:NAME or file:PATH"),
        "headers": Key(HeadersShape(), "headers that every call carries"),
        "price": Key(PRICE, "what it costs; needed where the price book does not know the model"),
        "self_hosted": Key(Flag(), "whether it runs on the company's own machines"),
        "context_tokens": Key(_TOKENS, "the size of its context window"),
        "max_output_tokens": Key(_TOKENS, "the longest answer that it can give"),
        "capabilities": Key(
            ListOf(item=_ABILITY, single=True, least=1),
            "what it can do; without the key, anything; [text] is nothing but text",
        ),
        "retries": Key(Whole(most=10), "further calls after a failure that a pause can cure"),
        "timeout_seconds": Key(_SECONDS, "the longest that one call may take"),
        "first_byte_seconds": Key(_SECONDS, "the longest wait for the answer to begin"),
        "on_lossy": Key(_LOSSY, "whether it gets requests that its wire cannot carry whole"),
        "options": Key(
            PairsOf(item=OptionShape(), what="options", pattern=r"[a-z][a-z0-9_]*"),
            "the adapter's own settings",
        ),
    },
)
ALIAS = Record(
    what="an alias",
    build=model.AliasStatement,
    keys={"description": Key(_PROSE, "what it is for; /v1/models shows it")},
)
SENSITIVITY = Record(
    what="sensitivity",
    build=model.SensitivityStatement,
    keys={
        "default": Key(LEVEL, "the level of a request in which nothing was found"),
        "findings": Key(
            PairsOf(item=LEVEL, what="the finding types", known=FINDING_TYPES),
            "the level that each type raises a request to; others keep their own",
        ),
        "weak_pair": Key(LEVEL, "the level of two kinds of weak findings together"),
    },
)
CONSTRAINT = Record(
    what="a constraint",
    build=model.ConstraintStatement,
    keys={
        "id": Key(_ID, "id: a short name that decisions and reports show", required=True),
        "because": Key(_PROSE, "the reason, in words for people"),
        "when": Key(ConditionShape(), "when it applies; without it, always"),
        "only": Key(SelectorShape(), "only these deployments may serve"),
        "forbid": Key(SelectorShape(), "these deployments may not serve"),
        "require": Key(
            ListOf(
                item=Choice(options={"self_hosted": "self_hosted"}, what="a requirement"),
                single=True,
                least=1,
            ),
            "what the deployment must be",
        ),
        "cap_output_tokens": Key(_TOKENS, "the longest answer"),
        "mask": Key(
            ListOf(item=_FINDING, single=True, least=1), "finding types to hide before sending"
        ),
        "block": Key(BlockShape(), "refuse: true, or the message for the caller"),
    },
)
ROUTE = Record(
    what="a route",
    build=model.RouteStatement,
    keys={
        "id": Key(_ID, "id: a short name that decisions and reports show", required=True),
        "because": Key(_PROSE, "the reason, in words for people"),
        "when": Key(ConditionShape(), "when it is taken; without it, always"),
        "use": Key(UseShape(), "use: [deployments, best, first]", required=True),
    },
)
BUDGET = Record(
    what="a budget",
    build=model.BudgetStatement,
    keys={
        "scope": Key(
            Text(what="a scope"), "scope: team/support, or team/* for each team", required=True
        ),
        "usd": Key(Amount(most=Decimal(9_000_000)), "usd: dollars for one period", required=True),
        "per": Key(Choice(options={name: name for name in PERIODS}, what="a period"), "the period"),
        "on_exhausted": Key(
            Choice(options={name: name for name in ON_EXHAUSTED}, what="a way to go on"),
            "what happens when it is used up",
        ),
    },
)
GIVEN = Record(
    what="given",
    build=model.GivenStatement,
    keys={
        "text": Key(Text(what="text", longest=200_000), "a prompt that is judged"),
        "model": Key(WORD, "the model asked for; by default the first alias"),
        "org": Key(WORD, "the caller's org"),
        "team": Key(WORD, "the caller's team"),
        "app": Key(WORD, "the caller's app"),
        "user": Key(WORD, "the caller's user"),
        "tags": Key(TagsShape(), "tags of the request"),
        "stream": Key(Flag(), "whether the answer is streamed"),
        "sensitivity": Key(LEVEL, "the sensitivity, instead of what the text gives"),
        "findings": Key(ListOf(item=_FINDING, single=True), "findings, instead of the text's"),
        "difficulty": Key(Amount(most=Decimal(1)), "the difficulty, 0..1"),
        "task": Key(WORD, "the task"),
        "needs": Key(ListOf(item=_NEED, single=True), "capabilities that the request needs"),
        "input_tokens": Key(Whole(), "tokens of the input"),
        "max_output_tokens": Key(_TOKENS, "the caller's own output cap"),
        "budget_used": Key(Amount(), "share of the budget used, 1 is all"),
        "time": Key(
            Text(what="a time", numbers=True),
            "ISO time, such as 2026-03-02T09:30+01:00; else a Wednesday noon",
        ),
    },
)
EXPECT = Record(
    what="expect",
    build=model.ExpectStatement,
    keys={
        "deployment": Key(NAME, "the first candidate"),
        "any_of": Key(ListOf(item=NAME, least=1), "the first candidate is one of these"),
        "never": Key(ListOf(item=NAME, single=True), "none of these is a candidate at all"),
        "refused": Key(Flag(), "whether the request is refused"),
        "route": Key(WORD, "the route that is taken"),
        "reasons": Key(ListOf(item=WORD, single=True), "ids that are among the reasons"),
        "sensitivity": Key(LEVEL, "the sensitivity that the text is judged to have"),
        "mask": Key(ListOf(item=_FINDING, single=True), "the finding types to hide"),
        "output_cap": Key(_TOKENS, "the output cap that constraints set"),
    },
)
CASE = Record(
    what="a test",
    build=model.CaseStatement,
    keys={
        "name": Key(Text(what="a sentence", longest=200), "name: what is tested", required=True),
        "given": Key(GIVEN, "given: {text: …} or facts", required=True),
        "expect": Key(EXPECT, "expect: {deployment: …}", required=True),
    },
)
DEFAULTS = Record(
    what="defaults",
    build=model.DefaultsStatement,
    keys={
        "max_output_tokens": Key(_TOKENS, "output cap of requests that bring none"),
        "request_timeout_seconds": Key(_SECONDS, "the longest that a request may take in all"),
        "first_byte_seconds": Key(_SECONDS, "the longest wait for an answer to begin"),
        "on_lossy": Key(_LOSSY, "requests that a wire cannot carry whole: refuse or record"),
        "retries": Key(Whole(most=10), "further calls after a failure that a pause can cure"),
    },
)
POLICY = Record(
    what="a policy",
    build=model.PolicyFile,
    keys={
        "fairlead": Key(Whole(), "fairlead: 1 (the version of the format)", required=True),
        "defaults": Key(DEFAULTS, "values for whatever says nothing itself"),
        "deployments": Key(
            NamedRecords(record=DEPLOYMENT, pattern=NAME_PATTERN),
            "the models that may be called, by name",
            required=True,
        ),
        "aliases": Key(
            NamedRecords(record=ALIAS, pattern=NAME_PATTERN, may_be_empty=True),
            "model names that apps may ask for; policy decides what serves them",
        ),
        "sensitivity": Key(SENSITIVITY, "how findings become a level"),
        "constraints": Key(ListOf(item=CONSTRAINT), "what may never happen; all of them apply"),
        "routes": Key(
            ListOf(item=ROUTE, least=1),
            "what we would like; the first that holds is taken",
            required=True,
        ),
        "budgets": Key(ListOf(item=BUDGET), "money caps by scope and period"),
        "tests": Key(ListOf(item=CASE), "examples that must hold; a failing one refuses the file"),
    },
)


def json_schema() -> dict[str, Any]:
    """The file format as JSON Schema (2020-12), made of the tables that the reader uses."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Fairlead policy",
        **POLICY.schema(),
        "$defs": {"condition": _condition_schema(), "selector": selector_schema()},
    }


def _condition_schema() -> dict[str, Any]:
    condition = {"$ref": "#/$defs/condition"}
    several = {"type": "array", "items": condition, "minItems": 1}
    text = {"type": ["string", "number", "boolean"]}
    words = {"anyOf": [text, {"type": "array", "items": text, "minItems": 1}]}
    members = {
        "type": "object",
        "additionalProperties": False,
        "properties": {"any": words, "all": words, "none": words},
    }
    asked: dict[str, Any] = dict.fromkeys(FACTS, words)
    asked["stream"] = {"type": "boolean"}
    asked["tags"] = {"type": "object", "additionalProperties": words}
    asked["time"] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {"hours": {"type": "string"}, "weekdays": words, "zone": {"type": "string"}},
    }
    for fact, known in (("findings", FINDING_TYPES), ("needs", CAPABILITIES)):
        one = {"enum": sorted(known)}
        some = {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}
        named = {**members, "properties": dict.fromkeys(("any", "all", "none"), some)}
        asked[fact] = {"anyOf": [*some["anyOf"], named]}
    groups = {"any": several, "all": several, "not": {"anyOf": [condition, several]}}
    return {"type": "object", "additionalProperties": False, "properties": {**asked, **groups}}
