"""A conversation that was sensitive once stays so, whatever a later turn leaves out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.e2e.inprocess import InProcessGateway, Response, gateway_with
from tests.e2e.test_pipeline import ANSWERS, policy
from tests.upstreams.scripted import ScriptedUpstream

CARD = "my card is 4111 1111 1111 1111"
BEGUN = [
    {"role": "user", "content": "Help me pay."},
    {"role": "assistant", "content": "Gladly, what is it about?"},
]


async def ask(gateway: InProcessGateway, *turns: dict[str, Any], session: str = "") -> Response:
    """One request of a chat."""
    headers = [(b"x-fairlead-session", session.encode())] if session else []
    body = {"model": "auto", "messages": list(turns)}
    return await gateway.chat(body=json.dumps(body).encode(), headers=headers)


def user(text: str) -> dict[str, Any]:
    """A turn of the user."""
    return {"role": "user", "content": text}


async def test_a_session_keeps_its_level(redis_url: str, home: Path, org: str) -> None:
    """The card is gone from the second request, and it stays at home all the same."""
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(ANSWERS) as frontier:
        rules = policy(house.url, frontier.url)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            first = await ask(gateway, user(CARD), session="4711")
            later = await ask(gateway, user("And what was that again?"), session="4711")
            other = await ask(gateway, user("And what was that again?"), session="4712")

    assert first.headers["x-fairlead-sensitivity"] == "restricted"
    assert later.headers["x-fairlead-sensitivity"] == "restricted"
    assert later.headers["x-fairlead-deployment"] == "house"
    assert other.headers["x-fairlead-deployment"] == "frontier"
    assert frontier.connections == 1


async def test_a_conversation_without_a_session_is_known_by_how_it_began(
    redis_url: str, home: Path, org: str
) -> None:
    """Another gateway process knows it, too."""
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(ANSWERS) as frontier:
        rules = policy(house.url, frontier.url)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            await ask(gateway, *BEGUN, user(CARD))
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            later = await ask(gateway, *BEGUN, user("Forget it. What is two and two?"))

    assert later.headers["x-fairlead-sensitivity"] == "restricted"
    assert frontier.connections == 0


async def test_what_was_masked_does_not_count_against_later_turns(
    redis_url: str, home: Path, org: str
) -> None:
    """The level of what was sent is remembered, and the address never was."""
    mask = "constraints:\n  - {id: hide, because: GDPR., when: {findings: [email]}, mask: [email]}"
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(ANSWERS) as frontier:
        rules = policy(house.url, frontier.url, mask)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            mail = user("Write to ada.berg@kanzlei-berg.de")
            first = await ask(gateway, mail, session="1")
            later = await ask(gateway, user("Shorter, please."), session="1")

    assert first.headers["x-fairlead-deployment"] == "frontier"
    assert later.headers["x-fairlead-deployment"] == "frontier"


async def test_a_declared_level_stays_for_the_session(redis_url: str, home: Path, org: str) -> None:
    """Saying it once is enough."""
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(ANSWERS) as frontier:
        rules = policy(house.url, frontier.url)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            body = json.dumps({"model": "auto", "messages": [user("our plans")]}).encode()
            declared = [(b"x-fairlead-sensitivity", b"restricted"), (b"x-fairlead-session", b"s")]
            await gateway.chat(body=body, headers=declared)
            later = await ask(gateway, user("and now?"), session="s")

    assert later.headers["x-fairlead-sensitivity"] == "restricted"
    assert frontier.connections == 0
