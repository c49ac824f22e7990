"""Which of two compared deployments is the weak one."""

from __future__ import annotations

import pytest

from gateway.core.judged import JudgedPair, Scored, compared


def pair(
    served: str,
    copied: str,
    predicted: tuple[float, float] = (0.5, 0.9),
    home: tuple[bool, bool] = (False, False),
) -> JudgedPair:
    return JudgedPair(
        request_id="req_1",
        at=0.0,
        task="chat",
        judge="umpire",
        served=Scored(deployment=served, predicted=predicted[0], score=0.1, self_hosted=home[0]),
        copied=Scored(deployment=copied, predicted=predicted[1], score=0.8, self_hosted=home[1]),
        served_first=True,
        features=b"",
    )


def names(pairs: list[JudgedPair], **chosen: str) -> list[tuple[str, str]]:
    return [(one.weak.deployment, one.strong.deployment) for one in compared(pairs, **chosen)]


def test_the_weak_one_is_predicted_to_be_worse_over_all_pairs() -> None:
    """Whichever of them served, and whatever was predicted of a single request."""
    pairs = [
        pair("house", "larger", (0.5, 0.9)),
        pair("larger", "house", (0.6, 0.7)),
        pair("larger", "house", (0.9, 0.3)),
    ]

    assert names(pairs) == [("house", "larger")] * 3
    assert [one.weak.score for one in compared(pairs)] == [0.1, 0.8, 0.8]


@pytest.mark.parametrize(
    ("home", "expected"),
    [
        ((True, False), [("house", "larger")]),
        ((False, True), [("larger", "house")]),
        ((True, True), []),
        ((False, False), []),
    ],
)
def test_where_nothing_is_predicted_the_self_hosted_one_is_weak(
    home: tuple[bool, bool], expected: list[tuple[str, str]]
) -> None:
    """And of two that are alike neither is, so that such a pair is left out."""
    assert names([pair("house", "larger", (0.7, 0.7), home)]) == expected


def test_names_choose_and_decide() -> None:
    """A name given is the weak or the strong one, whatever was predicted."""
    pairs = [pair("house", "larger"), pair("house", "frontier"), pair("small", "larger")]

    assert names(pairs, weak="house") == [("house", "larger"), ("house", "frontier")]
    assert names(pairs, strong="larger") == [("house", "larger"), ("small", "larger")]
    assert names(pairs, weak="larger", strong="house") == [("larger", "house")]
    assert names(pairs, weak="nobody") == []
