"""HTML: one file that needs nothing else, with bars drawn as SVG beside the table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from gateway.reports.forms.words import money, rows_with_subtotals, shown, span_words, total_row
from gateway.reports.shape import Cell, Kind, Report, whole

_STYLE = (
    "body{font:14px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;"
    "color:#1b1f24;background:#fff}h1{font-size:1.4rem;margin-bottom:0}"
    "p{margin:.3rem 0}.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;"
    "margin-top:1rem}th,td{padding:.25rem .6rem;border-bottom:1px solid #d8dee4;text-align:left;"
    "vertical-align:top}th{position:sticky;top:0;background:#f3f5f7}.n{text-align:right;"
    "font-variant-numeric:tabular-nums;white-space:nowrap}tr.sub td{background:#f8f9fa;"
    "font-weight:600}tfoot td{font-weight:700;border-top:2px solid #1b1f24}"
    ".total{font-size:1.8rem;font-weight:700}@media print{th{position:static}}"
)
_BARS, _BAR_HEIGHT, _LABEL, _WIDTH = 20, 22, 260, 900


def as_html(report: Report) -> bytes:
    """The report as a page with its total, a chart, the table and the notes."""
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(report.title)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{escape(report.title)}</h1><p>{escape(span_words(report))}</p>",
        f'<p class="total">${money(report.total_nanousd)}</p>',
    ]
    if report.ledger_nanousd > report.total_nanousd:
        parts.append(f"<p>of ${money(report.ledger_nanousd)} in the ledger</p>")
    parts += [svg_bars(report), '<div class="wide"><table>', _head(report), "<tbody>"]
    parts += _body(report)
    parts += ["</tbody>", _foot(report), "</table></div>"]
    parts += [f"<p>{escape(note)}</p>" for note in report.notes]
    parts.append("</body></html>\n")
    return "".join(parts).encode()


def svg_bars(report: Report) -> str:
    """The largest values of the chart's column, as bars; nothing where there is none."""
    if not report.chart or not report.rows:
        return ""
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
    height = len(largest) * _BAR_HEIGHT + 8
    bars = []
    for number, (label, amount) in enumerate(largest):
        top = number * _BAR_HEIGHT + 4
        width = max(0.0, (_WIDTH - _LABEL - 150) * amount / most)
        bars.append(
            f'<text x="{_LABEL - 8}" y="{top + 15}" text-anchor="end">{escape(label[:40])}</text>'
            f'<rect x="{_LABEL}" y="{top + 2}" width="{width:.1f}" height="{_BAR_HEIGHT - 6}" '
            'fill="#0b6e99"/>'
            f'<text x="{_LABEL + width + 6:.1f}" y="{top + 15}">{money(amount)}</text>'
        )
    heading = report.columns[place].title
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'font-size="12" font-family="sans-serif"><title>{escape(heading)}</title>'
        f"{''.join(bars)}</svg>"
    )


def _head(report: Report) -> str:
    cells = "".join(
        f'<th class="{"n" if not column.kind.is_words else "t"}">{escape(column.title)}</th>'
        for column in report.columns
    )
    return f"<thead><tr>{cells}</tr></thead>"


def _body(report: Report) -> Iterator[str]:
    for row, is_subtotal in rows_with_subtotals(report):
        opened = '<tr class="sub">' if is_subtotal else "<tr>"
        yield f"{opened}{_cells(report, row)}</tr>"


def _foot(report: Report) -> str:
    return f"<tfoot><tr>{_cells(report, total_row(report))}</tr></tfoot>"


def _cells(report: Report, row: Sequence[Cell]) -> str:
    told = []
    for column, cell in zip(report.columns, row, strict=True):
        kind = "n" if not column.kind.is_words else "t"
        told.append(f'<td class="{kind}">{escape(shown(column, cell))}</td>')
    return "".join(told)
