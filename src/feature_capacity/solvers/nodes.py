"""A quadrature as tensors, and how the toy models' parameters and activations meet it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from ..models.activations import Activation, linear_and_even, with_slope
from ..models.quadrature import Quadrature
from ..models.toy_models import ToyModel


@dataclass(frozen=True, eq=False)
class QuadratureTensors:
    """A quadrature as tensors, with what all models of a batch share."""

    x: Tensor  # (nodes, features)
    weight: Tensor  # (nodes,)
    pairs: tuple[Tensor, Tensor]  # the i and j of the products below
    second: Tensor  # (features, features): E[x x^T]
    mirrored: bool  # whether each node stands for its opposite too
    _targets: dict[Any, Tensor] = field(default_factory=dict, repr=False)

    @cached_property
    def moments(self) -> Tensor:
        """Products x_i x_j (i <= j), x, 1; shape (nodes, pairs + features + 1)."""
        x, (i, j) = self.x, self.pairs
        return torch.cat([x[:, i] * x[:, j], x, torch.ones_like(x[:, :1])], dim=1)

    @cached_property
    def rows(self) -> Tensor:
        """The nodes' values by feature, and ones; shape (features + 1, nodes)."""
        return torch.cat([self.x, torch.ones_like(self.x[:, :1])], dim=1).T.contiguous()

    @cached_property
    def moment_rows(self) -> Tensor:
        """The moments in the same way; shape (pairs + features + 1, nodes)."""
        return self.moments.T.contiguous()

    def targets(self, model: ToyModel) -> Tensor:
        """The computation model's f(x_i) at every node, (features, nodes)."""
        if model.activation not in self._targets:
            self._targets[model.activation] = parts_of(model, self)[1](self.x)[0].T.contiguous()
        return self._targets[model.activation]


def quadrature_tensors(
    quadrature: Quadrature, dtype: torch.dtype, device: torch.device
) -> QuadratureTensors:
    """A quadrature on a device; the same tensors as long as the quadrature is in use."""
    known = _KNOWN.setdefault(quadrature, {})
    if (dtype, device) not in known:
        known[dtype, device] = _moved(quadrature, dtype, device)
    return known[dtype, device]


_KNOWN: WeakKeyDictionary[Quadrature, dict[Any, QuadratureTensors]] = WeakKeyDictionary()


def _moved(quadrature: Quadrature, dtype: torch.dtype, device: torch.device) -> QuadratureTensors:
    x = torch.from_numpy(quadrature.x).to(device, dtype)
    weight = torch.from_numpy(quadrature.weight).to(device, dtype)
    i, j = (torch.from_numpy(index).to(device) for index in np.triu_indices(x.shape[1]))
    second = (x * weight[:, None]).T @ x
    return QuadratureTensors(x, weight, (i, j), second, quadrature.mirrored)


def embeddings_of(model: ToyModel, parameters: Tensor) -> Tensor:
    """The matrices W among the parameters, shape (models, n_dims, n_features)."""
    size = model.n_dims * model.n_features
    return parameters[:, :size].view(-1, model.n_dims, model.n_features)


def parts_of(model: ToyModel, quadrature: QuadratureTensors) -> tuple[float, Activation]:
    """The activation as a factor of z, and the rest, which is even where nodes are mirrored."""
    if not quadrature.mirrored:
        return 0.0, with_slope(model.activation)
    parts = linear_and_even(model.activation) if model.kind == "computation" else None
    if parts is None:
        raise ValueError(f"mirrored nodes are not for this model: {model.name}")
    return parts


def linear_part(model: ToyModel, quadrature: QuadratureTensors) -> Tensor:
    """E[x x^T] times the square of the factor of z; zeros where nodes are not mirrored."""
    return parts_of(model, quadrature)[0] ** 2 * quadrature.second
