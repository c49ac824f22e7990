"""Reads what a GGUF file says about itself, bounded and checked before native code sees the file.

The layout is the one published at https://github.com/ggml-org/ggml/blob/master/docs/gguf.md:
magic, version, counts, key-value pairs, tensor descriptions, then aligned tensor bytes. Every
length is compared with what is left of the file, so a cut or forged file is an error, never a
crash.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec

#: Bounds on what a sane file holds; the largest known models stay far below.
MOST_FIELDS = 65_536
MOST_TENSORS = 65_536
MOST_ENTRIES = 4_194_304
LONGEST_STRING = 8 * 1024 * 1024
LARGEST_DIMENSION = 1 << 40

Scalar = int | float | bool | str
Field = Scalar | tuple[Scalar, ...]

_SCALARS: Mapping[int, struct.Struct] = MappingProxyType(
    {
        code: struct.Struct("<" + letter)
        for code, letter in (
            (0, "B"),
            (1, "b"),
            (2, "H"),
            (3, "h"),
            (4, "I"),
            (5, "i"),
            (6, "f"),
            (7, "?"),
            (10, "Q"),
            (11, "q"),
            (12, "d"),
        )
    }
)
_STRING, _ARRAY = 8, 9
#: Numbers per block and bytes per block of the tensor formats that ctransformers 0.2.27 reads.
_TENSOR_FORMATS: Mapping[int, tuple[int, int]] = MappingProxyType(
    {
        0: (1, 4),  # F32
        1: (1, 2),  # F16
        2: (32, 18),  # Q4_0
        3: (32, 20),  # Q4_1
        6: (32, 22),  # Q5_0
        7: (32, 24),  # Q5_1
        8: (32, 34),  # Q8_0
        10: (256, 84),  # Q2_K
        11: (256, 110),  # Q3_K
        12: (256, 144),  # Q4_K
        13: (256, 176),  # Q5_K
        14: (256, 210),  # Q6_K
    }
)


class GgufError(ValueError):
    """The file is no GGUF that can be loaded; the message says why."""


class GgufFile(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a GGUF file, after its tensors were found to be all there."""

    version: int
    fields: Mapping[str, Field]
    tensors: int

    def text(self, key: str, default: str = "") -> str:
        """The string field of that name, or the default when absent or of another type."""
        field = self.fields.get(key)
        return field if isinstance(field, str) else default

    def number(self, key: str, default: int = 0) -> int:
        """The whole-number field of that name, or the default."""
        field = self.fields.get(key)
        return field if isinstance(field, int) and not isinstance(field, bool) else default

    def entries(self, key: str) -> tuple[Scalar, ...]:
        """The array field of that name, or nothing."""
        field = self.fields.get(key)
        return field if isinstance(field, tuple) else ()


def read_gguf(path: Path) -> GgufFile:
    """Read the fields of a GGUF file and check that its tensors lie inside the file.

    Raises:
        GgufError: the file is missing, is no GGUF, is cut short, or holds formats or sizes
            that the native library cannot load.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            if size < 24:
                raise GgufError(f"{path.name} is too short to be a GGUF file ({size} bytes)")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
                return _Reader(view, path.name).read()
    except OSError as error:
        raise GgufError(f"cannot read {path}: {error.strerror or error}") from None


class _Reader:
    """A cursor over the mapped file that refuses to pass its end."""

    def __init__(self, view: mmap.mmap, name: str) -> None:
        self._view = view
        self._name = name
        self._at = 0
        self._size = len(view)

    def read(self) -> GgufFile:
        if self._take(4) != b"GGUF":
            raise GgufError(f"{self._name} is no GGUF file: it does not begin with 'GGUF'")
        version = self._whole("<I")
        if version not in (2, 3):
            raise GgufError(f"{self._name} is GGUF version {version}; versions 2 and 3 can be read")
        tensors = self._count("tensors", MOST_TENSORS)
        fields: dict[str, Field] = {}
        for _ in range(self._count("fields", MOST_FIELDS)):
            key = self._text()
            fields[key] = self._field(self._whole("<I"))
        self._check_tensors(tensors, fields)
        return GgufFile(version=version, fields=MappingProxyType(fields), tensors=tensors)

    def _check_tensors(self, count: int, fields: Mapping[str, Field]) -> None:
        ends: list[int] = [0]
        for _ in range(count):
            name = self._text()
            dimensions = self._whole("<I")
            if not 1 <= dimensions <= 4:
                raise GgufError(f"tensor {name!r} of {self._name} has {dimensions} dimensions")
            ends.append(self._tensor_end(name, dimensions))
        alignment = fields.get("general.alignment", 32)
        if not isinstance(alignment, int) or not 1 <= alignment <= 1 << 20:
            raise GgufError(f"{self._name} has an impossible alignment")
        begin = -(-self._at // alignment) * alignment
        if begin + max(ends) > self._size:
            raise GgufError(
                f"{self._name} is cut short: its tensors need {begin + max(ends)} bytes and the "
                f"file has {self._size}; download it again"
            )

    def _tensor_end(self, name: str, dimensions: int) -> int:
        numbers = 1
        row = 0
        for index in range(dimensions):
            length = self._whole("<Q")
            if not 1 <= length <= LARGEST_DIMENSION:
                raise GgufError(f"tensor {name!r} of {self._name} has an impossible size")
            numbers *= length
            row = row if index else length
        code = self._whole("<I")
        offset = self._whole("<Q")
        if code not in _TENSOR_FORMATS:
            raise GgufError(
                f"tensor {name!r} of {self._name} has format {code}, which ctransformers cannot "
                "read; use a file quantised as Q4_0, Q4_K_M, Q5_K_M, Q6_K, Q8_0 or F16"
            )
        block, block_bytes = _TENSOR_FORMATS[code]
        if row % block:
            raise GgufError(f"tensor {name!r} of {self._name} does not fill its blocks")
        return offset + numbers // block * block_bytes

    def _field(self, code: int) -> Field:
        if code == _STRING:
            return self._text()
        if code == _ARRAY:
            return self._array()
        if code not in _SCALARS:
            raise GgufError(f"{self._name} has a field of unknown type {code}")
        return self._scalar(_SCALARS[code])

    def _array(self) -> tuple[Scalar, ...]:
        code = self._whole("<I")
        count = self._count("array entries", MOST_ENTRIES)
        if code == _STRING:
            return tuple(self._text() for _ in range(count))
        if code not in _SCALARS:
            raise GgufError(f"{self._name} has an array of unsupported type {code}")
        layout = _SCALARS[code]
        body = self._take(count * layout.size)
        return tuple(struct.unpack(f"<{count}{layout.format[1:]}", body))

    def _scalar(self, layout: struct.Struct) -> Scalar:
        number: Scalar = layout.unpack(self._take(layout.size))[0]
        return number

    def _whole(self, layout: str) -> int:
        packed = struct.Struct(layout)
        number: int = packed.unpack(self._take(packed.size))[0]
        return number

    def _count(self, what: str, most: int) -> int:
        count = self._whole("<Q")
        if count > most:
            raise GgufError(f"{self._name} claims {count} {what}, more than the {most} allowed")
        return count

    def _text(self) -> str:
        length = self._whole("<Q")
        if length > LONGEST_STRING:
            raise GgufError(f"{self._name} claims a string of {length} bytes")
        return self._take(length).decode("utf-8", "replace")

    def _take(self, length: int) -> bytes:
        end = self._at + length
        if end > self._size:
            raise GgufError(f"{self._name} is cut short inside its metadata; download it again")
        taken = self._view[self._at : end]
        self._at = end
        return taken
