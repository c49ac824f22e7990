"""What so many tokens a month would cost on each deployment: APIs beside own machines."""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING

from gateway.core.deployment import Deployment
from gateway.core.money import MILLION, divide_half_even
from gateway.reports.asking import MONTH_HOURS, Ask, Background, ReportError
from gateway.reports.selection import choose, one_row
from gateway.reports.shape import Cell, Column, Kind, Report, totals_of, whole

if TYPE_CHECKING:
    import duckdb

#: The mix that is assumed while the ledger knows none.
_USUAL_INPUT = Fraction(3, 4)
_COLUMNS = (
    Column("deployment"),
    Column("model"),
    Column("runs_at", heading="runs at"),
    Column("machines", Kind.COUNT),
    Column("utilisation", Kind.SHARE, brief=False),
    Column("per_mtok_nanousd", Kind.MONEY, "USD per 1M tokens"),
    Column("month_nanousd", Kind.MONEY, "USD a month"),
    Column("assumption", brief=False),
)


def tco_report(database: duckdb.DuckDBPyConnection, ask: Ask, known: Background) -> Report:
    """The monthly cost of `ask.tokens` on each deployment of the policy, cheapest first.

    The shares of input and of cached input are those of the ledger's span unless one is given. An
    own machine is bought whole: as many as are needed to stay at the stated utilisation.

    Raises:
        ReportError: no tokens, or a share outside 0 to 1.
    """
    if ask.tokens <= 0:
        raise ReportError("say how many tokens a month, such as --tokens 500m")
    total = choose(database, ask)
    share, cached, whence = _mix(database, ask)
    read = Fraction(ask.tokens) * share
    written = Fraction(ask.tokens) - read
    rows = [
        _row(ask.tokens, read, read * cached, written, one) for one in known.deployments.values()
    ]
    rows.sort(key=lambda row: (whole(row[6]), str(row[0])))
    return Report(
        name="tco",
        title=f"Cost of {ask.tokens:,} tokens a month",
        columns=_COLUMNS,
        rows=tuple(rows),
        totals=totals_of(_COLUMNS, rows),
        total_nanousd=total,
        ledger_nanousd=total,
        notes=(
            f"Assumed: {float(share):.1%} of the tokens are input, {float(cached):.1%} of the "
            f"input is read from a cache ({whence}); a month has {MONTH_HOURS} hours; prices are "
            "those of the policy in force, at the standard tier and the smallest prompts.",
            "Rows are alternatives and are not added up; the total is the ledger's for the span.",
        ),
        since=ask.start,
        until=ask.end,
        zone=ask.zone,
    )


def _mix(database: duckdb.DuckDBPyConnection, ask: Ask) -> tuple[Fraction, Fraction, str]:
    """The share of input, of cached input in it, and where both are from."""
    found = one_row(
        database,
        "SELECT coalesce(sum(input_tokens), 0)::HUGEINT, coalesce(sum(output_tokens), 0)::HUGEINT, "
        "coalesce(sum(cached_input_tokens), 0)::HUGEINT FROM chosen",
    )
    read, written, cached = (int(one) for one in found)
    cached_share = Fraction(cached, read) if read > 0 else Fraction(0)
    if ask.input_share is not None:
        if not 0 <= ask.input_share <= 1:
            raise ReportError("the share of input lies between 0 and 1")
        return (
            Fraction(str(ask.input_share)),
            cached_share,
            "input as given, cache as in the ledger",
        )
    if read + written <= 0:
        return _USUAL_INPUT, Fraction(0), "the ledger is empty, so this is a guess"
    return Fraction(read, read + written), cached_share, "as in the ledger's span"


def _row(
    tokens: int, read: Fraction, cached: Fraction, written: Fraction, deployment: Deployment
) -> tuple[Cell, ...]:
    price, machine = deployment.price, deployment.price.machine
    machines: int | None = None
    utilisation: float | None = None
    if machine is None:
        exact = ((read - cached) * price.input + cached * price.cached_input) / MILLION
        exact += written * price.output / MILLION
        assumption = f"by the token; {price.source}"
        place = "own, by the token" if deployment.self_hosted else "api"
    else:
        seconds = float(read) / machine.input_tokens_per_second
        seconds += float(written) / machine.output_tokens_per_second
        busy = seconds / 3600
        machines = max(1, ceil(busy / (MONTH_HOURS * machine.utilisation) - 1e-9))
        exact = machine.hour_nanousd * Fraction(MONTH_HOURS) * machines
        utilisation = busy / (MONTH_HOURS * machines)
        assumption = (
            f"whole machines, at most {machine.utilisation:.0%} busy, "
            f"{machine.input_tokens_per_second:g} and {machine.output_tokens_per_second:g} tokens "
            "a second read and written at full load"
        )
        place = "self-hosted"
    month = round(exact)
    per_million = divide_half_even(month * MILLION, tokens)
    return (
        *(deployment.name, deployment.model, place, machines, utilisation),
        *(per_million, month, assumption),
    )
