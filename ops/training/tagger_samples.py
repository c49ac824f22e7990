"""Makes up texts with addresses and names, and says where these are."""

from __future__ import annotations

import base64
import random
import re
import uuid
from collections.abc import Callable

import msgspec
from tagger_words import Words, templates

_GAP = re.compile(r"\{(\w+)\}")
_MONTHS = (
    "January February March April May June July August September October November December"
).split()
_WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_TITLES = ["Dr.", "Mr.", "Mrs.", "Ms.", "Prof.", "Miss", "Sir", "Dr"]
_ENDINGS = ["Jr.", "II", "III", "MD", "PhD", "Sr."]
_UNITS = [
    "Apt. {n}", "Apt {n}", "Suite {n}", "Ste {n}", "Unit {n}", "Flat {n}", "Floor {n}", "#{n}",
    "Room {n}", "Apartment {n}", "Wohnung {n}", "Appt {n}", "Piso {n}", "{n}. OG", "Apt. {n}B",
]  # fmt: skip
_PREFIXES = ["> ", ">", "# ", "// ", "??? ", "* ", "- ", " ", "   ", "| ", "\t"]


class Sample(msgspec.Struct):
    """A text with its spans: start, end (exclusive), "address" or "person"."""

    text: str
    spans: list[tuple[int, int, str]]


