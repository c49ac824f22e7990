"""The space of all requests, cut into regions in which some policies cannot tell two apart.

Rules of this file:
- what no condition asks about has one region: the usual value;
- finding types that a policy treats alike are stood for by one of them (two, where two kinds
  together count), and so are words, numbers and moments;
- a point is one region of everything; it becomes the facts of a request, the same that a test's
  `given` makes, so that whatever is claimed of it can be explained and decided.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from math import inf
from types import MappingProxyType
from typing import Any

import msgspec

from gateway.core.findings import FINDING_TYPES, WEAK_TYPES, default_levels
from gateway.core.profile import Needs
from gateway.core.request import API_NAMES
from gateway.core.sensitivity import Sensitivity
from gateway.core.token_families import O200K
from policies.checker.asked import Asked
from policies.checker.moments import Moment, moments_of, shown
from policies.checker.regions import number_regions, whole_regions, word_regions
from policies.compiled import CompiledPolicy
from policies.grammar.cases import JUDGEMENTS
from policies.model.cases import GivenStatement
from policies.model.conditions import Hours
from policies.problems import Place
from policies.testing import NOON

#: Facts that are a number, with least, greatest and usual value.
NUMBERS: Mapping[str, tuple[float, float, float]] = MappingProxyType(
    {
        "difficulty": (0.0, 1.0, 0.5),
        "reliability": (0.0, 1.0, 0.0),
        "budget_used": (0.0, inf, 0.0),
    }
)
#: Facts that are a word, with the usual one and whether there can be none.
WORDS: Mapping[str, tuple[str, bool]] = MappingProxyType(
    {
        "task": ("chat", False),
        "org": ("default", False),
        "team": ("default", False),
        "app": ("", True),
        "user": ("", True),
        "key": ("test", False),
    }
)
#: The value of a tag that the request does not have.
NO_TAG = ""
#: Tokens that no request passes.
MOST_TOKENS = 100_000_000

#: Types that people know at once come first where one stands for many.
_TELLING = ("payment_card", "credential", "email", "person", "location")


class Regions(msgspec.Struct, frozen=True):
    """One value for each region of a fact, and the place of the usual one."""

    values: tuple[str | float, ...]
    usual: int = 0


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One region of everything that a policy can ask of a request.

    `places` gives the region of each fact of `Space.regions` that is not the usual one;
    `declared` is the level that the caller declared; `output_tokens` is the caller's own cap.
    `counted` has the tokens by family of `Space.families`, where they are not `input_tokens`.
    """

    types: frozenset[str] = frozenset()
    failed: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    stream: bool = False
    declared: Sensitivity = Sensitivity.PUBLIC
    places: Mapping[str, int] = MappingProxyType({})
    input_tokens: int = 0
    counted: Mapping[str, int] = MappingProxyType({})
    output_tokens: int | None = None


class Space(msgspec.Struct, frozen=True, kw_only=True):
    """The regions of every fact that some policies look at.

    `types`, `needs` and `failed` are the flags that matter. `regions` has the values of words,
    numbers, tags (`tag:NAME`), the model asked for, the API, and `time` (places in `moments`).
    `input_cuts` and `output_cuts` are the token counts at which anything turns; `costs` are those
    of `estimated_cost` in nano-USD; `windows` are the windows of time that are asked about.
    `families` are the tokenizer families whose own counts something turns on.
    """

    types: tuple[str, ...]
    needs: tuple[str, ...]
    regions: Mapping[str, Regions]
    moments: tuple[Moment, ...]
    windows: tuple[Hours, ...]
    input_cuts: tuple[int, ...]
    output_cuts: tuple[int, ...]
    costs: tuple[int, ...]
    families: tuple[str, ...] = ()
    failed: tuple[str, ...] = JUDGEMENTS

    def value(self, point: Point, fact: str) -> str | float:
        """The value of a fact of `regions` at a point."""
        held = self.regions[fact]
        return held.values[point.places.get(fact, held.usual)]

    def given(self, point: Point) -> GivenStatement:
        """The point as a test writes it."""
        said: dict[str, Any] = {
            fact: str(self.value(point, fact)) for fact in ("model", "api", *WORDS)
        }
        said.update({fact: Decimal(repr(self.value(point, fact))) for fact in NUMBERS})
        tags = {
            fact.removeprefix("tag:"): str(self.value(point, fact))
            for fact in self.regions
            if fact.startswith("tag:")
        }
        return GivenStatement(
            at=Place(),
            tags=tuple((name, held) for name, held in tags.items() if held != NO_TAG),
            stream=point.stream,
            declared=point.declared,
            findings=tuple(name for name in self.types if name in point.types),
            needs=tuple(name for name in self.needs if name in point.needs),
            input_tokens=point.input_tokens,
            counted=tuple(
                (name, tokens)
                for name, tokens in sorted(point.counted.items())
                if tokens != point.input_tokens
            ),
            max_output_tokens=point.output_tokens,
            failed=tuple(name for name in self.failed if name in point.failed),
            time=shown(self.moments[int(self.value(point, "time"))].at),
            **said,
        )

    def draw(self, choose: Callable[[int], int]) -> Point:
        """A point by choices; `choose` takes a number of possibilities and gives one's place."""
        places = {
            fact: choose(len(held.values))
            for fact, held in self.regions.items()
            if len(held.values) > 1
        }

        def some(flags: Sequence[str]) -> frozenset[str]:
            return frozenset(name for name in flags if choose(2))

        output = (None, *whole_regions(self.output_cuts, 1)) if self.output_cuts else (None,)
        tokens = whole_regions(self.input_cuts, 0)
        return Point(
            types=some(self.types),
            failed=some(self.failed),
            needs=some(self.needs),
            stream=bool(choose(2)),
            declared=Sensitivity(choose(len(Sensitivity))),
            places=places,
            input_tokens=tokens[choose(len(tokens))],
            counted={name: tokens[choose(len(tokens))] for name in self.families},
            output_tokens=output[choose(len(output))],
        )


