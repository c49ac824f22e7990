"""What every kind of claim gives."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from policies.checker.logic import Formula
from policies.model.cases import GivenStatement
from policies.problems import Place


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """Something that must hold for all requests.

    `says` puts it in words and `breach` is the formula of a request that breaks it. `witness`
    asks the engine about one request: the sentence that tells how it goes wrong, or nothing where
    the request breaks no claim. `hint` says what to do.
    """

    code: str
    at: Place
    path: str
    says: str
    breach: Formula
    witness: Callable[[GivenStatement], str]
    hint: str = ""
