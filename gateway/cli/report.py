"""`fairlead report`: what was spent and why, in every form.

Each report is one command; the options are said once, and a report takes those that mean
something to it.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import redis
import typer

from gateway.cli.closing import close
from gateway.cli.moments import month_span, past_moment
from gateway.cli.pairs import bills_of, pairs_of, words_of
from gateway.cli.printing import Form, deliver, form_of
from gateway.cli.reconciling import reconcile
from gateway.cli.session import StoreSession, fail, store_session
from gateway.config.settings import load_settings
from gateway.core.periods import zone_of
from gateway.core.records import LedgerLine
from gateway.reports.asking import Ask, Background, ReportError
from gateway.reports.budget import METHODS
from gateway.reports.journal import ACCOUNTS
from gateway.reports.rates import RateError, Rates, read_rates
from gateway.reports.selection import DIMENSIONS
from gateway.runtime.reporting import (
    background_of,
    make_report,
    needs_policy,
    policy_for_reports,
)
from gateway.stores.ledger_lines import known_orgs, ledger_lines
from gateway.stores.segments import DamagedLedger
from gateway.stores.sweep import reap_everywhere
from policies.problems import PolicyError

app = typer.Typer(help="Report what was spent.", no_args_is_help=True)


_SCALES = {"k": 10**3, "m": 10**6, "b": 10**9}
_RATES = "rates.csv"


class Option(msgspec.Struct, frozen=True):
    """One option of reports: its type with its help, and what it is when it is not given."""

    annotation: Any
    default: Any = ""


_BY = "Dimensions, comma-separated: " + " ".join(DIMENSIONS) + " tag:NAME."
OPTIONS: Mapping[str, Option] = {
    "by": Option(Annotated[str, typer.Option(help=_BY)]),
    "across": Option(Annotated[str, typer.Option(help="A dimension whose values are columns.")]),
    "since": Option(Annotated[str, typer.Option("--from", help="First moment: 2026-11-01, 7d.")]),
    "until": Option(Annotated[str, typer.Option("--to", help="First moment after: 2026-12-01.")]),
    "month": Option(
        Annotated[str, typer.Option(help="A whole month, instead of --from and --to.")]
    ),
    "zone": Option(Annotated[str, typer.Option(help="Time zone: Europe/Berlin.")], "UTC"),
    "org": Option(Annotated[str, typer.Option(help="Only this organisation.")]),
    "against": Option(
        Annotated[str, typer.Option(help="Baselines, comma-separated: openai/gpt-4o.")]
    ),
    "method": Option(Annotated[str, typer.Option(help="Forecast: " + ", ".join(METHODS))]),
    "tokens": Option(Annotated[str, typer.Option(help="Tokens a month: 500m, 2b.")], "1b"),
    "input_share": Option(
        Annotated[str, typer.Option(help="Share of input in them, 0 to 1; else the ledger's.")]
    ),
    "bill": Option(
        Annotated[str, typer.Option(help="Real bills of machines: house=1500.00,other=900.")]
    ),
    "idle": Option(
        Annotated[
            bool,
            typer.Option(
                "--idle", help="With idle time of own machines, so that they cost what they do."
            ),
        ],
        False,
    ),
    "accounts": Option(
        Annotated[
            str, typer.Option(help="Accounts: " + ",".join(f"{k}={v}" for k, v in ACCOUNTS.items()))
        ]
    ),
    "decimals": Option(Annotated[int, typer.Option(help="Decimals of debit and credit.")], 2),
    "currency": Option(Annotated[str, typer.Option(help="Show money in this one, too: EUR.")]),
    "rates": Option(
        Annotated[Path | None, typer.Option(help="CSV date,currency,rate; else HOME/rates.csv.")],
        None,
    ),
    "form": Option(Annotated[Form, typer.Option("--format", help=", ".join(Form))], Form.TABLE),
    "as_json": Option(
        Annotated[bool, typer.Option("--json", help="The same as --format json.")], False
    ),
    "output": Option(Annotated[Path | None, typer.Option(help="Write to this file.")], None),
}
_SPAN = ("since", "until", "month", "zone", "org")
_ENDING = ("form", "as_json", "output")


class Command(msgspec.Struct, frozen=True):
    """One report's own options, and its help."""

    own: tuple[str, ...]
    help: str

    @property
    def options(self) -> tuple[str, ...]:
        """All options that the report takes, in the order of its help."""
        return (*self.own, *_SPAN, *_ENDING)


COMMANDS: Mapping[str, Command] = {
    "cost": Command(
        ("by", "across", "idle", "bill", "currency", "rates"),
        "Sum the ledger by any dimensions; the total is exact to the nano-dollar.",
    ),
    "chargeback": Command(
        ("idle", "bill", "currency", "rates"),
        "A statement for each team: lines, totals and policy reasons.",
    ),
    "budget": Command(("method",), "Plan, actual and forecast of every budget."),
    "savings": Command(("against", "by"), "Against list prices of named models; a counterfactual."),
    "waste": Command(("by",), "Failed attempts, retries, fallbacks and aborted streams."),
    "exceptions": Command(("by",), "Unpriced, estimated, in doubt and corrected lines."),
    "gpu": Command(("bill",), "Own machines: utilisation, idle cost, cost per token, break-even."),
    "tco": Command(("tokens", "input_share"), "So many tokens a month on each deployment."),
    "journal": Command(
        ("accounts", "decimals", "idle", "bill", "currency", "rates"),
        "General ledger entries, debit and credit.",
    ),
    "restatement": Command((), "Lines that came after their month was closed."),
    "focus": Command(
        ("idle", "bill"), "The ledger as FOCUS 1.2, for finance tools: CSV or Parquet."
    ),
}


