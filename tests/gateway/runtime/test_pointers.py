"""Pointers that may be shown."""

from __future__ import annotations

import pytest

from gateway.runtime.pointers import MOST_SHOWN, shown_pointers, without_text


@pytest.mark.parametrize(
    ("pointer", "shown"),
    [
        ("/n", "/n"),
        ("/messages/3/content/0", "/messages/3/content/0"),
        ("/metadata/Jane Roe", "/metadata/*"),
        ("/a\r\nset-cookie: x", "/*"),
        ("/x,y", "/*"),
        ("", ""),
    ],
)
def test_made_up_keys_are_stars(pointer: str, shown: str) -> None:
    """They may hold anything, also text that breaks a header."""
    assert without_text(pointer) == shown


def test_few_are_shown_once_each_and_many_are_cut() -> None:
    """A header has room for so many."""
    assert shown_pointers(["/n", "/n", "/top_k"]) == ("/n", "/top_k")
    many = shown_pointers([f"/messages/{n}" for n in range(500)])
    assert (len(many), many[-1]) == (MOST_SHOWN + 1, "...")
