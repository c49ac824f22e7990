"""Finished hours go to files exactly once, whatever happens on the way."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
import redis

from gateway.core.prices import CostPart
from gateway.core.records import LedgerLine
from gateway.core.usage import Usage
from gateway.stores import names
from gateway.stores.ledger_lines import known_orgs, ledger_lines, open_lines
from gateway.stores.ledger_seal import OtherHome, seal_ledger
from gateway.stores.segments import (
    DamagedLedger,
    check_segments,
    ledger_folder,
    read_manifest,
    segment_paths,
)

ORG = "acme"
POINTS = ("entries_read", "file_written", "file_renamed", "manifest_written", "trimmed")


class Killed(BaseException):
    """Stands for the end of the process at a marked point."""


def killed_at(wanted: str) -> Callable[[str], None]:
    def mark(point: str) -> None:
        if point == wanted:
            raise Killed(point)

    return mark


@pytest.fixture
def lines(client: redis.Redis, make_line: Callable[..., LedgerLine]) -> list[LedgerLine]:
    """Ten lines in Redis, of all sorts."""
    made = [
        make_line(
            hold_id=f"h{number}",
            at=1_790_000_000.5 + number,
            kind="settle" if number % 3 else "correction",
            cost_nanousd=40 - 3 * number,
            list_nanousd=50 if number % 2 else None,
            tags={"project": "apo'llo"} if number % 2 else {},
            usage=Usage(input_tokens=number, estimated=number == 4, service_tier="flex"),
            parts=(CostPart("input", number, 10**6, 40 - 3 * number, 2 * 10**6),),
        )
        for number in range(10)
    ]
    for line in made:
        client.xadd(names.ledger(ORG), {"line": msgspec.json.encode(line)})
    return made


def soon() -> int:
    return int(time.time() * 1000) + 60_000


def test_lines_are_the_same_before_and_after_sealing(
    client: redis.Redis, tmp_path: Path, lines: list[LedgerLine]
) -> None:
    """Every line once, in the order of writing, from Redis, from files and from both."""
    assert list(ledger_lines(client, tmp_path, ORG)) == lines

    sealed = seal_ledger(client, tmp_path, ORG, until_ms=soon(), most=4)
    late = msgspec.structs.replace(lines[0], hold_id="late")
    client.xadd(names.ledger(ORG), {"line": msgspec.json.encode(late)})

    assert (sealed.lines, sealed.segments, sealed.dropped) == (10, 3, 10)
    assert client.xlen(names.ledger(ORG)) == 1
    assert list(ledger_lines(client, tmp_path, ORG)) == [*lines, late]
    manifest = read_manifest(tmp_path, ORG)
    assert sum(one.cost_nanousd for one in manifest.segments) == sum(
        line.cost_nanousd for line in lines
    )
    check_segments(tmp_path, manifest)


def test_only_finished_hours_are_sealed(
    client: redis.Redis, tmp_path: Path, lines: list[LedgerLine]
) -> None:
    """What was written in this hour stays in Redis."""
    sealed = seal_ledger(client, tmp_path, ORG)

    assert sealed.lines in (0, 10)  # the hour may just have ended
    assert client.xlen(names.ledger(ORG)) == 10 - sealed.lines


@pytest.mark.parametrize("point", POINTS)
def test_a_crash_anywhere_loses_and_doubles_nothing(
    client: redis.Redis, tmp_path: Path, lines: list[LedgerLine], point: str
) -> None:
    """Readers see each line once right after it, and the next run goes on where it was."""
    with pytest.raises(Killed):
        seal_ledger(client, tmp_path, ORG, until_ms=soon(), most=4, mark=killed_at(point))

    assert list(ledger_lines(client, tmp_path, ORG)) == lines
    seal_ledger(client, tmp_path, ORG, until_ms=soon(), most=4)
    assert list(ledger_lines(client, tmp_path, ORG)) == lines
    assert client.xlen(names.ledger(ORG)) == 0
    check_segments(tmp_path, read_manifest(tmp_path, ORG))


def test_two_sealers_do_not_seal_at_once(
    client: redis.Redis, tmp_path: Path, lines: list[LedgerLine]
) -> None:
    """The second one leaves it to the first."""
    seen = []

    def meanwhile(point: str) -> None:
        if point == "file_written":
            seen.append(seal_ledger(client, tmp_path, ORG, until_ms=soon()))

    seal_ledger(client, tmp_path, ORG, until_ms=soon(), mark=meanwhile)

    assert [one.lines for one in seen] == [0]
    assert list(ledger_lines(client, tmp_path, ORG)) == lines


def test_a_reader_during_sealing_sees_each_line_once(
    client: redis.Redis, tmp_path: Path, lines: list[LedgerLine]
) -> None:
    """At every marked point."""
    counts = []

    def read(_: str) -> None:
        counts.append(len(list(ledger_lines(client, tmp_path, ORG))))

    seal_ledger(client, tmp_path, ORG, until_ms=soon(), most=4, mark=read)

    assert set(counts) == {10}


def test_another_home_does_not_seal(
    client: redis.Redis, tmp_path: Path, lines: list[LedgerLine]
) -> None:
    """A ledger lies in one place, and the message says where."""
    seal_ledger(client, tmp_path / "one", ORG, until_ms=soon())

    with pytest.raises(OtherHome, match="one/ledger"):
        seal_ledger(client, tmp_path / "two", ORG, until_ms=soon())


def test_a_changed_file_is_noticed(
    client: redis.Redis, tmp_path: Path, lines: list[LedgerLine]
) -> None:
    """By its checksum; and a missing one by its name."""
    seal_ledger(client, tmp_path, ORG, until_ms=soon())
    manifest = read_manifest(tmp_path, ORG)
    (path,) = segment_paths(tmp_path, manifest)
    path.write_bytes(path.read_bytes() + b"x")

    with pytest.raises(DamagedLedger, match="is not the file"):
        check_segments(tmp_path, manifest)
    path.unlink()
    with pytest.raises(DamagedLedger, match="is missing"):
        check_segments(tmp_path, manifest)


def test_a_report_asks_the_lines_in_sql(
    client: redis.Redis, tmp_path: Path, lines: list[LedgerLine]
) -> None:
    """Columns, parts and tags, over what is sealed and what is not, of all orgs."""
    seal_ledger(client, tmp_path, ORG, until_ms=soon(), most=6)
    client.sadd(names.ORGS, ORG, "other")

    assert known_orgs(client, tmp_path) == (ORG, "other")
    with open_lines(client, tmp_path) as database:
        total, listed, tokens = database.execute(
            "SELECT sum(cost_nanousd), sum(list_nanousd), sum(input_tokens) FROM lines"
        ).fetchone()
        parts = database.execute(
            "SELECT part.token_class, sum(part.quantity), sum(part.cost_nanousd) "
            "FROM (SELECT unnest(parts) AS part FROM lines) GROUP BY 1"
        ).fetchall()
        tagged = database.execute(
            "SELECT count(*) FROM lines WHERE tags['project'] = 'apo''llo' AND NOT estimated"
        ).fetchone()

    assert total == sum(line.cost_nanousd for line in lines)
    assert listed == sum(
        line.cost_nanousd if line.list_nanousd is None else line.list_nanousd for line in lines
    )
    assert tokens == 45
    assert parts == [("input", 45, total)]
    assert tagged == (5,)


def test_an_org_without_lines_has_none(client: redis.Redis, tmp_path: Path) -> None:
    """And a home without a ledger too."""
    assert list(ledger_lines(client, tmp_path, ORG)) == []
    with open_lines(client, tmp_path) as database:
        assert database.execute("SELECT count(*) FROM lines").fetchone() == (0,)
    assert not ledger_folder(tmp_path, ORG).exists()
