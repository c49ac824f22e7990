"""What a failed response means, told whole, as an event or under a status of 200."""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.core.failure import AttemptFailure, FailureKind
from gateway.wire.failures import vendor_failure

#: Error codes of a response object that blame the request (the API reference's `ResponseError`).
_CALLERS_FAULT = frozenset(
    (
        "invalid_prompt bio_policy misalignment_policy_violation data_residency_mismatch "
        "invalid_image invalid_image_format invalid_base64_image "
        "invalid_image_url image_too_large image_too_small image_parse_error "
        "image_content_policy_violation invalid_image_mode image_file_too_large "
        "unsupported_image_media_type empty_image_file failed_to_download_image "
        "image_file_not_found"
    ).split()
)
_NOT_FINISHED = frozenset({"failed", "cancelled", "queued", "in_progress"})


def failed_response(answer: Any) -> AttemptFailure | None:
    """Why this is no usable response; None when it is one. An error event is read alike."""
    if not isinstance(answer, dict):
        return bad_answer("the answer is not a response")
    error = answer.get("error")
    if error:
        return _blame(error)
    if answer.get("type") == "error":
        return _blame({"code": answer.get("code"), "message": answer.get("message")})
    status = answer.get("status")
    if isinstance(status, str) and status in _NOT_FINISHED:
        return bad_answer(f"the response came back as {status}")
    if not isinstance(answer.get("output"), list):
        return bad_answer("the answer is not a response")
    return None


def bad_answer(detail: str) -> AttemptFailure:
    """The backend sent what this wire does not have."""
    return AttemptFailure(kind=FailureKind.BAD_RESPONSE, detail=detail)


def _blame(error: object) -> AttemptFailure:
    code = error.get("code") if isinstance(error, dict) else None
    status = 400 if isinstance(code, str) and code in _CALLERS_FAULT else 200
    return vendor_failure(status, msgspec.json.encode({"error": error}))
