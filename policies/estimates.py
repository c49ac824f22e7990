"""What a deployment is likely to cost, to take and to be worth for one request."""

from __future__ import annotations

import msgspec

from gateway.core.decision import Facts
from gateway.core.deployment import Deployment
from gateway.core.learning import shifted
from gateway.core.output_length import Lengths
from gateway.core.prices import cost_of, worst_cost
from gateway.core.quality import predicted_quality
from gateway.core.speed import seconds_for
from gateway.core.usage import Usage
from policies.compiled import CompiledPolicy

#: Output tokens of one answer when nothing better is known: the mean over a million real
#: conversations with 25 models (LMSYS-Chat-1M, arXiv 2309.11998, table 1).
TYPICAL_OUTPUT = 215


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """One deployment and one request.

    `usage` is the likely usage, `cost` what it costs and `most` the cost of the longest answer, in
    nano-USD; `seconds` is the likely time to the whole answer, None where nothing was measured;
    `quality` is the predicted quality, 0..1.
    """

    usage: Usage
    cost: int
    most: int
    seconds: float | None
    quality: float


def estimate(
    policy: CompiledPolicy, facts: Facts, deployment: Deployment, output_cap: int | None = None
) -> Estimate:
    """Everything that strategies weigh."""
    usage = likely_usage(policy, facts, deployment, output_cap)
    return Estimate(
        usage=usage,
        cost=cost_of(usage, deployment.price, facts.now or None),
        most=worst_cost(
            deployment.price,
            usage.input_tokens,
            longest_output(policy, facts, output_cap),
            at=facts.now or None,
        ),
        seconds=likely_seconds(policy, facts, deployment, output_cap),
        quality=quality_of(facts, deployment),
    )


def longest_output(policy: CompiledPolicy, facts: Facts, output_cap: int | None = None) -> int:
    """The most output tokens that the request can have, over all of its choices."""
    most = facts.max_output_tokens or policy.defaults.max_output_tokens
    if output_cap is not None:
        most = min(most, output_cap)
    return most * max(1, facts.choices)


def likely_output(
    policy: CompiledPolicy, facts: Facts, deployment: Deployment, output_cap: int | None = None
) -> int:
    """The output tokens that are to be expected; embeddings have none."""
    if facts.api == "embeddings":
        return 0
    choices = max(1, facts.choices)
    longest = longest_output(policy, facts, output_cap)
    known = _lengths(facts, deployment)
    if known is None:
        return min(longest, TYPICAL_OUTPUT * choices)
    return known.likely(longest // choices) * choices


def output_quantiles(
    policy: CompiledPolicy, facts: Facts, deployment: Deployment, output_cap: int | None = None
) -> tuple[int, int, int] | None:
    """The output tokens that half, 90 % and 99 % of such answers stay within, each choice by
    itself; None where too few have been seen."""
    known = _lengths(facts, deployment)
    if known is None or facts.api == "embeddings":
        return None
    return known.capped(longest_output(policy, facts, output_cap) // max(1, facts.choices))


def _lengths(facts: Facts, deployment: Deployment) -> Lengths | None:
    """What is known of how long its answers are."""
    return facts.lengths.get(deployment.name) if facts.lengths else None


def likely_cost(
    policy: CompiledPolicy, facts: Facts, deployment: Deployment, output_cap: int | None = None
) -> int:
    """The expected input and output at the deployment's price, in nano-USD."""
    usage = likely_usage(policy, facts, deployment, output_cap)
    return cost_of(usage, deployment.price, facts.now or None)


def likely_usage(
    policy: CompiledPolicy, facts: Facts, deployment: Deployment, output_cap: int | None = None
) -> Usage:
    """The input and output tokens that are to be expected."""
    return Usage(
        input_tokens=facts.profile.tokens.expected_by(deployment.tokenizer),
        output_tokens=likely_output(policy, facts, deployment, output_cap),
    )


def likely_seconds(
    policy: CompiledPolicy, facts: Facts, deployment: Deployment, output_cap: int | None = None
) -> float | None:
    """How long the whole answer is likely to take; None where nothing was measured."""
    speed = facts.speeds.get(deployment.name) if facts.speeds else None
    if speed is None:
        return None
    return seconds_for(speed, likely_output(policy, facts, deployment, output_cap))


def quality_of(facts: Facts, deployment: Deployment) -> float:
    """The predicted quality of the deployment's answer, 0..1, with what use has taught."""
    shift = facts.shifts.get(deployment.name, 0.0) if facts.shifts else 0.0
    return shifted(predicted_for(facts, deployment), shift)


def predicted_for(facts: Facts, deployment: Deployment) -> float:
    """The quality that is predicted before anything was learnt from use, 0..1."""
    profile = facts.profile
    return predicted_quality(
        deployment.skills, profile.difficulty, profile.task, self_hosted=deployment.self_hosted
    )


def dearest_cost(policy: CompiledPolicy, facts: Facts) -> int:
    """The fact `estimated_cost` in nano-USD: see `policies.compiled.Seen`."""
    output = longest_output(policy, facts)
    tokens = facts.profile.tokens
    return max(
        (
            worst_cost(one.price, tokens.expected_by(one.tokenizer), output, at=facts.now or None)
            for one in policy.deployments.values()
        ),
        default=0,
    )
