"""Tensors in files of torch's, found without torch and without running code.

A file is a pickle that says how tensors lie in storages, and the bytes of the storages.  What the
pickle may name is listed here; a file that names anything else is refused with that name.
"""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from .._arrays import require
from .slices import FileRegion, StoredTensor, dtype_of

_STORAGES = {
    "DoubleStorage": "F64", "FloatStorage": "F32", "HalfStorage": "F16", "BFloat16Storage": "BF16",
    "LongStorage": "I64", "IntStorage": "I32", "ShortStorage": "I16", "CharStorage": "I8",
    "ByteStorage": "U8", "BoolStorage": "BOOL", "UntypedStorage": "U8",
    "ComplexFloatStorage": "C64", "ComplexDoubleStorage": "C128",
}  # fmt: skip
_QUANTIZED = ("QInt8Storage", "QUInt8Storage", "QInt32Storage", "QUInt4x2Storage")
_DTYPES = {
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "uint16": "U16",
    "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2", "uint32": "U32", "uint64": "U64",
    "int64": "I64", "int32": "I32", "int16": "I16", "int8": "I8", "uint8": "U8", "bool": "BOOL",
    "complex64": "C64", "complex128": "C128",
}  # fmt: skip
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_DEEPEST, _MOST_LEAVES = 100, 10**6
_PACKED = "it is packed, and torch never packs tensors"


class CodeError(ValueError):
    """A pickle names something that would have to be run; ``name`` says what."""

    def __init__(self, name: str):
        super().__init__(name)
        self.name = name


@dataclass(frozen=True)
class _Storage:
    kind: str
    key: str


@dataclass(frozen=True)
class _Tensor:
    """What a pickle says of a tensor, before the place of its storage is known."""

    shape: tuple[int, ...]
    kind: str
    storage: _Storage | None = None
    start: int = 0
    strides: tuple[int, ...] = ()
    problem: str = ""


def read_torch_zip(path: Path, archive: zipfile.ZipFile) -> dict[str, StoredTensor]:
    """Tensors by name, in a file as torch has written it since version 1.6."""
    (listing,) = (name for name in archive.namelist() if name.endswith("data.pkl"))
    top = listing.removesuffix("data.pkl")
    places = {
        info.filename.removeprefix(top + "data/"): info
        for info in archive.infolist()
        if info.filename.startswith(top + "data/")
    }
    require(archive.getinfo(listing).compress_type == zipfile.ZIP_STORED, _PACKED)
    if (order := f"{top}byteorder") in archive.namelist():
        require(archive.read(order) == b"little", "its numbers are in the order of bytes from big")
    content = _unpickle(io.BytesIO(archive.read(listing)))

    def place(storage: _Storage) -> tuple[int, int]:
        info = places[storage.key]
        require(info.compress_type == zipfile.ZIP_STORED, _PACKED)
        with path.open("rb") as file:
            file.seek(info.header_offset)
            header = file.read(30)
        require(header[:4] == b"PK\x03\x04", "a part of the archive is missing")
        name, extra = struct.unpack("<HH", header[26:30])
        return info.header_offset + 30 + name + extra, info.file_size

    return _stored(path, content, place)


def read_torch_legacy(path: Path) -> dict[str, StoredTensor]:
    """Tensors by name, in a file as torch wrote it before version 1.6."""
    with path.open("rb") as file:
        require(_unpickle(file) == _LEGACY_MAGIC, "its first number is not that of torch")
        _unpickle(file)  # version of the protocol
        _unpickle(file)  # sizes of numbers on the machine that wrote it
        content = _unpickle(file)
        keys = cast("list[object]", _unpickle(file))
        kinds = {leaf.storage.key: leaf.storage.kind for _, leaf in leaves(content)
                 if isinstance(leaf, _Tensor) and leaf.storage}  # fmt: skip
        places, size = {}, path.stat().st_size
        for key in keys:
            count = struct.unpack("<q", file.read(8))[0]
            dtype = dtype_of(kinds.get(str(key), "U8"))
            require(dtype is not None and count >= 0, "a storage of a kind that is not known")
            places[str(key)] = file.tell(), count * (dtype.itemsize if dtype else 1)
            require(sum(places[str(key)]) <= size, "it ends before its numbers do")
            file.seek(sum(places[str(key)]))
    return _stored(path, content, lambda storage: places[storage.key])


def _stored(
    path: Path, content: object, place: Callable[[_Storage], tuple[int, int]]
) -> dict[str, StoredTensor]:
    found = {}
    for name, leaf in leaves(content):
        if isinstance(leaf, _Tensor):
            found[name] = _one(path, leaf, place)
    return found


