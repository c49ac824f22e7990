"""Reads an OpenAI chat request into what the worker can do, or says what it cannot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from adapters.ctransformers.sampling import Sampling
from adapters.ctransformers.settings import WorkerSettings

#: Most answers to one request; they are made one after another.
MOST_CHOICES = 8
#: Most stop strings and their length in characters, as in the OpenAI wire (4) with room.
MOST_STOPS = 16
LONGEST_STOP = 1024
_ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})


class CallRefused(Exception):
    """The call cannot be served; rendered as an OpenAI error."""

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str = "invalid_request",
        status: int = 400,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code
        self.status = status

    def body(self) -> bytes:
        """The error in the OpenAI wire."""
        kind = "invalid_request_error" if self.status < 500 else "server_error"
        error = {"message": self.message, "type": kind, "param": self.param, "code": self.code}
        return msgspec.json.encode({"error": error})


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """A function that the model may call; `parameters` is a JSON Schema."""

    name: str
    parameters: Mapping[str, Any]


class ChatCall(msgspec.Struct, frozen=True, kw_only=True):
    """One request for an answer.

    `forced` are the tools of which exactly one must be called; `schema` is the JSON Schema that
    the answer must follow, None for free text; `output_cap` is in tokens, None for what fits.
    """

    messages: tuple[Mapping[str, Any], ...]
    tools: tuple[Mapping[str, Any], ...] = ()
    forced: tuple[Tool, ...] = ()
    schema: Mapping[str, Any] | None = None
    sampling: Sampling
    output_cap: int | None = None
    stop: tuple[str, ...] = ()
    choices: int = 1
    stream: bool = False
    include_usage: bool = False

    def size(self) -> int:
        """Bytes of text in the messages: a lower bound for what the prompt holds."""
        return sum(
            len(str(message["content"]).encode("utf-8", "replace")) for message in self.messages
        )


def read_call(body: bytes, defaults: WorkerSettings) -> ChatCall:
    """Read a request body.

    Raises:
        CallRefused: it is not valid, or asks for what this backend cannot do; names the field.
    """
    request = _document(body)
    for field in ("logprobs", "top_logprobs", "audio", "functions", "function_call"):
        if request.get(field):
            raise CallRefused(f"This model's server does not support '{field}'.", param=field)
    if any(kind != "text" for kind in _list(request, "modalities")):
        raise CallRefused("This model answers in text only.", param="modalities")
    tools = tuple(_tool(tool, index) for index, tool in enumerate(_list(request, "tools")))
    choice = request.get("tool_choice") or ("auto" if tools else "none")
    shown = () if choice == "none" else tuple(_list(request, "tools"))
    options = request.get("stream_options")
    return ChatCall(
        messages=_messages(request),
        tools=shown,
        forced=_forced(tools, choice),
        schema=_schema(request.get("response_format")),
        sampling=_sampling(request, defaults),
        output_cap=_output_cap(request),
        stop=_stop(request.get("stop")),
        choices=int(_number(request, "n", 1, 1, MOST_CHOICES, whole=True)),
        stream=_flag(request, "stream"),
        include_usage=isinstance(options, dict) and options.get("include_usage") is True,
    )


def _document(body: bytes) -> dict[str, Any]:
    try:
        request = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise CallRefused("The body is not valid JSON.", code="invalid_json") from None
    if not isinstance(request, dict):
        raise CallRefused("The body must be a JSON object.")
    return request


def _messages(request: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    messages = _list(request, "messages")
    if not messages:
        raise CallRefused("'messages' must hold at least one message.", param="messages")
    return tuple(_message(message, f"messages.{index}") for index, message in enumerate(messages))


def _message(message: Any, place: str) -> Mapping[str, Any]:
    role = message.get("role") if isinstance(message, dict) else None
    if not isinstance(role, str) or role not in _ROLES:
        raise CallRefused(f"'{place}' must be an object with a known role.", param=place)
    calls = message.get("tool_calls") or []
    if not isinstance(calls, list) or not all(isinstance(call, dict) for call in calls):
        param = f"{place}.tool_calls"
        raise CallRefused(f"'{param}' must be a list of calls.", param=param)
    return {**message, "content": _content(message.get("content"), f"{place}.content")}


def _content(content: Any, place: str) -> str:
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise CallRefused(f"'{place}' must be a string or a list of parts.", param=place)
    texts: list[str] = []
    for index, part in enumerate(content):
        kind = part.get("type") if isinstance(part, dict) else None
        field = "refusal" if kind == "refusal" else "text"
        if kind not in ("text", "refusal") or not isinstance(part.get(field), str):
            raise CallRefused(
                "This model reads text only; take this part out or ask a model with vision.",
                param=f"{place}.{index}",
                code="unsupported_content",
            )
        texts.append(part[field])
    return "\n".join(texts)


def _tool(tool: Any, index: int) -> Tool:
    function = tool.get("function") if isinstance(tool, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(function, dict) or not isinstance(name, str) or not name:
        place = f"tools.{index}"
        raise CallRefused(f"'{place}' must be a function with a name.", param=place)
    parameters = function.get("parameters")
    return Tool(
        name=name, parameters=parameters if isinstance(parameters, dict) else {"type": "object"}
    )


def _forced(tools: tuple[Tool, ...], choice: Any) -> tuple[Tool, ...]:
    if choice in ("auto", "none"):
        return ()
    if choice == "required":
        if not tools:
            raise CallRefused(
                "'tool_choice' is 'required' but there are no tools.", param="tool_choice"
            )
        return tools
    function = choice.get("function") if isinstance(choice, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    named = tuple(tool for tool in tools if tool.name == name)
    if not named:
        raise CallRefused("'tool_choice' names no function of 'tools'.", param="tool_choice")
    return named[:1]


def _schema(response_format: Any) -> Mapping[str, Any] | None:
    if response_format is None:
        return None
    kind = response_format.get("type") if isinstance(response_format, dict) else None
    if kind == "text":
        return None
    if kind == "json_object":
        return {"type": "object"}
    if kind == "json_schema":
        named = response_format.get("json_schema")
        schema = named.get("schema") if isinstance(named, dict) else None
        if schema is None:
            return {"type": "object"}
        if isinstance(schema, dict):
            return schema
    raise CallRefused("'response_format' is of no known kind.", param="response_format")


def _sampling(request: Mapping[str, Any], defaults: WorkerSettings) -> Sampling:
    seed = request.get("seed")
    if seed is not None and (not isinstance(seed, int) or isinstance(seed, bool)):
        raise CallRefused("'seed' must be a whole number.", param="seed")
    return Sampling(
        temperature=_number(request, "temperature", defaults.temperature, 0, 2),
        top_p=_number(request, "top_p", defaults.top_p, 0, 1),
        top_k=int(_number(request, "top_k", defaults.top_k, -1, 1 << 20, whole=True)),
        repetition_penalty=_number(
            request, "repetition_penalty", defaults.repetition_penalty, 0.1, 10
        ),
        frequency_penalty=_number(request, "frequency_penalty", 0.0, -2, 2),
        presence_penalty=_number(request, "presence_penalty", 0.0, -2, 2),
        bias=_bias(request.get("logit_bias")),
        seed=seed,
    )


def _bias(biases: Any) -> tuple[tuple[int, float], ...]:
    if not biases:
        return ()
    try:
        return tuple((int(token), float(bias)) for token, bias in biases.items())
    except (AttributeError, TypeError, ValueError):
        raise CallRefused(
            "'logit_bias' must map token ids to numbers.", param="logit_bias"
        ) from None


def _output_cap(request: Mapping[str, Any]) -> int | None:
    caps = [
        int(_number(request, field, 1, 1, 1 << 40, whole=True))
        for field in ("max_completion_tokens", "max_tokens")
        if request.get(field) is not None
    ]
    return min(caps, default=None)


def _stop(stop: Any) -> tuple[str, ...]:
    if stop is None:
        return ()
    stops = [stop] if isinstance(stop, str) else stop
    if (
        not isinstance(stops, list)
        or len(stops) > MOST_STOPS
        or any(not isinstance(text, str) or len(text) > LONGEST_STOP for text in stops)
    ):
        raise CallRefused(f"'stop' must be a string or at most {MOST_STOPS} strings.", param="stop")
    return tuple(stops)


def _number(
    request: Mapping[str, Any],
    field: str,
    default: float,
    least: float,
    most: float,
    *,
    whole: bool = False,
) -> float:
    found: Any = request.get(field)
    if found is None:
        return default
    right = isinstance(found, int if whole else int | float) and not isinstance(found, bool)
    if not right or not least <= found <= most:
        kind = "whole number" if whole else "number"
        message = f"'{field}' must be a {kind} from {least:g} to {most:g}."
        raise CallRefused(message, param=field)
    number: float = found
    return number


def _flag(request: Mapping[str, Any], field: str) -> bool:
    found = request.get(field)
    if found is None or isinstance(found, bool):
        return bool(found)
    raise CallRefused(f"'{field}' must be true or false.", param=field)


def _list(request: Mapping[str, Any], field: str) -> list[Any]:
    found = request.get(field)
    if found is None:
        return []
    if not isinstance(found, list):
        raise CallRefused(f"'{field}' must be a list.", param=field)
    return found
