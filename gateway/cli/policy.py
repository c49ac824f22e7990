"""`fairlead policy`: check a file, run its tests, explain a decision, print the format."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from time import time
from typing import Annotated, Any, NoReturn

import msgspec
import typer
from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from adapters.registry import adapter_facts
from gateway.classify.classifier import load_classifier
from gateway.config.price_book import load_price_book
from gateway.config.secrets import secret_lookup
from gateway.core.decision import Facts
from gateway.core.deployment import Secret
from gateway.wire.openai_chat import view
from policies.checks.registry import run_checks
from policies.compiled import CompiledPolicy
from policies.compiler import compile_policy
from policies.document import read_document
from policies.explain import (
    ConditionExplained,
    DeploymentExplained,
    Explanation,
    StatementExplained,
    explain,
)
from policies.grammar.cases import GIVEN
from policies.grammar.schema import json_schema
from policies.loader import load_policy
from policies.model.cases import GivenStatement
from policies.model.file import PolicyFile
from policies.problems import Place, PolicyError, Problem, Problems
from policies.resolve import Known
from policies.testing import facts_of, run_tests

app = typer.Typer(help="Check, test and explain policy files.", no_args_is_help=True)

PolicyPath = Annotated[Path, typer.Argument(help="The policy file.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Allowed = Annotated[
    list[str] | None, typer.Option("--allow", help="A check to leave out, such as p008.")
]
Prompt = Annotated[str | None, typer.Option("--text", help="A prompt, judged by the classifier.")]
Body = Annotated[Path | None, typer.Option("--body", help="A file with an OpenAI chat request.")]
GivenFacts = Annotated[
    list[str] | None,
    typer.Option("--fact", help="Such as team=support or 'findings=[medical]'; wins over text."),
]
_FOUND, _USAGE = 1, 2


@app.command()
def check(file: PolicyPath, as_json: AsJson = False, allow: Allowed = None) -> None:
    """Look for whatever is wrong in a policy file: grammar first, then meaning.

    Exit status: 0 nothing found, 1 something found, 2 the file cannot be read.
    """
    _must_exist(file)
    try:
        policy = load_policy(file)
        known = Known(adapters=adapter_facts(), prices=load_price_book().price_of)
        found = [one for one in run_checks(policy, known) if one.code not in (allow or ())]
    except PolicyError as error:
        found = list(error.problems)
    else:
        _note_unset_secrets(policy, file)
    _tell(found, file, as_json, fine=f"{file}: nothing wrong was found")


@app.command("test")
def run_file_tests(file: PolicyPath, as_json: AsJson = False) -> None:
    """Run the tests that stand in a policy file; texts are judged by the real classifier.

    Exit status: 0 all passed, 1 a test failed or the file is wrong, 2 it cannot be read.
    """
    _must_exist(file)
    try:
        policy = _compiled(file)
    except PolicyError as error:
        _tell(error.problems, file, as_json, fine="")
        return
    judge_text = load_classifier().judge_text if _needs_judge(policy) else None
    outcomes = run_tests(policy, judge_text)
    found = [
        Problem(
            line=outcome.at.line,
            column=outcome.at.column,
            message=f"test '{outcome.name}': {failure}",
            path=f"tests.{outcome.name}",
            code="test",
        )
        for outcome in outcomes
        for failure in outcome.failures
    ]
    if not as_json:
        out = Console(highlight=False)
        for outcome in outcomes:
            mark = "[green]pass[/]" if outcome.passed else "[red]FAIL[/]"
            out.print(mark, Text(outcome.name))
    passed = sum(outcome.passed for outcome in outcomes)
    _tell(found, file, as_json, fine=f"{passed} of {len(outcomes)} tests passed")


@app.command("explain")
def explain_request(
    file: PolicyPath,
    text: Prompt = None,
    body: Body = None,
    fact: GivenFacts = None,
    as_json: AsJson = False,
) -> None:
    """Show how a request would be decided, and why: every rule and every deployment."""
    _must_exist(file)
    try:
        policy = _compiled(file)
    except PolicyError as error:
        _tell(error.problems, file, as_json, fine="")
        return
    explanation = explain(policy, _facts(policy, text, body, fact or []))
    if as_json:
        _print_json(msgspec.to_builtins(explanation))
        return
    out = Console(highlight=False)
    for branch in _trees(explanation):
        out.print(branch)


@app.command()
def schema() -> None:
    """Print the JSON Schema of policy files, for editors."""
    _print_json(json_schema())


def _compiled(file: Path) -> CompiledPolicy:
    """The policy with stand-ins for secrets: what is decided does not depend on them."""
    return compile_policy(
        load_policy(file), load_price_book().price_of, _stand_in_for_secret, adapter_facts()
    )


def _stand_in_for_secret(reference: str) -> Secret:
    return Secret(f"stand-in for {reference}")


def _note_unset_secrets(policy: PolicyFile, file: Path) -> None:
    """The file can be right while this shell lacks its secrets; serving would refuse it."""
    secrets = secret_lookup(os.environ, file.parent)
    for deployment in policy.deployments:
        reference = deployment.api_key
        if reference is not None and secrets(reference.text) is None:
            _complain(f"note: {reference.text} is not set here; {deployment.name} needs it")


def _needs_judge(policy: CompiledPolicy) -> bool:
    return any(case.given.text is not None for case in policy.tests)


def _facts(policy: CompiledPolicy, text: str | None, body: Path | None, given: list[str]) -> Facts:
    statement = _given(given)
    if text is not None:
        statement = msgspec.structs.replace(statement, text=text)
    judge = None
    try:
        if statement.text is not None:
            judge = load_classifier().judge_text
        facts = facts_of(policy, statement, judge)
    except ValueError as error:
        _stop(str(error))
    if not statement.time:
        facts = msgspec.structs.replace(facts, now=time())
    return facts if body is None else _with_body(policy, facts, body, statement)


def _with_body(policy: CompiledPolicy, facts: Facts, body: Path, given: GivenStatement) -> Facts:
    """The facts of a chat request; who asks still comes from the facts that were given."""
    try:
        request = view.decode(body.read_bytes())
    except OSError as error:
        _stop(f"{body} cannot be read: {error.strerror}")
    return msgspec.structs.replace(
        facts,
        requested_model=given.model or request.model,
        profile=load_classifier().judge(request, policy.rules),
        stream=request.stream,
        choices=request.choices,
        max_output_tokens=request.max_output_tokens,
    )


def _given(facts: list[str]) -> GivenStatement:
    """Read `name=value` pairs by the grammar of a test's `given`."""
    lines = []
    for fact in facts:
        name, equals, held = fact.partition("=")
        if not equals or not name.strip():
            _stop(f"--fact takes name=value, not '{fact}'")
        lines.append(f"{name.strip()}: {held}")
    if not lines:
        return GivenStatement(at=Place())
    problems = Problems()
    try:
        read: Any = GIVEN.read(read_document("\n".join(lines), "--fact"), problems)
        problems.raise_if_any("--fact")
    except PolicyError as error:
        _stop(str(error))
    statement: GivenStatement = read
    return statement


