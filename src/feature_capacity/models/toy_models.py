r"""The two toy models, batched over instances (section 3.1, section 3.7, Figure 3).

*Computation* (Redwood): :math:`y = \sum_i v_i f(x_i)` is modeled by
:math:`\tilde y = \sum_a f(W_a \cdot x) + b`, with squared error.
*Autoencoder* (Anthropic): :math:`\hat x = f(W^T W x + b)`, with squared error weighted by
importance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from .._arrays import ArrayLike, float64, require, require_importance, require_known, require_whole
from .activations import with_slope

KINDS = ("computation", "autoencoder")
"""The toy models: a sum of squares computed, an input given back."""

BIASES = ("best", "shared", "none")
"""One for each output and as good as can be, one for all outputs, or 0."""


@dataclass(frozen=True)
class ToyModel:
    """Which model: its kind, nonlinearity and size.

    Parameters
    ----------
    kind : {"computation", "autoencoder"}
    activation : str or callable
        A name in :data:`feature_capacity.models.activations.ACTIVATIONS` or a torch function; the
        computation model has it in the ground truth as well.
    n_features, n_dims : int
        N features in D dimensions, D at most N.
    bias : {"best", "shared", "none"}
        What may be chosen besides W: one number for each output, one for all of them, or nothing,
        so that the bias is 0.  The computation model has a single output, so that ``best`` and
        ``shared`` are the same there.

    Examples
    --------
    >>> ToyModel("autoencoder", "relu").name
    'autoencoder, relu, 6 in 3'
    >>> ToyModel("autoencoder", "relu", bias="none").name
    'autoencoder, relu, 6 in 3, no bias'
    """

    kind: str
    activation: str | Callable[[Tensor], Tensor] = "quadratic"
    n_features: int = 6
    n_dims: int = 3
    bias: str = "best"

    def __post_init__(self) -> None:
        require_known("model", self.kind, KINDS)
        require_known("bias", self.bias, BIASES)
        with_slope(self.activation)
        n = require_whole(self.n_features, "n_features", 1, None, "a whole number, at least 1")
        rule = f"a whole number from 1 to the number of features ({n})"
        require_whole(self.n_dims, "n_dims", 1, n, rule)

    @property
    def name(self) -> str:
        """Kind, activation, size and an unusual bias in words."""
        activation = self.activation
        if callable(activation):
            activation = getattr(activation, "__name__", "custom")
        bias = {"best": "", "shared": ", shared bias", "none": ", no bias"}[self.bias]
        return f"{self.kind}, {activation}, {self.n_features} in {self.n_dims}{bias}"

    @property
    def bias_shape(self) -> tuple[int, ...]:
        """Shape of one instance's bias: a number, or one entry per feature."""
        return () if self.kind == "computation" else (self.n_features,)

    @property
    def n_bias(self) -> int:
        """How many entries of the bias are parameters of a minimization.

        None in the computation model: for a given W its best bias is known.
        """
        if self.kind == "computation":
            return 0
        return {"best": self.n_features, "shared": 1, "none": 0}[self.bias]

    def importance_rows(self, importance: ArrayLike, rows: str) -> np.ndarray:
        """Importances of many instances, float64 (rows, n_features), or ``ValueError``."""
        v = float64(importance, "importance")
        require_importance(np, v)
        require(
            v.ndim == 2 and v.shape[1] == self.n_features,
            f"importance must have shape ({rows}, {self.n_features}); got {v.shape}",
        )
        return v


def output(model: ToyModel, W: Tensor, bias: Tensor, x: Tensor) -> Tensor:
    """What the model answers to each sample.

    Parameters
    ----------
    model : ToyModel
    W : tensor, shape (*batch, n_dims, n_features)
    bias : tensor, shape (*batch) for computation, (*batch, n_features) for the autoencoder
    x : tensor, shape (n_samples, n_features) or (*batch, n_samples, n_features)

    Returns
    -------
    tensor
        (*batch, n_samples) for computation, (*batch, n_samples, n_features) for the autoencoder.

    Examples
    --------
    >>> import torch
    >>> W, x = torch.tensor([[1.0, -1.0]]), torch.tensor([[2.0, 0.0], [0.0, 3.0]])
    >>> output(ToyModel("autoencoder", "relu", 2, 1), W, torch.zeros(2), x)
    tensor([[2., 0.],
            [0., 3.]])
    """
    f = with_slope(model.activation)
    hidden = x @ W.mT
    if model.kind == "computation":
        return f(hidden)[0].sum(-1) + bias[..., None]
    return f(hidden @ W + bias[..., None, :])[0]


def squared_error(
    model: ToyModel, W: Tensor, bias: Tensor, importance: Tensor, x: Tensor
) -> Tensor:
    """Loss of each sample, shape (*batch, n_samples).

    Equation (11) with the target of equation (9) for computation; the importance-weighted sum of
    squared errors for the autoencoder.  ``importance`` has shape ``(*batch, n_features)``.

    >>> import torch
    >>> W, x = torch.eye(2), torch.tensor([[2.0, 3.0]])
    >>> squared_error(ToyModel("computation", "quadratic", 2, 2), W, torch.tensor(0.0),
    ...               torch.tensor([1.0, 2.0]), x)
    tensor([81.])
    """
    answer = output(model, W, bias, x)
    if model.kind == "computation":
        target = (with_slope(model.activation)(x)[0] * importance[..., None, :]).sum(-1)
        return (answer - target) ** 2
    return (importance[..., None, :] * (answer - x) ** 2).sum(-1)
