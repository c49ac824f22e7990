"""The worker process over its socket, with a real model behind it."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

Start = Callable[..., Any]
Write = Callable[..., Path]


async def test_answers_in_the_openai_wire_with_exact_usage(
    start_worker: Start, write_gguf: Write
) -> None:
    """A whole answer has the wire's shape and counts begin token, prompt and answer exactly."""
    async with start_worker(write_gguf(template="{{ messages[0].content }}")) as worker:
        status, answer = await worker.chat("hello", max_tokens=12, logit_bias={"2": -100})

    usage = answer["usage"]
    choice = answer["choices"][0]
    assert status == 200
    # Begin token, the space that the vocabulary puts before a text, and five letters.
    assert usage == {"prompt_tokens": 7, "completion_tokens": 12, "total_tokens": 19}
    assert (answer["object"], answer["model"]) == ("chat.completion", "tiny")
    assert choice["finish_reason"] == "length"
    assert choice["message"]["role"] == "assistant"


async def test_streamed_text_equals_the_whole_answer(
    start_worker: Start, write_gguf: Write
) -> None:
    """With the same seed the pieces of a stream join to the whole answer, characters unbroken."""
    async with start_worker(write_gguf()) as worker:
        fields = {"max_tokens": 60, "seed": 11, "n": 2}
        _, whole = await worker.chat(**fields)
        events = await worker.events(**fields, stream_options={"include_usage": True})

    texts = {0: "", 1: ""}
    for event in events[:-2]:
        for choice in event["choices"]:
            texts[choice["index"]] += choice["delta"].get("content", "")
    assert events[-1] == "[DONE]"
    assert events[-2]["choices"] == []
    assert events[-2]["usage"] == whole["usage"]
    assert texts == {c["index"]: c["message"]["content"] for c in whole["choices"]}
    assert texts[0] != texts[1]


async def test_a_stop_string_ends_the_answer_and_is_not_shown(
    start_worker: Start, write_gguf: Write
) -> None:
    """A stop string that spans several tokens cuts the answer before it, and says 'stop'."""
    async with start_worker(write_gguf()) as worker:
        fields = {"max_tokens": 60, "seed": 4, "top_k": 1}
        _, whole = await worker.chat(**fields)
        text = whole["choices"][0]["message"]["content"]
        stop = text[20:24]
        _, cut = await worker.chat(**fields, stop=["never there", stop])
        streamed = await worker.events(**fields, stop=stop)

    shown = "".join(e["choices"][0]["delta"].get("content", "") for e in streamed[:-1])
    expected = text[: text.index(stop)]
    assert cut["choices"][0]["message"]["content"] == expected
    assert cut["choices"][0]["finish_reason"] == "stop"
    assert cut["usage"]["completion_tokens"] < whole["usage"]["completion_tokens"]
    assert shown == expected


async def test_an_overlong_prompt_is_refused_and_the_worker_lives(
    start_worker: Start, write_gguf: Write
) -> None:
    """Prompts past the context get 400 with the numbers, also multi-byte and megabyte ones."""
    async with start_worker(write_gguf(template="{{ messages[0].content }}")) as worker:
        just_fits = await worker.chat("x" * 253, max_tokens=50, logit_bias={"2": -100})
        refused = [
            await worker.chat(text, stream=stream)
            for text in ("x" * 254, "漢" * 200, "y" * 5_000_000)
            for stream in (False, True)
        ]
        status, _ = await worker.chat("still there?", max_tokens=3)
        health = await worker.health()

    assert just_fits[1]["usage"] == {
        "prompt_tokens": 255,
        "completion_tokens": 1,
        "total_tokens": 256,
    }
    assert {answer[0] for answer in refused} == {400}
    assert {answer[1]["error"]["code"] for answer in refused} == {"context_length_exceeded"}
    assert "256 tokens" in refused[0][1]["error"]["message"]
    assert status == 200
    assert health["answers"] == 2


async def test_the_context_can_be_filled_to_its_last_token(
    start_worker: Start, write_gguf: Write
) -> None:
    """An answer without a cap ends when the context is full, and the next call works."""
    async with start_worker(write_gguf()) as worker:
        _, full = await worker.chat(logit_bias={"2": -100, "355": -100})
        status, _ = await worker.chat(max_tokens=5)

    assert full["usage"]["total_tokens"] == 256
    assert full["choices"][0]["finish_reason"] == "length"
    assert status == 200


