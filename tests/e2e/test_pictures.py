"""Pictures through a gateway: what they show counts like what is written."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.inprocess import Response, gateway_with
from tests.e2e.test_second_stage import ANSWER, policy
from tests.gateway.runtime.test_pictures import drawn, installed, saved
from tests.upstreams.every_wire import say
from tests.upstreams.scripted import ScriptedUpstream

STAGE = 'presidio: {url: "http://127.0.0.1:1"}, when: {team: nobody}'


def content(api: str, url: str) -> dict[str, Any]:
    """A question about a picture, by API."""
    if api == "responses":
        return {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": url}]}]}
    if api == "messages":
        kind, _, body = url.removeprefix("data:").partition(";base64,")
        source = {"type": "base64", "media_type": kind, "data": body}
        if not body:
            source = {"type": "url", "url": url}
        part: dict[str, Any] = {"type": "image", "source": source}
        return {"messages": [{"role": "user", "content": [part]}], "max_tokens": 50}
    part = {"type": "image_url", "image_url": {"url": url}}
    return {"messages": [{"role": "user", "content": [part]}]}


def shown(text: str) -> str:
    return "data:image/png;base64," + base64.b64encode(saved(drawn(text))).decode()


async def asked(
    redis_url: str, home: Path, org: str, api: str, url: str, **settings: Any
) -> tuple[Response, Any]:
    path = {"chat": "/v1/chat/completions"}.get(api, f"/v1/{api}")
    async with ScriptedUpstream(say(ANSWER)) as house, ScriptedUpstream(say(ANSWER)) as outside:
        text = policy(house.url, outside.url, STAGE)
        async with gateway_with(text, redis_url, home, org=org, **settings) as gateway:
            body = json.dumps({"model": "auto", **content(api, url)}).encode()
            answer = await gateway.chat(path=path, body=body)
            (record,) = gateway.audit()
    return answer, record


@installed
@pytest.mark.parametrize("api", ["chat", "responses", "messages"])
@pytest.mark.parametrize(
    ("url", "deployment", "level", "failed"),
    [
        (shown("SSN 536-90-4399"), "house", "restricted", ()),
        (shown("A red bicycle"), "outside", "internal", ()),
        ("https://files.example.test/scan.png", "house", "restricted", ("picture",)),
    ],
    ids=["number", "harmless", "linked"],
)
async def test_what_a_picture_shows_decides_where_it_goes(
    redis_url: str, home: Path, org: str, api: str, url: str, deployment: str, level: str,
    failed: tuple[str, ...],
) -> None:  # fmt: skip
    """A number in a picture stays at home, and so does a picture that nobody here can see."""
    answer, record = await asked(redis_url, home, org, api, url, ocr_seconds=60.0)

    assert answer.status == 200
    assert answer.headers["x-fairlead-deployment"] == deployment
    assert answer.headers["x-fairlead-sensitivity"] == level
    assert record.facts.failed == failed
    assert record.findings == ({"us_ssn": 1} if "base64" in url and level == "restricted" else {})


async def test_without_the_setting_pictures_are_for_the_policy(
    redis_url: str, home: Path, org: str
) -> None:
    """As ever: they make a need for vision, and nothing is read."""
    answer, record = await asked(redis_url, home, org, "chat", shown("SSN 536-90-4399"))

    assert answer.headers["x-fairlead-deployment"] == "outside"
    assert (record.needs, record.findings) == (("vision",), {})
