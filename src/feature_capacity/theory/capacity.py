"""Feature capacity: the fraction of an embedding dimension that each feature has to itself.

Implements equation (3) of the paper, its alternative definition (Appendix G), and interference.
An embedding matrix ``W`` has shape ``(*batch, n_dims, n_features)``; column i embeds feature i.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

import numpy as np
from array_api_compat import device, is_torch_array

from .._arrays import Array, ArrayLike, Namespace, checked, constant, require_finite, require_number

# Columns are visited in chunks of about this many numbers, so that the extra memory stays far
# below the size of a large W and each chunk stays in cache between its passes.
_CHUNK_NUMBERS = 1 << 21

# Rounding in w . (G w) is relative to the norm of G = W W^T.  Where a direction meets less than
# this part of G, too many digits cancel, and the sum of squares is taken by another route.
_WEAK = 2.0**-10


def capacities(W: ArrayLike) -> Array:
    r"""Capacity of each feature: how much of one dimension it has to itself, from 0 to 1.

    Implements equation (3),

    .. math:: C_i = \frac{(w_i \cdot w_i)^2}{\sum_j (w_i \cdot w_j)^2},

    through the ``n_dims`` by ``n_dims`` matrix :math:`W W^T`, because the denominator is
    :math:`w_i^T (W W^T) w_i`.  The ``n_features`` by ``n_features`` Gram matrix is never formed.

    Parameters
    ----------
    W : array, shape (*batch, n_dims, n_features)
        Embedding matrix, one column per feature, any finite scale.

    Returns
    -------
    array, shape (*batch, n_features)
        Capacities in [0, 1].  A zero column has capacity 0, as the paper defines it.

    Raises
    ------
    ValueError
        If ``W`` has fewer than two axes, an empty axis, or an entry that is not finite.

    Notes
    -----
    Capacity does not change when W is scaled or rotated.  Columns of any length are safe, also
    when one matrix holds very long and very short ones: only entries below 1e-460 of the largest
    are lost in float64, below 1e-60 in float32.  Rounding can carry a capacity past 1 by an ulp;
    that is set back to 1.  The product with :math:`W W^T` loses a feature that is much shorter
    than others and nearly orthogonal to them; such features are recognized and their sums taken
    through a triangular factor of :math:`W W^T` instead (QR), which loses half as many digits.

    Source: Scherlis et al. 2022, section 2.1; called "dimensionality" by Elhage et al. 2022.

    Examples
    --------
    An antipodal pair shares one dimension, the third feature owns the other:

    >>> capacities([[1, -1, 0], [0, 0, 2]])
    array([0.5, 0.5, 1. ])
    """
    xp, (W,) = checked(W=W)
    parts = [_ratio(xp, crowd) for crowd in _crowds(xp, W, *_scaled(xp, W))]
    return xp.concat(parts, axis=-1)


def total_capacity(W: ArrayLike) -> Array:
    """Sum of the capacities of all features; at most the number of embedding dimensions.

    The bound is Appendix F of the paper; equality is what section 4 calls *efficient*.
    Shape ``(*batch,)``.  Arguments and errors are those of :func:`capacities`.

    >>> float(total_capacity([[1, -1, 0], [0, 0, 2]]))
    2.0
    """
    xp, (W,) = checked(W=W)
    return xp.sum(capacities(W), axis=-1)


@np.errstate(over="ignore")
def interference(W: ArrayLike) -> Array:
    r"""Interference met by each feature: :math:`\sum_{j \ne i} (w_i \cdot w_j)^2`.

    It is what the denominator of equation (3) has beyond its numerator, and half of what
    feature i adds to the hallucinated term of equation (12).  Shape ``(*batch, n_features)``.
    The value carries the rounding of :math:`n_i^2`, so an orthogonal feature may show 1e-16 of it,
    and is infinite where it exceeds the range of the dtype.  Errors, and what entries are safe,
    are those of :func:`capacities`.

    >>> interference([[1, -1, 0], [0, 0, 2]])
    array([1., 1., 0.])
    """
    xp, (W,) = checked(W=W)
    scale, chunks = _scaled(xp, W)
    if W.shape[-1] == 1:  # nothing to interfere with, also where squares leave the range
        return xp.zeros_like(W[..., 0, :])

    def of_chunk(found: _Crowd) -> Array:
        own = _shifted(xp, found.sq_norm, found.sq_norm_power - found.power)
        rest = _at_least(xp, found.crowd - own, xp.zeros_like(own))
        # Mantissas and exponents apart: only a true overflow overflows, and 0 stays 0.
        exponents = [exponent(xp, x) for x in (found.sq_norm, rest)]
        mantissas = (
            _shifted(xp, x, -e) for x, e in zip((found.sq_norm, rest), exponents, strict=True)
        )
        power = sum(exponents, found.sq_norm_power + found.power)
        return _shifted(xp, operator.mul(*mantissas), power)

    return xp.concat([of_chunk(found) for found in _crowds(xp, W, scale, chunks)], axis=-1)


def leverage_capacities(W: ArrayLike, rtol: float | None = None) -> Array:
    r"""Capacity by the alternative definition of Appendix G: the leverage score of each column.

    Implements equation (88): with the compact singular value decomposition ``W = Q S R``,

    .. math:: \tilde C_i = [R^T R]_{ii} = [W^+ W]_{ii}.

    Parameters
    ----------
    W : array, shape (*batch, n_dims, n_features)
    rtol : float, optional
        Singular values up to ``rtol`` times the largest count as zero.
        Default: ``max(n_dims, n_features)`` times the rounding unit of the dtype.

    Returns
    -------
    array, shape (*batch, n_features)
        Values in [0, 1] that sum to the rank of ``W`` and are never below :func:`capacities`.

    Notes
    -----
    A tensor that requires a gradient goes through the pseudo-inverse, because the singular
    vectors themselves have no derivative where singular values coincide - which is where
    every efficient block is.  There a value may exceed 1 by rounding.

    Source: Scherlis et al. 2022, Appendix G.

    Examples
    --------
    Two parallel columns share one dimension by the square of their lengths:

    >>> leverage_capacities([[1, 2, 0], [0, 0, 3]]).round(12)
    array([0.2, 0.8, 1. ])
    """
    xp, (W,) = checked(W=W)
    scale, _ = _scaled(xp, W)
    W = W * scale
    if rtol is None:
        rtol = max(W.shape[-2], W.shape[-1]) * float(xp.finfo(W.dtype).eps)
    rtol = require_number(rtol, "rtol", 0, 1 - 2**-53, "[0, 1)")
    if _needs_gradient(W):
        inverse = xp.linalg.pinv(W, rtol=rtol)
        return xp.sum(inverse.mT * W, axis=-2)
    _, s, rows = xp.linalg.svd(W, full_matrices=False)
    keep = xp.astype(s > rtol * s[..., :1], W.dtype)
    score = xp.sum(rows * rows * keep[..., :, None], axis=-2)
    return xp.minimum(score, xp.ones_like(score))


def _scaled(xp: Namespace, W: Array) -> tuple[Array, list[slice]]:
    """A power-of-two scale per matrix that keeps squares in range, and column slices to visit."""
    low, high = xp.min(W, axis=(-2, -1), keepdims=True), xp.max(W, axis=(-2, -1), keepdims=True)
    largest = xp.where(-low > high, -low, high)
    # max and min carry NaN and infinity through, so this one pass also validates W.
    if not bool(xp.all(xp.isfinite(largest))):
        require_finite(xp, W, "W")
    # The largest entry goes as high as the sums of its squares allow, because what is lost is
    # lost below: a column must square to a normal number however small it is beside the others.
    exponent = math.log2(float(xp.finfo(W.dtype).max))
    headroom = math.log2(W.shape[-2] * W.shape[-1]) + 4
    safe = xp.where(largest > 0, largest, xp.ones_like(largest))
    power = (exponent - headroom) / 2 - xp.log2(safe)
    if _needs_gradient(W):
        # Second derivatives hold cubes of these numbers: unless the range is needed, stay near 1.
        size = xp.abs(constant(W))
        least = xp.min(xp.where(size > 0, size, largest), axis=(-2, -1), keepdims=True)
        power = xp.where(least > largest * 2.0 ** (-exponent / 8), -xp.log2(safe), power)
    power = xp.round(power)
    # The scale itself must be representable.
    power = xp.clip(power, 4 - exponent, exponent - 4)
    scale = xp.pow(xp.asarray(2.0, dtype=W.dtype, device=device(W)), power)
    n_features, step = W.shape[-1], max(1, _CHUNK_NUMBERS // W.shape[-2])
    if math.prod(W.shape[:-2]) > 1:
        step = n_features  # a batch of small matrices is one pass; only one wide matrix is cut
    chunks = [slice(a, min(a + step, n_features)) for a in range(0, n_features, step)]
    return constant(scale), chunks


def exponent(xp: Namespace, x: Array) -> Array:
    """Exponent of the power of two at or just below each number; 0 for 0."""
    x = constant(x)
    return xp.floor(xp.log2(xp.where(x > 0, x, xp.ones_like(x))))


def _shifted(xp: Namespace, x: Array, power: Array) -> Array:
    """``x`` times 2 to the whole power, in steps that are numbers themselves."""
    two, third = xp.asarray(2.0, dtype=x.dtype, device=device(x)), xp.round(power / 3)
    most = math.log2(float(xp.finfo(x.dtype).max)) - 4
    for part in (third, third, power - 2 * third):
        # No number needs more, and beyond it the power itself is none.
        x = x * xp.pow(two, xp.clip(part, -most, most))
    return x


@dataclass(frozen=True)
class _Crowd:
    """Per column: squared length n_i, and sum_j (w_i . w_j)^2 / n_i.

    Each has a power of two of its own, because either may leave the range where W does not.
    """

    sq_norm: Array
    sq_norm_power: Array
    crowd: Array
    power: Array


def _crowds(xp: Namespace, W: Array, scale: Array, chunks: list[slice]) -> Iterator[_Crowd]:
    """What each chunk of columns meets, from the scaled W."""
    parts = (W[..., columns] * scale for columns in chunks)
    gram = reduce(operator.add, (part @ part.mT for part in parts))
    weak = _WEAK * xp.max(xp.sum(xp.abs(gram), axis=-1), axis=-1)[..., None]
    unscale = -2 * xp.round(xp.log2(scale))[..., 0]
    factor = None
    for columns in chunks:
        direction, sq_norm, sq_norm_power = _direction(xp, W[..., columns], scale, unscale)
        crowd = xp.sum(direction * (gram @ direction), axis=-2)
        power = unscale
        cancels = (crowd < weak) & (sq_norm > 0)
        if bool(xp.any(cancels)):
            if factor is None:
                # All columns: slower, differentiable for any rank of W.
                whole = _needs_gradient(W)
                factor = (W * scale).mT if whole else _triangle(xp, W, scale, chunks)
            met, met_power = _near_one(xp, factor @ direction)
            crowd = xp.where(cancels, xp.sum(met * met, axis=-2), crowd)
            power = xp.where(cancels, power + 2 * met_power, power)
        yield _Crowd(sq_norm, sq_norm_power, crowd, power)


def _near_one(xp: Namespace, columns: Array) -> tuple[Array, Array]:
    """Columns whose largest entry is about 1, and the power of two that each is in units of."""
    power = exponent(xp, xp.max(xp.abs(constant(columns)), axis=-2))
    most = math.log2(float(xp.finfo(columns.dtype).max)) - 4
    power = xp.clip(power, -most, most)  # the factor itself must be representable
    two = xp.asarray(2.0, dtype=columns.dtype, device=device(columns))
    return columns * xp.pow(two, -power)[..., None, :], power


def _direction(
    xp: Namespace, part: Array, scale: Array, unscale: Array
) -> tuple[Array, Array, Array]:
    """Unit columns, and squared lengths with their powers of two."""
    scaled = part * scale
    sq_norm, power = xp.sum(scaled * scaled, axis=-2), unscale
    info = xp.finfo(part.dtype)
    # Where no square came near the end of the range, one power of two serves all columns.  One for
    # each changes no digit, and takes as long as the products in a batch of small matrices.
    if not bool(xp.all(sq_norm > float(info.smallest_normal) / float(info.eps) ** 2)):
        scaled, power = _near_one(xp, part)
        sq_norm, power = xp.sum(scaled * scaled, axis=-2), 2 * power
    length = xp.sqrt(xp.where(sq_norm > 0, sq_norm, xp.ones_like(sq_norm)))
    return scaled / length[..., None, :], sq_norm, power


def _triangle(xp: Namespace, W: Array, scale: Array, chunks: list[slice]) -> Array:
    """R with R^T R = W W^T to a rounding error that is relative to W, not to its square."""
    first, *others = ((W[..., columns] * scale).mT for columns in chunks)
    factor = xp.linalg.qr(first).R
    for rows in others:
        factor = xp.linalg.qr(xp.concat([factor, rows], axis=-2)).R
    return factor


def _ratio(xp: Namespace, found: _Crowd) -> Array:
    some, ones = found.crowd > 0, xp.ones_like(found.crowd)
    ratio = found.sq_norm / xp.where(some, found.crowd, ones)
    if found.sq_norm_power is not found.power:  # else both are in one unit
        power = xp.where(some, found.sq_norm_power - found.power, 0 * ones)
        ratio = _shifted(xp, ratio, power)
    ratio = ratio - constant(xp.where(ratio > 1, ratio - 1, 0 * ones))  # rounding
    return xp.where(found.sq_norm > 0, ratio, xp.zeros_like(ones))


def _at_least(xp: Namespace, x: Array, bound: Array) -> Array:
    """``x``, or the bound where rounding put it below; derivatives of any order stay those of x."""
    return x + constant(xp.where(x < bound, bound - x, xp.zeros_like(x)))


def _needs_gradient(x: Array) -> bool:
    return is_torch_array(x) and x.requires_grad
