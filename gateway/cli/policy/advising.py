"""`fairlead policy advise`: which model fits this machine and this need."""

from __future__ import annotations

import os
import shutil
import subprocess
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from gateway.cli.policy.telling import FOUND, AsJson, print_json, stop
from gateway.core.advice import Advice, Need, advise
from gateway.core.model_profiles import PROFILES
from policies.grammar.sizes import tokens_of

_GIGA = 10**9
_SHOWN = 8


class For(StrEnum):
    """What a model may be wanted for."""

    KNOWLEDGE = "knowledge"
    CODE = "code"
    MATHS = "maths"


_BENCHMARKS = {"knowledge": "MMLU", "code": "HumanEval", "maths": "GSM8K"}

Wanted = Annotated[For, typer.Option("--for", help="What it should be best at.")]
Memory = Annotated[
    float | None,
    typer.Option(
        "--memory", help="GB for the model; without it, this machine's GPUs, else its RAM."
    ),
]
Context = Annotated[str, typer.Option("--context", help="Least context window, such as 32k.")]
Commercial = Annotated[bool, typer.Option("--commercial", help="Its licence must allow it.")]
Needs = Annotated[
    list[str] | None, typer.Option("--need", help="tools, schema or vision; may be repeated.")
]
Services = Annotated[bool, typer.Option("--services", help="Models that their makers serve.")]
Everything = Annotated[bool, typer.Option("--all", help="Also those that will not do, and why.")]


def advise_model(
    wanted: Wanted = For.KNOWLEDGE,
    memory: Memory = None,
    context: Context = "0",
    commercial: Commercial = False,
    needs: Needs = None,
    services: Services = False,
    everything: Everything = False,
    as_json: AsJson = False,
) -> None:
    """Say which models fit this machine and a need, best first, from published figures.

    Exit status: 0 at least one model will do, 1 none will, 2 usage.
    """
    room, source = (None, "") if services else _room(memory)
    need = Need(
        strength=wanted.value,
        memory_gb=room,
        least_context=_tokens(context),
        commercial=commercial,
        capabilities=_capabilities(needs or []),
    )
    found = [one for one in advise(need, PROFILES) if (one.bits == 0) is services]
    fitting = [one for one in found if not one.against]
    shown = found if everything else fitting[:_SHOWN]
    if as_json:
        print_json({"memory_gb": room, "models": [_as_json(one) for one in shown]})
    else:
        _print(shown, wanted.value, f"{room:g} GB {source}" if room is not None else "services")
    if not fitting:
        raise typer.Exit(FOUND)


def _capabilities(needs: list[str]) -> frozenset[str]:
    known = {"tools", "schema", "vision"}
    for one in needs:
        if one not in known:
            stop(f"there is no need '{one}'; choose among: {', '.join(sorted(known))}")
    return frozenset(needs)


def _tokens(text: str) -> int:
    tokens = tokens_of(text)
    if tokens is None:
        stop(f"'{text}' is no number of tokens; write 8192, 32k or 1m")
    return tokens


def _room(given: float | None) -> tuple[float, str]:
    """Gigabytes for a model, and where they are."""
    if given is not None:
        if given <= 0:
            stop("--memory must be more than 0 GB")
        return given, "as given"
    on_gpus = _gpu_gigabytes()
    if on_gpus:
        return on_gpus, "on this machine's GPUs"
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return round(pages * size / _GIGA, 1), "of RAM in this machine, which has no GPU that we see"


def _gpu_gigabytes() -> float:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return 0.0
    asked = [tool, "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        told = subprocess.run(asked, capture_output=True, text=True, timeout=10, check=True)
        mebibytes = sum(float(line) for line in told.stdout.split())
    except (OSError, subprocess.SubprocessError, ValueError):
        return 0.0
    return round(mebibytes * 2**20 / _GIGA, 1)


def _print(shown: list[Advice], strength: str, room: str) -> None:
    out = Console()
    table = Table(title=f"Best at {strength} ({_BENCHMARKS[strength]}), for {room}")
    for head in ("model", "score", "memory", "bits", "context", "licence"):
        table.add_column(head, justify="right" if head in ("score", "memory", "bits") else "left")
    if any(one.against for one in shown):
        table.add_column("will not do")
    for one in shown:
        profile = one.profile
        row = [
            profile.name,
            "-" if one.score is None else f"{one.score * 100:.1f}",
            "-" if one.memory_gb is None else f"{one.memory_gb:g} GB",
            str(one.bits) if one.bits else "-",
            f"{profile.context_tokens:,}",
            profile.licence,
        ]
        if any(other.against for other in shown):
            row.append("; ".join(one.against))
        table.add_row(*row, style="dim" if one.against else None)
    if shown:
        out.print(table)
        out.print("Figures as published; --json names their sources and dates.", style="dim")
    else:
        out.print("No model that we know will do; --all says why.", style="yellow")


def _as_json(one: Advice) -> dict[str, Any]:
    profile = one.profile
    return {
        "model": profile.name,
        "names": list(profile.names),
        "score": one.score,
        "bits": one.bits or None,
        "memory_gb": one.memory_gb,
        "parameters_billion": profile.parameters,
        "context_tokens": profile.context_tokens,
        "licence": profile.licence,
        "commercial": profile.commercial,
        "capabilities": sorted(profile.capabilities),
        "against": list(one.against),
        "source": profile.source,
        "published": profile.published,
    }
