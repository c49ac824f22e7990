"""Money in Redis: holds, settlements, leases and corrections."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import msgspec
import pytest
import redis

from gateway.core.budgets import BudgetCounter, BudgetUse, Refused
from gateway.core.ledger import Granted, Hold, Settlement
from gateway.core.limits import LimitCounter
from gateway.core.records import AuditRecord, LedgerLine
from gateway.core.usage import Usage
from gateway.stores import names
from gateway.stores.ledger import LedgerStore
from tests.gateway.stores.windows import older

MONTH = BudgetCounter(scope="team/support", per="month", cap_nanousd=1000)


def lines_of(client: redis.Redis, org: str = "acme") -> list[LedgerLine]:
    """The ledger as it stands in Redis."""
    entries = client.xrange(names.ledger(org))
    return [msgspec.json.decode(fields[b"line"], type=LedgerLine) for _, fields in entries]


def audits_of(client: redis.Redis, org: str = "acme") -> list[AuditRecord]:
    """The audit log as it stands in Redis."""
    entries = client.xrange(names.audit(org))
    return [msgspec.json.decode(fields[b"record"], type=AuditRecord) for _, fields in entries]


def end_leases(client: redis.Redis, org: str = "acme") -> None:
    """Let every lease end in the past, without waiting for it."""
    for hold_id in client.zrange(names.leases(org), 0, -1):
        client.zadd(names.leases(org), {hold_id: 1.0})


async def standing(store: LedgerStore) -> tuple[int, int]:
    """Spent and held of the team's month."""
    (use,) = await store.budget_use("acme", (MONTH,))
    return use.spent_nanousd, use.held_nanousd


async def test_a_hold_and_its_settlement_move_money_from_held_to_spent(
    store: LedgerStore,
    client: redis.Redis,
    make_hold: Callable[..., Hold],
    make_settlement: Callable[..., Settlement],
    make_audit: Callable[..., AuditRecord],
) -> None:
    """A hold reserves the worst case, a settlement books the real cost with line and record."""
    granted = await store.hold(make_hold(amount=100))
    held = await standing(store)
    await store.settle(make_settlement(cost=40, audit=make_audit()))

    assert isinstance(granted, Granted)
    assert [(use.spent_nanousd, use.held_nanousd) for use in granted.used] == [(0, 100)]
    assert held == (0, 100)
    assert await standing(store) == (40, 0)
    assert [(line.kind, line.cost_nanousd) for line in lines_of(client)] == [("settle", 40)]
    assert audits_of(client) == [make_audit()]
    assert await store.open_holds("acme") == 0
    assert await store.orgs() == ("acme",)


async def test_two_hundred_holds_at_once_admit_exactly_the_cap(
    store: LedgerStore, make_hold: Callable[..., Hold]
) -> None:
    """Of 200 concurrent holds of 30 under a cap of 1,000 exactly 33 are granted."""
    answers = await asyncio.gather(*(store.hold(make_hold(f"h{n}", 30)) for n in range(200)))

    assert sum(isinstance(answer, Granted) for answer in answers) == 33
    assert await standing(store) == (0, 990)


async def test_a_refusal_reserves_nothing_anywhere_and_names_the_budget(
    store: LedgerStore, make_hold: Callable[..., Hold]
) -> None:
    """All or nothing: one full counter leaves the others untouched, and the message says which."""
    key = BudgetCounter(scope="key/k1", per="day", cap_nanousd=50_000_000)
    answer = await store.hold(
        make_hold(
            amount=60_000_000,
            counters=(BudgetCounter(scope="org/acme", per="total", cap_nanousd=10**12), key),
        )
    )
    uses = await store.budget_use(
        "acme", (BudgetCounter(scope="org/acme", per="total", cap_nanousd=10**12), key)
    )

    assert isinstance(answer, Refused)
    assert answer.counter == key
    assert answer.resets_at is not None
    assert answer.message.startswith(
        "The budget of key/k1 ($0.05 per day) cannot cover this request, which may cost up to "
        "$0.06: $0.05 is left. It resets at "
    )
    assert [use.held_nanousd for use in uses] == [0, 0]
    assert await store.open_holds("acme") == 0


