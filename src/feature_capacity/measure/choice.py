"""One matrix of features out of what is at hand: chosen by its user, never in silence."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .._arrays import require, unknown
from .layouts import Axis, Orientation, orient
from .slices import REAL, Block, StoredTensor
from .tensor_files import require_sensible, tensors_in

_LISTED = 12  # tensors that a message lists
_ARGUMENT = re.compile(r"<(key|index|features|skip_nonfinite)( [^<>]*)?>")


class ChoiceError(ValueError):
    """A matrix that was not measured, in one sentence that names arguments to change.

    In ``template`` an argument stands in angle brackets, with its value if it has one.

    >>> refusal = ChoiceError("choose one with <index 0,1>; leave <key> out")
    >>> print(refusal)
    choose one with index=(0,1); leave key out
    >>> refusal.for_command_line()
    'choose one with --index 0,1; leave --key out'
    """

    def __init__(self, template: str):
        super().__init__(_ARGUMENT.sub(_in_python, template))
        self.template = template

    def for_command_line(self) -> str:
        """The same with the options of the command line."""
        return _ARGUMENT.sub(
            lambda found: f"--{found[1].replace('_', '-')}{found[2] or ''}", self.template
        )


def _in_python(found: re.Match[str]) -> str:
    name, value = found[1], (found[2] or "").strip()
    if name == "skip_nonfinite":
        return f"{name}=True"
    if not value:
        return name
    if name == "index":
        return f"{name}=({value})" if "," in value else f"{name}={value}"
    return f'{name}="{value}"'


def _insist(condition: object, template: str) -> None:
    if not condition:
        raise ChoiceError(template)


OF_AN_OPTIMIZER = re.compile(r"(^|[._/])(optimi[sz]ers?|optim|exp_avg|exp_avg_sq|momentum)", re.I)
"""Names of what is an optimizer's, in any case of letters; listed after the model's."""
_PACKED = re.compile(r"(qweight|qzeros|weight_packed|\.SCB|\.absmax|quant_state.*|quant_map)$")
_SCALES = ("_scale_inv", "_scale", "_scales", ".absmax", ".SCB")


@dataclass(frozen=True)
class Source:
    """What was measured, as the first line of a report says it.

    Attributes
    ----------
    file : str
        Name of the file; empty for an array at hand.
    tensor : str
        Its name there; empty where it has none.
    shape : tuple of int
        Of the tensor, with its batch axes.
    index : tuple of int
        Which instance of a batch; empty without batch axes.
    features : {"rows", "columns"}
    why : str
        Why these are the features.
    remark : str
        What one should look at; mostly empty.
    """

    file: str
    tensor: str
    shape: tuple[int, ...]
    index: tuple[int, ...]
    features: Axis
    why: str
    remark: str = ""

    def sentence(self) -> str:
        """The first line of a report.

        >>> Source("a.pt", "W_dec", (64, 16), (), "rows", "as asked").sentence()
        'a.pt, W_dec, 64 x 16: 64 features in 16 dimensions; features are the rows (as asked)'
        """
        place = ", ".join(part for part in (self.file, self.tensor) if part) or "an array"
        which = f" [{', '.join(map(str, self.index))}]" if self.index else ""
        rows, columns = self.shape[-2:]
        n, d = (rows, columns) if self.features == "rows" else (columns, rows)
        return (
            f"{place}{which}, {told(self.shape)}: {n:,} feature{'s' * (n != 1)} in {d:,} "
            f"dimension{'s' * (d != 1)}; features are the {self.features} ({self.why})"
        )


@dataclass(frozen=True)
class Vectors:
    """The vectors of features, read in slices of features or of dimensions."""

    source: Source
    block: Block

    @property
    def n_features(self) -> int:
        """How many vectors."""
        return self.source.shape[-2 if self.source.features == "rows" else -1]

    @property
    def n_dims(self) -> int:
        """How many numbers each has."""
        return self.source.shape[-1 if self.source.features == "rows" else -2]

    def features(self, start: int, stop: int) -> np.ndarray:
        """Some of the features, each with all dimensions: float64 (n_dims, stop - start)."""
        return self._float64(slice(0, self.n_dims), slice(start, stop))

    def dims(self, start: int, stop: int) -> np.ndarray:
        """Some of the dimensions of all features: float64 (stop - start, n_features)."""
        return self._float64(slice(start, stop), slice(0, self.n_features))

    def _float64(self, dims: slice, features: slice) -> np.ndarray:
        index = self.source.index
        if self.source.features == "rows":
            return self.block(index, features, dims).astype(np.float64, copy=False).T
        return self.block(index, dims, features).astype(np.float64, copy=False)


def open_file(
    path: Path,
    key: str | None = None,
    index: tuple[int, ...] | None = None,
    features: Axis | None = None,
) -> Vectors:
    """The feature vectors in a file.

    Parameters
    ----------
    path : Path
        See :func:`~feature_capacity.measure.tensor_files.tensors_in`.
    key : str, optional
        Name of the tensor; needed where several have two dimensions or more.
    index : tuple of int, optional
        Which instance of a batch of matrices, one number for each axis before the last two.
    features : {"rows", "columns"}, optional
        Which axis is features; by default what the layout says.

    Raises
    ------
    ValueError
        In one sentence: where there is a choice, with what to type; for a key that is unknown, a
        tensor that is no matrix of real numbers, and whatever the reader refuses.
    """
    path = Path(path)
    tensors = tensors_in(path)
    name = choose(str(path), tensors, key)
    tensor = tensors[name]
    where = f"{path}, {name:.200}" if name else str(path)
    _require_real(where, name, tensors)
    if path.is_file() and path.suffix != ".json":
        require_sensible(where, tensor, path.stat().st_size)
    shapes = {other: one.shape for other, one in tensors.items()}
    return pick(where, str(path), name, tensor, index, features, shapes)


def pick(
    where: str,
    file: str,
    name: str,
    tensor: StoredTensor,
    index: tuple[int, ...] | None,
    features: Axis | None,
    beside: Mapping[str, tuple[int, ...]] | None = None,
) -> Vectors:
    """One instance of a tensor, with the axis that is features."""
    require(features in (None, "rows", "columns"), f"features must be rows or columns; got {features!r:.50}")  # noqa: E501 # fmt: skip
    has = f"the shape {told(tensor.shape)}" if tensor.shape else "a single number"
    require(len(tensor.shape) >= 2, f"{where} must be a matrix, with two dimensions; it has {has}")
    require(0 not in tensor.shape, f"{where} is an empty matrix, {told(tensor.shape)}")
    index = _checked_index(where, tensor.shape[:-2], index)
    oriented: Orientation = orient(name, tensor.shape, beside, features)
    source = Source(
        file, name, tensor.shape, index, oriented.features, oriented.why, oriented.remark
    )
    return Vectors(source, tensor.block)


def _checked_index(
    where: str, batch: tuple[int, ...], index: tuple[int, ...] | None
) -> tuple[int, ...]:
    if not batch:
        _insist(not index, f"{where} is one matrix, not a batch of them; leave <index> out")
        return ()
    ranges = " and ".join(f"0 to {length - 1}" for length in batch)
    example = ",".join("0" for _ in batch)
    if index is None:
        raise ChoiceError(
            f"{where} holds {math.prod(batch):,} matrices, a batch of shape {told(batch)}; choose "
            f"one with <index {example}> ({ranges})"
        )
    fits = len(index) == len(batch) and all(0 <= i < n for i, n in zip(index, batch, strict=False))
    given = ",".join(map(str, index))
    _insist(fits, f"<index {given:.60}> is none of {where}; give {ranges}, as in <index {example}>")
    return tuple(index)


def choose(where: str, tensors: Mapping[str, StoredTensor], key: str | None) -> str:
    """Name of the tensor to measure: the one asked for, or the only one that it can be.

    Raises
    ------
    ValueError
        Where there are several, with their shapes, those of the model before those of an
        optimizer; where there is none; for a key that is unknown.
    """
    if key is not None:
        _insist(
            list(tensors) != [""], f"{where} holds one array, which has no name; leave <key> out"
        )
        require(key in tensors, f"{where}: {unknown('key', key, _matrices(tensors))}")
        return key
    require(tensors, f"{where} holds no tensor")
    matrices = _matrices(tensors)
    if len(tensors) == 1:
        return next(iter(tensors))
    require(matrices, f"none of the {len(tensors)} tensors in {where} is a matrix")
    if len(matrices) == 1:
        return matrices[0]
    names = [f"{name:.60} ({told(tensors[name].shape)})" for name in matrices]
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    batches = any(len(tensors[name].shape) > 2 for name in matrices)
    instance = ", and an instance of a batch with <index>" if batches else ""
    raise ChoiceError(
        f"{where} holds {len(names)} matrices; "
        f"choose one with <key>: {', '.join(names[:_LISTED])}{more}{instance}"
    )


def _matrices(tensors: Mapping[str, StoredTensor]) -> list[str]:
    """Names of what has two dimensions or more, the model's first."""
    names = [name for name, tensor in tensors.items() if len(tensor.shape) >= 2]
    return sorted(names, key=lambda name: bool(OF_AN_OPTIMIZER.search(name)))


