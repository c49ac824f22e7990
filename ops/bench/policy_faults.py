"""Drawn policies that hold, with faults that open a leak and edits that open none.

Every fault brings its own witness: a request that an engine without any prover sends outside with
the fault and keeps at home without it. So that a fault is a leak is never the prover's word.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from random import Random
from typing import Any

import msgspec

from gateway.core.deployment import SHIPPED_ADAPTERS, Secret
from gateway.core.money import usd_to_nano
from gateway.core.prices import Price
from policies.checker.receivers import receivers
from policies.checker.subject import Subject, subject_of
from policies.compiler import compile_policy
from policies.given import read_given
from policies.loader import read_policy

Policy = dict[str, Any]

_LISTED = Price(input=usd_to_nano(1), output=usd_to_nano(4), cached_input=0, cache_write=0)
_TEAMS = ("hr", "legal", "finance", "research", "support", "sales")
#: Kinds of findings that raise no level: only a constraint keeps them at home.
_TOPICS = ("organization", "project", "person", "location")
_CARDS = ("payment_card", "iban", "us_ssn", "passport", "credential", "private_key", "tax_id")
_MAILS = ("email", "phone", "address", "birth_date", "username")


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """A policy with a leak; `witness` is a request that leaks, as a test's `given`."""

    kind: str
    policy: Policy
    witness: dict[str, Any]


def drawn_policy(chance: Random, *, routes: int = 4, constraints: int = 3) -> Policy:
    """A policy that holds: sensitive data, some topics and some teams stay at home, and it says so.

    Every constraint that keeps something at home has an invariant that claims it.
    """
    outside = [f"vendor-{number}" for number in range(chance.randint(1, 3))]
    homes = [f"house-{number}" for number in range(chance.randint(1, 2))]
    kept = _kept_home(chance, constraints)
    use = [*outside, *homes]
    made: list[dict[str, Any]] = []
    for number in range(routes - 1):
        names = chance.sample(use, chance.randint(1, len(use)))
        if not set(names) & set(homes):
            names.append(chance.choice(homes))
        made.append({"id": f"route-{number}", "when": _wish(chance), "use": names})
    made.append({"id": "rest", "use": [*homes, *outside]})
    return {
        "fairlead": 1,
        "deployments": {
            **{name: _home(number) for number, name in enumerate(homes)},
            **{
                name: {
                    "adapter": chance.choice(("openai", "anthropic")),
                    "model": f"model-{number}",
                    "api_key": "env:KEY",
                    "clearance": "internal",
                }
                for number, name in enumerate(outside)
            },
        },
        "aliases": {"auto": {}},
        "sensitivity": {"default": "internal"},
        "constraints": [
            {"id": f"keep-{n}", "because": "It is ours.", "when": one, "require": "self_hosted"}
            for n, one in enumerate(kept)
        ],
        "never": [
            {"id": f"never-{n}", "when": one, "deployment": {"self_hosted": False}}
            for n, one in enumerate(kept)
        ],
        "routes": made,
    }


def drawn_fault(chance: Random, policy: Policy) -> Fault:
    """One fault of a kind that the policy can have."""
    return chance.choice(FAULTS)(chance, deepcopy(policy))


def drawn_edit(chance: Random, policy: Policy) -> tuple[str, Policy]:
    """Up to three edits that open nothing, one after the other, and their names."""
    edited, names = deepcopy(policy), []
    for edit in chance.sample(EDITS, chance.randint(1, 3)):
        edit(chance, edited)
        names.append(edit.__name__.strip("_"))
    return " + ".join(names), edited


def subject(policy: Policy) -> Subject:
    """The policy, compiled and ready to be proved."""
    file = read_policy(json.dumps(policy), "drawn.yaml")
    compiled = compile_policy(file, lambda provider, model: _LISTED, lambda name: Secret(name))
    return subject_of(file, compiled, SHIPPED_ADAPTERS)


def leaks(policy: Policy, witness: Mapping[str, Any]) -> bool:
    """Whether the engine, invariants aside, sends a request outside; no prover is asked."""
    made = subject(policy)
    reached = receivers(made.policy, read_given(json.dumps(dict(witness)), "witness"))
    return any(made.outside(name) for name in reached)


# Faults. Each takes a copy of a policy that holds.