class SampleMaker:
    """Fills the gaps of the templates."""

    def __init__(self, words: Words) -> None:
        self.words = words
        self.random = words.random
        self.templates = templates()
        self._labelled: dict[str, tuple[str, Callable[[], str]]] = {
            "name": ("person", self.name),
            "first": ("person", lambda: self.words.of(self.words.locale(), "first")),
            "last": ("person", lambda: self.words.of(self.words.locale(), "last")),
            "address": ("address", self.address),
            "street": ("address", words.street),
        }

    def sample(self) -> Sample:
        """One text."""
        template = self.random.choice(self.templates)
        sample = self._filled(template)
        return self._restyled(sample)

    def _filled(self, template: str) -> Sample:
        text, spans, reached = "", [], 0
        for gap in _GAP.finditer(template):
            text += template[reached : gap.start()]
            reached = gap.end()
            word = gap.group(1)
            if word in self._labelled:
                kind, draw = self._labelled[word]
                value = draw()
                spans.append((len(text), len(text) + len(value), kind))
            else:
                value = self.other(word)
            text += value
        return Sample(text + template[reached:], spans)

    def _restyled(self, sample: Sample) -> Sample:
        roll = self.random.random()
        if roll < 0.12:
            return Sample(_same_length(sample.text, str.lower), sample.spans)
        if roll < 0.15:
            return Sample(_same_length(sample.text, str.upper), sample.spans)
        if roll < 0.21 and "\n" in sample.text:
            return _rewritten(sample, "\n", "\n" + self.random.choice(_PREFIXES))
        if roll < 0.27 and '"' in sample.text:
            return _rewritten(sample, '"', '\\"')
        return sample

    def name(self) -> str:
        """A person's name in one of its usual forms."""
        words, draw = self.words, self.random
        locale = words.locale()
        first = words.of(locale, "first")
        last = words.of(words.locale() if draw.random() < 0.4 else locale, "last")
        roll = draw.random()
        if roll < 0.1:
            return first
        if roll < 0.2:
            return f"{first} {draw.choice('ABCDEFGHJKLMNPRSTVWZ')}{draw.choice(['.', ''])} {last}"
        if roll < 0.25:
            return f"{first} {words.of(locale, 'first')} {last}"
        if roll < 0.29:
            return f"{first} {last} {draw.choice(_ENDINGS)}"
        if roll < 0.33:
            return f"{first} {last}-{words.of(words.locale(), 'last')}"
        if roll < 0.37:
            return f"{first} {draw.choice(['van', 'von', 'de', 'da', 'bin', 'di'])} {last}"
        return f"{first} {last}"

    def address(self) -> str:
        """A postal address of one to five parts, with the separators of a line or of a label."""
        words, draw = self.words, self.random
        street = words.street()
        if draw.random() < 0.2:
            street = f"{words.number()} {street}"
        roll = draw.random()
        if roll < 0.12:
            return street
        between = draw.choice([", ", ", ", ", ", "\n", "\n", "\n ", " ", "; ", "\n, ", " - "])
        parts = [street]
        if draw.random() < 0.35:
            unit = draw.choice(_UNITS).replace("{n}", str(draw.randint(1, 999)))
            if draw.random() < 0.4:
                parts[0] += " " + unit
            else:
                parts.append(unit)
        city = words.of(words.locale(), "city") if draw.random() < 0.75 else words.made_up()
        if draw.random() < 0.15:
            city = city.upper()
        parts.append(self._place(city))
        if draw.random() < 0.35:
            country = draw.choice(words.countries)
            parts.append(f"{country} {self.postcode()}" if draw.random() < 0.4 else country)
        if draw.random() < 0.05:
            parts.append("nan")
        return between.join(parts)

    def _place(self, city: str) -> str:
        draw, state, code = self.random, self.random.choice(self.words.states), self.postcode()
        return draw.choice(
            [
                city, city, f"{code} {city}", f"{code} {city}", f"{city} {code}", f"{city}, {code}",
                f"{city}, {state} {code}", f"{city} {state} {code}", f"{city}\n, {state}\n {code}",
                f"{city}, {state}", f"{city}\n{code}", f"{city}\n\n{code}",
            ]
        )  # fmt: skip

    def postcode(self) -> str:
        """A postcode in the form of some country."""
        shape = self.random.choice(
            "00000 00000 00000 0000 0000 000000 A0_0AA AA00_0AA A0A_0A0 00-000 000_00 00000-000 "
            "0000_AA A-0000 D-00000 AA_00000 00000-0000".split()
        )
        drawn = {"0": "0123456789", "A": "ABCDEFGHJKLMNPRSTUVWXY"}
        return "".join(self.random.choice(drawn.get(c, c)) for c in shape).replace("_", " ")

    def other(self, word: str) -> str:
        """What fills a gap that is neither a name nor an address."""
        draw, words = self.random, self.words
        makers: dict[str, Callable[[], str]] = {
            "place": lambda: words.of(words.locale(), "city"),
            "city": lambda: words.of(words.locale(), "city"),
            "country": lambda: draw.choice(words.countries),
            "company": words.company,
            "thing": words.thing,
            "job": lambda: draw.choice(words.jobs),
            "month": lambda: draw.choice(_MONTHS),
            "weekday": lambda: draw.choice([*_WEEKDAYS, "Tomorrow", "Today"]),
            "year": lambda: str(draw.randint(1850, 2030)),
            "small": lambda: str(draw.randint(1, 120)),
            "number": lambda: str(draw.randint(100, 10 ** draw.randint(3, 8))),
            "time": lambda: f"{draw.randint(0, 23)}:{draw.randint(0, 59):02}",
            "version": lambda: ".".join(str(draw.randint(0, 20)) for _ in range(3)),
            "flight": lambda: (
                f"{draw.choice('ABCDLX')}{draw.choice('ABFHKL')}{draw.randint(1, 999)}"
            ),
            "nick": lambda: words.made_up().lower() + str(draw.randint(1, 99)),
            "phone": self._phone,
            "email": lambda: f"{words.made_up().lower()}@{words.made_up().lower()}.com",
            "url": lambda: f"https://www.{words.made_up()}.com/",
            "card": lambda: " ".join(f"{draw.randint(0, 9999):04}" for _ in range(4)),
            "ssn": lambda: (
                f"{draw.randint(100, 899)}-{draw.randint(10, 99)}-{draw.randint(1000, 9999)}"
            ),
            "iban": lambda: f"DE{draw.randint(10, 99)}{draw.randint(10**17, 10**18 - 1)}",
            "date": self._date,
            "hash": lambda: f"{draw.getrandbits(draw.choice([64, 128, 160, 256])):x}",
            "uuid": lambda: str(uuid.UUID(int=draw.getrandbits(128))),
            "isbn": lambda: (
                f"978-{draw.randint(0, 9)}-{draw.randint(100, 999)}-{draw.randint(10000, 99999)}-5"
            ),
            "colour": lambda: f"#{draw.getrandbits(24):06x}",
            "blob": lambda: base64.b64encode(draw.randbytes(draw.randint(9, 60))).decode(),
        }
        return makers[word]()

    def _phone(self) -> str:
        shape = self.random.choice(
            [
                "+00 000 000000",
                "000-000-0000",
                "(000) 000-0000",
                "0000000000",
                "000 0000",
                "+0.000.0",
            ]
        )
        return "".join(str(self.random.randint(0, 9)) if c == "0" else c for c in shape)

    def _date(self) -> str:
        draw = self.random
        day, month, year = draw.randint(1, 28), draw.randint(1, 12), draw.randint(1930, 2026)
        name = _MONTHS[month - 1]
        return draw.choice(
            [
                f"{day:02}/{month:02}/{year}", f"{day:02}.{month:02}.{year}",
                f"{name} {day}, {year}", f"{year}-{month:02}-{day:02}", f"{day} {name} {year}",
                f"{day} {name}",
            ]
        )  # fmt: skip


