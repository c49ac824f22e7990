"""When answers agree, and when they cannot any more."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.cascade import Checks, Gist, alike, majority, out_of_reach

PARIS, LYON, NICE = (Gist(exact=city) for city in ("paris", "lyon", "nice"))


def test_more_than_half_of_all_samples_is_a_majority() -> None:
    """Two of three decide, even before the third was asked; one of two does not."""
    assert majority([LYON, PARIS, PARIS], 3) == 1
    assert majority([PARIS, PARIS], 3) == 0
    assert majority([PARIS], 2) is None


def test_a_majority_is_out_of_reach_when_the_rest_cannot_make_one() -> None:
    """Three cities of three samples; after two of them a third could still decide."""
    assert out_of_reach([PARIS, LYON, NICE], 3)
    assert not out_of_reach([PARIS, LYON], 3)
    assert out_of_reach([PARIS, LYON], 2)


def test_prose_is_alike_when_half_of_its_words_are_the_same() -> None:
    """An exact result never equals prose."""
    one = Gist(words=frozenset("the light is red today".split()))
    other = Gist(words=frozenset("today the light is green".split()))

    assert alike(one, other)
    assert not alike(one, Gist(words=frozenset({"no"})))
    assert not alike(one, PARIS)


@given(st.lists(st.sampled_from([PARIS, LYON, NICE]), max_size=9), st.integers(2, 9))
def test_a_majority_that_is_there_is_not_out_of_reach(gists: list[Gist], samples: int) -> None:
    """The two answers never contradict each other, and one of them comes in time."""
    gists = gists[:samples]

    assert majority(gists, samples) is None or not out_of_reach(gists, samples)
    if len(gists) == samples:
        assert (majority(gists, samples) is not None) or out_of_reach(gists, samples)


def test_checks_are_told_as_a_policy_writes_them() -> None:
    """Names, with their numbers where they have one."""
    checks = Checks(schema=True, logprob=-0.8, agreement=3)

    assert checks.words() == ("schema", "logprob -0.8", "agreement 3")
