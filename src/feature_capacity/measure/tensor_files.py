"""Tensors in a file of one's own, by what the file holds rather than by how its name ends.

Nothing in a file is executed: files that would need it are refused.  Nothing is read before a
tensor is chosen, and then in slices.
"""

from __future__ import annotations

import difflib
import json
import math
import pickle
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import numpy as np

from .._arrays import require
from .._lazy import MissingExtraError, need
from .._signals import held_back
from .pickles import CodeError, read_torch_legacy, read_torch_zip
from .slices import FileRegion, Guarded, StoredTensor, array_block, contiguous, dtype_of

FORMATS = ".npy, .npz, .safetensors, .pt, .pth, .bin, .ckpt, .zarr or an index of shards (.json)"
"""Kinds of files that are read, by their usual endings."""

_MOST_ENTRIES = 2**26  # that a small file may stand for: one that is packed, or expanded
_MOST_PER_BYTE = 8

Tensors = Mapping[str, StoredTensor]


def tensors_in(path: Path) -> Tensors:
    """The tensors in a file by name, in the file's order; an array without a name is ``""``.

    Parameters
    ----------
    path : Path
        What NumPy, torch (a checkpoint or state_dict, old or new), safetensors or Zarr has
        written, or the index of a model in several safetensors files.

    Raises
    ------
    ValueError
        In one sentence: for a file that is missing, empty, a folder, damaged, of an unknown kind
        or that would run code.
    ModuleNotFoundError
        For Zarr, where it is not installed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "w.bin"
    ...     with path.open("wb") as file:
    ...         np.savez(file, W=np.eye(2, 3))
    ...     {name: tensor.shape for name, tensor in tensors_in(path).items()}
    {'W': (2, 3)}
    """
    path = Path(path)
    try:
        return _tensors_in(path)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror or _line(error)}") from None


def _meant(path: Path) -> str:
    """A question that names the file whose name is nearest, if there is one."""
    try:
        names = sorted(one.name for one in path.parent.iterdir() if one.is_file())
    except OSError:
        return ""
    near = difflib.get_close_matches(path.name[:100], names, n=1, cutoff=0.75)
    return f"; did you mean {path.with_name(near[0])}?" if near else ""


def _tensors_in(path: Path) -> Tensors:
    if path.is_dir():
        return _read_folder(path)
    require(path.is_file(), f"there is no file {path}{_meant(path)}")
    size = path.stat().st_size
    require(size > 0, f"{path} is empty")
    with path.open("rb") as file:
        start = file.read(512)
    what, read = _kind(path, start)
    try:
        return read(path)
    except CodeError as error:
        raise ValueError(
            f"{path} holds more than tensors: reading it would run code of {error.name}; "
            "save a tensor, or a dictionary of tensors such as model.state_dict()"
        ) from None
    except (_SaidError, MissingExtraError, OSError):
        raise
    except Exception as error:  # a damaged file can raise anything
        raise ValueError(f"{path} is not a whole {what} file: {_line(error)}") from None


class _SaidError(ValueError):
    """A sentence that needs no more words around it."""


def _kind(path: Path, start: bytes) -> tuple[str, Callable[[Path], Tensors]]:
    """What a file is by its first bytes, and what reads it."""
    for sign, problem in _NO_TENSORS.items():
        if start.lstrip().lower().startswith(sign):
            raise ValueError(f"{path} {problem}")
    if start.startswith(b"\x93NUMPY"):
        return "NumPy", _read_npy
    if start.startswith(b"PK"):
        return ("NumPy" if path.suffix.lower() == ".npz" else "torch"), _read_zip
    # Before the sign of a pickle: a length of 128 begins with the same byte, and ends in zeros.
    length = int.from_bytes(start[:8], "little")
    if start[8:9] == b"{" and (length <= path.stat().st_size or start[5:8] == bytes(3)):
        return "safetensors", _read_safetensors
    if start.startswith(b"\x80") and start[1:2] <= b"\x05":
        return "torch", _read_legacy
    if start[:1] == b"{":
        return "index", _read_index
    if start[8:9] == b"{":
        return "safetensors", _read_safetensors
    wanted = path.suffix.lower()
    if wanted in _BY_ENDING:
        raise ValueError(f"{path} is not a whole {_BY_ENDING[wanted]} file: it begins otherwise")
    raise ValueError(f"{path} is no file of tensors that is read here: {FORMATS}")


