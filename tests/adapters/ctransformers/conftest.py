"""A tiny random llama written from scratch, and real workers that serve it."""

from __future__ import annotations

import asyncio
import json
import struct
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import numpy as np
import pytest

from adapters.ctransformers.settings import WorkerSettings, to_arguments
from gateway.core.deployment import Deployment
from gateway.core.prices import Price
from gateway.core.sensitivity import Sensitivity

PIECES = (
    ["<unk>", "<s>", "</s>"]
    + [f"<0x{byte:02X}>" for byte in range(256)]
    + ["\u2581"]
    + [chr(code) for code in range(33, 127)]
    + ["<|im_start|>", "<|im_end|>"]
)
KINDS = [2, 3, 3] + [6] * 256 + [1] * 95 + [3, 3]


def packed_text(text: str) -> bytes:
    """A GGUF string."""
    encoded = text.encode()
    return struct.pack("<Q", len(encoded)) + encoded


def packed_field(key: str, value: Any) -> bytes:
    """A GGUF key-value pair of the type that the Python value suggests."""
    begin = packed_text(key)
    if isinstance(value, str):
        return begin + struct.pack("<I", 8) + packed_text(value)
    if isinstance(value, float):
        return begin + struct.pack("<If", 6, value)
    if isinstance(value, int):
        return begin + struct.pack("<II", 4, value)
    if isinstance(value[0], str):
        body = b"".join(packed_text(entry) for entry in value)
        return begin + struct.pack("<IIQ", 9, 8, len(value)) + body
    code, kind = (6, "<f4") if isinstance(value[0], float) else (5, "<i4")
    body = np.array(value, dtype=kind).tobytes()
    return begin + struct.pack("<IIQ", 9, code, len(value)) + body


def tensor_shapes(width: int, layers: int) -> list[tuple[str, tuple[int, ...]]]:
    """Names and shapes of a llama's tensors."""
    size, inner = len(PIECES), width * 2
    shapes: list[tuple[str, tuple[int, ...]]] = [
        ("token_embd.weight", (width, size)),
        ("output_norm.weight", (width,)),
        ("output.weight", (width, size)),
    ]
    for layer in range(layers):
        block = f"blk.{layer}."
        shapes += [(f"{block}attn_{name}.weight", (width, width)) for name in ("q", "k", "v")]
        shapes += [
            (f"{block}attn_output.weight", (width, width)),
            (f"{block}attn_norm.weight", (width,)),
            (f"{block}ffn_gate.weight", (width, inner)),
            (f"{block}ffn_up.weight", (width, inner)),
            (f"{block}ffn_down.weight", (inner, width)),
            (f"{block}ffn_norm.weight", (width,)),
        ]
    return shapes


