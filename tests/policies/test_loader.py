"""Broken files: the place, the words and the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from policies.loader import load_policy, read_policy
from policies.problems import PolicyError

GOOD = """\
fairlead: 1
deployments:
  house: {adapter: ctransformers, model: m, clearance: restricted}
routes:
  - {id: all, use: [house]}
"""


def problems_of(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        read_policy(text, "p.yaml")
    return str(caught.value).splitlines()


CASES = [
    ("", "p.yaml:1:1: the file is empty (a policy starts with 'fairlead: 1')"),
    ("# only a comment\n", "p.yaml:1:1: the file is empty"),
    ("~", "p.yaml:1:1: the file is empty"),
    ("- a\n", "p.yaml:1:1: a policy is a mapping of keys, not a list"),
    ("hello", "p.yaml:1:1: a policy is a mapping of keys, not 'hello'"),
    ("a: [1", "p.yaml:1:6: broken YAML"),
    ("a:\n\t- b", "p.yaml:2:1: broken YAML"),
    ("a: b: c", "p.yaml:1:5: broken YAML: mapping values are not allowed here (put quotes"),
    ("a: \x00", "p.yaml:1:4: the file holds a character that YAML does not allow"),
    (
        "deployments: {}\n",
        "p.yaml:1:1: the file does not say its format (begin with 'fairlead: 1')",
    ),
    ("fairlead: 2\n", "p.yaml:1:11: this is Fairlead's format 1, and the file says the number 2"),
    ("fairlead: one\n", "p.yaml:1:11: this is Fairlead's format 1, and the file says 'one'"),
    ("fairlead: true\n", "p.yaml:1:11: this is Fairlead's format 1, and the file says true"),
    (GOOD + "rotes: []\n", "p.yaml:6:1: a policy has no key 'rotes' (did you mean 'routes'?)"),
    (GOOD + "routes: []\n", "p.yaml:6:1: the key 'routes' stands here twice"),
    (GOOD + "--- \na: 1\n", "p.yaml:6:1: a policy file holds one document, not several"),
    (GOOD + "budgets: {a: 1}\n", "p.yaml:6:10: a list was expected here, not a mapping"),
    (GOOD + "x: !!python/object:os.system ls\n", "p.yaml:6:4: YAML tags have no meaning"),
    (GOOD + "x: *nowhere\n", "p.yaml:6:4: the alias '*nowhere' has no anchor before it"),
    (GOOD + "x: &a [*a]\n", "p.yaml:6:8: the alias '*a' contains itself"),
    (GOOD + "x: {<<: {a: 1}}\n", "p.yaml:6:5: merge keys ('<<') are not part of YAML 1.2"),
    (GOOD + "x: {[a]: 1}\n", "p.yaml:6:5: a key must be a word, not a list"),
    (
        GOOD.replace(", clearance: restricted", ""),
        "p.yaml:3:3: a deployment needs the key 'clearance' "
        "(clearance: the most sensitive data it may receive; there is no default)",
    ),
    (
        GOOD.replace("restricted", "secret"),
        "p.yaml:3:56: 'secret' is not a level of sensitivity",
    ),
    (GOOD.replace("model:", "modle: x, model:"), "p.yaml:3:35: a deployment has no key 'modle'"),
    (GOOD.replace("model: m", "model: [m]"), "p.yaml:3:42: a word was expected here, not a list"),
    (GOOD.replace("model: m", "model: "), "p.yaml:3:41: a word was expected here, not nothing"),
    (
        GOOD.replace("model: m", "model: m, retries: 1.5"),
        "p.yaml:3:54: a whole number was expected here, not the number 1.5",
    ),
    (
        GOOD.replace("model: m", "model: m, retries: 99"),
        "p.yaml:3:54: 99 is not within 0..10",
    ),
    (
        GOOD.replace("model: m", "model: m, self_hosted: yes"),
        "p.yaml:3:58: true or false was expected here, not 'yes'",
    ),
    (
        GOOD.replace("model: m", "model: m, base_url: ftp://x"),
        "p.yaml:3:55: 'ftp://x' is not an http or https address",
    ),
    (
        GOOD.replace("model: m", "model: m, base_url: https://me:pw@x"),
        "p.yaml:3:55: an address holds no user, password, query or fragment",
    ),
    (
        GOOD.replace("model: m", "model: m, price: {gpu_hour_usd: -1}"),
        "p.yaml:3:67: -1 is not within 0..1000000000",
    ),
    (
        GOOD.replace("model: m", "model: m, price: {utilisation: 2}"),
        "p.yaml:3:66: 2 is not above 0 and at most 1",
    ),
    (GOOD.replace("  house:", "  'ho use':"), "p.yaml:3:3: 'ho use' is not a usable name"),
    (GOOD.replace("id: all", "id: All"), "p.yaml:5:10: 'All' is not an id"),
    (GOOD.replace("[house]", "[]"), "p.yaml:5:20: the list needs at least 1 entries"),
    (
        GOOD.replace("[house]", "{strategy: random, among: [house]}"),
        "p.yaml:5:31: 'random' is not a strategy",
    ),
    (
        GOOD.replace(" use:", " when: {sensitivty: public}, use:"),
        "p.yaml:5:22: there is no fact 'sensitivty' (did you mean 'sensitivity'?)",
    ),
    (
        GOOD.replace(" use:", " when: {sensitivity: '<= secret'}, use:"),
        "p.yaml:5:35: '<= secret' does not compare a sensitivity",
    ),
    (
        GOOD.replace(" use:", " when: {difficulty: '0.6..0.2'}, use:"),
        "p.yaml:5:34: '0.6..0.2' does not compare the difficulty (0..1)",
    ),
    (
        GOOD.replace(" use:", " when: {difficulty: 12%%}, use:"),
        "p.yaml:5:34: '12%%' does not compare the difficulty",
    ),
    (
        GOOD.replace(" use:", " when: {findings: [emial]}, use:"),
        "p.yaml:5:33: 'emial' is not a finding type (did you mean 'email'?)",
    ),
    (
        GOOD.replace(" use:", " when: {any: []}, use:"),
        "p.yaml:5:27: 'any' needs at least one condition",
    ),
    (
        GOOD.replace(" use:", " when: {time: {hours: '9..25'}}, use:"),
        "p.yaml:5:36: '9..25' is not a value for 'hours'",
    ),
    (
        GOOD.replace(" use:", " when: {time: {zone: Atlantis}}, use:"),
        "p.yaml:5:35: 'Atlantis' is not a value for 'zone'",
    ),
    (
        GOOD.replace(" use:", " when: {team: 'a*b'}, use:"),
        "p.yaml:5:28: 'a*b': a '*' may only stand at the end",
    ),
    (GOOD.replace(" use:", " when: [a], use:"), "p.yaml:5:21: a condition is a mapping of facts"),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_a_broken_file_is_told_with_its_place(text: str, expected: str) -> None:
    """The first problem stands at file:line:col and says what is wrong."""
    told = problems_of(text)

    assert told[0].startswith(expected), told


def test_every_problem_is_told_at_once() -> None:
    """Problems in different places are collected in the order of the file."""
    text = GOOD.replace("restricted", "top").replace("all,", "all, wen: 1,") + "budgets: 3\n"

    told = problems_of(text)

    assert [line.split(":")[1] for line in told] == ["3", "5", "6"]


@pytest.mark.parametrize("key", ["sk-proj-abcdefghijklmnop1234", "hunter2", "Bearer abc"])
def test_a_literal_secret_is_refused_without_being_repeated(key: str) -> None:
    """A key in the file is refused with the fix, and its text is in no message."""
    text = GOOD.replace("model: m", f'model: m, api_key: "{key}"')

    told = problems_of(text)[0]

    assert "a secret must not stand in the policy file (write env:NAME" in told
    assert key not in told


@pytest.mark.parametrize(
    ("header", "held"), [("Authorization", "Bearer x"), ("x-note", "sk-abcdefghijklmnop")]
)
def test_a_header_that_looks_secret_must_be_a_reference(header: str, held: str) -> None:
    """A header's literal value that looks like a secret is refused and not repeated."""
    text = GOOD.replace("model: m", f'model: m, headers: {{{header}: "{held}"}}')

    told = problems_of(text)[0]

    assert f"the header '{header}' looks like a secret" in told
    assert held not in told


