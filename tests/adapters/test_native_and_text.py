"""Ollama by its own API, plain text servers, and chat servers that know no schemas."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.base import Adapter
from gateway.core.failure import AttemptFailure, FailureKind
from tests.adapters.conftest import KEY, outbound
from tests.upstreams import openai_chat
from tests.upstreams.scripted import Received, ScriptedUpstream

Open = Callable[..., Adapter]


async def _request(opened: Open, base: str, endpoint: str, **changes: Any) -> Received:
    async with ScriptedUpstream(openai_chat.answer()) as upstream:
        adapter = opened(f"{upstream.url}{base}", **changes)
        answer = await adapter.open(outbound(endpoint=endpoint))
        assert not isinstance(answer, AttemptFailure)
        await answer.close()
        return upstream.requests[0]


@pytest.mark.parametrize("base", ["", "/", "/v1", "/api/"])
@pytest.mark.parametrize(
    ("endpoint", "path"), [("ollama_chat", "/api/chat"), ("openai_embeddings", "/v1/embeddings")]
)
async def test_ollama_is_found_by_any_of_its_addresses(
    opened: Open, base: str, endpoint: str, path: str
) -> None:
    """The server's address may be written with or without the path of either API."""
    sent = await _request(opened, base, endpoint, adapter="ollama_native", api_key=None)

    assert sent.path == path
    assert sent.header("authorization") is None


async def test_a_key_goes_to_a_hosted_ollama(opened: Open) -> None:
    """A deployment with a key sends it, and its own headers."""
    sent = await _request(
        opened, "", "ollama_chat", adapter="ollama_native", headers=(("x-team", "red"),)
    )

    assert sent.header("authorization") == f"Bearer {KEY}"
    assert sent.header("x-team") == "red"


def test_ollama_without_an_address_is_on_this_machine(opened: Open) -> None:
    """No base_url means Ollama's default port here; its one option is a number."""
    assert opened("", "ollama_native", options=(("num_ctx", 8192),)).wire == "ollama_chat"
    with pytest.raises(ValueError, match="has no option 'num_keep'"):
        opened("", "ollama_native", options=(("num_keep", 1),))
    with pytest.raises(ValueError, match="number of tokens"):
        opened("", "ollama_native", options=(("num_ctx", "8k"),))


@pytest.mark.parametrize("endpoint", ["text_completion", "openai_completions"])
async def test_a_text_server_takes_prompts(opened: Open, endpoint: str) -> None:
    """Prompts of ours and of clients that write their own go to one path."""
    sent = await _request(opened, "/v1/", endpoint, adapter="text_completion")

    assert sent.path == "/v1/completions"
    assert sent.header("authorization") == f"Bearer {KEY}"


async def test_a_text_server_is_not_asked_to_chat(opened: Open) -> None:
    """An endpoint that the server has not is a missing model, and nothing is sent."""
    answer = await opened("http://127.0.0.1:9/v1", "text_completion").open(outbound())

    assert isinstance(answer, AttemptFailure)
    assert answer.kind is FailureKind.MODEL_MISSING


def test_a_template_of_a_file_is_read_once(opened: Open, tmp_path: Path) -> None:
    """The wire gets the file's source, so that no request reads a file."""
    file = tmp_path / "chat.jinja"
    file.write_text("{{ messages[0].content }}")
    adapter = opened("http://x/", "text_completion", options=(("chat_template", str(file)),))
    file.unlink()

    assert adapter.deployment.option("chat_template", "") == "{{ messages[0].content }}"


@pytest.mark.parametrize(
    ("template", "told"),
    [
        (None, "neither one of chatml, llama-2, plain nor a readable file"),
        ("{% if %}", "cannot be read"),
        ("{{ raise_exception('no chat') }}", "no chat"),
        ("x" * 300_000, "larger than"),
    ],
)
def test_an_unusable_template_is_refused_at_the_start(
    opened: Open, tmp_path: Path, template: str | None, told: str
) -> None:
    """A template that is missing, broken or refuses a plain question is named at once."""
    file = tmp_path / "chat.jinja"
    if template is not None:
        file.write_text(template)

    with pytest.raises(ValueError, match=f"frontier.*{told}"):
        opened("http://x/", "text_completion", options=(("chat_template", str(file)),))


def test_a_guided_chat_server_gets_no_chat_as_it_is(opened: Open) -> None:
    """Every chat request is translated there, so that schemas are told in words."""
    adapter = opened("http://x/", options=(("schema", "guided"),))

    assert adapter.wire == "openai_chat_guided"
    assert "openai_chat" not in adapter.wires
    with pytest.raises(ValueError, match="native or guided"):
        opened("http://x/", options=(("schema", "maybe"),))
