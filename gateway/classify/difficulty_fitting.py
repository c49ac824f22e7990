"""Fits the heads and trees of a difficulty model to rows of features, with both answers' scores."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from gateway.classify.difficulty import CUTS, has_options, leveled
from gateway.classify.difficulty_features import SCALARS, Floats, Seen
from gateway.classify.difficulty_training import Head, Penalty, chance_of, design_of, fit_head
from gateway.classify.difficulty_trees import Grove, Trees, grow

#: Fewer rows than this say nothing.
LEAST_ROWS = 50
#: Trees over the features of tools, which are few.
TOOL_TREES = 300
#: Spreads of features that hardly vary are not blown up beyond this.
_LEAST_SPREAD = 0.05

Mask = npt.NDArray[np.bool_]


class Learning(msgspec.Struct, frozen=True):
    """The features, those of the tools, and the scores of all rows."""

    seen: Sequence[Seen]
    raw: Floats
    tools: Floats
    weak: Floats
    strong: Floats

    def of(self, chosen: Mask) -> Learning:
        """Only the chosen rows."""
        seen = [one for one, keep in zip(self.seen, chosen, strict=True) if keep]
        return Learning(
            seen, self.raw[chosen], self.tools[chosen], self.weak[chosen], self.strong[chosen]
        )

    @property
    def rule(self) -> Floats:
        """The hand rule's log-odds of every row."""
        return np.asarray(self.raw[:, -2])

    @property
    def room(self) -> Floats:
        """How much room (0..1) the hand rule leaves for what was learned, of every row."""
        return np.asarray(self.raw[:, -1])

    @property
    def with_options(self) -> Mask:
        """Which rows' prompts have lettered options."""
        return np.array([has_options(row) for row in self.raw])

    @property
    def with_tools(self) -> Mask:
        """Which rows' prompts have tools."""
        return self.tools[:, 0] > 0


class Scale(msgspec.Struct, frozen=True):
    """What puts dense features on one scale; see `gateway.classify.difficulty.leveled`."""

    means: Floats
    spreads: Floats
    cuts: Floats

    def levels(self, raw: Floats) -> Floats:
        """The dense features as the heads weigh them."""
        return leveled(raw, self.means, self.spreads, self.cuts)


def scale_of(raw: Floats) -> Scale:
    """The scale of these rows."""
    shares = np.arange(1, CUTS + 1) / (CUTS + 1)
    cuts = np.quantile(raw[:, : len(SCALARS)], shares, axis=0).T.copy()
    # Equal cuts would be one feature several times; those after the first are never passed.
    cuts[:, 1:][cuts[:, 1:] == cuts[:, :-1]] = np.inf
    return Scale(raw.mean(axis=0), np.maximum(raw.std(axis=0), _LEAST_SPREAD), cuts)


class Fitted(msgspec.Struct, frozen=True):
    """Both heads, the scale of their dense features, and the trees; see `DifficultyModel`."""

    weak: Head
    strong: Head
    scale: Scale
    trees: Trees = Trees()
    tool_trees: Trees = Trees()

    def score(self, learning: Learning, local: float) -> Floats:
        """The blended score of every row."""
        design = design_of(learning.seen, self.scale.levels(learning.raw))
        weak, strong = (chance_of(head.logits(design)) for head in (self.weak, self.strong))
        grown = Grove(self.trees).sums_of(learning.raw)
        if self.tool_trees.features:
            by_tools = Grove(self.tool_trees).sums_of(learning.tools)
            grown = np.where(learning.with_tools, by_tools, grown)
        return (1 - local) * (1 - weak) + local * (strong - weak + grown)


def fit_all(learning: Learning, penalty: Penalty) -> Fitted:
    """Fit both heads, and trees that tell the gain, with tools others than without."""
    heads = fit_both(learning, penalty)
    gain, apart = learning.strong - learning.weak, learning.with_tools
    rest = ~apart
    if apart.sum() < LEAST_ROWS:
        return msgspec.structs.replace(heads, trees=grow(learning.raw, gain))
    if rest.sum() < LEAST_ROWS:
        rest = np.ones(len(gain), np.bool_)
    return msgspec.structs.replace(
        heads,
        trees=grow(learning.raw[rest], gain[rest]),
        tool_trees=grow(learning.tools[apart], gain[apart], TOOL_TREES),
    )


def fit_both(learning: Learning, penalty: Penalty) -> Fitted:
    """Fit P(weak adequate) and P(strong adequate)."""
    scale = scale_of(learning.raw)
    design = design_of(learning.seen, scale.levels(learning.raw))
    weak, strong = (
        fit_head(design, target, penalty) for target in (learning.weak, learning.strong)
    )
    return Fitted(weak, strong, scale)
