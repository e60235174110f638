"""Loops over the nodes of a quadrature, compiled; :mod:`.fused_sums` is how to call them.

Arrays have a row for each feature, and one of ones, with the nodes along the last axis.  Sums are
taken in float32 over a block and in float64 over blocks, and of each model alone, so that they do
not depend on which others it is with.  What comes out is written into the last arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

BLOCK = 1024  # nodes; what is done with them fits the first cache

# erf(z / sqrt 2) and tanh z, where their limits are not yet reached: both are z times a rational
# function of z^2, fitted to 2e-9 of the largest value.  Lowest powers first.
_ERF_LIMIT, _TANH_LIMIT = np.float32(5.5), np.float32(8.5)
_ERF_ABOVE = tuple(
    np.float32(
        [
            0.79788457, 0.0653012191, 0.00958989193, 0.000338402287, 1.67532889e-05,
            1.03473019e-07, -1.45284662e-10,
        ]
    )
)  # fmt: skip
_ERF_BELOW = tuple(
    np.float32([1, 0.248509698, 0.0284372166, 0.00192733922, 8.14092402e-05, 1.97154568e-06])
)
_TANH_ABOVE = tuple(
    np.float32(
        [0.999999997, 0.137000872, 0.00389372371, 2.85277579e-05, 3.18724669e-08, -1.31974813e-11]
    )
)
_TANH_BELOW = tuple(np.float32([1, 0.470334191, 0.0273384727, 0.000398367769, 1.32418168e-06]))

QUADRATIC, ABS, RELU, GELU, TANH = range(5)


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as machine code, which is made when it is first called and then kept."""
    # Sums may be reordered, so that they can be taken side by side; nan and infinity stay as they
    # are.
    options = {"fastmath": {"reassoc", "contract", "nsz", "arcp"}, "error_model": "numpy"}
    try:
        return numba.njit(cache=True, nogil=True, **options)(function)
    except RuntimeError:  # there is no place to keep the result
        return numba.njit(nogil=True, **options)(function)


@compiled
def _combination(factors, rows, at, n, out):
    """Write the sum of factor times row over some nodes."""
    start = len(factors) % 2
    if start:
        one, x = factors[0], rows[0, at : at + n]
        for k in range(n):
            out[k] = one * x[k]
    else:
        out[:n] = 0
    for j in range(start, len(factors), 2):
        one, other = factors[j], factors[j + 1]
        x, y = rows[j, at : at + n], rows[j + 1, at : at + n]
        for k in range(n):
            out[k] += one * x[k] + other * y[k]


@compiled
def _project(t, rows, at, n, out):
    """Add to each number the sum of t times a row over some nodes."""
    zero, j = np.float32(0), 0
    while j + 3 < len(out):
        x, y = rows[j, at : at + n], rows[j + 1, at : at + n]
        z, u = rows[j + 2, at : at + n], rows[j + 3, at : at + n]
        a, b, c, d = zero, zero, zero, zero
        for k in range(n):
            a += t[k] * x[k]
            b += t[k] * y[k]
            c += t[k] * z[k]
            d += t[k] * u[k]
        out[j] += a
        out[j + 1] += b
        out[j + 2] += c
        out[j + 3] += d
        j += 4
    while j < len(out):
        a, x = zero, rows[j, at : at + n]
        for k in range(n):
            a += t[k] * x[k]
        out[j] += a
        j += 1


@compiled
def _rational(above, below, u):
    """A rational function of u, and its derivative."""
    p, dp, q, dq = above[-1], np.float32(0), below[-1], np.float32(0)
    for c in above[-2::-1]:
        dp, p = dp * u + p, p * u + c
    for c in below[-2::-1]:
        dq, q = dq * u + q, q * u + c
    inverse = np.float32(1) / q
    ratio = p * inverse
    return ratio, (dp - ratio * dq) * inverse


@compiled
def activate(activation, z, n, value, slope):
    """Value and slope of the activation at some numbers."""
    code, factor, linear = activation
    half, one, two = np.float32(0.5), np.float32(1), np.float32(2)
    if code == QUADRATIC:
        for k in range(n):
            value[k] = z[k] * z[k]
            slope[k] = two * z[k]
    elif code == ABS:
        for k in range(n):
            s = factor * np.sign(z[k])
            value[k] = s * z[k]
            slope[k] = s
    elif code == RELU:
        for k in range(n):
            value[k] = half * (z[k] + abs(z[k]))
            slope[k] = one if z[k] > 0 else np.float32(0)
    elif code == GELU:
        for k in range(n):
            y = min(abs(z[k]), _ERF_LIMIT)
            u = y * y
            ratio, change = _rational(_ERF_ABOVE, _ERF_BELOW, u)
            value[k] = linear * z[k] + half * abs(z[k]) * y * ratio
            slope[k] = linear + np.copysign(y * (ratio + u * change), z[k])
    else:
        for k in range(n):
            y = min(max(z[k], -_TANH_LIMIT), _TANH_LIMIT)
            t = y * _rational(_TANH_ABOVE, _TANH_BELOW, y * y)[0]
            value[k] = t
            slope[k] = one - t * t


