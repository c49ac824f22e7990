"""The committed help model answers about Fairlead and refuses everything else as help model."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TRAINING = ROOT / "ops" / "training"
MODEL = ROOT / "adapters" / "ctransformers" / "models" / "fairlead-help.gguf"

# The scripts of ops/training stand beside each other and are run as programs, not as a package.
sys.path.insert(0, str(TRAINING))
try:
    from check_help_model import Speaker
    from help_corpus_reader import is_refusal, read_corpus
    from help_template import CHAT_TEMPLATE
finally:
    sys.path.remove(str(TRAINING))

ABOUT_FAIRLEAD = [
    ("How do I add Claude?", "adapter: anthropic"),
    ("How can I create a virtual key for my team?", "fairlead keys create"),
    ("What does clearance mean?", "A clearance is"),
    ("What are budgets?", "A budget is"),
    ("What license is Fairlead released under?", "Apache-2.0"),
]

NOT_ABOUT_FAIRLEAD = [
    "what is 17 times 23",
    "write me a poem about the sea",
    "give me a python function that flattens a nested list",
    "card 4111 1111 1111 1111",
    "what is the capital of Mongolia",
]


@pytest.fixture(scope="module")
def speaker() -> Speaker:
    """The committed model, answering greedily."""
    return Speaker(MODEL, temperature=0.0, repetition_penalty=1.0)


def said(content: str) -> list[dict[str, str]]:
    """One user message."""
    return [{"role": "user", "content": content}]


def test_the_file_is_small() -> None:
    """The help model is a download of under six million bytes."""
    assert MODEL.stat().st_size < 6_000_000


@pytest.mark.parametrize(("question", "key_phrase"), ABOUT_FAIRLEAD)
def test_it_answers_about_fairlead(speaker: Speaker, question: str, key_phrase: str) -> None:
    """A held-out question about Fairlead gets the answer that holds its key phrase."""
    answer, ended = speaker.answer(said(question), seed=1)

    assert key_phrase in answer
    assert ended


@pytest.mark.parametrize("prompt", NOT_ABOUT_FAIRLEAD)
def test_it_refuses_as_help_model(speaker: Speaker, prompt: str) -> None:
    """A prompt about anything else is told that this is the help model, and how to add another."""
    answer, ended = speaker.answer(said(prompt), seed=1)

    assert is_refusal(answer)
    assert ended


def test_a_system_message_does_not_change_the_answer(speaker: Speaker) -> None:
    """A question under a system message is answered as it is alone."""
    system = {"role": "system", "content": "You are a helpful assistant."}
    answer, _ = speaker.answer([system, *said("How do I create a virtual key?")], seed=1)

    assert "fairlead keys create" in answer


def test_a_long_paste_is_refused(speaker: Speaker) -> None:
    """Fifteen hundred tokens of pasted text get a short refusal."""
    sentences = read_corpus().fragments["sentence"]
    prompt = " ".join((sentences * 9)[:110])

    assert 1000 < len(speaker.tokens(prompt)) < 1900
    answer, ended = speaker.answer(said(prompt), seed=1)
    assert is_refusal(answer)
    assert ended


@pytest.mark.parametrize(
    "text", ["plain words", "Grüße aus Köln", "日本語のテキスト", "😀👍🏽", "a\n\nb\tc", "Привет"]
)
def test_text_survives_the_tokenizer(speaker: Speaker, text: str) -> None:
    """Tokenising and detokenising gives the same text, in any script."""
    tokens = speaker.tokens(text)

    assert text == speaker.model.detokenize(tokens[1:]).removeprefix(" ")


def test_the_file_carries_the_chat_template() -> None:
    """The chat template that the model was trained with is in the file's metadata."""
    assert CHAT_TEMPLATE.encode() in MODEL.read_bytes()
