"""Short codes that open something: PINs, one-time and recovery codes, card verification, seeds.

Bad: `my PIN is 6384`, `CVV: 382`, `seed phrase: abandon ability able ...`. Good: `pin 13 of the
board`, `error code 404123`.
"""

from __future__ import annotations

import re

from gateway.classify.detectors.base import Detector, Found, View

_SAID = (
    r"[\"')\]]{0,2}(?:[ \t]{1,2}(?:code|number|no\.?|is|was|are|ist|es|est|e|to|"
    r"for [\w@.]{1,24}|set)){0,3}[ \t]{0,2}[:=#|]?[ \t]{0,3}[\"'(]?"
)
_PIN = re.compile(rf"{_SAID}(?P<code>\d{{4,8}})(?![\w.]|-\d)")
_CVV = re.compile(rf"2?{_SAID}(?P<code>\d{{3,4}})(?![\w.]|-\d)")
_CODE = re.compile(
    rf"s?{_SAID}\n?[ \-*]{{0,4}}(?P<code>(?=[A-Za-z\-]*\d)[A-Za-z0-9]{{4,12}}(?:-"
    rf"[A-Za-z0-9]{{3,8}}){{0,5}}"
    r"(?:[ ,\n]{1,3}[A-Za-z0-9]{4,8}-[A-Za-z0-9]{4,8}){0,16})(?![A-Za-z0-9])"
)
_SEED = re.compile(
    r"(?:[ \t]{1,2}(?:is|words|was|are))?[ \t]{0,2}[:=]?[\s\"']{0,4}"
    r"(?P<code>[a-z]{3,8}(?:[ ,\n]{1,2}(?:\d{1,2}\.? )?[a-z]{3,8}){11,23})(?![a-z])"
)
_PIN_ANCHORS = (
    "[^a-z]pin[ :=\"'|]",
    "mpin[ :=]",
    "pincode",
    "geheimzahl",
    "code pin",
    "codigo pin",
)
_CVV_ANCHORS = ("cvv", "cvc[^a-z]", "card verification", "card security code", "kartenprufnummer")
_CODE_ANCHORS = (
    "recovery code", "backup code", "verification code", "one-time code", "one time code",
    "security code", "one-time password", "[^a-z]otp[ :=]", "2fa code", "mfa code", "access code",
    "passcode", "activation code", "unlock code", "door code", "alarm code", "gate code",
    "authentication code", "login code", "reset code", "puk[ :=]", "confirmation pin",
)  # fmt: skip
_SEED_ANCHORS = ("seed phrase", "recovery phrase", "mnemonic", "secret phrase", "seed words")
_ANCHORS = _PIN_ANCHORS + _CVV_ANCHORS + _CODE_ANCHORS + _SEED_ANCHORS
_SHAPES = (
    (_PIN,) * len(_PIN_ANCHORS) + (_CVV,) * len(_CVV_ANCHORS)
    + (_CODE,) * len(_CODE_ANCHORS) + (_SEED,) * len(_SEED_ANCHORS)
)  # fmt: skip
# A PIN of a board or a chip is a leg.
_LEG = re.compile(
    r"gpio|arduino|connector|board|socket|header|solder|lumbar|bowling|rolling|chip|wire"
)


def _look(view: View, which: int, start: int, end: int) -> Found | None:
    text, shape = view.text, _SHAPES[which]
    if not text[end - 1].isalnum():
        end -= 1
    match = shape.match(text, end)
    if match is None:
        return None
    if shape is _PIN and _LEG.search(view.lower, max(0, start - 60), end + 60) is not None:
        return None
    kind = "credential" if shape is _CVV else "password"
    return Found(kind, *match.span("code"), 0.8)


DETECTOR = Detector(name="access_code", anchors=_ANCHORS, look=_look)
