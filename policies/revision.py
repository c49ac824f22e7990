"""The revision of a policy: a hash of what it means.

Comments, layout, tests, the values of secrets and the order of what has no order leave it
unchanged; whatever could change a decision, a bound, a price or a reason's words changes it.
"""

from __future__ import annotations

from decimal import Decimal
from hashlib import sha256
from typing import Any

import msgspec

from gateway.core.deployment import Deployment
from gateway.core.findings import OwnDetector
from policies.compiled import CompiledPolicy, Constraint, Route, SecondStage
from policies.model.budgets import BudgetStatement
from policies.model.conditions import Condition, Group
from policies.model.deployments import DeploymentStatement
from policies.model.file import PolicyFile
from policies.model.second_stage import SecondStageStatement
from policies.model.secrets import SecretReference


def revision_of(policy: PolicyFile, compiled: CompiledPolicy) -> str:
    """A short content hash of the compiled meaning."""
    return sha256(canonical(meaning_of(policy, compiled))).hexdigest()[:12]


def meaning_of(policy: PolicyFile, compiled: CompiledPolicy) -> dict[str, Any]:
    """What the revision is a hash of, by section; values that mean the same encode alike."""
    return {
        "deployments": {
            one.name: _deployment_meaning(one, compiled.deployments[one.name])
            for one in policy.deployments
        },
        "order": _order_meaning(policy),
        "aliases": {alias.name: alias.description for alias in policy.aliases},
        "rules": {
            "levels": dict(compiled.rules.levels),
            "default": compiled.rules.default,
            "weak_pair": compiled.rules.weak_pair,
            **_own_meaning(compiled.rules.own),
        },
        "constraints": {
            one.id: [built.because, _condition_meaning(one.when), _effects_meaning(built)]
            for one, built in zip(policy.constraints, compiled.constraints, strict=True)
        },
        "never": {
            one.id: [built.because, _condition_meaning(one.when), sorted(built.deployments)]
            for one, built in zip(policy.never, compiled.invariants, strict=True)
        },
        "routes": [
            [
                *(one.id, one.because, _condition_meaning(one.when), built.deployments),
                *(built.strategy, built.weights, built.shares, built.sticky, built.checks),
                built.target,
                *(built.explore, built.least_quality),
                *_obligations_meaning(built),
            ]
            for one, built in zip(policy.routes, compiled.routes, strict=True)
        ],
        "budgets": sorted(
            msgspec.json.encode((msgspec.structs.replace(built, webhook=None), _told(one))).decode()
            for one, built in zip(policy.budgets, compiled.budgets, strict=True)
        ),
        "limits": sorted(msgspec.json.encode(limit).decode() for limit in compiled.limits),
        "degradation": compiled.degradation,
        **_second_stage_meaning(policy.sensitivity.second_stage, compiled.second_stage),
        "defaults": compiled.defaults,
    }


def _deployment_meaning(statement: DeploymentStatement, built: Deployment) -> dict[str, Any]:
    """Everything but the secrets, which count by their references."""
    shown: dict[str, Any] = msgspec.to_builtins(
        msgspec.structs.replace(built, api_key=None, secret_headers=()), str_keys=True
    )
    shown["capabilities"] = sorted(built.capabilities)
    shown["options"] = dict(built.options)
    shown["headers"] = {
        name: held.text if isinstance(held, SecretReference) else held
        for name, held in statement.headers
    }
    shown["api_key"] = statement.api_key.text if statement.api_key is not None else None
    return shown


def _order_meaning(policy: PolicyFile) -> list[str]:
    """The order of deployments matters only where a route takes the file's order."""
    by_file = any(route.use.among is None or not route.use.among.names for route in policy.routes)
    return [one.name for one in policy.deployments] if by_file else []


def _told(statement: BudgetStatement) -> list[str]:
    """Who is told, with the secret by its reference."""
    hook = statement.webhook
    return [] if hook is None else [hook.url, hook.secret.text]


def _own_meaning(own: tuple[OwnDetector, ...]) -> dict[str, Any]:
    """What a policy's own detectors look for; nothing where it has none."""
    meant = sorted([one.type, one.pattern, _digest(one.terms)] for one in own)
    return {"own": meant} if meant else {}


def _digest(terms: tuple[str, ...]) -> str:
    return sha256("\n".join(sorted(terms)).encode("utf-8", "surrogatepass")).hexdigest()


def _second_stage_meaning(
    statement: SecondStageStatement | None, built: SecondStage | None
) -> dict[str, Any]:
    """Who is asked besides, and about what; nothing where nobody is."""
    if statement is None or built is None:
        return {}
    asked = None if built.presidio is None else msgspec.to_builtins(built.presidio)
    if asked is not None:
        asked["entities"] = dict(asked["entities"])
    when = _condition_meaning(statement.when)
    return {"second_stage": [asked, built.deployment, when, built.timeout_seconds, built.restricts]}


def _obligations_meaning(built: Route) -> list[Any]:
    """What a route adds; nothing for one that adds nothing."""
    added = {"headers": dict(built.headers), "tags": dict(built.tags), "shadow": built.shadow}
    meant = {name: held for name, held in added.items() if held}
    return [meant] if meant else []


def _effects_meaning(built: Constraint) -> list[Any]:
    masked, excluded = sorted(built.mask), sorted(built.excluded)
    style = ["realistic"] if built.realistic else []
    return [excluded, built.output_cap, masked, built.blocks, built.message, *style]


def _condition_meaning(condition: Condition | None) -> Any:
    """A condition without places and wording; parts and words without order are sorted."""
    if condition is None:
        return None
    if isinstance(condition, Group):
        parts = [_condition_meaning(part) for part in condition.parts]
        return [condition.kind, sorted(parts, key=canonical)]
    asked = {
        name: _unordered(held) for name, held in msgspec.structs.asdict(condition.test).items()
    }
    return [condition.fact, type(condition.test).__name__, asked]


def _unordered(held: Any) -> Any:
    """Tuples in tests have no order, but for the ends of a range of dates, which sort anyway."""
    if isinstance(held, Decimal):
        return str(held.normalize())
    if isinstance(held, tuple):
        return sorted((_unordered(part) for part in held), key=canonical)
    return held


def canonical(meaning: Any) -> bytes:
    """The bytes of a part of a meaning."""
    return msgspec.json.encode(meaning, order="deterministic")
