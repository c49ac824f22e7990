"""Notices that somebody asks the very same again: the answer before was not what they wanted.

Only requests of a named session count: programs that sample one prompt many times name none.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b

from gateway.runtime.exchange import Exchange

#: How long a request counts as just asked, in seconds, and how many are remembered.
_REMEMBERED_SECONDS = 600.0
_MOST_REMEMBERED = 10_000
#: Fields that say how an answer is sent, not what is asked.
_MANNERS = frozenset(("stream", "stream_options"))


class Repeats:
    """The latest requests of sessions, by a digest of what they asked."""

    def __init__(self) -> None:
        self._seen: OrderedDict[bytes, tuple[str, float]] = OrderedDict()

    def repeated(self, exchange: Exchange, now: float) -> str:
        """The id of the same request before this one, empty for none; this one is remembered."""
        facts, request = exchange.facts, exchange.request
        if facts is None or request is None or not facts.session or facts.api == "embeddings":
            return ""
        caller = facts.principal
        digest = blake2b(f"{caller.org}\0{caller.key_id}\0{facts.session}".encode(), digest_size=16)
        for name in sorted(request.fields):
            if name not in _MANNERS:
                digest.update(name.encode() + b"\0" + bytes(request.fields[name]) + b"\0")
        key = digest.digest()
        before, at = self._seen.pop(key, ("", 0.0))
        self._seen[key] = exchange.request_id, now
        if len(self._seen) > _MOST_REMEMBERED:
            self._seen.popitem(last=False)
        return before if before and now - at <= _REMEMBERED_SECONDS else ""
