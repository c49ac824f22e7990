"""The one place that calls the native library; everything here runs in one thread at a time.

The library's own Python layer is not used for tokens: its buffer is one number per character,
and byte-fallback tokenizers write up to four (plus two), past its end. Passing the end of the
context corrupts memory too, so `evaluate` refuses before the call.
"""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from adapters.ctransformers.model_file import ModelFile

Logits = npt.NDArray[np.float32]

#: Prompt tokens per call into the library: large enough for speed, small enough that a
#: cancelled call ends soon.
PROMPT_BATCH = 16
#: More than one token per byte never occurs; the two are the begin token and the leading space.
_SPARE_TOKENS = 16


class NativeError(RuntimeError):
    """The library could not load the model or evaluate tokens."""


class NativeModel:
    """One loaded model with its context."""

    def __init__(self, file: ModelFile, context_tokens: int, threads: int, gpu_layers: int) -> None:
        # Imported here because it takes a third of a second that a supervisor need not spend.
        from ctransformers.llm import LLM, Config

        config = Config(context_length=context_tokens, gpu_layers=gpu_layers, threads=threads)
        kind = "gguf" if file.control or file.bos else file.model_type
        try:
            self._llm: Any = LLM(str(file.path), kind, config=config, lib=_library(gpu_layers))
        except (RuntimeError, OSError, ValueError) as error:
            raise NativeError(f"ctransformers could not load {file.path.name}: {error}") from None
        self._file = file
        self._threads = threads
        self._past = 0
        self.context_tokens = min(context_tokens, int(self._llm.context_length))
        self.vocabulary = int(self._llm.vocab_size)
        self.eos = int(self._llm.eos_token_id)
        self.bos = int(self._llm.bos_token_id)
        self.adds_bos = file.model_type == "llama"

    @property
    def room(self) -> int:
        """Tokens that can still be evaluated."""
        return self.context_tokens - self._past

    def tokenize(self, text: str) -> list[int]:
        """The tokens of a text, without a begin token; control texts in it stay plain text."""
        # The text crosses as a C string, which a NUL would end.
        encoded = text.replace("\0", "\ufffd").encode("utf-8", "replace")
        if not encoded:
            return []
        room = len(encoded) + _SPARE_TOKENS
        tokens = (ctypes.c_int * room)()
        count: int = self._llm.ctransformers_llm_tokenize(encoded, False, tokens)
        if not 0 <= count <= room:
            raise NativeError("the tokenizer failed")
        return tokens[:count]

    def piece(self, token: int) -> bytes:
        """The bytes that a token stands for; may be part of a character."""
        text: bytes = self._llm.ctransformers_llm_detokenize(token)
        return text

    def ends(self, token: int) -> bool:
        """Whether the token ends an answer."""
        return token == self.eos or token in self._file.turn_ends

    def rewind(self, past: int) -> None:
        """Forget everything after the first `past` tokens that were evaluated."""
        self._past = min(past, self._past)

    def evaluate(self, tokens: Sequence[int]) -> None:
        """Add tokens to the context and compute the logits of what follows.

        Raises:
            NativeError: they do not fit into the context, or the library failed.
        """
        count = len(tokens)
        if count > self.room:
            raise NativeError(f"{count} tokens do not fit into the {self.room} left")
        if any(not 0 <= token < self.vocabulary for token in tokens):
            raise NativeError("a token lies outside the vocabulary")
        array = (ctypes.c_int * count)(*tokens)
        done: bool = self._llm.ctransformers_llm_batch_eval(
            array, count, self._past, PROMPT_BATCH, self._threads
        )
        if not done:
            raise NativeError("the library failed to evaluate tokens")
        self._past += count

    def logits(self) -> Logits:
        """A copy of the scores of every token as the next one."""
        pointer = self._llm.ctransformers_llm_logits_data()
        scores: Logits = np.ctypeslib.as_array(pointer, shape=(self.vocabulary,))
        return scores.copy()


def _library(gpu_layers: int) -> str | None:
    """The library build for this processor; None lets ctransformers find out, which is slow."""
    flags = Path("/proc/cpuinfo")
    if gpu_layers or platform.machine() != "x86_64" or not flags.is_file():
        return None
    for line in flags.read_text().splitlines():
        if line.startswith("flags"):
            known = set(line.split())
            if "avx2" in known:
                return "avx2"
            return "avx" if {"avx", "f16c"} <= known else "basic"
    return None
