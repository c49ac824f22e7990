"""Small requests at once, large ones beside the event loop."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec import structs

from gateway.classify.difficulty import load_shipped
from gateway.config.difficulty_models import DifficultyModelError, save_model
from gateway.config.settings import Settings
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


async def test_the_setting_names_the_difficulty_model(tmp_path: Path) -> None:
    """Small and large requests are judged by the model that the setting names."""
    save_model(tmp_path, "sure", structs.replace(load_shipped(), slope=0.0, offset=4.0))
    classifiers = open_classifiers(Settings(home=tmp_path, difficulty_model="sure"))
    rules = SensitivityRules()
    small = await classifiers.judge(decode(body(200)), rules, Sensitivity.PUBLIC)
    large = await classifiers.judge(decode(body(2 * LARGE_REQUEST)), rules, Sensitivity.PUBLIC)
    classifiers.close()

    assert (small.difficulty, large.difficulty) > (0.9, 0.9)
    with pytest.raises(DifficultyModelError):
        open_classifiers(Settings(home=tmp_path, difficulty_model="other"))
