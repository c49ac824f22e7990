"""CSV as the providers' consoles export it; columns are known by their names, in any order."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from io import StringIO

import msgspec

from gateway.reports.invoices.anthropic import anthropic_cost_row, anthropic_usage_row
from gateway.reports.invoices.lines import InvoiceError, InvoiceLine
from gateway.reports.invoices.openai import openai_cost_row, openai_usage_row


class Table(msgspec.Struct, frozen=True):
    """A kind of export: what it is called, the columns that it needs, and what reads a row.

    One of each group of columns will do.
    """

    title: str
    needs: tuple[tuple[str, ...], ...]
    read: Callable[[Mapping[str, str], str], Iterator[InvoiceLine]]

    def missing(self, columns: set[str]) -> list[str]:
        """The columns that are not there."""
        return [" or ".join(names) for names in self.needs if not columns & set(names)]


_BEGINS = ("start_time", "start_time_iso")
#: Every export that is known. Columns beyond these (of projects, keys, workspaces, tiers, list
#: prices, regions) come and go from version to version, and are not needed.
TABLES = (
    Table(
        "OpenAI's costs",
        (_BEGINS, ("amount_value",), ("amount_currency",), ("line_item",)),
        openai_cost_row,
    ),
    Table(
        "OpenAI's usage",
        (_BEGINS, ("model",), ("input_tokens",), ("output_tokens",)),
        openai_usage_row,
    ),
    Table(
        "Anthropic's costs",
        (("usage_date_utc",), ("model",), ("token_type",), ("cost_usd",)),
        anthropic_cost_row,
    ),
    Table(
        "Anthropic's usage",
        (
            ("usage_date_utc",),
            ("model_version", "model"),
            ("usage_input_tokens_no_cache",),
            ("usage_output_tokens",),
        ),
        anthropic_usage_row,
    ),
)
#: What OpenAI exports for days on which nothing was used.
_EMPTY = {"start_time", "end_time", "start_time_iso", "end_time_iso"}


def read_csv(text: str, source: str) -> list[InvoiceLine]:
    """The lines of an export, with commas, or with what a spreadsheet put in their place.

    Raises:
        InvoiceError: its columns are those of no known export; the message names those that the
            nearest one lacks, and those that were found.
    """
    heading = text.partition("\n")[0]
    mark = max(",;\t", key=heading.count)
    reader = csv.DictReader(StringIO(text), delimiter=mark)
    columns = {name.strip() for name in reader.fieldnames or ()}
    if columns == _EMPTY:
        raise InvoiceError(f"{source}: OpenAI's export of days without any cost or usage")
    table = _known(columns, source) if columns else None
    lines: list[InvoiceLine] = []
    for raw in reader:
        row = {(name or "").strip(): _text(cell) for name, cell in raw.items()}
        if table and any(row.values()):
            lines += table.read(row, f"{source}, line {reader.line_num}")
    return lines


def _text(cell: object) -> str:
    return cell.strip() if isinstance(cell, str) else ""


def _known(columns: set[str], source: str) -> Table:
    nearest = min(TABLES, key=lambda table: len(table.missing(columns)) / len(table.needs))
    missing = nearest.missing(columns)
    if not missing:
        return nearest
    found = ", ".join(sorted(columns))
    if len(missing) == len(nearest.needs):
        titles = ", ".join(table.title for table in TABLES)
        raise InvoiceError(
            f"{source} has columns of no export that is known: {found}. Known are {titles}"
        )
    raise InvoiceError(
        f"{source} looks like {nearest.title}, but has no column {', '.join(missing)}; "
        f"it has {found}"
    )