async def test_money_that_was_spent_counts_against_the_cap(
    store: LedgerStore,
    make_hold: Callable[..., Hold],
    make_settlement: Callable[..., Settlement],
) -> None:
    """After 950 of 1,000 were spent a hold of 50 still fits and one of 51 does not."""
    await store.hold(make_hold("h1", 1000))
    await store.settle(make_settlement("h1", 950))
    refused = await store.hold(make_hold("h2", 51))

    assert isinstance(refused, Refused)
    assert refused.available_nanousd == 50
    assert isinstance(await store.hold(make_hold("h3", 50)), Granted)


async def test_a_counter_that_is_not_enforced_counts_and_never_refuses(
    store: LedgerStore, make_hold: Callable[..., Hold]
) -> None:
    """Money beyond the cap of an unenforced counter is counted all the same."""
    soft = BudgetCounter(scope="team/support", per="month", cap_nanousd=10, enforce=False)

    answer = await store.hold(make_hold(amount=100, counters=(soft,)))

    assert isinstance(answer, Granted)
    assert answer.used[0].share == 10.0


async def test_asking_twice_holds_once_and_settling_twice_books_once(
    store: LedgerStore,
    client: redis.Redis,
    make_hold: Callable[..., Hold],
    make_settlement: Callable[..., Settlement],
) -> None:
    """Hold and settle are idempotent by hold id."""
    await store.hold(make_hold(amount=600))
    again = await store.hold(make_hold(amount=600))
    held = await standing(store)
    await asyncio.gather(*(store.settle(make_settlement(cost=40)) for _ in range(2)))

    assert isinstance(again, Granted)
    assert held == (0, 600)
    assert await standing(store) == (40, 0)
    assert len(lines_of(client)) == 1


async def test_two_caps_on_one_counter_count_once_and_the_lower_one_decides(
    store: LedgerStore, make_hold: Callable[..., Hold]
) -> None:
    """The same scope and period given twice is one counter with two caps."""
    lower = BudgetCounter(scope="team/support", per="month", cap_nanousd=150)

    first = await store.hold(make_hold("h1", 100, counters=(MONTH, lower)))
    second = await store.hold(make_hold("h2", 100, counters=(MONTH, lower)))

    assert isinstance(first, Granted)
    assert isinstance(second, Refused)
    assert second.counter == lower
    assert await standing(store) == (0, 100)


async def test_an_expired_lease_is_booked_in_doubt_at_the_held_amount(
    store: LedgerStore, client: redis.Redis, make_hold: Callable[..., Hold]
) -> None:
    """What nobody settled costs what was held, and leaves its line and its audit record."""
    await store.hold(make_hold(amount=100))
    too_early = await store.reap("acme")
    end_leases(client)
    reaped = await store.reap("acme")

    assert (too_early, reaped) == (0, 1)
    assert await store.reap("acme") == 0
    assert await standing(store) == (100, 0)
    assert [(line.kind, line.cost_nanousd) for line in lines_of(client)] == [("in_doubt", 100)]
    assert [record.outcome for record in audits_of(client)] == ["in_doubt"]
    assert await store.open_holds("acme") == 0


async def test_a_lease_without_its_hold_is_dropped_without_a_line(
    store: LedgerStore, client: redis.Redis, make_hold: Callable[..., Hold]
) -> None:
    """A stray lease does not stop the reaper from booking the others."""
    await store.hold(make_hold(amount=100))
    client.zadd(names.leases("acme"), {"stray": 0.5})
    end_leases(client)

    assert await store.reap("acme") == 1
    assert await store.open_holds("acme") == 0
    assert len(lines_of(client)) == 1