async def test_a_client_that_leaves_frees_the_worker(
    start_worker: Start, write_gguf: Write
) -> None:
    """After a disconnect no more than a few tokens are made and the next caller is served."""
    path = write_gguf(context=4096, width=256, layers=4)
    async with start_worker(path) as worker:
        fields = {"stream": True, "logit_bias": {"2": -100, "355": -100}}
        response = await worker.open(**fields)
        await response.content.readline()
        response.close()
        health = await worker.until(lambda found: found["cancelled"] == 1)
        status, answer = await worker.chat(max_tokens=5, logit_bias=fields["logit_bias"])
        after = await worker.health()

    assert health["generated_tokens"] < 2000
    assert (status, answer["usage"]["completion_tokens"]) == (200, 5)
    assert after["generated_tokens"] == health["generated_tokens"] + 5


async def test_a_queued_client_that_leaves_is_dropped(
    start_worker: Start, write_gguf: Write
) -> None:
    """A caller that goes away while it waits never reaches the model."""
    path = write_gguf(context=4096, width=256, layers=4)
    endless = {"stream": True, "logit_bias": {"2": -100, "355": -100}}
    async with start_worker(path) as worker:
        first = await worker.open(**endless)
        waiting = asyncio.ensure_future(worker.chat(max_tokens=1000))
        await worker.until(lambda found: found["admitted"] == 2)
        waiting.cancel()
        await worker.until(lambda found: found["admitted"] == 1)
        first.close()
        health = await worker.until(lambda found: found["active"] == 0)

    assert health["answers"] == 0
    assert health["cancelled"] == 1


async def test_a_full_queue_answers_503_and_nobody_hangs(
    start_worker: Start, write_gguf: Write
) -> None:
    """Of 50 callers one is served and four wait; the rest are told to come back."""
    path = write_gguf(context=4096, width=256, layers=4)
    async with start_worker(path, queue=4) as worker:
        holder = await worker.open(stream=True, logit_bias={"2": -100, "355": -100})
        calls = [asyncio.ensure_future(worker.open(max_tokens=2)) for _ in range(49)]
        async with asyncio.timeout(20):
            while sum(call.done() for call in calls) < 45:
                await asyncio.sleep(0.02)
            holder.close()
            responses = await asyncio.gather(*calls)
        statuses = sorted(response.status for response in responses)
        busy = next(response for response in responses if response.status == 503)
        error = json.loads(await busy.read())["error"]

    assert statuses == [200] * 4 + [503] * 45
    assert busy.headers["retry-after"] == "1"
    assert error["code"] == "overloaded"


async def test_a_wrong_request_is_refused_in_the_error_shape(shared_worker: Any) -> None:
    """A bad body gets 400 with an OpenAI error object, and the worker goes on."""
    async with shared_worker.session.post("http://w/v1/chat/completions", data=b"{") as response:
        error = json.loads(await response.read())["error"]

    assert response.status == 400
    assert (error["type"], error["code"]) == ("invalid_request_error", "invalid_json")


async def test_odd_text_does_not_break_the_worker(shared_worker: Any) -> None:
    """NULs, lone surrogates, noncharacters and every script are read as text."""
    rest = "\0 \ufdd0 \uffff 漢字 ع 👩‍🚀 </s> <|im_end|> "
    odd = rest + base64.b64encode(bytes(range(256))).decode()[:40]

    status, answer = await shared_worker.chat(odd, max_tokens=2)

    assert status == 200, answer
    lone = b'{"messages": [{"role": "user", "content": "\\ud800"}], "max_tokens": 1}'
    async with shared_worker.session.post("http://w/v1/chat/completions", data=lone) as response:
        assert response.status in (200, 400)
    assert (await shared_worker.health())["status"] == "ok"


