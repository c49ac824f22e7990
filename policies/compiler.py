"""Turns a policy file into what decides, or says why it cannot.

Rules of this file:
- every check of severity `error` passes first, so that what is built is whole;
- names are resolved to deployments once; conditions become functions once;
- the revision hashes the meaning: comments, layout, tests, secrets' values and the order of
  what has no order do not change it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

import msgspec

from gateway.core.cascade import USUAL_CHECKS
from gateway.core.deployment import SHIPPED_ADAPTERS, AdapterFacts, Deployment, Secret
from gateway.core.findings import OwnDetector, SensitivityRules, default_levels
from gateway.core.limits import LimitCounter
from gateway.core.model_profiles import profile_of
from gateway.core.money import usd_to_nano
from gateway.core.prices import Price
from gateway.core.quality import Skills
from gateway.core.token_families import family_of, image_tokens_of
from policies.checks.registry import run_checks
from policies.compiled import (
    Alias,
    Budget,
    CompiledPolicy,
    Constraint,
    Copying,
    Defaults,
    Invariant,
    Route,
    Webhook,
    Weights,
)
from policies.detecting import own_detectors
from policies.grammar.limits import WINDOWS
from policies.matchers import compile_condition, facts_asked
from policies.model.conditions import Condition
from policies.model.constraints import ConstraintStatement
from policies.model.deployments import DeploymentStatement
from policies.model.file import PolicyFile
from policies.model.never import NeverStatement
from policies.model.routes import RouteStatement, ShadowStatement, WeightsStatement
from policies.model.secrets import SecretReference
from policies.model.sensitivity import SensitivityStatement
from policies.pricing import price_of, unpriced_of
from policies.problems import PolicyError, Problem
from policies.resolve import (
    Known,
    PriceLookup,
    Resolved,
    SecretLookup,
    TermsLookup,
    resolve,
)
from policies.revision import revision_of
from policies.safeguards import degradation_of, safeguards_of
from policies.second_stage import second_stage_of
from policies.selection import select, select_possible, used_by


def compile_policy(
    policy: PolicyFile,
    prices: PriceLookup,
    secrets: SecretLookup,
    adapters: Mapping[str, AdapterFacts] = SHIPPED_ADAPTERS,
    terms: TermsLookup = lambda path: None,
) -> CompiledPolicy:
    """Compile a policy file.

    Args:
        policy: the file as read.
        prices: the price book, asked for deployments that the file does not price.
        secrets: resolves `env:` and `file:` references.
        adapters: the adapters and vendors that deployments may name.
        terms: reads the files of terms that detectors name.

    Raises:
        PolicyError: a check of severity `error` failed, or a secret or a file of terms is not
            there; it holds every such problem.
    """
    known = Known(adapters=adapters, prices=prices)
    looked_up, own = _fetched(policy, known, secrets, terms)
    resolved = tuple(resolve(statement, adapters) for statement in policy.deployments)
    degradation = degradation_of(policy)
    deployments = {
        statement.name: _deployment(statement, one, policy, prices, looked_up)
        for statement, one in zip(policy.deployments, resolved, strict=True)
    }
    routes = tuple(_route(one, resolved) for one in policy.routes)
    compiled = CompiledPolicy(
        revision="",
        source=policy.source,
        deployments=MappingProxyType(deployments),
        aliases=MappingProxyType(
            {one.name: Alias(name=one.name, description=one.description) for one in policy.aliases}
        ),
        rules=sensitivity_rules(policy.sensitivity, own),
        constraints=tuple(_constraint(one, resolved) for one in policy.constraints),
        routes=routes,
        budgets=_budgets(policy, looked_up),
        limits=_limits(policy),
        targets=MappingProxyType({one.id: one.target for one in routes if one.target is not None}),
        degradation=degradation,
        safeguards=safeguards_of(degradation, resolved, unpriced_of(policy, known)),
        invariants=tuple(_invariant(one, resolved) for one in policy.never),
        defaults=_defaults(policy),
        tests=policy.tests,
        asks_cost=any("estimated_cost" in facts_asked(when) for when in _conditions(policy)),
        asks_quality=any(map(_by_quality, routes)),
        asks_length=any(route.strategy in ("cheapest", "fastest", "balanced") for route in routes),
        asks_speed=any(route.strategy in ("fastest", "balanced") for route in routes),
        sticks_to=_sticks_to(routes),
        second_stage=second_stage_of(policy.sensitivity),
    )
    return msgspec.structs.replace(compiled, revision=revision_of(policy, compiled))


def _fetched(
    policy: PolicyFile, known: Known, secrets: SecretLookup, terms: TermsLookup
) -> tuple[Mapping[str, Secret], tuple[OwnDetector, ...]]:
    """The secrets and terms that a file refers to, once nothing else is wrong with it either."""
    problems = list(run_checks(policy, known, severities=frozenset(("error",))))
    looked_up, missing = _secrets_of(policy, secrets)
    problems.extend(missing)
    own, missing = own_detectors(policy.sensitivity, terms)
    problems.extend(missing)
    if problems:
        raise PolicyError(problems, policy.source)
    return looked_up, own


def _conditions(policy: PolicyFile) -> Iterator[Condition | None]:
    """Every condition that stands in a file."""
    stage = policy.sensitivity.second_stage
    yield from (one.when for one in policy.constraints)
    yield from (one.when for one in policy.never)
    yield from (one.when for one in policy.routes)
    if stage is not None:
        yield stage.when


def _sticks_to(routes: Iterable[Route]) -> frozenset[str]:
    return frozenset(one.sticky for one in routes if one.sticky and one.strategy != "split")


def sensitivity_rules(
    statement: SensitivityStatement, own: tuple[OwnDetector, ...] = ()
) -> SensitivityRules:
    """The rules that turn findings into a level: the defaults with the file's own on top."""
    levels = default_levels()
    levels.update((name, stated.level) for name, stated in statement.findings)
    return SensitivityRules(
        levels=MappingProxyType(levels),
        default=statement.default.level,
        weak_pair=statement.weak_pair,
        own=own,
    )


