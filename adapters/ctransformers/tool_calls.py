"""Calls that must be answered by calling a function, written by the model under its schema."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from adapters.ctransformers.chat_call import CallRefused, Tool
from adapters.ctransformers.events import AnswerEnded, ArgumentsAdded, Event, ToolCalled
from adapters.ctransformers.generation import Run
from adapters.ctransformers.guided import Vocabulary, answer_json
from adapters.ctransformers.json_prefix import Grammar
from adapters.ctransformers.json_shape import UnsupportedSchema, compile_schema
from adapters.ctransformers.sampling import Sampling

_INSTRUCTION = (
    "Answer by calling one of these functions, with a JSON object such as "
    '{"name": "function", "arguments": {}} and nothing else:\n'
)


class ForcedTool(msgspec.Struct, frozen=True):
    """A function that may have to be called, with the grammar of its arguments."""

    name: str
    arguments: Grammar


class Writing(msgspec.Struct, frozen=True):
    """Who writes one answer, and how."""

    run: Run
    vocabulary: Vocabulary
    sampling: Sampling
    choice: int


def grammar_of(schema: Mapping[str, Any], param: str) -> Grammar:
    """The grammar of a schema that came with a request, at `param`.

    Raises:
        CallRefused: it cannot be followed; says where in the schema.
    """
    try:
        return Grammar(compile_schema(schema))
    except UnsupportedSchema as error:
        raise CallRefused(
            f"The JSON schema cannot be followed at '{error.pointer}': {error}.",
            param=param,
            code="unsupported_schema",
        ) from None


def forced_tools(tools: Sequence[Tool]) -> tuple[ForcedTool, ...]:
    """The functions with their grammars.

    Raises:
        CallRefused: a function's parameters cannot be followed.
    """
    return tuple(ForcedTool(tool.name, grammar_of(tool.parameters, "tools")) for tool in tools)


def with_instruction(
    messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]
) -> tuple[Mapping[str, Any], ...]:
    """The conversation with the functions told in words, for templates that know no tools."""
    functions = [tool.get("function") for tool in tools]
    told = _INSTRUCTION + "\n".join(json.dumps(one, ensure_ascii=False) for one in functions)
    if messages and messages[0]["role"] in ("system", "developer"):
        first = {**messages[0], "content": f"{messages[0]['content']}\n\n{told}"}
        return (first, *messages[1:])
    return ({"role": "system", "content": told}, *messages)


def call_tool(
    writing: Writing, tools: Sequence[ForcedTool], budget: int, emit: Callable[[Event], None]
) -> int:
    """Let the model choose a function and write its arguments; return the tokens it made.

    The frame around both is not generated but read, so it costs room and no budget.

    Raises:
        Cancelled: nobody listens any more.
    """
    run, choice = writing.run, writing.choice
    name, tokens = tools[0].name, 0
    frame = '{"name": '
    if len(tools) > 1:
        if not _read(run, frame):
            return _out_of_room(choice, tokens, emit)
        name, tokens = _choose_name(writing, tools, min(budget, run.model.room))
        frame = ', "arguments": '
    else:
        frame += json.dumps(name) + ', "arguments": '
    chosen = next((tool for tool in tools if tool.name == name), None)
    if chosen is None or not _read(run, frame):
        return _out_of_room(choice, tokens, emit)
    emit(ToolCalled(choice, name))

    def show(text: str) -> None:
        emit(ArgumentsAdded(choice, text))

    left = max(0, min(budget - tokens, run.model.room))
    grammar = chosen.arguments
    finished = answer_json(run, writing.vocabulary, grammar, writing.sampling, left, choice, show)
    emit(AnswerEnded(choice, "tool_calls" if finished.reason == "stop" else "length"))
    return tokens + finished.tokens


def _choose_name(writing: Writing, tools: Sequence[ForcedTool], budget: int) -> tuple[str, int]:
    grammar = Grammar(compile_schema({"enum": [tool.name for tool in tools]}))
    written: list[str] = []
    finished = answer_json(
        writing.run,
        writing.vocabulary,
        grammar,
        writing.sampling,
        budget,
        writing.choice,
        written.append,
    )
    try:
        return str(json.loads("".join(written))), finished.tokens
    except json.JSONDecodeError:
        return "", finished.tokens


def _read(run: Run, text: str) -> bool:
    tokens = run.model.tokenize(text)
    # At least one place must be left for what the model writes.
    if len(tokens) >= run.model.room:
        return False
    run.model.evaluate(tokens)
    return True


def _out_of_room(choice: int, tokens: int, emit: Callable[[Event], None]) -> int:
    emit(AnswerEnded(choice, "length"))
    return tokens
