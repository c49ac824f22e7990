"""Workers are started, shared, restarted and ended by their supervisor."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from adapters.base import Outbound
from adapters.ctransformers.adapter import open_adapter
from adapters.ctransformers.settings import SettingsError
from adapters.ctransformers.supervisor import (
    SocketPathTooLong,
    WorkerPhase,
    WorkerState,
    WorkerSupervisor,
    socket_path,
)
from adapters.transport import Transport
from gateway.core.deployment import Deployment
from gateway.core.failure import AttemptFailure, FailureKind
from gateway.core.sensitivity import Sensitivity

Make = Callable[..., Deployment]
Write = Callable[..., Path]
ENDLESS = b'"logit_bias": {"2": -100, "355": -100}'


@pytest.fixture
async def supervisor(run_dir: Path) -> AsyncIterator[WorkerSupervisor]:
    """A supervisor that is closed after the test."""
    supervisor = WorkerSupervisor(run_dir)
    yield supervisor
    await supervisor.close()


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    """A transport that is closed after the test."""
    transport = Transport()
    yield transport
    await transport.close()


async def reach(
    supervisor: WorkerSupervisor, reached: Callable[[WorkerState], bool], name: str = "local"
) -> WorkerState:
    """Wait until the worker's state satisfies the condition."""
    async with asyncio.timeout(20):
        while not reached(state := supervisor.state(name)):
            await asyncio.sleep(0.02)
    return state


def is_ready(state: WorkerState) -> bool:
    """Whether the worker can be called."""
    return state.phase is WorkerPhase.READY


def outbound(
    fields: bytes = b'"max_tokens": 3',
    *,
    stream: bool = False,
    sensitivity: Sensitivity = Sensitivity.INTERNAL,
    first_byte_seconds: float = 20,
) -> Outbound:
    """A short chat request."""
    told = b"true" if stream else b"false"
    messages = b'"messages": [{"role": "user", "content": "hi"}]'
    return Outbound(
        body=b'{"stream": ' + told + b", " + messages + b", " + fields + b"}",
        sensitivity=sensitivity,
        stream=stream,
        request_id="r",
        timeout_seconds=60,
        first_byte_seconds=first_byte_seconds,
    )


def alive(pid: int) -> bool:
    """Whether the process runs (a zombie does not)."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False


async def test_a_call_goes_through_the_transport_to_the_worker(
    supervisor: WorkerSupervisor,
    transport: Transport,
    run_dir: Path,
    deployment: Make,
    write_gguf: Write,
) -> None:
    """The adapter reaches the worker's socket, whole and streamed."""
    local = deployment(write_gguf())
    adapter = open_adapter(local, transport, run_dir)
    await supervisor.start(local)
    state = await reach(supervisor, is_ready)

    whole = await adapter.open(outbound())
    assert not isinstance(whole, AttemptFailure)
    body = await whole.read()
    stream = await adapter.open(outbound(stream=True))
    assert not isinstance(stream, AttemptFailure)
    chunks = [chunk async for chunk in stream.chunks()]

    assert state.context_tokens == 256
    assert isinstance(body, bytes)
    assert b'"chat.completion"' in body
    assert b"".join(c for c in chunks if isinstance(c, bytes)).endswith(b"data: [DONE]\n\n")


async def test_the_guard_stands_before_the_socket(
    transport: Transport, run_dir: Path, deployment: Make, write_gguf: Write
) -> None:
    """A request above the clearance fails without a connection."""
    public = Deployment(
        name="p",
        adapter="ctransformers",
        model="m",
        clearance=Sensitivity.PUBLIC,
        price=deployment("x").price,
        options=(("model_path", str(write_gguf())),),
    )

    refused = await open_adapter(public, transport, run_dir).open(outbound())

    assert isinstance(refused, AttemptFailure)
    assert refused.kind is FailureKind.CLEARANCE


