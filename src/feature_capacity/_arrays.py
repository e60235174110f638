"""Arrays in: lists, NumPy arrays and torch tensors become floating arrays of one library.

Closed forms in this package are written once against the Python array API standard.
These helpers turn what a caller gives into a floating array of the caller's own library and
refuse, with one sentence, what the mathematics has no answer for.
"""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from types import ModuleType
from typing import Any, Protocol, TypeAlias, cast

import numpy as np
import numpy.typing as npt
from array_api_compat import array_namespace, device, is_array_api_obj, is_torch_array

Namespace: TypeAlias = ModuleType
"""The module whose functions take an array: NumPy, torch, or another of the standard."""

# Each library has its own list of what may stand on the other side of an operator, or in brackets.
_Operand: TypeAlias = Any


class Mask(Protocol):
    """An array of truth values, as comparisons of arrays give it."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    def __getitem__(self, key: _Operand, /) -> Mask: ...
    def __and__(self, other: _Operand, /) -> Mask: ...
    def __rand__(self, other: _Operand, /) -> Mask: ...
    def __or__(self, other: _Operand, /) -> Mask: ...
    def __ror__(self, other: _Operand, /) -> Mask: ...
    def __invert__(self) -> Mask: ...


class Array(Protocol):
    """A NumPy array, a torch tensor, or another array that follows the array API standard."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def ndim(self) -> int: ...
    @property
    def dtype(self) -> object: ...
    @property
    def mT(self) -> Array: ...
    def __getitem__(self, key: _Operand, /) -> Array: ...
    def __setitem__(self, key: _Operand, value: _Operand, /) -> None: ...
    def __float__(self) -> float: ...
    def __int__(self) -> int: ...
    def __neg__(self) -> Array: ...
    def __add__(self, other: _Operand, /) -> Array: ...
    def __radd__(self, other: _Operand, /) -> Array: ...
    def __sub__(self, other: _Operand, /) -> Array: ...
    def __rsub__(self, other: _Operand, /) -> Array: ...
    def __mul__(self, other: _Operand, /) -> Array: ...
    def __rmul__(self, other: _Operand, /) -> Array: ...
    def __truediv__(self, other: _Operand, /) -> Array: ...
    def __rtruediv__(self, other: _Operand, /) -> Array: ...
    def __pow__(self, other: _Operand, /) -> Array: ...
    def __matmul__(self, other: _Operand, /) -> Array: ...
    def __lt__(self, other: _Operand, /) -> Mask: ...
    def __le__(self, other: _Operand, /) -> Mask: ...
    def __gt__(self, other: _Operand, /) -> Mask: ...
    def __ge__(self, other: _Operand, /) -> Mask: ...


ArrayLike: TypeAlias = Array | npt.ArrayLike
"""What public functions take: an array, a number, or nested lists of numbers."""


def as_float_arrays(**named: ArrayLike) -> tuple[Namespace, tuple[Array, ...]]:
    """Return (namespace, (array, array, ...)), every argument a floating array of one library.

    Lists and Python numbers become NumPy arrays, or tensors when another argument is one.
    The widest floating dtype among the array arguments wins; integers count as float64.

    >>> xp, (a, b) = as_float_arrays(a=[1, 2], b=0.5)
    >>> a.dtype, float(b)
    (dtype('float64'), 0.5)
    """
    for name, value in named.items():
        _require_plain(value, name)
    given = [x for x in named.values() if is_array_api_obj(x)]
    # A NumPy scalar or array beside a tensor is data for the tensor's library, not a rival.
    leaders = [x for x in given if is_torch_array(x)] or given or [np.empty(0)]
    kinds = {(type(x).__module__, str(device(x))) for x in leaders if not _is_numpy(x)}
    require(len(kinds) < 2, "arrays must be of one library on one device; convert or move them")
    xp, where, tensors = array_namespace(*leaders), device(leaders[0]), is_torch_array(leaders[0])

    converted, deciding = [], []
    for name, value in named.items():
        if is_array_api_obj(value) and (not tensors or is_torch_array(value)):
            # Subclasses of NumPy's array give operators another meaning (numpy.matrix does).
            plain = np.asarray(value) if _is_numpy(value) else value
            array = _real_array(xp, cast("Array", plain), name)
        else:
            given_numbers = numbers(value, name)
            # A copy: torch takes no negative strides, and nothing read-only.
            array = xp.asarray(given_numbers.copy() if tensors else given_numbers, device=where)
        converted.append(array)
        # Only arrays decide the precision: a Python number beside a float32 array stays float32.
        if is_array_api_obj(value) and xp.isdtype(array.dtype, "real floating"):
            deciding.append(array)
    dtype = xp.result_type(*deciding) if deciding else xp.float64
    return xp, tuple(xp.astype(array, dtype, copy=False) for array in converted)


