"""The response object: what the API tells back of a request, and the items of an answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from gateway.core.conversation import FinishReason, TokenLogprob
from gateway.core.request import ChatRequest
from gateway.core.usage import Usage
from gateway.wire.logprobs import write_tokens
from gateway.wire.openai_responses.usage import encode_usage

Block = dict[str, Any]

_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
#: Fields that are told back as they came, and what stands there when the client left them out.
_ECHOED: Block = {
    "background": False,
    "frequency_penalty": 0,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "presence_penalty": 0,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "safety_identifier": None,
    "service_tier": "default",
    "store": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}
_FUNCTION: Block = {"description": None, "parameters": None, "strict": False}


def envelope(request: ChatRequest, *, new_id: str, created: int) -> Block:
    """A response before it has output; `created` is epoch seconds."""
    response: Block = {
        "id": f"resp_{new_id}",
        "object": "response",
        "created_at": created,
        "completed_at": None,
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "model": "",
        "output": [],
        "usage": None,
    }
    for name, default in _ECHOED.items():
        given = request.fields.get(name)
        response[name] = default if given is None or bytes(given) == b"null" else given
    if bytes(request.fields.get("service_tier", msgspec.Raw(b""))) == b'"auto"':
        response["service_tier"] = "default"
    reasoning = _object(request, "reasoning")
    response["reasoning"] = {"effort": None, "summary": None} | reasoning
    text = _object(request, "text")
    wanted = text.get("format")
    text["format"] = _format(wanted) if isinstance(wanted, dict) else {"type": "text"}
    response["text"] = text
    response["tools"] = [_tool(tool) for tool in _listed(request, "tools")]
    return response


def finished(
    response: Block, output: list[Block], finish: FinishReason, usage: Usage | None
) -> Block:
    """The response with its output, and whether it is whole."""
    reason = _INCOMPLETE.get(finish)
    tier = {"service_tier": usage.service_tier} if usage is not None and usage.service_tier else {}
    return (
        response
        | tier
        | {
            "status": "incomplete" if reason else "completed",
            "incomplete_details": {"reason": reason} if reason else None,
            "output": output,
            "usage": None if usage is None else encode_usage(usage),
        }
    )


def message_item(item_id: str, status: str, content: list[Block]) -> Block:
    """The model's words."""
    return {
        "type": "message",
        "id": item_id,
        "status": status,
        "role": "assistant",
        "content": content,
    }


def text_part(
    text: str, annotations: Sequence[Block] = (), tokens: Sequence[TokenLogprob] = ()
) -> Block:
    """Words of an answer, with the pages that they rest on and how likely they were."""
    return {
        "type": "output_text",
        "text": text,
        "annotations": list(annotations),
        "logprobs": write_tokens(tokens),
    }


def refusal_part(text: str) -> Block:
    """Words of a refusal."""
    return {"type": "refusal", "refusal": text}


def reasoning_item(item_id: str, status: str, summary: list[Block], sealed: str | None) -> Block:
    """Shown reasoning; `sealed` is opaque to the client and comes back in the next turn."""
    return {
        "type": "reasoning",
        "id": item_id,
        "status": status,
        "summary": summary,
        "encrypted_content": sealed,
    }


def summary_part(text: str) -> Block:
    """One part of shown reasoning."""
    return {"type": "summary_text", "text": text}


def call_item(item_id: str, status: str, call_id: str, name: str, arguments: str) -> Block:
    """The model's wish to call a function."""
    return {
        "type": "function_call",
        "id": item_id,
        "status": status,
        "call_id": call_id,
        "name": name,
        "arguments": arguments,
    }


def _tool(tool: object) -> object:
    if isinstance(tool, dict) and tool.get("type") == "function":
        given = {name: inner for name, inner in tool.items() if inner is not None}
        return _FUNCTION | given
    return tool


def _format(wanted: Block) -> Block:
    if wanted.get("type") != "json_schema":
        return wanted
    return {"description": None, "strict": False} | wanted


def _object(request: ChatRequest, name: str) -> Block:
    found = _decoded(request, name)
    return found if isinstance(found, dict) else {}


def _listed(request: ChatRequest, name: str) -> list[Any]:
    found = _decoded(request, name)
    return found if isinstance(found, list) else []


def _decoded(request: ChatRequest, name: str) -> Any:
    given = request.fields.get(name)
    return None if given is None else msgspec.json.decode(given, type=Any)
