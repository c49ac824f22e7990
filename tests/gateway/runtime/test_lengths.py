"""The board of answers' lengths."""

from __future__ import annotations

from gateway.core.output_length import FEWEST_LENGTHS, LENGTHS_KEPT, AnswerLength
from gateway.runtime.lengths import LengthBoard


def test_a_task_is_known_by_itself_once_it_has_answers() -> None:
    """Until then all answers of the deployment stand for it."""
    now = 100.0
    board = LengthBoard(lambda: now)
    for _ in range(FEWEST_LENGTHS):
        board.answered("house", "code", AnswerLength(300))
    other = board.lengths("maths")["house"].p50
    for _ in range(FEWEST_LENGTHS):
        board.answered("house", "maths", AnswerLength(20))
    soon = board.lengths("maths")["house"].p50
    now = 101.5

    assert (other, soon) == (300, 300)
    assert board.lengths("maths")["house"].p50 == 20
    assert board.lengths("code")["house"].p50 == 300


def test_only_the_latest_answers_count() -> None:
    board = LengthBoard(lambda: 100.0)
    for length in (10, 500):
        for _ in range(LENGTHS_KEPT):
            board.answered("house", "chat", AnswerLength(length))

    assert board.lengths("chat")["house"].p50 == 500


def test_nobody_is_known_before_enough_answers() -> None:
    board = LengthBoard(lambda: 100.0)
    board.answered("house", "chat", AnswerLength(10))

    assert board.lengths("chat") == {}
