"""What an answer falls short of, as far as it can be told from the answer alone.

Rules of this file:
- a check that cannot be made (no schema was asked for, no log probabilities came, a schema that
  takes too much work) is passed: a cascade pays for the stronger model only with a reason;
- the checks are asked from the plainest shortcoming to the subtlest, and the first one is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec

from gateway.core.cascade import Checks, Gist
from gateway.core.conversation import Answer, Conversation, ToolCall
from gateway.wire.answer_check import obeys
from gateway.wire.final_answer import final_answer, words_of
from gateway.wire.refusals import calls_in_text, is_refusal


def shortcoming(conversation: Conversation, answer: Answer, checks: Checks) -> str:
    """The first check that the answer to the conversation fails; empty where it passes all."""
    for name, falls_short in _PLAIN.items():
        if getattr(checks, name) and falls_short(conversation, answer):
            return name
    if checks.logprob is not None and _mean_logprob(answer) < checks.logprob:
        return "logprob"
    return ""


def gist_of(answer: Answer) -> Gist:
    """What the answer comes to: its calls, its JSON, its final answer, else the words it uses."""
    if answer.tool_calls:
        return Gist(exact=" ".join(sorted(map(_call, answer.tool_calls))))
    document = _canonical(answer.text)
    if document is not None:
        return Gist(exact=document)
    final = final_answer(answer.text)
    return Gist(exact=final) if final else Gist(words=words_of(answer.text or answer.refusal))


def _truncated(conversation: Conversation, answer: Answer) -> bool:
    """Cut short, or empty; a cut at the caller's own cap is what the caller asked for."""
    if answer.finish != "length":
        return not (answer.text.strip() or answer.refusal or answer.tool_calls)
    cap, usage = conversation.output_cap, answer.usage
    return cap is None or usage is None or usage.output_tokens < cap


def _refused(conversation: Conversation, answer: Answer) -> bool:
    if answer.refusal or answer.finish == "content_filter":
        return True
    return not answer.tool_calls and is_refusal(answer.text)


def _tools_wrong(conversation: Conversation, answer: Answer) -> bool:
    choice = conversation.tool_choice
    if not answer.tool_calls:
        demanded = choice is not None and choice.mode in ("required", "named")
        return demanded or (bool(conversation.tools) and calls_in_text(answer.text))
    # Tools that this reading does not know (a vendor's own) may be called all the same.
    closed = not any(place.startswith("/tools") for place in conversation.not_understood)
    schemas = {tool.name: tool.schema for tool in conversation.tools}
    return any(
        (closed and call.name not in schemas) or not _fits(call, schemas.get(call.name))
        for call in answer.tool_calls
    )


def _fits(call: ToolCall, schema: Mapping[str, object] | None) -> bool:
    written = call.arguments.strip() or "{}"
    try:
        arguments = msgspec.json.decode(written)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False
    return isinstance(arguments, dict) and (not schema or obeys(written, schema))


def _schema_broken(conversation: Conversation, answer: Answer) -> bool:
    schema = conversation.answer_schema
    if (schema is None and not conversation.answer_json) or answer.tool_calls:
        return False
    try:
        document = msgspec.json.decode(answer.text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return True
    if schema is None:
        return not isinstance(document, dict)
    return not obeys(answer.text, schema)


_PLAIN: Mapping[str, Callable[[Conversation, Answer], bool]] = MappingProxyType(
    {
        "truncated": _truncated,
        "refusal": _refused,
        "tools": _tools_wrong,
        "schema": _schema_broken,
    }
)


def _mean_logprob(answer: Answer) -> float:
    """The mean over the answer's tokens; 0, the best there is, where none were told."""
    told = [token.logprob for token in answer.logprobs]
    return sum(told) / len(told) if told else 0.0


def _call(call: ToolCall) -> str:
    return f"{call.name}({_canonical(call.arguments) or call.arguments.strip()})"


def _canonical(text: str) -> str | None:
    """A JSON object or array in one spelling; None for everything else."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return msgspec.json.encode(found, order="deterministic").decode()
