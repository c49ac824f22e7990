"""The simplest request that breaks a claim: as usual as it can be in everything."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from gateway.core.sensitivity import Sensitivity
from policies.checker.conditions import AnyRequest
from policies.checker.logic import Formula, all_of, negated
from policies.checker.regions import whole_regions
from policies.checker.space import Point, Space
from policies.model.cases import GivenStatement
from policies.problems import Place

#: Where the usual value cannot be had, the first of so many others; then whatever there is.
_PLACES_TRIED = 12
_BARE = GivenStatement(at=Place())


def simplest(request: AnyRequest, breach: Formula) -> Point | None:
    """The request that breaks a claim with the fewest unusual facts; None when none breaks it.

    Facts are made usual one after the other, as long as the claim stays broken.
    """
    logic = request.logic
    if not logic.possible(breach):
        return None
    point = request.answer()
    with logic.supposing(breach):
        for wishes in _wishes(request):
            had = next((wish for wish in wishes if logic.holds(wish)), None)
            if had is None or had is not wishes[0]:
                had = next((wish for wish in wishes if logic.possible(wish)), None)
                point = request.answer()
            if had is not None:
                logic.require(had)
    return point


def shown_given(space: Space, point: Point) -> dict[str, Any]:
    """A point as JSON that a test's `given`, `--fact` and `POST /admin/explain` take.

    What is usual is left out, but for the model; and for the time where a policy asks for it.
    """
    told = shown(space.given(point))
    usual = shown(space.given(Point()))
    kept = ("model", "time") if space.windows else ("model",)
    return {name: held for name, held in told.items() if name in kept or usual.get(name) != held}


def shown(given: GivenStatement) -> dict[str, Any]:
    """What a test gives, as JSON that a test's `given` takes; what it does not say is left out."""
    said = {name: getattr(given, name) for name in given.__struct_fields__ if name != "at"}
    return {
        name: _plain(held) for name, held in said.items() if held not in ((), getattr(_BARE, name))
    }


def _plain(held: Any) -> Any:
    if isinstance(held, Sensitivity):
        return held.label
    if isinstance(held, Decimal):
        return float(held)
    if isinstance(held, msgspec.Struct):
        pairs = msgspec.structs.asdict(held).items()
        return {name: _plain(one) for name, one in pairs if name != "at" and one is not None}
    if isinstance(held, tuple) and held and isinstance(held[0], tuple):
        return {name: _plain(one) for name, one in held}
    return list(held) if isinstance(held, tuple) else held


def _wishes(request: AnyRequest) -> Iterator[tuple[Formula, ...]]:
    """What is wished of a request, the most telling first; the first that can be had is taken."""
    space = request.space
    yield (all_of(negated(flag) for flag in request.failed.values()),)
    for flag in request.failed.values():
        yield (negated(flag),)
    yield tuple(negated(request.declared.at_least(level)) for level in (1, 2, 3))
    for fact, held in space.regions.items():
        first = (held.usual, *range(min(len(held.values), _PLACES_TRIED)))
        yield tuple(request.chosen[fact].among((place,)) for place in dict.fromkeys(first))
    for flag in (request.gives_cap, request.stream, *reversed(request.needs.values())):
        yield (negated(flag),)
    yield tuple(request.input_tokens == start for start in whole_regions(space.input_cuts, 0))
    for tokens in request.counted.values():
        starts = whole_regions(space.input_cuts, 0)
        yield (tokens == request.input_tokens, *(tokens == start for start in starts))
    yield tuple(request.output_tokens == start for start in whole_regions(space.output_cuts, 1))
    for name in reversed(space.types):
        yield (negated(request.has[name]),)
