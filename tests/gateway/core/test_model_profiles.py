"""What is known of models, and how a deployment's model is found among them."""

from __future__ import annotations

import pytest

from gateway.core.model_profiles import PROFILES, profile_of
from gateway.core.quality import BASELINE, FRONTIER


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("meta-llama/Llama-3-8B-Instruct", "Llama 3 8B"),
        ("meta-llama/Meta-Llama-3-70B-Instruct", "Llama 3 70B"),
        ("meta-llama/Llama-3.1-8B-Instruct", "Llama 3.1 8B"),
        ("llama3:8b-instruct-q4_K_M", "Llama 3 8B"),
        ("codellama/CodeLlama-34b-Instruct-hf", "Code Llama 34B"),
        ("mistralai/Mixtral-8x7B-Instruct-v0.1", "Mixtral 8x7B"),
        ("mistralai/Mistral-7B-Instruct-v0.2", "Mistral 7B v0.2"),
        ("mistralai/Mistral-7B-Instruct-v0.1", "Mistral 7B"),
        ("gpt-5-mini-2025-08-07", "GPT-5 mini"),
        ("claude-opus-5-5", "Claude Opus 5.5"),
        ("gpt-4o", "GPT-4o"),
        ("gpt-4o-2024-08-06", "GPT-4o"),
        ("gpt-4o-mini", "GPT-4o mini"),
        ("claude-sonnet-4-5-20250929", "Claude Sonnet 4.5"),
        ("microsoft/phi-2", "Phi-2"),
        ("openai/gpt-oss-20b", "gpt-oss 20B"),
        ("gpt-4-0613", "GPT-4"),
        ("gpt-4-turbo-2024-04-09", "GPT-4 Turbo"),
        ("o3-mini", "o3-mini"),
        ("gpt-5.1-2025-11-13", "GPT-5.1"),
        ("gpt-5.6", "GPT-5.6"),
        ("gpt-6.2-sol", "GPT-6.2"),
        ("claude-opus-4-20250514", "Claude Opus 4"),
        ("claude-opus-4-1-20250805", "Claude Opus 4.1"),
        ("claude-opus-5", "Claude Opus 5"),
        ("claude-fable-5-2", "Claude Fable 5.2"),
    ],
)
def test_a_model_is_found_by_what_deployments_call_it(model: str, name: str) -> None:
    """The longest pattern counts, and the case of letters does not."""
    found = profile_of(model)

    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("model", ["my-own-model", "", "gpt-9", "llama-cpp", "vicuna-7b-v1.1"])
def test_an_unknown_model_has_no_profile(model: str) -> None:
    assert profile_of(model) is None


def test_baseline_and_frontier_are_what_their_profiles_say() -> None:
    """The difficulty is reckoned between these two."""
    baseline, frontier = profile_of("llama-3-8b"), profile_of("gpt-4o")

    assert baseline is not None
    assert frontier is not None
    assert (baseline.skills, frontier.skills) == (BASELINE, FRONTIER)


def test_every_figure_is_in_its_range_and_has_a_source() -> None:
    for one in PROFILES:
        scores = (one.skills.knowledge, one.skills.code, one.skills.maths)
        assert all(score is None or 0 < score < 1 for score in scores), one.name
        assert one.source.startswith("https://")
        assert len(one.published) == 7
        assert (one.parameters is None) is (one.commercial is None), one.name
        assert one.context_tokens >= 2048


def test_names_and_patterns_are_said_once() -> None:
    names = [one.name for one in PROFILES]
    patterns = [pattern for one in PROFILES for pattern in one.names]

    assert len(set(names)) == len(names)
    assert len(set(patterns)) == len(patterns)


def test_memory_is_weights_and_some_room() -> None:
    """Two bytes a parameter at 16 bits, a good half at 4, and 15 % beside them."""
    llama = profile_of("llama-3-8b")
    service = profile_of("gpt-4o")

    assert llama is not None
    assert service is not None
    assert (llama.memory_gb(16), llama.memory_gb(4)) == (18.4, 5.6)
    assert service.memory_gb(4) is None


@pytest.mark.parametrize(
    ("model", "commercial"),
    [
        ("mosaicml/mpt-7b", True),
        ("mosaicml/mpt-7b-instruct", True),
        ("mosaicml/mpt-7b-chat", False),
        ("mosaicml/mpt-30b-instruct", True),
        ("mosaicml/mpt-30b-chat", False),
        ("lmsys/vicuna-13b-v1.5", True),
        ("lmsys/vicuna-33b-v1.3", False),
        ("mistralai/Mistral-Large-Instruct-2407", False),
        ("mistral-large-2402", None),
    ],
)
def test_variants_of_a_model_have_licences_of_their_own(
    model: str, commercial: bool | None
) -> None:
    """A chat model may be closed to business where its base model is open; a service has none."""
    found = profile_of(model)

    assert found is not None
    assert found.commercial is commercial
