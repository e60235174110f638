r"""Odd and even parts of a nonlinearity, and what they make of the loss of the computation model.

For inputs whose distribution is the same after a change of all signs, odd and even functions of
them are uncorrelated.  ReLU and GELU have the odd part x / 2, so that their expected loss is a sum
of two: that of a linear model, and that of the even part alone,

.. math::

   L_f(W) = \tfrac14 \mathrm E[x^2] \sum_i \Bigl(v_i - \sum_a W_{ai}\Bigr)^2 + L_{\mathrm{even}}(W).

The first is linear in a small W.  That is the *foot* of the phase diagrams of ReLU and GELU: a
feature with a short vector always gains from a little more length, so that it is never quite
ignored.  For ReLU the even part is \|x\| / 2, for GELU x erf(x / sqrt 2) / 2.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor

from .._arrays import float64, require
from .activations import with_slope


def odd_part(activation: str | Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """The odd part of a nonlinearity, (f(x) - f(-x)) / 2.

    >>> import torch
    >>> odd_part("relu")(torch.tensor([-2.0, 3.0]))
    tensor([-1.0000,  1.5000])
    """
    f = with_slope(activation)
    return lambda z: (f(z)[0] - f(-z)[0]) / 2


def even_part(activation: str | Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """The even part of a nonlinearity, (f(x) + f(-x)) / 2; a function that ``ToyModel`` takes.

    >>> import torch
    >>> even_part("relu")(torch.tensor([-2.0, 3.0]))
    tensor([1.0000, 1.5000])
    """
    f = with_slope(activation)
    return lambda z: (f(z)[0] + f(-z)[0]) / 2


def linear_part_loss(W: ArrayLike, importance: ArrayLike, second_moment: float) -> np.ndarray:
    r"""The part of the loss that the odd half x / 2 of ReLU and GELU makes.

    :math:`\tfrac14 \mathrm E[x^2] \sum_i (v_i - \sum_a W_{ai})^2`, for independent inputs of mean
    0.  It is 0 when every column of W sums to its importance.

    Parameters
    ----------
    W : array (..., n_dims, n_features)
    importance : array (..., n_features)
    second_moment : float
        E[x^2] of a feature.

    Returns
    -------
    array (...)

    Examples
    --------
    A feature of importance 2 without a vector costs 1 in units of its second moment:

    >>> float(linear_part_loss([[1.0, 0.0]], [1.0, 2.0], 1.0))
    1.0
    """
    embedding, v = float64(W, "W"), float64(importance, "importance")
    require(
        embedding.ndim >= 2 and v.ndim >= 1 and embedding.shape[-1] == v.shape[-1],
        f"W must end in (n_dims, n_features) and importance in n_features; "
        f"got shapes {embedding.shape} and {v.shape}",
    )
    return second_moment / 4 * ((v - embedding.sum(axis=-2)) ** 2).sum(axis=-1)
