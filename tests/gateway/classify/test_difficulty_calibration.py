"""Learning difficulty from logged pairs."""

from __future__ import annotations

import random

import msgspec
import pytest

from gateway.classify.cues import CueReader, load_cues
from gateway.classify.difficulty import (
    BadModel,
    DifficultyModel,
    load_shipped,
    pack_model,
    unpack_model,
)
from gateway.classify.difficulty_calibration import (
    Pair,
    TooFewRows,
    apgr,
    calibrate,
    judged,
    learn_from,
    local_share,
)
from gateway.classify.difficulty_features import MARKS
from gateway.classify.difficulty_fitting import LEAST_ROWS
from gateway.classify.difficulty_trees import Trees

SUBJECTS = "river engine ledger violin harbour recipe glacier ticket garden router".split()


def made(rows: int, *, turned: bool = False, seed: int = 1) -> list[Pair]:
    """Pairs whose weak model fails at 'tarantine', not at 'plimsolls'; `turned`: the reverse."""
    chance = random.Random(seed)
    pairs = []
    for _ in range(rows):
        hard = chance.random() < 0.5
        word = "tarantine" if hard != turned else "plimsolls"
        subject, other = chance.sample(SUBJECTS, 2)
        weak = float(chance.random() < (0.1 if hard else 0.9))
        strong = float(chance.random() < 0.95)
        pairs.append(Pair(f"Please {word} the {subject} beside the {other}", weak, strong))
    return pairs


@pytest.fixture(scope="module")
def cues() -> CueReader:
    return load_cues()


@pytest.fixture(scope="module")
def shipped() -> DifficultyModel:
    return load_shipped()


def test_local_words_are_learned(cues: CueReader, shipped: DifficultyModel) -> None:
    """Words that public data knows nothing about decide after calibration, with right odds."""
    done = calibrate(made(800), cues, shipped)
    hard, easy = judged(
        done.model,
        [Pair("Please tarantine the violin", 0, 0), Pair("Please plimsolls the violin", 0, 0)],
        cues,
    )

    assert done.better
    assert done.newest_local is not None
    assert done.newest_cold is not None
    assert done.newest_local > done.newest_cold + 0.1
    assert hard.difficulty > 0.7
    assert easy.difficulty < 0.3
    assert done.error < 0.05


def test_what_no_longer_holds_is_not_adopted(cues: CueReader, shipped: DifficultyModel) -> None:
    """When the newest rows contradict the older ones, the model is worse than the cold start."""
    done = calibrate(made(400) + made(100, turned=True, seed=2), cues, shipped)

    assert done.newest_local is not None
    assert done.newest_cold is not None
    assert done.newest_local < done.newest_cold
    assert not done.better


