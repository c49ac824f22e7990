"""The hand rule of difficulty."""

from __future__ import annotations

from gateway.classify.cues import CUES
from gateway.classify.difficulty_rule import by_rule

CUE = {cue.name: cue for cue in CUES}


def test_longer_prompts_are_harder() -> None:
    """Every doubling adds the same, up to a limit."""
    odds = [by_rule("word " * count, 100, ()).log_odds for count in (4, 16, 64, 256, 4000, 9000)]

    assert odds[:5] == sorted(set(odds[:5]))
    assert odds[4] == odds[5]


def test_hard_cues_add_and_easy_ones_take() -> None:
    """Proofs are harder than a plain prompt of that length, greetings easier."""
    plain = by_rule("some words", 100, ()).log_odds

    assert by_rule("some words", 100, [CUE["proof"]]).log_odds > plain
    assert by_rule("some words", 100, [CUE["greeting"]]).log_odds < plain


def test_an_easy_opening_does_not_excuse_a_proof() -> None:
    """With a telling hard cue the easy ones count nothing."""
    both = by_rule("some words", 100, [CUE["proof"], CUE["greeting"]])

    assert both.log_odds == by_rule("some words", 100, [CUE["proof"]]).log_odds


def test_what_is_told_by_cues_leaves_no_room() -> None:
    """Room for what was learned shrinks with telling cues and with few words."""
    long = "word " * 40

    assert by_rule(long, 100, ()).room == 1.0
    assert by_rule(long, 100, [CUE["proof"]]).room == 0.0
    assert by_rule(long, 100, [CUE["arithmetic"]]).room == 1.0
    assert 0.0 < by_rule(long, 100, [CUE["algorithm"]]).room < 1.0
    assert by_rule("hi", 100, ()).room < 0.1