_BY_ENDING = {".npy": "NumPy", ".npz": "NumPy", ".pt": "torch", ".pth": "torch",
              ".safetensors": "safetensors"}  # fmt: skip

_NO_TENSORS = {
    b"version https://git-lfs": "is a pointer to a file that was not downloaded; "
    "fetch the file itself with: git lfs pull",
    b"<!doctype html": "is a web page, not weights; download the file itself",
    b"<html": "is a web page, not weights; download the file itself",
    b"gguf": "is a GGUF file, whose numbers are packed; take the model's safetensors",
    b"\x89hdf\r\n": "is an HDF5 file; save the matrix with numpy.save",
}


# -------------------------------------------------------------------------------------- NumPy


def _read_npy(path: Path) -> Tensors:
    with path.open("rb") as file:
        tensor = _npy_stored(path, path, file, path.stat().st_size)
    return {"": tensor}


def _read_zip(path: Path) -> Tensors:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if any(name.endswith("data.pkl") for name in names):
            scripted = any("/code/" in name or name.endswith("constants.pkl") for name in names)
            if scripted:
                raise _SaidError(
                    f"{path} is a TorchScript archive, which holds code; load it with "
                    "torch.jit.load and save its state_dict()"
                )
            return read_torch_zip(path, archive)
        arrays = [info for info in archive.infolist() if info.filename.endswith(".npy")]
        if not arrays and path.suffix.lower() != ".npz":
            raise _SaidError(f"{path} is an archive without tensors; give {FORMATS}")
        return {info.filename.removesuffix(".npy"): _member(path, archive, info) for info in arrays}


