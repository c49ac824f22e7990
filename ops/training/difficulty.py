"""Trains the cold-start difficulty model and measures it, one data set left out at a time.

    .venv/bin/python -m ops.training.difficulty [--data FOLDER] [--write] [--curves FOLDER]

Every figure of `ops/docs/difficulty.md` on the cold start comes from here. A prompt of the set
that is left out is not trained on in another set either, unless `--with-twins` is given: GSM8K
and ZeroEval share prompts, as do MMLU and MMLU-Pro.
"""

from __future__ import annotations

import argparse
import gzip
import json
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from gateway.classify.cues import load_cues
from gateway.classify.difficulty import (
    AT_OPTIONS,
    CUTS,
    DENSE,
    DifficultyModel,
    pack_head,
    pack_model,
)
from gateway.classify.difficulty_calibration import (
    Pair,
    apgr,
    cross_validated,
    known_words,
    learn_from,
)
from gateway.classify.difficulty_features import BUCKETS, MARKS, SCALARS, Floats, Seen, mark_of
from gateway.classify.difficulty_fitting import TOOL_TREES, Learning
from gateway.classify.difficulty_tools import TOOL_SCALARS
from gateway.classify.difficulty_training import Design, Penalty, chance_of, fit_head, fit_line
from gateway.classify.difficulty_trees import Grove, Trees, grow
from gateway.classify.routing_curve import GRID, calibration_error, quality_curve
from gateway.reports.routing_chart import svg_chart

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data" / "routing"
WEIGHTS = ROOT / "gateway" / "classify" / "weights" / "cold_start.model"

#: How many log-odds a whole point of gain is worth beside those of the hand rule, and the most
#: that it may add or take.
PULL, BOUND = 4.0, 2.0
#: Few trees: what more of them learn of some sets does not travel to others.
TREES = 80
#: Trees for prompts with lettered options, which they judge alone.
OPTION_TREES = 120
#: Parts into which the prompts of all sets are put to be left out in turn.
_FOLDS = 5


class Source(msgspec.Struct, frozen=True):
    """One data set: its rows' prompts in brief, the part that each is from, and what is known."""

    name: str
    keys: Sequence[str]
    parts: Sequence[str]
    learning: Learning


Line = tuple[float, float]


class Cold(msgspec.Struct, frozen=True):
    """What is learned about the gain: beyond the hand rule, from tools, and from options."""

    trees: Trees
    tools: Trees
    tool_line: Line
    options: Trees
    option_plane: tuple[float, float, float]

    def learned(self, learning: Learning) -> Floats:
        """The log-odds that are added to those of the hand rule, as far as it leaves room."""
        return np.clip(Grove(self.trees).sums_of(learning.raw), -BOUND, BOUND)

    def by_form(self, learning: Learning) -> Floats:
        """Log-odds of failure by the tools or the options alone; NaN where there are none."""
        told = np.full(len(learning.seen), np.nan)
        if self.options.features:
            by_options = Grove(self.options).sums_of(learning.raw)
            slope, each, offset = self.option_plane
            odds = slope * by_options + each * learning.raw[:, AT_OPTIONS] + offset
            told = np.where(learning.with_options, odds, told)
        if self.tools.features:
            by_tools = Grove(self.tools).sums_of(learning.tools)
            asked = learning.with_tools & (learning.room > 0)
            told[asked] = self.tool_line[0] * by_tools[asked] + self.tool_line[1]
        return told


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
        parts = [row["subset"] for row in rows]
        sources[name] = Source(name, keys, parts, learn_from(pairs, cues))
    return sources


def merged(sources: Sequence[Source], without: frozenset[str]) -> tuple[Learning, Floats]:
    """The rows of several sets as one, and by how much each gains more than others of its set."""
    kept = [
        source.learning.of(np.array([key not in without for key in source.keys]))
        for source in sources
    ]
    gains = [part.strong - part.weak for part in kept]
    return (
        Learning(
            [one for part in kept for one in part.seen],
            np.concatenate([part.raw for part in kept]),
            np.concatenate([part.tools for part in kept]),
            np.concatenate([part.weak for part in kept]),
            np.concatenate([part.strong for part in kept]),
        ),
        np.concatenate([gain - gain.mean() for gain in gains if len(gain)]),
    )


