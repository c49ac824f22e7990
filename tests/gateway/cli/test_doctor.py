"""What `fairlead doctor` finds, on a healthy machine and on a broken one."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner

from gateway.cli.doctor import (
    Diagnosis,
    check_packages,
    check_pictures,
    check_vocabularies,
    doctor,
    doctor_findings,
)
from gateway.config.settings import Settings
from gateway.runtime.pictures import missing_libraries

POLICY = """\
fairlead: 1
deployments:
  house:
    adapter: openai_compatible
    base_url: "http://127.0.0.1:9/v1"
    model: some-model
    clearance: restricted
    price: {input_usd_per_mtok: 0.1, output_usd_per_mtok: 0.1}
routes:
  - {id: all, use: [house]}
"""


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Settings under which nothing is wrong."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    return {
        "FAIRLEAD_HOME": str(tmp_path / "home"),
        "FAIRLEAD_POLICY": str(policy),
        "FAIRLEAD_PORT": str(free_port()),
    }


def one(environ: Mapping[str, str], check: str) -> Diagnosis:
    """The single finding of a check."""
    (found,) = [found for found in doctor_findings(environ) if found.check == check]
    return found


def test_a_healthy_machine_has_no_findings_but_good_ones(environ: dict[str, str]) -> None:
    """With right settings, every check is ok, the embedded Redis included."""
    assert {found.status for found in doctor_findings(environ)} == {"ok"}


def test_a_stranger_with_our_package_name_is_a_failure() -> None:
    """PyPI's own `adapters` in the same environment is named, with the command that helps."""
    owners = {"adapters": ["adapters"], "gateway": ["fairlead"], "policies": ["fairlead"]}
    found = {finding.status: finding for finding in check_packages(lambda: owners)}

    assert "distribution adapters" in found["failed"].message
    assert "pip uninstall adapters" in found["failed"].advice


def test_wrong_settings_are_named(environ: dict[str, str]) -> None:
    """A variable that cannot be read is a failure that names it."""
    found = one({**environ, "FAIRLEAD_WORKERS": "many"}, "settings")

    assert found.status == "failed"
    assert "FAIRLEAD_WORKERS" in found.message


def test_a_policy_that_does_not_compile_is_a_failure(environ: dict[str, str]) -> None:
    """A mistake in the policy is found before the start, with its place."""
    Path(environ["FAIRLEAD_POLICY"]).write_text(POLICY.replace("use:", "uses:"))
    found = one(environ, "policy")

    assert found.status == "failed"
    assert "uses" in found.message


def test_a_redis_that_is_away_is_a_failure_without_its_password(environ: dict[str, str]) -> None:
    """An unreachable Redis is named by host and port only."""
    away = f"redis://:sesame@127.0.0.1:{free_port()}/0"
    found = one({**environ, "FAIRLEAD_REDIS_URL": away}, "redis")

    assert found.status == "failed"
    assert "sesame" not in found.message + found.advice


def test_a_home_that_cannot_be_written_is_a_failure(
    environ: dict[str, str], tmp_path: Path
) -> None:
    """A home that is a file, not a folder, is found."""
    (tmp_path / "file").write_text("")
    found = [
        found.status
        for found in doctor_findings({**environ, "FAIRLEAD_HOME": str(tmp_path / "file")})
        if found.check == "home"
    ]

    assert found == ["failed"]


def test_a_taken_port_is_a_warning(environ: dict[str, str]) -> None:
    """A port in use does not fail the check, for the gateway itself may be using it."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", int(environ["FAIRLEAD_PORT"])))
        listener.listen()
        found = one(environ, "port")

    assert found.status == "warning"


def test_the_command_says_so_in_its_exit_status(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Status 0 and `healthy` when all is well, 1 and the finding when something is broken."""
    app = Typer()
    app.command()(doctor)
    for name, setting in environ.items():
        monkeypatch.setenv(name, setting)
    well = CliRunner().invoke(app, ["--json"])
    monkeypatch.setenv("FAIRLEAD_PORT", "seventy")
    ill = CliRunner().invoke(app, ["--json"])

    assert (well.exit_code, json.loads(well.stdout)["healthy"]) == (0, True)
    assert (ill.exit_code, json.loads(ill.stdout)["healthy"]) == (1, False)


def test_missing_vocabularies_are_a_warning_with_the_cure(
    vocabulary_folder: Path, tmp_path: Path
) -> None:
    """Requests are served without them, but more money is held."""
    found = check_vocabularies(tmp_path)

    assert found.status == "warning"
    assert "python -m gateway.config.vocabularies" in found.advice
    assert check_vocabularies(vocabulary_folder).status == "ok"


def test_doctor_tells_whether_pictures_can_be_read() -> None:
    """Off is fine; wanted and not installed is a failure with the cure."""
    off = check_pictures(Settings())
    wanted = check_pictures(Settings(ocr_seconds=20.0))

    assert (off.status, wanted.check) == ("ok", "pictures")
    assert "FAIRLEAD_OCR_SECONDS is 0" in off.message
    if missing_libraries():
        assert wanted.status == "failed"
        assert "requirements-ocr.txt" in wanted.advice
    else:
        assert wanted.status == "ok"
        assert "20 s a request" in wanted.message
