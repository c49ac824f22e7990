"""How likely it is that the self-hosted baseline's answer would be inadequate.

Two logistic heads, P(weak model adequate) and P(strong model adequate), over hashed words and
dense features. Without local evidence a prompt is judged by the failure of the weak head around
the hand rule; with it, more and more by the gain that the strong model would bring. Where a
prompt is unlike anything seen, the hand rule takes over.
"""

from __future__ import annotations

import hashlib
import math
import zlib
from collections.abc import Sequence
from importlib.resources import files

import msgspec
import numpy as np
import numpy.typing as npt

from gateway.classify.cues import CUES, Cue
from gateway.classify.difficulty_features import (
    BUCKETS,
    MARKS,
    OPTIONS_MARK,
    SCALARS,
    Floats,
    Seen,
    featurise,
    mark_of,
)
from gateway.classify.difficulty_rule import Rule, by_rule
from gateway.classify.difficulty_tools import NO_TOOLS, TOOL_SCALARS, read_tools
from gateway.classify.difficulty_trees import Grove, Trees

#: The dense features, in order. A model that was fitted to others cannot be read.
DENSE = (*SCALARS, *(f"cue_{cue.name}" for cue in CUES), "rule", "room")
_CUE_PLACE = {cue.name: len(SCALARS) + number for number, cue in enumerate(CUES)}
#: How many lettered options there are, told by the logarithm as all counts are.
AT_OPTIONS = SCALARS.index("options")
#: Fewer lines that begin with a letter are no options.
_LEAST_OPTIONS = math.log1p(3) - 1e-9
#: Each scalar is also told by how many of these cuts, at even shares of the rows, it passes.
CUTS = 7
#: Standardised features are held within this many spreads.
REACH = 4.0
_MAGIC = b"fairlead-difficulty 2 "


class BadModel(ValueError):
    """The bytes are no difficulty model of this version; the message says what is wrong."""


class Assessed(msgspec.Struct, frozen=True):
    """A difficulty, 0..1, and how much of it the model stands for (1: all, 0: the hand rule)."""

    difficulty: float
    reliability: float


class PackedHead(msgspec.Struct, frozen=True):
    """A logistic head: a signed byte for each bucket (times `step`), and the dense weights."""

    words: bytes
    step: float
    dense: tuple[float, ...]
    intercept: float


