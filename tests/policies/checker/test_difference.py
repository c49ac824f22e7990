"""What changes between two policies is found for all requests, and the engine confirms it."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies.checker.difference import Change, difference
from policies.checker.space import space_of
from policies.checker.subject import Subject
from policies.engine import decide
from policies.given import read_given
from policies.model.cases import GivenStatement
from policies.testing import facts_of
from tests.policies.checker.drawn import any_request, called, compiled, points, policies

BASE = """\
fairlead: 1
deployments:
  house: {adapter: openai_compatible, base_url: "http://127.0.0.1:8000/v1", model: llama,
          price: {input_usd_per_mtok: 1, output_usd_per_mtok: 2}, clearance: restricted}
  frontier: {adapter: openai, model: gpt-4o, api_key: "env:K", clearance: internal}
aliases: {auto: {}}
constraints:
  - {id: mails, because: GDPR., when: {findings: [email]}, require: self_hosted}
routes:
  - {id: hard, when: {difficulty: ">= 0.6"}, use: [frontier, house]}
  - {id: all, use: [house]}
"""


def changes(before: str, after: str) -> tuple[Change, ...]:
    """What changes from one text to another."""
    return difference(compiled(before), compiled(after)).changes


def only(found: tuple[Change, ...], kind: str) -> Change:
    """The one change of a kind."""
    (one,) = [change for change in found if change.kind == kind]
    return one


def test_a_file_is_as_itself() -> None:
    """Whatever is written about it."""
    assert changes(BASE, BASE.replace("fairlead: 1", "# The same.\nfairlead: 1")) == ()


@pytest.mark.parametrize(
    ("old", "new", "kind", "about", "example"),
    [
        (
            "clearance: internal",
            "clearance: confidential",
            "leaves",
            "frontier",
            {"findings": ["address"], "difficulty": 0.6},
        ),
        ('">= 0.6"', '">= 0.55"', "reaches", "frontier", {"difficulty": 0.55}),
        ('">= 0.6"', '">= 0.8"', "spared", "frontier", {"difficulty": 0.6}),
        ("require: self_hosted", "block: No.", "refused", "", {"findings": ["email"]}),
        ("require: self_hosted", "mask: email", "masked", "email", {"findings": ["email"]}),
        ("require: self_hosted", "cap_output_tokens: 9", "capped", "9", {"findings": ["email"]}),
        ("[email]", "[phone]", "constraint", "mails", {"findings": ["phone"]}),
        ("use: [frontier, house]", "use: {strategy: cheapest}", "route", "hard", {}),
        ("use: [house]", "use: [house], add_tags: {a: b}", "route", "all", {}),
        ("use: [house]", "use: [house], shadow: frontier", "reaches", "frontier", {}),
        (
            "use: [house]",
            "use: [house], shadow: {deployment: house, judge: frontier}",
            "reaches",
            "frontier",
            {},
        ),
    ],
)
def test_each_kind_of_change_comes_with_its_simplest_request(
    old: str, new: str, kind: str, about: str, example: dict[str, Any]
) -> None:
    """No fact stands in an example that the change does not need."""
    found = [one for one in changes(BASE, BASE.replace(old, new)) if one.kind == kind]

    assert (found[0].about, found[0].kind) == (about, kind)
    shown = dict(found[0].example or {})
    assert shown.pop("model") == "auto"
    if example:
        assert {name: shown.get(name) for name in example} == example


def test_the_other_way_round_it_is_undone() -> None:
    """What was newly masked is no longer, and what was spared is reached."""
    masking = BASE.replace("require: self_hosted", "mask: email")

    assert only(changes(masking, BASE), "unmasked").about == "email"
    kinds = {one.kind for one in changes(BASE.replace('">= 0.6"', '">= 0.8"'), BASE)}
    assert "reaches" in kinds


def test_what_no_request_can_tell_is_compared_as_it_is_written() -> None:
    """Addresses, models, prices and budgets."""
    found = changes(BASE, BASE.replace("model: gpt-4o", "model: gpt-4o-mini"))

    assert [one.kind for one in found] == ["written"]
    assert found[0].about == "deployments.frontier"
    assert "model" in found[0].says
    assert found[0].example is None


_quiet = [HealthCheck.too_slow, HealthCheck.data_too_large]


def reached(subject: Subject, given: GivenStatement) -> frozenset[str]:
    """Who may be called, by the engine."""
    return called(subject.policy, given)


def agree(before: str, after: str, seed: int, most: int) -> None:
    """What is told is so, and what is so is told."""
    old, new = compiled(before), compiled(after)
    found = difference(old, new).changes
    told = {(one.kind, one.about) for one in found}
    for one in found:
        if one.example is None:
            continue
        given = read_given(json.dumps(one.example), "example")
        was, is_ = reached(old, given), reached(new, given)
        if one.kind in ("reaches", "leaves"):
            assert one.about in is_
        if one.kind == "reaches":
            assert one.about not in was
        if one.kind == "spared":
            assert one.about in was - is_
        if one.kind == "refused":
            assert was
            assert not is_
        if one.kind == "served":
            assert is_
            assert not was
    space = space_of(old.guarded, new.guarded)
    chance = Random(seed)
    requests = [space.given(point) for point in points(space, chance, most)]
    requests += [any_request(new.policy, chance) for _ in range(most // 4)]
    for given in requests:
        was, is_ = reached(old, given), reached(new, given)
        for name in is_ - was:
            assert ("reaches", name) in told, given
        for name in was - is_:
            assert ("spared", name) in told, given
        masks = [decide(one.policy, facts_of(one.policy, given, None)).mask for one in (old, new)]
        if was and is_:
            held = set(given.findings or ())
            assert all(("masked", name) in told for name in (masks[1] - masks[0]) & held)
            assert all(("unmasked", name) in told for name in (masks[0] - masks[1]) & held)


@settings(max_examples=12, deadline=None, suppress_health_check=_quiet)
@given(before=policies(), after=policies(), seed=st.integers(0, 2**32))
def test_what_is_told_and_what_the_engine_does_agree(before: str, after: str, seed: int) -> None:
    """Property: for small policies over a few kinds of facts."""
    agree(before, after, seed, 150)


@pytest.mark.full
@settings(max_examples=500, deadline=None, suppress_health_check=_quiet)
@given(before=policies(), after=policies(), seed=st.integers(0, 2**32))
def test_what_is_told_and_what_the_engine_does_agree_at_length(
    before: str, after: str, seed: int
) -> None:
    """The same with more policies and more requests."""
    agree(before, after, seed, 1500)
