"""Options of a deployment become a worker's settings and arguments."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from adapters.ctransformers.onboard import onboard_model_path
from adapters.ctransformers.settings import (
    SettingsError,
    WorkerSettings,
    default_threads,
    from_arguments,
    settings_of,
    to_arguments,
)
from gateway.core.deployment import Deployment

Make = Callable[..., Deployment]


def test_settings_survive_the_command_line() -> None:
    """What the supervisor writes the worker reads back, odd texts included."""
    settings = WorkerSettings(
        model_name="-odd name", model_path="/a b/m.gguf", chat_template="", threads=3, top_p=0.25
    )

    assert from_arguments(to_arguments(settings, Path("/r/w.sock"))) == (
        settings,
        Path("/r/w.sock"),
    )


def test_more_threads_than_cores_are_clamped_with_a_warning(deployment: Make) -> None:
    """The library becomes many times slower then."""
    settings, warnings = settings_of(deployment("m.gguf", threads=9), cores=2)

    assert settings.threads == 2
    assert "9" in warnings[0]
    assert settings_of(deployment("m.gguf", threads=2), cores=2)[1] == ()


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 1), (4, 2), (8, 4), (64, 4)])
def test_half_of_the_cores_stay_free(cores: int, threads: int) -> None:
    """The library's threads spin, so a shared machine needs spare cores."""
    assert default_threads(cores) == threads


def test_the_onboard_model_and_the_context_of_the_policy(deployment: Make) -> None:
    """'onboard' stands for the file that ships; context_tokens bounds the context."""
    onboard = msgspec.structs.replace(deployment("onboard"), context_tokens=512)

    settings, _ = settings_of(onboard, cores=1)

    assert settings.model_path == str(onboard_model_path())
    assert (settings.temperature, settings.repetition_penalty) == (0.0, 1.0)
    assert settings.context_length == 512


def test_the_model_may_name_the_file(deployment: Make) -> None:
    """Without model_path the model's name is the file, or the model that ships; else an error."""
    bare = msgspec.structs.replace(deployment("x"), options=())

    def path_of(model: str) -> str:
        return settings_of(msgspec.structs.replace(bare, model=model), cores=1)[0].model_path

    assert path_of("/m/a.gguf") == "/m/a.gguf"
    assert path_of("fairlead-help") == str(onboard_model_path())
    with pytest.raises(SettingsError, match="model_path"):
        path_of("llama")
