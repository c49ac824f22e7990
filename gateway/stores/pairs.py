"""Judged pairs of an org, sealed, bounded in number and age, for calibrating the difficulty.

An entry is encrypted under a key that only this org's name and the pepper give: the features in it
are hashes of words, which whoever knew them could guess words by.
"""

from __future__ import annotations

from collections.abc import Callable
from time import time
from typing import cast

import msgspec

from gateway.core.judged import JudgedPair, Scored
from gateway.stores import names
from gateway.stores.connection import RedisConnection
from gateway.stores.sealing import Unsealable, Vault

#: Entries that an org keeps, and for how long (seconds); the oldest go first.
MOST_KEPT = 5_000
KEPT_SECONDS = 90 * 86400
#: Entries read at once: a few hundred kilobytes.
_PAGE = 200


class Rating(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What whoever got an answer said of it, 0..1, after it had been judged."""

    request_id: str
    score: float


class Kept(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A judged pair."""

    pair: JudgedPair


class Pairs(msgspec.Struct, frozen=True, kw_only=True):
    """The pairs of an org, oldest first, with later ratings in place of the judge's scores.

    `unreadable` counts entries that were sealed under another pepper.
    """

    pairs: tuple[JudgedPair, ...]
    unreadable: int = 0


class PairStore:
    """Keeps, tells and forgets. Methods raise `StoreUnavailable` when Redis does not answer."""

    def __init__(
        self, connection: RedisConnection, pepper: bytes, clock: Callable[[], float] = time
    ) -> None:
        self._connection = connection
        self._vault = Vault(pepper, "judged pairs")
        self._clock = clock

    async def keep(self, org: str, pair: JudgedPair) -> None:
        """Keep a pair, in place of the oldest where there are too many."""
        await self._add(org, Kept(pair=pair))

    async def rate(self, org: str, request_id: str, score: float) -> None:
        """Note what whoever got the served answer of a pair says of it."""
        await self._add(org, Rating(request_id=request_id, score=score))

    async def load(self, org: str, since: float = 0.0, until: float | None = None) -> Pairs:
        """All pairs that were judged between these (epoch seconds) and are not too old.

        A rating counts whenever it came; `until` itself is not included.
        """
        found: list[JudgedPair] = []
        ratings: dict[str, float] = {}
        unreadable = 0
        earliest = _entry_id(max(since, self._clock() - KEPT_SECONDS))
        place = names.judged_pairs(org)
        while True:
            reply = await self._connection.execute(
                "XRANGE", place, earliest, "+", "COUNT", _PAGE, idempotent=True
            )
            page = cast(list[tuple[bytes, list[bytes]]], reply)
            for entry, (_, sealed) in page:
                asked = until is None or _moment(entry) < until
                match self._open(org, place, sealed):
                    case Kept(pair=pair) if asked:
                        found.append(pair)
                    case Rating(request_id=request_id, score=score):
                        ratings[request_id] = score
                    case None if asked:
                        unreadable += 1
            if len(page) < _PAGE:
                pairs = tuple(_rated(one, ratings) for one in found)
                return Pairs(pairs=pairs, unreadable=unreadable)
            earliest = "(" + page[-1][0].decode()

    async def forget(self, org: str) -> int:
        """Delete all of an org's; how many entries there were."""
        place = names.judged_pairs(org)
        count = await self._connection.execute("XLEN", place, idempotent=True)
        await self._connection.execute("DEL", place, idempotent=True)
        return count if isinstance(count, int) else 0

    async def _add(self, org: str, entry: Kept | Rating) -> None:
        place = names.judged_pairs(org)
        sealed = self._vault.seal(org, place, msgspec.msgpack.encode(entry))
        await self._connection.execute("XADD", place, "MAXLEN", MOST_KEPT, "*", "entry", sealed)
        oldest = _entry_id(self._clock() - KEPT_SECONDS)
        await self._connection.execute("XTRIM", place, "MINID", oldest, idempotent=True)
        await self._connection.execute("EXPIRE", place, KEPT_SECONDS, idempotent=True)

    def _open(self, org: str, place: str, sealed: bytes) -> Kept | Rating | None:
        try:
            opened = self._vault.open(org, place, sealed)
            return msgspec.msgpack.decode(opened, type=Kept | Rating)
        except (Unsealable, msgspec.DecodeError):
            return None


def _rated(pair: JudgedPair, ratings: dict[str, float]) -> JudgedPair:
    score = ratings.get(pair.request_id)
    if score is None:
        return pair
    served: Scored = msgspec.structs.replace(pair.served, score=score)
    return msgspec.structs.replace(pair, served=served)


def _moment(entry: bytes) -> float:
    """When an entry was made, in epoch seconds by the clock of Redis."""
    return int(entry.partition(b"-")[0]) / 1000


def _entry_id(at: float) -> str:
    return str(max(0, int(at * 1000)))