def _is_numpy(value: object) -> bool:
    return isinstance(value, (np.ndarray, np.generic))


def _require_plain(value: object, name: str) -> None:
    """Refuse arrays whose numbers are not all there: masked, sparse, nested or without data."""
    parts = value if isinstance(value, (list, tuple)) else [value]
    if any(isinstance(part, np.ma.MaskedArray) for part in parts):
        raise ValueError(
            f"{name} must hold real numbers; got a masked array: "
            "take its compressed() values, or give masked entries a number with filled()"
        )
    if is_torch_array(value):
        tensor = cast("Any", value)
        kinds = {"sparse": str(tensor.layout) != "torch.strided", "nested": tensor.is_nested}
        kinds["meta"] = tensor.device.type == "meta"
        found = [kind for kind, so in kinds.items() if so]
        require(
            not found,
            f"{name} must hold real numbers; got a {' '.join(found)} tensor: "
            "give a dense one that has data (to_dense() makes one of a sparse one)",
        )


def shown(value: object) -> str:
    """A value as a message can hold it: on one line, and short.

    >>> shown("a" * 1000), shown([1, 2])
    ("'aaaaaaaaaaaaaaaaaaaaaaa...aaaaaaaaaaaaaaaaaaaaaaaa'", '[1, 2]')
    """
    short = reprlib.Repr()
    short.maxstring, short.maxother, short.maxlong = 52, 60, 60
    try:
        text = " ".join(short.repr(value).split())
    except Exception:  # a foreign object may fail in any way, and long ints have no repr
        text = f"a value of type {type(value).__name__}"
    return text if len(text) <= 100 else f"{text[:97]}..."


def _real_array(xp: Namespace, array: Array, name: str) -> Array:
    """Refuse arrays that a cast to floating point would change the meaning of."""
    dtype = array.dtype
    if dtype in (xp.float32, xp.float64) or xp.isdtype(dtype, "integral"):
        return array
    rule = "hold real numbers"
    if xp.isdtype(dtype, "real floating"):
        rule = "be float32 or float64, for which ranges and rounding are known"
    raise ValueError(f"{name} must {rule}; got dtype {dtype}: convert it first")


def numbers(value: ArrayLike, name: str) -> np.ndarray:
    """A float64 array of what is not an array yet; text and truth values are not numbers."""
    _require_plain(value, name)
    try:
        array = np.asarray(value)
        if array.dtype.kind == "O":  # fractions; float() refuses None, which asarray takes
            array = np.vectorize(float, otypes=[np.float64])(array)
        if array.dtype.kind not in "iuf":
            raise TypeError(array.dtype)
    except Exception as error:  # __array__ and __float__ of a foreign object may raise anything
        raise ValueError(
            f"{name} must be real numbers in an array or nested lists of equal length; "
            f"got {shown(value)}"
        ) from error
    return array if array.dtype == np.float32 else array.astype(np.float64, copy=False)


def checked(**named: ArrayLike) -> tuple[Namespace, tuple[Array, ...]]:
    """As :func:`as_float_arrays`, each held to the rule that goes with its name."""
    xp, arrays = as_float_arrays(**named)
    for name, array in zip(named, arrays, strict=True):
        _CHECKS[name](xp, array)
    return xp, arrays


def require(condition: object, message: str) -> None:
    """Raise ``ValueError(message)`` unless ``condition`` holds."""
    if not bool(condition):
        raise ValueError(message)


