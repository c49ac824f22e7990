"""Private key material: PEM, PGP, OpenSSH, PuTTY, JSON web keys, wallets' raw keys.

Bad: a `-----BEGIN ... PRIVATE KEY-----` block with a body. Good: only the header in a question.
"""

from __future__ import annotations

import hashlib
import re

from gateway.classify.detectors.base import WALLET_WORD, Detector, Found, View

#: The largest key body that is looked through, in characters.
LONGEST_BODY = 24_000

_HEADER = re.compile(r"-{3,5} ?BEGIN[ A-Za-z0-9_]{0,60}PRIVATE KEY(?: BLOCK)?-{0,5}")
_FOOTER = "-----END"
_BODY = re.compile(r"[A-Za-z0-9+/=]{16}")
_FOOTER_LINE = re.compile(r"-{3,5}END[ A-Za-z0-9_]{0,60}-{3,5}")
_MATERIAL = re.compile(r"[A-Za-z0-9+/=\s\\\"':,\-#.]{16,4000}")
_PUTTY = re.compile(r"Private-Lines: \d{1,3}\s{1,4}[A-Za-z0-9+/=\s]{40,6000}")
# The private part of a JSON web key (RFC 7518, 6.2.2 and 6.3.2).
_WEB_KEY = re.compile(r"[\"']d[\"'] ?: ?[\"'](?P<key>[A-Za-z0-9_\-]{40,1400})[\"']")
_KEY_TYPE = re.compile(r"[\"']kty[\"']")
_RAW = re.compile(r"(?<![0-9A-Za-z])(?:0x)?[0-9a-fA-F]{64}(?![0-9A-Za-z])")
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_WALLET = re.compile(rf"(?<![A-Za-z0-9])[5KLc9][{_BASE58}]{{50,51}}(?![A-Za-z0-9])")


def _look(view: View, which: int, start: int, end: int) -> Found | None:
    if which == _PUTTY_AT:
        return _whole(_PUTTY.match(view.text, start))
    if which in _WEB_KEY_AT:
        return _web_key(view, start)
    if which == _WALLET_AT:
        return _wallet(view, start)
    return _block(view, start, end) or _raw(view, start, end)


def _whole(match: re.Match[str] | None, group: int | str = 0) -> Found | None:
    return None if match is None else Found("private_key", *match.span(group), 0.95)


def _block(view: View, start: int, end: int) -> Found | None:
    text = view.text
    header = _HEADER.search(text, max(0, start - 70), end + 12)
    if header is None or header.end() < end:
        return None
    body = _BODY.search(text, header.end(), header.end() + 300)
    if body is None:
        return None
    footer = text.find(_FOOTER, header.end(), header.end() + LONGEST_BODY)
    if footer < 0:
        material = _MATERIAL.match(text, header.end())
        finish = body.end() if material is None else material.end()
        return Found("private_key", header.start(), finish, 0.95)
    line = _FOOTER_LINE.match(text, footer)
    finish = footer + len(_FOOTER) if line is None else line.end()
    return Found("private_key", header.start(), finish, 0.99)


def _raw(view: View, start: int, end: int) -> Found | None:
    after = _RAW.search(view.text, end, end + 110)
    return _whole(after or _RAW.search(view.text, max(0, start - 110), start))


def _web_key(view: View, start: int) -> Found | None:
    match = _WEB_KEY.match(view.text, start)
    if (
        match is None
        or _KEY_TYPE.search(view.text, max(0, start - 2000), match.end() + 2000) is None
    ):
        return None
    return _whole(match, "key")


def _wallet(view: View, start: int) -> Found | None:
    match = _WALLET.match(view.text, start + 1)
    if match is None or not _checked(match.group()):
        return None
    return _whole(match)


def _checked(text: str) -> bool:
    number = 0
    for character in text:
        number = number * 58 + _BASE58.index(character)
    raw = number.to_bytes(40, "big").lstrip(b"\0")
    return hashlib.sha256(hashlib.sha256(raw[:-4]).digest()).digest()[:4] == raw[-4:]


_ANCHORS = (
    "private key", "private_key", "privatekey", "private-lines: ", '"d":"', '"d": "', "'d': '",
    WALLET_WORD,
)  # fmt: skip
_PUTTY_AT = 3
_WEB_KEY_AT = (4, 5, 6)
_WALLET_AT = 7

DETECTOR = Detector(name="private_key", anchors=_ANCHORS, look=_look)
