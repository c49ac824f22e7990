"""The Lua programs and their Python twin agree about every history of money."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.core.budgets import BudgetCounter, Refused
from gateway.core.ledger import UNDATED, Granted, Hold, Settlement
from gateway.core.limits import SLOTS, LimitCounter, Limited
from gateway.core.prices import CostPart
from gateway.core.records import LedgerLine
from gateway.core.twin import (
    Book,
    cancel_hold,
    place_hold,
    reap_holds,
    renew_hold,
    settle_hold,
    taken_of,
)
from gateway.core.usage import Usage
from gateway.stores import names
from gateway.stores.connection import RedisConnection
from gateway.stores.embedded import EmbeddedRedis, open_embedded
from gateway.stores.ledger import LedgerStore
from tests.gateway.stores.windows import older

SCOPES = ("org/acme", "team/a", "team/b")
amounts = st.integers(min_value=0, max_value=120)
hold_ids = st.sampled_from(["h1", "h2", "h3", "h4"])
counter_sets = st.lists(
    st.builds(
        BudgetCounter,
        scope=st.sampled_from(SCOPES),
        per=st.sampled_from(["day", "month", "total", "30d"]),
        cap_nanousd=st.integers(min_value=0, max_value=200),
        enforce=st.booleans(),
        zone=st.sampled_from(["UTC", "Asia/Kolkata"]),
    ),
    max_size=3,
).map(tuple)
most = st.none() | st.integers(min_value=0, max_value=4)
limit_sets = st.lists(
    st.builds(
        LimitCounter,
        scope=st.sampled_from(["team/a", "deployment/house"]),
        seconds=st.sampled_from([86400, 864_000]),
        requests=most,
        tokens=st.none() | st.integers(min_value=0, max_value=200),
        concurrent=most,
    ),
    max_size=2,
).map(tuple)
# Half a window, a whole one, and anything between.
ages = st.tuples(st.just("age"), st.sampled_from([1, 60, 61, SLOTS, SLOTS + 1]))
briefs = st.tuples(st.just("brief"), amounts, st.booleans())
actions = st.one_of(
    st.tuples(st.just("hold"), hold_ids, amounts, counter_sets, limit_sets, amounts, st.booleans()),
    st.tuples(st.just("settle"), hold_ids, amounts, counter_sets),
    st.tuples(st.just("renew"), hold_ids),
    st.tuples(st.just("cancel"), hold_ids),
    st.tuples(st.just("expire"), hold_ids),
    st.tuples(st.just("reap"), st.integers(min_value=1, max_value=3)),
    ages,
    briefs,
)
ROOMY = LimitCounter(scope="team/a", seconds=86400)
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
        self.brief = 0

    async def act(self, action: Action) -> None:
        """Do it to both and compare the answers."""
        match action:
            case (
                "hold",
                str(hold_id),
                int(amount),
                tuple(counters),
                tuple(limits),
                int(tokens),
                bool(repeated),
            ):
                hold = self.make_hold(
                    hold_id,
                    amount,
                    counters=counters,
                    limits=limits,
                    tokens=tokens,
                    repeated=repeated,
                )
                hold = msgspec.structs.replace(
                    hold, line=msgspec.structs.replace(hold.line, at=UNDATED)
                )
                real = await self.store.hold(hold)
                self.book, twin = place_hold(self.book, hold, self.now)
                assert _told(real) == _told(twin)
            case ("settle", str(hold_id), int(cost), tuple(counters)):
                line = self.make_hold(hold_id, cost).line
                line = msgspec.structs.replace(
                    line,
                    kind="settle",
                    at=self.now,
                    cost_nanousd=cost,
                    usage=Usage(input_tokens=cost),
                    parts=(CostPart("input", cost, 10**6, cost, 10**6),),
                )
                settlement = Settlement(hold_id=hold_id, org="acme", line=line, counters=counters)
                await self.store.settle(settlement)
                self.book = settle_hold(self.book, settlement)
            case ("renew", str(hold_id)):
                renewed = await self.store.renew("acme", hold_id, 500.0)
                self.book, twin_renewed = renew_hold(self.book, hold_id, 500.0, self.now)
                assert renewed == twin_renewed
            case ("cancel", str(hold_id)):
                cancelled = await self.store.cancel("acme", hold_id)
                self.book, twin_cancelled = cancel_hold(self.book, hold_id)
                assert cancelled == twin_cancelled
            case ("expire", str(hold_id)):
                await self.expire(hold_id)
            case ("reap", int(limit)):
                reaped = await self.store.reap("acme", limit)
                self.book, twin_reaped = reap_holds(self.book, self.now, limit)
                assert reaped == twin_reaped
            case ("brief", int(tokens), bool(made)):
                self.brief += 1
                hold_id = f"b{self.brief}"
                await self.act(("hold", hold_id, 0, (), (ROOMY,), tokens, False))
                await self.act(("settle", hold_id, 0, ()) if made else ("cancel", hold_id))
            case ("age", int(slots)):
                await self.age(slots)

    async def expire(self, hold_id: str) -> None:
        """Let the lease of a hold end, in both, at a moment of its own so that the order is set."""
        entry = self.book.holds.get(hold_id)
        if entry is None or entry.state != "open":
            return
        ended = float(hold_id[1:])
        await self.connection.execute("ZADD", names.leases("acme"), "XX", ended, hold_id)
        entry = msgspec.structs.replace(entry, expires_at=ended)
        self.book = msgspec.structs.replace(self.book, holds={**self.book.holds, hold_id: entry})

    async def hash_of(self, key: str) -> dict[bytes, bytes]:
        """The fields and values under a key."""
        found = await self.connection.execute("HGETALL", key)
        return dict(zip(found[::2], found[1::2], strict=True))  # type: ignore[index, arg-type]

    async def age(self, slots: int) -> None:
        """Let all that limits counted be so many slots older, in both: as if time had passed."""
        windows = {}
        for (org, scope, seconds), window in self.book.windows.items():
            key = names.limit(org, scope, seconds)
            moved = older(await self.hash_of(key), slots)
            if moved:
                await self.connection.execute("DEL", key)
                await self.connection.execute("HSET", key, *chain.from_iterable(moved.items()))
            windows[org, scope, seconds] = msgspec.structs.replace(
                window,
                last=window.last - slots,
                requests={at - slots: n for at, n in window.requests.items()},
                tokens={at - slots: n for at, n in window.tokens.items()},
            )
        holds = {}
        for hold_id, entry in self.book.holds.items():
            key = names.hold_prefix("acme") + hold_id
            stored = bytes(await self.connection.execute("HGET", key, "limits") or b"")  # type: ignore[arg-type]
            lines = [line.split(b" ", 1) for line in stored.splitlines()]
            moved = b"".join(b"%d %s\n" % (int(slot) - slots, rest) for slot, rest in lines)
            if moved:
                await self.connection.execute("HSET", key, "limits", moved)
            shares = [msgspec.structs.replace(one, slot=one.slot - slots) for one in entry.shares]
            holds[hold_id] = msgspec.structs.replace(entry, shares=tuple(shares))
        self.book = msgspec.structs.replace(self.book, windows=windows, holds=holds)

    async def compare(self) -> None:
        """Everything that Redis holds is what the twin holds."""
        for org, scope, spelled, period in {*self.book.spent, *self.book.held}:
            per, zone = spelled.split()
            counter = BudgetCounter(scope=scope, per=per, cap_nanousd=1, zone=zone)
            (use,) = await self.store.budget_use(org, (counter,))
            key = (org, scope, spelled, period)
            assert use.period == period
            assert use.spent_nanousd == taken_of(self.book.spent, key, per)
            assert use.held_nanousd == taken_of(self.book.held, key, per)
            assert use.held_nanousd >= 0
        for (org, scope, seconds), window in self.book.windows.items():
            key, slot = names.limit(org, scope, seconds), int(self.now // (seconds / SLOTS))
            counted = await self.hash_of(key)
            ends = window.slid(slot)
            for kind, twin in ((b"r", ends.requests), (b"t", ends.tokens)):
                slots = {int(at[1:]): int(n) for at, n in counted.items() if at[:1] == kind != at}
                assert int(counted.get(kind, 0)) == sum(slots.values())
                # What has left the window is forgotten when it is next looked at.
                assert sum(n for at, n in slots.items() if at >= slot - SLOTS) == sum(twin.values())
            assert int(counted.get(b"c", 0)) == window.under_way
        still_open = [entry for entry in self.book.holds.values() if entry.state == "open"]
        assert await self.store.open_holds("acme") == len(still_open)
        entries = await self.connection.execute("XRANGE", names.ledger("acme"), "-", "+")
        lines = [msgspec.json.decode(fields[1], type=LedgerLine) for _, fields in entries]  # type: ignore[union-attr, misc, index, arg-type]
        assert [_dated(line, self.now) for line in lines] == list(self.book.lines)
        assert await self.rollups() == {
            (span, cell, name): pair
            for (span, _, cell, name), pair in self.book.rollups.items()
            if name == "lines" or pair != (0, 0)
        }

    async def rollups(self) -> dict[tuple[str, bytes, str], tuple[int, int]]:
        """The rollups of Redis, of all hours and days (there is one of each)."""
        cells = await self.connection.execute("HGETALL", names.cells("acme"))
        pairs = zip(cells[1::2], cells[::2], strict=True)  # type: ignore[index, arg-type]
        texts = {number: text for number, text in pairs if text != b"#"}
        found: dict[tuple[str, bytes, str], tuple[int, int]] = {}
        for span, length in (("hour", 3600), ("day", 86400)):
            key = f"{names.rollup_prefix('acme')}{span}:{int(self.now // length)}"
            fields = await self.connection.execute("HGETALL", key)
            for field, count in zip(fields[::2], fields[1::2], strict=True):  # type: ignore[index, arg-type]
                number, name = field.decode().split(":")  # type: ignore[union-attr]
                place = (span, texts[number.encode()], name.rstrip("$"))
                quantity, cost = found.get(place, (0, 0))
                if name.endswith("$"):
                    found[place] = (quantity, cost + int(count))  # type: ignore[arg-type]
                else:
                    found[place] = (quantity + int(count), cost)  # type: ignore[arg-type]
        return {place: pair for place, pair in found.items() if place[2] == "lines" or any(pair)}


def _dated(line: LedgerLine, now: float) -> LedgerLine:
    """A line with the twin's date, which stands still; what is dated at all is dated now."""
    assert abs(line.at - now) < 60
    return msgspec.structs.replace(line, at=now)


