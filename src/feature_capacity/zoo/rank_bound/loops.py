"""Loops over all pairs of vertices of two features, compiled.

What comes out is written into the last arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

_BLOCK = 128  # columns; what is done with them fits the first cache


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as machine code, which is made when it is first called and then kept."""
    # There is no nan; infinity stays as it is.
    options: dict[str, Any] = {"fastmath": {"nnan", "nsz"}, "error_model": "numpy"}
    try:
        return numba.njit(cache=True, nogil=True, **options)(function)
    except RuntimeError:  # there is no place to keep the result
        return numba.njit(nogil=True, **options)(function)


@_compiled
def least_sums(
    mine: np.ndarray,
    first: np.ndarray,
    last: np.ndarray,
    other: np.ndarray,
    c: np.ndarray,
    most: np.ndarray,
    reward: float,
    least: np.ndarray,
) -> None:
    """Lower ``least[i, j]`` to the least sum over all k with ``abs(c[k]) < most[j]``.

    The sum is ``mine[i, k] + other[k, j] - reward * (c[k] / most[j])**2``.  For i only k from
    ``first[i]`` up to before ``last[i]`` count.
    """
    given = np.empty(_BLOCK)
    start, end = first.min(), last.max()
    for begin in range(0, least.shape[1], _BLOCK):
        width = min(_BLOCK, least.shape[1] - begin)
        limit = most[begin : begin + width]
        for k in range(start, end):
            cost, size = other[k, begin : begin + width], abs(c[k])
            for j in range(width):
                share = size / max(limit[j], 1e-100)
                given[j] = cost[j] - reward * share * share if size < limit[j] else np.inf
            for i in range(len(mine)):
                if first[i] <= k < last[i]:
                    one, lowest = mine[i, k], least[i, begin : begin + width]
                    for j in range(width):
                        lowest[j] = min(lowest[j], one + given[j])


@_compiled
def least_of_each(
    table: np.ndarray,
    mine: np.ndarray,
    other: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
) -> None:
    """Write the least of ``table + other`` in each row, of ``table + mine`` in each column."""
    columns[:] = np.inf
    for i in range(len(mine)):
        line, one, least = table[i], mine[i], np.inf
        for j in range(len(other)):
            least = min(least, line[j] + other[j])
            columns[j] = min(columns[j], line[j] + one)
        rows[i] = least
