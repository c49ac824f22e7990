"""Lists that Redis answers with."""

from __future__ import annotations

import pytest

from gateway.stores.connection import Reply
from gateway.stores.replies import fields_in, texts_in


@pytest.mark.parametrize(
    ("reply", "texts"),
    [([b"a", None, b"b", 3, [b"c"]], [b"a", b"b"]), (b"a", []), (None, []), (1, []), ([], [])],
)
def test_only_texts_of_a_list_are_read(reply: Reply, texts: list[bytes]) -> None:
    assert texts_in(reply) == texts


def test_a_hash_is_told_as_names_and_values() -> None:
    assert fields_in([b"team", b"support", b"name", b""]) == {"team": b"support", "name": b""}


def test_a_name_without_a_value_is_no_hash() -> None:
    with pytest.raises(ValueError, match="shorter"):
        fields_in([b"team", b"support", b"name"])
