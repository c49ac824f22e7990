"""Secrets and passwords that are told by the name they are assigned to.

Bad: `"client_secret": "9f8a..."`, `password is Dragon_3912`. Good: `password: ${DB_PASSWORD}`,
`api_key = os.environ["OPENAI_API_KEY"]`, `the password is incorrect`.
"""

from __future__ import annotations

import re

from gateway.classify.detectors.base import Detector, Found, View
from gateway.classify.entropy import bits_per_character, placeholder, random_looking

_SECRET_ANCHORS = (
    "key",
    "token",
    "secret",
    "credential",
    "authoriz",
    "bearer",
    "signature",
    "cred",
)
_PASSWORD_ANCHORS = (
    "password", "passwd", "passphrase", "passwort", "kennwort", "mot de passe", "contrase", "senha",
    "pwd", "pw:", "pw=", "pw ", "pass:", "pass=", "pass ", "losenord", "wachtwoord", "haslo",
    "identified by", "securestring", "passcode", "parola", "pin:", "salasana", "adgangskode",
)  # fmt: skip
_ANCHORS = _SECRET_ANCHORS + _PASSWORD_ANCHORS

# From the end of the word on: the rest of the name, then the sign, then the value.
_NAME_REST = r"[A-Za-z0-9_\-.]{0,24}"
_QUOTE = r"(?:\\{0,3}[\"'`]|&quot;)"
_ASSIGNED = re.compile(
    _NAME_REST
    + r"(?: (?:key|token|id|secret|value|string|is|number))?"
    + rf"{_QUOTE}?\]?[ \t]{{0,3}}(?:[:=]{{1,2}}>?|=>|:=|->)[ \t]{{0,3}}\n?[ \t]{{0,8}}[(\[{{]?"
    + rf"(?P<quote>{_QUOTE}|[<(])?"
    + r"(?P<scheme>(?:Bearer|Basic|Token|Api-Token|ApiKey)[ ]{1,2})?"
    + r"(?P<value>[^\s\"'`<>,;(){}\[\]=&]{4,512}={0,2})"
)
_NEXT_WORD = re.compile(
    rf"(?:[ ](?:key|token))?[ \t]{{1,3}}(?:is |was |to |of |= |for \w+ is )?(?P<quote>{_QUOTE})?"
    r"(?P<value>[^\s\"'`<>,;(){}\[\]]{6,256})"
)
_HEADER = re.compile(r"[ :]{1,3}(?:Bearer |Basic |Token )?(?P<value>[A-Za-z0-9_\-.+/=~]{16,2048})")
_PASSWORD_ASSIGNED = re.compile(
    r"[A-Za-z0-9_\-]{0,16}"
    + rf"{_QUOTE}?\]?[ \t]{{0,3}}(?:[:=]{{1,2}}>?|=>|:=|->|\(|,(?=[ ]?{_QUOTE}))[ \t]{{0,3}}"
    + rf"(?P<quote>{_QUOTE})?(?P<value>[^\s\"'`]{{3,128}})"
)
_PASSWORD_SAID = re.compile(
    rf"[ \t]{{1,2}}(?:(?:is|was|ist|est|es|e|set to|to|by|=|-|-String -Force)[ ]{{1,2}})?"
    rf"(?P<quote>{_QUOTE})?(?P<value>[^\s\"'`]{{4,128}})"
)
_CODE = re.compile(
    r"^(?:\$|https?:|%[({]|<|\{|\[|os\.|process\.|env[.\[]|self\.|this\.|config[.\[]|settings\.|getenv|"
    r"get|input|prompt|str\b|string|none\b|null|true|false|undefined|nil\b|required|optional|"
    r"function|lambda|new\b|return|int\b|bool|varchar|text\b|type|var\.|vars\.|secrets\.|\*{3}|"
    r"\.{2,}|_+$|-+$|\\n|\\u|req\.|request\.|args\.|params\.|data\.|options\.)",
    re.I,
)
_NOT_A_SECRET_NAME = re.compile(
    r"(?<![a-z])(?:primary|foreign|public|keyword|sort|partition|hot|answer|"
    r"cache|monkey|turkey|donkey|hockey|"
    r"whiskey|smokey|whis|tur|mon|don|next_page_|page|csrf-|max_|num_|n_|pad_|eos_|bos_|unk_|"
    r"object|map|dict|index|row|hash|lookup|group|join|short|access) ?[_\-]?$"
)
_TRAILING = re.compile(r"[.,;:!?)\]}'\"`]+$")


