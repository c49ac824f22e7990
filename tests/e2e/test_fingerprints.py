"""A registered document stays at home from the first request on, and may leave when forgotten."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from gateway.stores.endpoint import open_client
from gateway.stores.fingerprints import FingerprintBook, document, hasher
from gateway.stores.pepper import load_pepper
from tests.e2e.inprocess import gateway_with
from tests.e2e.test_pipeline import ANSWERS, policy
from tests.upstreams.scripted import ScriptedUpstream

PAPER = (
    "The western plant is sold in autumn; the price is settled and the works council waits. " * 4
)
PASTED = "Make this shorter, please: " + PAPER[60:260]


async def test_a_pasted_paragraph_of_a_registered_document_stays_home(
    redis_url: str, home: Path, org: str
) -> None:
    """The gateway knows the documents when it starts, and follows their removal."""
    made = document("plant.txt", PAPER, hasher(load_pepper(home)), time.time())
    assert made is not None
    with open_client(redis_url) as client:
        book = FingerprintBook(client, home)
        book.add([made])
        async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(ANSWERS) as frontier:
            rules = policy(house.url, frontier.url)
            async with gateway_with(rules, redis_url, home, org=org) as gateway:
                first = await gateway.chat(PASTED)
                other = await gateway.chat("Make this shorter: the weather is fine. " * 6)
                book.remove(["plant.txt"])
                last = first
                for _ in range(100):
                    last = await gateway.chat(PASTED)
                    if last.headers["x-fairlead-deployment"] == "frontier":
                        break
                    await asyncio.sleep(0.1)

    assert first.headers["x-fairlead-sensitivity"] == "confidential"
    assert first.headers["x-fairlead-deployment"] == "house"
    assert other.headers["x-fairlead-deployment"] == "frontier"
    assert last.headers["x-fairlead-deployment"] == "frontier"
