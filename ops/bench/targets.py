"""What a bench can measure: how each target is started, and how it is asked.

A target runs in processes of its own on the cores that `--target-cores` names; LiteLLM and
Portkey are found in environments of their own, never in this project's.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(sys.executable).parent
#: How long a target may take until it answers, in seconds.
START_SECONDS = 120.0

POLICY = """\
fairlead: 1
deployments:
  bench:
    adapter: openai_compatible
    base_url: "http://127.0.0.1:{upstream}/v1"
    model: bench-model
    clearance: restricted
    price: {{input_usd_per_mtok: 0.15, output_usd_per_mtok: 0.60}}
aliases:
  auto: {{}}
constraints:
  - id: health-stays-home
    because: Health data may not leave our network.
    when: {{findings: [medical]}}
    only: {{clearance: restricted}}
routes:
  - id: hard-and-harmless
    because: Hard questions are worth more.
    when: {{difficulty: ">= 0.6", sensitivity: "<= internal"}}
    use: [bench]
  - id: everything-else
    use: [bench]
budgets:
  - {{scope: org/default, usd: 1000000, per: month}}
  - {{scope: team/bench, usd: 1000000, per: month}}
"""


class Target(msgspec.Struct, kw_only=True):
    """A started target: where to send, with which headers, and which processes to measure.

    `daemons` are process ids of what left the target's tree but works for it alone; the target
    ends them itself.
    """

    name: str
    url: str
    headers: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    children: tuple[subprocess.Popen[bytes], ...] = ()
    daemons: tuple[int, ...] = ()

    def measured(self) -> list[int]:
        """The processes whose cost, with all that they started, is the target's."""
        if self.process is None:
            return []
        return [self.process.pid, *(child.pid for child in self.children), *self.daemons]

    def stop(self) -> None:
        """End what was started, by process id."""
        for child in (self.process, *self.children):
            if child is None or child.poll() is not None:
                continue
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(15)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
                child.wait()


class TargetFailed(Exception):
    """A target did not start; the message has the end of its log."""


