"""The tables of national, tax and health numbers: how many countries they cover."""

from __future__ import annotations

from gateway.classify.detectors.labelled_id_words import ROWS
from gateway.classify.detectors.national_id import masks_of
from gateway.classify.detectors.national_id_schemes import LETTERED, NUMBERS

#: Schemes whose check is our own or none, by country.
OWN = {
    "AE": "784", "KZ": "iin", "JP": "my_number", "RU": "snils", "TW": "taiwan", "SG": "singapore",
    "HK": "hong_kong", "US": "provider", "AU": "medicare_australia",
}  # fmt: skip


def test_covers_more_than_thirty_countries():
    """The promise is national or tax numbers of at least 30 countries, checked by their rules."""
    import inspect

    from gateway.classify.detectors import national_id_schemes

    source = inspect.getsource(national_id_schemes)
    countries = {part.split(".")[0].rstrip("_") for part in _between(source, 'stdnum("', '"')}

    assert len(countries | {country.lower() for country in OWN}) >= 40


def test_knows_labels_in_many_languages():
    """Words for a passport exist in at least fifteen languages."""
    passport = next(words for kind, _, _, words in ROWS if kind == "passport")

    assert len(passport.split(";")) >= 15


def test_lists_the_ways_to_write_a_shape():
    """A number is asked only about schemes that are written as it is."""
    assert masks_of(r"\d{2}[ -]?\d") == {"ddd", "dd d", "dd-d"}
    assert masks_of(r"(?:20|23)-?[1-8]") == {"ddd", "dd-d"}
    assert all(mask.count("d") >= 7 for _, shape, _, _ in NUMBERS for mask in masks_of(shape))
    assert all(anchors for _, anchors, _, _, _ in LETTERED)


def _between(text: str, opening: str, closing: str) -> list[str]:
    return [part.split(closing)[0] for part in text.split(opening)[1:]]
