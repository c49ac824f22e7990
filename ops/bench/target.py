"""Measures how a route keeps its target: two gateways, a real Redis, real prompts.

    .venv/bin/python -m ops.bench.target [--data FOLDER] [--requests 10000]

Prompts of the six public sets are judged by the shipped model and asked in mixed order, with one in
eight that may not go outside. The two gateways exchange what they counted every 250 requests, as
they do every second. First nobody has asked before; then 10,000 requests more; then only the harder
half of the prompts is asked, and at last only the easier half. Money is simulated day by day.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import random
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from gateway.classify.classifier import load_classifier
from gateway.config.price_book import load_price_book
from gateway.config.routing_pairs import read_pairs
from gateway.core.decision import Decision, Facts
from gateway.core.money import MILLION
from gateway.core.principal import Principal
from gateway.core.profile import Profile, TokenEstimate
from gateway.core.sensitivity import Sensitivity
from gateway.core.targets import (
    HALVE_AT,
    Bin,
    Tally,
    Target,
    place_of,
    reaches,
    threshold_of,
)
from gateway.runtime.targets import Targets
from gateway.stores.connection import RedisConnection
from gateway.stores.embedded import open_embedded
from gateway.stores.targets import RATE_HALF_LIFE, TargetStore
from ops.bench.routing import SHARED
from policies.compiled import CompiledPolicy
from policies.compiler import compile_policy
from policies.engine import decide
from policies.loader import read_policy

POLICY = """\
fairlead: 1
deployments:
  house: {{adapter: ctransformers, model: m, clearance: restricted,
           price: {{input_usd_per_mtok: 0.1, output_usd_per_mtok: 0.2}}}}
  frontier: {{adapter: openai_compatible, base_url: "https://frontier.example/v1", model: n,
              clearance: internal, price: {{input_usd_per_mtok: 2.5, output_usd_per_mtok: 10}}}}
aliases: {{auto: {{}}}}
routes:
  - {{id: bench, use: {{among: [house, frontier], target: {{{target}}}}}}}
