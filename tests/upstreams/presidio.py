"""Scripts of a Presidio analyzer: `POST /analyze`, by words that the script is told to find."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from tests.upstreams.scripted import Received, Script


def finds(before: float = 0.0, **words: str) -> Callable[[Received], Script]:
    """Finds each of the words wherever it stands, as the entity it is given for.

    As the real one does, it leaves out what was not asked for and what scores too low, and it
    refuses a question without a text or a language.
    """

    def play(received: Received) -> Script:
        asked = received.json
        if received.path != "/analyze" or not asked.get("text") or not asked.get("language"):
            return told({"error": "No text provided"}, status=500)
        wanted = {name: word for name, word in words.items() if name in asked["entities"]}
        return told(
            [
                result(name, start, start + len(word))
                for name, word in wanted.items()
                for start in _places(asked["text"], word)
            ],
            before=before,
        )

    return play


def result(entity: str, start: int, end: int, score: float = 0.85) -> dict[str, Any]:
    """One result as `presidio-analyzer` 2.2 writes it."""
    return {
        "analysis_explanation": None,
        "end": end,
        "entity_type": entity,
        "score": score,
        "start": start,
    }


def told(body: Any, status: int = 200, before: float = 0.0) -> Script:
    """A JSON answer."""
    return Script(status=status, pieces=(msgspec.json.encode(body),), before=before)


def _places(text: str, word: str) -> list[int]:
    return [at for at in range(len(text)) if text.startswith(word, at)]
