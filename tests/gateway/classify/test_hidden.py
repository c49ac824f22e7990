"""What is written so as not to be seen."""

from __future__ import annotations

import base64
import binascii
import bz2
import gzip
import zlib

import pytest

from gateway.classify.classifier import Classifier
from gateway.core.findings import WEAK_TYPES, SensitivityRules

SECRET = "my card is 4111 1111 1111 1111, thanks"
MAIL = "jane.thornbury@halvorsen-logistics.com"


def _b64(text: bytes) -> str:
    return base64.b64encode(text).decode()


DISGUISED = {
    "base64": _b64(SECRET.encode()),
    "base64 twice": _b64(_b64(SECRET.encode()).encode()),
    "base64 in lines": base64.encodebytes(SECRET.encode() * 3).decode(),
    "base64, URL-safe": base64.urlsafe_b64encode(SECRET.encode() + b"??>>").decode(),
    "base32": base64.b32encode(SECRET.encode()).decode(),
    "gzip": _b64(gzip.compress(SECRET.encode(), mtime=0)),
    "hexadecimal": SECRET.encode().hex(),
    "hexadecimal pairs": SECRET.encode().hex(" "),
    "percent": "".join(f"%{byte:02x}" for byte in SECRET.encode()),
    "entities": "".join(f"&#{ord(character)};" for character in SECRET),
    "unicode escapes": "".join(f"\\u{ord(character):04x}" for character in SECRET),
    "byte escapes": "".join(f"\\x{ord(character):02x}" for character in SECRET),
    "bits": " ".join(f"{byte:08b}" for byte in b"4111111111111111"),
    "words": "card " + "four one one one " + "one one one one " * 3,
    "German words": "Karte " + "vier eins eins eins " + "eins eins eins eins " * 3,
    "look-alike letters": "card 4lll 1111 1111 I1I1",
    "quoted-printable": "jane.thornbury=40halvorsen-logistics.com",
    "[at] [dot]": "jane.thornbury [at] halvorsen-logistics [dot] com",
    "_at_": "jane.thornbury_at_halvorsen-logistics.com",
    "broken-up literal": '"4111 1111 " + "1111 1111 card"',
    "spaced sign": "jane.thornbury @ halvorsen-logistics . com",
    "words for signs": "jane dot thornbury at halvorsen-logistics dot com",
    "underscores": "card 4111_1111_1111_1111",
    "commas": "card 4111,1111,1111,1111",
    "markup": "card 4111<b>1111</b>1111<i>1111</i>",
    "list of strings": '["4111", "1111", "1111", "1111"] card',
    "character codes": "card " + ", ".join(str(byte) for byte in b"4111111111111111"),
    "hexadecimal codes": "card " + ", ".join(f"0x{byte:02x}" for byte in b"4111111111111111"),
    "Chinese digits": "card 四一一一 一一一一 一一一一 一一一一",
    "rotation": "rot13: wnar.gubeaohel@unyibefra-ybtvfgvpf.pbz",
    "mirror": "reversed: 9999-90-912 nss",
    "spaced out": "\nC O N F I D E N T I A L\n",
    "keycaps": "card " + "".join(f"{d}\ufe0f\u20e3" for d in "4111111111111111"),
    "Braille digits": "card ⠼⠙⠁⠁⠁⠁⠁⠁⠁⠁⠁⠁⠁⠁⠁⠁⠁",
    "letters in squares": "🅿🅰🆂🆂🆆🅾🆁🅳: Xk9#mQ2vv1",
    "arrows": "card 4111 -> 1111 -> 1111 -> 1111",
    "emoji between": "card number 4111🙂1111🙂1111🙂1111",
    "crosses": "card 4111x1111x1111x1111",
    "words between": "card 4111 dash 1111 dash 1111 dash 1111",
    "brackets": "card (4111)(1111)(1111)(1111)",
    "control characters": "card 4111\x001111\x001111\x001111",
    "thousands": "card 4,111,111,111,111,111",
    "a number a line": "card:\n1: 4111\n2: 1111\n3: 1111\n4: 1111",
    "Spanish words": "tarjeta: " + "cuatro uno uno uno " + "uno uno uno uno " * 3,
    "Polish words": "karta: " + "cztery jeden jeden jeden " + "jeden jeden jeden jeden " * 3,
    "Russian words": "карта: " + "четыре один один один " + "один один один один " * 3,
    "double and triple": "ssn: double five one, three two, double seven six eight",
    "tens": "card forty-one eleven eleven eleven eleven eleven eleven eleven",
    "words together": "card four" + "one" * 15,
    "backwards override": "card \u202e1111111111111114\u202c",
    "Morse": "card in morse: ....- " + ".---- " * 15,
    "base64 in groups": " ".join(
        _b64(SECRET.encode())[i : i + 8] for i in range(0, len(_b64(SECRET.encode())), 8)
    ),
    "base64 backwards": _b64(SECRET.encode())[::-1],
    "base64 of UTF-16": _b64(SECRET.encode("utf-16-be")),
    "UTF-7": "+" + _b64(SECRET.encode("utf-16-be")).rstrip("=") + "-",
    "bzip2": _b64(bz2.compress(SECRET.encode())),
    "bare deflate": _b64(zlib.compress(SECRET.encode())[2:-4]),
    "base32 in small letters": base64.b32encode(SECRET.encode()).decode().lower().rstrip("="),
    "base85": "base85: " + base64.b85encode(SECRET.encode()).decode(),
    "uuencode": "begin 644 x\n" + binascii.b2a_uu(SECRET.encode()).decode() + "`\nend",
    "hexadecimal with dashes": SECRET.encode().hex("-"),
    "hexadecimal words": SECRET.encode().hex(" ", 2),
    "percent twice": "".join(f"%25{byte:02x}" for byte in SECRET.encode()),
    "wide percent": "".join(f"%u{ord(character):04x}" for character in SECRET),
    "style escapes": "".join(f"\\{ord(character):x} " for character in SECRET),
    "code points": " ".join(f"U+{ord(character):04X}" for character in SECRET),
    "entities without ends": "".join(f"&#{ord(character)}" for character in SECRET),
    "chr()": "+".join(f"chr({ord(character)})" for character in SECRET),
    "octal numbers": " ".join(f"{ord(character):03o}" for character in SECRET),
    "an encoded header": "=?utf-8?Q?" + "".join(f"={b:02X}" for b in SECRET.encode()) + "?=",
    "rot47": "rot47: DD? `ag\\_a\\____ DD? cdh\\fc\\baah",
    "Russian label": "пароль: Xk9#mQ2vv1",
    "Japanese label": "パスワード：Xk9#mQ2vv1",
    "Korean label": "여권번호는 M789C1234입니다",
    "Chinese mark": "内部资料 严禁外传",
    "other words for signs": "jane.thornbury arroba halvorsen-logistics punto com",
    "pieces in a program": 'a="4111"; b="1111"; c="1112"; d="1110"  # card',
    "a table": "name,nhs number\nAnn,943 476 5919\n",
    "tags": "card " + "".join(chr(0xE0000 + ord(character)) for character in "4111111111111111"),
}
HARMLESS = {
    "base64 of a greeting": _b64(b"hello world, this is a harmless test sentence"),
    "a log line": "why is eyJsZXZlbCI6ImluZm8iLCJtc2ciOiJzdGFydGVkIn0= not valid JSON?",
    "emoji family": "emoji family 👨\u200d👩\u200d👧 renders wrong",
    "soft hyphens": "Donau\u00addampf\u00adschiff\u00adfahrt",
    "literals": '"foo" + "bar" + "baz" in JS',
    "counting": "one two three four five six seven",
    "code": "self.look_at_this.value = created_at_utc.dt",
    "years": '["2019", "2020", "2021", "2022"]',
    "matrix": "y = a @ b.T",
    "list of numbers": "sort 45, 67, 12, 98, 34, 56, 78, 90, 11, 22, 33",
    "numbers of fifteen digits": "total 9,876,543,210,123,456 units",
    "digits of pi": "three one four one five nine two six five three five eight nine seven nine",
    "Morse greeting": "morse: .... . .-.. .-.. --- / .-- --- .-. .-.. -..",
    "a question in Russian": "Расскажи про пароль и почему он важен",
    "a question in Chinese": "什么是密码学？请解释公钥和私钥",
    "a question in Japanese": "パスワード管理のコツを教えてください",
    "a score": "score 4-1-1-2-3-5-8-1-3-2-1",
    "a cube": "4x4x4x4 cube has how many blocks",
    "a bit matrix": "1|2|3|4\n5|6|7|8\n9|0|1|2",
    "words at a site": "we meet at the dot com conference",
    "a tiny picture": "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEA"
    "AAIBRAA7",
    "a table without persons": "name,age,city\nBob,34,Rome\nAnn,31,Oslo",
    "a path": "/usr/share/dictionaries/american-english/words-and-phrases",
}


