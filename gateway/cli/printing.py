"""Reports on a terminal, in a file or through a pipe."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path

import typer
from rich.table import Table

from gateway.cli.session import fail
from gateway.cli.tables import print_table
from gateway.core.money import nano_to_usd_text
from gateway.reports.forms import FORMS
from gateway.reports.forms.words import shown
from gateway.reports.shape import Cell, Column, Kind, Report


class Form(StrEnum):
    """How a report is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    HTML = "html"
    XLSX = "xlsx"
    PARQUET = "parquet"
    PDF = "pdf"


#: Forms that a terminal can show.
_TEXTS = (Form.TABLE, Form.CSV, Form.JSON, Form.HTML)


def form_of(form: Form, as_json: bool, output: Path | None) -> Form:
    """The form that was asked for; one that no terminal can show needs a file or a pipe."""
    chosen = Form.JSON if as_json else form
    if chosen not in _TEXTS and output is None and sys.stdout.isatty():
        fail(f"a file of the form {chosen} is not for a terminal; say --output FILE", status=2)
    return chosen


def deliver(report: Report, form: Form, output: Path | None) -> None:
    """Print a report, or write its file.

    Raises:
        ValueError: it does not fit the form.
    """
    if form is Form.TABLE:
        _print_table(report)
        return
    written = FORMS[form].write(report)
    if output is not None:
        output.write_bytes(written)
        typer.echo(f"{output} was written", err=True)
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(written)
    sys.stdout.buffer.flush()


def _print_table(report: Report) -> None:
    table = Table(box=None, pad_edge=False, show_footer=True)
    brief = [place for place, column in enumerate(report.columns) if column.brief]
    for number, place in enumerate(brief):
        column, total = report.columns[place], report.totals[place]
        footer = "total" if number == 0 else _terse(column, total)
        if column.kind.is_words:
            table.add_column(column.title, footer=footer, overflow="fold")
        else:
            table.add_column(column.title, footer=footer, justify="right", no_wrap=True)
    for row in report.rows:
        table.add_row(*(_terse(report.columns[place], row[place]) or "-" for place in brief))
    print_table(table)
    for note in report.notes:
        typer.echo(note)


def _terse(column: Column, cell: Cell) -> str:
    """A value for a terminal: money with all its decimals, one below the other."""
    if column.kind is Kind.MONEY and isinstance(cell, int):
        return nano_to_usd_text(cell)
    return shown(column, cell)
