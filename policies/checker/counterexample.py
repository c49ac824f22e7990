"""The simplest request that breaks a claim: as usual as it can be in everything."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from policies.checker.conditions import AnyRequest
from policies.checker.logic import Formula, all_of, negated
from policies.checker.regions import whole_regions
from policies.checker.space import Point, Space
from policies.model.cases import GivenStatement
from policies.problems import Place

_NOTHING = GivenStatement(at=Place())


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
    given = space.given(point)
    shown: dict[str, Any] = {}
    for name in given.__struct_fields__:
        held = getattr(given, name)
        if name == "at" or (name == "time" and not space.windows):
            continue
        if name in ("model", "time") or not _is_usual(space, name, held):
            shown[name] = _plain(name, held)
    return shown


def _is_usual(space: Space, name: str, held: object) -> bool:
    if name in space.regions:
        region = space.regions[name]
        usual = region.values[region.usual]
        return held == (Decimal(repr(usual)) if isinstance(held, Decimal) else usual)
    return held in ((), getattr(_NOTHING, name)) or (name == "input_tokens" and held == 0)


def _plain(name: str, held: Any) -> Any:
    if name == "tags":
        return dict(held)
    if name == "declared":
        return held.label
    if isinstance(held, Decimal):
        return float(held)
    return list(held) if isinstance(held, tuple) else msgspec.to_builtins(held)


def _wishes(request: AnyRequest) -> Iterator[tuple[Formula, ...]]:
    """What is wished of a request, the most telling first; the first that can be had is taken."""
    space = request.space
    yield (all_of(negated(flag) for flag in request.failed.values()),)
    for flag in request.failed.values():
        yield (negated(flag),)
    yield tuple(negated(request.declared.at_least(level)) for level in (1, 2, 3))
    for fact, held in space.regions.items():
        yield (request.chosen[fact].among((held.usual,)),)
    for flag in (*request.needs.values(), request.stream, request.gives_cap):
        yield (negated(flag),)
    yield tuple(request.input_tokens == start for start in whole_regions(space.input_cuts, 0))
    yield tuple(request.output_tokens == start for start in whole_regions(space.output_cuts, 1))
    for name in reversed(space.types):
        yield (negated(request.has[name]),)
