"""Every report by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from gateway.reports.asking import Ask, Background
from gateway.reports.budget import budget_report
from gateway.reports.chargeback import chargeback_report
from gateway.reports.cost import cost_report
from gateway.reports.exceptions import exceptions_report
from gateway.reports.focus import focus_report
from gateway.reports.gpu import gpu_report
from gateway.reports.journal import journal_report
from gateway.reports.restatement import restatement_report
from gateway.reports.savings import savings_report
from gateway.reports.shape import Report
from gateway.reports.tco import tco_report
from gateway.reports.waste import waste_report

if TYPE_CHECKING:
    import duckdb

#: Makes a report of a database that has the view `lines`.
Builder = Callable[["duckdb.DuckDBPyConnection", Ask, Background], Report]

REPORTS: Mapping[str, Builder] = MappingProxyType(
    {
        "cost": cost_report,
        "chargeback": chargeback_report,
        "budget": budget_report,
        "savings": savings_report,
        "waste": waste_report,
        "exceptions": exceptions_report,
        "gpu": gpu_report,
        "tco": tco_report,
        "journal": journal_report,
        "focus": focus_report,
        "restatement": restatement_report,
    }
)
