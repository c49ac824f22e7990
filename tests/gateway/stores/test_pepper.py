"""The pepper is made once, private, and refused when it is not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.stores.pepper import load_pepper


def test_a_pepper_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    """Several starts at once agree on one pepper, and no draft is left behind."""
    home = tmp_path / "home"
    with ThreadPoolExecutor(8) as pool:
        peppers = set(pool.map(lambda _: load_pepper(home), range(16)))

    assert len(peppers) == 1
    assert len(peppers.pop()) == 64
    assert [path.name for path in home.iterdir()] == ["pepper"]
    assert (home / "pepper").stat().st_mode & 0o777 == 0o600


def test_a_pepper_that_was_given_is_used_and_none_is_made(tmp_path: Path) -> None:
    """The setting wins over the file."""
    assert load_pepper(tmp_path, "sixteen bytes or more") == b"sixteen bytes or more"
    assert list(tmp_path.iterdir()) == []


def test_a_short_or_open_pepper_is_refused(tmp_path: Path) -> None:
    """A guessable pepper, or one that others can read, says what to do."""
    (tmp_path / "pepper").write_text("x" * 64)
    (tmp_path / "pepper").chmod(0o644)

    with pytest.raises(ValueError, match="shorter than 16 bytes"):
        load_pepper(tmp_path, "short")
    with pytest.raises(ValueError, match="run: chmod 600"):
        load_pepper(tmp_path)
