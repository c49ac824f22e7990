"""The policy of running gateways: changed by file, admin plane and command, under load."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest

from tests.e2e.backstage import upstream_thread
from tests.e2e.harness import GatewayProcess
from tests.upstreams import openai_chat as chat
from tests.upstreams.scripted import Received, Script, ScriptedUpstream

ADMIN = "fla_admin_key_of_these_tests"
POLICY = """\
fairlead: 1
deployments:
  house:
    adapter: openai_compatible
    base_url: "URL/v1"
    model: scripted-model
    clearance: restricted
    price: {input_usd_per_mtok: 1, output_usd_per_mtok: 2}
aliases: {auto: {}}
routes:
  - {id: ROUTE, use: [house]}
tests:
  - {name: cards stay, given: {text: "card 4111 1111 1111 1111"}, expect: {deployment: house}}
"""
HELLO = {"model": "auto", "messages": [{"role": "user", "content": "hello"}]}


def answering(received: Received) -> Script:
    """Whole answers at once, streams word by word."""
    if received.json.get("stream"):
        return chat.stream(["word "] * 20, pause=0.05)(received)
    return chat.answer()(received)


@pytest.fixture(scope="module")
def upstream() -> Iterator[ScriptedUpstream]:
    """The scripted backend of this module's gateway."""
    with upstream_thread(answering) as running:
        yield running


class Gateway(GatewayProcess):
    """A gateway of two workers whose policy is changed while it runs."""

    def policy_text(self, route: str = "first") -> str:
        return POLICY.replace("URL", self.settings["UPSTREAM"]).replace("ROUTE", route)

    @property
    def file(self) -> Path:
        return self.home / "given.yaml"

    def admin(self, method: str, path: str, **given: Any) -> httpx2.Response:
        """A request to the admin plane; `headers` go on top of the admin key."""
        headers = {"authorization": f"Bearer {ADMIN}"} | given.pop("headers", {})
        return httpx2.request(
            method, f"{self.url}/admin/policy{path}", headers=headers, timeout=20, **given
        )

    def put(self, text: str, revision: str | None = None) -> httpx2.Response:
        """Bring a text into force, from the revision that is in force unless one is given."""
        revision = revision or self.revision()
        return self.admin(
            "PUT",
            "",
            content=text,
            headers={"if-match": revision if revision == "*" else f'"{revision}"'},
        )

    def revision(self) -> str:
        return self.admin("GET", "").headers["etag"].strip('"')

    def served_by(self, key: str, times: int = 10) -> set[tuple[int, str]]:
        """Status and route of requests on fresh connections, so that all workers are met."""
        seen = set()
        for _ in range(times):
            answer = httpx2.post(
                f"{self.url}/v1/chat/completions",
                json=HELLO,
                headers={"authorization": f"Bearer {key}"},
                timeout=20,
            )
            seen.add((answer.status_code, answer.headers.get("x-fairlead-route", "")))
        return seen


