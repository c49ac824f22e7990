"""What a replay found, as JSON documents, CSV rows and a page with charts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any

import msgspec

from gateway.core.money import NANO, nano_to_usd_text
from gateway.core.replaying import KINDS, Counts, Tally

#: What people call the kinds of change.
WORDS = {
    "moved": "go to another deployment",
    "newly_outside": "newly go outside",
    "newly_home": "newly stay home",
    "newly_refused": "newly refused",
    "newly_served": "newly served",
    "obliged": "other mask or output cap",
    "relevelled": "other sensitivity",
}
#: Columns of the rows by team and model.
COLUMNS = (
    "requests",
    "moved",
    "newly_outside",
    "newly_home",
    "newly_refused",
    "newly_served",
    "obliged",
    "relevelled",
    "guessed",
    "cost_before",
    "cost_after",
)
_BAR, _LINE = 360, 24


class Heading(msgspec.Struct, frozen=True, kw_only=True):
    """What was replayed: the candidate's file and revision."""

    file: str
    revision: str


def rows_of(tally: Tally) -> list[tuple[str, str, Counts]]:
    """Counts by team and model, those with the gravest changes first."""
    rows = [
        (team, model, counts)
        for team, models in tally.rows.items()
        for model, counts in models.items()
    ]
    return sorted(rows, key=lambda row: (*(-getattr(row[2], kind) for kind in KINDS), row[:2]))


def ways_of(tally: Tally) -> list[tuple[str, str, Counts]]:
    """Counts by destination before and after, where it is another one; most requests first."""
    ways = [
        (before, after, counts)
        for before, afters in tally.ways.items()
        for after, counts in afters.items()
        if before != after
    ]
    return sorted(ways, key=lambda way: (-way[2].requests, way[:2]))


def as_document(heading: Heading, tally: Tally) -> dict[str, Any]:
    """Everything, for machines; costs in nano-USD, with dollars beside the totals."""
    return {
        "candidate": msgspec.to_builtins(heading),
        "first": _moment(tally.first),
        "last": _moment(tally.last),
        "records": tally.read,
        "total": _fields(tally.total),
        "rows": [
            {"team": team, "model": model, **_fields(counts)}
            for team, model, counts in rows_of(tally)
        ],
        "ways": [
            {"before": before, "after": after, **_fields(counts)}
            for before, after, counts in ways_of(tally)
        ],
        "skipped": dict(tally.skipped),
        "disagreeing": tally.disagreeing,
        "examples": dict(tally.examples),
    }


def as_csv(tally: Tally) -> Iterator[list[str | int]]:
    """A header, and a row for each team and model."""
    yield ["team", "model", *COLUMNS, "cost_delta", "cost_delta_usd"]
    for team, model, counts in rows_of(tally):
        yield [
            team,
            model,
            *(getattr(counts, name) for name in COLUMNS),
            counts.cost_delta,
            nano_to_usd_text(counts.cost_delta),
        ]


def as_page(heading: Heading, tally: Tally) -> str:
    """An HTML page with charts that needs nothing else."""
    title = f"Replay under {heading.file}"
    total = tally.total
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{total.requests:,} decisions{_span(tally)}, decided again under revision "
        f"<code>{escape(heading.revision)}</code>.</p>",
        _doubts(tally),
        _tiles(total),
        "<h2>What changes</h2>",
        _bars([(WORDS[kind], getattr(total, kind)) for kind in KINDS], total.requests),
        "<h2>Where requests go instead</h2>",
        _bars(
            [(f"{b} → {a}", counts.requests) for b, a, counts in ways_of(tally)[:15]],
            total.moved,
        ),
        "<h2>Cost by team</h2>",
        _cost_bars(tally),
        "<h2>By team and model</h2>",
        _table(tally),
        _examples(tally),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(parts)}</body></html>\n"
    )


_STYLE = (
    "body{font:15px/1.5 sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#1c2733}"
    "h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}"
    ".tiles{display:flex;flex-wrap:wrap;gap:.8rem}"
    ".tile{border:1px solid #d6dde4;padding:.6rem 1rem;border-radius:6px}"
    ".tile b{display:block;font-size:1.4rem}.grave b{color:#b3261e}"
    "table{border-collapse:collapse;font-size:.85rem}th,td{padding:.25rem .6rem;text-align:right;"
    "border-bottom:1px solid #e3e8ed}th:nth-child(-n+2),td:nth-child(-n+2){text-align:left}"
    ".doubt{background:#fff4e5;border-left:4px solid #c2571a;padding:.5rem 1rem}"
    "svg text{font:13px sans-serif;fill:#1c2733}code{background:#eef2f5;padding:0 .2rem}"
)


