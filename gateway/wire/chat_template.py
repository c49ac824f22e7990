"""Turns a conversation into a prompt: text and control tokens, kept apart.

ctransformers reads control tokens such as `<|im_end|>` in a text as plain text. So the template is
rendered to text, and the control tokens that *the template* wrote are cut out as token ids; a
server that takes text alone gets one piece of text (`control` is empty then).
Whatever the conversation itself holds is marked before rendering, so that a user who writes
`<|im_end|>` gets those letters and no end of turn. Turn markers that are plain text for the
tokenizer too (`[INST]`, `USER:`) are broken by a space inside the conversation's own text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NoReturn

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

Message = Mapping[str, Any]
#: A run of text, or the id of a control token.
Piece = str | int

# A Unicode noncharacter: no text interchange may contain it, so removing it loses nothing.
_MARK = "\ufdd0"
_MARKER = re.compile(r"\[/?[A-Z_]{2,}\]|<</?[A-Z]+>>|<\|[^|<>\s]+\|>|</?[a-z]+(?:_[a-z]+)+>|</?s>")
_COLON_HEADING = re.compile(r"\b[A-Z][A-Za-z]{2,}:")
_LINE_HEADING = re.compile(r"(?:^|\n)(?:#+ ?)?([A-Z][A-Za-z]{2,})(?=\n)")

#: Formats for models that carry no template, by the name that `chat_template` may hold.
BUILT_IN: Mapping[str, str] = MappingProxyType(
    {
        "chatml": (
            "{% for message in messages %}<|im_start|>{{ message.role }}\n"
            "{{ message.content }}<|im_end|>\n{% endfor %}"
            "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
        ),
        "llama-2": (
            "{% if messages[0].role == 'system' %}{% set rest = messages[1:] %}"
            "{% set system = '<<SYS>>\n' + messages[0].content + '\n<</SYS>>\n\n' %}"
            "{% else %}{% set rest = messages %}{% set system = '' %}{% endif %}"
            "{% for message in rest %}"
            "{% if message.role == 'assistant' %} {{ message.content | trim }} {{ eos_token }}"
            "{% else %}{{ bos_token }}[INST] {% if loop.first %}{{ system }}{% endif %}"
            "{{ message.content | trim }} [/INST]{% endif %}{% endfor %}"
        ),
        "plain": (
            "{% for message in messages %}"
            "{% if message.role == 'assistant' %}ASSISTANT: {% elif message.role == 'system' %}"
            "SYSTEM: {% else %}USER: {% endif %}{{ message.content | trim }}\n{% endfor %}"
            "{% if add_generation_prompt %}ASSISTANT:{% endif %}"
        ),
    }
)


class TemplateFailed(ValueError):
    """The template is broken, or refuses this conversation; the message says which."""


class ChatTemplate:
    """A compiled chat template and the control tokens of its model.

    `guarded` are further texts that a conversation must not be able to imitate.
    """

    def __init__(
        self,
        source: str,
        control: Mapping[str, int],
        bos: str = "",
        eos: str = "",
        *,
        guarded: Sequence[str] = (),
    ) -> None:
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.loopcontrols"],
        )
        environment.globals["raise_exception"] = _refuse
        environment.filters["tojson"] = _to_json
        try:
            self._template = environment.from_string(source)
            literals = _literals(environment, source)
        except jinja2.TemplateError as error:
            raise TemplateFailed(f"the chat template cannot be read: {error}") from None
        self._control = dict(control)
        self._bos, self._eos = bos, eos
        self._cut = _alternatives(control)
        self._guards = _guards([*literals, *guarded], control)
        self.knows_tools = bool(re.search(r"\btools\b", source))
        self._knows_tool_calls = "tool_calls" in source
        self._knows_tool_role = bool(re.search(r"""['"]tool['"]""", source))

    def render(self, messages: Sequence[Message], tools: Sequence[Any] = ()) -> tuple[Piece, ...]:
        """The prompt of a conversation, up to where the assistant's answer begins.

        Raises:
            TemplateFailed: the template refuses the conversation, also after its turns were
                joined the way that stricter templates ask for.
        """
        safe = [self._protect(self._plain(message)) for message in messages]
        safe_tools = self._protect(list(tools)) if tools else None
        try:
            text = self._fill(safe, safe_tools)
        except TemplateFailed:
            text = self._fill(_alternating(safe), safe_tools)
        return self._pieces(text)

    def _fill(self, messages: Sequence[Message], tools: Any) -> str:
        try:
            return self._template.render(
                messages=messages,
                tools=tools,
                bos_token=self._bos,
                eos_token=self._eos,
                add_generation_prompt=True,
            )
        except _RENDER_ERRORS as error:
            # Messages of a template are its author's words; others may quote the conversation.
            told = str(error) if isinstance(error, _Refused) else type(error).__name__
            raise TemplateFailed(f"the chat template refuses these messages: {told}") from None

    def _plain(self, message: Message) -> dict[str, Any]:
        """The message in terms that the template knows."""
        known = dict(message)
        if known["role"] == "developer":
            known["role"] = "system"
        if known["role"] in ("tool", "function") and not self._knows_tool_role:
            known["role"] = "user"
        calls = known.get("tool_calls")
        if calls and not self._knows_tool_calls:
            written = json.dumps([call.get("function") for call in calls], ensure_ascii=False)
            known["content"] = "\n".join(part for part in (known["content"], written) if part)
            del known["tool_calls"]
        return known

    def _protect(self, item: Any) -> Any:
        if isinstance(item, str):
            item = item.replace(_MARK, "")
            for guard, replacement in self._guards:
                item = guard.sub(replacement, item)
            return self._cut.sub(_marked, item) if self._cut else item
        if isinstance(item, Mapping):
            return {key: self._protect(inner) for key, inner in item.items()}
        if isinstance(item, list | tuple):
            return [self._protect(inner) for inner in item]
        return item

    def _pieces(self, text: str) -> tuple[Piece, ...]:
        if self._cut is None:
            return (text.replace(_MARK, ""),)
        pieces: list[Piece] = []
        at = 0
        for found in self._cut.finditer(text):
            pieces += (text[at : found.start()].replace(_MARK, ""), self._control[found.group()])
            at = found.end()
        pieces.append(text[at:].replace(_MARK, ""))
        return tuple(piece for piece in pieces if piece != "")


