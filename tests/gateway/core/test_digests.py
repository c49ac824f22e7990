"""Keyed digests of several texts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.digests import keyed_digest

PARTS = st.lists(st.text(max_size=8), max_size=4)


def test_a_digest_stays_what_it_was() -> None:
    """Levels of conversations are kept under it, so another one would forget them."""
    told = keyed_digest(b"secret", "conversation", "org", "", "ü")

    assert told.hex() == "d1a4736bbd1eb585948038c3003430b32246a79c448bb109a2dacbe2bc0bb127"


@given(one=PARTS, other=PARTS)
def test_other_parts_have_another_digest(one: list[str], other: list[str]) -> None:
    """Property: also where both lists come to the same text."""
    same = keyed_digest(b"secret", "mask", *one) == keyed_digest(b"secret", "mask", *other)

    assert same is (one == other)


def test_key_and_purpose_tell_digests_apart() -> None:
    told = {
        keyed_digest(b"secret", "mask", "a"),
        keyed_digest(b"other", "mask", "a"),
        keyed_digest(b"secret", "conversation", "a"),
    }

    assert len(told) == 3
