"""Keeps a conversation at the level that it once had, so that no later turn can launder it.

Rules of this file:
- a conversation is known by the session that its client names, or by how it began: everything up
  to the model's first answer, which hardly two conversations have alike;
- what is remembered is the level of what was sent: what had been masked was never there;
- it is raised before anything is sent, so a gateway that dies in between has not forgotten it;
- while Redis is away and policy is lenient, what this process remembers counts.
"""

from __future__ import annotations

from collections import OrderedDict

from gateway.core.digests import keyed_digest
from gateway.core.errors import StoreUnavailable
from gateway.core.principal import Principal
from gateway.core.request import ChatRequest
from gateway.core.sensitivity import Sensitivity
from gateway.stores.memory import MemoryStore

#: Conversations that one process remembers by itself.
_MOST_KNOWN = 10_000


def conversation_of(secret: bytes, principal: Principal, request: ChatRequest, session: str) -> str:
    """The digest, under the gateway's secret, that a conversation is known by.

    It is empty for one that only begins and has no session.
    """
    belonging = ("session", session) if session else ("began", _beginning(request))
    if not belonging[1]:
        return ""
    parts = (principal.org, principal.team, principal.app, *belonging)
    return keyed_digest(secret, "conversation", *parts).hex()[:32]


class ConversationMemory:
    """The levels of conversations, by their digests."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._known: OrderedDict[tuple[str, str], Sensitivity] = OrderedDict()

    async def level(self, org: str, conversation: str, *, lenient: bool) -> Sensitivity:
        """What a conversation was found to be before.

        Raises:
            StoreUnavailable: Redis is away, and policy is not `lenient`.
        """
        if not conversation:
            return Sensitivity.PUBLIC
        own = self._known.get((org, conversation), Sensitivity.PUBLIC)
        try:
            return max(own, await self._store.known(org, conversation))
        except StoreUnavailable:
            if not lenient:
                raise
            return own

    async def remember(
        self, org: str, conversation: str, level: Sensitivity, *, lenient: bool
    ) -> None:
        """Raise the level of a conversation; it never falls.

        Raises:
            StoreUnavailable: Redis is away, and policy is not `lenient`.
        """
        if not conversation:
            return
        key = (org, conversation)
        self._known[key] = max(level, self._known.pop(key, level))
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
        try:
            await self._store.remember(org, conversation, level)
        except StoreUnavailable:
            if not lenient:
                raise


def _beginning(request: ChatRequest) -> str:
    """What was said up to and with the model's first answer; empty before there is one."""
    said: list[str] = []
    answered = False
    for segment in request.segments:
        if segment.kind == "key" or segment.role not in ("user", "assistant"):
            continue
        if segment.role == "user" and answered:
            break
        answered = answered or segment.role == "assistant"
        said.append(segment.text)
    return "\0".join(said) if answered else ""
