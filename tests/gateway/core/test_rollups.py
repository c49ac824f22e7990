"""What a line adds to the rollups."""

from __future__ import annotations

from collections.abc import Callable

from gateway.core.prices import CostPart
from gateway.core.records import LedgerLine
from gateway.core.rollups import DIMENSIONS, cell_of, changes_of
from gateway.core.usage import Usage
from tests.gateway.stores.conftest import make_line as _make_line

make_line = _make_line


def test_a_cell_names_every_dimension(make_line: Callable[..., LedgerLine]) -> None:
    """In their order."""
    line = make_line()

    assert cell_of(line).count(b",") == len(DIMENSIONS) - 1
    assert cell_of(line).startswith(b'["support","","k1","llama","house"')


def test_parts_become_changes(make_line: Callable[..., LedgerLine]) -> None:
    """Quantity and cost of every class."""
    parts = (CostPart("input", 10, 1, 30, 1), CostPart("output", 5, 1, 10, 1))

    assert changes_of(make_line(parts=parts)) == [("input", 10, 30), ("output", 5, 10)]


def test_a_line_without_parts_loses_no_money(make_line: Callable[..., LedgerLine]) -> None:
    """An old line's tokens are counted, and its cost under a class of its own."""
    line = make_line(usage=Usage(input_tokens=10, output_tokens=5), cost_nanousd=40)

    assert changes_of(line) == [("input", 10, 0), ("output", 5, 0), ("other", 0, 40)]
