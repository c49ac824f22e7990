"""Which model fits a machine and a need, by what is known of models."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from gateway.core.model_profiles import ModelProfile, Strength


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """What a model is wanted for.

    `memory_gb` (10^9 bytes) is what there is to hold it, None for a service that others run;
    `least_context` is in tokens; `commercial` asks for a licence that allows commercial use.
    """

    strength: Strength = "knowledge"
    memory_gb: float | None = None
    least_context: int = 0
    commercial: bool = False
    capabilities: frozenset[str] = frozenset()


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """A model, how it would be held, its score, and why it will not do: empty where it will.

    `bits` is 16 or 4 for each weight; 0 for a service. `memory_gb` is what it takes then.
    """

    profile: ModelProfile
    bits: Literal[16, 4, 0]
    memory_gb: float | None
    score: float | None
    against: tuple[str, ...] = ()


def advise(need: Need, profiles: Iterable[ModelProfile]) -> tuple[Advice, ...]:
    """Every model, those that will do first and of them the best at what is needed.

    A model is held at 16 bits where that fits, else at 4. Equal scores go to the smaller model, and
    models without a published score come after those that have one.
    """
    found = (_judged(need, one) for one in profiles)
    return tuple(sorted(found, key=_order))


def _order(one: Advice) -> tuple[int, float, float]:
    score = -1.0 if one.score is None else one.score
    return len(one.against), -score, one.memory_gb or 0.0


def _judged(need: Need, profile: ModelProfile) -> Advice:
    against: list[str] = []
    bits: Literal[16, 4, 0] = 0
    memory = None
    if profile.parameters is not None:
        room = need.memory_gb or 0.0
        bits = 16 if (profile.memory_gb(16) or 0.0) <= room else 4
        memory = profile.memory_gb(bits)
        if memory is not None and memory > room:
            against.append(f"takes {memory:g} GB at 4 bits")
    elif need.memory_gb is not None:
        against.append("is a service of its maker")
    if profile.context_tokens < need.least_context:
        against.append(f"reads {profile.context_tokens} tokens at most")
    if need.commercial and profile.commercial is False:
        against.append(f"licence '{profile.licence}' forbids commercial use")
    lacking = need.capabilities - profile.capabilities
    if lacking:
        against.append(f"is not known to do: {', '.join(sorted(lacking))}")
    score: float | None = getattr(profile.skills, need.strength)
    return Advice(profile=profile, bits=bits, memory_gb=memory, score=score, against=tuple(against))
