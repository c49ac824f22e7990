"""Which tokenizer a model reads with."""

from __future__ import annotations

import pytest

from gateway.core.model_profiles import PROFILES
from gateway.core.token_families import DEAREST_IMAGE, FAMILIES, family_of, image_tokens_of


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("gpt-4o-mini-2024-07-18", "o200k_base"),
        ("gpt-4.1-nano", "o200k_base"),
        ("GPT-5.4", "o200k_base"),
        ("o3-mini", "o200k_base"),
        ("openai/gpt-oss-20b", "o200k_base"),
        ("gpt-4", "cl100k_base"),
        ("gpt-4-turbo", "cl100k_base"),
        ("gpt-3.5-turbo-0125", "cl100k_base"),
        ("text-embedding-3-small", "cl100k_base"),
        ("claude-sonnet-4-5", "claude"),
        ("anthropic.claude-3-haiku-20240307-v1:0", "claude"),
        ("meta-llama/Meta-Llama-3.1-8B-Instruct", "llama3"),
        ("llama3.1:8b", "llama3"),
        ("meta-llama/Llama-2-7b-chat-hf", "llama2"),
        ("mistralai/Mistral-7B-Instruct-v0.2", "llama2"),
        ("mixtral:8x7b", "llama2"),
        ("mistral-large-2407", "mistral"),
        ("qwen2.5-coder", "unknown"),
    ],
)
def test_a_name_tells_its_family(model: str, family: str):
    assert family_of(model) == family


def test_every_family_that_a_name_tells_is_known():
    names = {family_of(pattern.replace("*", "")) for one in PROFILES for pattern in one.names}

    assert names <= FAMILIES.keys()


def test_the_dearest_image_is_for_models_that_nobody_knows():
    """gpt-4o-mini bills by far the most tokens an image."""
    assert image_tokens_of("gpt-4o") < image_tokens_of("claude-3-opus") < 10_000
    assert image_tokens_of("gpt-4o-mini") == image_tokens_of("qwen2-vl") == DEAREST_IMAGE
