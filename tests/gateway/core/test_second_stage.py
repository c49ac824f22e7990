"""A second stage adds findings and takes none away."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.findings import FINDING_TYPES, Finding, SensitivityRules, sensitivity_of
from gateway.core.profile import Profile
from gateway.core.second_stage import Looked, deepened
from gateway.core.sensitivity import UNKNOWN, Sensitivity

FINDINGS = st.builds(
    Finding,
    type=st.sampled_from(sorted(FINDING_TYPES)),
    start=st.integers(0, 5),
    end=st.integers(6, 9),
    segment=st.integers(0, 1),
)
RULES = st.builds(
    SensitivityRules,
    default=st.sampled_from(Sensitivity),
    weak_pair=st.none() | st.sampled_from(Sensitivity),
)


@given(
    st.lists(FINDINGS), st.lists(FINDINGS), RULES, st.sampled_from(Sensitivity), st.booleans(),
    st.sampled_from(("", "timeout")),
)  # fmt: skip
def test_the_level_can_only_rise_and_no_finding_is_lost(
    first: list[Finding],
    second: list[Finding],
    rules: SensitivityRules,
    floor: Sensitivity,
    restricts: bool,
    failure: str,
) -> None:
    """Whatever the second stage says, or a text has talked it into saying."""
    before = Profile(
        sensitivity=sensitivity_of(first, rules, floor), findings=tuple(first), floor=floor
    )
    looked = Looked(findings=tuple(second), failure=failure)
    after = deepened(before, looked, rules, restricts=restricts)

    assert after.sensitivity >= before.sensitivity
    assert after.findings[: len(first)] == before.findings
    assert after.finding_types() == {one.type for one in (*first, *second)}
    if failure and restricts:
        assert (after.sensitivity, after.failed) == (UNKNOWN, ("second_stage",))
    else:
        # As a record that is replayed computes it again, from types alone.
        types = [Finding(type=name, start=0, end=0) for name in after.finding_types()]
        assert after.sensitivity == sensitivity_of(types, rules, floor)


def test_what_lies_within_a_known_finding_of_its_type_adds_nothing() -> None:
    """A longer one does, so that all of it can be hidden; and so does another type."""
    known = Finding(type="person", start=4, end=9)
    before = Profile(sensitivity=Sensitivity.INTERNAL, findings=(known,))
    looked = Looked(
        findings=(
            Finding(type="person", start=5, end=9),
            Finding(type="person", start=4, end=15),
            Finding(type="email", start=5, end=9),
            Finding(type="person", start=5, end=9, segment=1),
        )
    )
    after = deepened(before, looked, SensitivityRules(), restricts=True)

    assert after.findings == (known, *looked.findings[1:])


def test_a_request_that_was_not_judged_stays_so() -> None:
    """The first stage's failure is not mended by the second."""
    before = Profile(sensitivity=UNKNOWN, failed=("findings",))

    assert deepened(before, Looked(), SensitivityRules(), restricts=False) == before
