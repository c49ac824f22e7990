"""Which of several readings is reported."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.classify.detectors.base import Found
from gateway.classify.overlaps import without_overlaps
from gateway.core.findings import Finding, SensitivityRules, sensitivity_of

RULES = SensitivityRules()
KINDS = st.sampled_from(
    ["payment_card", "phone", "email", "person", "unheard_of", "fingerprint", "medical"]
)
FOUND = st.builds(
    lambda kind, start, size, sure: Found(kind, start, start + size, sure),
    KINDS,
    st.integers(0, 30),
    st.integers(1, 10),
    st.sampled_from([0.5, 0.9]),
)


def test_the_more_sensitive_reading_stays():
    """Digits that may be a phone or an account number are reported as what ranks higher."""
    phone, account = Found("phone", 0, 10, 0.99), Found("bank_account", 2, 10, 0.5)

    assert without_overlaps([phone, account], RULES.levels) == (account,)


@given(found=st.lists(FOUND, max_size=12))
def test_settling_keeps_the_level_and_leaves_no_overlap(found: list[Found]):
    """The level after settling is the level of all readings, and no two places overlap."""
    kept = without_overlaps(found, RULES.levels)

    assert all(one.end <= two.start for one, two in pairwise(kept))
    assert _level(kept) == _level(found)


def _level(found: object) -> int:
    findings = [Finding(type=one.type, start=one.start, end=one.end) for one in found]  # type: ignore[attr-defined]
    return sensitivity_of(findings, RULES)


def test_a_passage_stands_for_what_is_left_of_it():
    """What is found inside a passage is reported, and the passage around it."""
    passage, mail = Found("fingerprint", 10, 200, 0.97), Found("email", 50, 70, 0.9)

    assert without_overlaps([passage, mail], RULES.levels) == (
        Found("fingerprint", 10, 50, 0.97),
        mail,
        Found("fingerprint", 70, 200, 0.97),
    )
