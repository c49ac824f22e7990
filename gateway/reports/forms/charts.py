"""Charts of a report as SVG: bars of the largest rows, or columns in the order of time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from html import escape

from gateway.core.periods import months_later
from gateway.reports.forms.words import decimals, money
from gateway.reports.shape import Kind, Report, whole

_BARS, _BAR_HEIGHT, _LABEL, _WIDTH = 20, 22, 260, 900
_TOP, _HEIGHT, _LEFT, _LEGENDS = 24, 240, 90, 3
#: Columns that can still be told apart on a page.
_MOST_COLUMNS = 800
_COLOURS = ("#0b6e99", "#c2571a", "#4d7c2a", "#7b4fa3", "#b38600", "#2f8f83")
_OTHERS = "#8a939c"


def chart_of(report: Report) -> str:
    """The chart of a report as SVG; nothing where it has none."""
    if not report.chart or not report.rows:
        return ""
    if report.timeline:
        times = _times(report)
        if 1 < len(times) <= _MOST_COLUMNS:
            return _columns(report, times)
    return _bars(report)


def _bars(report: Report) -> str:
    """The largest sums of the chart's column by the words of their rows."""
    place = report.column(report.chart)
    labels = [at for at, column in enumerate(report.columns) if column.kind is Kind.TEXT]
    sums: dict[str, int] = {}
    for row in report.rows:
        words = row[: report.grouped] if report.grouped else [row[at] for at in labels]
        label = " · ".join(str(word) for word in words if word) or "-"
        sums[label] = sums.get(label, 0) + whole(row[place])
    largest = sorted(sums.items(), key=lambda one: (-one[1], one[0]))[:_BARS]
    most = max((amount for _, amount in largest), default=0)
    if most <= 0:
        return ""
    digits = decimals(amount for _, amount in largest)
    drawn = []
    for number, (label, amount) in enumerate(largest):
        top = number * _BAR_HEIGHT + 4
        width = max(0.0, (_WIDTH - _LABEL - 150) * amount / most)
        drawn.append(
            f'<text x="{_LABEL - 8}" y="{top + 15}" text-anchor="end">{escape(label[:40])}</text>'
            f'<rect x="{_LABEL}" y="{top + 2}" width="{width:.1f}" height="{_BAR_HEIGHT - 6}" '
            f'fill="{_COLOURS[0]}"/>'
            f'<text x="{_LABEL + width + 6:.1f}" y="{top + 15}">{money(amount, digits)}</text>'
        )
    return _svg(report, len(largest) * _BAR_HEIGHT + 8, drawn)