@pytest.fixture(scope="module")
def gateway(
    upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """One gateway of two workers for the tests of this module."""
    settings = {"FAIRLEAD_WORKERS": "2", "FAIRLEAD_ADMIN_KEY": ADMIN, "UPSTREAM": upstream.url}
    made = Gateway(tmp_path_factory.mktemp("gateway"), settings=settings)
    made.policy = made.policy_text()
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def key(gateway: Gateway) -> str:
    """A virtual key of that gateway."""
    return gateway.new_key()


@pytest.fixture
def fresh(gateway: Gateway) -> Gateway:
    """The gateway with the first policy in force and in its file."""
    gateway.file.write_text(gateway.policy_text())
    until(lambda: not ready(gateway)["warnings"])
    assert gateway.put(gateway.policy_text(), revision="*").status_code == 200
    until(lambda: gateway.file.read_text() == gateway.policy_text())
    time.sleep(0.3)  # the file has been looked at once more
    return gateway


def ready(gateway: Gateway) -> dict[str, Any]:
    told: dict[str, Any] = httpx2.get(f"{gateway.url}/readyz", timeout=20).json()
    return told


def until(reached: Callable[[], bool], seconds: float = 15.0) -> float:
    """Wait until something is so; returns how long that took, in seconds."""
    began = time.monotonic()
    while not reached():
        assert time.monotonic() < began + seconds, "it never came to be"
        time.sleep(0.02)
    return time.monotonic() - began


def test_a_put_is_in_force_in_every_worker_when_it_returns(fresh: Gateway, key: str) -> None:
    """With its ETag, who did it, and the difference; the file follows."""
    text = fresh.policy_text("second")
    answer = fresh.admin(
        "PUT",
        "",
        content=text,
        headers={"if-match": f'"{fresh.revision()}"', "x-fairlead-actor": "Ann"},
    )
    served = fresh.served_by(key)
    read = fresh.admin("GET", "")
    until(lambda: fresh.file.read_text() == text)

    told = answer.json()
    assert answer.status_code == 200
    assert served == {(200, "second")}
    assert told["by"].startswith("Ann, from 127.0.0.1")
    assert told["is_new"] is True
    assert told["behind"] == []
    assert "-  - {id: first, use: [house]}\n+  - {id: second, use: [house]}\n" in told["diff"]
    assert (read.text, read.headers["etag"]) == (text, answer.headers["etag"])
    assert read.headers["etag"] == f'"{told["revision"]}"'
    assert read.headers["content-type"].startswith("application/yaml")


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ("fairlead: 1\ndeployments: [\n", (3, 1), "broken YAML"),
        (POLICY.replace("[house]}\n", "[hose]}\n"), (11, 24), "hose"),
        (POLICY.replace("{deployment: house}", "{refused: true}"), (13, 5), "cards stay"),
    ],
)
def test_a_put_that_cannot_be_used_says_where_and_changes_nothing(
    fresh: Gateway, key: str, text: str, place: tuple[int, int], told: str
) -> None:
    """Grammar, meaning or a failing test: 422 with every problem's line and column."""
    before = fresh.revision()
    answer = fresh.put(text.replace("URL", "http://127.0.0.1:9").replace("ROUTE", "second"))
    first = answer.json()["findings"][0]

    assert answer.status_code == 422
    assert (first["line"], first["column"]) == place
    assert told in first["message"]
    assert told in answer.json()["error"]["message"]
    assert fresh.revision() == before
    assert fresh.served_by(key, 4) == {(200, "first")}


def test_a_put_says_what_it_was_made_from(fresh: Gateway) -> None:
    """428 without If-Match, 412 with the current revision when another came first."""
    text = fresh.policy_text("second")
    first = fresh.revision()
    silent = fresh.admin("PUT", "", content=text)
    done = fresh.put(text)
    late = fresh.put(fresh.policy_text("third"), revision=first)
    forced = fresh.admin("PUT", "", content=fresh.policy_text("third"), headers={"if-match": "*"})

    assert silent.status_code == 428
    assert "If-Match" in silent.json()["error"]["message"]
    assert done.status_code == 200
    assert late.status_code == 412
    assert late.headers["etag"] == done.headers["etag"]
    assert forced.status_code == 200


def test_only_the_admin_key_reads_or_changes_the_policy(gateway: Gateway, key: str) -> None:
    """A virtual key is never enough."""
    for method, path in (
        ("GET", ""),
        ("PUT", ""),
        ("GET", "/versions"),
        ("GET", "/versions/1"),
        ("GET", "/status"),
        ("POST", "/rollback"),
    ):
        for wrong in (key, "x", ADMIN[:-1]):
            answer = gateway.admin(method, path, headers={"authorization": f"Bearer {wrong}"})
            assert answer.status_code == 401, (method, path)


def test_versions_are_listed_and_rolled_back_to(fresh: Gateway, key: str) -> None:
    """By the admin plane and by the command alike."""
    first = fresh.revision()
    fresh.put(fresh.policy_text("second"))
    listed = fresh.admin("GET", "/versions").json()["versions"]
    one = fresh.admin("GET", f"/versions/{listed[0]['number']}").json()
    back = fresh.admin("POST", "/rollback", json={"to": first})
    served = fresh.served_by(key, 4)
    done = fresh.command("policy", "rollback", str(listed[0]["number"]), "--note", "again")
    again = fresh.served_by(key, 4)
    missing = fresh.admin("POST", "/rollback", json={"to": "ffffff"})
    strange = fresh.admin("POST", "/rollback", content=b"[]")

    assert one["text"] == fresh.policy_text("second")
    assert (back.status_code, back.json()["source"]) == (200, "rollback")
    assert served == {(200, "first")}
    assert done.returncode == 0, done.stderr
    assert "in force on 2 of 2 gateway workers" in done.stdout
    assert again == {(200, "second")}
    assert (missing.status_code, strange.status_code) == (404, 400)


