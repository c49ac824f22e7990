"""Instructor over the Anthropic SDK."""

from __future__ import annotations

import anthropic
import instructor
import pytest
from instructor_checks import *  # noqa: F403
from instructor_checks import Clients

MODES = [instructor.Mode.TOOLS, instructor.Mode.JSON]


@pytest.fixture(params=MODES, ids=lambda mode: mode.value)
def clients(url: str, key: str, request: pytest.FixtureRequest) -> Clients:
    """Both clients, once in every mode."""
    given = {"base_url": url, "api_key": key, "max_retries": 0}
    return Clients(
        instructor.from_anthropic(
            anthropic.Anthropic(**given), mode=request.param, max_tokens=1024
        ),
        instructor.from_anthropic(
            anthropic.AsyncAnthropic(**given), mode=request.param, max_tokens=1024
        ),
        "claude-haiku-4-5",
        "anthropic_messages",
    )
