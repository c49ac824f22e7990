"""Booking expired leases from a command, where no gateway may be running to do it."""

from __future__ import annotations

from typing import cast

import redis

from gateway.stores import names
from gateway.stores.book import read_orgs
from gateway.stores.ledger import IN_DOUBT_SECONDS
from gateway.stores.scripts import load_scripts

_PAGE = 500


def reap_everywhere(client: redis.Redis) -> int:
    """Book every expired lease of every org as in doubt; returns how many there were."""
    version = str(cast(dict[str, object], client.info("server"))["redis_version"])
    major, minor = version.split(".")[:2]
    _, source = load_scripts().reap.for_server((int(major), int(minor)))
    return sum(_reap(client, source, org) for org in read_orgs(client))


def _reap(client: redis.Redis, source: str, org: str) -> int:
    keys = (names.leases(org), names.ledger(org), names.audit(org), names.cells(org))
    prefixes = (names.hold_prefix(org), names.rollup_prefix(org))
    args = (str(_PAGE), prefixes[0], str(IN_DOUBT_SECONDS), prefixes[1])
    total = 0
    while True:
        booked = cast(int, client.eval(source, len(keys), *keys, *args))
        total += booked
        if booked < _PAGE:
            return total
