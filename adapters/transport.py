"""The one seam to the network: every byte that leaves for a model goes through `Transport.send`.

Rules of this file:
- `send` asks the clearance guard before any name is looked up or socket opened; adapters have
  no other way out, so none of them can forget the guard;
- no redirects, no cookies, no proxies from the environment: a URL comes from a deployment only;
- chunks go on as they came, neither joined nor cut;
- failures are returned, never raised.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from urllib.parse import unquote

import aiohttp
import msgspec
from multidict import CIMultiDict
from yarl import URL

from adapters.base import Outbound, Upstream, guard
from adapters.failures import CLIENT_ERRORS, from_exception, from_response
from gateway.core.deployment import Deployment
from gateway.core.failure import AttemptFailure, FailureKind
from gateway.wire.failures import KEPT_BODY_BYTES

#: The largest whole answer that is read into memory, in bytes.
LARGEST_ANSWER = 64 * 1024 * 1024
#: How long the TCP connect (and TLS) may take, in seconds.
CONNECT_SECONDS = 10.0
#: How long a name's addresses are remembered, in seconds.
DNS_SECONDS = 60
#: How long the body of an error answer may take, in seconds.
REFUSAL_SECONDS = 5.0
#: How long an idle TLS connection is kept, in seconds: another handshake costs a vendor's
#: round trips.
IDLE_TLS_SECONDS = 30.0
#: The same for plain connections, to servers nearby. Shorter than the 5 s after which uvicorn
#: (under vLLM and others) closes, so that a request does not meet a connection being closed.
IDLE_SECONDS = 4.0

_UNIX_SCHEME = "http+unix://"
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class PreparedCall(msgspec.Struct, frozen=True):
    """Where and under which headers a deployment is called; made once, used for every call.

    `socket_path` is set for a worker on this machine that listens on a Unix socket. The headers
    hold credentials, so a repr shows the host alone.
    """

    url: URL
    headers: CIMultiDict[str]
    socket_path: str = ""

    def __repr__(self) -> str:
        return f"PreparedCall({self.socket_path or self.url.host})"


def prepare_call(url: str, headers: Iterable[tuple[str, str]]) -> PreparedCall:
    """Make a call of a full URL and its headers.

    `http+unix://<percent-encoded socket path>/path` reaches a Unix socket. Compression is
    declined unless the headers ask for it: a compressor holds tokens back.

    Raises:
        ValueError: the URL is not an absolute http or https URL.
    """
    socket_path = ""
    if url.startswith(_UNIX_SCHEME):
        encoded, _, path = url.removeprefix(_UNIX_SCHEME).partition("/")
        socket_path = unquote(encoded)
        url = f"http://localhost/{path}"
    parsed = URL(url)
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ValueError("a base_url must start with http://, https:// or http+unix://")
    if parsed.user or parsed.password:
        raise ValueError("a base_url must not hold a user or password; use api_key or headers")
    prepared: CIMultiDict[str] = CIMultiDict(
        {
            "accept": "*/*",
            "content-type": "application/json",
            "accept-encoding": "identity",
            "user-agent": "fairlead",
        }
    )
    for name, text in headers:
        if _UNPRINTABLE.search(name) or _UNPRINTABLE.search(text):
            raise ValueError(f"header {name!r} holds a line break or control character")
        prepared[name] = text
    return PreparedCall(parsed, prepared, socket_path)


class Transport:
    """The pooled HTTP client of this process, shared by all adapters.

    `largest_answer` bounds in bytes what `Upstream.read` takes into memory.
    """

    def __init__(self, *, largest_answer: int = LARGEST_ANSWER) -> None:
        self._largest_answer = largest_answer
        self._sessions: dict[str, aiohttp.ClientSession] = {}

    async def send(
        self, outbound: Outbound, deployment: Deployment, call: PreparedCall
    ) -> Upstream | AttemptFailure:
        """Send the bytes, unless the deployment is not cleared for them; wait for headers.

        Returns an open 2xx answer, which the caller must close, or why there is none.
        """
        refused = guard(outbound, deployment)
        if refused is not None:
            return refused
        try:
            return await self._exchange(outbound, call)
        except CLIENT_ERRORS as error:
            return from_exception(error)

    async def _exchange(self, outbound: Outbound, call: PreparedCall) -> Upstream | AttemptFailure:
        pool = call.socket_path or call.url.scheme
        session = self._sessions.get(pool) or self._open_pool(pool)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + outbound.timeout_seconds
        headers = call.headers
        if outbound.headers:
            headers = headers.copy()
            headers.update(outbound.headers)
        async with asyncio.timeout(min(outbound.first_byte_seconds, outbound.timeout_seconds)):
            response = await session.request(
                "POST",
                call.url,
                data=outbound.body,
                headers=headers,
                allow_redirects=False,
            )
        if 200 <= response.status < 300:
            return _Answer(response, self._largest_answer, loop, deadline)
        return await _refusal(response)

    def _open_pool(self, pool: str) -> aiohttp.ClientSession:
        connector: aiohttp.BaseConnector
        if pool in ("http", "https"):
            idle = IDLE_TLS_SECONDS if pool == "https" else IDLE_SECONDS
            connector = aiohttp.TCPConnector(
                limit=0, ttl_dns_cache=DNS_SECONDS, keepalive_timeout=idle
            )
        else:
            connector = aiohttp.UnixConnector(pool, limit=0, keepalive_timeout=IDLE_SECONDS)
        session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            # The attempt's own bounds are kept here and in the answer, at a lower cost a chunk.
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
            trust_env=False,
        )
        self._sessions[pool] = session
        return session

    async def close(self) -> None:
        """Close every connection; the transport may be used again and then opens new ones."""
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            await session.close()


class _Answer:
    """An open answer, as `adapters.base.Upstream`; at its deadline it is broken off."""

    __slots__ = ("_largest", "_late", "_response", "_timer", "content_type", "status")

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        largest: int,
        loop: asyncio.AbstractEventLoop,
        deadline: float,
    ) -> None:
        self._response = response
        self._largest = largest
        self._late = False
        self._timer: asyncio.TimerHandle | None = None
        # A short answer has arrived whole together with its headers and needs no timer.
        if not response.content.is_eof():
            self._timer = loop.call_at(deadline, self._expire)
        self.status = response.status
        self.content_type = response.headers.get("content-type", "")

    @property
    def headers(self) -> Mapping[str, str]:
        """The backend's response headers, looked up in any case."""
        return self._response.headers

    async def read(self) -> bytes | AttemptFailure:
        """The whole body, unless it is larger than the transport takes."""
        try:
            body = await _read(self._response.content, self._largest)
        except CLIENT_ERRORS as error:
            return self._failure(error)
        if len(body) <= self._largest:
            return body
        return AttemptFailure(
            kind=FailureKind.BAD_RESPONSE,
            detail=f"upstream answer is larger than {self._largest} bytes",
        )

    async def chunks(self) -> AsyncIterator[bytes | AttemptFailure]:
        """Body bytes as they arrive; a failure, if one comes, is the last item."""
        content = self._response.content
        try:
            while chunk := await content.readany():
                yield chunk
        except CLIENT_ERRORS as error:
            yield self._failure(error)

    async def close(self) -> None:
        """Break the connection off if the body has not ended; else it is in the pool already."""
        if self._timer is not None:
            self._timer.cancel()
        self._response.close()

    def _expire(self) -> None:
        self._late = True
        self._response.close()

    def _failure(self, error: Exception) -> AttemptFailure:
        if self._late:
            return AttemptFailure(
                kind=FailureKind.TIMEOUT, detail="the attempt's time was over inside the answer"
            )
        return from_exception(error)


async def _refusal(response: aiohttp.ClientResponse) -> AttemptFailure:
    body = b""
    try:
        async with asyncio.timeout(REFUSAL_SECONDS):
            body = await _read(response.content, KEPT_BODY_BYTES)
    except CLIENT_ERRORS:
        pass  # the status alone tells enough
    finally:
        response.close()
    return from_response(response.status, response.headers, body, now=time.time())


async def _read(content: aiohttp.StreamReader, limit: int) -> bytes:
    """The body, or its beginning: more than `limit` bytes mean that there was more."""
    first = await content.readany()
    if content.at_eof():
        return first
    parts = [first]
    size = len(first)
    while size <= limit and (part := await content.readany()):
        size += len(part)
        parts.append(part)
    return b"".join(parts)
