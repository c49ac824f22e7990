"""What must be known of a model file before the native library may open it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from adapters.ctransformers.gguf_metadata import GgufError, GgufFile, read_gguf

#: GGUF architectures that ctransformers 0.2.27 can build.
GGUF_ARCHITECTURES = frozenset({"llama", "falcon"})
#: Model types of the older GGML files, which carry no metadata.
LEGACY_TYPES = frozenset(
    {"dolly-v2", "falcon", "gpt2", "gpt_bigcode", "gpt_neox", "gptj", "llama", "mpt", "replit"}
    | {"starcoder"}
)
#: First four bytes of GGML, GGMF and GGJT files, as little-endian files hold them.
_LEGACY_MAGIC = frozenset({b"lmgg", b"fmgg", b"tjgg"})
#: Longest token of a vocabulary that is not known, in bytes.
_UNKNOWN_PIECE_BYTES = 256
_CONTROL_TYPES = frozenset({3, 4})
#: Tokens that end a turn in well-known chat formats, besides the model's own end token.
_TURN_ENDS = frozenset({"<|im_end|>", "<|eot_id|>", "<|end|>", "<end_of_turn>", "<|endoftext|>"})


class ModelFileError(ValueError):
    """The model file cannot be served; the message says why and what to do."""


class ModelFile(msgspec.Struct, frozen=True, kw_only=True):
    """A checked model file.

    `context_tokens` is the model's own limit, 0 where the file does not say. `control` maps the
    text of each control token to its id; `bos` and `eos` are those tokens' texts, empty where
    unknown; `turn_ends` are ids that end an answer; `longest_piece` is the most bytes that one
    token stands for, so N bytes are at least N / longest_piece tokens.
    """

    path: Path
    model_type: str
    context_tokens: int = 0
    chat_template: str = ""
    control: tuple[tuple[str, int], ...] = ()
    bos: str = ""
    eos: str = ""
    turn_ends: frozenset[int] = frozenset()
    longest_piece: int = _UNKNOWN_PIECE_BYTES


def inspect_model_file(path: Path, model_type: str = "") -> ModelFile:
    """Check a model file and read what it says about itself.

    Args:
        path: a GGUF file, or an older GGML file when `model_type` is given.
        model_type: the architecture, needed for GGML files only.

    Raises:
        ModelFileError: the file is missing, damaged or of a kind that cannot be loaded.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise ModelFileError(f"cannot read model_path {path}: {error.strerror or error}") from None
    if magic in _LEGACY_MAGIC:
        return _legacy(path, model_type)
    try:
        gguf = read_gguf(path)
    except GgufError as error:
        raise ModelFileError(str(error)) from None
    return _described(path, gguf)


def _legacy(path: Path, model_type: str) -> ModelFile:
    if model_type not in LEGACY_TYPES:
        known = ", ".join(sorted(LEGACY_TYPES))
        raise ModelFileError(
            f"{path.name} is an older GGML file, which does not name its architecture; "
            f"set model_type to one of: {known}"
        )
    return ModelFile(path=path, model_type=model_type)


def _described(path: Path, gguf: GgufFile) -> ModelFile:
    architecture = gguf.text("general.architecture")
    if architecture not in GGUF_ARCHITECTURES:
        known = " and ".join(sorted(GGUF_ARCHITECTURES))
        raise ModelFileError(
            f"{path.name} has architecture '{architecture}'; ctransformers loads {known}. "
            "Serve this model with vLLM, Ollama or llama.cpp through adapter openai_compatible"
        )
    tokenizer = gguf.text("tokenizer.ggml.model")
    if (architecture, tokenizer) not in {("llama", "llama"), ("falcon", "gpt2")}:
        raise ModelFileError(
            f"{path.name} has a '{tokenizer}' tokenizer for '{architecture}' (Llama 3 and newer), "
            "which ctransformers would read wrongly. Serve it through adapter openai_compatible"
        )
    pieces = [str(piece) for piece in gguf.entries("tokenizer.ggml.tokens")]
    if not pieces:
        raise ModelFileError(f"{path.name} holds no vocabulary")
    kinds = gguf.entries("tokenizer.ggml.token_type")
    control = {
        piece: number
        for number, piece in enumerate(pieces)
        if number < len(kinds) and kinds[number] in _CONTROL_TYPES and len(piece.strip()) > 2
    }
    bos = gguf.number("tokenizer.ggml.bos_token_id", -1)
    eos = gguf.number("tokenizer.ggml.eos_token_id", -1)
    for number in (bos, eos):
        if 0 <= number < len(pieces):
            control.setdefault(pieces[number], number)
    return ModelFile(
        path=path,
        model_type=architecture,
        context_tokens=gguf.number(f"{architecture}.context_length"),
        chat_template=gguf.text("tokenizer.chat_template"),
        control=tuple(control.items()),
        bos=pieces[bos] if 0 <= bos < len(pieces) else "",
        eos=pieces[eos] if 0 <= eos < len(pieces) else "",
        turn_ends=frozenset(number for text, number in control.items() if text in _TURN_ENDS),
        longest_piece=max(len(piece.encode()) for piece in pieces),
    )
