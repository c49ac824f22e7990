"""Passwords that are told by the name they are assigned to, in code, files and prose.

Bad: `password is Dragon_3912`, `<password>Tr0ub4dor&3</password>`. Good:
`password: ${DB_PASSWORD}`, `the password is incorrect`.
"""

from __future__ import annotations

import re

from gateway.classify.assigned import Assigned, code, read_assigned
from gateway.classify.detectors.base import Detector, Found, View
from gateway.classify.entropy import placeholder

_ANCHORS = (
    "password", "passwd", "passphrase", "passwort", "kennwort", "mot de passe", "contrase", "senha",
    "pwd", r"[^a-z]pw[^a-z]", r"pass[^a-z]", "losenord", "wachtwoord", "haslo", "salasana",
    "adgangskode", "identified by", "securestring", "passcode", "parola", "heslo", "jelszo",
    "lozinka", "geslo", "sifre", "passord", "kata sandi", "[^a-z]psk[^a-z]", "storepass", "keypass",
    "clave de acceso", "zugangscode", "slaptazodis", "salasona", "matkhau", "mat khau",
)  # fmt: skip

#: The fewest characters of a password.
_SHORTEST = 4
_SHORT = ("pass", "pw", "psk")
_TRAILING = re.compile(r"[.,;:!?)\]}'\"`|]+$")
_WORDS = re.compile(r"[A-Za-z]+(?:[-'/_.,:][A-Za-z]+)*")
# What a value is about when the name goes on like this: a rule or a place, not the password.
_ABOUT = re.compile(
    r"[_\-.]?(?:policy|polic(?:y|ies)|length|len|min|max|field|input|label|type|reset|strength|"
    r"url|uri|path|file|expir\w*|age|column|hint|manager|change\w*|rules?|regex|pattern|count|"
    r"id|name|validator|encoder|hasher|callback|prompt|placeholder|required|error|s)$",
    re.I,
)


def _look(view: View, _which: int, start: int, end: int) -> Found | None:
    text = view.text
    # Short words are anchored with the sign after them, which is where the value begins.
    if not text[end - 1].isalnum():
        end -= 1
    first = start if text[start : start + 1].isalnum() else start + 1
    before = text[first - 1 : first] if first else ""
    # `$PASSWORD` names a variable, and `bypass` is another word.
    if before in ("$", "%", "{") or (before.isalpha() and text[first:end] in _SHORT):
        return None
    assigned = read_assigned(text, end, _SHORTEST)
    if assigned is None:
        return None
    value = _trimmed(assigned.value)
    if (
        len(value) < _SHORTEST
        or code(assigned)
        or placeholder(value)
        or _ABOUT.search(assigned.rest)
    ):
        return None
    if not password_like(value, quoted=assigned.quoted, said=assigned.said):
        return None
    return _found(assigned, value)


def password_like(value: str, *, quoted: bool, said: bool) -> bool:
    """Whether a string is a password rather than a word; `said` ones must look the part more."""
    symbols = sum(not c.isalnum() for c in value)
    digits = sum(c.isdigit() for c in value)
    letters = len(value) - symbols - digits
    if said and value[-1] in "!?" and value[:-1].isalpha():
        return False
    if said and "=" in value[1:-1] and not quoted:
        return False
    if letters and (digits or (symbols and _WORDS.fullmatch(value) is None)):
        return True
    if not said and digits >= 6 and letters == 0:
        return True
    mixed = any(c.isupper() for c in value[1:]) and any(c.islower() for c in value)
    return not said and mixed and len(value) >= 8 and quoted


def _trimmed(value: str) -> str:
    trimmed = _TRAILING.sub("", value)
    # A password may end in a mark of its own, but not in the bracket of the text around it.
    if len(value) - len(trimmed) == 1 and value[-1] in "!?":
        return value
    return trimmed


def _found(assigned: Assigned, value: str) -> Found:
    confidence = 0.75 if assigned.said else 0.9
    return Found("password", assigned.start, assigned.start + len(value), confidence)


DETECTOR = Detector(name="password", anchors=_ANCHORS, look=_look)
