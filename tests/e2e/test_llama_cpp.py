"""A real server of the ecosystem behind the gateway: llama.cpp's, on four wires, with a real model.

The scripted upstream says what we believe of servers; this one says what is so. It is asked for
the help model's answer to one question, through every API and over every wire that it speaks.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import anthropic
import openai
import pydantic
import pytest

from adapters.ctransformers.gguf_metadata import read_gguf
from ops.compat.environments import python_for
from tests.e2e.harness import GatewayProcess

pytestmark = pytest.mark.full

MODEL = Path("adapters/ctransformers/models/fairlead-help.gguf")
QUESTION = "What is Fairlead?"
BEGINNING = "Fairlead is a hybrid routing gateway"
BACKS = ("chat", "responses", "messages", "text")

POLICY = """
fairlead: 1
deployments:
  chat: &server
    adapter: openai_compatible
    base_url: "{url}/v1"
    model: help
    clearance: restricted
    self_hosted: true
    price: {{input_usd_per_mtok: 1, output_usd_per_mtok: 2}}
  responses:
    adapter: openai_compatible
    base_url: "{url}/v1"
    options: {{wire: openai_responses}}
    model: help
    clearance: restricted
    price: {{input_usd_per_mtok: 1, output_usd_per_mtok: 2}}
  messages:
    adapter: anthropic
    base_url: "{url}"
    api_key: env:UPSTREAM_KEY
    options: {{api_version: "2023-06-01"}}
    model: help
    clearance: restricted
    price: {{input_usd_per_mtok: 1, output_usd_per_mtok: 2}}
  text:
    adapter: text_completion
    base_url: "{url}/v1"
    options: {{chat_template: "{template}", bos_token: "<s>", eos_token: "</s>"}}
    model: help
    clearance: restricted
    price: {{input_usd_per_mtok: 1, output_usd_per_mtok: 2}}
aliases: {{auto: {{}}}}
routes:
  - {{id: to-responses, when: {{app: responses}}, use: [responses]}}
  - {{id: to-messages, when: {{app: messages}}, use: [messages]}}
  - {{id: to-text, when: {{app: text}}, use: [text]}}
  - {{id: to-chat, use: [chat]}}
"""


@dataclass(frozen=True)
class Stand:
    """The gateway, and a key for each wire behind it."""

    gateway: GatewayProcess
    keys: dict[str, str]

    def openai(self, back: str, *, strict: bool = True) -> openai.OpenAI:
        """The official client; not strict for answers that pass through as the server made them."""
        return openai.OpenAI(
            base_url=f"{self.gateway.url}/v1",
            api_key=self.keys[back],
            max_retries=0,
            _strict_response_validation=strict,
        )

    def anthropic(self, back: str) -> anthropic.Anthropic:
        """The official client."""
        return anthropic.Anthropic(
            base_url=self.gateway.url,
            api_key=self.keys[back],
            max_retries=0,
            _strict_response_validation=True,
        )


@contextmanager
def llama_cpp() -> Iterator[str]:
    """Run the server for a block; gives its URL."""
    script = Path(__file__).with_name("llama_cpp_server.py")
    command = [str(python_for("llama_cpp")), str(script), str(MODEL)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        try:
            url = server.stdout.readline().strip()
            assert url.startswith("http://"), f"the server ended with status {server.poll()}"
            yield url
        finally:
            server.terminate()


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    home = tmp_path_factory.mktemp("gateway")
    template = home / "help.jinja"
    template.write_text(read_gguf(MODEL).text("tokenizer.chat_template"), encoding="utf-8")
    with llama_cpp() as url:
        policy = POLICY.format(url=url, template=template)
        gateway = GatewayProcess(home, policy, {"UPSTREAM_KEY": "none"}).start()
        try:
            yield Stand(gateway, {back: gateway.new_key("--app", back) for back in BACKS})
        finally:
            gateway.stop()


@pytest.mark.parametrize("back", BACKS)
def test_chat_whole_and_streamed(stand: Stand, back: str) -> None:
    """The same beginning both ways, and the server's own count of tokens."""
    client = stand.openai(back)
    whole = client.chat.completions.create(
        model="auto",
        messages=[{"role": "user", "content": QUESTION}],
        max_completion_tokens=24,
        temperature=0,
    )
    said, counted = "", 0
    for chunk in client.chat.completions.create(
        model="auto",
        messages=[{"role": "user", "content": QUESTION}],
        max_completion_tokens=24,
        temperature=0,
        stream=True,
        stream_options={"include_usage": True},
    ):
        said += (chunk.choices[0].delta.content or "") if chunk.choices else ""
        counted += chunk.usage.completion_tokens if chunk.usage else 0

    assert str(whole.choices[0].message.content).startswith(BEGINNING)
    # The server's Responses API calls an answer complete that it cut at the cap.
    assert whole.choices[0].finish_reason == ("stop" if back == "responses" else "length")
    assert said.startswith(BEGINNING)
    assert whole.usage is not None
    assert counted == whole.usage.completion_tokens == 24


