"""What is found on this machine, and the policy that is made of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from gateway.classify.classifier import Classifier, load_classifier
from gateway.config import discovery
from gateway.config.discovery import Discovered, Ports
from gateway.config.first_policy import ApiAccess, LocalModel, policy_text, write_once
from gateway.config.price_book import load_price_book
from gateway.core.deployment import SHIPPED_ADAPTERS, Secret
from gateway.core.sensitivity import Sensitivity
from policies.checks.registry import run_checks
from policies.compiled import CompiledPolicy
from policies.compiler import compile_policy
from policies.loader import read_policy
from policies.resolve import Known
from policies.testing import run_tests

#: Nothing listens here: port 9 (discard) is reserved and unused.
NOWHERE = Ports(ollama=9, lmstudio=9, vllm=9, llamacpp=9)
PRICES = load_price_book().price_of


async def discover(environ: dict[str, str], ports: Ports) -> Discovered:
    """Discovery with time enough for a busy machine."""
    return await discovery.discover(environ, ports, seconds=10.0)


class Listening:
    """A model server of the test: its port and the requests that it saw."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.seen: list[tuple[str, dict[str, str]]] = []
        seen = self.seen

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                seen.append((self.path, dict(self.headers.items())))
                answer = answers.get(self.path)
                body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(404 if answer is None else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def serve() -> Iterator[Callable[[dict[str, Any]], Listening]]:
    """Start model servers that end with the test."""
    started: list[Listening] = []

    def start(answers: dict[str, Any]) -> Listening:
        started.append(Listening(answers))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    """The real classifier."""
    return load_classifier()


def compiled(text: str) -> CompiledPolicy:
    return compile_policy(read_policy(text, "p.yaml"), PRICES, lambda reference: Secret("x"))


OLLAMA = {
    "/api/tags": {
        "models": [
            {"name": "llama3.2:3b", "details": {"family": "llama", "parameter_size": "3.2B"}},
            {"name": "mistral:7b", "details": {"family": "llama", "parameter_size": "7.2B"}},
            {"name": "nomic-embed-text:latest", "details": {"family": "nomic-bert"}},
            {"name": "all:latest", "details": {"family": "bert"}},
            {"name": "gpt-oss:120b-cloud", "details": {"family": "gptoss"}},
            {"name": "kimi", "remote_host": "https://ollama.com", "details": {}},
            {"name": 'evil"\n}: {', "details": {}},
            {"name": 7},
            "nonsense",
        ]
    }
}
VLLM = {
    "/v1/models": {
        "object": "list",
        "data": [{"id": "org/M-8B", "owned_by": "vllm", "max_model_len": 4096}],
    }
}


async def test_ollama_models_are_found_largest_first(
    serve: Callable[[dict[str, Any]], Listening],
) -> None:
    """Chat models that run here are taken; embeddings, cloud models and nonsense are not."""
    server = serve(OLLAMA)

    found = await discover({}, Ports(ollama=server.port, lmstudio=9, vllm=9, llamacpp=9))

    assert [model.model for model in found.local] == ["mistral:7b", "llama3.2:3b"]
    policy = compiled(found.text)
    assert list(policy.deployments) == ["ollama-mistral-7b", "ollama-llama3.2-3b", "onboard"]
    mistral = policy.deployments["ollama-mistral-7b"]
    assert (mistral.base_url, mistral.model) == (
        f"http://127.0.0.1:{server.port}/v1",
        "mistral:7b",
    )
    assert (mistral.clearance, mistral.self_hosted) == (Sensitivity.RESTRICTED, True)
    assert set(policy.aliases) == {"auto", "mistral:7b", "llama3.2:3b"}


async def test_vllm_lm_studio_and_llama_cpp_are_found(
    serve: Callable[[dict[str, Any]], Listening],
) -> None:
    """Each runtime is asked in its own way; context sizes are taken over."""
    vllm = serve(VLLM)
    studio = serve({"/v1/models": {"data": [{"id": "phi-4"}, {"id": "text-embedding-3"}]}})
    llama = serve(
        {
            "/v1/models": {"data": [{"id": "/m/Foo Bar.gguf", "owned_by": "llamacpp"}]},
            "/props": {"default_generation_settings": {"n_ctx": 2048}},
        }
    )

    found = await discover(
        {}, Ports(ollama=9, lmstudio=studio.port, vllm=vllm.port, llamacpp=llama.port)
    )

    assert [(one.runtime, one.model, one.context_tokens) for one in found.local] == [
        ("lmstudio", "phi-4", 0),
        ("vllm", "org/M-8B", 4096),
        ("llamacpp", "/m/Foo Bar.gguf", 2048),
    ]
    policy = compiled(found.text)
    assert policy.deployments["vllm-m-8b"].context_tokens == 4096
    assert policy.deployments["llamacpp-foo-bar.gguf"].model == "/m/Foo Bar.gguf"
    assert "/m/Foo Bar.gguf" not in policy.aliases


async def test_a_proxy_on_a_known_port_is_not_trusted_with_everything(
    serve: Callable[[dict[str, Any]], Listening],
) -> None:
    """A server that says it is something else is cleared like a vendor's API at most."""
    proxy = serve({"/v1/models": {"data": [{"id": "gpt-4o", "owned_by": "openai"}]}})

    found = await discover({}, Ports(ollama=9, lmstudio=9, vllm=proxy.port, llamacpp=9))

    policy = compiled(found.text)
    assert policy.deployments["vllm-gpt-4o"].clearance is Sensitivity.INTERNAL


async def test_no_key_is_sent_to_anybody(serve: Callable[[dict[str, Any]], Listening]) -> None:
    """Discovery asks with nothing that belongs to the user, and only by GET."""
    servers = [serve(OLLAMA), serve(VLLM), serve(VLLM), serve(VLLM)]
    ports = Ports(
        ollama=servers[0].port,
        lmstudio=servers[1].port,
        vllm=servers[2].port,
        llamacpp=servers[3].port,
    )

    found = await discover(
        {"OPENAI_API_KEY": "sk-secret-1", "ANTHROPIC_API_KEY": "sk-secret-2"}, ports
    )

    sent = [headers for server in servers for _, headers in server.seen]
    assert len(sent) >= 4
    assert not any("authorization" in {name.lower() for name in headers} for headers in sent)
    assert "sk-secret" not in json.dumps(sent)
    assert "sk-secret" not in found.text + "".join(found.notes)


@pytest.mark.parametrize(
    "answer",
    [
        b"<html>",
        b"[]",
        b"{}",
        b'{"data": 3}',
        b'{"data": [1, {"id": null}]}',
        b"[" * 100_000,
        b"\xff",
    ],
    ids=range(7),
)
async def test_other_servers_on_those_ports_are_passed_over(
    serve: Callable[[dict[str, Any]], Listening], answer: bytes
) -> None:
    """Whatever else answers there is no model server and no error."""
    other = serve({"/v1/models": answer, "/api/tags": answer})
    ports = Ports(ollama=other.port, lmstudio=other.port, vllm=other.port, llamacpp=other.port)

    assert (await discover({}, ports)).local == ()


async def test_nothing_found_leaves_the_built_in_model(classifier: Classifier) -> None:
    """The policy has the onboard model alone and says how to add a real one."""
    found = await discover({"OPENAI_API_KEY": " "}, NOWHERE)

    policy = compiled(found.text)
    assert list(policy.deployments) == ["onboard"]
    onboard = policy.deployments["onboard"]
    assert (onboard.adapter, onboard.model) == ("ctransformers", "fairlead-help")
    assert (onboard.clearance, onboard.self_hosted) == (Sensitivity.RESTRICTED, True)
    assert "start Ollama" in found.notes[0]
    assert "To add a model of your own" in found.text


@pytest.mark.parametrize("base_url", ["", "http://127.0.0.1:9999/v1"])
async def test_a_key_without_a_local_model(base_url: str, classifier: Classifier) -> None:
    """Public and internal goes to the vendor, by difficulty; the rest stays on board."""
    environ = {"OPENAI_API_KEY": "x", "OPENAI_BASE_URL": base_url}

    found = await discover(environ, NOWHERE)

    policy = compiled(found.text)
    assert [(route.id, route.deployments) for route in policy.routes] == [
        ("hard-and-harmless", ("openai-large", "openai-small", "onboard")),
        ("easy-and-harmless", ("openai-small", "openai-large", "onboard")),
        ("stays-home", ("onboard",)),
    ]
    large = policy.deployments["openai-large"]
    assert (large.clearance, large.self_hosted) == (Sensitivity.INTERNAL, False)
    assert large.base_url == (base_url or "https://api.openai.com/v1")
    assert 'api_key: "env:OPENAI_API_KEY"' in found.text


LOCAL = (
    LocalModel(
        runtime="ollama", runtime_title="Ollama", base_url="http://127.0.0.1:1/v1", model="a"
    ),
    LocalModel(
        runtime="ollama", runtime_title="Ollama", base_url="http://127.0.0.1:1/v1", model="A"
    ),
    LocalModel(
        runtime="vllm",
        runtime_title="vLLM",
        base_url="http://127.0.0.1:2/v1",
        model="b",
        trusted=False,
    ),
)
BOTH = (ApiAccess(provider="openai"), ApiAccess(provider="anthropic"))


@pytest.mark.parametrize("apis", [(), BOTH[:1], BOTH[1:], BOTH], ids=["none", "o", "a", "both"])
@pytest.mark.parametrize("local", [(), LOCAL[:1], LOCAL[2:], LOCAL], ids=["none", "1", "u", "3"])
def test_every_first_policy_passes_its_own_tests_and_checks(
    local: tuple[LocalModel, ...], apis: tuple[ApiAccess, ...], classifier: Classifier
) -> None:
    """Whatever was found, the file is right, tested, and keeps sensitive data at home."""
    text = policy_text(local, apis)
    policy = compiled(text)
    known = Known(adapters=SHIPPED_ADAPTERS, prices=PRICES)

    assert run_checks(read_policy(text, "p.yaml"), known) == ()
    assert all(outcome.passed for outcome in run_tests(policy, classifier.judge_text))
    assert all(route.deployments[-1] == "onboard" for route in policy.routes)


async def test_a_written_policy_is_never_overwritten(tmp_path: Path) -> None:
    """The first file stays, whole, and no draft is left beside it."""
    path = tmp_path / "home" / "policy.yaml"
    found: Discovered = await discover({}, NOWHERE)

    assert found.write(path)
    assert path.read_text() == found.text
    assert not write_once(path, "something else")
    assert path.read_text() == found.text
    assert [child.name for child in path.parent.iterdir()] == ["policy.yaml"]
