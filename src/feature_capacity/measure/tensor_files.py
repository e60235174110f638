"""Read one matrix out of a file of one's own: NumPy, torch or safetensors.

Nothing in a file is executed: files that would need it are refused.
"""

from __future__ import annotations

import math
import pickle
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeAlias

import numpy as np

from .._arrays import require, unknown
from .._lazy import MissingExtraError, need

if TYPE_CHECKING:
    import torch

Tensor: TypeAlias = "np.ndarray | torch.Tensor"


@dataclass(frozen=True)
class StoredTensor:
    """A tensor in a file, which is read when it is chosen."""

    shape: tuple[int, ...]
    read: Callable[[], Tensor]


def _stored(tensor: Tensor) -> StoredTensor:
    return StoredTensor(tuple(tensor.shape), lambda: tensor)


_LISTED = 12  # names that a message lists
_MOST_ENTRIES = 2**26  # that a small file may stand for: one that is packed, sparse or expanded
_MOST_PER_BYTE = 8
_MOST_LEAVES = 10**6
_DEEPEST = 100


def read_matrix(path: Path, key: str | None = None) -> np.ndarray:
    """The matrix in a file, as float64, or float32 where that holds its numbers exactly.

    Parameters
    ----------
    path : Path
        Ending in ``.npy``, ``.npz``, ``.pt``, ``.pth`` or ``.safetensors``.
    key : str, optional
        Which one, in a file that holds several; nested names of a ``.pt`` file are joined by
        dots.  Not needed where only one has two dimensions.

    Raises
    ------
    ValueError
        In one sentence: for a file that is missing, empty, damaged, of an unknown kind or that
        would run code; a key that is unknown or missing; a tensor that is not a matrix of finite
        real numbers.
    """
    path = Path(path)
    require(
        path.suffix.lower() in READERS,
        f"{path} ends in {path.suffix or 'nothing'}; a matrix is read from {', '.join(READERS)}",
    )
    try:
        require(path.is_file(), f"there is no file {path}")
        size = path.stat().st_size
        require(size > 0, f"{path} is empty")
        tensors = READERS[path.suffix.lower()](path)
    except OSError as error:
        reason = error.strerror or _line(error)
        raise ValueError(f"{path} cannot be read: {reason}") from None
    name, tensor = _choose(path, tensors, key)
    where = f"{path}, {name:.200}" if name else str(path)
    _require_matrix(where, tensor.shape)
    entries = math.prod(tensor.shape)
    require(
        entries <= max(_MOST_ENTRIES, _MOST_PER_BYTE * size),
        f"{where} unpacks to {float(entries):.3g} entries from {size:,} bytes, which is more than "
        "is sensible; save a plain matrix with numpy.save",
    )
    try:
        content = tensor.read()
        return _real_matrix(where, content)
    except (ValueError, MissingExtraError):
        raise
    except Exception as error:  # whatever a damaged file can raise
        raise ValueError(f"{where} cannot be read: {_line(error)}") from None


def _read_numpy(path: Path) -> dict[str, StoredTensor]:
    try:
        if path.suffix.lower() == ".npy" and not zipfile.is_zipfile(path):
            with path.open("rb") as file:
                return {"": _npy_stored(file, path.stat().st_size, partial(_load, path))}
        with zipfile.ZipFile(path) as archive:
            arrays = [info for info in archive.infolist() if info.filename.endswith(".npy")]
            found = {}
            for info in arrays:
                with archive.open(info) as member:
                    name = info.filename.removesuffix(".npy")
                    read = partial(_load, path, name)
                    found[name] = _npy_stored(member, info.file_size, read)
            return found
    except OSError:
        raise
    except Exception as error:  # a damaged header or archive can raise anything
        if "allow_pickle" in str(error):
            raise ValueError(
                f"{path} holds Python objects, which could run code, or is no NumPy file; "
                "save a plain array of numbers"
            ) from None
        raise ValueError(f"{path} is not a whole NumPy file: {_line(error)}") from None


def _load(path: Path, name: str = "") -> np.ndarray:
    try:
        content = np.load(path, allow_pickle=False)
        if isinstance(content, np.ndarray):
            return content
        with content:
            return np.asarray(content[name])
    except Exception as error:
        raise ValueError(f"{path} is not a whole NumPy file: {_line(error)}") from None


def _npy_stored(file: IO[bytes], size: int, read: Callable[[], Tensor]) -> StoredTensor:
    """What the header of an array says, if as many bytes follow it."""
    form = np.lib.format
    try:
        version = form.read_magic(file)
    except ValueError:
        raise ValueError("allow_pickle") from None  # which is what NumPy would say
    headers = {(1, 0): form.read_array_header_1_0, (2, 0): form.read_array_header_2_0}
    if version in headers:
        shape, _, dtype = headers[version](file)
    else:  # 3.0 is only for names of fields that are not Latin
        raise ValueError(f"version {version} of the format is not for numbers")
    if dtype.hasobject:
        raise ValueError("allow_pickle")
    require(all(length >= 0 for length in shape), f"its shape is {shape!r:.60}")
    claimed = math.prod(shape) * max(1, dtype.itemsize)
    there = size - file.tell()
    require(claimed <= there, f"{float(claimed):.6g} bytes of numbers claimed, {there} there")
    return StoredTensor(tuple(shape), read)


