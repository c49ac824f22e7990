"""Measures the onboard help model on questions that it was not trained on.

    python ops/training/check_help_model.py adapters/ctransformers/models/fairlead-help.gguf

Each held-out question is asked through ctransformers: alone, under a system message, and after an
earlier exchange. Out-of-scope prompts are asked in the same ways, and inside long pasted text. An
in-scope answer is right when it has the intent's key phrase; an out-of-scope one is right when it
says that it comes from the help model and how to add a real one. Every answer has to end by itself.
Exit status: 0 targets met, 1 below a target.
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import random
import sys
import time
from ctypes import c_int
from pathlib import Path

from ctransformers import LLM, Config
from help_corpus_reader import Corpus, is_refusal, read_corpus
from help_samples import Message
from help_template import render

MOST_TOKENS = 120
IN_SCOPE_TARGET = 0.90
OUT_OF_SCOPE_TARGET = 0.95
LONG_WORDS = (100, 400, 800)
SEED = 11


@dataclasses.dataclass(frozen=True)
class Case:
    """One question to ask, and the phrase to find; no phrase means a refusal is right."""

    kind: str
    messages: list[Message]
    key_phrase: str | None


class Speaker:
    """The model behind ctransformers, asked one conversation at a time."""

    def __init__(self, path: Path, temperature: float, repetition_penalty: float) -> None:
        config = Config(context_length=2048, threads=1, batch_size=64)
        self.model = LLM(model_path=str(path), model_type="llama", config=config)
        self.temperature = temperature
        self.repetition_penalty = repetition_penalty
        self.tokens_made = 0

    def tokens(self, text: str) -> list[int]:
        """Tokenise with room for a token per byte, which ctransformers' own method lacks."""
        encoded = text.encode()
        room = (c_int * (len(encoded) + 2))()
        count: int = self.model.ctransformers_llm_tokenize(encoded, True, room)
        return list(room[:count])

    def answer(self, messages: list[Message], seed: int) -> tuple[str, bool]:
        """Return the answer and whether it ended by itself."""
        made: list[int] = []
        for token in self.model.generate(
            self.tokens(render(messages)),
            top_k=40 if self.temperature else 1,
            top_p=0.95,
            temperature=self.temperature,
            repetition_penalty=self.repetition_penalty,
            seed=seed,
        ):
            made.append(token)
            if len(made) >= MOST_TOKENS:
                break
        self.tokens_made += len(made)
        return str(self.model.detokenize(made)), len(made) < MOST_TOKENS


def cases(corpus: Corpus) -> list[Case]:
    """Return every held-out question in every setting."""
    rng = random.Random(SEED)
    asked = [
        (intent, question)
        for intent in (*corpus.intents, corpus.outside)
        for question in intent.held_out
    ]
    made: list[Case] = []
    for intent, question in asked:
        outside = intent is corpus.outside
        kind = "out of scope" if outside else "in scope"
        phrase = None if outside else intent.key_phrase
        last = {"role": "user", "content": question}
        system = {"role": "system", "content": rng.choice(corpus.fragments["system"])}
        topic, earlier = rng.choice(asked)
        before = {"role": "user", "content": earlier}
        told = {"role": "assistant", "content": rng.choice(topic.answers)}
        made.append(Case(f"{kind}, alone", [last], phrase))
        made.append(Case(f"{kind}, system message", [system, last], phrase))
        made.append(Case(f"{kind}, second turn", [before, told, last], phrase))
    for question in corpus.outside.held_out[:20]:
        for words in LONG_WORDS:
            text = " ".join(rng.choices(corpus.fragments["sentence"], k=words // 9))
            paste = {"role": "user", "content": f"{question}\n\n{text}"}
            made.append(Case("out of scope, long paste", [paste], None))
    return made


def main() -> int:
    """Ask everything, print a table, and compare with the targets."""
    parser = argparse.ArgumentParser(description="Measure the onboard help model.")
    parser.add_argument("model", type=Path)
    parser.add_argument("--temperature", type=float, default=0.0)
    parser.add_argument("--repetition-penalty", type=float, default=1.0)
    parser.add_argument("--failures", action="store_true", help="print each wrong answer")
    options = parser.parse_args()
    speaker = Speaker(options.model, options.temperature, options.repetition_penalty)
    right: collections.Counter[str] = collections.Counter()
    total: collections.Counter[str] = collections.Counter()
    endless = 0
    begun = time.monotonic()
    for seed, case in enumerate(cases(read_corpus())):
        answer, ended = speaker.answer(case.messages, seed)
        phrase = case.key_phrase
        good = is_refusal(answer) if phrase is None else phrase.lower() in answer.lower()
        total[case.kind] += 1
        right[case.kind] += good
        endless += not ended
        if options.failures and not (good and ended):
            print(f"[{case.kind}] {case.messages[-1]['content'][:90]!r} -> {answer[:110]!r}")
    for kind in total:
        print(f"{kind}: {right[kind]}/{total[kind]} = {right[kind] / total[kind]:.1%}")
    speed = speaker.tokens_made / (time.monotonic() - begun)
    print(f"answers that did not end: {endless}; {speed:.0f} tokens a second, prompts included")
    shares = {kind: right[kind] / total[kind] for kind in total}
    met = endless == 0 and all(
        share >= (OUT_OF_SCOPE_TARGET if kind.startswith("out") else IN_SCOPE_TARGET)
        for kind, share in shares.items()
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
