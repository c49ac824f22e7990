"""Which budgets a request is charged to, and which limits it counts in.

A statement for `team/*` gives each team its own; one for a named team stands instead of it for
that team and period. `tag/project=*` is the same for the values of a tag.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from gateway.core.deployment import Deployment
from gateway.core.limits import LimitCounter
from gateway.core.principal import Principal
from policies.compiled import Budget, CompiledPolicy

Tags = Sequence[tuple[str, str]]
#: The kinds of scope that a statement may name, from the widest.
SCOPE_KINDS = ("org", "team", "app", "key", "user", "provider", "deployment", "tag")


def scopes_of(
    principal: Principal, deployment: Deployment | None = None, tags: Tags = ()
) -> tuple[str, ...]:
    """Every scope that an attempt belongs to; without a deployment, those of the caller."""
    scopes = principal.scopes()
    if deployment is not None:
        provider = deployment.provider or deployment.adapter
        scopes += (f"provider/{provider}", f"deployment/{deployment.name}")
    return scopes + tuple(f"tag/{key}={value}" for key, value in tags)


def budgets_for(
    policy: CompiledPolicy,
    principal: Principal,
    deployment: Deployment | None = None,
    tags: Tags = (),
) -> tuple[Budget, ...]:
    """The budgets that an attempt is charged to: the policy's, then the key's own."""
    scopes = scopes_of(principal, deployment, tags)
    named = {(one.scope, one.per) for one in policy.budgets}
    found: list[Budget] = []
    for budget in policy.budgets:
        for scope in _matching(budget.scope, scopes):
            if scope == budget.scope:
                found.append(budget)
            elif (scope, budget.per) not in named:
                found.append(msgspec.structs.replace(budget, scope=scope))
    if principal.budget is not None:
        own = principal.budget
        scope = f"key/{principal.key_id}"
        found.append(Budget(scope=scope, per=own.per, cap_nanousd=own.cap_nanousd))
    return tuple(found)


def limits_for(
    policy: CompiledPolicy,
    principal: Principal,
    deployment: Deployment | None = None,
    tags: Tags = (),
) -> tuple[LimitCounter, ...]:
    """The limits that an attempt counts in."""
    if not policy.limits:
        return ()
    scopes = scopes_of(principal, deployment, tags)
    named = {(one.scope, one.seconds) for one in policy.limits}
    found: list[LimitCounter] = []
    for limit in policy.limits:
        for scope in _matching(limit.scope, scopes):
            if scope == limit.scope:
                found.append(limit)
            elif (scope, limit.seconds) not in named:
                found.append(msgspec.structs.replace(limit, scope=scope))
    return tuple(found)


def _matching(stated: str, scopes: Sequence[str]) -> Iterator[str]:
    """The scopes that a stated one means."""
    begins = stated[:-1] if stated.endswith(("/*", "=*")) else None
    for scope in scopes:
        if scope == stated or (begins is not None and scope.startswith(begins)):
            yield scope
