"""p023: two routes divide one fact between them, and their parts overlap."""

from __future__ import annotations

from collections.abc import Iterator

from policies.checks.base import Finding
from policies.implication import overlap, within
from policies.model.conditions import Condition, Group, Term
from policies.model.file import PolicyFile
from policies.resolve import Known

CODE = "p023"
TITLE = "two routes overlap by a part"
SEVERITY = "warning"
BAD = """\
fairlead: 1
deployments:
  house:
    {adapter: ctransformers, model: m, clearance: restricted,
     price: {gpu_hour_usd: 1, tokens_per_second: 100, utilisation: 0.5}}
  larger:
    {adapter: ctransformers, model: n, clearance: restricted,
     price: {gpu_hour_usd: 4, tokens_per_second: 100, utilisation: 0.5}}
aliases: {auto: {}}
routes:
  - {id: easy, when: {difficulty: "< 0.5"}, use: [house]}
  - {id: medium, when: {difficulty: "0.4..0.7"}, use: [larger]}
  - {id: rest, use: [larger, house]}
"""
GOOD = BAD.replace("0.4..0.7", "0.5..0.7")


def check(policy: PolicyFile, known: Known) -> Iterator[Finding]:
    """Routes that ask the same otherwise hold of parts of a fact that lie apart or in each other.

    A narrow route before a wide one is how lists are written; two that share a part and each have
    one of their own are more often a slip of a bound.
    """
    for number, route in enumerate(policy.routes):
        for earlier in policy.routes[:number]:
            shared = _shared(earlier.when, route.when)
            if shared:
                yield Finding(
                    at=route.at,
                    message=f"the routes '{earlier.id}' and '{route.id}' overlap in {shared}, "
                    f"and there '{earlier.id}' is taken",
                    hint="move one of the bounds, or put the shared part in a route of its own",
                    path=f"routes.{route.id}",
                )


def _shared(one: Condition | None, other: Condition | None) -> str:
    """The fact in which two conditions overlap by a part and in nothing else differ."""
    terms, others = _terms(one), _terms(other)
    if terms is None or others is None or terms.keys() != others.keys():
        return ""
    differing = [fact for fact, term in terms.items() if term.test != others[fact].test]
    if len(differing) != 1:
        return ""
    (fact,) = differing
    test, against = terms[fact].test, others[fact].test
    partly = overlap(test, against) and not within(test, against) and not within(against, test)
    return fact if partly else ""


def _terms(condition: Condition | None) -> dict[str, Term] | None:
    """The terms of a condition that is nothing but terms which all must hold, by fact."""
    parts = condition.parts if isinstance(condition, Group) else (condition,)
    if isinstance(condition, Group) and condition.kind != "all":
        return None
    terms = {part.fact: part for part in parts if isinstance(part, Term)}
    return terms if len(terms) == len(parts) else None
