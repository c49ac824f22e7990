"""What all gateways together have seen of the routes that have a target."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.core.money import MILLION
from gateway.core.targets import HALVE_AT, HORIZON, Bin, Tally
from gateway.stores import names
from gateway.stores.connection import Argument, RedisConnection
from gateway.stores.replies import fields_in
from gateway.stores.scripts import load_scripts

#: How long a tally is kept after its route was last asked, in seconds.
_LIFE_SECONDS = 90 * 86400
#: The half-life of how often requests come, in seconds.
RATE_HALF_LIFE = 6 * 3600


class TargetStore:
    """Adds to the tallies of routes and reads them.

    Methods raise `gateway.core.errors.StoreUnavailable` when Redis does not answer.
    """

    def __init__(self, connection: RedisConnection) -> None:
        self._connection = connection
        self._script = load_scripts().tally

    async def add(self, route: str, kind: str, counted: Tally, period: str) -> Tally:
        """Add what was counted here since the last time, and take what all have counted.

        Args:
            kind: of the target; the values of another kind are kept apart.
            period: the id of the period that money is being spent in.
        """
        args: list[Argument] = [
            *(HALVE_AT, HORIZON * MILLION, _LIFE_SECONDS, period, RATE_HALF_LIFE),
            counted.requests,
        ]
        for name, amount in _fields(counted):
            args += [name, amount]
        reply = await self._connection.run(
            self._script, (names.target(route, kind),), args, idempotent=False
        )
        return _tally(fields_in(reply))


def _fields(counted: Tally) -> list[tuple[str, int]]:
    plain = [
        ("requests", counted.requests),
        ("fixed", counted.fixed),
        ("debt", counted.debt),
        ("spent", counted.spent_nanousd),
    ]
    for place, one in counted.bins.items():
        plain += [
            (f"at:{place}", one.requests),
            (f"low:{place}", one.low),
            (f"high:{place}", one.high),
        ]
    return [(name, amount) for name, amount in plain if amount]


def _tally(found: Mapping[str, bytes]) -> Tally:
    places = [int(name.partition(":")[2]) for name in found if name.startswith("at:")]

    def count(name: str) -> int:
        return int(found.get(name, b"0"))

    span = float(found.get("span", b"0"))
    return Tally(
        requests=count("requests"),
        fixed=count("fixed"),
        debt=count("debt"),
        bins={
            place: Bin(count(f"at:{place}"), count(f"low:{place}"), count(f"high:{place}"))
            for place in places
        },
        spent_nanousd=count("spent"),
        per_second=float(found.get("seen", b"0")) / span if span > 0 else 0.0,
    )