def _columns(report: Report, times: Sequence[str]) -> str:
    """A column for each time, in parts for the largest values of the next column of words."""
    parts = _parts(report)
    most = max(sum(max(0, held.get(time, 0)) for held in parts.values()) for time in times)
    if most <= 0:
        return ""
    floor, step = _TOP + _HEIGHT, (_WIDTH - _LEFT - 10) / len(times)
    drawn = [*_scale(most, floor), *_under(times, step, floor)]
    tops = dict.fromkeys(times, 0)
    for number, (name, held) in enumerate(parts.items()):
        colour = _OTHERS if name is None else _COLOURS[number]
        for at, time in enumerate(times):
            amount = max(0, held.get(time, 0))
            if not amount:
                continue
            tops[time] += amount
            drawn.append(
                f'<rect x="{_LEFT + at * step:.1f}" y="{floor - _HEIGHT * tops[time] / most:.1f}" '
                f'width="{step * 0.8:.2f}" height="{_HEIGHT * amount / most:.2f}" fill="{colour}">'
                f"<title>{escape(_told(time, name, amount))}</title></rect>"
            )
    if len(parts) == 1:
        return _svg(report, floor + 32, drawn)
    legend = _legend(parts, floor + 40)
    return _svg(report, floor + 40 + 20 * -(-len(parts) // _LEGENDS), [*drawn, *legend])


def _legend(parts: Iterable[str | None], top: int) -> Iterator[str]:
    """What the colours mean, in lines of a few."""
    for number, name in enumerate(parts):
        colour = _OTHERS if name is None else _COLOURS[number]
        x = _LEFT + (number % _LEGENDS) * (_WIDTH - _LEFT) / _LEGENDS
        y = top + 20 * (number // _LEGENDS)
        yield (
            f'<rect x="{x:.0f}" y="{y}" width="12" height="12" fill="{colour}"/>'
            f'<text x="{x + 20:.0f}" y="{y + 11}">{escape(_called(name)[:40])}</text>'
        )


def _told(time: str, name: str | None, amount: int) -> str:
    words = [time, *([_called(name)] if name != "" else []), money(amount)]
    return " · ".join(words)


def _called(part: str | None) -> str:
    return "others" if part is None else part or "-"


def _parts(report: Report) -> Mapping[str | None, Mapping[str, int]]:
    """What each part has at each time, largest parts first; None is all further ones."""
    place, time_at = report.column(report.chart), report.column(report.timeline)
    words = [at for at, column in enumerate(report.columns) if column.kind is Kind.TEXT]
    rest = [at for at in words if at != time_at]
    found: dict[str | None, dict[str, int]] = {}
    for row in report.rows:
        held = found.setdefault(" · ".join(str(row[at] or "-") for at in rest), {})
        time = str(row[time_at])
        held[time] = held.get(time, 0) + whole(row[place])
    order = sorted(found, key=lambda name: (-sum(found[name].values()), name or ""))
    if len(order) <= len(_COLOURS):
        return {name: found[name] for name in order}
    kept = {name: found[name] for name in order[: len(_COLOURS) - 1]}
    others: dict[str, int] = {}
    for further in order[len(_COLOURS) - 1 :]:
        for time, amount in found[further].items():
            others[time] = others.get(time, 0) + amount
    return {**kept, None: others}


def _scale(most: int, floor: int) -> Iterator[str]:
    """Lines at quarters of the largest column, with their amounts."""
    for quarter in range(5):
        y = floor - _HEIGHT * quarter / 4
        yield (
            f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH}" y2="{y:.1f}" stroke="#e3e6e9"/>'
            f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">'
            f"{_short(most * quarter // 4)}</text>"
        )


def _short(nano: int) -> str:
    """An amount beside a scale: four significant digits are enough there."""
    return f"{nano / 1e9:,.4g}" if nano < 10**13 else f"{nano / 1e9:,.0f}"


def _under(times: Sequence[str], step: float, floor: int) -> Iterator[str]:
    """The times under some of the columns, as many as there is room for."""
    every = max(1, -(-len(times) // 9))
    for at in range(0, len(times), every):
        x = _LEFT + at * step + step * 0.4
        yield f'<text x="{x:.1f}" y="{floor + 18}" text-anchor="middle">{escape(times[at])}</text>'


def _times(report: Report) -> list[str]:
    """Every time from the first to the last one that has a row, those without one too."""
    place = report.column(report.timeline)
    found = sorted({str(row[place]) for row in report.rows})
    filled = found[:1]
    while filled[-1] < found[-1] and len(filled) <= _MOST_COLUMNS:
        filled.append(next_time(report.timeline, filled[-1]))
    return filled


def next_time(kind: str, at: str) -> str:
    """The hour, day, week, month or quarter after one, as reports name them.

    Raises:
        ValueError: it is not named so.
    """
    match kind:
        case "hour":
            return f"{datetime.strptime(at, '%Y-%m-%dT%H') + timedelta(hours=1):%Y-%m-%dT%H}"
        case "day":
            return f"{date.fromisoformat(at) + timedelta(days=1):%Y-%m-%d}"
        case "week":
            return f"{datetime.strptime(at + '-1', '%G-W%V-%u') + timedelta(days=7):%G-W%V}"
        case "month":
            return f"{months_later(date.fromisoformat(at + '-01')):%Y-%m}"
        case "quarter":
            year, quarter = at.split("-Q")
            later = months_later(date(int(year), 3 * int(quarter) - 2, 1), 3)
            return f"{later:%Y}-Q{(later.month + 2) // 3}"
    raise ValueError(f"'{kind}' is not a kind of time")


def _svg(report: Report, height: int, drawn: Sequence[str]) -> str:
    heading = report.columns[report.column(report.chart)].title
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'font-size="12" font-family="sans-serif"><title>{escape(heading)}</title>'
        f"{''.join(drawn)}</svg>"
    )
