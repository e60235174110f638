"""The way that training takes in any network of the zoo, from several starts at once.

Two rules, both on fresh minibatches: *adam*, with the settings of
:mod:`feature_capacity.zoo.training`, and *descent*, plain gradient descent whose learning rate is a
fixed part of what the curvature at the optimum allows.  Every record has the exact loss, which no
sampling blurs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, jvp, vmap

from .._arrays import require_known, require_whole, to_numpy
from ..geometry.block_paths import settled
from ..theory.capacity import total_capacity
from ..theory.saddles import waiting_share
from .modules import Network
from .record import Optimum, Recipe
from .training import BATCH, LEARNING_RATE, random_start

RULES = ("adam", "descent")
"""Ways to take a step."""

_PART = 0.1  # of the rate at which descent would leave the optimum
_SAMPLES = 4096  # on which that rate is measured
_ITERATIONS = 20


@dataclass(frozen=True)
class ZooPaths:
    """Several starts on their way; NumPy arrays, records first.

    Attributes
    ----------
    steps : integer array (n_records,)
    W : array (n_records, n_starts, n_dims, n_features)
    loss : array (n_records, n_starts)
        Expected loss, without sampling.
    learning_rate : float
        At the first step.
    """

    steps: np.ndarray
    W: np.ndarray
    loss: np.ndarray
    learning_rate: float


@dataclass(frozen=True)
class Progress:
    """How a training went, in parts of it; means over starts.

    Attributes
    ----------
    left : float
        What is left at the end of the way down to the lowest loss that is known.
    waiting : float
        Of the way down, where the loss falls at less than a tenth of its mean rate.
    in_use : float
        Total capacity at the end, as a part of the dimensions.
    capacity_from, blocks_from : float
        After which total capacity stays within a twentieth of a dimension of its end, and after
        which the same features share as at the end.
    """

    left: float
    waiting: float
    in_use: float
    capacity_from: float
    blocks_from: float


_STEADY = 0.05


def progress(way: ZooPaths, lowest: float) -> Progress:
    """When a training found its loss, its capacity and its blocks.

    Parameters
    ----------
    way : ZooPaths
    lowest : float
        The lowest loss that is known, ``certificate.loss`` of the network.

    Examples
    --------
    >>> way = ZooPaths(np.arange(3), np.ones((3, 1, 1, 2)), np.array([[3.0], [2.0], [2.0]]), 0.1)
    >>> found = progress(way, lowest=1.0)
    >>> found.left, found.in_use, found.capacity_from
    (0.5, 1.0, 0.0)
    """
    total = np.asarray(total_capacity(way.W))
    last = len(way.steps) - 1
    moving = np.abs(total - total[-1]) > _STEADY
    until = [np.flatnonzero(one)[-1] + 1 if one.any() else 0 for one in moving.T]
    return Progress(
        left=float(((way.loss[-1] - lowest) / (way.loss[0] - lowest)).mean()),
        waiting=float(np.mean([waiting_share(way.steps, one) for one in way.loss.T])),
        in_use=float(total[-1].mean() / way.W.shape[-2]),
        capacity_from=float(np.mean(until) / last),
        blocks_from=float(np.mean([settled(one) for one in way.W.swapaxes(0, 1)]) / last),
    )


def paths_of(
    recipe: Recipe, best: Optimum, rule: str, n_starts: int, n_steps: int, n_records: int, seed: int
) -> ZooPaths:
    """Train a network from several starts; see :func:`feature_capacity.zoo.training_paths`."""
    require_known("rule", rule, RULES)
    for name, value in (("n_starts", n_starts), ("n_steps", n_steps)):
        require_whole(value, name, 1, None, "a whole number, at least 1")
    require_whole(n_records, "n_records", 2, None, "a whole number, at least 2")
    starts = [random_start(recipe, seed + i) for i in range(n_starts)]
    network = recipe.module(*starts[0])
    W, bias = (
        torch.tensor(np.array(part), dtype=torch.float32, requires_grad=True)
        for part in zip(*starts, strict=True)
    )
    if rule == "adam":
        rate = LEARNING_RATE
        optimizer: torch.optim.Optimizer = torch.optim.Adam([W, bias], lr=rate)
        schedule: Any = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, n_steps)
    else:
        rate = _PART / _largest_curvature(recipe, best)
        optimizer = torch.optim.SGD([W, bias], lr=rate)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _: 1.0)
    losses = vmap(_mean_loss(network))

    generator = np.random.default_rng([seed, 3])
    kept = set(np.linspace(0, n_steps, n_records).round().astype(int).tolist())
    steps, weights, exact = [], [], []
    for step in range(n_steps + 1):
        if step in kept:
            now = [to_numpy(part).astype(float) for part in (W, bias)]
            steps.append(step)
            weights.append(now[0])
            exact.append([recipe.loss(*each) for each in zip(*now, strict=True)])
        x = recipe.inputs.sample(n_starts * BATCH, generator)
        batch = torch.from_numpy(x).float().reshape(n_starts, BATCH, -1)
        optimizer.zero_grad(set_to_none=True)
        losses(W, bias, batch).sum().backward()
        optimizer.step()
        schedule.step()
    return ZooPaths(np.array(steps), np.array(weights), np.array(exact), rate)


def _mean_loss(network: Network) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """The mean loss of a batch, with other weights than the network's own."""
    fixed = {f"of.{name}": each for name, each in network.named_buffers()} | {
        f"of.{name}": each.detach() for name, each in network.named_parameters()
    }
    errors = _Errors(network)

    def loss(W: Tensor, bias: Tensor, x: Tensor) -> Tensor:
        own = fixed | {"of.embed.weight": W, "of.bias": bias}
        answer: Tensor = functional_call(errors, own, (x,))
        return answer

    return loss


class _Errors(nn.Module):
    """The mean loss of a batch as what a module answers: that is what PyTorch can vary."""

    def __init__(self, of: Network) -> None:
        super().__init__()
        self.of = of

    def forward(self, x: Tensor) -> Tensor:
        return self.of.squared_error(x).mean()


def _largest_curvature(recipe: Recipe, best: Optimum) -> float:
    """Greatest second derivative of the loss at the optimum, by power iteration."""
    x = torch.from_numpy(recipe.inputs.sample(_SAMPLES, np.random.default_rng(0))).float()
    bias = torch.tensor(np.asarray(best.bias), dtype=torch.float32)
    at = torch.tensor(np.asarray(best.W), dtype=torch.float32).reshape(-1)
    loss = _mean_loss(recipe.module(best.W, best.bias))
    slope = grad(lambda W: loss(W.reshape(recipe.shape), bias, x))
    direction = 1 + torch.linspace(0, 1, at.numel())
    for _ in range(_ITERATIONS):
        direction = jvp(slope, (at,), (direction / direction.norm(),))[1]
    return float(direction.norm())