def _must_exist(file: Path) -> None:
    if not file.is_file():
        _stop(f"{file} is not a file")


def _stop(message: str) -> NoReturn:
    _complain(f"error: {message}")
    raise typer.Exit(_USAGE)


def _complain(message: str) -> None:
    Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(message)


def _tell(
    found: list[Problem] | tuple[Problem, ...], file: Path, as_json: bool, *, fine: str
) -> None:
    """Print what was found, for people or machines, and end with the right status."""
    if as_json:
        _print_json({"findings": [_finding(one, file) for one in found]})
    else:
        out = Console(highlight=False, soft_wrap=True)
        for one in found:
            place = Text(f"{file}:{one.line}:{one.column}: ", style="bold")
            colour = "red" if one.severity == "error" else "yellow"
            place.append(f"{one.severity}: ", style=colour).append(one.message)
            if one.code:
                place.append(f" [{one.code}]", style="dim")
            out.print(place)
            if one.hint:
                out.print(Text(f"    {one.hint}", style="cyan"))
        if not found and fine:
            out.print(Text(fine, style="green"))
    if found:
        raise typer.Exit(_FOUND)


def _finding(problem: Problem, file: Path) -> dict[str, Any]:
    return {
        "file": str(file),
        "line": problem.line,
        "column": problem.column,
        "code": problem.code or "grammar",
        "severity": problem.severity,
        "message": problem.message,
        "hint": problem.hint,
        "path": problem.path,
    }


