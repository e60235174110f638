"""How near the nearest other feature is, and what near-duplicates cost.

Of many features only some are looked at, drawn from a seed, each against all others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .choice import Vectors
from .stream import NUMBERS, Square, Survey, slices, unit_vectors

DUPLICATE = 0.9
"""Two features whose cosine, of either sign, exceeds this are near-duplicates."""

ALL, SOME = 2048, 512
"""Up to so many features all are looked at; of more, so many."""


@dataclass(frozen=True)
class Neighbors:
    """What was found beside the features that were looked at.

    Attributes
    ----------
    features : int array (k,)
        The features that were looked at.
    greatest : array (k,)
        Greatest absolute cosine with any other feature.
    nearest : int array (k,)
        The feature that has it.
    crowd : array (k,)
        Part of ``sum_j (w_i . w_j)^2 / n_i^2`` that near-duplicates other than i make up.
    n_features : int
        Of how many.
    """

    features: np.ndarray
    greatest: np.ndarray
    nearest: np.ndarray
    crowd: np.ndarray
    n_features: int

    @property
    def share(self) -> float:
        """Share of features that have a near-duplicate."""
        return float((self.greatest > DUPLICATE).mean()) if len(self.greatest) else 0.0

    @property
    def mean_greatest(self) -> float:
        """Mean greatest cosine."""
        return float(self.greatest.mean()) if len(self.greatest) else math.nan

    @property
    def standard_error(self) -> float:
        """Of that mean, because only some features were looked at; 0 where all were."""
        k = len(self.features)
        if k < 2 or k == self.n_features:
            return 0.0
        left = 1 - k / self.n_features
        return float(self.greatest.std(ddof=1)) * math.sqrt(left / k)

    def cost(self, capacity: np.ndarray) -> float:
        """Capacity that features lose to near-duplicates, all together.

        It is what they would gain, each by itself, if its near-duplicates were not there; of some
        features, times what they stand for.
        """
        if not len(self.features):
            return 0.0
        own = capacity[self.features]
        with np.errstate(over="ignore", invalid="ignore"):
            # Of a capacity below the range of numbers nothing can be said; it counts as no loss.
            lost = np.nan_to_num(np.minimum(own * self.crowd, 1))
        gained = own / np.where(own > 0, np.maximum(1 - lost, own), 1) - own
        return float(gained.mean()) * self.n_features


def neighbors_of(vectors: Vectors, seen: Survey, square: Square, seed: int = 0) -> Neighbors:
    """Look at all features, or at some, each against all others; zero vectors are left out."""
    present = np.flatnonzero(seen.length > 0)
    some = present
    if len(present) > ALL:
        some = np.sort(np.random.default_rng(seed).choice(present, SOME, replace=False))
    if len(present) < 2:
        nothing = np.zeros(len(some))
        return Neighbors(some, nothing, some, nothing, len(present))
    greatest, nearest, crowd = np.zeros(len(some)), np.zeros(len(some), int), np.zeros(len(some))
    step = max(1, NUMBERS // max(4 * len(some), vectors.n_dims))
    looked = None if square.side == "features" else _directions(vectors, seen, some)
    for a in range(0, vectors.n_features, step):
        b = min(a + step, vectors.n_features)
        if looked is None:
            cosine = np.abs(square.values[some, a:b])
        else:
            # Cosines to seven digits are enough to find neighbors, and take half the time.
            cosine = np.abs(looked.T @ unit_vectors(vectors, seen, a, b).astype(np.float32))
        inside = (some >= a) & (some < b)
        cosine[inside, some[inside] - a] = 0
        best = cosine.argmax(axis=1)
        value = cosine[np.arange(len(some)), best].astype(np.float64)
        nearest = np.where(value > greatest, best + a, nearest)
        greatest = np.maximum(greatest, np.minimum(value, 1))
        if (value > DUPLICATE).any():
            with np.errstate(over="ignore"):
                ratio = seen.length[a:b] / seen.length[some][:, None]
                crowd += np.where(cosine > DUPLICATE, (cosine * ratio) ** 2, 0).sum(axis=1)
    return Neighbors(some, greatest, nearest, crowd, len(present))


def _directions(vectors: Vectors, seen: Survey, some: np.ndarray) -> np.ndarray:
    """Directions of some features."""
    found = np.empty((vectors.n_dims, len(some)), np.float32)
    if vectors.source.features == "rows":
        bounds = [(feature, feature + 1) for feature in some.tolist()]
    else:  # a column lies in as many places as there are dimensions: slices need fewer reads
        bounds = list(slices(vectors.n_features, vectors.n_dims))
    for a, b in bounds:
        here = np.flatnonzero((some >= a) & (some < b))
        if len(here):
            found[:, here] = unit_vectors(vectors, seen, a, b)[:, some[here] - a]
    return found
