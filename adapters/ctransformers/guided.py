"""Generates JSON that follows a schema: of all tokens only those that keep it valid are chosen.

The budget is watched too: a token is taken only when what it begins can still be completed, so
an answer ends as a whole document whenever the budget allows the smallest one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from adapters.ctransformers.generation import Emit, Finished, Run, source_of_chance
from adapters.ctransformers.json_prefix import Grammar, Prefix
from adapters.ctransformers.sampling import Sampling, ranked
from adapters.ctransformers.text_stream import TextStream


class Vocabulary:
    """The bytes of every token, for finding those that may come next."""

    def __init__(self, pieces: Sequence[bytes], ends: Sequence[int]) -> None:
        self._pieces = tuple(pieces)
        self._ends: npt.NDArray[np.intp] = np.array(ends, dtype=np.intp)
        first = [piece[0] if piece else -1 for piece in pieces]
        self._first: npt.NDArray[np.int16] = np.array(first, dtype=np.int16)

    def piece(self, token: int) -> bytes:
        """The bytes of a token."""
        return self._pieces[token]

    def following(self, prefix: Prefix) -> npt.NDArray[np.intp]:
        """The tokens that may come next as far as their first byte tells."""
        allowed = np.flatnonzero(np.isin(self._first, list(prefix.next_bytes())))
        return np.concatenate((allowed, self._ends)) if prefix.complete else allowed

    def ends(self, token: int) -> bool:
        """Whether the token ends an answer."""
        return bool(np.isin(token, self._ends))


class Guide:
    """Keeps one document's progress."""

    def __init__(self, vocabulary: Vocabulary, grammar: Grammar) -> None:
        self._vocabulary = vocabulary
        self._prefix = grammar.start()

    @property
    def complete(self) -> bool:
        """Whether what came so far is a whole document."""
        return self._prefix.complete

    @property
    def closed(self) -> bool:
        """Whether the document is complete and nothing may follow."""
        return self._prefix.complete and not self._prefix.next_bytes()

    def choose(
        self,
        scores: npt.NDArray[np.float32],
        answered: Sequence[int],
        sampling: Sampling,
        rng: np.random.Generator,
        left: int,
    ) -> int | None:
        """Take the next token with `left` tokens of budget; None at the end of the document."""
        among = self._vocabulary.following(self._prefix)
        # Every byte is a token of its own in these vocabularies, so bytes bound tokens.
        closable = len(self._prefix.closing()) <= left
        for token in ranked(scores, answered, sampling, rng, among):
            if self._vocabulary.ends(token):
                return None
            following = self._prefix.feed(self._vocabulary.piece(token))
            if following is None:
                continue
            if closable and len(following.closing()) > left - 1:
                continue
            self._prefix = following
            return token
        return None


def answer_json(
    run: Run,
    vocabulary: Vocabulary,
    grammar: Grammar,
    sampling: Sampling,
    budget: int,
    choice: int,
    emit: Emit,
) -> Finished:
    """Generate a document after what was read; like `generation.answer` otherwise.

    Raises:
        Cancelled: nobody listens any more.
    """
    rng = source_of_chance(sampling, choice)
    guide = Guide(vocabulary, grammar)
    text = TextStream()
    answered: list[int] = []
    while len(answered) < budget:
        run.check()
        left = budget - len(answered)
        token = guide.choose(run.model.logits(), answered, sampling, rng, left)
        if token is None:
            break
        answered.append(token)
        run.progress.generated_tokens += 1
        shown = text.feed(vocabulary.piece(token))
        if shown:
            emit(shown)
        if len(answered) < budget:
            run.model.evaluate((token,))
        if guide.closed:
            break
    rest = text.finish()
    if rest:
        emit(rest)
    # 'length' tells a client that the JSON is unusable; a whole document is not.
    reason = "stop" if guide.complete else "length"
    return Finished(reason=reason, tokens=len(answered))
