"""The dry run in Redis: its candidate, and what every gateway worker has counted.

Each worker writes its own tally as a whole, so that nothing is counted twice or lost when one
ends; whoever asks adds them up. The last dry run is kept after its end.
"""

from __future__ import annotations

import msgspec

from gateway.core.dryruns import DryRun
from gateway.core.replaying import Tally
from gateway.stores import names
from gateway.stores.connection import Reply
from gateway.stores.replies import texts_in
from gateway.stores.versions import Question

#: How long the tallies of a dry run are kept after the last of them was written, in seconds.
KEPT_SECONDS = 30 * 86_400


def keep(dry_run: DryRun, text: str) -> tuple[Question[None], ...]:
    """Begin a dry run, in place of any other: what to ask, one after another."""
    told = msgspec.json.encode(dry_run)
    return (
        Question(("HSET", names.POLICY_CANDIDATE, "dry_run", told, "text", text), _nothing),
        Question(("HSET", names.POLICY_HEAD, "candidate", dry_run.id), _nothing),
    )


def end(dry_run: DryRun) -> tuple[Question[None], ...]:
    """End a dry run; `dry_run` says when. What was counted stays."""
    told = msgspec.json.encode(dry_run)
    return (
        Question(("HDEL", names.POLICY_HEAD, "candidate"), _nothing),
        Question(("HSET", names.POLICY_CANDIDATE, "dry_run", told), _nothing),
    )


def latest() -> Question[tuple[DryRun, str] | None]:
    """The dry run that goes on or was the last, with its candidate's text."""
    return Question(("HMGET", names.POLICY_CANDIDATE, "dry_run", "text"), _read_latest)


def note(dry_run_id: str, worker: str, tally: Tally) -> tuple[Question[None], ...]:
    """Write down what a worker has counted so far."""
    key = names.dry_run(dry_run_id)
    return (
        Question(("HSET", key, worker, msgspec.json.encode(tally)), _nothing),
        Question(("EXPIRE", key, KEPT_SECONDS), _nothing),
    )


def counted(dry_run_id: str) -> Question[Tally]:
    """What all workers have counted."""
    return Question(("HVALS", names.dry_run(dry_run_id)), _read_tallies)


def _read_latest(reply: Reply) -> tuple[DryRun, str] | None:
    told, text = reply if isinstance(reply, list) else (None, None)
    if not isinstance(told, bytes) or not isinstance(text, bytes):
        return None
    return msgspec.json.decode(told, type=DryRun), text.decode()


def _read_tallies(reply: Reply) -> Tally:
    tally = Tally()
    for one in texts_in(reply):
        tally.add(msgspec.json.decode(one, type=Tally))
    return tally


def _nothing(_reply: Reply) -> None:
    return None
