"""`fairlead policy diff`: what changes between two files, as classes of requests and in words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.text import Text

from adapters.registry import adapter_facts
from gateway.cli.policy.files import compile_file, must_exist
from gateway.cli.policy.proving import explaining, need_prover, progress
from gateway.cli.policy.telling import AsJson, print_json, tell
from policies.loader import load_policy
from policies.problems import PolicyError

if TYPE_CHECKING:
    from policies.checker.difference import Difference
    from policies.checker.subject import Subject

Before = Annotated[Path, typer.Argument(help="The policy file that is in force.")]
After = Annotated[Path, typer.Argument(help="The policy file that would take its place.")]

_STYLES = {
    "leaves": "bold red",
    "refused": "red",
    "unmasked": "red",
    "reaches": "yellow",
    "written": "dim",
}


def diff_files(before: Before, after: After, as_json: AsJson = False) -> None:
    """Say what changes from one policy file to another, for all requests.

    Each change is a class of requests with its simplest example, which `policy explain` shows under
    either file. Exit status: 0 both files could be compared, 1 one of them is wrong, 2 one cannot
    be read or the prover is not installed.
    """
    must_exist(before)
    must_exist(after)
    need_prover()
    from policies.checker.difference import difference

    old, new = _subject(before, as_json), _subject(after, as_json)
    if old is None or new is None:
        return
    with progress("comparing") as on_looked:
        found = difference(old, new, on_looked)
    if as_json:
        print_json(_as_json(found))
    else:
        _print(found, before, after)


def _subject(file: Path, as_json: bool) -> Subject | None:
    from policies.checker.subject import subject_of

    try:
        written = load_policy(file)
        policy = compile_file(written)
    except PolicyError as error:
        tell(error.problems, file, as_json, fine="")
        return None
    return subject_of(written, policy, adapter_facts())


def _as_json(found: Difference) -> dict[str, Any]:
    return {
        "before": found.before,
        "after": found.after,
        "changes": [msgspec.structs.asdict(one) for one in found.changes],
    }


def _print(found: Difference, before: Path, after: Path) -> None:
    out = Console(highlight=False, soft_wrap=True)
    for one in found.changes:
        out.print(Text(one.says, style=_STYLES.get(one.kind, "")))
        if one.example is not None:
            file = before if one.kind in ("spared", "refused", "unmasked") else after
            out.print(Text(f"    {explaining(file, one.example)}", style="dim"))
    if not found.changes:
        out.print(Text("nothing changes, for any request", style="bold green"))
    else:
        told = f"{len(found.changes)} changes from revision {found.before} to {found.after}"
        out.print(Text(told, style="bold"))