@pytest.mark.parametrize("name", DISGUISED)
def test_disguised_items_are_found(name: str, classifier: Classifier, rules: SensitivityRules):
    """An item is found through its disguise, at the place of the disguise."""
    text = f"please read: {DISGUISED[name]} ."
    findings = classifier.judge_text(text, rules).findings
    strong = [one for one in findings if one.type not in WEAK_TYPES]

    assert strong, findings
    assert all(one.start >= len("please read: ") - 1 for one in strong)


@pytest.mark.parametrize("name", HARMLESS)
def test_harmless_text_stays_harmless(name: str, classifier: Classifier, rules: SensitivityRules):
    """Decoding and rewriting invent nothing."""
    profile = classifier.judge_text(HARMLESS[name], rules)

    assert profile.sensitivity == rules.default, profile.findings


def test_nesting_is_bounded(classifier: Classifier, rules: SensitivityRules):
    """Text that is encoded many times over is read to a bounded depth and still gets a profile."""
    text = "hello hello hello hello"
    for _ in range(12):
        text = _b64(text.encode())

    assert classifier.judge_text(text, rules).failed == ()


def test_a_small_bomb_is_not_blown_up(classifier: Classifier, rules: SensitivityRules):
    """Of compressed content only a bounded part is read."""
    bomb = _b64(gzip.compress(b"a" * 50_000_000, mtime=0))

    assert classifier.judge_text(bomb, rules).failed == ()
