"""The ordered scale and how findings climb it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.findings import (
    FINDING_TYPES,
    Finding,
    SensitivityRules,
    sensitivity_of,
)
from gateway.core.sensitivity import Sensitivity

RULES = SensitivityRules(weak_pair=Sensitivity.CONFIDENTIAL)
FINDINGS = st.lists(
    st.builds(
        Finding,
        type=st.sampled_from(sorted(FINDING_TYPES)),
        start=st.just(0),
        end=st.just(1),
        masked=st.booleans(),
    )
)


def found(*types: str, masked: bool = False) -> list[Finding]:
    return [Finding(type=one, start=0, end=1, masked=masked) for one in types]


def test_the_levels_are_ordered() -> None:
    """public < internal < confidential < restricted."""
    assert sorted(Sensitivity, reverse=True)[0] is Sensitivity.RESTRICTED
    assert Sensitivity.parse(" Internal ") is Sensitivity.INTERNAL


def test_an_unknown_level_is_named_with_those_that_exist() -> None:
    """A typing mistake tells what to write."""
    with pytest.raises(ValueError, match=r"'secret'.*public, internal, confidential, restricted"):
        Sensitivity.parse("secret")


@pytest.mark.parametrize(
    ("types", "level"),
    [
        ((), Sensitivity.INTERNAL),
        (("payment_card",), Sensitivity.RESTRICTED),
        (("email",), Sensitivity.CONFIDENTIAL),
        (("person",), Sensitivity.INTERNAL),
        (("person", "location"), Sensitivity.CONFIDENTIAL),
        (("never_heard_of_it",), Sensitivity.RESTRICTED),
    ],
)
def test_findings_raise_the_level_by_their_type(types: tuple[str, ...], level: Sensitivity) -> None:
    """Each type has its level; a type nobody knows counts as the worst."""
    assert sensitivity_of(found(*types), RULES) == level


def test_what_was_really_masked_no_longer_counts() -> None:
    """Masking lowers the label only for the findings it removed."""
    hidden = found("payment_card", masked=True)

    assert sensitivity_of(hidden, RULES) == Sensitivity.INTERNAL
    assert sensitivity_of(hidden + found("email"), RULES) == Sensitivity.CONFIDENTIAL


@given(FINDINGS, FINDINGS, st.sampled_from(Sensitivity), st.sampled_from(Sensitivity))
def test_more_findings_and_a_higher_floor_never_lower_the_level(
    some: list[Finding], more: list[Finding], low: Sensitivity, high: Sensitivity
) -> None:
    """Property: the level is monotonic in everything that it depends on."""
    low, high = min(low, high), max(low, high)

    assert sensitivity_of(some, RULES, low) <= sensitivity_of(some + more, RULES, high)
