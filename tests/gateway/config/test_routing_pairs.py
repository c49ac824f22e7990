"""Reading logged pairs."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from gateway.classify.difficulty_calibration import Pair
from gateway.config.routing_pairs import BadPairs, pair_files, read_named_pairs, read_pairs

GOOD = {"prompt": "why?", "weak_score": 0, "strong_score": 0.5}


def written(path: Path, *rows: object) -> Path:
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_rows_are_read_in_their_order(tmp_path: Path) -> None:
    """Empty lines are skipped and other fields ignored; a data set may be named."""
    other = {**GOOD, "prompt": "how?", "dataset": "ours", "id": 7}
    path = written(tmp_path / "pairs.jsonl", GOOD, "", other)

    assert read_pairs(path) == [Pair("why?", 0.0, 0.5), Pair("how?", 0.0, 0.5)]
    assert [name for name, _ in read_named_pairs(path)] == ["pairs", "ours"]


def test_the_tools_of_a_request_are_kept(tmp_path: Path) -> None:
    """As its field of that name has them."""
    tools = [{"type": "function", "function": {"name": "sail", "parameters": {}}}]
    path = written(tmp_path / "pairs.jsonl", {**GOOD, "tools": tools}, {**GOOD, "tools": None})
    first, second = read_pairs(path)

    assert json.loads(first.tools) == tools
    assert second.tools == b""


def test_a_compressed_file_is_read_too(tmp_path: Path) -> None:
    """A file that ends in .gz is unpacked on the way."""
    path = tmp_path / "pairs.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(GOOD).encode()))

    assert read_pairs(path) == [Pair("why?", 0.0, 0.5)]
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(BadPairs, match="cannot be read"):
        read_pairs(path)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{", "line 2: "),
        ([1], "line 2: not a JSON object"),
        ({**GOOD, "prompt": ""}, 'line 2: "prompt" must be a text'),
        ({**GOOD, "prompt": 3}, 'line 2: "prompt" must be a text'),
        ({**GOOD, "weak_score": 1.01}, 'line 2: "weak_score" must be a number from 0 to 1'),
        ({**GOOD, "weak_score": True}, 'line 2: "weak_score" must be a number'),
        ({**GOOD, "strong_score": "1"}, 'line 2: "strong_score" must be a number'),
        ({"prompt": "x", "weak_score": 1}, 'line 2: "strong_score" must be a number'),
        ({**GOOD, "tools": "sail"}, 'line 2: "tools" must be a list'),
    ],
)
def test_a_bad_row_is_told_with_its_line(tmp_path: Path, row: object, said: str) -> None:
    """Which line is wrong and what was expected is said, without the prompt itself."""
    path = written(tmp_path / "pairs.jsonl", GOOD, row)

    with pytest.raises(BadPairs) as told:
        read_pairs(path)
    assert said in str(told.value)
    assert "why?" not in str(told.value)


def test_many_bad_rows_are_counted(tmp_path: Path) -> None:
    """The first five mistakes are listed, the rest counted."""
    path = written(tmp_path / "pairs.jsonl", *["[]"] * 8)

    with pytest.raises(BadPairs, match=r"line 5: .*and 3 more"):
        read_pairs(path)


def test_files_without_rows_are_told(tmp_path: Path) -> None:
    """An empty file, no file and a folder without pairs are each an error in words."""
    with pytest.raises(BadPairs, match="has no rows"):
        read_pairs(written(tmp_path / "pairs.jsonl", ""))
    with pytest.raises(BadPairs, match="cannot be read"):
        read_pairs(tmp_path / "absent.jsonl")
    with pytest.raises(BadPairs, match=r"no \.jsonl"):
        pair_files(tmp_path / "absent")
    assert pair_files(tmp_path) == [tmp_path / "pairs.jsonl"]
