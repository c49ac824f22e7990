"""The table of IBAN structures against python-stdnum's copy of the registry."""

from __future__ import annotations

import pytest
from stdnum import iban

from gateway.classify.detectors.iban import STRUCTURES, valid


def _example(country: str) -> str:
    fill = {"n": "1", "a": "A", "c": "B"}
    body, number = "", ""
    for character in STRUCTURES[country]:
        if character.isdigit():
            number += character
        else:
            body += fill[character] * int(number)
            number = ""
    return country + iban.calc_check_digits(f"{country}00{body}") + body


@pytest.mark.parametrize("country", sorted(STRUCTURES))
def test_agrees_with_the_registry(country: str):
    """A number of the country's structure is valid here and there; a wrong check is not."""
    number = _example(country)
    wrong = number[:-1] + ("2" if number[-1] != "2" else "3")

    assert valid(number)
    assert iban.is_valid(number, check_country=False)
    assert not valid(wrong)
