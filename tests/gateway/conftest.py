"""The public vocabularies, made for these tests alone: they need no set-up and fetch nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config.vocabularies import load_vocabularies, make_vocabularies
from gateway.core.token_families import Vocabulary


@pytest.fixture(scope="session")
def vocabulary_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vocabularies")
    make_vocabularies(folder)
    return folder


@pytest.fixture(scope="session")
def vocabularies(vocabulary_folder: Path) -> dict[str, Vocabulary]:
    return load_vocabularies(vocabulary_folder)
