"""Tables for people: as wide as the terminal, or unhurried when piped."""

from __future__ import annotations

import os
import sys

from rich.console import Console
from rich.table import Table

#: Columns of a table that goes to a file or a pipe, where nothing needs to be squeezed.
_PIPED_COLUMNS = 200


def print_table(table: Table) -> None:
    """Print a table; cells that do not fit the terminal end in an ellipsis."""
    told = sys.stdout.isatty() or "COLUMNS" in os.environ
    width = None if told else _PIPED_COLUMNS
    Console(width=width, highlight=False).print(table)
