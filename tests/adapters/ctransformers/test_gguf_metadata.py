"""GGUF files are read within bounds, and damaged ones are errors."""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.ctransformers.gguf_metadata import GgufError, read_gguf
from adapters.ctransformers.model_file import ModelFileError, inspect_model_file

Write = Callable[..., Path]


def test_fields_are_read(write_gguf: Write) -> None:
    """Scalars, texts and arrays have their values."""
    gguf = read_gguf(write_gguf(context=99, template="{{ x }}"))

    assert gguf.text("general.architecture") == "llama"
    assert gguf.number("llama.context_length") == 99
    assert gguf.text("tokenizer.chat_template") == "{{ x }}"
    assert gguf.entries("tokenizer.ggml.tokens")[:3] == ("<unk>", "<s>", "</s>")
    assert gguf.number("absent", 5) == 5


@given(cut=st.floats(0, 0.9999))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_file_cut_anywhere_is_an_error(write_gguf: Write, tmp_path: Path, cut: float) -> None:
    """Truncation is found before native code sees the file."""
    whole = write_gguf().read_bytes()
    broken = tmp_path / "cut.gguf"
    broken.write_bytes(whole[: int(len(whole) * cut)])

    with pytest.raises(GgufError):
        read_gguf(broken)


@given(at=st.integers(4, 6000), flipped=st.integers(1, 255))
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_flipped_byte_never_crashes_the_reader(
    write_gguf: Write, tmp_path: Path, at: int, flipped: int
) -> None:
    """A damaged header is read as something else or refused, in bounded time and memory."""
    body = bytearray(write_gguf().read_bytes())
    body[at] ^= flipped
    broken = tmp_path / "flipped.gguf"
    broken.write_bytes(body)

    with suppress(GgufError):
        assert read_gguf(broken).version in (2, 3)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ({"architecture": "qwen2"}, "architecture 'qwen2'"),
        ({"tokenizer": "gpt2"}, "tokenizer"),
        ({"version": 1}, "version 1"),
        ({"version": 4}, "version 4"),
    ],
)
def test_what_the_library_cannot_load_is_refused(
    write_gguf: Write, shape: dict[str, Any], message: str
) -> None:
    """Unsupported models are refused in words, with what to do instead."""
    with pytest.raises(ModelFileError, match=message):
        inspect_model_file(write_gguf(**shape))


def test_what_is_served_is_described(write_gguf: Write) -> None:
    """Context, control tokens and turn ends are known before the model is loaded."""
    file = inspect_model_file(write_gguf(context=123))

    assert (file.context_tokens, file.bos, file.eos) == (123, "<s>", "</s>")
    assert dict(file.control)["<|im_end|>"] in file.turn_ends
    assert file.longest_piece == len("<|im_start|>")


def test_an_older_file_needs_its_type_by_name(tmp_path: Path) -> None:
    """GGML files carry no metadata: model_type is asked for, then believed."""
    old = tmp_path / "old.bin"
    old.write_bytes(struct.pack("<I", 0x67676D6C) + bytes(100))

    with pytest.raises(ModelFileError, match="set model_type"):
        inspect_model_file(old)
    assert inspect_model_file(old, "gpt2").model_type == "gpt2"


def test_a_missing_file_or_a_directory_is_refused(tmp_path: Path) -> None:
    """The message names the path."""
    for path in (tmp_path, tmp_path / "none.gguf"):
        with pytest.raises(ModelFileError, match="cannot read model_path"):
            inspect_model_file(path)
