"""The official SDKs prepare the calls: what we send is what they would have sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import anthropic
import openai
import pytest

from adapters.base import Adapter
from gateway.core.deployment import Secret
from gateway.core.failure import AttemptFailure
from tests.adapters.conftest import BODY, KEY, outbound
from tests.upstreams import anthropic_messages, openai_chat
from tests.upstreams.scripted import Received, ScriptedUpstream

Open = Callable[..., Adapter]

# What belongs to one connection or one body, and the compression that we decline.
_PER_CALL = {"host", "connection", "content-length", "accept-encoding"}


def _lasting(received: Received) -> dict[str, str]:
    headers = {name.lower(): text for name, text in received.headers}
    return {name: text for name, text in headers.items() if name not in _PER_CALL}


async def _send(adapter: Adapter) -> None:
    answer = await adapter.open(outbound(endpoint=adapter.wire))
    assert not isinstance(answer, AttemptFailure)
    await answer.read()
    await answer.close()


@pytest.mark.parametrize(
    "options",
    [(), (("organization", "org-1"), ("project", "proj-1"))],
    ids=["plain", "organization"],
)
async def test_openai_call_is_the_sdks_own(
    opened: Open, options: tuple[tuple[str, str], ...]
) -> None:
    """URL and headers equal those of the SDK; the body is ours."""
    async with ScriptedUpstream(openai_chat.answer()) as upstream:
        given = dict(options)
        client = openai.OpenAI(
            base_url=f"{upstream.url}/v1",
            api_key=KEY,
            organization=given.get("organization"),
            project=given.get("project"),
        )
        await _in_thread(
            lambda: client.chat.completions.create(
                model="some-model", messages=[{"role": "user", "content": "x"}]
            )
        )
        await _send(opened(f"{upstream.url}/v1", "openai", options=options))
        theirs, ours = upstream.requests

        assert _lasting(ours) == _lasting(theirs)
        assert (ours.method, ours.path) == (theirs.method, theirs.path)
        assert ours.body == BODY
        assert ours.header("accept-encoding") == "identity"


async def test_azure_call_is_the_sdks_own(opened: Open) -> None:
    """With an API version the URL names the deployment and the key goes into `api-key`."""
    async with ScriptedUpstream(openai_chat.answer()) as upstream:
        client = openai.AzureOpenAI(
            azure_endpoint=upstream.url, api_version="2024-10-21", api_key=KEY
        )
        await _in_thread(
            lambda: client.chat.completions.create(
                model="some-model", messages=[{"role": "user", "content": "x"}]
            )
        )
        options = (("api_version", "2024-10-21"),)
        await _send(opened(upstream.url, "openai", options=options))
        theirs, ours = upstream.requests

        assert _lasting(ours) == _lasting(theirs)
        assert ours.path == theirs.path
        assert ours.path == (
            "/openai/deployments/some-model/chat/completions?api-version=2024-10-21"
        )
        assert ours.header("api-key") == KEY


@pytest.mark.parametrize("suffix", ["", "/", "/v1"])
async def test_anthropic_call_is_the_sdks_own(opened: Open, suffix: str) -> None:
    """URL, version and key headers equal those of the SDK, with or without /v1 in the URL."""
    async with ScriptedUpstream(anthropic_messages.answer()) as upstream:
        client = anthropic.Anthropic(base_url=upstream.url, api_key=KEY)
        await _in_thread(
            lambda: client.messages.create(
                model="some-model", max_tokens=5, messages=[{"role": "user", "content": "x"}]
            )
        )
        await _send(opened(f"{upstream.url}{suffix}", "anthropic"))
        theirs, ours = upstream.requests

        assert _lasting(ours) == _lasting(theirs)
        assert ours.path == theirs.path == "/v1/messages"
        assert ours.body == BODY


async def test_deployments_own_headers_win(opened: Open) -> None:
    """Headers of the deployment, secret ones too, are added and replace the SDK's by name."""
    headers = (("x-team", "blue"), ("User-Agent", "house"))
    secret = (("x-gateway-token", Secret("hush")),)
    async with ScriptedUpstream(openai_chat.answer()) as upstream:
        url = f"{upstream.url}/v1"
        await _send(opened(url, "openai", headers=headers, secret_headers=secret))
        sent = upstream.requests[0]

        assert sent.header("x-team") == "blue"
        assert sent.header("x-gateway-token") == "hush"
        assert [text for name, text in sent.headers if name.lower() == "user-agent"] == ["house"]


@pytest.mark.parametrize(
    ("version", "wire"),
    [
        ("", "anthropic_messages"),
        ("2023-06-01", "anthropic_messages_2023_06_01"),
        ("2026-10-21", "anthropic_messages"),
    ],
)
async def test_anthropic_version_can_be_pinned(opened: Open, version: str, wire: str) -> None:
    """A pinned API version goes out, and the one that takes sampling has a wire of its own."""
    options = (("api_version", version),) if version else ()
    async with ScriptedUpstream(anthropic_messages.answer()) as upstream:
        adapter = opened(upstream.url, "anthropic", options=options)
        await _send(adapter)
        sent = upstream.requests[0].header("anthropic-version")

        assert adapter.wire == wire
        assert sent == version or not version


@pytest.mark.parametrize("adapter", ["openai", "anthropic"])
def test_missing_key_says_what_to_do(opened: Open, adapter: str) -> None:
    """A vendor that needs a key is refused without one when it is opened."""
    with pytest.raises(ValueError, match=r"frontier.*api_key"):
        opened("", adapter, api_key=None)


@pytest.mark.parametrize(
    ("adapter", "wire", "cap"),
    [
        ("openai", "openai_chat", "max_completion_tokens"),
        ("anthropic", "anthropic_messages", "max_tokens"),
    ],
)
def test_wire_and_cap_field(opened: Open, adapter: str, wire: str, cap: str) -> None:
    """Each adapter says which format it speaks and under which name it takes the cap."""
    adapter_ = opened("", adapter)

    assert (adapter_.wire, getattr(adapter_, "cap_field", None)) == (wire, cap)


@pytest.mark.parametrize(
    ("model", "options", "taken"),
    [
        ("gpt-4o", (), False),
        ("gpt-3.5-turbo-instruct", (), True),
        ("ft:davinci-002:acme::1", (), True),
        ("our-own-name", (("api_version", "2024-10-21"),), True),
    ],
)
def test_only_models_of_the_legacy_kind_are_asked_to_complete_text(
    opened: Open, model: str, options: tuple[tuple[str, str], ...], taken: bool
) -> None:
    """OpenAI's chat models refuse that endpoint; for them a plain prompt is translated."""
    adapter = opened("http://127.0.0.1:9", "openai", model=model, options=options)

    assert ("openai_completions" in adapter.wires) is taken


async def _in_thread(call: Callable[[], object]) -> None:
    await asyncio.to_thread(call)