def fit(sources: Sequence[Source], without: frozenset[str] = frozenset()) -> tuple[Cold, Learning]:
    """Learn the gain from several sets; how large it is on each of them is taken out."""
    learning, gain = merged(sources, without)
    grown = grow(learning.raw, gain, TREES)
    trees = msgspec.structs.replace(
        grown, values=tuple(PULL * value for value in grown.values), base=0.0
    )
    parts = [
        part
        for source in sources
        for part, key in zip(source.parts, source.keys, strict=True)
        if key not in without
    ]
    return Cold(trees, *of_tools(learning, parts), *of_options(learning)), learning


def of_options(learning: Learning) -> tuple[Trees, tuple[float, float, float]]:
    """Trees that tell the gain from a prompt with lettered options, and what makes it log-odds.

    That is fitted to what trees say that have not seen the row, and to the number of options: the
    fewer there are, the more is guessed right.
    """
    asked = learning.with_options
    if not asked.any():
        return Trees(), (1.0, 0.0, 0.0)
    rows = learning.of(asked)
    gain = rows.strong - rows.weak
    crossed = parts_left_out(rows.raw, gain, np.arange(len(gain)) % _FOLDS, OPTION_TREES)
    told = np.stack([crossed, rows.raw[:, AT_OPTIONS]], axis=1)
    no_words = Design(np.zeros(0, np.int32), np.zeros(len(gain), np.int64), told)
    plane = fit_head(no_words, 1 - rows.weak, Penalty(1.0, 1e-3))
    slope, each = plane.dense.tolist()
    return grow(rows.raw, gain, OPTION_TREES), (slope, each, plane.intercept)


def of_tools(learning: Learning, parts: Sequence[str]) -> tuple[Trees, Line]:
    """Trees that tell the gain from tools, and the line that makes it log-odds.

    The line is fitted to what trees say that have not seen the part of a data set (the kind of
    task) that a row is from.
    """
    apart = learning.with_tools
    if not apart.any():
        return Trees(), (1.0, 0.0)
    rows = learning.of(apart)
    gain = rows.strong - rows.weak
    crossed = parts_left_out(rows.tools, gain, np.array(parts)[apart], TOOL_TREES)
    return grow(rows.tools, gain, TOOL_TREES), fit_line(crossed, 1 - rows.weak)


def parts_left_out(raw: Floats, gain: Floats, parts: npt.NDArray[Any], trees: int) -> Floats:
    """What so many trees say of each row that were grown on the rows of other parts."""
    told = np.zeros(len(gain))
    for part in np.unique(parts):
        held = parts == part
        told[held] = Grove(grow(raw[~held], gain[~held], trees)).sums_of(raw[held])
    return told


def packed(cold: Cold, learning: Learning) -> DifficultyModel:
    """The model that ships."""
    width = len(DENSE) + len(SCALARS) * CUTS
    no_head = pack_head(np.zeros(BUCKETS), np.zeros(width), 0.0)
    return DifficultyModel(
        features=DENSE,
        means=(0.0,) * len(DENSE),
        spreads=(1.0,) * len(DENSE),
        cuts=(np.inf,) * (len(SCALARS) * CUTS),
        weak=no_head,
        strong=no_head,
        anchor=1.0,
        bound=BOUND,
        local=0.0,
        slope=1.0,
        offset=0.0,
        known=known_words(learning.seen),
        learned=marks_of(learning.seen),
        trees=cold.trees,
        tool_trees=cold.tools,
        tool_features=TOOL_SCALARS,
        tool_line=cold.tool_line,
        option_trees=cold.options,
        option_plane=cold.option_plane,
        note="cold start",
    )


def marks_of(seen: Sequence[Seen]) -> bytes:
    """A bit for the mark of each prompt, so that the model can say that it has learned from it."""
    bits = np.zeros(MARKS, np.uint8)
    bits[[mark_of(one) for one in seen]] = 1
    return np.packbits(bits, bitorder="little").tobytes()


