"""The composition root of a gateway worker: builds, closes and health-checks everything."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Awaitable, Callable, Iterable
from socket import gethostname
from typing import Any, TypeVar

import msgspec

from adapters.presidio import PresidioClient
from adapters.registry import open_adapter
from adapters.transport import Transport
from gateway.config.settings import Settings
from gateway.core.counting import what_to_count
from gateway.core.errors import StoreUnavailable
from gateway.core.principal import Principal
from gateway.core.profile import Profile
from gateway.core.request import ChatRequest
from gateway.core.sensitivity import Sensitivity
from gateway.runtime.alerts import Alerts
from gateway.runtime.budgets import BudgetView
from gateway.runtime.children import run_fairlead
from gateway.runtime.classifiers import Classifiers, open_classifiers
from gateway.runtime.conversations import Conversations
from gateway.runtime.exchange import Exchange
from gateway.runtime.fingerprints import FINGERPRINT_SECONDS, FingerprintFollower
from gateway.runtime.health import HealthBoard
from gateway.runtime.idempotency import Idempotency
from gateway.runtime.learning import Learning
from gateway.runtime.lengths import LengthBoard
from gateway.runtime.live.follower import InForce
from gateway.runtime.live.metrics import PolicyMetrics
from gateway.runtime.live.policy import LivePolicy
from gateway.runtime.live.proof import Prover
from gateway.runtime.live.start import bench_for
from gateway.runtime.log import logger
from gateway.runtime.memory import ConversationMemory
from gateway.runtime.metrics import Metrics
from gateway.runtime.ruling import Ruling, Rulings
from gateway.runtime.shadows import Shadows
from gateway.runtime.speeds import SpeedBoard
from gateway.runtime.sticking import Sticking
from gateway.runtime.summary import summary_of
from gateway.runtime.targets import Targets
from gateway.stores.breakers import BreakerStore
from gateway.stores.connection import RedisConnection
from gateway.stores.idempotency import IdempotencyStore
from gateway.stores.keys import KeyResolver
from gateway.stores.learning import LearningStore
from gateway.stores.ledger import LedgerStore
from gateway.stores.memory import MemoryStore
from gateway.stores.outbox import Outbox
from gateway.stores.pairs import PairStore
from gateway.stores.pepper import load_pepper
from gateway.stores.responses import ResponseStore
from gateway.stores.seal import Sealer
from gateway.stores.slices import SliceKeeper
from gateway.stores.spool import Spool
from gateway.stores.sticking import StickingStore
from gateway.stores.targets import TargetStore
from policies.compiled import CompiledPolicy
from policies.testing import JudgeText

#: How often new audit records are chained and signed; seconds.
_SEAL_SECONDS = 10.0
#: How old an answer about a virtual key may be while Redis is away, if policy is lenient; seconds.
_STALE_KEY_SECONDS = 600.0
#: How often finished hours of the ledger are looked for; seconds.
_LEDGER_SEAL_SECONDS = 300.0
_T = TypeVar("_T")


class Services:
    """Everything one worker needs, as explicit parts."""

    def __init__(
        self,
        *,
        settings: Settings,
        rulings: Rulings,
        transport: Transport,
        connection: RedisConnection,
        pepper: bytes,
        classifiers: Classifiers,
        begun: InForce | None = None,
    ) -> None:
        self.settings = settings
        self.rulings = rulings
        self.log: Any = logger()
        self.metrics = Metrics(several_workers=settings.workers > 1)
        self.keys = KeyResolver(connection, pepper)
        self.secret = pepper
        self.memory = ConversationMemory(MemoryStore(connection))
        self.ledger = LedgerStore(connection)
        self._spool = Spool(settings.home)
        self.outbox = Outbox(self.ledger, self._spool)
        self.slices = SliceKeeper(self.ledger, f"{gethostname()}-{os.getpid()}-{time.time_ns()}")
        self.sealer = Sealer(connection, pepper)
        self.idempotency = Idempotency(IdempotencyStore(connection, pepper))
        self.conversations = Conversations(
            ResponseStore(connection, pepper), self.log, largest=settings.max_body_bytes
        )
        self.health = HealthBoard(BreakerStore(connection))
        self.speeds = SpeedBoard()
        self.lengths = LengthBoard()
        self.sticking = Sticking(StickingStore(connection))
        self.targets = Targets(TargetStore(connection))
        kept = round(settings.feedback_hours * 3600)
        self.pairs = PairStore(connection, pepper)
        self.learning = Learning(LearningStore(connection), self.pairs, kept)
        self.budgets = BudgetView(self.ledger.budget_use)
        self.alerts = Alerts(self.ledger.claim_alert, self.log)
        self.shadows = Shadows(self.log)
        self.presidio = PresidioClient(transport)
        self._transport = transport
        self._connection = connection
        self._classifiers = classifiers
        self._fingerprints = FingerprintFollower(connection, pepper, classifiers)
        self._upkeep: list[asyncio.Task[None]] = []
        self.live = self._live_policy(begun) if begun is not None else None

    # Judging

    async def resolve_key(self, ruling: Ruling, key: str) -> Principal:
        """Who holds a virtual key; a lenient policy knows it for a while without Redis."""
        stale = _STALE_KEY_SECONDS if ruling.lenient else 0.0
        return await self.keys.resolve(key, stale_seconds=stale)

    async def judge(
        self, ruling: Ruling, request: ChatRequest, floor: Sensitivity = Sensitivity.PUBLIC
    ) -> Profile:
        """Classify a request; large ones in a thread, so that nobody else waits for them."""
        return await self._classifiers.judge(request, ruling.policy.rules, floor)

    async def count_tokens(
        self,
        ruling: Ruling,
        request: ChatRequest,
        profile: Profile,
        families: Iterable[str] = (),
    ) -> Profile:
        """The profile with exact tokens where something is decided by them.

        `families` are counted in any case.
        """
        asked = frozenset(families)
        most = request.max_output_tokens or ruling.policy.defaults.max_output_tokens
        counting = what_to_count(
            profile.tokens, ruling.stakes, most * request.choices, always=bool(asked)
        )
        if counting is None or "tokens" in profile.failed:
            return profile
        counting = msgspec.structs.replace(counting, families=counting.families | asked)
        tokens = await self._classifiers.count(request, profile.tokens, counting)
        return msgspec.structs.replace(profile, tokens=tokens)

    def features(self, prompt: str, size: int, tools: bytes) -> bytes:
        """What the difficulty model sees of a prompt in a body of `size` bytes, packed.

        `tools` is the field of that name, empty for none.
        """
        return self._classifiers.features(prompt, size, tools)

    def text_judge(self) -> JudgeText:
        """What judges a bare text, for callers in other threads."""
        return self._classifiers.text_judge()

    # Money

    async def budget_used(self, ruling: Ruling, principal: Principal) -> float:
        """The largest used share of the principal's budgets."""
        counters = ruling.charges_for(principal).counters
        try:
            return await self.budgets.used(principal.org, counters)
        except StoreUnavailable:
            if not ruling.lenient:
                raise
            return self.budgets.known(principal.org, counters)

    async def write(self, operation: Callable[[_T], Awaitable[bool]], record: _T) -> None:
        """Write a settlement or an audit record, whatever happens to the request meanwhile.

        Settlements are idempotent by hold id. What the store cannot take now waits in the
        outbox; what is lost with this process is booked from the hold's lease.
        """
        try:
            written = await operation(record)
        except asyncio.CancelledError:
            await asyncio.shield(_finish(operation, record))
            raise
        if not written:
            self.log.error("record_waits", kind=type(record).__name__, waiting=len(self.outbox))

    # Reporting

    def finish(self, exchange: Exchange) -> None:
        """One log line and the metrics of a finished request; no prompt text, no secrets."""
        self.metrics.request(exchange)
        if exchange.decided is not None:
            aim = exchange.decided.aim
            self.targets.spent(exchange.ruling.policy, aim, exchange.cost_nanousd)
            self.learning.finished(exchange)
        if self.live is not None and self.live.dry_runner.goes_on and exchange.decided is not None:
            self.live.dry_runner.note(
                exchange.audit_record(exchange.outcome, exchange.status, exchange.error)
            )
        self.log.info("request", **summary_of(exchange))

    async def prepare(self) -> None:
        """Know what the first request needs to be judged by."""
        with contextlib.suppress(StoreUnavailable):
            await self._fingerprints.look()

    async def not_ready(self) -> list[str]:
        """What is missing before requests can be served; empty when ready."""
        missing = []
        try:
            await self._connection.execute("PING")
        except StoreUnavailable:
            missing.append("redis")
        if not self.rulings.current.adapters:
            missing.append("deployments")
        return missing

    def warnings(self) -> list[str]:
        """What an operator should know although requests are served."""
        return self.live.warnings() if self.live is not None else []

    # Life

    def _live_policy(self, begun: InForce) -> LivePolicy:
        path = self.settings.policy_file
        return LivePolicy(
            connection=self._connection,
            rulings=self.rulings,
            bench=bench_for(path, os.environ, self._classifiers.text_judge),
            prover=Prover(self.settings.proof_seconds),
            path=path,
            run_dir=self.settings.home / "run",
            begun=begun,
            log=self.log,
            metrics=PolicyMetrics(self.metrics.registry),
        )

    def start_upkeep(self) -> None:
        """Begin the background work: expired leases, shared breakers, gauges."""
        self._upkeep = [
            asyncio.ensure_future(_forever(1.0, self._share)),
            asyncio.ensure_future(_forever(1.0, self._share_learnt)),
            asyncio.ensure_future(_forever(FINGERPRINT_SECONDS, self._fingerprints.look)),
            asyncio.ensure_future(_forever(self.settings.reap_seconds, self._reap)),
            asyncio.ensure_future(_forever(_SEAL_SECONDS, self._seal)),
            asyncio.ensure_future(_forever(_LEDGER_SEAL_SECONDS, self._seal_ledger)),
        ]
        if self.live is not None:
            self.live.start()

    async def close(self) -> None:
        """Give everything back, in the reverse order of building."""
        if self.live is not None:
            await self.live.close()
        for task in self._upkeep:
            task.cancel()
        await asyncio.gather(*self._upkeep, return_exceptions=True)
        await self.shadows.close()
        await self.sticking.close()
        await self.learning.close()
        with contextlib.suppress(StoreUnavailable):
            await self._share_learnt()
        await self.alerts.close()
        if await self.outbox.flush():
            self.log.error("records_spooled", waiting=len(self.outbox))
        with contextlib.suppress(StoreUnavailable):
            await self.slices.give_back()
        self._spool.close()
        self._classifiers.close()
        await self.rulings.close()
        await self._transport.close()
        await self._connection.close()

    async def _share(self) -> None:
        await self.health.refresh()
        self.metrics.breakers(list(self.rulings.current.adapters), self.health.breakers)

    async def _share_learnt(self) -> None:
        await self.targets.share(self.rulings.current.policy)
        await self.learning.keep()
        await self.learning.refresh()

    async def _seal(self) -> None:
        for org in await self.ledger.orgs():
            await self.sealer.seal(org)

    async def _seal_ledger(self) -> None:
        """Finished hours go to files in a process of its own: it needs memory that we do not."""
        if not await self.ledger.has_finished_hours():
            return
        ended = await run_fairlead(self.settings, ("ledger", "seal", "--json"))
        if ended.status:
            self.log.error("ledger_not_sealed", reason=ended.complaint[:500])
        else:
            told = ended.told.decode(errors="replace").strip()
            self.log.info("ledger_sealed", told=told[:500])

    async def _reap(self) -> None:
        # First what is only late, so that it is not taken for lost.
        waiting = await self.outbox.flush()
        adopted = await self.outbox.adopt()
        if adopted:
            self.log.warning("spool_adopted", entries=adopted)
        if self.rulings.current.lenient and not waiting:
            await self.slices.keep()
        for org in await self.ledger.orgs():
            booked = await self.ledger.reap(org)
            if booked:
                self.log.warning("leases_expired", org=org, booked_in_doubt=booked)
            self.metrics.holds(org, await self.ledger.open_holds(org))


