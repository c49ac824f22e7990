"""A chat request and its answer in no vendor's words: what one wire is translated to another by.

A front codec reads the client's wire into a `Conversation`; a back codec writes it in the
backend's wire and reads the backend's answer into events, which the front codec writes for the
client. Pointers are JSON pointers into the client's request, so that whatever a backend cannot
carry is named in the client's own terms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from gateway.core.failure import AttemptFailure
from gateway.core.usage import Usage

Role = Literal["system", "user", "assistant"]
FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]


# Requests.


class CacheMark(msgspec.Struct, frozen=True):
    """The wish that the backend keep the prompt, up to the part that bears it, for later requests.

    `lasting` asks for the longer of the lifetimes that a vendor sells (an hour or more).
    """

    lasting: bool = False
    pointer: str = ""


class Text(msgspec.Struct, frozen=True):
    """Plain text."""

    text: str
    pointer: str = ""
    cache: CacheMark | None = None


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """A picture, by URL or as base64 `content` of a media type.

    `detail` is how closely to look at it, in OpenAI's words; empty where that is left open.
    """

    url: str = ""
    media_type: str = ""
    content: str = ""
    detail: str = ""
    pointer: str = ""
    detail_pointer: str = ""
    cache: CacheMark | None = None


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A file, by URL or as base64 `content` of a media type."""

    url: str = ""
    media_type: str = ""
    content: str = ""
    title: str = ""
    pointer: str = ""
    cache: CacheMark | None = None


class ToolCall(msgspec.Struct, frozen=True, kw_only=True):
    """The model's wish to call a tool; `arguments` is JSON text as the model wrote it."""

    id: str
    name: str
    arguments: str
    pointer: str = ""
    cache: CacheMark | None = None


class ToolResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a called tool answered; `failed` says that it is the tool's error."""

    call_id: str
    parts: tuple[Part, ...]
    failed: bool = False
    pointer: str = ""
    cache: CacheMark | None = None


class Thinking(msgspec.Struct, frozen=True, kw_only=True):
    """Reasoning that the model showed in an earlier turn; `signature` proves its origin.

    `sealed` is reasoning that only its vendor can read; there is no text then.
    """

    text: str
    signature: str = ""
    sealed: str = ""
    pointer: str = ""


Part = Text | Image | Document | ToolCall | ToolResult | Thinking


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One turn; results of tools stand in user turns."""

    role: Role
    parts: tuple[Part, ...]
    pointer: str = ""


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """A function that the model may call; `schema` is the JSON schema of its arguments."""

    name: str
    description: str = ""
    schema: Mapping[str, object] | None = None
    strict: bool = False
    pointer: str = ""
    cache: CacheMark | None = None


class ToolChoice(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the model must call a tool: `named` names the one."""

    mode: Literal["auto", "none", "required", "named"]
    name: str = ""


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """One chat request.

    `answer_schema` is the JSON schema that the answer must obey; `answer_json` asks for a JSON
    object of any shape. `origins` maps the name of a field here to the pointer it was read from.
    `not_understood` are the pointers of what the front codec could not read at all. Sampling
    stands in OpenAI's ranges (temperature 0..2, penalties -2..2), whatever the client's wire; see
    `gateway.wire.sampling`. `logprobs` asks how likely each token of the answer was, and for that
    many alternatives (0: none; None: not asked). `service_tier` is in OpenAI's words, empty where
    the client left the choice to the backend. `cache_key` names requests that share a prompt's
    beginning, and `cache` asks to keep as much of this prompt as can be kept.
    """

    messages: tuple[Message, ...]
    stream: bool = False
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tools: bool | None = None
    output_cap: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    answer_schema: Mapping[str, object] | None = None
    answer_json: bool = False
    effort: str = ""
    user: str = ""
    top_k: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    logprobs: int | None = None
    service_tier: str = ""
    cache_key: str = ""
    cache: CacheMark | None = None
    origins: Mapping[str, str] = {}
    not_understood: tuple[str, ...] = ()

    def origin(self, name: str) -> str:
        """The pointer that a field was read from."""
        return self.origins.get(name, f"/{name}")


# Answers, as a stream of events; a whole answer is the same events at once.


class Started(msgspec.Struct, frozen=True):
    """The backend began to answer, with this model."""

    model: str


