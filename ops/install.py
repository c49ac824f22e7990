"""Installs the locked dependencies and the project itself into `.venv/`; called by `ops/setup.sh`.

Rules of this file:
- the standard library only, for it runs before anything is installed;
- one set-up at a time: a file lock, which the kernel releases however the holder ends; children
  inherit it, so a pip whose parent was killed is waited for and never races with the next set-up;
- `.venv/incomplete` exists from before the first change until the stamp is written, so that a
  set-up which was cut off is begun anew instead of trusted;
- what is installed is what `uv.lock` fixed, versions and hashes, by way of its exports
  `ops/requirements*.txt`;
- the prover's library is large and has no wheel for some machines: serving goes on without it.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
INCOMPLETE = VENV / "incomplete"
PROVE = ROOT / "ops" / "requirements-prove.txt"
PIP_OPTIONS = ("-qq", "--no-input", "--disable-pip-version-check", "--no-user", "--no-deps")


class SetupFailed(Exception):
    """Set-up cannot go on; the message says what to do."""


def say(line: str) -> None:
    """One progress line; standard output stays free for the gateway."""
    print(f"fairlead: {line}", file=sys.stderr, flush=True)


def lock_files(kind: str) -> list[Path]:
    """The requirement files of a kind of set-up: `run`, or `dev` which adds the checks' tools."""
    files = [ROOT / "ops" / "requirements.txt", PROVE]
    if kind == "dev":
        files.append(ROOT / "ops" / "requirements-dev.txt")
    return files


def stamp_text(kind: str) -> bytes:
    """What a finished set-up was made from; `ops/setup.sh` compares the same bytes."""
    sources = [*lock_files(kind), ROOT / "pyproject.toml", ROOT / "ops" / "install.py"]
    return os.fsencode(ROOT) + b"\n" + b"".join(path.read_bytes() for path in sources)


def is_ready(kind: str) -> bool:
    """Whether the last set-up of that kind finished and was made from what is here now."""
    stamp = VENV / f"fairlead-{kind}.stamp"
    present = (VENV / "bin" / "fairlead").exists() and stamp.exists()
    return present and not INCOMPLETE.exists() and stamp.read_bytes() == stamp_text(kind)


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Hold the set-up lock, waiting for another set-up to end first."""
    with open(ROOT / ".venv.lock", "w") as lock:
        os.set_inheritable(lock.fileno(), True)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another set-up is running; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def environment() -> dict[str, str]:
    """Our environment without what would lead another Python astray."""
    astray = {"PYTHONPATH", "PYTHONHOME", "PIP_USER", "PIP_TARGET", "PIP_PREFIX"}
    return {name: setting for name, setting in os.environ.items() if name not in astray}


def call(*arguments: str | Path) -> bool:
    """Run a command with our output; whether it succeeded."""
    done = subprocess.run(
        [str(part) for part in arguments],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        close_fds=False,
    )
    return done.returncode == 0


def has(module: str) -> bool:
    """Whether the interpreter that runs this file can import a module."""
    return importlib.util.find_spec(module) is not None


def install_venv_support() -> None:
    """Debian splits `venv` off; as root we can add it, else we say how.

    Raises:
        SetupFailed: this Python can make no virtual environment, and we may not change that.
    """
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    apt = shutil.which("apt-get")
    if os.geteuid() == 0 and apt:
        say(f"this Python cannot make virtual environments; installing {package}")
        if call(apt, "install", "-y", "-qq", package):
            importlib.invalidate_caches()
            return
    raise SetupFailed(
        "this Python has neither pip nor the venv module's ensurepip; install one of them "
        f"(Debian, Ubuntu: apt-get install {package}) and run this again"
    )


def make_venv() -> None:
    """A fresh virtual environment, marked incomplete from its first moment.

    Raises:
        SetupFailed: it could not be made.
    """
    if VENV.exists():
        # Moved aside in one step: a removal that is cut off must not look like an environment.
        aside = ROOT / f".venv.old-{os.getpid()}"
        VENV.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)
    for leftover in ROOT.glob(".venv.old-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    VENV.mkdir()
    INCOMPLETE.touch()
    say(f"making .venv with Python {sys.version.split()[0]}")
    if not has("ensurepip") and not has("pip"):
        install_venv_support()
    bare = () if has("ensurepip") else ("--without-pip",)
    if not call(sys.executable, "-I", "-m", "venv", *bare, VENV):
        raise SetupFailed("the virtual environment could not be made (see above)")


def pip() -> list[str | Path]:
    """The pip command for `.venv`: its own, or this interpreter's where it has none."""
    python = VENV / "bin" / "python"
    probe = [str(python), "-I", "-c", "import pip"]
    if subprocess.run(probe, stderr=subprocess.DEVNULL, env=environment()).returncode == 0:
        return [python, "-I", "-m", "pip"]
    return [sys.executable, "-I", "-m", "pip", "--python", python]


