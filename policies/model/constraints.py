"""One entry of `constraints`."""

from __future__ import annotations

import msgspec

from policies.model.conditions import Condition
from policies.model.selectors import Selector
from policies.problems import Place


class MaskStatement(msgspec.Struct, frozen=True, kw_only=True):
    """What a constraint hides; `realistic` wants fakes in place of placeholders."""

    at: Place
    types: tuple[str, ...]
    realistic: bool = False


class ConstraintStatement(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of `constraints`; without `when` it always applies."""

    at: Place
    id: str
    because: str = ""
    when: Condition | None = None
    only: Selector | None = None
    forbid: Selector | None = None
    require: tuple[str, ...] = ()
    cap_output_tokens: int | None = None
    mask: MaskStatement | None = None
    block: str | None = None
