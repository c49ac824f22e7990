"""Brings a text into force: tried first, then published for every worker of every gateway.

Rules of this file:
- nothing is published that was not tried here;
- a change is made from a known version: when another one came first, nothing is published;
- every change becomes a new version, a rollback too, so that the history only grows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import time

import msgspec

from gateway.core.versions import PolicyVersion, diff_of, digest_of
from gateway.runtime.live.follower import Follower, InForce
from gateway.runtime.live.proof import Prover
from gateway.runtime.live.trial import Bench, tried
from gateway.runtime.ruling import Rulings
from gateway.stores import versions
from gateway.stores.connection import RedisConnection
from policies.compiled import CompiledPolicy
from policies.problems import PolicyError, Problem

#: How often a change is put on top of others that came first.
_TRIES = 5


class Overtaken(Exception):
    """Another change came first; `current` is the revision that is in force now."""

    def __init__(self, current: str) -> None:
        super().__init__("the policy was changed meanwhile")
        self.current = current


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a change: the version in force, and whether it is a new one."""

    version: PolicyVersion
    is_new: bool


class Changes:
    """Makes changes from one gateway worker."""

    def __init__(
        self,
        connection: RedisConnection,
        rulings: Rulings,
        follower: Follower,
        bench: Bench,
        prover: Prover,
        source: str,
    ) -> None:
        self.prover = prover
        self._connection = connection
        self._rulings = rulings
        self._follower = follower
        self._bench = bench
        self._source = source
        self._changing = asyncio.Lock()

    async def bring(
        self,
        text: str,
        *,
        source: str,
        by: str,
        note: str = "",
        from_revision: str | None = None,
        file_digest: str = "",
    ) -> Changed:
        """Try a text and bring it into force everywhere.

        Args:
            text: the YAML of the whole policy.
            source: where it comes from: file, admin or rollback.
            by: who does it, in words.
            note: why, in words.
            from_revision: the revision that the change was made from; None for any.
            file_digest: what the policy file holds, where the change comes from it.

        Raises:
            PolicyError: the text may not come into force; the last good version stays.
            Overtaken: the policy in force is not `from_revision` any more.
            StoreUnavailable: Redis does not answer; nothing was changed.
        """
        async with self._changing:
            for _ in range(_TRIES):
                before = await self._newest(from_revision)
                if before.version is not None and before.digest == digest_of(text):
                    if file_digest:
                        await versions.ask(self._connection, versions.note_file(file_digest))
                    return Changed(version=before.version, is_new=False)
                policy, proof = await self._tried(text)
                new = next_version(
                    before, text, policy, source=source, by=by, note=note, proof=proof
                )
                if await self._publish(new, text, before.number, file_digest):
                    self._follower.trust(new.digest, policy)
                    await self._follower.look()
                    return Changed(version=new, is_new=True)
            # Whoever does not say what the change was made from goes on top of any other.
            raise Overtaken(self._follower.head.revision)

    async def roll_back(self, wanted: str, *, by: str, from_revision: str | None) -> Changed:
        """Bring the text of an earlier version into force again.

        Args:
            wanted: a revision or its beginning, or a version's number.

        Raises:
            LookupError: there is no such version; the message says how to find one.
            PolicyError, Overtaken, StoreUnavailable: as `bring`.
        """
        known = await versions.ask(self._connection, versions.all_versions())
        version = chosen(known, wanted, self._follower.head.number)
        text = await versions.ask(self._connection, versions.text(version.number))
        if text is None:
            raise LookupError(f"the text of version {version.number} is not kept any more")
        return await self.bring(
            text,
            source="rollback",
            by=by,
            note=f"back to version {version.number}",
            from_revision=from_revision,
        )

    async def _tried(self, text: str) -> tuple[CompiledPolicy, str]:
        """The policy of a text that may come into force, and what is known of its proof."""
        policy = await asyncio.to_thread(tried, text, self._source, self._bench)
        verdict = await self.prover.verdict(text, self._source)
        if verdict.leaks:
            raise PolicyError(verdict.leaks, self._source)
        try:
            await self._rulings.rehearse(policy)
        except ValueError as error:
            problem = Problem(line=1, column=1, message=str(error), code="adapter")
            raise PolicyError((problem,), self._source) from None
        return policy, verdict.words

    async def _newest(self, from_revision: str | None) -> InForce:
        """The newest version with its text."""
        head = await self._follower.look()
        if from_revision is not None and head.number and head.revision != from_revision:
            raise Overtaken(head.revision)
        if head.number in (0, self._follower.in_force.number):
            return self._follower.in_force if head.number else InForce("")
        version = await versions.ask(self._connection, versions.version(head.number))
        text = await versions.ask(self._connection, versions.text(head.number))
        if version is None or text is None:
            # What is missing was removed by hand; the number still counts.
            version = PolicyVersion(
                number=head.number, revision=head.revision, digest="", source="", by="", at=0.0
            )
        return InForce(text or "", version)

    async def _publish(
        self, new: PolicyVersion, text: str, expected: int, file_digest: str
    ) -> bool:
        question = versions.publish(new, text, expected=expected, file_digest=file_digest)
        if await versions.ask(self._connection, question):
            return True
        # The answer of the first try may have been lost with its connection.
        newest = await versions.ask(self._connection, versions.version(new.number))
        return newest == new


def next_version(
    before: InForce,
    text: str,
    policy: CompiledPolicy,
    *,
    source: str,
    by: str,
    note: str = "",
    proof: str = "",
) -> PolicyVersion:
    """The version that follows with this text."""
    number = before.number + 1
    return PolicyVersion(
        number=number,
        revision=policy.revision,
        digest=digest_of(text),
        source=source,
        by=by,
        at=time(),
        note=note,
        proof=proof,
        diff=diff_of(before.text, text, f"version {before.number}", f"version {number}"),
    )


def chosen(known: Sequence[PolicyVersion], wanted: str, current: int) -> PolicyVersion:
    """The newest version, but the current one, with that number, revision or beginning of one.

    Raises:
        LookupError: there is none, or the beginning fits several revisions.
    """
    earlier = [one for one in known if one.number != current]
    if wanted.isdecimal():
        for one in earlier:
            if one.number == int(wanted):
                return one
    found = [one for one in earlier if wanted and one.revision.startswith(wanted)]
    if not found:
        raise LookupError(
            f"there is no earlier version '{wanted}'; 'fairlead policy versions' lists them"
        )
    if len({one.revision for one in found}) > 1:
        raise LookupError(f"'{wanted}' is the beginning of several revisions; write more of it")
    return max(found, key=lambda one: one.number)
