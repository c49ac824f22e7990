"""What follows from what, and that it really does."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st

from policies.implication import implies, overlap
from policies.loader import read_policy
from policies.matchers import compile_condition
from policies.model.conditions import Condition, Term
from policies.seeing import see
from policies.testing import facts_of
from tests.policies.checker.drawn import TERMS, any_request, compiled, conditions

FILE = """\
fairlead: 1
deployments:
  house: {{adapter: ctransformers, model: m, clearance: restricted,
          price: {{gpu_hour_usd: 1, tokens_per_second: 100, utilisation: 0.5}}}}
aliases: {{auto: {{}}, gpt-4o: {{}}}}
routes: [{{id: a, when: {one}, use: house}}, {{id: b, when: {other}, use: house}}]
"""


def read(one: str, other: str) -> tuple[Condition | None, Condition | None]:
    """Two conditions as the file has them."""
    routes = read_policy(FILE.format(one=one, other=other), "p.yaml").routes
    return routes[0].when, routes[1].when


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{difficulty: ">= 0.8"}', '{difficulty: ">= 0.5"}'),
        ('{difficulty: "> 0.5"}', '{difficulty: ">= 0.5"}'),
        ('{difficulty: "0.6..0.7"}', '{difficulty: ">= 0.5"}'),
        ("{sensitivity: public}", '{sensitivity: "<= internal"}'),
        ("{team: a}", "{team: [a, b]}"),
        ("{team: support-eu}", "{team: 'support*'}"),
        ("{team: 'support-*'}", "{team: 'support*'}"),
        ("{team: a, stream: true}", "{stream: true}"),
        ("{findings: [email]}", "{findings: [email, phone]}"),
        ("{findings: {all: [email, phone]}}", "{findings: email}"),
        ("{tags: {a: b, c: d}}", "{tags: {a: '*'}}"),
        ("{any: [{team: a}, {team: b}]}", "{team: [a, b]}"),
        ("{team: a}", "{any: [{team: a}, {stream: true}]}"),
        ("{not: [{team: [a, b]}]}", "{not: [{team: a}]}"),
        ("{team: a}", "{}"),
    ],
)
def test_what_is_narrower_implies_what_is_wider(one: str, other: str) -> None:
    """And not the other way round."""
    narrow, wide = read(one, other)

    assert implies(narrow, wide)
    assert not implies(wide, narrow)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{difficulty: ">= 0.5"}', '{reliability: ">= 0.5"}'),
        ('{difficulty: ">= 0.5"}', '{difficulty: "> 0.5"}'),
        ("{findings: {none: email}}", "{findings: phone}"),
        ("{team: a}", "{app: a}"),
        ("{not: [{findings: [email, phone]}]}", "{not: [{findings: email}]}"),
    ],
)
def test_what_does_not_follow_is_not_claimed(one: str, other: str) -> None:
    """Of a failed detector one question may be answered and a narrower one not."""
    narrow, wide = read(one, other)

    assert not implies(narrow, wide)


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ('{difficulty: "< 0.5"}', '{difficulty: "0.4..0.7"}', True),
        ('{difficulty: "< 0.5"}', '{difficulty: "0.5..0.7"}', False),
        ('{difficulty: "<= 0.5"}', '{difficulty: "0.5..0.7"}', True),
        ('{difficulty: "> 0.2"}', '{difficulty: "< 0.3"}', True),
        ("{team: [a, b]}", "{team: [b, c]}", True),
        ("{team: [a, b]}", "{team: 'b*'}", True),
        ("{team: [a, b]}", "{team: [c, d]}", False),
        ("{team: 'ab*'}", "{team: 'ac*'}", False),
        ("{stream: true}", "{stream: true}", False),
    ],
)
def test_two_conditions_on_one_fact_overlap(one: str, other: str, shared: bool) -> None:
    """Where one value passes both; of flags, sets and hours nothing is said."""
    first, second = read(one, other)

    assert isinstance(first, Term)
    assert isinstance(second, Term)
    assert overlap(first.test, second.test) is shared
    assert overlap(second.test, first.test) is shared


@given(st.data(), st.integers(0, 2**32))
def test_what_is_implied_holds_for_any_request(data: st.DataObject, seed: int) -> None:
    """Where the first condition is true for certain, so is the second."""
    kinds = data.draw(st.lists(st.sampled_from(sorted(TERMS)), min_size=1, max_size=2, unique=True))
    texts = data.draw(conditions(kinds)), data.draw(conditions(kinds))
    one, other = read(*texts)
    assume(implies(one, other))
    event("implied")
    policy = compiled(FILE.format(one=texts[0], other=texts[1])).policy
    first, second = compile_condition(one), compile_condition(other)
    chance = Random(seed)
    for _ in range(30):
        seen = see(policy, facts_of(policy, any_request(policy, chance), None))
        assert first.holds(seen) is not True or second.holds(seen) is True