async def test_a_crash_in_mid_stream_fails_the_attempt_and_the_next_call_works(
    supervisor: WorkerSupervisor,
    transport: Transport,
    run_dir: Path,
    deployment: Make,
    write_gguf: Write,
) -> None:
    """kill -9 while tokens flow is a cut stream; then connects fail until the restart."""
    local = deployment(write_gguf(context=4096, width=256, layers=4))
    adapter = open_adapter(local, transport, run_dir)
    await supervisor.start(local)
    first = await reach(supervisor, is_ready)

    stream = await adapter.open(outbound(ENDLESS, stream=True))
    assert not isinstance(stream, AttemptFailure)
    items: list[bytes | AttemptFailure] = []
    async for item in stream.chunks():
        if not items:
            os.kill(first.pid, signal.SIGKILL)
        items.append(item)
    down = await reach(supervisor, lambda state: state.phase is WorkerPhase.BACKING_OFF)
    refused = await adapter.open(outbound())
    again = await reach(supervisor, is_ready)
    served = await adapter.open(outbound())

    assert isinstance(items[0], bytes)
    assert isinstance(items[-1], AttemptFailure)
    assert items[-1].kind is FailureKind.CUT_STREAM
    assert "SIGKILL" in down.reason
    assert isinstance(refused, AttemptFailure)
    assert refused.kind is FailureKind.CONNECT
    assert again.pid != first.pid
    assert again.crashes == 1
    assert not isinstance(served, AttemptFailure)
    await served.close()


async def test_a_frozen_worker_is_a_timeout(
    supervisor: WorkerSupervisor,
    transport: Transport,
    run_dir: Path,
    deployment: Make,
    write_gguf: Write,
) -> None:
    """SIGSTOP makes the attempt time out; after SIGCONT the worker serves."""
    local = deployment(write_gguf())
    adapter = open_adapter(local, transport, run_dir)
    await supervisor.start(local)
    state = await reach(supervisor, is_ready)

    os.kill(state.pid, signal.SIGSTOP)
    frozen = await adapter.open(outbound(first_byte_seconds=0.3))
    os.kill(state.pid, signal.SIGCONT)
    served = await adapter.open(outbound())

    assert isinstance(frozen, AttemptFailure)
    assert frozen.kind is FailureKind.TIMEOUT
    assert not isinstance(served, AttemptFailure)
    await served.close()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda body: body[:1000], "cut short"),
        (lambda body: body[:-64], "cut short"),
        (lambda body: b"GGML" + body[4:], "no GGUF"),
    ],
)
async def test_a_damaged_file_is_a_clear_failure(
    supervisor: WorkerSupervisor,
    run_dir: Path,
    deployment: Make,
    write_gguf: Write,
    spoil: Callable[[bytes], bytes],
    reason: str,
) -> None:
    """A broken model file fails with its reason, without a crash and without restarts."""
    broken = run_dir / "broken.gguf"
    broken.write_bytes(spoil(write_gguf().read_bytes()))

    await supervisor.start(deployment(broken))
    state = await reach(supervisor, lambda found: found.phase is not WorkerPhase.STARTING)

    assert state.phase is WorkerPhase.FAILED
    assert reason in state.reason
    assert state.crashes == 0


async def test_a_crash_of_the_library_at_load_backs_off(
    supervisor: WorkerSupervisor,
    run_dir: Path,
    deployment: Make,
    write_gguf: Write,
    pack_field: Callable[[str, int], bytes],
) -> None:
    """A file that passes the checks but kills native code is tried again ever more rarely."""
    heads = "llama.attention.head_count"
    body = write_gguf().read_bytes().replace(pack_field(heads, 2), pack_field(heads, 0))
    deadly = run_dir / "deadly.gguf"
    deadly.write_bytes(body)

    await supervisor.start(deployment(deadly))
    state = await reach(supervisor, lambda found: found.crashes == 2)

    assert state.phase is WorkerPhase.BACKING_OFF
    assert "SIG" in state.reason


async def test_a_failed_worker_starts_again_when_asked(
    supervisor: WorkerSupervisor, run_dir: Path, deployment: Make, write_gguf: Write
) -> None:
    """After the file was replaced, a new start (such as a policy reload) succeeds."""
    path = run_dir / "model.gguf"
    await supervisor.start(deployment(path))
    failed = await reach(supervisor, lambda state: state.phase is WorkerPhase.FAILED)
    path.write_bytes(write_gguf().read_bytes())

    await supervisor.start(deployment(path))
    await reach(supervisor, is_ready)

    assert "cannot read" in failed.reason


