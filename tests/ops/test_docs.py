"""The documentation is true: links, commands, settings, metrics and examples are checked."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer
from ruamel.yaml import YAML

from gateway.cli import main as cli
from gateway.config.settings import SETTINGS
from gateway.core.errors import FairleadError
from policies.grammar.constraints import CONSTRAINT
from policies.grammar.deployments import DEPLOYMENT
from policies.grammar.facts import FACTS
from policies.loader import load_policy

Runner = Callable[..., subprocess.CompletedProcess[str]]

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "ops" / "docs").rglob("*.md"))]
LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"\bfairlead ((?:[a-z]+)(?: [a-z]+)?)((?: --[a-z-]+)?)")


def page_id(page: Path) -> str:
    """A page's name in a test's id."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, *languages: str) -> Iterator[str]:
    """The fenced code blocks of a page in some languages."""
    for match in FENCE.finditer(page.read_text()):
        if match[2] in languages:
            yield match[3]


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of a page names a file that exists."""
    targets = [target.split("#")[0] for target in LINK.findall(page.read_text())]
    missing = [
        target
        for target in targets
        if target and "://" not in target and not (page.parent / target).exists()
    ]

    assert missing == []


def test_every_page_is_linked() -> None:
    """No page is an orphan: each can be reached from the index or from the decisions' list."""
    linked = {
        (page.parent / target.split("#")[0]).resolve()
        for page in PAGES
        for target in LINK.findall(page.read_text())
        if "://" not in target
    }
    orphans = [page for page in PAGES if page.resolve() not in linked]

    assert [page_id(page) for page in orphans] == ["README.md", "ops/docs/index.md"][: len(orphans)]


def click_commands() -> dict[str, set[str]]:
    """Every command of the CLI with its options."""
    if not cli.app.registered_groups:
        cli._register("")
    found: dict[str, set[str]] = {}

    def walk(name: str, command: object) -> None:
        options = {
            option for parameter in getattr(command, "params", ()) for option in parameter.opts
        }
        found[name] = options
        for part, child in getattr(command, "commands", {}).items():
            walk(f"{name} {part}".strip(), child)

    walk("", typer.main.get_command(cli.app))
    return found


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_commands_that_are_shown_exist(page: Path) -> None:
    """Each `fairlead …` in a code block or in code marks is a command with those options."""
    commands = click_commands()
    wrong = []
    shown = [line for block in blocks(page, "sh", "") for line in block.splitlines()]
    shown += re.findall(r"`(fairlead [^`]+)`", page.read_text())
    for line in shown:
        text = line.split("#")[0].strip()
        found = re.match(r"(?:\S*/)?fairlead ((?:[a-z]+ ?)*)", text)
        if found is None:
            continue
        words = found[1].split()
        name = next(
            (
                " ".join(words[:count])
                for count in (2, 1)
                if len(words) >= count and " ".join(words[:count]) in commands
            ),
            None,
        )
        if name is None:
            wrong.append(text)
            continue
        unknown = set(re.findall(r" (--[a-z-]+)", text)) - commands[name]
        wrong += [f"{text}: {option}" for option in unknown]

    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_yaml_examples_parse(page: Path) -> None:
    """Every YAML block is YAML 1.2."""
    for block in blocks(page, "yaml"):
        assert YAML(typ="safe", pure=True).load(block) is not None


def test_policy_examples_load(tmp_path: Path) -> None:
    """Every whole policy in the documentation is read without a problem."""
    whole = [
        block for page in PAGES for block in blocks(page, "yaml") if block.startswith("fairlead:")
    ]
    for number, block in enumerate(whole):
        path = tmp_path / f"{number}.yaml"
        path.write_text(block)
        assert load_policy(path).routes

    assert whole


def test_every_setting_is_documented() -> None:
    """Each FAIRLEAD_ variable that the gateway reads is in the table, and no other is."""
    text = (ROOT / "ops/docs/configuration.md").read_text()
    rows = re.findall(r"^\| `(FAIRLEAD_[A-Z_]+)` \|", text, re.MULTILINE)

    assert sorted(rows) == sorted(SETTINGS)


def test_every_condition_and_effect_is_documented() -> None:
    """Policy facts, the keys of a constraint and of a deployment all stand on the policy page."""
    text = (ROOT / "ops/docs/policy.md").read_text()
    words = {*FACTS, *CONSTRAINT.keys, *DEPLOYMENT.keys} - {"id", "because", "when"}
    missing = [word for word in sorted(words) if not re.search(rf"`{word}[`:]", text)]

    assert missing == []


def error_codes(kind: type[FairleadError] = FairleadError) -> set[str]:
    """The codes of the whole tree of errors."""
    return {kind.code}.union(*(error_codes(child) for child in kind.__subclasses__()))


def test_documented_error_codes_exist() -> None:
    """A code in the clients' table is one of the error tree or one that an error is made with."""
    text = (ROOT / "ops/docs/clients.md").read_text()
    rows = re.findall(r"^\| \d{3} \| `(\w+)`", text, re.MULTILINE)
    made = {
        code
        for source in (ROOT / "gateway").rglob("*.py")
        for code in re.findall(r'\bcode="(\w+)"', source.read_text())
    }

    assert rows
    assert set(rows) <= error_codes() | made


def test_metrics_are_documented(run: Runner) -> None:
    """Each metric in the operations page is one that the gateway has, and the other way round."""
    files = sorted((ROOT / "gateway/runtime").rglob("*.py"))
    source = "".join(file.read_text() for file in files)
    kinds = re.findall(r'(Counter|Gauge|Histogram)\(\s*"(fairlead_\w+)"', source)
    real = {name + ("_total" if kind == "Counter" else "") for kind, name in kinds}
    text = (ROOT / "ops/docs/operations.md").read_text()
    rows = set(re.findall(r"^\| `(fairlead_\w+)` \|", text, re.MULTILINE))

    assert rows == real


def test_scripts_named_in_the_docs_exist() -> None:
    """Every `sh ops/….sh` and `python -m ops.…` of the documentation is there."""
    for page in PAGES:
        for script in re.findall(r"\bsh (ops/[\w/]+\.sh)", page.read_text()):
            assert (ROOT / script).exists(), f"{page_id(page)}: {script}"
        for module in re.findall(r"-m (ops\.[\w.]+)", page.read_text()):
            path = ROOT / (module.rstrip(".").replace(".", "/") + ".py")
            assert path.exists(), f"{page_id(page)}: {module}"
