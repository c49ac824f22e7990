"""One server that answers tools, schemas and attachments on every wire that vendors speak."""

from __future__ import annotations

from tests.compat import chat_upstream, messages_upstream, responses_upstream
from tests.upstreams.scripted import Received, Script

_PLAYS = {
    "/v1/chat/completions": chat_upstream.play,
    "/v1/messages": messages_upstream.play,
    "/v1/responses": responses_upstream.play,
    "/v1/messages/count_tokens": messages_upstream.play,
}


def play(received: Received) -> Script:
    """Answer a request by the wire of its path."""
    known = _PLAYS.get(received.path.split("?")[0])
    if known is None:
        return Script(status=404, pieces=(b'{"error":{"message":"no such path"}}',))
    return known(received)
