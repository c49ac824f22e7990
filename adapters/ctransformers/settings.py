"""The settings of one worker: read from a deployment's options, carried to it as arguments."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from adapters.ctransformers.onboard import ONBOARD_MODEL, ONBOARD_PATH, onboard_model_path
from gateway.core.deployment import Deployment

#: Settings that a policy may write under `options` of a ctransformers deployment.
OPTIONS = frozenset(
    {
        "chat_template",
        "context_length",
        "gpu_layers",
        "model_path",
        "model_type",
        "queue",
        "repetition_penalty",
        "temperature",
        "threads",
        "top_k",
        "top_p",
    }
)
#: Most threads that are used unless the policy asks for more.
_MOST_DEFAULT_THREADS = 4


class SettingsError(ValueError):
    """An option of a ctransformers deployment is wrong; the message names it."""


class WorkerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How one worker loads and serves its model.

    `context_length` is in tokens, 0 for the model's own; `queue` is how many calls may wait
    while one is answered; `chat_template` is a file, the name of a built-in template, or empty
    for the model's own. The last four are used where a caller sets nothing.
    """

    model_name: str
    model_path: str
    model_type: str = ""
    context_length: int = 0
    threads: int = 1
    gpu_layers: int = 0
    queue: int = 16
    chat_template: str = ""
    temperature: float = 0.7
    top_p: float = 0.95
    top_k: int = 40
    repetition_penalty: float = 1.1


_BOUNDS: tuple[tuple[str, float, float], ...] = (
    ("context_length", 0, 1 << 20),
    ("threads", 1, 1024),
    ("gpu_layers", 0, 1024),
    ("queue", 0, 100_000),
    ("temperature", 0, 2),
    ("top_p", 0, 1),
    ("top_k", 0, 1 << 20),
    ("repetition_penalty", 0.1, 10),
)


def usable_cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def default_threads(cores: int) -> int:
    """Threads for a machine of that many cores.

    The library's threads wait for each other by spinning, so one busy core slows all of them:
    on 2 cores shared with other work, 2 threads made 12 tokens/s where 1 made 450. Half of the
    cores stay free for the gateway and everything else.
    """
    return max(1, min(_MOST_DEFAULT_THREADS, cores // 2))


def settings_of(deployment: Deployment, cores: int) -> tuple[WorkerSettings, tuple[str, ...]]:
    """The worker settings of a deployment, and warnings about what was adjusted.

    Raises:
        SettingsError: an option is unknown, of the wrong type or out of bounds.
    """
    values: dict[str, object] = {"threads": default_threads(cores)}
    path = _model_path(deployment)
    if path == ONBOARD_PATH:
        # It was trained to be read off greedily.
        values |= {"temperature": 0.0, "repetition_penalty": 1.0}
        path = str(onboard_model_path())
    for name, value in deployment.options:
        if name not in OPTIONS:
            known = ", ".join(sorted(OPTIONS))
            raise SettingsError(f"'{name}' is no option of adapter ctransformers; use: {known}")
        values[name] = value
    values["model_path"] = path
    if deployment.context_tokens and "context_length" not in values:
        values["context_length"] = deployment.context_tokens
    try:
        settings = msgspec.convert(
            {**values, "model_name": deployment.model or deployment.name}, WorkerSettings
        )
    except msgspec.ValidationError as error:
        raise SettingsError(f"options of deployment '{deployment.name}': {error}") from None
    _check_bounds(settings)
    if settings.threads <= cores:
        return settings, ()
    warning = (
        f"threads: {settings.threads} is more than the {cores} cores of this machine and would "
        f"be many times slower; using {cores}"
    )
    return msgspec.structs.replace(settings, threads=cores), (warning,)


def _model_path(deployment: Deployment) -> object:
    path = deployment.option("model_path", "")
    if path:
        return path
    if deployment.model == ONBOARD_MODEL:
        return ONBOARD_PATH
    if deployment.model.endswith(".gguf"):
        return deployment.model
    raise SettingsError(
        f"deployment '{deployment.name}' needs the option model_path, a GGUF file; or set its "
        f"model to '{ONBOARD_MODEL}' for the model that ships with Fairlead"
    )


def _check_bounds(settings: WorkerSettings) -> None:
    for name, least, most in _BOUNDS:
        if not least <= getattr(settings, name) <= most:
            raise SettingsError(f"{name} must be from {least:g} to {most:g}")


def to_arguments(settings: WorkerSettings, socket: Path) -> list[str]:
    """The worker's command-line arguments, after the program's name."""
    arguments = ["--socket", str(socket)]
    for flag, field in _FLAGS:
        arguments.append(f"{flag}={getattr(settings, field)}")
    return arguments


def from_arguments(arguments: Sequence[str]) -> tuple[WorkerSettings, Path]:
    """Read back what `to_arguments` wrote; exits with status 2 on wrong usage."""
    parser = argparse.ArgumentParser(
        prog="python -m adapters.ctransformers.worker",
        description="Serve one GGUF model on a Unix socket, in the OpenAI chat wire.",
    )
    parser.add_argument("--socket", required=True, type=Path)
    defaults = {field.name: field for field in msgspec.structs.fields(WorkerSettings)}
    for flag, name in _FLAGS:
        field = defaults[name]
        required = name == "model_path"
        default = "local" if name == "model_name" else field.default
        parser.add_argument(flag, dest=name, type=field.type, required=required, default=default)
    parsed = vars(parser.parse_args(list(arguments)))
    socket: Path = parsed.pop("socket")
    return msgspec.convert(parsed, WorkerSettings), socket


_FLAGS: tuple[tuple[str, str], ...] = (
    ("--model-file", "model_path"),
    ("--model-name", "model_name"),
    ("--model-type", "model_type"),
    ("--context", "context_length"),
    ("--threads", "threads"),
    ("--gpu-layers", "gpu_layers"),
    ("--queue", "queue"),
    ("--template", "chat_template"),
    ("--temperature", "temperature"),
    ("--top-p", "top_p"),
    ("--top-k", "top_k"),
    ("--repetition-penalty", "repetition_penalty"),
)
