"""`fairlead classify`: judge texts or conversations from stdin, one JSON line each."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, TextIO

import msgspec
import typer

from gateway.classify.classifier import Classifier, load_classifier, text_request
from gateway.classify.difficulty import DifficultyModel
from gateway.classify.fingerprints import FingerprintIndex
from gateway.classify.pictures import pictures_of
from gateway.classify.token_counting import counted
from gateway.config.difficulty_models import load_model
from gateway.config.settings import Settings, load_settings
from gateway.config.terms import terms_lookup
from gateway.config.vocabularies import load_vocabularies
from gateway.core.errors import InvalidRequest
from gateway.core.findings import Finding, SensitivityRules
from gateway.core.profile import FamilyTokens, Profile
from gateway.core.request import ChatRequest
from gateway.core.token_families import FAMILIES, O200K, Vocabulary, vocabularies_for
from gateway.runtime.classifiers import open_pictures, with_shown
from gateway.runtime.pictures import PictureReader
from gateway.stores.fingerprints import COPY, read_copy
from gateway.stores.pepper import load_pepper
from gateway.wire.openai_chat.view import decode

PolicyOption = Annotated[
    Path | None, typer.Option("--policy", help="A policy file whose sensitivity levels to use.")
]
DifficultyOption = Annotated[
    str,
    typer.Option(
        "--difficulty-model",
        help="A model that `routing calibrate` saved, in place of the setting's.",
    ),
]

TokenizerOption = Annotated[
    str,
    typer.Option("--tokenizer", help=f"Whose tokens to count: {', '.join(FAMILIES)}."),
]


#: What is said of a policy with a second stage.
NOT_ASKED = "the policy's second stage is not asked here, which is offline: gateways ask it"


class BadLine(ValueError):
    """A line cannot be judged; the message says why."""


class Counter(msgspec.Struct, frozen=True):
    """Counts tokens as one tokenizer family does; without vocabularies it leaves the estimate."""

    family: str = O200K
    vocabularies: Mapping[str, Vocabulary] = {}

    def count(self, request: ChatRequest, profile: Profile) -> FamilyTokens:
        """What was counted, or the estimate, which is of no family."""
        tokens = counted(request, profile.tokens, (self.family,), self.vocabularies)
        return FamilyTokens(
            family=self.family if tokens.families else "",
            expected=tokens.expected_by(self.family),
            upper_bound=tokens.most_by(self.family),
            calibrated=tokens.most_by(self.family, calibrated=True),
        )


def open_counter(tokenizer: str) -> Counter:
    """Read the vocabularies that a tokenizer family needs.

    Raises:
        typer.BadParameter: there is no such family.
    """
    if tokenizer not in FAMILIES:
        known = ", ".join(FAMILIES)
        raise typer.BadParameter(f"'{tokenizer}' is none of: {known}")
    return Counter(tokenizer, load_vocabularies(names=vocabularies_for((tokenizer,))))


def classify_command(
    policy: PolicyOption = None,
    difficulty_model: DifficultyOption = "",
    tokenizer: TokenizerOption = O200K,
) -> None:
    """Judge JSON lines {"id", "text"} or {"id", "messages"} from stdin.

    Each answer is a JSON line with sensitivity, findings (types and places, never text),
    difficulty (and how reliable it is), task, input_tokens and the bound that holds of money go by,
    input_tokens_at_most. A line that cannot be read is
    reported on stderr and makes the exit status 1; the others are answered all the same.
    A policy's second stage is not asked. Pictures are read where FAIRLEAD_OCR_SECONDS is set.
    """
    rules = SensitivityRules() if policy is None else _rules_of(policy)
    try:
        settings = load_settings(os.environ)
        model = named_model(difficulty_model, settings)
        fingerprints = known_fingerprints(settings)
        pictures = open_pictures(settings)
    except ValueError as problem:
        typer.echo(f"fairlead: {problem}", err=True)
        raise typer.Exit(2) from None
    classifier = load_classifier(difficulty=model)
    classifier.look_for(fingerprints)
    counter = open_counter(tokenizer)
    told = (sys.stdin.buffer, sys.stdout, sys.stderr)
    bad = classify_lines(*told, classifier, rules, counter, pictures)
    if pictures is not None:
        pictures.close()
    raise typer.Exit(1 if bad else 0)


def named_model(name: str, settings: Settings) -> DifficultyModel | None:
    """The difficulty model of that name, or else of the setting, or else None: the shipped one.

    Raises:
        DifficultyModelError: there is no such model, or its file is no good.
    """
    chosen = name or settings.difficulty_model
    return load_model(settings.home, chosen) if chosen else None


def known_fingerprints(settings: Settings) -> FingerprintIndex | None:
    """The documents that were registered from this home, if there are any.

    Raises:
        ValueError: the pepper or the copy of the documents cannot be used.
    """
    if not (settings.home / COPY).exists():
        return None
    return read_copy(settings.home, load_pepper(settings.home, settings.pepper))


def classify_lines(
    lines: Iterable[bytes],
    answers: TextIO,
    errors: TextIO,
    classifier: Classifier,
    rules: SensitivityRules,
    counter: Counter | None = None,
    pictures: PictureReader | None = None,
) -> int:
    """Answer every line as soon as it is read, and return how many could not be answered."""
    bad = 0
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            answer = answer_line(line, classifier, rules, counter, pictures)
        except BadLine as problem:
            bad += 1
            errors.write(_json({"line": number, "error": str(problem)}))
            errors.flush()
            continue
        answers.write(_json(answer))
        # Whoever keeps this command open as a co-process waits for each answer.
        answers.flush()
    return bad


def answer_line(
    line: bytes,
    classifier: Classifier,
    rules: SensitivityRules,
    counter: Counter | None = None,
    pictures: PictureReader | None = None,
) -> dict[str, Any]:
    """The answer to one JSON line.

    Raises:
        BadLine: the line is no JSON object, or has neither a text nor messages.
    """
    try:
        row = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError) as problem:
        raise BadLine(f"not JSON: {problem}") from None
    if not isinstance(row, dict):
        raise BadLine('not a JSON object; give {"id", "text"} or {"id", "messages"}')
    if isinstance(row.get("text"), str):
        request = text_request(row["text"])
        profile = judged(request, classifier, rules, pictures)
        findings = [_described(finding) for finding in profile.findings]
    elif isinstance(row.get("messages"), list):
        request = _request(row)
        profile = judged(request, classifier, rules, pictures)
        findings = [
            {**_described(finding), "segment": request.segments[finding.segment].pointer}
            for finding in profile.findings
        ]
    else:
        raise BadLine('neither "text" (a string) nor "messages" (a list) in the object')
    return _answer(row.get("id"), profile, findings, (counter or Counter()).count(request, profile))


def judged(
    request: ChatRequest,
    classifier: Classifier,
    rules: SensitivityRules,
    pictures: PictureReader | None,
) -> Profile:
    """The profile of a request, with what its pictures show where they are read."""
    profile = classifier.judge(request, rules)
    if pictures is None:
        return profile
    there, more = pictures_of(request)
    if not there and not more:
        return profile
    return with_shown(profile, there, pictures.read(there), rules, classifier, more=more)


def _request(row: dict[str, Any]) -> ChatRequest:
    body = {"model": "auto", **row}
    body.pop("id", None)
    try:
        return decode(msgspec.json.encode(body))
    except InvalidRequest as problem:
        raise BadLine(problem.public_message) from None


def _answer(
    name: object,
    profile: Profile,
    findings: list[dict[str, Any]],
    tokens: FamilyTokens,
) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "id": name,
        "sensitivity": profile.sensitivity.label,
        "findings": findings,
        "difficulty": profile.difficulty,
        "difficulty_reliability": profile.reliability,
        "task": profile.task,
        "input_tokens": tokens.expected,
        "input_tokens_at_most": tokens.upper_bound,
        "input_tokens_calibrated": tokens.calibrated,
        "tokenizer": tokens.family,
    }
    if profile.failed:
        answer["failed"] = list(profile.failed)
    return answer


def _described(finding: Finding) -> dict[str, Any]:
    return {
        "type": finding.type,
        "start": finding.start,
        "end": finding.end,
        "confidence": round(finding.confidence, 3),
    }


def _json(value: dict[str, Any]) -> str:
    return msgspec.json.encode(value).decode() + "\n"


def _rules_of(file: Path) -> SensitivityRules:
    # Only this option needs the policy grammar, and loading it takes a while.
    from policies.compiler import sensitivity_rules
    from policies.detecting import own_detectors
    from policies.loader import load_policy
    from policies.problems import PolicyError

    try:
        section = load_policy(file).sensitivity
        own, missing = own_detectors(section, terms_lookup(file.parent))
        if missing:
            raise PolicyError(missing, str(file))
        if section.second_stage is not None:
            typer.echo(f"fairlead: {NOT_ASKED}", err=True)
        return sensitivity_rules(section, own)
    except PolicyError as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(2) from None