def odds_of(cold: Cold, learning: Learning) -> Floats:
    """The log-odds of failure, as `gateway.classify.difficulty.Predictor` has them."""
    odds, by_form = learning.rule + learning.room * cold.learned(learning), cold.by_form(learning)
    return np.asarray(np.where(np.isnan(by_form), odds, by_form))


def leave_one_out(sources: Mapping[str, Source], *, twins: bool) -> dict[str, float]:
    """APGR on each set by a model that was trained on the others."""
    result = {}
    for name, source in sources.items():
        others = [other for other in sources.values() if other.name != name]
        cold, _ = fit(others, frozenset() if twins else frozenset(source.keys))
        result[name] = apgr(odds_of(cold, source.learning), source.learning) or 0.0
    return result


def prompts_left_out(sources: Mapping[str, Source]) -> tuple[dict[str, Floats], dict[str, float]]:
    """What models that know each set say of its prompts, never of those they learned from.

    These are log-odds; and the APGR of each set, the mean of its fifths.
    """
    told = {name: np.zeros(len(source.keys)) for name, source in sources.items()}
    found: dict[str, list[float]] = {name: [] for name in sources}
    for fold in range(_FOLDS):
        held = {
            name: np.array([zlib.crc32(key.encode()) % _FOLDS == fold for key in source.keys])
            for name, source in sources.items()
        }
        without = {
            key
            for name, source in sources.items()
            for key, one in zip(source.keys, held[name], strict=True)
            if one
        }
        cold, _ = fit(list(sources.values()), frozenset(without))
        for name, source in sources.items():
            rows = source.learning.of(held[name])
            told[name][held[name]] = odds = odds_of(cold, rows)
            found[name].append(apgr(odds, rows) or 0.0)
    return told, {name: float(np.mean(values)) for name, values in found.items()}


def draw(folder: Path, sources: Mapping[str, Source], told: Mapping[str, Floats]) -> None:
    """A picture of each set's curves: of the model that ships, of a local one, and of length."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, source in sources.items():
        rows = source.learning
        scores = {
            "prompt length": rows.raw[:, SCALARS.index("length")],
            "shipped, not having seen the prompts": told[name],
            "local evidence, cross-validated": cross_validated(rows),
            "both answers known": rows.strong - rows.weak,
        }
        curves = {
            score: quality_curve(values, rows.weak, rows.strong)[::10].tolist()
            for score, values in scores.items()
        }
        curves["chance"] = GRID[::10].tolist()
        (folder / f"routing_{name}.svg").write_text(svg_chart(f"Routing on {name}", curves))


def main() -> int:
    """Measure, and write the weights when asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--with-twins", action="store_true")
    parser.add_argument("--no-measure", action="store_true")
    parser.add_argument("--curves", type=Path, help="draw each set's curves into this folder")
    given = parser.parse_args()
    sources = read_sources(given.data)
    if not given.no_measure:
        left_out = leave_one_out(sources, twins=given.with_twins)
        told, known = prompts_left_out(sources)
        print(f"{'left out:':16}{'the set':>8}{'prompts':>9}")
        for name, value in left_out.items():
            print(f"{name:16}{value:8.4f}{known[name]:9.4f}")
        means = [np.mean(list(found.values())) for found in (left_out, known)]
        print(f"{'mean':16}{means[0]:8.4f}{means[1]:9.4f}")
        failures = np.concatenate([1 - source.learning.weak for source in sources.values()])
        error = calibration_error(chance_of(np.concatenate(list(told.values()))), failures)
        print(f"calibration error, prompts left out {error:.4f}")
        if given.curves:
            draw(given.curves, sources, told)
        for source in sources.values():
            if source.learning.with_tools.all():
                rows = source.learning
                gain = rows.strong - rows.weak
                by_parts = parts_left_out(rows.tools, gain, np.array(source.parts), TOOL_TREES)
                print(f"{source.name}, each part left out {apgr(by_parts, rows):.4f}")
    cold, learning = fit(list(sources.values()))
    model = packed(cold, learning)
    error = calibration_error(chance_of(odds_of(cold, learning)), 1 - learning.weak)
    print(f"calibration error, in sample {error:.4f}")
    if given.write:
        WEIGHTS.write_bytes(pack_model(model))
        print(f"{WEIGHTS.relative_to(ROOT)}: {WEIGHTS.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
