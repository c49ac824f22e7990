"""The board of measured speeds."""

from __future__ import annotations

from gateway.core.speed import SAMPLES, Sample, Speed
from gateway.runtime.speeds import SpeedBoard


def test_a_board_knows_whom_it_has_heard() -> None:
    """Medians by name; they are taken anew after a moment."""
    now = 100.0
    board = SpeedBoard(lambda: now)
    board.answered("house", Sample(100.0, 0.5, 20.0))
    first = dict(board.speeds())
    board.answered("frontier", Sample(100.0, 0.1, 80.0))
    same = dict(board.speeds())
    now = 100.2

    assert first == same == {"house": Speed(first_byte_seconds=0.5, tokens_per_second=20.0)}
    assert set(board.speeds()) == {"house", "frontier"}


def test_only_the_latest_answers_count() -> None:
    """A deployment that has become slow is slow after as many answers as are remembered."""
    board = SpeedBoard(lambda: 100.0)
    for wait in (0.1, 3.0):
        for _ in range(SAMPLES):
            board.answered("house", Sample(100.0, wait, None))

    assert board.speeds()["house"].first_byte_seconds == 3.0
