"""Numbers of a tensor, read in slices from where they lie in a file.

A slice is read when it is asked for, into memory of its own: nothing is mapped, so that what was
read does not count as memory of the process.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np

from .._arrays import require
from .._signals import held_back


class Block(Protocol):
    """A rectangle of the last two axes of a tensor, as float32 or float64."""

    def __call__(self, index: tuple[int, ...], rows: slice, columns: slice) -> np.ndarray:
        """Rows and columns of the matrix at ``index``."""
        ...


@dataclass(frozen=True)
class StoredTensor:
    """A tensor in a file, of which nothing is read before it is asked for.

    Attributes
    ----------
    shape : tuple of int
    kind : str
        How its numbers are stored, as safetensors names it: ``F32``, ``BF16``, ``I8``, ….
    block : callable
        ``block(index, rows, columns)`` reads a rectangle; ``index`` has one number for each axis
        before the last two.
    problem : str
        Why it cannot be measured, as the end of a sentence; empty where it can.
    """

    shape: tuple[int, ...]
    kind: str
    block: Block
    problem: str = ""


def _bfloat16(raw: np.ndarray) -> np.ndarray:
    # A bfloat16 is the upper half of a float32.
    return np.left_shift(raw, 16, dtype=np.uint32).view(np.float32)


def _float8_e5m2(raw: np.ndarray) -> np.ndarray:
    # It is the upper half of a float16.
    return (raw.astype(np.uint16) << 8).view(np.float16).astype(np.float32)


def _all_e4m3() -> np.ndarray:
    """The 256 numbers of eight bits: a sign, four bits of exponent, three of mantissa."""
    code = np.arange(128)
    exponent, mantissa = code >> 3, code & 7
    value = np.where(exponent > 0, 8 + mantissa, mantissa) * 2.0 ** (np.maximum(exponent, 1) - 10)
    value[127] = np.nan
    return np.concatenate([value, -value]).astype(np.float32)


_E4M3 = _all_e4m3()

_DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "F8_E4M3": "u1", "F8_E5M2": "u1",
    "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?", "C64": "<c8", "C128": "<c16",
}  # fmt: skip

_DECODED: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "BF16": _bfloat16,
    "F8_E5M2": _float8_e5m2,
    "F8_E4M3": lambda raw: _E4M3[raw],
}

REAL = ("F64", "F32", "F16", *_DECODED)
"""Kinds of real numbers."""


def dtype_of(kind: str) -> np.dtype | None:
    """How NumPy holds the bytes of a kind; None for a kind that is not known."""
    return np.dtype(_DTYPES[kind]) if kind in _DTYPES else None


def as_real(raw: np.ndarray, kind: str) -> np.ndarray:
    """Stored numbers as float32 where that holds them exactly, else as float64."""
    if kind in _DECODED:
        return _DECODED[kind](raw)
    small = raw.dtype.kind == "f" and raw.dtype.itemsize <= 4
    return raw.astype(np.float32 if small else np.float64, copy=False)


@dataclass(frozen=True)
class FileRegion:
    """Where the numbers of a tensor lie in a file.

    Attributes
    ----------
    file : Path or open file
    offset : int
        Byte of the first number.
    dtype : numpy.dtype
        Of the bytes; what they mean is in ``kind``.
    kind : str
    shape, strides : tuple of int
        Lengths of the axes, and how many numbers lie between neighbors along each.
    """

    file: Path | BinaryIO
    offset: int
    dtype: np.dtype
    kind: str
    shape: tuple[int, ...]
    strides: tuple[int, ...] = field(default=())

    def __call__(self, index: tuple[int, ...], rows: slice, columns: slice) -> np.ndarray:
        """A rectangle of the last two axes."""
        strides = self.strides or contiguous(self.shape)
        start = sum(at * step for at, step in zip(index, strides, strict=False))
        down, across = strides[-2:]
        height, width = rows.stop - rows.start, columns.stop - columns.start
        start += rows.start * down + columns.start * across
        opened = self.file.open("rb") if isinstance(self.file, Path) else nullcontext(self.file)
        with opened as file:
            if across == 1 or width == 1:
                raw = self._lines(file, start, height, down, width)
            elif down == 1 or height == 1:
                raw = self._lines(file, start, width, across, height).T
            else:
                raw = self._strided(file, start, (height, width), (down, across))
        return as_real(raw, self.kind)

    def _lines(self, file: BinaryIO, start: int, n: int, step: int, length: int) -> np.ndarray:
        """So many lines of neighbors, ``step`` numbers from the start of one to the next."""
        if n == 1 or step == length:
            return self._read(file, start, n * length).reshape(n, length)
        lines = np.empty((n, length), self.dtype)
        for line, into in enumerate(lines):
            into[:] = self._read(file, start + line * step, length)
        return lines

    def _strided(
        self, file: BinaryIO, start: int, shape: tuple[int, int], strides: tuple[int, int]
    ) -> np.ndarray:
        """Any other order, which is rare: everything between the first number and the last."""
        span = 1 + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
        every = self._read(file, start, span)
        size = self.dtype.itemsize
        down, across = strides
        return np.lib.stride_tricks.as_strided(every, shape, (down * size, across * size)).copy()

    def _read(self, file: BinaryIO, start: int, count: int) -> np.ndarray:
        size = self.dtype.itemsize
        file.seek(self.offset + start * size)
        content = file.read(count * size)
        require(len(content) == count * size, f"{self.file!s:.300} ends before its numbers do")
        return np.frombuffer(content, self.dtype)


def contiguous(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Strides, in numbers, of an array whose last axis is densest.

    >>> contiguous((2, 3, 4))
    (12, 4, 1)
    """
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


@dataclass(frozen=True)
class Guarded:
    """Rectangles by a library that can raise anything where a file is damaged."""

    path: Path
    what: str
    inner: Block

    def __call__(self, index: tuple[int, ...], rows: slice, columns: slice) -> np.ndarray:
        """A rectangle of the last two axes."""
        try:
            return self.inner(index, rows, columns)
        except OSError:
            raise
        except Exception as error:
            line = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
            raise ValueError(f"{self.path} is not a whole {self.what}: {line}") from None


def array_block(array: Any) -> Block:
    """Rectangles of an array that is at hand, or that reads itself when it is indexed (Zarr)."""

    def block(index: tuple[int, ...], rows: slice, columns: slice) -> np.ndarray:
        with held_back():
            return as_real(np.asarray(array[(*index, rows, columns)]), "")

    return block
