"""Small trees over the dense features, each one correcting the sum of those before it.

Every tree asks the same few questions of all prompts (feature above a cut?), so that its answer
is one look-up: gradient boosting with the symmetric trees of CatBoost (arXiv 1706.09516), on
squared error. Lines over features cannot say "long, but only where there are options"; these can.
"""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.intp]

#: Questions of one tree, and how many trees there are.
DEPTH = 3
TREES = 150
#: How much of each correction is taken.
_PACE = 0.06
#: Answers are held to zero as if so many more rows had had nothing to correct.
_HELD = 20.0
#: Each level looks at so large a share of the features, and each tree at so many of the rows:
#: trees that differ err less together.
_FEATURES, _ROWS = 0.25, 0.7
#: Cuts of one feature that are tried.
_CUTS = 15
_PLACES = 1 << np.arange(DEPTH)


class Trees(msgspec.Struct, frozen=True):
    """`features` and `cuts` are those of each tree's questions, `values` its 2 ** DEPTH answers."""

    features: tuple[int, ...] = ()
    cuts: tuple[float, ...] = ()
    values: tuple[float, ...] = ()
    base: float = 0.0

    @property
    def fits(self) -> bool:
        """Whether there are as many cuts and answers as questions."""
        trees, rest = divmod(len(self.features), DEPTH)
        answers = len(self.values) == trees << DEPTH
        return not rest and len(self.cuts) == len(self.features) and answers


class Grove:
    """Trees made ready to judge."""

    def __init__(self, trees: Trees) -> None:
        self._features = np.array(trees.features, np.intp).reshape(-1, DEPTH)
        self._cuts = np.array(trees.cuts).reshape(-1, DEPTH)
        self._values = np.array(trees.values)
        self._first = np.arange(len(self._features)) << DEPTH
        self._base = trees.base

    def sum_of(self, raw: Floats) -> float:
        """What the trees make of one prompt's dense features."""
        if not len(self._first):
            return self._base
        answers = (raw.take(self._features) > self._cuts) @ _PLACES + self._first
        return self._base + float(self._values.take(answers).sum())

    def sums_of(self, raw: Floats) -> Floats:
        """The same for rows of dense features."""
        total = np.full(len(raw), self._base)
        for features, cuts, first in zip(self._features, self._cuts, self._first, strict=True):
            total += self._values[(raw[:, features] > cuts) @ _PLACES + first]
        return total


def grow(raw: Floats, target: Floats, trees: int = TREES) -> Trees:
    """Fit trees to a target by rows of dense features. The same rows give the same trees."""
    chance = np.random.default_rng(7)
    edges = _edges_of(raw)
    places = np.array(
        [np.searchsorted(edges[n], raw[:, n], side="left") for n in range(raw.shape[1])], np.intp
    )
    base = float(target.mean())
    left = target - base
    features: list[int] = []
    cuts: list[float] = []
    values: list[float] = []
    for _ in range(trees):
        chosen = np.flatnonzero(chance.random(len(target)) < _ROWS)
        part, error = places[:, chosen], left[chosen]
        leaf, every = np.zeros(len(chosen), np.intp), np.zeros(len(target), np.intp)
        for level in range(DEPTH):
            looked = chance.permutation(len(places))[: max(1, round(_FEATURES * len(places)))]
            feature, cut = _best_question(part, looked, error, leaf, 1 << level)
            features.append(feature)
            cuts.append(float(edges[feature][cut]))
            leaf += (part[feature] > cut) << level
            every += (places[feature] > cut) << level
        rows = np.bincount(leaf, minlength=1 << DEPTH)
        answer = _PACE * np.bincount(leaf, error, 1 << DEPTH) / (rows + _HELD)
        left -= answer[every]
        values += answer.tolist()
    return Trees(tuple(features), tuple(cuts), tuple(values), base)


def _edges_of(raw: Floats) -> Floats:
    """The cuts to be tried for each feature: at even shares of the rows, equal ones once."""
    shares = np.arange(1, _CUTS + 1) / (_CUTS + 1)
    edges = np.full((raw.shape[1], _CUTS), np.inf)
    for number, cuts in enumerate(np.quantile(raw, shares, axis=0, method="lower").T):
        distinct = np.unique(cuts)
        # What is left over is never passed: a tree that gains by no question asks such a one.
        edges[number, : len(distinct)] = distinct
    return edges


def _best_question(
    places: Integers, looked: Integers, error: Floats, leaf: Integers, leaves: int
) -> tuple[int, int]:
    """The feature, and the place of its cut, after which the leaves leave the least error."""
    width = _CUTS + 1
    cells = len(looked) * leaves * width
    at = places[looked] + leaf * width + (np.arange(len(looked)) * leaves * width)[:, None]
    rows = np.bincount(at.ravel(), minlength=cells).reshape(-1, leaves, width)
    weight = np.broadcast_to(error, at.shape).ravel()
    sums = np.bincount(at.ravel(), weight, cells).reshape(-1, leaves, width)
    below, under = rows.cumsum(axis=2), sums.cumsum(axis=2)
    above, over = below[:, :, -1:] - below, under[:, :, -1:] - under
    gained = under**2 / (below + _HELD) + over**2 / (above + _HELD)
    best = int(gained.sum(axis=1)[:, : width - 1].argmax())
    feature, cut = int(looked[best // (width - 1)]), best % (width - 1)
    return feature, cut