@app.callback()
def reports() -> None:
    """Report what was spent."""


def run(name: str, given: Mapping[str, Any]) -> None:
    """Make a report and print it or write its file."""
    chosen = {option: OPTIONS[option].default for option in OPTIONS} | dict(given)
    form = form_of(chosen["form"], chosen["as_json"], chosen["output"])
    try:
        ask = _ask(name, chosen)
        rates = _rates(chosen)
        with store_session() as session:
            reap_everywhere(session.client)
            known = _background(session, name, ask, rates)
            orgs = (chosen["org"],) if chosen["org"] else None
            report = make_report(session.client, session.home, name, ask, known, orgs)
        deliver(report, form, chosen["output"])
    except (ReportError, RateError, ValueError) as mistake:
        fail(str(mistake), status=2)
    except (PolicyError, DamagedLedger) as problem:
        fail(str(problem))


def span(
    since: str, until: str, zone: str = "UTC", month: str = ""
) -> tuple[float | None, float | None]:
    """The two ends that a user gave, as epoch seconds; a month is both.

    Raises:
        ValueError: not a date or zone, a month beside other ends, or an end not after the start.
    """
    place = zone_of(zone)
    if month:
        if since or until:
            raise ValueError("say --month, or --from and --to")
        return month_span(month, zone)
    now = datetime.now(UTC)
    start = past_moment(since, now, place).timestamp() if since else None
    end = past_moment(until, now, place).timestamp() if until else None
    if start is not None and end is not None and end <= start:
        raise ValueError(f"--to {until} is not after --from {since}; --to itself is not included")
    return start, end


def org_lines(
    client: redis.Redis, home: Path, org: str, start: float | None, end: float | None
) -> Iterator[LedgerLine]:
    """Every line of an org, or of all orgs, within these ends (epoch seconds)."""
    for name in (org,) if org else known_orgs(client, home):
        yield from ledger_lines(client, home, name, start, end)


def _ask(name: str, chosen: Mapping[str, Any]) -> Ask:
    start, end = span(chosen["since"], chosen["until"], chosen["zone"], chosen["month"])
    if chosen["bill"] and name != "gpu" and not chosen["idle"]:
        raise ValueError("--bill is what idle time is reckoned from; say --idle, too")
    share = chosen["input_share"]
    return Ask(
        now=datetime.now(UTC).timestamp(),
        start=start,
        end=end,
        zone=chosen["zone"],
        by=words_of(chosen["by"]),
        across=chosen["across"].strip(),
        against=words_of(chosen["against"]),
        method=chosen["method"],
        tokens=_tokens(chosen["tokens"]),
        input_share=float(share) if share else None,
        bills=bills_of(chosen["bill"]),
        accounts=dict(pairs_of(chosen["accounts"], "--accounts")),
        decimals=chosen["decimals"],
        idle=chosen["idle"],
    )


def _rates(chosen: Mapping[str, Any]) -> Rates | None:
    if not chosen["currency"]:
        return None
    path = chosen["rates"] or load_settings(os.environ).home / _RATES
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as problem:
        raise RateError(f"the rates in {path} cannot be read: {problem.strerror}") from None
    return read_rates(text, chosen["currency"], chosen["zone"], str(path))


def _background(session: StoreSession, name: str, ask: Ask, rates: Rates | None) -> Background:
    if not needs_policy(name, ask):
        return Background(rates=rates)
    settings = load_settings(os.environ)
    path = settings.policy_file
    return background_of(policy_for_reports(session.client, path), session.keys, rates)


def _tokens(text: str) -> int:
    lowered = text.strip().lower().replace("_", "")
    scale = _SCALES.get(lowered[-1:], 1)
    try:
        return round(float(lowered.rstrip("kmb")) * scale)
    except (ValueError, OverflowError):
        raise ValueError(f"'{text}' is no number of tokens; use 500m or 2b") from None


def _register(name: str, command: Command) -> None:
    def report(**given: Any) -> None:
        run(name, given)

    report.__doc__ = command.help
    report.__name__ = name
    report.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(
                option,
                inspect.Parameter.KEYWORD_ONLY,
                default=OPTIONS[option].default,
                annotation=OPTIONS[option].annotation,
            )
            for option in command.options
        ]
    )
    report.__annotations__ = {option: OPTIONS[option].annotation for option in command.options}
    registered: Callable[..., None] = report
    app.command(name)(registered)


app.command()(close)
app.command()(reconcile)
for _name, _command in COMMANDS.items():
    _register(_name, _command)
