"""Minibatch training of toy models, as it is usually done: the cross-check of the solvers.

One tensor holds all models; every step draws a fresh batch for each and takes one Adam step.
The defaults are those of the notebook that came with Elhage et al. 2022: AdamW, learning rate
1e-3, batches of 1,024, ten thousand steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from tqdm import tqdm

from .._arrays import require, require_known, require_whole, to_numpy
from ..theory.capacity import capacities
from .device import pick_device
from .inputs import SparseInput
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
        Loss of the batch at the recorded steps; noisy, compare by
        :func:`feature_capacity.models.losses.sampled_loss`.
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
    importance: ArrayLike,
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
    >>> trained = train(model, SparseUniform(1.0), [[2.0, 1.0]], n_steps=300, learning_rate=1e-2)
    >>> trained.capacity.round(1)  # dense inputs: the more important feature has it all
    array([[1., 0.]])
    """
    v = model.importance_rows(importance, "n_models")
    for name, value in (("n_steps", n_steps), ("batch_size", batch_size)):
        require_whole(value, name, 1, None, "a whole number, at least 1")
    require_known("optimizer", optimizer, OPTIMIZERS)
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
            records.append(loss.numpy(force=True))
            steps.append(step)
    final = to_numpy(W)
    return Trained(
        W=final,
        bias=to_numpy(bias.expand(len(v), *model.bias_shape)),
        capacity=to_numpy(capacities(final)),
        batch_loss=np.array(records),
        steps=np.array(steps),
    )


def _sampler(
    inputs: SparseInput | Sequence[SparseInput],
    n_models: int,
    batch_size: int,
    n_features: int,
    seed: int,
    device: torch.device,
) -> Callable[[], Tensor]:
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

    def draw() -> Tensor:
        active = torch.rand(shape, generator=generator, device=device) < p
        return dense.sample(shape, generator, dtype=torch.float32) * scale * active

    return draw
