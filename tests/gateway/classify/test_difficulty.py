"""How hard a request is, and what it asks for."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.classify.classifier import Classifier
from gateway.classify.cues import TASKS
from gateway.classify.difficulty import Predictor, load_shipped
from gateway.classify.difficulty_features import HEAD, TAIL
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
    "What is Fairlead?",
    "Translate 'cat' to French",
    "Is card 4111 1111 1111 1111 still valid?",
    "2+2?",
]
HARD = [
    "Prove that there are infinitely many primes congruent to 3 mod 4.",
    "Find all positive integers n such that n^2+1 divides n^3+1. Prove your answer.",
    "My Go service deadlocks under load; explain the race condition between the two mutexes.",
    "Analyse the trade-offs between event sourcing and CRUD for a bank ledger, in depth, and "
    "recommend a strategy with justification.",
    "Show that every continuous function on a compact set is uniformly continuous.",
    "Solve this olympiad problem: find the remainder when 7^2024 is divided by 1000, and prove it.",
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


@pytest.fixture(scope="module")
def shipped() -> Predictor:
    return Predictor(load_shipped())


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=300) | st.text(alphabet="aB3 .\n\ud800é漢$\\", max_size=300))
def test_any_text_has_a_difficulty(shipped: Predictor, text: str):
    """Whatever the text, difficulty and reliability lie in 0..1 and are the same twice."""
    one = shipped.assess(text, len(text), ())

    assert 0.0 <= one.difficulty <= 1.0
    assert 0.0 <= one.reliability <= 1.0
    assert one == shipped.assess(text, len(text), ())


def test_more_of_the_same_is_not_easier(shipped: Predictor):
    """A plain prompt does not become easier by asking for the same at greater length."""
    short, long = (
        shipped.assess("Tell me about the river and its banks. " * times, 2_000, ()).difficulty
        for times in (1, 40)
    )

    assert long > short


def test_telling_cues_leave_nothing_to_what_was_learned(
    classifier: Classifier, rules: SensitivityRules
):
    """Where the cues decide, the reliability says that nothing was learned about such prompts."""
    told = classifier.judge_text(HARD[0], rules)
    ordinary = classifier.judge_text(
        "A shop sells pens at three dollars each and notebooks at five dollars each. Anna buys "
        "some of both and pays with two notes of twenty. What does she get back in the end?",
        rules,
    )

    assert told.reliability == 0.0
    assert ordinary.reliability > 0.5


EXAM = (
    "Prove by induction that the sum of the first n odd numbers is a square. Which step is "
    "needed?\nA. The sum for n is n squared\nB. The sum for n is n\nC. Every odd number is prime"
)


def test_lettered_options_are_judged_by_what_was_learned_of_them(
    classifier: Classifier, rules: SensitivityRules
):
    """A word that would decide elsewhere is what exams are made of; two lines are no options."""
    exam = classifier.judge_text(EXAM, rules)
    two_lines = classifier.judge_text(EXAM.rpartition("\n")[0], rules)

    assert exam.reliability > 0.5
    assert exam.difficulty < two_lines.difficulty
    assert two_lines.reliability == 0.0


def test_a_long_prompt_costs_as_much_as_its_ends(shipped: Predictor):
    """Beyond what is read of a prompt, more of it costs next to nothing."""
    read = "lorem ipsum dolor sit amet " * ((HEAD + TAIL) // 27)
    ten_times = read * 10

    assert _cost(lambda: shipped.assess(ten_times, 60_000, ())) < 4 * _cost(
        lambda: shipped.assess(read, 6_000, ())
    )


def test_the_model_costs_no_more_than_splitting_into_words_a_few_times(shipped: Predictor):
    """The cost is compared with a plain operation on the same text in the same run."""
    text = "Explain why the tides of the sea follow the moon, and when they do not. " * 55

    def reference() -> None:
        counts: dict[str, int] = {}
        for word in text.lower().split():
            counts[word] = counts.get(word, 0) + 1

    assert _cost(lambda: shipped.assess(text, 4_000, ())) < 15 * _cost(reference)


def _cost(work: Callable[[], object]) -> float:
    """CPU seconds of the quickest of several turns."""
    best = float("inf")
    for _ in range(30):
        begun = time.thread_time_ns()
        work()
        best = min(best, time.thread_time_ns() - begun)
    return best
