"""The result that an answer in prose names."""

from __future__ import annotations

import pytest

from gateway.wire.final_answer import final_answer, words_of

LONG = "We take the first part, then the second, and add them up step by step. "


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Paris.", "paris"),
        ("The total is 1,200.50 euro", "1200.5"),
        (LONG + r"Hence \boxed{42}.", "42"),
        (LONG + "\n#### 18", "18"),
        (LONG + "The answer is B", "b"),
        (LONG + "Antwort: Berlin", "berlin"),
        (LONG + "First answer: 3. No, the answer is 4.", "4"),
        (LONG, ""),
        ("", ""),
    ],
)
def test_a_short_or_marked_result_is_found(text: str, named: str) -> None:
    """The last mark counts; prose without one names nothing."""
    assert final_answer(text) == named


def test_words_are_compared_without_case_and_marks() -> None:
    """What is left of prose is the set of its words."""
    assert words_of("The light, the LIGHT!") == {"the", "light"}
