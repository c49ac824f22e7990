"""Postal addresses in Chinese, Japanese and Korean, which have no blanks for a tagger to go by.

A house number is looked for, and before it the names of a place and a street by their last signs.
"""

from __future__ import annotations

import re

from gateway.classify.detectors.base import Found

_HAN, _KANA, _HANGUL = "\u4e00-\u9fff", "\u3040-\u30ff", "\uac00-\ud7a3"
_DASH = "[-\u2010-\u2015\u2212\u30fc\uff0d]"
#: How far before a number its street and place may begin, in characters.
_REACH = 48

_CHINESE = re.compile(
    rf"[0-9０-９]{{1,5}}(?:号|號)(?:[{_HAN}0-9０-９]{{0,10}}(?:室|楼|樓|层|層|栋|棟|单元))?"
)
_BEFORE_CHINESE = re.compile(
    rf"[{_HAN}]{{1,7}}(?:省|市|区|區|县|縣)[{_HAN}]{{0,24}}(?:路|街|道|巷|弄|村|胡同)"
    rf"[{_HAN}0-9０-９]{{0,4}}$"
)
_JAPANESE = re.compile(
    rf"[0-9０-９]{{1,4}}(?:丁目(?:[0-9０-９]{{1,4}}(?:番|{_DASH})?[0-9０-９]{{0,4}}号?)?|"
    rf"{_DASH}[0-9０-９]{{1,4}}(?:{_DASH}[0-9０-９]{{1,4}})?)"
)
_BEFORE_JAPANESE = re.compile(
    rf"[{_HAN}]{{2,3}}(?:都|道|府|県)?[{_HAN}{_KANA}]{{1,8}}(?:市|区|郡|町|村)[{_HAN}{_KANA}]{{0,10}}$"
)
_KOREAN = re.compile(rf"(?:로|길) ?[0-9]{{1,4}}(?:-[0-9]{{1,4}})?(?: ?[0-9{_HANGUL}]{{1,8}}호)?")
_BEFORE_KOREAN = re.compile(
    rf"(?:[{_HANGUL}]{{1,8}}(?:시|도|구|군|동) ){{1,3}}[{_HANGUL}0-9]{{1,8}}$"
)
# The signs before each shape are such that an address has at least one of them; a single
# character is looked for much faster than a shape.
_SHAPES = (
    ("号號", _CHINESE, _BEFORE_CHINESE),
    ("市区郡町村", _JAPANESE, _BEFORE_JAPANESE),
    ("로길", _KOREAN, _BEFORE_KOREAN),
)


def find_eastern(text: str) -> list[Found]:
    """The addresses in a text, in no particular order."""
    found = []
    for signs, number, before in _SHAPES:
        if not any(sign in text for sign in signs):
            continue
        for match in number.finditer(text):
            low = max(0, match.start() - _REACH)
            place = before.search(text[low : match.start()])
            if place is not None:
                found.append(Found("address", low + place.start(), match.end(), 0.9))
    return found