"""
EXCHANGED_EVERY = 250
#: How busy a day is over its course.
SHAPES: dict[str, Callable[[float], float]] = {
    "always alike": lambda gone: 1.0,
    "busy first, then quiet": lambda gone: 1.0 + 0.9 * math.sin(2 * math.pi * gone),
    "quiet first, then busy": lambda gone: 1.0 - 0.9 * math.sin(2 * math.pi * gone),
}
GATEWAYS = 2


def compiled(target: str) -> CompiledPolicy:
    """The policy with this target."""
    file = read_policy(POLICY.format(target=target), "bench.yaml")
    return compile_policy(file, load_price_book().price_of, lambda reference: None)


def judged(data: Path, each: int) -> list[float]:
    """The difficulties of so many prompts of each set, by the shipped model."""
    classifier, found = load_classifier(), []
    rules = compiled("frontier_share: 20%").rules
    for path in sorted(data.glob("*.jsonl.gz")):
        pairs = read_pairs(path)
        chosen = random.Random(7).sample(pairs, min(each, len(pairs)))
        found += [classifier.judge_text(pair.prompt, rules).difficulty for pair in chosen]
    return found


class Load:
    """Asks the gateways in turn, and counts what came of it."""

    def __init__(self, policy: CompiledPolicy, gateways: list[Targets]) -> None:
        self._policy = policy
        self._gateways = gateways
        self._chance = random.Random(11)
        self._asked = 0

    async def ask(self, difficulties: list[float], requests: int) -> list[Decision]:
        """So many requests, drawn from these difficulties."""
        decisions = []
        for _ in range(requests):
            gateway = self._gateways[self._asked % len(self._gateways)]
            facts = self._facts(self._chance.choice(difficulties))
            facts = msgspec.structs.replace(facts, thresholds=gateway.thresholds(self._policy))
            decision = decide(self._policy, facts)
            gateway.decided(self._policy, decision.aim)
            decisions.append(decision)
            self._asked += 1
            if self._asked % EXCHANGED_EVERY == 0:
                for one in self._gateways:
                    await one.share(self._policy)
        return decisions

    def _facts(self, difficulty: float) -> Facts:
        inside = self._chance.random() < 1 / 8
        return Facts(
            requested_model="auto",
            principal=Principal(key_id="bench"),
            profile=Profile(
                sensitivity=Sensitivity.RESTRICTED if inside else Sensitivity.PUBLIC,
                difficulty=difficulty,
                tokens=TokenEstimate(expected=300, upper_bound=1200),
            ),
            request_id=f"req_{self._asked}",
        )


def spend(shape: Callable[[float], float], seed: int = 3) -> list[float]:
    """What a target of 30 USD a day spends on each of three days, as a share of it.

    Half a request a second on average, more or less of them by `shape` of the day's part that has
    gone by; the strong model costs twelve times as much, and real costs vary about the likely ones.
    """
    chance, target = random.Random(seed), Target(kind="spend", goal=30e9, per="day")
    bins: dict[int, Bin] = {}
    requests, seen, span, days = 0, 0.0, 0.0, []
    for _ in range(3):
        spent = 0.0
        for minute in range(1440):
            rate = seen / span if span else 0.0
            tally = Tally(requests=requests, bins=bins, spent_nanousd=int(spent), per_second=rate)
            threshold = threshold_of(target, tally, 86_400.0 - minute * 60)
            coming = int(30 * shape(minute / 1440) + chance.random())
            for _ in range(coming):
                difficulty = min(0.999, max(0.0, chance.gauss(0.4, 0.15)))
                low = int(1e5 * chance.lognormvariate(0, 0.5))
                strong = reaches(difficulty, chance.random(), threshold)
                spent += low * (12 if strong else 1) * chance.lognormvariate(0, 0.4)
                held = bins.get(place_of(difficulty), Bin(0, 0, 0))
                bins[place_of(difficulty)] = Bin(
                    held.requests + 1, held.low + low, held.high + low * 12
                )
            requests += coming
            fade = 0.5 ** (60 / RATE_HALF_LIFE)
            seen, span = seen * fade + coming, span * fade + 60
            if requests > HALVE_AT:
                requests //= 2
                bins = {
                    place: Bin(one.requests // 2, one.low // 2, one.high // 2)
                    for place, one in bins.items()
                }
        days.append(spent / target.goal)
    return days


def told(decisions: list[Decision]) -> str:
    """Share and mean predicted value of what was decided."""
    strong = sum(one.candidates[0].name == "frontier" for one in decisions) / len(decisions)
    mean = sum(one.aim.value for one in decisions if one.aim) / len(decisions) / MILLION
    return f"frontier {strong:6.2%}   mean value {mean:.4f}"


async def measure(target: str, difficulties: list[float], requests: int, redis_url: str) -> None:
    """One target, phase by phase."""
    connection = RedisConnection(redis_url)
    await connection.open()
    policy = compiled(target)
    load = Load(policy, [Targets(TargetStore(connection)) for _ in range(GATEWAYS)])
    ordered = sorted(difficulties)
    half = len(ordered) // 2
    print(target)
    for name, drawn in (
        ("from nothing", difficulties),
        ("the next ones", difficulties),
        ("only harder ones", ordered[half:]),
        ("only easier ones", ordered[:half]),
    ):
        print(f"  {name:18}{told(await load.ask(drawn, requests))}", flush=True)
    await connection.close()


async def run(data: Path, requests: int) -> None:
    """Every kind of target that needs no clock."""
    difficulties = judged(data, 600)
    with tempfile.TemporaryDirectory(prefix="fairlead-bench-") as folder:
        embedded = open_embedded(Path(folder))
        for target in ("frontier_share: 20%", "frontier_share: 5%", "quality: 80%"):
            await measure(target, difficulties, requests, embedded.url)
            client = RedisConnection(embedded.url)
            await client.open()
            await client.execute("FLUSHALL")
            await client.close()
        embedded.close()


def main() -> int:
    """Judge the prompts, then measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--requests", type=int, default=10_000)
    given = parser.parse_args()
    asyncio.run(run(given.data, given.requests))
    print("spend: 30 USD a day, three days, as a share of it (simulated, a tally of our own)")
    for name, shape in SHAPES.items():
        print(f"  {name:22}{'  '.join(f'{share:7.1%}' for share in spend(shape))}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
