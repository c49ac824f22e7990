"""Whether a text may come into force: grammar, meaning and its own tests."""

from __future__ import annotations

import pytest

from gateway.runtime.live.trial import tried
from policies.problems import PolicyError
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
