"""What own machines cost in each month: what the ledger booked for them, and what their bill says.

Standard cost is what the ledger booked: tokens at the price of the stated utilisation. The bill is
by the hour. The difference, `idle and variance`, is no line of the ledger; a report that is asked
for it (`Ask.idle`) reads it as one line a month and machine, so that the lines add up to the bill.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

import msgspec

from gateway.core.deployment import Deployment
from gateway.core.money import nano_to_usd_text
from gateway.core.periods import period_end, period_start
from gateway.reports.asking import Ask, Background, ReportError
from gateway.reports.selection import choose, one_row, quoted

if TYPE_CHECKING:
    import duckdb

#: Of such lines the kind, the outcome and the token class.
IDLE = "idle"
#: What stands where other lines have a policy's reason.
_ROUTE = "idle and variance"
#: The organisation of idle time where several use the machines; no organisation can be called so.
_SHARED = "(shared)"
#: So long before a month ends, in seconds, its idle time is dated.
_BEFORE_THE_END = 0.001
_EMPTY = {"VARCHAR": "''", "BOOLEAN": "false", "BIGINT": "0", "DOUBLE": "0"}


class MachineMonth(msgspec.Struct, frozen=True, kw_only=True):
    """One own machine in one month such as 2026-11, as far as it lies in the span of a report.

    `hours` are those that it is paid for, up to `until` (epoch seconds); `tokens` are input and
    output; `standard_nanousd` is what the ledger booked and `bill_nanousd` what it costs.
    """

    month: str
    deployment: Deployment
    hours: Fraction = Fraction()
    until: float = 0.0
    busy_seconds: float = 0.0
    tokens: int = 0
    standard_nanousd: int = 0
    bill_nanousd: int = 0

    @property
    def idle_nanousd(self) -> int:
        """Idle time and variance: the bill without the standard cost; negative where more was
        booked than the bill says."""
        return self.bill_nanousd - self.standard_nanousd


class Booked(msgspec.Struct, frozen=True, kw_only=True):
    """What the lines of a report cost: those of the ledger, and idle time beside them, in nano-USD;
    and what is to be said of it."""

    ledger_nanousd: int
    idle_nanousd: int = 0
    notes: tuple[str, ...] = ()


def machine_months(
    database: duckdb.DuckDBPyConnection, ask: Ask, known: Background
) -> tuple[MachineMonth, ...]:
    """Every own machine with an hourly price that has lines, month by month of the view `chosen`.

    The bill is what `ask.bills` says, else the machine's price for every hour of the month, from
    the first line of the deployment if that is later than the span's start, up to the end of the
    span or now. A bill that was given is for the whole span, spread over its months by hours.
    """
    months: list[MachineMonth] = []
    for name, deployment in known.deployments.items():
        if deployment.price.machine is not None:
            months += _months_of(database, ask, name, deployment)
    return tuple(sorted(months, key=lambda one: (one.month, one.deployment.name)))


def unknown_bills(ask: Ask, known: Background) -> tuple[str, ...]:
    """Bills of what is no own machine of the policy, in words."""
    machines = [name for name, one in known.deployments.items() if one.price.machine is not None]
    return tuple(
        f"--bill names {name}, which is no own machine of the policy"
        for name in ask.bills
        if name not in machines
    )


def choose_with_idle(database: duckdb.DuckDBPyConnection, ask: Ask, known: Background) -> Booked:
    """`choose`, with a line for each month's idle time where that is asked for.

    Raises:
        ReportError: idle time is asked for with a bill of what is no own machine.
        RateError: there are lines before the first rate.
    """
    booked = choose(database, ask, known.rates)
    if not ask.idle:
        return Booked(ledger_nanousd=booked)
    unknown = unknown_bills(ask, known)
    if unknown:
        raise ReportError(unknown[0])
    months = machine_months(database, ask, known)
    _write_lines(database, months, _org_of(database))
    lines = f"(SELECT * FROM lines UNION ALL BY NAME SELECT * FROM {IDLE}_lines)"
    idle = choose(database, ask, known.rates, lines) - booked
    note = (
        f"Idle time and variance of own machines: {nano_to_usd_text(idle)} USD, beside "
        f"{nano_to_usd_text(booked)} USD in the ledger."
        if months
        else "No own machine with an hourly price was used, so there is no idle time."
    )
    return Booked(ledger_nanousd=booked, idle_nanousd=idle, notes=(note,))


def _months_of(
    database: duckdb.DuckDBPyConnection, ask: Ask, name: str, deployment: Deployment
) -> list[MachineMonth]:
    machine = deployment.price.machine
    first = ask.machines_since.get(name)
    if first is None:
        first = one_row(database, "SELECT min(dated) FROM lines WHERE deployment = ?", [name])[0]
    if first is None or machine is None:
        return []
    until = ask.now if ask.end is None else min(ask.end, ask.now)
    since = max([float(first), *(at for at in (ask.start, ask.billed_from) if at is not None)])
    found = {
        month: (int(tokens), float(busy), int(cost))
        for month, tokens, busy, cost in database.execute(
            "SELECT strftime(billed, '%Y-%m') AS month, sum(input_tokens + output_tokens)"
            "::HUGEINT, sum(gpu_seconds), sum(cost_nanousd)::HUGEINT FROM chosen "
            "WHERE deployment = ? GROUP BY month",
            [name],
        ).fetchall()
    }
    spans = _spans(since, until, ask.zone)
    bills = _bills(ask.bills.get(name), machine.hour_nanousd, spans, found)
    months = []
    for month in sorted({*spans, *found}):
        hours, ends = spans.get(month, (Fraction(), until))
        tokens, busy, standard = found.get(month, (0, 0.0, 0))
        months.append(
            MachineMonth(
                month=month,
                deployment=deployment,
                hours=hours,
                until=ends,
                busy_seconds=busy,
                tokens=tokens,
                standard_nanousd=standard,
                bill_nanousd=bills.get(month, 0),
            )
        )
    return months


def _bills(
    given: int | None,
    hour_nanousd: int,
    spans: Mapping[str, tuple[Fraction, float]],
    used: Iterable[str],
) -> dict[str, int]:
    """The bill of each month: by its hours, and a given one shared out by them to the last nano."""
    hours = {month: hours for month, (hours, _) in spans.items()}
    if given is None:
        return {month: round(hour_nanousd * share) for month, share in hours.items()}
    shares = hours if any(hours.values()) else dict.fromkeys(sorted(used), Fraction(1))
    bills, past, billed = {}, Fraction(), 0
    for month, share in shares.items():
        past += share
        until = round(given * past / sum(shares.values()))
        bills[month], billed = until - billed, until
    return bills


def _spans(since: float, until: float, zone: str) -> dict[str, tuple[Fraction, float]]:
    """The months of a span with the hours of it that lie in each, and where they end."""
    spans: dict[str, tuple[Fraction, float]] = {}
    at = since
    while at < until:
        ends = min(until, period_end("month", at, zone) or until)
        month = f"{period_start('month', at, zone):%Y-%m}"
        spans[month] = Fraction(round((ends - at) * 1000), 3_600_000), ends
        at = ends
    return spans


def _org_of(database: duckdb.DuckDBPyConnection) -> str:
    """The only organisation of the span; a word for several."""
    count, org = one_row(database, "SELECT count(DISTINCT org), min(org) FROM chosen")
    return str(org) if count == 1 else _SHARED


def _write_lines(
    database: duckdb.DuckDBPyConnection, months: tuple[MachineMonth, ...], org: str
) -> None:
    """Make the table `idle_lines`, with the columns of the ledger, of what months are idle."""
    database.execute(
        f"CREATE OR REPLACE TEMP TABLE {IDLE}_lines AS SELECT * FROM lines WITH NO DATA"
    )
    described = database.execute(f"DESCRIBE {IDLE}_lines").fetchall()
    plain = {name: _EMPTY[kind] for name, kind, *_ in described if kind in _EMPTY}
    for one in months:
        if not one.idle_nanousd:
            continue
        deployment = one.deployment
        told = {
            **plain,
            **{"kind": quoted(IDLE), "outcome": quoted(IDLE), "route": quoted(_ROUTE)},
            **{"org": quoted(org), "deployment": quoted(deployment.name)},
            **{"provider": quoted(deployment.provider), "model": quoted(deployment.model)},
            **{"dated": repr(one.until - _BEFORE_THE_END), "self_hosted": "true", "parts": "[]"},
            **{"cost_nanousd": str(one.idle_nanousd), "list_nanousd": str(one.idle_nanousd)},
            # No request: what is counted by requests does not count it.
            "request_id": "NULL",
        }
        columns = ", ".join(f'"{name}"' for name in told)
        database.execute(
            f"INSERT INTO {IDLE}_lines ({columns}) VALUES ({', '.join(told.values())})"
        )
