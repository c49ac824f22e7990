"""Tells whether a passage holds a medical, legal or staff case, from the words of such cases.

A topic has words, each with the weight that was learned of it. Where several stand near one
another, their weights and those of a few signs (who it is about, when, code) add up to a
probability; questions of exams are left out, which their choices give away. What is learned comes
from `ops/training/topics.py`: logistic regression on cases that were written for it, against
prompts that people gave to models, questions of medicine and law among them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import islice
from math import exp, log
from typing import Any

import msgspec
import re2

from gateway.classify.engine import EDGE, search_set

#: Words of a topic further apart than this belong to two passages; characters.
GAP = 400
#: A passage is judged by this much of it, so that a long text is not certain by its length alone.
LONGEST = 1_500
#: Characters around a passage in which it shows who it is about, and what for.
AROUND = 200
#: And in which the choices of an exam do.
EXAM = 1_500
#: Different words that a passage needs before it is weighed at all.
LEAST = 3
#: Words of so many characters are looked for as they are.
PLAIN = 5
#: More of one sign tell nothing more.
MOST = 3

_CHOICES = re.compile(r"\n[ \t]*\(?[a-j][.):][ \t]")
#: What is counted beside a topic's own words, by name.
SIGNS: dict[str, str] = {
    "own": r"\b(?:my|our|me|we|i|i'm|i've|us)\b",
    "somebody": r"\b(?:he|she|his|her|him|hers|himself|herself)\b",
    "dated": (
        r"\b(?:yesterday|today|tonight|tomorrow|last (?:week|month|year|night|friday)|"
        r"next (?:week|month|monday|tuesday)|this (?:week|month|morning|year|quarter)|"
        r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|since|ago|\d{4}-\d\d-\d\d|"
        r"\d{1,2} (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*|"
        r"\d{1,2}[./]\d{1,2}[./]\d{2,4})\b"
    ),
    "code": (r"\bdef |\bclass |\bimport |\bselect |\bfunction\b|\bpython\b|\bsql\b|[{};]\n|</"),
}
_SIGNS = tuple(re2.compile(pattern) for pattern in SIGNS.values())
_SOME_SIGN = search_set(SIGNS.values())
#: So many lines that begin as the choices of an exam make a passage one of its questions.
CHOICES = 3
#: A hit of a word: its start, its end and its number in the topic.
Hit = tuple[int, int, int]
#: Gives the small letters of a text and hits their passages: start, end and probability, 0..1.
Find = Callable[[str, Sequence[Hit]], list[tuple[int, int, float]]]


class Learned(msgspec.Struct, frozen=True):
    """What was learned of a topic.

    `words` have their weights, none of which tells against the topic, `signs` are those of
    `SIGNS`, and a passage is found from the probability `least` on.
    """

    words: tuple[tuple[str, float], ...]
    signs: tuple[float, ...]
    bias: float
    least: float

    def anchors(self) -> tuple[str, ...]:
        """The expressions that find the words."""
        return tuple(anchor_of(word) for word, _ in self.words)


class Passage(msgspec.Struct, frozen=True):
    """A place where words of a topic stand together, and the number of each word."""

    start: int
    end: int
    words: frozenset[int]


def finder(learned: Learned) -> Find:
    """The function that finds the passages of a topic which hold a case."""
    weights = tuple(weight for _, weight in learned.words)
    edged = frozenset(n for n, (word, _) in enumerate(learned.words) if _has_edges(word))
    enough = _enough(learned)

    def find(lower: str, hits: Sequence[Hit]) -> list[tuple[int, int, float]]:
        if len(hits) < LEAST:
            return []
        words = {number for _, _, number in hits}
        if len(words) < LEAST or sum([weights[number] for number in words]) < enough:
            return []
        found = []
        for one in passages(lower, hits, edged):
            held = sum([weights[number] for number in one.words])
            if held < enough or is_exam(lower, one):
                continue
            chance = probability(learned, held, signs_of(lower, one))
            if chance >= learned.least:
                found.append((one.start, one.end, round(chance, 3)))
        return found

    return find


def _enough(learned: Learned) -> float:
    """The least weight of words that can be a case, whatever signs stand beside them."""
    signs = sum(MOST * max(0.0, weight) for weight in learned.signs)
    # A little less, so that rounding decides nothing here.
    return log(learned.least / (1.0 - learned.least)) - learned.bias - signs - 1e-6


def probability(learned: Learned, words: float, signs: Sequence[float]) -> float:
    """The chance of a case, by the weights of the words there and the count of each sign."""
    points = learned.bias + words
    points += sum(weight * held for weight, held in zip(learned.signs, signs, strict=True))
    return 1.0 / (1.0 + exp(-max(-30.0, min(30.0, points))))


def anchor_of(word: str) -> str:
    """The expression that finds a word: a short one with what is no letter on either side.

    A long one hardly ever stands inside another, and engines find it quicker by itself.
    """
    plain = re.escape(word)
    return f"{EDGE}{plain}{EDGE}" if _has_edges(word) else plain


def _has_edges(word: str) -> bool:
    return len(word) < PLAIN


def passages(lower: str, hits: Sequence[Hit], edged: frozenset[int]) -> list[Passage]:
    """Where enough different words stand near one another, from left to right.

    The hits are in order, and those of the words in `edged` have a character more on either side.
    A word that stands in another one does not count.
    """
    found: list[Passage] = []
    start, end, words, size = 0, -GAP, set[int](), len(lower)
    for left, right, number in hits:
        if number in edged:
            left += 1
            right -= 1
        elif (left and lower[left - 1].isalnum()) or (right < size and lower[right].isalnum()):
            continue
        if words and (left - end > GAP or right - start > LONGEST):
            if len(words) >= LEAST:
                found.append(Passage(start, end, frozenset(words)))
            words = set()
        if not words:
            start = left
        words.add(number)
        end = right
    if len(words) >= LEAST:
        found.append(Passage(start, end, frozenset(words)))
    return found


def signs_of(lower: str, passage: Passage) -> tuple[float, ...]:
    """How often each of `SIGNS` stands near a passage."""
    around = lower[max(0, passage.start - AROUND) : passage.end + AROUND]
    counts = [0.0] * len(_SIGNS)
    for number in _SOME_SIGN.Match(around) or ():
        counts[number] = float(_count(_SIGNS[number], around, MOST))
    return tuple(counts)


def is_exam(lower: str, passage: Passage) -> bool:
    """Whether a passage is a question of an exam, which the choices near it tell."""
    around = lower[max(0, passage.start - EXAM) : passage.end + EXAM]
    return _count(_CHOICES, around, CHOICES) >= CHOICES


def _count(sign: Any, text: str, most: int) -> int:
    return sum(1 for _ in islice(sign.finditer(text), most))
