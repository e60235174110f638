"""Measure a matrix of one's own: what it is read from, what is computed, what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
from array_api_compat import is_torch_array

from .._arrays import ArrayLike, numbers, require, shown
from ..geometry.blocks import Block, blocks
from ..theory.capacity import leverage_capacities
from . import record
from .choice import ChoiceError, Vectors, choose, open_file, pick
from .coactivation import coactive_capacities
from .layouts import Axis
from .neighbors import Neighbors, neighbors_of
from .random_directions import RandomDirections, random_directions
from .record import FEW
from .slices import StoredTensor, array_block
from .statistics import (
    MEANINGS,
    Statistic,
    effective_number,
    same_lengths_total,
    spectrum_numbers,
)
from .stream import Square, Survey, capacities_of, leverages_of, square_of, survey_and_square

_WHOLE = 2**24  # numbers of a matrix that is taken whole: for blocks, and its singular values
_PAIRS = 2**36  # operations that blocks may take
_LISTED = 10


def measure(
    W: ArrayLike | Mapping[str, ArrayLike] | str | Path,
    *,
    key: str | None = None,
    index: int | tuple[int, ...] | None = None,
    features: Axis | None = None,
    tolerance: float = 0.01,
    skip_nonfinite: bool = False,
    activations: ArrayLike | str | Path | None = None,
) -> record.Measurement:
    """Measure the capacity of features in a matrix of one's own, and what it means.

    Parameters
    ----------
    W : array, torch module or state_dict, or path
        Feature vectors.  Of an array without a known name features are the columns, as in the
        paper.  A file is read in slices, and nothing in it is executed.
    key : str, optional
        Name of the tensor, in what holds several.
    index : int or tuple of int, optional
        Which instance, in a batch of matrices.
    features : {"rows", "columns"}, optional
        Which axis is features; by default what the layout says.
    tolerance : float
        In (0, 0.5).  A feature within it of capacity 1 is monosemantic; one with less than this
        part of its even share, ``n_dims / n_features``, is ignored; features whose cosine is
        within it of 0 are orthogonal; one shorter than this part of the longest is in no block.
    skip_nonfinite : bool
        Leave out features that are not finite, instead of refusing the matrix.
    activations : array (n_features, n_samples) or path, optional
        Of the features, for :func:`~feature_capacity.measure.coactivation.coactive_capacities`.

    Raises
    ------
    ValueError
        In one sentence: see :func:`~feature_capacity.measure.choice.open_file`; for features that
        are not finite, with their numbers; where memory does not suffice.

    Examples
    --------
    >>> found = measure([[1.0, -1, 0], [0, 0, 2]])
    >>> found.capacity, found.counts
    (array([0.5, 0.5, 1. ]), {'ignored': 0, 'polysemantic': 2, 'monosemantic': 1})
    >>> [block.features for block in found.blocks]
    [(0, 1), (2,)]
    """
    require(0 < tolerance < 0.5, f"tolerance must be above 0 and below 0.5; got {tolerance!r}")
    vectors = vectors_of(W, key, index, features)
    seen, square = survey_and_square(vectors)
    _require_finite(vectors, seen, skip_nonfinite)
    square = square or square_of(vectors, seen)
    capacity = capacities_of(vectors, seen, square)
    coactive = None
    if activations is not None:
        given = vectors_of(activations, None, None, None)
        coactive = coactive_capacities(vectors, seen, given)
    return _measurement(vectors, seen, square, capacity, coactive, tolerance)


def vectors_of(
    given: object, key: str | None, index: int | tuple[int, ...] | None, features: Axis | None
) -> Vectors:
    """Feature vectors out of whatever holds them: an array, a module, a mapping or a path."""
    if isinstance(index, int):
        index = (index,)
    if isinstance(given, str | Path):
        return open_file(Path(given), key, index, features)
    if hasattr(given, "state_dict"):
        given = given.state_dict()
    if isinstance(given, Mapping):
        tensors = {
            str(name): _at_hand(value, str(name))
            for name, value in given.items()
            if hasattr(value, "shape")
        }
        name = choose("the module", tensors, key)
        shapes = {other: one.shape for other, one in tensors.items()}
        return pick(name, "", name, tensors[name], index, features, shapes)
    require(key is None, "an array has no names; leave key out")
    return pick("W", "", "", _at_hand(given, "W"), index, features)


def _at_hand(value: object, name: str) -> StoredTensor:
    """An array, tensor or nested list as a tensor that is read in slices."""
    if is_torch_array(value):
        tensor = cast("Any", value).detach().cpu()
        if tensor.is_floating_point() and tensor.element_size() < 4:
            tensor = tensor.float()  # NumPy knows no bfloat16
        value = tensor.numpy()
    array = value if isinstance(value, np.ndarray) else numbers(cast("ArrayLike", value), name)
    require(
        array.dtype.kind in "iuf" and not isinstance(array, np.ma.MaskedArray),
        f"{name} must hold real numbers; got {shown(array.dtype)}",
    )
    return StoredTensor(array.shape, str(array.dtype), array_block(np.asarray(array)))


def _require_finite(vectors: Vectors, seen: Survey, skip: bool) -> None:
    bad = np.flatnonzero(~seen.finite)
    if not len(bad):
        return
    n = vectors.n_features
    if skip:
        require(len(bad) < n, f"no feature of {_place(vectors)} is finite; nothing is left")
        return
    dims = f", all in {_listed('dimension', seen.bad_dims)}" if len(bad) == n else ""
    raise ChoiceError(
        f"{_place(vectors)} must hold finite numbers; {len(bad):,} of {n:,} features do not: "
        f"{_listed('feature', bad)}{dims}; <skip_nonfinite> leaves them out"
    )


def _place(vectors: Vectors) -> str:
    source = vectors.source
    return ", ".join(part for part in (source.file, source.tensor) if part) or "W"


def _listed(noun: str, which: np.ndarray) -> str:
    shown_ones = ", ".join(str(one) for one in which[:_LISTED].tolist())
    more = f" and {len(which) - _LISTED:,} more" if len(which) > _LISTED else ""
    return f"{noun}{'s' * (len(which) != 1)} {shown_ones}{more}"


# ------------------------------------------------------------------------ putting it together


def _measurement(
    vectors: Vectors,
    seen: Survey,
    square: Square,
    capacity: np.ndarray,
    coactive: np.ndarray | None,
    tolerance: float,
) -> record.Measurement:
    n, d = vectors.n_features, vectors.n_dims
    n_left = int(seen.finite.sum())
    even_share = min(1.0, d / n_left)
    phase = 1 + (capacity >= 1 - tolerance).astype(int) - (capacity < tolerance * even_share)
    phase[~seen.finite] = -1
    squares, leverage, found = _inside(vectors, seen, square, tolerance)
    neighbors = neighbors_of(vectors, seen, square)
    shared = random_directions(max(1, int((seen.length > 0).sum())), d)
    return record.Measurement(
        source=vectors.source,
        n_dims=d,
        capacity=np.where(seen.finite, capacity, np.nan),
        length=seen.length,
        phase=phase,
        leverage=np.where(seen.finite, leverage, np.nan),
        coactive=None if coactive is None else np.where(seen.finite, coactive, np.nan),
        squares=squares,
        blocks=found,
        cosines=_cosines(vectors, seen) if n <= FEW else None,
        neighbors=neighbors,
        random=shared,
        statistics=_statistics(vectors, seen, capacity, squares, neighbors, shared),
        tolerance=tolerance,
    )


def _inside(
    vectors: Vectors, seen: Survey, square: Square, tolerance: float
) -> tuple[np.ndarray, np.ndarray, tuple[Block, ...] | None]:
    """Squared singular values, leverages, and blocks where the matrix can be taken whole."""
    n, d = vectors.n_features, vectors.n_dims
    small, large = min(n, d), max(n, d)
    scale = -seen.top
    if n * d <= _WHOLE and small**2 * large <= _PAIRS / 16:
        with np.errstate(over="ignore"):
            W = np.where(seen.finite, vectors.features(0, n), 0)
        leverage = np.asarray(leverage_capacities(W))
        singular = np.linalg.svd(np.ldexp(W, scale), compute_uv=False)
        kept = singular[singular > large * np.finfo(float).eps * singular[0]]
        affordable = n * n * d <= _PAIRS
        return kept**2 * 4.0**-scale, leverage, blocks(W, tolerance) if affordable else None
    rank_from = large * np.finfo(float).eps
    if square.side == "features":
        own = np.ldexp(seen.length, scale)
        values, basis = np.linalg.eigh(square.values * own * own[:, None])
        kept = values > rank_from * values[-1]
        leverage, values = (basis[:, kept] ** 2).sum(axis=1), values[kept]
    else:
        leverage, values = leverages_of(vectors, seen, square, rank_from)
    return values[::-1] * 4.0**-scale, leverage, None


def _cosines(vectors: Vectors, seen: Survey) -> np.ndarray:
    part = vectors.features(0, vectors.n_features)
    scaled = np.where(seen.finite, part, 0) * np.ldexp(1.0, -seen.exponent)
    length = np.linalg.norm(scaled, axis=0)
    directions = scaled / np.where(length > 0, length, 1)
    return np.asarray(directions.T @ directions)


def _statistics(
    vectors: Vectors,
    seen: Survey,
    capacity: np.ndarray,
    squares: np.ndarray,
    neighbors: Neighbors,
    shared: RandomDirections,
) -> tuple[Statistic, ...]:
    d = vectors.n_dims
    total = float(capacity.sum())
    found = {
        "total_capacity": total,
        "rank": float(len(squares)),
        "missing_capacity": max(0.0, len(squares) - total),
        "random_total": shared.total,
        "random_total_same_lengths": same_lengths_total(seen.length, d),
        "mean_greatest_cosine": neighbors.mean_greatest,
        "near_duplicates": neighbors.share,
        "duplicate_cost": neighbors.cost(capacity),
        **spectrum_numbers(squares / squares[0] if len(squares) else squares,
                           min(d, vectors.n_features)),
        "effective_features": effective_number(capacity),
        "dims_per_feature": d / float(squares.sum()) if len(squares) else float("nan"),
    }  # fmt: skip
    return tuple(Statistic(name, found[name], *MEANINGS[name]) for name in MEANINGS)
