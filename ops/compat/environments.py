"""Environments of the client libraries, each with its own pinned packages, outside the repository.

One environment per library, because they disagree about the versions of the official SDKs. They are
made when they are first needed, under `FAIRLEAD_COMPAT_CACHE` (by default in the user's cache), and
are named by a digest of what is pinned, so that a change of a pin makes a new one.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "requirements"
NODE = HERE / "suites" / "vercel"
_INSTALL_SECONDS = 900
_NODE_FILES = ("package.json", "package-lock.json", ".npmrc")


class EnvironmentFailed(Exception):
    """An environment could not be made; the text says why and what to do."""


def cache_folder() -> Path:
    """Where environments are kept between runs."""
    given = os.environ.get("FAIRLEAD_COMPAT_CACHE")
    if given:
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fairlead-compat"


def python_for(name: str) -> Path:
    """The interpreter of one library's environment, made if it is not there yet.

    Raises:
        EnvironmentFailed: the packages cannot be installed.
    """
    pins = REQUIREMENTS / f"{name}.txt"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = cache_folder() / f"{name}-{_digest(version.encode(), pins.read_bytes())}"
    python = folder / "bin" / "python"
    if (folder / "complete").exists():
        return python
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    _install(
        [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", str(pins)],
        folder,
        name,
    )
    (folder / "complete").touch()
    return python


def node_folder() -> Path:
    """A folder with the pinned npm packages installed, made if it is not there yet.

    Raises:
        EnvironmentFailed: there is no Node.js here, or the packages cannot be installed.
    """
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise EnvironmentFailed("Node.js and npm are not on PATH; install Node.js 20 or newer.")
    pinned = [(NODE / name).read_bytes() for name in _NODE_FILES]
    folder = cache_folder() / f"node-{_digest(*pinned)}"
    if (folder / "complete").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, content in zip(_NODE_FILES, pinned, strict=True):
        (folder / name).write_bytes(content)
    _install([npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"], folder, "node")
    (folder / "complete").touch()
    return folder


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]


def _install(command: list[str], folder: Path, name: str) -> None:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False
    )
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).splitlines()[-5:])
        raise EnvironmentFailed(f"The environment '{name}' could not be installed:\n{last}")
