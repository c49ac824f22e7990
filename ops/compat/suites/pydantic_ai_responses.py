"""Pydantic AI's `OpenAIResponsesModel`."""

from __future__ import annotations

import pytest
from pydantic_ai.models.openai import OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai_checks import *  # noqa: F403


@pytest.fixture(scope="session")
def model(url: str, key: str) -> OpenAIResponsesModel:
    """The model under test."""
    provider = OpenAIProvider(base_url=f"{url}/v1", api_key=key)
    return OpenAIResponsesModel("gpt-4.1-mini", provider=provider)
