"""Whether it is worth counting tokens exactly before something is decided by them.

The cheap estimate needs no vocabulary and takes microseconds; its bound is a token a byte. Counting
takes about 0.05 ms a kB, so it is done where it changes something: where a context window lies
between the two, or where the hold of money would become noticeably smaller.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from gateway.core.deployment import Deployment
from gateway.core.profile import TokenEstimate
from gateway.core.token_families import DEAREST_IMAGE, O200K, vocabularies_for

#: A hold that would fall by less than this share is placed as it is.
_WORTH = 0.15
#: The estimate is hardly ever wrong by more than this factor: a window below `expected` divided by
#: it is passed, whatever an exact count would say.
_WRONG_BY = 2


class Stakes(msgspec.Struct, frozen=True, kw_only=True):
    """What of a policy's deployments depends on the number of tokens.

    `windows` are their context sizes with their tokenizer families; `outside` the families of
    those that run elsewhere; `output_weight` is how many input tokens cost what an output token
    does, at the deployment whose input is dearest.
    """

    families: frozenset[str] = frozenset()
    outside: frozenset[str] = frozenset()
    windows: tuple[tuple[int, str], ...] = ()
    output_weight: float = 1.0


class Counting(msgspec.Struct, frozen=True, kw_only=True):
    """What to count: for which families, with which vocabularies."""

    families: frozenset[str]
    vocabularies: frozenset[str]


def stakes_of(deployments: Iterable[Deployment]) -> Stakes:
    """The stakes of a policy; worked out once."""
    every = tuple(deployments)
    dearest = max((one.price for one in every), key=lambda price: price.input, default=None)
    weight = dearest.output / dearest.input if dearest is not None and dearest.input else 1.0
    return Stakes(
        families=frozenset(one.tokenizer for one in every),
        outside=frozenset(one.tokenizer for one in every if not one.self_hosted),
        windows=tuple(
            sorted({(one.context_tokens, one.tokenizer) for one in every if one.context_tokens})
        ),
        output_weight=weight,
    )


def what_to_count(
    tokens: TokenEstimate, stakes: Stakes, most_output: int, *, always: bool = False
) -> Counting | None:
    """What to count exactly before such a request is decided; None where nothing is worth it.

    Args:
        tokens: the cheap estimate.
        stakes: of the policy that decides.
        most_output: output tokens that are held for at most.
        always: count whether or not it is worth it.
    """
    cheap = tokens.upper_bound - tokens.images * DEAREST_IMAGE
    near = {
        family
        for window, family in stakes.windows
        if tokens.expected <= _WRONG_BY * window and window <= tokens.upper_bound
    }
    saved = cheap - tokens.expected
    worth = saved > _WORTH * (cheap + most_output * stakes.output_weight)
    if not (always or near or worth):
        return None
    return Counting(
        families=stakes.families | {O200K},
        vocabularies=vocabularies_for(stakes.outside | near),
    )
