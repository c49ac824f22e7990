"""What the same tokens would have cost at one model of a public list: a counterfactual.

Rules of this file:
- a baseline is priced at the list price of each line's own date, hour and size of prompt, at the
  standard tier, without any discount;
- only calls that answered count: a baseline is never charged for our retries and fallbacks, so
  that savings are not overstated;
- tokens are those that were really used; another model would have used others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf
from typing import TYPE_CHECKING, Any

from gateway.core.money import MILLION, divide_half_even
from gateway.core.prices import Price, PriceCase
from gateway.core.usage import TOKEN_CLASSES
from gateway.reports.asking import Ask, Background, ReportError
from gateway.reports.selection import check_dimensions, choose, dimension_sql
from gateway.reports.shape import Cell, Column, Kind, Report, totals_of, whole

if TYPE_CHECKING:
    import duckdb


def savings_report(database: duckdb.DuckDBPyConnection, ask: Ask, known: Background) -> Report:
    """The actual cost beside each baseline's, in rows by `ask.by`.

    Raises:
        ReportError: no baseline, or one that the price book does not know.
    """
    by = check_dimensions(ask.by)
    if "token_class" in by:
        raise ReportError("savings are of calls, which 'token_class' would take apart")
    total = choose(database, ask)
    columns = (
        Column("baseline"),
        *(Column(name) for name in by),
        Column("requests", Kind.COUNT),
        Column("actual_nanousd", Kind.MONEY, "actual USD"),
        Column("counterfactual_nanousd", Kind.MONEY, "counterfactual USD"),
        Column("savings_nanousd", Kind.MONEY, "savings USD"),
        Column("share", Kind.SHARE),
    )
    rows: list[tuple[Cell, ...]] = []
    for baseline, price in baselines(ask, known):
        rows += _rows(database, baseline, price, by)
    return Report(
        name="savings",
        title="Savings against list prices (counterfactual)",
        columns=columns,
        rows=tuple(rows),
        totals=totals_of(columns, rows),
        total_nanousd=total,
        ledger_nanousd=total,
        notes=(
            "Counterfactual: every answered call at the baseline's public list price, with the "
            "tokens that were really used. Failed attempts are part of the actual cost only.",
        ),
        since=ask.start,
        until=ask.end,
        zone=ask.zone,
    )


def baselines(ask: Ask, known: Background) -> Iterator[tuple[str, Price]]:
    """The baselines that were asked for, with their list prices.

    Those of the policy's API deployments are taken if none was named.

    Raises:
        ReportError: there is none, or the price book does not know one.
    """
    named = list(ask.against)
    if not named:
        for deployment in known.deployments.values():
            provider = deployment.provider or deployment.adapter
            name = f"{provider}/{deployment.model}"
            if not deployment.self_hosted and known.price_of(provider, deployment.model):
                named.append(name)
    if not named:
        raise ReportError("name a baseline, such as --against openai/gpt-4o")
    for name in dict.fromkeys(named):
        provider, _, model = name.partition("/")
        price = known.price_of(provider, model)
        if price is None:
            raise ReportError(f"the price book does not know '{name}'; write PROVIDER/MODEL")
        yield name, price


def _rows(
    database: duckdb.DuckDBPyConnection, baseline: str, price: Price, by: Sequence[str]
) -> list[tuple[Cell, ...]]:
    cases = [case for case in price.cases if not case.tier]
    places = "".join(f"{dimension_sql(name)} AS d{place}, " for place, name in enumerate(by))
    groups = "".join(f"d{place}, " for place in range(len(by)))
    sums = ", ".join(
        f"coalesce(sum({sql}) FILTER (answered), 0)::HUGEINT" for sql in _quantities().values()
    )
    found = database.execute(
        f"SELECT {places}{_case_sql(cases)} AS which, {sums}, "
        "count(DISTINCT request_id) FILTER (answered), sum(cost_nanousd)::HUGEINT FROM "
        "(SELECT *, outcome = 'ok' AS answered FROM chosen) "
        f"GROUP BY {groups}which"
    ).fetchall()
    told: dict[tuple[Any, ...], list[int]] = {}
    for one in found:
        place, which, rest = one[: len(by)], int(one[len(by)]), one[len(by) + 1 :]
        held = cases[which].price if which >= 0 else price
        counts = rest[: len(TOKEN_CLASSES)]
        row = told.setdefault(place, [0, 0, 0])
        row[0] += int(rest[-2])
        row[1] += int(rest[-1])
        row[2] += sum(
            int(count) * held.rate(name) for name, count in zip(_quantities(), counts, strict=True)
        )
        row[2] += int(rest[-2]) * held.per_request * MILLION
    rows: list[tuple[Cell, ...]] = []
    for place, (requests, actual, exact) in told.items():
        counterfactual = divide_half_even(exact, MILLION)
        saved = counterfactual - actual
        share = saved / counterfactual if counterfactual else None
        rows.append((baseline, *place, requests, actual, counterfactual, saved, share))
    rows.sort(key=lambda row: (-whole(row[len(by) + 4]), [str(cell) for cell in row]))
    return rows


def _quantities() -> dict[str, str]:
    """SQL of each class that does not overlap, as `gateway.core.usage.quantities` has them."""
    cached = "greatest(0, cached_input_tokens - cached_audio_tokens - cached_image_tokens)"
    written = "greatest(0, cache_write_tokens - cache_write_1h_tokens)"
    audio = "greatest(0, input_audio_tokens - cached_audio_tokens)"
    image = "greatest(0, input_image_tokens - cached_image_tokens)"
    special = (
        f"{cached} + cached_audio_tokens + cached_image_tokens + {written} + "
        f"cache_write_1h_tokens + {audio} + {image}"
    )
    output = "reasoning_tokens - output_audio_tokens - output_image_tokens"
    return {
        "input": f"greatest(0, input_tokens - ({special}))",
        "cached_input": cached,
        "cache_write": written,
        "cache_write_1h": "cache_write_1h_tokens",
        "input_audio": audio,
        "cached_audio": "cached_audio_tokens",
        "input_image": image,
        "cached_image": "cached_image_tokens",
        "output": f"greatest(0, output_tokens - {output})",
        "reasoning": "reasoning_tokens",
        "output_audio": "output_audio_tokens",
        "output_image": "output_image_tokens",
    }


def _case_sql(cases: Sequence[PriceCase]) -> str:
    """SQL of the number of the case that holds for a line; -1 for the price outside them."""
    if not cases:
        return "-1"
    whens = []
    for number, case in enumerate(cases):
        terms = [f"input_tokens > {case.above}"]
        if case.since > -inf:
            terms.append(f"dated >= {case.since!r}")
        if case.until < inf:
            terms.append(f"dated < {case.until!r}")
        if case.hours is not None:
            begins, ends = case.hours
            word = "OR" if ends < begins else "AND"
            terms.append(f"(dated % 86400 >= {begins} {word} dated % 86400 < {ends})")
        whens.append(f"WHEN {' AND '.join(terms)} THEN {number}")
    return f"CASE {' '.join(whens)} ELSE -1 END"