def _raised_clearance(chance: Random, policy: Policy) -> Fault:
    """A vendor is cleared for what should stay at home, without a reason."""
    level = chance.choice(("confidential", "restricted"))
    name = _an_outsider(chance, policy)
    policy["deployments"][name]["clearance"] = level
    found = chance.choice(_MAILS if level == "confidential" else _CARDS)
    return _fault("clearance raised", policy, {"model": name, "findings": [found]})


def _lowered_finding(chance: Random, policy: Policy) -> Fault:
    """A kind of finding counts for less than is built in."""
    found = chance.choice((*_CARDS, *_MAILS))
    policy["sensitivity"]["findings"] = {found: "public"}
    name = _an_outsider(chance, policy)
    return _fault("finding lowered", policy, {"model": name, "findings": [found]})


def _dropped_constraint(chance: Random, policy: Policy) -> Fault:
    """What kept something at home is gone."""
    place = chance.randrange(len(policy["constraints"]))
    when = policy["constraints"].pop(place)["when"]
    return _fault("constraint dropped", policy, _meeting(chance, policy, when))


def _narrowed_constraint(chance: Random, policy: Policy) -> Fault:
    """It keeps at home only what is asked for as a stream."""
    one = chance.choice(policy["constraints"])
    when = one["when"]
    one["when"] = {**when, "stream": True}
    return _fault("constraint narrowed", policy, _meeting(chance, policy, when))


def _weakened_constraint(chance: Random, policy: Policy) -> Fault:
    """It caps answers instead of keeping them at home."""
    one = chance.choice(policy["constraints"])
    del one["require"]
    one["cap_output_tokens"] = 100
    return _fault("constraint weakened", policy, _meeting(chance, policy, one["when"]))


def _inverted_constraint(chance: Random, policy: Policy) -> Fault:
    """It holds for everything else."""
    one = chance.choice(policy["constraints"])
    when = one["when"]
    one["when"] = {"not": when}
    return _fault("constraint inverted", policy, _meeting(chance, policy, when))


def _named_too_few(chance: Random, policy: Policy) -> Fault:
    """It forbids one vendor by name where there should be none."""
    one = chance.choice(policy["constraints"])
    del one["require"]
    new = "vendor-new"
    policy["deployments"][new] = {
        "adapter": "openai",
        "model": "model-new",
        "api_key": "env:KEY",
        "clearance": "internal",
    }
    one["forbid"] = [name for name in _outsiders(policy) if name != new]
    policy["routes"][-1]["use"].append(new)
    witness = {**_meeting(chance, policy, one["when"]), "model": new}
    return _fault("one vendor forgotten", policy, witness)


def _false_home(chance: Random, policy: Policy) -> Fault:
    """A vendor is called self-hosted, cleared for everything, and is where it was."""
    name = _an_outsider(chance, policy)
    policy["deployments"][name].update(self_hosted=True, clearance="restricted")
    found = chance.choice((*_CARDS, *_MAILS))
    return _fault("vendor called home", policy, {"model": name, "findings": [found]})


def _moved_home(chance: Random, policy: Policy) -> Fault:
    """A deployment at home gets a vendor's address."""
    name = chance.choice([one for one in policy["deployments"] if one.startswith("house")])
    policy["deployments"][name] = {
        "adapter": "openai",
        "model": "model-0",
        "api_key": "env:KEY",
        "clearance": "restricted",
        "self_hosted": True,
    }
    found = chance.choice((*_CARDS, *_MAILS))
    return _fault("home moved to a vendor", policy, {"model": name, "findings": [found]})


FAULTS: tuple[Callable[[Random, Policy], Fault], ...] = (
    _raised_clearance,
    _lowered_finding,
    _dropped_constraint,
    _narrowed_constraint,
    _weakened_constraint,
    _inverted_constraint,
    _named_too_few,
    _false_home,
    _moved_home,
)


# Edits that open nothing. Each changes the policy in place.


def _renamed_route(chance: Random, policy: Policy) -> None:
    chance.choice(policy["routes"])["id"] = "renamed"


def _shuffled_constraints(chance: Random, policy: Policy) -> None:
    chance.shuffle(policy["constraints"])


def _lowered_clearance(chance: Random, policy: Policy) -> None:
    policy["deployments"][_an_outsider(chance, policy)]["clearance"] = "public"


def _raised_finding(chance: Random, policy: Policy) -> None:
    findings = policy["sensitivity"].setdefault("findings", {})
    findings[chance.choice((*_MAILS, "person", "location"))] = "restricted"


