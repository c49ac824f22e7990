"""How sensitive conversations were found to be, shared by all gateways; never what was said."""

from __future__ import annotations

from gateway.core.sensitivity import Sensitivity
from gateway.stores import names
from gateway.stores.connection import RedisConnection
from gateway.stores.scripts import load_scripts

#: How long a conversation is remembered after its last turn, in seconds: as long as its stored
#: responses can be continued.
MEMORY_SECONDS = 24 * 3600


class MemoryStore:
    """Levels of conversations by digest.

    Methods raise `gateway.core.errors.StoreUnavailable` when Redis does not answer.
    """

    def __init__(self, connection: RedisConnection) -> None:
        self._connection = connection
        self._remember = load_scripts().remember

    async def known(self, org: str, conversation: str) -> Sensitivity:
        """The level that a conversation was found at; the lowest where it is not known."""
        name = names.conversation_level(org, conversation)
        reply = await self._connection.execute("GET", name, idempotent=True)
        return Sensitivity(int(reply)) if isinstance(reply, bytes) else Sensitivity.PUBLIC

    async def remember(self, org: str, conversation: str, level: Sensitivity) -> None:
        """Raise the level of a conversation, for another while; it never falls."""
        keys = (names.conversation_level(org, conversation),)
        await self._connection.run(self._remember, keys, (int(level), MEMORY_SECONDS))
