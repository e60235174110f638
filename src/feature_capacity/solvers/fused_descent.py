"""Levenberg-Marquardt in compiled loops, each model at its own pace; :mod:`.fused_sums` calls it.

The same steps and stopping rule as in :mod:`.levenberg_marquardt`, without what Python takes
between operations: with a few hundred models that is more than the sums over nodes.  The
Gauss-Newton matrix is made only where a step has been taken.  Gradients, matrices and losses are
in float64; parameters, and what is summed over nodes, in float32.
"""

from __future__ import annotations

import numpy as np

from .fused_kernels import (
    autoencoder,
    autoencoder_slopes,
    compiled,
    computation,
    computation_matrix,
)

_FIRST_DAMPING, _LEAST_DAMPING, _MOST_DAMPING = 1e-2, 1e-8, 1e6
_QUIET_STEPS, _STEPS_AHEAD = 2, 10
_TINY = 1e-300


@compiled
def _value(net, parameters, importance, nodes, gradient):
    """Expected loss of one model, and half its gradient."""
    is_sum, activation, centered, d, n, n_bias = net
    rows, weight, target, second = nodes
    W = parameters[: d * n].copy().reshape(1, d, n)
    if is_sum:
        loss, pull = np.empty(1), np.empty((1, d, n))
        v = importance.reshape(1, n)
        computation(activation, centered, W, v, rows, weight, target, second, loss, pull)
        for a in range(d):
            for i in range(n):
                gradient[a * n + i] = pull[0, a, i]
        return loss[0]
    squared, pull = np.empty((1, n)), np.empty((1, n, n + 1))
    autoencoder(activation, _factors(net, parameters), rows, weight, squared, pull)
    gradient[d * n :] = 0
    total = 0.0
    for i in range(n):
        total += importance[i] * squared[0, i]
        if n_bias:
            gradient[d * n + i % n_bias] += importance[i] * pull[0, i, n]
    for a in range(d):
        for j in range(n):
            entry = 0.0
            for i in range(n):
                both = importance[i] * pull[0, i, j] + importance[j] * pull[0, j, i]
                entry += W[0, a, i] * both
            gradient[a * n + j] = entry
    return total


@compiled
def _factors(net, parameters):
    """What each output of the autoencoder takes of x, and of 1; shape (1, n, n + 1)."""
    _, _, _, d, n, n_bias = net
    factors = np.empty((1, n, n + 1), np.float32)
    for i in range(n):
        for j in range(n):
            product = 0.0
            for a in range(d):
                product += parameters[a * n + i] * parameters[a * n + j]
            factors[0, i, j] = product
        factors[0, i, n] = parameters[d * n + i % n_bias] if n_bias else np.float32(0)
    return factors


@compiled
def _matrix(net, parameters, importance, nodes, matrix):
    """Gauss-Newton matrix of one model, shape (1, n_params, n_params)."""
    is_sum, activation, centered, d, n, n_bias = net
    rows, weight, moments, second = nodes
    W = parameters[: d * n].copy().reshape(1, d, n)
    if is_sum:
        computation_matrix(activation, centered, W, rows, weight, moments, second, matrix)
        return
    slopes = np.empty((1, n, len(moments)))
    autoencoder_slopes(activation, _factors(net, parameters), rows, weight, moments, slopes)
    # Of each output i, times its importance: E[f'^2 x x^T], E[f'^2 x] and E[f'^2].
    square, first = np.empty((n, n, n)), np.empty((n, n))
    n_pairs = n * (n + 1) // 2
    matrix[:] = 0
    for i in range(n):
        at = 0
        for j in range(n):
            first[i, j] = importance[i] * slopes[0, i, n_pairs + j]
            for k in range(j, n):
                square[i, j, k] = square[i, k, j] = importance[i] * slopes[0, i, at]
                at += 1
        if n_bias:
            place = d * n + i % n_bias
            matrix[0, place, place] += importance[i] * slopes[0, i, len(moments) - 1]
    # dr_i/dW_aj = f'_i (h_a [i = j] + W_ai x_j) with h = W x, so the matrix has four parts.
    hidden = np.zeros((n, d, n))  # E[f'_i^2 h_a x_k]
    for i in range(n):
        for a in range(d):
            for k in range(n):
                for j in range(n):
                    hidden[i, a, k] += W[0, a, j] * square[i, j, k]
    for a in range(d):
        for j in range(n):
            one = a * n + j
            for b in range(d):
                for k in range(n):
                    entry = W[0, b, j] * hidden[j, a, k] + W[0, a, k] * hidden[k, b, j]
                    for i in range(n):
                        entry += W[0, a, i] * W[0, b, i] * square[i, j, k]
                    if j == k:
                        for i in range(n):
                            entry += hidden[j, a, i] * W[0, b, i]
                    matrix[0, one, b * n + k] = entry
            if n_bias:
                for i in range(n):
                    entry = W[0, a, i] * first[i, j]
                    if i == j:
                        for k in range(n):
                            entry += W[0, a, k] * first[i, k]
                    place = d * n + i % n_bias
                    matrix[0, one, place] += entry
                    matrix[0, place, one] += entry


