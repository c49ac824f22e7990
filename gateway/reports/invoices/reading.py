"""Reading exports of any known kind by what is in them."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.reports.invoices.api import Page, goes_on, lines_of, pages_of
from gateway.reports.invoices.lines import InvoiceError, InvoiceLine
from gateway.reports.invoices.tables import read_csv


def read_invoices(files: Iterable[tuple[str, bytes]]) -> list[InvoiceLine]:
    """The lines of exports; each file comes with what messages call it.

    The pages of one answer may lie in several files, in any order.

    Raises:
        InvoiceError: a file is no export that is known or has nothing in it, or an answer's last
            page is not among them.
    """
    lines: list[InvoiceLine] = []
    pages: list[Page] = []
    sources: list[str] = []
    for source, content in files:
        text = _text(content, source)
        if text.lstrip().startswith(("{", "[")):
            found = pages_of(text, source)
            read = list(lines_of(found, source))
            pages += found
            sources.append(source)
            empty = not read and not any(page.get("data") for page in found)
        else:
            read = read_csv(text, source)
            empty = not read
        if empty:
            raise InvoiceError(f"{source} has no lines")
        lines += read
    if goes_on(pages):
        raise InvoiceError(
            f"{', '.join(sources)}: the answer goes on ('has_more'); export all pages"
        )
    if not lines:
        raise InvoiceError(f"{', '.join(sources) or 'the exports'}: nothing was billed or used")
    return lines


def _text(content: bytes, source: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvoiceError(f"{source} is no text") from None
