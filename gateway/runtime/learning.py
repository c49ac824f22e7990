"""Learns from use: ratings of answers, what judges and the checks of cascades found.

Counting happens in the background, and nobody waits for it; while Redis is away nothing is
learnt and what was known goes on being used.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping
from itertools import islice
from time import time
from typing import Any

from gateway.core.cascade import PASSED, SAMPLE
from gateway.core.errors import StoreUnavailable
from gateway.core.learning import Evidence, day_of, evidence_of
from gateway.core.money import MILLION
from gateway.core.records import AttemptRecord
from gateway.runtime.exchange import Exchange
from gateway.runtime.repeats import Repeats
from gateway.runtime.watching import fell_short
from gateway.stores.learning import LearningStore, Served
from gateway.stores.pairs import PairStore
from policies.estimates import predicted_for

#: How old the shifts of an org may be before they are loaded anew, in seconds.
_FRESH_SECONDS = 30.0
#: Orgs whose shifts are kept at hand.
_MOST_ORGS = 1000
#: Requests that wait to be written down, at most: those of a second or so.
_MOST_FRESH = 20_000
_WRITTEN_AT_ONCE = 500


class Learning:
    """Remembers what served, counts what it was worth, and tells the shifts that follow."""

    def __init__(
        self,
        store: LearningStore,
        pairs: PairStore,
        kept_seconds: int,
        clock: Callable[[], float] = time,
    ) -> None:
        self.store = store
        self.pairs = pairs
        self._kept_seconds = kept_seconds
        self._clock = clock
        self._taught: dict[str, Mapping[tuple[str, str], Evidence]] = {}
        self._loaded: dict[str, float] = {}
        self._under_way: set[asyncio.Task[None]] = set()
        self._fresh: dict[tuple[str, str], Served] = {}
        self._repeats = Repeats()

    def taught(self, org: str, task: str) -> Mapping[str, Evidence]:
        """The evidence about deployments for a task, as this gateway knows it."""
        if org not in self._loaded and len(self._loaded) < _MOST_ORGS:
            self._loaded[org] = -_FRESH_SECONDS
        known = self._taught.get(org, {})
        return {deployment: found for (deployment, of), found in known.items() if of == task}

    def finished(self, exchange: Exchange) -> None:
        """Learn what the checks found, and remember who served for whoever rates the answer."""
        if exchange.facts is None or not exchange.attempts or not self._kept_seconds:
            return
        org = exchange.caller.org
        for attempt in exchange.attempts:
            score = _score_of(attempt)
            served = self._served(exchange, attempt.deployment)
            if attempt.check and attempt.check != SAMPLE and served is not None:
                worth = served.predicted / MILLION if score is None else score
                self._start(self.store.count(org, served, worth, self._today()))
        if exchange.watched:
            self._start(self._watched(exchange))
        served = self._served(exchange, exchange.deployment)
        if exchange.outcome == "served" and served and len(self._fresh) < _MOST_FRESH:
            self._fresh[org, exchange.request_id] = served
            repeated = self._repeats.repeated(exchange, self._clock())
            if repeated:
                self._start(self._regenerated(org, repeated))

    async def rate(self, org: str, request_id: str, score: float) -> Served | None:
        """Count what a request's answer was worth, 0..1; None where nobody knows the request.

        Raises:
            StoreUnavailable: Redis does not answer.
        """
        if (org, request_id) in self._fresh:
            await self.keep()
        served = await self.store.served(org, request_id)
        if served is None:
            return None
        known = await self.store.rate(org, request_id, served, score, self._today())
        if served.judged_on:
            await self.pairs.rate(org, request_id, score)
        if org in self._loaded:
            self._loaded[org] = -_FRESH_SECONDS
        return served if known else None

    async def judged(
        self, served: Exchange, copied: Exchange, scores: tuple[float, float]
    ) -> tuple[float, float]:
        """Count what a judge says of a served answer and of its copy's, 0..1 each.

        Returns:
            The scores that stand: what whoever got the served answer has said of it wins.

        Raises:
            StoreUnavailable: Redis does not answer.
        """
        if not self._kept_seconds:
            return scores
        org, request_id, today = served.caller.org, served.request_id, self._today()
        if (org, request_id) in self._fresh:
            await self.keep()
        known = await self.store.served(org, request_id)
        if known is not None and not known.scored_on:
            await self.store.judge(org, known, scores[0], today, request_id)
        elif known is not None:
            scores = known.score / MILLION, scores[1]
        other = self._served(served, copied.deployment)
        if other is not None:
            await self.store.judge(org, other, scores[1], today)
        return scores

    async def keep(self) -> None:
        """Write down who served the latest requests.

        Raises:
            StoreUnavailable: those that could not be written are tried the next time.
        """
        while self._fresh:
            some = dict(islice(self._fresh.items(), _WRITTEN_AT_ONCE))
            await asyncio.gather(
                *(
                    self.store.remember(org, request_id, served, self._kept_seconds)
                    for (org, request_id), served in some.items()
                )
            )
            for key in some:
                self._fresh.pop(key, None)

    async def refresh(self) -> None:
        """Load what has become old of the orgs that asked.

        Raises:
            StoreUnavailable: Redis does not answer.
        """
        now, today = self._clock(), self._today()
        for org, loaded in list(self._loaded.items()):
            if now - loaded < _FRESH_SECONDS:
                continue
            learnt = await self.store.load(org)
            self._taught[org] = {
                (one.deployment, one.task): evidence_of(one.days, today) for one in learnt
            }
            self._loaded[org] = now

    async def close(self) -> None:
        """Finish what is being counted."""
        with contextlib.suppress(StoreUnavailable):
            await self.keep()
        await asyncio.gather(*self._under_way)

    async def _watched(self, exchange: Exchange) -> None:
        """Count whether answers obeyed the form asked for, as the checks of cascades do."""
        org, today = exchange.caller.org, self._today()
        for name in exchange.disobeyed:
            if (served := self._served(exchange, name)) is not None:
                await self.store.count(org, served, 0.0, today)
        served, short = self._served(exchange, exchange.deployment), fell_short(exchange)
        if served is not None and short is not None and exchange.outcome == "served":
            await self.store.count(org, served, 0.0 if short else served.predicted / MILLION, today)

    async def _regenerated(self, org: str, request_id: str) -> None:
        """Who asks the very same again was not served by the first answer, unless they said so."""
        if (org, request_id) in self._fresh:
            await self.keep()
        served = await self.store.served(org, request_id)
        if served is not None and not served.scored_on:
            await self.store.rate(org, request_id, served, 0.0, self._today())

    def _served(self, exchange: Exchange, deployment: str) -> Served | None:
        found = exchange.ruling.policy.deployments.get(deployment)
        if exchange.facts is None or found is None:
            return None
        predicted = round(predicted_for(exchange.facts, found) * MILLION)
        task = exchange.facts.profile.task
        return Served(deployment=deployment, task=task, predicted=predicted)

    def _today(self) -> int:
        return day_of(self._clock())

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(_quietly(work))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)


def _score_of(attempt: AttemptRecord) -> float | None:
    """A failed check is worth nothing; a passed one says no more than was predicted: None."""
    return None if attempt.check == PASSED else 0.0


async def _quietly(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except StoreUnavailable:
        return  # one answer fewer to learn from
