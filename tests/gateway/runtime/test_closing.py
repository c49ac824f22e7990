"""Closing months: fixed, signed, made again byte for byte, and never changed by what comes late."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.cli.moments import month_span
from gateway.core.ledger import correction_of
from gateway.core.money import NANO
from gateway.core.prices import Machine
from gateway.core.records import LedgerLine
from gateway.reports.asking import Ask, Background
from gateway.reports.period import NotClosable
from gateway.runtime.closing import Outcome, Period, close_period
from gateway.runtime.reporting import make_report
from gateway.stores import names
from gateway.stores.closes import DamagedClose, closes_folder, read_closes
from gateway.stores.ledger_seal import seal_ledger
from tests.gateway.reports.conftest import line
from tests.gateway.reports.test_reports import HOUSE

PEPPER = b"sixteen bytes at least"
ORG = "acme"
NOW = datetime(2027, 3, 1, tzinfo=UTC).timestamp()
Write = Callable[..., LedgerLine]


def at(day: str) -> float:
    """Noon of a day, UTC."""
    return datetime.fromisoformat(f"{day}T12:00:00+00:00").timestamp()


@pytest.fixture
def write(client: redis.Redis) -> Write:
    """Writes a line dated on a day."""

    def written(day: str, **fields: Any) -> LedgerLine:
        made = line(at=at(day), **fields)
        client.sadd(names.ORGS, ORG)
        client.xadd(names.ledger(ORG), {"line": msgspec.json.encode(made)})
        return made

    return written


@pytest.fixture
def close(client: redis.Redis, tmp_path: Path) -> Callable[..., Outcome]:
    """Closes a month of the org."""

    def closed(month: str, known: Background | None = None, **options: Any) -> Outcome:
        zone = options.pop("zone", "UTC")
        starts, ends = month_span(month, zone)
        period = Period(name=month, zone=zone, starts=starts, ends=ends)
        return close_period(
            client,
            tmp_path,
            PEPPER,
            ORG,
            period,
            known or Background(),
            **{"now": NOW, **options},
        )

    return closed


def content(outcome: Outcome) -> dict[str, bytes]:
    """Every file of a closed period."""
    return {path.name: path.read_bytes() for path in sorted(outcome.folder.iterdir())}


def table(outcome: Outcome, name: str) -> list[dict[str, str]]:
    """A CSV file of a closed period."""
    return list(csv.DictReader(StringIO((outcome.folder / name).read_text())))


def test_a_month_is_closed_once_and_made_again_byte_for_byte(
    write: Write, close: Callable[..., Outcome], client: redis.Redis, tmp_path: Path
) -> None:
    """Also after the lines went to files, the policy changed, and later months came."""
    write("2026-11-03", cost_nanousd=100)
    write("2026-11-30", request_id="r2", cost_nanousd=11)
    first = close("2026-11", Background(because={"all": "Everyone may."}))
    before = content(first)

    seal_ledger(client, tmp_path, ORG, until_ms=int(NOW * 1000))
    write("2026-12-05", request_id="r3", cost_nanousd=5)
    again = close("2026-11", Background(because={"all": "Nobody may."}))

    assert (first.is_new, again.is_new) == (True, False)
    assert first.closed == again.closed
    assert content(again) == before
    assert (first.closed.lines, first.closed.total_nanousd) == (2, 111)
    assert table(first, "chargeback.csv")[0]["because"] == "Everyone may."


def test_every_file_of_a_month_adds_up_to_its_total(
    write: Write, close: Callable[..., Outcome]
) -> None:
    """Cost, chargeback, journal and FOCUS agree with the manifest to the nano-dollar."""
    for day in range(1, 29):
        write(f"2026-11-{day:02d}", request_id=f"r{day}", team=f"t{day % 3}", cost_nanousd=7 * day)
    outcome = close("2026-11")

    total = outcome.closed.total_nanousd
    assert total == 7 * sum(range(1, 29))
    for name in ("cost.csv", "chargeback.csv"):
        assert sum(int(row["cost_nanousd"]) for row in table(outcome, name)) == total
    assert sum(int(row["x_EffectiveCostNanousd"]) for row in table(outcome, "focus.csv")) == total
    entries = table(outcome, "journal.csv")
    for side in ("debit_nanousd", "credit_nanousd"):
        assert sum(int(row[side]) for row in entries if row[side]) == total


def test_late_lines_become_corrections_of_the_next_month(
    write: Write,
    close: Callable[..., Outcome],
    client: redis.Redis,
    tmp_path: Path,
) -> None:
    """The closed month stays; the next one has them, in its billing period, and says so."""
    doubtful = write("2026-11-03", kind="in_doubt", outcome="in_doubt", cost_nanousd=100)
    closed = close("2026-11").closed
    correction = correction_of(doubtful, line(cost_nanousd=40))
    client.xadd(names.ledger(ORG), {"line": msgspec.json.encode(correction)})
    write("2026-11-29", request_id="r2", cost_nanousd=9)
    write("2026-12-02", request_id="r3", cost_nanousd=1000)

    after = close("2026-12")

    assert close("2026-11").closed == closed
    told = after.closed
    assert (told.lines, told.late_lines) == (3, 2)
    assert (told.total_nanousd, told.late_nanousd) == (1000 - 60 + 9, -51)
    late = [row for row in table(after, "focus.csv") if row["ChargeClass"] == "Correction"]
    assert {row["BillingPeriodStart"] for row in late} == {"2026-12-01T00:00:00Z"}
    assert {row["ChargePeriodStart"][:10] for row in late} == {"2026-11-03", "2026-11-29"}
    assert {row["date"] for row in table(after, "journal.csv")} == {"2026-12-31"}

    report = make_report(client, tmp_path, "restatement", Ask(now=NOW), Background())
    assert report.rows == (
        (ORG, "2026-11", "2026-12", "support", "correction", 1, -60),
        (ORG, "2026-11", "2026-12", "support", "settle", 1, 9),
    )
    assert report.notes[0].endswith("closed at 0.000000100 USD, with late lines 0.000000049 USD")


def test_a_late_line_is_booked_once_however_many_months_follow(
    write: Write, close: Callable[..., Outcome]
) -> None:
    """The sum of all closed months is the ledger's, whatever came when."""
    write("2026-10-03", cost_nanousd=1)
    totals = [close("2026-10").closed.total_nanousd]
    write("2026-10-04", request_id="r2", cost_nanousd=10)
    write("2026-11-04", request_id="r3", cost_nanousd=100)
    totals.append(close("2026-11").closed.total_nanousd)
    write("2026-10-05", request_id="r4", cost_nanousd=1000)
    write("2026-11-05", request_id="r5", cost_nanousd=10_000)
    write("2026-12-05", request_id="r6", cost_nanousd=100_000)
    totals.append(close("2026-12").closed.total_nanousd)

    assert totals == [1, 110, 111_000]


