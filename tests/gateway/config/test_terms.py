"""Files of terms: one on each line, or none that can be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config.terms import terms_lookup


def test_a_term_stands_on_each_line(tmp_path: Path) -> None:
    """Blank lines, remarks and single letters are left out; a byte order mark does not matter."""
    text = "\ufeffApollo\n\n# people\n  Blue Moon \nx\nÜ-Boot\r\n"
    (tmp_path / "terms.txt").write_text(text, encoding="utf-8")

    assert terms_lookup(tmp_path)("terms.txt") == ("Apollo", "Blue Moon", "Ü-Boot")


@pytest.mark.parametrize("held", [None, b"", b"# nothing\n", b"\xff\xfeA\x00"])
def test_what_has_no_terms_is_none(tmp_path: Path, held: bytes | None) -> None:
    """A missing file, an empty one and one that is not UTF-8."""
    if held is not None:
        (tmp_path / "terms.txt").write_bytes(held)

    assert terms_lookup(tmp_path)("terms.txt") is None
