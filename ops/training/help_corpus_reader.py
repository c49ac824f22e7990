"""Reads the help corpus: intents with question patterns, out-of-scope prompts, fragments.

A corpus file is plain text. `@name = a|b` defines a word list, `# id | key phrase` opens an intent,
`? pattern` is a question to train on, `~ question` is held out from training, `> text` an answer.
In a pattern `(a|b)` is a choice, `@name` a word of that list, `%dd` a number and `ddd` digits.
"""

from __future__ import annotations

import dataclasses
import random
import re
from pathlib import Path

CORPUS = Path(__file__).parent / "help_corpus"
# The last two files add questions to the intents that the others define.
INTENT_FILES = (
    "about_and_setup.txt",
    "models_and_policy.txt",
    "money_and_keys.txt",
    "everyday_questions.txt",
    "held_out_questions.txt",
)
REFUSAL_MARK = "onboard help model"
# Refusals also say how to add a real model; the answers to "who are you" do not.
REFUSAL_REMEDY = "deployment"

_CHOICE = re.compile(r"\(([^()]*)\)")
_LIST_NAME = re.compile(r"@([a-z]+)\b")
_NUMBER = re.compile(r"%(d+)")
_DIGITS = re.compile(r"(?<![a-z])d{2,}(?![a-z])")

WordLists = dict[str, list[str]]


@dataclasses.dataclass
class Intent:
    """One thing that users ask: how they ask it, and what is answered."""

    name: str
    key_phrase: str
    patterns: list[str] = dataclasses.field(default_factory=list)
    held_out: list[str] = dataclasses.field(default_factory=list)
    answers: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Corpus:
    """Everything that the help model learns from."""

    intents: list[Intent]
    outside: Intent
    words: WordLists
    fragments: WordLists

    def held_out_wordings(self) -> frozenset[str]:
        """Plain forms of all held-out questions: training must draw none of them."""
        return frozenset(
            plain(question)
            for intent in (*self.intents, self.outside)
            for question in intent.held_out
        )


def plain(question: str) -> str:
    """Return a question without case and marks, to compare wordings."""
    return " ".join(re.sub(r"[^a-z0-9 ]", "", question.lower()).split())


def read_corpus(folder: Path = CORPUS) -> Corpus:
    """Read the whole corpus; raise ValueError where an intent is incomplete."""
    words: WordLists = {}
    named: dict[str, Intent] = {}
    for name in INTENT_FILES:
        _read_file(folder / name, words, named)
    outside = Intent("out-of-scope", REFUSAL_MARK)
    for name in ("out_of_scope.txt", "refusals.txt"):
        _read_file(folder / name, words, {}, outside)
    intents = list(named.values())
    for intent in (*intents, outside):
        if not (intent.patterns and intent.held_out and intent.answers):
            raise ValueError(f"intent {intent.name} lacks questions, held-out ones or answers")
        if any(intent.key_phrase.lower() not in answer.lower() for answer in intent.answers):
            raise ValueError(f"an answer of {intent.name} lacks its key phrase")
    fragments: WordLists = {}
    _read_file(folder / "fragments.txt", fragments, {})
    return Corpus(intents, outside, words, fragments)


def _read_file(
    path: Path, words: WordLists, named: dict[str, Intent], into: Intent | None = None
) -> None:
    """Add a file's word lists to `words` and its intents to `named`, or its lines to `into`."""
    for line in path.read_text(encoding="utf-8").splitlines():
        mark, rest = line[:1], line[1:].strip()
        if mark == "@":
            name, _, choices = rest.partition("=")
            words[name.strip()] = [choice.strip() for choice in choices.split("|")]
        elif mark == "#":
            name, _, phrase = rest.partition("|")
            into = named.setdefault(name.strip(), Intent(name.strip(), phrase.strip()))
        elif mark and into is not None:
            {"?": into.patterns, "~": into.held_out, ">": into.answers}[mark].append(rest)


def expand(pattern: str, words: WordLists, rng: random.Random) -> str:
    """Return one question of a pattern, chosen at random."""

    def listed(text: str) -> str:
        return _LIST_NAME.sub(
            lambda found: rng.choice(words[found[1]]) if found[1] in words else found[0], text
        )

    def digits(count: int) -> str:
        return "".join(rng.choice("0123456789") for _ in range(count))

    text = pattern
    while _CHOICE.search(text):
        text = _CHOICE.sub(lambda found: listed(rng.choice(found[1].split("|"))), text)
    text = listed(text)
    text = _NUMBER.sub(lambda found: str(int(digits(len(found[1])))), text)
    text = _DIGITS.sub(lambda found: digits(len(found[0])), text)
    return " ".join(text.split())


def is_refusal(answer: str) -> bool:
    """Say whether an answer names the help model and how to add a real one."""
    return REFUSAL_MARK in answer and REFUSAL_REMEDY in answer