def _look(view: View, which: int, start: int, end: int) -> Found | None:
    if which >= len(_SECRET_ANCHORS):
        return _password(view, start, end)
    return _secret(view, start, end)


def _secret(view: View, start: int, end: int) -> Found | None:
    text = view.text
    match = _ASSIGNED.match(text, end)
    if match is not None:
        value_start = match.start("value")
        value = _trimmed(match.group("value"))
        called = text[value_start + len(value) : value_start + len(value) + 1] in ("(", "[")
        if called or _CODE.match(value) is not None or placeholder(value):
            return None
        if _named_secret(view, start, match) and _strong(value, match.group("quote")):
            return _found("credential", value_start, value, 0.9)
        return None
    match = _HEADER.match(text, end) or _NEXT_WORD.match(text, end)
    if match is None:
        return None
    value = _trimmed(match.group("value"))
    if (
        ":" not in value
        and len(value) >= 12
        and random_looking(value)
        and not _wordy(value)
        and not placeholder(value)
    ):
        return _found("credential", match.start("value"), value, 0.7)
    return None


def _named_secret(view: View, start: int, match: re.Match[str]) -> bool:
    return _NOT_A_SECRET_NAME.search(view.lower, max(0, start - 14), start) is None


def _strong(value: str, quote: str | None) -> bool:
    if len(value) < 8 or _wordy(value):
        return False
    if value.isdigit():
        return bool(quote) and len(value) >= 10
    if not any(map(str.isdigit, value)):
        # Without digits only long mixed strings are keys; words joined by capitals are names.
        return len(value) >= 20 and bits_per_character(value) >= 3.9
    return bits_per_character(value) >= 2.6


_WORDS = re.compile(r"^(?:[a-z]{2,}|[A-Z][a-z]+)(?:[_\-./:][A-Za-z]{2,}|[A-Z][a-z]+)*\d{0,2}$")


def _wordy(value: str) -> bool:
    return _WORDS.match(value) is not None and not (len(value) > 30 and "-" not in value)


def _password(view: View, start: int, end: int) -> Found | None:
    text = view.text
    # Short words are anchored with their sign or blank, which is also where the value begins.
    if text[end - 1] in ":= " and text[start : start + 2].lower() in ("pw", "pa", "pi"):
        end -= 1
    if start > 0 and text[start - 1].isalpha() and text[start] != text[start].upper():
        return None
    # `$PASSWORD` names a variable, and what follows it is something else.
    if text[start - 1 : start] in ("$", "%", "{"):
        return None
    match = _PASSWORD_ASSIGNED.match(text, end)
    said = match is None
    if match is None:
        match = _PASSWORD_SAID.match(text, end)
    if match is None:
        return None
    value = _trimmed(match.group("value"))
    if len(value) < 4 or _CODE.match(value) is not None or placeholder(value):
        return None
    if value.endswith("(") or (
        "(" in value and value.split("(")[0].replace("_", "").replace(".", "").isalpha()
    ):
        return None
    if not _password_like(value, quoted=bool(match.group("quote")), said=said):
        return None
    return _found("password", match.start("value"), value, 0.75 if said else 0.9)


def _password_like(value: str, *, quoted: bool, said: bool) -> bool:
    symbols = sum(not c.isalnum() for c in value)
    digits = sum(c.isdigit() for c in value)
    letters = len(value) - symbols - digits
    if said and value[-1] in "!?" and value[:-1].isalpha():
        return False
    if letters and (
        digits or (symbols and not re.fullmatch(r"[A-Za-z]+(?:[-'/_.][A-Za-z]+)*", value))
    ):
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


def _found(kind: str, start: int, value: str, confidence: float) -> Found:
    return Found(kind, start, start + len(value), confidence)


DETECTOR = Detector(name="assignment", anchors=_ANCHORS, look=_look)
