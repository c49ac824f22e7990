"""LangChain's standard integration tests for `ChatOpenAI` on the Responses API."""

# ruff: noqa: D102 - the flags are described by the class that they override.
from __future__ import annotations

import os
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests

BACK = os.environ["FAIRLEAD_BACK"]


@pytest.mark.usefixtures("no_internet")
class TestChatOpenAIResponses(ChatModelIntegrationTests):
    """Flags say what the library can send; where only a backend cannot, it is said by its wire."""

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatOpenAI

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {
            "model": "gpt-4.1-mini",
            "base_url": f"{os.environ['FAIRLEAD_URL']}/v1",
            "api_key": os.environ["FAIRLEAD_KEY"],
            "use_responses_api": True,
            "max_retries": 0,
        }

    @property
    def model_override_value(self) -> str:
        return f"other-{BACK}"

    @property
    def supports_image_inputs(self) -> bool:
        return True

    @property
    def supports_image_urls(self) -> bool:
        return True

    @property
    def supports_pdf_inputs(self) -> bool:
        return True

    @property
    def supports_audio_inputs(self) -> bool:
        return False

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True

    @property
    def supports_image_tool_message(self) -> bool:
        return True
