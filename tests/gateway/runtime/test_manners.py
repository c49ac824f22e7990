"""Headers in each dialect, and the two ways to write when a limit is over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.runtime.manners import (
    limit_headers,
    read_duration,
    read_moment,
    request_headers,
    write_duration,
    write_moment,
)

NOW = 1_790_000_000.0
OPENAI = {
    "X-RateLimit-Limit-Requests": "500",
    "x-ratelimit-remaining-requests": "499",
    "x-ratelimit-reset-requests": "120ms",
    "x-ratelimit-limit-tokens": "30000",
    "x-ratelimit-remaining-tokens": "29000",
    "x-ratelimit-reset-tokens": "6m0s",
}
ANTHROPIC = {
    "anthropic-ratelimit-requests-limit": "50",
    "anthropic-ratelimit-requests-remaining": "49",
    "anthropic-ratelimit-requests-reset": "2026-09-21T13:20:30Z",
    "anthropic-ratelimit-tokens-limit": "40000",
    "anthropic-ratelimit-tokens-remaining": "39000",
    "anthropic-ratelimit-tokens-reset": "2026-09-21T13:14:20Z",
    "anthropic-ratelimit-input-tokens-limit": "30000",
}
#: What a backend, a proxy before it or an attacker might answer with, and no client may see.
NEVER_CROSS = {
    "connection": "keep-alive",
    "keep-alive": "timeout=5",
    "proxy-authenticate": "Basic",
    "proxy-connection": "close",
    "te": "trailers",
    "trailer": "x-checksum",
    "transfer-encoding": "chunked",
    "upgrade": "h2c",
    "set-cookie": "session=1",
    "server": "cloudflare",
    "via": "1.1 proxy",
    "x-request-id": "req_theirs",
    "request-id": "req_theirs",
    "openai-organization": "org-secret",
    "openai-processing-ms": "1",
    "anthropic-organization-id": "org-secret",
    "cf-ray": "1",
    "x-fairlead-deployment": "forged",
    "x-fairlead-cost-usd": "0",
    "x-internal-host": "10.0.0.1",
    "content-encoding": "gzip",
    "content-length": "1",
    "location": "http://elsewhere",
    "access-control-allow-origin": "*",
    "strict-transport-security": "max-age=1",
}


def limits(wire: str, back: str, told: dict[str, str]) -> dict[str, str]:
    return {k.decode(): v.decode() for k, v in limit_headers(wire, back, told, NOW)}


@pytest.mark.parametrize(
    ("wire", "told"),
    [
        ("openai_chat", OPENAI),
        ("openai_embeddings", OPENAI),
        ("anthropic_messages", ANTHROPIC),
    ],
)
def test_limits_of_the_clients_own_dialect_pass_as_they_are(
    wire: str, told: dict[str, str]
) -> None:
    """All of them, known to us or not."""
    assert limits(wire, wire, told) == {name.lower(): text for name, text in told.items()}


def test_openais_limits_are_told_to_anthropics_clients_in_their_words() -> None:
    """Durations become moments from now on."""
    assert limits("anthropic_messages", "openai_chat", OPENAI) == {
        "anthropic-ratelimit-requests-limit": "500",
        "anthropic-ratelimit-requests-remaining": "499",
        "anthropic-ratelimit-requests-reset": "2026-09-21T14:13:21Z",
        "anthropic-ratelimit-tokens-limit": "30000",
        "anthropic-ratelimit-tokens-remaining": "29000",
        "anthropic-ratelimit-tokens-reset": "2026-09-21T14:19:20Z",
    }


def test_anthropics_limits_are_told_to_openais_clients_in_their_words() -> None:
    """Moments become durations, a past one is over, and what OpenAI does not count is left out."""
    later = ANTHROPIC | {"anthropic-ratelimit-requests-reset": "2026-09-21T14:20:30Z"}

    assert limits("openai_responses", "anthropic_messages", later) == {
        "x-ratelimit-limit-requests": "50",
        "x-ratelimit-remaining-requests": "49",
        "x-ratelimit-reset-requests": "7m10s",
        "x-ratelimit-limit-tokens": "40000",
        "x-ratelimit-remaining-tokens": "39000",
        "x-ratelimit-reset-tokens": "0ms",
    }


@pytest.mark.parametrize("wire", ["openai_chat", "anthropic_messages"])
@pytest.mark.parametrize("back", ["openai_chat", "anthropic_messages", "ollama_chat"])
def test_hop_by_hop_and_internal_headers_never_cross(wire: str, back: str) -> None:
    """Only rate limits do."""
    assert limits(wire, back, NEVER_CROSS) == {}


@pytest.mark.parametrize(
    "text", ["1\r\nset-cookie: a=b", "\x00", "café", "x" * 300, "", "-5", "many"]
)
def test_a_limit_that_is_no_plain_number_is_not_translated(text: str) -> None:
    """And nothing that could break a header passes in one's own dialect either."""
    told = {"x-ratelimit-limit-requests": text, "x-ratelimit-reset-requests": text}

    assert limits("anthropic_messages", "openai_chat", told) == {}
    if not text.isascii() or not text.isprintable() or not 0 < len(text) <= 200:
        assert limits("openai_chat", "openai_chat", told) == {}


def test_a_request_is_named_in_each_dialect() -> None:
    """OpenAI's SDK reads x-request-id, Anthropic's request-id."""
    assert request_headers("openai_chat", "req_1", 12.6) == [
        (b"x-request-id", b"req_1"),
        (b"openai-processing-ms", b"13"),
    ]
    assert request_headers("anthropic_messages", "req_1", 12.6) == [(b"request-id", b"req_1")]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("6m0s", 360.0),
        ("1s", 1.0),
        ("20ms", 0.02),
        ("1h2m3.5s", 3723.5),
        ("7.66s", 7.66),
        ("30", 30.0),
        ("", None),
        ("soon", None),
        ("1s later", None),
        ("5x", None),
    ],
)
def test_durations_as_servers_write_them(text: str, seconds: float | None) -> None:
    """Go's notation, bare seconds, and nothing else."""
    assert read_duration(text) == (None if seconds is None else pytest.approx(seconds))


@given(st.floats(min_value=0, max_value=1e6))
def test_a_written_duration_is_read_as_the_same_time(seconds: float) -> None:
    """To the millisecond."""
    assert read_duration(write_duration(seconds)) == pytest.approx(seconds, abs=0.00051)


@given(st.floats(min_value=0, max_value=4e9))
def test_a_written_moment_is_never_early(at: float) -> None:
    """Whole seconds, rounded up: a client that waits until then is not sent away again."""
    read = read_moment(write_moment(at))

    assert read is not None
    assert 0 <= read - at < 1.001
