"""Where Redis is and how to greet it: a URL read once, and the handshake of a new connection."""

from __future__ import annotations

import ssl
from urllib.parse import urlsplit

import msgspec
import redis
from redis.backoff import NoBackoff
from redis.connection import SSLConnection, parse_url
from redis.retry import Retry


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One Redis server: a Unix socket `path`, or `host` and `port`, with or without TLS."""

    url: str
    path: str = ""
    host: str = "localhost"
    port: int = 6379
    db: int = 0
    username: str = ""
    password: str = ""
    tls: bool = False
    ca_certs: str = ""
    verify: bool = True

    def __repr__(self) -> str:
        return f"Endpoint({self.label})"

    @property
    def label(self) -> str:
        """Where it is, without credentials: for messages and logs."""
        return f"unix://{self.path}" if self.path else f"{self.host}:{self.port}"

    def greeting(self) -> list[tuple[str, ...]]:
        """The commands that a new connection begins with, except the one that asks for INFO."""
        commands: list[tuple[str, ...]] = []
        if self.password:
            name = (self.username,) if self.username else ()
            commands.append(("AUTH", *name, self.password))
        commands.append(("CLIENT", "SETNAME", "fairlead"))
        if self.db:
            commands.append(("SELECT", str(self.db)))
        return commands

    def tls_context(self) -> ssl.SSLContext | None:
        """The TLS settings to connect with, or None for a plain connection."""
        if not self.tls:
            return None
        context = ssl.create_default_context(cafile=self.ca_certs or None)
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def read_endpoint(url: str) -> Endpoint:
    """Read `redis://`, `rediss://` (TLS) or `unix://` with user, password, database and options.

    Raises:
        ValueError: the URL is none of these; the message does not repeat its password.
    """
    try:
        parts: dict[str, object] = parse_url(url)  # type: ignore[no-untyped-call]
    except ValueError:
        scheme = urlsplit(url).scheme or "nothing"
        raise ValueError(
            f"the Redis URL begins with {scheme!r} or has a bad port or option; use "
            "redis://host:port/db, rediss://host:port/db (TLS) or unix:///path/to/socket"
        ) from None
    return Endpoint(
        url=url,
        path=str(parts.get("path", "")),
        host=str(parts.get("host", "localhost")),
        port=int(str(parts.get("port", 6379))),
        db=int(str(parts.get("db", 0))),
        username=str(parts.get("username", "")),
        password=str(parts.get("password", "")),
        tls=parts.get("connection_class") is SSLConnection,
        ca_certs=str(parts.get("ssl_ca_certs", "")),
        verify=str(parts.get("ssl_cert_reqs", "required")) != "none",
    )


def open_client(url: str, timeout_seconds: float = 5.0) -> redis.Redis:
    """A blocking redis-py client for what is not hot: commands, reports, administration.

    It does not retry by itself: redis-py's default retries make a frozen server look slow
    instead of gone.

    Raises:
        ValueError: the URL is not one of Redis.
    """
    read_endpoint(url)
    return redis.Redis.from_url(
        url,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        retry=Retry(NoBackoff(), 0),
    )
