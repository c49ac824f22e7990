"""What is written so as not to be seen."""

from __future__ import annotations

import base64
import gzip

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
