"""The section `limits`."""

from __future__ import annotations

from policies.model.limits import LimitStatement
from policies.shapes import Choice, Key, Record, Text, Whole

#: The windows that limits are counted in, in seconds.
WINDOWS = {"minute": 60, "hour": 3600, "day": 86400}
_MOST = 10**12

LIMIT = Record(
    what="a limit",
    build=LimitStatement,
    keys={
        "scope": Key(
            Text(what="a scope"),
            "scope: team/support, key/* for each key, or deployment/NAME for a backend's own limit",
            required=True,
        ),
        "requests": Key(Whole(least=1, most=_MOST), "the most requests in any window"),
        "tokens": Key(Whole(least=1, most=_MOST), "the most tokens, both ways, in any window"),
        "concurrent": Key(Whole(least=1, most=_MOST), "the most requests under way at once"),
        "per": Key(
            Choice(options={name: name for name in WINDOWS}, what="a window"),
            "the window: minute, hour or day",
        ),
    },
)
