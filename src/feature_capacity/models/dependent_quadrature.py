r"""Nodes for inputs that depend on each other: features that come as a group, or one at a time.

*A group.*  All features are off with probability 1 - q; otherwise they are what they would be
independently.  The expectation of any loss is q times that of the independent inputs and 1 - q
times the loss at 0.  For an autoencoder with ReLU that is :math:`\sum_i v_i\max(b_i,0)^2`, so that
*as long as no bias is above 0 the group's probability is a mere factor of the loss*: what is
learned depends on how often a feature is on given that its group is.

*One at a time.*  One feature is on, each as often as every other, or none.  An autoencoder with
ReLU then loses nothing exactly when all biases are 0, all columns have length 1, and no two have a
positive inner product: the output of a feature that is on must be its value x for all x, and that
of the others 0.  Of such vectors at most 2 D fit into D dimensions (two in each of D orthogonal
directions), so that N exclusive features take N / 2 dimensions, rounded up.
"""

from __future__ import annotations

import numpy as np

from .._arrays import require, require_whole
from .inputs import SparseInput
from .quadrature import Quadrature


def grouped_quadrature(quadrature: Quadrature, probability: float) -> Quadrature:
    """Nodes of a group of features that is on with this probability, from those of when it is on.

    Parameters
    ----------
    quadrature : Quadrature
        Of independent features, each on with the probability that it has *given* its group.
    probability : float
        Of the group, above 0 and at most 1.

    Raises
    ------
    ValueError
        For a probability that is none.

    Examples
    --------
    >>> from feature_capacity import UnitSparseUniform
    >>> from feature_capacity.models.quadrature import moment_quadrature
    >>> alone = moment_quadrature(UnitSparseUniform(0.5), 2)
    >>> group = grouped_quadrature(alone, 0.1)
    >>> [float((rule.weight @ rule.x[:, 0]).round(9)) for rule in (alone, group)]
    [0.25, 0.025]
    """
    _require_probability(probability)
    zero = np.zeros((1, quadrature.x.shape[1]))
    if probability == 1:
        return quadrature
    return Quadrature(
        np.concatenate([zero, quadrature.x]),
        np.append(1 - probability, probability * quadrature.weight),
        quadrature.all_masks,
        quadrature.dropped,
        quadrature.mirrored,
    )


def exclusive_quadrature(
    inputs: SparseInput, n_features: int, probability: float = 1.0, n_points: int = 16
) -> Quadrature:
    """Nodes of inputs of which one feature is on, with this probability, or none.

    Parameters
    ----------
    inputs : SparseInput
        What values a feature takes when it is on; its own probability does not count.
    n_features : int
    probability : float
        That one of them is on, above 0 and at most 1.
    n_points : int
        Gauss points of each value.

    Raises
    ------
    ValueError
        For a probability that is none.

    Examples
    --------
    >>> from feature_capacity import UnitSparseUniform
    >>> rule = exclusive_quadrature(UnitSparseUniform(1.0), 3, n_points=4)
    >>> rule.x.shape, float((rule.weight @ rule.x[:, 0]).round(9))
    ((12, 3), 0.166666667)
    """
    rule = "a whole number, at least 1"
    n = require_whole(n_features, "n_features", 1, None, rule)
    _require_probability(probability)
    values, weight = inputs.active_rule(require_whole(n_points, "n_points", 1, None, rule))
    x = np.kron(np.eye(n), values[:, None])
    each = np.tile(weight / weight.sum() / n, n)
    return grouped_quadrature(Quadrature(x, each, True, 0.0), probability)


def _require_probability(probability: float) -> None:
    require(
        isinstance(probability, (int, float)) and 0 < probability <= 1,
        f"probability must be above 0 and at most 1; got {probability!r}",
    )
