"""Best allocations found without theory: by trying all of a grid, and by a general optimizer.

The closed forms of :mod:`feature_capacity.theory.allocation` are compared with these routes, which
know only the loss.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
from scipy.integrate import cumulative_trapezoid
from scipy.optimize import minimize

from .quadratic import loss_at_best_lengths, loss_from_capacities, marginal_benefit


def best_split(grid: np.ndarray, first: np.ndarray, second: np.ndarray) -> float | None:
    """Capacity of the first of two features at the best split of one dimension.

    Parameters
    ----------
    grid : array (n_points,)
        Capacities from 0 to 1, evenly spaced.
    first, second : arrays (n_points,)
        Marginal benefits of both over the grid; the gain of a split is the area under both.

    Returns
    -------
    float or None
        None where all splits tie.

    Examples
    --------
    >>> grid = np.linspace(0, 1, 101)
    >>> best_split(grid, 1 - grid, 1 - grid), best_split(grid, grid, grid)  # sharing, and not
    (0.5, 0.0)
    """
    gain = [cumulative_trapezoid(curve, grid, initial=0) for curve in (first, second)]
    total = gain[0] + gain[1][::-1]
    return None if np.ptp(total) < 1e-9 else float(grid[np.argmax(total)])


def best_of_three(
    importance: np.ndarray, kurtosis: float, budget: float, n_points: int = 101
) -> np.ndarray:
    """The best capacities of three features of the quadratic model, on a grid of all allocations.

    Examples
    --------
    Below kurtosis 3 a whole budget is not shared:

    >>> best_of_three(np.array([1.2, 1.0, 0.9]), 1.8, 2.0)
    array([1., 1., 0.])
    """
    cells = np.array(list(product(np.linspace(0, 1, n_points), repeat=2)))
    third = budget - cells.sum(axis=1)
    inside = (third > -1e-9) & (third < 1 + 1e-9)
    allowed = np.column_stack([cells, third])[inside].clip(0, 1)
    loss = np.asarray(loss_at_best_lengths(allowed, importance, kurtosis))
    return allowed[np.argmin(loss.sum(axis=1))]


def optimum_by_slsqp(importance: np.ndarray, kurtosis: float, n_dims: int) -> np.ndarray:
    """Capacities at which a general optimizer ends that may leave capacity unspent.

    For kurtosis above 3, where the loss has one valley.

    Examples
    --------
    >>> optimum_by_slsqp(np.array([1.0, 1.0, 1.0]), 9.0, 2).round(4)
    array([0.6667, 0.6667, 0.6667])
    """
    v, k = importance, kurtosis
    unit = (k - 1) * (v**2).sum()
    unspent = {
        "type": "ineq", "fun": lambda C: n_dims - C.sum(), "jac": lambda C: -np.ones(v.size),
    }  # fmt: skip
    return minimize(
        lambda C: np.asarray(loss_at_best_lengths(np.clip(C, 0, 1), v, k)).sum() / unit,
        jac=lambda C: -marginal_benefit(np.clip(C, 0, 1), v, k) / unit,
        x0=np.full(v.size, 0.9 * n_dims / v.size),
        bounds=[(0, 1)] * v.size,
        constraints=unspent,
        method="SLSQP",
        options={"ftol": 1e-15, "maxiter": 1000},
    ).x


def embedding_by_lbfgs(
    importance: np.ndarray,
    kurtosis: float,
    n_dims: int,
    generator: np.random.Generator,
    n_starts: int = 8,
) -> np.ndarray:
    """Best of some embeddings found by minimizing equation (12) over all entries of W.

    From random starts, by a quasi-Newton method that knows the loss and its slope: no capacities,
    no phases.

    Parameters
    ----------
    importance : array (n_features,)
    kurtosis : float
    n_dims : int
    generator : numpy.random.Generator
        Of the starts.
    n_starts : int

    Returns
    -------
    array (n_dims, n_features)

    Examples
    --------
    Two equal features in one dimension share it at kurtosis 9 and not at 2:

    >>> rng, equal = np.random.default_rng(0), np.ones(2)
    >>> found = [embedding_by_lbfgs(equal, k, 1, rng) for k in (9.0, 2.0)]
    >>> [round(abs(float(np.prod(W))), 4) for W in found]
    [0.8, 0.0]
    """
    v, k = np.asarray(importance, float), float(kurtosis)
    shape, unit = (n_dims, v.size), (k - 1) * (v**2).sum()

    def loss_and_slope(flat: np.ndarray) -> tuple[float, np.ndarray]:
        W = flat.reshape(shape)
        gram = W.T @ W
        missed = np.diag(gram) - v
        np.fill_diagonal(gram, 0)
        loss = (k - 1) * (missed**2).sum() + 2 * (gram**2).sum()
        slope = 8 * W @ gram + 4 * (k - 1) * W * missed
        return loss / unit, slope.ravel() / unit

    size = np.sqrt(v.mean() / n_dims)
    starts = size * generator.standard_normal((n_starts, n_dims * v.size))
    options = {"ftol": 1e-15, "gtol": 1e-9, "maxiter": 5000, "maxfun": 50000}
    ends = [
        minimize(loss_and_slope, start, jac=True, method="L-BFGS-B", options=options)
        for start in starts
    ]
    return min(ends, key=lambda end: end.fun).x.reshape(shape)


def slope_in_first_capacity(
    capacity: np.ndarray,
    sq_norm_of: Callable[[np.ndarray], np.ndarray],
    importance: np.ndarray,
    kurtosis: float,
    step: float = 1e-5,
) -> float:
    """Slope of the quadratic model's loss in the first capacity, by a central difference.

    ``sq_norm_of`` says how squared lengths follow the capacities: what is held fixed matters
    (footnote 3 of the paper).

    Examples
    --------
    At fixed lengths it is equation (14), -2 n² / C²:

    >>> C, v = np.array([0.5, 0.5]), np.array([1.0, 1.0])
    >>> round(slope_in_first_capacity(C, lambda c: v, v, 9.0), 6)
    -8.0
    """
    move = step * (np.arange(len(capacity)) == 0)
    low, high = (
        loss_from_capacities(c, sq_norm_of(c), importance, kurtosis)
        for c in (capacity - move, capacity + move)
    )
    return float(high - low) / (2 * step)
