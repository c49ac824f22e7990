"""Undoes disguises inside a text: escapes, spelled-out digits, "[at]", broken-up strings.

Each disguise has a gate, which the engine answers in its one pass, and a pattern with a
function that gives what the writer meant. All are applied together, places kept.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable
from urllib.parse import unquote_to_bytes

import msgspec

from gateway.classify.offsets import Replacement


class Disguise(msgspec.Struct, frozen=True):
    """A way to write something differently: its gate, its shape, and how to read it."""

    name: str
    gate: str
    shape: re.Pattern[str]
    read: Callable[[re.Match[str]], str | None]


_DIGIT_WORDS = {
    "zero": "0", "oh": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5",
    "six": "6", "seven": "7", "eight": "8", "nine": "9",
    "null": "0", "eins": "1", "zwei": "2", "zwo": "2", "drei": "3", "vier": "4", "funf": "5",
    "fuenf": "5", "sechs": "6", "sieben": "7", "acht": "8", "neun": "9",
    "un": "1", "deux": "2", "trois": "3", "quatre": "4", "cinq": "5", "sept": "7", "huit": "8",
    "neuf": "9", "uno": "1", "dos": "2", "tres": "3", "cuatro": "4", "cinco": "5", "seis": "6",
    "siete": "7", "ocho": "8", "nueve": "9", "due": "2", "tre": "3", "quattro": "4", "cinque": "5",
    "sei": "6", "sette": "7", "otto": "8", "nove": "9", "um": "1", "dois": "2", "quatro": "4",
    "sete": "7", "oito": "8", "nul": "0", "een": "1", "twee": "2", "drie": "3", "vijf": "5",
    "zes": "6", "zeven": "7", "negen": "9",
}  # fmt: skip
_WORD = "|".join(sorted(_DIGIT_WORDS, key=len, reverse=True))
_SPELLED = rf"(?:{_WORD}|[0-9])(?:[ ,\-]{{1,3}}(?:{_WORD}|[0-9])){{6"
_TOKEN = re.compile(rf"{_WORD}|[0-9]", re.I)


def _spelled(match: re.Match[str]) -> str | None:
    tokens = _TOKEN.findall(match.group().lower())
    words = sum(not token.isdigit() for token in tokens)
    if words < 3:
        return None
    return "".join(_DIGIT_WORDS.get(token, token) for token in tokens)


def _percent(match: re.Match[str]) -> str:
    return unquote_to_bytes(match.group()).decode("utf-8", "replace")


_ESCAPE = re.compile(
    r"\\u\{([0-9a-fA-F]{1,6})\}|\\[uU]([0-9a-fA-F]{8}|[0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})"
)


def _escaped(match: re.Match[str]) -> str:
    codes = (int(next(filter(None, one.groups())), 16) for one in _ESCAPE.finditer(match.group()))
    return "".join(chr(code) if code < 0x110000 else "?" for code in codes)


def _octal(match: re.Match[str]) -> str:
    return "".join(chr(int(code, 8)) for code in re.findall(r"\\([0-7]{3})", match.group()))


def _bits(match: re.Match[str]) -> str | None:
    around = (
        match.string[match.start() - 1 : match.start()]
        + match.string[match.end() : match.end() + 1]
    )
    bits = re.findall(r"[01]{8}", match.group())
    if any(map(str.isalnum, around)):
        return None
    text = "".join(chr(int(byte, 2)) for byte in bits)
    return text if text.isprintable() and text.isascii() else None


_CONFUSED = str.maketrans("OoQDIlL|iSsBZz", "00001111155822")


def _leet(match: re.Match[str]) -> str | None:
    shown = match.group()
    digits = sum(character.isdigit() for character in shown)
    return shown.translate(_CONFUSED) if digits >= 8 else None


_DOT = re.compile(r" ?[\[({<_] ?(?:dot|punkt|punto|point)[ _]?[\])}>_]? ?| dot ", re.I)


# Ends of host names that people spell out; a closed list keeps code such as `x_at_y.z` apart.
_ENDS = frozenset(
    (
        "com org net edu gov info biz io ai co dev app me uk de fr es it nl be ch at se no dk fi "
        "pl pt ie cz gr hu ro us ca mx br ar cl in cn jp kr sg hk tw au nz za ru ua tr il eu int "
        "mil"
    ).split()
)


def _mail(match: re.Match[str]) -> str | None:
    local = _DOT.sub(".", match.group("local")).replace(" ", "").replace("_dot_", ".")
    host = _DOT.sub(".", match.group("host")).replace(" ", "").replace("_dot_", ".")
    if host.rsplit(".", 1)[-1].lower() not in _ENDS:
        return None
    return f"{local}@{host}"


def _dashed(match: re.Match[str]) -> str:
    return "-".join(re.findall(r"[0-9]+", match.group()))


def _codes(match: re.Match[str]) -> str | None:
    shown = match.group()
    hexadecimal = re.findall(r"0[xX]([0-9A-Fa-f]{2})", shown)
    codes = [int(code, 16) for code in hexadecimal] or [int(c) for c in re.findall(r"\d+", shown)]
    if not all(32 <= code < 127 for code in codes):
        return None
    return "".join(map(chr, codes))


def _closed_up(match: re.Match[str]) -> str:
    return match.group().replace(" ", "")


def _quoted_printable(match: re.Match[str]) -> str:
    raw = bytes.fromhex("".join(re.findall(r"=([0-9A-Fa-f]{2})", match.group())))
    return raw.decode("utf-8", "replace")


def _markup(match: re.Match[str]) -> str | None:
    # Only what breaks up a word or a number; tags between words separate them.
    before, after = (
        match.string[match.start() - 1 : match.start()],
        match.string[match.end() : match.end() + 1],
    )
    return "" if before.isalnum() and after.isalnum() else None


def _nothing(_match: re.Match[str]) -> str:
    return ""


def _entity(match: re.Match[str]) -> str:
    return html.unescape(match.group())


_PART = r"[A-Za-z0-9+\-]{1,40}"
_SIGN = r"(?: @ | ?[\[({<] ?(?:at|arobase|@) ?[\])}>] ?|_at_|-at-| at )"
_HOSTDOT = r"(?: ?[\[({<] ?(?:dot|punkt|punto|point|\.) ?[\])}>] ?|_dot_| dot | \. |\.)"

DISGUISES: tuple[Disguise, ...] = (
    Disguise("percent", r"%[0-9a-f]{2}", re.compile(r"(?:%[0-9A-Fa-f]{2})+"), _percent),
    Disguise(
        "entity",
        r"&#?[0-9a-z]{2,8};",
        re.compile(r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,8});"),
        _entity,
    ),
    Disguise(
        "escape",
        r"\\(?:u[0-9a-f]{4}|x[0-9a-f]{2}|u\{)",
        re.compile(
            r"(?:\\u\{[0-9a-fA-F]{1,6}\}|\\U[0-9a-fA-F]{8}|\\u[0-9a-fA-F]{4}|"
            r"\\x[0-9a-fA-F]{2})+"
        ),
        _escaped,
    ),
    Disguise("octal", r"\\[0-7]{3}\\[0-7]{3}", re.compile(r"(?:\\[0-7]{3}){2,}"), _octal),
    Disguise(
        "quoted_printable",
        r"=[0-9a-f]{2}=[0-9a-f]{2}|=[34][0-9a-f]",
        re.compile(r"(?:=[0-9A-F]{2})+"),
        _quoted_printable,
    ),
    Disguise("soft_break", r"=\n", re.compile(r"=\n"), _nothing),
    Disguise("ansi", r"\x1b\[", re.compile(r"\x1b\[[0-9;]{0,12}[A-Za-z]"), _nothing),
    Disguise(
        "concatenation",
        "[\"'][ \\t]{0,4}(?:[+&.\\\\][ \\t]{0,4}\\n?|\\n)[ \\t]{0,16}[\"']",
        re.compile(
            "[\"'][ \\t]{0,4}(?:[+&.\\\\][ \\t]{0,4}\\n?|\\n)[ \\t]{0,16}(?:\\+ {0,3})?[\"']"
        ),
        _nothing,
    ),
    Disguise(
        "spelled",
        rf"(?:{_WORD})[ ,\-](?:{_WORD}|[0-9])[ ,\-]|[0-9] (?:{_WORD}) [0-9]",
        re.compile(rf"(?<![A-Za-z]){_SPELLED},40}}(?![A-Za-z])", re.I),
        _spelled,
    ),
    Disguise(
        "bits",
        r"(?:[01]{8}[ ,]?){5}",
        re.compile(r"(?:[01]{8}[ ,]?){5,}+"),
        _bits,
    ),
    Disguise(
        "leet",
        r"[0-9][0-9oildsbqz|]{3}[ \-]?[0-9oildsbqz|]{4}[ \-]?[0-9oildsbqz|"
        r"]{4}[ \-]?[0-9oildsbqz|]{3}",
        re.compile(
            r"[0-9][0-9OoIlSsBQDZz|]{3}(?:[ \-]?[0-9OoIlSsBQDZz|"
            r"]{4}){2}[ \-]?[0-9OoIlSsBQDZz|]{3,4}(?![A-Za-z0-9])"
        ),
        _leet,
    ),
    Disguise(
        "marked_digits",
        r"[0-9]{2}[,_|*+~=;\\][0-9]{2,4}[,_|*+~=;\\][0-9]{4}",
        re.compile(
            r"(?:[0-9]{4}(?P<sign>[,_|*+~=;\\])[0-9]{4}(?P=sign)[0-9]{4}(?P=sign)[0-9]{1,4}"
            r"|[0-9]{3}(?P<mark>[,_|*+~=;\\])[0-9]{2}(?P=mark)[0-9]{4})"
            r"(?![,_|*+~=;\\]?[0-9])"
        ),
        _dashed,
    ),
    Disguise(
        "tags",
        r"[0-9][*_`]{1,2}[0-9]{2}|[0-9@]<[a-z/!]",
        re.compile(r"(?:<[/!A-Za-z][^<>\n]{0,40}>)+|[*_`]{1,2}(?=[0-9])"),
        _markup,
    ),
    Disguise(
        "listed",
        "[0-9][\"'], ?[\"'][0-9]",
        re.compile("(?<=[0-9])[\"'], ?[\"'](?=[0-9])"),
        _nothing,
    ),
    Disguise(
        "codes",
        r"(?:0x[0-9a-f]{2}[, ]{1,2}){5}|(?:[0-9]{2,3}, ?){8}",
        re.compile(
            r"0[xX][0-9A-Fa-f]{2}(?:[, ]{1,2}0[xX][0-9A-Fa-f]{2}){5,}+"
            r"|[0-9]{2,3}(?:, ?[0-9]{2,3}){8,}+"
        ),
        _codes,
    ),
    Disguise(
        "spaced_out",
        r"[^a-z0-9](?:[a-z0-9] ){9}[a-z0-9]",
        re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9](?: [A-Za-z0-9](?![A-Za-z0-9])){9,}+"),
        _closed_up,
    ),
    Disguise(
        "mail",
        r"[\[({<_] ?at ?[\])}>_]|[a-z0-9] @ [a-z0-9]|\[@\]|-at-| dot [a-z]{2}|"
        r"[\[({<_] ?dot ?[\])}>_]",
        re.compile(
            rf"(?<![A-Za-z0-9])(?P<local>{_PART}(?:{_HOSTDOT}{_PART}){{0,3}}?){_SIGN}"
            rf"(?P<host>{_PART}(?:{_HOSTDOT}{_PART}){{1,4}})",
            re.I,
        ),
        _mail,
    ),
)


def replacements(text: str, gates: Iterable[str]) -> list[Replacement]:
    """What to replace in a text whose open gates are given: ordered and without overlaps."""
    wanted = set(gates)
    candidates: list[Replacement] = []
    for disguise in DISGUISES:
        if disguise.name not in wanted:
            continue
        for match in disguise.shape.finditer(text):
            meant = disguise.read(match)
            if meant is not None and meant != match.group():
                candidates.append((*match.span(), meant))
    candidates.sort()
    chosen: list[Replacement] = []
    reached = 0
    for start, end, meant in candidates:
        if start >= reached:
            chosen.append((start, end, meant))
            reached = end
    return chosen
