"""What vendors' error answers mean, told by status, type, code and wording."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.failure import FailureKind as Kind
from gateway.wire.failures import KEPT_BODY_BYTES, vendor_failure


def _openai(message: str, kind: str | None = None, code: str | int | None = None) -> bytes:
    return msgspec.json.encode({"error": {"message": message, "type": kind, "code": code}})


def _anthropic(kind: str, message: str = "no") -> bytes:
    return msgspec.json.encode({"type": "error", "error": {"type": kind, "message": message}})


_INVALID = "invalid_request_error"
_SUM = "input length and `max_tokens` exceed context limit: 1 + 2 > 2"
_LONG = "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens."
_TGI = "Input validation error: `inputs` must have less than 1024 tokens. Given: 2000"
_LLAMACPP = "the request exceeds the available context size, try increasing it"
_LMSTUDIO = "Trying to keep the first 5 tokens, but the model is loaded with context length of 4"
_TOO_LOW = "Your credit balance is too low to access the API."

_CASES: list[tuple[str, int, bytes, Kind]] = [
    (
        "openai bad key",
        401,
        _openai("no", "invalid_request_error", "invalid_api_key"),
        Kind.UNAUTHORIZED,
    ),
    ("openai country", 403, _openai("no", "request_forbidden"), Kind.UNAUTHORIZED),
    ("openai no model", 404, _openai("no", None, "model_not_found"), Kind.MODEL_MISSING),
    ("openai bad field", 400, _openai("Unknown parameter", "invalid_request_error"), Kind.REJECTED),
    ("openai context", 400, _openai("x", None, "context_length_exceeded"), Kind.CONTEXT_EXCEEDED),
    (
        "openai rate",
        429,
        _openai("slow down", "requests", "rate_limit_exceeded"),
        Kind.RATE_LIMITED,
    ),
    (
        "openai tokens a minute",
        429,
        _openai("reduce the length of the messages"),
        Kind.RATE_LIMITED,
    ),
    (
        "openai no credit",
        429,
        _openai("no", "insufficient_quota", "insufficient_quota"),
        Kind.UNAUTHORIZED,
    ),
    ("openai 500", 500, _openai("x", "server_error"), Kind.SERVER_ERROR),
    ("openai filter", 400, _openai("x", None, "content_filter"), Kind.REJECTED),
    ("azure no deployment", 404, _openai("x", None, "DeploymentNotFound"), Kind.MODEL_MISSING),
    (
        "anthropic long",
        400,
        _anthropic(_INVALID, "prompt is too long: 9 tokens > 8 maximum"),
        Kind.CONTEXT_EXCEEDED,
    ),
    ("anthropic sum", 400, _anthropic(_INVALID, _SUM), Kind.CONTEXT_EXCEEDED),
    ("anthropic credit", 400, _anthropic("invalid_request_error", _TOO_LOW), Kind.UNAUTHORIZED),
    (
        "anthropic spend limit",
        429,
        b'{"type":"error","error":{"type":"rate_limit_error","message":"no",'
        b'"details":{"error_code":"enforced_spend_limit_reached"}}}',
        Kind.UNAUTHORIZED,
    ),
    ("anthropic overloaded", 529, _anthropic("overloaded_error"), Kind.OVERLOADED),
    ("anthropic large", 413, _anthropic("request_too_large"), Kind.REJECTED),
    ("anthropic 500", 500, _anthropic("api_error"), Kind.SERVER_ERROR),
    ("vllm context", 400, _openai(_LONG, "BadRequestError", 400), Kind.CONTEXT_EXCEEDED),
    (
        "vllm old shape",
        400,
        msgspec.json.encode(
            {"object": "error", "message": _LONG, "type": "BadRequestError", "code": 400}
        ),
        Kind.CONTEXT_EXCEEDED,
    ),
    (
        "vllm no model",
        404,
        _openai("The model `x` does not exist.", "NotFoundError", 404),
        Kind.MODEL_MISSING,
    ),
    (
        "llama.cpp context",
        400,
        _openai(_LLAMACPP, "exceed_context_size_error", 400),
        Kind.CONTEXT_EXCEEDED,
    ),
    (
        "llama.cpp context as 500",
        500,
        _openai(_LLAMACPP, "server_error", 500),
        Kind.CONTEXT_EXCEEDED,
    ),
    ("llama.cpp loading", 503, _openai("Loading model", "unavailable_error", 503), Kind.OVERLOADED),
    (
        "ollama no model",
        404,
        _openai('model "x" not found, try pulling it first', "api_error"),
        Kind.MODEL_MISSING,
    ),
    (
        "ollama context",
        400,
        b'{"error":"the input length exceeds the context length"}',
        Kind.CONTEXT_EXCEEDED,
    ),
    ("lm studio context", 400, msgspec.json.encode({"error": _LMSTUDIO}), Kind.CONTEXT_EXCEEDED),
    (
        "tgi context",
        422,
        msgspec.json.encode({"error": _TGI, "error_type": "validation"}),
        Kind.CONTEXT_EXCEEDED,
    ),
    ("deepseek credit", 402, _openai("Insufficient Balance"), Kind.UNAUTHORIZED),
    ("mistral validation", 422, b'{"object":"error","message":{"detail":[]}}', Kind.REJECTED),
    ("gateway html", 502, b"<html>Bad Gateway</html>", Kind.SERVER_ERROR),
    ("gateway time-out", 504, b"", Kind.TIMEOUT),
    ("request time-out", 408, b"", Kind.TIMEOUT),
    ("wrong path", 405, b"", Kind.MODEL_MISSING),
    ("redirect", 302, b"", Kind.BAD_RESPONSE),
    ("200 openrouter", 200, _openai("Provider returned error", None, 502), Kind.SERVER_ERROR),
    ("200 vllm", 200, _openai("x", "BadRequestError", 400), Kind.REJECTED),
    ("stream overloaded", 200, _anthropic("overloaded_error"), Kind.OVERLOADED),
    ("stream api error", 200, _anthropic("api_error"), Kind.SERVER_ERROR),
    ("stream rate", 200, _anthropic("rate_limit_error"), Kind.RATE_LIMITED),
    ("stream unknown", 200, _openai("x", "brand_new_error"), Kind.SERVER_ERROR),
]


@pytest.mark.parametrize(
    ("status", "body", "kind"), [case[1:] for case in _CASES], ids=[case[0] for case in _CASES]
)
def test_kind_of_a_vendor_error(status: int, body: bytes, kind: Kind) -> None:
    """Each vendor's error is read as the kind that decides on retry and fallback."""
    assert vendor_failure(status, body).kind is kind


