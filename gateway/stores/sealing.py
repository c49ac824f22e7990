"""Sealing what is kept at rest: AES-256-GCM under keys derived from the pepper, by org and purpose.

Someone with the database alone reads nothing, and a sealed value that is moved to another org,
purpose or key of the database does not open. The format: one version byte, a random nonce of 12
bytes, then ciphertext with its tag.
"""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_VERSION = b"\x01"
_NONCE_BYTES = 12
_KEY_BYTES = 32


class Unsealable(ValueError):
    """The bytes were not sealed with this pepper for this org, purpose and place."""


class Vault:
    """Seals and opens for one purpose; `pepper` is the installation's secret."""

    def __init__(self, pepper: bytes, purpose: str) -> None:
        self._pepper = pepper
        self._purpose = purpose
        self._ciphers: dict[str, AESGCM] = {}

    def seal(self, org: str, place: str, plain: bytes) -> bytes:
        """Ciphertext that opens only for the same org at the same place (a key of the store)."""
        nonce = os.urandom(_NONCE_BYTES)
        return _VERSION + nonce + self._cipher(org).encrypt(nonce, plain, place.encode())

    def open(self, org: str, place: str, sealed: bytes) -> bytes:
        """What was sealed.

        Raises:
            Unsealable: it was changed, moved, or sealed under another pepper.
        """
        nonce, rest = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        if sealed[:1] != _VERSION or len(nonce) != _NONCE_BYTES:
            raise Unsealable("not a sealed value of this version")
        try:
            return self._cipher(org).decrypt(nonce, rest, place.encode())
        except (InvalidTag, ValueError):
            raise Unsealable("a sealed value does not open with this pepper") from None

    def _cipher(self, org: str) -> AESGCM:
        cipher = self._ciphers.get(org)
        if cipher is None:
            context = b"fairlead/sealing\x00" + self._purpose.encode() + b"\x00" + org.encode()
            derived = HKDF(SHA256(), _KEY_BYTES, salt=None, info=context).derive(self._pepper)
            cipher = self._ciphers[org] = AESGCM(derived)
        return cipher
