"""Structured logs: events with fields, JSON for machines or coloured lines for people."""

from __future__ import annotations

import logging
import sys
from typing import Any

import msgspec
import structlog

_ENCODER = msgspec.json.Encoder(enc_hook=str)


def configure_log(style: str) -> None:
    """Set up logging for this process.

    Args:
        style: `json` (one object a line on standard error) or `console`.
    """
    chain: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    factory: Any
    if style == "console":
        chain.append(structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()))
        factory = structlog.PrintLoggerFactory(sys.stderr)
    else:
        chain.append(_render)
        factory = structlog.BytesLoggerFactory(sys.stderr.buffer)
    structlog.configure(
        processors=chain,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=factory,
        cache_logger_on_first_use=True,
    )
    # Libraries may quote request content in their own messages, so only their warnings pass.
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(name)s: %(message)s")
    logging.getLogger("aiohttp").setLevel(logging.ERROR)
    # It complains about files that callers sent; what could not be read is told by the profile.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)


def logger() -> Any:
    """The process's logger."""
    return structlog.get_logger()


def _render(_logger: object, _method: str, event: dict[str, Any]) -> bytes:
    return _ENCODER.encode(event)
