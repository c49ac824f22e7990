"""The answering model behind Anthropic Messages, as strict as the vendor."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.compat.answering import Asked, Refused, Told, Tool, answer, pieces
from tests.compat.sightings import sized
from tests.upstreams import anthropic_messages
from tests.upstreams.scripted import Received, Script

_FIELDS = frozenset(
    "max_tokens messages model cache_control container context_management inference_geo "
    "mcp_servers metadata output_config output_format service_tier speed stop_sequences stream "
    "system thinking tool_choice tools".split()
)
#: Only the first version of the API takes these.
_SAMPLING = frozenset({"temperature", "top_p", "top_k"})
_FINISHES = {"end": "", "stop": "stop_sequence", "length": "max_tokens", "tools": "tool_use"}

Block = dict[str, Any]


def play(received: Received) -> Script:
    """Answer one request."""
    try:
        sampled = received.header("anthropic-version") == "2023-06-01"
        asked = read(received.json, sampled=sampled)
        told = answer(asked)
    except Refused as refusal:
        return anthropic_messages.error(400, message=str(refusal))
    if received.path.split("?")[0].endswith("/count_tokens"):
        return Script(pieces=(msgspec.json.encode({"input_tokens": told.prompt_tokens}),))
    return _script(received, asked, told)


def _script(received: Received, asked: Asked, told: Told) -> Script:
    used = (told.prompt_tokens, told.output_tokens)
    stop, by = _FINISHES[told.finish], told.stopped_by
    if asked.stream:
        return anthropic_messages.stream(
            told.deltas,
            thinking=pieces(told.thinking),
            tools=told.calls,
            used=used,
            stop=stop,
            stopped_by=by,
        )(received)
    return anthropic_messages.answer(
        told.text, thinking=told.thinking, tools=told.calls, used=used, stop=stop, stopped_by=by
    )(received)


def read(body: dict[str, Any], *, sampled: bool = True) -> Asked:
    """What a request asks for; `sampled` says that sampling parameters are taken.

    Raises:
        Refused: the vendor would answer 400.
    """
    unknown = sorted(set(body) - _FIELDS - (_SAMPLING if sampled else frozenset()))
    if unknown:
        raise Refused(f"{unknown[0]}: Extra inputs are not permitted")
    if "max_tokens" not in body and "stream" in body:
        raise Refused("max_tokens: Field required")
    choice = body.get("tool_choice") or {}
    asked = Asked(
        model=body["model"],
        stream=bool(body.get("stream")),
        cap=body.get("max_tokens"),
        stop=list(body.get("stop_sequences") or ()),
        parallel=choice.get("disable_parallel_tool_use") is not True,
        thinks=(body.get("thinking") or {}).get("type") in ("enabled", "adaptive"),
    )
    asked.system = _text_of(body.get("system") or "")
    asked.words = len(pieces(asked.system))
    wanted = (body.get("output_config") or {}).get("format") or body.get("output_format")
    if wanted:
        asked.output = dict(wanted["schema"])
        _check_schema(asked.output)
    asked.tools = [_tool(tool) for tool in body.get("tools") or ()]
    kinds = {"any": "required", "tool": choice.get("name", "")}
    asked.choice = kinds.get(choice.get("type", "auto"), choice.get("type", "auto"))
    _read_messages(body["messages"], asked)
    return asked


def _check_schema(schema: Any) -> None:
    """Refuse what the vendor cannot enforce."""
    if not isinstance(schema, dict):
        return
    kind = schema.get("type")
    if kind == "object" and schema.get("additionalProperties") is not False:
        raise Refused("output_config.format.schema: 'additionalProperties' must be set to false")
    for limit in ("minimum", "maximum", "multipleOf", "minLength", "maxLength", "maxItems"):
        if limit in schema:
            raise Refused(f"For '{kind}' type, property '{limit}' is not supported")
    named = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values()]
    for inner in (*named, *schema.get("anyOf", ()), schema.get("items")):
        _check_schema(inner)


def _tool(tool: Block) -> Tool:
    if "input_schema" not in tool:
        raise Refused("tools.0.custom.input_schema: Field required")
    if tool["input_schema"].get("type") != "object":
        raise Refused("tools.0.custom.input_schema.type: Field required")
    return Tool(tool["name"], tool.get("description") or "", tool["input_schema"])


def _text_of(content: str | list[Block]) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(block["text"] for block in content if block["type"] == "text")


def _read_messages(messages: list[Block], asked: Asked) -> None:
    names: dict[str, str] = {}
    open_calls: set[str] = set()
    for number, message in enumerate(messages):
        role, content = message["role"], message["content"]
        if role not in ("user", "assistant"):
            raise Refused(f"messages.{number}.role: Input should be 'user' or 'assistant'")
        if number == 0 and role != "user":
            raise Refused("messages: first message must use the user role")
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        if not blocks and number < len(messages) - 1:
            raise Refused(f"messages.{number}: all messages must have non-empty content")
        answered = {b["tool_use_id"] for b in blocks if b["type"] == "tool_result"}
        if answered != open_calls:
            raise Refused(
                f"messages.{number}: `tool_use` ids {sorted(open_calls)} must each have a "
                f"`tool_result` block in the next message; found {sorted(answered)}"
            )
        open_calls = {b["id"] for b in blocks if b["type"] == "tool_use"}
        names |= {b["id"]: b["name"] for b in blocks if b["type"] == "tool_use"}
        _read_blocks(blocks, role, names, asked)
    if open_calls:
        raise Refused(f"messages: `tool_use` ids without `tool_result`: {sorted(open_calls)}")


def _read_blocks(blocks: list[Block], role: str, names: dict[str, str], asked: Asked) -> None:
    texts: list[str] = []
    seen: list[str] = []
    results: list[tuple[str, str]] = []
    for block in blocks:
        match block["type"]:
            case "text":
                if not block["text"].strip():
                    raise Refused("messages: text content blocks must contain non-whitespace text")
                texts.append(block["text"])
            case "image" | "document":
                seen.append(_sighting(block))
            case "tool_result":
                text, shown = _result(block.get("content") or "")
                results.append((names[block["tool_use_id"]], text))
                seen += shown
            case "tool_use" | "thinking" | "redacted_thinking" if role == "assistant":
                pass
            case kind:
                raise Refused(f"messages: unknown block type {kind} of role {role}")
    asked.words += sum(len(pieces(text)) for text in (*texts, *(r[1] for r in results)))
    if role == "user" and results:
        asked.results, asked.seen = asked.results + results, asked.seen + seen
        asked.said = "\n".join([asked.said, *texts])
    elif role == "user":
        asked.said, asked.results, asked.seen = "\n".join(texts), [], seen


def _result(content: str | list[Block]) -> tuple[str, list[str]]:
    if isinstance(content, str):
        return content, []
    shown = [_sighting(block) for block in content if block["type"] in ("image", "document")]
    return _text_of(content), shown


def _sighting(block: Block) -> str:
    source = block["source"]
    name = "an image" if block["type"] == "image" else "a file"
    match source["type"]:
        case "url":
            return f"{name} ({source['url']})"
        case "base64":
            return f"{name} ({sized(source['media_type'], source['data'])})"
        case "text":
            return f"{name} ({source['media_type']}, {len(source['data'].encode())} bytes)"
        case "content":
            return f"{name} (in blocks)"
    raise Refused(f"Unknown source type: {source['type']}")