def gguf_bytes(
    *,
    architecture: str = "llama",
    tokenizer: str = "llama",
    context: int = 256,
    width: int = 32,
    layers: int = 1,
    template: str = "",
    version: int = 3,
) -> bytes:
    """A whole GGUF file of a small llama with random weights."""
    fields: list[tuple[str, Any]] = [
        ("general.architecture", architecture),
        (f"{architecture}.context_length", context),
        (f"{architecture}.embedding_length", width),
        (f"{architecture}.block_count", layers),
        (f"{architecture}.feed_forward_length", width * 2),
        (f"{architecture}.rope.dimension_count", width // 2),
        (f"{architecture}.attention.head_count", 2),
        (f"{architecture}.attention.head_count_kv", 2),
        (f"{architecture}.attention.layer_norm_rms_epsilon", 1e-5),
        ("tokenizer.ggml.model", tokenizer),
        ("tokenizer.ggml.tokens", PIECES),
        ("tokenizer.ggml.scores", [0.0] * len(PIECES)),
        ("tokenizer.ggml.token_type", KINDS),
        ("tokenizer.ggml.bos_token_id", 1),
        ("tokenizer.ggml.eos_token_id", 2),
    ]
    if template:
        fields.append(("tokenizer.chat_template", template))
    shapes = tensor_shapes(width, layers)
    head = b"GGUF" + struct.pack("<IQQ", version, len(shapes), len(fields))
    head += b"".join(packed_field(key, value) for key, value in fields)
    chance = np.random.default_rng(7)
    body = b""
    for name, shape in shapes:
        head += packed_text(name) + struct.pack("<I", len(shape))
        head += b"".join(struct.pack("<Q", length) for length in shape)
        head += struct.pack("<IQ", 0, len(body))
        numbers = np.ones(shape) if len(shape) == 1 else chance.normal(size=shape) * 0.5
        body += numbers.astype("<f4").tobytes()
        body += bytes(-len(body) % 32)
    return head + bytes(-len(head) % 32) + body


@pytest.fixture(scope="session")
def write_gguf(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Writes a small model file and returns where; keywords as for `gguf_bytes`."""
    directory = tmp_path_factory.mktemp("gguf")
    written: dict[str, Path] = {}

    def write(**shape: Any) -> Path:
        key = json.dumps(shape, sort_keys=True)
        if key not in written:
            written[key] = directory / f"model-{len(written)}.gguf"
            written[key].write_bytes(gguf_bytes(**shape))
        return written[key]

    return write


@pytest.fixture(scope="session")
def pack_field() -> Callable[[str, Any], bytes]:
    """Writes one GGUF key-value pair."""
    return packed_field


@pytest.fixture
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run directory whose path is short enough for a socket."""
    return tmp_path_factory.mktemp("r")


@pytest.fixture
def deployment() -> Callable[..., Deployment]:
    """Makes a deployment of a model file; keywords are its options."""

    def make(path: Path | str, name: str = "local", **options: str | float) -> Deployment:
        return Deployment(
            name=name,
            adapter="ctransformers",
            model="tiny",
            clearance=Sensitivity.RESTRICTED,
            price=Price(input=0, output=0, cached_input=0, cache_write=0),
            self_hosted=True,
            options=(("model_path", str(path)), *options.items()),
        )

    return make


class Caller:
    """A client of one worker's socket."""

    def __init__(self, session: aiohttp.ClientSession, process: asyncio.subprocess.Process) -> None:
        self.session = session
        self.process = process

    async def chat(self, text: str = "hi", **fields: Any) -> tuple[int, dict[str, Any]]:
        """A whole answer: status and document."""
        async with self.open(text, **fields) as response:
            return response.status, json.loads(await response.read())

    def open(self, text: str = "hi", **fields: Any) -> Any:
        """An open answer."""
        body = {"messages": [{"role": "user", "content": text}], **fields}
        return self.session.post("http://worker/v1/chat/completions", json=body)

    async def events(self, text: str = "hi", **fields: Any) -> list[Any]:
        """Every event of a streamed answer, the end marker as text."""
        async with self.open(text, stream=True, **fields) as response:
            blocks = (await response.read()).decode().split("\n\n")
        payloads = [block.removeprefix("data: ") for block in blocks if block]
        return [payload if payload == "[DONE]" else json.loads(payload) for payload in payloads]

    async def health(self) -> dict[str, Any]:
        """What the worker tells about itself."""
        async with self.session.get("http://worker/healthz") as response:
            health: dict[str, Any] = json.loads(await response.read())
            return health

    async def until(self, reached: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Ask for the health until the condition holds."""
        async with asyncio.timeout(20):
            while not reached(health := await self.health()):
                await asyncio.sleep(0.02)
        return health


@pytest.fixture
def start_worker(run_dir: Path) -> Callable[..., Any]:
    """Starts a worker process without a supervisor; keywords are its settings."""

    @asynccontextmanager
    async def start(path: Path, **settings: Any) -> AsyncIterator[Caller]:
        given = {"model_name": "tiny", "temperature": 1.0, "top_k": 0, **settings}
        socket = run_dir / "w.sock"
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "adapters.ctransformers.worker",
            *to_arguments(WorkerSettings(model_path=str(path), **given), socket),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=Path(__file__).parents[3],
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            report = msgspec.json.decode(await process.stdout.readline())
            assert report["failure"] == ""
            connector = aiohttp.UnixConnector(str(socket), limit=0)
            async with aiohttp.ClientSession(connector=connector) as session:
                yield Caller(session, process)
        finally:
            process.stdin.close()
            await process.wait()

    return start
