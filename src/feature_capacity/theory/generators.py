r"""Kurtosis and co-activation of inputs that occur in groups, one of many, or under a parent.

Each feature is a mask, on or off, times a value drawn independently of everything else, with a
random sign.  If :math:`P_{ij}` is the probability that *i* and *j* are on together and
:math:`\kappa` the kurtosis of a value, inputs scaled to variance 1 have

.. math:: E[x_i^2x_j^2] = \frac{P_{ij}}{P_{ii}P_{jj}}\ (i\ne j),\qquad
          E[x_i^4] = \frac{\kappa}{P_{ii}} .

Being rare raises kurtosis, being rare *together* raises co-activation as well:

====================================  ==================  =======================  ===============
inputs                                k                   h                        k / h
====================================  ==================  =======================  ===============
independent, on with probability p    κ/p                 1                        κ/p
a group on (q), its members then (p)  κ/(pq)              1/q in the group         κ/p
exactly m of N                        κN/m                N(m−1)/(m(N−1))          κ(N−1)/(m−1)
one of N                              κN                  0                        no interference
a child (p) under its parent (q)      κ/(pq)              1/q with the parent
====================================  ==================  =======================  ===============

Features that only come as a group therefore share according to how often they are on *given* that
the group is: sparsity of the group as a whole does not help.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .._arrays import (
    ArrayLike,
    float64,
    require,
    require_finite,
    require_number,
    require_whole,
)
from .moments import Moments


def moments_of_masks(together: ArrayLike, kurtosis: float = 1.8) -> Moments:
    """Moments of masked inputs of variance 1 from the probabilities of their masks.

    Parameters
    ----------
    together : array (N, N)
        Probability that both features are on; the diagonal is that of each.
    kurtosis : float
        Of a value when it is on: 1.8 if uniform, 3 if normal, 1 if always 1 or -1.

    >>> moments_of_masks([[0.5, 0.25], [0.25, 0.5]], 1.0).fourth
    array([[2., 1.],
           [1., 2.]])
    """
    P = float64(together, "together")
    require_finite(np, P, "together")
    n = len(P) if P.ndim == 2 else 0
    require(n > 0 and P.shape == (n, n), f"together must have shape (N, N); got {P.shape}")
    p = np.diag(P).copy()
    require((p > 0).all(), "every feature must be on with positive probability: leave others out")
    require(
        (P >= 0).all() and (p <= 1).all() and (np.minimum.outer(p, p) * (1 + 1e-12) >= P).all(),
        "together must hold probabilities, none above that of either feature alone",
    )
    k = _kurtosis(kurtosis)
    fourth = P / np.outer(p, p)
    np.fill_diagonal(fourth, k / p)
    return Moments(np.ones(n), fourth)


def grouped_inputs(
    n_groups: int,
    group_size: int,
    group_probability: float,
    member_probability: float = 1.0,
    kurtosis: float = 1.8,
) -> Moments:
    """Moments of groups that are on or off independently, and members that are, given their group.

    Inside a group k / h is ``kurtosis / member_probability``, however rare the group.

    >>> grouped_inputs(1, 2, group_probability=0.1, kurtosis=3.0).fourth.round(9)
    array([[30., 10.],
           [10., 30.]])
    """
    rule = "a whole number, at least 1"
    groups = require_whole(n_groups, "n_groups", 1, None, rule)
    size = require_whole(group_size, "group_size", 1, None, rule)
    q = _probability(group_probability, "group_probability")
    p = _probability(member_probability, "member_probability")
    same = np.kron(np.eye(groups), np.ones((size, size)))
    together = np.where(same > 0, q * p * p, (q * p) ** 2)
    np.fill_diagonal(together, q * p)
    return moments_of_masks(together, kurtosis)


def fixed_number_inputs(
    n_features: int, n_active: int, probability: float = 1.0, kurtosis: float = 1.8
) -> Moments:
    """Moments of inputs of which exactly ``n_active``, all choices alike, are on; or none.

    With one active the features exclude each other.

    >>> fixed_number_inputs(3, 1, kurtosis=1.0).fourth
    array([[3., 0., 0.],
           [0., 3., 0.],
           [0., 0., 3.]])
    """
    n = require_whole(n_features, "n_features", 2, None, "a whole number, at least 2")
    rule = f"a whole number from 1 to the number of features ({n})"
    m = require_whole(n_active, "n_active", 1, n, rule)
    whole = _probability(probability, "probability")
    together = np.full((n, n), whole * m * (m - 1) / (n * (n - 1)))
    np.fill_diagonal(together, whole * m / n)
    return moments_of_masks(together, kurtosis)


def tree_inputs(
    parents: Sequence[int],
    probabilities: Sequence[float],
    exclusive: bool = False,
    kurtosis: float = 1.8,
) -> Moments:
    """Moments of a hierarchy: a feature can only be on when its parent is.

    Parameters
    ----------
    parents : sequence of int
        Index of each feature's parent, smaller than its own, or -1 for a root.
    probabilities : sequence of float
        Probability of each feature given that its parent is on.
    exclusive : bool
        Whether at most one child of a parent, and one root, is on at a time.

    >>> tree_inputs([-1, 0, 0], [0.5, 0.5, 0.5], exclusive=True, kurtosis=1.0).fourth
    array([[2., 2., 2.],
           [2., 4., 0.],
           [2., 0., 4.]])
    """
    n = len(parents)
    require(
        len(probabilities) == n > 0,
        f"probabilities needs one entry per parent; got {len(probabilities)} for {n}",
    )
    given = [_probability(p, "probabilities") for p in probabilities]
    chains: list[list[int]] = []
    alone = np.empty(n)
    for i, parent in enumerate(parents):
        rule = f"-1 or the index of an earlier feature (feature {i})"
        parent = require_whole(parent, "parents", -1, i - 1, rule)
        chains.append([*(chains[parent] if parent >= 0 else []), i])
        alone[i] = given[i] * (alone[parent] if parent >= 0 else 1.0)
    if exclusive:
        for parent in {-1, *parents}:
            total = sum(p for p, above in zip(given, parents, strict=True) if above == parent)
            require(
                total <= 1 + 1e-12,
                "children that exclude each other must have probabilities that add up to at most "
                f"1; got {total:g} under {'the top' if parent < 0 else f'feature {parent}'}",
            )
    together = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            common = [a for a, b in zip(chains[i], chains[j], strict=False) if a == b]
            meet = common[-1] if common else -1
            if meet in (i, j):
                together[i, j] = min(alone[i], alone[j])
            else:
                base = alone[meet] if meet >= 0 else 1.0
                together[i, j] = 0.0 if exclusive else alone[i] * alone[j] / base
    return moments_of_masks(together, kurtosis)


def _probability(value: object, name: str) -> float:
    return require_number(value, name, 1e-12, 1.0, "(0, 1]")


def _kurtosis(value: object) -> float:
    return require_number(value, "kurtosis", 1.0, 1e12, "[1, 1e12]")
