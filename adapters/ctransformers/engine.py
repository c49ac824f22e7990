"""Serves calls with one loaded model: prompt, context check, answers.

`prepare` is quick and runs in the server's thread; `serve` runs in the model thread, one call at
a time, because the native library keeps one context.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from adapters.ctransformers.chat_call import CallRefused, ChatCall
from adapters.ctransformers.events import (
    AnswerEnded,
    CallFailed,
    CallServed,
    Event,
    TextAdded,
)
from adapters.ctransformers.generation import Progress, Run, answer
from adapters.ctransformers.guided import Vocabulary, answer_json
from adapters.ctransformers.json_prefix import Grammar
from adapters.ctransformers.model_file import ModelFile
from adapters.ctransformers.native import NativeError, NativeModel
from adapters.ctransformers.tool_calls import (
    ForcedTool,
    Writing,
    call_tool,
    forced_tools,
    grammar_of,
    with_instruction,
)
from gateway.wire.chat_template import ChatTemplate, Piece, TemplateFailed

_FORMAT = "response_format.json_schema.schema"


class Prompt(msgspec.Struct, frozen=True):
    """A rendered conversation, not yet in tokens, and what the answer must look like.

    `document` is the shape of a JSON answer; `tools` are the functions of which one must be
    called, with the shapes of their arguments. Both empty: free text.
    """

    pieces: tuple[Piece, ...]
    document: Grammar | None = None
    tools: tuple[ForcedTool, ...] = ()


class Engine:
    """One model and its chat template."""

    def __init__(self, file: ModelFile, template: ChatTemplate, model: NativeModel) -> None:
        self._file = file
        self._template = template
        self._model = model
        self._known_vocabulary: Vocabulary | None = None
        self.progress = Progress()
        self.context_tokens = model.context_tokens

    def prepare(self, call: ChatCall) -> Prompt:
        """Render the conversation.

        Raises:
            CallRefused: the template refuses it, or it is so long that it cannot fit.
        """
        self._refuse_hopeless(call.size())
        tools = forced_tools(call.forced)
        document = None if tools or call.schema is None else grammar_of(call.schema, _FORMAT)
        messages = call.messages
        if tools and not self._template.knows_tools:
            messages = with_instruction(messages, call.tools)
        try:
            pieces = self._template.render(messages, call.tools)
        except TemplateFailed as error:
            raise CallRefused(f"{error}.".replace("..", "."), param="messages") from None
        self._refuse_hopeless(sum(len(piece) for piece in pieces if isinstance(piece, str)))
        return Prompt(pieces, document, tools)

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
                completion += self._answer(run, call, prompt, choice, emit)
        except CallRefused as error:
            emit(CallFailed(error))
        except NativeError:
            emit(CallFailed(CallRefused("The model failed.", code="model_failed", status=500)))
        else:
            self.progress.answers += 1
            emit(CallServed(len(tokens), completion))

    def _answer(
        self,
        run: Run,
        call: ChatCall,
        prompt: Prompt,
        choice: int,
        emit: Callable[[Event], None],
    ) -> int:
        budget = run.model.room
        if call.output_cap is not None:
            budget = min(budget, call.output_cap)
        if prompt.tools:
            writing = Writing(run, self._vocabulary(), call.sampling, choice)
            return call_tool(writing, prompt.tools, budget, emit)

        def show(text: str) -> None:
            emit(TextAdded(choice, text))

        if prompt.document is not None:
            finished = answer_json(
                run, self._vocabulary(), prompt.document, call.sampling, budget, choice, show
            )
        else:
            finished = answer(run, call.sampling, budget, call.stop, choice, show)
        emit(AnswerEnded(choice, finished.reason))
        return finished.tokens

    def _vocabulary(self) -> Vocabulary:
        # Made in the model thread when first needed: it asks the library for every token.
        if self._known_vocabulary is None:
            model = self._model
            tokens = range(model.vocabulary)
            ends = [token for token in tokens if model.ends(token)]
            self._known_vocabulary = Vocabulary([model.piece(token) for token in tokens], ends)
        return self._known_vocabulary

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
