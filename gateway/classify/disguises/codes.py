"""Characters written as codes: escapes, entities, numbers of characters, bits."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable

from gateway.classify.disguises.base import Disguise, nothing


def _readable(codes: Iterable[int]) -> str | None:
    text = "".join(chr(code) if code < 0x110000 else "\0" for code in codes)
    return text if all(c.isprintable() or c in "\t\n\r" for c in text) else None


def _percent(match: re.Match[str]) -> str:
    return bytes.fromhex(match.group().replace("%", "")).decode("utf-8", "replace")


def _wide_percent(match: re.Match[str]) -> str | None:
    return _readable(int(code, 16) for code in re.findall(r"%u([0-9a-fA-F]{4})", match.group()))


_ESCAPE = re.compile(
    r"\\u\{([0-9a-fA-F]{1,6})\}|\\[uU]([0-9a-fA-F]{8}|[0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})"
)


def _escaped(match: re.Match[str]) -> str:
    codes = (int(next(filter(None, one.groups())), 16) for one in _ESCAPE.finditer(match.group()))
    return "".join(chr(code) if code < 0x110000 else "?" for code in codes)


def _octal(match: re.Match[str]) -> str:
    return "".join(chr(int(code, 8)) for code in re.findall(r"\\([0-7]{3})", match.group()))


def _bits(match: re.Match[str]) -> str | None:
    around = match.string[: match.end() + 1][match.end() :] + match.string[match.start() - 1 :][:1]
    shown = match.group()
    parts = re.findall(r"[01]+", shown)
    size = 8 if len(parts) == 1 else len(parts[0])
    joined = "".join(parts)
    if any(map(str.isalnum, around)) or (len(parts) > 1 and any(len(p) % size for p in parts)):
        return None
    text = _readable(int(joined[i : i + size], 2) for i in range(0, len(joined) - size + 1, size))
    return text if text is not None and text.isascii() else None


def _codes(match: re.Match[str]) -> str | None:
    """Numbers of characters, in whichever base makes them readable."""
    shown = match.group()
    hexadecimal = re.findall(r"(?:0[xX]|\$|U\+00)([0-9A-Fa-f]{2})|\b([0-9A-Fa-f]{2})h\b", shown)
    if hexadecimal:
        return _readable(int(a or b, 16) for a, b in hexadecimal)
    numbers = re.findall(r"\d+", shown)
    if all(len(number) == 3 and number[0] in "01" for number in numbers):
        octal = _readable(int(n, 8) for n in numbers if "8" not in n and "9" not in n)
        if octal is not None and octal.isascii():
            return octal
    codes = [int(number) for number in numbers]
    if not all(32 <= code < 127 or code in (9, 10, 13) for code in codes):
        return None
    return "".join(map(chr, codes))


def _code_points(match: re.Match[str]) -> str | None:
    return _readable(int(code, 16) for code in re.findall(r"U\+([0-9A-Fa-f]{4,6})", match.group()))


def _styled(match: re.Match[str]) -> str | None:
    return _readable(int(code, 16) for code in re.findall(r"\\([0-9a-fA-F]{2,6})", match.group()))


def _named(match: re.Match[str]) -> str | None:
    try:
        return unicodedata.lookup(match.group(1).upper())
    except KeyError:
        return None


#: Numbers of printable characters, which most entities in a long text are.
_NUMBERED = {f"&#{code};": chr(code) for code in range(32, 127)}


def _entity(match: re.Match[str]) -> str:
    shown = match.group()
    return _NUMBERED.get(shown) or html.unescape(shown)


def _bare_entity(match: re.Match[str]) -> str | None:
    return _readable(int(code) for code in re.findall(r"&#(\d{1,7})", match.group()))


def _quoted_printable(match: re.Match[str]) -> str:
    raw = bytes.fromhex("".join(re.findall(r"=([0-9A-Fa-f]{2})", match.group())))
    return raw.decode("utf-8", "replace")


def _quoted_header(match: re.Match[str]) -> str:
    raw = re.sub(
        rb"=([0-9A-Fa-f]{2})",
        lambda one: bytes.fromhex(one.group(1).decode()),
        match.group(1).replace("_", " ").encode("ascii", "replace"),
    )
    return raw.decode("utf-8", "replace")


_MORSE = {
    ".-": "a", "-...": "b", "-.-.": "c", "-..": "d", ".": "e", "..-.": "f", "--.": "g",
    "....": "h", "..": "i", ".---": "j", "-.-": "k", ".-..": "l", "--": "m", "-.": "n",
    "---": "o", ".--.": "p", "--.-": "q", ".-.": "r", "...": "s", "-": "t", "..-": "u",
    "...-": "v", ".--": "w", "-..-": "x", "-.--": "y", "--..": "z", ".----": "1", "..---": "2",
    "...--": "3", "....-": "4", ".....": "5", "-....": "6", "--...": "7", "---..": "8",
    "----.": "9", "-----": "0", ".-.-.-": ".", ".--.-.": "@", "-....-": "-", "..--.-": "_",
    "/": " ", "|": " ",
}  # fmt: skip


def _morse(match: re.Match[str]) -> str | None:
    signs = match.group().split()
    letters = [_MORSE.get(sign) for sign in signs]
    if any(letter is None for letter in letters):
        return None
    return "".join(letter for letter in letters if letter)


_PAIR = r"(?:0[xX][0-9A-Fa-f]{2}|\$[0-9A-Fa-f]{2}|[0-9A-Fa-f]{2}h)"

CODES: tuple[Disguise, ...] = (
    Disguise("percent", r"%[0-9a-f]{2}", re.compile(r"(?:%[0-9A-Fa-f]{2})+"), _percent),
    Disguise(
        "wide_percent", r"%u[0-9a-f]{4}%u", re.compile(r"(?:%u[0-9a-fA-F]{4}){2,}+"), _wide_percent
    ),
    Disguise(
        "entity",
        r"&#?[0-9a-z]{2,9};",
        re.compile(r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,9});"),
        _entity,
    ),
    Disguise(
        "bare_entity", r"&#[0-9]{2,3}&#[0-9]{2,3}&", re.compile(r"(?:&#\d{1,7}(?!;)){3,}+"),
        _bare_entity,
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
        "styled", r"\\[0-9a-f]{2,4} ?\\[0-9a-f]{2,4} ?\\[0-9a-f]{2,4} ?\\",
        re.compile(r"(?:\\[0-9a-fA-F]{2,6} ?){4,}+"), _styled,
    ),
    Disguise("named", r"\\n\{[a-z ]{4}", re.compile(r"\\N\{([A-Za-z0-9 \-]{4,60})\}"), _named),
    Disguise(
        "code_points", r"u\+[0-9a-f]{4}[ ,]{1,2}u\+[0-9a-f]{4}",
        re.compile(r"U\+[0-9A-Fa-f]{4,6}(?:[ ,]{1,2}U\+[0-9A-Fa-f]{4,6}){2,}+"), _code_points,
    ),
    Disguise(
        "quoted_printable",
        r"=[0-9a-f]{2}=[0-9a-f]{2}|=[34][0-9a-f]",
        re.compile(r"(?:=[0-9A-F]{2})+"),
        _quoted_printable,
    ),
    # Quoted-printable lines have at most 76 characters; after more it is the padding of base64.
    Disguise(
        "soft_break",
        r"=\r?\n",
        re.compile(r"=\r?\n(?=[^\r\n])(?<![A-Za-z0-9+/=]{77}=\n)(?<![A-Za-z0-9+/=]{77}=\r\n)"),
        nothing,
    ),
    Disguise(
        "quoted_header", r"=\?[a-z0-9\-]{3,12}\?q\?",
        re.compile(r"=\?[A-Za-z0-9\-]{3,12}\?[qQ]\?([^?\s]{1,400})\?="), _quoted_header,
    ),
    Disguise(
        "bits",
        r"(?:[01]{7,8}[ ,]?){6}",
        re.compile(r"[01]{7,8}(?:[ ,]{0,2}[01]{7,8}){5,}+"),
        _bits,
    ),
    Disguise(
        "codes",
        r"(?:0x[0-9a-f]{2}[, ]{1,2}){5}|(?:[0-9]{2,3}(?:, ?| )){8}|(?:\$[0-9a-f]{2} ){5}|"
        r"(?:[0-9a-f]{2}h ){5}|chr\([0-9]{2,3}\) ?[+.&] ?chr\(",
        re.compile(
            rf"{_PAIR}(?:[, ]{{1,2}}{_PAIR}){{5,}}+"
            r"|[0-9]{2,3}(?:, ?[0-9]{2,3}){8,}+|[0-9]{2,3}(?: [0-9]{2,3}){8,}+"
            r"|[Cc]hr\(\d{2,3}\)(?: ?[+.&] ?[Cc]hr\(\d{2,3}\)){5,}+"
        ),
        _codes,
    ),
    Disguise(
        "morse", r"(?:[.\-]{1,5} ){6}",
        re.compile(r"(?<![.\-\w])[.\-]{1,6}(?: (?:/ |\| )?[.\-]{1,6}){6,}+(?![.\-\w])"), _morse,
    ),
)  # fmt: skip
