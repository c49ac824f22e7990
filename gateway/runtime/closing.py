"""Closing a month: its lines are fixed, its reports written, and both are signed.

Rules of this file:
- a period is fixed by an entry of the ledger: what is written later belongs to a later period;
- periods are closed in their order, in one time zone, after they are over;
- what a report takes from the policy is kept with the period, so that its files can be made again,
  byte for byte, whatever the policy says by then.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec
import redis

from gateway.core.closing import Closed, entry_place
from gateway.core.deployment import Deployment
from gateway.core.prices import Machine, Price
from gateway.core.sensitivity import Sensitivity
from gateway.reports.asking import Ask, Background
from gateway.reports.catalogue import REPORTS
from gateway.reports.forms import FORMS
from gateway.reports.forms.paper import as_filed_pdf
from gateway.reports.period import (
    NotClosable,
    digest_of,
    first_lines,
    sums_of,
    view_ledger,
    view_period,
)
from gateway.stores import names
from gateway.stores.closes import (
    DamagedClose,
    closing_key,
    is_genuine,
    manifest_sha256,
    read_closes,
    read_files,
    signed,
    write_close,
)
from gateway.stores.ledger_lines import open_lines
from gateway.stores.segments import read_manifest

if TYPE_CHECKING:
    import duckdb

#: The files of a period: report and form by name.
_FILES = {
    "cost.csv": ("cost", "csv"),
    "chargeback.csv": ("chargeback", "csv"),
    "chargeback.xlsx": ("chargeback", "xlsx"),
    "chargeback.pdf": ("chargeback", "pdf"),
    "exceptions.csv": ("exceptions", "csv"),
    "gpu.csv": ("gpu", "csv"),
    "journal.csv": ("journal", "csv"),
    "restatement.csv": ("restatement", "csv"),
    "focus.csv": ("focus", "csv"),
    "focus.parquet": ("focus", "parquet"),
}
#: Those in which own machines cost what their bill says.
_WITH_IDLE = {
    "chargeback_with_idle.csv": ("chargeback", "csv"),
    "journal_with_idle.csv": ("journal", "csv"),
    "focus_with_idle.csv": ("focus", "csv"),
    "focus_with_idle.parquet": ("focus", "parquet"),
}
_FACTS = "facts.json"


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the period's reports took from the policy, and the real bills that were given.

    `since` is when each own machine had its first line, in epoch seconds. `idle` says whether there
    are files with idle time, which periods that were closed by an earlier version do not have.
    """

    because: dict[str, str] = {}
    machines: dict[str, Machine] = {}
    models: dict[str, str] = {}
    providers: dict[str, str] = {}
    bills: dict[str, int] = {}
    since: dict[str, float] = {}
    idle: bool = False


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What closing came to; `is_new` is False when the period had been closed and is the same."""

    closed: Closed
    folder: Path
    is_new: bool


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """A month such as 2026-11 in a zone, from and to before, in epoch seconds."""

    name: str
    zone: str
    starts: float
    ends: float


def close_period(
    client: redis.Redis,
    home: Path,
    pepper: bytes,
    org: str,
    period: Period,
    known: Background,
    *,
    bills: Mapping[str, int] | None = None,
    now: float,
) -> Outcome:
    """Close a month of an org, or check that a closed one is still what it was.

    Raises:
        NotClosable: it is not over, another one must be closed first, or bills came too late.
        DamagedClose: it was closed, and its files or the ledger are not what they were.
    """
    key = closing_key(pepper)
    closes = read_closes(home, org)
    for one in closes:
        if not is_genuine(one, key):
            raise DamagedClose(f"the manifest of {org} {one.period} is not what we signed")
    held = next((one for one in closes if one.period == period.name), None)
    if held is not None:
        return _checked(client, home, held, closes, period, bills)
    if period.ends > now:
        raise NotClosable(f"{period.name} is not over yet")
    _in_order(closes, period)
    facts = facts_of(known, bills or {})
    bare = Closed(
        org=org,
        period=period.name,
        zone=period.zone,
        starts=period.starts,
        ends=period.ends,
        cut=_last_entry(client, home, org),
        lines=0,
        late_lines=0,
        total_nanousd=0,
        late_nanousd=0,
        lines_sha256="",
        files={},
        previous=manifest_sha256(closes[-1]) if closes else "",
        public_key="",
    )
    with open_lines(client, home, (org,)) as database:
        since = first_lines(database, bare.cut, tuple(facts.machines))
    facts = msgspec.structs.replace(facts, since=since)
    made, files = _made(client, home, bare, closes, facts)
    closed = signed(made, key)
    try:
        folder = write_close(home, closed, files)
    except FileExistsError:
        raise NotClosable(f"{period.name} was closed by somebody else just now") from None
    return Outcome(closed=closed, folder=folder, is_new=True)


def facts_of(known: Background, bills: Mapping[str, int]) -> Facts:
    """What of the policy the files of a period are made with."""
    machines = {
        name: one.price.machine
        for name, one in known.deployments.items()
        if one.price.machine is not None
    }
    return Facts(
        because=dict(known.because),
        machines=machines,
        models={name: known.deployments[name].model for name in machines},
        providers={name: known.deployments[name].provider for name in machines},
        bills=dict(bills),
        idle=bool(machines),
    )


def _checked(
    client: redis.Redis,
    home: Path,
    held: Closed,
    closes: tuple[Closed, ...],
    period: Period,
    bills: Mapping[str, int] | None,
) -> Outcome:
    """Make a closed period again and compare every byte."""
    if held.zone != period.zone:
        raise NotClosable(f"{held.period} was closed in the zone {held.zone}, not {period.zone}")
    there = read_files(home, held)
    for name, digest in held.files.items():
        if sha256(there.get(name, b"")).hexdigest() != digest:
            raise DamagedClose(f"{name} of {held.org} {held.period} is not what was signed")
    facts = msgspec.json.decode(there[_FACTS], type=Facts)
    if bills and dict(bills) != facts.bills:
        raise NotClosable(f"{held.period} is closed; its bills cannot be changed any more")
    before = tuple(one for one in closes if one.starts < held.starts)
    made, files = _made(client, home, held, before, facts)
    kept = msgspec.structs.replace(made, public_key=held.public_key, signature=held.signature)
    if kept != held:
        differing = [name for name in files if files[name] != there.get(name)]
        raise DamagedClose(
            f"{held.org} {held.period} cannot be made again as it was closed: "
            + (", ".join(differing) if differing else "the ledger's lines")
            + " differ"
        )
    folder = home / "closes" / held.org / held.period
    return Outcome(closed=held, folder=folder, is_new=False)


def _in_order(closes: tuple[Closed, ...], period: Period) -> None:
    if not closes:
        return
    last = closes[-1]
    if last.zone != period.zone:
        raise NotClosable(f"periods are closed in the zone {last.zone}, not {period.zone}")
    if period.starts < last.ends:
        raise NotClosable(f"{last.period} is closed, so {period.name} cannot be closed any more")


def _last_entry(client: redis.Redis, home: Path, org: str) -> str:
    newest = cast(list[tuple[bytes, object]], client.xrevrange(names.ledger(org), count=1))
    entries = [read_manifest(home, org).last, *(one[0].decode() for one in newest)]
    return max(entries, key=entry_place)


def _made(
    client: redis.Redis,
    home: Path,
    closed: Closed,
    before: tuple[Closed, ...],
    facts: Facts,
) -> tuple[Closed, dict[str, bytes]]:
    """The period's files, and its manifest with all of them but without a signature."""
    with open_lines(client, home, (closed.org,)) as database:
        view_period(database, closed, before)
        sums = sums_of(database, closed)
        digest = digest_of(database)
        known = Background(
            deployments={name: _machine(name, facts) for name in facts.machines},
            because=facts.because,
            closes=(*before, closed),
        )
        ask = Ask(
            now=closed.ends,
            end=closed.ends,
            zone=closed.zone,
            billed_from=closed.starts,
            bills=facts.bills,
            machines_since=facts.since,
        )
        files = _written(database, _FILES, ask, known, closed)
        if facts.idle:
            with_idle = msgspec.structs.replace(ask, idle=True)
            files |= _written(database, _WITH_IDLE, with_idle, known, closed)
    files[_FACTS] = msgspec.json.encode(facts, order="sorted") + b"\n"
    made = msgspec.structs.replace(
        closed,
        lines=sums[0],
        late_lines=sums[1],
        total_nanousd=sums[2],
        late_nanousd=sums[3],
        lines_sha256=digest,
        files={name: sha256(content).hexdigest() for name, content in sorted(files.items())},
        public_key="",
        signature="",
    )
    return made, files


def _written(
    database: duckdb.DuckDBPyConnection,
    wanted: Mapping[str, tuple[str, str]],
    ask: Ask,
    known: Background,
    closed: Closed,
) -> dict[str, bytes]:
    """Files by name; each report is made once."""
    reports = {}
    for name in {report for report, _ in wanted.values()}:
        with view_ledger(database, closed.cut) if name == "restatement" else nullcontext():
            report = REPORTS[name](database, ask, known)
        # Late lines are older than the period, and are told under its name all the same.
        reports[name] = msgspec.structs.replace(report, since=closed.starts)
    # The fonts of a machine may change, and a closed month may not.
    writers = {form: FORMS[form].write for form in FORMS} | {"pdf": as_filed_pdf}
    return {name: writers[form](reports[report]) for name, (report, form) in wanted.items()}


def _machine(name: str, facts: Facts) -> Deployment:
    """As much of a deployment as the report of own machines reads."""
    return Deployment(
        name=name,
        adapter="",
        model=facts.models.get(name, ""),
        clearance=Sensitivity.RESTRICTED,
        self_hosted=True,
        provider=facts.providers.get(name, ""),
        price=Price(input=0, output=0, cached_input=0, cache_write=0, machine=facts.machines[name]),
    )
