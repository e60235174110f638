r"""The fourth moment of a sparse feature, by integration, by sampling, and the least there can be.

A sparse feature is :math:`x = sz/\sqrt p`: a switch s that is on with probability p, and an active
value z of mean 0 and variance 1 (Appendix D).  Nothing here uses equation (59).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from scipy.optimize import linprog

from .._arrays import require, shown


class Active(Protocol):
    """A frozen distribution of ``scipy.stats``, as the value of an active feature."""

    dist: Any

    def expect(self, func: Callable[[float], float]) -> float:
        """Expected value of a function."""

    def rvs(self, size: int, random_state: np.random.Generator) -> np.ndarray:
        """Drawn values."""


def sparse_moment(active: Active, order: int, p: float) -> float:
    """E[x^order] of a sparse feature, by integrating over the active value (or by its sum).

    Parameters
    ----------
    active : frozen distribution of scipy.stats
        Of mean 0 and variance 1.
    order : int
    p : float
        Feature probability.

    Examples
    --------
    >>> from scipy import stats
    >>> round(sparse_moment(stats.norm(), 4, 0.5), 9)  # 3 / p
    6.0
    """
    values = getattr(active.dist, "xk", None)
    whole = active.expect(lambda z: z**order) if values is None else np.mean(values**order)
    return float(p * whole / p ** (order / 2))


def sampled_fourth_moment(
    active: Active, p: float, n_samples: int, generator: np.random.Generator
) -> tuple[float, float]:
    """Estimate of E[x^4] from drawn features, and its standard error.

    The error needs the eighth moment to be finite.
    """
    size = generator.binomial(n_samples, p)
    fourth = active.rvs(size=size, random_state=generator) ** 4 / p**2
    mean = fourth.sum() / n_samples
    variance = (fourth**2).sum() / n_samples - mean**2
    return float(mean), float(np.sqrt(variance / n_samples))


def least_fourth_moment(p: float, n_values: int = 801, widest: float = 4.0) -> float:
    r"""Smallest E[x^4] of any feature of mean 0 and variance 1 that is 0 with chance 1 - p.

    A linear program over all distributions on a grid of values: nothing is assumed about the shape.

    Parameters
    ----------
    p : float
        Feature probability, in (0, 1].
    n_values : int
        Values that the feature may take besides 0, evenly spaced.
    widest : float
        The largest of them, in units of :math:`1/\sqrt p`.

    Raises
    ------
    ValueError
        For a probability outside of (0, 1].

    Examples
    --------
    >>> round(least_fourth_moment(0.25), 6)
    4.0
    """
    require(0 < p <= 1, f"p must be a feature probability in (0, 1]; got {shown(p)}")
    # In units of 1/sqrt(p) all numbers of the program are near 1.
    x = np.linspace(-widest, widest, n_values)
    x = x[x != 0]
    program = linprog(
        x**4 / p,
        A_eq=np.stack([np.ones_like(x), x, x**2]),
        b_eq=[1, 0, 1],
        bounds=(0, None),
        method="highs",
    )
    return float(program.fun)
