"""What is sealed at rest opens only where it belongs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.stores.sealing import Unsealable, Vault

PEPPER = b"a pepper of enough bytes"


@given(st.binary(max_size=500))
def test_what_was_sealed_opens_again(plain: bytes) -> None:
    """Any bytes come back, and the sealed form is never the same twice."""
    vault = Vault(PEPPER, "test")
    sealed = vault.seal("acme", "place", plain)

    assert vault.open("acme", "place", sealed) == plain
    assert vault.seal("acme", "place", plain) != sealed


@pytest.mark.parametrize(
    ("pepper", "purpose", "org", "place"),
    [
        (b"another pepper, long enough", "test", "acme", "place"),
        (PEPPER, "other", "acme", "place"),
        (PEPPER, "test", "rival", "place"),
        (PEPPER, "test", "acme", "elsewhere"),
    ],
)
def test_a_sealed_value_opens_nowhere_else(
    pepper: bytes, purpose: str, org: str, place: str
) -> None:
    """Pepper, purpose, org and place are all part of the seal."""
    sealed = Vault(PEPPER, "test").seal("acme", "place", b"secret")

    with pytest.raises(Unsealable):
        Vault(pepper, purpose).open(org, place, sealed)


@given(st.binary(max_size=40), st.integers(min_value=0, max_value=40))
def test_damage_is_noticed(noise: bytes, at: int) -> None:
    """Foreign bytes, cut values and flipped bits are refused, and never raise anything else."""
    vault = Vault(PEPPER, "test")
    sealed = vault.seal("acme", "place", b"secret")
    flipped = bytearray(sealed)
    flipped[at % len(sealed)] ^= 1

    for damaged in (noise, sealed[:at][:-1], bytes(flipped)):
        with pytest.raises(Unsealable):
            vault.open("acme", "place", damaged)
