"""Inputs that Figure 7 may have been made with, besides those of section 3: skewed, and centered.

The paper does not say what its networks saw.  Whether a finding depends on it is tried with inputs
of both signs that are not symmetric, and with inputs of one sign whose mean is taken off.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from .inputs import Draws, SparseInput, SparseUniform, UnitSparseUniform
from .quadrature import Quadrature, sparse_quadrature


@dataclass(frozen=True)
class SkewedUniform(SparseInput):
    """Uniform on [-a, 2a] with probability p, with second moment 1: a = 1 / sqrt(p).

    Positive values are twice as likely as negative ones, and reach twice as far.

    >>> inputs = SkewedUniform(0.25)
    >>> inputs.mean, inputs.moment(2)
    (0.25, 1.0)
    """

    def active_rule(self, n_points: int) -> tuple[np.ndarray, np.ndarray]:
        """Gauss nodes on [-a, 0] with a third of the weight, and on [0, 2a]."""
        x, w = SparseUniform(1.0).active_rule(n_points)
        half, a = len(x) // 2, 1 / math.sqrt(self.p)
        unit = x / SparseUniform(1.0).half_width
        nodes = np.concatenate([a * unit[:half], 2 * a * unit[half:]])
        return nodes, np.concatenate([2 / 3 * w[:half], 4 / 3 * w[half:]])

    def active_from_uniform(self, u: Draws) -> Draws:
        """Linear between -a and 2a."""
        return (3 * u - 1) / math.sqrt(self.p)

    def _moment(self, order: int) -> float:
        ends = 2.0 ** (order + 1) - (-1.0) ** (order + 1)
        return self.p ** (1 - order / 2) * ends / (3 * (order + 1))


def centered_nodes(p: float, n_features: int, n_points: int = 4096, seed: int = 0) -> Quadrature:
    """Nodes of the autoencoder's inputs, less their mean and with variance 1.

    Uniform from 0 to 1 with probability p, else 0; then shifted and scaled, so that "off" is a
    negative number.

    Parameters
    ----------
    p : float
    n_features, n_points, seed
        Of :func:`feature_capacity.models.quadrature.sparse_quadrature`.

    Examples
    --------
    >>> rule = centered_nodes(0.2, 3)
    >>> abs(round(float(rule.weight @ rule.x[:, 0]), 6)), bool(rule.x[0].max() < 0)
    (0.0, True)
    """
    inputs = UnitSparseUniform(p)
    rule = sparse_quadrature(inputs, n_features, n_points, seed)
    return replace(rule, x=(rule.x - inputs.mean) / math.sqrt(inputs.variance))