def _read_torch(path: Path) -> dict[str, StoredTensor]:
    need("models", f"reading {path}", "torch")
    import torch

    try:
        # What is not used of a mapped file is never read; files of old versions cannot be mapped.
        mapped = zipfile.is_zipfile(path)
        if mapped:
            _require_unpacked(path)
        content = torch.load(str(path), map_location="cpu", weights_only=True, mmap=mapped)
    except Exception as error:  # a damaged pickle can raise anything
        text = str(error)
        if isinstance(error, pickle.UnpicklingError) and ("GLOBAL" in text or "REDUCE" in text):
            raise ValueError(
                f"{path} holds more than tensors, and reading it would run code; "
                "save a tensor, or a dictionary of tensors such as model.state_dict()"
            ) from None
        raise ValueError(f"{path} is not a whole torch file") from None
    return {name: _stored(leaf) for name, leaf in _leaves(path, content) if torch.is_tensor(leaf)}


def _require_unpacked(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(info.file_size for info in archive.infolist())
    require(unpacked <= max(2**28, 2 * path.stat().st_size), "packed; torch never packs tensors")


def _leaves(path: Path, content: object) -> Iterator[tuple[str, object]]:
    """Everything in nested dictionaries and lists, in order, by names joined with dots."""
    waiting, number = [("", content, 0)], 0
    while waiting:
        name, one, depth = waiting.pop()
        number += 1
        require(
            depth <= _DEEPEST and number <= _MOST_LEAVES,
            f"{path} is nested too deeply or refers to itself; save a dictionary of tensors",
        )
        if isinstance(one, list | tuple):
            one = dict(enumerate(one))
        if isinstance(one, Mapping):
            inside = [(f"{name}.{k}" if name else str(k), v, depth + 1) for k, v in one.items()]
            waiting += reversed(inside)
        else:
            yield name, one


def _read_safetensors(path: Path) -> dict[str, StoredTensor]:
    from safetensors import SafetensorError, safe_open

    def read(name: str) -> Tensor:
        with safe_open(path, framework="pt" if find_spec("torch") else "np") as archive:
            kind = archive.get_slice(name).get_dtype()
            if kind.startswith(("BF", "F8")):  # which NumPy does not know
                need("models", f"reading {name} of {path}, which is {kind},", "torch")
            return archive.get_tensor(name)

    try:
        with safe_open(path, framework="np") as archive:
            shapes = {name: tuple(archive.get_slice(name).get_shape()) for name in archive.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{path} is not a whole safetensors file: {_line(error)}") from None
    return {name: StoredTensor(shape, partial(read, name)) for name, shape in shapes.items()}


READERS: dict[str, Callable[[Path], dict[str, StoredTensor]]] = {
    ".npy": _read_numpy,
    ".npz": _read_numpy,
    ".pt": _read_torch,
    ".pth": _read_torch,
    ".safetensors": _read_safetensors,
}
"""What reads a file, by its ending; each says by name which tensors are in it."""


def _choose(
    path: Path, tensors: dict[str, StoredTensor], key: str | None
) -> tuple[str, StoredTensor]:
    matrices = {name: tensor for name, tensor in tensors.items() if len(tensor.shape) == 2}
    if key is not None:
        require(
            list(tensors) != [""], f"{path} holds one array, which has no name; leave --key out"
        )
        require(key in tensors, f"{path}: {unknown('key', key, matrices)}")
        return key, tensors[key]
    require(tensors, f"{path} holds no tensor")
    for choice in (tensors, matrices):
        if len(choice) == 1:
            return next(iter(choice.items()))
    require(matrices, f"none of the {len(tensors)} tensors in {path} is a matrix")
    names = [f"{name:.60} ({_shape(tensor)})" for name, tensor in matrices.items()]
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    raise ValueError(
        f"{path} holds {len(names)} matrices; "
        f"choose one with --key: {', '.join(names[:_LISTED])}{more}"
    )


def _shape(tensor: StoredTensor) -> str:
    return " x ".join(map(str, tensor.shape))


def _require_matrix(where: str, shape: tuple[int, ...]) -> None:
    told = " x ".join(map(str, shape[:_LISTED]))
    has = f"the shape {told}" if shape else "a single number"
    require(len(shape) == 2, f"{where} must be a matrix, with two dimensions; it has {has}")
    require(0 not in shape, f"{where} is an empty matrix, {told}")


def _real_matrix(where: str, tensor: Tensor) -> np.ndarray:
    array = tensor if isinstance(tensor, np.ndarray) else _from_torch(where, tensor)
    require(
        array.dtype.kind in "iuf", f"{where} must hold real numbers; its dtype is {array.dtype}"
    )
    exact = array.dtype.kind == "f" and array.dtype.itemsize <= 4
    array = array.astype(np.float32 if exact else np.float64, copy=False)
    finite = np.isfinite(array)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        raise ValueError(
            f"{where} must hold finite numbers; entry [{row}, {column}] is {array[row, column]}"
        )
    return array


def _from_torch(where: str, tensor: torch.Tensor) -> np.ndarray:
    import torch

    if tensor.is_complex() or tensor.is_quantized or tensor.dtype == torch.bool:
        raise ValueError(f"{where} must hold real numbers; its dtype is {tensor.dtype}")
    if tensor.layout != torch.strided:
        tensor = tensor.to_dense()
    if tensor.is_floating_point() and tensor.dtype != torch.float64:
        tensor = tensor.float()  # NumPy knows no bfloat16
    return tensor.numpy(force=True)


def _line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