async def test_reaping_is_bounded(
    store: LedgerStore, client: redis.Redis, make_hold: Callable[..., Hold]
) -> None:
    """One call books at most as many leases as it was told to."""
    for number in range(5):
        await store.hold(make_hold(f"h{number}", 10))
    end_leases(client)

    assert [await store.reap("acme", limit=2) for _ in range(4)] == [2, 2, 1, 0]


async def test_a_late_settlement_writes_one_correction_with_the_difference(
    store: LedgerStore,
    client: redis.Redis,
    make_hold: Callable[..., Hold],
    make_settlement: Callable[..., Settlement],
) -> None:
    """After the reaper, money and tokens of the ledger still add up to what was really spent."""
    await store.hold(make_hold(amount=100))
    end_leases(client)
    await store.reap("acme")
    await store.settle(make_settlement(cost=40))
    await store.settle(make_settlement(cost=40))

    booked = lines_of(client)
    assert [(line.kind, line.cost_nanousd) for line in booked] == [
        ("in_doubt", 100),
        ("correction", -60),
    ]
    assert sum(line.usage.output_tokens for line in booked) == 5
    assert await standing(store) == (40, 0)


async def test_a_renewed_lease_is_not_reaped(
    store: LedgerStore, client: redis.Redis, make_hold: Callable[..., Hold]
) -> None:
    """A stream that renews its lease keeps its hold; one that is gone cannot be renewed."""
    await store.hold(make_hold(amount=100))
    end_leases(client)

    assert await store.renew("acme", "h1", 60.0) is True
    assert await store.reap("acme") == 0
    assert await store.renew("acme", "unknown", 60.0) is False


async def test_a_settlement_of_a_hold_that_redis_forgot_is_still_counted(
    store: LedgerStore,
    client: redis.Redis,
    make_hold: Callable[..., Hold],
    make_settlement: Callable[..., Settlement],
) -> None:
    """When Redis lost its memory the money is booked from the settlement alone, once."""
    await store.hold(make_hold(amount=100))
    client.flushall()
    settlement = make_settlement(cost=40, counters=(MONTH, MONTH))
    now = msgspec.structs.replace(settlement.line, at=time.time())
    for _ in range(2):
        await store.settle(msgspec.structs.replace(settlement, line=now))

    assert await standing(store) == (40, 0)
    assert len(lines_of(client)) == 1


async def test_a_cancelled_hold_leaves_no_line(
    store: LedgerStore, client: redis.Redis, make_hold: Callable[..., Hold]
) -> None:
    """A hold under which no call was made is given back without a trace in the ledger."""
    await store.hold(make_hold(amount=100))

    assert await store.cancel("acme", "h1") is True
    assert await store.cancel("acme", "h1") is False
    assert await standing(store) == (0, 0)
    assert lines_of(client) == []