def _member(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> StoredTensor:
    with archive.open(info) as member:
        if info.compress_type != zipfile.ZIP_STORED:
            tensor = _npy_stored(path, path, member, info.file_size)
            unpacked = _Unpacked(path, info.filename, tensor)
            return replace(tensor, block=Guarded(path, "NumPy file", unpacked))
        tensor = _npy_stored(path, path, member, info.file_size)
    with path.open("rb") as file:
        file.seek(info.header_offset + 26)
        header = file.read(4)
    begin = info.header_offset + 30 + sum(np.frombuffer(header, "<u2").tolist())
    region = cast("FileRegion", tensor.block)
    return replace(tensor, block=replace(region, offset=begin + region.offset))


class _Unpacked:
    """A compressed array, unpacked to a temporary file when the first slice is asked for."""

    def __init__(self, path: Path, name: str, packed: StoredTensor):
        self.path, self.name = path, name
        self.region = cast("FileRegion", packed.block)
        self.file: BinaryIO | None = None

    def __call__(self, index: tuple[int, ...], rows: slice, columns: slice) -> np.ndarray:
        if self.file is None:
            self.file = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 - as long as self
            with zipfile.ZipFile(self.path) as archive, archive.open(self.name) as member:
                while part := member.read(1 << 20):
                    self.file.write(part)
        return replace(self.region, file=self.file)(index, rows, columns)


def _npy_stored(path: Path, where: Path, file: IO[bytes], size: int) -> StoredTensor:
    """What the header of an array says, if as many bytes follow it."""
    form = np.lib.format
    version = form.read_magic(file)
    headers = {(1, 0): form.read_array_header_1_0, (2, 0): form.read_array_header_2_0}
    # Version 3.0 is only for names of fields that are not Latin.
    require(version in headers, f"version {version} of the format is not for numbers")
    shape, fortran, dtype = headers[version](file)
    if dtype.hasobject:
        raise _SaidError(
            f"{path} holds Python objects, which could run code; save a plain array of numbers"
        )
    require(all(length >= 0 for length in shape), f"its shape is {shape!r:.60}")
    claimed = math.prod(shape) * max(1, dtype.itemsize)
    there = size - file.tell()
    require(claimed <= there, f"{float(claimed):.6g} bytes of numbers claimed, {there} there")
    strides = contiguous(shape[::-1])[::-1] if fortran else contiguous(shape)
    kind = {"f": "F", "i": "I", "u": "U"}.get(dtype.kind, "")
    kind = f"{kind}{8 * dtype.itemsize}" if kind else str(dtype)
    region = FileRegion(where, file.tell(), dtype, kind, tuple(shape), strides)
    # Whole numbers of NumPy's are numbers; those in a file of weights are mostly packed.
    problem = "" if dtype.kind in "fiu" else f"must hold real numbers; its dtype is {dtype}"
    return StoredTensor(tuple(shape), kind, region, problem)


# -------------------------------------------------------------------------------------- torch


def _read_legacy(path: Path) -> Tensors:
    try:
        return read_torch_legacy(path)
    except pickle.UnpicklingError as error:
        raise ValueError(_line(error)) from None


# -------------------------------------------------------------------------------- safetensors


def _read_safetensors(path: Path) -> Tensors:
    from safetensors import safe_open

    # The library checks that no two tensors overlap and that none reaches beyond the file.
    with safe_open(path, framework="np"):
        pass
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    found = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        kind, shape = entry["dtype"], tuple(entry["shape"])
        dtype = dtype_of(kind)
        problem = (
            "" if dtype is not None else f"holds numbers of the kind {kind}, which is not read"
        )
        start = 8 + length + entry["data_offsets"][0]
        region = FileRegion(path, start, dtype or np.dtype("u1"), kind, shape)
        found[name] = StoredTensor(shape, kind, region, problem)
    # The header is sorted by alignment; names say more in the order of the numbers.
    return found


def _read_index(path: Path) -> Tensors:
    """A model in several files: each is opened when one of its tensors is asked for."""
    try:
        shards = json.loads(path.read_text(encoding="utf-8"))["weight_map"]
        pairs = [(str(name), path.parent / Path(str(shard)).name) for name, shard in shards.items()]
    except (KeyError, TypeError, AttributeError):
        raise _SaidError(
            f"{path} is no index of weights: it has no weight_map; give {FORMATS}"
        ) from None
    found: dict[str, StoredTensor] = {}
    opened: dict[Path, Tensors] = {}
    for name, shard in pairs:
        if shard not in opened:
            if not shard.is_file():
                raise _SaidError(f"{path} names {shard.name}, which is not beside it")
            opened[shard] = tensors_in(shard)
        if name not in opened[shard]:
            raise _SaidError(f"{path} says that {name} is in {shard.name}, which does not hold it")
        found[name] = opened[shard][name]
    return found


# ------------------------------------------------------------------------------- Zarr, folders


def _read_folder(path: Path) -> Tensors:
    if any((path / name).is_file() for name in ("zarr.json", ".zarray", ".zgroup")):
        need("sweeps", f"reading {path}", "zarr")
        try:
            return _read_zarr(path)
        except Exception as error:  # a damaged store can raise anything
            raise ValueError(f"{path} is not a whole Zarr store: {_line(error)}") from None
    inside = sorted(file.name for file in path.iterdir() if file.suffix.lower() in _WEIGHTS)
    index = [name for name in inside if name.endswith(".index.json")]
    files = index or [name for name in inside if not name.endswith(".json")]
    hint = f", such as {path / files[0]}" if files else ""
    raise ValueError(f"{path} is a folder; name a file in it{hint}")


_WEIGHTS = (".safetensors", ".npy", ".npz", ".pt", ".pth", ".bin", ".ckpt", ".json")


def _read_zarr(path: Path) -> Tensors:
    import zarr

    with held_back():
        store = zarr.open(path, mode="r")
    arrays: dict[str, Any] = (
        {"": store} if isinstance(store, zarr.Array) else dict(_arrays_in(store, ""))
    )
    found = {}
    for name, array in arrays.items():
        kind = str(array.dtype)
        real = array.dtype.kind in "fiu"
        problem = "" if real else f"must hold real numbers; its dtype is {kind}"
        block = Guarded(path, "Zarr store", array_block(array))
        found[name] = StoredTensor(tuple(array.shape), kind, block, problem)
    return found


def _arrays_in(group: Any, top: str) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name in sorted(group):
        one = group[name]
        found += [(f"{top}{name}", one)] if hasattr(one, "dtype") else _arrays_in(one, f"{name}/")
    return found


def require_sensible(where: str, tensor: StoredTensor, size: int) -> None:
    """Refuse a tensor that stands for far more numbers than its file has bytes."""
    entries = math.prod(tensor.shape)
    require(
        entries <= max(_MOST_ENTRIES, _MOST_PER_BYTE * size),
        f"{where} unpacks to {float(entries):.3g} entries from {size:,} bytes, which is more than "
        "is sensible; save a plain matrix with numpy.save",
    )


def _line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
