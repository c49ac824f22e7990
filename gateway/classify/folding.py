"""Turns any text into ASCII that looks the same to a reader, with places kept.

Full-width and mathematical letters, digits of other scripts, look-alike letters, accents,
exotic dashes and spaces become the ASCII character that they show; invisible characters go;
what has no ASCII look becomes one `?`. Almost everything is one character for one.
"""

from __future__ import annotations

import re
import sys
import unicodedata

import numpy as np

from gateway.classify.code_points import code_points
from gateway.classify.detectors.base import View
from gateway.classify.offsets import OffsetMap, rewrite

# Letters that look like ASCII letters though Unicode does not decompose them to those
# (Unicode's confusables table, https://www.unicode.org/reports/tr39/, the single-letter part
# for Greek, Cyrillic, Armenian, Cherokee and Latin extensions).
_LOOKALIKES = {
    "A": "ΑАᎪꓮÆ", "B": "ΒВᏴꓐ", "C": "СϹᏟꓚⅭ", "D": "ᎠꓓⅮÐĐ", "E": "ΕЕᎬꓰ", "F": "Ϝꓝ", "G": "ԌᏀꓖ",
    "H": "ΗНᎻꓧĦ", "I": "ΙІӀᏆꓲⅠ", "J": "ЈᎫꓙ", "K": "ΚКᏦꓗ", "L": "ᏞꓡⅬŁ", "M": "ΜМᎷꓟⅯ", "N": "ΝꓠՆ",
    "O": "ΟОՕꓳØŒ", "P": "ΡРᏢꓑ", "Q": "Ԛ", "R": "ᎡᏒꓣ", "S": "ЅՏᏚꓢ", "T": "ΤТᎢꓔŦÞ", "U": "ՍꓴԱ",
    "V": "ѴᏙꓦⅤ", "W": "ԜᎳꓪ", "X": "ΧХꓫⅩ", "Y": "ΥҮУꓬ", "Z": "ΖᏃꓜ",
    "a": "аɑαæ", "b": "ЬƄ", "c": "сϲⅽ", "d": "ԁⅾđð", "e": "еєҽ", "f": "ƒ", "g": "ɡցԍ", "h": "һհħ",
    "i": "іıɩιⅰ", "j": "јϳ", "k": "ĸκк", "l": "ⅼӏł", "m": "ⅿм", "n": "ոռп", "o": "оοօσøœ",
    "p": "рρ", "q": "ԛզ", "r": "г", "s": "ѕß", "t": "тτŧþ", "u": "υսц", "v": "νѵⅴ", "w": "ԝա",
    "x": "хⅹ", "y": "уүγ", "z": "ᴢ",
    "0": "〇◯零", "1": "一壹", "2": "二贰", "3": "三叁", "4": "四肆",
    "5": "五伍", "6": "六陆", "7": "七柒", "8": "八捌", "9": "九玖",
    "-": "‐‑‒–—―−﹣－ー᠆⁃⸺⸻⁓〜～﹘╌┄─━", ".": "。․·•‧⋅∙・▪●◦",
    ">": "→⇒➔➜▶»", "|": "│┃｜¦", "*": "∗★☆✱", "@": "＠﹫",
    "'": "‘’‛′",
    '"': "“”„‟″«", " ": "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008"
    "\u2009\u200a\u202f\u205f\u3000\u2800", "\n": "\u2028\u2029\u0085", "/": "⁄∕", ":": "：∶ː",
    ",": "，、", "(": "（", ")": "）", "#": "№",
}  # fmt: skip

_SMALL_CAPITALS = "ᴀʙᴄᴅᴇғɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡᴢ"

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\u0300-\u036f\u0483-\u0489\u20d0-\u20ff"
    "\ufff9-\ufffb\U000e0100-\U000e01ef]+"
)
#: What stands in the table for characters that are not seen; no ASCII look has this value.
_UNSEEN = 0x80
_UNSEEN_RUN = re.compile(b"\x80+")


class Folding:
    """The table of characters with an ASCII look, built once."""

    def __init__(self) -> None:
        table: dict[str, str] = {}
        for code in (*range(0x80, 0x3100), *range(0xFF00, 0xFFF0), *range(0x1D400, 0x1D800)):
            _add_decomposed(table, chr(code))
        for code in (*range(0x1F100, 0x1F190), *range(0x1FBF0, 0x1FBFA), *range(0x10000, 0x1D400)):
            _add_decomposed(table, chr(code))
        for code in range(0xA620, 0x10000):
            _add_digit(table, chr(code))
        for code in range(0x1D800, 0x20000):
            _add_digit(table, chr(code))
        # Emoji of letters: regional indicators, and letters in filled squares and circles.
        for first in (0x1F1E6, 0x1F170, 0x1F150):
            table.update({chr(first + n): chr(ord("A") + n) for n in range(26)})
        table.update(zip(_SMALL_CAPITALS, "abcdefghijklmnoprstuvwz", strict=True))
        # Tag characters are an invisible copy of ASCII.
        table.update({chr(0xE0000 + code): chr(code) for code in range(0x20, 0x7F)})
        for ascii_character, lookalikes in _LOOKALIKES.items():
            table.update(dict.fromkeys(lookalikes, ascii_character))
        # By code point, so that folding is one look-up in C for each character, however many of
        # them are strange.
        looks = np.full(sys.maxunicode + 1, ord("?"), np.uint8)
        looks[:0x80] = range(0x80)
        for character, look in table.items():
            looks[ord(character)] = ord(look)
        every = np.arange(0xF0000, dtype="<u4").tobytes().decode("utf-32-le", "surrogatepass")
        for match in _INVISIBLE.finditer(every):
            looks[match.start() : match.end()] = _UNSEEN
        self._looks = looks
        self._bases = {
            code: ord(parts[0])
            for code in (*range(0x370, 0x3100), *range(0xA640, 0xAC00))
            for parts in (unicodedata.normalize("NFD", chr(code)),)
            if len(parts) > 1 and not _INVISIBLE.sub("", parts[1:])
        }

    def view(self, text: str) -> tuple[View, OffsetMap | None]:
        """The text as detectors see it, and the way back when places moved."""
        if text.isascii():
            return View(text, text.lower()), None
        shown = self._looks.take(code_points(text)).tobytes()
        offsets = None
        if _UNSEEN in shown:
            gone = ((match.start(), match.end(), "") for match in _UNSEEN_RUN.finditer(shown))
            _, offsets = rewrite(text, gone)
            shown = shown.replace(bytes([_UNSEEN]), b"")
        shadow = shown.decode("ascii")
        return View(shadow, shadow.lower()), offsets

    def visible(self, text: str) -> str:
        """The text without characters that are not seen: as long as its view, place by place."""
        return _INVISIBLE.sub("", text)

    def bare(self, text: str) -> str:
        """The text with letters of other scripts without their marks, in as many characters."""
        return text.translate(self._bases)


def _add_decomposed(table: dict[str, str], character: str) -> None:
    folded = unicodedata.normalize("NFKD", character)
    first = folded[0]
    if first.isascii() and first != character:
        plain = [part for part in folded if not unicodedata.combining(part)]
        # "(1)" and "1." show their digit; other compositions show their first letter.
        digits = [part for part in plain if part.isdigit()]
        table[character] = digits[0] if digits and first in "(" else first
        return
    _add_digit(table, character)


def _add_digit(table: dict[str, str], character: str) -> None:
    value = unicodedata.digit(character, None)
    if value is not None:
        table[character] = str(value)
