"""`fairlead routing`, from pairs to a model that classifies."""

from __future__ import annotations

import json
import random
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image, ImageColor
from typer.testing import CliRunner

from gateway.classify.difficulty import load_shipped
from gateway.cli.routing import app
from gateway.config.difficulty_models import load_model, save_model
from gateway.reports.routing_chart import COLOURS

SUBJECTS = "river engine ledger violin harbour recipe glacier ticket garden router".split()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FAIRLEAD_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("FAIRLEAD_DIFFICULTY_MODEL", raising=False)
    return tmp_path / "home"


def pairs(path: Path, rows: int, turned: int = 0, dataset: str = "") -> Path:
    """Rows in which one word tells failure; in the last `turned` of them it is the other word."""
    chance = random.Random(4)
    lines = []
    for number in range(rows):
        hard = chance.random() < 0.5
        word = "tarantine" if hard != (number >= rows - turned) else "plimsolls"
        subject, other = chance.sample(SUBJECTS, 2)
        row = {
            "prompt": f"Please {word} the {subject} beside the {other}",
            "weak_score": int(chance.random() < (0.1 if hard else 0.9)),
            "strong_score": int(chance.random() < 0.95),
        }
        lines.append(json.dumps(row | {"dataset": dataset} if dataset else row))
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def run(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_calibrate_evaluate_and_list(home: Path, tmp_path: Path):
    """A model is learned, saved, listed and then measured on pairs it has not seen."""
    learned = run("calibrate", pairs(tmp_path / "old.jsonl", 240), "--save", "ours", "--json")
    told = json.loads(learned.stdout)
    listed = json.loads(run("list", "--json").stdout)
    fresh = pairs(tmp_path / "new.jsonl", 90)
    curve = tmp_path / "curve.html"
    measured = run("evaluate", fresh, "--difficulty-model", "ours", "--curve", curve, "--json")

    assert learned.exit_code == 0
    assert (told["saved"], told["adopted"], told["rows"]) == ("ours", True, 240)
    assert told["apgr_newest"] > told["apgr_newest_cold_start"]
    assert load_model(home, "ours").evidence == 240
    assert listed == {"models": [{"name": "ours", "in_use": False, "rows": 240}]}
    scores = json.loads(measured.stdout)["scores"]
    assert scores["ours"]["apgr"] > 0.65 > scores["length"]["apgr"]
    assert "<svg" in curve.read_text()


def test_what_is_worse_is_not_kept(home: Path, tmp_path: Path):
    """A model that is worse on the newest fifth leaves no file, unless it is forced."""
    file = pairs(tmp_path / "pairs.jsonl", 300, turned=60)
    refused = run("calibrate", file, "--save", "ours")

    assert refused.exit_code == 1
    assert "Not saved" in refused.stdout
    assert not (home / "difficulty").exists()
    assert run("calibrate", file, "--save", "ours", "--force").exit_code == 0
    assert load_model(home, "ours").evidence == 300


def test_bad_input_is_told_before_anything_is_learned(home: Path, tmp_path: Path):
    """Names, rows and files that will not do end in status 2 and one sentence."""
    good = pairs(tmp_path / "pairs.jsonl", 60)
    bad = tmp_path / "bad.jsonl"
    bad.write_text(good.read_text() + '\n{"prompt": "secret words", "weak_score": 2}\n')
    for call, said in (
        (("calibrate", good, "--save", "../up"), "cannot name a difficulty model"),
        (("calibrate", bad, "--save", "ours"), 'line 61: "weak_score" must be a number'),
        (("calibrate", tmp_path / "absent", "--save", "ours"), "cannot be read"),
        (("evaluate", good, "--difficulty-model", "nope"), "there is no difficulty model 'nope'"),
        (("evaluate", good, "--curve", "curve.gif"), "must end in .html, .svg or .png"),
        (("bench", "--data", tmp_path / "absent"), "there is no .jsonl"),
    ):
        answer = run(*call)
        assert answer.exit_code == 2, call
        assert said in answer.stderr
        assert "secret words" not in answer.stderr
    assert not home.exists()


def test_too_few_rows_are_no_model(home: Path, tmp_path: Path):
    """With a handful of rows nothing is saved, and the number needed is told."""
    answer = run("calibrate", pairs(tmp_path / "few.jsonl", 20), "--save", "ours")

    assert answer.exit_code == 1
    assert "at least 50 are needed" in answer.stderr
    assert not home.exists()


def test_a_damaged_model_is_listed_as_such(home: Path, tmp_path: Path):
    """A saved file that was changed is named in the list and refused by evaluate."""
    path = save_model(home, "ours", load_shipped())
    path.write_bytes(b"something else")

    (row,) = json.loads(run("list", "--json").stdout)["models"]
    answer = run("evaluate", pairs(tmp_path / "p.jsonl", 60), "--difficulty-model", "ours")

    assert "no difficulty model" in row["problem"]
    assert answer.exit_code == 2
    assert "make it again" in answer.stderr


def test_evaluate_draws_a_standalone_svg(home: Path, tmp_path: Path):
    """The curve is well-formed and has a line for each score, the oracle and chance."""
    curve = tmp_path / "curve.svg"
    answer = run("evaluate", pairs(tmp_path / "p.jsonl", 60), "--curve", curve)
    drawn = ElementTree.parse(curve).getroot()

    assert answer.exit_code == 0
    assert "APGR" in answer.stdout
    strokes = drawn.findall("{http://www.w3.org/2000/svg}polyline")
    assert len([one for one in strokes if one.get("stroke-width") == "2"]) == 4


def test_a_curve_is_a_png_that_opens_elsewhere(home: Path, tmp_path: Path):
    """With its title inside, and lines in the colours of the scores."""
    curve = tmp_path / "curve.png"
    answer = run("evaluate", pairs(tmp_path / "p.jsonl", 60), "--curve", curve)
    with Image.open(curve) as picture:
        colours = {colour for _, colour in picture.getcolors(1 << 20)}

    assert answer.exit_code == 0
    assert (picture.format, picture.size) == ("PNG", (1440, 960))
    assert picture.info["Title"] == "Routing on p.jsonl"
    assert {ImageColor.getrgb(colour) for colour in COLOURS[:4]} <= colours


def test_bench_draws_every_set(home: Path, tmp_path: Path):
    """A page and a picture each; a name that would lead out of the folder does not."""
    pairs(tmp_path / "one.jsonl", 80, dataset="../two")
    answer = run("bench", "--data", tmp_path / "one.jsonl", "--curves", tmp_path / "drawn")

    assert answer.exit_code == 0, answer.output
    assert "both answers known" in answer.stdout
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == [
        "___two.html",
        "___two.png",
    ]


def test_bench_compares_scores_by_data_set(home: Path, tmp_path: Path):
    """Every set of a folder is measured by length, the shipped model and local evidence."""
    pairs(tmp_path / "one.jsonl", 80)
    pairs(tmp_path / "two.jsonl", 80)
    figures = json.loads(run("bench", "--data", tmp_path, "--json").stdout)
    table = run("bench", "--data", tmp_path / "one.jsonl")

    assert set(figures) == {"one", "two"}
    assert set(figures["one"]) == {"length", "shipped", "local evidence"}
    assert figures["one"]["local evidence"]["apgr"] > 0.6
    assert "chance" in table.stdout
