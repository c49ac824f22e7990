"""Hardware addresses of network cards.

Bad: `mac 1d:2b:a1:33:be:74`. Good: `00:00:00:00:00:00`, times and fingerprints.
"""

from __future__ import annotations

import re

from gateway.classify.detectors.base import Detector, Found, View

_MAC = re.compile(
    r"(?<![\w:\-])(?:[0-9A-Fa-f]{2}(?P<sign>[:\-]))(?:[0-9A-Fa-f]{2}(?P=sign)){4"
    r"}[0-9A-Fa-f]{2}(?![\w]|[:\-][0-9A-Fa-f])"
    r"|(?<![\w.])[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}(?![\w.])"
)


def _look(view: View, _which: int, start: int, end: int) -> Found | None:
    match = _MAC.match(view.text, start + 1)
    if match is None:
        return None
    digits = [c for c in match.group().lower() if c.isalnum()]
    if len(set(digits)) < 3 or (match.group("sign") is None and all(c.isdigit() for c in digits)):
        return None
    return Found("mac_address", *match.span(), 0.95)


DETECTOR = Detector(
    name="mac_address",
    anchors=(
        # With what stands before an address, so that a long row of such pairs is one hit.
        r"[^a-z0-9_:\-][0-9a-f]{2}:[0-9a-f]{2}:[0-9a-f]{2}:",
        r"[^a-z0-9_:\-][0-9a-f]{2}-[0-9a-f]{2}-[0-9a-f]{2}-",
        r"[^a-z0-9_.][0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}",
    ),
    look=_look,
)
