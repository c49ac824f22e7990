"""Refusals by limits, in words."""

from __future__ import annotations

import pytest

from gateway.core.limits import LimitCounter, Limited

TEAM = LimitCounter(scope="team/a", requests=60, tokens=9000, concurrent=3)


@pytest.mark.parametrize(
    ("kind", "wait", "words"),
    [
        ("requests", 4.2, "team/a may use 60 requests a minute; 60 are used"),
        ("tokens", None, "this request alone may need 70. Send less"),
        ("concurrent", 1.0, "team/a may have 3 requests under way at once"),
    ],
)
def test_a_refusal_says_which_limit_and_what_helps(
    kind: str, wait: float | None, words: str
) -> None:
    """For the caller."""
    refused = Limited(counter=TEAM, kind=kind, asked=70, taken=60, retry_after=wait)

    assert words in refused.message


def test_only_a_backends_limit_leaves_other_candidates() -> None:
    """A caller takes its own limits along."""
    assert not TEAM.of_deployment
    assert LimitCounter(scope="deployment/frontier").of_deployment
    assert LimitCounter(scope="provider/openai").of_deployment
