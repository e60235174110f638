"""Expectation nodes with the symmetries of the distribution that they stand for.

On plain nodes two networks that differ in the order of equal features have slightly different
losses, and an input is slightly correlated with its own size.  Both would blur what happens at
equal importances and at importance 0.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np

from .quadrature import Quadrature


def symmetric_nodes(quadrature: Quadrature, both_signs: bool) -> Quadrature:
    """The same nodes in every cyclic order of the features, and with all signs changed.

    An expected loss on such nodes is exactly as blind to the order of the features, and to the sign
    of inputs, as the distribution is.

    Parameters
    ----------
    quadrature : Quadrature
    both_signs : bool
        Add the nodes with all signs changed; right only for symmetric distributions.  Mirrored
        nodes have both signs already, and stay mirrored.

    Examples
    --------
    >>> from feature_capacity import SparseUniform
    >>> from feature_capacity.models.quadrature import sparse_quadrature
    >>> plain = sparse_quadrature(SparseUniform(0.2), 3, 64)
    >>> for rule in (plain, symmetric_nodes(plain, both_signs=True)):
    ...     print([round(float(rule.weight @ rule.x[:, i] ** 6), 1) for i in range(3)])
    [91.5, 91.6, 91.5]
    [91.5, 91.5, 91.5]
    """
    n = quadrature.x.shape[1]
    turned = [np.roll(quadrature.x, shift, axis=1) for shift in range(n)]
    if both_signs and not quadrature.mirrored:
        turned += [-x for x in turned]
    return _merged(quadrature, turned)


def listed_opposites(quadrature: Quadrature) -> Quadrature:
    """The same nodes with the opposites that mirrored ones stand for; others as they are.

    Examples
    --------
    >>> from feature_capacity import SparseUniform
    >>> from feature_capacity.models.quadrature import sparse_quadrature
    >>> half = sparse_quadrature(SparseUniform(1.0), 2, 64, mirrored=True)
    >>> whole = listed_opposites(half)
    >>> len(whole.weight) == 2 * len(half.weight), bool(half.x.mean() > 0.1)
    (True, True)
    >>> abs(float(whole.weight @ whole.x[:, 0])) < 1e-15, whole.mirrored
    (True, False)
    """
    if not quadrature.mirrored:
        return quadrature
    return replace(_merged(quadrature, [quadrature.x, -quadrature.x]), mirrored=False)


def reflected_nodes(quadrature: Quadrature) -> Quadrature:
    """The same nodes with the sign of every feature changed by itself: 2^N of each.

    Odd and even functions of any one feature are then exactly uncorrelated, as they are for
    independent inputs with symmetric distributions.

    Examples
    --------
    >>> from feature_capacity import SparseUniform
    >>> from feature_capacity.models.quadrature import sparse_quadrature
    >>> rule = reflected_nodes(sparse_quadrature(SparseUniform(1.0), 3, 64))
    >>> abs(round(float(rule.weight @ (rule.x[:, 0] * rule.x[:, 1] ** 2)), 12))
    0.0
    """
    signs = np.array(list(product([1.0, -1.0], repeat=quadrature.x.shape[1])))
    return _merged(quadrature, [quadrature.x * each for each in signs])


def _merged(quadrature: Quadrature, copies: list[np.ndarray]) -> Quadrature:
    """All copies of the nodes, equal ones once, with the sum of their weights."""
    nodes = np.concatenate(copies) + 0.0  # no negative zero, which would hide equal nodes
    order = np.lexsort(nodes.T[::-1])
    nodes, weight = nodes[order], np.tile(quadrature.weight, len(copies))[order]
    first = np.flatnonzero(np.append(True, (nodes[1:] != nodes[:-1]).any(axis=1)))
    weight = np.add.reduceat(weight, first) / len(copies)
    return replace(quadrature, x=nodes[first], weight=weight)
