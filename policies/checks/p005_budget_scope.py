"""p005: a budget's scope is not one that a caller can have, or two budgets claim it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.checks.base import Finding
from policies.model.file import PolicyFile
from policies.problems import did_you_mean
from policies.resolve import Known

CODE = "p005"
TITLE = "a budget's scope is not usable"
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

SCOPE_KINDS = ("org", "team", "app", "user", "key")
_SCOPE = re.compile(r"([a-z]+)/(\S(?:.*\S)?)")


def check(policy: PolicyFile, known: Known) -> Iterator[Finding]:
    """Scopes are `kind/name` or `kind/*`, and each stands once for a period."""
    seen: set[tuple[str, str]] = set()
    for number, budget in enumerate(policy.budgets):
        path = f"budgets[{number}].scope"
        matched = _SCOPE.fullmatch(budget.scope)
        if matched is None or matched.group(1) not in SCOPE_KINDS:
            kind = matched.group(1) if matched else ""
            near = did_you_mean(kind, SCOPE_KINDS) if kind else ""
            yield Finding(
                at=budget.at,
                message=f"'{budget.scope}' is not a scope",
                hint=near or f"write kind/name, with a kind of {', '.join(SCOPE_KINDS)}",
                path=path,
            )
        elif "*" in matched.group(2) and matched.group(2) != "*":
            message = f"'{budget.scope}': a '*' stands alone, for each of its kind"
            yield Finding(at=budget.at, message=message, path=path)
        elif (budget.scope, budget.per) in seen:
            message = f"'{budget.scope}' has two budgets for one {budget.per}"
            yield Finding(at=budget.at, message=message, hint="keep the lower one", path=path)
        seen.add((budget.scope, budget.per))
