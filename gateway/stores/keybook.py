"""Making, listing, revoking and rotating virtual keys; blocking, for commands and start-up."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable
from typing import cast

import msgspec
import redis

from gateway.core.budgets import BudgetCounter
from gateway.core.principal import KeyBudget
from gateway.core.sensitivity import Sensitivity
from gateway.stores import names
from gateway.stores.keys import (
    ID_LENGTH,
    SECRET_LENGTH,
    StoredKey,
    base62,
    hash_secret,
    key_text,
)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")


class UnknownKey(Exception):
    """No virtual key has this id."""


class NewKey(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for when a key is made; `expires_at` is in epoch seconds.

    Raises:
        ValueError: a scope's name has characters that names may not have, or a bad budget.
    """

    org: str = "default"
    team: str = "default"
    app: str = ""
    user: str = ""
    name: str = ""
    models: tuple[str, ...] = ()
    max_sensitivity: Sensitivity = Sensitivity.RESTRICTED
    tags: tuple[tuple[str, str], ...] = ()
    budget: KeyBudget | None = None
    expires_at: float | None = None

    def __post_init__(self) -> None:
        for scope in ("org", "team", "app", "user"):
            named: str = getattr(self, scope)
            optional = scope in ("app", "user")
            if not (optional and not named) and _NAME.fullmatch(named) is None:
                raise ValueError(
                    f"'{named}' cannot be the name of the {scope}: use 1 to 64 of the characters "
                    "A-Z a-z 0-9 . _ @ + - and begin with a letter or digit"
                )
        if self.budget is not None:
            BudgetCounter(
                scope="this key", per=self.budget.per, cap_nanousd=self.budget.cap_nanousd
            )


class IssuedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key with its text, which exists only here: it cannot be read again later."""

    stored: StoredKey
    text: str

    def __repr__(self) -> str:
        return f"IssuedKey({self.stored.id})"


class KeyBook:
    """The virtual keys of one Redis. Methods raise `redis.RedisError` when it is away."""

    def __init__(
        self, client: redis.Redis, pepper: bytes, *, wall: Callable[[], float] = time.time
    ) -> None:
        self._client = client
        self._pepper = pepper
        self._wall = wall

    def create(self, wanted: NewKey) -> IssuedKey:
        """Make a key."""
        key_id, secret = _random_text(ID_LENGTH), _random_text(SECRET_LENGTH)
        stored = StoredKey(
            id=key_id,
            secret_hash=hash_secret(self._pepper, secret),
            created_at=self._wall(),
            **{field: getattr(wanted, field) for field in wanted.__struct_fields__},
        )
        with self._client.pipeline(transaction=False) as pipe:
            pipe.set(names.virtual_key(key_id), msgspec.json.encode(stored), nx=True)
            pipe.sadd(names.KEYS, key_id)
            made, _ = pipe.execute()
        if not made:
            return self.create(wanted)
        return IssuedKey(stored=stored, text=key_text(key_id, secret))

    def find(self, key_id: str) -> StoredKey:
        """One key.

        Raises:
            UnknownKey: there is none with this id.
        """
        found = cast(bytes | None, self._client.get(names.virtual_key(key_id)))
        if found is None:
            raise UnknownKey(key_id)
        return msgspec.json.decode(found, type=StoredKey)

    def all(self) -> tuple[StoredKey, ...]:
        """Every key, revoked and expired ones too, oldest first."""
        ids = sorted(cast(set[bytes], self._client.smembers(names.KEYS)))
        if not ids:
            return ()
        found = cast(
            list[bytes | None],
            self._client.mget([names.virtual_key(key_id.decode()) for key_id in ids]),
        )
        keys = [msgspec.json.decode(entry, type=StoredKey) for entry in found if entry is not None]
        return tuple(sorted(keys, key=lambda key: (key.created_at, key.id)))

    def revoke(self, key_id: str) -> StoredKey:
        """End a key for good; gateways notice within a second.

        Raises:
            UnknownKey: there is none with this id.
        """
        now = self._wall()

        def revoked(stored: StoredKey) -> StoredKey:
            if stored.revoked_at is not None:
                return stored
            return msgspec.structs.replace(stored, revoked_at=now)

        return self._change(key_id, revoked)

    def rotate(self, key_id: str, grace_seconds: float = 0.0) -> IssuedKey:
        """Give a key a new secret; the old one stays good for the grace period.

        Raises:
            UnknownKey: there is none with this id.
            ValueError: the key was revoked.
        """
        secret, now = _random_text(SECRET_LENGTH), self._wall()

        def rotated(stored: StoredKey) -> StoredKey:
            if stored.revoked_at is not None:
                raise ValueError(f"key {key_id} was revoked; make a new one instead")
            return msgspec.structs.replace(
                stored,
                secret_hash=hash_secret(self._pepper, secret),
                previous_hash=stored.secret_hash if grace_seconds > 0 else "",
                previous_until=now + grace_seconds if grace_seconds > 0 else 0.0,
            )

        return IssuedKey(stored=self._change(key_id, rotated), text=key_text(key_id, secret))

    def _change(self, key_id: str, change: Callable[[StoredKey], StoredKey]) -> StoredKey:
        name = names.virtual_key(key_id)
        with self._client.pipeline() as pipe:
            while True:
                pipe.watch(name)  # type: ignore[no-untyped-call]
                changed = change(self.find(key_id))
                pipe.multi()
                pipe.set(name, msgspec.json.encode(changed))
                try:
                    pipe.execute()
                except redis.WatchError:
                    continue
                return changed


def _random_text(length: int) -> str:
    return base62(secrets.randbelow(62**length), length)
