"""Which part of a prompt the vendor shall keep for the next request, in both vendors' words.

Anthropic's `cache_control` stands on blocks and tools and lasts five minutes or an hour; OpenAI's
`prompt_cache_breakpoint` stands on content parts and lasts half an hour or twelve. A mark becomes
the other's mark of the lifetime that is sold by default, and a lasting one the other's longer one;
that twelve hours became one is named. Clients of OpenAI's chat API that know several vendors send
`cache_control` there too, so it is read there.

Sources: the types of the official SDKs (anthropic 2.12, openai 3.54), and
platform.claude.com/docs/en/build-with-claude/prompt-caching for the limits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gateway.core.conversation import CacheMark, Conversation, Part, Thinking, ToolResult

#: The fields that a mark stands in.
ANTHROPIC, OPENAI = "cache_control", "prompt_cache_breakpoint"
#: Anthropic refuses more marks in one request.
MOST_MARKS = 4
#: What OpenAI does without being asked: the values of `prompt_cache_options` that ask for nothing.
DEFAULT_CACHE_OPTIONS: tuple[object, ...] = (
    {},
    {"mode": "implicit"},
    {"ttl": "30m"},
    {"mode": "implicit", "ttl": "30m"},
)

Block = dict[str, Any]


def read_mark(found: Mapping[str, Any], pointer: str) -> CacheMark | None:
    """The mark on a block, part or tool in either vendor's words; None where there is none."""
    match found:
        case {"cache_control": {"type": "ephemeral", **rest}}:
            field, lives = ANTHROPIC, _ANTHROPIC_LIVES
        case {"prompt_cache_breakpoint": {"mode": "explicit", **rest}}:
            field, lives = OPENAI, _OPENAI_LIVES
        case _:
            return None
    ttl = rest.get("ttl")
    # The one by default is told or left out.
    if ttl is not None and ttl not in lives:
        return None
    return CacheMark(ttl == lives[1], f"{pointer}/{field}")


def mark_field(mark: CacheMark | None) -> set[str]:
    """The field that the mark was read from, to be added to the fields that are understood."""
    return set() if mark is None else {mark.pointer.rpartition("/")[2]}


def openai_mark(mark: CacheMark | None) -> Block:
    """The field of a content part; empty without a mark."""
    if mark is None:
        return {}
    return {OPENAI: {"mode": "explicit"} | ({"ttl": "12h"} if mark.lasting else {})}


def unsaid_caching(conversation: Conversation) -> Iterator[str]:
    """The pointers of all that a request says of a prompt cache, for wires that can say nothing."""
    if conversation.cache_key:
        yield conversation.origin("cache_key")
    holders: list[Any] = [*conversation.tools, conversation]
    for message in conversation.messages:
        holders += _with_inner(message.parts)
    for holder in holders:
        if holder.cache is not None:
            yield holder.cache.pointer


class AnthropicMarks:
    """Sets the marks of one request that is written in Anthropic's wire.

    At most `MOST_MARKS` may stand in a request, the latest ones count, and none may outlive one
    that stands before it: whatever breaks these rules is left out or shortened, and named.
    """

    def __init__(self) -> None:
        self._marked: dict[str, list[tuple[Block, CacheMark]]] = {}

    def set(self, section: str, block: Block, mark: CacheMark | None) -> Block:
        """Remember the mark of a block in `tools`, `system` or `messages`; gives the block."""
        if mark is not None:
            self._marked.setdefault(section, []).append((block, mark))
        return block

    def write(self, whole: CacheMark | None) -> tuple[Block, list[str]]:
        """Write the marks into their blocks, after the last was set.

        Returns the top-level field that marks the request as a whole, and the pointers of the
        marks that are not carried as they were meant.
        """
        lossy: list[str] = []
        order = ("tools", "system", "messages")
        marked = [pair for section in order for pair in self._marked.get(section, ())]
        room = MOST_MARKS - (whole is not None)
        lossy += [mark.pointer for _, mark in marked[: max(0, len(marked) - room)]]
        lasting = True
        for block, mark in marked[-room:]:
            if mark.lasting and (not lasting or mark.pointer.endswith(OPENAI)):
                lossy.append(mark.pointer)
            lasting = lasting and mark.lasting
            block[ANTHROPIC] = _control(lasting)
        if whole is None:
            return {}, lossy
        return {ANTHROPIC: _control(whole.lasting and lasting)}, lossy


#: The lifetimes that each vendor sells: the one by default and the longer one.
_ANTHROPIC_LIVES = ("5m", "1h")
_OPENAI_LIVES = ("30m", "12h")


def _control(lasting: bool) -> Block:
    return {"type": "ephemeral"} | ({"ttl": "1h"} if lasting else {})


def _with_inner(parts: Sequence[Part]) -> Iterator[Part]:
    for part in parts:
        if isinstance(part, Thinking):
            continue
        if isinstance(part, ToolResult):
            yield from _with_inner(part.parts)
        yield part
