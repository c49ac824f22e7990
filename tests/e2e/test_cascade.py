"""A cascade through every API: the weak model first, the strong one when a check fails."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.cascading import FAILING, PATHS, ask, read
from tests.e2e.inprocess import gateway_with
from tests.upstreams import faults, ollama
from tests.upstreams import openai_chat as chat
from tests.upstreams import text_completion as texts
from tests.upstreams.every_wire import Said, say
from tests.upstreams.scripted import Received, Script, ScriptedUpstream

KEY = {"ANTHROPIC_API_KEY": "sk-ant-scripted"}
CHECKS = "[schema, tools, refusal, truncated, {logprob: -1.0}]"
GOOD = Said("It is Paris.")
REFUSING = Said("I'm sorry, but I can't help with that.")
#: What each API can be asked for; the completions API knows neither schemas nor tools.
ASKED = [
    (api, check)
    for api in PATHS
    for check in FAILING
    if api != "completions" or check not in ("schema", "tools")
]


def policy(
    weak: str,
    strong: str,
    *,
    checks: str = CHECKS,
    api: str = "chat",
    clearance: str = "restricted",
    budgets: str = "",
) -> str:
    """House below frontier; both take the bytes of `api` as they are, where a driver does."""
    price = "price: {input_usd_per_mtok: 1, output_usd_per_mtok: 1}"
    dear = "price: {input_usd_per_mtok: 10, output_usd_per_mtok: 10}"
    driver, url = 'adapter: openai_compatible, base_url: "{}/v1"', 'base_url: "{}"'
    if api == "responses":
        driver += ", options: {{responses_path: /responses}}"
    if api == "messages":
        driver = 'adapter: anthropic, api_key: "env:ANTHROPIC_API_KEY", ' + url
    return f"""
fairlead: 1
defaults: {{retries: 0}}
deployments:
  house: {{{driver.format(weak)}, model: claude-w, clearance: restricted, {price}}}
  frontier: {{{driver.format(strong)}, model: claude-s, clearance: {clearance}, {dear}}}
aliases: {{auto: {{}}}}
routes:
  - {{id: climb, use: {{cascade: [house, frontier], checks: {checks}}}}}
{budgets}
"""


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("api", "check"),
    # Anthropic tells no log probabilities; the translated case has them.
    [asked for asked in ASKED if asked != ("messages", "logprob")],
)
async def test_a_failed_check_escalates_once_and_the_client_sees_one_clean_answer(
    redis_url: str, home: Path, org: str, api: str, check: str, stream: bool
) -> None:
    """Two calls, both booked with the check that failed; of the first one nothing is seen."""
    weak_says, strong_says = FAILING[check]
    async with (
        ScriptedUpstream(say(weak_says)) as weak,
        ScriptedUpstream(say(strong_says)) as strong,
    ):
        text = policy(weak.url, strong.url, api=api)
        async with gateway_with(text, redis_url, home, org=org, environ=KEY) as gateway:
            body = ask(api, check, stream=stream)
            answer = await gateway.chat(path=PATHS[api], body=body)
            lines, (record,) = gateway.ledger(), gateway.audit()

    found = read(api, answer, stream=stream)
    assert answer.status == 200
    assert (found.text, found.endings) == (strong_says.text, 1)
    assert found.calls == "".join(name for _, name, _ in strong_says.tools)
    assert (len(weak.requests), len(strong.requests)) == (1, 1)
    assert [(one.deployment, one.outcome, one.because) for one in lines] == [
        ("house", "inadequate", f"check: {check}"),
        ("frontier", "ok", ""),
    ]
    assert [one.cost_nanousd for one in lines] == [18_000, 180_000]
    assert [(one.deployment, one.check) for one in record.attempts] == [
        ("house", check),
        ("frontier", ""),
    ]
    assert (record.deployment, record.outcome) == ("frontier", "served")
    assert record.cost_nanousd == 198_000
    assert answer.headers["x-fairlead-deployment"] == "frontier"
    assert answer.headers["x-fairlead-attempts"] == "2"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("api", "check"), [(api, check) for api, check in ASKED if api in ("responses", "messages")]
)
async def test_answers_that_are_translated_are_checked_alike(
    redis_url: str, home: Path, org: str, api: str, check: str, stream: bool
) -> None:
    """Behind another wire the same shortcomings are found, and nothing unasked comes through."""
    weak_says, strong_says = FAILING[check]
    async with (
        ScriptedUpstream(say(weak_says)) as weak,
        ScriptedUpstream(say(strong_says)) as strong,
    ):
        text = policy(weak.url, strong.url, api="chat")
        async with gateway_with(text, redis_url, home, org=org) as gateway:
            body = ask(api, check, stream=stream)
            answer = await gateway.chat(path=PATHS[api], body=body)
            lines = gateway.ledger()

    found = read(api, answer, stream=stream)
    assert (found.text, found.endings) == (strong_says.text, 1)
    assert found.calls == "".join(name for _, name, _ in strong_says.tools)
    assert [one.because for one in lines] == [f"check: {check}", ""]
    assert "x-fairlead-lossy" not in answer.headers


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("api", PATHS)
async def test_an_answer_that_passes_is_the_only_one(
    redis_url: str, home: Path, org: str, api: str, stream: bool
) -> None:
    """One call, whose log probabilities nobody but the check sees."""
    async with ScriptedUpstream(say(GOOD)) as weak, ScriptedUpstream(say(GOOD)) as strong:
        text = policy(weak.url, strong.url, api=api)
        async with gateway_with(text, redis_url, home, org=org, environ=KEY) as gateway:
            answer = await gateway.chat(path=PATHS[api], body=ask(api, "", stream=stream))
            (line,) = gateway.ledger()

    found = read(api, answer, stream=stream)
    assert (found.text, found.endings, len(strong.requests)) == ("It is Paris.", 1, 0)
    assert (line.deployment, line.outcome, line.because) == ("house", "ok", "check: passed")
    assert answer.headers["x-fairlead-deployment"] == "house"


async def test_log_probabilities_that_the_client_asked_for_stay(
    redis_url: str, home: Path, org: str
) -> None:
    """The client's own wish is not stripped."""
    async with ScriptedUpstream(say(GOOD)) as weak, ScriptedUpstream(say(GOOD)) as strong:
        text = policy(weak.url, strong.url)
        async with gateway_with(text, redis_url, home, org=org) as gateway:
            answer = await gateway.chat(logprobs=True)

    assert answer.json["choices"][0]["logprobs"]["content"][0]["logprob"] == -0.05


