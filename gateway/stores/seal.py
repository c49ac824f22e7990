"""Sealing the audit log with signed checkpoints, and verifying it against them.

Several gateways may seal at once: a checkpoint is appended only behind the one that it was
computed from, so the slower one's work is simply dropped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import cast

import msgspec
import redis

from gateway.core.chain import Checkpoint, extended, first_head, is_genuine, seal_key, signed
from gateway.stores import names
from gateway.stores.connection import RedisConnection
from gateway.stores.scripts import load_scripts

#: Entries read at once; small, because the connection is shared with requests.
_PAGE = 200
#: A checkpoint is written at least after so many entries, so that damage is narrowed down.
_MOST_PER_CHECKPOINT = 10_000


class Sealer:
    """Writes checkpoints behind what was added to audit logs."""

    def __init__(
        self,
        connection: RedisConnection,
        pepper: bytes,
        *,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._connection = connection
        self._key = seal_key(pepper)
        self._wall = wall
        self._script = load_scripts().seal

    async def seal(self, org: str) -> int:
        """Seal what was added since the last checkpoint; returns how many entries that was.

        Nothing is sealed behind a checkpoint that is not ours; `verify_audit` reports it.

        Raises:
            StoreUnavailable: Redis does not answer; the next call begins where this one did.
        """
        last, usable = await self._last(org)
        if not usable:
            return 0
        head = bytes.fromhex(last.head) if last else first_head(org)
        position, added = last.last_id if last else "0", 0
        while added < _MOST_PER_CHECKPOINT:
            page = await self._page(org, position)
            for entry_id, entry in page:
                head = extended(head, entry_id, entry)
                position = entry_id.decode()
            added += len(page)
            if len(page) < _PAGE:
                break
        if not added:
            return 0
        checkpoint = Checkpoint(
            org=org,
            entries=(last.entries if last else 0) + added,
            last_id=position,
            head=head.hex(),
            previous=last.head if last else "",
            at=self._wall(),
        )
        return added if await self._append(signed(checkpoint, self._key)) else 0

    async def _last(self, org: str) -> tuple[Checkpoint | None, bool]:
        """The last checkpoint, if there is one, and whether sealing may go on from there."""
        stream = names.checkpoints(org)
        reply = await self._connection.execute("XREVRANGE", stream, "+", "-", "COUNT", 1)
        entries = cast(list[tuple[bytes, list[bytes]]], reply)
        if not entries:
            return None, True
        last = _checkpoint(dict(_pairs(entries[0][1])), self._key)
        return last, last is not None

    async def _page(self, org: str, after: str) -> list[tuple[bytes, bytes]]:
        stream = names.audit(org)
        reply = await self._connection.execute("XRANGE", stream, f"({after}", "+", "COUNT", _PAGE)
        entries = cast(list[tuple[bytes, list[bytes]]], reply)
        return [(entry_id, _content(dict(_pairs(fields)))) for entry_id, fields in entries]

    async def _append(self, checkpoint: Checkpoint) -> bool:
        keys = (names.checkpoints(checkpoint.org),)
        args = (checkpoint.previous, checkpoint.head, msgspec.json.encode(checkpoint))
        return await self._connection.run(self._script, keys, args, idempotent=False) == 1


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """What checking one org's audit log found.

    `sealed` entries lie under genuine checkpoints, `unsealed` were added after the last one;
    `problems` are sentences, one for each damaged stretch; `head` is the last checkpoint's.
    """

    org: str
    sealed: int
    unsealed: int
    checkpoints: int
    head: str
    problems: tuple[str, ...] = ()


def verify_audit(client: redis.Redis, org: str, pepper: bytes) -> Verification:
    """Compute the chain again and compare it with every checkpoint."""
    key = seal_key(pepper)
    entries = _all(client, names.audit(org))
    head, following = first_head(org), next(entries, None)
    sealed = count = 0
    previous, seen = "", 0
    problems: list[str] = []
    for _, fields in _all(client, names.checkpoints(org)):
        checkpoint = _checkpoint(fields, key)
        if checkpoint is None:
            problems.append(f"after entry {seen}: a checkpoint is not ours")
            continue
        count += 1
        stretch = 0
        while following is not None and _order(following[0]) <= _order(checkpoint.last_id.encode()):
            head = extended(head, following[0], _content(following[1]))
            following = next(entries, None)
            stretch += 1
        problem = _problem(checkpoint, previous, head.hex(), seen + stretch)
        if problem:
            problems.append(f"{_stretch_of(seen, checkpoint)}: {problem}")
        else:
            sealed += stretch
        # Going on from the checkpoint's own head tells one damaged stretch from the next.
        head, previous, seen = bytes.fromhex(checkpoint.head), checkpoint.head, checkpoint.entries
    unsealed = 0
    while following is not None:
        unsealed, following = unsealed + 1, next(entries, None)
    return Verification(
        org=org,
        sealed=sealed,
        unsealed=unsealed,
        checkpoints=count,
        head=previous,
        problems=tuple(problems),
    )


def _problem(checkpoint: Checkpoint, previous: str, head: str, entries: int) -> str:
    if checkpoint.previous != previous:
        return "a checkpoint before it is missing"
    if checkpoint.entries != entries:
        return f"{checkpoint.entries} entries were sealed up to here, {entries} are there"
    if checkpoint.head != head:
        return "an entry was changed"
    return ""


def _stretch_of(seen: int, checkpoint: Checkpoint) -> str:
    return f"entries {seen + 1} to {checkpoint.entries} (up to {checkpoint.last_id})"


def _checkpoint(fields: dict[bytes, bytes], key: bytes) -> Checkpoint | None:
    """The checkpoint, or None when it is not one that we signed."""
    try:
        checkpoint = msgspec.json.decode(fields[b"checkpoint"], type=Checkpoint)
    except (KeyError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    return checkpoint if is_genuine(checkpoint, key) else None


def _content(fields: dict[bytes, bytes]) -> bytes:
    """Everything that an entry holds; a field that was added is content, too."""
    if fields.keys() == {b"record"}:
        return fields[b"record"]
    return msgspec.json.encode(sorted((name.hex(), held.hex()) for name, held in fields.items()))


def _pairs(flat: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
    return zip(flat[::2], flat[1::2], strict=True)


def _order(entry_id: bytes) -> tuple[int, int]:
    milliseconds, _, number = entry_id.partition(b"-")
    return int(milliseconds), int(number or 0)


def _all(client: redis.Redis, stream: str) -> Iterator[tuple[bytes, dict[bytes, bytes]]]:
    earliest = "-"
    while True:
        page = cast(
            list[tuple[bytes, dict[bytes, bytes]]],
            client.xrange(stream, min=earliest, count=_PAGE),
        )
        yield from page
        if len(page) < _PAGE:
            return
        earliest = "(" + page[-1][0].decode()
