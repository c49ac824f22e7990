"""Saved difficulty models: files under FAIRLEAD_HOME/difficulty, written whole or not at all."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from gateway.classify.difficulty import BadModel, DifficultyModel, pack_model, unpack_model

FOLDER = "difficulty"
_SUFFIX = ".model"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}", re.ASCII)
#: Larger files are no difficulty model.
_LARGEST = 4 * 1024 * 1024


class DifficultyModelError(ValueError):
    """A saved model cannot be named, found or read; the message says what to do."""


def check_name(name: str) -> str:
    """The name, when it can be one.

    Raises:
        DifficultyModelError: it has other characters, or is too long.
    """
    if not _NAME.fullmatch(name):
        raise DifficultyModelError(
            f"'{name[:60]}' cannot name a difficulty model: use 1 to 63 lower-case letters, "
            "digits, '-' and '_', beginning with a letter or digit"
        )
    return name


def model_path(home: Path, name: str) -> Path:
    """Where the model of that name is kept.

    Raises:
        DifficultyModelError: as `check_name`.
    """
    return home / FOLDER / f"{check_name(name)}{_SUFFIX}"


def save_model(home: Path, name: str, model: DifficultyModel) -> Path:
    """Write a model in place of an older one of its name, atomically.

    Raises:
        DifficultyModelError: as `check_name`.
        OSError: the folder cannot be written.
    """
    path = model_path(home, name)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(pack_model(model))
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    return path


def load_model(home: Path, name: str) -> DifficultyModel:
    """Read a saved model.

    Raises:
        DifficultyModelError: there is none of that name, or its file is no good.
    """
    path = model_path(home, name)
    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST + 1)
    except FileNotFoundError:
        names = ", ".join(saved_names(home)) or "none"
        raise DifficultyModelError(
            f"there is no difficulty model '{name}' under {path.parent} (there: {names}); make "
            f"one with: fairlead routing calibrate PAIRS.jsonl --save {name}"
        ) from None
    except OSError as problem:
        raise DifficultyModelError(f"{path} cannot be read: {problem.strerror}") from None
    try:
        if len(raw) > _LARGEST:
            raise BadModel("it is far too large")
        return unpack_model(raw)
    except BadModel as problem:
        raise DifficultyModelError(
            f"the difficulty model {path} cannot be used: {problem}; make it again with: "
            f"fairlead routing calibrate PAIRS.jsonl --save {name}"
        ) from None


def saved_names(home: Path) -> tuple[str, ...]:
    """The names of all saved models, in order."""
    found = (path.name.removesuffix(_SUFFIX) for path in (home / FOLDER).glob(f"*{_SUFFIX}"))
    return tuple(sorted(name for name in found if _NAME.fullmatch(name)))
