"""Any OpenAI-compatible server by URL, query and headers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from adapters.base import Adapter
from gateway.core.failure import AttemptFailure, FailureKind
from tests.adapters.conftest import KEY, outbound
from tests.upstreams import openai_chat
from tests.upstreams.scripted import Received, ScriptedUpstream

Open = Callable[..., Adapter]


async def _request(opened: Open, base: str = "/v1", **changes: Any) -> Received:
    async with ScriptedUpstream(openai_chat.answer()) as upstream:
        answer = await opened(f"{upstream.url}{base}", **changes).open(outbound())
        assert not isinstance(answer, AttemptFailure)
        await answer.read()
        await answer.close()
        return upstream.requests[0]


async def test_key_is_a_bearer_token_by_default(opened: Open) -> None:
    """Without options the key goes into the Authorization header."""
    sent = await _request(opened)

    assert sent.path == "/v1/chat/completions"
    assert sent.header("authorization") == f"Bearer {KEY}"


async def test_key_is_optional(opened: Open) -> None:
    """A server of one's own needs no key, and then no header is sent."""
    sent = await _request(opened, base="/v1/", api_key=None)

    assert sent.path == "/v1/chat/completions"
    assert sent.header("authorization") is None


async def test_full_url_query_and_key_header(opened: Open) -> None:
    """Azure, SageMaker and Vertex style endpoints are a URL, a query and a header name."""
    sent = await _request(
        opened,
        base="/deployments/x/invoke",
        options=(
            ("chat_path", ""),
            ("query", "api-version=2024-10-21"),
            ("auth_header", "api-key"),
            ("auth_scheme", ""),
        ),
        headers=(("x-region", "eu"),),
    )

    assert sent.path == "/deployments/x/invoke?api-version=2024-10-21"
    assert sent.header("api-key") == KEY
    assert sent.header("authorization") is None
    assert sent.header("x-region") == "eu"


async def test_endpoint_that_is_not_served(opened: Open) -> None:
    """An endpoint that the adapter does not know is a failure without a connection."""
    failure = await opened("http://127.0.0.1:1").open(outbound(endpoint="anthropic_messages"))

    assert isinstance(failure, AttemptFailure)
    assert failure.kind is FailureKind.MODEL_MISSING


def test_unknown_option_lists_the_known_ones(opened: Open) -> None:
    """A misspelt option is refused, with those that exist."""
    with pytest.raises(ValueError, match=r"'auth_heder'.*auth_header"):
        opened("http://x/", options=(("auth_heder", "x"),))


def test_option_of_the_wrong_type(opened: Open) -> None:
    """A number where text is meant is refused by name."""
    with pytest.raises(ValueError, match="chat_path"):
        opened("http://x/", options=(("chat_path", 3),))


def test_cap_field_default(opened: Open) -> None:
    """Compatible servers take the output cap as max_tokens."""
    assert getattr(opened("http://x/"), "cap_field", None) == "max_tokens"


def test_cap_field_can_be_set(opened: Open) -> None:
    """A server that wants the newer name gets it."""
    adapter = opened("http://x/", options=(("cap_field", "max_completion_tokens"),))

    assert getattr(adapter, "cap_field", None) == "max_completion_tokens"


@pytest.mark.parametrize("caching", ["none", "key", "breakpoints"])
def test_what_is_told_of_the_prompt_cache_can_be_set(opened: Open, caching: str) -> None:
    """A server that takes more than nothing gets it."""
    adapter = opened("http://x/", options=(("prompt_cache", caching),))

    assert getattr(adapter, "caching", None) == caching


def test_compatible_servers_are_told_nothing_of_a_prompt_cache(opened: Open) -> None:
    """Some of them refuse fields that they do not know."""
    assert getattr(opened("http://x/"), "caching", None) == "none"


def test_prompt_cache_has_three_choices(opened: Open) -> None:
    """Another word is refused, with those that there are."""
    with pytest.raises(ValueError, match="none, key or breakpoints"):
        opened("http://x/", options=(("prompt_cache", "marks"),))