def _told(answer: Granted | Refused | Limited) -> object:
    """What an answer says, without its moments, which follow two clocks."""
    if isinstance(answer, Refused):
        return answer.counter, answer.amount_nanousd, answer.available_nanousd
    if isinstance(answer, Limited):
        helps = answer.retry_after is not None
        return answer.counter, answer.kind, answer.asked, answer.taken, helps
    return msgspec.structs.replace(answer, at=0.0)


@pytest.fixture(scope="module")
def twin_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    """A server of its own: examples empty it again and again."""
    embedded = open_embedded(Path(tmp_path_factory.mktemp("twin")))
    yield embedded
    embedded.close()


def play(url: str, make_hold: Callable[..., Hold], history: list[Action]) -> None:
    """Run a history on both, from empty books on, and compare them at its end."""

    async def run() -> None:
        connection = RedisConnection(url, timeout_seconds=5.0)
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


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(history=st.lists(actions, max_size=25))
def test_lua_and_twin_agree(
    twin_server: EmbeddedRedis, make_hold: Callable[..., Hold], history: list[Action]
) -> None:
    """After any history of holds, settlements, renewals and reapings both books are the same."""
    play(twin_server.url, make_hold, history)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(history=st.lists(st.one_of(ages, briefs), max_size=12))
def test_lua_and_twin_agree_about_windows_that_slide(
    twin_server: EmbeddedRedis, make_hold: Callable[..., Hold], history: list[Action]
) -> None:
    """Whatever was held and given back while the window moved on."""
    play(twin_server.url, make_hold, history)
