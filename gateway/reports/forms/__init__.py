"""How a report is written: one module for each form, all from the same values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec

from gateway.reports.forms.columns import as_parquet
from gateway.reports.forms.page import as_html
from gateway.reports.forms.paper import as_pdf
from gateway.reports.forms.plain import as_csv, as_json
from gateway.reports.forms.workbook import as_xlsx
from gateway.reports.shape import Report


class Form(msgspec.Struct, frozen=True):
    """One form: what writes it, what the web calls it, and whether people can read its bytes."""

    write: Callable[[Report], bytes]
    media_type: str
    is_text: bool = False


#: Every form by its name, which is also the end of its files' names.
FORMS: Mapping[str, Form] = MappingProxyType(
    {
        "csv": Form(as_csv, "text/csv; charset=utf-8", is_text=True),
        "json": Form(as_json, "application/json", is_text=True),
        "html": Form(as_html, "text/html; charset=utf-8", is_text=True),
        "xlsx": Form(as_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        "parquet": Form(as_parquet, "application/vnd.apache.parquet"),
        "pdf": Form(as_pdf, "application/pdf"),
    }
)