def _require_real(where: str, name: str, tensors: Mapping[str, StoredTensor]) -> None:
    tensor = tensors[name]
    if tensor.problem:
        verb = "" if tensor.problem.split()[0] in ("is", "holds", "must") else "is "
        raise ValueError(f"{where} {verb}{tensor.problem}")
    require(
        tensor.kind not in ("BOOL", "C64", "C128"),
        f"{where} must hold real numbers; its dtype is {tensor.kind}",
    )
    packed = bool(_PACKED.search(name)) or (
        name and tensor.kind not in REAL and _of_a_model(tensors)
    )
    scales = [name + end for end in _SCALES if _length(tensors, name + end) > 1]
    if packed or scales:
        beside = f" (beside it lies {scales[0]})" if scales else ""
        raise ValueError(
            f"{where} holds quantized or packed numbers, {tensor.kind}{beside}, which stand for "
            "others; dequantize the model, and save its weights as float32"
        )


def _length(tensors: Mapping[str, StoredTensor], name: str) -> int:
    return math.prod(tensors[name].shape) if name in tensors else 0


def _of_a_model(tensors: Mapping[str, StoredTensor]) -> bool:
    """Whether real numbers lie beside, as the norms and biases of a packed model do."""
    return any(tensor.kind in REAL for tensor in tensors.values())


def told(shape: Iterable[int]) -> str:
    """A shape in words.

    >>> told((64, 16))
    '64 x 16'
    """
    return " x ".join(map(str, shape))