def _secrets_of(
    policy: PolicyFile, secrets: SecretLookup
) -> tuple[Mapping[str, Secret], list[Problem]]:
    found: dict[str, Secret] = {}
    missing: list[Problem] = []
    for path, reference in _references(policy):
        secret = secrets(reference.text)
        if secret is not None:
            found[reference.text] = secret
            continue
        if reference.kind == "env":
            message = f"the environment variable {reference.name} is not set"
            hint = f"set {reference.name} before the gateway starts, or remove what needs it"
        else:
            message = f"the secret file '{reference.name}' cannot be read or is empty"
            hint = "one line of text that the gateway's user may read"
        missing.append(
            Problem(
                line=reference.at.line,
                column=reference.at.column,
                message=message,
                hint=hint,
                path=path,
            )
        )
    return found, missing


def _references(policy: PolicyFile) -> Iterator[tuple[str, SecretReference]]:
    """Every secret that the file refers to, with the path of what needs it."""
    for deployment in policy.deployments:
        path = f"deployments.{deployment.name}"
        for _, held in deployment.headers:
            if isinstance(held, SecretReference):
                yield path, held
        if deployment.api_key is not None:
            yield path, deployment.api_key
    for number, budget in enumerate(policy.budgets):
        if budget.webhook is not None:
            yield f"budgets[{number}].webhook", budget.webhook.secret


def _deployment(
    statement: DeploymentStatement,
    resolved: Resolved,
    policy: PolicyFile,
    prices: PriceLookup,
    secrets: Mapping[str, Secret],
) -> Deployment:
    price = price_of(statement, resolved, prices)
    if isinstance(price, str):
        # Its check let it pass only where such a deployment is left out of everything.
        price = Price(input=0, output=0, cached_input=0, cache_write=0, source="unknown")
    defaults = policy.defaults
    first_byte = statement.first_byte_seconds
    timeout = statement.timeout_seconds
    return Deployment(
        name=statement.name,
        adapter=statement.adapter,
        model=statement.model,
        clearance=statement.clearance.level,
        price=price,
        base_url=resolved.base_url,
        api_key=secrets[statement.api_key.text] if statement.api_key is not None else None,
        headers=tuple((name, held) for name, held in statement.headers if isinstance(held, str)),
        secret_headers=tuple(
            (name, secrets[held.text])
            for name, held in statement.headers
            if isinstance(held, SecretReference)
        ),
        self_hosted=resolved.self_hosted,
        context_tokens=statement.context_tokens,
        max_output_tokens=statement.max_output_tokens,
        capabilities=resolved.capabilities,
        retries=defaults.retries if statement.retries is None else statement.retries,
        timeout_seconds=float(defaults.request_timeout_seconds if timeout is None else timeout),
        first_byte_seconds=float(defaults.first_byte_seconds if first_byte is None else first_byte),
        options=statement.options,
        provider=resolved.provider,
        on_lossy=statement.on_lossy or defaults.on_lossy,
        zone=statement.zone,
        skills=_skills(statement.model),
        tokenizer=statement.tokenizer or family_of(statement.model),
        image_tokens=image_tokens_of(statement.model),
        calibrated_holds=statement.hold_bound == "calibrated",
    )


