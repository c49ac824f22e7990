"""The check of sizes, names and purity finds what it is there for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Runner = Callable[..., subprocess.CompletedProcess[str]]

OFFENDERS = [
    ("gateway/runtime/long.py", "x = 1\n" * 401, "module of 401 lines"),
    ("adapters/deep.py", "def walk():\n" + "    x = 1\n" * 60, "function walk of 61 lines"),
    ("policies/utils.py", "x = 1\n", "named 'utils'"),
    ("gateway/helpers/__init__.py", "", "named 'helpers'"),
    ("gateway/app/web.py", "class RedisManager:\n    pass\n", "'RedisManager' is a banned name"),
    ("gateway/app/web.py", "def data():\n    return 1\n", "'data' is a banned name"),
    ("gateway/core/late.py", "import time\n", "pure module imports time"),
    ("gateway/wire/luck.py", "from random import random\n", "pure module imports random"),
    ("gateway/core/wait.py", "async def wait():\n    pass\n", "async in a pure module"),
    ("gateway/classify/read.py", "def words():\n    return open('w')\n", "calls open()"),
    ("policies/engine.py", "import datetime\nx = datetime.datetime.now()\n", "datetime.now()"),
    ("gateway/stores/lua/hold.lua", "local x = 1\n" * 120, "Lua file of 120 lines"),
]

INNOCENTS = [
    ("gateway/runtime/clock.py", "import time\n\n\nasync def wait():\n    pass\n"),
    ("gateway/app/web.py", "def start_process():\n    return 1\n"),
    ("gateway/classify/load.py", "def load_words():\n    return open('w')\n"),
    ("gateway/core/edge.py", "x = 1\n" * 400),
]


def check(run: Runner, root: Path, place: Path) -> subprocess.CompletedProcess[str]:
    """Run the check over another tree."""
    return run(sys.executable, root / "ops/check_size.py", place)


def plant(place: Path, name: str, text: str) -> None:
    """Write one file into a tree."""
    path = place / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(("name", "text", "message"), OFFENDERS)
def test_an_offender_is_found(
    name: str, text: str, message: str, tmp_path: Path, root: Path, run: Runner
) -> None:
    """Each kind of offence fails the check, with its place and what is wrong."""
    plant(tmp_path, name, text)

    done = check(run, root, tmp_path)

    assert done.returncode == 1
    assert f"{name}:" in done.stdout
    assert message in done.stdout


@pytest.mark.parametrize(("name", "text"), INNOCENTS)
def test_what_is_allowed_passes(
    name: str, text: str, tmp_path: Path, root: Path, run: Runner
) -> None:
    """What only looks like an offence passes."""
    plant(tmp_path, name, text)

    done = check(run, root, tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
