"""Passages of a topic's words, and what tells a case from a lesson."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.classify.classifier import Classifier
from gateway.classify.topic_weights import HR, LEGAL, MEDICAL
from gateway.classify.topics import GAP, LONGEST, Learned, finder, passages
from gateway.core.findings import SensitivityRules
from ops.training.topics import LEAST

WORDS = Learned(
    words=(("fever", 1.0), ("ward", 1.0), ("insulin", 1.0)),
    signs=(0.5, 0, 0, -4),
    bias=-2,
    least=0.5,
)


def hits(text: str) -> list[tuple[int, int, int]]:
    """Hits as the engine gives them."""
    return [
        (match.start() - 1, match.end() - 1, number)
        for number, anchor in enumerate(WORDS.anchors())
        for match in re.finditer(f"(?={anchor})({anchor})", f"\n{text}\n")
    ]


def find(text: str) -> list[str]:
    """The passages that are found, as they stand in the text."""
    return [text[start:end] for start, end, _ in finder(WORDS)(text, hits(text))]


def test_words_near_one_another_are_a_passage() -> None:
    """It runs from the first of them to the last."""
    assert find("he has fever, is on the ward and gets insulin now") == [
        "fever, is on the ward and gets insulin"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "fever and fever and fever",
        "fever on the ward",
        f"fever on the ward {'.' * GAP} insulin",
        "select fever, ward, insulin from stays",
        "feverish stewards without insulins",
    ],
)
def test_few_words_far_words_and_code_are_none(text: str) -> None:
    """Three different words are needed, near one another; the signs weigh in."""
    assert find(text) == []


def test_who_it_is_about_counts() -> None:
    """With the signs of somebody's own case less is enough."""
    weaker = Learned(WORDS.words, WORDS.signs, -3.3, 0.5)
    text = "fever, ward, insulin"

    assert finder(weaker)(text, hits(text)) == []
    mine = f"my {text}"
    ((_, _, chance),) = finder(weaker)(mine, hits(mine))
    assert 0.5 < chance < 0.6


def test_questions_of_exams_are_left_out() -> None:
    """Their choices stand on lines of their own."""
    text = "fever on the ward, which insulin?\na. one\nb. two\nc. three"

    assert find(text) == []
    assert find(text.replace("\n", " "))


@given(st.lists(st.tuples(st.integers(0, 20_000), st.integers(0, 5)), max_size=60))
def test_passages_are_in_order_apart_and_bounded(places: list[tuple[int, int]]) -> None:
    """No passage is longer than it may be, and none overlaps another."""
    hits = sorted((at, at + 5, number) for at, number in places)
    found = passages(" " * 20_010, hits, frozenset())

    assert all(one.start <= one.end <= one.start + LONGEST + 5 for one in found)
    assert all(one.end <= other.start + 5 for one, other in pairwise(found))


def test_words_inside_others_make_no_passage() -> None:
    """Neither the long ones, nor the short ones that are found with what stands beside them."""
    text = " ward feverish insulin ice wards"
    places = [(0, 6, 0), (6, 11, 1), (15, 22, 2), (22, 27, 3), (27, 31, 4)]
    ((start, end, words),) = [
        (one.start, one.end, one.words) for one in passages(text, places, frozenset({0, 3}))
    ]

    assert (start, end, words) == (1, 26, frozenset({0, 2, 3}))


@pytest.mark.parametrize("learned", [MEDICAL, LEGAL, HR], ids=["medical", "legal", "hr"])
def test_what_was_learned_is_whole(learned: Learned) -> None:
    """Words once each, none telling against its topic, and a threshold that is a probability."""
    words = [word for word, _ in learned.words]

    assert len(set(words)) == len(words) > 100
    assert all(weight > 0 for _, weight in learned.words)
    assert LEAST <= learned.least < 1


def test_a_case_in_a_long_text_has_its_own_place(
    classifier: Classifier, rules: SensitivityRules
) -> None:
    """What stands around it is not part of the finding."""
    case = "My oncologist says the biopsy was positive and chemotherapy starts on Monday."
    text = f"{'The weather is fine. ' * 40}{case}{' The weather is fine.' * 40}"
    (finding,) = classifier.judge_text(text, rules).findings

    assert finding.type == "medical"
    assert text[finding.start : finding.end] in case
