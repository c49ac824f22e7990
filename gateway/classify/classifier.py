"""Judges a request: sensitivity with findings, difficulty, task, tokens and needs.

Rules of this file:
- nothing raises: what fails is named in `Profile.failed` and counts as restricted;
- every string of the request is read, whatever kind it has;
- nothing is read or written outside; one classifier serves one thread.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import msgspec

from gateway.classify.cues import CueReader, load_cues
from gateway.classify.detection import Scanner, compile_table
from gateway.classify.detectors import all_detectors
from gateway.classify.detectors.base import Found
from gateway.classify.difficulty import Assessed, DifficultyModel, Predictor, load_shipped
from gateway.classify.difficulty_kept import features_of, pack_features
from gateway.classify.engine import open_engine
from gateway.classify.fingerprints import FingerprintIndex
from gateway.classify.folding import Folding
from gateway.classify.hidden import Readers, find_everywhere
from gateway.classify.overlaps import without_overlaps
from gateway.classify.own_detectors import OwnDetectors
from gateway.classify.scripts import Scripts
from gateway.classify.tagger import load_tagger
from gateway.classify.task import task_of
from gateway.classify.tokens import estimate
from gateway.core.findings import Finding, OwnDetector, SensitivityRules, sensitivity_of
from gateway.core.profile import Profile, TokenEstimate
from gateway.core.request import ChatRequest, Segment
from gateway.core.sensitivity import UNKNOWN, Sensitivity

#: Policies whose own detectors are kept compiled.
MOST_KEPT = 4
#: Kinds of strings that people and tools write.
_WRITTEN = frozenset({"text", "tool_argument", "tool_result", "unknown"})


class Joined(msgspec.Struct, frozen=True):
    """The strings of a request as one text, and where each begins in it."""

    text: str
    starts: tuple[int, ...]

    def messages(self, segments: Sequence[Segment]) -> list[tuple[int, int]]:
        """Where the strings stand that somebody wrote, not those of the request's form."""
        return [
            (start, start + len(segment.text))
            for start, segment in zip(self.starts, segments, strict=True)
            if segment.kind in _WRITTEN
        ]

    def findings(self, found: Sequence[Found], segments: Sequence[Segment]) -> list[Finding]:
        """Findings by segment; one that runs over several segments becomes one in each."""
        findings = []
        for one in found:
            number = bisect_right(self.starts, one.start) - 1
            while number < len(segments) and self.starts[number] < one.end:
                begin = self.starts[number]
                start = max(0, one.start - begin)
                end = min(len(segments[number].text), one.end - begin)
                if end > start:
                    findings.append(
                        Finding(
                            type=one.type, start=start, end=end,
                            confidence=one.confidence, segment=number,
                        )
                    )  # fmt: skip
                number += 1
        return findings


def join(segments: Sequence[Segment]) -> Joined:
    """Put the strings after one another: a key before its value, all else on lines of its own."""
    parts: list[str] = []
    starts: list[int] = []
    length = 0
    for segment in segments:
        starts.append(length)
        separator = ": " if segment.kind == "key" else "\n"
        parts.append(segment.text)
        parts.append(separator)
        length += len(segment.text) + len(separator)
    return Joined("".join(parts), tuple(starts))


