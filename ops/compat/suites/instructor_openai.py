"""Instructor over the OpenAI SDK."""

from __future__ import annotations

import instructor
import openai
import pytest
from instructor_checks import *  # noqa: F403
from instructor_checks import Clients

MODES = [
    instructor.Mode.TOOLS,
    instructor.Mode.TOOLS_STRICT,
    instructor.Mode.JSON,
    instructor.Mode.JSON_SCHEMA,
    instructor.Mode.MD_JSON,
]


@pytest.fixture(params=MODES, ids=lambda mode: mode.value)
def clients(url: str, key: str, request: pytest.FixtureRequest) -> Clients:
    """Both clients, once in every mode."""
    given = {"base_url": f"{url}/v1", "api_key": key, "max_retries": 0}
    return Clients(
        instructor.from_openai(openai.OpenAI(**given), mode=request.param),
        instructor.from_openai(openai.AsyncOpenAI(**given), mode=request.param),
        "gpt-4.1-mini",
        "openai_chat",
    )