async def open_services(
    settings: Settings,
    policy: CompiledPolicy,
    classifiers: Classifiers | None = None,
    begun: InForce | None = None,
) -> Services:
    """Build everything for one worker.

    Args:
        policy: what to serve by.
        classifiers: loaded here when not given.
        begun: the text of the policy as it is kept in Redis, to follow its changes from there
            on; without it the policy stays what it is.

    Raises:
        ValueError: a deployment cannot be opened; the message names it and what it lacks.
    """
    connection = RedisConnection(settings.redis_url or "")
    try:
        await connection.open()
    except StoreUnavailable as error:
        # The connection goes on trying; until then `/readyz` says what is missing.
        logger().error("redis_not_there_yet", detail=error.detail)
    transport = Transport()
    run_dir = settings.home / "run"
    classifiers = classifiers or open_classifiers(settings)
    rulings = Rulings(
        lambda deployment: open_adapter(deployment, transport, run_dir=run_dir),
        lambda ruled: classifiers.prepare(ruled.rules),
    )
    await rulings.adopt(policy)
    services = Services(
        settings=settings,
        rulings=rulings,
        transport=transport,
        connection=connection,
        pepper=load_pepper(settings.home, settings.pepper),
        classifiers=classifiers,
        begun=begun,
    )
    await services.prepare()
    services.start_upkeep()
    return services


async def _finish(operation: Callable[[_T], Awaitable[bool]], record: _T) -> None:
    await operation(record)


async def _forever(pause: float, work: Callable[[], Awaitable[None]]) -> None:
    """Repeat background work; a store that is away is met again at the next turn."""
    while True:
        with contextlib.suppress(StoreUnavailable):
            await work()
        await asyncio.sleep(pause)
