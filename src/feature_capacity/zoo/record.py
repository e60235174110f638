"""What there is to know about a network of the zoo, and the recipe that it is made by."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import torch

from .._arrays import require_whole
from .distributions import JointInputs
from .modules import Network

CLOSED_FORM, SEARCH = "closed form", "search"
"""The two ways in which an optimum is known."""

KINDS = ("minimized", "trained", "random")
"""How the weights of an instance came about: second-order minimization of the exact loss, Adam on
minibatches, or random directions."""


@dataclass(frozen=True)
class Certificate:
    """How far the lowest loss is known.

    Attributes
    ----------
    method : {"closed form", "search"}
        With a closed form ``loss`` is the lowest loss; otherwise it is the lowest that was found.
    loss, lower_bound : float
        The lowest loss is between the two; they agree for a closed form.
    reason : str
        The theorem, or what was searched and where the bound comes from.
    """

    method: str
    loss: float
    lower_bound: float
    reason: str

    @property
    def gap(self) -> float:
        """How much lower the lowest loss could be."""
        return self.loss - self.lower_bound


@dataclass(frozen=True)
class Optimum:
    """An optimal network, or the best that is known.

    Attributes
    ----------
    W : array (n_dims, n_features)
    bias : array
    capacity : array (n_features,)
        Capacities of W, equation (3).
    unique : bool or None
        Whether every optimum has these capacities; None where that is not known.
    certificate : Certificate
    """

    W: np.ndarray
    bias: np.ndarray
    capacity: np.ndarray
    unique: bool | None
    certificate: Certificate


@dataclass(frozen=True)
class Recipe(ABC):
    """How a network is made: its task, its inputs, and how its optimum is known.

    Parameters
    ----------
    name, summary : str
    importance : tuple of float
    n_dims : int
    inputs : JointInputs
    """

    name: str
    summary: str
    importance: tuple[float, ...]
    n_dims: int
    inputs: JointInputs

    @property
    def shape(self) -> tuple[int, int]:
        """Dimensions and features."""
        return self.n_dims, len(self.importance)

    @abstractmethod
    def optimum(self) -> Optimum:
        """An optimum with its certificate."""

    @abstractmethod
    def minimized(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """W and bias after minimization of the exact loss from random starts."""

    @abstractmethod
    def loss(self, W: np.ndarray, bias: np.ndarray) -> float:
        """The expected loss, without sampling."""

    @abstractmethod
    def best_bias(self, W: np.ndarray) -> np.ndarray:
        """A bias to go with random weights."""

    @abstractmethod
    def module(self, W: np.ndarray, bias: np.ndarray) -> Network:
        """The network as a torch module."""

    def random(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Weights in random directions, as long as the roots of the importances."""
        W = np.random.default_rng(seed).standard_normal(self.shape)
        W *= np.sqrt(self.importance) / np.linalg.norm(W, axis=0)
        return W, self.best_bias(W)


@dataclass(frozen=True)
class KnownNetwork:
    """A network, and the truth about it.

    Feature i is entry i of ``module.features(x)``, and is embedded as column i of ``W``.

    Attributes
    ----------
    name, kind, summary : str
    seed : int
    module : Network
        A ``torch.nn.Module`` in float32; its submodule ``embed`` gives the hidden activations.
    inputs : JointInputs
        With ``sample(n, generator)``.
    importance : array (n_features,)
    W : array (n_dims, n_features), float64
    bias : array
    capacity : array (n_features,)
        Capacities of W, equation (3).
    loss : float
        Expected loss of this instance, without sampling.
    optimum : Optimum
    """

    name: str
    kind: str
    summary: str
    seed: int
    module: Network
    inputs: JointInputs
    importance: np.ndarray
    W: np.ndarray
    bias: np.ndarray
    capacity: np.ndarray
    loss: float
    optimum: Optimum

    @property
    def certificate(self) -> Certificate:
        """How far the lowest loss is known."""
        return self.optimum.certificate

    @property
    def optimal_capacity(self) -> np.ndarray:
        """Capacities of the optimum, (n_features,)."""
        return self.optimum.capacity

    @property
    def optimal_W(self) -> np.ndarray:
        """One optimal embedding, (n_dims, n_features)."""
        return self.optimum.W

    @property
    def excess(self) -> float:
        """What this instance loses beyond the optimum."""
        return self.loss - self.certificate.loss

    def activations(self, n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Features (n, n_features) and hidden activations (n, n_dims) of fresh inputs, float32.

        Raises
        ------
        ValueError
            For an n that is no whole number.
        """
        require_whole(n, "n", 1, None, "a whole number, at least 1")
        x = torch.from_numpy(self.inputs.sample(n, np.random.default_rng(seed))).float()
        with torch.no_grad():
            features = self.module.features(x)
            return features.numpy(), self.module.embed(features).numpy()
