"""Public IP addresses; private, loopback and documentation ranges are not sensitive.

Bad: `host 96.145.44.55 is down`. Good: `ping 192.168.0.1`, `OID 1.3.6.1.2.1`, `version 4.2.1.3`.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache

from gateway.classify.detectors.base import Detector, Found, View, near

_V4 = re.compile(r"(?<![\w.\-])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d|-\d)")
_V6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}(?:[0-9A-Fa-f]{1,4}|:)(?![\w:])")
_NOT_AN_ADDRESS = re.compile(
    r"version|\bver\b|\bv$|section|\boid\b|chapter|release|§|clause|build|rev\b|==|>=|<="
)
_ADDRESS = re.compile(r"\bip|host|server|address|ping|dns|login|client|firewall|subnet")


@lru_cache(maxsize=1)
def _exempt() -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    # Ranges that never name a machine on the internet (IANA special-purpose registries).
    names = (
        "0.0.0.0/8 10.0.0.0/8 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.168.0.0/16 192.0.2.0/24 "
        "198.51.100.0/24 203.0.113.0/24 255.255.255.255/32 224.0.0.0/4 ::/127 fe80::/10 fc00::/7 "
        "2001:db8::/32 ff00::/8"
    )
    return tuple(ipaddress.ip_network(name) for name in names.split())


def _public(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if str(address) in ("255.255.255.0", "255.255.0.0", "255.0.0.0"):
        return False
    return not any(
        address in network for network in _exempt() if network.version == address.version
    )


def _look(view: View, which: int, start: int, end: int) -> Found | None:
    text = view.text
    if which == 0:
        match = _V4.search(text, max(0, start - 6), end + 8)
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


DETECTOR = Detector(
    name="ip_address",
    anchors=(
        r"[0-9]\.[0-9]",
        r"[0-9a-f]:[0-9a-f]{3}",
        r"[0-9a-f]::[0-9a-f]",
        r"[0-9a-f]{3}:[0-9a-f]",
    ),
    look=_look,
)
