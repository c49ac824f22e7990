"""Secrets are resolved at the edge, or are not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config.secrets import secret_lookup
from gateway.core.deployment import Secret


def test_a_variable_is_read_without_its_blanks() -> None:
    """The value of an environment variable is the secret."""
    assert secret_lookup({"KEY": " abc \n"})("env:KEY") == Secret("abc")


@pytest.mark.parametrize("held", ["", "  ", "two\nlines", "schlüssel", "a\x00b"])
def test_what_could_not_be_sent_is_no_secret(held: str) -> None:
    """Empty values, several lines and other scripts cannot stand in a header."""
    assert secret_lookup({"KEY": held})("env:KEY") is None


def test_a_file_is_read_beside_the_policy(tmp_path: Path) -> None:
    """Relative paths start at the policy's folder; absolute ones stand for themselves."""
    (tmp_path / "key").write_text("abc\n")

    assert secret_lookup({}, tmp_path)("file:key") == Secret("abc")
    assert secret_lookup({})(f"file:{tmp_path / 'key'}") == Secret("abc")


def test_what_is_not_there_is_none(tmp_path: Path) -> None:
    """Unset variables, missing files, folders and other kinds give nothing."""
    look_up = secret_lookup({}, tmp_path)
    (tmp_path / "blob").write_bytes(b"\xff\xfe")

    for reference in ("env:KEY", "file:none", "file:.", "file:blob", "vault:x", "KEY"):
        assert look_up(reference) is None
