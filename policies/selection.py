"""Finds the deployments that a selector means.

Rules of this file:
- whether a deployment fits has three answers: yes, no, and cannot be told, where the file does
  not say what the selector asks for (a zone, a context window);
- what is allowed or used fits for certain; what is forbidden may fit. So silence never opens a
  door.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.core.model_profiles import profile_of
from policies.compiled import Truth
from policies.model.routes import UseStatement
from policies.model.selectors import Selector
from policies.resolve import Resolved


def select(selector: Selector, deployments: Sequence[Resolved]) -> tuple[str, ...]:
    """The names that certainly fit: in the selector's order when it names them, else the file's."""
    fitting = {one.name: None for one in _best(selector, deployments)}
    if selector.names:
        named = dict.fromkeys(name for name, _ in selector.names)
        return tuple(name for name in named if name in fitting)
    return tuple(fitting)


def used_by(use: UseStatement, deployments: Sequence[Resolved]) -> tuple[str, ...]:
    """The names that a route uses, in the order in which ties are broken."""
    if use.shares:
        there = {one.name for one in deployments}
        return tuple(share.name for share in use.shares if share.name in there)
    if use.among is None:
        return tuple(one.name for one in deployments)
    return select(use.among, deployments)


def select_possible(selector: Selector, deployments: Sequence[Resolved]) -> tuple[str, ...]:
    """The names that fit or of which it cannot be told, in the order of the file."""
    possible = [one for one in deployments if fits(selector, one) is not False]
    if not selector.best_at:
        return tuple(one.name for one in possible)
    best = {one.name for one in _best(selector, deployments)}
    unknown = {one.name for one in possible if _score(selector, one) is None}
    return tuple(one.name for one in possible if one.name in best | unknown)


def fits(selector: Selector, one: Resolved) -> Truth:
    """Whether a deployment is what a selector asks for."""
    named = {name for name, _ in selector.names}
    certain = (
        (not named or one.name in named)
        and (not selector.providers or one.provider in selector.providers)
        and (not selector.adapters or one.adapter in selector.adapters)
        and (not selector.models or _any_word(one.model, selector.models))
        and (selector.self_hosted is None or one.self_hosted is selector.self_hosted)
        and (selector.clearance is None or one.clearance >= selector.clearance)
        and (not one.capabilities or one.capabilities.issuperset(selector.capabilities))
    )
    if not certain:
        return False
    told = (_zone_fits(selector, one), _context_fits(selector, one), _licence_fits(selector, one))
    return False if False in told else None if None in told else True


def _zone_fits(selector: Selector, one: Resolved) -> Truth:
    if not selector.zones:
        return True
    return one.zone in selector.zones if one.zone else None


def _context_fits(selector: Selector, one: Resolved) -> Truth:
    if selector.min_context is None:
        return True
    profile = profile_of(one.model)
    window = one.context_tokens or (profile.context_tokens if profile is not None else 0)
    return window >= selector.min_context if window else None


def _licence_fits(selector: Selector, one: Resolved) -> Truth:
    if not selector.licence:
        return True
    profile = profile_of(one.model)
    if profile is None:
        return None
    # Whoever sells a service may use its model.
    allowed = profile.commercial is not False
    return allowed if selector.licence == "commercial" else not allowed


def _best(selector: Selector, deployments: Sequence[Resolved]) -> list[Resolved]:
    """Those that certainly fit, and of these the best where that is asked for."""
    fitting = [one for one in deployments if fits(selector, one)]
    if not selector.best_at:
        return fitting
    scores = {one.name: _score(selector, one) for one in fitting}
    most = max((score for score in scores.values() if score is not None), default=None)
    return [one for one in fitting if most is not None and scores[one.name] == most]


def _score(selector: Selector, one: Resolved) -> float | None:
    profile = profile_of(one.model)
    found: float | None = None if profile is None else getattr(profile.skills, selector.best_at)
    return found


def _any_word(text: str, words: tuple[str, ...]) -> bool:
    return any(text.startswith(word[:-1]) if word.endswith("*") else text == word for word in words)