def test_headers_of_the_call_itself_are_not_the_policys_to_set() -> None:
    """Who frames the bytes says how long they are and where they go."""
    text = GOOD.replace("model: m", 'model: m, headers: {Content-Length: "3"}')

    assert "the header 'Content-Length' belongs to the call itself" in problems_of(text)[0]


def test_a_route_adds_no_secret_header() -> None:
    """What a route adds is plain text; a reference there would be sent as it stands."""
    text = GOOD.replace("id: all,", 'id: all, add_headers: {x-note: "env:NOTE"},')

    told = problems_of(text)[0]

    assert "the header 'x-note' looks like a secret" in told
    assert "a deployment's own 'headers' may hold it by reference" in told


def test_a_file_that_is_not_utf8_is_told_with_its_place(tmp_path: Path) -> None:
    """The place of the first wrong byte is named."""
    path = tmp_path / "p.yaml"
    path.write_bytes(b"fairlead: 1\nname: \xff\n")

    with pytest.raises(PolicyError, match=r"p\.yaml:2:7: the file is not UTF-8 text here"):
        load_policy(path)


def test_a_file_that_is_not_there_is_a_problem_and_not_a_trace(tmp_path: Path) -> None:
    """A missing file and a folder are told in words."""
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(PolicyError, match="the policy file cannot be read"):
            load_policy(path)


