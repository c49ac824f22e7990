"""`fairlead serve`: start the gateway and say how to use it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from pathlib import Path

import typer
from rich.console import Console

from gateway.app.supervisor import Announcement, StartFailed, supervise
from gateway.cli.doctor import check_packages
from gateway.config.settings import SettingsError, load_settings
from gateway.runtime.log import configure_log, logger


def serve(
    log_format: str = typer.Option(
        "", "--log-format", help="json (one object a line) or console (for people)."
    ),
) -> None:
    """Start the gateway; settings come from FAIRLEAD_* variables (see the documentation)."""
    environ = dict(os.environ)
    if log_format:
        environ["FAIRLEAD_LOG_FORMAT"] = log_format
    console = Console(stderr=True)
    _refuse_strangers(console)
    try:
        settings = load_settings(environ)
        configure_log(settings.log_format)
        for warning in settings.warnings:
            logger().warning("setting", message=warning)
        code = asyncio.run(supervise(settings, environ, _announce))
    except (SettingsError, StartFailed) as error:
        console.print(f"error: {error}", style="red", highlight=False, markup=False)
        sys.exit(1)
    sys.exit(code)


def _refuse_strangers(console: Console) -> None:
    """Another distribution's `adapters` or `policies` would be run in place of ours."""
    for found in check_packages():
        if found.status == "failed":
            told = f"error: {found.message}. {found.advice}"
            console.print(told, style="red", highlight=False, markup=False)
            sys.exit(1)


def _announce(told: Announcement) -> None:
    """What a new user needs: where it listens, the keys, and three requests to copy."""
    lines = [
        "",
        f"Fairlead is ready on {told.url}",
        f"  policy      {told.policy} (revision {told.revision})",
        *(f"  deployment  {line}" for line in told.deployments),
        *(f"  note        {line}" for line in told.notes),
        f"  admin key   {told.admin_key}",
    ]
    if told.virtual_key:
        lines.append(f"  virtual key {told.virtual_key}   (shown once; it is not stored)")
    else:
        lines.append(f"  virtual key make another one with: {_program()} keys create --team NAME")
    lines += _requests(told)
    print("\n".join(lines), flush=True)


def _program() -> str:
    """How this very command was called, as short as it can be typed from here."""
    called = Path(sys.argv[0])
    with contextlib.suppress(ValueError):
        return str(called.relative_to(Path.cwd()))
    return "fairlead" if called.name != "main.py" else "python -m gateway.cli.main"


def _requests(told: Announcement) -> list[str]:
    key = told.virtual_key or "fl_YOUR_KEY"
    base = f"{told.url}/v1"
    curl = (
        f"curl -si {base}/chat/completions -H 'Authorization: Bearer {key}' "
        "-H 'Content-Type: application/json' -d "
    )
    asks = (
        ("easy and harmless", "What is Fairlead?"),
        ("with a card number: stays home", "Is card 4111 1111 1111 1111 still valid?"),
        (
            "hard",
            "Prove that there are infinitely many primes congruent to 3 modulo 4, step by step.",
        ),
    )
    lines = ["", "Three requests to copy; the x-fairlead-… headers say where each went and why:"]
    for title, text in asks:
        body = f'{{"model": "auto", "messages": [{{"role": "user", "content": "{text}"}}]}}'
        lines += ["", f"# {title}", f"{curl}'{body}'"]
    lines += [
        "",
        "# the same with the openai SDK",
        "from openai import OpenAI",
        f'client = OpenAI(base_url="{base}", api_key="{key}")',
        "for text in (",
        *(f'    "{text}",' for _, text in asks),
        "):",
        "    raw = client.chat.completions.with_raw_response.create(",
        '        model="auto", messages=[{"role": "user", "content": text}]',
        "    )",
        '    print(raw.headers["x-fairlead-deployment"], raw.headers["x-fairlead-route"])',
        "    print(raw.parse().choices[0].message.content)",
        "",
        f"Then: {_program()} report cost --by deployment",
        f"      {_program()} audit",
        "",
    ]
    return lines
