"""User and password given to a command: `curl -u user:password`.

Bad: `curl -u admin:d2LkV78zLx!t https://host`. Good: `docker run -u 1000:1000`.
"""

from __future__ import annotations

import re

from gateway.classify.detectors.base import Detector, Found, View
from gateway.classify.entropy import placeholder

_LOGIN = re.compile(
    r"[ =]?[\"']?(?P<user>[^\s:\"'$<]{0,64})[\"']?:[\"']?(?P<password>[^\s\"'$<]{4,128})"
)
_COMMAND = re.compile(r"curl|wget|http|git |svn|mongo|mysql|psql|redis-cli|ldap")


def _look(view: View, _which: int, _start: int, end: int) -> Found | None:
    if _COMMAND.search(view.lower, max(0, end - 200), end) is None:
        return None
    match = _LOGIN.match(view.text, end)
    if match is None:
        return None
    password = match.group("password")
    if password.isdigit() or placeholder(password) or password.startswith("//"):
        return None
    return Found("password", match.start("password"), match.end("password"), 0.85)


DETECTOR = Detector(name="command_login", anchors=(r"[ \n]-u[ \"']", "--user[ =]"), look=_look)