@pytest.mark.parametrize("back", BACKS)
def test_messages_whole_and_streamed(stand: Stand, back: str) -> None:
    client = stand.anthropic(back)
    whole = client.messages.create(
        model="auto", max_tokens=24, messages=[{"role": "user", "content": QUESTION}]
    )
    with client.messages.stream(
        model="auto", max_tokens=24, messages=[{"role": "user", "content": QUESTION}]
    ) as stream:
        streamed = stream.get_final_message()

    for message in (whole, streamed):
        assert message.content[0].type == "text"
        assert message.content[0].text.startswith("Fairlead is")
        assert message.usage.output_tokens > 0


@pytest.mark.parametrize("back", BACKS)
def test_responses_whole_and_streamed(stand: Stand, back: str) -> None:
    # The server's own responses leave out fields that the API requires, and the SDK's helper for
    # streams cannot follow its events.
    client = stand.openai(back, strict=back != "responses")
    whole = client.responses.create(model="auto", input=QUESTION, temperature=0)
    said, counted = "", 0
    for event in client.responses.create(model="auto", input=QUESTION, temperature=0, stream=True):
        if event.type == "response.output_text.delta":
            said += event.delta
        elif event.type == "response.completed" and event.response.usage is not None:
            counted = event.response.usage.output_tokens

    assert whole.output_text.startswith(BEGINNING)
    assert said == whole.output_text
    assert whole.usage is not None
    assert counted == whole.usage.output_tokens > 0


@pytest.mark.parametrize("back", ["chat", "messages", "text"])
def test_completions(stand: Stand, back: str) -> None:
    """A plain prompt: as it is where the server takes it, as a user's turn elsewhere."""
    prompt = QUESTION if back == "messages" else "Fairlead is"
    answer = stand.openai(back).completions.create(
        model="auto", prompt=prompt, max_tokens=8, temperature=0
    )
    assert answer.usage is not None
    assert answer.usage.completion_tokens > 0
    assert answer.choices[0].text


class City(pydantic.BaseModel):
    """What the model is asked to fill in."""

    people: int
    coastal: bool


def test_the_servers_own_grammar_holds_a_schema(stand: Stand) -> None:
    """What comes obeys the schema, whatever so small a model knows of cities."""
    parsed = stand.openai("chat").chat.completions.parse(
        model="auto",
        messages=[{"role": "user", "content": "A city?"}],
        response_format=City,
        max_completion_tokens=200,
    )
    assert isinstance(parsed.choices[0].message.parsed, City)


@pytest.mark.parametrize("back", ["chat", "text"])
def test_log_probabilities_are_the_models(stand: Stand, back: str) -> None:
    """Tokens that together are the answer, each with its logarithm and two alternatives."""
    answer = stand.openai(back).chat.completions.create(
        model="auto",
        messages=[{"role": "user", "content": QUESTION}],
        max_completion_tokens=8,
        temperature=0,
        logprobs=True,
        top_logprobs=2,
    )
    told = answer.choices[0].logprobs
    assert told is not None
    tokens = told.content or []
    assert "".join(token.token for token in tokens).strip() == answer.choices[0].message.content
    assert all(token.logprob <= 0 and len(token.top_logprobs) == 2 for token in tokens)


def test_every_call_was_booked_as_the_server_counted_it(stand: Stand) -> None:
    """Nothing is estimated: each wire told its usage and it was read."""
    stand.openai("text").chat.completions.create(
        model="auto", messages=[{"role": "user", "content": QUESTION}], max_completion_tokens=4
    )
    rows = stand.gateway.cost_rows("deployment,outcome,kind")
    assert rows
    assert {(row["outcome"], row["estimated"]) for row in rows} == {("ok", 0)}
