"""One door for arrays: plain lists, NumPy arrays and torch tensors in, the same library out.

Closed forms in this package are written once against the Python array API standard.
These helpers turn what a caller gives into a floating array of the caller's own library and
refuse, with one sentence, what the mathematics has no answer for.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device, is_array_api_obj, is_torch_array

Array = Any
"""A NumPy array, a torch tensor, or another array that follows the array API standard."""


def as_float_arrays(**named: Any) -> tuple[Any, ...]:
    """Return (namespace, array, array, ...) with every argument a floating array of one library.

    Lists and Python numbers become NumPy arrays, or tensors when another argument is one.
    The widest floating dtype among the array arguments wins; integers count as float64.

    >>> xp, a, b = as_float_arrays(a=[1, 2], b=0.5)
    >>> a.dtype, float(b)
    (dtype('float64'), 0.5)
    """
    given = [x for x in named.values() if is_array_api_obj(x)]
    # A NumPy scalar or array beside a tensor is data for the tensor's library, not a rival.
    tensors = [x for x in given if is_torch_array(x)]
    leaders = tensors or given
    xp = array_namespace(*leaders) if leaders else array_namespace(np.empty(0))
    where = device(leaders[0]) if leaders else None

    converted = {}
    for name, value in named.items():
        if is_array_api_obj(value) and (not tensors or is_torch_array(value)):
            converted[name] = _real_array(xp, value, name)
        else:
            converted[name] = xp.asarray(numbers(value, name), device=where)

    # Only arrays decide the precision: a Python number beside a float32 array stays float32.
    deciding = [
        converted[name]
        for name, value in named.items()
        if is_array_api_obj(value) and xp.isdtype(converted[name].dtype, "real floating")
    ]
    dtype = xp.result_type(*deciding) if deciding else xp.float64
    return (xp, *(xp.astype(a, dtype, copy=False) for a in converted.values()))


def _real_array(xp: Any, array: Any, name: str) -> Any:
    """Refuse arrays that a cast to floating point would change the meaning of."""
    dtype = array.dtype
    if dtype in (xp.float32, xp.float64) or xp.isdtype(dtype, "integral"):
        return array
    if xp.isdtype(dtype, "real floating"):
        raise ValueError(
            f"{name} must be float32 or float64, for which ranges and rounding are known; "
            f"got dtype {dtype}: convert it first"
        )
    raise ValueError(f"{name} must hold real numbers; got dtype {dtype}: convert it first")


def numbers(value: Any, name: str) -> np.ndarray:
    """A float64 array of what is not an array yet; text and truth values are not numbers."""
    try:
        array = np.asarray(value)
        if (
            array.dtype.kind == "O"
        ):  # fractions and the like; float() refuses None, asarray does not
            array = np.vectorize(float, otypes=[np.float64])(array)
        if array.dtype.kind not in "iuf":
            raise TypeError(array.dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f"{name} must be real numbers in an array or nested lists of equal length; "
            f"got {value!r:.60}"
        ) from error
    return array if array.dtype == np.float32 else array.astype(np.float64, copy=False)


def as_matrix(W: Any, name: str = "W") -> tuple[Any, Any]:
    """Return (namespace, W) with W floating, at least two axes, both of them non-empty."""
    xp, W = as_float_arrays(**{name: W})
    if W.ndim < 2 or W.shape[-1] == 0 or W.shape[-2] == 0:
        raise ValueError(
            f"{name} must have shape (..., n_dims, n_features) with both at least 1; "
            f"got {tuple(W.shape)}"
        )
    return xp, W


def require(condition: Any, message: str) -> None:
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


def require_where(xp: Any, good: Any, array: Any, rule: str, remedy: str) -> None:
    """Raise ``ValueError`` that gives the rule, the first entry that breaks it, and the remedy."""
    if not bool(xp.all(good)):
        raise ValueError(f"{rule}; got {_first_where(xp, array, ~good)}: {remedy}")


def require_finite(xp: Any, array: Any, name: str) -> None:
    """Raise ``ValueError`` naming the first entry of ``array`` that is NaN or infinite."""
    finite = xp.isfinite(array)
    require_where(xp, finite, array, f"{name} must be finite", "remove or replace that entry")


def require_importance(xp: Any, importance: Any) -> None:
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
        negative = importance < 0
        remedy = "use 0 for a feature that does not matter"
        require_where(xp, ~negative, importance, "importance must be at least 0", remedy)


def require_kurtosis(xp: Any, kurtosis: Any) -> None:
    """Raise ``ValueError`` unless every kurtosis is finite and at least 1."""
    require_finite(xp, kurtosis, "kurtosis")
    rule = "kurtosis must be at least 1 for a unit-variance variable"
    remedy = "give the fourth moment itself, not its excess over 3"
    require_where(xp, kurtosis >= 1, kurtosis, rule, remedy)


def require_whole(value: Any, name: str, low: int, high: int | None, rule: str) -> int:
    """Return ``value`` as an int, or raise ``ValueError`` unless it is whole and in [low, high]."""
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or value < low or (high is not None and value > high):
        raise ValueError(f"{name} must be {rule}; got {value!r}")
    return int(value)


def _first_where(xp: Any, array: Any, mask: Any) -> str:
    flat, hits = xp.reshape(array, (-1,)), xp.reshape(mask, (-1,))
    position = int(xp.argmax(xp.astype(hits, xp.int8)))
    return f"{float(flat[position])!r} at flat position {position}"


def to_numpy(x: Any) -> np.ndarray:
    """What is given as a float64 NumPy array; of a tensor, without its graph and on the CPU."""
    return np.asarray(x.detach().cpu().numpy() if is_torch_array(x) else x, dtype=np.float64)


def as_one_matrix(W: Any) -> np.ndarray:
    """One finite embedding matrix, float64 (n_dims, n_features), without batch axes."""
    W = to_numpy(W)
    require(
        W.ndim == 2 and W.size > 0,
        f"W must have shape (n_dims, n_features), both at least 1; got {W.shape}",
    )
    require_finite(np, W, "W")
    return W


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """Say that there is no such thing, and name the nearest known ones.

    >>> unknown("parameter", "n_dim", ["n_dims", "kurtosis"])
    "unknown parameter 'n_dim'; did you mean n_dims?"
    >>> unknown("page", "appE", ["appD_kurtosis_sparsity", "appE_correlation_coefficient"])
    "unknown page 'appE'; did you mean appE_correlation_coefficient?"
    """
    known = sorted(known)
    begun = [word for word in known if name and word.startswith(name)]
    near = begun[:3] or difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    if near:
        return f"unknown {what} {name!r}; did you mean {' or '.join(near)}?"
    return f"unknown {what} {name!r}; known: {', '.join(known) or 'none'}"
