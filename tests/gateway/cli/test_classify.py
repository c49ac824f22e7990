"""`fairlead classify` over its lines."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import typer
from msgspec import structs

from gateway.classify.classifier import Classifier, load_classifier
from gateway.classify.difficulty import load_shipped
from gateway.cli.classify import Counter, classify_lines, named_model, open_counter
from gateway.config.difficulty_models import DifficultyModelError, save_model
from gateway.config.settings import load_settings
from gateway.core.findings import SensitivityRules
from gateway.core.sensitivity import Sensitivity
from gateway.core.token_families import Vocabulary


@pytest.fixture(scope="module")
def judge() -> Classifier:
    return load_classifier()


def run(judge: Classifier, *rows: object, rules: SensitivityRules | None = None):
    lines = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
    answers, errors = io.StringIO(), io.StringIO()
    bad = classify_lines(lines, answers, errors, judge, rules or SensitivityRules())
    read = [[json.loads(line) for line in out.getvalue().splitlines()] for out in (answers, errors)]
    return bad, *read


def test_answers_a_text(judge: Classifier):
    """A text is answered with its level, findings, difficulty, task and tokens."""
    bad, (answer,), _ = run(judge, {"id": 7, "text": "é card 4111 1111 1111 1111"})

    assert bad == 0
    assert (answer["id"], answer["sensitivity"]) == (7, "restricted")
    (finding,) = answer["findings"]
    assert (finding["type"], finding["start"], finding["end"]) == ("payment_card", 7, 26)
    assert 0 < answer["difficulty"] < 0.3
    assert answer["task"] == "chat"
    assert answer["input_tokens"] > 5


def test_answers_messages_with_pointers(judge: Classifier):
    """A finding in a conversation says by JSON pointer which string it is in."""
    messages = [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "my ssn is 219-09-9999"},
    ]
    _, (answer,), _ = run(judge, {"id": "a", "messages": messages})

    (finding,) = answer["findings"]
    assert finding["segment"] == "/messages/1/content"
    assert (finding["start"], finding["end"]) == (10, 21)


def test_bad_lines_are_named_and_the_rest_is_answered(judge: Classifier):
    """Each line that cannot be read is reported by number; the others are answered."""
    rows = [b"nope", {"id": 1, "text": "hi"}, b"[1]", {"id": 2}, {"messages": [3]}, b"  "]
    bad, answers, errors = run(judge, *rows)

    assert bad == 4
    assert [answer["id"] for answer in answers] == [1]
    assert [error["line"] for error in errors] == [1, 3, 4, 5]
    assert all(error["error"] for error in errors)


def test_no_text_is_repeated(judge: Classifier):
    """Neither answers nor errors hold what was judged."""
    secret = "zebra-4111111111111111"
    _, answers, errors = run(judge, {"text": secret}, f"broken {secret}".encode())

    assert secret not in json.dumps(answers) + json.dumps(errors)


def test_the_policys_levels_are_used(judge: Classifier):
    """Rules from a policy change what a finding means."""
    rules = SensitivityRules(levels={"email": Sensitivity.RESTRICTED})
    _, (answer,), _ = run(judge, {"text": "write to jane@halvorsen.com"}, rules=rules)

    assert answer["sensitivity"] == "restricted"


def test_a_calibrated_model_judges(tmp_path: Path):
    """A saved model is taken by option or by setting, and a missing one is told."""
    shipped = load_shipped()
    sure = structs.replace(shipped, slope=0.0, offset=4.0)
    save_model(tmp_path, "sure", sure)
    settings = load_settings({"FAIRLEAD_HOME": str(tmp_path), "FAIRLEAD_DIFFICULTY_MODEL": "sure"})
    bare = load_settings({"FAIRLEAD_HOME": str(tmp_path)})
    prompt = "Tell me about the weather by the sea in the summer months of last year. " * 3
    judge = load_classifier(difficulty=named_model("sure", bare))

    assert named_model("", settings) == sure
    assert named_model("", bare) is None
    _, (answer,), _ = run(judge, {"id": 1, "text": prompt})
    assert answer["difficulty"] > 0.95
    assert 0 < answer["difficulty_reliability"] <= 1
    with pytest.raises(DifficultyModelError, match="there is no difficulty model"):
        named_model("other", bare)


def test_tokens_are_counted_where_the_vocabularies_are(
    judge: Classifier, vocabularies: dict[str, Vocabulary]
):
    """Exactly with a public one, calibrated without, estimated where nothing is there."""
    text = "Ein Satz über Zähne. " * 20
    lines = [json.dumps({"text": text}).encode()]
    told = {}
    for counter in (
        Counter("o200k_base", vocabularies),
        Counter("cl100k_base", vocabularies),
        Counter("claude", vocabularies),
        Counter("o200k_base", {}),
    ):
        answers = io.StringIO()
        classify_lines(lines, answers, io.StringIO(), judge, SensitivityRules(), counter)
        answer = json.loads(answers.getvalue())
        names = ("input_tokens", "input_tokens_calibrated", "input_tokens_at_most")
        told[answer["tokenizer"]] = tuple(answer[name] for name in names)

    for name in ("o200k_base", "cl100k_base"):
        assert told[name] == (vocabularies[name].count(text),) * 3
    likely, calibrated, most = told["claude"]
    assert told["cl100k_base"][0] < likely < calibrated < most == len(text.encode())
    assert told[""][2] == len(text.encode())


def test_a_tokenizer_that_nobody_knows_is_wrong_usage():
    with pytest.raises(typer.BadParameter, match="o200k_base"):
        open_counter("gpt2")