class TokenLogprob(msgspec.Struct, frozen=True, kw_only=True):
    """A token and the natural logarithm of its probability.

    `raw` are its bytes where the backend told them: a token may hold a part of a character.
    `alternatives` are the most likely tokens at its place.
    """

    token: str
    logprob: float
    raw: tuple[int, ...] | None = None
    alternatives: tuple[TokenLogprob, ...] = ()


class TextDelta(msgspec.Struct, frozen=True):
    """A piece of the answer, and its tokens where they were asked for."""

    text: str
    logprobs: tuple[TokenLogprob, ...] = ()


class Cited(msgspec.Struct, frozen=True, kw_only=True):
    """A page that a part of the answer rests on.

    `start` and `end` are code-point offsets of that part in the answer's text, and `quote` is what
    the page says, empty where that is not told.
    """

    url: str
    title: str = ""
    quote: str = ""
    start: int = 0
    end: int = 0


class RefusalDelta(msgspec.Struct, frozen=True):
    """A piece of the model's refusal, where a wire tells it apart from an answer."""

    text: str


class ReasoningDelta(msgspec.Struct, frozen=True):
    """A piece of shown reasoning."""

    text: str


class ReasoningSigned(msgspec.Struct, frozen=True):
    """The proof of origin of the reasoning shown so far, to be sent back with it."""

    signature: str


class ToolCallStarted(msgspec.Struct, frozen=True):
    """The model begins a call; `index` counts the answer's calls from 0."""

    index: int
    id: str
    name: str


class ArgumentsDelta(msgspec.Struct, frozen=True):
    """A piece of a call's arguments, as JSON text."""

    index: int
    text: str


class Finished(msgspec.Struct, frozen=True):
    """The model stopped, and why; `stop` is the stop string that it met, where that is told."""

    reason: FinishReason
    stop: str = ""


class UsageTold(msgspec.Struct, frozen=True):
    """What the whole answer used."""

    usage: Usage


class Ended(msgspec.Struct, frozen=True):
    """The backend's own end marker."""


class Failed(msgspec.Struct, frozen=True):
    """The backend told an error in place of the rest."""

    failure: AttemptFailure


Event = (
    Started
    | TextDelta
    | Cited
    | RefusalDelta
    | ReasoningDelta
    | ReasoningSigned
    | ToolCallStarted
    | ArgumentsDelta
    | Finished
    | UsageTold
    | Ended
    | Failed
)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer."""

    model: str = ""
    text: str = ""
    logprobs: tuple[TokenLogprob, ...] = ()
    citations: tuple[Cited, ...] = ()
    refusal: str = ""
    reasoning: str = ""
    signature: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish: FinishReason | None = None
    stop: str = ""
    usage: Usage | None = None
    ended: bool = False
    failure: AttemptFailure | None = None


def fold(events: Iterable[Event]) -> Answer:
    """The whole answer that a stream of events amounts to."""
    folded = Answer()
    texts: list[str] = []
    tokens: list[TokenLogprob] = []
    citations: list[Cited] = []
    refusals: list[str] = []
    reasonings: list[str] = []
    calls: dict[int, tuple[str, str, list[str]]] = {}
    for event in events:
        match event:
            case TextDelta(text, logprobs):
                texts.append(text)
                tokens += logprobs
            case Cited():
                citations.append(event)
            case RefusalDelta(text):
                refusals.append(text)
            case ReasoningDelta(text):
                reasonings.append(text)
            case ToolCallStarted(index, call_id, name):
                calls[index] = (call_id, name, [])
            case ArgumentsDelta(index, text):
                calls[index][2].append(text)
            case _:
                folded = _noted(folded, event)
    return msgspec.structs.replace(
        folded,
        text="".join(texts),
        logprobs=tuple(tokens),
        citations=tuple(citations),
        refusal="".join(refusals),
        reasoning="".join(reasonings),
        tool_calls=tuple(
            ToolCall(id=call_id, name=name, arguments="".join(pieces))
            for _, (call_id, name, pieces) in sorted(calls.items())
        ),
    )


def _noted(folded: Answer, event: Event) -> Answer:
    match event:
        case Started(model):
            return msgspec.structs.replace(folded, model=model)
        case ReasoningSigned(signature):
            return msgspec.structs.replace(folded, signature=signature)
        case Finished(reason, stop):
            return msgspec.structs.replace(folded, finish=reason, stop=stop)
        case UsageTold(usage):
            return msgspec.structs.replace(folded, usage=usage)
        case Ended():
            return msgspec.structs.replace(folded, ended=True)
        case Failed(failure):
            return msgspec.structs.replace(folded, failure=failure)
        case _:
            return folded