def test_what_the_cold_start_learned_from_does_not_speak_for_it(
    cues: CueReader, shipped: DifficultyModel
) -> None:
    """It is judged on such rows by its hand rule, and it is told how many there are."""
    rows = made(200)
    knows_all = msgspec.structs.replace(shipped, learned=b"\xff" * (MARKS // 8))
    ruled = learn_from(rows[-40:], cues)
    done = calibrate(rows, cues, knows_all)

    assert done.learned == 40
    assert done.newest_cold == apgr(ruled.rule, ruled)
    assert calibrate(rows, cues, shipped).learned <= 4


def test_the_hand_rule_counts_where_it_is_right(cues: CueReader, shipped: DifficultyModel) -> None:
    """Long prompts fail here, whatever their words are; and the saved model says so too."""
    chance = random.Random(5)
    rows = []
    for _ in range(160):
        hard = chance.random() < 0.5
        words = [f"{chance.choice(SUBJECTS)}{chance.random()}" for _ in range(90 if hard else 30)]
        rows.append(Pair(", ".join(words), float(chance.random() < (0.3 if hard else 0.7)), 1.0))
    done = calibrate(rows, cues, shipped)
    without = msgspec.structs.replace(done.model, rule_share=0.0)
    ends = [min(rows, key=lambda row: len(row.prompt)), max(rows, key=lambda row: len(row.prompt))]
    (short, long), (short_without, long_without) = (
        judged(model, ends, cues) for model in (unpack_model(pack_model(done.model)), without)
    )

    assert done.model.rule_share > 0
    assert long.difficulty - short.difficulty > long_without.difficulty - short_without.difficulty


def words_or_length(rows: int, *, by_word: float, by_length: float, seed: int) -> list[Pair]:
    """Pairs whose weak model fails so much oftener at a word, and in long prompts."""
    chance = random.Random(seed)
    pairs = []
    for _ in range(rows):
        word, long = chance.random() < 0.5, chance.random() < 0.5
        words = ["tarantine" if word else "plimsolls"]
        words += [chance.choice(SUBJECTS) for _ in range(120 if long else 30)]
        failing = 0.5 + by_word * (word - 0.5) + by_length * (long - 0.5)
        pairs.append(Pair(" ".join(words), float(chance.random() > failing), 1.0))
    return pairs


def test_a_model_that_is_worse_is_tried_with_more_of_the_rule(
    cues: CueReader, shipped: DifficultyModel
) -> None:
    """The word that told most tells little now, and length, of which the rule knows, tells more."""
    older = words_or_length(240, by_word=0.8, by_length=0.0, seed=1)
    newest = words_or_length(60, by_word=0.3, by_length=0.6, seed=2)
    done = calibrate(older + newest, cues, shipped)

    assert calibrate(older, cues, shipped).model.rule_share == 0.0
    assert done.model.rule_share > 0.0
    assert done.better


def test_without_a_gap_nothing_can_be_adopted(cues: CueReader, shipped: DifficultyModel) -> None:
    """Where both models are as good, no curve can speak for a model."""
    rows = [Pair(pair.prompt, 1.0, 1.0) for pair in made(LEAST_ROWS)]
    done = calibrate(rows, cues, shipped)

    assert (done.newest_local, done.crossed) == (None, None)
    assert not done.better


def test_too_few_rows_are_refused(cues: CueReader, shipped: DifficultyModel) -> None:
    """A handful of rows says nothing, and the number needed is told."""
    with pytest.raises(TooFewRows, match=f"{LEAST_ROWS - 1} rows; at least {LEAST_ROWS}"):
        calibrate(made(LEAST_ROWS - 1), cues, shipped)


def test_the_same_rows_give_the_same_model(cues: CueReader, shipped: DifficultyModel) -> None:
    """Calibration has no chance in it: the saved bytes are equal."""
    one, other = (calibrate(made(120), cues, shipped).model for _ in range(2))

    assert pack_model(one) == pack_model(other)


def test_gain_counts_more_with_more_rows() -> None:
    """The share of gain in the score rises with local evidence, from none to all."""
    shares = [local_share(rows) for rows in (0, 50, 300, 5000)]

    assert shares == sorted(shares)
    assert shares[0] == 0.0
    assert 0.9 < shares[-1] < 1.0


def test_a_prompt_unlike_the_local_rows_is_told(cues: CueReader, shipped: DifficultyModel) -> None:
    """A prompt in words never seen has no reliability, and the hand rule judges it."""
    model = calibrate(made(120), cues, shipped).model
    alien, alike = judged(
        model,
        [Pair("докажите теорему о простых числах", 0, 0), Pair(made(1)[0].prompt, 0, 0)],
        cues,
    )

    assert alien.reliability == 0.0
    assert alike.reliability == 1.0


def with_tools(rows: int) -> list[Pair]:
    """Pairs whose weak model fails where a tool wants a text, and manages a number."""
    chance = random.Random(3)
    pairs = []
    for _ in range(rows):
        hard = chance.random() < 0.5
        weak = float(chance.random() < (0.1 if hard else 0.9))
        pairs.append(
            Pair("Please do it for me", weak, 1.0, tool_for("string" if hard else "integer"))
        )
    return pairs


def tool_for(kind: str) -> bytes:
    """The tools of a request, one with a single parameter of this kind."""
    schema = {"type": "object", "properties": {"what": {"type": kind}}, "required": ["what"]}
    return msgspec.json.encode([{"name": "do", "input_schema": schema}])


def test_what_tools_want_is_learned(cues: CueReader, shipped: DifficultyModel) -> None:
    """The words are the same in all prompts, so only the tools can tell which is hard."""
    done = calibrate(with_tools(200) + made(200), cues, shipped)
    model = unpack_model(pack_model(done.model))
    hard, easy = judged(
        model,
        [Pair("Please do it for me", 0, 0, tool_for(kind)) for kind in ("string", "integer")],
        cues,
    )

    assert hard.difficulty > 0.6
    assert easy.difficulty < 0.4


def test_a_few_prompts_with_tools_are_judged_as_the_others(
    cues: CueReader, shipped: DifficultyModel
) -> None:
    """They say nothing by themselves."""
    done = calibrate(with_tools(LEAST_ROWS - 1) + made(100), cues, shipped)

    assert done.model.trees.features
    assert not done.model.tool_trees.features


def test_the_cold_start_judges_tools_by_what_they_want(
    cues: CueReader, shipped: DifficultyModel
) -> None:
    """And not by the length of the ask, which says nothing there."""
    ask = "Please find out for me what has to be done about the order of last week. " * 2
    told = judged(
        shipped,
        [Pair(ask, 0, 0, tool_for("string")), Pair(ask, 0, 0), Pair(ask, 0, 0, b"[{")],
        cues,
    )

    assert told[0] != told[1]
    assert told[1].difficulty == told[2].difficulty


def test_trees_over_other_tools_are_refused(shipped: DifficultyModel) -> None:
    """Features of tools that this version does not have."""
    for change in ({"tool_features": ("length",)}, {"tool_trees": Trees((99,) * 3, (0.0,) * 3)}):
        with pytest.raises(BadModel, match="calibrate it anew"):
            unpack_model(pack_model(msgspec.structs.replace(shipped, **change)))


def test_a_model_survives_its_file(shipped: DifficultyModel) -> None:
    """What is packed is unpacked the same."""
    assert unpack_model(pack_model(shipped)) == shipped


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda raw: raw[:-40], "damaged"),
        (lambda raw: raw[:-1] + bytes([raw[-1] ^ 1]), "damaged"),
        (lambda raw: b"", "no difficulty model"),
        (lambda raw: b"PK\x03\x04" + raw, "no difficulty model"),
    ],
)
def test_a_damaged_file_is_refused(shipped: DifficultyModel, change, said: str) -> None:
    """A file that was cut or changed is told from a model."""
    with pytest.raises(BadModel, match=said):
        unpack_model(change(pack_model(shipped)))


def test_a_model_of_an_earlier_version_is_refused(shipped: DifficultyModel) -> None:
    """A file of the version before cannot be read, and what to do is told."""
    earlier = pack_model(shipped).replace(b"fairlead-difficulty 2 ", b"fairlead-difficulty 1 ", 1)

    with pytest.raises(BadModel, match="calibrate it anew"):
        unpack_model(earlier)


def test_trees_of_features_that_are_not_there_are_refused(shipped: DifficultyModel) -> None:
    """A tree that asks for a feature beyond the last one would stop every request."""
    trees = Trees((0, 1, 10_000), (0.0,) * 3, (0.0,) * 8)

    with pytest.raises(BadModel, match="calibrate it anew"):
        unpack_model(pack_model(msgspec.structs.replace(shipped, trees=trees)))


def test_a_model_of_other_features_is_refused(shipped: DifficultyModel) -> None:
    """Weights that were fitted to other features would say nonsense."""
    other = msgspec.structs.replace(shipped, features=("length",))

    with pytest.raises(BadModel, match="calibrate it anew"):
        unpack_model(pack_model(other))
