"""What a model would do: call the tool that is asked for, answer in JSON or text, use results."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.compat.schema_values import places, value_for

Finish = Literal["end", "length", "stop", "tools"]

_PIECE = re.compile(r"\s*\S+|\s+$")
#: A prompt that wants JSON, as people write who cannot or will not send a schema.
_JSON_ASKED = re.compile(r"\b(?:return|respond|reply|answer)\b[^.]{0,80}\bJSON\b", re.IGNORECASE)
_WORD = re.compile(r"[a-z]+")
_PLAIN = frozenset(
    "a an the of to in for and or is it this that with on at by from as be use using get tool "
    "function value what please result which response ends answer given return returns some "
    "tell me about my user".split()
)


class Refused(Exception):
    """The request is one that the vendor would answer with a 400; the text is the message."""


@dataclass(frozen=True)
class Tool:
    """A tool that may be called."""

    name: str
    description: str
    schema: dict[str, Any]


@dataclass
class Asked:
    """A request in no vendor's words.

    `said` is the text of the last user turn, `results` what tools answered since then, as
    `(tool name, text)`. `choice` is `auto`, `none`, `required` or the name of a tool. `output` is
    the schema of a JSON answer; an empty one means any object.
    """

    model: str = ""
    system: str = ""
    said: str = ""
    results: list[tuple[str, str]] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    tools: list[Tool] = field(default_factory=list)
    choice: str = "auto"
    parallel: bool = True
    output: dict[str, Any] | None = None
    stop: list[str] = field(default_factory=list)
    cap: int | None = None
    thinks: bool = False
    stream: bool = False
    words: int = 0


@dataclass(frozen=True)
class Told:
    """An answer in no vendor's words; arguments are JSON text, `stopped_by` a stop string."""

    text: str = ""
    thinking: str = ""
    calls: tuple[tuple[str, str, str], ...] = ()
    finish: Finish = "end"
    stopped_by: str = ""
    prompt_tokens: int = 1
    output_tokens: int = 1

    @property
    def deltas(self) -> list[str]:
        """The text as a stream brings it."""
        return pieces(self.text)


def pieces(text: str) -> list[str]:
    """The text cut before its spaces; joined they are the text again."""
    return _PIECE.findall(text)


def answer(asked: Asked) -> Told:
    """Answer a request, the same way each time."""
    thinking = "They want an answer, so let me give one." if asked.thinks else ""
    chosen = _calls(asked)
    if chosen:
        calls = tuple((f"call_{n}_{name}", name, given) for n, (name, given) in enumerate(chosen))
        text, finish, stopped = "", "tools", ""
    else:
        calls = ()
        text, finish, stopped = _bounded(asked, _words(asked))
    spent = len(pieces(text)) + len(pieces(thinking)) + sum(len(c[2]) // 4 + 5 for c in calls)
    return Told(text, thinking, calls, finish, stopped, asked.words + 4, max(spent, 1))  # type: ignore[arg-type]


def _words(asked: Asked) -> str:
    wanted = asked.output
    if wanted is None and _JSON_ASKED.search(f"{asked.system}\n{asked.said}"):
        wanted = {}
    if wanted is not None:
        schema = wanted or _schema_in(f"{asked.system}\n{asked.said}")
        known = " ".join([asked.said, *(text for _, text in asked.results)])
        return json.dumps(value_for(schema, known, optional=True), ensure_ascii=False)
    sentences = [f"The tool {name} answered: {text}." for name, text in asked.results]
    if not sentences:
        sentences.append(f'Certainly. The last message was: "{asked.said}".')
    if asked.system:
        sentences.append(f'The instructions were: "{asked.system[:200]}".')
    sentences += [f"I see {thing}." for thing in asked.seen]
    return " ".join(sentences)


def _bounded(asked: Asked, text: str) -> tuple[str, str, str]:
    finish, stopped = "end", ""
    found = [(text.find(stop), stop) for stop in asked.stop if stop and stop in text]
    if found:
        at, stopped = min(found)
        text, finish = text[:at], "stop"
    parts = pieces(text)
    if asked.cap is not None and len(parts) > asked.cap:
        return "".join(parts[: asked.cap]), "length", ""
    return text, finish, stopped


def _schema_in(text: str) -> dict[str, Any]:
    """The JSON schema that stands in a prompt, or one with the keys that it names in quotes."""
    decoder = json.JSONDecoder()
    prose = text
    for at in (match.start() for match in re.finditer(r"\{", text)):
        try:
            found, end = decoder.raw_decode(text, at)
        except ValueError:
            continue
        if isinstance(found, dict) and "properties" in found:
            return found
        prose = prose.replace(text[at:end], "")
    keys = re.findall(r"[`'\"]([A-Za-z_]\w*)[`'\"]", prose) or ["answer"]
    return {
        "type": "object",
        "properties": {key: {"type": "string"} for key in keys},
        "required": keys,
    }


def _calls(asked: Asked) -> list[tuple[str, str]]:
    if not asked.tools or asked.choice == "none":
        return []
    chosen = _chosen(asked)
    calls = [(tool.name, given) for tool in chosen for given in _arguments(asked, tool)]
    return calls if asked.parallel else calls[:1]


def _chosen(asked: Asked) -> list[Tool]:
    if asked.choice not in ("auto", "required"):
        forced = [tool for tool in asked.tools if tool.name == asked.choice]
        if not forced:
            raise Refused(f"Tool choice '{asked.choice}' is not among the tools.")
        return forced
    called = {name for name, _ in asked.results}
    pending = [tool for tool in asked.tools if tool.name not in called]
    named = [tool for tool in pending if re.search(rf"\b{re.escape(tool.name)}\b", asked.said)]
    if named:
        return named
    if asked.choice == "auto" and asked.results:
        return []
    scores = [(_overlap(tool, asked.said), tool) for tool in pending]
    best, likely = max(scores, key=lambda scored: scored[0], default=(0, asked.tools[0]))
    if asked.choice == "required":
        return [likely if best or not asked.results else (pending or asked.tools)[-1]]
    return [likely] if best >= 2 else []


def _overlap(tool: Tool, said: str) -> int:
    """How much of a tool was spoken of; a word of its name counts twice."""
    words = set(_WORD.findall(said.lower())) - _PLAIN
    name = set(_WORD.findall(tool.name.lower())) - _PLAIN
    described = set(_WORD.findall(tool.description.lower())) - _PLAIN - name
    return 2 * len(words & name) + len(words & described)


def _arguments(asked: Asked, tool: Tool) -> list[str]:
    """The arguments of each call of one tool, as JSON text."""
    said = " ".join([asked.said, *(text for _, text in asked.results)])
    given = re.findall(rf"\b{re.escape(tool.name)}\(([^()]*)\)", asked.said)
    properties = tool.schema.get("properties") or {}
    forced = asked.choice == tool.name  # a tool that stands for the form of the answer
    required = [
        properties[name] for name in tool.schema.get("required") or () if name in properties
    ]
    if given:
        sayings = given
    elif len(required) == 1 and required[0].get("type") == "string" and len(places(said)) > 1:
        sayings = [f"in {place}" for place in places(said)]
    else:
        sayings = [said]
    return [
        json.dumps(value_for(tool.schema, saying, optional=forced), ensure_ascii=False)
        for saying in dict.fromkeys(sayings)
    ]
