"""Journal entries for the general ledger: debits of teams and credits of providers, in balance.

Rules of this file:
- every entry is there twice: exact to the nano-dollar, and in whole units of the currency's
  smallest coin as accounting systems take them;
- each side is rounded as a whole and its cents are shared out by the largest remainders, so that
  debit and credit are equal in both, month by month, and no rounding account is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from gateway.core.money import NANO, divide_half_even
from gateway.core.periods import months_later
from gateway.reports.asking import Ask, Background, ReportError
from gateway.reports.machines import choose_with_idle
from gateway.reports.selection import exchange_note, exchanged, exchanged_sql
from gateway.reports.shape import Cell, Column, Kind, Report, totals_of

if TYPE_CHECKING:
    import duckdb

#: The accounts that are debited and credited, and what they are called unless told otherwise.
ACCOUNTS = {"expense": "6400", "payable": "2100", "internal": "6490", "idle": "6495"}
_MOST_DECIMALS = 9


def journal_report(database: duckdb.DuckDBPyConnection, ask: Ask, known: Background) -> Report:
    """A debit for each month and team, a credit for each month and provider.

    Own machines are credited to the account `internal` (their bill is booked elsewhere), providers
    to `payable`. Idle time of own machines, where it is asked for, is a debit of the account `idle`
    for each machine, and then what is credited to `internal` is their bill. With rates, the journal
    is in their currency.

    Raises:
        ReportError: an account that does not exist, or more than 9 decimals.
    """
    unknown = [name for name in ask.accounts if name not in ACCOUNTS]
    if unknown:
        raise ReportError(f"'{unknown[0]}' is no account; use: {', '.join(ACCOUNTS)}")
    if not 0 <= ask.decimals <= _MOST_DECIMALS:
        raise ReportError(f"a journal has 0 to {_MOST_DECIMALS} decimals")
    accounts = {**ACCOUNTS, **ask.accounts}
    booked = choose_with_idle(database, ask, known)
    rates = known.rates
    code = "usd" if rates is None else rates.currency.lower()
    rows: list[tuple[Cell, ...]] = []
    for month, sides in _sides(database, exchanged_sql(rates), bool(rates), accounts).items():
        rows += _month_rows(month, sides, ask.decimals)
    columns = (
        Column("date"),
        Column("account"),
        Column("cost_centre", heading="cost centre"),
        Column("text", brief=False),
        Column(f"debit_nano{code}", Kind.MONEY, f"exact debit {code.upper()}", True, False),
        Column(f"credit_nano{code}", Kind.MONEY, f"exact credit {code.upper()}", True, False),
        Column("debit", heading=f"debit {code.upper()}"),
        Column("credit", heading=f"credit {code.upper()}"),
    )
    totals = list(totals_of(columns, rows))
    for place in (6, 7):
        totals[place] = str(sum(Decimal(str(row[place] or 0)) for row in rows))
    return Report(
        name="journal",
        title="Journal entries",
        columns=columns,
        rows=tuple(rows),
        totals=tuple(totals),
        total_nanousd=booked.ledger_nanousd + booked.idle_nanousd,
        ledger_nanousd=booked.ledger_nanousd,
        notes=(
            "A negative amount stands on the other side of its account.",
            *booked.notes,
            *exchange_note(rates),
        ),
        since=ask.start,
        until=ask.end,
        zone=ask.zone,
    )


#: Account, cost centre, text and nano-units of one entry.
_Entry = tuple[str, str, str, int]


def _sides(
    database: duckdb.DuckDBPyConnection, sql: str, other: bool, accounts: dict[str, str]
) -> dict[str, tuple[list[_Entry], list[_Entry]]]:
    """Debits and credits of each month, both adding up to the same."""
    found = database.execute(
        "SELECT strftime(billed, '%Y-%m') AS month, kind = 'idle' AS idle, "
        "CASE WHEN kind = 'idle' THEN deployment ELSE team END AS centre, provider, self_hosted, "
        f"sum(cost_nanousd)::HUGEINT AS cost{sql} FROM chosen "
        "GROUP BY month, idle, centre, provider, self_hosted "
        "ORDER BY month, idle, centre, provider, self_hosted"
    ).fetchall()
    debits: dict[tuple[str, bool, str], int] = {}
    credits_: dict[tuple[str, str, bool], int] = {}
    for month, idle, centre, provider, own, *amounts in found:
        amount = exchanged(amounts[1]) if other else int(amounts[0])
        debits[month, idle, centre] = debits.get((month, idle, centre), 0) + amount
        place = (month, provider, own)
        credits_[place] = credits_.get(place, 0) + amount
    sides: dict[str, tuple[list[_Entry], list[_Entry]]] = {}
    for (month, idle, centre), amount in debits.items():
        text = f"Idle time and variance {month}" if idle else f"Language models {month}"
        entry = (accounts["idle" if idle else "expense"], centre, text, amount)
        sides.setdefault(month, ([], []))[0].append(entry)
    for (month, provider, own), amount in credits_.items():
        account = accounts["internal" if own else "payable"]
        sides[month][1].append((account, provider, f"{provider} {month}", amount))
    return sides


def _month_rows(
    month: str, sides: tuple[list[_Entry], list[_Entry]], decimals: int
) -> list[tuple[Cell, ...]]:
    last = months_later(date.fromisoformat(f"{month}-01")) - timedelta(days=1)
    rows: list[tuple[Cell, ...]] = []
    for side, entries in enumerate(sides):
        coins = shared_out([entry[3] for entry in entries], decimals)
        for (account, centre, text, amount), coin in zip(entries, coins, strict=True):
            money: list[Cell] = [None, None, None, None]
            money[side] = amount
            money[2 + side] = str(Decimal(coin).scaleb(-decimals))
            rows.append((last.isoformat(), account, centre, text, *money))
    return rows


def shared_out(amounts: Sequence[int], decimals: int) -> list[int]:
    """Nano-units in whole coins of so many decimals, which add up to the rounded sum of all."""
    size = NANO // 10**decimals
    parts = [divmod(amount, size) for amount in amounts]
    left = divide_half_even(sum(amounts), size) - sum(whole for whole, _ in parts)
    coins = [whole for whole, _ in parts]
    for place in sorted(range(len(parts)), key=lambda at: (-parts[at][1], at))[:left]:
        coins[place] += 1
    return coins
