"""Reports of a running gateway: the same over the command line and the admin plane."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import httpx2
import openpyxl
import pytest

from tests.e2e.backstage import upstream_thread
from tests.e2e.harness import GatewayProcess
from tests.upstreams import openai_chat as chat

POLICY = """
fairlead: 1
deployments:
  frontier: {adapter: openai, model: gpt-4o, api_key: "env:SOME_KEY", base_url: "%s/v1",
             self_hosted: false, clearance: restricted}
aliases: {auto: {}}
routes: [{id: all, because: "There is only one.", use: frontier}]
budgets: [{scope: team/tests, usd: 5, per: month}]
"""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """A gateway that has answered three requests."""
    home: Path = tmp_path_factory.mktemp("home")
    with upstream_thread(chat.answer(used=(1000, 100))) as upstream:
        started = GatewayProcess(home, POLICY % upstream.url, {"SOME_KEY": "sk"}).start()
        key = started.new_key()
        for _ in range(3):
            body = {"model": "auto", "messages": [{"role": "user", "content": "hello"}]}
            headers = {"authorization": f"Bearer {key}"}
            url = f"{started.url}/v1/chat/completions"
            assert httpx2.post(url, json=body, headers=headers, timeout=30).status_code == 200
        yield started
        started.stop()


def asked(gateway: GatewayProcess, path: str, key: str | None = None) -> Any:
    """A GET under /admin/reports/ with the admin key, or another one."""
    credential = key or (gateway.home / "admin_key").read_text().strip()
    headers = {"authorization": f"Bearer {credential}"}
    return httpx2.get(f"{gateway.url}/admin/reports/{path}", headers=headers, timeout=60)


def test_the_admin_plane_and_the_command_tell_the_same(gateway: GatewayProcess) -> None:
    """Byte for byte, for it is the same code; the total is what the ledger holds."""
    here = gateway.command("report", "cost", "--by", "team,model", "--format", "json")
    there = asked(gateway, "cost?by=team,model")

    assert (here.returncode, there.status_code) == (0, 200)
    assert there.text == here.stdout
    cost = 3 * (1000 * 2_500 + 100 * 10_000)
    assert there.json()["total_nanousd"] == cost
    assert gateway.json_command("ledger", "verify", "--json")["orgs"][0]["cost_nanousd"] == cost


def test_reports_come_in_every_form(gateway: GatewayProcess) -> None:
    """Text in place, files to keep, each under its own media type."""
    table = asked(gateway, "chargeback?format=csv&zone=Europe/Berlin")
    book = asked(gateway, "cost?by=day&format=xlsx")

    (row,) = csv.DictReader(StringIO(table.text))
    assert (row["route"], row["because"], row["requests"]) == ("all", "There is only one.", "3")
    sheet = openpyxl.load_workbook(BytesIO(book.content))["report"]
    assert sheet["A1"].value == "day"
    assert 'filename="cost.xlsx"' in book.headers["content-disposition"]
    for form, begins in (("pdf", b"%PDF"), ("parquet", b"PAR1"), ("html", b"<!doctype html>")):
        assert asked(gateway, f"budget?format={form}").content.startswith(begins)


def test_idle_time_is_asked_for_by_a_flag(gateway: GatewayProcess) -> None:
    """Here nobody runs a machine of their own, and the report says so."""
    told = asked(gateway, "focus?idle=true").json()

    assert told["total_nanousd"] == told["ledger_nanousd"] == 10_500_000
    assert told["notes"][-1].startswith("No own machine with an hourly price was used")
    assert asked(gateway, "focus?idle=false").json()["notes"] == []


def test_budgets_and_savings_know_the_policy_in_force(gateway: GatewayProcess) -> None:
    """The plan is the policy's, the baseline the price book's."""
    budget = asked(gateway, "budget").json()["rows"][0]
    savings = asked(gateway, "savings?against=openai/gpt-4o").json()["rows"][0]

    assert (budget["scope"], budget["plan_usd"]) == ("team/tests", "5.000000000")
    assert budget["actual_nanousd"] == savings["actual_nanousd"] == 10_500_000
    assert savings["savings_nanousd"] == 0


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("colours", 404, "There is no report 'colours'"),
        ("cost?by=colour", 400, "'colour' is not a dimension"),
        ("cost?output=/tmp/x", 400, "'output' is no parameter"),
        ("cost?rates=/etc/passwd&currency=EUR", 400, "'rates' is no parameter"),
        ("cost?org=../../elsewhere", 400, "'../../elsewhere' cannot be the name of an organ"),
        ("cost?format=exe", 400, "'exe' is no format"),
        ("cost?idle=perhaps", 400, "'idle' is true or false, not 'perhaps'"),
        ("focus?bill=house=5", 400, "--bill is what idle time is reckoned from"),
        ("cost?zone=Nowhere/At", 400, "'Nowhere/At' is not a time zone"),
        ("budget?by=team", 400, "No such option: --by"),
        ("savings?against=acme/x", 400, "the price book does not know 'acme/x'"),
    ],
)
def test_what_cannot_be_told_is_refused_with_words(
    gateway: GatewayProcess, path: str, status: int, words: str
) -> None:
    """A wrong question is the caller's to correct, and no file of the machine can be named."""
    answer = asked(gateway, path)

    told = answer.json()["error"]["message"]
    assert (answer.status_code, told.startswith(words)) == (status, True), told


def test_only_administrators_see_reports(gateway: GatewayProcess) -> None:
    """A virtual key is not enough."""
    assert asked(gateway, "cost", gateway.new_key()).status_code == 401
