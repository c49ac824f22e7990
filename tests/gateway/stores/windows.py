"""Windows of limits as Redis keeps them, moved back in time so that no test has to wait."""

from __future__ import annotations

from collections.abc import Mapping


def older(counted: Mapping[bytes, bytes], slots: int) -> dict[bytes, bytes]:
    """The fields and values of a window that is so many slots older; see limits.lua."""
    moved: dict[bytes, bytes] = {}
    for field, value in counted.items():
        kind, slot = field[:1], field[1:]
        if field == b"last":
            moved[field] = b"%d" % (int(value) - slots)
        else:
            moved[b"%s%d" % (kind, int(slot) - slots) if slot else field] = value
    return moved
