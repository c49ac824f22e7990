"""How hard a request is, and what it asks for."""

from __future__ import annotations

import pytest

from gateway.classify.classifier import Classifier
from gateway.classify.cues import TASKS
from gateway.core.findings import SensitivityRules

EASY = [
    "hello",
    "translate cat to French",
    "What is the capital of France?",
    "Who wrote Hamlet?",
    "Fix the grammar: he go to school",
    "thanks, that helped!",
    "Summarise this in one sentence: the meeting moved to Friday.",
    "List three primary colours",
]
HARD = [
    "Prove that there are infinitely many primes congruent to 3 mod 4.",
    "Find all positive integers n such that n^2+1 divides n^3+1. Prove your answer.",
    "My Go service deadlocks under load; explain the race condition between the two mutexes.",
    "Analyse the trade-offs between event sourcing and CRUD for a bank ledger, in depth, and "
    "recommend a strategy with justification.",
    "Show that every continuous function on a compact set is uniformly continuous.",
    "Why does this concurrent queue lose items? ```python\nclass Queue: ...\n``` Debug it.",
]
ASKED = {
    "translation": "Translate 'good morning' into Spanish",
    "summarisation": "Summarise the following article in two lines",
    "code": "Why does this python function return None? ```def f(): pass```",
    "maths": "Prove that the sum of two even numbers is even",
    "extraction": "Extract the contact details as JSON",
    "writing": "Write a haiku about the sea",
    "classification": "Classify the sentiment of this review",
    "question_answering": "Which river flows through Vienna?",
    "chat": "hello there",
}


@pytest.mark.parametrize("prompt", EASY)
def test_easy_requests_score_low(prompt: str, classifier: Classifier, rules: SensitivityRules):
    """Everyday requests are within reach of any baseline."""
    assert classifier.judge_text(prompt, rules).difficulty < 0.3


@pytest.mark.parametrize("prompt", HARD)
def test_hard_requests_score_high(prompt: str, classifier: Classifier, rules: SensitivityRules):
    """Proofs, competition maths, concurrency and long analyses need a strong model."""
    assert classifier.judge_text(prompt, rules).difficulty > 0.6


@pytest.mark.parametrize("task", ASKED)
def test_the_task_is_named(task: str, classifier: Classifier, rules: SensitivityRules):
    """The task is told by the words of the ask."""
    assert classifier.judge_text(ASKED[task], rules).task == task
    assert task in TASKS


def test_the_ask_may_stand_at_the_end(classifier: Classifier, rules: SensitivityRules):
    """Of a long prompt both ends are read."""
    prompt = "lorem ipsum dolor " * 2000 + "\nProve the theorem rigorously, by induction."

    assert classifier.judge_text(prompt, rules).difficulty > 0.6
