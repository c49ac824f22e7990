"""URLs that carry a password before the host.

Bad: `mysql://admin:F7FyfqNbb3La@prod-db/crm`. Good: `postgres://user:${PASSWORD}@host`.
"""

from __future__ import annotations

import re

from gateway.classify.detectors.base import Detector, Found, View
from gateway.classify.entropy import placeholder

_URL = re.compile(
    r"[A-Za-z][A-Za-z0-9+.\-]{1,30}://(?P<user>[^\s:@/\"'<>]{0,128}):(?P<passwor"
    r"d>[^\s@/\"'<>]{2,256})@"
    r"(?P<host>[A-Za-z0-9\[][A-Za-z0-9.\-_\]:]{0,253})(?:[/?#][^\s\"'<>]{0,512})?"
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]{1,30}\Z")
_STAND_IN = re.compile(
    r"^(?:\$|\{|%[^0-9a-f]|<|\[|\*+$|x+$|\.+$|your|password$|passwd$|pass$|pwd$|secret$)", re.I
)


def _look(view: View, _which: int, start: int, end: int) -> Found | None:
    scheme = _SCHEME.search(view.text, max(0, start - 31), start)
    if scheme is None:
        return None
    match = _URL.match(view.text, scheme.start(), end + 900)
    if match is None:
        return None
    password = match.group("password")
    if _STAND_IN.match(password) is not None or placeholder(password):
        return None
    finish = match.end()
    while view.text[finish - 1] in ".,;:)":
        finish -= 1
    return Found("connection_string", match.start(), finish, 0.97)


DETECTOR = Detector(name="connection_string", anchors=("://",), look=_look)
