"""Capacities that unit vectors in random directions have, to compare one's own with.

A given unit vector meets each other one, drawn uniformly on the sphere in D dimensions, with a
squared cosine that follows the Beta distribution (1/2, (D - 1)/2), independently.  The capacity is
1 / (1 + the sum of N - 1 of them), about 1 / (1 + (N - 1) / D).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from .._arrays import require_whole

LEVELS = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
"""Quantiles that reports show; for random directions all but the ends."""

_FEW = 200  # terms; of more, the sum is known by its first three moments
_DRAWS = 20_000


@dataclass(frozen=True)
class RandomDirections:
    """What capacities random directions have.

    Attributes
    ----------
    n_features, n_dims : int
    mean : float
        Expected capacity of a feature.
    quantiles : mapping of float to float
        By level, without 0 and 1.
    """

    n_features: int
    n_dims: int
    mean: float
    quantiles: dict[float, float]

    @property
    def total(self) -> float:
        """Expected total capacity."""
        return self.n_features * self.mean


def random_directions(
    n_features: int, n_dims: int, levels: Sequence[float] = LEVELS[1:-1], seed: int = 0
) -> RandomDirections:
    """Mean and quantiles of the capacity of unit vectors in random directions.

    Up to 200 other vectors the sum of squared cosines is drawn, from a seed; beyond that it has
    the Pearson III distribution with its mean, variance and skewness, to which it is exact for a
    large number of dimensions, where squared cosines follow a gamma distribution.

    Parameters
    ----------
    n_features, n_dims : int
        At least 1.
    levels : sequence of float
        Between 0 and 1.
    seed : int
        For the drawn ones.

    Examples
    --------
    In one dimension all directions are one, up to sign:

    >>> random_directions(4, 1).mean
    0.25
    >>> round(random_directions(1001, 100).mean, 4), round(1 / (1 + 1000 / 100), 4)
    (0.0911, 0.0909)
    """
    n_features = require_whole(n_features, "n_features", 1, None, "a whole number, at least 1")
    n_dims = require_whole(n_dims, "n_dims", 1, None, "a whole number, at least 1")
    if n_features == 1 or n_dims == 1:
        return RandomDirections(
            n_features, n_dims, 1 / n_features, dict.fromkeys(levels, 1 / n_features)
        )
    others = n_features - 1
    if others <= _FEW:
        drawn = np.zeros(_DRAWS)
        generator = np.random.default_rng(seed)
        for _ in range(others):
            drawn += generator.beta(0.5, (n_dims - 1) / 2, _DRAWS)
        capacity = 1 / (1 + drawn)
        found = dict(zip(levels, np.quantile(capacity, levels).tolist(), strict=True))
        return RandomDirections(n_features, n_dims, float(capacity.mean()), found)
    law = _law_of_the_sum(others, n_dims)
    middles = (np.arange(_DRAWS) + 0.5) / _DRAWS
    mean = float((1 / (1 + np.maximum(law.ppf(middles), 0))).mean())
    capacity = 1 / (1 + np.maximum(law.ppf(1 - np.asarray(levels)), 0))
    return RandomDirections(
        n_features, n_dims, mean, dict(zip(levels, capacity.tolist(), strict=True))
    )


def _law_of_the_sum(terms: int, n_dims: int) -> stats.rv_continuous:
    """Pearson III with the first three moments of a sum of squared cosines."""
    mean, variance, skewness = stats.beta.stats(0.5, (n_dims - 1) / 2, moments="mvs")
    return stats.pearson3(
        float(skewness) / math.sqrt(terms),
        loc=terms * float(mean),
        scale=math.sqrt(terms * float(variance)),
    )
