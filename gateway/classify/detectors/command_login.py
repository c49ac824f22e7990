"""Passwords given to a command or a call by place: `curl -u user:password`, `auth=("u", "p")`.

Bad: `mysql -u root -pkX9#mQ2v crm`. Good: `docker run -u 1000:1000`, `mysql -u root -p crm`.
"""

from __future__ import annotations

import re

from gateway.classify.detectors.base import Detector, Found, View
from gateway.classify.entropy import placeholder

_WORD = r"(?P<open>[\"'])?(?P<password>(?!\$[A-Za-z_({])[^\s\"'<>`|;]{4,128})"
_USER = r"[\"']?[^\s:\"'$<]{0,64}[\"']?"
#: What is looked for between a command and the end of its line, in characters.
REACH = 240


def _line(rest: str) -> re.Pattern[str]:
    return re.compile(rf"[^\n|;]{{0,{REACH}}}?{rest}")


# A command, and where its password stands after it.
_COMMANDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("sshpass", _line(rf"-p ?{_WORD}")),
    ("mysql", _line(rf"(?<=\s)-p(?=\S){_WORD}")),
    ("mariadb", _line(rf"(?<=\s)-p(?=\S){_WORD}")),
    ("docker login", _line(rf"(?<=\s)-p[ =]?{_WORD}")),
    ("podman login", _line(rf"(?<=\s)-p[ =]?{_WORD}")),
    ("helm registry", _line(rf"(?<=\s)-p[ =]?{_WORD}")),
    ("az login", _line(rf"(?<=\s)-p[ =]{_WORD}")),
    ("redis-cli", _line(rf"(?<=\s)-a {_WORD}")),
    ("mongo", _line(rf"(?<=\s)-p ?{_WORD}")),
    ("sqlcmd", _line(rf"(?<=\s)-P ?{_WORD}")),
    ("bcp ", _line(rf"(?<=\s)-P ?{_WORD}")),
    ("ldapsearch", _line(rf"(?<=\s)-w ?{_WORD}")),
    ("ldapadd", _line(rf"(?<=\s)-w ?{_WORD}")),
    ("mosquitto_", _line(rf"(?<=\s)-P {_WORD}")),
    ("openssl ", _line(rf"(?<=\s)(?:-k |-pass(?:in|out)? [\"']?pass:){_WORD}")),
    ("zip ", _line(rf"(?<=\s)(?:-P |--password[ =]){_WORD}")),
    ("7z ", _line(rf"(?<=\s)-p(?=\S){_WORD}")),
    ("xfreerdp", _line(rf"(?<=\s)/p:{_WORD}")),
    ("net user ", re.compile(rf"[^\s/]{{1,64}} {_WORD}(?=[ \t]+/|[ \t]*(?:\n|$|[\"']))")),
    ("net use ", _line(rf"/user:\S{{1,64}} {_WORD}")),
    ("smbclient", _line(rf"(?<=\s)-U [\"']?[^\s%\"']{{1,64}}%{_WORD}")),
    ("htpasswd", _line(rf"(?<=\s)-[a-zA-Z]{{0,3}}b[a-zA-Z]{{0,3}} \S{{1,80}} \S{{1,64}} {_WORD}")),
    ("rclone obscure", re.compile(rf" {_WORD}")),
    ("ipmitool", _line(rf"(?<=\s)-P {_WORD}")),
    ("snmp-server community", re.compile(rf" {_WORD}")),
    ("svn ", _line(rf"--password {_WORD}")),
)
_LOGIN = re.compile(rf"[ =]?{_USER}:[\"']?(?P<password>[^\s\"'$<]{{4,128}})")
_LOGIN_COMMAND = re.compile(r"curl|wget|http|git |svn|mongo|mysql|psql|redis-cli|ldap|aria2c|lftp")
# `auth=("user", "password")` and `HTTPBasicAuth("user", "password")`.
_PAIR = re.compile(
    r"(?:[ \t]{0,2}[=:])?[ \t]{0,2}\([ \t\n]{0,12}[urb]?[\"'][^\"'\n$<]{1,64}"
    r"[\"'],[ \t\n]{0,12}[urb]?"
    r"[\"'](?P<password>[^\"'\n$<]{4,128})[\"']"
)
_PIPED = re.compile(
    r"(?:echo|printf) (?:-n )?(?P<open>[\"'])?(?P<password>[^\s\"'$|]{4,128})[\"']?[ ]?$"
)

_LOGIN_ANCHORS = (r"[ \n]-u[ \"']", "--user[ =]")
_PAIR_ANCHORS = (r"auth[ =(]", "credentials[=(]", r"\.login[(]")
_PIPE_ANCHORS = (r"\| sudo -s", r"\|sudo -s", r"\| passwd ", r"\| chpasswd")
_ANCHORS = (*_LOGIN_ANCHORS, *_PAIR_ANCHORS, *_PIPE_ANCHORS, *(name for name, _ in _COMMANDS))
_PAIRS_FROM = len(_LOGIN_ANCHORS)
_PIPES_FROM = _PAIRS_FROM + len(_PAIR_ANCHORS)
_COMMANDS_FROM = _PIPES_FROM + len(_PIPE_ANCHORS)


def _look(view: View, which: int, start: int, end: int) -> Found | None:
    text = view.text
    if which >= _COMMANDS_FROM:
        if start > 0 and (text[start - 1].isalnum() or text[start - 1] == "-"):
            return None
        return _given(_COMMANDS[which - _COMMANDS_FROM][1].match(text, end))
    if which >= _PIPES_FROM:
        return _given(_PIPED.search(text, max(0, start - 160), start))
    if which >= _PAIRS_FROM:
        return _given(_PAIR.match(text, end - 1))
    if _LOGIN_COMMAND.search(view.lower, max(0, end - REACH), end) is None:
        return None
    return _given(_LOGIN.match(text, end))


def _given(match: re.Match[str] | None) -> Found | None:
    if match is None:
        return None
    password = match.group("password")
    if password.isdigit() or placeholder(password) or password.startswith(("//", "-", "%")):
        return None
    return Found("password", match.start("password"), match.end("password"), 0.85)


DETECTOR = Detector(name="command_login", anchors=_ANCHORS, look=_look)
