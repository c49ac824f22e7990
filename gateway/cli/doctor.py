"""`fairlead doctor`: what would keep the gateway from starting or working here, and the cure."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module, metadata
from pathlib import Path
from typing import Annotated

import msgspec
import redis
import typer
from rich.console import Console

from gateway.config.settings import Settings, SettingsError, load_settings
from gateway.config.vocabularies import CURE, FOLDER, SOURCES, missing_vocabularies
from gateway.runtime.pictures import CURE as CURE_OCR
from gateway.runtime.pictures import missing_libraries
from gateway.runtime.policies import PolicyUnusable, compile_file
from gateway.stores.embedded import EmbeddedRedisError, open_embedded
from gateway.stores.endpoint import open_client, read_endpoint

OLDEST_PYTHON = (3, 11)
OUR_PACKAGES = ("gateway", "adapters", "policies")
OURS = "fairlead"
#: Libraries with machine code, and what is lost without them.
NATIVE = (
    ("ctransformers", "local GGUF models"),
    ("hiredis", "every request (the ledger)"),
    ("httptools", "serving HTTP"),
    ("hyperscan", "fast privacy scans (a slower engine takes over)"),
    ("msgspec", "everything"),
    ("numpy", "the difficulty model"),
    ("re2", "privacy scans where hyperscan is missing"),
    ("rs_bpe", "the vocabularies of exact token counts"),
    ("tiktoken", "exact token counts"),
    ("uvloop", "serving HTTP"),
)
OPTIONAL = frozenset(("hyperscan",))


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at: `status` is ok, warning or failed."""

    check: str
    status: str
    message: str
    advice: str = ""


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Look for what would keep the gateway from working here; status 1 if there is something."""
    found = doctor_findings()
    healthy = all(one.status != "failed" for one in found)
    if as_json:
        report = {"healthy": healthy, "findings": found}
        typer.echo(msgspec.json.encode(report).decode())
    else:
        _print(found)
    if not healthy:
        raise typer.Exit(1)


def doctor_findings(environ: Mapping[str, str] | None = None) -> list[Diagnosis]:
    """Every check's outcome, in the order in which a start would meet them."""
    environ = os.environ if environ is None else environ
    found = [check_python(), *check_packages(), *check_native_libraries()]
    try:
        settings = load_settings(environ)
    except SettingsError as error:
        found.append(_failed("settings", str(error), "Correct these variables."))
        return found
    found += [_warning("settings", words, "Remove or rename it.") for words in settings.warnings]
    found += [_ok("settings", "all FAIRLEAD_* variables can be read")]
    found += [check_vocabularies(), check_pictures(settings)]
    found += [check_home(settings), check_redis(settings), check_policy(settings, environ)]
    found += [check_port(settings)]
    return found


