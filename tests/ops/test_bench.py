"""The bench's own parts: what it measures with must itself be right."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ops.bench import measure, publish

Runner = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def upstream(root: Path) -> Iterator[str]:
    """The fake upstream's URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "ops.bench.upstream"], cwd=root, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    port = process.stdout.readline().split()[1]
    yield f"http://127.0.0.1:{port}/v1/chat/completions"
    process.terminate()
    process.wait()
    process.stdout.close()


def load(run: Runner, url: str, *options: str) -> dict[str, float]:
    """One run of the load generator."""
    done = run(sys.executable, "-m", "ops.bench.load", url, *options)
    assert done.returncode == 0, done.stderr
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


@pytest.mark.parametrize("kind", [(), ("--stream",), ("--rate", "400")], ids=str)
def test_the_load_sends_exactly_what_was_asked(
    kind: tuple[str, ...], upstream: str, run: Runner
) -> None:
    """Plain, streamed and paced, every request is answered once and without errors."""
    figures = load(run, upstream, "--connections", "8", "--requests", "200", *kind)

    assert (figures["requests"], figures["errors"]) == (200, 0)


class Faulty(BaseHTTPRequestHandler):
    """Answers /fail with a 500 and everything else with a stream that has no end marker."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Read the request and answer it badly."""
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(500 if self.path == "/fail" else 200)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"9\r\ndata: {}\n\r\n0\r\n\r\n")

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


@pytest.mark.parametrize(
    ("path", "example"), [("/fail", "status 500"), ("/cut", "stream without [DONE]")]
)
def test_wrong_answers_are_errors(path: str, example: str, run: Runner) -> None:
    """A status other than 200 and a stream without its end marker are counted and shown."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Faulty)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}{path}"
        figures = load(run, url, "--requests", "3", "--stream")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

    assert figures["errors"] == 3
    assert example in str(figures["example"])


def test_the_upstream_speaks_openai(upstream: str) -> None:
    """The official SDK reads its plain answer, and 64 words of its stream with usage."""
    openai = pytest.importorskip("openai")
    with openai.OpenAI(base_url=upstream.removesuffix("/chat/completions"), api_key="x") as client:
        asked = [{"role": "user", "content": "hello"}]
        plain = client.chat.completions.create(model="m", messages=asked)
        chunks = list(client.chat.completions.create(model="m", messages=asked, stream=True))

    assert plain.usage.total_tokens == 464
    assert sum(bool(chunk.choices and chunk.choices[0].delta.content) for chunk in chunks) == 64
    assert chunks[-1].usage.completion_tokens == 64


def test_cpu_time_counts_children() -> None:
    """The CPU time of a tree includes a child that has ended."""
    script = (
        "import subprocess, sys, threading\n"
        "subprocess.run([sys.executable, '-c', 'sum(range(20_000_000))'])\n"
        "print('done', flush=True); threading.Event().wait(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    try:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "done\n"
        spent = measure.cpu_ms(parent.pid)
        sizes = measure.resident_mib([parent.pid])
    finally:
        parent.kill()
        parent.communicate()

    assert spent > 50
    assert [int(label.split()[0]) for label in sizes] == [parent.pid]


RESULT = {
    "machine": "a machine",
    "rounds": 3,
    "instructions_counted": False,
    "figures": {
        "direct": {"plain x1": {"p50_ms": 0.1, "p99_ms": 0.2, "cpu_ms_per_request": 0.0}},
        "fairlead": {"plain x1": {"p50_ms": 1.0, "p99_ms": 2.0, "cpu_ms_per_request": 0.75}},
    },
    "resident_mib": {"fairlead": {"12 python3": 100.4}},
}


def test_published_figures_stand_between_the_markers(tmp_path: Path) -> None:
    """Publishing replaces the old figures and nothing else, however often it is done."""
    page = tmp_path / "page.md"
    page.write_text(f"before\n{publish.BEGIN}\nold\n{publish.END}\nafter\n")
    publish.rewrite(RESULT, page)
    once = page.read_text()
    publish.rewrite(RESULT, page)

    assert page.read_text() == once
    assert once.startswith("before\n")
    assert once.endswith("\nafter\n")
    assert "| plain x1 | 0.75 |" in once
    assert "old" not in once
