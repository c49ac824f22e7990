"""Reads what is assigned to a name: `name = "value"` in all the ways of code, files and prose.

The same grammar serves every detector that knows secrets by their names. It begins where the word
that is known ends (`api_key|_prod = ...`) and is linear: every gap is bounded.
"""

from __future__ import annotations

import re

import msgspec

#: How long a value may be, in characters.
LONGEST_VALUE = 512


class Assigned(msgspec.Struct, frozen=True):
    """The value that belongs to a name, and where it begins.

    `rest` is how the name went on; `said` is true where words and not a sign assign the value.
    """

    start: int
    value: str
    rest: str
    quoted: bool
    said: bool

    @property
    def end(self) -> int:
        """Where the value ends (exclusive)."""
        return self.start + len(self.value)


_QUOTE = r"(?:\\{0,3}[\"'`]|&quot;|&#39;)"
_OPENING = rf"(?P<quote>(?:[urbfLR]|@|\$)?{_QUOTE}|[<(])?"
_REST = (
    r"(?P<rest>[A-Za-z0-9_\-.]{0,32}+"
    r"(?: (?:key|token|id|secret|value|string|number|code|phrase|hash)(?![a-z]))?)"
)
# `name: Type = `, `name" value="`, `name">`, `name")("`, `name", "`, `name: `, `name => `.
_SIGN = (
    r"(?:"
    r"[ \t]{0,2}:[ \t]?[&?*]?[A-Za-z_][\w.<>\[\]?]{0,24}[ \t]?=[ \t]{0,3}"
    rf"|{_QUOTE}[ \t]{{1,2}}(?:[a-z]{{2,12}}={_QUOTE}[^\"'<>\n]{{0,32}}{_QUOTE}[ \t]{{1,2}}){{0,2}}"
    r"value[ \t]?=[ \t]?"
    rf"|{_QUOTE}?(?:[ \t]{{1,2}}[a-z:]{{2,16}}={_QUOTE}[^\"'<>\n]{{0,32}}{_QUOTE}){{0,2}}[ \t]?"
    r"(?<![=-])>[ \t]{0,2}(?=[^\s<=])"
    rf"|(?:{_QUOTE}|[)\]]){{0,3}}[ \t]{{0,2}}[(,][ \t]{{0,2}}(?=(?:[urbfLR]|@)?{_QUOTE})"
    rf"|(?:{_QUOTE}|[)\]*]){{0,3}}[ \t]{{0,12}}(?:[:=]{{1,2}}>?|:=|\?=|->|<-|\|)[ \t]{{0,8}}"
    r"(?:\n[ \t]{1,12}|(?:(?<=[:>|])|(?<=: ))\n|\n(?=[\"']))?[(\[{]?"
    r")"
)
_SCHEME = r"(?:(?:Bearer|Basic|Token|Api-Token|ApiKey|Key)[ ]{1,2})?"
# Signs of equality end a value that no quote holds together, but for those of base64's padding.
_BARE = (
    rf"(?:[^\s\"'`<\\=]|<(?![/A-Za-z!]))[^\s\"'`<=]{{2,{LONGEST_VALUE}}}+={{0,2}}(?![A-Za-z0-9])"
)
_VALUE = rf"(?P<value>(?(quote)[^\s\"'`<\\][^\s\"'`<]{{2,{LONGEST_VALUE}}}+|{_BARE}))"
_BY_SIGN = re.compile(_REST + _SIGN + _OPENING + _SCHEME + _VALUE)
# Words that assign, in the languages whose words for a secret are known here.
_VERB = (
    r"(?:is|was|are|will be|=|set to|changed to|reset to|to|by|"
    r"ist|lautet|war|est|es|era|e|er|ar|on|jest|to jest|je|este|olan|with)"
)
_BY_WORDS = re.compile(
    rf"{_REST}[ \t]{{1,2}}(?:for [\w@.\-]{{1,40}} |of [\w@.\-]{{1,40}} )?(?:{_VERB}[ :]{{1,2}})?"
    rf"(?:[0-9] )?(?:-AsPlainText |-String )?{_OPENING}{_SCHEME}{_VALUE}"
)


def read_assigned(text: str, end: int, least: int = 0) -> Assigned | None:
    """What is assigned to the name whose known word ends at `end`, or None.

    A value of fewer characters than `least` is nothing.
    """
    match = _BY_SIGN.match(text, end)
    said = match is None
    if match is None:
        match = _BY_WORDS.match(text, end)
    if match is None or match.end("value") - match.start("value") < least:
        return None
    quote = match.group("quote")
    return Assigned(
        start=match.start("value"),
        value=match.group("value"),
        rest=match.group("rest"),
        quoted=quote is not None and quote not in "<(",
        said=said,
    )


_CODE = re.compile(
    r"^(?:\$(?![0-9a-z]{1,8}\$)|https?:|%[({]|<|\{|\[|os\.|process\.|env[.\[(]|self\.|this\.|"
    r"config[.\[(]|settings\.|getenv|"
    r"(?:get|input|prompt|str|string|none|null|nil|true|false|undefined|required|optional|function|"
    r"lambda|new|return|int|bool|boolean|varchar|text|bytes?|type|object|any|default|example|"
    r"value|unknown|empty|missing|hidden|secret|password|passwd|token)(?![a-z0-9])|"
    r"vars?\.|secrets\.|\*{3}|\.{2,}|_+$|-+$|\\[nurtx]|"
    r"req\.|request\.|args\.|params\.|data\.|options\.|kwargs|event\.|ctx\.|context\.|"
    r"props\.|state\.|user\.|row\.|item\.|node\.|@[a-z]+[.(]|!(?:ref|sub|vault|getatt))",
    re.I,
)
_CALLED = re.compile(r"[A-Za-z_][\w.:]*[(\[]")
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:(?:\.|::|->)[A-Za-z_]\w*)+[;,]?")


def code(assigned: Assigned) -> bool:
    """Whether the value is an expression of a program, and not a literal."""
    value = assigned.value
    if _CODE.match(value) is not None:
        return True
    if assigned.quoted:
        return False
    return _CALLED.match(value) is not None or _DOTTED.fullmatch(value) is not None
