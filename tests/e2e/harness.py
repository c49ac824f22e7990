"""A real gateway for tests: as processes, the way users run it, or inside the test's own loop."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import msgspec

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    """A TCP port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class GatewayProcess:
    """`fairlead serve` under a home of its own, and the command line beside it."""

    home: Path
    policy: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The gateway's base URL, without `/v1`."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environ(self) -> dict[str, str]:
        """Settings of this gateway alone; nothing of the machine's leaks in."""
        inherited = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        own = {
            "FAIRLEAD_HOME": str(self.home),
            "FAIRLEAD_PORT": str(self.port),
            "HOME": str(self.home),
            "PYTHONPATH": str(ROOT),
        }
        if self.policy is not None:
            own["FAIRLEAD_POLICY"] = str(self.home / "given.yaml")
        return inherited | own | dict(self.settings)

    def start(self) -> GatewayProcess:
        """Start it and wait until it is ready."""
        self.home.mkdir(parents=True, exist_ok=True)
        if self.policy is not None:
            (self.home / "given.yaml").write_text(self.policy, encoding="utf-8")
        log = (self.home / "gateway.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gateway.cli.main", "serve"],
            env=self.environ,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"the gateway ended:\n{self.log()}")
            try:
                if httpx2.get(f"{self.url}/readyz", timeout=2).status_code == 200:
                    return self
            except httpx2.HTTPError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"the gateway did not become ready:\n{self.log()}")

    def stop(self) -> None:
        """End it as a service manager would."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)

    def kill(self) -> None:
        """End it without any warning."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def log(self) -> str:
        """Everything it printed and logged so far."""
        return (self.home / "gateway.log").read_text(encoding="utf-8", errors="replace")

    def command(
        self, *arguments: str, given: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run `fairlead …` beside it."""
        return subprocess.run(
            [sys.executable, "-m", "gateway.cli.main", *arguments],
            env=self.environ,
            cwd=self.home,
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def json_command(self, *arguments: str) -> Any:
        """Run `fairlead …` and read its JSON."""
        done = self.command(*arguments)
        assert done.returncode == 0, done.stderr
        return msgspec.json.decode(done.stdout)

    def new_key(self, *arguments: str) -> str:
        """Make a virtual key."""
        made = self.json_command("keys", "create", "--team", "tests", "--json", *arguments)
        return str(made["key"])

    def audit(self) -> list[dict[str, Any]]:
        """The audit log, oldest first."""
        done = self.command("audit", "export", "--format", "jsonl")
        assert done.returncode == 0, done.stderr
        return [msgspec.json.decode(line) for line in done.stdout.splitlines()]

    def cost_rows(self, by: str = "deployment,outcome,kind") -> list[dict[str, Any]]:
        """The cost report's rows."""
        rows: list[dict[str, Any]] = self.json_command(
            "report", "cost", "--by", by, "--format", "json"
        )["rows"]
        return rows


@asynccontextmanager
async def running(gateway: GatewayProcess) -> AsyncIterator[GatewayProcess]:
    """Start a gateway process for a block of an async test."""
    await asyncio.to_thread(gateway.start)
    try:
        yield gateway
    finally:
        await asyncio.to_thread(gateway.stop)
