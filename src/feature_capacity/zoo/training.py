"""Minibatch training of a network of the zoo, as it is usually done."""

from __future__ import annotations

import math

import numpy as np
import torch

from .._arrays import to_numpy
from .record import Recipe

STEPS, BATCH, LEARNING_RATE = 1500, 256, 1e-2
"""Of Adam; the learning rate falls to 0 along a cosine."""


def random_start(recipe: Recipe, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """W and bias from which training begins: W normal with variance 2 / (dimensions + features).

    The bias is 0.
    """
    return _start(recipe, np.random.default_rng([seed, 2]))


def _start(recipe: Recipe, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    start = generator.standard_normal(recipe.shape) * math.sqrt(2 / sum(recipe.shape))
    return start, np.zeros_like(recipe.best_bias(start))


def trained(recipe: Recipe, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """W and bias after training on fresh samples, on the CPU; the same for the same seed."""
    generator = np.random.default_rng([seed, 2])
    network = recipe.module(*_start(recipe, generator))
    weights = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(weights, lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    for _ in range(STEPS):
        x = torch.from_numpy(recipe.inputs.sample(BATCH, generator)).float()
        optimizer.zero_grad(set_to_none=True)
        network.squared_error(x).mean().backward()
        optimizer.step()
        schedule.step()
    return to_numpy(network.embed.weight), to_numpy(network.bias)