async def test_a_cascade_never_climbs_past_a_clearance(
    redis_url: str, home: Path, org: str
) -> None:
    """A card number stays with the house, however poor its answer is."""
    async with ScriptedUpstream(say(REFUSING)) as weak, ScriptedUpstream(say(GOOD)) as strong:
        text = policy(weak.url, strong.url, clearance="internal")
        async with gateway_with(text, redis_url, home, org=org) as gateway:
            answer = await gateway.chat("my card is 4111 1111 1111 1111")
            (line,) = gateway.ledger()

    assert answer.json["choices"][0]["message"]["content"] == REFUSING.text
    assert strong.requests == []
    assert (line.deployment, line.outcome, line.because) == ("house", "ok", "")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_where_nobody_above_can_serve_the_kept_answer_is_delivered(
    redis_url: str, home: Path, org: str, stream: bool
) -> None:
    """The frontier is down: the house's answer is better than an error, and both are booked."""
    async with (
        ScriptedUpstream(say(REFUSING)) as weak,
        ScriptedUpstream(faults.drops()) as strong,
    ):
        text = policy(weak.url, strong.url)
        async with gateway_with(text, redis_url, home, org=org) as gateway:
            answer = await gateway.chat(stream=stream)
            lines, (record,) = gateway.ledger(), gateway.audit()

    found = read("chat", answer, stream=stream)
    assert (found.text, found.endings) == (REFUSING.text, 1)
    assert [one.outcome for one in lines] == ["inadequate", "cut_stream"]
    assert (record.deployment, record.outcome, record.status) == ("house", "served", 200)
    assert answer.headers["x-fairlead-deployment"] == "house"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_a_budget_without_room_for_the_frontier_keeps_the_houses_answer(
    redis_url: str, home: Path, org: str, stream: bool
) -> None:
    """What is held for the frontier's longest answer is over the budget; the house served."""
    budgets = "budgets: [{scope: team/tests, usd: 0.02, per: month}]"
    async with ScriptedUpstream(say(REFUSING)) as weak, ScriptedUpstream(say(GOOD)) as strong:
        text = policy(weak.url, strong.url, budgets=budgets)
        async with gateway_with(text, redis_url, home, org=org) as gateway:
            answer = await gateway.chat(stream=stream)
            (line,), (record,) = gateway.ledger(), gateway.audit()

    assert read("chat", answer, stream=stream).text == REFUSING.text
    assert (line.outcome, line.because) == ("inadequate", "check: refusal")
    assert (record.deployment, record.outcome) == ("house", "served")
    assert strong.requests == []


