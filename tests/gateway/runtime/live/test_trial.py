"""Whether a text may come into force: grammar, meaning, its own tests, and a prover's word."""

from __future__ import annotations

import msgspec
import pytest

from gateway.runtime.live.trial import tried
from policies.compiled import CompiledPolicy
from policies.problems import PolicyError, Problem
from tests.gateway.runtime.live.conftest import BROKEN, FAILING, UNFIT, Stand, text

JUDGED = text() + (
    "tests:\n"
    '  - {name: a card, given: {text: "card 4111 1111 1111 1111"},'
    " expect: {sensitivity: restricted}}\n"
)


def test_a_good_text_is_compiled(stand: Stand) -> None:
    """Its tests are judged by the real classifier."""
    assert tried(JUDGED, "p.yaml", stand.bench).routes[0].id == "first"


@pytest.mark.parametrize(
    ("wrong", "line", "told"),
    [
        (BROKEN, 7, "broken YAML"),
        (UNFIT, 7, "'nowhere'"),
        (FAILING, 7, "test 'never true': expected a refusal"),
        ("", 1, "the file is empty"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    stand: Stand, wrong: str, line: int, told: str
) -> None:
    """Grammar, meaning and the file's own tests alike."""
    with pytest.raises(PolicyError) as caught:
        tried(wrong, "p.yaml", stand.bench)

    assert [problem.line for problem in caught.value.problems][:1] == [line]
    assert told in str(caught.value)


def test_a_leak_that_is_proved_refuses_and_a_warning_does_not(stand: Stand) -> None:
    """The prover's findings count by their severity."""

    def proving(severity: str) -> CompiledPolicy:
        found = Problem(line=5, column=3, message="restricted data leaves", severity=severity)
        bench = msgspec.structs.replace(stand.bench, prove=lambda policy: [found])
        return tried(text(), "p.yaml", bench)

    with pytest.raises(PolicyError, match="restricted data leaves"):
        proving("error")
    assert proving("warning").routes
