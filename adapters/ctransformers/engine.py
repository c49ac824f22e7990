"""Serves calls with one loaded model: prompt, context check, answers.

`prepare` is quick and runs in the server's thread; `serve` runs in the model thread, one call at
a time, because the native library keeps one context.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from adapters.ctransformers.chat_call import CallRefused, ChatCall
from adapters.ctransformers.chat_template import ChatTemplate, Piece, TemplateFailed
from adapters.ctransformers.events import (
    AnswerEnded,
    CallFailed,
    CallServed,
    Event,
    TextAdded,
)
from adapters.ctransformers.generation import Progress, Run, answer
from adapters.ctransformers.model_file import ModelFile
from adapters.ctransformers.native import NativeError, NativeModel


class Prompt(msgspec.Struct, frozen=True):
    """A rendered conversation, not yet in tokens."""

    pieces: tuple[Piece, ...]


class Engine:
    """One model and its chat template."""

    def __init__(self, file: ModelFile, template: ChatTemplate, model: NativeModel) -> None:
        self._file = file
        self._template = template
        self._model = model
        self.progress = Progress()
        self.context_tokens = model.context_tokens

    def prepare(self, call: ChatCall) -> Prompt:
        """Render the conversation.

        Raises:
            CallRefused: the template refuses it, or it is so long that it cannot fit.
        """
        self._refuse_hopeless(call.size())
        try:
            pieces = self._template.render(call.messages, call.tools)
        except TemplateFailed as error:
            raise CallRefused(f"{error}.".replace("..", "."), param="messages") from None
        self._refuse_hopeless(sum(len(piece) for piece in pieces if isinstance(piece, str)))
        return Prompt(pieces)

    def serve(
        self,
        call: ChatCall,
        prompt: Prompt,
        cancelled: Callable[[], bool],
        emit: Callable[[Event], None],
    ) -> None:
        """Answer the call; every outcome but cancellation is emitted as an event.

        Raises:
            Cancelled: nobody listens any more.
        """
        run = Run(model=self._model, progress=self.progress, cancelled=cancelled)
        try:
            run.check()
            tokens = self._tokens(prompt.pieces)
            self._refuse_overlong(len(tokens))
            completion = 0
            for choice in range(call.choices):
                run.read_prompt(tokens, again=choice > 0)
                completion += self._answer(run, call, choice, emit)
        except CallRefused as error:
            emit(CallFailed(error))
        except NativeError:
            emit(CallFailed(CallRefused("The model failed.", code="model_failed", status=500)))
        else:
            self.progress.answers += 1
            emit(CallServed(len(tokens), completion))

    def _answer(self, run: Run, call: ChatCall, choice: int, emit: Callable[[Event], None]) -> int:
        budget = run.model.room
        if call.output_cap is not None:
            budget = min(budget, call.output_cap)

        def show(text: str) -> None:
            emit(TextAdded(choice, text))

        finished = answer(run, call.sampling, budget, call.stop, choice, show)
        emit(AnswerEnded(choice, finished.reason))
        return finished.tokens

    def _tokens(self, pieces: Sequence[Piece]) -> list[int]:
        tokens: list[int] = []
        if self._model.adds_bos and pieces[:1] != (self._model.bos,):
            tokens.append(self._model.bos)
        for piece in pieces:
            tokens += [piece] if isinstance(piece, int) else self._model.tokenize(piece)
        return tokens

    def _refuse_hopeless(self, size: int) -> None:
        # Tokenising megabytes only to refuse them would hold up everybody else.
        least = size // self._file.longest_piece
        if least >= self.context_tokens:
            raise self._overlong(f"at least {least}")

    def _refuse_overlong(self, tokens: int) -> None:
        if tokens >= self.context_tokens:
            raise self._overlong(str(tokens))

    def _overlong(self, tokens: str) -> CallRefused:
        return CallRefused(
            f"This model's maximum context length is {self.context_tokens} tokens, and the "
            f"messages came to {tokens} tokens. Shorten the messages.",
            param="messages",
            code="context_length_exceeded",
        )