def _print_json(held: Any) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(held), indent=2).decode() + "\n")


def _trees(explanation: Explanation) -> list[Tree]:
    return [
        _request_tree(explanation),
        _statements_tree("constraints (all that hold apply)", explanation.constraints),
        *(
            [_statements_tree("never (enforced after all constraints)", explanation.never)]
            if explanation.never
            else []
        ),
        _statements_tree("routes (the first that holds is taken)", explanation.routes),
        _deployments_tree(explanation.deployments),
    ]


def _request_tree(told: Explanation) -> Tree:
    if told.refusal:
        outcome = Text(f"refused ({told.refusal_code}): {told.refusal}", style="red")
    else:
        outcome = Text(f"served by {told.candidates[0]}, by route {told.route}", style="green")
        if len(told.candidates) > 1:
            outcome.append(f"; then {', '.join(told.candidates[1:])}")
    tree = Tree(outcome)
    tree.add(Text(f"model asked for: {told.requested_model}"))
    found = ", ".join(told.findings) or "nothing found"
    tree.add(Text(f"sensitivity {told.sensitivity} ({found})"))
    tree.add(Text(f"difficulty {told.difficulty:.2f}, task {told.task}"))
    needs = f", needs {', '.join(told.needs)}" if told.needs else ""
    tree.add(Text(f"about {told.input_tokens} input tokens{needs}"))
    if told.mask:
        tree.add(Text(f"to be masked: {', '.join(told.mask)}"))
    if told.output_cap is not None:
        tree.add(Text(f"answer capped at {told.output_cap} tokens"))
    tree.add(Text(f"policy revision {told.revision}", style="dim"))
    return tree


def _statements_tree(title: str, statements: tuple[StatementExplained, ...]) -> Tree:
    tree = Tree(Text(title, style="bold"))
    for one in statements:
        style = "green" if one.applies else "dim"
        branch = tree.add(Text(f"{one.id}: {one.why}", style=style))
        if one.because:
            branch.add(Text(one.because, style="italic dim"))
        if one.condition.words != "always":
            _add_condition(branch, one.condition)
    if not statements:
        tree.add(Text("none", style="dim"))
    return tree


def _add_condition(tree: Tree, condition: ConditionExplained) -> None:
    seen = f" (it is {condition.seen})" if condition.seen else ""
    colour = {"yes": "green", "no": "red"}.get(condition.answer, "yellow")
    line = Text(f"{condition.answer}: ", style=colour).append(condition.words + seen, style="none")
    branch = tree.add(line)
    for part in condition.parts:
        _add_condition(branch, part)


def _deployments_tree(deployments: tuple[DeploymentExplained, ...]) -> Tree:
    tree = Tree(Text("deployments", style="bold"))
    for one in deployments:
        home = "self-hosted" if one.self_hosted else "outside"
        told = f"{one.name} ({one.model}, {home}, clearance {one.clearance})"
        cost = f"at most about ${float(one.estimated_cost_usd):.6f}"
        if one.place is not None:
            tree.add(Text(f"{one.place}. {told}: {cost}", style="green"))
        else:
            tree.add(Text(f"-  {told}: {one.because}", style="dim"))
    return tree
