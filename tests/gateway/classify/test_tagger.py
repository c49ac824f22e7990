"""The network that marks names and addresses."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from gateway.classify.tagger import (
    TAGS,
    Tagger,
    TaggerWeights,
    beside,
    load_tagger,
    pack_weights,
    unpack_weights,
)
from gateway.classify.tagger_tokens import BUCKETS, tokens_of


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return load_tagger()


def _marked(tagger: Tagger, text: str) -> list[tuple[str, str]]:
    tokens = tokens_of(text)
    return [
        (one.type, text[tokens[one.first].start : tokens[one.end - 1].end])
        for one in tagger.tag(tokens)
    ]


def test_names_and_addresses_are_marked(tagger: Tagger):
    """A sentence that it has never seen is read."""
    marked = _marked(
        tagger, "Please bring Helga Brandt her tools, she lives at 9 Mühlweg 4, Fulda."
    )

    assert marked == [("person", "Helga Brandt"), ("address", "9 Mühlweg 4, Fulda")]


def test_two_names_in_a_row_are_two(tagger: Tagger):
    """Where one name ends and the next begins is seen."""
    marked = _marked(tagger, "Regards,\nPaul Weber\nAnna Rossi")

    assert marked == [("person", "Paul Weber"), ("person", "Anna Rossi")]


def test_nothing_is_marked_in_nothing(tagger: Tagger):
    """No tokens, no spans."""
    assert tagger.tag([]) == []


def test_neighbours_stand_in_one_row():
    """A row holds its neighbours' values in order, and zeros beyond the ends."""
    rows = np.array([[1, 2], [3, 4], [5, 6]], np.float32)

    assert beside(rows, 1).tolist() == [[0, 0, 1, 2, 3, 4], [1, 2, 3, 4, 5, 6], [3, 4, 5, 6, 0, 0]]


def test_packed_weights_tag_alike(tagger: Tagger):
    """Rounding for the file changes nothing once it was done."""
    again = Tagger(unpack_weights(pack_weights(tagger._weights)))
    text = "Ship to Maria Gonzalez, 12 Calle Mayor, 28013 Madrid"

    assert _marked(again, text) == _marked(tagger, text)


def test_weights_for_other_features_are_refused(tagger: Tagger):
    """A file of another version is not read as if it fitted."""
    weights = tagger._weights
    cut = msgspec.structs.replace(weights, embeddings=weights.embeddings[: BUCKETS // 2])

    with pytest.raises(ValueError, match="other features"):
        unpack_weights(pack_weights(cut))


def test_the_weights_have_a_place_for_every_tag(tagger: Tagger):
    """The output has one column a tag."""
    weights: TaggerWeights = tagger._weights

    assert weights.output.shape[1] == len(TAGS)
