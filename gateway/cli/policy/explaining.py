"""`fairlead policy explain`: how a request would be decided, and why."""

from __future__ import annotations

import sys
from pathlib import Path
from time import time
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from gateway.classify.classifier import load_classifier, text_request
from gateway.classify.token_counting import counted
from gateway.cli.policy.files import PolicyPath, compiled, must_exist
from gateway.cli.policy.telling import AsJson, print_json, stop, tell
from gateway.cli.policy.trees import trees
from gateway.config.vocabularies import load_vocabularies
from gateway.core.decision import Facts
from gateway.core.errors import FairleadError
from gateway.core.findings import SensitivityRules
from gateway.core.profile import Profile
from gateway.core.request import API_NAMES, ChatRequest
from gateway.core.token_families import vocabularies_for
from gateway.runtime.reading import NAMES, api_named, api_of
from policies.compiled import CompiledPolicy
from policies.explain import explain
from policies.given import read_given
from policies.model.cases import GivenStatement
from policies.problems import Place, PolicyError
from policies.testing import JudgeText, facts_of

Prompt = Annotated[str | None, typer.Option("--text", help="A prompt, judged by the classifier.")]
Body = Annotated[
    Path | None,
    typer.Option("--body", help="A file with a request of any API; - is stdin."),
]
ApiName = Annotated[
    str | None,
    typer.Option("--api", help=f"What the body is written for: {', '.join(NAMES)}. Else it tells."),
]
GivenFacts = Annotated[
    list[str] | None,
    typer.Option("--fact", help="Such as team=support or 'findings=[medical]'; wins over text."),
]


def explain_request(
    file: PolicyPath,
    text: Prompt = None,
    body: Body = None,
    api: ApiName = None,
    fact: GivenFacts = None,
    as_json: AsJson = False,
) -> None:
    """Show how a request would be decided, and why: every rule and every deployment."""
    must_exist(file)
    try:
        policy = compiled(file)
    except PolicyError as error:
        tell(error.problems, file, as_json, fine="")
        return
    explanation = explain(policy, _facts(policy, text, body, api, fact or []))
    if as_json:
        print_json(msgspec.to_builtins(explanation))
        return
    out = Console(highlight=False)
    for branch in trees(explanation):
        out.print(branch)


def _facts(
    policy: CompiledPolicy, text: str | None, body: Path | None, api: str | None, given: list[str]
) -> Facts:
    statement = _given(given)
    if text is not None:
        statement = msgspec.structs.replace(statement, text=text)
    judge = None
    try:
        if statement.text is not None:
            judge = _judge(policy)
        facts = facts_of(policy, statement, judge)
    except ValueError as error:
        stop(str(error))
    if not statement.time:
        facts = msgspec.structs.replace(facts, now=time())
    return facts if body is None else _with_body(policy, facts, body, api, statement)


def _judge(policy: CompiledPolicy) -> JudgeText:
    classifier = load_classifier()

    def judge(text: str, rules: SensitivityRules) -> Profile:
        return _counted(policy, text_request(text), classifier.judge_text(text, rules))

    return judge


def _counted(policy: CompiledPolicy, request: ChatRequest, profile: Profile) -> Profile:
    """The profile with what the tokenizer of each deployment makes of the request."""
    families = {one.tokenizer for one in policy.deployments.values()}
    vocabularies = load_vocabularies(names=vocabularies_for(families))
    tokens = counted(request, profile.tokens, families, vocabularies)
    return msgspec.structs.replace(profile, tokens=tokens)


def _with_body(
    policy: CompiledPolicy, facts: Facts, body: Path, api: str | None, given: GivenStatement
) -> Facts:
    """The facts of a request's body; who asks still comes from the facts that were given."""
    try:
        raw = sys.stdin.buffer.read() if str(body) == "-" else body.read_bytes()
    except OSError as error:
        stop(f"{body} cannot be read: {error.strerror}")
    try:
        front = api_named(api) if api else api_of(raw)
        request = front.decode(raw)
    except FairleadError as error:
        stop(f"{body}: {error.public_message}")
    profile = load_classifier().judge(request, policy.rules, given.declared)
    return msgspec.structs.replace(
        facts,
        requested_model=given.model or request.model,
        profile=_counted(policy, request, profile),
        stream=request.stream,
        choices=request.choices,
        max_output_tokens=request.max_output_tokens,
        api=API_NAMES[front.wire],
    )


def _given(facts: list[str]) -> GivenStatement:
    """Read `name=value` pairs by the grammar of a test's `given`."""
    lines = []
    for fact in facts:
        name, equals, held = fact.partition("=")
        if not equals or not name.strip():
            stop(f"--fact takes name=value, not '{fact}'")
        lines.append(f"{name.strip()}: {held}")
    if not lines:
        return GivenStatement(at=Place())
    try:
        return read_given("\n".join(lines), "--fact")
    except PolicyError as error:
        stop(str(error))
