"""Digits written otherwise: as words, as look-alike letters, apart, or with signs between them."""

from __future__ import annotations

import re

from gateway.classify.disguises.base import Disguise, beside_number_words, nothing

#: The words for the digits zero to nine, by language, without accents (other scripts: `scripts`).
WORDS = {
    "en": "zero one two three four five six seven eight nine",
    "de": "null eins zwei drei vier funf sechs sieben acht neun",
    "fr": "zero un deux trois quatre cinq six sept huit neuf",
    "es": "cero uno dos tres cuatro cinco seis siete ocho nueve",
    "it": "zero uno due tre quattro cinque sei sette otto nove",
    "pt": "zero um dois tres quatro cinco seis sete oito nove",
    "nl": "nul een twee drie vier vijf zes zeven acht negen",
    "pl": "zero jeden dwa trzy cztery piec szesc siedem osiem dziewiec",
    "sv": "noll ett tva tre fyra fem sex sju atta nio",
    "da": "nul en to tre fire fem seks syv otte ni",
    "fi": "nolla yksi kaksi kolme nelja viisi kuusi seitseman kahdeksan yhdeksan",
    "tr": "sifir bir iki uc dort bes alti yedi sekiz dokuz",
    "cs": "nula jedna dva tri ctyri pet sest sedm osm devet",
    "sk": "nula jeden dva tri styri pat sest sedem osem devat",
    "ro": "zero unu doi trei patru cinci sase sapte opt noua",
    "hu": "nulla egy ketto harom negy ot hat het nyolc kilenc",
    "hr": "nula jedan dva tri cetiri pet sest sedam osam devet",
    "id": "nol satu dua tiga empat lima enam tujuh delapan sembilan",
    "vi": "khong mot hai ba bon nam sau bay tam chin",
    "ca": "zero u dos tres quatre cinc sis set vuit nou",
    "ja": "zero ichi ni san yon go roku nana hachi kyu",
}
_ALSO = {
    "en": {"oh": 0, "nought": 0, "naught": 0, "nil": 0, "niner": 9, "fife": 5, "fower": 4},
    "de": {"zwo": 2, "fuenf": 5, "ein": 1},
    "fr": {"une": 1},
    "es": {"un": 1, "una": 1},
    "pt": {"meia": 6},
    "id": {"kosong": 0},
    "ja": {"rei": 0, "shi": 4, "shichi": 7, "ku": 9},
}
_TEENS = ("ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen").split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_TIMES = {"double": 2, "triple": 3, "treble": 3, "quadruple": 4}
_BREAK = r"[ ,\-\n;./&]{1,3}(?:and |then |y |und |et )?"


def _values(language: str) -> dict[str, str]:
    """The words of a language and the digits that they stand for."""
    words = {word: str(digit) for digit, word in enumerate(WORDS[language].split())}
    words.update({word: str(digit) for word, digit in _ALSO.get(language, {}).items()})
    if language == "en":
        words.update({word: str(10 + number) for number, word in enumerate(_TEENS)})
        words.update({word: str(20 + 10 * number) for number, word in enumerate(_TENS)})
        words.update(dict.fromkeys(_TIMES, ""))
    return words


def _spelled(language: str) -> Disguise:
    """Digits in the words of one language, maybe with figures among them."""
    values = _values(language)
    word = "|".join(sorted(values, key=len, reverse=True))
    token = re.compile(rf"{word}|[0-9]", re.I)

    def read(match: re.Match[str]) -> str | None:
        tokens = token.findall(match.group().lower())
        if sum(not one.isdigit() for one in tokens) < 3:
            return None
        return "".join(_digits(tokens, values))

    part, blank = rf"(?:{word})", r"[ ,\-\n;./&]{1,2}"
    # An engine looks for words of one letter at every letter, so one of the first two is longer.
    longer = "|".join(sorted((one for one in values if len(one) > 1), key=len, reverse=True))
    first = rf"(?:{longer}){blank}{part}"
    if longer != word:
        first = rf"(?:{first}|{part}{blank}(?:{longer}))"
    gates = [rf"{first}{blank}{part}[^a-z]"]
    if language == "en":
        gates.append(rf"[0-9][ ,\-]{{1,2}}{part}[ ,\-]{{1,2}}[0-9]")
    shape = rf"(?<![A-Za-z])(?:{word}|[0-9])(?:{_BREAK}(?:{word}|[0-9])(?![a-z])){{4,40}}"
    return Disguise(f"spelled_{language}", tuple(gates), re.compile(shape, re.I), read)


def _digits(tokens: list[str], values: dict[str, str]) -> list[str]:
    digits: list[str] = []
    times, tens = 1, False
    for token in tokens:
        if token in _TIMES:
            times = _TIMES[token]
            continue
        value = values.get(token, token)
        if tens and len(value) == 1 and value != "0":
            # "forty-five" is two digits.
            digits[-1] = digits[-1][0] + value
        else:
            digits.append(value * times)
        times, tens = 1, token in _TENS
    return digits


_TOGETHER = "|".join(sorted(WORDS["en"].split(), key=len, reverse=True))
_ONE = re.compile(_TOGETHER, re.I)


def _spelled_together(match: re.Match[str]) -> str:
    return "".join(_digits(_ONE.findall(match.group().lower()), _values("en")))


