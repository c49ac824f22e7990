"""Makes a value that looks like another of its kind and can belong to nobody.

Rules of this file:
- a fake comes from a range reserved for examples, or fails the check that a real one passes;
- nothing of the value goes into its fake but the shape of a card number;
- what a fake is made of comes in as a number, so the same number gives the same fake.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

#: Vowels and consonants in turn can be said, and hardly make a name that somebody has.
_CONSONANTS, _VOWELS = "bdfgklmnprstvz", "aeiou"
_UPPER = "ABCDEFGHJKLMNPQRSTUVWXYZ"
#: Cards have 12 to 19 digits (ISO/IEC 7812-1), written in groups or not.
_CARD = re.compile(r"\d(?:[ -]?\d){11,18}", re.ASCII)
#: Networks for documentation: RFC 5737 and RFC 3849.
_NETWORKS = ("192.0.2", "198.51.100", "203.0.113")


class _Draw:
    """Takes choices out of a number."""

    def __init__(self, number: int) -> None:
        self._left = number

    def below(self, bound: int) -> int:
        self._left, taken = divmod(self._left, bound)
        return taken

    def of(self, letters: str, count: int = 1) -> str:
        return "".join(letters[self.below(len(letters))] for _ in range(count))

    def digits(self, count: int) -> str:
        return self.of("0123456789", count)


def fake(kind: str, value: str, number: int) -> str | None:
    """A fake for a value of a finding type, drawn from a number of 128 bits or more.

    None where there is none: the type has no fakes, or the value is not written as its type is.
    """
    maker = _MAKERS.get(kind)
    return None if maker is None else maker(value, _Draw(number))


def _email(value: str, draw: _Draw) -> str:
    """`.invalid` is nobody's domain for ever: RFC 2606."""
    syllables = (draw.of(_CONSONANTS) + draw.of(_VOWELS) for _ in range(6))
    first, last = "".join(next(syllables) for _ in range(3)), "".join(syllables)
    return f"{first}.{last}@example.invalid"


def _phone(value: str, draw: _Draw) -> str:
    """555-0100 to 555-0199 are kept for fiction in every area of the North American plan."""
    area = f"{2 + draw.below(8)}{draw.below(9)}{draw.below(10)}"
    return f"+1-{area}-555-01{draw.digits(2)}"


def _payment_card(value: str, draw: _Draw) -> str | None:
    """As many digits in the same groups, with a wrong check digit."""
    if not _CARD.fullmatch(value):
        return None
    digits = draw.digits(sum(letter.isdigit() for letter in value) - 1)
    wrong = (_luhn(digits) + 1 + draw.below(9)) % 10
    drawn = iter(f"{digits}{wrong}")
    return "".join(next(drawn) if letter.isdigit() else letter for letter in value)


def _iban(value: str, draw: _Draw) -> str:
    """ZZ is no country (ISO 3166-1 leaves it to users), and no IBAN has the check digits 00."""
    return f"ZZ00{draw.of(_UPPER, 4)}{draw.digits(14)}"


def _us_ssn(value: str, draw: _Draw) -> str:
    """No number begins with 000: Social Security Administration, POMS RM 10201.035."""
    return f"000-{draw.digits(2)}-{draw.digits(4)}"


def _ip_address(value: str, draw: _Draw) -> str:
    if ":" in value:
        return "2001:db8:" + ":".join(f"{4096 + draw.below(61440):x}" for _ in range(6))
    # Three digits each, so that no address begins with another.
    return f"{_NETWORKS[draw.below(3)]}.{100 + draw.below(156)}"


def _mac_address(value: str, draw: _Draw) -> str:
    """The block for documentation of RFC 7042, 2.1.2."""
    return f"00:00:5E:00:53:{draw.of('0123456789ABCDEF', 2)}"


def _luhn(digits: str) -> int:
    """The check digit that would be right behind these."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return -total % 10


_MAKERS: Mapping[str, Callable[[str, _Draw], str | None]] = MappingProxyType(
    {
        "email": _email,
        "phone": _phone,
        "payment_card": _payment_card,
        "iban": _iban,
        "us_ssn": _us_ssn,
        "ip_address": _ip_address,
        "mac_address": _mac_address,
    }
)
#: The finding types that there are fakes for.
FAKED_TYPES = frozenset(_MAKERS)
