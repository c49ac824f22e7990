"""The vocabularies that set-up makes, and counting with them."""

from __future__ import annotations

import re
from pathlib import Path
from time import process_time

import pytest
import tiktoken
from hypothesis import event, given, settings
from hypothesis import strategies as st

from gateway.config.vocabularies import (
    SOURCES,
    TiktokenVocabulary,
    Vocabularies,
    load_vocabularies,
    main,
    make_vocabularies,
    missing_vocabularies,
)
from gateway.core.token_families import CL100K, O200K, Vocabulary


@pytest.fixture(scope="module")
def encodings(vocabulary_folder: Path) -> dict[str, tiktoken.Encoding]:
    """Those that tiktoken itself makes of our files, which are all of its cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIKTOKEN_CACHE_DIR", str(vocabulary_folder))
        return {name: tiktoken.get_encoding(name) for name in SOURCES}


#: What texts are made of that are hard to cut: runs, contractions, other scripts, marks, code.
PIECES = st.sampled_from(
    [
        *(" ", "  ", "\n", "\r\n", "\t", " \n ", "\u00a0", "\u3000", "\x1c", "\u200b"),
        *("word", "Word", "WORD", "camelCase", "don't", "'S", "\u2019s", "'ll", "x" * 40),
        *("1", "12345", "4111 1111", "٣٤", "½", "é", "e\u0301", "ß", "Ω", "Привет", "мир"),
        *("中文", "、", "。", "かな", "カナ", "한국어", "हिन्दी", "עברית", "ไทย", "😀", "👩‍👩‍👧"),
        *(
            "/",
            "//",
            "\n/",
            "+",
            "==",
            "QmFzZTY0",
            '{"a":',
            "()",
            "...",
            "#",
            "$",
            "_",
            "-",
            "\x00",
        ),
    ]
)
TEXTS = st.one_of(st.lists(PIECES, max_size=60).map("".join), st.text(max_size=200))
SHORT_WORDS = st.lists(st.text(max_size=5), max_size=60).map(" ".join)


def test_the_files_are_tiktokens_own(encodings: dict[str, tiktoken.Encoding]):
    """tiktoken accepts them by its checksums, and cuts texts as we do."""
    for name, encoding in encodings.items():
        assert encoding._pat_str == SOURCES[name].pattern


def test_the_second_run_makes_nothing(vocabulary_folder: Path):
    assert make_vocabularies(vocabulary_folder) == []
    assert main([str(vocabulary_folder)]) == 0


def test_a_broken_file_is_missing_and_made_again(vocabulary_folder: Path, tmp_path: Path):
    """It is never counted with, and never fetched."""
    make_vocabularies(tmp_path)
    broken = SOURCES[CL100K].file(tmp_path)
    broken.write_bytes(broken.read_bytes()[:-9])

    assert missing_vocabularies(tmp_path) == [CL100K]
    assert list(load_vocabularies(tmp_path)) == [O200K]
    assert make_vocabularies(tmp_path) == [CL100K]
    assert missing_vocabularies(tmp_path) == []


def test_what_is_not_there_is_not_counted_with(tmp_path: Path):
    vocabularies = Vocabularies(tmp_path)

    assert not vocabularies.has([O200K])
    assert vocabularies.get([O200K]) == {}
    assert vocabularies.has([O200K])


@settings(deadline=None, max_examples=300)
@given(text=TEXTS)
def test_counts_are_tiktokens(
    vocabularies: dict[str, Vocabulary], encodings: dict[str, tiktoken.Encoding], text: str
):
    for name, encoding in encodings.items():
        assert vocabularies[name].count(text) == len(encoding.encode_ordinary(text))


@settings(deadline=None, max_examples=300)
@given(text=TEXTS | SHORT_WORDS, piece=st.integers(1, 40))
def test_cutting_changes_no_count(encodings: dict[str, tiktoken.Encoding], text: str, piece: int):
    """A text of short words is cut without a change; where no place to cut is near, the count is
    no less."""
    for encoding in encodings.values():
        whole = len(encoding.encode_ordinary(text))
        cut = TiktokenVocabulary(encoding, piece, search=8).count(text)

        assert cut >= whole
        # Before a single space inside a line both may be cut; two characters tell that it is one.
        if all(len(run) <= 6 for run in re.split(r"(?<=\S)(?= \S)", text)):
            event("cut anywhere")
            assert cut == whole


@pytest.mark.parametrize("unit", ["x", " ", "\n", "^", "é", "中", "😀", "\u200b", "ab:", "word "])
def test_endless_runs_are_bounded(
    vocabularies: dict[str, Vocabulary], encodings: dict[str, tiktoken.Encoding], unit: str
):
    """Where tiktoken takes long, or fails, bytes are the bound; ordinary text stays exact."""
    short, endless = unit * 30_000, unit * 1_000_000
    for name, encoding in encodings.items():
        assert vocabularies[name].count(short) >= len(encoding.encode_ordinary(short))
        assert vocabularies[name].count(endless) <= len(endless.encode())
    if unit == "word ":
        assert vocabularies[O200K].count(short) == len(encodings[O200K].encode_ordinary(short))


def test_a_text_that_comes_again_is_remembered(encodings: dict[str, tiktoken.Encoding]):
    """Conversations bring their past with every turn."""
    counting = TiktokenVocabulary(encodings[O200K])
    text = "An earlier turn of this conversation. " * 500
    first = counting.count(text)
    began = process_time()
    again = [counting.count(str(text)) for _ in range(50)]
    taken = process_time() - began
    began = process_time()
    anew = [len(encodings[O200K].encode_ordinary(text)) for _ in range(50)]

    assert again == anew == [first] * 50
    assert taken < (process_time() - began) / 5
