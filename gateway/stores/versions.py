"""The versions of the policy in Redis, asked for by gateways and by commands alike.

What is asked is data (`Question`): a gateway asks over its multiplexed connection and a command
over a blocking client, and both understand the reply in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar, cast

import msgspec
import redis

from gateway.core.versions import Head, PolicyVersion, RefusedChange, WorkerReport
from gateway.stores import names
from gateway.stores.connection import Argument, RedisConnection, Reply
from gateway.stores.replies import texts_in
from gateway.stores.scripts import load_scripts

#: Versions that are kept, texts included; a text has some 10 kB.
KEPT_VERSIONS = 500
#: A worker that has not reported for so long is gone, in seconds.
WORKER_SECONDS = 10.0

_HEAD_FIELDS = ("number", "revision", "digest", "file_digest", "refused", "candidate")
_T = TypeVar("_T")


class Question(msgspec.Struct, Generic[_T], frozen=True):
    """One Redis command, and how its reply is understood."""

    args: tuple[Argument, ...]
    read: Callable[[Reply], _T]


async def ask(connection: RedisConnection, question: Question[_T]) -> _T:
    """Ask from a gateway.

    Raises:
        StoreUnavailable: Redis does not answer.
    """
    return question.read(await connection.execute(*question.args, idempotent=True))


def ask_now(client: redis.Redis, question: Question[_T]) -> _T:
    """Ask from a command, and wait.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    return question.read(cast(Reply, client.execute_command(*question.args)))  # type: ignore[no-untyped-call]


def head() -> Question[Head]:
    """What is in force."""
    return Question(("HMGET", names.POLICY_HEAD, *_HEAD_FIELDS), _read_head)


def version(number: int) -> Question[PolicyVersion | None]:
    """One version without its text; None where it is unknown or no longer kept."""
    return Question(("HGET", names.POLICY_VERSIONS, number), _read_version)


def text(number: int) -> Question[str | None]:
    """The text of a version."""
    return Question(("HGET", names.POLICY_TEXTS, number), _read_text)


def all_versions() -> Question[tuple[PolicyVersion, ...]]:
    """Every version that is kept, newest first."""
    return Question(("HVALS", names.POLICY_VERSIONS), _read_versions)


def publish(
    new: PolicyVersion, text: str, *, expected: int, file_digest: str = ""
) -> Question[bool]:
    """Bring a version into force; False when number `expected` is not the newest any more.

    `file_digest` is what the policy file holds now, empty where this change did not touch it.
    Asking twice is harmless: the second time another version is the newest.
    """
    keys = (names.POLICY_HEAD, names.POLICY_VERSIONS, names.POLICY_TEXTS)
    args: tuple[Argument, ...] = (
        expected,
        new.number,
        new.revision,
        new.digest,
        msgspec.json.encode(new),
        text,
        file_digest,
        KEPT_VERSIONS,
    )
    source = load_scripts().publish.source
    return Question(("EVAL", source, len(keys), *keys, *args), lambda reply: reply == 1)


def note_file(digest: str) -> Question[None]:
    """Remember what a policy file holds now."""
    return Question(("HSET", names.POLICY_HEAD, "file_digest", digest), _nothing)


def raise_alarm(refused: RefusedChange) -> Question[None]:
    """Tell all gateways of a file that cannot be used."""
    encoded = msgspec.json.encode(refused)
    return Question(("HSET", names.POLICY_HEAD, "refused", encoded), _nothing)


def clear_alarm() -> Question[None]:
    """The file that could not be used is gone or right again."""
    return Question(("HDEL", names.POLICY_HEAD, "refused"), _nothing)


def report(worker: WorkerReport) -> Question[None]:
    """Say how far a worker has followed."""
    encoded = msgspec.json.encode(worker)
    return Question(("HSET", names.POLICY_WORKERS, worker.worker, encoded), _nothing)


def forget_worker(name: str) -> Question[None]:
    """A worker has ended."""
    return Question(("HDEL", names.POLICY_WORKERS, name), _nothing)


def workers() -> Question[tuple[WorkerReport, ...]]:
    """What every worker last said, by name, those that ended without a word included."""
    return Question(("HVALS", names.POLICY_WORKERS), _read_workers)


def alive(reports: Iterable[WorkerReport], now: float) -> tuple[WorkerReport, ...]:
    """The workers that said something lately; `now` is epoch seconds."""
    return tuple(one for one in reports if one.at >= now - WORKER_SECONDS)


def _read_head(reply: Reply) -> Head:
    fields = reply if isinstance(reply, list) else []
    number, revision, digest, file_digest, refused, candidate = (
        field if isinstance(field, bytes) else b"" for field in fields
    )
    return Head(
        number=int(number or 0),
        revision=revision.decode(),
        digest=digest.decode(),
        file_digest=file_digest.decode(),
        refused=msgspec.json.decode(refused, type=RefusedChange) if refused else None,
        candidate=candidate.decode(),
    )


def _read_version(reply: Reply) -> PolicyVersion | None:
    return msgspec.json.decode(reply, type=PolicyVersion) if isinstance(reply, bytes) else None


def _read_text(reply: Reply) -> str | None:
    return reply.decode() if isinstance(reply, bytes) else None


def _read_versions(reply: Reply) -> tuple[PolicyVersion, ...]:
    found = [msgspec.json.decode(one, type=PolicyVersion) for one in texts_in(reply)]
    return tuple(sorted(found, key=lambda one: -one.number))


def _read_workers(reply: Reply) -> tuple[WorkerReport, ...]:
    found = [msgspec.json.decode(one, type=WorkerReport) for one in texts_in(reply)]
    return tuple(sorted(found, key=lambda one: one.worker))


def _nothing(_reply: Reply) -> None:
    return None
