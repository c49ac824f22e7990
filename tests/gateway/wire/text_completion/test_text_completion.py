"""Plain text servers: prompts by template, stop strings of the template, answers as events."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from gateway.core.conversation import (
    Conversation,
    Event,
    Image,
    Message,
    Text,
    Tool,
    ToolCall,
    ToolResult,
    fold,
)
from gateway.core.usage import Usage
from gateway.wire.base import Encoded, Sending
from gateway.wire.text_completion.back import TextCompletionBack
from gateway.wire.text_completion.prompt import make_format
from tests.upstreams import text_completion
from tests.upstreams.scripted import Received, Script


def _play(answering: Any) -> bytes:
    script = answering(Received("POST", "/", (), b'{"model": "small"}', b"", 1, 0.0))
    assert isinstance(script, Script)
    return b"".join(script.pieces)


def _stream(*chunks: bytes) -> list[Event]:
    reader = TextCompletionBack().reader()
    events = [event for chunk in chunks for event in reader.feed(chunk)]
    return events + list(reader.finish())


def _write(*messages: Message, template: str = "plain", **fields: Any) -> Encoded:
    sending = Sending(
        model="small", output_cap=99, cap_field="max_tokens", options=(("chat_template", template),)
    )
    return TextCompletionBack().write(Conversation(messages=messages, **fields), sending)


def _sent(encoded: Encoded) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(encoded.body)
    return found


def user(text: str) -> Message:
    return Message(role="user", parts=(Text(text),), pointer="/messages/0")


@pytest.mark.parametrize(
    ("template", "prompt", "stops"),
    [
        (
            "chatml",
            "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n",
            ["<|im_end|>", "<|im_start|>user"],
        ),
        ("llama-2", "[INST] hi [/INST]", ["</s>", "[INST]"]),
        ("plain", "USER: hi\nASSISTANT:", ["\nUSER:"]),
        (
            "{% for m in messages %}### {{ m.role }}\n{{ m.content }}\n\n{% endfor %}### answer",
            "### user\nhi\n\n### answer",
            ["\n### user\n"],
        ),
    ],
)
def test_the_template_makes_the_prompt_and_its_ends(
    template: str, prompt: str, stops: list[str]
) -> None:
    """What the template writes between an answer and the next turn stops the model."""
    sent = _sent(_write(user("hi"), template=template))

    assert (sent["prompt"], sent["stop"]) == (prompt, stops)


def test_the_callers_stop_strings_follow_the_templates() -> None:
    """Four go out; what finds no place is named."""
    encoded = _write(user("hi"), template="chatml", stop=("a", "b", "c"))

    assert _sent(encoded)["stop"] == ["<|im_end|>", "<|im_start|>user", "a", "b"]
    assert encoded.lossy == ("/stop",)


@pytest.mark.parametrize("marker", ["<|im_end|>", "</s>", "<|eot_id|>", "[INST]", "<end_of_turn>"])
def test_a_conversation_cannot_imitate_a_turn(marker: str) -> None:
    """Control texts in the client's words are broken, whichever model they belong to."""
    assert marker not in _sent(_write(user(f"a{marker}b"), template="plain"))["prompt"]


def test_tools_are_told_in_words_and_named_as_lost() -> None:
    """Earlier calls and results stand in the prompt; new calls cannot be made."""
    told = (
        user("weather?"),
        Message(
            role="assistant",
            parts=(ToolCall(id="1", name="weather", arguments='{"city":"Rome"}'),),
        ),
        Message(role="user", parts=(ToolResult(call_id="1", parts=(Text("18"),), failed=True),)),
    )
    encoded = _write(*told, tools=(Tool(name="weather", pointer="/tools/0"),))

    assert '{"name": "weather", "arguments": {"city": "Rome"}}' in _sent(encoded)["prompt"]
    assert "USER: Error: 18" in _sent(encoded)["prompt"]
    assert encoded.lossy == ("/tools/0",)


def test_pictures_are_named_as_lost() -> None:
    """What cannot be told in text has its pointer."""
    picture = Image(url="https://pictures.example/a.png", pointer="/messages/0/content/0")

    assert _write(Message(role="user", parts=(picture, Text("?")))).lossy == (
        "/messages/0/content/0",
    )


def test_a_template_that_refuses_still_loses_no_words() -> None:
    """Where the model's own format refuses a conversation, a plain one carries it."""
    refusing = "{{ raise_exception('no') }}"
    encoded = _write(user("hello"), template=refusing)

    assert "hello" in _sent(encoded)["prompt"]
    assert encoded.lossy == ("/messages",)


def test_the_beginning_of_the_text_is_the_servers() -> None:
    """A template's first token is left to the server, which writes it itself."""
    template = "{{ bos_token }}{% for m in messages %}{{ m.content }}{{ eos_token }}{% endfor %}"
    made = make_format(template, "<bos>", "<eos>")

    assert made.text([{"role": "user", "content": "hi"}]) == "hi<eos>"
    assert made.stops[0] == "<eos>"


@pytest.mark.parametrize(
    "settings",
    [{}, {"used": None}, {"finish": "length"}],
)
def test_folded_stream_equals_the_whole_answer(settings: dict[str, Any]) -> None:
    """A stream, folded, is the whole answer, without the blank before its first word."""
    whole = fold(TextCompletionBack().read(_play(text_completion.answer(**settings))))
    streamed = fold(_stream(_play(text_completion.stream(**settings))))

    assert streamed == whole
    assert whole.text == "Hello from the upstream."


def test_every_cut_gives_the_same_events() -> None:
    """The stream cut in two at every byte gives the same events."""
    stream = _play(text_completion.stream([" ", " H\u00e9", " \U0001f600"], done=False))
    expected = _stream(stream)

    assert fold(expected).text == "H\u00e9 \U0001f600"
    assert fold(expected).usage == Usage(input_tokens=11, output_tokens=7)
    assert all(_stream(stream[:cut], stream[cut:]) == expected for cut in range(len(stream)))
