"""Words for made-up texts: names, streets, places and companies of many countries.

Names and cities come from Faker's public lists; streets also from syllables, so that the tagger
learns how a street is written and not which streets there are.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from faker import Faker

HERE = Path(__file__).parent / "tagger_texts"
#: How often each locale's words are drawn: English and the large European languages more often.
LOCALES = {
    "en_US": 8, "en_GB": 5, "en_AU": 2, "en_CA": 2, "en_IE": 1, "en_IN": 2, "en_NG": 1, "en_PH": 1,
    "de_DE": 3, "de_AT": 1, "de_CH": 1, "fr_FR": 3, "fr_CA": 1, "fr_CH": 1, "fr_BE": 1,
    "es_ES": 3, "es_MX": 2, "es_AR": 1, "es_CO": 1, "it_IT": 3, "pt_BR": 2, "pt_PT": 2, "nl_NL": 2,
    "nl_BE": 1, "da_DK": 2, "sv_SE": 2, "no_NO": 2, "fi_FI": 2, "et_EE": 1, "lv_LV": 1, "lt_LT": 1,
    "pl_PL": 2, "cs_CZ": 2, "sk_SK": 1, "hu_HU": 2, "ro_RO": 1, "sl_SI": 2, "hr_HR": 2, "bs_BA": 1,
    "bg_BG": 1, "el_GR": 2, "ru_RU": 2, "uk_UA": 1, "tr_TR": 2, "az_AZ": 1, "id_ID": 1, "vi_VN": 1,
    "ga_IE": 1, "zu_ZA": 1, "yo_NG": 1,
}  # fmt: skip
_ONSETS = "b br c ch d dr f fl g gr h j k kl l m n p pr r s sch st str t tr v w z".split()
_VOWELS = "a a e e i i o o u ei au ie ou y å ö ä é ø ú".split()
_CODAS = "n r l s t nd rg ck m st ll ns ld rt".split() + [""] * 8
_MALAY = "Jaya Utama Sari Indah Merdeka Melati Rajah Perdana Thap Huong Tran Duc Minh Ahmed".split()
_PLAIN = (
    "Oak Elm Maple Cedar Pine Willow Birch Church Mill Station Park Market High Main King Queen "
    "Bridge River Lake Green Spring Garden Victoria Albert George Union Liberty Washington "
    "Jefferson Lincoln Franklin Madison Sunset Highland Meadow Orchard Forest School Chapel "
    "North South East West Manor Castle Harbour Beach Bay Ocean Valley Ridge Hillside Chestnut "
    "Walnut Hawthorn Laurel Poplar Sycamore Juniper Magnolia Fleet Baker Abbey Canal Mount"
).split()
_THINGS = (
    "Data Public Open Health Labs Systems Group Partners Technology Media Capital Energy Analytics "
    "Software Research Network Digital Global Services Solutions Bank Insurance Foods Traffic Inc "
    "Corporation Company Institute Foundation Agency Explorer Cloud Security Motors Airlines Press"
).split()
_NUMBERED = (
    "Boeing Airbus Apollo iPhone Galaxy Windows Android Python Java Ubuntu Excel Word Chapter Part "
    "Book Psalm Article Section Figure Table Question Exercise Lesson Unit Level Season Episode "
    "Formula Area Zone District Gate Platform Terminal Track Room Ward Bus Line Train Flight "
    "Volume Issue Page Version Release Phase Stage Step Option Case Type Class Group Team Round "
    "Game Match Race Act Scene Opus Symphony Sonata Mission Model Mark Series Node Port Channel "
    "Tesla BMW Audi Golf Xbox PlayStation Nintendo Fortnite Minecraft Llama GPT Claude Gemini "
    "Sprint Milestone Ticket Bug Task Story Error Code Rule Law Theorem Lemma Equation Problem "
    "Bayern Arsenal Madrid Lakers Eagles Giants United Rovers Olympics Expo Euro Dollar Million "
    "January March June September December Monday Friday Summer Winter Easter Christmas"
).split()
_ORDINALS = ["First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh"]

Draw = Callable[[], str]


class Words:
    """Draws words; everything comes from one seed."""

    def __init__(self, seed: int, each: int = 250) -> None:
        self.random = random.Random(seed)
        self.locales = list(LOCALES)
        self._weights = list(LOCALES.values())
        self.lists: dict[str, dict[str, list[str]]] = {}
        for locale in self.locales:
            faker = Faker(locale)
            faker.seed_instance(seed)
            self.lists[locale] = {
                "first": [faker.first_name() for _ in range(each)],
                "last": [faker.last_name() for _ in range(each)],
                "city": [faker.city() for _ in range(each)],
                "street": [faker.street_name() for _ in range(each)],
                "whole": [faker.street_address() for _ in range(each // 2)],
                "company": [faker.company() for _ in range(each // 2)],
            }
        world = Faker("en_US")
        world.seed_instance(seed)
        self.countries = [world.country() for _ in range(400)]
        self.jobs = [world.job() for _ in range(400)]
        self.states = [world.state_abbr() for _ in range(100)] + [world.state() for _ in range(50)]
        self.shapes = _lines("streets.txt")

    def locale(self) -> str:
        """One of the locales."""
        return self.random.choices(self.locales, self._weights)[0]

    def of(self, locale: str, kind: str) -> str:
        """A word of that kind: first, last, city, street, whole (a street with number), company."""
        return self.random.choice(self.lists[locale][kind])

    def made_up(self) -> str:
        """A capitalised word of one to three syllables that need not exist."""
        draw = self.random.choice
        syllables = self.random.choice((1, 2, 2, 2, 3, 3))
        word = "".join(draw(_ONSETS) + draw(_VOWELS) + draw(_CODAS) for _ in range(syllables))
        return word.capitalize()

    def company(self) -> str:
        """A company, of the kinds that are called after people, things or nothing at all."""
        draw = self.random
        roll = draw.random()
        if roll < 0.35:
            return self.of(self.locale(), "company")
        word = self.made_up() if roll < 0.8 else draw.choice(_PLAIN)
        if roll < 0.5:
            return word
        if roll < 0.6:
            return word + draw.choice(["soft", "ly", "works", "base", "io", "map", "quest", "set"])
        first = draw.choice([word, draw.choice(_PLAIN), draw.choice(_THINGS)])
        return " ".join([first, *draw.sample(_THINGS, draw.choice((1, 1, 1, 2)))])

    def thing(self) -> str:
        """Anything that is written with a capital and may have a number: a product, a title."""
        draw = self.random
        roll = draw.random()
        if roll < 0.35:
            return draw.choice(_NUMBERED)
        if roll < 0.5:
            return self.made_up()
        if roll < 0.6:
            return self.of(self.locale(), "city")
        if roll < 0.7:
            return f"{draw.choice(_NUMBERED)} {self.made_up()}"
        return self.company() if roll < 0.8 else draw.choice(_PLAIN + _THINGS)

    def street_word(self, locale: str) -> str:
        """What a street is called after."""
        roll = self.random.random()
        if roll < 0.3:
            return self.random.choice(_PLAIN)
        if roll < 0.35:
            return self.random.choice(_MALAY)
        if roll < 0.55:
            return self.of(locale, "last")
        if roll < 0.65:
            return self.of(locale, "first") + " " + self.of(locale, "last")
        if roll < 0.75:
            return self.of(locale, "city")
        if roll < 0.85:
            return self.made_up() + " " + self.made_up()
        return self.made_up()

    def number(self) -> str:
        """A house number."""
        roll = self.random.random()
        top = 99 if roll < 0.5 else 999 if roll < 0.8 else 9999 if roll < 0.92 else 99999
        number = str(self.random.randint(1, top))
        if roll < 0.05:
            number = number.zfill(2)
        if self.random.random() < 0.08:
            number += self.random.choice("abcABC")
        return number

    def street(self) -> str:
        """A street with or without a house number, as some country writes it."""
        locale = self.locale()
        roll = self.random.random()
        if roll < 0.25:
            return self.of(locale, "whole").replace("\n", ", ")
        if roll < 0.45:
            name = self.of(locale, "street")
            number = self.number()
            return f"{number} {name}" if self.random.random() < 0.5 else f"{name} {number}"
        shape = self.random.choice(self.shapes)
        while "{w}" in shape:
            shape = shape.replace("{w}", self.street_word(locale), 1)
        while "{n}" in shape:
            shape = shape.replace("{n}", self.number(), 1)
        number = self.random.randint(1, 199)
        ordinal = self.random.choice([*_ORDINALS, f"{number}th", f"{number}st", f"{number}nd"])
        return shape.replace("{o}", ordinal)


def _lines(name: str) -> list[str]:
    text = (HERE / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def templates() -> list[str]:
    """The texts with gaps, their line breaks as such."""
    return [line.replace("\\n", "\n") for line in _lines("templates.txt")]
