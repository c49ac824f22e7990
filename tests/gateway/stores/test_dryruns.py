"""The dry run in Redis: one at a time, counted by every worker, kept after its end."""

from __future__ import annotations

import msgspec
import redis

from gateway.core.dryruns import DryRun
from gateway.core.replaying import Replayed, Side, Tally
from gateway.stores import dryruns, names, versions
from gateway.stores.connection import RedisConnection
from gateway.stores.versions import ask

RUN = DryRun(id="d1", revision="new", against="old", by="ann", at=1.0)


async def test_a_dry_run_is_named_by_the_head_while_it_goes_on(connection: RedisConnection) -> None:
    """Its text is kept, and the run itself after its end."""
    none = await ask(connection, dryruns.latest())
    for question in dryruns.keep(RUN, "text: 1"):
        await ask(connection, question)
    going = (await ask(connection, versions.head())).candidate
    found = await ask(connection, dryruns.latest())
    ended = msgspec.structs.replace(RUN, ended=2.0)
    for question in dryruns.end(ended):
        await ask(connection, question)

    assert none is None
    assert (going, found) == ("d1", (RUN, "text: 1"))
    assert (await ask(connection, versions.head())).candidate == ""
    assert await ask(connection, dryruns.latest()) == (ended, "text: 1")


async def test_what_workers_counted_is_added_up(
    connection: RedisConnection, client: redis.Redis
) -> None:
    """A worker writes its whole tally each time, and nothing twice."""
    one = Replayed(
        request_id="r",
        team="a",
        model="m",
        before=Side(destination="x"),
        after=Side(destination=""),
    )
    tally = Tally()
    for worker in ("w1", "w2", "w1"):
        tally.count(one, 1.0)
        for question in dryruns.note("d1", worker, tally):
            await ask(connection, question)
    found = await ask(connection, dryruns.counted("d1"))

    assert found.total.newly_refused == 3 + 2
    assert 0 < int(client.ttl(names.dry_run("d1"))) <= dryruns.KEPT_SECONDS  # type: ignore[arg-type]
    assert await ask(connection, dryruns.counted("other")) == Tally()
