"""Trains the tagger of names and addresses on made-up texts and writes its weights.

    .venv/bin/python ops/training/tagger.py [--data FOLDER] [--out FILE] [--texts N] [--epochs N]

Ordinary prompts from the routing data show what is no address; they hold no labels of names, so
there a capitalised word that is never written small may be a name or not. About four minutes on
one core; the same options and versions give the same weights.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(HERE)]

from tagger_samples import Sample, SampleMaker, peopled, shuffled  # noqa: E402
from tagger_words import Words  # noqa: E402

from gateway.classify.tagger import REACH, TAGS, TaggerWeights, beside, pack_weights  # noqa: E402
from gateway.classify.tagger_tokens import BUCKETS, FEATURES, rows_of, tokens_of  # noqa: E402

SEED = 20261126
WIDTHS = (24, 48, 40)
#: Tokens between two texts of a batch, so that neither sees the other.
BETWEEN = 2 * sum(REACH)
BATCH = 3000
RATE = 3e-3
Floats = npt.NDArray[np.float32]
Spans = Sequence[tuple[int, int, str]]
_NAME = sum(1 << n for n, tag in enumerate(TAGS) if tag.endswith("person"))


class Rows:
    """Token rows of many texts with the tags that are allowed at each token (as bits)."""

    def __init__(self) -> None:
        self.rows: list[list[tuple[int, ...]]] = []
        self.allowed: list[list[int]] = []

    def add_sample(self, sample: Sample) -> None:
        """A made-up text, of which every token's tag is known."""
        tokens = tokens_of(sample.text)
        allowed = []
        for token in tokens:
            tag = 0
            for start, end, kind in sample.spans:
                if start <= token.start < end:
                    first = not any(start <= t.start < token.start for t in tokens)
                    tag = TAGS.index(("B-" if first else "I-") + kind)
            allowed.append(1 << tag)
        self.rows.append(rows_of(tokens))
        self.allowed.append(allowed)

    def add_ordinary(
        self, text: str, written_small: Counter[str], first_names: set[str], spans: Spans = ()
    ) -> None:
        """Ordinary text, which holds no address; `spans` are names that were put into it."""
        tokens = tokens_of(text)
        allowed: list[int] = []
        for token in tokens:
            word = token.text
            known = [s for s, e, _ in spans if s <= token.start < e]
            if known:
                allowed.append(
                    1 << TAGS.index("B-person" if known == [token.start] else "I-person")
                )
            elif not word[0].isupper() or written_small[word.lower()]:
                allowed.append(1)
            elif word in first_names:
                allowed.append(_NAME)
            else:
                # What follows a first name may be the family's; there is no list of all of these.
                allowed.append(_NAME | 1 if allowed and allowed[-1] & _NAME else 1)
        self.rows.append(rows_of(tokens))
        self.allowed.append(allowed)


