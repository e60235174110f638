"""Feature capacity: the fraction of an embedding dimension that each feature has to itself.

Implements equation (3) of the paper, its alternative definition (Appendix G), and interference.
An embedding matrix ``W`` has shape ``(*batch, n_dims, n_features)``; column i embeds feature i.
"""

from __future__ import annotations

import math
from typing import Any

from array_api_compat import device, is_torch_array

from ._arrays import Array, as_matrix, require

# Columns are visited in chunks of about this many numbers, so that the extra memory stays far
# below the size of a large W and each chunk stays in cache between its passes.
_CHUNK_NUMBERS = 1 << 21


def capacities(W: Array) -> Array:
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
    Capacity does not change when W is scaled or rotated.  Float64 entries from 1e-150 to 1e150
    are safe, also when one matrix holds both.  Rounding can carry a capacity past 1 by an ulp;
    that is set back to 1.

    Source: Scherlis et al. 2022, section 2.1; called "dimensionality" by Elhage et al. 2022.

    Examples
    --------
    An antipodal pair shares one dimension, the third feature owns the other:

    >>> capacities([[1, -1, 0], [0, 0, 2]])
    array([0.5, 0.5, 1. ])
    """
    xp, W = as_matrix(W)
    scale, chunks = _scaled_chunks(xp, W)
    gram = 0.0
    for columns in chunks:
        part = W[..., columns] * scale
        gram = gram + part @ xp.matrix_transpose(part)
    parts = [_chunk_capacities(xp, W[..., columns] * scale, gram) for columns in chunks]
    return parts[0] if len(parts) == 1 else xp.concat(parts, axis=-1)


def total_capacity(W: Array) -> Array:
    """Sum of the capacities of all features; at most the number of embedding dimensions.

    The bound is Appendix F of the paper; equality is what section 4 calls *efficient*.
    Shape ``(*batch,)``.  Arguments and errors are those of :func:`capacities`.

    >>> float(total_capacity([[1, -1, 0], [0, 0, 2]]))
    2.0
    """
    xp, W = as_matrix(W)
    return xp.sum(capacities(W), axis=-1)


def interference(W: Array) -> Array:
    r"""Interference met by each feature: :math:`\sum_{j \ne i} (w_i \cdot w_j)^2`.

    It is what the denominator of equation (3) has beyond its numerator, and half of what
    feature i adds to the hallucinated term of equation (12).  Shape ``(*batch, n_features)``.
    The value carries the rounding of :math:`n_i^2`, so an orthogonal feature may show 1e-16.
    Errors are those of :func:`capacities`.

    >>> interference([[1, -1, 0], [0, 0, 2]])
    array([1., 1., 0.])
    """
    xp, W = as_matrix(W)
    require(xp.all(xp.isfinite(W)), "W must be finite; it has an entry that is NaN or infinite")
    n = xp.sum(W * W, axis=-2)
    total = xp.sum(W * ((W @ xp.matrix_transpose(W)) @ W), axis=-2)
    rest = total - n * n
    return xp.where(rest > 0, rest, xp.zeros_like(rest))


def leverage_capacities(W: Array, rtol: float | None = None) -> Array:
    r"""Capacity by the alternative definition of Appendix G: the leverage score of each column.

    Implements equation (88): with the compact singular value decomposition ``W = Q S R``,

    .. math:: \tilde C_i = [R^T R]_{ii} = [W^+ W]_{ii}.

    Parameters
    ----------
    W : array, shape (*batch, n_dims, n_features)
    rtol : float, optional
        Singular values below ``rtol`` times the largest count as zero.
        Default: ``max(n_dims, n_features)`` times the rounding unit of the dtype.

    Returns
    -------
    array, shape (*batch, n_features)
        Values in [0, 1] that sum to the rank of ``W`` and are never below :func:`capacities`.

    Notes
    -----
    A tensor that requires a gradient goes through the pseudo-inverse, because the singular
    vectors themselves have no derivative where singular values coincide - which is where
    every efficient block is.

    Source: Scherlis et al. 2022, Appendix G.

    Examples
    --------
    Two parallel columns share one dimension by the square of their lengths:

    >>> leverage_capacities([[1, 2, 0], [0, 0, 3]]).round(12)
    array([0.2, 0.8, 1. ])
    """
    xp, W = as_matrix(W)
    scale, _ = _scaled_chunks(xp, W)
    W = W * scale
    if rtol is None:
        rtol = max(W.shape[-2], W.shape[-1]) * float(xp.finfo(W.dtype).eps)
    require(0 <= rtol < 1, f"rtol must be in [0, 1); got {rtol!r}")
    if is_torch_array(W) and W.requires_grad:
        inverse = xp.linalg.pinv(W, rtol=rtol)
        return xp.sum(xp.matrix_transpose(inverse) * W, axis=-2)
    _, s, rows = xp.linalg.svd(W, full_matrices=False)
    keep = xp.astype(s > rtol * s[..., :1], W.dtype)
    return xp.sum(rows * rows * keep[..., :, None], axis=-2)


def _scaled_chunks(xp: Any, W: Any) -> tuple[Any, list[slice]]:
    """A power-of-two scale per matrix that keeps squares in range, and column slices to visit."""
    low, high = xp.min(W, axis=(-2, -1), keepdims=True), xp.max(W, axis=(-2, -1), keepdims=True)
    largest = xp.where(-low > high, -low, high)
    # max and min carry NaN and infinity through, so this one pass also validates W.
    require(
        xp.all(xp.isfinite(largest)), "W must be finite; it has an entry that is NaN or infinite"
    )
    # The largest entry goes as high as the sums of its squares allow, because what is lost is
    # lost below: a column must square to a normal number however small it is beside the others.
    exponent = math.log2(float(xp.finfo(W.dtype).max))
    headroom = math.log2(W.shape[-2] * W.shape[-1]) + 4
    safe = xp.where(largest > 0, largest, xp.ones_like(largest))
    power = xp.round((exponent - headroom) / 2 - xp.log2(safe))
    # The scale itself must be representable.
    power = xp.clip(power, 4 - exponent, exponent - 4)
    scale = xp.pow(xp.asarray(2.0, dtype=W.dtype, device=device(W)), power)
    n_features, per_column = W.shape[-1], max(1, _size(W.shape[:-1]))
    step = max(1, min(n_features, _CHUNK_NUMBERS // per_column))
    if _size(W.shape[:-2]) > 1:
        step = n_features  # a batch of small matrices is one pass; only one wide matrix is cut
    return _detached(scale), [slice(a, a + step) for a in range(0, n_features, step)]


def _chunk_capacities(xp: Any, part: Any, gram: Any) -> Any:
    sq_norm = xp.sum(part * part, axis=-2)
    present = sq_norm > 0
    ones = xp.ones_like(sq_norm)
    sq_norm = xp.where(present, sq_norm, ones)
    # Directions rather than vectors: the quadratic form then stays in range for any length.
    direction = part / xp.sqrt(sq_norm)[..., None, :]
    crowd = xp.sum(direction * (gram @ direction), axis=-2)
    ratio = sq_norm / xp.where(present, crowd, ones)
    return xp.where(present, xp.minimum(ratio, ones), xp.zeros_like(ones))


def _detached(x: Any) -> Any:
    # Capacity does not depend on the scale, so its gradient must not flow through it.
    return x.detach() if is_torch_array(x) else x


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for length in shape:
        size *= length
    return size
