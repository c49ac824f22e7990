"""The audit chain: every byte of every entry counts, and signatures cover every field."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.core.chain import (
    Checkpoint,
    extended,
    first_head,
    is_genuine,
    seal_key,
    signed,
)

entries = st.lists(st.tuples(st.binary(max_size=8), st.binary(max_size=12)), max_size=5)
KEY = seal_key(b"a pepper of at least sixteen bytes")


def head_of(org: str, chained: list[tuple[bytes, bytes]]) -> bytes:
    """The head after all of them."""
    head = first_head(org)
    for entry_id, entry in chained:
        head = extended(head, entry_id, entry)
    return head


@given(one=entries, other=entries)
def test_different_logs_have_different_heads(
    one: list[tuple[bytes, bytes]], other: list[tuple[bytes, bytes]]
) -> None:
    """No change, removal, addition, reordering or shift of bytes keeps the head."""
    assume(one != other)

    assert head_of("acme", one) != head_of("acme", other)


def test_logs_of_two_orgs_do_not_share_heads() -> None:
    """An entry cannot be passed off as another org's."""
    assert head_of("acme", [(b"1-0", b"x")]) != head_of("beta", [(b"1-0", b"x")])


@pytest.mark.parametrize(
    "change",
    [
        {"org": "beta"},
        {"entries": 8},
        {"last_id": "6-0"},
        {"head": "cd" * 32},
        {"previous": "ff"},
        {"at": 2.0},
        {"signature": "é"},
    ],
)
def test_a_signature_covers_every_field(change: dict[str, object]) -> None:
    """A checkpoint that was touched, or signed with another key, is not genuine."""
    bare = Checkpoint(org="acme", entries=7, last_id="5-0", head="ab" * 32, previous="", at=1.0)
    checkpoint = signed(bare, KEY)

    assert is_genuine(checkpoint, KEY)
    assert not is_genuine(checkpoint, seal_key(b"another pepper, sixteen bytes"))
    assert not is_genuine(msgspec.structs.replace(checkpoint, **change), KEY)
