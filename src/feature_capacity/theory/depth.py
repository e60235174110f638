r"""Two quadratic layers in a row: what the first one's interference does to the second.

The first layer is the autoencoder of section 3.7 with a quadratic activation: with
:math:`G=W_1^TW_1` its outputs are the squares :math:`s_i=(Gx)_i^2`, which stand for
:math:`x_i^2`.  The second layer is the quadratic model on these outputs, centered:
:math:`\tilde y=\|W_2z\|^2+b` for the target
:math:`y=\sum_iv_if_i^2` with :math:`f_i=(x_i^2-1)/\sqrt{k-1}`.

Its loss takes moments of the inputs up to the eighth.  A moment of squares of linear forms
:math:`y_r=\sum_n g_{rn}x_n` is a sum over all partitions of its factors into sets,

.. math:: E[y_{1}\cdots y_{m}] = \sum_{\pi}\prod_{B\in\pi}\kappa_{|B|}\sum_n\prod_{r\in B}g_{rn},

with the cumulants of a feature, of which only the even ones are not 0.  Four squares have eight
factors and 379 partitions into even sets.

*Amplification.*  Let another feature leak into the first layer's output by a small
:math:`\delta`, :math:`s=(x_1+\delta x_2)^2`.  To leading order the relative squared error of the
first layer is :math:`4\delta^2/(k-1)`, that of :math:`z^2` is
:math:`16\delta^2E[(x^2-1)^2x^2]/\mathrm{Var}(x^2-1)^2`, and their ratio is

.. math:: a=\frac{4\,(k-1)\,(m_6-2k+1)}{m_8-4m_6+6k-3-(k-1)^2} .

*Proof.*  :math:`z=f+2\delta x_1x_2+O(\delta^2)` in units of the first layer, and
:math:`z^2=f^2+4\delta fx_1x_2+O(\delta^2)`; the terms of first order are uncorrelated with
:math:`f` and :math:`f^2`, because :math:`x_2` has mean 0.  ∎
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from .._arrays import (
    ArrayLike,
    as_one_matrix,
    float64,
    require,
    require_importance,
    require_whole,
    to_numpy,
)
from .capacity import capacities
from .moments import FullMoments

_LETTERS = "abcd"
_ROUNDING = 1e-12


def moments_of_squares(G: ArrayLike, even_moments: Sequence[float]) -> FullMoments:
    r"""Second and fourth moments of centered squares of linear forms, exactly.

    Of :math:`(Gx)_r^2-E(Gx)_r^2` for independent inputs that are alike and symmetric around 0,
    by the sum over partitions of this module.

    Parameters
    ----------
    G : array, shape (n_forms, n_features)
        At most 24 forms.
    even_moments : sequence of 4 floats
        Moments of an input of order 2, 4, 6 and 8.

    Returns
    -------
    FullMoments
        Shapes (n_forms, n_forms) and (n_forms,) * 4.

    Examples
    --------
    The square of a normal variable has variance 2, and a fourth central moment of 60:

    >>> squares = moments_of_squares([[1.0]], [1, 3, 15, 105])
    >>> float(squares.second[0, 0]), float(squares.fourth[0, 0, 0, 0])
    (2.0, 60.0)
    """
    G = as_one_matrix(G)
    require(len(G) <= 24, f"G must have at most 24 rows; got {len(G)}")
    kappa = _cumulants(even_moments)
    one, two, three, four = (_raw(G, kappa, order) for order in (1, 2, 3, 4))
    second = two - one[:, None] * one
    fourth = four - 3 * np.einsum("a,b,c,d->abcd", one, one, one, one)
    for i in range(4):
        others = _LETTERS.replace(_LETTERS[i], "")
        fourth = fourth - np.einsum(f"{_LETTERS[i]},{others}->abcd", one, three)
        for j in range(i):
            rest = others.replace(_LETTERS[j], "")
            pair = f"{_LETTERS[j]},{_LETTERS[i]},{rest}->abcd"
            fourth = fourth + np.einsum(pair, one, one, two)
    return FullMoments(second, fourth)


def amplification(even_moments: Sequence[float], pair: tuple[float, float] | None = None) -> float:
    r"""By what a second squaring multiplies the relative error that interference makes.

    The closed form of this module, for weak interference.  Above 1 errors grow with depth.

    Parameters
    ----------
    even_moments : sequence of 4 floats
        Moments of an input of order 2 (which is 1), 4, 6 and 8.
    pair : two floats, optional
        Importances of two features that leak into each other: then the errors of both, in first
        order :math:`4\delta x_1x_2(v_1f_1+v_2f_2)`, are correlated, and the factor is that of one
        times :math:`1+\frac{2v_1v_2(k-1)^2}{(v_1^2+v_2^2)(m_6-2k+1)}`.

    Examples
    --------
    >>> round(amplification([1, 3, 15, 105]), 3)  # normal inputs
    1.429
    >>> round(amplification([1, 3, 15, 105], pair=(1.0, 1.0)), 3)
    2.0
    """
    m2, k, m6, m8 = _checked_moments(even_moments)
    require(
        abs(m2 - 1) < _ROUNDING, f"the second moment must be 1 here; got {m2:g}: scale the inputs"
    )
    spread = m8 - 4 * m6 + 6 * k - 3 - (k - 1) ** 2
    require(spread > 0, "the square of a feature must vary: its size may not be constant")
    own = m6 - 2 * k + 1
    both = 0.0
    if pair is not None:
        one, other = pair
        both = 2 * one * other * (k - 1) ** 2 / (one**2 + other**2)
    return 4 * (k - 1) * (own + both) / spread


def measured_amplification(even_moments: Sequence[float], leak: float = 0.01) -> float:
    """The same ratio from exact moments, at a leak that is small but not zero.

    >>> round(measured_amplification([1, 3, 15, 105]), 2)
    1.43
    """
    moments = moments_of_squares([[1.0, leak], [1.0, 0.0]], even_moments)
    S = np.asarray(moments.second)
    squares = np.einsum("aabb->ab", np.asarray(moments.fourth)) - np.outer(np.diag(S), np.diag(S))
    first, second = (1 - C[0, 1] ** 2 / (C[0, 0] * C[1, 1]) for C in (S, squares))
    return float(second / first)


def overlapping_pairs(overlap: float, n_pairs: int = 3) -> np.ndarray:
    """Unit vectors in planes, a pair in each, whose inner product is minus the overlap.

    Each has capacity :math:`1/(1+s^2)`: 1 at a right angle, one half where they are opposite.
    Shape (2 n_pairs, 2 n_pairs).

    >>> W = overlapping_pairs(0.5, n_pairs=1)
    >>> (W.T @ W).round(6)
    array([[ 1. , -0.5],
           [-0.5,  1. ]])
    """
    require(0 <= overlap <= 1, f"overlap must be in [0, 1]; got {overlap!r}")
    apart, shared = np.sqrt((1 + overlap) / 2), np.sqrt((1 - overlap) / 2)
    return np.kron(np.eye(n_pairs), [[apart, -apart], [shared, shared]])


@dataclass(frozen=True)
class SecondLayer:
    """The best second layer behind a given first one.

    Attributes
    ----------
    W : array (n_dims, n_features)
    capacity : array (n_features,)
        Of the first layer's outputs in W, equation (3).
    loss : float
        Expected squared error, the bias being the best.
    variance : float
        Of the target: the loss of a network that answers with the mean.
    first_error : array (n_features,)
        Relative squared error of each output of the first layer, at its best scale.
    """

    W: np.ndarray
    capacity: np.ndarray
    loss: float
    variance: float
    first_error: np.ndarray


def second_layer(
    W_1: ArrayLike,
    importance: ArrayLike,
    n_dims: int,
    even_moments: Sequence[float],
    n_starts: int = 8,
    seed: int = 0,
) -> SecondLayer:
    r"""Minimize the loss of the second of two quadratic layers, the first being given.

    The loss is exact, and minimized from random starts by a quasi-Newton method (scipy's BFGS).

    Parameters
    ----------
    W_1 : array, shape (n_first, n_features)
        First layer; its outputs are scaled so that each is as close as can be to its feature.
    importance : array, shape (n_features,)
        Of the squares :math:`f_i^2` in the target.
    n_dims : int
        Dimensions of the second layer, from 1 to n_features.
    even_moments : sequence of 4 floats
        Moments of an input of order 2 (which is 1), 4, 6 and 8.
    n_starts, seed : int

    Examples
    --------
    Behind a perfect first layer two equal features that are alike share:

    >>> best = second_layer(np.eye(2), [1.0, 1.0], 1, [1, 9, 135, 2835])
    >>> best.capacity.round(3), best.first_error
    (array([0.5, 0.5]), array([0., 0.]))
    """
    W_1, v = as_one_matrix(W_1), float64(importance, "importance")
    require_importance(np, v)
    n = W_1.shape[1]
    require(v.shape == (n,), f"importance must have shape ({n},); got {v.shape}")
    require_whole(n_dims, "n_dims", 1, n, f"a whole number from 1 to the number of features ({n})")
    require_whole(n_starts, "n_starts", 1, None, "a whole number, at least 1")
    quadratic, linear, constant, first_error = _loss(W_1, v, even_moments)

    def value(flat: np.ndarray) -> tuple[float, np.ndarray]:
        W = flat.reshape(n_dims, n)
        P = (W.T @ W).ravel()
        half = quadratic @ P - linear
        slope = 4 * W @ half.reshape(n, n)
        return float(P @ (half - linear) + constant), slope.ravel()

    rng = np.random.default_rng(seed)
    starts = rng.standard_normal((n_starts, n_dims * n)) * np.sqrt(v.mean() / n_dims)
    ends = [minimize(value, x, jac=True, method="BFGS", options={"gtol": 1e-9}) for x in starts]
    best = min(ends, key=lambda end: end.fun)
    W = best.x.reshape(n_dims, n)
    return SecondLayer(W, to_numpy(capacities(W)), float(best.fun), constant, first_error)


def two_layer_loss(
    W_1: ArrayLike, W_2: ArrayLike, importance: ArrayLike, even_moments: Sequence[float]
) -> float:
    r"""Expected squared error of two quadratic layers at the best bias, exactly.

    The first layer's outputs are scaled as in :func:`second_layer`.

    60 / 4 - 1 for a normal input and a second layer of zeros:

    >>> round(two_layer_loss([[1.0]], [[0.0]], [1.0], [1, 3, 15, 105]), 9)
    14.0
    """
    W_1, W_2, v = as_one_matrix(W_1), as_one_matrix(W_2), float64(importance, "importance")
    quadratic, linear, constant, _ = _loss(W_1, v, even_moments)
    P = (W_2.T @ W_2).ravel()
    return float(P @ quadratic @ P - 2 * P @ linear + constant)


def _loss(
    W_1: np.ndarray, v: np.ndarray, even_moments: Sequence[float]
) -> tuple[np.ndarray, np.ndarray, float, np.ndarray]:
    """The loss as p^T A p - 2 p^T a + c in p = vec(W_2^T W_2), and errors of the first layer."""
    n = len(v)
    m2, k, *_ = _checked_moments(even_moments)
    require(
        abs(m2 - 1) < _ROUNDING, f"the second moment must be 1 here; got {m2:g}: scale the inputs"
    )
    moments = moments_of_squares(np.vstack([W_1.T @ W_1, np.eye(n)]), even_moments)
    second, fourth = np.asarray(moments.second), np.asarray(moments.fourth)
    spread, crossed = np.diag(second)[:n], np.diag(second[:n, n:])
    some = spread > 0
    best = np.where(some, crossed / np.where(some, spread, 1), 0.0)  # an output that is always 0
    scale = np.concatenate([best, np.ones(n)]) / np.sqrt(k - 1)
    fourth = np.einsum("abcd,a,b,c,d->abcd", fourth, scale, scale, scale, scale)
    second = second * scale[:, None] * scale
    covariance = fourth - second[:, :, None, None] * second[None, None]
    z, f = slice(n), slice(n, None)
    quadratic = covariance[z, z, z, z].reshape(n * n, n * n)
    true = np.einsum("abcc->abc", covariance[:, :, f, f]) @ v
    constant = float(np.diag(true[f, f]) @ v)
    return quadratic, true[z, z].ravel(), constant, 1 - crossed * best / (k - 1)


def _checked_moments(even_moments: Sequence[float]) -> tuple[float, float, float, float]:
    m = float64(even_moments, "even_moments")
    require(
        m.shape == (4,) and np.isfinite(m).all() and (m > 0).all(),
        f"even_moments must be four positive numbers, of order 2, 4, 6 and 8; got {m}",
    )
    m2, m4, m6, m8 = (float(x) for x in m)
    slack = 1 + 1e-12
    require(
        m2**2 <= m4 * slack and m4**2 <= m2 * m6 * slack and m6**2 <= m4 * m8 * slack,
        f"even_moments must be the moments of some variable (m4^2 <= m2 m6); got {m}",
    )
    return m2, m4, m6, m8


def _cumulants(even_moments: Sequence[float]) -> dict[int, float]:
    m2, m4, m6, m8 = _checked_moments(even_moments)
    return {
        2: m2,
        4: m4 - 3 * m2**2,
        6: m6 - 15 * m4 * m2 + 30 * m2**3,
        8: m8 - 28 * m6 * m2 - 35 * m4**2 + 420 * m4 * m2**2 - 630 * m2**4,
    }


def _even_partitions(items: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], ...]]:
    """All partitions into sets of even size; equal letters are different factors."""
    if not items:
        yield ()
        return
    first, rest = items[0], items[1:]
    for picked in range(1, 2 ** len(rest)):
        if picked.bit_count() % 2:
            block = (first, *(x for i, x in enumerate(rest) if picked >> i & 1))
            left = tuple(x for i, x in enumerate(rest) if not picked >> i & 1)
            for others in _even_partitions(left):
                yield (block, *others)


def _raw(G: np.ndarray, kappa: dict[int, float], order: int) -> np.ndarray:
    """E of products of ``order`` squares, shape (n_forms,) * order."""
    letters = _LETTERS[:order]
    factors = tuple(x for letter in letters for x in (letter, letter))
    # Partitions that differ only in which of two equal factors is where have one value.
    counted = Counter(tuple(sorted(partition)) for partition in _even_partitions(factors))
    total = np.zeros((len(G),) * order)
    for partition, times in counted.items():
        tensors = [_block(G, kappa, block) for block in partition]
        names = [name for name, _ in tensors]
        product = np.einsum(",".join(names) + "->" + letters, *(x for _, x in tensors))
        total += times * product
    return total


def _block(G: np.ndarray, kappa: dict[int, float], block: Sequence[str]) -> tuple[str, np.ndarray]:
    """What one set contributes: its letters, and a tensor with an axis for each."""
    powers = Counter(block)
    name = "".join(sorted(powers))
    terms = ",".join(f"{letter}n" for letter in name)
    parts = (G ** powers[letter] for letter in name)
    return name, kappa[len(block)] * np.einsum(f"{terms}->{name}", *parts)