def is_usable() -> bool:
    """Whether the environment that is there can be brought up to date in place."""
    python = VENV / "bin" / "python"
    if INCOMPLETE.exists() or not python.exists():
        return False
    if any(VENV.glob("fairlead-*.stamp")):
        stamped = next(VENV.glob("fairlead-*.stamp")).read_bytes().split(b"\n", 1)[0]
        if stamped != os.fsencode(ROOT):
            return False  # a moved environment: its scripts name the old place
    return call(python, "-I", "-c", "import sys; sys.exit(sys.version_info < (3, 11))")


def install(kind: str) -> None:
    """Bring `.venv` to what the lock says.

    Raises:
        SetupFailed: pip could not install something.
    """
    if not is_usable():
        make_venv()
    for stamp in VENV.glob("fairlead-*.stamp"):
        if stamp.read_bytes() != stamp_text(stamp.stem.removeprefix("fairlead-")):
            stamp.unlink()
    INCOMPLETE.touch()
    files = [path for path in lock_files(kind) if path != PROVE]
    say("installing the locked packages (a minute or two the first time)")
    locked = [argument for path in files for argument in ("--requirement", path)]
    if not call(*pip(), "install", *PIP_OPTIONS, "--require-hashes", *locked):
        raise SetupFailed(
            "pip could not install the locked packages (see above); where PyPI cannot be "
            "reached, name your mirror in PIP_INDEX_URL and run this again"
        )
    if not call(*pip(), "install", *PIP_OPTIONS, "--no-build-isolation", "--editable", ROOT):
        raise SetupFailed("pip could not install fairlead itself (see above)")
    install_prover()
    make_vocabularies()
    for finished in ("run", kind):
        fresh = VENV / "stamp.new"
        fresh.write_bytes(stamp_text(finished))
        fresh.replace(VENV / f"fairlead-{finished}.stamp")
    INCOMPLETE.unlink()


def make_vocabularies() -> None:
    """Make the files that exact token counts need; they are wider estimates without them."""
    if not call(VENV / "bin" / "python", "-I", "-m", "gateway.config.vocabularies"):
        say("tokens will be estimated instead of counted; everything else works")


def install_prover() -> None:
    """Install what `fairlead policy prove` needs; a machine without a wheel does without it.

    Only wheels: building the library takes a compiler, CMake and half an hour.
    """
    asked = ("--require-hashes", "--only-binary", ":all:", "--requirement", PROVE)
    if not call(*pip(), "install", *PIP_OPTIONS, *asked):
        say("z3-solver cannot be installed here, so `fairlead policy prove` will not work;")
        say("everything else does")


def main(kind: str) -> int:
    """Set up; 0 when `.venv` is ready, 1 with a line of advice when it cannot be."""
    try:
        with alone():
            if not is_ready(kind):
                install(kind)
                say("ready")
    except SetupFailed as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("interrupted; the next run begins anew")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "run"))
