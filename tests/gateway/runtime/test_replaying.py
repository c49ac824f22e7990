"""Many records decided again: from files and from Redis, here and in other processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import redis

from gateway.core.decision import Facts
from gateway.core.principal import Principal
from gateway.core.profile import Profile, TokenEstimate
from gateway.core.recorded import record_of
from gateway.core.records import AuditRecord
from gateway.core.replaying import Tally
from gateway.core.sensitivity import Sensitivity
from gateway.runtime import replaying
from gateway.runtime.replaying import (
    Piece,
    Wanted,
    compiled_for_replay,
    from_files,
    from_redis,
    replay_all,
)
from gateway.stores import names
from gateway.stores.embedded import open_embedded
from gateway.stores.endpoint import open_client
from policies.engine import decide
from policies.problems import PolicyError

NOON = 1_795_447_800.0
TEXT = """\
fairlead: 1
deployments:
  house: {adapter: ollama_native, model: m, clearance: restricted,
          price: {input_usd_per_mtok: 1, output_usd_per_mtok: 2}}
  frontier: {adapter: openai, model: gpt-4o, api_key: "env:NOT_SET_HERE", clearance: internal}
aliases: {auto: {}}
routes:
  - {id: hard, when: {difficulty: ">= 0.5"}, use: [frontier, house]}
  - {id: easy, use: [house]}
"""
STRICTER = TEXT.replace(">= 0.5", ">= 0.9")


def record(number: int, org: str = "default") -> AuditRecord:
    """One decision of the policy above, a second after the one before."""
    facts = Facts(
        requested_model="auto",
        principal=Principal(key_id="k", org=org, team=f"team{number % 3}"),
        profile=Profile(
            sensitivity=Sensitivity.INTERNAL,
            difficulty=number % 10 / 10,
            tokens=TokenEstimate(expected=100, upper_bound=200),
        ),
        now=NOON + number,
        request_id=f"r{number}",
    )
    return record_of(facts, decide(compiled_for_replay(TEXT, "p.yaml"), facts))


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    """A hundred records as they are written."""
    return [msgspec.json.encode(record(number)) for number in range(100)]


@pytest.fixture
def file(tmp_path: Path, lines: list[bytes]) -> Path:
    """The same in a file, with an empty line at its end."""
    path = tmp_path / "audit.jsonl"
    path.write_bytes(b"\n".join(lines) + b"\n\n")
    return path


def replayed(
    pieces: Iterator[Piece], text: str = STRICTER, jobs: int = 1, **wanted: object
) -> Tally:
    return replay_all(pieces, text, "p.yaml", Wanted(**wanted), jobs=jobs)  # type: ignore[arg-type]


def test_the_same_policy_changes_nothing(file: Path) -> None:
    """And every decision comes out just so."""
    tally = replayed(from_files([file]), TEXT)

    assert (tally.read, tally.total.requests, tally.total.moved, tally.disagreeing) == (
        100,
        100,
        0,
        0,
    )
    assert (tally.first, tally.last) == (NOON, NOON + 99)


def test_another_policy_moves_what_it_moves(file: Path) -> None:
    """Difficulty 0.5 to 0.8 no longer goes out."""
    tally = replayed(from_files([file]))

    assert (tally.total.moved, tally.total.newly_home) == (40, 40)
    assert tally.ways["frontier"]["house"].requests == 40


def test_several_processes_find_what_one_finds(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces are decided in parallel and counted in their order."""
    alone = replayed(from_files([file]))
    monkeypatch.setattr(replaying, "_PIECE_BYTES", 3_000)
    monkeypatch.setattr(replaying, "_WORTH_PROCESSES", 10_000)
    shares: list[float] = []
    together = replay_all(
        from_files([file]),
        STRICTER,
        "p.yaml",
        Wanted(),
        jobs=2,
        on_read=lambda tally, share: shares.append(share),
    )

    assert together == alone
    assert len(shares) > 3
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ({"teams": frozenset({"team0"})}, 34),
        ({"teams": frozenset({"team0", "team1"})}, 67),
        ({"org": "other"}, 0),
        ({"org": "default"}, 100),
        ({"start": NOON + 10, "end": NOON + 20}, 10),
        ({"end": NOON}, 0),
    ],
)
def test_only_what_is_wanted_counts(file: Path, wanted: dict[str, object], count: int) -> None:
    """The end is the first moment that does not count."""
    assert replayed(from_files([file]), **wanted).read == count


def test_records_that_lack_facts_are_told_and_not_guessed(tmp_path: Path) -> None:
    """As those of an older gateway, beside newer ones."""
    old = msgspec.structs.replace(record(1), facts=None, decided=None)
    path = tmp_path / "audit.jsonl"
    path.write_bytes(msgspec.json.encode(old) + b"\n" + msgspec.json.encode(record(2)))
    tally = replayed(from_files([path]))

    assert (tally.read, tally.total.requests) == (2, 1)
    assert tally.skipped == {"made before records kept all facts": 1}


@pytest.mark.parametrize("wrong", [b"{", b'{"at": 1}', b"\xff\xfe"])
def test_a_line_that_is_no_record_is_told(tmp_path: Path, wrong: bytes) -> None:
    """Rather than counted as nothing."""
    path = tmp_path / "audit.jsonl"
    path.write_bytes(wrong)

    with pytest.raises(ValueError, match="no audit record"):
        replayed(from_files([path]))


def test_a_candidate_that_cannot_be_used_is_told(file: Path) -> None:
    """With its problems and their places."""
    with pytest.raises(PolicyError, match=r"p\.yaml:8"):
        replayed(from_files([file]), TEXT.replace("[frontier, house]", "[nobody]"))


@pytest.fixture
def client(tmp_path: Path, lines: list[bytes]) -> Iterator[redis.Redis]:
    """A Redis with the same records in one org, and ten in another."""
    embedded = open_embedded(tmp_path)
    with open_client(embedded.url) as opened:
        for number, line in enumerate(lines):
            at = int((NOON + number) * 1000)
            opened.xadd(names.audit("default"), {"record": line}, id=f"{at}-1")
        for number in range(10):
            line = msgspec.json.encode(record(number, "other"))
            opened.xadd(names.audit("other"), {"record": line})
        yield opened
    embedded.close()


def test_live_audit_logs_are_replayed(client: redis.Redis) -> None:
    """All orgs or one, all times or some."""
    orgs = ("default", "other", "empty")

    assert replayed(from_redis(client, orgs, Wanted())).total.requests == 110
    assert replayed(from_redis(client, orgs, Wanted(org="other"))).total.requests == 10
    some = Wanted(start=NOON + 90, end=NOON + 95)
    shares = [piece.share for piece in from_redis(client, orgs[:1], some)]
    tally = replay_all(from_redis(client, orgs[:1], some), TEXT, "p.yaml", some, jobs=1)
    assert tally.total.requests == 5
    assert shares == [1.0]