def free_port() -> int:
    """A port that nothing listens on at the moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def pinned(cores: str, command: list[str]) -> list[str]:
    """The command bound to some cores, where `taskset` is there."""
    taskset = shutil.which("taskset")
    return [taskset, "-c", cores, *command] if taskset and cores else command


def spawn(
    command: list[str], cores: str, log: Path, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a process in a group of its own, with its output in a log."""
    with log.open("wb") as output:
        return subprocess.Popen(
            pinned(cores, command),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, **(environment or {})},
        )


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a URL answers anything below 500.

    Raises:
        TargetFailed: the process ended, or nothing answered in time.
    """
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except urllib.error.HTTPError as answer:
            if answer.code < 500:
                return
        except OSError:
            pass
        time.sleep(0.2)
    raise TargetFailed(f"{url} did not answer:\n{log.read_text(errors='replace')[-2000:]}")


def start_upstream(cores: str, folder: Path) -> Target:
    """The fake upstream, which is also the target `direct`."""
    port = free_port()
    log = folder / "upstream.log"
    command = [sys.executable, "-m", "ops.bench.upstream", "--port", str(port)]
    process = spawn(command, cores, log)
    wait_for(f"http://127.0.0.1:{port}/", process, log)
    return Target(
        name="direct",
        url=f"http://127.0.0.1:{port}/v1/chat/completions",
        children=(process,),
    )


def start_bare(upstream: int, cores: str, folder: Path) -> Target:
    """The same frameworks with nothing of ours in them."""
    port = free_port()
    log = folder / "bare.log"
    command = [sys.executable, "-m", "ops.bench.bare_litestar", "--port", str(port)]
    process = spawn([*command, "--upstream", f"http://127.0.0.1:{upstream}"], cores, log)
    wait_for(f"http://127.0.0.1:{port}/", process, log)
    url = f"http://127.0.0.1:{port}/v1/chat/completions"
    return Target(name="bare litestar", url=url, process=process)


def start_fairlead(upstream: int, cores: str, folder: Path) -> Target:
    """Fairlead with everything on: key, classification, policy, budgets, ledger, audit, metrics."""
    port = free_port()
    log = folder / "fairlead.log"
    policy = folder / "policy.yaml"
    policy.write_text(POLICY.format(upstream=upstream))
    environment = {
        "FAIRLEAD_HOME": str(folder / "home"),
        "FAIRLEAD_POLICY": str(policy),
        "FAIRLEAD_HOST": "127.0.0.1",
        "FAIRLEAD_PORT": str(port),
        "FAIRLEAD_WORKERS": "1",
        "FAIRLEAD_ADMIN_KEY": "bench-admin-key-of-no-value-0123456789",
    }
    os.environ.pop("FAIRLEAD_REDIS_URL", None)
    process = spawn([str(BIN / "fairlead"), "serve"], cores, log, environment)
    wait_for(f"http://127.0.0.1:{port}/readyz", process, log)
    made = subprocess.run(
        [str(BIN / "fairlead"), "keys", "create", "--team", "bench", "--json"],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    if made.returncode:
        process.terminate()
        raise TargetFailed(f"no key: {made.stderr[-2000:]}")
    key = json.loads(made.stdout)["key"]
    return Target(
        name="fairlead",
        url=f"http://127.0.0.1:{port}/v1/chat/completions",
        headers=(f"authorization: Bearer {key}",),
        process=process,
        daemons=tuple(int(file.read_text()) for file in (folder / "home").rglob("redis.pid")),
    )


def start_litellm(
    venv: Path, upstream: int, cores: str, folder: Path, *, with_redis: bool
) -> Target:
    """LiteLLM's proxy from its own environment, with or without Redis behind its router."""
    port = free_port()
    name = "litellm+redis" if with_redis else "litellm"
    settings: dict[str, object] = {
        "model_list": [
            {
                "model_name": "auto",
                "litellm_params": {
                    "model": "openai/bench-model",
                    "api_base": f"http://127.0.0.1:{upstream}/v1",
                    "api_key": "none",
                },
            }
        ],
        "general_settings": {"master_key": "sk-bench"},
    }
    children: tuple[subprocess.Popen[bytes], ...] = ()
    if with_redis:
        redis_port = free_port()
        redis = [str(BIN / "redis-server"), "--port", str(redis_port), "--bind", "127.0.0.1"]
        children = (spawn([*redis, "--save", ""], cores, folder / "litellm-redis.log"),)
        settings["router_settings"] = {
            "redis_host": "127.0.0.1",
            "redis_port": redis_port,
            "routing_strategy": "usage-based-routing-v2",
        }
    config = folder / f"{name}.yaml"
    config.write_text(json.dumps(settings))  # JSON is YAML
    log = folder / f"{name}.log"
    command = [str(venv / "bin" / "litellm"), "--config", str(config), "--port", str(port)]
    quiet = {"LITELLM_LOG": "ERROR", "LITELLM_LOCAL_MODEL_COST_MAP": "True", "PYTHONPATH": ""}
    process = spawn(
        [*command, "--host", "127.0.0.1", "--num_workers", "1", "--telemetry", "False"],
        cores,
        log,
        {**quiet, "PATH": f"{venv / 'bin'}:{os.environ['PATH']}"},
    )
    wait_for(f"http://127.0.0.1:{port}/health/liveliness", process, log)
    return Target(
        name=name,
        url=f"http://127.0.0.1:{port}/v1/chat/completions",
        headers=("authorization: Bearer sk-bench",),
        process=process,
        children=children,
    )


def start_portkey(folder_with_modules: Path, upstream: int, cores: str, folder: Path) -> Target:
    """Portkey's gateway from the folder where npm installed it."""
    port = free_port()
    log = folder / "portkey.log"
    server = folder_with_modules / "node_modules/@portkey-ai/gateway/build/start-server.js"
    command = [shutil.which("node") or "node", str(server), f"--port={port}", "--headless"]
    process = spawn(command, cores, log)
    wait_for(f"http://127.0.0.1:{port}/", process, log)
    return Target(
        name="portkey",
        url=f"http://127.0.0.1:{port}/v1/chat/completions",
        headers=(
            "authorization: Bearer none",
            "x-portkey-provider: openai",
            f"x-portkey-custom-host: http://127.0.0.1:{upstream}/v1",
        ),
        process=process,
    )
