"""Learning the words of a topic, with the parts of the product that look for them."""

from __future__ import annotations

import numpy as np

from gateway.classify.folding import Folding
from ops.training.topics import Reader, chances, learn, lower_of

FOLDING = Folding()
CASES = [
    f"The patient was admitted on Monday with a {organ} complaint and started on {drug}; discharge "
    f"is planned for next week. Her {organ} scan showed nothing new."
    for organ in ("kidney", "liver", "cardiac", "lung", "spinal")
    for drug in ("ramipril", "insulin", "heparin")
]
OTHERS = [
    "The committee met on Monday and planned the budget for next week; nothing new was decided.",
    "Our team started on the new release and a scan of the logs showed nothing for the week.",
    "Write a function that sorts a list of numbers and returns the largest of them.",
] * 5
EXAM = CASES[0] + "\nWhich of these is right?\nA. heparin\nB. insulin\nC. ramipril\nD. none\n"


def test_what_is_learned_of_a_topic_tells_its_cases_from_other_texts() -> None:
    """Cases have a high chance, others a low one, and so have questions of an exam."""
    cases, others = ([lower_of(t, FOLDING) for t in texts] for texts in (CASES, OTHERS))
    learned = learn(cases, others, others, [["triage"]])

    assert {word for word, _ in learned.words} >= {"patient", "admitted"}
    assert min(chances(learned, cases)) > 0.5 > max(chances(learned, others))
    assert chances(learned, [lower_of(EXAM, FOLDING)])[0] == 0.0


def test_a_row_counts_words_once_and_listed_ones_together() -> None:
    """Then come the signs and the bias."""
    reader = Reader(["patient", "admitted", "scan"], [["triage"], ["ward"]])
    text = lower_of(
        "The patient was admitted; a scan was made of the patient after triage.", FOLDING
    )

    (row,) = reader.rows(text)
    assert np.array_equal(row[:5], [1, 1, 1, 1, 0])
    assert row[-1] == 1