def space_of(*policies: CompiledPolicy) -> Space:
    """The space in which all of these policies can be told apart."""
    asked = Asked()
    for policy in policies:
        asked.note(policy)
    moments = moments_of(asked.windows, NOON)
    regions = {"model": Regions(_models(policies))}
    if "api" in asked.words:
        regions["api"] = Regions(tuple(API_NAMES.values()))
    else:
        regions["api"] = Regions(("chat",))
    for fact, (low, high, usual) in NUMBERS.items():
        values = number_regions(asked.numbers.get(fact, ()), low, high, usual)
        regions[fact] = Regions(values, values.index(usual))
    for fact, (word, empty) in WORDS.items():
        regions[fact] = Regions(word_regions(asked.words.get(fact, ()), word, empty=empty))
    for name, words in asked.tags.items():
        regions[f"tag:{name}"] = Regions((NO_TAG, *word_regions(words, "something")))
    regions["time"] = Regions(tuple(range(len(moments))))
    contexts = {one.context_tokens for policy in policies for one in policy.deployments.values()}
    return Space(
        types=_types(policies, asked.members.get("findings", set())),
        needs=_needs(policies, asked.members.get("needs", set())),
        regions=MappingProxyType(regions),
        moments=moments,
        windows=tuple(asked.windows),
        input_cuts=tuple(sorted(asked.cuts("input_tokens") | contexts - {0})),
        output_cuts=tuple(sorted(asked.cuts("output_tokens"))),
        costs=tuple(sorted(asked.cuts("estimated_cost"))),
        families=_families(policies),
    )


def _models(policies: Sequence[CompiledPolicy]) -> tuple[str, ...]:
    """Every name that can be asked for, aliases first; of other names nothing is decided."""
    aliases = (name for policy in policies for name in policy.aliases)
    deployments = (name for policy in policies for name in policy.deployments)
    return tuple(dict.fromkeys((*aliases, *deployments)))


def _types(policies: Sequence[CompiledPolicy], asked: set[str]) -> tuple[str, ...]:
    """Types that are asked about or have a level of their own, and one for each kind of others."""
    usual = default_levels()
    kept: dict[str, None] = {}
    alike: dict[object, int] = {}
    for name in sorted(FINDING_TYPES, key=lambda name: (name not in _TELLING, name)):
        levels = tuple(policy.rules.levels.get(name) for policy in policies)
        if name in asked or any(level is not usual.get(name) for level in levels):
            kept[name] = None
            continue
        kind = usual.get(name)
        wanted = 2 if name in WEAK_TYPES else 1
        alike[kind] = alike.get(kind, 0) + 1
        if alike[kind] <= wanted:
            kept[name] = None
    return tuple(kept)


def _families(policies: Sequence[CompiledPolicy]) -> tuple[str, ...]:
    """Families whose own counts decide: over a context window, or over `estimated_cost`.

    A request's `input_tokens` is what o200k_base makes of it, so that family has no other count.
    """
    reading = (
        one.tokenizer
        for policy in policies
        for one in policy.deployments.values()
        if one.context_tokens or policy.asks_cost
    )
    return tuple(sorted(set(reading) - {O200K}))


def _needs(policies: Sequence[CompiledPolicy], asked: set[str]) -> tuple[str, ...]:
    limited = tuple(
        one.capabilities
        for policy in policies
        for one in policy.deployments.values()
        if one.capabilities
    )
    return tuple(
        name
        for name in Needs.__struct_fields__
        if name in asked or any(name not in able for able in limited)
    )
