"""A policy's own detectors: what becomes of them, and of files that are not there."""

from __future__ import annotations

import pytest

from gateway.core.deployment import SHIPPED_ADAPTERS, Secret
from gateway.core.findings import OwnDetector
from policies.compiled import CompiledPolicy
from policies.compiler import compile_policy
from policies.loader import read_policy
from policies.problems import PolicyError

FILE = """\
fairlead: 1
deployments:
  house: {{adapter: ctransformers, model: m, clearance: restricted,
          price: {{gpu_hour_usd: 1, tokens_per_second: 100, utilisation: 0.5}}}}
sensitivity:
  detectors:
    - {{id: {id}, type: project, terms: {terms}}}
    - {{id: staff, type: national_id, pattern: '{pattern}'}}
routes: [{{id: a, use: [house]}}]
"""


def compiled(
    *, name: str = "projects", terms: str = "[Zeus, Apollo]", pattern: str = "EMP-[0-9]{6}"
) -> CompiledPolicy:
    """The policy with two detectors; its one file of terms has Zeus and Apollo."""
    text = FILE.format(id=name, terms=terms, pattern=pattern)
    files = {"terms.txt": ("Apollo", "Zeus")}
    return compile_policy(
        read_policy(text, "p.yaml"),
        lambda provider, model: None,
        lambda reference: Secret(reference),
        SHIPPED_ADAPTERS,
        files.get,
    )


def test_detectors_come_with_the_rules_that_judge() -> None:
    """Terms without order or doubles, so that a tidied list is the same policy."""
    assert compiled(terms="[Zeus, Apollo, Zeus]").rules.own == (
        OwnDetector(id="projects", type="project", terms=("Apollo", "Zeus")),
        OwnDetector(id="staff", type="national_id", pattern="EMP-[0-9]{6}"),
    )


def test_terms_of_a_file_are_as_if_they_stood_in_the_policy() -> None:
    """The revision, too, is of the words and not of where they stand."""
    assert compiled(terms="'file:terms.txt'").rules == compiled().rules
    assert compiled(terms="'file:terms.txt'").revision == compiled().revision


def test_a_file_that_cannot_be_read_is_told_with_its_place() -> None:
    """Nothing of a policy is used whose words are not there."""
    with pytest.raises(PolicyError) as caught:
        compiled(terms="'file:names.txt'")

    (problem,) = caught.value.problems
    assert problem.message == "the file of terms 'names.txt' cannot be read or has none"
    assert (problem.line, problem.path) == (7, "sensitivity.detectors.projects.terms")


def test_the_revision_is_of_what_is_looked_for() -> None:
    """Another word or pattern is another policy; another id of a detector is not."""
    usual = compiled().revision

    assert compiled(name="names").revision == usual
    assert compiled(terms="[Zeus, Hera]").revision != usual
    assert compiled(pattern="EMP-[0-9]{7}").revision != usual