async def test_a_hold_whose_caller_was_cancelled_is_given_back_by_the_reaper(
    store: LedgerStore, client: redis.Redis, make_hold: Callable[..., Hold]
) -> None:
    """A client that leaves while its hold is under way does not block the budget."""
    await store.hold(make_hold("other", 1))
    task = asyncio.create_task(store.hold(make_hold(amount=100)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    before = await standing(store)
    await store.reap("acme")

    assert before == (0, 101)
    assert await standing(store) == (0, 1)
    assert lines_of(client) == []


async def test_caps_are_exact_up_to_the_largest_amount_that_can_be_counted(
    store: LedgerStore, make_hold: Callable[..., Hold]
) -> None:
    """At 2^53 - 1 nano-USD the last unit is still granted and one more is refused."""
    cap = 2**53 - 1
    counter = BudgetCounter(scope="org/acme", per="total", cap_nanousd=cap)

    most = await store.hold(make_hold("h1", cap - 1, counters=(counter,)))
    last = await store.hold(make_hold("h2", 1, counters=(counter,)))
    beyond = await store.hold(make_hold("h3", 1, counters=(counter,)))

    assert isinstance(most, Granted)
    assert isinstance(last, Granted)
    assert isinstance(beyond, Refused)
    assert last.used == (
        BudgetUse(
            scope="org/acme",
            per="total",
            period="total",
            spent_nanousd=0,
            held_nanousd=cap,
            cap_nanousd=cap,
        ),
    )


async def test_older_periods_are_forgotten_when_a_new_one_begins(
    store: LedgerStore, client: redis.Redis, make_hold: Callable[..., Hold]
) -> None:
    """A counter keeps old periods only while something is held in them, and expires itself."""
    key = names.budget("acme", "team/support", "month")
    client.hset(key, mapping={"2001-01:spent": 5, "2001-01:held": 0})
    client.hset(key, mapping={"2001-02:spent": 5, "2001-02:held": 7})
    await store.hold(make_hold(amount=100))

    fields = {name.decode() for name in client.hkeys(key)}
    assert "2001-01:spent" not in fields
    assert {"2001-02:spent", "2001-02:held"} <= fields
    assert client.ttl(key) > 31 * 86400


async def test_a_refused_decision_is_recorded_on_its_own(
    store: LedgerStore, client: redis.Redis, make_audit: Callable[..., AuditRecord]
) -> None:
    """A decision without a hold is written to the audit log of its org."""
    await store.record(make_audit(outcome="refused", org="beta"))

    assert [record.outcome for record in audits_of(client, "beta")] == ["refused"]
    assert await store.orgs() == ("beta",)


async def test_money_of_one_request_is_seen_whole(
    store: LedgerStore,
    client: redis.Redis,
    make_hold: Callable[..., Hold],
    make_settlement: Callable[..., Settlement],
    make_line: Callable[..., LedgerLine],
) -> None:
    """A line comes back from Redis exactly as it was given."""
    line = make_line(at=1_790_000_000.123456, cost_nanousd=2**53 - 1, usage=Usage(estimated=True))
    await store.hold(make_hold())
    await store.settle(make_settlement(line=line))

    assert lines_of(client) == [line]


def grow_older(client: redis.Redis, limit: LimitCounter, slots: int) -> None:
    """Let what is counted in a window of a limit be so many slots older, without waiting."""
    key = names.limit("acme", limit.scope, limit.seconds)
    moved = older(client.hgetall(key), slots)
    client.delete(key)
    client.hset(key, mapping=moved)


@pytest.mark.parametrize("ending", ["cancelled", "settled without a token"])
async def test_what_was_given_back_whole_leaves_the_window_like_everything_else(
    store: LedgerStore,
    client: redis.Redis,
    make_hold: Callable[..., Hold],
    make_settlement: Callable[..., Settlement],
    ending: str,
) -> None:
    """Of three attempts in little more than a minute the first one has left it."""
    limit = LimitCounter(scope="team/support", requests=9, tokens=900)
    await store.hold(make_hold("first", 10, limits=(limit,), tokens=90))
    if ending == "cancelled":
        assert await store.cancel("acme", "first")
    else:
        settlement = make_settlement("first", 0)
        line = msgspec.structs.replace(settlement.line, usage=Usage())
        await store.settle(msgspec.structs.replace(settlement, line=line))
    grow_older(client, limit, slots=100)
    await store.hold(make_hold("second", 10, limits=(limit,), tokens=5))
    grow_older(client, limit, slots=30)

    third = await store.hold(make_hold("third", 10, limits=(limit,), tokens=90))
    assert isinstance(third, Granted)
    assert [(use.requests, use.tokens, use.concurrent) for use in third.limits] == [(2, 95, 2)]


async def test_a_repeated_attempt_that_was_never_made_is_given_back(
    store: LedgerStore, make_hold: Callable[..., Hold]
) -> None:
    """It counts as no request of its own, beside one that does in the same moment."""
    limit = LimitCounter(scope="team/support", requests=9)
    await store.hold(make_hold("first", 10, limits=(limit,)))
    await store.hold(make_hold("again", 10, limits=(limit,), repeated=True))

    assert await store.cancel("acme", "again")
    assert await store.open_holds("acme") == 1
