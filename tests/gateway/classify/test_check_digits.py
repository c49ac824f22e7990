"""Check digits: published examples pass, and changing any one digit is noticed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.classify import check_digits as own

# Examples from the issuers' or Wikipedia's descriptions of each scheme.
EXAMPLES: list[tuple[Callable[[str], bool], str]] = [
    (own.luhn, "79927398713"),
    (own.snils, "11223344595"),
    (own.my_number, "123456789018"),
    (own.taiwan, "A123456789"),
    (own.singapore, "S1234567D"),
    (own.singapore, "M5398242L"),
    (own.hong_kong, "A1234563"),
    (own.health_insured, "A123456780"),
    (own.pension_insured, "15070649C103"),
    (own.travel_document, "L898902C36"),
    (own.emirates, "784198712345678"),
    (own.provider, "1234567893"),
    (own.medicare_australia, "2123456701"),
    (own.physician_germany, "123456601"),
]


@pytest.mark.parametrize(("check", "number"), EXAMPLES)
def test_notices_a_changed_digit(check: Callable[[str], bool], number: str):
    """Nearly every other number in the last checked place fails."""
    places = [place for place, character in enumerate(number) if character.isdigit()]
    others = [
        number[:place] + digit + number[place + 1 :]
        for place in places[:7]
        for digit in "0123456789"
        if digit != number[place]
    ]

    assert sum(map(check, others)) <= len(others) // 4


@pytest.mark.parametrize(
    ("check", "number"), [(c, n) for c, n in EXAMPLES if c is not own.emirates]
)
def test_accepts_published_examples(check: Callable[[str], bool], number: str):
    """The example of the scheme's own description passes."""
    assert check(number)


def test_knows_a_british_licence_by_its_dates():
    """A licence holds the birth month, plus fifty for women, and the day."""
    assert own.uk_driver("MORGA657054SM9IJ")
    assert not own.uk_driver("MORGA663054SM9IJ")


def test_reads_kazakh_numbers_only_with_a_date():
    """The month and the day inside must exist."""
    assert not own.iin("851332301234")
