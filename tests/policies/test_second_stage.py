"""Who is asked what else is sensitive, and whether: the policy file's word on it."""

from __future__ import annotations

import pytest

from gateway.core.second_stage import PRESIDIO_ENTITIES
from policies.compiled import CompiledPolicy
from policies.compiler import compile_policy
from policies.engine import decide
from policies.explain import explain
from policies.given import read_given
from policies.loader import read_policy
from policies.problems import PolicyError
from policies.second_stage import would_ask
from policies.testing import facts_of

PRICE = "price: {input_usd_per_mtok: 1, output_usd_per_mtok: 1}"
TEXT = """
fairlead: 1
deployments:
  house: {{adapter: ollama_native, model: m, clearance: restricted, {price}}}
  spare: {{adapter: ollama_native, model: m, clearance: restricted, {price}}}
  outside: {{adapter: openai_compatible, base_url: "https://v.example/v1", model: m,
            clearance: internal, {price}}}
aliases: {{auto: {{}}}}
sensitivity: {{second_stage: {{{stage}}}}}
routes:
  - {{id: inside, when: {{team: hr}}, use: [house]}}
  - {{id: all, use: [outside, house]}}
{more}
"""


def policy(stage: str = "deployment: spare", more: str = "") -> CompiledPolicy:
    text = TEXT.format(stage=stage, more=more, price=PRICE)
    return compile_policy(read_policy(text, "p.yaml"), lambda *_: None, lambda _: None)


def asking(compiled: CompiledPolicy, given: str) -> str:
    facts = facts_of(compiled, read_given(given, "given"), None)
    found = would_ask(compiled, facts, decide(compiled, facts))
    return "asked" if found.asked else found.barred or found.why


@pytest.mark.parametrize(
    ("given", "stage", "more", "told"),
    [
        ("{}", "deployment: spare", "", "asked"),
        ("{}", 'presidio: {url: "http://127.0.0.1:5002"}', "", "asked"),
        (
            "{findings: [payment_card]}",
            "deployment: spare",
            "",
            "the request stays on machines cleared for everything",
        ),
        (
            "{team: hr}",
            "deployment: spare",
            "",
            "the request stays on machines cleared for everything",
        ),
        (
            "{}",
            "deployment: spare",
            "constraints: [{id: nobody, block: true}]",
            "the request is refused anyway",
        ),
        ("{}", "deployment: spare, when: {team: x}", "", "its condition does not hold"),
        ("{team: x}", "deployment: spare, when: {team: x}", "", "asked"),
        ("{failed: [task]}", "deployment: spare, when: {task: code}", "", None),
        (
            "{}",
            "deployment: spare",
            "constraints: [{id: not-spare, forbid: [spare]}]",
            "not-spare",
        ),
        (
            "{}",
            "deployment: spare",
            "never: [{id: never-spare, deployment: {names: [spare]}}]",
            "never-spare",
        ),
        (
            "{}",
            'presidio: {url: "http://127.0.0.1:5002"}',
            "constraints: [{id: not-spare, forbid: [spare]}]",
            "asked",
        ),
    ],
)
def test_it_is_asked_where_the_request_might_leave(
    given: str, stage: str, more: str, told: str | None
) -> None:
    """Not where nothing it finds could keep the request from anywhere."""
    compiled = policy(stage, more)
    if told is None:  # what could not be judged stays at home
        told = "the request stays on machines cleared for everything"

    assert asking(compiled, given) == told


def test_a_condition_that_cannot_be_told_is_no_reason_not_to_ask() -> None:
    """Restricted for want of a task, but somebody outside is cleared for all: so it is asked."""
    text = TEXT.format(stage="deployment: spare, when: {task: code}", more="", price=PRICE)
    text = text.replace("clearance: internal", "clearance: restricted")
    compiled = compile_policy(read_policy(text, "p.yaml"), lambda *_: None, lambda _: None)

    assert asking(compiled, "{failed: [task], sensitivity: restricted}") == "asked"
    assert asking(compiled, "{task: chat}") == "its condition does not hold"


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        ("when: {team: x}", "asks either 'presidio' or a 'deployment'"),
        (
            'presidio: {url: "http://127.0.0.1:5002"}, deployment: spare',
            "asks either 'presidio' or a 'deployment'",
        ),
        ("deployment: nobody", "there is no deployment 'nobody'"),
        ("deployment: outside", "the second stage 'outside' is not self-hosted"),
        ('presidio: {url: "localhost:5002"}', "is not an http or https address"),
        (
            'presidio: {url: "http://127.0.0.1:1", entities: {PERSON: human}}',
            "not a finding type",
        ),
        ('presidio: {url: "http://127.0.0.1:1", score: 2}', "2 is not within 0..1"),
        ("deployment: spare, on_failure: ignore", "'ignore' is not a way to go on"),
        ("deployment: spare, timeout_seconds: 0", "0 is not above 0"),
    ],
)
def test_a_stage_that_cannot_be_asked_is_refused(stage: str, words: str) -> None:
    """Each with what is wrong, before anything is served."""
    with pytest.raises(PolicyError) as refused:
        policy(stage)

    assert words in str(refused.value)


def test_the_defaults_are_the_safe_ones() -> None:
    """Five seconds, restricted on failure, English, half a score, and the map that ships."""
    stage = policy('presidio: {url: "http://127.0.0.1:5002/"}').second_stage

    assert stage is not None
    assert stage.presidio is not None
    assert (stage.by, stage.timeout_seconds, stage.restricts) == ("presidio", 5.0, True)
    assert (stage.presidio.language, stage.presidio.score) == ("en", 0.5)
    assert dict(stage.presidio.entities) == PRESIDIO_ENTITIES
    assert stage.presidio.url == "http://127.0.0.1:5002"


def test_the_revision_tells_what_is_asked_and_not_how_it_is_written() -> None:
    """Whoever reads a record knows under which second stage it was decided."""
    one = policy('presidio: {url: "http://127.0.0.1:1", entities: {AGE: person, PET: email}}')
    same = policy('presidio: {entities: {PET: email, AGE: person}, url: "http://127.0.0.1:1"}')
    other = policy('presidio: {url: "http://127.0.0.1:1", entities: {AGE: person}}')

    assert one.revision == same.revision != other.revision
    assert policy("deployment: spare").revision != policy("deployment: house").revision
    assert (
        policy("deployment: spare").revision
        != policy("deployment: spare, on_failure: first_stage_stands").revision
    )


def test_an_explanation_says_whether_it_would_be_asked() -> None:
    """And asks nobody itself."""

    def told(compiled: CompiledPolicy, given: str) -> str:
        return explain(compiled, facts_of(compiled, read_given(given, "given"), None)).second_stage

    compiled = policy()
    barred = policy(more="constraints: [{id: no, forbid: [spare]}]")

    assert told(compiled, "{}") == "spare would be asked: the request might leave"
    assert told(compiled, "{team: hr}").startswith("spare would not be asked: the request stays")
    assert told(barred, "{}") == (
        "'no' keeps the request from spare, so nobody can be asked and the request counts as "
        "restricted"
    )