def _skills(model: str) -> Skills:
    """The published scores of a model; none for one that is not known."""
    profile = profile_of(model)
    return Skills() if profile is None else profile.skills


def _budgets(policy: PolicyFile, secrets: Mapping[str, Secret]) -> tuple[Budget, ...]:
    return tuple(
        Budget(
            scope=budget.scope,
            per=budget.per,
            cap_nanousd=usd_to_nano(budget.usd),
            on_exhausted=budget.on_exhausted or degradation_of(policy).budget_exhausted,
            zone=budget.zone,
            shrink_to=budget.shrink_to,
            warn_at=tuple(sorted(float(share) for share in budget.warn_at)),
            webhook=Webhook(url=budget.webhook.url, secret=secrets[budget.webhook.secret.text])
            if budget.webhook is not None
            else None,
        )
        for budget in policy.budgets
    )


def _limits(policy: PolicyFile) -> tuple[LimitCounter, ...]:
    return tuple(
        LimitCounter(
            scope=limit.scope,
            seconds=WINDOWS[limit.per],
            requests=limit.requests,
            tokens=limit.tokens,
            concurrent=limit.concurrent,
        )
        for limit in policy.limits
    )


def _defaults(policy: PolicyFile) -> Defaults:
    written = policy.defaults
    return Defaults(
        max_output_tokens=written.max_output_tokens,
        request_timeout_seconds=float(written.request_timeout_seconds),
        first_byte_seconds=float(written.first_byte_seconds),
        retries=written.retries,
        on_lossy=written.on_lossy,
    )


def _constraint(statement: ConstraintStatement, resolved: Sequence[Resolved]) -> Constraint:
    everything = {one.name for one in resolved}
    allowed = set(everything)
    if statement.only is not None:
        allowed &= set(select(statement.only, resolved))
    if statement.forbid is not None:
        allowed -= set(select_possible(statement.forbid, resolved))
    if "self_hosted" in statement.require:
        allowed &= {one.name for one in resolved if one.self_hosted}
    return Constraint(
        id=statement.id,
        because=statement.because,
        when=compile_condition(statement.when),
        excluded=frozenset(everything - allowed),
        output_cap=statement.cap_output_tokens,
        mask=frozenset(statement.mask.types if statement.mask else ()),
        realistic=statement.mask is not None and statement.mask.realistic,
        blocks=statement.block is not None,
        message=statement.block or "",
    )


def _invariant(statement: NeverStatement, resolved: Sequence[Resolved]) -> Invariant:
    return Invariant(
        id=statement.id,
        because=statement.because,
        when=compile_condition(statement.when),
        deployments=frozenset(select_possible(statement.deployment, resolved)),
    )


def _route(statement: RouteStatement, resolved: Sequence[Resolved]) -> Route:
    use = statement.use
    return Route(
        id=statement.id,
        because=statement.because,
        when=compile_condition(statement.when),
        deployments=used_by(use, resolved),
        strategy=use.strategy,
        weights=_weights(use.weights) if use.weights is not None else None,
        shares=tuple(float(share.part) for share in use.shares),
        sticky=use.sticky,
        target=use.target,
        explore=use.explore,
        least_quality=use.least_quality,
        checks=(use.checks or USUAL_CHECKS) if use.strategy == "cascade" else None,
        shadow=_copying(statement.shadow) if statement.shadow is not None else None,
        headers=statement.add_headers,
        tags=statement.add_tags,
    )


def _copying(statement: ShadowStatement) -> Copying:
    return Copying(deployment=statement.deployment, share=statement.share, judge=statement.judge)


def _by_quality(route: Route) -> bool:
    aims = route.target is not None and route.target.kind == "quality"
    return aims or route.strategy == "balanced" or (route.least_quality + route.explore) > 0


def _weights(written: WeightsStatement) -> Weights:
    whole = written.cost + written.latency + written.quality
    return Weights(
        cost=float(written.cost / whole),
        latency=float(written.latency / whole),
        quality=float(written.quality / whole),
    )