async def test_the_same_settings_keep_the_worker_and_others_replace_it(
    supervisor: WorkerSupervisor, deployment: Make, write_gguf: Write
) -> None:
    """Starting twice is harmless; changed options bring up a new worker."""
    await supervisor.start(deployment(write_gguf()))
    first = await reach(supervisor, is_ready)
    await supervisor.start(deployment(write_gguf()))
    same = supervisor.state("local")
    await supervisor.start(deployment(write_gguf(), context_length=128))
    other = await reach(supervisor, is_ready)

    assert same == first
    assert other.pid != first.pid
    assert other.context_tokens == 128


async def test_two_supervisors_share_one_worker_and_the_second_takes_over(
    supervisor: WorkerSupervisor, run_dir: Path, deployment: Make, write_gguf: Write
) -> None:
    """With one run directory there is one process; it is replaced when its owner closes."""
    second = WorkerSupervisor(run_dir)
    try:
        await supervisor.start(deployment(write_gguf()))
        mine = await reach(supervisor, is_ready)
        await second.start(deployment(write_gguf()))
        shared = await reach(second, is_ready)
        await supervisor.close()
        taken = await reach(second, lambda state: is_ready(state) and state.pid != mine.pid)
    finally:
        await second.close()

    assert shared.pid == mine.pid
    assert not alive(mine.pid)
    assert not alive(taken.pid)


OWNER = """
import asyncio, sys
from pathlib import Path
from adapters.ctransformers.supervisor import WorkerSupervisor
from gateway.core.deployment import Deployment
from gateway.core.prices import Price
from gateway.core.sensitivity import Sensitivity

async def main():
    supervisor = WorkerSupervisor(Path(sys.argv[1]))
    await supervisor.start(Deployment(
        name="local", adapter="ctransformers", model="m", clearance=Sensitivity.RESTRICTED,
        price=Price(input=0, output=0, cached_input=0, cache_write=0),
        options=(("model_path", sys.argv[2]),)))
    while not supervisor.state("local").pid:
        await asyncio.sleep(0.02)
    print(supervisor.state("local").pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


async def test_a_worker_never_outlives_its_gateway(run_dir: Path, write_gguf: Write) -> None:
    """kill -9 of the owning process ends the worker too."""
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(run_dir), str(write_gguf())],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    assert owner.stdout is not None
    pid = next(int(line) for line in owner.stdout if line.strip().isdigit())
    assert alive(pid)

    owner.kill()
    owner.wait()

    async with asyncio.timeout(10):
        while alive(pid):
            await asyncio.sleep(0.02)


async def test_the_worker_gets_no_credential_of_the_gateway(
    supervisor: WorkerSupervisor,
    deployment: Make,
    write_gguf: Write,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The worker's environment holds nothing but what a program needs to run."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-for-the-worker")
    await supervisor.start(deployment(write_gguf()))
    state = await reach(supervisor, is_ready)

    environment = Path(f"/proc/{state.pid}/environ").read_bytes()

    assert b"PATH=" in environment
    assert b"sk-not-for-the-worker" not in environment


def test_socket_paths_are_distinct_and_stay_in_the_run_directory(tmp_path: Path) -> None:
    """Odd names get a name of their own, and too long a directory is refused with a hint."""
    names = ["a", "A", "../a", "a/b", "x" * 200, "x" * 201, "é"]

    paths = {socket_path(Path("/r"), name) for name in names}

    assert len(paths) == len(names)
    assert {path.parent for path in paths} == {Path("/r")}
    with pytest.raises(SocketPathTooLong, match="FAIRLEAD_HOME"):
        socket_path(tmp_path / ("d" * 100), "a")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"colour": "red"}, "'colour' is no option"),
        ({"threads": "many"}, "threads"),
        ({"queue": -1}, "queue must be from 0"),
    ],
)
async def test_wrong_options_are_refused_by_name(
    supervisor: WorkerSupervisor, deployment: Make, options: dict[str, str | int], message: str
) -> None:
    """An unknown, mistyped or out-of-bounds option is an error before anything starts."""
    with pytest.raises(SettingsError, match=message):
        await supervisor.start(deployment("m.gguf", **options))