def _same_length(text: str, change: Callable[[str], str]) -> str:
    """The changed text, letter by letter, so that places stay."""
    return "".join(new if len(new := change(c)) == 1 else c for c in text)


def _rewritten(sample: Sample, old: str, new: str) -> Sample:
    """One character becomes several, as where lines are quoted or JSON stands in JSON."""
    places = [n for n, c in enumerate(sample.text) if c == old]

    def moved(place: int) -> int:
        return place + (len(new) - 1) * sum(at < place for at in places)

    spans = [(moved(start), moved(end - 1) + 1, kind) for start, end, kind in sample.spans]
    return Sample(sample.text.replace(old, new), spans)


_SOMEBODY = re.compile(
    r"\b(?:[Hh]e|[Ss]he|him|[Tt]he (?:man|woman|patient|author|student|teacher|defendant|client|"
    r"plaintiff|worker|driver|customer|owner|doctor|nurse|buyer|seller|landlord|tenant)|"
    r"[Aa] (?:man|woman|patient|student|teacher|client|worker|driver|customer|girl|boy))\b(?!')"
)
_SOMETHING = re.compile(
    r"\b(?:[Tt]he (?:company|firm|corporation|country|city|state|organization|school|bank)|"
    r"[Aa] (?:company|firm|corporation|country|city|state|bank))\b"
)


def peopled(maker: SampleMaker, text: str) -> Sample | None:
    """An ordinary text in which names stand where it said "he" or "the patient"."""
    draw, words = maker.random, maker.words
    out, spans, reached = "", [], 0
    for match in sorted([*_SOMEBODY.finditer(text), *_SOMETHING.finditer(text)], key=_start):
        if draw.random() < 0.3:
            continue
        out += text[reached : match.start()]
        if match.re is _SOMEBODY:
            roll = draw.random()
            value = maker.name() if roll < 0.6 else words.of(words.locale(), "first")
            value = words.of(words.locale(), "last") if roll > 0.85 else value
            spans.append((len(out), len(out) + len(value), "person"))
        else:
            value = maker.other(draw.choice(["company", "company", "city", "country"]))
        out += value
        reached = match.end()
    return Sample(out + text[reached:], spans) if spans else None


def _start(match: re.Match[str]) -> int:
    return match.start()


def shuffled(maker: SampleMaker, count: int) -> list[Sample]:
    """So many texts; some are several texts one after another."""
    draw: random.Random = maker.random
    samples = []
    for _ in range(count):
        sample = maker.sample()
        while draw.random() < 0.15:
            more, base = maker.sample(), len(sample.text) + 1
            spans = [(start + base, end + base, kind) for start, end, kind in more.spans]
            sample = Sample(
                f"{sample.text}{draw.choice([' ', chr(10)])}{more.text}", [*sample.spans, *spans]
            )
        samples.append(sample)
    return samples
