"""Which adapters and vendor profiles exist, and what is missing where one cannot be opened."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from adapters.base import Adapter
from adapters.registry import ADAPTERS, load_profiles, with_profile
from tests.adapters.conftest import deployment_at

Open = Callable[..., Adapter]


def test_unknown_adapter_lists_the_known_ones(opened: Open) -> None:
    """A misspelt adapter is refused, with every name that would do."""
    with pytest.raises(ValueError, match=r"no adapter 'opnai'.*openai.*ctransformers.*ollama"):
        opened("http://x/", "opnai")


def test_every_profile_can_be_opened(opened: Open) -> None:
    """Each vendor row leads to an adapter that exists and takes its settings."""
    for name, profile in load_profiles().items():
        adapter = opened(profile.base_url or "http://127.0.0.1:9", name)

        assert adapter.wire == ADAPTERS[profile.adapter].wire


def test_profiles_are_dated_and_sourced() -> None:
    """Each vendor row says when and where it was checked, and its name shadows no adapter."""
    for name, profile in load_profiles().items():
        assert date.fromisoformat(profile.checked) <= date.today()
        assert profile.source.startswith("https://")
        assert name not in ADAPTERS


def test_deployment_wins_over_its_profile() -> None:
    """What a deployment says itself is kept; the profile fills the gaps."""
    profiles = load_profiles()
    own = with_profile(deployment_at("http://elsewhere/v1", "ollama"), profiles)
    filled = with_profile(deployment_at("", "ollama"), profiles)

    assert (own.adapter, own.base_url) == ("openai_compatible", "http://elsewhere/v1")
    assert filled.base_url == "http://127.0.0.1:11434/v1"


@pytest.mark.parametrize(
    ("adapter", "needed"), [("openai_compatible", "base_url"), ("groq", "env:GROQ_API_KEY")]
)
def test_what_is_missing_is_named(opened: Open, adapter: str, needed: str) -> None:
    """A deployment without what its adapter needs is refused with the line to add."""
    with pytest.raises(ValueError, match=needed):
        opened("", adapter, api_key=None)


def test_sdks_are_imported_only_when_needed() -> None:
    """A gateway without vendor deployments does not spend a second on importing the SDKs."""
    code = (
        "import sys; import adapters.registry, adapters.openai_compatible;"
        "print([m for m in ('openai', 'anthropic', 'httpx2') if m in sys.modules])"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"
