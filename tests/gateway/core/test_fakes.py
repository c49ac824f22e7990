"""Fakes look like values of their type, and are nobody's."""

from __future__ import annotations

import ipaddress
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iban, luhn
from stdnum.us import ssn

from gateway.core.fakes import FAKED_TYPES, fake

NUMBERS = st.integers(0, 2**256 - 1)
#: Usual values, which a fake must not be.
VALUES = {
    "email": "ada.berg@kanzlei-berg.de",
    "phone": "+49 30 901820",
    "payment_card": "4111 1111 1111 1111",
    "iban": "DE89 3704 0044 0532 0130 00",
    "us_ssn": "219-09-9999",
    "ip_address": "8.8.8.8",
    "mac_address": "3C:22:FB:01:02:03",
}


def made(kind: str, number: int, value: str = "") -> str:
    """A fake that must be there."""
    told = fake(kind, value or VALUES[kind], number)
    assert told is not None
    return told


@given(NUMBERS)
def test_addresses_are_in_a_domain_that_nobody_can_have(number: int) -> None:
    assert re.fullmatch(r"[a-z]{6}\.[a-z]{6}@example\.invalid", made("email", number))


@given(NUMBERS)
def test_phones_are_among_those_kept_for_fiction(number: int) -> None:
    assert re.fullmatch(r"\+1-[2-9][0-8]\d-555-01\d\d", made("phone", number))


@given(NUMBERS, st.sampled_from(["4111 1111 1111 1111", "3782-822463-10005", "4222222222222"]))
def test_cards_are_written_alike_and_fail_their_check(number: int, value: str) -> None:
    """Same groups, another number, and no terminal takes it."""
    told = made("payment_card", number, value)

    assert re.sub(r"\d", "d", told) == re.sub(r"\d", "d", value)
    assert not luhn.is_valid(re.sub(r"\D", "", told))


@given(NUMBERS)
def test_account_and_social_security_numbers_are_not_valid(number: int) -> None:
    assert not iban.is_valid(made("iban", number))
    assert not ssn.is_valid(made("us_ssn", number))


@given(NUMBERS)
def test_network_addresses_are_those_for_documentation(number: int) -> None:
    nets = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
    four = ipaddress.ip_address(made("ip_address", number))
    six = ipaddress.ip_address(made("ip_address", number, "2a00:1450::1"))

    assert any(four in ipaddress.ip_network(net) for net in nets)
    assert six in ipaddress.ip_network("2001:db8::/32")
    assert made("mac_address", number).startswith("00:00:5E:00:53:")


@given(st.sampled_from(sorted(FAKED_TYPES)), NUMBERS)
def test_a_number_gives_one_fake_and_the_value_only_its_shape(kind: str, number: int) -> None:
    """Another value of the same shape would have got the same one: nothing of it shows."""
    other = re.sub(r"\d", "7", VALUES[kind])

    assert made(kind, number) == made(kind, number, other)


@pytest.mark.parametrize(
    ("kind", "value"), [("person", "Ada Berg"), ("payment_card", "four one one one")]
)
def test_other_types_and_unusual_spellings_have_none(kind: str, value: str) -> None:
    assert fake(kind, value, 1) is None


def test_every_type_with_fakes_is_tried_here() -> None:
    assert set(VALUES) == FAKED_TYPES
