r"""A penalty on overlap, :math:`\beta\sum_{i\ne j}(w_i\cdot w_j)^2`, and what to measure it by.

:func:`feature_capacity.solvers.minimization.minimize` adds it to any loss.  For the quadratic model
nothing new has to be minimized: there it acts like inputs of another kurtosis.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from .._arrays import (
    Array,
    as_float_arrays,
    require_finite,
    require_importance,
    require_kurtosis,
    require_where,
)
from .activations import with_slope
from .inputs import SparseInput
from .quadrature import sparse_quadrature
from .toy_models import ToyModel


def penalized_kurtosis(kurtosis: Array, penalty: Array) -> Array:
    r"""Kurtosis at which the plain quadratic model has the optima of the penalized one.

    Equation (12) has the penalty's sum in it already, with the factor 2.  With
    :math:`2+\beta` in its place it is :math:`1+\beta/2` times the loss at
    :math:`k' = 1 + (k-1)/(1+\beta/2)`.

    Parameters
    ----------
    kurtosis, penalty : float or arrays that broadcast
        k at least 1, and beta at least 0.

    Examples
    --------
    A penalty of k - 3 makes every kurtosis the critical one:

    >>> float(penalized_kurtosis(9.0, 6.0))
    3.0
    """
    xp, (k, beta) = as_float_arrays(kurtosis=kurtosis, penalty=penalty)
    require_kurtosis(xp, k)
    require_finite(xp, beta, "penalty")
    remedy = "a negative one would reward overlap"
    require_where(xp, beta >= 0, beta, "penalty must be at least 0", remedy)
    return 1 + (k - 1) / (1 + beta / 2)


def baseline_loss(model: ToyModel, inputs: SparseInput, importance: Any) -> np.ndarray:
    """Expected loss of a network with W = 0 that answers with the mean: a unit for penalties.

    Parameters
    ----------
    model : ToyModel
    inputs : SparseInput
    importance : array (..., n_features)

    Returns
    -------
    array (...)

    Examples
    --------
    Two independent squares of kurtosis 9 have variance 8 each:

    >>> from feature_capacity import SparseUniform
    >>> model = ToyModel("computation", "quadratic", 2, 1)
    >>> round(float(baseline_loss(model, SparseUniform(0.2), [2.0, 1.0])), 6)
    40.0
    """
    v = np.asarray(importance, dtype=np.float64)
    require_importance(np, v)
    if model.kind == "autoencoder":
        return v.sum(axis=-1) * inputs.variance
    nodes = sparse_quadrature(inputs, 1)
    value = with_slope(model.activation)(torch.from_numpy(nodes.x[:, 0]))[0].numpy()
    return (v**2).sum(axis=-1) * (nodes.weight @ (value - nodes.weight @ value) ** 2)