async def test_samples_that_disagree_escalate(redis_url: str, home: Path, org: str) -> None:
    """Three answers, each another city: all are booked and the frontier decides."""
    cities = [say(Said(f"It is {city}.")) for city in ("Lyon", "Nice", "Lille")]
    async with ScriptedUpstream(*cities) as weak, ScriptedUpstream(say(GOOD)) as strong:
        text = policy(weak.url, strong.url, checks="[{agreement: 3}]")
        async with gateway_with(text, redis_url, home, org=org) as gateway:
            answer = await gateway.chat()
            lines = gateway.ledger()

    assert answer.json["choices"][0]["message"]["content"] == "It is Paris."
    assert [(one.deployment, one.because) for one in lines] == [
        ("house", "check: sample"),
        ("house", "check: sample"),
        ("house", "check: agreement"),
        ("frontier", ""),
    ]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_the_first_of_the_samples_that_agree_is_delivered(
    redis_url: str, home: Path, org: str, stream: bool
) -> None:
    """Two of three say Paris, so the frontier is not asked and one of the two is the answer."""
    said = [say(Said(f"It is {city}.")) for city in ("Lyon", "Paris", "Paris")]
    async with ScriptedUpstream(*said) as weak, ScriptedUpstream(say(GOOD)) as strong:
        text = policy(weak.url, strong.url, checks="[{agreement: 3}]")
        async with gateway_with(text, redis_url, home, org=org) as gateway:
            answer = await gateway.chat(stream=stream)
            lines, (record,) = gateway.ledger(), gateway.audit()

    assert read("chat", answer, stream=stream).text == "It is Paris."
    assert [one.because for one in lines] == ["check: sample", "check: sample", "check: passed"]
    assert (record.deployment, len(strong.requests)) == ("house", 0)


async def test_a_backend_that_refuses_what_a_check_asks_for_is_passed_over(
    redis_url: str, home: Path, org: str
) -> None:
    """Log probabilities were the gateway's wish, so their refusal is not the caller's mistake."""
    refused = chat.error(400, message="logprobs are not supported")
    async with ScriptedUpstream(refused) as weak, ScriptedUpstream(say(GOOD)) as strong:
        text = policy(weak.url, strong.url)
        async with gateway_with(text, redis_url, home, org=org) as gateway:
            answer = await gateway.chat()
            lines = gateway.ledger()

    assert answer.json["choices"][0]["message"]["content"] == "It is Paris."
    assert [one.outcome for one in lines] == ["rejected", "ok"]
    assert lines[0].cost_nanousd == 0


async def test_a_client_that_leaves_while_an_answer_is_held_is_booked(
    redis_url: str, home: Path, org: str
) -> None:
    """The held answer is settled, the call above is broken off, and nothing more is sent."""
    async with (
        ScriptedUpstream(say(REFUSING)) as weak,
        ScriptedUpstream(faults.hangs()) as strong,
    ):
        text = policy(weak.url, strong.url)
        async with gateway_with(text, redis_url, home, org=org) as gateway:
            answer = await gateway.chat(stream=True, leave_after=0.3)
            await strong.gone()
            await asyncio.sleep(0.05)
            lines, (record,) = gateway.ledger(), gateway.audit()

    assert answer.chunks == []
    assert [one.outcome for one in lines] == ["inadequate", "cancelled"]
    assert record.outcome == "cancelled"


async def test_a_repeated_request_under_a_key_gets_the_answer_that_was_delivered(
    redis_url: str, home: Path, org: str
) -> None:
    """What is kept for the idempotency key is the clean answer, and nobody is asked again."""
    async with ScriptedUpstream(say(REFUSING)) as weak, ScriptedUpstream(say(GOOD)) as strong:
        text = policy(weak.url, strong.url)
        async with gateway_with(text, redis_url, home, org=org) as gateway:
            keyed = [(b"idempotency-key", b"once")]
            first = await gateway.chat(headers=keyed)
            again = await gateway.chat(headers=keyed)

    assert json.loads(first.body) == json.loads(again.body)
    assert (len(weak.requests), len(strong.requests)) == (1, 1)


