"""The policy in use: a request takes one ruling at its start and keeps it to its audit record.

Rules of this file:
- a ruling never changes, so whatever serves one request decides, plans, holds and calls by the
  same revision;
- a replaced ruling is closed when the last request that took it has ended, and only then;
- a deployment that stays as it is keeps its adapter through a change of the policy.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from adapters.base import Adapter
from gateway.core.budgets import BudgetCounter
from gateway.core.counting import stakes_of
from gateway.core.decision import Candidate
from gateway.core.degradation import AT_HOME, REFUSE
from gateway.core.deployment import Deployment
from gateway.core.limits import LimitCounter
from gateway.core.principal import Principal
from policies.charging import Tags, budgets_for, limits_for
from policies.compiled import Budget, CompiledPolicy

#: Combinations of caller and deployment whose charges are remembered.
_MOST_CHARGES = 10_000

OpenAdapter = Callable[[Deployment], Adapter]
#: Gets ready whatever else a policy needs; it may take long.
Prepare = Callable[[CompiledPolicy], None]


class Charges:
    """What one attempt is charged to: its budgets as counters, and its limits."""

    def __init__(
        self,
        budgets: tuple[Budget, ...],
        limits: tuple[LimitCounter, ...],
        candidate: Candidate | None,
    ) -> None:
        self.budgets = budgets
        self.limits = limits
        self.counters = tuple(
            BudgetCounter(
                scope=budget.scope,
                per=budget.per,
                cap_nanousd=budget.cap_nanousd,
                enforce=enforces(budget.on_exhausted, candidate),
                zone=budget.zone,
                shrink_to=budget.shrink_to,
            )
            for budget in budgets
        )
        self.keeps_self_hosted_open = any(
            budget.on_exhausted == "self_hosted_only" for budget in budgets
        )


class Ruling:
    """One revision in use: the policy, an adapter for each of its deployments, and what follows.

    Whatever is derived from a policy and needed by every request belongs here.
    """

    def __init__(self, policy: CompiledPolicy, adapters: Mapping[str, Adapter]) -> None:
        self.policy = policy
        self.adapters = adapters
        self.requests = 0
        self.stakes = stakes_of(policy.deployments.values())
        self._charges: dict[tuple[object, ...], Charges] = {}
        stated = [one.scope for one in policy.budgets] + [one.scope for one in policy.limits]
        self._asks_tags = any(scope.startswith("tag/") for scope in stated)

    def __repr__(self) -> str:
        return f"Ruling({self.policy.revision})"

    @property
    def lenient(self) -> bool:
        """Whether requests are served from slices while Redis is away."""
        return self.policy.degradation.redis_down != REFUSE

    @property
    def stays_home(self) -> bool:
        """Whether only self-hosted deployments are asked while Redis is away."""
        return self.policy.degradation.redis_down == AT_HOME

    def charges_for(
        self, principal: Principal, candidate: Candidate | None = None, tags: Tags = ()
    ) -> Charges:
        """What an attempt is charged to and counts in; without a candidate, what its caller is."""
        tags = tags if self._asks_tags else ()
        deployment = candidate.deployment if candidate is not None else None
        name = deployment.name if deployment is not None else ""
        key = (principal, name, candidate is not None and candidate.cheapest, tags)
        found = self._charges.get(key)
        if found is None:
            if len(self._charges) >= _MOST_CHARGES:
                self._charges.clear()
            found = self._charges[key] = Charges(
                budgets=budgets_for(self.policy, principal, deployment, tags),
                limits=limits_for(self.policy, principal, deployment, tags),
                candidate=candidate,
            )
        return found

    def keeps_self_hosted_open(self, principal: Principal, tags: Tags = ()) -> bool:
        """Whether a budget of the caller leaves self-hosted deployments when it is used up, or
        policy does when something else is away."""
        return (
            self.policy.degradation.opens_reserve
            or self.charges_for(principal, None, tags).keeps_self_hosted_open
        )


class Rulings:
    """The current ruling of a worker, and those before it that requests still use."""

    def __init__(self, open_one: OpenAdapter, prepare: Prepare = lambda policy: None) -> None:
        self._open_one = open_one
        self._prepare = prepare
        self._current: Ruling | None = None
        self._living: list[Ruling] = []
        self._adopting = asyncio.Lock()
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def current(self) -> Ruling:
        """The ruling that a request which begins now takes.

        Raises:
            LookupError: no policy has been adopted yet.
        """
        if self._current is None:
            raise LookupError("no policy has been adopted yet")
        return self._current

    @contextmanager
    def taken(self, ruling: Ruling | None = None) -> Iterator[Ruling]:
        """A ruling that is in use, by default the current one, kept open while this is entered."""
        ruling = ruling or self.current
        ruling.requests += 1
        try:
            yield ruling
        finally:
            ruling.requests -= 1
            if not ruling.requests and ruling is not self._current:
                closing = asyncio.ensure_future(self._retire(ruling))
                self._closing.add(closing)
                closing.add_done_callback(self._closing.discard)

    async def adopt(self, policy: CompiledPolicy) -> Ruling:
        """Make a policy the current one: all or nothing, between two requests.

        Raises:
            ValueError: a deployment cannot be opened; the message names it and what it lacks,
                and the current ruling stays.
        """
        async with self._adopting:
            # Official SDKs take long to prepare their calls; nobody else waits for that.
            adapters = await asyncio.to_thread(self._open_all, policy, tuple(self._living))
            replaced, ruling = self._current, Ruling(policy, adapters)
            self._living.append(ruling)
            self._current = ruling
            if replaced is not None and not replaced.requests:
                await self._retire(replaced)
            return ruling

    async def rehearse(self, policy: CompiledPolicy) -> None:
        """Open what a policy would newly open, and give it back at once.

        Raises:
            ValueError: as `adopt`.
        """
        living = tuple(self._living)
        adapters = await asyncio.to_thread(self._open_all, policy, living)
        for name, adapter in adapters.items():
            if _already_open(policy.deployments[name], living) is None:
                await adapter.close()

    async def close(self) -> None:
        """Give all adapters back; nobody is served any more."""
        await asyncio.gather(*self._closing)
        while self._living:
            await self._retire(self._living[-1])

    def _open_all(
        self, policy: CompiledPolicy, living: tuple[Ruling, ...]
    ) -> Mapping[str, Adapter]:
        self._prepare(policy)
        return {
            name: _already_open(deployment, living) or self._open_one(deployment)
            for name, deployment in policy.deployments.items()
        }

    async def _retire(self, ruling: Ruling) -> None:
        if ruling not in self._living:
            return
        self._living.remove(ruling)
        kept = {id(one) for living in self._living for one in living.adapters.values()}
        for adapter in ruling.adapters.values():
            if id(adapter) not in kept:
                await adapter.close()


def enforces(on_exhausted: str, candidate: Candidate | None) -> bool:
    """Whether a budget may refuse this candidate, or only counts what it costs."""
    if on_exhausted == "notify":
        return False
    if on_exhausted == "self_hosted_only":
        return candidate is None or not candidate.deployment.self_hosted
    if on_exhausted == "downgrade":
        return candidate is None or not candidate.cheapest
    return True


def _already_open(deployment: Deployment, living: tuple[Ruling, ...]) -> Adapter | None:
    """The adapter of a deployment that is written just the same in a ruling still in use."""
    for ruling in reversed(living):
        if ruling.policy.deployments.get(deployment.name) == deployment:
            return ruling.adapters[deployment.name]
    return None
