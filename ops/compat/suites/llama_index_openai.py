"""LlamaIndex's `OpenAI` model, and `OpenAILike` for servers that are not OpenAI's."""

from __future__ import annotations

import pytest
from llama_index.llms.openai import OpenAI
from llama_index.llms.openai_like import OpenAILike
from llama_index_checks import *  # noqa: F403


@pytest.fixture(params=[OpenAI, OpenAILike], ids=lambda kind: kind.__name__)
def model(url: str, key: str, request: pytest.FixtureRequest) -> OpenAI:
    """The model under test."""
    given = {"model": "gpt-4.1-mini", "api_base": f"{url}/v1", "api_key": key, "max_retries": 0}
    if request.param is OpenAILike:
        given |= {"is_chat_model": True, "is_function_calling_model": True}
    made: OpenAI = request.param(**given)
    return made
