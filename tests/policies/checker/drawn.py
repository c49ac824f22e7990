"""Random policies, and their proof by brute force with the engine that serves traffic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain, combinations, product
from random import Random
from types import MappingProxyType

import msgspec
from hypothesis import strategies as st

from gateway.core.decision import Facts
from gateway.core.degradation import MOMENTS
from gateway.core.deployment import SHIPPED_ADAPTERS, Secret
from gateway.core.findings import FINDING_TYPES, default_levels, sensitivity_of
from gateway.core.prices import Price, PriceCase
from gateway.core.profile import Needs
from gateway.core.request import API_NAMES
from gateway.core.sensitivity import Sensitivity
from policies.charging import budgets_for
from policies.checker.regions import whole_regions
from policies.checker.space import Point, Space, space_of
from policies.checker.subject import Subject, subject_of
from policies.compiled import CompiledPolicy
from policies.compiler import compile_policy
from policies.engine import decide
from policies.grammar.cases import COUNTED, JUDGEMENTS
from policies.loader import read_policy
from policies.model.cases import GivenStatement
from policies.narrowing import apply_constraints, why_not
from policies.problems import Place
from policies.seeing import see
from policies.testing import facts_of

LEVELS = [level.label for level in Sensitivity]
TYPES = ("email", "medical", "payment_card", "person")
COMPARISONS = ("<", "<=", ">", ">=")
_LONG = Price(input=5 * 10**9, output=10**10, cached_input=5 * 10**9, cache_write=5 * 10**9)
_LISTED = Price(
    input=25 * 10**8,
    output=10**10,
    cached_input=25 * 10**8,
    cache_write=25 * 10**8,
    cases=(PriceCase(price=_LONG, above=1500),),
)

levels = st.sampled_from(LEVELS)
compared_levels = st.tuples(st.sampled_from(COMPARISONS), levels).map(" ".join)


def _compared(numbers: Sequence[str]) -> st.SearchStrategy[str]:
    return st.tuples(st.sampled_from(COMPARISONS), st.sampled_from(numbers)).map(" ".join)


def _one(fact: str, values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return values.map(lambda value: f"{{{fact}: {value}}}")


def _quoted(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return values.map(lambda value: f'"{value}"')


#: What a term can ask, by kind; a policy uses few kinds, so that its regions stay few.
TERMS: dict[str, st.SearchStrategy[str]] = {
    "sensitivity": _one("sensitivity", _quoted(st.one_of(compared_levels, levels))),
    "findings": st.one_of(
        st.sampled_from(TYPES).map(lambda name: f"{{findings: {name}}}"),
        st.tuples(st.sampled_from(("any", "all", "none")), st.sampled_from(TYPES)).map(
            lambda pair: f"{{findings: {{{pair[0]}: [{pair[1]}, health_id]}}}}"
        ),
    ),
    "difficulty": _one("difficulty", _quoted(_compared(("0.3", "0.5", "70%")))),
    "reliability": _one("reliability", _quoted(_compared(("0", "0.5")))),
    "budget": _one("budget_used", _quoted(_compared(("50%", "1")))),
    "input": _one("input_tokens", _quoted(_compared(("0", "1k", "2000")))),
    "output": _one("output_tokens", _quoted(_compared(("100", "4096")))),
    "cost": _one("estimated_cost", _quoted(_compared(("0", "0.01", "0.05")))),
    "needs": _one("needs", st.sampled_from(("vision", "{none: tools}"))),
    "team": _one("team", st.sampled_from(("a", "[a, ab*]", "'a*'", "default"))),
    "app": _one("app", st.sampled_from(("x", "'x*'"))),
    "model": _one("model", st.sampled_from(("gpt-4o", "'gpt*'", "house"))),
    "task": _one("task", st.sampled_from(("code", "chat"))),
    "api": _one("api", st.sampled_from(("embeddings", "[chat, messages]"))),
    "stream": _one("stream", st.sampled_from(("true", "false"))),
    "tags": _one("tags", st.sampled_from(("{a: [b, 'c*']}", "{a: '*'}", "{a: b, d: e}"))),
    "time": _one(
        "time",
        st.sampled_from(
            (
                '{hours: "08:00..18:00", weekdays: mon..fri, zone: Europe/Berlin}',
                '{hours: "22..6", weekdays: sat}',
                "{days: 28..31}",
                "{dates: 2026-12-24..2026-12-26}",
            )
        ),
    ),
}


@st.composite
def conditions(draw: st.DrawFn, kinds: Sequence[str]) -> str:
    """A condition over some kinds of facts."""
    term = st.one_of([TERMS[kind] for kind in kinds])
    return draw(
        st.recursive(
            st.one_of(term, st.just("{}")),
            lambda inner: st.tuples(
                st.sampled_from(("any", "all", "not")), st.lists(inner, min_size=1, max_size=3)
            ).map(lambda pair: f"{{{pair[0]}: [{', '.join(pair[1])}]}}"),
            max_leaves=4,
        )
    )


def _level(draw: st.DrawFn) -> str:
    level = draw(levels)
    return draw(st.sampled_from((level, level, f"{{level: {level}, because: Agreed.}}")))


@st.composite
def deployments(draw: st.DrawFn) -> dict[str, str]:
    """Some deployments by name: at home and outside, able and less able."""
    priced = "price: {input_usd_per_mtok: 1, output_usd_per_mtok: 2}"
    pool = {
        "house": "adapter: openai_compatible, base_url: 'http://127.0.0.1:8000/v1', model: llama, "
        f"zone: eu, {priced}, clearance: {draw(st.sampled_from(('restricted', 'confidential')))}",
        "tiny": f"adapter: ctransformers, model: m, {priced}, clearance: {draw(levels)}, "
        "context_tokens: 1000, capabilities: [tools]",
        "frontier": "adapter: openai, model: gpt-4o, api_key: 'env:K', zone: us, "
        f"clearance: {_level(draw)}",
        "liar": "adapter: openai, model: gpt-4o, api_key: 'env:K', self_hosted: true, "
        f"clearance: {_level(draw)}",
    }
    chosen = draw(st.lists(st.sampled_from(sorted(pool)), min_size=1, max_size=4, unique=True))
    return {name: pool[name] for name in chosen}


@st.composite
def policies(draw: st.DrawFn) -> str:
    """The text of a whole policy."""
    kinds = draw(st.lists(st.sampled_from(sorted(TERMS)), min_size=1, max_size=3, unique=True))
    whens = conditions(kinds)
    there = draw(deployments())
    names = st.lists(st.sampled_from(sorted(there)), min_size=1, max_size=3, unique=True).map(
        lambda names: f"[{', '.join(names)}]"
    )
    selectors = st.one_of(
        names,
        levels.map(lambda level: f"{{clearance: {level}}}"),
        st.sampled_from(("{self_hosted: true}", "{self_hosted: false}", "{zone: us}")),
    )
    effects = st.one_of(
        selectors.map(lambda chosen: f"only: {chosen}"),
        selectors.map(lambda chosen: f"forbid: {chosen}"),
        st.sampled_from(("require: self_hosted", "block: No.", "mask: [email, phone]")),
    )
    lines = ["fairlead: 1", "deployments:"]
    lines += [f"  {name}: {{{held}}}" for name, held in there.items()]
    lines.append("aliases: {auto: {}, gpt-4o: {}}")
    may_look = [name for name, held in there.items() if _may_see_all(name, held)]
    stage = draw(st.sampled_from(("", *may_look)))
    when = draw(whens)
    asked = f", second_stage: {{deployment: {stage}, when: {when}}}" if stage else ""
    lines.append(draw(_sensitivities(asked)))
    lines.append("constraints:")
    for number in range(draw(st.integers(0, 4))):
        when = draw(whens)
        lines.append(f"  - {{id: c{number}, when: {when}, {draw(effects)}}}")
    lines.append("never:")
    for number in range(draw(st.integers(0, 2))):
        when = draw(whens)
        lines.append(f"  - {{id: n{number}, when: {when}, deployment: {draw(selectors)}}}")
    lines.append("routes:")
    for number in range(draw(st.integers(1, 3))):
        when = draw(whens)
        copied = draw(st.sampled_from(("", "", draw(_shadows(sorted(there))))))
        lines.append(f"  - {{id: r{number}, when: {when}, use: {draw(names)}{copied}}}")
    budgets = ("", "{scope: team/a, usd: 1}", "{scope: 'team/*', usd: 1}", "{scope: app/x, usd: 1}")
    chosen = draw(st.lists(st.sampled_from(budgets), max_size=2, unique=True))
    kept = [one[:-1] + ", on_exhausted: self_hosted_only}" for one in chosen if one]
    lines.append(f"budgets: [{', '.join(kept)}]")
    moments = draw(st.lists(st.sampled_from(sorted(MOMENTS)), max_size=3, unique=True))
    answers = [f"{one}: {draw(st.sampled_from(MOMENTS[one]))}" for one in moments]
    lines.append(f"degradation: {{{', '.join(answers)}}}")
    return "\n".join(lines)


def _may_see_all(name: str, held: str) -> bool:
    cleared = "clearance: restricted" in held or "clearance: {level: restricted" in held
    return cleared and name != "frontier"


@st.composite
def _shadows(draw: st.DrawFn, there: Sequence[str]) -> str:
    name, judge = draw(st.sampled_from(there)), draw(st.sampled_from(("", *there)))
    return f", shadow: {{deployment: {name}, judge: {judge}}}" if judge else f", shadow: {name}"


@st.composite
def _sensitivities(draw: st.DrawFn, more: str) -> str:
    types = draw(st.lists(st.sampled_from((*TYPES, "iban")), max_size=2, unique=True))
    findings = ", ".join(f"{name}: {_level(draw)}" for name in types)
    pair = draw(st.sampled_from(("", "", ", weak_pair: confidential")))
    return f"sensitivity: {{default: {_level(draw)}, findings: {{{findings}}}{pair}{more}}}"


def compiled(text: str) -> Subject:
    """A drawn policy, ready to be proved."""
    text = text.replace("constraints:\nnever:", "never:").replace("never:\nroutes:", "routes:")
    file = read_policy(text, "drawn.yaml")
    policy = compile_policy(
        file, lambda provider, model: _LISTED, lambda reference: Secret("value of " + reference)
    )
    return subject_of(file, policy, SHIPPED_ADAPTERS)


# Brute force


def points(space: Space, chance: Random, most: int) -> Iterator[Point]:
    """Every point of a space, or that many drawn by chance where there are more."""
    facts = [fact for fact, held in space.regions.items() if len(held.values) > 1]
    tokens = whole_regions(space.input_cuts, 0)
    outputs = (None, *whole_regions(space.output_cuts, 1)) if space.output_cuts else (None,)
    dimensions: list[Sequence[object]] = [
        _subsets(space.types),
        _subsets(space.failed),
        _subsets(space.needs),
        (False, True),
        tuple(Sensitivity),
        tokens,
        outputs,
        *(tokens for _ in space.families),
        *(range(len(space.regions[fact].values)) for fact in facts),
    ]
    count = 1
    for dimension in dimensions:
        count *= len(dimension)
    if count > most:
        for _ in range(most):
            yield space.draw(chance.randrange)
        return
    for types, failed, needs, stream, declared, read, written, *others in product(*dimensions):
        counted, places = others[: len(space.families)], others[len(space.families) :]
        yield Point(
            types=types,  # type: ignore[arg-type]
            failed=failed,  # type: ignore[arg-type]
            needs=needs,  # type: ignore[arg-type]
            stream=stream,  # type: ignore[arg-type]
            declared=declared,  # type: ignore[arg-type]
            places=dict(zip(facts, places, strict=True)),  # type: ignore[arg-type]
            input_tokens=read,  # type: ignore[arg-type]
            counted=dict(zip(space.families, counted, strict=True)),  # type: ignore[arg-type]
            output_tokens=written,  # type: ignore[arg-type]
        )


def any_request(policy: CompiledPolicy, chance: Random) -> GivenStatement:
    """A request by chance from all there are, knowing nothing of regions."""

    def some(names: Sequence[str]) -> tuple[str, ...]:
        return tuple(chance.sample(names, chance.choice((0, 0, 1, 1, 2, 3))))

    def word(least: int) -> str:
        return "".join(chance.choices("abcx", k=chance.randint(least, 3)))

    moment = datetime.fromtimestamp(chance.randrange(1_767_225_600, 1_900_000_000), UTC)
    tags = {name: word(1) for name in chance.sample("adz", chance.randrange(3))}
    return GivenStatement(
        at=Place(),
        model=chance.choice((*policy.aliases, *policy.deployments)),
        org=word(1),
        team=chance.choice((word(1), "default")),
        app=word(0),
        user=word(0),
        key=word(1),
        api=chance.choice(tuple(API_NAMES.values())),
        tags=tuple(tags.items()),
        stream=chance.random() < 0.5,
        declared=chance.choice((Sensitivity.PUBLIC, chance.choice(tuple(Sensitivity)))),
        findings=some((*TYPES, *chance.sample(sorted(FINDING_TYPES), 4))),
        difficulty=Decimal(repr(chance.choice((0.3, 0.5, 0.7, chance.random())))),
        reliability=Decimal(repr(chance.choice((0.0, 0.5, chance.random())))),
        budget_used=Decimal(repr(chance.choice((0.5, 1.0, 2 * chance.random())))),
        task=chance.choice(("chat", "code", "translation")),
        needs=some(Needs.__struct_fields__),
        input_tokens=_read(chance),
        counted=tuple(
            (name, _read(chance)) for name in chance.sample(sorted(COUNTED), chance.randrange(4))
        ),
        max_output_tokens=chance.choice((None, 1, 100, 4097, chance.randrange(1, 50_000))),
        failed=chance.choice(((), (), some(JUDGEMENTS))),
        time=moment.isoformat(),
    )


def _read(chance: Random) -> int:
    return chance.choice((0, 1000, 1001, 2000, chance.randrange(100_000)))


def _subsets(names: Sequence[str]) -> tuple[frozenset[str], ...]:
    every = (combinations(names, size) for size in range(len(names) + 1))
    return tuple(frozenset(chosen) for chosen in chain.from_iterable(every))


def sent(policy: CompiledPolicy, facts: Facts) -> Sensitivity:
    """The level of what is left when every constraint has hidden what it hides."""
    profile = facts.profile
    if profile.failed:
        return Sensitivity.RESTRICTED
    seen = see(policy, facts)
    applying = [one for one in policy.constraints if one.when.holds(seen) is not False]
    hidden = {name for one in applying for name in one.mask} - TELLING
    if profile.sensitivity > sensitivity_of(profile.findings, policy.rules, profile.floor):
        return profile.sensitivity
    left = [one for one in profile.findings if one.type not in hidden]
    return sensitivity_of(left, policy.rules, profile.floor)


TELLING = {"medical", "legal", "hr", "fingerprint", "confidentiality_marker"}


class BruteForce:
    """What goes wrong with one request, said without the solver and without its claims."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.policy = subject.policy
        self.space = space_of(subject.guarded)
        self.restored = dict(self._restored())

    def wrongs(self, given: GivenStatement) -> frozenset[str]:
        """The paths of the claims that a request breaks."""
        policy, file = self.policy, self.subject.file
        facts = facts_of(policy, given, None)
        decision = decide(policy, facts)
        reached = called(policy, given)
        level = sent(policy, facts)
        found = set()
        for one in file.deployments:
            if one.name not in reached:
                continue
            if level > one.clearance.level:
                found.add(f"deployments.{one.name}")
            outside = one.adapter == "openai"
            if outside and level >= Sensitivity.CONFIDENTIAL and not one.clearance.because:
                found.add(f"deployments.{one.name}.clearance")
        for invariant in self.subject.guarded.invariants:
            holds = invariant.when.holds(see(policy, facts))
            if holds is not False and reached & invariant.deployments:
                found.add(f"never.{invariant.id}")
        for path, restored in self.restored.items():
            kept = called(restored, given)
            usual = sent(restored, facts_of(restored, given, None))
            for one in file.deployments:
                outside = one.adapter == "openai"
                opened = one.name not in kept if outside else one.clearance.level < usual
                if one.name in reached and opened:
                    found.add(path)
        if decision.refusal_code in ("no_route", "no_candidate"):
            found |= self._refused(given)
        return frozenset(found)

    def _refused(self, given: GivenStatement) -> set[str]:
        policy = self.policy
        facts = facts_of(policy, given, None)
        decision = decide(policy, facts)
        applied = apply_constraints(policy, see(policy, facts))
        level = sent(policy, facts)
        whys = {
            name: why_not(one, facts.profile, applied, level)
            for name, one in policy.deployments.items()
        }
        if all(whys.values()) or given.model not in policy.aliases:
            return set()
        if decision.refusal_code == "no_route":
            return {"routes"}
        route = next(one for one in policy.routes if one.id == decision.route)
        kept_out = not route.deployments
        for name in route.deployments:
            free = msgspec.structs.replace(applied, excluded=MappingProxyType({}))
            able = why_not(policy.deployments[name], facts.profile, free, Sensitivity.PUBLIC)
            kept_out = kept_out or able is None
        return {f"routes.{route.id}"} if kept_out else set()

    def _restored(self) -> Iterator[tuple[str, CompiledPolicy]]:
        section, rules = self.subject.file.sensitivity, self.policy.rules
        for name, stated in section.findings:
            usual = default_levels().get(name, Sensitivity.PUBLIC)
            if stated.level < usual and not stated.because:
                changed = msgspec.structs.replace(rules, levels={**rules.levels, name: usual})
                yield (
                    f"sensitivity.findings.{name}",
                    msgspec.structs.replace(self.policy, rules=changed),
                )
        if section.default.level < Sensitivity.INTERNAL and not section.default.because:
            changed = msgspec.structs.replace(rules, default=Sensitivity.INTERNAL)
            yield "sensitivity.default", msgspec.structs.replace(self.policy, rules=changed)


def called(policy: CompiledPolicy, given: GivenStatement) -> frozenset[str]:
    """Who may be called for a request, as the gateway plans it."""
    facts = facts_of(policy, given, None)
    decision = decide(policy, facts)
    names = {one.name for one in decision.candidates}
    budgets = budgets_for(policy, facts.principal)
    kept = any(one.on_exhausted == "self_hosted_only" for one in budgets)
    if decision.candidates and (kept or policy.degradation.opens_reserve):
        names |= {one.name for one in decision.reserve}
    names |= {decision.copied_to, decision.judged_by} - {""}
    stage, seen = policy.second_stage, see(policy, facts)
    possible = names | {one.name for one in decision.reserve}
    leaves = any(
        not policy.deployments[name].self_hosted
        or policy.deployments[name].clearance < Sensitivity.RESTRICTED
        for name in possible
    )
    if stage is not None and decision.candidates and leaves:
        kept_from = apply_constraints(policy, seen).excluded
        if stage.when.holds(seen) is not False and stage.deployment not in kept_from:
            names.add(stage.deployment)
    return frozenset(names)
