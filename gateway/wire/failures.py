"""What a backend's error answer means: vendor words and status codes to failure kinds.

The same table serves an HTTP error, an error body under status 200 and an error event inside a
stream. The vendor's message may quote the prompt, so it is read here but never repeated in
`detail`: that holds the status and the vendor's own error type and code, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from gateway.core.failure import AttemptFailure, FailureKind

#: Longest error body that is kept for the caller, in bytes.
KEPT_BODY_BYTES = 64 * 1024

_STATUS: Mapping[int, FailureKind] = MappingProxyType(
    {
        401: FailureKind.UNAUTHORIZED,
        402: FailureKind.UNAUTHORIZED,
        403: FailureKind.UNAUTHORIZED,
        404: FailureKind.MODEL_MISSING,
        405: FailureKind.MODEL_MISSING,
        408: FailureKind.TIMEOUT,
        409: FailureKind.OVERLOADED,
        410: FailureKind.MODEL_MISSING,
        424: FailureKind.SERVER_ERROR,
        425: FailureKind.OVERLOADED,
        429: FailureKind.RATE_LIMITED,
        503: FailureKind.OVERLOADED,
        504: FailureKind.TIMEOUT,
        524: FailureKind.TIMEOUT,
        529: FailureKind.OVERLOADED,
    }
)

# Account trouble is not pressure: an exhausted credit does not return after a pause, so it is
# treated as a refused credential (no retry, next candidate) although it often comes as a 429.
_WORDS: Mapping[str, FailureKind] = MappingProxyType(
    {
        "authentication_error": FailureKind.UNAUTHORIZED,
        "billing_error": FailureKind.UNAUTHORIZED,
        "billing_hard_limit_reached": FailureKind.UNAUTHORIZED,
        "billing_not_active": FailureKind.UNAUTHORIZED,
        "contract_spend_limit_reached": FailureKind.UNAUTHORIZED,
        "enforced_spend_limit_reached": FailureKind.UNAUTHORIZED,
        "insufficient_quota": FailureKind.UNAUTHORIZED,
        "invalid_api_key": FailureKind.UNAUTHORIZED,
        "organization_on_hold": FailureKind.UNAUTHORIZED,
        "permission_error": FailureKind.UNAUTHORIZED,
        "model_not_found": FailureKind.MODEL_MISSING,
        "deploymentnotfound": FailureKind.MODEL_MISSING,
        "not_found_error": FailureKind.MODEL_MISSING,
        "notfounderror": FailureKind.MODEL_MISSING,
        "context_length_exceeded": FailureKind.CONTEXT_EXCEEDED,
        "exceed_context_size_error": FailureKind.CONTEXT_EXCEEDED,
        "rate_limit_error": FailureKind.RATE_LIMITED,
        "rate_limit_exceeded": FailureKind.RATE_LIMITED,
        "overloaded_error": FailureKind.OVERLOADED,
        "overloaded": FailureKind.OVERLOADED,
        "unavailable_error": FailureKind.OVERLOADED,
        "timeout_error": FailureKind.TIMEOUT,
        "api_error": FailureKind.SERVER_ERROR,
        "internal_error": FailureKind.SERVER_ERROR,
        "internalservererror": FailureKind.SERVER_ERROR,
        "server_error": FailureKind.SERVER_ERROR,
        "bad_request_error": FailureKind.REJECTED,
        "badrequesterror": FailureKind.REJECTED,
        "invalid_request_error": FailureKind.REJECTED,
        "request_too_large": FailureKind.REJECTED,
    }
)

# OpenAI and vLLM "maximum context length"; Anthropic "prompt is too long" and "exceed context
# limit"; llama.cpp "available context size"; Ollama "exceeds the context length"; LM Studio
# "loaded with context length"; TGI "must have less than N tokens"; Bedrock "input is too long".
_CONTEXT = re.compile(
    rb"maximum context length|context[ _]length[ _]exceeded|context length is|exceeds? the context"
    rb"|exceeds maximum context|exceeds? context limit|prompt is too long|available context size"
    rb"|maximum model length|loaded with context length|greater than the context length"
    rb"|must have less than \d+ tokens|`?max_new_tokens`? must be <=|input is too long"
    rb"|exceeds the maximum number of tokens|reduce the length of the (?:messages|prompt)",
    re.IGNORECASE,
)
_ACCOUNT = re.compile(rb"credit balance is too low|insufficient[ _]balance", re.IGNORECASE)
# A vendor's word for an error, not a sentence that could quote the prompt.
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]{0,63}")


_NULL = msgspec.Raw(b"null")


class _Details(msgspec.Struct):
    error_code: msgspec.Raw = _NULL


class _ErrorFields(msgspec.Struct):
    type: msgspec.Raw = _NULL
    code: msgspec.Raw = _NULL
    status: msgspec.Raw = _NULL
    details: msgspec.Raw = _NULL


class _ErrorBody(_ErrorFields):
    error: msgspec.Raw = _NULL


_BODY = msgspec.json.Decoder(_ErrorBody)
_FIELDS = msgspec.json.Decoder(_ErrorFields)
_DETAILS = msgspec.json.Decoder(_Details)
_SCALAR = msgspec.json.Decoder(str | int | None)


def vendor_failure(status: int, body: bytes, *, retry_after: float | None = None) -> AttemptFailure:
    """Read a backend's error answer.

    Args:
        status: the HTTP status; 200 for an error that came in a body or a stream event, then
            the body's own type and code decide.
        body: the JSON error object as the vendor sent it; anything else is accepted too.
        retry_after: seconds the vendor asked to wait, as its headers said.
    """
    words, told = _vocabulary(body)
    kind = _kind(told if status < 300 and told else status, words, body)
    named = "".join(f", {word}" for word in words)
    return AttemptFailure(
        kind=kind,
        detail=f"upstream answered status {status}{named}",
        status=told if status < 300 and told else status,
        body=body[:KEPT_BODY_BYTES],
        retry_after=retry_after,
    )


def _kind(status: int, words: tuple[str, ...], body: bytes) -> FailureKind:
    named = [_WORDS[word.lower()] for word in words if word.lower() in _WORDS]
    if FailureKind.UNAUTHORIZED in named or (status < 500 and _ACCOUNT.search(body)):
        return FailureKind.UNAUTHORIZED
    if FailureKind.CONTEXT_EXCEEDED in named or _says_context(status, body):
        return FailureKind.CONTEXT_EXCEEDED
    if status in (400, 422) and FailureKind.MODEL_MISSING in named:
        return FailureKind.MODEL_MISSING
    if status in _STATUS:
        return _STATUS[status]
    if status >= 500:
        return FailureKind.OVERLOADED if FailureKind.OVERLOADED in named else _SERVER
    if status >= 400:
        return FailureKind.REJECTED
    if status >= 300:
        return FailureKind.BAD_RESPONSE
    return named[0] if named else FailureKind.SERVER_ERROR


_SERVER = FailureKind.SERVER_ERROR


def _says_context(status: int, body: bytes) -> bool:
    # llama.cpp and Ollama have answered 500 for a prompt that does not fit; a rate limit's text
    # ("reduce the length ...") is about tokens per minute, not about the context.
    if status in (401, 403, 404, 429):
        return False
    return _CONTEXT.search(body) is not None


def _vocabulary(body: bytes) -> tuple[tuple[str, ...], int]:
    """The vendor's error words, in order and without repeats, and the status it names, or 0."""
    try:
        outer = _BODY.decode(body)
        inner = _FIELDS.decode(outer.error) if _is_object(outer.error) else outer
        details = _DETAILS.decode(inner.details) if _is_object(inner.details) else _Details()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return (), 0
    words: list[str] = []
    told = 0
    for raw in (inner.type, inner.code, inner.status, details.error_code):
        try:
            named = _SCALAR.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        if isinstance(named, int):
            told = told or (named if 400 <= named <= 599 else 0)
        elif named and named.isdigit():
            told = told or (int(named) if len(named) == 3 and "400" <= named <= "599" else 0)
        elif named and _WORD.fullmatch(named) and named not in words:
            words.append(named)
    return tuple(words), told


def _is_object(raw: msgspec.Raw) -> bool:
    return bytes(raw)[:1] == b"{"
