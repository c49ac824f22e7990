"""What end-to-end tests share: a home for each module and an org for each test."""

from __future__ import annotations

import logging
from pathlib import Path
from uuid import uuid4

import pytest
import structlog


@pytest.fixture(scope="module")
def home(redis_home: Path) -> Path:
    """A FAIRLEAD_HOME that the tests of a module share; their Redis keeps its files there."""
    return redis_home


@pytest.fixture
def org() -> str:
    """An org of its own for each test, so that ledgers do not mix."""
    return f"org-{uuid4().hex[:8]}"


@pytest.fixture(scope="session", autouse=True)
def _quiet_log() -> None:
    """Request lines would bury a failure's own words."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
