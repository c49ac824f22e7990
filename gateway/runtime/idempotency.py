"""`Idempotency-Key`: the same request twice is one call upstream and one answer for both.

Rules of this file:
- a key belongs to one virtual key; another request under it is refused with 409;
- who comes while the first request runs waits for its answer, by polling within the request's
  own time; who holds the claim renews its lease, so that only a dead gateway loses it;
- what is kept is final: an answer, or a refusal that would be the same again. After anything
  else (a failure, a broken stream, a client that left) the next one in the queue tries itself;
- an answer that is too large is not kept, which a header says where it is known in time.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Iterator
from hashlib import sha256
from time import monotonic

from gateway.core.errors import InvalidRequest, KeyReused, StillRunning, StoreUnavailable
from gateway.core.principal import Principal
from gateway.runtime.client import Client, ClientDisconnected
from gateway.runtime.exchange import Exchange
from gateway.runtime.turn import LEASE_SECONDS, Turn
from gateway.stores.idempotency import Claim, Entry, IdempotencyStore

#: The largest body that is kept, in bytes.
LARGEST_KEPT = 1024 * 1024
#: First and longest pause between two looks at a running request, in seconds.
_SHORTEST_PAUSE = 0.02
_LONGEST_PAUSE = 0.25

_KEY = re.compile(r"[\x20-\x7e]{1,255}")
#: Refusals that another try may not meet.
_PASSING = frozenset({401, 408, 409, 425, 429, 499})


class Idempotency:
    """Answers repeated requests from the first one's answer."""

    def __init__(self, store: IdempotencyStore) -> None:
        self._store = store

    async def replayed(self, exchange: Exchange, raw: bytes) -> bool:
        """Answer from what is kept; False when this exchange is the first and must serve.

        Raises:
            InvalidRequest: the key is empty, too long or not printable.
            KeyReused: the key stands for another request.
            StillRunning: the first request took longer than this one may wait.
            ClientDisconnected: the client left while it waited.
        """
        if b"idempotency-key" not in exchange.client.headers:
            return False
        key = exchange.client.header(b"idempotency-key")
        if not _KEY.fullmatch(key):
            raise InvalidRequest(
                "The header Idempotency-Key must have 1 to 255 printable ASCII characters.",
                param="idempotency-key",
            )
        fingerprint = fingerprint_of(exchange.caller, exchange.client.path, raw)
        found = await self._claim(exchange, key, fingerprint)
        if isinstance(found, Claim):
            exchange.turn = Turn(self._store, found, LARGEST_KEPT)
            exchange.client.tape = exchange.turn.tape
            exchange.turn.begin()
            return False
        await _replay(exchange, found)
        return True

    async def conclude(self, exchange: Exchange) -> None:
        """Keep the answer of a first request if it is final, else let the next one try."""
        turn = exchange.turn
        if turn is None:
            return
        # What cannot be written now ends with the claim's lease.
        with contextlib.suppress(StoreUnavailable):
            await asyncio.shield(turn.end(final=is_final(exchange.outcome, exchange.status)))

    async def _claim(self, exchange: Exchange, key: str, fingerprint: bytes) -> Claim | Entry:
        """The claim, or the first request's answer once there is one."""
        principal = exchange.caller
        latest = monotonic() + exchange.ruling.policy.defaults.request_timeout_seconds
        pause = _SHORTEST_PAUSE
        with _leaving_noticed(exchange.client):
            while True:
                found = await self._store.claim(
                    principal.org, principal.key_id, key, fingerprint, LEASE_SECONDS
                )
                if isinstance(found, Claim):
                    return found
                if found.fingerprint != fingerprint:
                    raise KeyReused(
                        "This Idempotency-Key came before with another request. Use a new key "
                        "for each request, and the same key only to repeat one.",
                        param="idempotency-key",
                    )
                if not found.running:
                    return found
                if monotonic() + pause > latest:
                    raise StillRunning(
                        "The first request under this Idempotency-Key is still running.",
                        param="idempotency-key",
                        retry_after=1.0,
                    )
                await asyncio.sleep(pause)
                pause = min(_LONGEST_PAUSE, pause * 2)


def is_final(outcome: str, status: int) -> bool:
    """Whether the same request would be answered so again."""
    if outcome == "served":
        return True
    return outcome in ("refused", "failed") and 400 <= status < 500 and status not in _PASSING


def fingerprint_of(principal: Principal, path: str, raw: bytes) -> bytes:
    """SHA-256 of who asks for what; parts are told apart by their lengths."""
    digest = sha256()
    for part in (principal.org, principal.team, principal.app, principal.user, principal.key_id):
        digest.update(b"%d:" % len(part.encode()) + part.encode())
    digest.update(b"%d:" % len(path.encode()) + path.encode())
    digest.update(raw)
    return digest.digest()


async def _replay(exchange: Exchange, entry: Entry) -> None:
    exchange.outcome, exchange.status = "replayed", entry.status
    headers = [*entry.headers, (b"x-fairlead-idempotent-replay", b"true")]
    await exchange.client.start(entry.status, headers)
    await exchange.client.end(entry.body)


@contextlib.contextmanager
def _leaving_noticed(client: Client) -> Iterator[None]:
    """While entered, a client that leaves ends the waiting; see `gateway.runtime.client.Watch`."""
    try:
        with client.watch():
            yield
    except asyncio.CancelledError:
        if not client.gone:
            raise  # the gateway is shutting down
        if (task := asyncio.current_task()) is not None:
            task.uncancel()
        raise ClientDisconnected from None
