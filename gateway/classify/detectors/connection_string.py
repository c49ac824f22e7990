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
# Oracle's thin driver, and a line of PostgreSQL's password file.
_ORACLE = re.compile(
    r"thin:[^\s/@:\"']{1,64}/(?P<password>[^\s@\"']{2,128})@/{0,2}[\w.\-:/]{1,255}"
)
_PASSWORD_FILE = re.compile(
    r"[\w.\-*]{1,255}:(?:5432|3306|1433|1521|5433|6432|\*):[\w.\-*]{1,64}:[\w.\-@*]{1,64}:"
    r"(?P<password>[^\s:\"']{4,128})(?=\s|$|[\"'`])"
)


def _look(view: View, which: int, start: int, end: int) -> Found | None:
    if which > 0:
        return _other(view, which, start)
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


def _other(view: View, which: int, start: int) -> Found | None:
    if which == 1:
        match = _ORACLE.match(view.text, start)
    else:
        line = max(view.text.rfind(c, max(0, start - 256), start) for c in "\n \"'`")
        match = _PASSWORD_FILE.match(view.text, line + 1)
    if match is None or placeholder(match.group("password")):
        return None
    return Found("connection_string", *match.span(), 0.9)


DETECTOR = Detector(
    name="connection_string",
    anchors=("://", "thin:", ":5432:", ":3306:", ":1433:", ":1521:", ":5433:", ":6432:"),
    look=_look,
)