def test_the_status_tells_every_workers_version_and_what_was_refused(fresh: Gateway) -> None:
    """Two workers at the newest; a broken file with its problems."""
    fresh.file.write_text("fairlead: 1\nroutes: [")
    until(lambda: bool(ready(fresh)["warnings"]))
    told = fresh.admin("GET", "/status").json()
    metrics = httpx2.get(f"{fresh.url}/metrics").text
    command = fresh.command("policy", "status")
    kept = fresh.file.read_text()

    number = told["in_force"]["number"]
    assert [one["number"] for one in told["workers"]] == [number, number]
    assert "given.yaml:2:" in told["refused"]["problems"][0]
    assert "fairlead_policy_file_refused 1.0" in metrics
    assert f"fairlead_policy_version {number}.0" in metrics
    assert "given.yaml:2:" in command.stdout
    assert kept == "fairlead: 1\nroutes: ["
    # What anybody may read does not show the file.
    assert "given.yaml" not in str(ready(fresh))


def test_an_edit_of_the_file_is_served_by_all_workers(fresh: Gateway, key: str) -> None:
    """Within a second, as the issue of a policy says; here only that it comes to be."""
    fresh.file.write_text(fresh.policy_text("edited"))
    until(lambda: fresh.served_by(key, 4) == {(200, "edited")})


def test_a_request_keeps_its_revision_from_start_to_audit_record(
    fresh: Gateway, upstream: ScriptedUpstream, key: str
) -> None:
    """Its deployment even vanishes while the stream runs."""
    old = fresh.revision()
    other = fresh.policy_text("second").replace("  house:", "  home:").replace("[house]", "[home]")
    other = other.replace("deployment: house", "deployment: home")
    with httpx2.stream(
        "POST",
        f"{fresh.url}/v1/chat/completions",
        json=HELLO | {"stream": True},
        headers={"authorization": f"Bearer {key}"},
        timeout=20,
    ) as answer:
        chunks = answer.iter_bytes()
        told = next(chunks)
        changed = fresh.put(other)
        new = fresh.served_by(key, 4)
        told += b"".join(chunks)
    request_id = answer.headers["x-fairlead-request-id"]
    (record,) = [one for one in fresh.audit() if one["request_id"] == request_id]

    assert changed.status_code == 200
    assert new == {(200, "second")}
    assert told.endswith(b"data: [DONE]\n\n")
    assert told.count(b"word") == 20
    assert answer.headers["x-fairlead-policy"] == record["policy"] == old
    assert (record["deployment"], record["outcome"]) == ("house", "served")


def test_a_restart_keeps_the_last_active_version(fresh: Gateway, key: str) -> None:
    """Even where the file could not be kept in step: an unchanged file is no change."""
    fresh.put(fresh.policy_text("kept"))
    until(lambda: fresh.file.read_text() == fresh.policy_text("kept"))
    fresh.stop()
    fresh.policy = None
    fresh.settings = {**fresh.settings, "FAIRLEAD_POLICY": str(fresh.file)}
    broken = fresh.policy_text("kept") + "oops: ["
    fresh.file.write_text(broken)
    fresh.start()
    served, warned = fresh.served_by(key, 4), []
    until(lambda: bool(warned) or bool(warned.extend(ready(fresh)["warnings"])))
    log = fresh.log()

    assert served == {(200, "kept")}
    assert "The last good version stays in force." in log
    assert fresh.file.read_text() == broken


def test_a_local_model_comes_and_goes_with_the_policy(fresh: Gateway, key: str) -> None:
    """Its worker is started when the policy names it and ended when it does not any more."""
    without = fresh.policy_text("first")
    with_model = without.replace(
        "aliases:",
        "  onboard: {adapter: ctransformers, model: fairlead-help, clearance: restricted,\n"
        "            price: {gpu_hour_usd: 0.05, tokens_per_second: 200, utilisation: 0.1}}\n"
        "aliases:",
    )
    assert fresh.put(with_model).status_code == 200
    run = fresh.home / "run"
    until(lambda: len(list(run.glob("onboard*.sock"))) == 1, 30)

    def asked() -> int:
        body = HELLO | {"model": "onboard", "max_tokens": 3}
        headers = {"authorization": f"Bearer {key}"}
        url = f"{fresh.url}/v1/chat/completions"
        return httpx2.post(url, json=body, headers=headers, timeout=30).status_code

    until(lambda: asked() == 200, 30)
    assert fresh.put(without).status_code == 200
    gone = asked()
    until(lambda: not list(run.glob("onboard*.state")), 30)

    assert gone == 404


