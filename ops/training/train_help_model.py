"""Trains Fairlead's onboard help model and writes it as GGUF.

    pip install "gguf>=0.17" "torch==2.13.0" "jinja2>=3.1"      (or: uv sync --group training)
    python ops/training/train_help_model.py --out adapters/ctransformers/models/fairlead-help.gguf

Everything is drawn from one seed, so the same options, versions and kind of CPU give the same file.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import random
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from help_corpus_reader import Corpus, read_corpus
from help_export import export, restore_tokenizer, restore_weights
from help_network import HelpNetwork, Shape
from help_samples import SampleMaker
from help_template import render
from help_tokenizer import END, FIXED_PIECES, HelpTokenizer, learn_pieces

VOCABULARY = 2048
SEED = 20260701
DROPOUT = 0.0
PEAK_RATE = 2e-3
WARM_UP_STEPS = 100
# Padded tokens of one step; a longer single conversation makes a step of its own.
STEP_TOKENS = 1800
POOL = 512
KEEP_EVERY = 400
# The first tokens of an answer carry the choice of the answer; the rest is recitation.
CHOICE_TOKENS = 6
CHOICE_WEIGHT = 3.0
# Reciting is learned first; then most answers are cut after a few tokens and most conversations
# are single questions, for more choices an hour; the end of the training is the whole task again.
CUT_TOKENS = 8
RECITE_UNTIL = 0.12
CHOOSE_UNTIL = 0.85
CUT_SHARE = 0.85
CUT_SHARE_AT_END = 0.5
CONTEXT_SHARE = 0.3
CONTINUE_AT = 0.5

Sample = tuple[list[int], list[float]]


@dataclasses.dataclass(frozen=True)
class Plan:
    """How long and how fast to train; `begin_at` is the progress that earlier rounds have made."""

    steps: int
    peak_rate: float
    begin_at: float
    out: Path

    def rate(self, step: int) -> float:
        """Learning rate: linear warm-up, then a half cosine down to one per cent of the peak."""
        if step < WARM_UP_STEPS:
            return self.peak_rate * (step + 1) / WARM_UP_STEPS
        way = (step - WARM_UP_STEPS) / max(1, self.steps - WARM_UP_STEPS)
        return self.peak_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * way)))


def make_tokenizer(corpus: Corpus) -> HelpTokenizer:
    """Learn the vocabulary from answers and drawn questions."""
    maker = SampleMaker(corpus, random.Random(SEED))
    texts: list[str] = []
    for _ in range(8000):
        messages, answer = maker.draw()
        texts += [render(messages), answer]
    return HelpTokenizer(learn_pieces(texts, VOCABULARY - FIXED_PIECES))


def make_sample(maker: SampleMaker, tokenizer: HelpTokenizer, progress: float) -> Sample:
    """Return the tokens of one conversation and the weight of each in the loss.

    `progress` is the share of the training that is done, 0 to 1.
    """
    at_end = progress >= CHOOSE_UNTIL
    messages, answer = maker.draw(1.0 if at_end else CONTEXT_SHARE)
    prompt = tokenizer.encode(render(messages))
    reply = [*tokenizer.encode_continuation(answer), END]
    cut_share = CUT_SHARE_AT_END if at_end else CUT_SHARE
    if progress >= RECITE_UNTIL and maker.rng.random() < cut_share:
        reply = reply[:CUT_TOKENS]
    heavy = min(CHOICE_TOKENS, len(reply))
    weights = [0.0] * len(prompt) + [CHOICE_WEIGHT] * heavy + [1.0] * (len(reply) - heavy)
    return prompt + reply, weights


def batches(maker: SampleMaker, tokenizer: HelpTokenizer, plan: Plan) -> Iterator[list[Sample]]:
    """Yield batches of conversations of like length, one for each step."""
    done = 0
    while done < plan.steps:
        progress = plan.begin_at + (1 - plan.begin_at) * done / plan.steps
        drawn = (make_sample(maker, tokenizer, progress) for _ in range(POOL))
        pool = [sample for sample in drawn if len(sample[0]) <= Shape.context]
        pool.sort(key=lambda sample: len(sample[0]))
        groups: list[list[Sample]] = [[]]
        for sample in pool:
            if groups[-1] and len(sample[0]) * (len(groups[-1]) + 1) > STEP_TOKENS:
                groups.append([])
            groups[-1].append(sample)
        maker.rng.shuffle(groups)
        for group in groups[: plan.steps - done]:
            yield group
            done += 1


def padded(batch: list[Sample]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return tokens and weights as matrices, filled up on the right."""
    length = max(len(tokens) for tokens, _ in batch)
    tokens = torch.full((len(batch), length), END)
    weights = torch.zeros(len(batch), length)
    for row, (ids, shares) in enumerate(batch):
        tokens[row, : len(ids)] = torch.tensor(ids)
        weights[row, : len(ids)] = torch.tensor(shares)
    return tokens, weights


def train(network: HelpNetwork, maker: SampleMaker, tokenizer: HelpTokenizer, plan: Plan) -> None:
    """Fit the network, one step for each batch; the file is written now and then and at the end."""
    optimiser = torch.optim.AdamW(
        network.parameters(), plan.peak_rate, betas=(0.9, 0.98), weight_decay=0.05, fused=True
    )
    begun, seen, smooth = time.monotonic(), 0, 0.0
    usual = 0.0
    network.train()
    for step, batch in enumerate(batches(maker, tokenizer, plan)):
        tokens, weights = padded(batch)
        # A step with few conversations (long ones) pulls less, as each conversation counts alike.
        total = float(weights.sum())
        usual = total if step == 0 else 0.98 * usual + 0.02 * total
        with torch.autocast("cpu", torch.bfloat16):
            loss = network.loss(tokens, weights)
        torch.autograd.backward(loss * min(2.0, total / usual))
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        for group in optimiser.param_groups:
            group["lr"] = plan.rate(step)
        optimiser.step()
        optimiser.zero_grad()
        seen += len(batch)
        smooth = loss.item() if step == 0 else 0.98 * smooth + 0.02 * loss.item()
        if step % 50 == 0:
            spent = time.monotonic() - begun
            print(f"step {step} loss {smooth:.4f} conversations {seen} {spent:.0f} s", flush=True)
        if step % KEEP_EVERY == KEEP_EVERY - 1 or step == plan.steps - 1:
            export(network, tokenizer, plan.out)


def main() -> None:
    """Train with the options of the command line."""
    parser = argparse.ArgumentParser(description="Train Fairlead's onboard help model.")
    parser.add_argument("--out", type=Path, required=True, help="GGUF file to write")
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rate", type=float, default=PEAK_RATE, help="peak learning rate")
    parser.add_argument("--continue-from", type=Path, help="GGUF of an earlier round")
    parser.add_argument("--round", type=int, default=1, help="gives each round its own samples")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(SEED)
    corpus = read_corpus()
    earlier = options.continue_from
    tokenizer = restore_tokenizer(earlier) if earlier else make_tokenizer(corpus)
    network = HelpNetwork(Shape(vocabulary=len(tokenizer.pieces)), DROPOUT)
    count = sum(weight.numel() for weight in network.parameters())
    print(f"{len(corpus.intents)} intents, {len(tokenizer.pieces)} pieces, {count} parameters")
    if earlier:
        restore_weights(network, earlier)
    maker = SampleMaker(corpus, random.Random(SEED + options.round))
    begin_at = CONTINUE_AT if earlier else 0.0
    train(network, maker, tokenizer, Plan(options.steps, options.rate, begin_at, options.out))
    print(f"{options.out} {options.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
