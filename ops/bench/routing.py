"""Measures the difficulty model on the evaluation data beside the repository.

    .venv/bin/python -m ops.bench.routing [--data FOLDER] [--rows N] [--turns N] [--speed-only]
    .venv/bin/python -m ops.bench.routing --litellm VENV

Every data set is split in five by its prompts, so that one prompt never stands on both sides; a
model is calibrated on four parts, exactly as `fairlead routing calibrate` does, and judges the
fifth. Each further turn splits anew, because few rows on one side make chance count for much.
Then the CPU time of one judgement is measured at several sizes. `--litellm` names an environment
with LiteLLM in it, whose complexity router judges the same rows in place of all this.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import time
import zlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gateway.classify.cues import CueReader, load_cues
from gateway.classify.difficulty import Predictor, load_shipped
from gateway.classify.difficulty_calibration import Pair, calibrate, judged
from gateway.classify.routing_curve import calibration_error, figures

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "routing"
#: More prompts than this with one beginning of 200 characters: a form.
FORM = 50
#: Run by the other environment's Python: prompts as JSON come in, a score for each goes out, by the
#: default rules and by the newer ones (how likely the cheapest tier fails).
COMPLEXITY_ROUTER = """
import json, sys
from types import SimpleNamespace
from litellm.router_strategy.complexity_router import complexity_router, tier_predictor
rules = complexity_router.ComplexityRouter(
    "judge", SimpleNamespace(model_list=[]), None, derive_savings_baseline=False
)
newer = tier_predictor.TierSuccessPredictor(tier_predictor.resolve_tier_artifact("ultrafeedback"))
kind = complexity_router.classify_prompt
prompts = json.load(sys.stdin)
json.dump(
    {
        "heuristic": [rules.classify(one)[1] for one in prompts],
        "heuristic_v2": [1 - newer.predict(one, kind(one)).probabilities[1] for one in prompts],
    },
    sys.stdout,
)
"""
SENTENCE = "Explain why the tides of the sea follow the moon, and when they do not. "


def read(path: Path) -> list[Pair]:
    """The development rows of one data set."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [
        Pair(row["prompt"], row["weak_score"], row["strong_score"])
        for row in rows
        if row["split"] == "dev"
    ]


def parts_of(prompts: Sequence[str], turn: int = 0) -> list[int]:
    """The fifth that each prompt belongs to; prompts of the same beginning go together.

    A beginning that many share is a form to be filled in and makes no two prompts the same.
    Each turn puts them into other fifths.
    """
    shared = Counter(prompt[:200] for prompt in prompts)
    keys = [prompt if shared[prompt[:200]] > FORM else prompt[:200] for prompt in prompts]
    return [zlib.crc32(key.encode(), turn) % 5 for key in keys]


def measure(
    pairs: Sequence[Pair], cues: CueReader, folds: int, rows: int | None, turn: int = 0
) -> list[float]:
    """Mean APGR, CPT50 and CPT80 over the folds of a turn, for rows never learned from.

    The calibration error, last, is that of all those rows together: in few rows chance alone
    makes an error.
    """
    part = parts_of([pair.prompt.strip() for pair in pairs], turn)
    found = []
    chances, outcomes = [], []
    for number in range(folds):
        learned = [pair for pair, place in zip(pairs, part, strict=True) if place != number]
        # The files list one kind of task after another, which no log does.
        chosen = np.random.default_rng(number).permutation(len(learned))[:rows]
        learned = [learned[place] for place in chosen]
        held = [pair for pair, place in zip(pairs, part, strict=True) if place == number]
        model = calibrate(learned, cues, load_shipped()).model
        score = np.array([one.difficulty for one in judged(model, held, cues)])
        weak = np.array([pair.weak_score for pair in held])
        strong = np.array([pair.strong_score for pair in held])
        one = figures(score, weak, strong)
        chances.append(score)
        outcomes.append(strong * (1 - weak))
        found.append([one.apgr, one.cpt50 or np.nan, one.cpt80 or np.nan])
    error = calibration_error(np.concatenate(chances), np.concatenate(outcomes))
    return [*(float(value) for value in np.nanmean(np.array(found), axis=0)), error]


def by_litellm(venv: Path, pairs: Sequence[Pair]) -> dict[str, float]:
    """APGR of each kind of rules of LiteLLM's complexity router over all rows."""
    done = subprocess.run(
        [venv / "bin" / "python", "-c", COMPLEXITY_ROUTER],
        input=json.dumps([pair.prompt for pair in pairs]),
        env={"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"},
        capture_output=True,
        text=True,
        check=True,
    )
    weak = np.array([pair.weak_score for pair in pairs])
    strong = np.array([pair.strong_score for pair in pairs])
    # What it may say beside the scores stands before them.
    scores = json.loads(done.stdout[done.stdout.rindex('{"heuristic"') :])
    return {name: figures(np.array(one), weak, strong).apgr for name, one in scores.items()}


def speed(cues: CueReader) -> None:
    """CPU time of one judgement, in microseconds: median and 99th percentile."""
    predictor = Predictor(load_shipped())
    print(f"{'bytes':>8}{'p50 us':>9}{'p99 us':>9}{'cues us':>9}")
    for size in (20, 500, 2_000, 4_000, 100_000):
        text = (SENTENCE * (size // len(SENTENCE) + 1))[:size]
        found = cues.read(text)
        times, reading = [], []
        for _ in range(2_000):
            begun = time.thread_time_ns()
            predictor.assess(text, size, found)
            ended = time.thread_time_ns()
            cues.read(text)
            reading.append(time.thread_time_ns() - ended)
            times.append(ended - begun)
        p50, p99 = np.percentile(times, (50, 99)) / 1000
        print(f"{size:8,}{p50:9.0f}{p99:9.0f}{np.median(reading) / 1000:9.0f}")


def main() -> int:
    """Measure quality, then speed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--rows", type=int, help="learn from so many rows only")
    parser.add_argument("--folds", type=int, default=5, choices=range(1, 6))
    parser.add_argument("--turns", type=int, default=1, help="split anew so many times")
    parser.add_argument("--only", default="", help="one data set")
    parser.add_argument("--speed-only", action="store_true")
    parser.add_argument("--litellm", type=Path, metavar="VENV", help="judge by LiteLLM instead")
    given = parser.parse_args()
    if given.litellm:
        for path in sorted(given.data.glob(f"{given.only or '*'}.jsonl.gz")):
            found = by_litellm(given.litellm, read(path))
            print(f"{path.name.split('.')[0]:16}{found}", flush=True)
        return 0
    cues = load_cues()
    if not given.speed_only:
        print(f"{'data set':16}{'rows':>7}{'APGR':>8}{'CPT50':>8}{'CPT80':>8}{'ECE':>8}")
        for path in sorted(given.data.glob(f"{given.only or '*'}.jsonl.gz")):
            pairs = read(path)
            turns = [
                measure(pairs, cues, given.folds, given.rows, turn) for turn in range(given.turns)
            ]
            one = np.mean(np.array(turns), axis=0).tolist()
            print(
                f"{path.name.split('.')[0]:16}{len(pairs):7,}{one[0]:8.3f}{one[1]:8.1f}"
                f"{one[2]:8.1f}{one[3]:8.3f}",
                flush=True,
            )
    speed(cues)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
