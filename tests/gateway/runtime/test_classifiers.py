"""Small requests at once, large ones beside the event loop."""

from __future__ import annotations

import asyncio

from gateway.core.findings import SensitivityRules
from gateway.core.sensitivity import Sensitivity
from gateway.runtime.classifiers import LARGE_REQUEST, open_classifiers
from gateway.wire.openai_chat.view import decode

CARD = "4111 1111 1111 1111"


def body(padding: int) -> bytes:
    text = "harmless words " * (padding // 15) + CARD
    return b'{"model":"a","messages":[{"role":"user","content":"%s"}]}' % text.encode()


async def test_a_large_request_lets_others_go_on_and_is_judged_all_the_same() -> None:
    """While megabytes are scanned the loop still turns; the card at their end is found."""
    classifiers = open_classifiers()
    rules = SensitivityRules()
    large = decode(body(30 * LARGE_REQUEST))
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(others())
    judged = await classifiers.judge(large, rules, Sensitivity.PUBLIC)
    beside.cancel()
    small = await classifiers.judge(decode(body(0)), rules, Sensitivity.PUBLIC)
    classifiers.close()

    assert judged.sensitivity is Sensitivity.RESTRICTED
    assert small.sensitivity is Sensitivity.RESTRICTED
    assert turns > 10
