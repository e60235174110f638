"""Read one matrix out of a file of one's own: NumPy, torch or safetensors.

Nothing in a file is executed: files that would need it are refused.
"""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .._arrays import require, unknown
from .._lazy import need

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
    require(path.is_file(), f"there is no file {path}")
    require(path.stat().st_size > 0, f"{path} is empty")
    try:
        tensors = READERS[path.suffix.lower()](path)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {_line(error)}") from None
    name, tensor = _choose(path, tensors, key)
    return _real_matrix(f"{path}, {name}" if name else str(path), tensor.read())


def _read_numpy(path: Path) -> dict[str, StoredTensor]:
    try:
        content = np.load(path, allow_pickle=False)
        if isinstance(content, np.ndarray):
            return {"": _stored(content)}
        with content:
            return {name: _stored(content[name]) for name in content.files}
    except (ValueError, EOFError, AttributeError, TypeError, zipfile.BadZipFile) as error:
        if "allow_pickle" in str(error):
            raise ValueError(
                f"{path} holds Python objects, which could run code, or is no NumPy file; "
                "save a plain array of numbers"
            ) from None
        raise ValueError(f"{path} is not a whole NumPy file: {_line(error)}") from None


def _read_torch(path: Path) -> dict[str, StoredTensor]:
    need("models", f"reading {path}", "torch")
    import torch

    try:
        # What is not used of a mapped file is never read; files of old versions cannot be mapped.
        mapped = zipfile.is_zipfile(path)
        content = torch.load(str(path), map_location="cpu", weights_only=True, mmap=mapped)
    except Exception as error:  # a damaged pickle can raise anything
        text = str(error)
        if isinstance(error, pickle.UnpicklingError) and ("GLOBAL" in text or "REDUCE" in text):
            raise ValueError(
                f"{path} holds more than tensors, and reading it would run code; "
                "save a tensor, or a dictionary of tensors such as model.state_dict()"
            ) from None
        raise ValueError(f"{path} is not a whole torch file") from None
    return {name: _stored(leaf) for name, leaf in _leaves("", content) if torch.is_tensor(leaf)}


def _leaves(name: str, content: object) -> Iterator[tuple[str, object]]:
    """Everything in nested dictionaries and lists, by names joined with dots."""
    if isinstance(content, list | tuple):
        content = dict(enumerate(content))
    if not isinstance(content, Mapping):
        yield name, content
        return
    for key, value in content.items():
        yield from _leaves(f"{name}.{key}" if name else str(key), value)


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
    names = [f"{name} ({_shape(tensor)})" for name, tensor in matrices.items()]
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    raise ValueError(
        f"{path} holds {len(names)} matrices; "
        f"choose one with --key: {', '.join(names[:_LISTED])}{more}"
    )


def _shape(tensor: Tensor | StoredTensor) -> str:
    return " x ".join(map(str, tensor.shape))


def _real_matrix(where: str, tensor: Tensor) -> np.ndarray:
    shape = f"the shape {_shape(tensor)}" if tensor.ndim else "a single number"
    require(tensor.ndim == 2, f"{where} must be a matrix, with two dimensions; it has {shape}")
    require(0 not in tensor.shape, f"{where} is an empty matrix, {_shape(tensor)}")
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
    return (str(error).strip() or type(error).__name__).splitlines()[0]
