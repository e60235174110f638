r"""Inputs of several features, drawn together: samples and exact moments from one place.

A feature is off, or on with a value.  Values are uniform on an interval about 0 and scaled so that
every feature has variance 1, except where a distribution of one's own is given.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from .._arrays import require, require_generator, require_whole
from ..models.inputs import SparseInput
from ..theory.generators import fixed_number_inputs, tree_inputs
from ..theory.moments import FullMoments, Moments


class JointInputs(ABC):
    """What all inputs of a network share."""

    @property
    @abstractmethod
    def n_features(self) -> int:
        """How many features there are."""

    @abstractmethod
    def moments(self) -> Moments | FullMoments:
        """Exact second and fourth moments."""

    @abstractmethod
    def _draw(self, n: int, generator: np.random.Generator) -> np.ndarray:
        """Samples, for valid arguments."""

    def sample(self, n: int, generator: np.random.Generator) -> np.ndarray:
        """Samples in float64, shape (n, n_features); 0 where a feature is off.

        >>> Gaussian(((1.0, 1.0), (1.0, 1.0))).sample(3, np.random.default_rng(0)).shape
        (3, 2)
        """
        require_whole(n, "n", 0, None, "a whole number, at least 0")
        require_generator(generator)
        return self._draw(n, generator)


@dataclass(frozen=True)
class Independent(JointInputs):
    """Independent features, each with a distribution of its own.

    >>> from feature_capacity import SparseUniform
    >>> Independent((SparseUniform(0.2), SparseUniform(0.1))).moments().kurtosis
    array([ 9., 18.])
    """

    features: tuple[SparseInput, ...]

    def __post_init__(self) -> None:
        require(len(self.features) > 0, "features must hold at least one distribution; got none")

    @property
    def n_features(self) -> int:
        """How many features there are."""
        return len(self.features)

    def moments(self) -> Moments:
        """Exact moments; of features with mean 0, which have no odd ones.

        Raises
        ------
        ValueError
            For features whose mean is not 0.
        """
        require(
            all(x.moment(1) == 0 for x in self.features),
            "moments are for features of mean 0; these have another: use the network's own loss",
        )
        second = np.array([x.moment(2) for x in self.features])
        fourth = np.outer(second, second)
        np.fill_diagonal(fourth, [x.moment(4) for x in self.features])
        return Moments(second, fourth)

    def _draw(self, n: int, generator: np.random.Generator) -> np.ndarray:
        return np.stack([x.sample(n, generator) for x in self.features], axis=1)


@dataclass(frozen=True)
class FixedNumber(JointInputs):
    """Exactly ``n_active`` of the features are on, all choices alike.

    >>> x = FixedNumber(6, 2).sample(100, np.random.default_rng(0))
    >>> set((x != 0).sum(axis=1).tolist())
    {2}
    """

    n: int
    n_active: int

    @property
    def n_features(self) -> int:
        """How many features there are."""
        return self.n

    def moments(self) -> Moments:
        """Exact moments: all pairs alike."""
        return fixed_number_inputs(self.n, self.n_active)

    def _draw(self, n: int, generator: np.random.Generator) -> np.ndarray:
        rank = generator.random((n, self.n)).argsort(axis=1)
        return (rank < self.n_active) * _values((n, self.n), self.n_active / self.n, generator)


@dataclass(frozen=True)
class ExclusiveTree(JointInputs):
    """A hierarchy: a feature needs its parent, and of the children of a parent at most one is on.

    Parameters and moments are those of :func:`feature_capacity.tree_inputs`.

    >>> x = ExclusiveTree((-1, 0, 0), (0.9, 0.4, 0.4)).sample(500, np.random.default_rng(0))
    >>> bool(((x[:, 1] != 0) & (x[:, 2] != 0)).any())
    False
    """

    parents: tuple[int, ...]
    probabilities: tuple[float, ...]

    @property
    def n_features(self) -> int:
        """How many features there are."""
        return len(self.parents)

    def moments(self) -> Moments:
        """Exact moments."""
        return tree_inputs(self.parents, self.probabilities, exclusive=True)

    def _draw(self, n: int, generator: np.random.Generator) -> np.ndarray:
        on = np.zeros((n, self.n_features), dtype=bool)
        chance = np.array(self.probabilities)
        alone = chance.copy()
        for parent in sorted(set(self.parents)):
            children = [i for i, above in enumerate(self.parents) if above == parent]
            edges = np.concatenate([[0.0], np.cumsum(chance[children])])
            level = generator.random(n)
            there = on[:, parent] if parent >= 0 else np.ones(n, dtype=bool)
            for child, low, high in zip(children, edges[:-1], edges[1:], strict=True):
                on[:, child] = there & (level >= low) & (level < high)
                alone[child] = chance[child] * (alone[parent] if parent >= 0 else 1.0)
        return on * _values(on.shape, alone, generator)


@dataclass(frozen=True)
class Gaussian(JointInputs):
    """Normal features with a covariance, given as a tuple of rows.

    >>> Gaussian(((1.0, 0.5), (0.5, 1.0))).moments().fourth[0, 0, 1, 1]
    np.float64(1.5)
    """

    covariance: tuple[tuple[float, ...], ...]

    @property
    def n_features(self) -> int:
        """How many features there are."""
        return len(self.covariance)

    def moments(self) -> FullMoments:
        """Exact moments, by Wick's theorem."""
        S = np.array(self.covariance)
        pairings = ("ij,kl", "ik,jl", "il,jk")
        fourth = np.sum([np.einsum(f"{pair}->ijkl", S, S) for pair in pairings], axis=0)
        return FullMoments(S, fourth)

    def _draw(self, n: int, generator: np.random.Generator) -> np.ndarray:
        values, vectors = np.linalg.eigh(np.array(self.covariance))
        root = vectors * np.sqrt(values.clip(0))
        return generator.standard_normal((n, self.n_features)) @ root.T


def _values(
    shape: tuple[int, ...], probability: float | np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """Values of features that are on so often: uniform, and of variance 1 all in all."""
    return (2 * generator.random(shape) - 1) * np.sqrt(3 / probability)
