"""Versions of the policy: digests and differences of their texts."""

from __future__ import annotations

from gateway.core.versions import LONGEST_DIFF, diff_of, digest_of


def test_a_digest_is_of_the_very_text() -> None:
    """A comment more is another text."""
    assert digest_of("a: 1\n") == digest_of("a: 1\n")
    assert digest_of("a: 1\n") != digest_of("a: 1 # one\n")


def test_a_difference_shows_the_lines_that_changed() -> None:
    """As `diff -u` shows it, also where the last line has no end."""
    told = diff_of("a\nb\nc", "a\nB\nc", "version 1", "version 2")

    assert told == "--- version 1\n+++ version 2\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n"


def test_equal_texts_have_no_difference() -> None:
    """Nothing is shown where nothing changed."""
    assert diff_of("a\n", "a\n", "1", "2") == ""


def test_a_huge_difference_is_cut_and_says_so() -> None:
    """Both texts are kept whole elsewhere."""
    told = diff_of("", "line\n" * 100_000, "1", "2")

    assert len(told) < LONGEST_DIFF + 100
    assert "characters more" in told[-60:]
