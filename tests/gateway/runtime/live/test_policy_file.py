"""The policy file on disk: looked at cheaply, written whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.runtime.live.policy_file import read_text, stamp_of, who_keeps, write_text
from policies.problems import PolicyError


def test_a_look_tells_whether_a_file_changed(tmp_path: Path) -> None:
    """Another text of the same length is another file; no file is None."""
    path = tmp_path / "p.yaml"
    none = stamp_of(path)
    path.write_text("a: 1")
    first = stamp_of(path)
    same = stamp_of(path)
    write_text(path, "a: 2")

    assert none is None
    assert first == same
    assert stamp_of(path) != first


def test_a_text_is_written_with_its_line_ends_and_nothing_is_left_over(tmp_path: Path) -> None:
    """Byte for byte what was given."""
    path = tmp_path / "p.yaml"
    write_text(path, "ä: 1\r\nb: 2\n")

    assert path.read_bytes() == "ä: 1\r\nb: 2\n".encode()
    assert list(tmp_path.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o600


def test_behind_a_link_the_file_itself_is_written(tmp_path: Path) -> None:
    """A link into a checkout stays a link."""
    real, link = tmp_path / "real.yaml", tmp_path / "link.yaml"
    real.write_text("a: 1")
    link.symlink_to(real)
    write_text(link, "a: 2")

    assert link.is_symlink()
    assert real.read_text() == "a: 2"


def test_a_file_that_cannot_be_replaced_is_written_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a single file is mounted into a container."""
    path = tmp_path / "p.yaml"
    path.write_text("a: 1")
    number = path.stat().st_ino

    def busy(self: Path, target: Path) -> Path:
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr(Path, "replace", busy)
    write_text(path, "a: 2")

    assert path.read_text() == "a: 2"
    assert path.stat().st_ino == number
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_no_text_is_told_with_its_place(tmp_path: Path) -> None:
    """A byte-order mark is none of the text."""
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_bytes(b"\xef\xbb\xbfa: 1")
    bad.write_bytes(b"a: 1\nb: \xff")

    assert read_text(good) == "a: 1"
    with pytest.raises(PolicyError, match=r"bad\.yaml:2:4"):
        read_text(bad)


def test_whose_file_it_is(tmp_path: Path) -> None:
    """A file that is not there is somebody's."""
    path = tmp_path / "p.yaml"

    assert who_keeps(path).startswith("somebody, ")
    path.touch()
    assert who_keeps(path).startswith(f"{path.owner()}, {path} on ")
