"""Where the help model that ships with Fairlead lies."""

from __future__ import annotations

from pathlib import Path

#: The onboard help model's name: a deployment of this `model` needs no `model_path`.
ONBOARD_MODEL = "fairlead-help"
#: What a policy may write as `model_path` to get the onboard help model.
ONBOARD_PATH = "onboard"


def onboard_model_path() -> Path:
    """The onboard help model's GGUF file, inside this package."""
    return Path(__file__).parent / "models" / "fairlead-help.gguf"