def require_broadcast(**shapes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the common shape, or raise one ``ValueError`` for every array library."""
    try:
        return np.broadcast_shapes(*(tuple(shape) for shape in shapes.values()))
    except ValueError as error:
        listed = ", ".join(f"{name} {tuple(shape)}" for name, shape in shapes.items())
        raise ValueError(
            f"shapes must broadcast against each other; got {listed}: "
            "give them equal lengths, or length 1 where one value serves all"
        ) from error


def require_where(xp: Namespace, good: Mask, array: Array, rule: str, remedy: str) -> None:
    """Raise ``ValueError`` that gives the rule, the first entry that breaks it, and the remedy."""
    if not bool(xp.all(good)):
        position = int(xp.argmax(xp.astype(xp.reshape(~good, (-1,)), xp.int8)))
        value = float(xp.reshape(array, (-1,))[position])
        raise ValueError(f"{rule}; got {value!r} at flat position {position}: {remedy}")


def require_finite(xp: Namespace, array: Array, name: str) -> None:
    """Raise ``ValueError`` naming the first entry of ``array`` that is NaN or infinite."""
    finite = xp.isfinite(array)
    require_where(xp, finite, array, f"{name} must be finite", "remove or replace that entry")


def require_importance(xp: Namespace, importance: Array) -> None:
    """Raise ``ValueError`` unless importances are finite, non-negative and one per feature."""
    require(
        importance.ndim >= 1 and 0 not in importance.shape,
        "importance must have one entry per feature on its last axis, and no empty axis; "
        f"got shape {tuple(importance.shape)}",
    )
    # Extremes carry NaN through, so a valid array costs two passes and no temporary.
    low, high = xp.min(importance), xp.max(importance)
    if not bool((low >= 0) & (high < float("inf"))):
        require_finite(xp, importance, "importance")
        rule, remedy = "importance must be at least 0", "use 0 for a feature that does not matter"
        require_where(xp, importance >= 0, importance, rule, remedy)


def require_kurtosis(xp: Namespace, kurtosis: Array) -> None:
    """Raise ``ValueError`` unless every kurtosis is finite and at least 1."""
    require_finite(xp, kurtosis, "kurtosis")
    rule = "kurtosis must be at least 1 for a unit-variance variable"
    remedy = "give the fourth moment itself, not its excess over 3"
    require_where(xp, kurtosis >= 1, kurtosis, rule, remedy)


def _require_matrix(xp: Namespace, W: Array) -> None:
    require(
        W.ndim >= 2 and W.shape[-1] >= 1 and W.shape[-2] >= 1,
        f"W must have shape (..., n_dims, n_features) with both at least 1; got {tuple(W.shape)}",
    )


def _require_capacity(xp: Namespace, capacity: Array) -> None:
    good = (capacity >= 0) & (capacity <= 1)
    rule, remedy = "capacity must be in [0, 1]", "it is a fraction of one dimension"
    require_where(xp, good, capacity, rule, remedy)


def _require_size(xp: Namespace, array: Array, name: str, remedy: str) -> None:
    good = (array >= 0) & xp.isfinite(array)
    require_where(xp, good, array, f"{name} must be finite and at least 0", remedy)


_CHECKS: dict[str, Callable[[Namespace, Array], None]] = {
    "W": _require_matrix,
    "importance": require_importance,
    "kurtosis": require_kurtosis,
    "capacity": _require_capacity,
    "sq_norm": partial(_require_size, name="sq_norm", remedy="it is a squared length"),
    "multiplier": partial(_require_size, name="multiplier", remedy="take it from solve_allocation"),
}


def require_whole(value: object, name: str, low: int, high: int | None, rule: str) -> int:
    """Return ``value`` as an int, or raise ``ValueError`` unless it is whole and in [low, high]."""
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        whole = int(value)
        if whole >= low and (high is None or whole <= high):
            return whole
    raise ValueError(f"{name} must be {rule}; got {shown(value)}")


def require_number(value: object, name: str, low: float, high: float, interval: str) -> float:
    """Return ``value`` as a float, or raise ``ValueError`` unless it is in [low, high].

    ``interval`` says in words what is allowed.
    """
    number = isinstance(value, (int, float, np.integer, np.floating))
    with suppress(OverflowError):  # a whole number beyond all floats
        if number and not isinstance(value, bool) and low <= cast("float", value) <= high:
            return float(cast("float", value))
    raise ValueError(f"{name} must be a number in {interval}; got {shown(value)}")


def require_generator(value: object) -> None:
    """Raise ``ValueError`` unless it is a NumPy generator."""
    require(
        isinstance(value, np.random.Generator),
        "generator must be a numpy.random.Generator (for example numpy.random.default_rng(0)); "
        f"got {shown(value)}",
    )


def feature_kurtosis(kurtosis: Array, n_features: int) -> Array:
    """The kurtosis as it broadcasts against importance (..., n_features), or ``ValueError``."""
    require(
        not kurtosis.ndim or kurtosis.shape[-1] in (1, n_features),
        "kurtosis must broadcast against importance: a number, one a feature "
        f"({n_features}), or shape (..., 1) for one a row; got shape {tuple(kurtosis.shape)}: "
        "write kurtosis[..., None], as in kurtosis[:, None], for one a row",
    )
    return kurtosis


def equal_in_rows(xp: Namespace, kurtosis: Array) -> bool:
    """Whether all features of every row have one kurtosis."""
    return not kurtosis.ndim or bool(xp.all(kurtosis == kurtosis[..., :1]))


def row_kurtosis(xp: Namespace, kurtosis: Array, n_features: int) -> Array:
    """The kurtosis of each row of features, of batch shape; rows must have one each."""
    kurtosis = feature_kurtosis(kurtosis, n_features)
    if not kurtosis.ndim:
        return kurtosis
    first = kurtosis[..., :1]
    rule = "kurtosis must be the same for all features of a row here"
    remedy = "write kurtosis[:, None] for one a row; minimize_moments takes unequal features"
    require_where(xp, (kurtosis >= first) & (kurtosis <= first), kurtosis, rule, remedy)
    return first[..., 0]


def constant(x: Array) -> Array:
    """The same numbers without a gradient: a constant to every derivative."""
    return x.detach() if is_torch_array(x) else x


def to_numpy(x: ArrayLike) -> np.ndarray:
    """What is given as a float64 NumPy array; of a tensor, without its graph and on the CPU."""
    return np.asarray(x.detach().cpu().numpy() if is_torch_array(x) else x, dtype=np.float64)


def float64(value: ArrayLike, name: str) -> np.ndarray:
    """What is given as a float64 NumPy array, through the door of :func:`as_float_arrays`."""
    _, (array,) = as_float_arrays(**{name: value})
    return to_numpy(array)


def as_one_matrix(W: ArrayLike) -> np.ndarray:
    """One finite embedding matrix, float64 (n_dims, n_features), without batch axes."""
    W = float64(W, "W")
    require(
        W.ndim == 2 and W.size > 0,
        f"W must have shape (n_dims, n_features), both at least 1; got {W.shape}",
    )
    require_finite(np, W, "W")
    return W


def require_known(what: str, name: object, known: Iterable[str]) -> None:
    """Raise ``ValueError`` that names what there is, the nearest first, unless it is known."""
    if not isinstance(name, str) or name not in known:
        message = unknown(what, name if isinstance(name, str) else shown(name), known)
        listed = f" known: {', '.join(sorted(known))}"
        raise ValueError(message if "known:" in message else message + listed)


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """Say that there is no such thing, and name the nearest known ones.

    >>> unknown("parameter", "n_dim", ["n_dims", "kurtosis"])
    "unknown parameter 'n_dim'; did you mean n_dims?"
    >>> unknown("page", "appE", ["appD_kurtosis_sparsity", "appE_correlation_coefficient"])
    "unknown page 'appE'; did you mean appE_correlation_coefficient?"
    """
    known = sorted(known)
    begun = [word for word in known if name and word.startswith(name)]
    near = begun[:3] or difflib.get_close_matches(name[:100], known, n=3, cutoff=0.5)
    if near:
        return f"unknown {what} {shown(name)}; did you mean {' or '.join(near)}?"
    return f"unknown {what} {shown(name)}; known: {', '.join(known) or 'none'}"