def _tiles(total: Counts) -> str:
    percent = f"{total.cost_delta / total.cost_before:+.1%}" if total.cost_before else ""
    shown = (
        (total.newly_outside, WORDS["newly_outside"], True),
        (total.newly_refused, WORDS["newly_refused"], True),
        (total.moved, WORDS["moved"], False),
        (dollars(total.cost_delta, signed=True), f"cost {percent}", False),
    )
    tiles = (
        f'<div class="tile{" grave" if grave and number else ""}"><b>'
        f"{number if isinstance(number, str) else format(number, ',')}</b>{escape(words)}</div>"
        for number, words, grave in shown
    )
    return f'<div class="tiles">{"".join(tiles)}</div>'


def _bars(rows: Sequence[tuple[str, int]], whole: int) -> str:
    if not any(number for _, number in rows):
        return "<p>Nothing.</p>"
    most = max(number for _, number in rows)
    lines = []
    for place, (words, number) in enumerate(rows):
        y, width = place * _LINE, _BAR * number / most
        share = f" ({number / whole:.1%})" if whole else ""
        lines.append(
            f'<text x="270" y="{y + 16}" text-anchor="end">{escape(words)}</text>'
            f'<rect x="280" y="{y + 4}" width="{width:.1f}" height="16" fill="#0b6e99"/>'
            f'<text x="{286 + width:.1f}" y="{y + 16}">{number:,}{share}</text>'
        )
    return _svg(lines, len(rows))


def _cost_bars(tally: Tally) -> str:
    teams: dict[str, Counts] = {}
    for team, models in tally.rows.items():
        for counts in models.values():
            teams.setdefault(team, Counts()).add(counts)
    dearest = sorted(teams.items(), key=lambda pair: -max(pair[1].cost_before, pair[1].cost_after))[
        :15
    ]
    most = max((max(one.cost_before, one.cost_after) for _, one in dearest), default=0)
    if not most:
        return "<p>Nothing was spent.</p>"
    lines = []
    for place, (team, counts) in enumerate(dearest):
        y = place * _LINE * 1.5
        lines.append(f'<text x="270" y="{y + 22}" text-anchor="end">{escape(team)}</text>')
        pair = ((counts.cost_before, "#9aa7b3"), (counts.cost_after, "#c2571a"))
        for row, (cost, colour) in enumerate(pair):
            width = _BAR * max(0, cost) / most
            lines.append(
                f'<rect x="280" y="{y + 4 + row * 13}" width="{width:.1f}" height="11" '
                f'fill="{colour}"/><text x="{286 + width:.1f}" y="{y + 13 + row * 13}" '
                f'style="font-size:11px">{dollars(cost)}</text>'
            )
    legend = "<p>Grey: as it was; brown: under the candidate.</p>"
    return legend + _svg(lines, len(dearest) * 1.5)


def _svg(lines: Sequence[str], rows: float) -> str:
    height = int(rows * _LINE) + 6
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 {height}" width="100%" '
        f'role="img">{"".join(lines)}</svg>'
    )


def _table(tally: Tally) -> str:
    names = ("team", "model", "requests", *(WORDS[kind] for kind in KINDS), "cost", "change")
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    lines = []
    for team, model, counts in rows_of(tally):
        cells = [
            escape(team),
            escape(model),
            *(f"{getattr(counts, name):,}" for name in ("requests", *KINDS)),
            dollars(counts.cost_before),
            dollars(counts.cost_delta, signed=True),
        ]
        lines.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _examples(tally: Tally) -> str:
    parts = [
        f"<p>{escape(WORDS[kind])}: {', '.join(f'<code>{escape(one)}</code>' for one in ids)}</p>"
        for kind, ids in tally.examples.items()
        if kind in WORDS
    ]
    return f"<h2>Requests to look at</h2>{''.join(parts)}" if parts else ""


def _doubts(tally: Tally) -> str:
    told = [f"{number:,} records could not be decided again: {reason}."
            for reason, number in tally.skipped.items()]  # fmt: skip
    if tally.disagreeing:
        told.append(
            f"{tally.disagreeing:,} decisions came out otherwise under their own revision. "
            "That must not be: report it."
        )
    return "".join(f'<p class="doubt">{escape(one)}</p>' for one in told)


def _fields(counts: Counts) -> dict[str, Any]:
    return {
        **{name: getattr(counts, name) for name in COLUMNS},
        "cost_delta": counts.cost_delta,
        "cost_delta_usd": nano_to_usd_text(counts.cost_delta),
    }


def dollars(nanousd: int, *, signed: bool = False) -> str:
    """Nano-USD for people: `−$0.0123`, `$1,234.50`."""
    sign = "−" if nanousd < 0 else "+" if signed and nanousd > 0 else ""
    dollars = abs(nanousd) / NANO
    return f"{sign}${dollars:,.2f}" if dollars >= 1 or not dollars else f"{sign}${dollars:.4g}"


def _moment(at: float | None) -> str | None:
    return None if at is None else f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _span(tally: Tally) -> str:
    if tally.first is None:
        return ""
    return f" from {_moment(tally.first)} to {_moment(tally.last)}"
