"""Evidence about deployments by org, and what was served for as long as it may be rated."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import msgspec

from gateway.core.learning import KEPT_DAYS, Day
from gateway.core.money import MILLION
from gateway.stores import names
from gateway.stores.connection import Argument, RedisConnection
from gateway.stores.replies import fields_in, texts_in
from gateway.stores.scripts import load_scripts


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """What served a request; quality and scores in millionths.

    `scored_on` is the day (since the epoch) that `score` was first counted on, 0 for not yet, and
    `scored_at` the version that the evidence had then; the others are the same of a judge's score.
    """

    deployment: str
    task: str
    predicted: int
    score: int = 0
    scored_on: int = 0
    scored_at: int = 0
    judged: int = 0
    judged_on: int = 0
    judged_at: int = 0


class Learnt(msgspec.Struct, frozen=True, kw_only=True):
    """The evidence of one deployment and task by day, and how often it was changed."""

    deployment: str
    task: str
    days: Mapping[int, Day]
    version: int


class LearningStore:
    """Keeps, counts and forgets.

    Methods raise `gateway.core.errors.StoreUnavailable` when Redis does not answer.
    """

    def __init__(self, connection: RedisConnection) -> None:
        self._connection = connection
        scripts = load_scripts()
        self._script, self._forgetting = scripts.learn, scripts.forget

    async def remember(self, org: str, request_id: str, served: Served, seconds: int) -> None:
        """Keep what served a request for so long."""
        entry = msgspec.json.encode(served)
        key = names.served(org, request_id)
        await self._connection.execute("SET", key, entry, "EX", seconds, idempotent=True)

    async def served(self, org: str, request_id: str) -> Served | None:
        """What served a request; None where nobody knows any more."""
        found = await self._connection.execute(
            "GET", names.served(org, request_id), idempotent=True
        )
        return msgspec.json.decode(found, type=Served) if isinstance(found, bytes) else None

    async def count(self, org: str, served: Served, score: float, day: int) -> None:
        """Count a score, 0..1, that no request is needed for: a check that failed or passed."""
        await self._learn(org, served, score, day)

    async def rate(self, org: str, request_id: str, served: Served, score: float, day: int) -> bool:
        """Count a request's score, 0..1, in place of an earlier one; False when it is forgotten."""
        return await self._learn(org, served, score, day, request_id) > 0

    async def judge(
        self, org: str, served: Served, score: float, day: int, request_id: str = ""
    ) -> bool:
        """Count what a judge said of an answer, 0..1; False where a word that counts more, or
        another judge's, came before, or the request is forgotten.

        Args:
            org: whose evidence it is.
            served: the deployment, and what was predicted of it.
            score: of the answer.
            day: that it counts on.
            request_id: of the request that was answered; none for an answer that nobody got.
        """
        return await self._learn(org, served, score, day, request_id, whose="judged") > 0

    async def load(self, org: str) -> list[Learnt]:
        """All evidence of an org, sorted by deployment and task."""
        reply = await self._connection.execute("SMEMBERS", names.learnt(org), idempotent=True)
        known = sorted(one.decode() for one in texts_in(reply))
        found = await asyncio.gather(*(self._load(org, name) for name in known))
        return [one for one in found if one.days]

    async def forget(
        self, org: str, deployment: str, since_day: int = 0, until_day: int | None = None
    ) -> int:
        """Take evidence about a deployment back, of all days or of some; how many days.

        What is forgotten is as if it had never been counted. `until_day` itself is not taken back.
        """
        after = "" if until_day is None else until_day
        taken = 0
        for one in await self.load(org):
            if one.deployment != deployment:
                continue
            key = names.evidence(org, _named(one.deployment, one.task))
            reply = await self._connection.run(
                self._forgetting, [key], [since_day, after], idempotent=False
            )
            taken += reply if isinstance(reply, int) else 0
        return taken

    async def _load(self, org: str, name: str) -> Learnt:
        reply = await self._connection.execute(
            "HGETALL", names.evidence(org, name), idempotent=True
        )
        fields = fields_in(reply)
        deployment, _, task = name.partition("\t")
        counted = (field.partition(":") for field in fields)
        numbers = {int(day) for day, colon, name in counted if colon and name != "forgotten"}
        return Learnt(
            deployment=deployment,
            task=task,
            version=int(fields.get("version", b"0")),
            days={number: _day(fields, number) for number in sorted(numbers)},
        )

    async def _learn(
        self,
        org: str,
        served: Served,
        score: float,
        day: int,
        request_id: str = "",
        whose: str = "rated",
    ) -> int:
        name = _named(served.deployment, served.task)
        keys: list[Argument] = [names.evidence(org, name), names.learnt(org)]
        if request_id:
            keys.append(names.served(org, request_id))
        args = (name, day, round(score * MILLION), served.predicted, day - KEPT_DAYS, whose)
        reply = await self._connection.run(self._script, keys, args, idempotent=False)
        return reply if isinstance(reply, int) else 0


def _named(deployment: str, task: str) -> str:
    return f"{deployment}\t{task}"


def _day(fields: Mapping[str, bytes], number: int) -> Day:
    return Day(*(int(fields.get(f"{number}:{part}", b"0")) for part in Day.__struct_fields__))
