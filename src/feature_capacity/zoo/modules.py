r"""The networks of the zoo as torch modules.

All have a submodule ``embed``, a linear layer whose output is the hidden activation
:math:`h = W f`, where *f* are the features; a hook on it reads them.  ``features(x)`` are the
features themselves and ``squared_error(x)`` is the loss of each sample.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from ..models.activations import with_slope
from ..models.toy_models import ToyModel


class Network(nn.Module):
    """What all of them share: an embedding of the features, a bias, importances.

    Parameters
    ----------
    W : array (n_dims, n_features)
    bias : array
    importance : array (n_features,)
    """

    def __init__(self, W: np.ndarray, bias: np.ndarray, importance: np.ndarray) -> None:
        super().__init__()
        n_dims, n_features = W.shape
        self.embed = nn.Linear(n_features, n_dims, bias=False)
        self.embed.weight = nn.Parameter(_tensor(W))
        self.bias = nn.Parameter(_tensor(bias))
        self.register_buffer("importance", _tensor(importance))

    def features(self, x: Tensor) -> Tensor:
        """The features of an input: its entries."""
        return x

    def squared_error(self, x: Tensor) -> Tensor:
        """Loss of each sample, shape (n_samples,)."""
        raise NotImplementedError


class Toy(Network):
    """A toy model of the paper, computation or autoencoder.

    >>> model = ToyModel("computation", "quadratic", 2, 1)
    >>> network = Toy(model, np.ones((1, 2)), np.zeros(()), np.ones(2))
    >>> network(torch.tensor([[1.0, 2.0]])).tolist()
    [9.0]
    """

    def __init__(
        self, model: ToyModel, W: np.ndarray, bias: np.ndarray, importance: np.ndarray
    ) -> None:
        super().__init__(W, bias, importance)
        self.model = model
        self._activation = with_slope(model.activation)

    def forward(self, x: Tensor) -> Tensor:
        """The answer: (n_samples,) for computation, (n_samples, n_features) for the autoencoder."""
        hidden = self.embed(self.features(x))
        if self.model.kind == "computation":
            return self._activation(hidden)[0].sum(-1) + self.bias
        return self._activation(hidden @ self.embed.weight + self.bias)[0]

    def squared_error(self, x: Tensor) -> Tensor:
        """Loss of each sample, shape (n_samples,)."""
        weight, f = self.get_buffer("importance"), self.features(x)
        if self.model.kind == "computation":
            return (self(x) - (self._activation(f)[0] * weight).sum(-1)) ** 2
        return (weight * (self(x) - f) ** 2).sum(-1)


class TwoLayers(Toy):
    r"""A layer of squares before a quadratic model; its centered outputs are the features.

    :math:`u_a = (w_a\cdot x)^2 - E[(w_a\cdot x)^2]`; the target is :math:`\sum_a v_au_a^2`.
    """

    def __init__(
        self,
        first: np.ndarray,
        mean: np.ndarray,
        W: np.ndarray,
        bias: np.ndarray,
        importance: np.ndarray,
    ) -> None:
        model = ToyModel("computation", "quadratic", W.shape[1], W.shape[0])
        super().__init__(model, W, bias, importance)
        self.first = nn.Linear(first.shape[1], first.shape[0], bias=False)
        self.first.weight = nn.Parameter(_tensor(first), requires_grad=False)
        self.register_buffer("mean", _tensor(mean))

    def features(self, x: Tensor) -> Tensor:
        """What the first layer gives: centered squares."""
        return self.first(x) ** 2 - self.get_buffer("mean")


def _tensor(x: np.ndarray) -> Tensor:
    return torch.tensor(np.asarray(x), dtype=torch.float32)
