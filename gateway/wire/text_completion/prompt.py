"""How a conversation becomes one text, and which texts end the model's turn in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from gateway.wire.chat_template import BUILT_IN, ChatTemplate, TemplateFailed

#: Tokens that the built-in formats write, where the option is not given: beginning and end.
_TOKENS: Mapping[str, tuple[str, str]] = MappingProxyType({"llama-2": ("<s>", "</s>")})
# Servers read these as control tokens wherever they stand in a prompt, whatever the template.
_GUARDED = (
    "<s>",
    "</s>",
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|eot_id|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<start_of_turn>",
    "<end_of_turn>",
    "[INST]",
    "[/INST]",
)
#: So that the caller has places left among the few that servers take.
_MOST_ENDS = 2
# Words that no template treats specially, to find what stands between two turns.
_ANSWER = "fairleadanswer"
_QUESTION = "fairleadquestion"


class PromptFormat:
    """A chat template for a server that takes text alone.

    `stops` are the texts that end the model's turn, most telling first.
    """

    def __init__(self, source: str, bos: str, eos: str) -> None:
        guarded = (*_GUARDED, *filter(None, (bos, eos)))
        self._template = ChatTemplate(source, {}, bos, eos, guarded=guarded)
        self._bos, self._eos = bos, eos
        self.stops = self._ends()

    def text(self, messages: Sequence[Mapping[str, Any]]) -> str:
        """The prompt, up to where the assistant's answer begins.

        Raises:
            TemplateFailed: the template refuses the conversation.
        """
        rendered = "".join(str(piece) for piece in self._template.render(messages))
        # The server writes the beginning of the text itself; twice confuses models.
        return rendered.removeprefix(self._bos) if self._bos else rendered

    def _ends(self) -> tuple[str, ...]:
        """What the template writes after an answer, up to the words of the next turn."""
        turns = [
            {"role": "user", "content": "question"},
            {"role": "assistant", "content": _ANSWER},
            {"role": "user", "content": _QUESTION},
        ]
        try:
            text = self.text(turns)
        except TemplateFailed:
            return ()
        _, answered, rest = text.partition(_ANSWER)
        between, asked, _ = rest.partition(_QUESTION)
        if not answered or not asked:
            return ()
        if between.lstrip(" ").startswith("\n"):
            # Nothing but a line break ends the answer, so the next turn's heading does.
            return ("\n" + between.strip(" ").lstrip(),) if between.strip() else ()
        for token in filter(None, (self._bos, self._eos)):
            between = between.replace(token, f"{token}\n")
        ends = [line.strip() for line in between.split("\n") if line.strip()]
        return tuple(end for end in dict.fromkeys(ends) if end != self._bos)[:_MOST_ENDS]


def make_format(template: str, bos: str, eos: str) -> PromptFormat:
    """The format of a built-in template's name, or of a template's source.

    Raises:
        TemplateFailed: the template cannot be read.
    """
    usual = _TOKENS.get(template, ("", ""))
    return PromptFormat(BUILT_IN.get(template, template), bos or usual[0], eos or usual[1])