def test_the_signature_can_be_checked_without_any_secret(
    write: Write, close: Callable[..., Outcome]
) -> None:
    """The public key is in the manifest, and each manifest names the one before."""
    write("2026-11-03")
    first = close("2026-11").closed
    write("2026-12-03", request_id="r2")
    second = close("2026-12").closed

    for closed in (first, second):
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(closed.public_key))
        key.verify(bytes.fromhex(closed.signature), closed.signed_bytes)
    assert (first.previous, len(second.previous)) == ("", 64)


def test_what_was_changed_afterwards_is_found(
    write: Write, close: Callable[..., Outcome], tmp_path: Path
) -> None:
    """A file, a manifest or the ledger: none can be altered unnoticed."""
    write("2026-11-03")
    folder = close("2026-11").folder
    journal, manifest = folder / "journal.csv", folder / "manifest.json"

    kept = journal.read_bytes()
    journal.chmod(0o644)
    journal.write_bytes(kept + b"x")
    with pytest.raises(DamagedClose, match=r"journal\.csv of acme 2026-11 is not"):
        close("2026-11")
    journal.write_bytes(kept)

    manifest.chmod(0o644)
    manifest.write_bytes(manifest.read_bytes().replace(b'"lines": 1', b'"lines": 2'))
    with pytest.raises(DamagedClose, match="the manifest of acme 2026-11 is not what we signed"):
        close("2026-11")
    assert len(read_closes(tmp_path, ORG)) == 1


def test_a_ledger_that_lost_lines_is_found(
    write: Write, close: Callable[..., Outcome], client: redis.Redis
) -> None:
    """The files can no longer be made as they were."""
    write("2026-11-03")
    close("2026-11")
    client.delete(names.ledger(ORG))
    write("2026-12-03")

    with pytest.raises(DamagedClose, match="cannot be made again as it was closed"):
        close("2026-11")


def test_months_are_closed_in_their_order_when_they_are_over(
    write: Write, close: Callable[..., Outcome]
) -> None:
    """Nothing is left out between them, and none is closed early."""
    write("2026-10-03")
    write("2026-11-03", request_id="r2")

    with pytest.raises(NotClosable, match="2026-11 is not over yet"):
        close("2026-11", now=at("2026-11-29"))
    with pytest.raises(NotClosable, match="1 lines lie before 2026-11 in no closed period"):
        close("2026-11")
    close("2026-10")
    close("2026-11")
    with pytest.raises(NotClosable, match="2026-11 is closed, so 2026-09 cannot"):
        close("2026-09")
    with pytest.raises(NotClosable, match="periods are closed in the zone UTC"):
        close("2026-12", zone="Europe/Berlin")


def test_own_machines_are_closed_at_their_bill(write: Write, close: Callable[..., Outcome]) -> None:
    """Standard cost and idle time make the bill that was given, and it cannot be changed later."""
    write("2026-11-03", self_hosted=True, gpu_seconds=60.0, cost_nanousd=NANO)
    machine = HOUSE.price.machine
    assert isinstance(machine, Machine)
    known = Background(deployments={"house": HOUSE})
    outcome = close("2026-11", known, bills={"house": 50 * NANO})

    rows = table(outcome, "gpu.csv")
    assert [(row["row"], row["cost_nanousd"]) for row in rows] == [
        ("standard cost", str(NANO)),
        ("idle and variance", str(49 * NANO)),
    ]
    journal = table(outcome, "journal_with_idle.csv")
    assert sum(int(row["credit_nanousd"] or 0) for row in journal) == 50 * NANO
    focus = table(outcome, "focus_with_idle.csv")
    assert sum(int(row["x_EffectiveCostNanousd"]) for row in focus) == 50 * NANO
    assert {row["PublisherName"] for row in focus} == {"vllm"}
    assert not close("2026-11").is_new
    with pytest.raises(NotClosable, match="its bills cannot be changed"):
        close("2026-11", known, bills={"house": 60 * NANO})


def test_a_crash_before_the_folder_appeared_leaves_nothing_behind(
    write: Write, close: Callable[..., Outcome], tmp_path: Path
) -> None:
    """What a killed run began is thrown away by the next one."""
    write("2026-11-03")
    begun = closes_folder(tmp_path, ORG) / ".2026-11.new"
    begun.mkdir(parents=True)
    (begun / "cost.csv").write_text("half")

    assert close("2026-11").is_new
    assert not begun.exists()