class DifficultyModel(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of a fitted model, as it is saved.

    `means` and `spreads` standardise the dense features; `cuts` are `CUTS` thresholds for each
    scalar, and the heads' dense weights are for the former and then the latter. `anchor` is how
    much of the hand rule's log-odds is added to those of failure, and `bound` the most that the
    rest may add. `local` is the share of gain, 0..1, in the score, and `rule_share` what each of
    the rule's log-odds adds to that; `slope` and `offset` make it a probability, as far as the
    hand rule leaves room where it is the anchor. `known` has a bit for each bucket of a word that
    was seen, and `learned` (or nothing) one for the `mark_of` each prompt that it learned from.

    `trees` tell the gain from the dense features, and count as `local` does; those of the cold
    start are in log-odds. Where there are `tool_trees`, they tell it in their place for prompts
    with tools, from the `tool_features`; in the cold start they tell it alone, and so do
    `option_trees` for prompts with lettered options. `tool_line` makes it log-odds, and so does
    `option_plane` with how many options there are. `evidence` is the number of local rows.
    """

    features: tuple[str, ...]
    means: tuple[float, ...]
    spreads: tuple[float, ...]
    cuts: tuple[float, ...]
    weak: PackedHead
    strong: PackedHead
    anchor: float
    bound: float
    local: float
    slope: float
    offset: float
    known: bytes
    trees: Trees = Trees()
    tool_trees: Trees = Trees()
    tool_features: tuple[str, ...] = ()
    tool_line: tuple[float, float] = (1.0, 0.0)
    option_trees: Trees = Trees()
    option_plane: tuple[float, float, float] = (1.0, 0.0, 0.0)
    rule_share: float = 0.0
    learned: bytes = b""
    evidence: int = 0
    note: str = ""


class Predictor:
    """A difficulty model made ready to judge prompts."""

    def __init__(self, model: DifficultyModel) -> None:
        self.model = model
        self._means = np.array(model.means)
        self._spreads = np.array(model.spreads)
        self._cuts = np.array(model.cuts).reshape(len(SCALARS), CUTS)
        heads = (model.weak, model.strong)
        self._words = [np.frombuffer(head.words, np.int8) for head in heads]
        self._steps = [head.step for head in heads]
        self._dense = np.array([head.dense for head in heads])
        self._intercepts = [head.intercept for head in heads]
        self._grove = Grove(model.trees)
        self._tool_grove = Grove(model.tool_trees) if model.tool_trees.features else None
        self._option_grove = Grove(model.option_trees) if model.option_trees.features else None
        self._known = np.unpackbits(np.frombuffer(model.known, np.uint8))

    def assess(self, prompt: str, size: int, cues: Sequence[Cue], stated: bytes = b"") -> Assessed:
        """Judge a prompt with these cues in a body of `size` bytes.

        `stated` is the JSON of its `tools` field, empty for none.
        """
        rule = by_rule(prompt, size, cues)
        lettered = self._option_grove is not None and OPTIONS_MARK in prompt
        # Where nothing that was learned would be heard, it need not be looked for.
        if self.model.anchor and not rule.room and not lettered:
            return by_rule_alone(rule)
        tools = read_tools(prompt, stated) if self._tool_grove is not None else NO_TOOLS
        by_tools = self._by_tools(tools, rule)
        if by_tools is not None:
            return by_tools
        seen = featurise(prompt)
        return self._assessed(seen, dense_features(seen, cues, rule), tools, rule)

    def assess_features(self, seen: Seen, dense: Floats, tools: Floats) -> Assessed:
        """Judge a prompt by its features: the values of `DENSE` and of `TOOL_SCALARS`."""
        rule = rule_of(dense)
        return self._by_tools(tools, rule) or self._assessed(seen, dense, tools, rule)

    def learned_from(self, seen: Seen) -> bool:
        """Whether the model has learned from this prompt, or from one whose mark is the same."""
        if not self.model.learned:
            return False
        place, bit = divmod(mark_of(seen), 8)
        return bool(self.model.learned[place] >> bit & 1)

    def _by_tools(self, tools: Floats, rule: Rule) -> Assessed | None:
        """What the cold start makes of tools by themselves.

        The hand rule goes by the length of the ask, which says nothing where tools are called.
        """
        if not self.model.anchor or self._tool_grove is None or not tools[0] or not rule.room:
            return None
        slope, offset = self.model.tool_line
        odds = slope * self._tool_grove.sum_of(tools) + offset
        return Assessed(round(_probability(odds), 4), round(rule.room, 4))

    def _assessed(self, seen: Seen, dense: Floats, tools: Floats, rule: Rule) -> Assessed:
        model = self.model
        trust = self._familiar(seen)
        reliability = trust
        # Exams are made of the words that tell elsewhere, so the rule counts for nothing there.
        if self._option_grove is not None and has_options(dense):
            slope, each, offset = model.option_plane
            odds = slope * self._option_grove.sum_of(dense) + each * dense[AT_OPTIONS] + offset
        elif model.anchor and not rule.room:
            return by_rule_alone(rule)
        else:
            odds = model.slope * self._score(seen, dense, tools, rule) + model.offset
            if model.anchor:
                reliability = trust * rule.room
                odds = rule.room * odds + (1 - rule.room) * rule.log_odds
        mixed = trust * _probability(odds) + (1 - trust) * _probability(rule.log_odds)
        return Assessed(round(mixed, 4), round(reliability, 4))

    def _score(self, seen: Seen, dense: Floats, tools: Floats, rule: Rule) -> float:
        weak, strong = self._log_odds(seen, dense)
        by_tools = self._tool_grove if tools[0] else None
        grown = self._grove.sum_of(dense) if by_tools is None else by_tools.sum_of(tools)
        return score_of(self.model, weak, strong, rule, grown)

    def _log_odds(self, seen: Seen, dense: Floats) -> tuple[float, float]:
        levels = self._dense @ leveled(dense[None], self._means, self._spreads, self._cuts)[0]
        scale = 1 / math.sqrt(max(1, len(seen.buckets)))
        weak, strong = (
            float(words.take(seen.buckets).sum(dtype=np.int64)) * step * scale + levels[n] + base
            for n, (words, step, base) in enumerate(
                zip(self._words, self._steps, self._intercepts, strict=True)
            )
        )
        return float(weak), float(strong)

    def _familiar(self, seen: Seen) -> float:
        """0..1: how much of the prompt's vocabulary was seen; short prompts need less to fall."""
        if not len(seen.singles):
            return 0.0
        share = float(self._known.take(seen.singles).sum(dtype=np.int64)) / len(seen.singles)
        return min(1.0, max(0.0, (share - 0.2) / 0.3))


def score_of(model: DifficultyModel, weak: float, strong: float, rule: Rule, grown: float) -> float:
    """What prompts are ordered by: failure of the weak model, blended with the gain.

    The gain is told twice, by the two heads and by the trees (`grown`), which err differently. In
    the cold start both may move the hand rule a little.
    """
    if not model.local:
        learned = min(model.bound, max(-model.bound, grown - weak))
        return model.anchor * rule.log_odds + learned
    failing = -weak
    gain = _probability(strong) - _probability(weak)
    learned = (1 - model.local) * _probability(failing) + model.local * (gain + grown)
    return learned + model.rule_share * rule.log_odds


def by_rule_alone(rule: Rule) -> Assessed:
    """What is left where nothing that was learned is heard."""
    return Assessed(round(_probability(rule.log_odds), 4), 0.0)


def rule_of(dense: Floats) -> Rule:
    """What the hand rule said, from the values of `DENSE`."""
    return Rule(float(dense[-2]), float(dense[-1]))


def has_options(dense: Floats) -> bool:
    """Whether a prompt with these values of `DENSE` has lettered options."""
    return bool(dense[AT_OPTIONS] >= _LEAST_OPTIONS)


def dense_features(seen: Seen, cues: Sequence[Cue], rule: Rule) -> Floats:
    """The values of `DENSE`, not yet standardised."""
    values = np.zeros(len(DENSE))
    values[: len(SCALARS)] = seen.scalars
    for cue in cues:
        values[_CUE_PLACE[cue.name]] = 1.0
    values[-2:] = rule
    return values


def leveled(raw: Floats, means: Floats, spreads: Floats, cuts: Floats) -> Floats:
    """Rows of dense features in spreads from their mean, and which cuts their scalars pass."""
    even = np.minimum(np.maximum((raw - means) / spreads, -REACH), REACH)
    passed = raw[:, : len(SCALARS), None] > cuts
    return np.concatenate((even, passed.reshape(len(raw), -1)), axis=1)


def pack_head(words: Floats, dense: Floats, intercept: float) -> PackedHead:
    """Round the word weights to signed bytes."""
    step = float(np.abs(words).max()) / 127 or 1.0
    rounded: npt.NDArray[np.int8] = np.round(words / step).astype(np.int8)
    return PackedHead(rounded.tobytes(), step, tuple(float(x) for x in dense), intercept)


def pack_model(model: DifficultyModel) -> bytes:
    """The model as a file: a line with its version and checksum, then compressed MessagePack."""
    body = zlib.compress(msgspec.msgpack.encode(model), 9)
    return _MAGIC + hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def unpack_model(raw: bytes) -> DifficultyModel:
    """Read what `pack_model` wrote.

    Raises:
        BadModel: it is cut short, changed, or was fitted to other features.
    """
    first, _, body = raw.partition(b"\n")
    if not first.startswith(_MAGIC):
        raise BadModel("it is no difficulty model of this version; calibrate it anew")
    if first[len(_MAGIC) :] != hashlib.sha256(body).hexdigest().encode():
        raise BadModel("it is damaged (its checksum does not fit)")
    try:
        model = msgspec.msgpack.decode(zlib.decompress(body), type=DifficultyModel)
    except (zlib.error, msgspec.DecodeError) as problem:
        raise BadModel(f"it cannot be read: {problem}") from None
    heads = (model.weak, model.strong)
    fits = all(
        len(head.words) == BUCKETS and len(head.dense) == len(DENSE) + len(SCALARS) * CUTS
        for head in heads
    )
    for trees, width in (
        (model.trees, len(DENSE)),
        (model.option_trees, len(DENSE)),
        (model.tool_trees, len(TOOL_SCALARS)),
    ):
        fits = fits and trees.fits and all(0 <= number < width for number in trees.features)
    if model.tool_trees.features:
        fits = fits and model.tool_features == TOOL_SCALARS
    fits = fits and len(model.learned) in (0, MARKS // 8)
    if not fits or model.features != DENSE or len(model.cuts) != len(SCALARS) * CUTS:
        raise BadModel("it was fitted to other features than this version has; calibrate it anew")
    return model


def load_shipped() -> DifficultyModel:
    """The cold-start model that comes with Fairlead."""
    return unpack_model(files("gateway.classify").joinpath("weights/cold_start.model").read_bytes())


def _probability(log_odds: float) -> float:
    return 0.5 * (1 + math.tanh(0.5 * log_odds))
