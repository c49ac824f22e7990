"""Tables for people: as wide as the terminal, or unhurried when piped."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from rich.console import Console
from rich.table import Table

#: Columns of a table that goes to a file or a pipe, where nothing needs to be squeezed.
_PIPED_COLUMNS = 200


def print_table(table: Table, into: TextIO | None = None) -> None:
    """Print a table, or write it into a text; cells that do not fit end in an ellipsis."""
    told = sys.stdout.isatty() or "COLUMNS" in os.environ
    width = None if told else _PIPED_COLUMNS
    if into is not None and width is None:
        width = Console().width
    Console(file=into, width=width, highlight=False).print(table)
