"""The Lua programs and their Python twin agree about every history of money."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.core.ledger import (
    Book,
    BudgetCounter,
    Granted,
    Hold,
    Refused,
    Settlement,
    place_hold,
    reap_holds,
    renew_hold,
    settle_hold,
)
from gateway.core.records import LedgerLine
from gateway.stores import names
from gateway.stores.connection import RedisConnection
from gateway.stores.embedded import EmbeddedRedis, open_embedded
from gateway.stores.ledger import LedgerStore

SCOPES = ("org/acme", "team/a", "team/b")
amounts = st.integers(min_value=0, max_value=120)
hold_ids = st.sampled_from(["h1", "h2", "h3", "h4"])
counter_sets = st.lists(
    st.builds(
        BudgetCounter,
        scope=st.sampled_from(SCOPES),
        per=st.sampled_from(["day", "month", "total"]),
        cap_nanousd=st.integers(min_value=0, max_value=200),
        enforce=st.booleans(),
    ),
    max_size=3,
).map(tuple)
actions = st.one_of(
    st.tuples(st.just("hold"), hold_ids, amounts, counter_sets),
    st.tuples(st.just("settle"), hold_ids, amounts, counter_sets),
    st.tuples(st.just("renew"), hold_ids),
    st.tuples(st.just("expire"), hold_ids),
    st.tuples(st.just("reap"), st.integers(min_value=1, max_value=3)),
)
Action = tuple[object, ...]


class Machine:
    """Runs one history on a real Redis and on the twin."""

    def __init__(
        self, connection: RedisConnection, make_hold: Callable[..., Hold], now: float
    ) -> None:
        self.connection = connection
        self.store = LedgerStore(connection)
        self.make_hold = make_hold
        self.book = Book()
        self.now = now

    async def act(self, action: Action) -> None:
        """Do it to both and compare the answers."""
        match action:
            case ("hold", str(hold_id), int(amount), tuple(counters)):
                hold = self.make_hold(hold_id, amount, counters=counters)
                real = await self.store.hold(hold)
                self.book, twin = place_hold(self.book, hold, self.now)
                assert _told(real) == _told(twin)
            case ("settle", str(hold_id), int(cost), tuple(counters)):
                line = self.make_hold(hold_id, cost).line
                line = msgspec.structs.replace(line, kind="settle", cost_nanousd=cost)
                settlement = Settlement(hold_id=hold_id, org="acme", line=line, counters=counters)
                await self.store.settle(settlement)
                self.book = settle_hold(self.book, settlement, self.now)
            case ("renew", str(hold_id)):
                renewed = await self.store.renew("acme", hold_id, 500.0)
                self.book, twin_renewed = renew_hold(self.book, hold_id, 500.0, self.now)
                assert renewed == twin_renewed
            case ("expire", str(hold_id)):
                await self.expire(hold_id)
            case ("reap", int(limit)):
                reaped = await self.store.reap("acme", limit)
                self.book, twin_reaped = reap_holds(self.book, self.now, limit)
                assert reaped == twin_reaped

    async def expire(self, hold_id: str) -> None:
        """Let the lease of a hold end, in both, at a moment of its own so that the order is set."""
        entry = self.book.holds.get(hold_id)
        if entry is None or entry.state != "open":
            return
        ended = float(hold_id[1:])
        await self.connection.execute("ZADD", names.leases("acme"), "XX", ended, hold_id)
        entry = msgspec.structs.replace(entry, expires_at=ended)
        self.book = msgspec.structs.replace(self.book, holds={**self.book.holds, hold_id: entry})

    async def compare(self) -> None:
        """Everything that Redis holds is what the twin holds."""
        for (org, scope, per, period), spent in self.book.spent.items():
            counter = BudgetCounter(scope=scope, per=per, cap_nanousd=1)
            (use,) = await self.store.budget_use(org, (counter,))
            assert (use.period, use.spent_nanousd) == (period, spent)
        for (org, scope, per, _), held in self.book.held.items():
            counter = BudgetCounter(scope=scope, per=per, cap_nanousd=1)
            (use,) = await self.store.budget_use(org, (counter,))
            assert use.held_nanousd == held
            assert held >= 0
        still_open = [entry for entry in self.book.holds.values() if entry.state == "open"]
        assert await self.store.open_holds("acme") == len(still_open)
        entries = await self.connection.execute("XRANGE", names.ledger("acme"), "-", "+")
        lines = [msgspec.json.decode(fields[1], type=LedgerLine) for _, fields in entries]  # type: ignore[union-attr, misc, index, arg-type]
        assert lines == list(self.book.lines)


def _told(answer: Granted | Refused) -> object:
    """What an answer says, without its moments, which follow two clocks."""
    if isinstance(answer, Refused):
        return answer.counter, answer.amount_nanousd, answer.available_nanousd
    return msgspec.structs.replace(answer, at=0.0)


@pytest.fixture(scope="module")
def twin_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    """A server of its own: examples empty it again and again."""
    embedded = open_embedded(Path(tmp_path_factory.mktemp("twin")))
    yield embedded
    embedded.close()


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(history=st.lists(actions, max_size=25))
def test_lua_and_twin_agree(
    twin_server: EmbeddedRedis, make_hold: Callable[..., Hold], history: list[Action]
) -> None:
    """After any history of holds, settlements, renewals and reapings both books are the same."""

    async def run() -> None:
        connection = RedisConnection(twin_server.url, timeout_seconds=5.0)
        await connection.execute("FLUSHALL")
        seconds, _ = await connection.execute("TIME")  # type: ignore[misc]
        machine = Machine(connection, make_hold, float(seconds))  # type: ignore[arg-type]
        try:
            for action in history:
                await machine.act(action)
            await machine.compare()
        finally:
            await connection.close()

    asyncio.run(run())