@compiled
def computation(activation, centered, W, importance, rows, weight, target, second, loss, pull):
    """Loss of centered residuals, and half its gradient unless there is no room for it.

    ``second`` is of the part of the activation that is linear, whose residuals are differences of
    column sums.
    """
    n_models, d, n = W.shape
    nodes = len(weight)
    z, other = np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float32)
    slope, residual = np.empty((d, nodes), np.float32), np.empty(nodes, np.float32)
    sums = np.empty((d, n))
    for m in range(n_models):
        mean = 0.0
        for at in range(0, nodes, BLOCK):
            size = min(BLOCK, nodes - at)
            r, w = residual[at : at + size], weight[at : at + size]
            _combination(-importance[m], target, at, size, r)
            for a in range(d):
                _combination(W[m, a], rows, at, size, z)
                activate(activation, z, size, other, slope[a, at : at + size])
                for k in range(size):
                    r[k] += other[k]
            part = np.float32(0)
            for k in range(size):
                part += r[k] * w[k]
            mean += part
        shift = np.float32(mean) if centered else np.float32(0)
        total = 0.0
        sums[:] = 0
        for at in range(0, nodes, BLOCK):
            size = min(BLOCK, nodes - at)
            r, w = residual[at : at + size], weight[at : at + size]
            part = np.float32(0)
            for k in range(size):
                error = r[k] - shift
                other[k] = error * w[k]
                part += error * error * w[k]
            total += part
            if len(pull):
                for a in range(d):
                    s = slope[a, at : at + size]
                    for k in range(size):
                        z[k] = s[k] * other[k]
                    _project(z, rows, at, size, sums[a])
        for i in range(n):
            drawn = 0.0
            for j in range(n):
                drawn += second[i, j] * (W[m, :, j].sum() - importance[m, j])
            total += drawn * (W[m, :, i].sum() - importance[m, i])
            sums[:, i] += drawn
        loss[m] = total
        if len(pull):
            for a in range(d):
                for i in range(n):
                    pull[m, a, i] = sums[a, i]


@compiled
def computation_matrix(activation, centered, W, rows, weight, moments, second, matrix):
    """Gauss-Newton matrices, shape (models, n_dims * n_features, n_dims * n_features)."""
    n_models, d, n = W.shape
    n_pairs = n * (n + 1) // 2
    z, other = np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float32)
    slope = np.empty((d, BLOCK), np.float32)
    sums, means = np.empty((d * (d + 1) // 2, n_pairs)), np.empty((d, n))
    for m in range(n_models):
        sums[:] = 0
        means[:] = 0
        for at in range(0, len(weight), BLOCK):
            size = min(BLOCK, len(weight) - at)
            w = weight[at : at + size]
            for a in range(d):
                _combination(W[m, a], rows, at, size, z)
                activate(activation, z, size, other, slope[a])
            pair = 0
            for a in range(d):
                for k in range(size):
                    other[k] = slope[a, k] * w[k]
                _project(other, rows, at, size, means[a])
                for b in range(a, d):
                    for k in range(size):
                        z[k] = slope[b, k] * other[k]
                    _project(z, moments, at, size, sums[pair])
                    pair += 1
        if not centered:
            means[:] = 0
        pair = 0
        for a in range(d):
            for b in range(a, d):
                at = 0
                for i in range(n):
                    for j in range(i, n):
                        mean = sums[pair, at] + second[i, j]
                        one = mean - means[a, i] * means[b, j]
                        other_way = mean - means[a, j] * means[b, i]
                        matrix[m, a * n + i, b * n + j] = one
                        matrix[m, b * n + j, a * n + i] = one
                        matrix[m, a * n + j, b * n + i] = other_way
                        matrix[m, b * n + i, a * n + j] = other_way
                        at += 1
                pair += 1


@compiled
def autoencoder(activation, factors, rows, weight, squared, pull):
    """Mean squared error of every output, and what it pulls unless there is no room for it."""
    n_models, n, _ = factors.shape
    z, value = np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float32)
    slope, total = np.empty(BLOCK, np.float32), np.empty(n)
    sums = np.empty((n, n + 1))
    for m in range(n_models):
        total[:] = 0
        sums[:] = 0
        for at in range(0, len(weight), BLOCK):
            size = min(BLOCK, len(weight) - at)
            w = weight[at : at + size]
            for i in range(n):
                _combination(factors[m, i], rows, at, size, z)
                activate(activation, z, size, value, slope)
                part, x = np.float32(0), rows[i, at : at + size]
                for k in range(size):
                    error = value[k] - x[k]
                    value[k] = error * w[k] * slope[k]
                    part += error * error * w[k]
                total[i] += part
                if len(pull):
                    _project(value, rows, at, size, sums[i])
        for i in range(n):
            squared[m, i] = total[i]
            if len(pull):
                for k in range(n + 1):
                    pull[m, i, k] = sums[i, k]


@compiled
def autoencoder_slopes(activation, factors, rows, weight, moments, slopes):
    """Moments of inputs weighted by the squared slope of every output."""
    n_models, n, _ = factors.shape
    z, value = np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float32)
    slope, sums = np.empty(BLOCK, np.float32), np.empty(slopes.shape[1:])
    for m in range(n_models):
        sums[:] = 0
        for at in range(0, len(weight), BLOCK):
            size = min(BLOCK, len(weight) - at)
            w = weight[at : at + size]
            for i in range(n):
                _combination(factors[m, i], rows, at, size, z)
                activate(activation, z, size, value, slope)
                for k in range(size):
                    value[k] = slope[k] * slope[k] * w[k]
                _project(value, moments, at, size, sums[i])
        for i in range(n):
            for k in range(len(moments)):
                slopes[m, i, k] = sums[i, k]
