"""Trains the cold-start difficulty model and measures it, one data set left out at a time.

    .venv/bin/python -m ops.training.difficulty [--data FOLDER] [--write] [--with-twins]

Every figure of `ops/docs/difficulty.md` on the cold start comes from here. A prompt of the set
that is left out is not trained on in another set either, unless `--with-twins` is given: GSM8K
and ZeroEval share prompts, as do MMLU and MMLU-Pro.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np

from gateway.classify.cues import load_cues
from gateway.classify.difficulty import DENSE, DifficultyModel, pack_head, pack_model
from gateway.classify.difficulty_calibration import (
    Learning,
    Pair,
    Scale,
    apgr,
    known_words,
    learn_from,
    scale_of,
)
from gateway.classify.difficulty_features import Floats
from gateway.classify.difficulty_training import (
    Head,
    Penalty,
    design_of,
    fit_head,
    fit_line,
)
from gateway.classify.routing_curve import calibration_error

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data" / "routing"
WEIGHTS = ROOT / "gateway" / "classify" / "weights" / "cold_start.model"

#: The share of the hand rule's log-odds that is added to those of failure.
ANCHOR = 1.0
#: The most that what was learned may add to it or take from it.
BOUND = 0.4
PENALTY = Penalty(30.0, 3000.0)
#: Weight of the one-hot feature that gives each data set a base rate of its own.
_OWN = 30.0


class Source(msgspec.Struct, frozen=True):
    """One data set: its rows' prompts in brief, and their features and scores."""

    name: str
    keys: Sequence[str]
    learning: Learning


class Cold(msgspec.Struct, frozen=True):
    """What is learned about failure beyond the hand rule."""

    head: Head
    scale: Scale

    def log_odds(self, learning: Learning) -> Floats:
        """Log-odds of failure, before they are made a probability."""
        level = self.scale.levels(learning.raw)
        learned = -self.head.logits(design_of(learning.seen, level))
        return ANCHOR * learning.raw[:, -2] + np.clip(learned, -BOUND, BOUND)


def read_sources(folder: Path) -> dict[str, Source]:
    """Every data set of the folder, its development rows."""
    cues = load_cues()
    sources = {}
    for path in sorted(folder.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        rows = [row for row in rows if row["split"] == "dev"]
        pairs = [Pair(row["prompt"], row["weak_score"], row["strong_score"]) for row in rows]
        keys = [pair.prompt.strip()[:200] for pair in pairs]
        name = path.name.split(".")[0]
        sources[name] = Source(name, keys, learn_from(pairs, cues))
    return sources


def merged(sources: Sequence[Source], without: frozenset[str]) -> tuple[Learning, Floats]:
    """The rows of several sets as one, and a one-hot of the set that each comes from."""
    parts, places = [], []
    for number, source in enumerate(sources):
        kept = source.learning.of(np.array([key not in without for key in source.keys]))
        parts.append(kept)
        places += [number] * len(kept.seen)
    own = np.zeros((len(places), len(sources)))
    own[np.arange(len(places)), places] = _OWN
    return (
        Learning(
            [one for part in parts for one in part.seen],
            np.concatenate([part.raw for part in parts]),
            np.concatenate([part.weak for part in parts]),
            np.concatenate([part.strong for part in parts]),
        ),
        own,
    )


def fit(sources: Sequence[Source], without: frozenset[str] = frozenset()) -> tuple[Cold, Learning]:
    """Learn failure from several sets; the sets' base rates are taken out."""
    learning, own = merged(sources, without)
    scale = without_cuts(scale_of(learning.raw))
    level = scale.levels(learning.raw)
    design = design_of(learning.seen, np.concatenate((level, own), axis=1))
    head = fit_head(design, learning.weak, PENALTY, offset=-ANCHOR * learning.raw[:, -2])
    width = level.shape[1]
    rates = head.dense[width:] * _OWN
    bare = Head(head.words, head.dense[:width], head.intercept + float(rates.mean()))
    return Cold(bare, scale), learning


def without_cuts(scale: Scale) -> Scale:
    """A straight line for every feature: what bends on one data set does not travel."""
    return Scale(scale.means, scale.spreads, np.full_like(scale.cuts, np.inf))


def packed(cold: Cold, learning: Learning) -> DifficultyModel:
    """The model that ships; its score is made a probability on all rows together."""
    slope, offset = line_of(cold, learning)
    empty = pack_head(np.zeros_like(cold.head.words), np.zeros_like(cold.head.dense), 0.0)
    return DifficultyModel(
        features=DENSE,
        means=tuple(cold.scale.means.tolist()),
        spreads=tuple(cold.scale.spreads.tolist()),
        cuts=tuple(cold.scale.cuts.ravel().tolist()),
        weak=pack_head(cold.head.words, cold.head.dense, cold.head.intercept),
        strong=empty,
        anchor=ANCHOR,
        bound=BOUND,
        local=0.0,
        slope=slope,
        offset=offset,
        known=known_words(learning.seen),
        note="cold start",
    )


def line_of(cold: Cold, learning: Learning) -> tuple[float, float]:
    """What makes the score a probability, from the rows to which the hand rule leaves room."""
    open_ones = learning.raw[:, -1] > 0.5
    return fit_line(cold.log_odds(learning)[open_ones], 1 - learning.weak[open_ones])


def odds_of(cold: Cold, line: tuple[float, float], learning: Learning) -> Floats:
    """The final log-odds, as `gateway.classify.difficulty.Predictor` has them."""
    room, rule = learning.raw[:, -1], learning.raw[:, -2]
    return np.asarray(room * (line[0] * cold.log_odds(learning) + line[1]) + (1 - room) * rule)


def leave_one_out(sources: Mapping[str, Source], *, twins: bool) -> dict[str, float]:
    """APGR on each set by a model that was trained on the others."""
    result = {}
    for name, source in sources.items():
        others = [other for other in sources.values() if other.name != name]
        cold, learning = fit(others, frozenset() if twins else frozenset(source.keys))
        score = odds_of(cold, line_of(cold, learning), source.learning)
        result[name] = apgr(score, source.learning) or 0.0
    return result


def main() -> int:
    """Measure, and write the weights when asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--with-twins", action="store_true")
    parser.add_argument("--no-measure", action="store_true")
    given = parser.parse_args()
    sources = read_sources(given.data)
    if not given.no_measure:
        left_out = leave_one_out(sources, twins=given.with_twins)
        for name, value in left_out.items():
            print(f"{name:16}{value:.4f}")
        print(f"{'mean':16}{np.mean(list(left_out.values())):.4f}")
    cold, learning = fit(list(sources.values()))
    model = packed(cold, learning)
    chance = 0.5 * (1 + np.tanh(0.5 * odds_of(cold, line_of(cold, learning), learning)))
    print(f"calibration error {calibration_error(chance, 1 - learning.weak):.4f}")
    if given.write:
        WEIGHTS.write_bytes(pack_model(model))
        print(f"{WEIGHTS.relative_to(ROOT)}: {WEIGHTS.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
