"""Keeps one worker's classifiers at the documents that are registered in Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from gateway.classify.fingerprints import Document, FingerprintIndex
from gateway.runtime.classifiers import Classifiers
from gateway.stores.connection import RedisConnection
from gateway.stores.fingerprints import documents, hasher, stamp
from gateway.stores.versions import ask

#: How often changes are looked for; seconds.
FINGERPRINT_SECONDS = 2.0


class FingerprintFollower:
    """Follows the registered documents."""

    def __init__(
        self, connection: RedisConnection, pepper: bytes, classifiers: Classifiers
    ) -> None:
        self._connection = connection
        self._hasher = hasher(pepper)
        self._classifiers = classifiers
        self._stamp: bytes | None = None

    async def look(self) -> None:
        """Take over the documents if they have changed.

        Raises:
            StoreUnavailable: Redis does not answer; what was known stays known.
        """
        now = await ask(self._connection, stamp())
        if now == self._stamp:
            return
        known = await ask(self._connection, documents())
        index = await asyncio.get_running_loop().run_in_executor(None, self._index, known)
        self._classifiers.look_for(index)
        self._stamp = now

    def _index(self, known: Sequence[Document]) -> FingerprintIndex | None:
        return FingerprintIndex(known, self._hasher) if known else None
