"""The list of claims."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from policies.checker.claims import (
    clearance,
    degradation,
    invariants,
    levels,
    outside,
    refused,
)
from policies.checker.claims.base import Claim
from policies.checker.reaching import Reaching
from policies.checker.subject import Subject

KINDS: tuple[Callable[[Subject, Reaching], Iterator[Claim]], ...] = (
    clearance.claims,
    outside.claims,
    levels.claims,
    invariants.claims,
    refused.claims,
    degradation.claims,
)


def all_claims(subject: Subject, reaching: Reaching) -> tuple[Claim, ...]:
    """Everything that is claimed of a policy."""
    return tuple(claim for kind in KINDS for claim in kind(subject, reaching))
