"""What was judged about one request before anything was decided."""

from __future__ import annotations

import msgspec

from gateway.core.findings import Finding
from gateway.core.sensitivity import Sensitivity
from gateway.core.token_families import DEAREST_IMAGE


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """Capabilities that a deployment must have to serve the request at all."""

    vision: bool = False
    tools: bool = False
    schema: bool = False
    audio: bool = False
    documents: bool = False

    def names(self) -> frozenset[str]:
        """The needs that are set, by name."""
        return frozenset(name for name in self.__struct_fields__ if getattr(self, name))


class FamilyTokens(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """The input in tokens of one tokenizer family.

    `expected` is the likely number, `upper_bound` is never passed, and `calibrated` was not passed
    by any of the texts that it was calibrated on.
    """

    family: str
    expected: int
    upper_bound: int
    calibrated: int


class TokenEstimate(msgspec.Struct, frozen=True, kw_only=True):
    """How many tokens the input has: the likely number and a bound that is never passed.

    Both hold for any tokenizer. Where they were not near enough to what is decided by them, the
    input was counted, and `families` hold what each tokenizer family makes of it. All bounds take
    each of the `images` for the dearest that there is.
    """

    expected: int
    upper_bound: int
    families: tuple[FamilyTokens, ...] = ()
    images: int = 0

    def expected_by(self, family: str) -> int:
        """The likely number of tokens of a family, or of any where its own was not counted."""
        found = self._of(family)
        return self.expected if found is None else found.expected

    def most_by(
        self, family: str, image_tokens: int = DEAREST_IMAGE, *, calibrated: bool = False
    ) -> int:
        """The bound of a family, or of any.

        Args:
            family: whose tokens.
            image_tokens: the most that one image costs.
            calibrated: take the calibrated bound where no other one is nearer.
        """
        found = self._of(family)
        bound = self.upper_bound
        if found is not None:
            bound = found.calibrated if calibrated else found.upper_bound
        return bound - self.images * (DEAREST_IMAGE - image_tokens)

    def _of(self, family: str) -> FamilyTokens | None:
        for one in self.families:
            if one.family == family:
                return one
        return None


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """The judgement of one request.

    `difficulty` is the calibrated probability, 0..1, that the self-hosted baseline's answer
    would be inadequate where a frontier model's would be adequate; `reliability`, 0..1, is how
    much of it was learned, and not told by rule of thumb because nothing alike was seen. `failed`
    names the classifiers that could not finish; their absence has already been counted as
    `restricted`. `floor` is the level that nothing can bring the request below: what the caller
    declared, and what the conversation was judged at before.
    """

    sensitivity: Sensitivity
    findings: tuple[Finding, ...] = ()
    difficulty: float = 0.5
    reliability: float = 0.0
    task: str = "chat"
    tokens: TokenEstimate = TokenEstimate(expected=0, upper_bound=0)
    needs: Needs = Needs()
    failed: tuple[str, ...] = ()
    floor: Sensitivity = Sensitivity.PUBLIC

    def finding_types(self) -> frozenset[str]:
        """The distinct types among the findings that have not been masked."""
        return frozenset(finding.type for finding in self.findings if not finding.masked)
