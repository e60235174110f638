r"""How few dimensions lose nothing when some features are never active together.

Features that are never on at the same time do not interfere: :math:`h_{ij}=0` takes their product
out of the loss.  Let the graph *H* join features that do occur together.  With a covariance of the
squares that is not singular the loss is 0 exactly if :math:`\|w_i\|^2=v_i` and
:math:`w_i\cdot w_j=0` for all joined pairs.  The least number of dimensions is therefore the
*orthogonal rank* of *H*, and

.. math:: \omega(H)\le\vartheta(\bar H)\le D_{\min}\le\chi(H),

with the size of the largest set of features that occur together pairwise on the left, Lovász's
theta of the complement, and the number of colors on the right: features of one color exclude each
other and share one direction.

*Proof of the bound by theta.*  Let unit vectors :math:`u_i\in\mathbb R^D` be orthogonal for joined
pairs, and X positive semidefinite with trace 1 and :math:`X_{ij}=0` for pairs that are not joined;
:math:`\vartheta(\bar H)` is the maximum of :math:`\sum_{ij}X_{ij}`.  With
:math:`X_{ij}=y_i\cdot y_j` put :math:`T=\sum_i y_i\otimes u_iu_i^T`.  Then
:math:`\|T\|^2=\sum_{ij}X_{ij}(u_i\cdot u_j)^2=\sum_iX_{ii}=1`, and contracting the last two indices
with the identity, of norm :math:`\sqrt D`, gives
:math:`\sum_{ij}X_{ij}=\|\sum_iy_i\|^2\le D`.  ∎

For perfect graphs, such as hierarchies where a feature occurs with its ancestors alone, all four
numbers agree: a hierarchy needs as many dimensions as it has levels.  For cycles of co-occurrence
and of exclusion theta rounded up meets the number of colors.  Where squares are not independent
enough, as when their sum is constant, even fewer dimensions can do: the bias then knows the rest.

Source: Lovász 1979, On the Shannon capacity of a graph.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize

from .._arrays import ArrayLike, checked, require, require_finite, require_whole, to_numpy

_MOST_FEATURES = 64
_TEMPERATURES = (1.0, 0.3, 0.1, 0.03, 0.01, 3e-3, 1e-3, 3e-4)
_MOST_STEPS = 200_000


@dataclass(frozen=True)
class LeastDims:
    """How few dimensions lose nothing.

    Attributes
    ----------
    at_least, at_most : int
        The number of dimensions is between them; known where they agree.
    theta : tuple of float
        Bounds below and above of Lovász's theta of the complement.
    clique : tuple of int
        Features that all occur together, as many as were found.
    direction : integer array (N,)
        A direction for each feature, ``at_most`` of them, that two share only if they exclude
        each other.
    """

    at_least: int
    at_most: int
    theta: tuple[float, float]
    clique: tuple[int, ...]
    direction: np.ndarray

    @property
    def exact(self) -> bool:
        """Whether the bounds meet."""
        return self.at_least == self.at_most


def least_dims(cooccurs: ArrayLike) -> LeastDims:
    """The least number of dimensions in which no loss is left, or bounds on it.

    Parameters
    ----------
    cooccurs : array (N, N)
        Symmetric; positive where two features are ever active together, 0 where they exclude each
        other: :attr:`.Moments.coactivation`, or 0 and 1.  The diagonal is not looked at.
        At most 64 features.

    Examples
    --------
    A cycle of five in which neighbors occur together: three directions, and no two suffice.

    >>> import numpy as np
    >>> ring = np.roll(np.eye(5), 1, axis=0)
    >>> found = least_dims(ring + ring.T)
    >>> found.at_least, found.at_most, round(sum(found.theta) / 2, 1)
    (3, 3, 2.2)
    """
    joined = _graph(cooccurs)
    clique = _clique(joined)
    colors = _colors(joined, len(clique))
    theta = _theta(joined)
    n_colors = int(colors.max()) + 1
    at_least = max(len(clique), int(np.ceil(theta[0] - 1e-9)))
    return LeastDims(at_least, n_colors, theta, clique, colors)


def exclusive_embedding(cooccurs: ArrayLike, importance: ArrayLike) -> np.ndarray:
    """An embedding without loss in which features that exclude each other share directions.

    Shape (at_most, N) of :func:`least_dims`; column i is the root of the importance in the
    direction of its color.

    >>> exclusive_embedding([[0, 0, 1], [0, 0, 1], [1, 1, 0]], [4, 1, 1])
    array([[0., 0., 1.],
           [2., 1., 0.]])
    """
    joined = _graph(cooccurs)
    _, (v,) = checked(importance=importance)
    v = to_numpy(v)
    require(
        v.shape == (len(joined),),
        f"importance needs one entry per feature ({len(joined)}); got shape {v.shape}",
    )
    colors = _colors(joined, len(_clique(joined)))
    return np.sqrt(v) * (colors == np.arange(colors.max() + 1)[:, None])


def orthogonal_representation(
    cooccurs: ArrayLike, n_dims: int, n_starts: int = 20, seed: int = 0
) -> np.ndarray | None:
    """Unit vectors that are orthogonal for features that occur together, or None if none is found.

    Found by least squares from random starts, to a rounding error; a None proves nothing.
    Shape (n_dims, N).

    >>> orthogonal_representation([[0, 1], [1, 0]], 1) is None
    True
    """
    joined = _graph(cooccurs)
    n = len(joined)
    d = require_whole(n_dims, "n_dims", 1, n, f"a whole number from 1 to {n}")
    require_whole(n_starts, "n_starts", 1, None, "a whole number, at least 1")
    first, second = np.nonzero(np.triu(joined))
    rng = np.random.default_rng(seed)

    def residuals(flat: np.ndarray) -> np.ndarray:
        U = flat.reshape(d, n)
        products = (U[:, first] * U[:, second]).sum(0)
        return np.concatenate([products, (U * U).sum(0) - 1])

    for _ in range(n_starts):
        start = rng.standard_normal(d * n) / np.sqrt(d)
        run = optimize.least_squares(residuals, start, xtol=1e-15, ftol=1e-15, gtol=1e-15)
        if np.abs(run.fun).max() < 1e-9:
            return run.x.reshape(d, n)
    return None


def _graph(cooccurs: ArrayLike) -> np.ndarray:
    _, (array,) = checked(W=cooccurs)
    matrix = to_numpy(array)
    require_finite(np, matrix, "cooccurs")
    n = len(matrix)
    require(
        matrix.shape == (n, n) and n <= _MOST_FEATURES,
        f"cooccurs must have shape (N, N) for at most {_MOST_FEATURES} features; got "
        f"{matrix.shape}",
    )
    joined = matrix > 0
    np.fill_diagonal(joined, False)
    require(
        (matrix >= 0).all() and (joined == joined.T).all(),
        "cooccurs must be symmetric with no negative entry: positive where two features occur "
        "together",
    )
    return joined


def _clique(joined: np.ndarray) -> tuple[int, ...]:
    """A largest set of pairwise joined features (Bron and Kerbosch with a bound)."""
    neighbors = [set(np.flatnonzero(row)) for row in joined]
    best: list[int] = []
    steps = 0

    def grow(chosen: list[int], candidates: set[int]) -> None:
        nonlocal best, steps
        steps += 1
        if len(chosen) > len(best):
            best = chosen
        while candidates and len(chosen) + len(candidates) > len(best) and steps < _MOST_STEPS:
            one = max(candidates, key=lambda i: (len(neighbors[i] & candidates), -i))
            grow([*chosen, one], candidates & neighbors[one])
            candidates = candidates - {one}

    grow([], set(range(len(joined))))
    return tuple(sorted(int(i) for i in best))


def _colors(joined: np.ndarray, at_least: int) -> np.ndarray:
    """A coloring with as few colors as found: the most constrained feature next (DSATUR)."""
    n = len(joined)
    best = np.arange(n)
    n_best = n
    colors = np.full(n, -1)
    steps = 0

    def color(n_used: int) -> None:
        nonlocal best, n_best, steps
        steps += 1
        if n_used >= n_best or n_best <= at_least or steps > _MOST_STEPS:
            return
        free = np.flatnonzero(colors < 0)
        if not len(free):
            best, n_best = colors.copy(), n_used
            return
        seen = [len(set(colors[joined[i]]) - {-1}) for i in free]
        one = free[max(range(len(free)), key=lambda j: (seen[j], joined[free[j]].sum()))]
        taken = set(colors[joined[one]])
        for c in range(min(n_used + 1, n_best - 1)):
            if c not in taken:
                colors[one] = c
                color(max(n_used, c + 1))
        colors[one] = -1

    color(0)
    return best


def _theta(joined: np.ndarray) -> tuple[float, float]:
    r"""Bounds of theta of the complement, each with a certificate.

    Above: the largest eigenvalue of J plus any multiples of the entries of pairs not joined.
    That is made small through its smooth version :math:`\mu\ln\mathrm{tr}\,e^{M/\mu}`, whose
    stationary matrix :math:`e^{M/\mu}` has no such entries and so gives the bound below.
    """
    n = len(joined)
    rows, columns = np.nonzero(np.triu(~joined, 1))
    best = [1.0, float(n)]

    def matrix(y: np.ndarray) -> np.ndarray:
        M = np.ones((n, n))
        M[rows, columns] += y
        M[columns, rows] += y
        return M

    def smooth(y: np.ndarray, mu: float) -> tuple[float, np.ndarray, float, np.ndarray]:
        values, vectors = np.linalg.eigh(matrix(y))
        weight = np.exp((values - values[-1]) / mu)
        X = (vectors * (weight / weight.sum())) @ vectors.T
        return values[-1] + mu * np.log(weight.sum()), X, values[-1], 2 * X[rows, columns]

    y = -np.ones(len(rows))
    for mu in _TEMPERATURES:
        if len(rows):
            run = optimize.minimize(
                lambda y, mu=mu: smooth(y, mu)[::3],
                y,
                jac=True,
                method="L-BFGS-B",
                options={"maxiter": 2000, "gtol": 1e-9, "ftol": 1e-15},
            )
            y = run.x
        _, X, above, _ = smooth(y, mu)
        X[rows, columns] = X[columns, rows] = 0
        X += max(0.0, -np.linalg.eigvalsh(X)[0]) * np.eye(n)
        below = X.sum() / np.trace(X)
        best = [max(best[0], float(below)), min(best[1], float(above))]
    return best[0], best[1]
