"""What the difficulty model sees of a prompt, packed, so that it can learn without the prompt."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from hashlib import blake2b

import msgspec
import numpy as np

from gateway.classify.cues import Cue
from gateway.classify.difficulty import DENSE, dense_features
from gateway.classify.difficulty_features import (
    BITS,
    SCALARS,
    Floats,
    Indices,
    Seen,
    featurise,
)
from gateway.classify.difficulty_rule import by_rule
from gateway.classify.difficulty_tools import TOOL_SCALARS, read_tools

_BUCKETS, _NUMBERS = np.dtype("<u2"), np.dtype("<f8")


class OtherFeatures(ValueError):
    """The bytes are no features, or those of another version."""


class Features(msgspec.Struct, frozen=True):
    """The features of one prompt: hashed words, the dense ones, and those of its tools."""

    seen: Seen
    dense: Floats
    tools: Floats


class _Packed(msgspec.Struct, frozen=True, array_like=True):
    version: bytes
    buckets: bytes
    singles: bytes
    dense: bytes
    tools: bytes


#: Features are of use only to models of the same ones.
_VERSION = blake2b("\0".join((str(BITS), *DENSE, *TOOL_SCALARS)).encode(), digest_size=8).digest()


def features_of(prompt: str, size: int, cues: Sequence[Cue], stated: bytes = b"") -> Features:
    """The features of a prompt with these cues in a body of `size` bytes with these `tools`."""
    seen = featurise(prompt)
    dense = dense_features(seen, cues, by_rule(prompt, size, cues))
    return Features(seen, dense, read_tools(prompt, stated))


def pack_features(features: Features) -> bytes:
    """The features as bytes, some 2 kB for a prompt of 2 kB."""
    packed = _Packed(
        _VERSION,
        features.seen.buckets.astype(_BUCKETS).tobytes(),
        features.seen.singles.astype(_BUCKETS).tobytes(),
        features.dense.astype(_NUMBERS).tobytes(),
        features.tools.astype(_NUMBERS).tobytes(),
    )
    return zlib.compress(msgspec.msgpack.encode(packed))


def unpack_features(raw: bytes) -> Features:
    """The very same features.

    Raises:
        OtherFeatures: as said there.
    """
    try:
        packed = msgspec.msgpack.decode(zlib.decompress(raw), type=_Packed)
        dense, tools = (
            np.frombuffer(one, _NUMBERS).astype(np.float64) for one in (packed.dense, packed.tools)
        )
        buckets, singles = (_indices(one) for one in (packed.buckets, packed.singles))
    except (zlib.error, msgspec.DecodeError, ValueError) as problem:
        raise OtherFeatures(f"these are no features: {problem}") from None
    whole = len(dense) == len(DENSE) and len(tools) == len(TOOL_SCALARS)
    if packed.version != _VERSION or not whole:
        raise OtherFeatures("these are features of another version")
    return Features(Seen(buckets, singles, dense[: len(SCALARS)].copy()), dense, tools)


def _indices(packed: bytes) -> Indices:
    return np.frombuffer(packed, _BUCKETS).astype(np.int64)
