"""The gateway's own pipeline in the test's loop: real Redis, real sockets, no HTTP server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from gateway.app.dataplane import DataPlane
from gateway.classify.classifier import Classifier, load_classifier
from gateway.config.price_book import load_price_book
from gateway.config.secrets import secret_lookup
from gateway.config.settings import Settings
from gateway.config.vocabularies import SOURCES, Vocabularies, make_vocabularies
from gateway.core.records import AuditRecord, LedgerLine
from gateway.runtime.classifiers import Classifiers, open_pictures
from gateway.runtime.services import Services, open_services
from gateway.stores import names
from gateway.stores.endpoint import open_client
from gateway.stores.keybook import KeyBook, NewKey
from gateway.stores.pepper import load_pepper
from policies.compiled import CompiledPolicy
from policies.compiler import compile_policy
from policies.loader import read_policy


@cache
def _classifier() -> Classifier:
    """Compiled once for all tests of a process; they run one after another."""
    return load_classifier()


@cache
def vocabularies() -> Vocabularies:
    """Made once for all tests of a process, whether or not set-up made them."""
    with TemporaryDirectory() as folder:
        make_vocabularies(Path(folder))
        made = Vocabularies(Path(folder))
        made.get(SOURCES)
    return made


def compile_text(text: str, environ: Mapping[str, str] | None = None) -> CompiledPolicy:
    """A policy's text, compiled as the gateway does."""
    prices = load_price_book().price_of
    return compile_policy(read_policy(text, "test.yaml"), prices, secret_lookup(environ or {}))


@dataclass
class Response:
    """What the client saw; `left_at` is the loop time at which it closed its connection early."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    chunks: list[bytes] = field(default_factory=list)
    left_at: float = 0.0

    @property
    def body(self) -> bytes:
        """The whole body."""
        return b"".join(self.chunks)

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return msgspec.json.decode(self.body)


class InProcessGateway:
    """Services with a key, asked over ASGI."""

    def __init__(self, services: Services, key: str, org: str) -> None:
        self.services = services
        self.key = key
        self.org = org
        self._plane = DataPlane(services)

    async def chat(
        self,
        text: str = "hello",
        *,
        body: bytes | None = None,
        headers: Iterable[tuple[bytes, bytes]] = (),
        leave_after: float | None = None,
        path: str = "/v1/chat/completions",
        **fields: Any,
    ) -> Response:
        """One chat request; `leave_after` seconds the client closes its connection."""
        if body is None:
            message = {"role": "user", "content": text}
            body = msgspec.json.encode({"model": "auto", "messages": [message]} | fields)
        response = Response()
        sent = False

        async def receive() -> dict[str, Any]:
            nonlocal sent
            if not sent:
                sent = True
                return {"type": "http.request", "body": body, "more_body": False}
            await asyncio.sleep(3600 if leave_after is None else leave_after)
            response.left_at = asyncio.get_running_loop().time()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                response.status = message["status"]
                response.headers = {k.decode(): v.decode() for k, v in message["headers"]}
            else:
                response.chunks.append(message["body"])

        await self.serve(path, receive, send, headers)
        return response

    async def serve(
        self, path: str, receive: Any, send: Any, headers: Iterable[tuple[bytes, bytes]] = ()
    ) -> None:
        """One request of a client that the test plays itself, over ASGI."""
        scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "headers": [(b"authorization", b"Bearer " + self.key.encode()), *headers],
        }
        await self._plane.routes["POST", path](scope, receive, send)

    def ledger(self) -> list[LedgerLine]:
        """Every ledger line of this gateway's org."""
        return self._stream(names.ledger(self.org), LedgerLine)

    def audit(self) -> list[AuditRecord]:
        """Every audit record of this gateway's org."""
        return self._stream(names.audit(self.org), AuditRecord)

    def _stream(self, name: str, kind: Any) -> list[Any]:
        client = open_client(self.services.settings.redis_url or "")
        entries = client.xrange(name)
        client.close()
        return [
            msgspec.json.decode(next(iter(fields.values())), type=kind) for _, fields in entries
        ]  # type: ignore[union-attr]


@asynccontextmanager
async def gateway_with(
    policy: str,
    redis_url: str,
    home: Path,
    *,
    org: str = "default",
    environ: Mapping[str, str] | None = None,
    **settings: Any,
) -> AsyncIterator[InProcessGateway]:
    """A gateway over a policy's text; `org` keeps its records apart from other tests'."""
    made = Settings(home=home, redis_url=redis_url, **settings)
    pictures = open_pictures(made)
    classifiers = Classifiers(_classifier(), vocabularies=vocabularies(), pictures=pictures)
    services = await open_services(made, compile_text(policy, environ), classifiers)
    client = open_client(redis_url)
    issued = KeyBook(client, load_pepper(home)).create(NewKey(org=org, team="tests"))
    client.close()
    try:
        yield InProcessGateway(services, issued.text, org)
    finally:
        await services.close()
