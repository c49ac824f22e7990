"""HTML: one file that needs nothing else, with a chart drawn as SVG above the table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from gateway.reports.forms.charts import chart_of
from gateway.reports.forms.words import lines_of, money, span_words
from gateway.reports.shape import Report

_STYLE = (
    "body{font:14px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:84rem;padding:0 1rem;"
    "color:#1b1f24;background:#fff}h1{font-size:1.4rem;margin-bottom:0}"
    "p{margin:.3rem 0}.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;"
    "margin-top:1rem}th,td{padding:.25rem .6rem;border-bottom:1px solid #d8dee4;text-align:left;"
    "vertical-align:top}th{vertical-align:bottom;position:sticky;top:0;background:#f3f5f7}.n{text-align:right;"
    "font-variant-numeric:tabular-nums}td.n,td.s{white-space:nowrap}tr.sub td{background:#f8f9fa;"
    "font-weight:600}tfoot td{font-weight:700;border-top:2px solid #1b1f24}"
    ".total{font-size:1.8rem;font-weight:700}@media print{th{position:static}}"
)
#: Characters of a text that is not broken into lines.
_SHORT = 24


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
    parts += [chart_of(report), '<div class="wide"><table>', _head(report), "<tbody>"]
    *body, (totals, _) = lines_of(report)
    parts += _body(report, body)
    parts += ["</tbody><tfoot><tr>", _cells(report, totals), "</tr></tfoot></table></div>"]
    parts += [f"<p>{escape(note)}</p>" for note in report.notes]
    parts.append("</body></html>\n")
    return "".join(parts).encode()


def _head(report: Report) -> str:
    cells = "".join(
        f'<th class="{"n" if not column.kind.is_words else "t"}">{escape(column.title)}</th>'
        for column in report.columns
    )
    return f"<thead><tr>{cells}</tr></thead>"


def _body(report: Report, lines: Iterable[tuple[list[str], bool]]) -> Iterator[str]:
    for line, is_subtotal in lines:
        opened = '<tr class="sub">' if is_subtotal else "<tr>"
        yield f"{opened}{_cells(report, line)}</tr>"


def _cells(report: Report, line: Sequence[str]) -> str:
    told = []
    for column, text in zip(report.columns, line, strict=True):
        # Dates and short names stay on one line; a reason in words may take several.
        kind = "n" if not column.kind.is_words else "t" if len(text) > _SHORT else "s"
        told.append(f'<td class="{kind}">{escape(text)}</td>')
    return "".join(told)