class Classifier:
    """The compiled detectors and the difficulty model. Built by `load_classifier`."""

    def __init__(
        self,
        readers: Readers,
        cues: CueReader,
        predictor: Predictor,
    ) -> None:
        self._readers = readers
        self._cues = cues
        self._predictor = predictor
        self._own: tuple[tuple[tuple[OwnDetector, ...], OwnDetectors], ...] = ()

    def look_for(self, fingerprints: FingerprintIndex | None) -> None:
        """From now on, also look for passages of these documents, in place of any others."""
        self._readers = msgspec.structs.replace(self._readers, fingerprints=fingerprints)

    def prepare(self, rules: SensitivityRules) -> OwnDetectors | None:
        """Compile the detectors that a policy brings along, if that has not been done yet.

        The last few policies' are kept: the one in force, one before it, and those on trial.

        Raises:
            ValueError: a pattern of theirs cannot be compiled.
        """
        if not rules.own:
            return None
        for stated, compiled in self._own:
            if stated is rules.own:
                return compiled
        compiled = OwnDetectors(rules.own, self._readers.folding)
        self._own = (*self._own[1 - MOST_KEPT :], (rules.own, compiled))
        return compiled

    def judge(
        self,
        request: ChatRequest,
        rules: SensitivityRules,
        floor: Sensitivity = Sensitivity.PUBLIC,
    ) -> Profile:
        """The profile of a request. `floor` is the level that the caller declared."""
        # Which vocabulary they belong to is the backend's secret, so what they say is unknown.
        failed = ["token_ids"] if request.token_ids else []
        findings: list[Finding] = []
        text = request.prompt
        try:
            joined = join(request.segments)
            text = joined.text
            messages = joined.messages(request.segments)
            found = self._find(text, messages, rules, failed)
            findings = joined.findings(found, request.segments)
            level = sensitivity_of(findings, rules, floor)
        except Exception:  # noqa: BLE001 - an unread request must count as restricted
            failed.append("findings")
            level = UNKNOWN
        try:
            cues = self._cues.read(request.prompt)
            assessed = self._predictor.assess(request.prompt, request.size, cues, request.tools)
            task = task_of(request, cues)
        except Exception:  # noqa: BLE001 - as above
            failed.append("difficulty")
            assessed, task = Assessed(1.0, 0.0), "chat"
        try:
            tokens = estimate(request, text)
        except Exception:  # noqa: BLE001 - as above
            failed.append("tokens")
            tokens = TokenEstimate(expected=request.size, upper_bound=request.size)
        return Profile(
            sensitivity=UNKNOWN if failed else level,
            findings=tuple(findings),
            difficulty=assessed.difficulty,
            reliability=assessed.reliability,
            task=task,
            tokens=tokens,
            needs=request.needs,
            failed=tuple(failed),
            floor=floor,
        )

    def features(self, prompt: str, size: int, tools: bytes) -> bytes:
        """What the difficulty model sees of a prompt in a body of `size` bytes, packed.

        `tools` is the field of that name, empty for none.
        """
        return pack_features(features_of(prompt, size, self._cues.read(prompt), tools))

    def judge_text(self, text: str, rules: SensitivityRules) -> Profile:
        """The profile of a bare text, as if a user had sent it as the only message."""
        return self.judge(text_request(text), rules)

    def detect(
        self, text: str, rules: SensitivityRules
    ) -> tuple[tuple[Found, ...], tuple[str, ...]]:
        """What is found in a bare text, and who failed: the part of `judge_text` about privacy.

        Raises:
            Exception: what `judge` names as failed `findings`.
        """
        failed: list[str] = []
        found = self._find(text, [(0, len(text))], rules, failed)
        return found, tuple(failed)

    def _find(
        self,
        text: str,
        messages: list[tuple[int, int]],
        rules: SensitivityRules,
        failed: list[str],
    ) -> tuple[Found, ...]:
        own = self.prepare(rules)
        readers = self._readers
        if own is not None:
            readers = msgspec.structs.replace(readers, own=own)
        found, broken = find_everywhere(text, readers, messages)
        failed.extend(broken)
        return without_overlaps(found, rules.levels)


def text_request(text: str) -> ChatRequest:
    """A bare text as a request whose only message it is."""
    return ChatRequest(
        wire="text",
        fields={},
        model="",
        segments=(Segment(text, ""),),
        size=len(text.encode("utf-8", "surrogatepass")),
        prompt=text,
        turns=0,
    )


def load_classifier(
    *,
    engine: str = "auto",
    difficulty: DifficultyModel | None = None,
) -> Classifier:
    """Compile the detectors once (about 1.3 s, most of it the patterns of the engine).

    `engine` is "hyperscan", "re2" or "auto". `difficulty` is a calibrated model; without one it is
    the cold-start model that ships.

    Raises:
        ValueError: there is no engine of that name.
        RuntimeError: the engine that was asked for is not installed.
    """
    detectors = all_detectors()
    table = compile_table(detectors)
    scanner = Scanner(detectors, table, open_engine(engine, table.anchors))
    predictor = Predictor(difficulty or load_shipped())
    readers = Readers(Folding(), Scripts(), scanner, load_tagger())
    return Classifier(readers, load_cues(engine), predictor)
