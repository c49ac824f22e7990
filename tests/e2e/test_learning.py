"""Feedback and failed checks change how good a deployment is thought to be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from gateway.runtime.watching import SHARE
from policies.drawing import chance
from tests.e2e.backstage import upstream_thread
from tests.e2e.cascading import FAILING, PATHS, ask
from tests.e2e.harness import GatewayProcess
from tests.e2e.inprocess import gateway_with
from tests.upstreams import openai_chat as chat
from tests.upstreams.every_wire import Said, say
from tests.upstreams.scripted import ScriptedUpstream


def policy(one: str, other: str, use: str) -> str:
    price = "price: {input_usd_per_mtok: 1, output_usd_per_mtok: 1}"
    rest = f"model: m, clearance: restricted, {price}"
    return f"""
fairlead: 1
deployments:
  one: {{adapter: openai_compatible, base_url: "{one}/v1", {rest}}}
  other: {{adapter: openai_compatible, base_url: "{other}/v1", {rest}}}
aliases: {{auto: {{}}}}
routes: [{{id: all, use: {use}}}]
"""


BALANCED = "{strategy: balanced, weights: {quality: 1}}"


async def test_ratings_change_who_is_best_for_a_task(redis_url: str, home: Path, org: str) -> None:
    """The first in the file serves until its answers are rated poor; then the other does."""
    answering = chat.answer("x")
    async with ScriptedUpstream(answering) as one, ScriptedUpstream(answering) as other:
        text = policy(one.url, other.url, BALANCED)
        async with gateway_with(text, redis_url, home, org=org) as gateway:
            learning = gateway.services.learning
            before = await gateway.chat()
            for _ in range(5):
                answer = await gateway.chat()
                rated = await learning.rate(org, answer.headers["x-fairlead-request-id"], 0.0)
                assert rated is not None
                assert rated.deployment == "one"
            await learning.refresh()
            after = await gateway.chat()
            (facts,) = [record.facts for record in gateway.audit()[-1:]]

    assert before.headers["x-fairlead-deployment"] == "one"
    assert after.headers["x-fairlead-deployment"] == "other"
    assert facts is not None
    assert facts.shifts is not None
    assert facts.shifts["one"] < 0


async def test_failed_checks_of_a_cascade_count_against_the_deployment(
    redis_url: str, home: Path, org: str
) -> None:
    """A refusal is worth nothing; an answer that passes says no more than was predicted."""
    refusing = say(Said("I'm sorry, but I can't help with that."))
    good = say(Said("Paris."))
    async with ScriptedUpstream(refusing, good) as weak, ScriptedUpstream(good) as strong:
        text = policy(weak.url, strong.url, "{cascade: [one, other]}")
        async with gateway_with(text, redis_url, home, org=org) as gateway:
            for _ in range(3):
                await gateway.chat()
            await gateway.services.learning.close()
            learnt = await gateway.services.learning.store.load(org)

    (one,) = learnt
    (day,) = one.days.values()
    assert (one.deployment, day.answers) == ("one", 3)
    assert day.score == day.predicted * 2 // 3


@pytest.mark.parametrize("check", ["schema", "tools"])
@pytest.mark.parametrize("api", ["chat", "responses", "messages"])
async def test_answers_that_break_the_form_asked_for_count_outside_cascades_too(
    redis_url: str, home: Path, org: str, check: str, api: str
) -> None:
    """Of a share drawn from the ids: 0 for those that break it, else what was predicted."""
    wrong, right = FAILING[check]
    asked = [ask(api, check, stream=bool(number % 2)) for number in range(40)]
    async with ScriptedUpstream(*[say(wrong), say(right)] * (len(asked) // 2)) as one:
        text = policy(one.url, one.url, "{strategy: balanced, among: [one], weights: {quality: 1}}")
        async with gateway_with(text, redis_url, home, org=org) as gateway:
            learning = gateway.services.learning
            for body in asked:
                await gateway.chat(path=PATHS[api], body=body)
            await gateway.chat("no form was asked for")
            await learning.close()
            learnt = await learning.store.load(org)
            records = gateway.audit()

    watched = [chance(one.request_id, "watched") < SHARE for one in records[: len(asked)]]
    days = [day for one in learnt for day in one.days.values()]
    predicted = sum(day.predicted for day in days) // max(1, sum(watched))
    assert sum(day.answers for day in days) == sum(watched)
    assert sum(day.score for day in days) == predicted * sum(watched[1::2])


async def test_an_answer_that_had_to_be_asked_for_again_counts_against_who_gave_it(
    redis_url: str, home: Path, org: str
) -> None:
    """A backend without schemas is corrected once; both answers count, if they are looked at."""
    wrong, right = FAILING["schema"]
    scripts = [say(wrong), say(right)] * 40
    async with ScriptedUpstream(*scripts) as one:
        text = policy(one.url, one.url, "{strategy: balanced, among: [one], weights: {quality: 1}}")
        text = text.replace("model: m,", "model: m, options: {schema: guided},")
        async with gateway_with(text, redis_url, home, org=org) as gateway:
            for _ in range(40):
                await gateway.chat(body=ask("chat", "schema", stream=False))
            await gateway.services.learning.close()
            learnt = await gateway.services.learning.store.load(org)
            records = gateway.audit()

    watched = sum(chance(one.request_id, "watched") < SHARE for one in records)
    days = [day for one in learnt for day in one.days.values()]
    assert len(one.requests) == 80
    assert sum(day.answers for day in days) == 2 * watched
    assert 2 * sum(day.score for day in days) == sum(day.predicted for day in days)


async def test_a_share_explores_among_what_is_allowed(redis_url: str, home: Path, org: str) -> None:
    """A fifth of the requests goes to the other first, and never where it may not."""
    answering = chat.answer("x")
    async with ScriptedUpstream(answering) as one, ScriptedUpstream(answering) as other:
        text = policy(one.url, other.url, "{among: [one, other], explore: 20%}")
        text = text.replace(
            f'"{other.url}/v1", model: m, clearance: restricted',
            f'"{other.url}/v1", model: m, clearance: internal',
        )
        async with gateway_with(text, redis_url, home, org=org) as gateway:
            for _ in range(100):
                await gateway.chat()
            explored = len(other.requests)
            for _ in range(60):
                await gateway.chat("my card is 4111 1111 1111 1111")

    assert 6 <= explored <= 40
    assert len(other.requests) == explored


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    with upstream_thread(chat.answer("x")) as upstream:
        text = policy(upstream.url, upstream.url, BALANCED)
        process = GatewayProcess(tmp_path_factory.mktemp("learning"), policy=text)
        process.start()
        yield process
        process.stop()


def test_an_answer_is_rated_over_http(gateway: GatewayProcess) -> None:
    """By its request id, with a score or thumbs, under any key of the same org."""
    headers = {"authorization": f"Bearer {gateway.new_key()}"}
    body = {"model": "auto", "messages": [{"role": "user", "content": "hello"}]}
    answer = httpx2.post(f"{gateway.url}/v1/chat/completions", json=body, headers=headers)
    request_id = answer.headers["x-fairlead-request-id"]

    def rate(**fields: object) -> httpx2.Response:
        return httpx2.post(f"{gateway.url}/v1/feedback", json=fields, headers=headers)

    up = rate(request_id=request_id, thumbs="up")
    half = rate(request_id=request_id, score=0.5)
    unknown = rate(request_id="req_nobody", score=1)
    wrong = [
        rate(request_id=request_id),
        rate(request_id=request_id, score=2),
        rate(request_id=request_id, score=1, thumbs="up"),
        rate(request_id=request_id, score=1, comment="text is not taken"),
    ]
    (row,) = gateway.json_command("routing", "quality", "--json")["rows"]
    taken = gateway.json_command("routing", "quality", "--forget", "one", "--json")
    left = gateway.json_command("routing", "quality", "--json")["rows"]
    nobody = httpx2.post(f"{gateway.url}/v1/feedback", json={"request_id": request_id, "score": 1})

    assert up.json() == {"request_id": request_id, "deployment": "one", "score": 1.0}
    assert half.status_code == 200
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "request_not_found")
    assert [one.status_code for one in wrong] == [400] * 4
    assert nobody.status_code == 401
    assert (row["org"], row["deployment"], row["answers"]) == ("default", "one", 1.0)
    assert (row["score"], row["version"]) == (0.5, 2)
    assert row["quality"] < row["predicted"]
    assert (taken["days"], left) == (1, [])


async def test_asking_the_very_same_again_in_a_session_counts_against_the_first_answer(
    redis_url: str, home: Path, org: str
) -> None:
    """Once, and not where the first answer was rated or where no session is named."""
    session = [(b"x-fairlead-session", b"talk")]
    async with ScriptedUpstream(chat.answer("x")) as one:
        text = policy(one.url, one.url, "[one]")
        async with gateway_with(text, redis_url, home, org=org) as gateway:
            learning = gateway.services.learning
            await gateway.chat("no session")
            await gateway.chat("no session")
            liked = await gateway.chat("liked", headers=session)
            await learning.rate(org, liked.headers["x-fairlead-request-id"], 1.0)
            await gateway.chat("liked", headers=session)
            await gateway.chat("not liked", headers=session)
            await gateway.chat("not liked", headers=session, stream=False)
            await learning.close()
            (learnt,) = await learning.store.load(org)

    (day,) = learnt.days.values()
    assert (day.answers, day.score) == (2, 1_000_000)