def check_python() -> Diagnosis:
    """The interpreter is new enough."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info < OLDEST_PYTHON:
        return _failed("python", f"Python {version}", "Use Python 3.11 or newer.")
    return _ok("python", f"Python {version}")


def check_packages(
    owners: Callable[[], Mapping[str, list[str]]] = metadata.packages_distributions,
) -> Iterator[Diagnosis]:
    """Nobody else owns one of our package names: PyPI has strangers called `adapters`, …."""
    installed = owners()
    beside = _folder_of("gateway")
    own = []
    for package in OUR_PACKAGES:
        strangers = sorted(set(installed.get(package, ())) - {OURS})
        if strangers:
            names = ", ".join(strangers)
            yield _failed(
                "packages",
                f"the package '{package}' also belongs to the distribution {names}",
                f"Fairlead needs an environment of its own: pip uninstall {names}, "
                "or remove .venv and run: sh ops/run.sh --setup-only",
            )
        elif _folder_of(package) != beside:
            yield _failed(
                "packages",
                f"'{package}' is imported from {_folder_of(package)}, not from Fairlead",
                "Something on PYTHONPATH or in the working directory hides it; take that away.",
            )
        else:
            own.append(package)
    if own:
        yield _ok("packages", f"{', '.join(own)}: Fairlead's own")


def _folder_of(package: str) -> Path:
    return Path(str(import_module(package).__file__)).parent.parent


def check_native_libraries() -> Iterator[Diagnosis]:
    """Everything with machine code can be loaded on this machine."""
    loaded = []
    for name, purpose in NATIVE:
        try:
            import_module(name)
        except (ImportError, OSError) as error:
            words = f"{name} cannot be loaded ({error}); needed for {purpose}"
            if name in OPTIONAL:
                yield _warning("libraries", words, "Supported on Linux x86-64 and aarch64.")
            else:
                yield _failed("libraries", words, "Run: sh ops/run.sh --setup-only")
        else:
            loaded.append(name)
    yield _ok("libraries", f"can be loaded: {', '.join(loaded)}")


def check_vocabularies(folder: Path = FOLDER) -> Diagnosis:
    """Tokens can be counted and need not be estimated; nothing is ever fetched for it."""
    missing = missing_vocabularies(folder)
    if missing:
        return _warning(
            "vocabularies",
            f"{', '.join(missing)} cannot be read from {folder}: tokens are estimated, and more "
            "money is held than needed",
            f"Run, with Fairlead's own Python: {CURE}",
        )
    return _ok("vocabularies", f"{', '.join(SOURCES)}: tokens are counted")


def check_pictures(settings: Settings) -> Diagnosis:
    """What pictures show can be read, where that is wanted."""
    missing = missing_libraries()
    if not settings.ocr_seconds:
        able = "are not installed" if missing else "are installed"
        words = f"what pictures show is not read: FAIRLEAD_OCR_SECONDS is 0 (libraries {able})"
        return _ok("pictures", words)
    if missing:
        words = f"FAIRLEAD_OCR_SECONDS is set, and {' and '.join(missing)} are not installed"
        return _failed("pictures", words, f"Unset it, or: {CURE_OCR}")
    version = metadata.version("rapidocr")
    return _ok("pictures", f"read by rapidocr {version}, {settings.ocr_seconds:g} s a request")


def check_home(settings: Settings) -> Diagnosis:
    """Keys, the ledger and sockets can be written."""
    home = settings.home.absolute()
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        advice = "Point FAIRLEAD_HOME to a folder that this user may write."
        return _failed("home", f"{home} cannot be written ({error.strerror})", advice)
    return _ok("home", f"{home} can be written")


def check_redis(settings: Settings) -> Diagnosis:
    """The ledger's Redis answers, the configured one or our own."""
    if settings.redis_url is None:
        return _check_embedded(settings)
    label = read_endpoint(settings.redis_url).label
    advice = "Start it, or unset FAIRLEAD_REDIS_URL to use the embedded one."
    try:
        with open_client(settings.redis_url, 2.0) as client:
            version = _server_version(client)
            policy = str(client.config_get("maxmemory-policy").get("maxmemory-policy", ""))
    except redis.exceptions.ResponseError:
        return _ok("redis", f"{label} answers (its settings may not be read)")
    except (redis.RedisError, OSError, ValueError) as error:
        return _failed("redis", f"{label} does not answer ({type(error).__name__})", advice)
    if policy not in ("noeviction", ""):
        return _failed(
            "redis",
            f"{label} may evict keys (maxmemory-policy {policy}), and the ledger with them",
            "Set maxmemory-policy noeviction.",
        )
    return _ok("redis", f"{label} answers, version {version}")


def _check_embedded(settings: Settings) -> Diagnosis:
    try:
        embedded = open_embedded(settings.home.absolute())
    except (EmbeddedRedisError, OSError) as error:
        return _failed("redis", f"the embedded Redis does not start: {error}", "See its log.")
    try:
        with open_client(embedded.url, 2.0) as client:
            version = _server_version(client)
    except redis.RedisError as error:
        return _failed("redis", f"the embedded Redis does not answer: {error}", "See its log.")
    finally:
        embedded.close()
    return _ok("redis", f"the embedded Redis answers, version {version}")


def _server_version(client: redis.Redis) -> str:
    server: Mapping[str, object] = client.info("server")
    return str(server.get("redis_version", "unknown"))


def check_policy(settings: Settings, environ: Mapping[str, str]) -> Diagnosis:
    """The policy compiles, secrets included; nothing is discovered or written here."""
    path = settings.policy_file
    if settings.policy is None and not path.exists():
        return _ok("policy", "none yet; the first start writes one of what it finds here")
    try:
        policy = compile_file(path, environ)
    except PolicyUnusable as error:
        return _failed("policy", str(error), f"Check it with: fairlead policy check {path}")
    deployments = ", ".join(policy.deployments)
    return _ok("policy", f"{path} (revision {policy.revision}) serves with {deployments}")


def check_port(settings: Settings) -> Diagnosis:
    """The port is free; a gateway that already runs there is worth a warning only."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    place = f"{settings.host}:{settings.port}"
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            return _warning(
                "port",
                f"{place} cannot be listened on ({error.strerror})",
                "Fine if the gateway runs already; else set FAIRLEAD_PORT to a free one.",
            )
    return _ok("port", f"{place} is free")


def _print(found: list[Diagnosis]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    marks = {"ok": "[green]ok     [/green]", "warning": "[yellow]warning[/yellow]"}
    for one in found:
        mark = marks.get(one.status, "[red]failed [/red]")
        console.print(f"{mark} {one.check:<10}", end="")
        console.print(one.message, markup=False)
        if one.advice and one.status != "ok":
            console.print(f"                   {one.advice}", markup=False)


def _ok(check: str, message: str) -> Diagnosis:
    return Diagnosis(check=check, status="ok", message=message)


def _warning(check: str, message: str, advice: str) -> Diagnosis:
    return Diagnosis(check=check, status="warning", message=message, advice=advice)


def _failed(check: str, message: str, advice: str) -> Diagnosis:
    return Diagnosis(check=check, status="failed", message=message, advice=advice)
