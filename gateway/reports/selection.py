"""The lines that a report is about, as a view with local time, tokens by class and other money.

Rules of this file:
- every report reads `chosen` (a row a line) or `parted` (a row a class of a line), never the
  ledger itself, so that all of them mean the same span and the same days;
- the parts of a line add up to its cost: what no part accounts for is a part of its own, of the
  class that the rollups book it under;
- sums of money are HUGEINT and come back as Python integers: nothing is ever a float.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gateway.core.money import NANO, divide_half_even
from gateway.core.periods import zone_of
from gateway.reports.asking import Ask, ReportError
from gateway.reports.rates import RateError, Rates
from gateway.reports.shape import Cell, Column, Kind

if TYPE_CHECKING:
    import duckdb

#: SQL of each dimension over a row of `chosen`; `moment` is the local time of the line.
_PLAIN = {
    "org": "org",
    "team": "team",
    "app": "app",
    "user": '"user"',
    "key": "key_id",
    "model": "model",
    "alias": "alias",
    "deployment": "deployment",
    "provider": "provider",
    "route": "route",
    "sensitivity": "sensitivity",
    "outcome": "outcome",
    "kind": "kind",
    "hour": "strftime(moment, '%Y-%m-%dT%H')",
    "day": "strftime(moment, '%Y-%m-%d')",
    "week": "strftime(moment, '%G-W%V')",
    "month": "strftime(moment, '%Y-%m')",
    "quarter": "strftime(moment, '%Y') || '-Q' || quarter(moment)",
    "attempt": "attempt::VARCHAR",
    "place": "CASE WHEN self_hosted THEN 'self-hosted' ELSE 'api' END",
    "tier": "CASE WHEN service_tier = '' THEN 'standard' ELSE service_tier END",
    "policy": "policy",
    "price_revision": "price_revision",
    "stream": "CASE WHEN stream THEN 'stream' ELSE 'whole' END",
    "token_class": "token_class",
}
#: The names of all dimensions; `tag:NAME` is one, too.
DIMENSIONS = tuple(_PLAIN)
#: Those that are spans of time; their names sort as they pass.
TIMES = ("hour", "day", "week", "month", "quarter")
#: A tag's name as it may stand in a dimension.
_TAG = re.compile(r"tag:([A-Za-z0-9_.-]{1,64})")


class UnknownDimension(ReportError):
    """A report was asked for by something that the ledger does not know."""


def check_dimensions(by: Iterable[str]) -> tuple[str, ...]:
    """The dimensions, in their order and each once.

    Raises:
        UnknownDimension: the message lists those that exist.
    """
    chosen = tuple(dict.fromkeys(by))
    for name in chosen:
        dimension_sql(name)
    return chosen


def dimension_sql(name: str) -> str:
    """SQL of a dimension.

    Raises:
        UnknownDimension: there is none of this name.
    """
    if name in _PLAIN:
        return _PLAIN[name]
    tag = _TAG.fullmatch(name)
    if tag is None:
        known = ", ".join(DIMENSIONS)
        raise UnknownDimension(f"'{name}' is not a dimension of costs; use: {known}, tag:NAME")
    return f"coalesce(tags['{tag[1]}'], '')"


def choose(
    database: duckdb.DuckDBPyConnection, ask: Ask, rates: Rates | None = None, lines: str = "lines"
) -> int:
    """Make the views `chosen` and `parted` of the lines in the span; what they cost together.

    `lines` is SQL of what they are taken from.

    Raises:
        RateError: there are lines before the first rate.
        ValueError: the zone does not exist.
    """
    zone_of(ask.zone)
    where = []
    if ask.start is not None:
        where.append(f"dated >= {ask.start!r}")
    if ask.end is not None:
        where.append(f"dated < {ask.end!r}")
    billed = "dated" if ask.billed_from is None else f"greatest(dated, {ask.billed_from!r})"
    database.execute(
        "CREATE OR REPLACE TEMP VIEW chosen AS SELECT *, "
        f"timezone({quoted(ask.zone)}, to_timestamp(dated)) AS moment, "
        f"timezone({quoted(ask.zone)}, to_timestamp({billed})) AS billed, "
        f"{_rate_sql(rates)} AS exchange FROM {lines}"
        + (f" WHERE {' AND '.join(where)}" if where else "")
    )
    database.execute(
        "CREATE OR REPLACE TEMP VIEW parted AS SELECT * EXCLUDE (pieces, piece, rest), "
        "piece.token_class AS token_class, piece.quantity AS quantity, piece.rate AS rate, "
        "piece.list_rate AS list_rate, piece.cost_nanousd AS part_nanousd FROM ("
        "SELECT *, unnest(pieces) AS piece FROM (SELECT *, "
        "cost_nanousd - coalesce(list_sum(list_transform(parts, lambda p: p.cost_nanousd)), 0)::"
        "BIGINT AS rest, CASE WHEN rest = 0 AND len(parts) > 0 THEN parts ELSE list_append(parts, "
        "{'token_class': CASE WHEN kind IN ('in_doubt', 'idle') THEN kind ELSE 'other' END, "
        "'quantity': 0::BIGINT, 'rate': 0::BIGINT, 'cost_nanousd': rest, 'list_rate': 0::BIGINT}) "
        "END AS pieces FROM chosen))"
    )
    if rates is not None:
        first = one_row(database, "SELECT min(dated) FROM chosen")[0]
        if first is not None and first < rates.steps[0][0]:
            day = datetime.fromtimestamp(first, zone_of(ask.zone)).date()
            raise RateError(f"{rates.source} has no rate for {rates.currency} on {day}")
    return int(one_row(database, "SELECT coalesce(sum(cost_nanousd), 0)::HUGEINT FROM chosen")[0])


def one_row(
    database: duckdb.DuckDBPyConnection, sql: str, given: Sequence[object] = ()
) -> tuple[Any, ...]:
    """The only row of a query that has exactly one."""
    found = database.execute(sql, list(given)).fetchone()
    if found is None:
        raise LookupError("a query that always has a row had none")
    return tuple(found)


def source_of(by: Iterable[str]) -> tuple[str, str]:
    """The view that dimensions need, and the name of the cost in it."""
    return ("parted", "part_nanousd") if "token_class" in by else ("chosen", "cost_nanousd")


def exchanged_sql(rates: Rates | None, cost: str = "cost_nanousd") -> str:
    """SQL of a sum in another currency, still times a billion; nothing where none is asked for."""
    return "" if rates is None else f", sum({cost}::HUGEINT * exchange) AS exchanged"


def exchanged_column(rates: Rates | None) -> tuple[Column, ...]:
    """The column of the other currency, if one is asked for."""
    if rates is None:
        return ()
    code = rates.currency.lower()
    return (Column(f"cost_nano{code}", Kind.MONEY, f"cost {rates.currency}", adds=True),)


def exchanged(total: int) -> int:
    """Nano-units of the other currency from what `exchanged_sql` gave."""
    return divide_half_even(int(total), NANO)


def exchange_note(rates: Rates | None) -> tuple[str, ...]:
    """How money was converted, in words."""
    if rates is None:
        return ()
    return (
        f"{rates.currency} by the rate of each line's day from {rates.source}; each row is "
        "rounded to a billionth once.",
    )


def numbers(row: Iterable[Any]) -> tuple[Cell, ...]:
    """A row of a query as values of a report."""
    return tuple(
        int(one) if isinstance(one, int) and not isinstance(one, bool) else one for one in row
    )


def _rate_sql(rates: Rates | None) -> str:
    if rates is None:
        return "0::BIGINT"
    cases = " ".join(
        f"WHEN dated >= {since!r} THEN {rate}" for since, rate in reversed(rates.steps)
    )
    return f"CASE {cases} ELSE 0 END::BIGINT"


def quoted(text: str) -> str:
    """A string as SQL."""
    return "'" + text.replace("'", "''") + "'"
