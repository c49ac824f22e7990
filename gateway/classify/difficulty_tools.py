"""What the difficulty model sees of the tools that a prompt may be answered with.

Where a small model fails at calling tools depends on what it has to fill in: strings in a form that
a description asks for, lists, numbers of one kind and not the other. So the tool that the ask is
about is looked for, by the words that both have in common, and its parameters are counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from gateway.classify.difficulty_features import TOOLS_MARK, Floats

#: Tools of one request that are looked at, and characters of each description and of the ask.
MOST_TOOLS, LONGEST, MOST_ASKED = 32, 200, 4_000
#: Tools written out in a prompt are not read beyond so many characters.
MOST_WRITTEN = 100_000

_KINDS = ("string", "integer", "number", "boolean", "array", "object", "tuple", "any")
_INNER = ("integer", "number", "string")
#: What other dialects of schemas call these.
_ALSO = {
    "str": "string", "char": "string", "int": "integer", "long": "integer", "float": "number",
    "double": "number", "bool": "boolean", "list": "array", "arraylist": "array",
    "dict": "object", "hashmap": "object",
}  # fmt: skip
_SIGNS = {
    "asked_quotes": "'\"", "asked_lists": "[", "asked_commas": ",", "asked_percents": "%",
    "asked_questions": "?",
}  # fmt: skip
_WORDS = {
    "asked_ands": frozenset({"and"}),
    "asked_fors": frozenset({"for"}),
    "asked_orders": frozenset(
        "respectively each both also then after first second two three same".split()
    ),
    "asked_months": frozenset(
        "january february march april may june july august september october november "
        "december".split()
    ),
}
_ANY_WORD = frozenset().union(*_WORDS.values())
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_WORD, _NAME = re.compile(r"[a-z]+"), re.compile(r"[A-Z][a-z]+")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}")
#: What is counted, in order: of all tools, of the one that the ask is about, and of the ask.
TOOL_SCALARS = (
    "length", "ask_length", "tools_length", "dotted_names",
    "parameters", "required", "optional",
    *_KINDS, "enumerated", "defaults",
    *(f"lists_of_{kind}" for kind in _INNER), "lists_of_others",
    "description", "examples", "in_common", "name_length", "name_dots", "name_underscores",
    "tool_description",
    "asked_numbers", "asked_fractions", "numbers_for_each", "asked_names", *_SIGNS, *_WORDS,
    "asked_dates",
)  # fmt: skip
#: Their values for a prompt without tools; the first is never zero where there are some.
NO_TOOLS: Floats = np.zeros(len(TOOL_SCALARS))

#: So many letters of a word are compared, because its endings change.
ROOT = 5
_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]{2,}")
_COMMON = frozenset(
    "the of to for in on and or is are be with by from this that it as at you can could please me "
    "my".split()
)
_EXAMPLES = ("e.g", "example", "format")


class Tool(msgspec.Struct, frozen=True):
    """A tool: its name, what it does, its parameters' schemas by name, and how many it needs."""

    name: str
    description: str
    parameters: Mapping[str, Mapping[str, Any]]
    required: int


def read_tools(prompt: str, stated: bytes) -> Floats:
    """The values of `TOOL_SCALARS` for a prompt and the `tools` field of its request.

    Tools that are written out in the prompt, as logs have them, go before those of the field.
    """
    ask, tools = parted(prompt)
    if tools:
        return tool_scalars(ask, tools, len(prompt) - len(ask))
    tools = tools_of(stated) if stated else ()
    return tool_scalars(prompt, tools, len(stated))


def parted(prompt: str) -> tuple[str, tuple[Tool, ...]]:
    """The ask of a prompt, and the tools that are written out after it."""
    ask, mark, written = prompt.partition(TOOLS_MARK)
    if not mark or len(written) > MOST_WRITTEN:
        return prompt, ()
    tools = tools_of(written.encode("utf-8", "replace"))
    return (ask, tools) if tools else (prompt, ())


def tools_of(stated: bytes) -> tuple[Tool, ...]:
    """The tools of a JSON list in any API's form, or a single one; none where it is no such."""
    try:
        read = msgspec.json.decode(stated)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ()
    listed = read if isinstance(read, list) else [read]
    tools = (_tool(one) for one in listed[:MOST_TOOLS])
    return tuple(tool for tool in tools if tool is not None)