def _one(path: Path, tensor: _Tensor, place: Callable[[_Storage], tuple[int, int]]) -> StoredTensor:
    dtype, nothing = dtype_of(tensor.kind), FileRegion(path, 0, np.dtype("u1"), "", tensor.shape)
    if tensor.problem or tensor.storage is None or dtype is None:
        problem = tensor.problem or f"holds numbers of the kind {tensor.kind}, which is not read"
        return StoredTensor(tensor.shape, tensor.kind, nothing, problem)
    start, size = place(tensor.storage)
    last = tensor.start + sum(
        (n - 1) * step for n, step in zip(tensor.shape, tensor.strides, strict=True)
    )
    inside = 0 in tensor.shape or (min((0, *tensor.strides)) >= 0 <= tensor.start and
                                   (last + 1) * dtype.itemsize <= size)  # fmt: skip
    require(inside, "a tensor reaches beyond its numbers")
    offset = start + tensor.start * dtype.itemsize
    region = FileRegion(path, offset, dtype, tensor.kind, tensor.shape, tensor.strides)
    return StoredTensor(tensor.shape, tensor.kind, region)


def leaves(content: object) -> Iterator[tuple[str, object]]:
    """Everything in nested dictionaries and lists, in order, by names joined with dots."""
    waiting, number = [("", content, 0)], 0
    while waiting:
        name, one, depth = waiting.pop()
        number += 1
        require(
            depth <= _DEEPEST and number <= _MOST_LEAVES,
            "it is nested too deeply or refers to itself; save a dictionary of tensors",
        )
        if isinstance(one, list | tuple):
            one = dict(enumerate(one))
        if isinstance(one, Mapping):
            inside = [(f"{name}.{k}" if name else str(k), v, depth + 1) for k, v in one.items()]
            waiting += reversed(inside)
        else:
            yield name, one


# ------------------------------------------------------------------ what a pickle may name


def _tensor(
    storage: _Storage, start: int, shape: Any, strides: Any, *_: object, dtype: str | None = None
) -> _Tensor:
    kind = storage.kind if dtype is None else dtype
    problem = ""
    if kind in _QUANTIZED:
        problem = "is quantized: its whole numbers stand for others; dequantize it first"
    return _Tensor(tuple(shape), kind, storage, start, tuple(strides), problem)


def _tensor_of_dtype(
    storage: _Storage, start: int, shape: Any, strides: Any, grad: object, hooks: object,
    dtype: str, *_: object,
) -> _Tensor:  # fmt: skip
    # A storage without a type is counted in bytes, its tensor in numbers.
    return _tensor(storage, start, shape, strides, dtype=dtype)


def _quantized(storage: _Storage, start: int, shape: Any, strides: Any, *_: object) -> _Tensor:
    problem = "is quantized: its whole numbers stand for others; dequantize it first"
    return _Tensor(tuple(shape), "quantized", storage, start, tuple(strides), problem)


def _meta(dtype: str, shape: Any, strides: Any, *_: object) -> _Tensor:
    problem = "is a meta tensor, a shape without data; load the weights before you save them"
    return _Tensor(tuple(shape), dtype, None, 0, tuple(strides), problem)


def _sparse(layout: object, data: tuple[Any, ...], *_: object) -> _Tensor:
    problem = "is a sparse tensor; save its to_dense()"
    shape = next((tuple(part) for part in data if isinstance(part, tuple)), (0, 0))
    return _Tensor(shape, "sparse", None, 0, (), problem)


def _parameter(data: _Tensor, *_: object) -> _Tensor:
    return data


def _nothing(*_: object) -> None:
    return None


_ALLOWED: dict[str, Any] = {
    "collections.OrderedDict": OrderedDict,
    "collections.defaultdict": lambda *_: {},
    "torch.Size": tuple,
    "torch.device": _nothing,
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_tensor_v3": _tensor_of_dtype,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_parameter_with_state": _parameter,
    "torch._utils._rebuild_qtensor": _quantized,
    "torch._utils._rebuild_meta_tensor_no_storage": _meta,
    "torch._utils._rebuild_sparse_tensor": _sparse,
    "torch._utils._rebuild_sparse_csr_tensor": _sparse,
    "torch.serialization._get_layout": _nothing,
    "torch._tensor._rebuild_from_type_v2": lambda build, kind, data, *_: build(*data),
    "torch.per_tensor_affine": None,
    "torch.per_channel_affine": None,
    **{f"torch.{name}": kind for name, kind in _STORAGES.items()},
    **{f"torch.{name}": name for name in _QUANTIZED},
    **{f"torch.{name}": kind for name, kind in _DTYPES.items()},
    "torch.storage.UntypedStorage": "U8",
    "torch.Tensor": None,
    "torch.nn.parameter.Parameter": _parameter,
    **{
        f"{home}.{kind.__name__}": kind
        for home in ("builtins", "__builtin__")
        for kind in (bool, complex, dict, float, int, list, set)
    },
    "_codecs.encode": _nothing,
}


class _Unpickler(pickle._Unpickler):
    # The one written in Python: the other allocates what a damaged file says.
    def find_class(self, module: str, name: str) -> Any:
        full = f"{module}.{name}"
        if full not in _ALLOWED:
            raise CodeError(full)
        return _ALLOWED[full]

    def persistent_load(self, saved: Any) -> _Storage:
        _, kind, key, *_ = saved
        return _Storage(str(kind), str(key))


def _unpickle(file: BinaryIO) -> object:
    return _Unpickler(file, encoding="utf-8").load()
