"""The set-up and check scripts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from itertools import chain
from pathlib import Path

import pytest

Runner = Callable[..., subprocess.CompletedProcess[str]]

SCRIPTS = ("ops/run.sh", "ops/setup.sh", "ops/test.sh", ".ci/run")


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_are_shell_that_parses(script: str, root: Path, run: Runner) -> None:
    """Every script is valid POSIX shell and may be executed."""
    done = run("sh", "-n", root / script)

    assert done.stderr == ""
    assert done.returncode == 0
    assert os.access(root / script, os.X_OK)


@pytest.fixture
def checkout(root: Path, tmp_path: Path) -> Path:
    """A folder, with a space in its name, that holds what set-up reads."""
    place = tmp_path / "a check out"
    (place / "ops").mkdir(parents=True)
    locks = ("requirements.txt", "requirements-prove.txt", "requirements-dev.txt")
    for name in ("setup.sh", "run.sh", "install.py", *locks):
        shutil.copy(root / "ops" / name, place / "ops" / name)
    shutil.copy(root / "pyproject.toml", place / "pyproject.toml")
    return place


def finished_environment(place: Path) -> None:
    """What a finished set-up leaves, as far as the scripts look at it."""
    binaries = place / ".venv" / "bin"
    binaries.mkdir(parents=True)
    for name in ("python", "fairlead"):
        (binaries / name).write_text('#!/bin/sh\necho "$0 $*"\npwd\n')
        (binaries / name).chmod(0o755)
    locks = ("ops/requirements.txt", "ops/requirements-prove.txt")
    sources = (*locks, "pyproject.toml", "ops/install.py")
    stamp = os.fsencode(place.resolve()) + b"\n"
    stamp += b"".join((place / name).read_bytes() for name in sources)
    (place / ".venv" / "fairlead-run.stamp").write_bytes(stamp)


def test_without_a_suitable_python_the_message_says_what_to_install(
    checkout: Path, tmp_path: Path, run: Runner
) -> None:
    """With no Python on the PATH, set-up fails with the package and the variable to use."""
    bare = tmp_path / "bin"
    bare.mkdir()
    for tool in ("dirname", "cat", "cmp", "pwd", "sh"):
        (bare / tool).symlink_to(shutil.which(tool) or f"/bin/{tool}")

    done = run("sh", checkout / "ops/setup.sh", PATH=str(bare), PYTHON="")

    assert done.returncode == 1
    assert "Python 3.11 or newer" in done.stderr
    assert "PYTHON=" in done.stderr


def test_a_finished_setup_is_not_done_again(checkout: Path, run: Runner) -> None:
    """When the stamp matches, set-up ends at once and needs no Python."""
    finished_environment(checkout)

    done = run("sh", checkout / "ops/run.sh", "--setup-only", PYTHON="/nonexistent")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_run_hands_its_arguments_to_serve_from_the_repository_root(
    checkout: Path, tmp_path: Path, run: Runner
) -> None:
    """After set-up, run.sh becomes `fairlead serve` with the arguments it was given."""
    finished_environment(checkout)

    done = run("sh", checkout / "ops/run.sh", "--log-format", "console", cwd=tmp_path)

    command, folder = done.stdout.splitlines()
    assert command.endswith("bin/fairlead serve --log-format console")
    assert str(checkout.resolve()) == folder


@pytest.mark.parametrize("marker", ["incomplete", "moved", "changed"])
def test_an_environment_that_cannot_be_trusted_is_not_used(
    marker: str, checkout: Path, run: Runner
) -> None:
    """A cut-off, a moved or an outdated environment sends set-up to work again."""
    finished_environment(checkout)
    if marker == "incomplete":
        (checkout / ".venv" / "incomplete").touch()
    elif marker == "moved":
        checkout = checkout.rename(checkout.parent / "elsewhere")
    else:
        with (checkout / "ops" / "requirements.txt").open("a") as lock:
            lock.write("# newer\n")
    python = checkout / "chosen-python"
    python.write_text('#!/bin/sh\n[ "$2" = -c ] || echo "chosen $*"\n')
    python.chmod(0o755)

    done = run("sh", checkout / "ops/setup.sh", PYTHON=str(python))

    assert done.stdout == "chosen -I ops/install.py run\n"


EXPORT = ("export", "--frozen", "--offline", "--no-emit-project", "--no-header", "--no-annotate")


@pytest.mark.parametrize(
    ("name", "groups"),
    [
        ("requirements.txt", ("--no-dev", "--group", "build")),
        ("requirements-prove.txt", ("--only-group", "prove")),
        ("requirements-ocr.txt", ("--only-group", "ocr")),
        ("requirements-dev.txt", ("--only-group", "dev")),
    ],
)
def test_requirements_are_the_lock(
    name: str, groups: tuple[str, ...], root: Path, run: Runner
) -> None:
    """The requirement files say exactly what uv.lock says, hashes included."""
    uv = root / ".venv" / "bin" / "uv"
    export = run(uv, *EXPORT, "--format", "requirements-txt", *groups)

    assert export.returncode == 0, export.stderr
    assert export.stdout == (root / "ops" / name).read_text()


def test_the_lock_is_of_this_project_file(root: Path, run: Runner) -> None:
    """Every direct dependency of pyproject.toml is in uv.lock with the same bounds."""
    tomllib = pytest.importorskip("tomllib")
    project = tomllib.loads((root / "pyproject.toml").read_text())
    packages = tomllib.loads((root / "uv.lock").read_text())["package"]
    ours = next(package for package in packages if package["name"] == "fairlead")
    locked = {
        (entry["name"], entry.get("specifier", "")) for entry in ours["metadata"]["requires-dist"]
    }
    requirements = pytest.importorskip("packaging.requirements")
    asked = set()
    extras = project["project"]["optional-dependencies"].values()
    for line in (*project["project"]["dependencies"], *chain.from_iterable(extras)):
        requirement = requirements.Requirement(line)
        specifier = ",".join(
            sorted(
                (str(bound) for bound in requirement.specifier), key=lambda bound: bound[0] == "<"
            )
        )
        asked.add((requirement.name.replace(".", "-"), specifier))

    assert asked == locked


def wait_all(*children: subprocess.Popen[str]) -> list[tuple[int, str]]:
    """Exit status and output of children that run at the same time."""
    ended = []
    for child in children:
        output, _ = child.communicate(timeout=600)
        ended.append((child.returncode, output))
    return ended


@pytest.mark.full
def test_a_fresh_clone_sets_itself_up(root: Path, tmp_path: Path, run: Runner) -> None:
    """In a clone under a path with spaces: two set-ups at once, one cut off, all end well."""
    place = tmp_path / "fresh clone"
    assert run("git", "clone", "-q", root, place).returncode == 0
    command = ["sh", str(place / "ops/run.sh"), "--setup-only"]

    # setup.sh becomes the installer, so this ends the installer and leaves its pip running.
    cut_off = subprocess.Popen(
        ["sh", str(place / "ops/setup.sh")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert cut_off.stderr is not None
    for line in cut_off.stderr:
        if "locked packages" in line:
            break
    cut_off.kill()
    cut_off.wait()
    cut_off.stderr.close()
    assert (place / ".venv" / "incomplete").exists()

    starts = [
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(2)
    ]
    ended = wait_all(*starts)

    assert [status for status, _ in ended] == [0, 0], ended
    assert sum("making .venv" in output for _, output in ended) == 1
    again = run("sh", place / "ops/run.sh", "--setup-only")
    assert (again.returncode, again.stderr) == (0, "")
    answer = run(place / ".venv/bin/fairlead", "--help", cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert "serve" in answer.stdout


#: Runs the installer as a Python without ensurepip would, as Debian's is without python3-venv.
WITHOUT_ENSUREPIP = (
    "import sys, runpy; sys.modules['ensurepip'] = None; sys.argv = ['ops/install.py', 'run'];"
    "runpy.run_path('ops/install.py', run_name='__main__')"
)


@pytest.mark.full
def test_a_python_with_pip_but_without_ensurepip_is_enough(
    root: Path, tmp_path: Path, run: Runner
) -> None:
    """Where `venv` cannot bring pip along, the interpreter's own pip fills the environment."""
    place = tmp_path / "clone"
    assert run("git", "clone", "-q", root, place).returncode == 0
    # pyenv's and Debian's interpreters have pip; a virtual environment's base has, too.
    base = Path(sys.base_prefix) / "bin" / "python3"

    done = run(base, "-I", "-c", WITHOUT_ENSUREPIP, cwd=place)

    assert done.returncode == 0, done.stderr
    assert not (place / ".venv/bin/pip").exists()
    assert run(place / ".venv/bin/fairlead", "--help").returncode == 0
