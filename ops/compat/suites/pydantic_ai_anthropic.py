"""Pydantic AI's `AnthropicModel`."""

from __future__ import annotations

import pytest
from pydantic_ai import Agent
from pydantic_ai.messages import ThinkingPart
from pydantic_ai.models.anthropic import AnthropicModel, AnthropicModelSettings
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai_checks import *  # noqa: F403
from pydantic_ai_checks import weather


@pytest.fixture(scope="session")
def model(url: str, key: str) -> AnthropicModel:
    """The model under test."""
    provider = AnthropicProvider(base_url=url, api_key=key)
    return AnthropicModel("claude-sonnet-4-5", provider=provider)


async def test_thinking(model: AnthropicModel, back: str) -> None:
    """Thinking comes with its signature and is sent back beside a tool's result."""
    if back != "anthropic_messages":
        pytest.skip("OpenAI's wires carry no signed thinking")
    thinks = AnthropicModelSettings(
        anthropic_thinking={"type": "enabled", "budget_tokens": 1024}, max_tokens=4096
    )
    agent = Agent(model, tools=[weather], model_settings=thinks)
    result = await agent.run("What is the weather in Paris?")
    thoughts = [
        part for m in result.all_messages() for part in m.parts if isinstance(part, ThinkingPart)
    ]

    assert thoughts[0].signature == "c2ln"
    assert "sunny in Paris" in result.output