#: Backends that speak no API of a client, and what they answer: first a failure, then a result.
OTHERS = {
    "ollama_native": (ollama, '"{}"'),
    "text_completion": (texts, '"{}/v1"'),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("adapter", OTHERS)
@pytest.mark.parametrize("api", ["chat", "messages"])
async def test_backends_of_other_wires_are_checked_too(
    redis_url: str, home: Path, org: str, adapter: str, api: str, stream: bool
) -> None:
    """An unsure answer by the backend's own log probabilities, which no client sees."""
    module, url = OTHERS[adapter]
    plain = module.stream(("Perhaps ", "Lyon.")) if stream else module.answer("Perhaps Lyon.")

    def unsure(received: Received) -> Script:
        script = plain(received)
        assert received.json["logprobs"] in (True, 0)
        pieces = tuple(_unsure(piece, adapter) for piece in script.pieces)
        return replace(script, pieces=pieces)

    async with ScriptedUpstream(unsure) as weak, ScriptedUpstream(say(GOOD)) as strong:
        text = policy(weak.url, strong.url).replace(
            f'adapter: openai_compatible, base_url: "{weak.url}/v1"',
            f"adapter: {adapter}, base_url: {url.format(weak.url)}",
        )
        async with gateway_with(text, redis_url, home, org=org) as gateway:
            answer = await gateway.chat(path=PATHS[api], body=ask(api, "", stream=stream))
            lines = gateway.ledger()

    found = read(api, answer, stream=stream)
    assert (found.text, found.endings) == ("It is Paris.", 1)
    assert [one.because for one in lines] == ["check: logprob", ""]


def _unsure(piece: bytes, adapter: str) -> bytes:
    """The piece with a log probability of -2 for its text, as the backend tells it."""
    head, data, payload = piece.rpartition(b"data: ")
    if not payload.startswith(b"{"):
        return piece
    body, ending = json.loads(payload), payload[len(payload.rstrip()) :]
    if adapter == "ollama_native":
        body["logprobs"] = [{"token": "t", "logprob": -2.0}]
    else:
        for choice in body["choices"]:
            choice["logprobs"] = {"tokens": ["t"], "token_logprobs": [-2.0]}
    return head + data + json.dumps(body).encode() + ending


async def test_an_answer_too_large_to_hold_is_passed_on_unchecked(
    redis_url: str, home: Path, org: str
) -> None:
    """Nine megabytes that were cut: the client has most of them before the end is known."""
    pieces = ["x" * 1_000_000] * 9
    async with (
        ScriptedUpstream(chat.stream(pieces, finish="length")) as weak,
        ScriptedUpstream(say(GOOD)) as strong,
    ):
        text = policy(weak.url, strong.url, checks="[truncated]")
        async with gateway_with(text, redis_url, home, org=org) as gateway:
            answer = await gateway.chat(stream=True)
            (line,) = gateway.ledger()

    found = read("chat", answer, stream=True)
    assert (len(found.text), found.endings) == (9_000_000, 1)
    assert (line.outcome, line.because) == ("ok", "")
    assert strong.requests == []


async def test_every_choice_is_checked(redis_url: str, home: Path, org: str) -> None:
    """The second of two refuses, so both are asked for above."""

    def two(received: Received) -> Script:
        texts_told = ("It is Paris.", REFUSING.text)
        choices = [
            {"index": n, "message": {"role": "assistant", "content": t}, "finish_reason": "stop"}
            for n, t in enumerate(texts_told)
        ]
        body = {"object": "chat.completion", "model": "m", "choices": choices}
        return Script(pieces=(json.dumps(body).encode(),))

    async with ScriptedUpstream(two) as weak, ScriptedUpstream(say(GOOD)) as strong:
        text = policy(weak.url, strong.url)
        async with gateway_with(text, redis_url, home, org=org) as gateway:
            await gateway.chat(n=2)
            lines = gateway.ledger()

    assert [one.because for one in lines] == ["check: refusal", ""]
    assert len(strong.requests) == 1


async def test_candidates_that_a_backend_keeps_to_itself_are_not_missed(
    redis_url: str, home: Path, org: str
) -> None:
    """The best of three is one answer, and the other two are not empty ones."""
    async with ScriptedUpstream(say(GOOD)) as weak, ScriptedUpstream(say(GOOD)) as strong:
        text = policy(weak.url, strong.url, api="completions")
        async with gateway_with(text, redis_url, home, org=org) as gateway:
            body = json.loads(ask("completions", "", stream=False)) | {"best_of": 3}
            await gateway.chat(path=PATHS["completions"], body=json.dumps(body).encode())
            (line,) = gateway.ledger()

    assert line.because == "check: passed"
