"""LangChain's standard integration tests for `ChatAnthropic`."""

# ruff: noqa: D102 - the flags are described by the class that they override.
from __future__ import annotations

import os
from typing import Any

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.language_models import BaseChatModel
from langchain_tests.integration_tests import ChatModelIntegrationTests

BACK = os.environ["FAIRLEAD_BACK"]


@pytest.mark.usefixtures("no_internet")
class TestChatAnthropic(ChatModelIntegrationTests):
    """Flags say what the library can send; where only a backend cannot, it is said by its wire."""

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatAnthropic

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {
            "model": "claude-haiku-4-5",
            "base_url": os.environ["FAIRLEAD_URL"],
            "api_key": os.environ["FAIRLEAD_KEY"],
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
    def supports_image_tool_message(self) -> bool:
        return True

    @property
    def supports_pdf_tool_message(self) -> bool:
        return True

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True
