"""Capacities of a matrix that no machine holds, on the workers of a Dask cluster.

In two passes: the first sums ``W W^T`` over slices of features, the second takes its quadratic
form of each direction.  Only squares of the smaller side and one number a feature travel.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .._arrays import require
from .._lazy import load, need
from .choice import Source, Vectors, open_file
from .layouts import Axis
from .products import lower_half
from .stream import (
    NUMBERS,
    Square,
    Survey,
    capacities_of,
    form_of_directions,
    frame_of,
    from_frame,
    square_of,
    survey,
    survey_of,
)

_LARGER = 8  # slices of one task: what travels for a task is a square


def capacities_on_cluster(
    W: Any,
    *,
    key: str | None = None,
    index: tuple[int, ...] | None = None,
    features: Axis | None = None,
    scheduler: Any = None,
) -> np.ndarray:
    """Capacity of each feature, equation (3), by the workers of a Dask cluster.

    Parameters
    ----------
    W : path or Dask array
        A file or Zarr store at a place that every worker can read, or a Dask array of two axes.
    key, index, features
        As in :func:`~feature_capacity.measure.measuring.measure`; of an array features are the
        columns unless ``features`` says otherwise.
    scheduler : optional
        What ``dask.compute`` takes: a ``dask.distributed.Client``, ``"threads"``, ….  Without it
        Dask chooses: the client of this process, if there is one.

    Returns
    -------
    array (n_features,)
        Equal to :func:`~feature_capacity.theory.capacity.capacities` up to the rounding of
        another order of sums.  Needs the extra ``cluster``.

    Raises
    ------
    ValueError
        For features that are not finite, and whatever the reader refuses.

    Examples
    --------
    >>> import dask.array as da
    >>> W = da.from_array(np.array([[1.0, -1, 0], [0, 0, 2]]), chunks=(2, 2))
    >>> capacities_on_cluster(W, scheduler="synchronous")
    array([0.5, 0.5, 1. ])
    """
    need("cluster", "a Dask cluster", "dask")
    dask = load("dask")
    vectors = _of_array(W, features) if hasattr(W, "dask") else open_file(
        Path(W), key, index, features
    )  # fmt: skip
    compute = partial(dask.compute, **({} if scheduler is None else {"scheduler": scheduler}))
    n, d = vectors.n_features, vectors.n_dims
    if n < d:  # a square of few features is small, and needs their lengths first
        seen = survey(vectors)
        _require_finite(seen)
        return capacities_of(vectors, seen, square_of(vectors, seen))
    step = max(1, _LARGER * NUMBERS // d)
    bounds = [(a, min(a + step, n)) for a in range(0, n, step)]
    parts = [_part(dask, W, vectors, a, b) for a, b in bounds]
    surveys, total = _first_pass(dask, compute, parts)
    seen = Survey(*(np.concatenate([getattr(one, name) for one in surveys])
                    for name in ("finite", "exponent", "mantissa", "bad_dims")))  # fmt: skip
    _require_finite(seen)
    square = Square("dims", total)
    form = dask.delayed(_form)
    lower = dask.delayed(lower_half(total))
    pieces = zip(parts, surveys, strict=True)
    crowd = np.concatenate(compute(*(form(part, one, lower) for part, one in pieces)))
    return from_frame(vectors, seen, square, crowd)


def _of_array(W: Any, features: Axis | None) -> Vectors:
    require(W.ndim == 2 and 0 not in W.shape, f"W must be a matrix; got the shape {W.shape}")
    source = Source("", "", tuple(W.shape), (), features or "columns", "an array")

    def block(index: tuple[int, ...], rows: slice, columns: slice) -> np.ndarray:
        return np.asarray(W[rows, columns])

    return Vectors(source, block)


def _part(dask: Any, W: Any, vectors: Vectors, a: int, b: int) -> Any:
    """Some features, (n_dims, b - a), as a task."""
    if not hasattr(W, "dask"):
        return dask.delayed(vectors.features)(a, b)
    return W[a:b].T if vectors.source.features == "rows" else W[:, a:b]


def _first_pass(dask: Any, compute: Any, parts: list[Any]) -> tuple[list[Survey], np.ndarray]:
    """What each slice looks like, and the sum of the frames in units of the largest entry."""
    look, add, first, second = (dask.delayed(f) for f in (_look, _add, _survey_in, _frame_in))
    looked = [look(part) for part in parts]
    sums = [second(one) for one in looked]
    while len(sums) > 1:  # pairwise, so that sums stay on the workers
        pairs = [add(*sums[i : i + 2]) for i in range(0, len(sums) - 1, 2)]
        sums = pairs + sums[2 * len(pairs) :]
    (top, total), *surveys = compute(sums[0], *(first(one) for one in looked))
    everywhere = max(one.top for one in surveys if one.mantissa.any()) if total.any() else top
    return surveys, np.ldexp(total, 2 * (top - everywhere))


def _look(part: Any) -> tuple[Survey, tuple[int, np.ndarray]]:
    part = np.asarray(part, dtype=np.float64)
    seen = survey_of(part)
    return seen, (seen.top, frame_of(part, seen.finite, seen.top))


def _survey_in(looked: tuple[Survey, tuple[int, np.ndarray]]) -> Survey:
    return looked[0]


def _frame_in(looked: tuple[Survey, tuple[int, np.ndarray]]) -> tuple[int, np.ndarray]:
    return looked[1]


def _add(one: tuple[int, np.ndarray], other: tuple[int, np.ndarray]) -> tuple[int, np.ndarray]:
    """Sum of two frames, each in a unit of its own."""
    there = [pair for pair in (one, other) if pair[1].any()] or [one]
    top = max(top for top, _ in there)
    total = np.zeros_like(one[1])
    for own, frame in there:
        total += np.ldexp(frame, 2 * (own - top))
    return top, total


def _form(part: Any, seen: Survey, lower: np.ndarray) -> np.ndarray:
    part = np.asarray(part, dtype=np.float64)
    return form_of_directions(lower, part, seen)


def _require_finite(seen: Survey) -> None:
    bad = np.flatnonzero(~seen.finite)
    require(
        not len(bad),
        f"W must be finite; {len(bad):,} features are not, the first is {bad[:1].sum()}: "
        "leave them out",
    )
