"""Reading an export of any known kind by what is in it."""

from __future__ import annotations

from gateway.reports.invoices.api import read_json
from gateway.reports.invoices.lines import InvoiceError, InvoiceLine
from gateway.reports.invoices.tables import read_csv


def read_invoice(content: bytes, source: str) -> list[InvoiceLine]:
    """The lines of an export; `source` is what messages call it.

    Raises:
        InvoiceError: it is no export that is known, or has nothing in it.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvoiceError(f"{source} is no text") from None
    if text.lstrip().startswith(("{", "[")):
        lines = read_json(text, source)
    else:
        lines = read_csv(text, source)
    if not lines:
        raise InvoiceError(f"{source} has no lines")
    return lines