async def test_unknown_paths_and_the_model_list(shared_worker: Any) -> None:
    """Other paths get 404 in the error shape; the model is listed under its name."""
    async with shared_worker.session.get("http://w/v1/models") as response:
        models = json.loads(await response.read())
    async with shared_worker.session.get("http://w/v1/chat/completions") as response:
        assert response.status == 404

    assert [model["id"] for model in models["data"]] == ["tiny"]


@pytest.fixture
async def shared_worker(start_worker: Start, write_gguf: Write) -> Any:
    """A worker with the standard tiny model."""
    async with start_worker(write_gguf()) as worker:
        yield worker


SCHEMA = {
    "type": "object",
    "properties": {
        "colour": {"enum": ["red", "green"]},
        "sizes": {"type": "array", "items": {"type": "integer", "minimum": 1}, "maxItems": 3},
        "note": {"type": "string", "maxLength": 20},
    },
    "required": ["colour", "sizes", "note"],
    "additionalProperties": False,
}


def tool(name: str) -> dict[str, Any]:
    """A function that takes an object of `SCHEMA`."""
    return {"type": "function", "function": {"name": name, "parameters": SCHEMA}}


async def test_answers_follow_a_json_schema(start_worker: Start, write_gguf: Write) -> None:
    """Random weights, tight and ample budgets, whole and streamed: always a valid document."""
    formatted = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}
    async with start_worker(write_gguf(context=512)) as worker:
        answers = [
            (await worker.chat(max_tokens=cap, seed=seed, response_format=formatted))[1]
            for cap, seed in ((45, 1), (60, 2), (400, 3), (400, 4))
        ]
        events = await worker.events(max_tokens=400, seed=5, response_format=formatted)
        _, broken = await worker.chat(max_tokens=5, response_format=formatted)
        _, free = await worker.chat(max_tokens=100, response_format={"type": "json_object"})

    texts = [answer["choices"][0]["message"]["content"] for answer in answers]
    texts.append("".join(e["choices"][0]["delta"].get("content", "") for e in events[:-1]))
    for text in texts:
        jsonschema.validate(json.loads(text), SCHEMA)
    assert isinstance(json.loads(free["choices"][0]["message"]["content"]), dict)
    assert {answer["choices"][0]["finish_reason"] for answer in answers} == {"stop"}
    assert broken["choices"][0]["finish_reason"] == "length"


async def test_a_forced_tool_call_has_a_name_and_valid_arguments(
    start_worker: Start, write_gguf: Write
) -> None:
    """'required' chooses among the functions, a named one is called; streams carry the same."""
    tools = [tool("paint"), tool("draw")]
    named = {"type": "function", "function": {"name": "draw"}}
    async with start_worker(write_gguf(context=2048)) as worker:
        _, chosen = await worker.chat(tools=tools, tool_choice="required", max_tokens=300)
        _, forced = await worker.chat(tools=tools, tool_choice=named, max_tokens=300, seed=3)
        events = await worker.events(tools=tools, tool_choice=named, max_tokens=300, seed=3)

    for answer in (chosen, forced):
        message = answer["choices"][0]["message"]
        call = message["tool_calls"][0]
        assert message["content"] is None
        assert answer["choices"][0]["finish_reason"] == "tool_calls"
        assert call["function"]["name"] in ("paint", "draw")
        jsonschema.validate(json.loads(call["function"]["arguments"]), SCHEMA)
    parts = [e["choices"][0]["delta"].get("tool_calls") for e in events[:-1]]
    calls = [part[0] for part in parts if part]
    arguments = "".join(call["function"]["arguments"] for call in calls)
    assert forced["choices"][0]["message"]["tool_calls"][0]["function"] == {
        "name": "draw",
        "arguments": arguments,
    }
    assert calls[0]["function"]["name"] == "draw"
    assert calls[0]["id"].startswith("call_")
    assert all("id" not in call for call in calls[1:])
    assert events[-2]["choices"][0]["finish_reason"] == "tool_calls"


async def test_a_schema_that_cannot_be_followed_is_refused(shared_worker: Any) -> None:
    """The refusal names the place inside the schema."""
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": "x"}}}
    formatted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}

    status, answer = await shared_worker.chat(response_format=formatted)

    assert (status, answer["error"]["code"]) == (400, "unsupported_schema")
    assert "/properties/a" in answer["error"]["message"]
