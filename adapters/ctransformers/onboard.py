"""Where the help model that ships with Fairlead lies."""

from __future__ import annotations

from pathlib import Path

#: What a policy writes as `model_path` to get the onboard help model.
ONBOARD = "onboard"
#: The model's own name; a deployment of it needs no `model_path`.
ONBOARD_MODEL = "fairlead-help"


def onboard_model_path() -> Path:
    """The onboard help model's GGUF file, inside this package."""
    return Path(__file__).parent / "models" / "fairlead-help.gguf"