def test_detail_names_status_and_vendor_words_only() -> None:
    """The detail holds status, type and code; the message stays in the body."""
    body = _openai("you sent: my secret", "invalid_request_error", "unsupported_value")
    failure = vendor_failure(400, body, retry_after=2.0)

    assert failure.detail == (
        "upstream answered status 400, invalid_request_error, unsupported_value"
    )
    assert (failure.status, failure.body, failure.retry_after) == (400, body, 2.0)


def test_status_that_a_200_body_names_is_the_failures_status() -> None:
    """An error under status 200 takes the status that its own code says."""
    assert vendor_failure(200, _openai("x", None, 429)).status == 429
    assert vendor_failure(200, _openai("x", None, "503")).kind is Kind.OVERLOADED


def test_sentences_in_type_or_code_are_not_repeated() -> None:
    """A type or code that is no single word could quote the prompt, so it is left out."""
    failure = vendor_failure(400, _openai("x", "the word secret is bad", "s p a c e"))

    assert failure.detail == "upstream answered status 400"


def test_kept_body_is_bounded() -> None:
    """A huge error body is cut."""
    assert len(vendor_failure(400, b"x" * 10**6).body) == KEPT_BODY_BYTES


@given(status=st.integers(100, 599), body=st.binary(max_size=200))
def test_any_answer_is_read(status: int, body: bytes) -> None:
    """Whatever a server sends, a failure comes out and nothing is raised."""
    assert vendor_failure(status, body).kind in Kind


def test_deeply_nested_error_is_read() -> None:
    """Nesting that exhausts a recursive parser is no way to break the reader."""
    assert vendor_failure(500, b'{"error":' * 100_000).kind is Kind.SERVER_ERROR
