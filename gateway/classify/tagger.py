"""A small network that marks postal addresses and names of people in a run of tokens.

Two layers that look at a few neighbours each, over summed embeddings of hashed features. Trained by
`ops/training/tagger.py` on texts that it makes up.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from importlib.resources import files

import msgspec
import numpy as np
import numpy.typing as npt

from gateway.classify.tagger_tokens import BUCKETS, FEATURES, Token, packed_rows

Floats = npt.NDArray[np.float32]

#: The tags: outside; first and further tokens of an address; of a person's name.
TAGS = ("O", "B-address", "I-address", "B-person", "I-person")
#: How many neighbours on either side the first and the second layer see.
REACH = (2, 3)
#: What stands between two runs of tokens, so that neither layer sees from one into the other.
_GAP = max(REACH)
#: Rows that are multiplied at once.
_BLOCK = 16
_BETWEEN = bytes(2 * FEATURES * _GAP)


class TaggerWeights(msgspec.Struct, frozen=True):
    """The parameters: embeddings, two layers and the output with their offsets."""

    embeddings: Floats
    first: Floats
    first_offset: Floats
    second: Floats
    second_offset: Floats
    output: Floats
    output_offset: Floats


class Tagged(msgspec.Struct, frozen=True):
    """A span of tokens (end exclusive) with its type and the mean probability of its tags."""

    type: str
    first: int
    end: int
    confidence: float


class Tagger:
    """The network, ready to read. Serves any number of threads: it keeps nothing."""

    def __init__(self, weights: TaggerWeights) -> None:
        self._weights = weights

    def tag(self, tokens: Sequence[Token]) -> list[Tagged]:
        """The spans in a run of tokens, from left to right."""
        return self.tag_all([tokens])[0]

    def tag_all(self, runs: Sequence[Sequence[Token]]) -> list[list[Tagged]]:
        """The spans in each of several runs, none of which sees another."""
        parts: list[bytes] = []
        bounds = []
        start = 0
        for tokens in runs:
            parts += (packed_rows(tokens), _BETWEEN)
            bounds.append((start, start + len(tokens)))
            start += len(tokens) + _GAP
        if start == len(bounds) * _GAP:
            return [[] for _ in runs]
        chances = self._chances(b"".join(parts), [stop for _, stop in bounds])
        return [_spans(chances[start:stop]) for start, stop in bounds]

    def _chances(self, rows: bytes, gaps: Sequence[int]) -> Floats:
        """The probability of every tag at every token; `gaps` are where the padding begins."""
        weights = self._weights
        ids = np.frombuffer(rows, "<u2").reshape(-1, FEATURES)
        embedded = np.einsum("tfd->td", weights.embeddings.take(ids, axis=0))
        padding = [gap + n for gap in gaps for n in range(_GAP)]
        embedded[padding] = 0
        hidden = _product(beside(embedded, REACH[0]), weights.first)
        hidden += weights.first_offset
        np.maximum(hidden, 0, out=hidden)
        hidden[padding] = 0
        hidden = _product(beside(hidden, REACH[1]), weights.second)
        hidden += weights.second_offset
        np.maximum(hidden, 0, out=hidden)
        odds = hidden @ weights.output + weights.output_offset
        chances: Floats = np.exp(odds - odds.max(axis=1, keepdims=True))
        chances /= chances.sum(axis=1, keepdims=True)
        return chances


def _product(rows: Floats, weights: Floats) -> Floats:
    """The product of matrices, by blocks of rows.

    OpenBLAS shares a product of more than some 260,000 multiplications among threads, who then
    wait for one another; where cores are busy that takes a hundred times as long as the work.
    """
    count = len(rows)
    product = np.empty((count, weights.shape[1]), np.float32)
    whole = count - count % _BLOCK
    if whole:
        blocks = rows[:whole].reshape(-1, _BLOCK, rows.shape[1])
        np.matmul(blocks, weights, out=product[:whole].reshape(-1, _BLOCK, weights.shape[1]))
    if whole < count:
        np.matmul(rows[whole:], weights, out=product[whole:])
    return product


def beside(rows: Floats, reach: int) -> Floats:
    """Each row with its neighbours on both sides, as one longer row; zeros beyond the ends."""
    count, width = rows.shape
    padded = np.zeros((count + 2 * reach, width), np.float32)
    padded[reach : reach + count] = rows
    # Neighbours lie side by side in memory already, so the longer rows are only another view;
    # it is copied, because a matrix product of overlapping rows would not be given to BLAS.
    shape, strides = (count, (2 * reach + 1) * width), (4 * width, 4)
    return np.ndarray(shape, np.float32, padded, 0, strides).copy()


def _spans(chances: Floats) -> list[Tagged]:
    """Runs of tokens of one kind; a token that is rather a first one than a further one cuts."""
    outside = chances[:, 0]
    spans: list[Tagged] = []
    last, first, total = "", 0, 0.0
    place = -1
    # A token is of no kind where both kinds together are less likely than none.
    for at in np.flatnonzero(outside < 0.5).tolist():
        none, b_address, i_address, b_person, i_person = chances[at].tolist()
        address, person = b_address + i_address, b_person + i_person
        kind, chance = ("address", address) if address >= person else ("person", person)
        if chance < none:
            continue
        begins = b_address > i_address if kind == "address" else b_person > i_person
        if kind != last or at != place or begins:
            if last:
                spans.append(Tagged(last, first, place, total / (place - first)))
            last, first, total = kind, at, 0.0
        total += chance
        place = at + 1
    if last:
        spans.append(Tagged(last, first, place, total / (place - first)))
    return spans


def pack_weights(weights: TaggerWeights) -> bytes:
    """The weights as a compressed `.npz`: embeddings in signed bytes, the rest in halves."""
    step = float(np.abs(weights.embeddings).max()) / 127 or 1.0
    arrays = {name: getattr(weights, name).astype(np.float16) for name in _NAMES}
    arrays["embeddings"] = np.round(weights.embeddings / step).astype(np.int8)
    file = io.BytesIO()
    np.savez_compressed(file, step=np.float32(step), **arrays)
    return file.getvalue()


def unpack_weights(raw: bytes) -> TaggerWeights:
    """Read what `pack_weights` wrote.

    Raises:
        ValueError: the weights were trained for other features than this version has.
    """
    with np.load(io.BytesIO(raw), allow_pickle=False) as arrays:
        step = float(arrays["step"])
        read = {name: arrays[name].astype(np.float32) for name in _NAMES}
    read["embeddings"] *= step
    if read["embeddings"].shape[0] != BUCKETS or read["output"].shape[1] != len(TAGS):
        raise ValueError("the tagger's weights are for other features than this version has")
    return TaggerWeights(**read)


def load_tagger() -> Tagger:
    """The tagger that comes with Fairlead."""
    weights = files("gateway.classify").joinpath("weights/names_and_addresses.npz").read_bytes()
    return Tagger(unpack_weights(weights))


_NAMES = tuple(TaggerWeights.__struct_fields__)
