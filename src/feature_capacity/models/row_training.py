r"""Training of many networks that share their batches: a row of a phase diagram, the usual way.

The same Adam, learning rate and minibatches as :func:`feature_capacity.models.training.train`, for
networks with one distribution of inputs.  Three things make it fast: all of them see the same fresh
batch at each step, so that products with it are one matrix product; gradients are written down
instead of traced, a chunk of networks at a time that stays in cache; and inputs of a batch in which
nothing is active, five of six at p = 0.03, are all the same and count as one with their weight.

* computation: with residual r and slopes f'_a, :math:`\partial L/\partial W_a = 2\,\mathrm E[r f'_a
  x]` and :math:`\partial L/\partial b = 2\,\mathrm E[r]`;
* autoencoder: with :math:`u_i = v_i r_i f'_i` and :math:`G = 2\,\mathrm E[u x^\top]`,
  :math:`\partial L/\partial W = W (G + G^\top)` and
  :math:`\partial L/\partial b = 2\,\mathrm E[u]`.

E is the mean over a batch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from .._arrays import require, require_whole, to_numpy
from ..theory.capacity import capacities
from .activations import Activation, with_slope
from .inputs import SparseInput
from .losses import quadrature_loss
from .quadrature import Quadrature
from .toy_models import ToyModel

# Networks in one chunk: their elementwise arrays take some hundred kilobytes.
_CHUNK_NUMBERS = 150_000
_AHEAD = 64  # batches that are drawn at a time
_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-8  # Adam's, as everywhere


@dataclass(frozen=True)
class TrainedRow:
    """The best of some trained networks for each cell of a row, with all of them.

    Attributes
    ----------
    W : array (n_cells, n_dims, n_features)
    bias : array (n_cells) or (n_cells, n_features)
    capacity : array (n_cells, n_features)
    loss : array (n_cells,)
        Expected loss of the best start, not that of a batch.
    loss_of_starts : array (n_cells, n_starts)
    capacity_of_starts : array (n_cells, n_starts, n_features)
    """

    W: np.ndarray
    bias: np.ndarray
    capacity: np.ndarray
    loss: np.ndarray
    loss_of_starts: np.ndarray
    capacity_of_starts: np.ndarray


def train_row(
    model: ToyModel,
    inputs: SparseInput,
    importance: ArrayLike,
    nodes: Quadrature,
    n_starts: int = 8,
    n_steps: int = 10_000,
    batch_size: int = 1024,
    learning_rate: float = 1e-3,
    seed: int = 0,
) -> TrainedRow:
    """Train some networks for each cell of a row with Adam, and keep the best of each cell.

    Parameters
    ----------
    model : ToyModel
        With its bias ``best`` or ``none``.
    inputs : SparseInput
        One distribution for the row.
    importance : array (n_cells, n_features)
    nodes : Quadrature
        On which the expected losses of trained networks are compared.
    n_starts, n_steps, batch_size : int
    learning_rate : float
    seed : int
        Of the initial weights (Xavier normal; bias 0) and of the batches.

    Examples
    --------
    >>> from feature_capacity import SparseUniform
    >>> from feature_capacity.models.quadrature import sparse_quadrature
    >>> inputs, model = SparseUniform(1.0), ToyModel("computation", "quadratic", 2, 1)
    >>> nodes = sparse_quadrature(inputs, 2)
    >>> row = train_row(model, inputs, [[2.0, 1.0]], nodes, 2, 500, 256, 1e-2)
    >>> row.capacity.round(1)  # dense inputs: the more important feature has it all
    array([[1., 0.]])
    """
    v = model.importance_rows(importance, "n_cells")
    for name, value in (("n_starts", n_starts), ("n_steps", n_steps), ("batch_size", batch_size)):
        require_whole(value, name, 1, None, "a whole number, at least 1")
    require(0 < learning_rate < math.inf, f"learning_rate must be positive; got {learning_rate!r}")
    require(model.bias != "shared", "train_row takes a bias 'best' or 'none'; got 'shared'")
    rows = v.repeat(n_starts, axis=0)
    start = np.random.default_rng([seed, 1]).standard_normal(
        (len(rows), model.n_dims, model.n_features)
    )
    start *= math.sqrt(2 / (model.n_dims + model.n_features))
    outputs = model.n_features if model.kind == "autoencoder" else model.n_dims
    active = 1 - (1 - inputs.p) ** model.n_features
    step = max(1, round(_CHUNK_NUMBERS / (outputs * (batch_size * active + 1))))
    parts = [
        _train(model, inputs, start[a : a + step], rows[a : a + step], n_steps, batch_size,
               learning_rate, seed)
        for a in range(0, len(rows), step)
    ]  # fmt: skip
    W, bias = (np.concatenate([to_numpy(part[k]) for part in parts]) for k in (0, 1))
    return _best(model, W, bias, quadrature_loss(model, W, bias, rows, nodes), n_starts)


def _best(
    model: ToyModel, W: np.ndarray, bias: np.ndarray, loss: np.ndarray, n_starts: int
) -> TrainedRow:
    of_starts = loss.reshape(-1, n_starts)
    winner = np.arange(len(of_starts)) * n_starts + of_starts.argmin(axis=1)
    capacity = to_numpy(capacities(W))
    return TrainedRow(
        W=W[winner],
        bias=bias[winner],
        capacity=capacity[winner],
        loss=loss[winner],
        loss_of_starts=of_starts,
        capacity_of_starts=capacity.reshape(*of_starts.shape, model.n_features),
    )


def _train(
    model: ToyModel, inputs: SparseInput, start: np.ndarray, importance: np.ndarray,
    n_steps: int, batch_size: int, learning_rate: float, seed: int,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Some networks, all steps; the batches are those of the seed, whatever the networks."""
    v, W = torch.from_numpy(importance).float(), torch.from_numpy(start).float()
    bias = torch.zeros(len(W), *model.bias_shape)
    trained = [W, bias] if model.bias == "best" else [W]
    memory = [(torch.zeros_like(x), torch.zeros_like(x)) for x in trained]
    batches = weighted_batches(inputs, model.n_features, batch_size, seed)
    f, gradients = with_slope(model.activation), _GRADIENTS[model.kind]
    with torch.no_grad():
        for t, (x, weight) in zip(range(1, n_steps + 1), batches, strict=False):
            slopes = gradients(f, W, bias, v, x, weight)
            rate = learning_rate / (1 - _BETA_1**t)
            room = math.sqrt(1 - _BETA_2**t)
            for value, slope, (first, second) in zip(trained, slopes, memory, strict=False):
                first.lerp_(slope, 1 - _BETA_1)
                second.mul_(_BETA_2).addcmul_(slope, slope, value=1 - _BETA_2)
                scale = second.sqrt().div_(room).add_(_EPSILON)
                value.addcdiv_(first, scale, value=-rate)
    return W, bias