async def _load(gateway: Gateway, key: str, stop: asyncio.Event) -> list[tuple[int, str]]:
    """Requests one after another until told to stop: status and revision of each."""
    seen: list[tuple[int, str]] = []
    headers = {"authorization": f"Bearer {key}"}
    async with httpx2.AsyncClient(timeout=30) as client:
        while not stop.is_set():
            answer = await client.post(
                f"{gateway.url}/v1/chat/completions", json=HELLO, headers=headers
            )
            seen.append((answer.status_code, answer.headers.get("x-fairlead-policy", "")))
    return seen


#: Ways to break a policy file, one after another.
BREAKING: tuple[Callable[[str], str], ...] = (
    lambda text: text + "routes: [",
    lambda text: text.replace("fairlead: 1", "fairlead: 99"),
    lambda text: text.replace("use: [house]", "use: [nobody]"),
    lambda text: text.replace("{deployment: house}", "{refused: true}"),
    lambda text: text.replace("clearance: restricted", "clearence: restricted"),
    lambda text: text.replace("    adapter: openai_compatible\n", ""),
    lambda text: text[: len(text) // 2],
    lambda text: "",
)


@pytest.mark.parametrize("times", [8, pytest.param(200, marks=pytest.mark.full)])
async def test_broken_reloads_under_load_fail_no_request(
    fresh: Gateway, key: str, times: int
) -> None:
    """Every time the last good policy is kept, an alarm is raised, and nobody notices."""
    good = fresh.policy_text()
    revision = await asyncio.to_thread(fresh.revision)
    stop = asyncio.Event()
    load = [asyncio.ensure_future(_load(fresh, key, stop)) for _ in range(4)]
    before, kept = fresh.log().count("policy_file_refused"), 0
    for number, breaking in zip(range(times), itertools.cycle(BREAKING)):
        broken = breaking(good) + f"\n# {number}\n"
        fresh.file.write_text(broken)
        refused = await asyncio.to_thread(fresh.put, broken)
        assert refused.status_code == 422
        told = before + number + 1
        await asyncio.to_thread(
            until, lambda told=told: fresh.log().count("policy_file_refused") == told
        )
        kept += await asyncio.to_thread(fresh.revision) == revision
    stop.set()
    seen = list(itertools.chain(*await asyncio.gather(*load)))

    assert kept == times
    assert len(seen) > 4 * times
    assert set(seen) == {(200, revision)}
    assert msgspec.json.encode(ready(fresh)["warnings"]).count(b"stays in force") == 1


def test_a_dry_run_counts_on_real_traffic_and_serves_nobody(fresh: Gateway, key: str) -> None:
    """By the admin plane and the command alike; all workers count."""
    blocking = fresh.policy_text("second").split("tests:")[0]
    blocking += "constraints: [{id: closed, block: true}]\n"
    none = fresh.admin("DELETE", "/dryrun")
    wrong = fresh.admin("POST", "/dryrun", content="fairlead: 1\nroutes: [")
    begun = fresh.admin("POST", "/dryrun", content=blocking, headers={"x-fairlead-actor": "Ann"})
    time.sleep(1.5)  # every worker has taken the candidate up
    served = fresh.served_by(key, 12)
    until(lambda: fresh.admin("GET", "/dryrun").json()["records"] == 12)
    told = fresh.admin("GET", "/dryrun").json()
    shown = fresh.json_command("policy", "dryrun", "status", "--json")
    ended = fresh.admin("DELETE", "/dryrun")
    metrics = httpx2.get(f"{fresh.url}/metrics").text

    assert none.status_code == 404
    assert (wrong.status_code, wrong.json()["findings"][0]["line"]) == (422, 2)
    assert begun.status_code == 200
    assert served == {(200, "first")}
    assert told["dry_run"]["by"].startswith("Ann")
    assert told["total"]["requests"] == told["total"]["newly_refused"] == 12
    assert told["ways"][0]["before"] == "house"
    assert told["ways"][0]["after"] == "refused"
    assert shown["total"] == told["total"]
    assert ended.json()["ended"] is not None
    assert 'fairlead_policy_dry_run_total{change="newly_refused"} 12.0' in metrics