def test_a_byte_order_mark_is_no_problem(tmp_path: Path) -> None:
    """Editors that write a mark at the beginning of the file are fine."""
    path = tmp_path / "p.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())

    assert load_policy(path).deployments[0].name == "house"


def test_aliases_that_explode_are_refused() -> None:
    """A billion laughs are counted, not told."""
    laughs = "".join(
        f"l{number}: &l{number} [{', '.join([f'*l{number - 1}'] * 10)}]\n"
        for number in range(1, 40)
    )

    told = problems_of("fairlead: 1\nl0: &l0 [ha]\n" + laughs)

    assert "aliases make the file more than 200000 values large" in told[0]


def test_deep_nesting_is_refused() -> None:
    """Depth is bounded before it can exhaust the stack."""
    told = problems_of("fairlead: 1\nx: " + "[" * 5000 + "]" * 5000 + "\n")

    assert told[0].startswith("p.yaml:2:43: nested more than 40 levels deep")


def test_a_huge_file_is_refused() -> None:
    """Size is bounded before the YAML is read."""
    assert "at most 1000000 are read" in problems_of("a" * 1_000_001)[0]


def test_a_good_anchor_may_be_used_twice() -> None:
    """Ordinary aliases work: one price for two deployments."""
    text = GOOD.replace(
        "restricted}", "restricted, price: &p {input_usd_per_mtok: 1, output_usd_per_mtok: 2}}"
    ).replace(
        "routes:",
        "  twin: {adapter: ctransformers, model: m, clearance: restricted, price: *p}\nroutes:",
    )

    house, twin = read_policy(text, "p.yaml").deployments

    assert house.price == twin.price


def test_the_yaml_directive_does_not_change_what_words_mean() -> None:
    """`yes` is a word under every YAML version, and numbers keep their digits."""
    text = "%YAML 1.1\n---\n" + GOOD.replace("model: m", "model: yes, options: {threads: 0x10}")

    deployment = read_policy(text, "p.yaml").deployments[0]

    assert deployment.model == "yes"
    assert deployment.options == (("threads", "0x10"),)
