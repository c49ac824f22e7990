"""Virtual keys: their text, who they resolve to, and how fast they end."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import StoreUnavailable, Unauthenticated
from gateway.core.principal import KeyBudget, Principal
from gateway.core.sensitivity import Sensitivity
from gateway.stores import keys as virtual_keys
from gateway.stores.connection import RedisConnection
from gateway.stores.embedded import open_embedded
from gateway.stores.endpoint import open_client
from gateway.stores.keybook import KeyBook, NewKey, UnknownKey
from gateway.stores.keys import KeyResolver, key_text, read_key

PEPPER = b"a pepper of at least sixteen bytes"
NOW = 1_790_000_000.0


class Clock:
    """A clock that stands still until it is told to move."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        """The present moment."""
        return self.now


@pytest.fixture
def wall() -> Clock:
    """The calendar clock."""
    return Clock(NOW)


@pytest.fixture
def ticking() -> Clock:
    """The clock that ages cached answers."""
    return Clock(100.0)


@pytest.fixture
def book(client: redis.Redis, wall: Clock) -> KeyBook:
    """The keys of an empty database."""
    return KeyBook(client, PEPPER, wall=wall)


@pytest.fixture
def resolver(connection: RedisConnection, wall: Clock, ticking: Clock) -> KeyResolver:
    """A gateway's view of the same keys."""
    return KeyResolver(connection, PEPPER, monotonic=ticking, wall=wall)


async def refusal(resolver: KeyResolver, text: str) -> str:
    """The message with which a key is refused."""
    with pytest.raises(Unauthenticated) as caught:
        await resolver.resolve(text)
    return caught.value.public_message


async def test_a_key_resolves_to_all_that_was_asked_for(
    book: KeyBook, resolver: KeyResolver
) -> None:
    """Scopes, models, clearance, tags and budget come back as they were given."""
    issued = book.create(
        NewKey(
            org="acme",
            team="support",
            app="bot",
            user="u@acme.test",
            models=("auto", "gpt-4o"),
            max_sensitivity=Sensitivity.CONFIDENTIAL,
            tags=(("env", "prod"),),
            budget=KeyBudget(cap_nanousd=5, per="day"),
        )
    )

    assert await resolver.resolve(issued.text) == Principal(
        key_id=issued.stored.id,
        org="acme",
        team="support",
        app="bot",
        user="u@acme.test",
        models=("auto", "gpt-4o"),
        max_sensitivity=Sensitivity.CONFIDENTIAL,
        tags=(("env", "prod"),),
        budget=KeyBudget(cap_nanousd=5, per="day"),
    )


def test_the_secret_is_nowhere_in_redis(book: KeyBook, client: redis.Redis) -> None:
    """Neither the key's text nor its secret part is stored or shown by a repr."""
    issued = book.create(NewKey())
    secret = issued.text.split("_")[2][: virtual_keys.SECRET_LENGTH]
    stored = b" ".join(client.get(key) or b"" for key in client.keys("fairlead:key:*"))

    assert issued.stored.id.encode() in stored
    assert secret.encode() not in stored
    assert secret not in repr(issued) + repr(issued.stored)


async def test_every_way_to_be_wrong_has_words_of_its_own(
    book: KeyBook, resolver: KeyResolver, wall: Clock
) -> None:
    """Missing, malformed, unknown, expired and revoked keys are told apart."""
    expiring = book.create(NewKey(expires_at=NOW + 10))
    revoked = book.create(NewKey())
    book.revoke(revoked.stored.id)
    wall.now = NOW + 10

    assert await refusal(resolver, "") == virtual_keys.MISSING
    assert await refusal(resolver, "sk-something-else") == virtual_keys.MALFORMED
    assert await refusal(resolver, "fl_\ud800") == virtual_keys.MALFORMED
    assert await refusal(resolver, key_text("A" * 12, "B" * 43)) == virtual_keys.UNKNOWN
    assert await refusal(resolver, expiring.text) == virtual_keys.EXPIRED
    assert await refusal(resolver, revoked.text) == virtual_keys.REVOKED


async def test_who_does_not_know_the_secret_does_not_learn_that_a_key_was_revoked(
    book: KeyBook, resolver: KeyResolver
) -> None:
    """A right id with a wrong secret is unknown, whatever state the key is in."""
    issued = book.create(NewKey())
    book.revoke(issued.stored.id)

    forged = key_text(issued.stored.id, "x" * 43)

    assert await refusal(resolver, forged) == virtual_keys.UNKNOWN


async def test_a_malformed_key_never_reaches_redis(wall: Clock, ticking: Clock) -> None:
    """A typo is refused by its checksum even while Redis is away."""
    nowhere = RedisConnection("redis://127.0.0.1:1/0")
    resolver = KeyResolver(nowhere, PEPPER, monotonic=ticking, wall=wall)
    good = key_text("A" * 12, "B" * 43)

    assert await refusal(resolver, good[:-1] + ("0" if good[-1] != "0" else "1")) == (
        virtual_keys.MALFORMED
    )
    with pytest.raises(StoreUnavailable):
        await resolver.resolve(good)
    await nowhere.close()


