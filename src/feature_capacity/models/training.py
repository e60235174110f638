"""Minibatch training of toy models, as it is usually done: the cross-check of the solvers.

One tensor holds all models; every step draws a fresh batch for each and takes one Adam step.
The defaults are those of the notebook that came with Elhage et al. 2022: AdamW, learning rate
1e-3, batches of 1,024, ten thousand steps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from .._arrays import require, require_importance, require_whole
from ..theory.capacity import capacities
from .device import pick_device
from .inputs import SparseInput
from .quadrature import Quadrature
from .toy_models import ToyModel, squared_error

OPTIMIZERS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
"""Optimizers by the name that `train` takes."""


@dataclass(frozen=True)
class Trained:
    """Models after training; NumPy arrays, one entry per model.

    Attributes
    ----------
    W : array (n_models, n_dims, n_features)
    bias : array (n_models) or (n_models, n_features)
    capacity : array (n_models, n_features)
    batch_loss : array (n_records, n_models)
        Loss of the batch at the recorded steps; noisy, use :func:`sampled_loss` to compare.
    steps : integer array (n_records,)
        When it was recorded.
    """

    W: np.ndarray
    bias: np.ndarray
    capacity: np.ndarray
    batch_loss: np.ndarray
    steps: np.ndarray


def train(
    model: ToyModel,
    inputs: SparseInput | Sequence[SparseInput],
    importance: Any,
    n_steps: int = 10_000,
    batch_size: int = 1024,
    learning_rate: float = 1e-3,
    optimizer: str = "adamw",
    seed: int = 0,
    device: str = "auto",
    progress: bool = False,
) -> Trained:
    """Train one model per row of ``importance`` on fresh minibatches.

    Parameters
    ----------
    model : ToyModel
    inputs : SparseInput, or a sequence of them
        One distribution for all models or one for each; a sequence must be of one class.
    importance : array, shape (n_models, n_features)
    n_steps, batch_size, learning_rate
        Of the optimizer; each model has its own batch of ``batch_size`` samples at every step.
    optimizer : {"adamw", "adam"}
    seed : int
        Of the initial weights (Xavier normal; bias 0) and of the samples.
    device : str
        ``auto``, ``cpu``, ``cuda``, ``mps``.
    progress : bool
        Show a progress bar.

    Examples
    --------
    >>> from feature_capacity import SparseUniform
    >>> model = ToyModel("computation", "quadratic", n_features=2, n_dims=1)
    >>> found = train(model, SparseUniform(1.0), [[2.0, 1.0]], n_steps=300, learning_rate=1e-2)
    >>> found.capacity.round(1)  # dense inputs: the more important feature has it all
    array([[1., 0.]])
    """
    v = np.asarray(importance, dtype=np.float64)
    require_importance(np, v)
    require(
        v.ndim == 2 and v.shape[1] == model.n_features,
        f"importance must have shape (n_models, {model.n_features}); got {v.shape}",
    )
    for name, value in (("n_steps", n_steps), ("batch_size", batch_size)):
        require_whole(value, name, 1, None, "a whole number, at least 1")
    require(
        optimizer in OPTIMIZERS,
        f"optimizer must be one of {', '.join(OPTIMIZERS)}; got {optimizer!r}",
    )
    require(0 < learning_rate < math.inf, f"learning_rate must be positive; got {learning_rate!r}")
    where = pick_device(device, float64=False)
    draw = _sampler(inputs, len(v), batch_size, model.n_features, seed, where)
    weights = torch.from_numpy(v).float().to(where)
    start = np.random.default_rng(seed).standard_normal((len(v), model.n_dims, model.n_features))
    start *= math.sqrt(2 / (model.n_dims + model.n_features))
    W = torch.from_numpy(start).float().to(where).requires_grad_()
    shape = (len(v), 1) if model.n_bias == 1 else (len(v), *model.bias_shape)
    bias = torch.zeros(shape, device=where, requires_grad=model.bias != "none")
    trainable = [W, bias] if bias.requires_grad else [W]
    rule = OPTIMIZERS[optimizer](trainable, lr=learning_rate)

    records, steps = [], []
    every = max(1, n_steps // 100)
    for step in tqdm(range(n_steps), disable=not progress, desc="training", unit="step"):
        rule.zero_grad(set_to_none=True)
        loss = squared_error(model, W, bias, weights, draw()).mean(dim=-1)
        loss.sum().backward()
        rule.step()
        if step % every == 0 or step == n_steps - 1:
            records.append(loss.detach().cpu().numpy())
            steps.append(step)
    final = W.detach().cpu().double().numpy()
    return Trained(
        W=final,
        bias=bias.detach().expand(len(v), *model.bias_shape).cpu().double().numpy(),
        capacity=capacities(final),
        batch_loss=np.array(records),
        steps=np.array(steps),
    )


def sampled_loss(
    model: ToyModel,
    W: Any,
    bias: Any,
    importance: Any,
    inputs: SparseInput,
    n_samples: int = 1_000_000,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Expected loss of given models by plain sampling: mean and standard error, float64.

    All models see the same samples, which are drawn in batches.

    Parameters
    ----------
    model : ToyModel
    W : array, shape (n_models, n_dims, n_features)
    bias : array, shape (n_models) or (n_models, n_features)
    importance : array, shape (n_models, n_features)
    inputs : SparseInput
    n_samples, seed : int

    Examples
    --------
    >>> from feature_capacity import SparseUniform, expected_loss
    >>> model, W = ToyModel("computation", "quadratic", 2, 1), np.ones((1, 1, 2))
    >>> mean, error = sampled_loss(model, W, np.zeros(1), np.ones((1, 2)), SparseUniform(0.5))
    >>> exact = expected_loss(W[0], [1, 1], SparseUniform(0.5).kurtosis, bias=0.0)
    >>> bool(abs(mean[0] - exact) < 4 * error[0])
    True
    """
    require_whole(n_samples, "n_samples", 2, None, "a whole number, at least 2")
    W, bias, importance = _float64(W, bias, importance)
    generator = torch.Generator().manual_seed(seed)
    batch = max(1, min(n_samples, 4_000_000 // (len(W) * model.n_features)))
    total, squares, done = torch.zeros(len(W)), torch.zeros(len(W)), 0
    total, squares = total.double(), squares.double()
    while done < n_samples:
        size = min(batch, n_samples - done)
        x = inputs.sample((size, model.n_features), generator, dtype=torch.float64)
        loss = squared_error(model, W, bias, importance, x)
        total += loss.sum(dim=-1)
        squares += (loss**2).sum(dim=-1)
        done += size
    mean = total / n_samples
    variance = (squares / n_samples - mean**2).clamp_min(0) * n_samples / (n_samples - 1)
    return mean.numpy(), (variance / n_samples).sqrt().numpy()


def quadrature_loss(
    model: ToyModel, W: Any, bias: Any, importance: Any, nodes: Quadrature
) -> np.ndarray:
    """Expected loss of given models on expectation nodes, float64.

    The loss of a minimum on the nodes that it was minimized on is too low by their error; on
    others, or many more, it is not.

    Parameters
    ----------
    model : ToyModel
    W : array, shape (n_models, n_dims, n_features)
    bias : array, shape (n_models) or (n_models, n_features)
    importance : array, shape (n_models, n_features)
    nodes : Quadrature

    Returns
    -------
    array (n_models)

    Examples
    --------
    >>> from feature_capacity import SparseUniform, expected_loss
    >>> from feature_capacity.models.quadrature import sparse_quadrature
    >>> model, W = ToyModel("computation", "quadratic", 2, 1), np.ones((1, 1, 2))
    >>> nodes = sparse_quadrature(SparseUniform(0.5), 2)
    >>> found = quadrature_loss(model, W, np.zeros(1), np.ones((1, 2)), nodes)
    >>> exact = expected_loss(W[0], [1, 1], SparseUniform(0.5).kurtosis, bias=0.0)
    >>> bool(abs(found[0] - exact) < 1e-12)
    True
    """
    W, bias, importance, x, weight = _float64(W, bias, importance, nodes.x, nodes.weight)
    return (squared_error(model, W, bias, importance, x) @ weight).numpy()


def _float64(*arrays: Any) -> tuple[torch.Tensor, ...]:
    return tuple(torch.from_numpy(np.asarray(x, dtype=np.float64)) for x in arrays)


def _sampler(
    inputs: SparseInput | Sequence[SparseInput],
    n_models: int,
    batch_size: int,
    n_features: int,
    seed: int,
    device: torch.device,
) -> Any:
    """A function that draws a fresh batch for every model, (n_models, batch_size, n_features)."""
    each = [inputs] * n_models if isinstance(inputs, SparseInput) else list(inputs)
    require(
        len(each) == n_models and len({type(x) for x in each}) == 1,
        f"inputs must be one distribution, or {n_models} of one class (one per model); "
        f"got {len(each)}",
    )
    dense = type(each[0])(1.0)
    p, scale = (
        torch.tensor(values, dtype=torch.float32, device=device)[:, None, None]
        for values in ([x.p for x in each], [x.active_scale for x in each])
    )
    generator = torch.Generator(device=device).manual_seed(seed)
    shape = (n_models, batch_size, n_features)

    def draw() -> Any:
        active = torch.rand(shape, generator=generator, device=device) < p
        return dense.sample(shape, generator, dtype=torch.float32) * scale * active

    return draw
