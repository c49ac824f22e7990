"""One compiled classifier for all tests of the package, and requests built by hand."""

from __future__ import annotations

import pytest

from gateway.classify.classifier import Classifier, load_classifier
from gateway.core.findings import SensitivityRules
from gateway.core.request import ChatRequest, Segment


@pytest.fixture(scope="session")
def classifier() -> Classifier:
    return load_classifier()


@pytest.fixture(scope="session")
def fallback() -> Classifier:
    return load_classifier(engine="re2")


@pytest.fixture(scope="session")
def rules() -> SensitivityRules:
    return SensitivityRules()


class Requests:
    """Builds requests of bare strings."""

    @staticmethod
    def of(*texts: str, kinds: tuple[str, ...] = ()) -> ChatRequest:
        kinds = kinds or ("text",) * len(texts)
        segments = tuple(
            Segment(text, f"/messages/{n}/content", "user", kind)
            for n, (text, kind) in enumerate(zip(texts, kinds, strict=True))
        )
        size = sum(len(text.encode("utf-8", "replace")) for text in texts) + 40 * len(texts)
        return ChatRequest(
            wire="openai_chat",
            fields={},
            model="auto",
            segments=segments,
            size=size,
            prompt=texts[-1] if texts else "",
            turns=len(texts),
        )


@pytest.fixture(scope="session")
def requests() -> type[Requests]:
    return Requests