async def test_a_revocation_is_effective_within_a_second(
    book: KeyBook, resolver: KeyResolver, ticking: Clock
) -> None:
    """An answer from before the revocation is reused for half a second and no longer."""
    issued = book.create(NewKey())
    await resolver.resolve(issued.text)
    book.revoke(issued.stored.id)
    ticking.now += 0.49
    cached = await resolver.resolve(issued.text)
    ticking.now += 0.02

    assert cached.key_id == issued.stored.id
    assert await refusal(resolver, issued.text) == virtual_keys.REVOKED


async def test_a_refusal_is_forgotten_soon(
    book: KeyBook, resolver: KeyResolver, client: redis.Redis, ticking: Clock
) -> None:
    """A key that is made right after it was tried works after the shorter pause."""
    issued = book.create(NewKey())
    name = f"fairlead:key:{issued.stored.id}"
    entry = client.get(name)
    client.delete(name)
    first = await refusal(resolver, issued.text)
    client.set(name, entry)
    ticking.now += 0.1
    still = await refusal(resolver, issued.text)
    ticking.now += 0.11

    assert first == still == virtual_keys.UNKNOWN
    assert (await resolver.resolve(issued.text)).key_id == issued.stored.id


async def test_nobody_is_let_in_on_an_old_answer_while_redis_is_away(
    tmp_path: Path, wall: Clock, ticking: Clock
) -> None:
    """When the cached answer is too old and Redis is gone, the answer is an error."""
    embedded = open_embedded(tmp_path)
    with open_client(embedded.url) as client:
        issued = KeyBook(client, PEPPER, wall=wall).create(NewKey())
    connection = RedisConnection(embedded.url)
    resolver = KeyResolver(connection, PEPPER, monotonic=ticking, wall=wall)
    await resolver.resolve(issued.text)
    embedded.close()
    cached = await resolver.resolve(issued.text)
    ticking.now += 0.6
    with pytest.raises(StoreUnavailable):
        await resolver.resolve(issued.text)
    await connection.close()

    assert cached.key_id == issued.stored.id


async def test_rotation_ends_the_old_text_at_once_or_after_its_grace(
    book: KeyBook, resolver: KeyResolver, wall: Clock, ticking: Clock
) -> None:
    """The new text works immediately; the old one only within the grace period."""
    first = book.create(NewKey(team="support"))
    second = book.rotate(first.stored.id, grace_seconds=60)
    during = await resolver.resolve(first.text)
    wall.now, ticking.now = NOW + 60, ticking.now + 60
    after = await refusal(resolver, first.text)
    third = book.rotate(first.stored.id)

    assert during.team == "support"
    assert after == virtual_keys.UNKNOWN
    assert await refusal(resolver, second.text) == virtual_keys.UNKNOWN
    assert (await resolver.resolve(third.text)).key_id == first.stored.id


async def test_keys_of_another_pepper_are_unknown(
    book: KeyBook, connection: RedisConnection
) -> None:
    """The database alone, without the pepper, opens nothing."""
    issued = book.create(NewKey())
    resolver = KeyResolver(connection, b"another pepper of sixteen bytes", wall=Clock(NOW))

    assert await refusal(resolver, issued.text) == virtual_keys.UNKNOWN


def test_keys_are_listed_in_the_order_they_were_made(book: KeyBook, wall: Clock) -> None:
    """The list shows revoked and expired keys too, with their state."""
    first = book.create(NewKey(name="first", expires_at=NOW + 5))
    wall.now += 1
    second = book.create(NewKey(name="second"))
    book.revoke(second.stored.id)
    states = [(key.name, key.state(NOW + 10)) for key in book.all()]

    assert states == [("first", "expired"), ("second", "revoked")]
    assert book.find(first.stored.id) == first.stored
    assert book.revoke(second.stored.id).revoked_at == NOW + 1


def test_an_unknown_id_and_a_revoked_key_cannot_be_rotated(book: KeyBook) -> None:
    """A revoked key stays revoked; an id that is not there is an error."""
    issued = book.create(NewKey())
    book.revoke(issued.stored.id)

    with pytest.raises(ValueError, match="was revoked"):
        book.rotate(issued.stored.id)
    with pytest.raises(UnknownKey):
        book.rotate("nobody")


@pytest.mark.parametrize(
    "fields",
    [
        {"team": "a b"},
        {"org": ""},
        {"org": "a{b}"},
        {"user": "line\nbreak"},
        {"app": "x" * 65},
        {"budget": KeyBudget(cap_nanousd=2**53)},
        {"budget": KeyBudget(cap_nanousd=5, per="year")},
    ],
)
def test_names_and_budgets_that_cannot_be_counted_are_refused(fields: dict[str, object]) -> None:
    """Scope names become parts of Redis keys, so their characters are limited."""
    with pytest.raises(ValueError, match=r"cannot be the name|must lie between|is not a period"):
        NewKey(**fields)  # type: ignore[arg-type]


@given(
    key_id=st.text("0AZaz9", min_size=12, max_size=12),
    secret=st.text("0AZaz9", min_size=43, max_size=43),
    at=st.integers(min_value=0, max_value=64),
    wrong=st.sampled_from("05BYby_-é"),
)
def test_one_wrong_character_is_noticed_without_asking(
    key_id: str, secret: str, at: int, wrong: str
) -> None:
    """The text reads back to its parts, and no single change goes unseen."""
    text = key_text(key_id, secret)
    changed = text[:at] + wrong + text[at + 1 :]

    assert len(text) == 65
    assert read_key(text) == (key_id, secret)
    assert changed == text or read_key(changed) is None
