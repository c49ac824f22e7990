"""p005: the scope of a budget or a limit is none that a request can have, or stands twice."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.charging import SCOPE_KINDS
from policies.checks.base import Finding
from policies.model.file import PolicyFile
from policies.problems import Place, did_you_mean
from policies.resolve import Known
from policies.safeguards import degradation_of

CODE = "p005"
TITLE = "the scope of a budget or a limit is not usable"
SEVERITY = "error"
BAD = """\
fairlead: 1
deployments:
  house:
    {adapter: ctransformers, model: m, clearance: restricted,
     price: {gpu_hour_usd: 1, tokens_per_second: 100, utilisation: 0.5}}
aliases: {auto: {}}
routes:
  - {id: all, use: [house]}
budgets:
  - {scope: support, usd: 500}
"""
GOOD = BAD.replace("scope: support", "scope: team/support")

_SCOPE = re.compile(r"([a-z]+)/(\S(?:.*\S)?)")


def check(policy: PolicyFile, known: Known) -> Iterator[Finding]:
    """Scopes are `kind/name` or `kind/*`, and each stands once for a period and a purpose."""
    seen: set[tuple[object, ...]] = set()
    for number, budget in enumerate(policy.budgets):
        path = f"budgets[{number}].scope"
        exhausted = budget.on_exhausted or degradation_of(policy).budget_exhausted
        purpose = (budget.scope, budget.per, budget.zone, exhausted)
        yield from _unusable(budget.scope, budget.at, path)
        if purpose in seen:
            message = (
                f"'{budget.scope}' has two budgets for one {budget.per} that "
                f"{exhausted.replace('_', ' ')}"
            )
            yield Finding(at=budget.at, message=message, hint="keep the lower one", path=path)
        seen.add(purpose)
    limited: set[tuple[str, str]] = set()
    for number, limit in enumerate(policy.limits):
        path = f"limits[{number}].scope"
        yield from _unusable(limit.scope, limit.at, path)
        if limit.requests is limit.tokens is limit.concurrent is None:
            message = f"the limit of '{limit.scope}' limits nothing"
            hint = "give it requests, tokens or concurrent"
            yield Finding(at=limit.at, message=message, hint=hint, path=path)
        if (limit.scope, limit.per) in limited:
            message = f"'{limit.scope}' has two limits for one {limit.per}"
            yield Finding(at=limit.at, message=message, hint="write them as one", path=path)
        limited.add((limit.scope, limit.per))


def _unusable(scope: str, at: Place, path: str) -> Iterator[Finding]:
    matched = _SCOPE.fullmatch(scope)
    if matched is None or matched.group(1) not in SCOPE_KINDS:
        kind = matched.group(1) if matched else ""
        near = did_you_mean(kind, SCOPE_KINDS) if kind else ""
        if scope in SCOPE_KINDS and scope != "tag":
            near = f"write {scope}/NAME for one, or {scope}/* for each"
        yield Finding(
            at=at,
            message=f"'{scope}' is not a scope",
            hint=near or f"write kind/name, with a kind of {', '.join(SCOPE_KINDS)}",
            path=path,
        )
        return
    kind, name = matched.groups()
    if kind == "tag":
        if "=" not in name:
            hint = "write tag/NAME=VALUE, or tag/NAME=* for each value"
            yield Finding(at=at, message=f"'{scope}' names no value", hint=hint, path=path)
        elif "*" in name and not re.fullmatch(r"[^*]+=\*", name):
            message = f"'{scope}': a '*' stands alone, for each value"
            yield Finding(at=at, message=message, path=path)
    elif "*" in name and name != "*":
        message = f"'{scope}': a '*' stands alone, for each of its kind"
        yield Finding(at=at, message=message, path=path)
