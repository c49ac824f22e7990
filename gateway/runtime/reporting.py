"""A report from the ledger where it lies and the policy in force: the same for every caller."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import msgspec
import redis

from gateway.config.price_book import load_price_book
from gateway.reports.asking import Ask, Background, Plan, ReportError
from gateway.reports.catalogue import REPORTS
from gateway.reports.rates import Rates
from gateway.reports.shape import Report
from gateway.runtime.live.policy_file import read_text
from gateway.runtime.replaying import compiled_for_replay
from gateway.stores import versions
from gateway.stores.closes import read_closes
from gateway.stores.keybook import KeyBook
from gateway.stores.ledger_lines import known_orgs, open_lines
from policies.compiled import CompiledPolicy

#: What organisations are called, as keys are made for them.
_ORG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
#: Reports that always know what the policy says.
_NEEDS_POLICY = frozenset(("chargeback", "budget", "savings", "gpu", "tco"))


def needs_policy(name: str, ask: Ask) -> bool:
    """Whether a report asks the policy anything; others are made without compiling it."""
    return ask.idle or name in _NEEDS_POLICY


def policy_for_reports(client: redis.Redis, path: Path) -> CompiledPolicy | None:
    """The policy in force, else the one of the file; None where there is neither.

    Raises:
        PolicyError: it cannot be used here.
    """
    head = versions.ask_now(client, versions.head())
    text = versions.ask_now(client, versions.text(head.number)) if head.number else None
    if text is None:
        try:
            text = read_text(path)
        except OSError:
            return None
    return compiled_for_replay(text, str(path))


def background_of(
    policy: CompiledPolicy | None, keys: KeyBook | None = None, rates: Rates | None = None
) -> Background:
    """What reports know beside the ledger: deployments, budgets, reasons, list prices, rates."""
    prices = load_price_book().price_of
    if policy is None:
        return Background(price_of=prices, rates=rates)
    plans = [
        Plan(scope=one.scope, per=one.per, cap_nanousd=one.cap_nanousd, zone=one.zone)
        for one in policy.budgets
    ]
    for key in keys.all() if keys is not None else ():
        if key.budget is not None:
            own = key.budget
            plans.append(Plan(scope=f"key/{key.id}", per=own.per, cap_nanousd=own.cap_nanousd))
    return Background(
        deployments=policy.deployments,
        plans=tuple(plans),
        because={
            **{one.id: one.because for one in policy.constraints},
            **{one.id: one.because for one in policy.routes},
        },
        price_of=prices,
        rates=rates,
    )


def make_report(
    client: redis.Redis,
    home: Path,
    name: str,
    ask: Ask,
    known: Background,
    orgs: Iterable[str] | None = None,
) -> Report:
    """One report over the lines of these orgs (None: all).

    Raises:
        ReportError: what is asked for cannot be told; the message says what can.
        RateError: the rates do not cover the span.
    """
    chosen = None if orgs is None else tuple(orgs)
    for org in chosen or ():
        if _ORG.fullmatch(org) is None:
            # It would be part of a path.
            raise ReportError(f"'{org}' cannot be the name of an organisation")
    if name == "restatement":
        orgs_closed = known_orgs(client, home) if chosen is None else chosen
        closes = tuple(one for org in orgs_closed for one in read_closes(home, org))
        known = msgspec.structs.replace(known, closes=closes)
    with open_lines(client, home, chosen) as database:
        return REPORTS[name](database, ask, known)
