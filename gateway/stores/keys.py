"""Virtual keys: their text, what is stored of them, and who a text resolves to.

Rules of this file:
- the secret is never stored, only its HMAC-SHA256 under the pepper;
- a text whose checksum is wrong is refused without asking Redis;
- a cached answer lives half a second at most, so a revoked key stops within a second, and it
  is found by a hash of the whole text, never by a part of it;
- when Redis is away nobody is let in on an old answer, unless policy says how old it may be.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
import zlib
from collections.abc import Callable
from typing import TypeVar

import msgspec

from gateway.core.errors import StoreUnavailable, Unauthenticated
from gateway.core.principal import KeyBudget, Principal
from gateway.core.sensitivity import Sensitivity
from gateway.stores import names
from gateway.stores.connection import RedisConnection

_Answer = TypeVar("_Answer")

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ID_LENGTH = 12
#: 43 base62 digits hold 256 bits.
SECRET_LENGTH = 43
_CHECKSUM_LENGTH = 6
_FORM = re.compile(
    f"fl_([0-9A-Za-z]{{{ID_LENGTH}}})_([0-9A-Za-z]{{{SECRET_LENGTH}}})"
    f"([0-9A-Za-z]{{{_CHECKSUM_LENGTH}}})"
)

#: How long answers are reused, in seconds, and how many are kept.
GOOD_SECONDS = 0.5
BAD_SECONDS = 0.2
_MOST_ANSWERS = 10_000

MISSING = (
    "No API key was sent. Send a Fairlead key as 'Authorization: Bearer fl_...' or 'x-api-key'."
)
MALFORMED = "The API key is not a Fairlead key (fl_...), or a character of it is missing or wrong."
UNKNOWN = "The API key is not known here."
EXPIRED = "The API key has expired."
REVOKED = "The API key has been revoked."


class StoredKey(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What Redis keeps of one virtual key; times are epoch seconds.

    `previous_hash` is the secret before the last rotation, good until `previous_until`.
    """

    id: str
    secret_hash: str
    created_at: float
    name: str = ""
    org: str = "default"
    team: str = "default"
    app: str = ""
    user: str = ""
    models: tuple[str, ...] = ()
    max_sensitivity: Sensitivity = Sensitivity.RESTRICTED
    tags: tuple[tuple[str, str], ...] = ()
    budget: KeyBudget | None = None
    expires_at: float | None = None
    revoked_at: float | None = None
    previous_hash: str = ""
    previous_until: float = 0.0

    def principal(self) -> Principal:
        """Who the key speaks for."""
        return Principal(
            key_id=self.id,
            org=self.org,
            team=self.team,
            app=self.app,
            user=self.user,
            models=self.models,
            max_sensitivity=self.max_sensitivity,
            tags=self.tags,
            budget=self.budget,
        )

    def state(self, now: float) -> str:
        """active, expired or revoked."""
        if self.revoked_at is not None and self.revoked_at <= now:
            return "revoked"
        if self.expires_at is not None and self.expires_at <= now:
            return "expired"
        return "active"


def base62(number: int, length: int) -> str:
    """The number in `length` digits of 0-9A-Za-z."""
    digits: list[str] = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


def key_text(key_id: str, secret: str) -> str:
    """The key as its holder sees it, checksum included."""
    body = f"fl_{key_id}_{secret}"
    return body + base62(zlib.crc32(body.encode()), _CHECKSUM_LENGTH)


def read_key(text: str) -> tuple[str, str] | None:
    """The public id and the secret of a key's text, or None when it cannot be a key."""
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    key_id, secret, _ = match.groups()
    return (key_id, secret) if key_text(key_id, secret) == text else None


def hash_secret(pepper: bytes, secret: str) -> str:
    """What is stored instead of a secret."""
    return hmac.digest(pepper, secret.encode(), "sha256").hex()


def check_key(stored: StoredKey | None, pepper: bytes, secret: str, now: float) -> str:
    """Why this secret does not open this key at `now`, in words for the caller; '' if it does.

    Whoever does not know the secret learns nothing about the key's state.
    """
    given = hash_secret(pepper, secret)
    # One comparison is made in any case, so that a missing key takes no less time.
    known = stored.secret_hash if stored is not None else hash_secret(pepper, "")
    good = hmac.compare_digest(given, known)
    if stored is None:
        return UNKNOWN
    if not good and stored.previous_hash and now < stored.previous_until:
        good = hmac.compare_digest(given, stored.previous_hash)
    if not good:
        return UNKNOWN
    return {"revoked": REVOKED, "expired": EXPIRED}.get(stored.state(now), "")


class KeyResolver:
    """Turns the text that came with a request into a principal."""

    def __init__(
        self,
        connection: RedisConnection,
        pepper: bytes,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._connection = connection
        self._pepper = pepper
        self._monotonic = monotonic
        self._wall = wall
        self._decode = msgspec.json.Decoder(StoredKey).decode
        # Two caches, so that a flood of invented keys cannot push the good ones out.
        self._good: dict[bytes, tuple[float, Principal]] = {}
        self._bad: dict[bytes, tuple[float, str]] = {}

    async def resolve(self, text: str, *, stale_seconds: float = 0.0) -> Principal:
        """Who holds this key.

        Args:
            stale_seconds: how old a good answer may be when Redis does not answer.

        Raises:
            Unauthenticated: no key, or a malformed, unknown, expired or revoked one.
            StoreUnavailable: Redis does not answer and no fresh answer is at hand.
        """
        if not text:
            raise Unauthenticated(MISSING, code="missing_api_key")
        # A lone surrogate in a header must be a wrong key, not a crash.
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        now = self._monotonic()
        cached = self._good.get(digest)
        if cached is not None and now < cached[0]:
            return cached[1]
        refused = self._bad.get(digest)
        if refused is not None and now < refused[0]:
            raise Unauthenticated(refused[1])
        parts = read_key(text)
        if parts is None:
            raise Unauthenticated(MALFORMED)
        try:
            return await self._look_up(digest, *parts, now)
        except StoreUnavailable:
            if cached is not None and now < cached[0] + stale_seconds:
                return cached[1]
            raise

    async def _look_up(self, digest: bytes, key_id: str, secret: str, now: float) -> Principal:
        # The answer's age counts from before the question was asked.
        reply = await self._connection.execute("GET", names.virtual_key(key_id), idempotent=True)
        stored = self._decode(reply) if isinstance(reply, bytes) else None
        problem = check_key(stored, self._pepper, secret, self._wall())
        if problem or stored is None:
            self._good.pop(digest, None)
            _keep(self._bad, digest, (now + BAD_SECONDS, problem))
            raise Unauthenticated(problem)
        principal = stored.principal()
        _keep(self._good, digest, (now + GOOD_SECONDS, principal))
        return principal


def _keep(cache: dict[bytes, _Answer], digest: bytes, answer: _Answer) -> None:
    cache.pop(digest, None)
    if len(cache) >= _MOST_ANSWERS:
        del cache[next(iter(cache))]
    cache[digest] = answer
