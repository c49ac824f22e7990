"""How long the answers were that this gateway got lately, by deployment and task."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from time import monotonic

from gateway.core.output_length import LENGTHS_KEPT, AnswerLength, Lengths, lengths_of

#: How old the figures of a task may be before they are taken anew; seconds.
_FRESH_SECONDS = 1.0
#: Stands for every task: what is known of a deployment before its answers to one are enough.
_ANY = ""


class LengthBoard:
    """The latest lengths by task and deployment, and what they tell."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._answers: dict[str, dict[str, deque[AnswerLength]]] = {}
        self._lengths: dict[str, tuple[float, Mapping[str, Lengths]]] = {}

    def answered(self, name: str, task: str, answer: AnswerLength) -> None:
        """A deployment gave a whole answer."""
        for kept in (task, _ANY):
            by_name = self._answers.setdefault(kept, {})
            by_name.setdefault(name, deque(maxlen=LENGTHS_KEPT)).append(answer)

    def lengths(self, task: str) -> Mapping[str, Lengths]:
        """What is known by deployment for a task, or else for all of its answers."""
        now = self._clock()
        taken = self._lengths.get(task)
        if taken is not None and now - taken[0] < _FRESH_SECONDS:
            return taken[1]
        found: dict[str, Lengths] = {}
        for kept in (_ANY, task):
            for name, answers in self._answers.get(kept, {}).items():
                told = lengths_of(answers)
                if told is not None:
                    found[name] = told
        self._lengths[task] = now, found
        return found
