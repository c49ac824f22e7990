"""What a ledger line adds to the rollups: its cell, and its quantities and costs by class."""

from __future__ import annotations

import msgspec

from gateway.core.records import LedgerLine
from gateway.core.usage import quantities

#: The dimensions of a cell, in their order: fields of a ledger line.
DIMENSIONS = (
    "team",
    "app",
    "key_id",
    "model",
    "deployment",
    "provider",
    "route",
    "sensitivity",
)
#: The class of money that no part of a line accounts for.
OTHER = "other"

_encode = msgspec.json.Encoder().encode


def cell_of(line: LedgerLine) -> bytes:
    """The combination of dimensions that a line is counted under, as compact JSON."""
    return _encode(
        (
            line.team,
            line.app,
            line.key_id,
            line.model,
            line.deployment,
            line.provider,
            line.route,
            line.sensitivity,
        )
    )


def changes_of(line: LedgerLine) -> list[tuple[str, int, int]]:
    """Class, quantity and nano-USD that a line adds; the costs add up to the line's cost."""
    changes = [(part.token_class, part.quantity, part.cost_nanousd) for part in line.parts]
    if not line.parts:
        # Lines of before the parts, and attempts that cost nothing.
        changes = [(name, count, 0) for name, count in quantities(line.usage)]
    rest = line.cost_nanousd - sum(cost for _, _, cost in changes)
    if rest:
        changes.append(("in_doubt" if line.kind == "in_doubt" else OTHER, 0, rest))
    return changes
