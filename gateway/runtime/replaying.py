"""Replays many records on all cores: read once, decided in processes of their own, counted."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import msgspec
import redis

from adapters.registry import adapter_facts
from gateway.config.price_book import load_price_book
from gateway.core.deployment import Secret
from gateway.core.recorded import NotReplayable
from gateway.core.records import AuditRecord
from gateway.core.replaying import Tally
from gateway.stores.book import audit_pages, audit_span
from policies.compiled import CompiledPolicy
from policies.compiler import compile_policy
from policies.loader import read_policy
from policies.replay import Candidate, candidate_of, replay

#: Bytes of a file that are one piece of work.
_PIECE_BYTES = 2 * 1024 * 1024
#: Fewer bytes are decided here: other processes take longer to start.
_WORTH_PROCESSES = 8 * 1024 * 1024
#: Pieces of work that wait for each process, so that memory stays bounded.
_WAITING = 3


class Piece(msgspec.Struct, frozen=True):
    """Some records, one JSON object a line, and the share of all that is read with them, 0..1."""

    lines: bytes
    share: float


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which records count; empty and None are all. Moments are epoch seconds."""

    org: str = ""
    teams: frozenset[str] = frozenset()
    start: float | None = None
    end: float | None = None

    def has(self, record: AuditRecord) -> bool:
        """Whether a record counts."""
        return (
            (not self.org or record.org == self.org)
            and (not self.teams or record.team in self.teams)
            and (self.start is None or record.at >= self.start)
            and (self.end is None or record.at < self.end)
        )


def compiled_for_replay(text: str, source: str) -> CompiledPolicy:
    """A candidate's text compiled; what is decided again depends neither on its secrets nor terms.

    Raises:
        PolicyError: something in it is wrong.
    """
    return compile_policy(
        read_policy(text, source),
        load_price_book().price_of,
        lambda reference: Secret(f"stand-in for {reference}"),
        adapter_facts(),
        lambda path: (),
    )


def from_redis(client: redis.Redis, orgs: Iterable[str], wanted: Wanted) -> Iterator[Piece]:
    """The records of the live audit logs.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    names = [org for org in orgs if wanted.org in ("", org)]
    for number, org in enumerate(names):
        first, last = audit_span(client, org)
        first, last = max(first, wanted.start or first), min(last, wanted.end or last)
        for page in audit_pages(client, org, wanted.start, wanted.end):
            done = (page.at - first) / (last - first) if last > first else 1.0
            share = (number + min(1.0, max(0.0, done))) / len(names)
            yield Piece(b"\n".join(page.records), share)


def from_files(paths: Iterable[Path]) -> Iterator[Piece]:
    """The records of exported or sealed JSON Lines.

    Raises:
        OSError: a file cannot be read.
    """
    files = list(paths)
    total, read = sum(path.stat().st_size for path in files) or 1, 0
    for path in files:
        with path.open("rb") as file:
            while lines := file.readlines(_PIECE_BYTES):
                piece = b"".join(lines)
                read += len(piece)
                yield Piece(piece, read / total)


def replay_all(
    pieces: Iterable[Piece],
    text: str,
    source: str,
    wanted: Wanted,
    *,
    jobs: int,
    on_read: Callable[[Tally, float], None] = lambda tally, share: None,
) -> Tally:
    """Decide all records again under the policy of a text.

    Args:
        pieces: the records.
        text: the YAML of the policy; `source` names it in messages.
        wanted: which records count.
        jobs: how many processes may decide at once.
        on_read: is told the tally so far, and the share of the records that are counted.

    Raises:
        PolicyError: the text cannot be used.
        ValueError: a line is no audit record; the message says what is wrong with it.
    """
    waiting = iter(pieces)
    early, size = [], 0
    for piece in waiting:
        early.append(piece)
        size += len(piece.lines)
        if size > _WORTH_PROCESSES:
            break
    tally = Tally()
    if size <= _WORTH_PROCESSES or jobs < 2:
        candidate = candidate_of(compiled_for_replay(text, source))
        for piece in _chained(early, waiting):
            tally.add(_tallied(candidate, wanted, piece.lines))
            on_read(tally, piece.share)
        return tally
    for found, share in _in_processes(_chained(early, waiting), text, source, wanted, jobs):
        tally.add(found)
        on_read(tally, share)
    return tally


def _chained(early: list[Piece], rest: Iterator[Piece]) -> Iterator[Piece]:
    while early:
        yield early.pop(0)
    yield from rest


def _in_processes(
    pieces: Iterator[Piece], text: str, source: str, wanted: Wanted, jobs: int
) -> Iterator[tuple[Tally, float]]:
    """Tallies of pieces, in their order; the next are read while these are decided."""
    running: deque[tuple[Future[Tally], float]] = deque()
    # Spawned, not forked: this process has threads and open connections.
    with ProcessPoolExecutor(
        jobs, get_context("spawn"), initializer=_prepare, initargs=(text, source, wanted)
    ) as pool:
        for piece in pieces:
            running.append((pool.submit(_work, piece.lines), piece.share))
            while len(running) >= jobs * _WAITING:
                done, share = running.popleft()
                yield done.result(), share
        while running:
            done, share = running.popleft()
            yield done.result(), share


class _Prepared:
    """What a deciding process keeps; set once when it starts."""

    candidate: Candidate
    wanted: Wanted


def _prepare(text: str, source: str, wanted: Wanted) -> None:
    _Prepared.candidate = candidate_of(compiled_for_replay(text, source))
    _Prepared.wanted = wanted


def _work(lines: bytes) -> Tally:
    return _tallied(_Prepared.candidate, _Prepared.wanted, lines)


def _tallied(candidate: Candidate, wanted: Wanted, lines: bytes) -> Tally:
    tally = Tally()
    decode = msgspec.json.Decoder(AuditRecord).decode
    for line in lines.splitlines():
        if not line.strip():
            continue
        try:
            record = decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as problem:
            raise ValueError(f"a line is no audit record: {problem}") from None
        if not wanted.has(record):
            continue
        try:
            tally.count(replay(candidate, record), record.at)
        except NotReplayable as reason:
            tally.skip(str(reason))
    return tally
