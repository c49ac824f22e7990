"""The golden tables: what every pair of wires makes of one input, as files to be read.

A file holds a title, the input under `--- from <wire>` as its author wrote it, and below it what
comes out, under `--- to <wires>`: for a request the body that the backend gets after the pointers
of what it does not carry, for an answer the body that the client gets.
`python -m tests.golden.regenerate` writes the lower part anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from gateway.runtime.bridges import _BACKS, _FRONTS, APIS, bridge_between
from gateway.wire.base import Caching, Sending

HERE = Path(__file__).parent
WIDTH = 100
CAP = 4096

_CAP_FIELDS = {
    "openai_responses": "max_output_tokens",
    "ollama_chat": "num_predict",
    "openai_chat": "max_completion_tokens",
}
#: OpenAI's own servers take marks in the prompt; servers like them are told nothing.
_CACHING: dict[str, Caching] = {"openai_chat": "breakpoints", "openai_responses": "breakpoints"}
_APIS = {api.wire: api for api in APIS.values()}
#: Requests of the client's side, by wire; answers of a backend are turned into these.
FRONTS = tuple(sorted(_FRONTS))
BACKS = tuple(sorted(_BACKS))


@dataclass(frozen=True)
class Case:
    """One file's upper part."""

    path: Path
    title: str
    wire: str
    written: str

    @property
    def body(self) -> Any:
        """The input, decoded."""
        return json.loads(self.written)

    def file_with(self, outputs: list[tuple[str, str]]) -> str:
        """The whole file."""
        parts = [f"# {self.title}\n\n--- from {self.wire}\n{self.written.strip()}\n"]
        alike: dict[str, list[str]] = {}
        for wire, text in outputs:
            alike.setdefault(text.strip(), []).append(wire)
        parts += [f"\n--- to {', '.join(wires)}\n{text}\n" for text, wires in alike.items()]
        return "".join(parts)


def read_case(path: Path) -> Case:
    """The upper part of a file."""
    head, _, rest = path.read_text(encoding="utf-8").partition("--- from ")
    wire, _, rest = rest.partition("\n")
    written, _, _ = rest.partition("\n--- to ")
    return Case(path, head.strip().removeprefix("# "), wire.strip(), written)


def tables() -> list[tuple[Path, Callable[[Case], str]]]:
    """Every file, with what makes its text."""
    requests = [(path, request_table) for path in sorted((HERE / "requests").glob("*.txt"))]
    answers = [(path, answer_table) for path in sorted((HERE / "answers").glob("*.txt"))]
    return [*requests, *answers]


def request_table(case: Case) -> str:
    """What every backend gets of a client's request."""
    api = _APIS[case.wire]
    request = api.decode(msgspec.json.encode(case.body))
    outputs = []
    for wire in BACKS:
        bridge = bridge_between(api, wire, new_id="new", created=1_700_000_000)
        sending = Sending(
            model="backend-model",
            output_cap=CAP,
            cap_field=_CAP_FIELDS.get(wire, "max_tokens"),
            options=(("chat_template", "chatml"),),
            caching=_CACHING.get(wire, "none"),
        )
        encoded = bridge.encode(request, sending)
        lost = "not carried: " + (", ".join(encoded.lossy) or "nothing")
        outputs.append((wire, f"{lost}\n{pretty(json.loads(encoded.body))}"))
    return case.file_with(outputs)


def answer_table(case: Case) -> str:
    """What every kind of client gets of a backend's answer."""
    outputs = []
    for wire in FRONTS:
        request = _APIS[wire].decode(msgspec.json.encode(SHORTEST[wire]))
        bridge = bridge_between(_APIS[wire], case.wire, new_id="new", created=1_700_000_000)
        reply = bridge.reply(request, msgspec.json.encode(case.body))
        if reply.failure is not None:
            outputs.append((wire, f"failed: {reply.failure.kind.value}"))
        else:
            outputs.append((wire, pretty(json.loads(reply.body))))
    return case.file_with(outputs)


#: The shortest request of each API.
SHORTEST: dict[str, dict[str, Any]] = {
    "openai_chat": {"model": "m", "messages": [{"role": "user", "content": "hi"}]},
    "openai_completions": {"model": "m", "prompt": "hi"},
    "openai_responses": {"model": "m", "input": "hi"},
    "anthropic_messages": {
        "model": "m",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "hi"}],
    },
}


def pretty(value: Any, indent: str = "") -> str:
    """JSON in which whatever fits on a line stands on one."""
    line = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(line) <= WIDTH or not isinstance(value, dict | list) or not value:
        return line
    deeper = indent + "  "
    if isinstance(value, dict):
        rows = [
            f"{deeper}{json.dumps(name, ensure_ascii=False)}: {pretty(held, deeper)}"
            for name, held in value.items()
        ]
        return "{\n" + ",\n".join(rows) + f"\n{indent}}}"
    return "[\n" + ",\n".join(deeper + pretty(held, deeper) for held in value) + f"\n{indent}]"
