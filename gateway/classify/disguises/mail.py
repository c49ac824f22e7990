"""E-mail addresses with words in the place of their signs."""

from __future__ import annotations

import re

from gateway.classify.disguises.base import Disguise

_AT_WORD = (
    r"(?:at|at-sign|atsign|arobase|arroba|chiocciola|klammeraffe|apenstaartje|snabel-a|snabela|"
    r"kukac|zavinac|malpa|miukumauku|et|a|@)"
)
# Between blanks only words that say nothing else in a sentence, and `at`.
_AT_ALONE = (
    r"(?:at|at-sign|arobase|arroba|chiocciola|klammeraffe|apenstaartje|snabel-a|kukac|zavinac)"
)
_DOT_WORD = r"(?:dot|punkt|punto|point|ponto|punt|piste|tecka|kropka|nokta)"
_DOT = re.compile(rf" ?[\[({{<_] ?(?:{_DOT_WORD}|\.)[ _]?[\])}}>_]? ?| {_DOT_WORD} | \. ", re.I)

# Ends of host names that people spell out; a closed list keeps code such as `x_at_y.z` apart.
_ENDS = frozenset(
    (
        "com org net edu gov info biz io ai co dev app me uk de fr es it nl be ch at se no dk fi "
        "pl pt ie cz gr hu ro us ca mx br ar cl in cn jp kr sg hk tw au nz za ru ua tr il eu int "
        "mil lu sk si hr bg lt lv ee is id my th vn ph pk sa ae eg ng ke xyz online site tech"
    ).split()
)


# Words that begin a phrase after "at" and no host name.
_ARTICLES = frozenset("the a an my your our this that any some their his her its least all".split())

_PART = r"[A-Za-z0-9+\-]{1,40}(?:_[A-Za-z0-9+\-]{1,40}){0,2}?"
_SIGN = rf"(?: @ |@| ?[\[({{<*\"'] ?{_AT_WORD} ?[\])}}>*\"'] ?|_at_| ?-at- ?| {_AT_ALONE} )"
_HOSTDOT = rf"(?: ?[\[({{<] ?(?:{_DOT_WORD}|\.) ?[\])}}>] ?|_dot_| {_DOT_WORD} | \. |\.)"
_LOCAL = re.compile(rf"(?<![A-Za-z0-9])({_PART}(?:{_HOSTDOT}{_PART}){{0,3}})$", re.I)
#: How long a name before the sign may be, in characters.
_LONGEST_LOCAL = 130


def _read_back(match: re.Match[str]) -> tuple[int, str] | None:
    host = _plain(match.group("host"))
    if host.rsplit(".", 1)[-1].lower() not in _ENDS or host.split(".")[0].lower() in _ARTICLES:
        return None
    start = match.start()
    local = _LOCAL.search(match.string, max(0, start - _LONGEST_LOCAL), start)
    if local is None:
        return None
    return local.start(), f"{_plain(local.group())}@{host}"


def _plain(spelled: str) -> str:
    return _DOT.sub(".", spelled).replace(" ", "").replace("_dot_", ".")


MAIL: tuple[Disguise, ...] = (
    Disguise(
        "mail",
        (
            r"[a-z0-9][ ]?[\[({<*\"'_][ ]?(?:at|@|et)[ ]?[\])}>*\"'_]|[a-z0-9]\(a\)[a-z0-9]",
            r"[a-z0-9] @ [a-z0-9]|-at-| dot (?:com|org|net|de|fr|es|it|nl|co|io|uk)",
            r"[\[({<_] ?(?:dot|\.|punkt|punto|point|ponto) ?[\])}>_]",
            r" at-sign | arobase | arroba | chiocciola | klammeraffe | apenstaartje | snabel-a ",
            r" kukac | zavinac ",
            r" at [a-z0-9\-]{2,24}\.(?:com|org|net|de|fr|es|it|nl|co|io)[^a-z0-9\-]",
        ),
        re.compile(rf"{_SIGN}(?P<host>{_PART}(?:{_HOSTDOT}{_PART}){{1,4}})", re.I),
        lambda _: None,
        _read_back,
    ),
)
