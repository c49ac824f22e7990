"""LlamaIndex's `Anthropic` model."""

from __future__ import annotations

import pytest
from llama_index.llms.anthropic import Anthropic
from llama_index_checks import *  # noqa: F403


@pytest.fixture
def model(url: str, key: str) -> Anthropic:
    """The model under test."""
    return Anthropic(model="claude-sonnet-4-5", base_url=url, api_key=key, max_retries=0)
