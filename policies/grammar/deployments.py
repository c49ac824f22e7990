"""The section `deployments`."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from gateway.core.token_families import FAMILIES
from policies.document import Node, Scalar, kind_of
from policies.grammar.endpoints import HeadersShape, SecretShape, UrlShape
from policies.grammar.levels import STATED_LEVEL
from policies.grammar.words import CAPABILITIES, LOSSY, SECONDS, TOKENS, USD, WORD, ZONE
from policies.model.deployments import DeploymentStatement, PriceStatement
from policies.problems import Problems
from policies.shapes import WRONG, Amount, Choice, Flag, Key, ListOf, PairsOf, Record, Whole

_ABILITY = Choice(
    options={name: name for name in sorted({*CAPABILITIES, "text"})}, what="a capability"
)

_TOKENIZER = Choice(options={name: name for name in FAMILIES}, what="a tokenizer family")
_HOLD_BOUND = Choice(
    options={name: name for name in ("proved", "calibrated")}, what="proved or calibrated"
)


class OptionShape(msgspec.Struct, frozen=True):
    """A driver's own setting: text, a number or a flag."""

    def read(self, node: Node, problems: Problems) -> Any:
        """The setting; numbers become int or float."""
        if not isinstance(node, Scalar) or node.value is None:
            message = f"an option is text, a number or a flag, not {kind_of(node)}"
            problems.add(node.at, message, path=node.path)
            return WRONG
        return node.value if isinstance(node.value, str | bool | int) else float(node.value)

    def schema(self) -> dict[str, Any]:
        """Any plain value."""
        return {"type": ["string", "number", "boolean"]}


class DayShape(msgspec.Struct, frozen=True):
    """A day of the calendar, as 2026-11-01."""

    def read(self, node: Node, problems: Problems) -> Any:
        """The day."""
        try:
            return date.fromisoformat(node.text.strip() if isinstance(node, Scalar) else "")
        except ValueError:
            message = f"{kind_of(node)} is not a day"
            problems.add(node.at, message, hint="write it as 2026-11-01", path=node.path)
            return WRONG

    def schema(self) -> dict[str, Any]:
        """A string that looks like a date."""
        return {"type": "string", "format": "date"}


def _price(**given: Any) -> PriceStatement:
    return PriceStatement(since=given.pop("from", None), **given)


PRICE = Record(
    what="a price",
    build=_price,
    keys={
        "from": Key(DayShape(), "the first day, in UTC, on which it holds; without it, always"),
        "input_usd_per_mtok": Key(USD, "dollars for a million input tokens"),
        "output_usd_per_mtok": Key(USD, "dollars for a million output tokens"),
        "cached_input_usd_per_mtok": Key(USD, "dollars for a million tokens read from a cache"),
        "cache_write_usd_per_mtok": Key(USD, "dollars for a million tokens written to a cache"),
        "cache_write_1h_usd_per_mtok": Key(
            USD, "dollars for a million tokens written to a cache for an hour"
        ),
        "reasoning_usd_per_mtok": Key(USD, "dollars for a million tokens of reasoning"),
        "input_audio_usd_per_mtok": Key(USD, "dollars for a million audio tokens heard"),
        "output_audio_usd_per_mtok": Key(USD, "dollars for a million audio tokens spoken"),
        "input_image_usd_per_mtok": Key(USD, "dollars for a million image tokens seen"),
        "output_image_usd_per_mtok": Key(USD, "dollars for a million image tokens drawn"),
        "per_request_usd": Key(USD, "dollars for a call, whatever its size"),
        "web_search_usd": Key(USD, "dollars for a search that the backend makes"),
        "discount": Key(
            Amount(most=Decimal(1)), "share off every figure of the price book, such as 0.15"
        ),
        "gpu_hour_usd": Key(USD, "dollars that the machine costs an hour"),
        "tokens_per_second": Key(Amount(positive=True), "tokens a second at full load"),
        "input_tokens_per_second": Key(
            Amount(positive=True), "tokens a second that it reads, where that is quicker"
        ),
        "utilisation": Key(
            Amount(positive=True, most=Decimal(1)), "share of the time that it is busy, above 0"
        ),
    },
)
DEPLOYMENT = Record(
    what="a deployment",
    build=DeploymentStatement,
    keys={
        "adapter": Key(
            WORD,
            "adapter: openai, anthropic, openai_compatible, ctransformers or a vendor's name",
            required=True,
        ),
        "model": Key(WORD, "model: the name that the backend knows it by", required=True),
        "clearance": Key(
            STATED_LEVEL,
            "clearance: the most sensitive data it may receive; there is no default",
            required=True,
        ),
        "provider": Key(WORD, "who serves it: a company or a runtime"),
        "base_url": Key(UrlShape(), "the address of its API"),
        "api_key": Key(SecretShape(), "its key, as env:NAME or file:PATH"),
        "headers": Key(HeadersShape(), "headers that every call carries"),
        "price": Key(
            ListOf(item=PRICE, single=True, least=1),
            "what it costs; needed where the price book does not know the model; or a list of "
            "prices that each hold from a day on",
        ),
        "self_hosted": Key(Flag(), "whether it runs on the company's own machines"),
        "zone": Key(ZONE, "where it runs, as you name places: eu, us, on-premises"),
        "context_tokens": Key(TOKENS, "the size of its context window"),
        "max_output_tokens": Key(TOKENS, "the longest answer that it can give"),
        "tokenizer": Key(
            _TOKENIZER, "what counts its tokens, where the model's name does not tell it"
        ),
        "hold_bound": Key(
            _HOLD_BOUND, "what holds go by where no vocabulary is public: proved or calibrated"
        ),
        "capabilities": Key(
            ListOf(item=_ABILITY, single=True, least=1),
            "what it can do; without the key, anything; [text] is nothing but text",
        ),
        "retries": Key(Whole(most=10), "further calls after a failure that a pause can cure"),
        "timeout_seconds": Key(SECONDS, "the longest that one call may take"),
        "first_byte_seconds": Key(SECONDS, "the longest wait for the answer to begin"),
        "on_lossy": Key(LOSSY, "whether it gets requests that its wire cannot carry whole"),
        "options": Key(
            PairsOf(item=OptionShape(), what="options", pattern=r"[a-z][a-z0-9_]*"),
            "the adapter's own settings",
        ),
    },
)
