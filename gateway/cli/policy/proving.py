"""`fairlead policy prove`: what a policy does for all requests, proved or with a counterexample."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from adapters.registry import adapter_facts
from gateway.cli.policy.files import PolicyPath, compile_file, judge_for, must_exist
from gateway.cli.policy.telling import (
    FOUND,
    AsJson,
    finding,
    print_json,
    print_problem,
    stop,
    tell,
)
from policies.loader import load_policy
from policies.problems import PolicyError, Problem

if TYPE_CHECKING:
    from policies.checker.breach import Breach
    from policies.checker.proof import OnSettled, Proof

Quietly = Annotated[bool, typer.Option("--quiet", help="Leave out what was proved.")]


def prove_file(file: PolicyPath, as_json: AsJson = False, quiet: Quietly = False) -> None:
    """Prove for all requests that nothing leaks and nothing is refused that may be served.

    What cannot be proved comes with a counterexample: a request that `policy explain` shows going
    wrong. Exit status: 0 everything is proved, 1 something is not or the file is wrong, 2 it
    cannot be read or the prover is not installed.
    """
    must_exist(file)
    need_prover()
    from policies.checker.proof import prove
    from policies.checker.subject import subject_of

    try:
        written = load_policy(file)
        policy = compile_file(written)
    except PolicyError as error:
        tell(error.problems, file, as_json, fine="")
        return
    subject = subject_of(written, policy, adapter_facts())
    with progress("proving") as on_settled:
        proof = prove(subject, judge_for(policy), on_settled)
    if as_json:
        print_json(_as_json(proof, file))
    else:
        _print(proof, file, quiet)
    if not proof.holds:
        raise typer.Exit(FOUND)


def need_prover() -> None:
    """End the command with advice where the solver is not installed."""
    if find_spec("z3") is None:
        stop(
            "proofs need the package z3-solver (39 MB), which is not installed here; install it "
            f"with: {sys.executable} -m pip install 'z3-solver>=5.4'"
        )


@contextmanager
def progress(what: str) -> Iterator[OnSettled]:
    """A progress bar on stderr, where somebody looks; it goes away when the work is done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    bar = Progress(
        *columns,
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task(what, total=None)
        yield lambda settled, claims: bar.update(task, completed=settled, total=claims)


def explaining(file: Path, given: dict[str, Any]) -> str:
    """The command that shows how a request is decided."""
    facts = (
        f"{name}={held if isinstance(held, str) else json.dumps(held)}"
        for name, held in given.items()
        if name != "text"
    )
    options = [f"--fact {shlex.quote(fact)}" for fact in facts]
    if "text" in given:
        options.insert(0, f"--text {shlex.quote(given['text'])}")
    return f"fairlead policy explain {shlex.quote(str(file))} {' '.join(options)}"


def _as_json(proof: Proof, file: Path) -> dict[str, Any]:
    return {
        "findings": [
            {
                **finding(_problem(one), file),
                "claim": one.says,
                "counterexample": one.counterexample,
            }
            for one in proof.breaches
        ],
        "proved": list(proof.proved),
        "notes": [
            {"code": one.code, "path": one.path, "message": one.message, "example": one.example}
            for one in proof.notes
        ],
        "policy": proof.revision,
    }


def _print(proof: Proof, file: Path, quiet: bool) -> None:
    out = Console(highlight=False, soft_wrap=True)
    for one in proof.breaches:
        print_problem(out, _problem(one), file)
        if one.counterexample is not None:
            out.print(Text(f"    {explaining(file, one.counterexample)}", style="dim"))
    for said in () if quiet else proof.proved:
        out.print("[green]proved[/]", Text(said))
    for note in proof.notes:
        out.print("[yellow]note[/]  ", Text(note.message))
        if note.example is not None:
            out.print(Text(f"    {explaining(file, note.example)}", style="dim"))
    broken = len(proof.breaches)
    if broken:
        told = f"{broken} of {broken + len(proof.proved)} claims do not hold"
        out.print(Text(told, style="bold red"))
    else:
        told = f"all {len(proof.proved)} claims hold for all requests (revision {proof.revision})"
        out.print(Text(told, style="bold green"))


def _problem(one: Breach) -> Problem:
    return Problem(
        line=one.at.line,
        column=one.at.column,
        message=one.message,
        hint=one.hint,
        path=one.path,
        code=one.code,
    )
