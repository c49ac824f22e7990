"""Texts by code point, such that places stay what they are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

CodePoints = npt.NDArray[np.uint32]


def code_points(text: str) -> CodePoints:
    """The code points of a text, in order; lone surrogates count as what they are."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")


def lowered(text: str) -> str:
    """The text in small letters; as it is, if that would shift the places of its characters."""
    lower = text.lower()
    return lower if len(lower) == len(text) else text