def _explained_departure(chance: Random, policy: Policy) -> None:
    because = {"level": "confidential", "because": "A contract allows it."}
    policy["deployments"][_an_outsider(chance, policy)]["clearance"] = because


def _another_home(chance: Random, policy: Policy) -> None:
    policy["deployments"]["house-new"] = _home(9)
    chance.choice(policy["routes"])["use"].append("house-new")


def _another_constraint(chance: Random, policy: Policy) -> None:
    policy["constraints"].append(
        {"id": "more", "because": "Care.", "when": _wish(chance), "require": "self_hosted"}
    )


def _another_threshold(chance: Random, policy: Policy) -> None:
    route = chance.choice(policy["routes"][:-1] or policy["routes"])
    if "when" in route:
        route["when"] = {"difficulty": f">= {chance.randint(1, 9) / 10}"}


def _capped(chance: Random, policy: Policy) -> None:
    policy["constraints"].append(
        {"id": "short", "because": "Money.", "cap_output_tokens": chance.randint(10, 9_000)}
    )


def _masked(chance: Random, policy: Policy) -> None:
    found = chance.choice((*_CARDS, *_MAILS))
    policy["constraints"].append(
        {"id": "hide", "because": "Care.", "when": {"findings": [found]}, "mask": [found]}
    )


def _budgeted(chance: Random, policy: Policy) -> None:
    policy["budgets"] = [
        {
            "scope": f"team/{chance.choice(_TEAMS)}",
            "usd": chance.randint(1, 900),
            "per": "month",
            "on_exhausted": chance.choice(("refuse", "self_hosted_only")),
        }
    ]


def _another_alias(chance: Random, policy: Policy) -> None:
    policy["aliases"][f"alias-{chance.randint(0, 99)}"] = {}


EDITS: tuple[Callable[[Random, Policy], None], ...] = (
    _renamed_route,
    _shuffled_constraints,
    _lowered_clearance,
    _raised_finding,
    _explained_departure,
    _another_home,
    _another_constraint,
    _another_threshold,
    _capped,
    _masked,
    _budgeted,
    _another_alias,
)


# Parts


def _home(number: int) -> dict[str, Any]:
    return {
        "adapter": "openai_compatible",
        "base_url": f"http://127.0.0.1:{8000 + number}/v1",
        "model": f"house-model-{number}",
        "clearance": "restricted",
        "price": {"gpu_hour_usd": 2, "tokens_per_second": 1000, "utilisation": 0.5},
    }


def _kept_home(chance: Random, count: int) -> list[dict[str, Any]]:
    """What constraints keep at home, nothing twice: topics, teams and tags."""
    pool: list[dict[str, Any]] = [{"findings": [topic]} for topic in _TOPICS]
    pool += [{"team": team} for team in _TEAMS]
    pool += [{"tags": {"project": f"secret-{number}"}} for number in range(count)]
    return chance.sample(pool, count)


def _wish(chance: Random) -> dict[str, Any]:
    wishes: list[dict[str, Any]] = [
        {"difficulty": f">= {chance.randint(1, 9) / 10}"},
        {"team": chance.choice(_TEAMS)},
        {"stream": chance.choice((True, False))},
        {"input_tokens": f"> {chance.randint(1, 50) * 1000}"},
        {"tags": {"tier": chance.choice(("gold", "free"))}},
        {"task": chance.choice(("code", "maths", "chat"))},
    ]
    return chance.choice(wishes)


def _outsiders(policy: Policy) -> list[str]:
    return [name for name in policy["deployments"] if name.startswith("vendor")]


def _an_outsider(chance: Random, policy: Policy) -> str:
    return chance.choice(_outsiders(policy))


def _meeting(chance: Random, policy: Policy, when: Mapping[str, Any]) -> dict[str, Any]:
    """A request that a condition of `_kept_home` is about, for a vendor by name."""
    witness: dict[str, Any] = {"model": _an_outsider(chance, policy)}
    for fact in ("team", "tags"):
        if fact in when:
            witness[fact] = when[fact]
    if "findings" in when:
        witness["findings"] = [when["findings"][0]]
    return witness


def _fault(kind: str, policy: Policy, witness: dict[str, Any]) -> Fault:
    return Fault(kind=kind, policy=policy, witness=witness)