@compiled
def _step(matrix, gradient, damping, factor, step):
    """Damped Gauss-Newton step; none where the matrix is not positive definite."""
    size = len(gradient)
    mean = 0.0
    for p in range(size):
        mean += matrix[p, p] / size
    # Scaled by the diagonal, with a floor for parameters that the loss does not feel.
    floor = 1e-3 * mean + 1e-12
    step[:] = 0
    for p in range(size):
        for q in range(p + 1):
            entry = matrix[p, q]
            if p == q:
                entry += damping * (matrix[p, p] + floor)
            for k in range(q):
                entry -= factor[p, k] * factor[q, k]
            if p > q:
                factor[p, q] = entry / factor[q, q]
            elif entry > 0:
                factor[p, p] = np.sqrt(entry)
            else:  # also where it is no number
                return
    for p in range(size):
        entry = gradient[p]
        for k in range(p):
            entry -= factor[p, k] * step[k]
        step[p] = entry / factor[p, p]
    for p in range(size - 1, -1, -1):
        entry = step[p]
        for k in range(p + 1, size):
            entry -= factor[k, p] * step[k]
        step[p] = entry / factor[p, p]
    for p in range(size):
        if not np.isfinite(step[p]):
            step[:] = 0
            return


@compiled
def descend(net, parameters, cell, importance, nodes, rough, rule, loss, norm, iterations, settled):
    """Minimize every model from where it stands; models of a cell follow one another.

    ``rule`` has the most iterations, the relative fall that counts as quiet, and how many times the
    lowest loss of its cell a model may come to.  The last four are written.
    """
    most, tolerance, limit = rule
    size = parameters.shape[1]
    trial, there = np.empty(size, np.float32), np.empty(size)
    factor, step = np.empty((size, size)), np.empty(size)
    begin = 0
    while begin < len(cell):
        end = begin
        while end < len(cell) and cell[end] == cell[begin]:
            end += 1
        count = end - begin
        here, gradient = np.empty(count), np.empty((count, size))
        matrix, stale = np.empty((count, 1, size, size)), np.ones(count, np.bool_)
        damping, fall = np.full(count, _FIRST_DAMPING), np.full(count, np.inf)
        quiet, going = np.zeros(count, np.int64), np.ones(count, np.bool_)
        for m in range(count):
            at = parameters[begin + m]
            here[m] = _value(net, at, importance[begin + m], nodes, gradient[m])
        for iteration in range(1, most + 1):
            for m in range(count):
                if not going[m]:
                    continue
                at, v = parameters[begin + m], importance[begin + m]
                if stale[m]:
                    _matrix(net, at, v, rough, matrix[m])
                    stale[m] = False
                _step(matrix[m, 0], gradient[m], damping[m], factor, step)
                for p in range(size):
                    trial[p] = at[p] - step[p]
                value = _value(net, trial, v, nodes, there)
                if value < here[m]:
                    fall[m] = here[m] - value
                    quiet[m] = quiet[m] + 1 if fall[m] < tolerance * max(here[m], _TINY) else 0
                    here[m], stale[m] = value, True
                    at[:] = trial
                    gradient[m] = there
                    damping[m] = max(0.2 * damping[m], _LEAST_DAMPING)
                else:
                    fall[m] = np.inf
                    if damping[m] >= _MOST_DAMPING:
                        quiet[m] = _QUIET_STEPS
                    damping[m] = min(5 * damping[m], _MOST_DAMPING)
            lowest = np.inf
            for m in range(count):
                if here[m] < lowest:
                    lowest = here[m]
            left = False
            for m in range(count):
                if not going[m]:
                    continue
                done = quiet[m] >= _QUIET_STEPS
                beaten = here[m] - _STEPS_AHEAD * fall[m] > limit * lowest
                if done or beaten or iteration == most:
                    going[m] = False
                    iterations[begin + m] = iteration
                    settled[begin + m] = done
                else:
                    left = True
            if not left:
                break
        for m in range(count):
            loss[begin + m] = here[m]
            norm[begin + m] = 2 * np.sqrt((gradient[m] * gradient[m]).sum())
        begin = end
