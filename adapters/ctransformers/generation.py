"""Makes one answer, token by token; runs in the worker's model thread.

Everything that came out goes to `emit` as it comes. Before every step the caller is asked whether
anybody still listens; so a cancelled call ends within one token, or one batch of its prompt.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec
import numpy as np

from adapters.ctransformers.native import PROMPT_BATCH, Logits
from adapters.ctransformers.sampling import Sampling, choose
from adapters.ctransformers.text_stream import TextStream

Emit = Callable[[str], None]


class Model(Protocol):
    """What a generation needs of a model; see `native.NativeModel`."""

    @property
    def room(self) -> int:
        """Tokens that can still be evaluated."""
        ...

    def tokenize(self, text: str) -> list[int]:
        """The tokens of a text."""
        ...

    def piece(self, token: int) -> bytes:
        """The bytes of a token."""
        ...

    def ends(self, token: int) -> bool:
        """Whether the token ends an answer."""
        ...

    def rewind(self, past: int) -> None:
        """Forget everything after the first `past` tokens."""
        ...

    def evaluate(self, tokens: Sequence[int]) -> None:
        """Add tokens to the context."""
        ...

    def logits(self) -> Logits:
        """The scores of the next token."""
        ...


class Cancelled(Exception):
    """Nobody waits for the answer any more."""


class Progress:
    """What a worker tells about its work; written by the model thread, read by the server."""

    def __init__(self) -> None:
        self.prompt_tokens = 0
        self.generated_tokens = 0
        self.answers = 0
        self.cancelled = 0


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """The surroundings of a generation."""

    model: Model
    progress: Progress
    cancelled: Callable[[], bool]

    def read_prompt(self, prompt: Sequence[int], *, again: bool = False) -> None:
        """Evaluate a prompt; `again` when it is the one that was read last.

        Raises:
            Cancelled: nobody listens any more.
        """
        # The scores of the last token must be computed anew, the rest is still in the context.
        known = len(prompt) - 1 if again else 0
        self.model.rewind(known)
        for begin in range(known, len(prompt), PROMPT_BATCH):
            self.check()
            batch = prompt[begin : begin + PROMPT_BATCH]
            self.model.evaluate(batch)
            self.progress.prompt_tokens += len(batch)

    def check(self) -> None:
        """Stop here when nobody listens.

        Raises:
            Cancelled: nobody listens any more.
        """
        if self.cancelled():
            self.progress.cancelled += 1
            raise Cancelled


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """How an answer ended; `tokens` counts what was generated, without the end token."""

    reason: str
    tokens: int


def answer(
    run: Run, sampling: Sampling, budget: int, stop: Sequence[str], choice: int, emit: Emit
) -> Finished:
    """Generate free text after the prompt that was read.

    Args:
        run: the model with the prompt in its context.
        sampling: how tokens are chosen.
        budget: most tokens of the answer; not more than the context has room for.
        stop: strings that end the answer and are not shown.
        choice: number of the answer, so that equal seeds give different choices.
        emit: takes text to show.

    Raises:
        Cancelled: nobody listens any more.
    """
    rng = source_of_chance(sampling, choice)
    text = TextStream(stop)
    answered: list[int] = []
    blank = True
    reason = "length"
    while len(answered) < budget:
        run.check()
        token = choose(run.model.logits(), answered, sampling, rng)
        if run.model.ends(token):
            reason = "stop"
            break
        answered.append(token)
        run.progress.generated_tokens += 1
        piece = run.model.piece(token)
        # Word-piece vocabularies put a space before the first word of a text.
        shown = text.feed(piece[1:] if blank and piece[:1] == b" " else piece)
        blank = blank and not piece
        if shown:
            emit(shown)
        if text.stopped:
            reason = "stop"
            break
        if len(answered) < budget:
            run.model.evaluate((token,))
    rest = text.finish()
    if rest:
        emit(rest)
    return Finished(reason="stop" if text.stopped else reason, tokens=len(answered))


def source_of_chance(sampling: Sampling, choice: int) -> np.random.Generator:
    """The random source of one answer: repeatable when the caller set a seed."""
    if sampling.seed is None:
        return np.random.default_rng()
    return np.random.default_rng((sampling.seed & (2**64 - 1), choice))
