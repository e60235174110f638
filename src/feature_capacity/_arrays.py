"""One door for arrays: plain lists, NumPy arrays and torch tensors in, the same library out.

Closed forms in this package are written once against the Python array API standard.
These helpers turn what a caller gives into a floating array of the caller's own library and
refuse, with one sentence, what the mathematics has no answer for.
"""

from __future__ import annotations

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
        try:
            if is_array_api_obj(value) and (not tensors or is_torch_array(value)):
                array = value
            else:
                array = xp.asarray(np.asarray(value, dtype=np.float64), device=where)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"{name} must be numbers in an array or nested lists of equal length; got {value!r:.60}"
            ) from error
        if xp.isdtype(array.dtype, "complex floating"):
            raise ValueError(f"{name} must be real; got dtype {array.dtype}")
        converted[name] = array

    # Only arrays decide the precision: a Python number beside a float32 array stays float32.
    deciding = [
        converted[name]
        for name, value in named.items()
        if is_array_api_obj(value) and xp.isdtype(converted[name].dtype, "real floating")
    ]
    dtype = xp.result_type(*deciding) if deciding else xp.float64
    return (xp, *(xp.astype(a, dtype, copy=False) for a in converted.values()))


def as_matrix(W: Any, name: str = "W") -> tuple[Any, Any]:
    """Return (namespace, W) with W floating, at least two axes, both of them non-empty."""
    xp, W = as_float_arrays(**{name: W})
    if W.ndim < 2 or W.shape[-1] == 0 or W.shape[-2] == 0:
        raise ValueError(
            f"{name} must have shape (..., n_dims, n_features) with both at least 1; got {tuple(W.shape)}"
        )
    return xp, W


def require(condition: Any, message: str) -> None:
    """Raise ``ValueError(message)`` unless ``condition`` holds."""
    if not bool(condition):
        raise ValueError(message)


def require_finite(xp: Any, array: Any, name: str) -> None:
    """Raise ``ValueError`` naming the first entry of ``array`` that is NaN or infinite."""
    finite = xp.isfinite(array)
    if not bool(xp.all(finite)):
        raise ValueError(
            f"{name} must be finite; got {_first_where(xp, array, ~finite)}: remove or replace that entry"
        )


def require_importance(xp: Any, importance: Any) -> None:
    """Raise ``ValueError`` unless importances are finite, non-negative and one per feature."""
    require(
        importance.ndim >= 1 and importance.shape[-1] >= 1,
        f"importance must have one entry per feature on its last axis; got shape {tuple(importance.shape)}",
    )
    require_finite(xp, importance, "importance")
    negative = importance < 0
    if bool(xp.any(negative)):
        raise ValueError(
            f"importance must be at least 0; got {_first_where(xp, importance, negative)}: "
            "use 0 for a feature that does not matter"
        )


def require_kurtosis(xp: Any, kurtosis: Any) -> None:
    """Raise ``ValueError`` unless every kurtosis is finite and at least 1."""
    require_finite(xp, kurtosis, "kurtosis")
    low = kurtosis < 1
    if bool(xp.any(low)):
        raise ValueError(
            "kurtosis must be at least 1 for a unit-variance variable (it is the fourth moment, "
            f"not the excess); got {_first_where(xp, kurtosis, low)}"
        )


def require_whole(value: Any, name: str, low: int, high: int | None, rule: str) -> int:
    """Return ``value`` as an int when it is a whole number in [low, high], else raise ``ValueError``."""
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or value < low or (high is not None and value > high):
        raise ValueError(f"{name} must be {rule}; got {value!r}")
    return int(value)


def _first_where(xp: Any, array: Any, mask: Any) -> str:
    flat, hits = xp.reshape(array, (-1,)), xp.reshape(mask, (-1,))
    position = int(xp.argmax(xp.astype(hits, xp.int8)))
    return f"{float(flat[position])!r} at flat position {position}"
