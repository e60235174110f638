"""Capacities of vectors that are read in slices: nothing is held but one slice and one square.

With at least as many features as dimensions the square is ``W W^T`` (n_dims), otherwise it is
``W^T W`` (n_features); the cost follows the smaller side.  Sums are taken in float64.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .._arrays import require
from .choice import Vectors
from .products import add_square, lower_half, symmetric_form, whole_square, zero_square

NUMBERS = 1 << 22
"""Numbers in a slice: 32 MiB in float64, and enough for matrix products at full speed."""

# Rounding in w . (G w) is relative to the norm of G = W W^T.  A direction that meets less than
# this part of G has lost too many digits; its sum is then taken through a triangular factor of G.
_WEAK = 2.0**-16

_MODERATE = 200  # powers of two with which squares of numbers, and their sums, are in range
_LEAST = 4.0 ** (1 - _MODERATE)


@dataclass(frozen=True)
class Survey:
    """What one look at every vector says.

    Attributes
    ----------
    finite : bool array (n_features,)
    exponent : int array (n_features,)
        Power of two just above each vector's length, or above its largest entry where squares of
        entries leave the range; 0 for a zero vector.
    mantissa : array (n_features,)
        Squared length, after division by this power of two; 0 where a vector is not finite.
    bad_dims : int array
        Dimensions in which some vector is not finite.
    """

    finite: np.ndarray
    exponent: np.ndarray
    mantissa: np.ndarray
    bad_dims: np.ndarray

    @functools.cached_property
    def length(self) -> np.ndarray:
        """Euclidean length of each vector."""
        return np.ldexp(np.sqrt(self.mantissa), self.exponent)

    @property
    def top(self) -> int:
        """The largest of these powers of two."""
        there = self.mantissa > 0
        return int(self.exponent[there].max()) if there.any() else 0

    @property
    def plain(self) -> bool:
        """Whether all numbers are finite, and their squares in range."""
        return bool(self.finite.all() and np.abs(self.exponent).max(initial=0) < _MODERATE)

    def of(self, a: int, b: int) -> Survey:
        """Of some of the features."""
        return Survey(self.finite[a:b], self.exponent[a:b], self.mantissa[a:b], self.bad_dims)


@dataclass(frozen=True)
class Square:
    """The smaller of the two products of a matrix with itself.

    Attributes
    ----------
    side : {"dims", "features"}
        Of what it has a row: ``W W^T`` or ``W^T W``.
    values : array (m, m)
        Of ``dims``: of the vectors times ``2**-top``.  Of ``features``: between unit vectors.
    """

    side: str
    values: np.ndarray


def slices(length: int, width: int) -> Iterator[tuple[int, int]]:
    """Bounds of slices of an axis, of about :data:`NUMBERS` numbers each.

    >>> list(slices(10, NUMBERS // 4))
    [(0, 4), (4, 8), (8, 10)]
    """
    step = max(1, NUMBERS // max(1, width))
    return ((a, min(a + step, length)) for a in range(0, length, step))


def survey(vectors: Vectors) -> Survey:
    """Look once at every vector."""
    return _look(vectors, None)


def survey_and_square(vectors: Vectors) -> tuple[Survey, Square | None]:
    """The survey and, from the same look, ``W W^T``.

    None in its place where it takes another look, :func:`square_of`: where dimensions are the
    larger side, numbers are not finite, or squares of them leave the range.
    """
    n, d = vectors.n_features, vectors.n_dims
    if n < d:
        return survey(vectors), None
    require_memory(vectors)
    total = zero_square(d)
    seen = _look(vectors, total)
    if not seen.plain:
        return seen, None
    # Scaled afterwards by a power of two, which changes no digit.
    return seen, Square("dims", np.ldexp(whole_square(total), -2 * seen.top))


def _look(vectors: Vectors, total: np.ndarray | None) -> Survey:
    """Look once at every vector, and add the products of plain ones to ``total``."""
    n, d = vectors.n_features, vectors.n_dims
    finite, exponent, mantissa = np.ones(n, bool), np.zeros(n, int), np.zeros(n)
    bad_dims: set[int] = set()
    for a, b in slices(n, d):
        part = vectors.features(a, b)
        found = survey_of(part)
        finite[a:b], exponent[a:b], mantissa[a:b] = found.finite, found.exponent, found.mantissa
        bad_dims.update(found.bad_dims.tolist())
        total = total if found.plain else None
        if total is not None:
            add_square(total, part)
    return Survey(finite, exponent, mantissa, np.array(sorted(bad_dims), int))


def survey_of(part: np.ndarray) -> Survey:
    """The same of vectors that are at hand, (n_dims, n)."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        squares = np.einsum("di,di->i", part, part)
    if ((squares > _LEAST) & (squares < 1 / _LEAST)).all():  # no square that counts left the range
        exponent = np.frexp(np.sqrt(squares))[1]
        nowhere, everywhere = np.zeros(0, int), np.ones(len(squares), bool)
        return Survey(everywhere, exponent, np.ldexp(squares, -2 * exponent), nowhere)
    return _survey_by_peaks(part)


def _survey_by_peaks(part: np.ndarray) -> Survey:
    """The same where a vector is zero, is not finite, or is very long or short."""
    peak = np.maximum(part.max(axis=0), -part.min(axis=0))
    finite, bad_dims = np.isfinite(peak), np.zeros(0, int)
    if not finite.all():
        bad_dims = np.flatnonzero(~np.isfinite(part).all(axis=1))
        part, peak = np.where(finite, part, 0), np.where(finite, peak, 0)
    exponent = np.frexp(peak)[1]
    if np.abs(exponent).max() < _MODERATE:  # squares are in range as they are
        squares = np.ldexp(np.einsum("di,di->i", part, part), -2 * exponent)
    else:
        part = _shifted(part, -exponent)
        squares = np.einsum("di,di->i", part, part)
    return Survey(finite, exponent, squares, bad_dims)


def square_of(vectors: Vectors, seen: Survey) -> Square:
    """The smaller product of the vectors with themselves, summed over slices."""
    n, d = vectors.n_features, vectors.n_dims
    require_memory(vectors)
    if n >= d:
        total, rest = zero_square(d), 0
        for a, b in slices(n, d):
            part, rest = _in_range(vectors.features(a, b), seen.finite[a:b], seen.top)
            add_square(total, part)
        return Square("dims", np.ldexp(whole_square(total), -2 * rest))
    total = zero_square(n)
    for a, b in slices(d, n):
        part = _shifted(_clean(vectors.dims(a, b), seen.finite), -seen.exponent)
        add_square(total, part.T)
    size = np.sqrt(np.diagonal(total))
    size = np.where(size > 0, size, 1)
    return Square("features", whole_square(total) / size / size[:, None])


def frame_of(part: np.ndarray, finite: np.ndarray, top: int) -> np.ndarray:
    """``W W^T`` of vectors that are at hand, times ``4**-top``."""
    part, rest = _in_range(part, finite, top)
    return np.ldexp(whole_square(add_square(zero_square(len(part)), part)), -2 * rest)


def _in_range(part: np.ndarray, finite: np.ndarray, top: int) -> tuple[np.ndarray, int]:
    """Vectors whose products are numbers, and the power of two that they are still to lose."""
    part = _clean(part, finite)
    return (part, top) if abs(top) < _MODERATE else (_shifted(part, -top), 0)


def capacities_of(vectors: Vectors, seen: Survey, square: Square) -> np.ndarray:
    """Capacity of each feature, equation (3); 0 for a zero vector."""
    if square.side == "features":
        return _from_pairs(seen, square.values)
    n, d = vectors.n_features, vectors.n_dims
    crowd, lower = np.zeros(n), lower_half(square.values)
    for a, b in slices(n, d):
        crowd[a:b] = form_of_directions(lower, vectors.features(a, b), seen.of(a, b))
    return from_frame(vectors, seen, square, crowd)


def from_frame(vectors: Vectors, seen: Survey, square: Square, crowd: np.ndarray) -> np.ndarray:
    """Capacities from ``W W^T`` and its quadratic form of each direction."""
    present = seen.mantissa > 0
    own = np.ldexp(seen.mantissa, 2 * np.where(present, seen.exponent - seen.top, 0))
    weak = present & (crowd < _WEAK * np.abs(square.values).sum(axis=0).max())
    capacity = own / np.where(present & ~weak, np.maximum(crowd, own), 1)
    if weak.any():
        capacity[weak] = _through_triangle(vectors, seen, weak)
    return capacity


def _from_pairs(seen: Survey, cosines: np.ndarray) -> np.ndarray:
    """By all inner products, in units of the length of each feature."""
    length = np.where(seen.length > 0, seen.length, 1)
    capacity = np.zeros(len(length))
    with np.errstate(over="ignore", invalid="ignore"):
        for a, b in slices(len(length), len(length)):
            relative = seen.length / length[a:b, None]
            met = np.where(cosines[a:b] != 0, (cosines[a:b] * relative) ** 2, 0)
            crowd = np.maximum(met.sum(axis=1), 1)
            capacity[a:b] = np.where(seen.length[a:b] > 0, 1 / crowd, 0)
    return capacity


def _through_triangle(vectors: Vectors, seen: Survey, weak: np.ndarray) -> np.ndarray:
    """Capacities of weak directions, through R with R^T R = W W^T.

    It loses half as many digits.  Lengths stand for their squares, which may leave the range.
    """
    n, d = vectors.n_features, vectors.n_dims
    factor, crowd = np.zeros((0, d)), np.zeros(n)
    for a, b in slices(n, d):
        part = _shifted(_clean(vectors.features(a, b), seen.finite[a:b]), -seen.top)
        factor = np.asarray(np.linalg.qr(np.concatenate([factor, part.T]), mode="r"))
    for a, b in slices(n, d):
        here = weak[a:b]
        if here.any():
            met = factor @ unit_vectors(vectors, seen, a, b)[:, here]
            size = np.abs(met).max(axis=0)
            scaled = met / np.where(size > 0, size, 1)
            crowd[a:b][here] = size * np.sqrt((scaled**2).sum(axis=0))
    own = np.ldexp(np.sqrt(seen.mantissa[weak]), seen.exponent[weak] - seen.top)
    crowd = np.maximum(crowd[weak], own)
    return (own / np.where(crowd > 0, crowd, 1)) ** 2


def unit_vectors(vectors: Vectors, seen: Survey, a: int, b: int) -> np.ndarray:
    """Directions of some features, (n_dims, b - a); zero where there is none."""
    return directions_of(vectors.features(a, b), seen.finite[a:b], seen.exponent[a:b])


def directions_of(part: np.ndarray, finite: np.ndarray, exponent: np.ndarray) -> np.ndarray:
    """The same of vectors that are at hand."""
    part = _clean(part, finite)
    if np.abs(exponent).max() >= _MODERATE:
        part = _shifted(part, -exponent)
    length = np.sqrt(np.einsum("di,di->i", part, part))
    return part * (1 / np.where(length > 0, length, 1))


def form_of_directions(lower: np.ndarray, part: np.ndarray, seen: Survey) -> np.ndarray:
    """Quadratic form of the directions of vectors that are at hand; 0 where there is none."""
    if not seen.plain:
        return symmetric_form(lower, directions_of(part, seen.finite, seen.exponent))
    # The form is divided, not the vectors: that would take two more passes over them.
    own = np.ldexp(seen.mantissa, 2 * seen.exponent)
    return symmetric_form(lower, part) / np.where(own > 0, own, 1)


def require_memory(vectors: Vectors) -> None:
    """Refuse, in one sentence, a square that does not fit into memory."""
    side = min(vectors.n_features, vectors.n_dims)
    needed, free = 4 * 8 * side**2 + 6 * 8 * NUMBERS, free_memory()
    require(
        free is None or needed <= free,
        f"{vectors.n_features:,} features in {vectors.n_dims:,} dimensions take "
        f"{_gigabytes(needed)} of memory, for squares of the smaller side, and "
        f"{_gigabytes(free or 0)} is free; take a larger machine, or fewer of both",
    )


def free_memory() -> float | None:
    """Bytes that can still be taken; None where the system does not say."""
    found = []
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            for line in file:
                if line.startswith("MemAvailable:"):
                    found.append(1024.0 * int(line.split()[1]))
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit != resource.RLIM_INFINITY:
            with open("/proc/self/statm", encoding="ascii") as file:
                found.append(limit - float(file.read().split()[0]) * resource.getpagesize())
    except (OSError, ImportError, ValueError):
        pass
    return min(found, default=None)


def _gigabytes(size: float) -> str:
    return f"{size / 1e9:,.3g} GB"


def _clean(part: np.ndarray, finite: np.ndarray) -> np.ndarray:
    return part if finite.all() else np.where(finite, part, 0)


def _shifted(part: np.ndarray, power: np.ndarray | int) -> np.ndarray:
    """Times powers of two, which changes no digit; in two steps where one is no number."""
    if np.abs(power).max() < 1000:
        return part * np.ldexp(1.0, power)
    half = np.asarray(power) // 2
    scale, rest = np.ldexp(1.0, half), np.ldexp(1.0, np.asarray(power) - half)
    return part * scale * rest


def leverages_of(
    vectors: Vectors, seen: Survey, square: Square, rank_from: float
) -> tuple[np.ndarray, np.ndarray]:
    """Leverage of each feature, equation (88), and the squared singular values that count.

    Parameters
    ----------
    vectors, seen, square
        The square is that of the dimensions.
    rank_from : float
        Squared singular values up to this part of the largest count as zero.

    Returns
    -------
    leverage : array (n_features,)
    values : array (rank,)
        Squared singular values of the vectors times ``2**-top``, the least first.
    """
    require(square.side == "dims", "leverages need the square of the dimensions")
    values, basis = np.linalg.eigh(square.values)
    keep = values > rank_from * values[-1]
    lower = lower_half((basis[:, keep] / values[keep]) @ basis[:, keep].T)
    leverage = np.zeros(vectors.n_features)
    own = np.ldexp(seen.length, -seen.top)
    for a, b in slices(vectors.n_features, vectors.n_dims):
        form = form_of_directions(lower, vectors.features(a, b), seen.of(a, b))
        leverage[a:b] = np.clip(form * own[a:b] ** 2, 0, 1)
    return leverage, values[keep]
