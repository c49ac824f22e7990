"""Public IP addresses; private, loopback and documentation ranges are not sensitive.

Bad: `host 96.145.44.55 is down`. Good: `ping 192.168.0.1`, `OID 1.3.6.1.2.1`, `version 4.2.1.3`.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache

from gateway.classify.detectors.base import Detector, Found, View, near, words

_V4 = re.compile(r"(?<![\w.\-])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d|-\d)")
_V6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}(?:[0-9A-Fa-f]{1,4}|:)(?![\w:])")
_NOT_AN_ADDRESS = words(
    r"version|\bver\b|\bv\n?$|section|\boid\b|chapter|release|§|clause|build|rev\b|==|>=|<="
)
_ADDRESS = words(r"\bip|host|server|address|ping|dns|login|client|firewall|subnet")


@lru_cache(maxsize=1)
def _exempt() -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    # Ranges that never name a machine on the internet (IANA special-purpose registries).
    names = "::/127 fe80::/10 fc00::/7 2001:db8::/32 ff00::/8"
    return tuple(ipaddress.ip_network(name) for name in names.split())


# The same for the older kind, read from its first numbers; most addresses are told by one of them.
_EXEMPT_FIRST = frozenset({0, 10, 127, *range(224, 240)})
_EXEMPT_PAIRS = frozenset({(169, 254), (192, 168), *((172, second) for second in range(16, 32))})
_DOCUMENTATION = frozenset({(192, 0, 2), (198, 51, 100), (203, 0, 113)})


def _public_v4(text: str) -> bool:
    numbers = [int(part) for part in text.split(".")]
    if max(numbers) > 255 or any(len(p) > 1 and p[0] == "0" for p in text.split(".")):
        return False
    first, second, third, _ = numbers
    if first in _EXEMPT_FIRST or (first, second) in _EXEMPT_PAIRS:
        return False
    if (first, second, third) in _DOCUMENTATION:
        return False
    return not (first == 255 and (second, third) in ((255, 255), (255, 0), (0, 0)))


def _public(text: str) -> bool:
    if ":" not in text:
        return _public_v4(text)
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not any(address in network for network in _exempt())


def _look(view: View, which: int, start: int, end: int) -> Found | None:
    text = view.text
    if which < _V6_FROM:
        # The longest one, from its first digit on, and the two characters that may follow it.
        match = _V4.search(text, max(0, start - 6), start + 17)
        if match is None or not match.start() <= start < match.end() or not _public(match.group()):
            return None
        digits = [part for part in match.group().split(".") if len(part) > 1]
        named = near(view, match.start(), match.end(), _ADDRESS, 40, 20)
        if near(view, match.start(), match.end(), _NOT_AN_ADDRESS, 20, 0):
            return None
        if not digits and not named and match.group() not in ("1.1.1.1", "8.8.8.8", "9.9.9.9"):
            return None
        return Found("ip_address", *match.span(), 0.9)
    match = _V6.search(text, max(0, start - 36), end + 40)
    if match is None or not match.start() <= start < match.end() or not _public(match.group()):
        return None
    groups = [group for group in match.group().split(":") if group]
    # `rows[1::3]` is a slice; an abbreviated address still has a long group or several.
    if "::" in match.group() and len(groups) < 4 and max(map(len, groups), default=0) < 3:
        return None
    return Found("ip_address", *match.span(), 0.9)


_V6_FROM = 3

DETECTOR = Detector(
    name="ip_address",
    anchors=(
        # The second or the third number of the older kind, with a digit of each neighbour.
        r"[0-9]\.[0-9]\.[0-9]",
        r"[0-9]\.[0-9]{2}\.[0-9]",
        r"[0-9]\.[0-9]{3}\.[0-9]",
        r"[0-9a-f]:[0-9a-f]{3}",
        r"[0-9a-f]::[0-9a-f]",
        r"[0-9a-f]{3}:[0-9a-f]",
    ),
    look=_look,
)
