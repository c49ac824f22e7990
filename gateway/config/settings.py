"""Settings of a gateway, from `FAIRLEAD_*` variables of the environment.

Each setting is a row of the table below: its variable, its field, how it is read and what a
right value looks like. A wrong value stops the start; a variable that nobody reads is a warning.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import msgspec

from gateway.config.difficulty_models import check_name

PREFIX = "FAIRLEAD_"
#: Variables that other parts of the project read: set-up scripts and tests.
_OTHERS = frozenset(("FAIRLEAD_VENV", "FAIRLEAD_PYTHON", "FAIRLEAD_BENCH"))
_MEBIBYTE = 1024 * 1024


class SettingsError(ValueError):
    """One or more variables hold something that cannot be used; the message names each."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How one gateway runs.

    `policy` and `redis_url` are None when unset: then a policy is discovered and an embedded
    Redis is started under `home`. `admin_key` and `pepper` are None when unset: then they are
    made once and kept under `home`. `difficulty_model` names a model that was calibrated on own
    pairs; None is the one that ships. `proof_seconds` bounds the proof of a changed policy. For
    `feedback_hours` an answer can be rated; with 0 nothing is learnt from use. The pictures of a
    request may take `ocr_seconds` to read; with 0 they are not read. Times
    are in seconds, sizes in bytes. `warnings` are sentences about variables that nobody reads.
    """

    policy: Path | None = None
    redis_url: str | None = None
    home: Path = Path(".fairlead")
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    admin_key: str | None = None
    pepper: str | None = None
    log_format: str = "json"
    lease_seconds: float = 30.0
    reap_seconds: float = 5.0
    max_body_bytes: int = 10 * _MEBIBYTE
    drain_seconds: float = 30.0
    difficulty_model: str | None = None
    proof_seconds: float = 10.0
    feedback_hours: float = 24.0
    ocr_seconds: float = 0.0
    warnings: tuple[str, ...] = ()

    @property
    def policy_file(self) -> Path:
        """The policy file that was named, or the one of this home, which may not be there yet."""
        return self.policy or self.home / "policy.yaml"

    def __repr__(self) -> str:
        shown = (
            f"{name}={'***' if name in _SECRET and held is not None else repr(held)}"
            for name, held in msgspec.structs.asdict(self).items()
        )
        return f"Settings({', '.join(shown)})"


_SECRET = frozenset(("admin_key", "pepper", "redis_url"))


class Setting(msgspec.Struct, frozen=True):
    """One variable: the field that it sets, how it is read, and what it should look like."""

    field: str
    read: Callable[[str], Any]
    expected: str


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings; an empty variable counts as unset.

    Raises:
        SettingsError: a variable is not what it should be; every such variable is named.
    """
    given: dict[str, Any] = {}
    wrong: list[str] = []
    for variable, setting in SETTINGS.items():
        text = environ.get(variable, "").strip()
        if not text:
            continue
        try:
            given[setting.field] = setting.read(text)
        except ValueError:
            shown = "" if setting.field in _SECRET else f" (it is '{text[:60]}')"
            wrong.append(f"{variable} must be {setting.expected}{shown}")
    if wrong:
        raise SettingsError("; ".join(wrong))
    return Settings(**given, warnings=_unread(environ))


def _unread(environ: Mapping[str, str]) -> tuple[str, ...]:
    warnings = []
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or variable in SETTINGS or variable in _OTHERS:
            continue
        near = get_close_matches(variable, SETTINGS, n=1, cutoff=0.7)
        hint = f"; did you mean {near[0]}?" if near else ""
        warnings.append(f"nothing reads the variable {variable}{hint}")
    return tuple(warnings)


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        number = int(text)
        if not least <= number <= most:
            raise ValueError(text)
        return number

    return read


def _seconds(least: float, most: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        number = float(text)
        if not least <= number <= most:
            raise ValueError(text)
        return number

    return read


def _size(text: str) -> int:
    units = {"k": 1024, "kib": 1024, "m": _MEBIBYTE, "mib": _MEBIBYTE}
    number = text.lower().rstrip("kimb ")
    factor = units.get(text.lower()[len(number) :].strip(), 0) if number != text.lower() else 1
    size = int(number) * factor
    if not 1024 <= size <= 1024 * _MEBIBYTE:
        raise ValueError(text)
    return size


def _host(text: str) -> str:
    if text == "localhost":
        return "127.0.0.1"
    ip_address(text)
    return text


def _redis_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme == "unix":
        reachable = bool(parts.path)
    else:
        reachable = parts.scheme in ("redis", "rediss") and bool(parts.hostname)
    if not reachable or (parts.scheme != "unix" and parts.port == 0):
        raise ValueError(text)
    return text


def _secret(text: str) -> str:
    if len(text) < 16:
        raise ValueError(text)
    return text


def _format(text: str) -> str:
    if text not in ("json", "console"):
        raise ValueError(text)
    return text


#: Every variable that the gateway reads.
SETTINGS: Mapping[str, Setting] = MappingProxyType(
    {
        "FAIRLEAD_POLICY": Setting("policy", Path, "the path of a policy file"),
        "FAIRLEAD_REDIS_URL": Setting(
            "redis_url", _redis_url, "an address such as redis://127.0.0.1:6379/0"
        ),
        "FAIRLEAD_HOME": Setting("home", Path, "the path of a folder"),
        "FAIRLEAD_HOST": Setting("host", _host, "an IP address, such as 127.0.0.1 or 0.0.0.0"),
        "FAIRLEAD_PORT": Setting("port", _whole(0, 65535), "a port, 0..65535 (0: any free one)"),
        "FAIRLEAD_WORKERS": Setting("workers", _whole(1, 64), "a number of workers, 1..64"),
        "FAIRLEAD_ADMIN_KEY": Setting("admin_key", str, "a secret"),
        "FAIRLEAD_PEPPER": Setting("pepper", _secret, "at least 16 characters"),
        "FAIRLEAD_LOG_FORMAT": Setting("log_format", _format, "json or console"),
        "FAIRLEAD_LEASE_SECONDS": Setting(
            "lease_seconds", _seconds(1, 3600), "a number of seconds, 1..3600"
        ),
        "FAIRLEAD_REAP_SECONDS": Setting(
            "reap_seconds", _seconds(0.1, 600), "a number of seconds, 0.1..600"
        ),
        "FAIRLEAD_MAX_BODY_BYTES": Setting(
            "max_body_bytes", _size, "a number of bytes, or one with k or m, 1k..1024m"
        ),
        "FAIRLEAD_DRAIN_SECONDS": Setting(
            "drain_seconds", _seconds(0, 3600), "a number of seconds, 0..3600"
        ),
        "FAIRLEAD_PROOF_SECONDS": Setting(
            "proof_seconds", _seconds(0, 600), "a number of seconds, 0..600 (0: no proofs)"
        ),
        "FAIRLEAD_FEEDBACK_HOURS": Setting(
            "feedback_hours", _seconds(0, 720), "a number of hours, 0..720 (0: nothing is learnt)"
        ),
        "FAIRLEAD_OCR_SECONDS": Setting(
            "ocr_seconds", _seconds(0, 600), "a number of seconds, 0..600 (0: none are read)"
        ),
        "FAIRLEAD_DIFFICULTY_MODEL": Setting(
            "difficulty_model", check_name, "the name of a model that `routing list` shows"
        ),
    }
)
