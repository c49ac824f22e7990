"""One real Redis for the end-to-end tests of a module."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import structlog

from gateway.stores.embedded import open_embedded


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A FAIRLEAD_HOME that the tests of a module share."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def redis_url(home: Path) -> Iterator[str]:
    """An embedded Redis under that home."""
    embedded = open_embedded(home)
    yield embedded.url
    embedded.close()


@pytest.fixture
def org() -> str:
    """An org of its own for each test, so that ledgers do not mix."""
    return f"org-{uuid4().hex[:8]}"


@pytest.fixture(scope="session", autouse=True)
def _quiet_log() -> None:
    """Request lines would bury a failure's own words."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
