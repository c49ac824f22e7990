"""Measures proving and deciding: what is found, what is a false alarm, and how long it takes.

Run:  python -m ops.bench.policies [--faults 300] [--routes 200] [--constraints 100]

1. Seeded faults that open a leak, each shown to be one by the engine alone, and as many edits that
   open none: how many does the proof find, and how often does it cry wolf?
2. Seconds to prove each file of the library, and a drawn policy of many routes and constraints.
3. CPU time of one decision under that policy, for a request that reaches its last route, and under
   half of it and twice as much: it grows with the number of statements, not faster.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from pathlib import Path
from random import Random
from statistics import median

import msgspec
from rich.console import Console
from rich.progress import track
from rich.table import Table

from adapters.registry import adapter_facts
from gateway.config.price_book import load_price_book
from gateway.core.decision import Facts
from gateway.core.deployment import Secret
from ops.bench.policy_faults import drawn_edit, drawn_fault, drawn_policy, leaks, subject
from policies.checker.proof import prove
from policies.checker.subject import Subject, subject_of
from policies.compiled import CompiledPolicy
from policies.compiler import compile_policy
from policies.engine import decide
from policies.given import read_given
from policies.loader import load_policy
from policies.testing import facts_of

LIBRARY = Path(__file__).parents[2] / "policies" / "library"


class Tally(msgspec.Struct):
    """Faults by kind that are real and that were found, and edits that were taken for faults."""

    real: Counter[str]
    found: Counter[str]
    alarms: list[str]
    edits: int = 0


def tried(seeds: range) -> Tally:
    """One fault and one harmless edit for each seed, each of a policy of its own."""
    tally = Tally(Counter(), Counter(), [])
    for seed in track(seeds, description="faults and edits", transient=True):
        chance = Random(seed)
        policy = drawn_policy(chance)
        fault = drawn_fault(chance, policy)
        if leaks(policy, fault.witness) or not leaks(fault.policy, fault.witness):
            raise AssertionError(f"seed {seed}: '{fault.kind}' is no leak")
        tally.real[fault.kind] += 1
        tally.found[fault.kind] += not prove(subject(fault.policy)).holds
        name, edited = drawn_edit(chance, policy)
        tally.edits += 1
        if not prove(subject(edited)).holds:
            tally.alarms.append(f"seed {seed}: {name}")
    return tally


#: A request that no route of a drawn policy is about, once none asks for `stream: false`.
_UNWISHED = '{"model": "auto", "team": "nobody", "difficulty": 0, "task": "other", "stream": false}'


def to_the_last_route(routes: int, constraints: int) -> tuple[Subject, Facts]:
    """A drawn policy and a request for which all its constraints and routes have to be asked."""
    drawn = drawn_policy(Random(7), routes=routes, constraints=constraints)
    for route in drawn["routes"]:
        if route.get("when") == {"stream": False}:
            route["when"] = {"stream": True}
    made = subject(drawn)
    facts = facts_of(made.policy, read_given(_UNWISHED, "bench"), None)
    reached = decide(made.policy, facts).route
    if reached != "rest":
        raise AssertionError(f"the request goes to '{reached}' and not to the last route")
    return made, facts


def decision_us(policy: CompiledPolicy, facts: Facts, rounds: int = 2000) -> float:
    """CPU microseconds of one decision, the median of a hundred groups."""
    groups = []
    for _ in range(100):
        began = time.process_time_ns()
        for _ in range(rounds // 100):
            decide(policy, facts)
        groups.append((time.process_time_ns() - began) / (rounds // 100) / 1000)
    return median(groups)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--faults", type=int, default=300)
    parser.add_argument("--routes", type=int, default=200)
    parser.add_argument("--constraints", type=int, default=100)
    asked = parser.parse_args()
    out = Console()
    tally = tried(range(asked.faults))
    table = Table("fault", "leaks", "found", title="Faults that open a leak")
    for kind, count in sorted(tally.real.items()):
        table.add_row(kind, str(count), str(tally.found[kind]))
    table.add_row("all", str(tally.real.total()), str(tally.found.total()), style="bold")
    out.print(table)
    out.print(f"false alarms: {len(tally.alarms)} of {tally.edits} edits that open none")
    for alarm in tally.alarms:
        out.print(f"  {alarm}")
    for path in sorted(LIBRARY.glob("*.yaml")):
        _time_proof(out, path.stem, _library(path))
    chance = Random(7)
    large = subject(drawn_policy(chance, routes=asked.routes, constraints=asked.constraints))
    _time_proof(out, f"{asked.routes} routes, {asked.constraints} constraints", large)
    _time_decisions(out, asked.routes, asked.constraints)


def _time_decisions(out: Console, routes: int, constraints: int) -> None:
    for part in (0.5, 1, 2):
        count, rules = int(routes * part), int(constraints * part)
        made, facts = to_the_last_route(count, rules)
        bare, guarded = decision_us(made.policy, facts), decision_us(made.guarded, facts)
        out.print(
            f"one decision under {count} routes and {rules} constraints: {bare:.0f} us of CPU, "
            f"{guarded:.0f} with as many invariants"
        )


def _library(path: Path) -> Subject:
    file = load_policy(path)
    prices = load_price_book().price_of
    compiled = compile_policy(file, prices, lambda name: Secret(name), adapter_facts())
    return subject_of(file, compiled, adapter_facts())


def _time_proof(out: Console, name: str, made: Subject) -> None:
    began = time.perf_counter()
    proof = prove(made)
    told = f"{len(proof.proved)} claims proved, {len(proof.breaches)} not"
    out.print(f"{name}: {time.perf_counter() - began:.1f} s ({told})")


if __name__ == "__main__":
    main()
