"""Addresses of Bitcoin, Ethereum and other wallets.

Bad: `send 0.02 to 161toRFJv...`. Good: transaction hashes and commit ids.
"""

from __future__ import annotations

import hashlib
import re

from gateway.classify.detectors.base import WALLET_WORD, Detector, Found, View, near, words

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_LEGACY = re.compile(rf"(?<![A-Za-z0-9])[13LMDn2][{_BASE58}]{{25,34}}(?![A-Za-z0-9])")
_SEGWIT = re.compile(
    r"(?<![A-Za-z0-9])(?:bc1|tb1|ltc1|addr1)[ac-hj-np-z02-9]{25,100}(?![A-Za-z0-9])", re.I
)
_ETHER = re.compile(r"(?<![A-Za-z0-9])0x[0-9a-fA-F]{40}(?![A-Za-z0-9])")
_TRON = re.compile(rf"(?<![A-Za-z0-9])T[{_BASE58}]{{33}}(?![A-Za-z0-9])")
_MONERO = re.compile(rf"(?<![A-Za-z0-9])[48][0-9AB][{_BASE58}]{{93}}(?![A-Za-z0-9])")
_CONTEXT = words(
    r"wallet|bitcoin|\bbtc\b|litecoin|crypto|doge|coin|address|send|tron|usdt|solana|\bsol\b"
)


# The anchor that includes the character before the address.
_AFTER_SIGN = 5


def base58_check(address: str) -> bool:
    """Whether the last four bytes are the double SHA-256 checksum of the rest."""
    number = 0
    for character in address:
        number = number * 58 + _BASE58.index(character)
    try:
        raw = number.to_bytes(25, "big")
    except OverflowError:
        return False
    digest = hashlib.sha256(hashlib.sha256(raw[:-4]).digest()).digest()
    return digest[:4] == raw[-4:]


def _look(view: View, which: int, start: int, end: int) -> Found | None:
    text = view.text
    if which == 0:
        match = _ETHER.match(text, start)
        return Found("crypto_wallet", *match.span(), 0.9) if match else None
    if which in (1, 2, 3, 4):
        match = _SEGWIT.match(text, start)
        return Found("crypto_wallet", *match.span(), 0.95) if match else None
    if which == _AFTER_SIGN:
        start += 1
    for shape in (_LEGACY, _TRON):
        match = shape.match(text, start)
        if match is not None and base58_check(match.group()):
            return Found("crypto_wallet", *match.span(), 0.97)
    match = _MONERO.match(text, start)
    if match is not None and near(view, *match.span(), _CONTEXT, 40, 20):
        return Found("crypto_wallet", *match.span(), 0.8)
    return None


DETECTOR = Detector(
    name="crypto_wallet",
    anchors=(
        "0x[0-9a-f]{8}",
        "bc1[a-z0-9]{5}",
        "tb1[a-z0-9]{5}",
        "ltc1[a-z0-9]{5}",
        "addr1[a-z0-9]{5}",
        WALLET_WORD,
    ),
    look=_look,
)
