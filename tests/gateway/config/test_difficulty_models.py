"""Saved difficulty models."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.classify.difficulty import load_shipped
from gateway.config.difficulty_models import (
    DifficultyModelError,
    check_name,
    load_model,
    model_path,
    save_model,
    saved_names,
)


def test_a_model_is_found_again_by_its_name(tmp_path: Path) -> None:
    """What was saved is loaded and listed; an older one of the name is replaced."""
    model = load_shipped()
    path = save_model(tmp_path, "support-2026", model)
    save_model(tmp_path, "support-2026", model)

    assert path == model_path(tmp_path, "support-2026")
    assert load_model(tmp_path, "support-2026") == model
    assert saved_names(tmp_path) == ("support-2026",)
    assert list(path.parent.iterdir()) == [path]


def test_nothing_saved_is_an_empty_list(tmp_path: Path) -> None:
    """A home without models has none."""
    assert saved_names(tmp_path / "absent") == ()


@pytest.mark.parametrize("name", ["", "../up", "a/b", "A", ".hidden", "-x", "ä", "x" * 64, "a\n"])
def test_a_name_stays_inside_the_folder(name: str, tmp_path: Path) -> None:
    """A name that could lead elsewhere, or that file systems tell apart badly, is refused."""
    with pytest.raises(DifficultyModelError, match="cannot name a difficulty model"):
        check_name(name)
    with pytest.raises(DifficultyModelError, match="cannot name"):
        save_model(tmp_path, name, load_shipped())
    assert list(tmp_path.iterdir()) == []


def test_a_missing_model_is_told_with_those_that_exist(tmp_path: Path) -> None:
    """Who asks for a model that is not there learns which are, and how to make one."""
    save_model(tmp_path, "sales", load_shipped())

    with pytest.raises(DifficultyModelError, match=r"'suport'.*there: sales.*calibrate"):
        load_model(tmp_path, "suport")


def test_a_damaged_model_is_told(tmp_path: Path) -> None:
    """A file cut short is named, with what to do about it."""
    path = save_model(tmp_path, "sales", load_shipped())
    path.write_bytes(path.read_bytes()[:-9])

    with pytest.raises(DifficultyModelError, match=r"sales\.model cannot be used.*damaged.*again"):
        load_model(tmp_path, "sales")


def test_a_file_far_too_large_is_not_read_whole(tmp_path: Path) -> None:
    """A file that is no model is refused by its size."""
    path = save_model(tmp_path, "sales", load_shipped())
    with path.open("ab") as file:
        file.truncate(5 * 1024 * 1024)

    with pytest.raises(DifficultyModelError, match="far too large"):
        load_model(tmp_path, "sales")