_CONFUSED = str.maketrans("OoQDIlL|iSsBZzgGbTA", "0000111115582296674"[:19])


def _leet(match: re.Match[str]) -> str | None:
    shown = match.group()
    meant = shown.translate(_CONFUSED)
    if meant == shown:
        return None
    return meant if sum(map(str.isdigit, shown)) >= 8 else None


_PLAIN_MARKS = frozenset(",_|*~;\\#?")


def _marked(match: re.Match[str]) -> str | None:
    """Groups with the same sign between them; signs of arithmetic only beside telling words."""
    groups = re.findall(r"[0-9]+", match.group())
    sizes = tuple(len(group) for group in groups)
    total = sum(sizes)
    if total < 9 or total > 24:
        return None
    mark = match.group("mark")
    usual = sizes in ((3, 2, 4), (4, 4, 4, 4), (4, 6, 5)) and mark in _PLAIN_MARKS
    if not usual and (set(sizes) == {2} or not beside_number_words(match)):
        return None
    thousands = set(sizes[1:]) == {3}
    return "".join(groups) if thousands or max(sizes) <= 2 else "-".join(groups)


def _apart(match: re.Match[str]) -> str | None:
    """Groups of digits that words or brackets hold apart."""
    groups = re.findall(r"[0-9]+", match.group())
    if not 9 <= sum(map(len, groups)) <= 24 or not beside_number_words(match):
        return None
    return "-".join(groups)


def _closed_up(match: re.Match[str]) -> str:
    return match.group().replace(" ", "")


_SIGN = r"[^\w\s.\-/:()]"
_JUNK = r"(?: ?(?:dash|space|hyphen|minus|dot|slash|then|and|next)[ ,]|[ ]?[)\]}>][ ,]{0,2}[(\[{<])"

DIGITS: tuple[Disguise, ...] = (
    *map(_spelled, WORDS),
    Disguise(
        "spelled_together",
        rf"(?:{_TOGETHER}){{5}}",
        re.compile(rf"(?:{_TOGETHER}){{7,40}}+", re.I),
        _spelled_together,
    ),
    Disguise(
        "marked_digits",
        rf"[0-9] ?(?:{_SIGN}{{1,3}}|->) ?[0-9]{{1,6}} ?(?:{_SIGN}{{1,3}}|->) ?[0-9]",
        re.compile(
            rf"[0-9](?<![0-9][0-9])[0-9]{{0,7}}(?P<mark> ?(?:{_SIGN}{{1,3}}|->) ?)[0-9]{{1,8}}"
            rf"(?:(?P=mark)[0-9]{{1,8}}){{1,18}}+(?!{_SIGN}?[0-9])"
        ),
        _marked,
    ),
    Disguise(
        "leet",
        r"[0-9sb][0-9oildsbqzgta|]{3}[ \-]?[0-9oildsbqzgta|]{4}[ \-]?[0-9oildsbqzgta|"
        r"]{4}[ \-]?[0-9oildsbqzgta|]{3}",
        re.compile(
            r"[0-9SB](?<![A-Za-z0-9].)[0-9OoIlSsBQDZzGgTA|]{3}(?:[ \-]?[0-9OoIlSsBQDZzGgTA|]{4}){2}"
            r"[ \-]?[0-9OoIlSsBQDZzGgTA|]{3,4}(?![A-Za-z0-9])"
        ),
        _leet,
    ),
    Disguise(
        "crossed_digits",
        r"[0-9]{4}x[0-9]{4}x[0-9]{4}x[0-9]{4}|[0-9]{3}x[0-9]{2}x[0-9]{4}",
        re.compile(r"(?<![0-9])(?:[0-9]{4}(?P<mark>x)(?:[0-9]{4}x){2}[0-9]{4}|"
                   r"[0-9]{3}(?P<other>x)[0-9]{2}x[0-9]{4})(?![0-9x])"),
        _apart,
    ),
    Disguise(
        "digits_apart",
        rf"[0-9]{_JUNK}[0-9]",
        # With a single digit in front, `re` can look for where to begin.
        re.compile(rf"[0-9][0-9]{{0,7}}(?:{_JUNK} ?[0-9]{{1,8}}){{1,16}}+"),
        _apart,
    ),
    Disguise(
        "spaced_out",
        (),
        re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9](?: [A-Za-z0-9@._\-](?![A-Za-z0-9])){7,}+"),
        _closed_up,
    ),
    Disguise(
        "controls",
        r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]",
        re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]+"),
        nothing,
    ),
    Disguise(
        "broken_groups",
        r"[0-9]\r?\n[0-9]|\n[0-9]{1,2}[:.)] [0-9]",
        re.compile(
            r"[0-9](?:(?<![0-9.][0-9])[0-9]{7}\r?\n[0-9]{8}(?![0-9])|"
            r"(?:[0-9]?[:.)] [0-9])?[0-9]{3}(?:\r?\n(?:[0-9]{1,2}[:.)] )?[0-9]{4}){3}(?![0-9]))"
        ),
        lambda match: "-".join(re.findall(r"(?<![0-9])[0-9]{4,8}(?![0-9])", match.group())),
    ),
)  # fmt: skip
