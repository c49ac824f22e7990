"""Measures `fairlead policy replay` on many recorded decisions.

Run:  python ops/bench/replay.py [--records 1000000] [--jobs 2] [--routes 0] [--redis]

Makes decisions of the default policy on drawn facts (their mix is made up; their form is what a
gateway writes), puts them into a JSON Lines file or an embedded Redis, and replays them under the
same policy, which must change nothing, and under a candidate that closes the frontier to one team.
Prints records a second, CPU seconds of all processes, and the largest memory of one.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import msgspec  # noqa: E402

from gateway.core.decision import Facts  # noqa: E402
from gateway.core.findings import Finding, sensitivity_of  # noqa: E402
from gateway.core.prices import cost_of  # noqa: E402
from gateway.core.principal import Principal  # noqa: E402
from gateway.core.profile import Needs, Profile, TokenEstimate  # noqa: E402
from gateway.core.recorded import record_of  # noqa: E402
from gateway.core.records import AttemptRecord, AuditRecord  # noqa: E402
from gateway.core.replaying import Tally  # noqa: E402
from gateway.core.usage import Usage  # noqa: E402
from gateway.runtime.replaying import (  # noqa: E402
    Piece,
    Wanted,
    compiled_for_replay,
    from_files,
    from_redis,
    replay_all,
)
from gateway.stores import names  # noqa: E402
from gateway.stores.embedded import open_embedded  # noqa: E402
from gateway.stores.endpoint import open_client  # noqa: E402
from policies.compiled import CompiledPolicy  # noqa: E402
from policies.engine import decide  # noqa: E402

POLICY = ROOT / "policies" / "library" / "default.yaml"
START = 1_790_000_000.0
TYPES = ("email", "person", "payment_card", "medical", "phone")


def drawn_facts(chance: random.Random, number: int, policy: CompiledPolicy) -> Facts:
    """One request's facts."""
    types = chance.sample(TYPES, chance.choice((0, 0, 0, 0, 1, 1, 2)))
    findings = tuple(Finding(type=name, start=0, end=0) for name in types)
    tokens = int(chance.lognormvariate(5.5, 1.2))
    profile = Profile(
        sensitivity=sensitivity_of(findings, policy.rules),
        findings=findings,
        difficulty=chance.random(),
        reliability=chance.random(),
        task=chance.choice(("chat", "code", "maths")),
        tokens=TokenEstimate(expected=tokens, upper_bound=tokens * 2),
        needs=Needs(tools=chance.random() < 0.1),
    )
    principal = Principal(key_id=f"k{number % 40}", team=f"team{number % 12}")
    return Facts(
        requested_model=chance.choice(("auto", "gpt-4o")),
        principal=principal,
        profile=profile,
        stream=chance.random() < 0.6,
        max_output_tokens=chance.choice((None, 500, 1000)),
        now=START + number,
        budget_used=chance.random(),
        request_id=f"req_{number:024x}",
    )


def drawn_record(chance: random.Random, number: int, policy: CompiledPolicy) -> AuditRecord:
    """One decision with its facts and an answer that was paid for."""
    facts = drawn_facts(chance, number, policy)
    decision = decide(policy, facts)
    record = record_of(facts, decision)
    if not decision.candidates:
        return msgspec.structs.replace(record, outcome="refused", status=403)
    first = decision.candidates[0]
    usage = Usage(
        input_tokens=facts.profile.tokens.expected, output_tokens=int(chance.expovariate(1 / 215))
    )
    cost = cost_of(usage, first.price, facts.now)
    attempt = AttemptRecord(deployment=first.name, outcome="ok", cost_nanousd=cost, at=facts.now)
    return msgspec.structs.replace(
        record,
        deployment=first.name,
        attempts=(attempt,),
        outcome="served",
        status=200,
        cost_nanousd=cost,
        duration_ms=round(chance.expovariate(1 / 900), 3),
        usage=usage,
    )


def records(count: int, text: str) -> Iterator[bytes]:
    """So many records as they are written, always the same ones."""
    chance, policy = random.Random(7), compiled_for_replay(text, "policy")
    encode = msgspec.json.Encoder().encode
    for number in range(count):
        yield encode(drawn_record(chance, number, policy))


def stricter(text: str) -> str:
    """The candidate: one team's requests stay home."""
    rule = (
        "constraints:\n"
        "  - {id: team3-stays-home, because: Trial., when: {team: team3}, require: self_hosted}\n"
    )
    return text.replace("constraints:\n", rule, 1)


def with_routes(text: str, count: int) -> str:
    """The policy with so many more routes, none of which ever holds."""
    when = "{{team: nobody{n}, difficulty: '>= 0.{digit}'}}"
    more = "".join(
        f"  - {{id: r{n}, when: {when.format(n=n, digit=n % 9 + 1)}, use: [house]}}\n"
        for n in range(count)
    )
    return text.replace("routes:\n", "routes:\n" + more, 1)


def measured(what: str, pieces: Iterator[Piece], text: str, jobs: int) -> Tally:
    """Replay, and print how long it took."""
    began, spent = time.perf_counter(), _cpu()
    tally = replay_all(pieces, text, "candidate", Wanted(), jobs=jobs)
    wall, cpu = time.perf_counter() - began, _cpu() - spent
    rate = tally.read / wall
    print(
        f"{what:28} {tally.read:>9,} records {wall:7.1f} s {rate:>8,.0f}/s   "
        f"{cpu:7.1f} CPU s ({cpu / tally.read * 1e6:5.1f} µs each)"
    )
    return tally


def _cpu() -> float:
    """CPU seconds of this process and of its children that have ended."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, kinds))


def main() -> None:
    """Make the records, replay them, and print what was measured."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    asked.add_argument("--records", type=int, default=1_000_000)
    asked.add_argument("--jobs", type=int, default=2)
    asked.add_argument("--routes", type=int, default=0)
    asked.add_argument("--redis", action="store_true")
    given = asked.parse_args()
    text = with_routes(POLICY.read_text(), given.routes)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "audit.jsonl"
        with file.open("wb") as lines:
            lines.writelines(one + b"\n" for one in records(given.records, text))
        size = file.stat().st_size
        print(f"{given.records:,} records of {size / given.records:,.0f} bytes")
        same = measured("same policy, file", from_files([file]), text, given.jobs)
        other = measured("stricter, file", from_files([file]), stricter(text), given.jobs)
        if given.redis:
            _from_redis(Path(folder), file, text, given.jobs)
    print(f"changed by the same policy: {same.total.moved}, disagreeing: {same.disagreeing}")
    print(f"moved by the stricter one: {other.total.moved:,}, home: {other.total.newly_home:,}")
    for who, kind in (
        ("this process", resource.RUSAGE_SELF),
        ("children", resource.RUSAGE_CHILDREN),
    ):
        print(f"largest memory of {who}: {resource.getrusage(kind).ru_maxrss / 1024:,.0f} MiB")


def _from_redis(folder: Path, file: Path, text: str, jobs: int) -> None:
    embedded = open_embedded(folder)
    try:
        with open_client(embedded.url, 60.0) as client:
            client.sadd(names.ORGS, "default")
            pipe = client.pipeline(transaction=False)
            for number, line in enumerate(file.open("rb")):
                pipe.xadd(names.audit("default"), {"record": line.strip()})
                if number % 5000 == 4999:
                    pipe.execute()
            pipe.execute()
            measured("same policy, Redis", from_redis(client, ["default"], Wanted()), text, jobs)
    finally:
        embedded.close()


if __name__ == "__main__":
    main()
