"""Which budgets and limits an attempt belongs to."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from gateway.core.principal import Principal
from policies.charging import budgets_for, limits_for, scopes_of
from policies.compiled import CompiledPolicy

ROUTES = "routes:\n  - {id: all, use: [house]}\n"
STATED = """\
budgets:
  - {scope: provider/openai_compatible, usd: 10, per: week, zone: Europe/Berlin}
  - {scope: "deployment/*", usd: 3, per: 24h, warn_at: [0.9, 0.5], shrink_to: 100}
  - {scope: "tag/project=*", usd: 2, on_exhausted: downgrade}
  - {scope: tag/project=apollo, usd: 1}
limits:
  - {scope: "key/*", requests: 60, tokens: 1000}
  - {scope: key/k1, requests: 600}
  - {scope: deployment/house, concurrent: 4, per: hour}
"""
TAGS = (("project", "apollo"), ("project", "gemini"))


def test_an_attempt_belongs_to_its_caller_its_deployment_and_its_tags(
    compiled: Callable[[str], CompiledPolicy], deployments: str
) -> None:
    """Scopes of all kinds, each statement for the scopes that it means."""
    policy = compiled(deployments + ROUTES + STATED)
    house = msgspec.structs.replace(policy.deployments["house"], provider="openai_compatible")
    caller = Principal(key_id="k1", team="a")
    budgets = budgets_for(policy, caller, house, TAGS)

    assert scopes_of(caller, house, TAGS)[-4:] == (
        "provider/openai_compatible",
        "deployment/house",
        "tag/project=apollo",
        "tag/project=gemini",
    )
    assert [(one.scope, one.per, one.zone) for one in budgets] == [
        ("provider/openai_compatible", "week", "Europe/Berlin"),
        ("deployment/house", "24h", "UTC"),
        ("tag/project=gemini", "month", "UTC"),
        ("tag/project=apollo", "month", "UTC"),
    ]
    assert budgets[1].warn_at == (0.5, 0.9)
    assert [
        (one.scope, one.seconds, one.requests, one.tokens) for one in limits_for(policy, caller)
    ] == [("key/k1", 60, 600, None)]
    assert [one.scope for one in limits_for(policy, caller, house)] == [
        "key/k1",
        "deployment/house",
    ]


def test_a_statement_for_each_is_each_ones_own(
    compiled: Callable[[str], CompiledPolicy], deployments: str
) -> None:
    """Another key has its own window."""
    policy = compiled(deployments + ROUTES + STATED)
    (limit,) = limits_for(policy, Principal(key_id="k2"))

    assert (limit.scope, limit.requests, limit.tokens) == ("key/k2", 60, 1000)


def test_a_webhook_of_a_budget_has_its_secret_by_reference(
    compiled: Callable[[str], CompiledPolicy], deployments: str
) -> None:
    """The address counts for the revision, the secret's value does not show."""
    hook = (
        "budgets:\n  - {scope: org/default, usd: 5, warn_at: 0.8, "
        "webhook: {url: 'https://hooks.example/budget', secret: 'env:OPENAI_API_KEY'}}\n"
    )
    policy = compiled(deployments + ROUTES + hook)
    other = compiled(deployments + ROUTES + hook.replace("hooks.", "others."))
    (budget,) = policy.budgets

    assert budget.webhook is not None
    assert budget.webhook.url == "https://hooks.example/budget"
    assert budget.webhook.secret.value not in repr(budget)
    assert policy.revision != other.revision