def ordinary_prompts(folder: Path, count: int) -> list[str]:
    """Prompts of the routing data, cut to a length that a short request has."""
    texts = []
    for name in ("mmlu_pro", "mmlu", "gsm8k", "zeroeval", "llmrouter_mix", "bfcl"):
        file = folder / f"{name}.jsonl.gz"
        if not file.exists():
            continue
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            found = [json.loads(line)["prompt"][:1200] for line in lines]
        random.Random(SEED).shuffle(found)
        texts.extend(found[: count // 5])
    return texts


class Network:
    """The tagger's parameters with their gradients and Adam's moments."""

    def __init__(self, seed: int) -> None:
        draw = np.random.default_rng(seed)

        def glorot(rows: int, columns: int) -> Floats:
            scale = np.sqrt(6 / (rows + columns))
            return draw.uniform(-scale, scale, (rows, columns)).astype(np.float32)

        wide, middle, last = WIDTHS
        self.values: dict[str, Floats] = {
            "embeddings": draw.normal(0, 0.1, (BUCKETS, wide)).astype(np.float32),
            "first": glorot(wide * (2 * REACH[0] + 1), middle),
            "first_offset": np.zeros(middle, np.float32),
            "second": glorot(middle * (2 * REACH[1] + 1), last),
            "second_offset": np.zeros(last, np.float32),
            "output": glorot(last, len(TAGS)),
            "output_offset": np.zeros(len(TAGS), np.float32),
        }
        self._means = {name: np.zeros_like(value) for name, value in self.values.items()}
        self._squares = {name: np.zeros_like(value) for name, value in self.values.items()}
        self._steps = 0
        self._draw = draw

    def learn(self, ids: npt.NDArray[np.int32], allowed: Floats, rate: float) -> float:
        """One step on a batch; `allowed` is zero all over where no text is. Gives the loss."""
        v = self.values
        padding = allowed.sum(1) == 0
        embedded = v["embeddings"][ids].sum(1)
        embedded[padding] = 0
        keep = (self._draw.random(embedded.shape) > 0.15).astype(np.float32) / 0.85
        seen = beside(embedded * keep, REACH[0])
        first = np.maximum(seen @ v["first"] + v["first_offset"], 0)
        first[padding] = 0
        around = beside(first, REACH[1])
        second = np.maximum(around @ v["second"] + v["second_offset"], 0)
        odds = second @ v["output"] + v["output_offset"]
        chances = np.exp(odds - odds.max(1, keepdims=True))
        chances /= chances.sum(1, keepdims=True)
        wanted = chances * allowed
        mass = wanted.sum(1, keepdims=True)
        mass[padding] = 1
        wanted /= np.maximum(mass, 1e-9)
        real = max(1, int((~padding).sum()))
        slope = (chances - wanted) / real
        slope[padding] = 0
        grads: dict[str, Floats] = {"output": second.T @ slope, "output_offset": slope.sum(0)}
        slope = (slope @ v["output"].T) * (second > 0)
        grads["second"], grads["second_offset"] = around.T @ slope, slope.sum(0)
        slope = gathered(slope @ v["second"].T, WIDTHS[1], REACH[1]) * (first > 0)
        slope[padding] = 0
        grads["first"], grads["first_offset"] = seen.T @ slope, slope.sum(0)
        slope = gathered(slope @ v["first"].T, WIDTHS[0], REACH[0]) * keep
        slope[padding] = 0
        grads["embeddings"] = scattered(ids, slope)
        self._step(grads, rate)
        return float(-np.log(np.maximum(mass[~padding], 1e-9)).mean())

    def _step(self, grads: dict[str, Floats], rate: float) -> None:
        self._steps += 1
        correction = np.sqrt(1 - 0.99**self._steps) / (1 - 0.9**self._steps)
        for name, grad in grads.items():
            mean, square = self._means[name], self._squares[name]
            mean *= 0.9
            mean += 0.1 * grad
            square *= 0.99
            square += 0.01 * grad * grad
            self.values[name] -= rate * correction * mean / (np.sqrt(square) + 1e-8)


def gathered(slope: Floats, width: int, reach: int) -> Floats:
    """The gradient of `beside`: what every neighbour sends back to a row."""
    count = len(slope)
    padded = np.zeros((count + 2 * reach, width), np.float32)
    for n in range(2 * reach + 1):
        padded[n : n + count] += slope[:, n * width : (n + 1) * width]
    return padded[reach : reach + count]


def scattered(ids: npt.NDArray[np.int32], slope: Floats) -> Floats:
    """The gradient of the embeddings: each bucket's share of the tokens' gradients."""
    flat = ids.ravel()
    order = np.argsort(flat, kind="stable")
    buckets, starts = np.unique(flat[order], return_index=True)
    total = np.zeros((BUCKETS, slope.shape[1]), np.float32)
    total[buckets] = np.add.reduceat(np.repeat(slope, FEATURES, 0)[order], starts, axis=0)
    return total


def batches(rows: Rows, draw: random.Random) -> list[tuple[npt.NDArray[np.int32], Floats]]:
    """The texts in random order, several in a batch, with padding between them."""
    order = list(range(len(rows.rows)))
    draw.shuffle(order)
    empty = (0,) * FEATURES
    made, ids, allowed = [], [], []
    for number in order:
        ids += rows.rows[number] + [empty] * BETWEEN
        allowed += rows.allowed[number] + [0] * BETWEEN
        if len(ids) >= BATCH:
            made.append(_arrays(ids, allowed))
            ids, allowed = [], []
    return made


def _arrays(ids: list[tuple[int, ...]], allowed: list[int]) -> tuple[npt.NDArray[np.int32], Floats]:
    bits = np.array(allowed)[:, None] >> np.arange(len(TAGS))
    return np.array(ids, np.int32), (bits & 1).astype(np.float32)


def main() -> int:
    """Make texts, train, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "routing")
    parser.add_argument(
        "--out", type=Path, default=ROOT / "gateway/classify/weights/names_and_addresses.npz"
    )
    parser.add_argument("--texts", type=int, default=30_000)
    parser.add_argument("--ordinary", type=int, default=6_000)
    parser.add_argument("--epochs", type=int, default=6)
    options = parser.parse_args()
    begun = time.process_time()
    rows = Rows()
    words = Words(SEED)
    maker = SampleMaker(words)
    for sample in shuffled(maker, options.texts):
        rows.add_sample(sample)
    prompts = ordinary_prompts(options.data, options.ordinary)
    small = Counter(t.text for prompt in prompts for t in tokens_of(prompt) if t.text.islower())
    first_names = {n for lists in words.lists.values() for n in lists["first"]} - set(
        words.countries
    )
    for prompt in prompts:
        rows.add_ordinary(prompt, small, first_names)
        changed = peopled(maker, prompt)
        if changed is not None:
            rows.add_ordinary(changed.text, small, first_names, changed.spans)
    print(f"{len(rows.rows)} texts, {sum(map(len, rows.rows))} tokens", flush=True)
    network, draw = Network(SEED), random.Random(SEED)
    for epoch in range(options.epochs):
        made = batches(rows, draw)
        losses = []
        for number, (ids, allowed) in enumerate(made):
            done = (epoch + number / len(made)) / options.epochs
            losses.append(network.learn(ids, allowed, RATE * (1 - done)))
        seconds = time.process_time() - begun
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}, {seconds:.0f} CPU-s", flush=True)
    options.out.write_bytes(pack_weights(TaggerWeights(**network.values)))
    print(f"{options.out}: {options.out.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
