"""Check digits of identifiers that python-stdnum does not know.

Each function takes the number without separators, in capitals, and says whether its check holds.
"""

from __future__ import annotations

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def luhn(digits: str) -> bool:
    """Whether the last digit is the Luhn check digit of the others (ISO/IEC 7812-1, annex B)."""
    raw = digits.encode()
    # Digit sums by counting: ord("0") is 48.
    total = sum(raw[-1::-2]) + sum(raw[-2::-2].translate(_DOUBLED)) - 48 * len(raw)
    return total % 10 == 0


_DOUBLED = bytes.maketrans(b"0123456789", b"0246813579")


def _weighted(digits: str, weights: tuple[int, ...]) -> int:
    return sum(int(d) * w for d, w in zip(digits, weights, strict=False))


def snils(number: str) -> bool:
    """Russia's pension number: nine digits weighted 9 to 1, modulo 101."""
    if len(number) != 11 or not number.isdigit():
        return False
    return _weighted(number, (9, 8, 7, 6, 5, 4, 3, 2, 1)) % 101 % 100 == int(number[9:])


def my_number(number: str) -> bool:
    """Japan's individual number: eleven digits, weights 6 5 4 3 2 7 6 5 4 3 2, modulo 11."""
    if len(number) != 12 or not number.isdigit():
        return False
    rest = _weighted(number, (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return int(number[11]) == (0 if rest <= 1 else 11 - rest)


def iin(number: str) -> bool:
    """Kazakhstan's individual number: a date, and modulo 11 with a second try at other weights."""
    if len(number) != 12 or not number.isdigit() or not _date(number[2:4], number[4:6]):
        return False
    rest = _weighted(number, (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)) % 11
    if rest == 10:
        rest = _weighted(number, (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2)) % 11
    return rest == int(number[11])


def _date(month: str, day: str) -> bool:
    return "01" <= month <= "12" and "01" <= day <= "31"


def taiwan(number: str) -> bool:
    """Taiwan's identity number: a letter of place, then nine digits, weighted modulo 10."""
    if len(number) != 10 or number[0] not in _PLACES or number[1] not in "1289":
        return False
    place = _PLACES.index(number[0]) + 10
    total = place // 10 + place % 10 * 9 + _weighted(number[1:], (8, 7, 6, 5, 4, 3, 2, 1, 1))
    return total % 10 == 0


#: The letters in the order of the codes 10 to 35 that they stand for.
_PLACES = "ABCDEFGHJKLMNPQRSTUVXYWZIO"


def singapore(number: str) -> bool:
    """Singapore's NRIC and FIN: seven digits and a letter, by weights modulo 11."""
    if len(number) != 9 or not number[1:8].isdigit():
        return False
    total = _weighted(number[1:], (2, 7, 6, 5, 4, 3, 2)) + {"T": 4, "G": 4, "M": 3}.get(
        number[0], 0
    )
    if number[0] in "ST":
        return number[8] == "JZIHGFEDCBA"[total % 11]
    if number[0] in "FG":
        return number[8] == "XWUTRQPNMLK"[total % 11]
    return number[0] == "M" and number[8] == "KLJNPQRTUWX"[10 - total % 11]


def hong_kong(number: str) -> bool:
    """Hong Kong's identity card: one or two letters, six digits and a check of modulo 11."""
    body, check = number[:-1], number[-1]
    if not 7 <= len(body) <= 8 or not body[-6:].isdigit() or not body[:-6].isalpha():
        return False
    padded = body.rjust(8)
    values = [36 if c == " " else int(c) if c.isdigit() else _LETTERS.index(c) + 10 for c in padded]
    total = sum(v * w for v, w in zip(values, (9, 8, 7, 6, 5, 4, 3, 2), strict=True))
    rest = (11 - total % 11) % 11
    return check == ("A" if rest == 10 else str(rest))


def health_insured(number: str) -> bool:
    """Germany's health insurance number: a letter and nine digits, a Luhn of the letter's place."""
    if len(number) != 10 or number[0] not in _LETTERS or not number[1:].isdigit():
        return False
    digits = f"{_LETTERS.index(number[0]) + 1:02d}{number[1:9]}"
    return _crosswise(digits, (1, 2, 1, 2, 1, 2, 1, 2, 1, 2)) % 10 == int(number[9])


def pension_insured(number: str) -> bool:
    """Germany's pension insurance number: area, date of birth, a letter, serial and check."""
    if len(number) != 12 or number[8] not in _LETTERS or not (number[:8] + number[9:]).isdigit():
        return False
    digits = f"{number[:8]}{_LETTERS.index(number[8]) + 1:02d}{number[9:11]}"
    return _crosswise(digits, (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1)) % 10 == int(number[11])


def _crosswise(digits: str, weights: tuple[int, ...]) -> int:
    products = (int(d) * w for d, w in zip(digits, weights, strict=True))
    return sum(product // 10 + product % 10 for product in products)


def travel_document(number: str) -> bool:
    """A document number with the check digit of machine-readable documents (ICAO 9303): 7 3 1."""
    body, check = number[:-1], number[-1]
    if not check.isdigit() or not body.isalnum():
        return False
    total = sum(int(c, 36) * (7, 3, 1)[place % 3] for place, c in enumerate(body))
    return total % 10 == int(check)


def emirates(number: str) -> bool:
    """The Emirates' identity number: 784, the year of birth, and Luhn."""
    year = number[3:7]
    return (
        len(number) == 15 and number.startswith("784") and "1900" <= year <= "2099" and luhn(number)
    )


def uk_driver(number: str) -> bool:
    """A British driving licence: surname, then decade, month (plus 50 for women), day and year."""
    if len(number) != 16 or not number[5:11].isdigit():
        return False
    month = int(number[6:8])
    return (1 <= month <= 12 or 51 <= month <= 62) and "01" <= number[8:10] <= "31"


def provider(number: str) -> bool:
    """The US provider number (NPI): Luhn behind the issuer's prefix 80840."""
    return len(number) == 10 and number[0] in "12" and luhn("80840" + number)


def medicare_australia(number: str) -> bool:
    """Australia's Medicare card: eight digits weighted 1 3 7 9 1 3 7 9, modulo 10."""
    if len(number) not in (10, 11) or number[0] not in "23456":
        return False
    return _weighted(number[:8], (1, 3, 7, 9, 1, 3, 7, 9)) % 10 == int(number[8])


def physician_germany(number: str) -> bool:
    """Germany's physician number (LANR): six digits weighted 4 and 9 in turn, modulo 10."""
    if len(number) != 9:
        return False
    return (10 - _weighted(number[:6], (4, 9, 4, 9, 4, 9)) % 10) % 10 == int(number[6])
