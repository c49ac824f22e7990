"""Run one client's suite in its own environment against a gateway, and read what came of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

from ops.compat.clients import Client
from ops.compat.environments import NODE, REQUIREMENTS, node_folder, python_for

SUITES = Path(__file__).parent / "suites"
_RUN_SECONDS = 600
_SETTINGS = SUITES / "pytest.ini"

Outcome = Literal["passed", "failed", "not supported"]


@dataclass(frozen=True)
class Case:
    """One test of a suite; `why` is the reason of what did not pass."""

    name: str
    outcome: Outcome
    why: str = ""


@dataclass(frozen=True)
class Run:
    """One suite against one kind of backend."""

    client: str
    back: str
    versions: dict[str, str]
    cases: tuple[Case, ...]

    def count(self, outcome: Outcome) -> int:
        """How many cases ended so."""
        return sum(case.outcome == outcome for case in self.cases)

    def to_json(self) -> str:
        """The run as JSON."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1)

    @staticmethod
    def from_json(text: str) -> Run:
        """A run that `to_json` wrote."""
        read = json.loads(text)
        return Run(**{**read, "cases": tuple(Case(**case) for case in read["cases"])})


class SuiteFailed(Exception):
    """A suite ended without results; the text has its last lines."""


def run_client(client: Client, back: str, *, url: str, key: str, folder: Path) -> Run:
    """Run a client's suite.

    Args:
        back: the wire of the backend that `key` is routed to.
        url: the gateway, without `/v1`.
        folder: an empty place for the suite's own files.

    Raises:
        EnvironmentFailed: the client cannot be installed.
        SuiteFailed: the suite did not run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    report = folder / "report.xml"
    command, where = _command(client, folder, report)
    environ = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "FAIRLEAD_URL": url,
        "FAIRLEAD_KEY": key,
        "FAIRLEAD_BACK": back,
    }
    done = subprocess.run(
        command,
        cwd=where,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_RUN_SECONDS,
        check=False,
    )
    (folder / "output.txt").write_text(done.stdout + done.stderr, encoding="utf-8")
    cases = read_report(report.read_text(encoding="utf-8")) if report.exists() else ()
    if not cases:
        last = "\n".join((done.stdout + done.stderr).splitlines()[-30:])
        raise SuiteFailed(f"{client.name} gave no results:\n{last}")
    return Run(client.name, back, versions(client), cases)


def versions(client: Client) -> dict[str, str]:
    """The pinned versions of the packages that a client consists of."""
    if client.environment == "node":
        pinned = json.loads((NODE / "package.json").read_text())["dependencies"]
        return {name: pinned[name] for name in client.packages}
    lines = (REQUIREMENTS / f"{client.environment}.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if "==" in line)
    return {name: pins[name] for name in client.packages}


def read_report(xml: str) -> tuple[Case, ...]:
    """The cases of a JUnit report, as pytest and Node's test runner write it."""
    cases = []
    for element in ElementTree.fromstring(xml).iter("testcase"):
        outcome: Outcome = "passed"
        why = ""
        for child in element:
            if child.tag in ("failure", "error"):
                outcome, why = "failed", child.get("message") or (child.text or "").strip()
            elif child.tag == "skipped" and outcome == "passed":
                outcome, why = "not supported", child.get("message") or ""
        cases.append(Case(element.get("name", ""), outcome, why.strip()))
    return tuple(cases)


def _command(client: Client, folder: Path, report: Path) -> tuple[list[str], Path]:
    """What to run, and in which folder."""
    if client.environment != "node":
        suite = SUITES / client.suite
        pytest = [str(python_for(client.environment)), "-m", "pytest", "-c", str(_SETTINGS)]
        return [*pytest, f"--rootdir={SUITES}", f"--junitxml={report}", str(suite)], folder
    # Node finds packages from where a file lies, so the suite stands beside them.
    packages = node_folder()
    for file in NODE.glob("*.mjs"):
        shutil.copy(file, packages / file.name)
    suite = packages / Path(client.suite).name
    reporter = ["--test-reporter=junit", f"--test-reporter-destination={report}"]
    return ["node", "--test", *reporter, str(suite)], folder