def weighted_batches(
    inputs: SparseInput, n_features: int, batch_size: int, seed: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Fresh batches without end: inputs with something active, and last the one with nothing.

    Yields
    ------
    tuple of tensors (n_inputs, n_features) and (n_inputs,)
        The weight of an input is its share of the batch; they sum to 1.

    Examples
    --------
    >>> from feature_capacity import SparseUniform
    >>> x, weight = next(weighted_batches(SparseUniform(0.1), 2, 100, seed=0))
    >>> len(x) < 40, x[-1].tolist(), round(float(weight.sum()), 6)
    (True, [0.0, 0.0], 1.0)
    """
    generator = torch.Generator().manual_seed(seed)
    shape = (_AHEAD, batch_size, n_features)
    while True:
        drawn = inputs.sample(shape, generator, dtype=torch.float32)
        active = drawn.ne(0).any(dim=2)
        for x in drawn[active].split(active.sum(dim=1).tolist()):
            weight = x.new_full((len(x) + 1,), 1 / batch_size)
            weight[-1] = 1 - len(x) / batch_size
            yield torch.nn.functional.pad(x, (0, 0, 0, 1)), weight


def computation_gradients(
    f: Activation, W: Tensor, bias: Tensor, importance: Tensor, x: Tensor, weight: Tensor
) -> tuple[Tensor, Tensor]:
    """Slopes of the mean loss of a weighted batch: of W, and of the bias (n_models,)."""
    n_models, d, n = W.shape
    value, slope = f((W.reshape(-1, n) @ x.T).view(n_models, d, -1))
    residual = torch.addmm(value.sum(dim=1), importance, f(x)[0].T, alpha=-1).add_(bias[:, None])
    residual *= 2 * weight
    pull = (slope * residual[:, None]).view(-1, len(x)) @ x
    return pull.view(n_models, d, n), residual.sum(dim=1)


def autoencoder_gradients(
    f: Activation, W: Tensor, bias: Tensor, importance: Tensor, x: Tensor, weight: Tensor
) -> tuple[Tensor, Tensor]:
    """Slopes of the mean loss of a weighted batch: of W, and of the bias (n_models, n_features)."""
    n_models, _, n = W.shape
    products = torch.addmm(bias.reshape(-1, 1), (W.mT @ W).view(-1, n), x.T)
    value, slope = f(products.view(n_models, n, -1))
    u = value.sub_(x.T.contiguous()).mul_(slope).view(-1, len(x))
    G = (u @ (2 * weight[:, None] * x)).view(n_models, n, n) * importance[:, :, None]
    return W @ (G + G.mT), (u @ (2 * weight)).view(n_models, n) * importance


_GRADIENTS = {"computation": computation_gradients, "autoencoder": autoencoder_gradients}
