"""Single words and figures that several sections use."""

from __future__ import annotations

from decimal import Decimal

from gateway.core.findings import FINDING_TYPES
from gateway.core.profile import Needs
from gateway.core.sensitivity import Sensitivity
from policies.shapes import Amount, Choice, Text, Whole

CAPABILITIES = frozenset(Needs.__struct_fields__)
ON_LOSSY = ("refuse", "record")
NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127}"

LEVEL = Choice(options={level.label: level for level in Sensitivity}, what="a level of sensitivity")
ZONE = Text(what="a zone (lower case, digits and '-')", pattern=r"[a-z0-9][a-z0-9-]{0,39}")
NAME = Text(what="a name", pattern=NAME_PATTERN, numbers=True)
WORD = Text(what="a word", longest=200, numbers=True)
PROSE = Text(what="a sentence", longest=1000)
ID = Text(what="an id (lower case, digits and '-')", pattern=r"[a-z0-9][a-z0-9-]{0,79}")
FINDING = Choice(options={name: name for name in sorted(FINDING_TYPES)}, what="a finding type")
NEED = Choice(options={name: name for name in sorted(CAPABILITIES)}, what="a capability")
LOSSY = Choice(options={name: name for name in ON_LOSSY}, what="refuse or record")
SECONDS = Amount(positive=True, most=Decimal(86_400))
TOKENS = Whole(least=1, most=100_000_000)
USD = Amount(most=Decimal(10**9))
