"""Minibatch training of a network of the zoo, as it is usually done."""

from __future__ import annotations

import math

import numpy as np
import torch

from .._arrays import to_numpy
from .record import Recipe

STEPS, BATCH, LEARNING_RATE = 1500, 256, 1e-2
"""Of Adam; the learning rate falls to 0 along a cosine."""


def trained(recipe: Recipe, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """W and bias after training on fresh samples, on the CPU; the same for the same seed.

    Weights begin normal with variance 2 / (dimensions + features), and the bias at 0.
    """
    generator = np.random.default_rng([seed, 2])
    n_dims, n_features = recipe.shape
    start = generator.standard_normal(recipe.shape) * math.sqrt(2 / (n_dims + n_features))
    network = recipe.module(start, np.zeros_like(recipe.best_bias(start)))
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