# A template is a program of somebody else's: whatever its expressions may raise.
_RENDER_ERRORS = (
    jinja2.TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


class _Refused(jinja2.TemplateError):
    """The template called `raise_exception`."""


def _refuse(message: str) -> NoReturn:
    raise _Refused(message)


def _to_json(item: Any, indent: int | None = None, **_: Any) -> str:
    # The stock filter escapes for HTML, which models have not seen.
    return json.dumps(item, ensure_ascii=False, indent=indent)


def _marked(found: re.Match[str]) -> str:
    return found.group()[0] + _MARK + found.group()[1:]


def _spaced(found: re.Match[str]) -> str:
    return found.group()[0] + " " + found.group()[1:]


def _alternatives(control: Mapping[str, int]) -> re.Pattern[str] | None:
    if not control:
        return None
    longest_first = sorted(control, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)))


def _literals(environment: jinja2.Environment, source: str) -> list[str]:
    tree = environment.parse(source)
    written = [node.data for node in tree.find_all(jinja2.nodes.TemplateData)]
    constants = [node.value for node in tree.find_all(jinja2.nodes.Const)]
    return written + [constant for constant in constants if isinstance(constant, str)]


def _guards(
    literals: Sequence[str], control: Mapping[str, int]
) -> list[tuple[re.Pattern[str], Any]]:
    """What breaks the template's plain-text turn markers where a conversation imitates them."""
    markers: set[str] = set()
    colons: set[str] = set()
    lines: set[str] = set()
    for literal in literals:
        markers.update(found for found in _MARKER.findall(literal) if found not in control)
        colons.update(_COLON_HEADING.findall(literal))
        lines.update(_LINE_HEADING.findall(literal))
    guards: list[tuple[re.Pattern[str], Any]] = []
    if markers:
        guards.append((re.compile("|".join(map(re.escape, sorted(markers)))), _spaced))
    if colons:
        names = "|".join(re.escape(heading[:-1]) for heading in sorted(colons))
        guards.append((re.compile(rf"\b({names}):"), r"\1 :"))
    if lines:
        names = "|".join(map(re.escape, sorted(lines)))
        guards.append((re.compile(rf"(?m)^((?:#+ ?)?(?:{names}))(?=\s*$)"), r" \1"))
    return guards


def _alternating(messages: Sequence[Message]) -> list[Message]:
    """User and assistant in turn: the system text goes into the first user turn."""
    joined: list[dict[str, Any]] = []
    for message in messages:
        role = "assistant" if message["role"] == "assistant" else "user"
        if joined and joined[-1]["role"] == role:
            joined[-1]["content"] = f"{joined[-1]['content']}\n\n{message['content']}"
        else:
            joined.append({"role": role, "content": message["content"]})
    if joined and joined[0]["role"] == "assistant":
        joined.insert(0, {"role": "user", "content": ""})
    return list(joined)
