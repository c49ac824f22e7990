"""Logins that are told in passing: `use X as the password`, `credentials are bob:X`.

Bad: `log in with admin / Winter2024!`. Good: `log in with your e-mail and password`.
"""

from __future__ import annotations

import re

from gateway.classify.detectors.base import Detector, Found, View
from gateway.classify.entropy import placeholder

_BEFORE = re.compile(r"[\"'`(]?(?P<password>[^\s\"'`()]{6,64})[\"'`)]?[ ]$")
_PAIR = re.compile(
    r"(?:[ \t]{1,2}(?:are|is|with|as|using|for [\w.\-]{1,40}|user(?:name)?|login|"
    r"account)){0,4}[ \t]{0,2}[:=]?"
    r"[ \t]{0,2}[\"'`]?(?P<user>[\w.@\\\-+]{2,64})[\"'`]?(?: ?[/:|] ?| ?, ?|"
    r" with | and | pw | pass )"
    r"[\"'`]?(?P<password>[^\s\"'`,;]{6,64})"
)
_AS_ANCHORS = (
    "as the password", "as password", "as my password", "as your password", "as a password",
    "as the passphrase", "as passphrase", "for the password", "als passwort", "comme mot de passe",
    "como contrase", "as the pin", "as the admin password", "as the root password",
)  # fmt: skip
_PAIR_ANCHORS = (
    "credentials", "creds", "login ", "log in", "logged in", "sign in", "signed in", "login:",
    "log me in", "logon", "zugangsdaten", "identifiants", "credenciales", "anmelden mit",
)  # fmt: skip
_ANCHORS = _AS_ANCHORS + _PAIR_ANCHORS
_TRAILING = re.compile(r"[.,;:?)\]}]+$")


def _look(view: View, which: int, start: int, end: int) -> Found | None:
    if which < len(_AS_ANCHORS):
        return _judge(_BEFORE.search(view.text, max(0, start - 72), start))
    return _judge(_PAIR.match(view.text, end - 1 if view.text[end - 1] in " :" else end))


def _judge(match: re.Match[str] | None) -> Found | None:
    if match is None:
        return None
    value = _TRAILING.sub("", match.group("password"))
    digits = sum(character.isdigit() for character in value)
    letters = sum(character.isalpha() for character in value)
    marks = len(value) - digits - letters
    # Nothing says here that a value follows, so it must look like a password by itself.
    if len(value) < 6 or not letters or not digits or placeholder(value) or "://" in value:
        return None
    if not marks and (value.islower() or (value[0].isupper() and value[1:].islower())):
        return None
    if marks and re.fullmatch(r"[\d.,:/\-]+[A-Za-z%]{0,3}|[a-z]+[.\-_/][a-z0-9.\-_/]+", value):
        return None
    start = match.start("password")
    return Found("password", start, start + len(value), 0.7)


DETECTOR = Detector(name="spoken_login", anchors=_ANCHORS, look=_look)