def _tool(stated: Any) -> Tool | None:
    if not isinstance(stated, dict):
        return None
    inner = stated.get("function")
    told = inner if isinstance(inner, dict) else stated
    schema = told.get("parameters", told.get("input_schema"))
    name = told.get("name")
    if not isinstance(name, str) or not isinstance(schema, dict):
        return None
    properties, required = schema.get("properties"), schema.get("required")
    return Tool(
        name,
        _text(told.get("description")),
        {
            key: one
            for key, one in (properties.items() if isinstance(properties, dict) else ())
            if isinstance(one, dict)
        },
        len(required) if isinstance(required, list) else 0,
    )


def tool_scalars(ask: str, tools: Sequence[Tool], size: int) -> Floats:
    """The values of `TOOL_SCALARS` for tools that take up `size` characters."""
    if not tools:
        return NO_TOOLS
    length, ask = len(ask), ask[:MOST_ASKED]
    words = _WORD.findall(ask.lower())
    asked = _roots(words)
    tool = tools[0] if len(tools) == 1 else max(tools, key=lambda one: _nearness(one, asked))
    dotted = sum("." in one.name for one in tools)
    values = [
        length + size, length, size, dotted, *_of_tool(tool, asked), *_of_ask(ask, words, tool),
    ]  # fmt: skip
    return np.array(values, float)


def _of_ask(ask: str, words: Sequence[str], tool: Tool) -> list[float]:
    numbers = _NUMBER.findall(ask)
    counted = [word for word in words if word in _ANY_WORD]
    return [
        len(numbers),
        sum("." in number for number in numbers),
        len(numbers) / (tool.required + 1),
        len(_NAME.findall(ask)),
        *(sum(ask.count(sign) for sign in signs) for signs in _SIGNS.values()),
        *(len([word for word in counted if word in wanted]) for wanted in _WORDS.values()),
        len(_DATE.findall(ask)),
    ]


def _of_tool(tool: Tool, asked: frozenset[str]) -> list[float]:
    parameters = tool.parameters.values()
    kinds = [_kind(one.get("type")) for one in parameters]
    inner = [_kind(one["items"].get("type")) for one in parameters if _has_items(one)]
    described = [_text(one.get("description")).lower() for one in parameters]
    told = " ".join(described)
    words = _roots(_WORD.findall(told))
    listed = [inner.count(kind) for kind in _INNER]
    return [
        len(kinds),
        tool.required,
        len(kinds) - tool.required,
        *(kinds.count(kind) for kind in _KINDS),
        sum("enum" in one for one in parameters),
        sum("default" in one or "default" in text
            for one, text in zip(parameters, described, strict=True)),
        *listed,
        len(inner) - sum(listed),
        len(told) / (len(kinds) + 1),
        sum(told.count(sign) for sign in _EXAMPLES),
        len(words & asked) / (len(words) + 1),
        len(tool.name),
        tool.name.count("."),
        tool.name.count("_"),
        len(tool.description),
    ]  # fmt: skip


def _nearness(tool: Tool, asked: frozenset[str]) -> float:
    """How much the words of a tool and of the ask have in common; its name counts double."""
    name, told = _named(tool.name), _roots(_WORD.findall(tool.description.lower()))
    parameters = _named(" ".join(tool.parameters))
    near = 2.0 * len(name & asked) / (len(name) + 1) + len(told & asked) / (len(told) + 1)
    return near + len(parameters & asked) / (len(parameters) + 1)


def _roots(words: Iterable[str]) -> frozenset[str]:
    """How words in small letters begin, but for common ones."""
    return frozenset([word[:ROOT] for word in words]) - _COMMON


def _named(names: str) -> frozenset[str]:
    """The same for the words that names in programs are made of."""
    return _roots([word.lower() for word in _PART.findall(names)])


def _kind(stated: Any) -> str:
    kind = _text(stated).lower()
    return _ALSO.get(kind, kind)


def _has_items(schema: Mapping[str, Any]) -> bool:
    return isinstance(schema.get("items"), dict)


def _text(stated: Any) -> str:
    return stated[:LONGEST] if isinstance(stated, str) else ""
