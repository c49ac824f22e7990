"""Response headers as each API's clients know them: request ids, time taken, rate limits.

Rules of this file:
- nothing of a backend crosses but its rate limits, in the client's own dialect, and its version
  of OpenAI's API; hop-by-hop headers, cookies, account names and its own ids stay behind;
- what a backend said about its limits is passed on as it stands within one dialect, and
  translated (requests and tokens: limit, remaining, reset) between two;
- where policy sets limits of our own, the client is told those instead;
- a value that is not plain printable text is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from gateway.core.limits import Limited, LimitUse
from gateway.runtime.client import Headers

_PREFIXES: Mapping[str, str] = MappingProxyType(
    {"openai": "x-ratelimit-", "anthropic": "anthropic-ratelimit-"}
)
#: What both dialects count, and what they tell of it.
_COUNTED = ("requests", "tokens")
_TOLD = ("limit", "remaining", "reset")
_PRINTABLE = re.compile(r"[\x20-\x7e]{1,200}")
_NAME = re.compile(r"[a-z0-9-]{1,80}")
_COUNT = re.compile(r"\d{1,15}")
_DURATION_PART = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|us|µs|ns|h|m|s|d)")
_UNIT_SECONDS: Mapping[str, float] = MappingProxyType(
    {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
)


def dialect_of(wire: str) -> str:
    """Whose headers go with a wire: openai, anthropic, or nobody's."""
    return next((name for name in _PREFIXES if wire.startswith(name)), "")


def request_headers(wire: str, request_id: str, duration_ms: float) -> Headers:
    """What names this request to its client, and how long it took to begin to answer."""
    match dialect_of(wire):
        case "anthropic":
            return [(b"request-id", request_id.encode())]
        case "openai":
            return [
                (b"x-request-id", request_id.encode()),
                (b"openai-processing-ms", b"%d" % max(1, round(duration_ms))),
            ]
        case _:
            return []


def limit_headers(wire: str, back: str, told: Mapping[str, str], now: float) -> Headers:
    """The backend's rate limits for a client.

    Args:
        wire: the client's.
        back: the backend's.
        told: the backend's response headers; names are lower-cased here.
        now: epoch seconds, which Anthropic's reset times are relative to.
    """
    ours, theirs = dialect_of(wire), dialect_of(back)
    if not ours or not theirs:
        return []
    prefix = _PREFIXES[theirs]
    found = {
        name: text
        for name, text in ((name.lower(), text) for name, text in told.items())
        if name.startswith(prefix) and _PRINTABLE.fullmatch(text) and _NAME.fullmatch(name)
    }
    if ours != theirs:
        pairs = _translated(found, theirs, ours, now)
    else:
        version = told.get("openai-version", "")
        if ours == "openai" and _PRINTABLE.fullmatch(version):
            found["openai-version"] = version
        pairs = iter(found.items())
    return [(name.encode(), text.encode()) for name, text in pairs]


def own_limit_headers(wire: str, uses: Sequence[LimitUse], now: float) -> Headers:
    """Our own limits for a client: of requests and of tokens, each the one with the least room.

    Reset is when the whole limit is there again if nothing more is used, taken evenly.
    """
    ours = dialect_of(wire)
    headers: Headers = []
    if not ours:
        return headers
    for counted in _COUNTED:
        told = [
            (taken / most, most, max(0, most - taken), use.counter.seconds)
            for use in uses
            for most, taken in (
                (use.counter.requests, use.requests)
                if counted == "requests"
                else (use.counter.tokens, use.tokens),
            )
            if most is not None
        ]
        if told:
            share, most, left, seconds = max(told)
            headers += _told_limit(ours, counted, most, left, seconds * min(1.0, share), now)
    return headers


def refused_limit_headers(wire: str, limited: Limited, now: float) -> Headers:
    """The limit that refused, for a client; none for a limit on calls at once."""
    ours, counter = dialect_of(wire), limited.counter
    most = {"requests": counter.requests, "tokens": counter.tokens}.get(limited.kind)
    if not ours or most is None:
        return []
    wait = limited.retry_after or 0.0
    return _told_limit(ours, limited.kind, most, max(0, most - limited.taken), wait, now)


def _told_limit(
    ours: str, counted: str, most: int, left: int, seconds: float, now: float
) -> Headers:
    reset = write_moment(now + seconds) if ours == "anthropic" else write_duration(seconds)
    values = {"limit": str(most), "remaining": str(left), "reset": reset}
    return [(_header(ours, counted, told).encode(), values[told].encode()) for told in _TOLD]


def _translated(
    found: Mapping[str, str], theirs: str, ours: str, now: float
) -> Iterator[tuple[str, str]]:
    for counted in _COUNTED:
        for told in _TOLD:
            text = found.get(_header(theirs, counted, told))
            if text is None:
                continue
            if told == "reset":
                written = _reset(text, theirs, now)
            else:
                written = text if _COUNT.fullmatch(text) else None
            if written is not None:
                yield _header(ours, counted, told), written


def _header(dialect: str, counted: str, told: str) -> str:
    """OpenAI ends a header's name in what is counted, Anthropic in what is told of it."""
    order = (told, counted) if dialect == "openai" else (counted, told)
    return _PREFIXES[dialect] + "-".join(order)


def _reset(text: str, theirs: str, now: float) -> str | None:
    """A moment of RFC 3339 as a duration, or a duration as such a moment."""
    if theirs == "anthropic":
        moment = read_moment(text)
        return None if moment is None else write_duration(max(0.0, moment - now))
    seconds = read_duration(text)
    return None if seconds is None else write_moment(now + seconds)


def read_duration(text: str) -> float | None:
    """Seconds of a duration as OpenAI writes it (`6m0s`, `1s`, `20ms`), or None."""
    total, end = 0.0, 0
    for part in _DURATION_PART.finditer(text):
        if part.start() != end:
            return None
        total += float(part[1]) * _UNIT_SECONDS[part[2]]
        end = part.end()
    if end == len(text) and end:
        return total
    # Some servers of OpenAI's wire write bare seconds.
    return float(text) if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text) else None


def write_duration(seconds: float) -> str:
    """A duration as OpenAI writes it: milliseconds below one second, else hours to seconds."""
    if seconds < 1.0:
        return f"{round(seconds * 1000)}ms"
    hours, rest = divmod(round(seconds, 3), 3600)
    minutes, rest = divmod(rest, 60)
    text = f"{rest:.3f}".rstrip("0").rstrip(".") + "s"
    if hours:
        return f"{int(hours)}h{int(minutes)}m{text}"
    return f"{int(minutes)}m{text}" if minutes else text


def read_moment(text: str) -> float | None:
    """Epoch seconds of an RFC 3339 time, or None."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo is not None else None


def write_moment(at: float) -> str:
    """Epoch seconds as Anthropic writes a time: RFC 3339 in UTC, in whole seconds, rounded up."""
    moment = datetime.fromtimestamp(0, UTC) + timedelta(seconds=-(-at // 1))
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
