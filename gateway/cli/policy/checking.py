"""`fairlead policy check`, `test` and `schema`: is the file right, and what may it say."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from adapters.registry import adapter_facts
from gateway.cli.policy.files import (
    PolicyPath,
    compiled,
    judge_for,
    must_exist,
    note_unset_secrets,
)
from gateway.cli.policy.sarif import sarif
from gateway.cli.policy.telling import FOUND, AsJson, print_json, stop, tell
from gateway.config.price_book import load_price_book
from policies.checks.registry import CHECKS, run_checks
from policies.grammar.schema import json_schema
from policies.loader import load_policy
from policies.problems import PolicyError
from policies.resolve import Known
from policies.testing import problems_of, run_tests

Allowed = Annotated[
    list[str] | None, typer.Option("--allow", help="A check to leave out, such as p008.")
]


AsSarif = Annotated[bool, typer.Option("--sarif", help="Print SARIF 2.1.0, for code hosts.")]
Format = Annotated[
    str | None, typer.Option("--format", help="text, json or sarif, instead of the flags.")
]
_FORMATS = ("text", "json", "sarif")


def check(
    file: PolicyPath,
    as_json: AsJson = False,
    as_sarif: AsSarif = False,
    output: Format = None,
    allow: Allowed = None,
) -> None:
    """Look for whatever is wrong in a policy file: grammar first, then meaning.

    Exit status: 0 nothing found, 1 something found, 2 the file cannot be read.
    """
    must_exist(file)
    if output is not None and output not in _FORMATS:
        stop(f"--format is one of {', '.join(_FORMATS)}, not '{output}'")
    if (as_json or output == "json") and (as_sarif or output == "sarif"):
        stop("the findings are either JSON or SARIF")
    try:
        policy = load_policy(file)
        known = Known(adapters=adapter_facts(), prices=load_price_book().price_of)
        found = [one for one in run_checks(policy, known) if one.code not in (allow or ())]
    except PolicyError as error:
        found = list(error.problems)
    else:
        note_unset_secrets(policy, file)
    if as_sarif or output == "sarif":
        print_json(sarif(found, file, CHECKS))
        if found:
            raise typer.Exit(FOUND)
        return
    tell(found, file, as_json or output == "json", fine=f"{file}: nothing wrong was found")


def run_file_tests(file: PolicyPath, as_json: AsJson = False) -> None:
    """Run the tests that stand in a policy file; texts are judged by the real classifier.

    Exit status: 0 all passed, 1 a test failed or the file is wrong, 2 it cannot be read.
    """
    must_exist(file)
    try:
        policy = compiled(file)
    except PolicyError as error:
        tell(error.problems, file, as_json, fine="")
        return
    judge_text = judge_for(policy)
    outcomes = run_tests(policy, judge_text)
    found = problems_of(outcomes)
    if not as_json:
        out = Console(highlight=False)
        for outcome in outcomes:
            mark = "[green]pass[/]" if outcome.passed else "[red]FAIL[/]"
            out.print(mark, Text(outcome.name))
    passed = sum(outcome.passed for outcome in outcomes)
    tell(found, file, as_json, fine=f"{passed} of {len(outcomes)} tests passed")


def schema() -> None:
    """Print the JSON Schema of policy files, for editors."""
    print_json(json_schema())
