"""The models of section 3.7 with activations other than squares: optima by search.

The loss is summed over all on/off masks, with some sixteen thousand nodes for the values: exact up
to the error of that quadrature, about a part in a thousand, and free of sampling noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from .._arrays import to_numpy
from ..models.inputs import SparseInput
from ..models.losses import quadrature_loss
from ..models.quadrature import Quadrature, sparse_quadrature
from ..models.toy_models import ToyModel
from ..solvers.minimization import can_mirror, coarse_to_fine, minimize
from ..solvers.starts import arranged_starts, random_starts
from ..theory.capacity import capacities
from .distributions import Independent
from .lower_bounds import entropy_bound
from .modules import Network, Toy
from .record import SEARCH, Certificate, Optimum, Recipe
from .sums import absolute_bound

N_STARTS, N_REFERENCE = 8, 256
"""Random starts of an instance, and of the search for the optimum; half of the latter begin at
arrangements of blocks."""

_MANY_POINTS = 16384  # nodes that losses are given on


@dataclass(frozen=True)
class Searched(Recipe):
    """A toy model whose inputs all have one distribution."""

    model: ToyModel = field(default_factory=lambda: ToyModel("autoencoder", "relu"))

    @property
    def feature(self) -> SparseInput:
        """The distribution of a feature."""
        assert isinstance(self.inputs, Independent)
        return self.inputs.features[0]

    def optimum(self) -> Optimum:
        """The lowest of many starts, and what no weights can beat."""
        v, half = np.array([self.importance]), N_REFERENCE // 2
        starts = random_starts(self.model, 1, half, 0), arranged_starts(self.model, v, half, [0])
        nodes = coarse_to_fine(
            self.feature, self.model.n_features, _MANY_POINTS,
            mirrored=can_mirror(self.model, self.feature),
        )  # fmt: skip
        rough = self._roughly(np.concatenate(starts, axis=1), nodes)
        W, bias = self._minimized(rough, 0, nodes[-1])
        lost = self.loss(W, bias)
        below, source = self._below(lost)
        reason = f"the lowest of {N_REFERENCE} starts, half at random, half at blocks; below: "
        found = Certificate(SEARCH, lost, below, reason + source)
        return Optimum(W, bias, to_numpy(capacities(W)), None, found)

    def minimized(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """The lowest of some random starts."""
        return self._minimized(random_starts(self.model, 1, N_STARTS, [seed, 1]), seed)

    def loss(self, W: np.ndarray, bias: np.ndarray) -> float:
        """The loss on many nodes."""
        nodes = _nodes(self.model, self.feature)
        return float(quadrature_loss(self.model, W[None], bias[None], self._rows, nodes)[0])

    def best_bias(self, W: np.ndarray) -> np.ndarray:
        """Zero."""
        return np.zeros(self.model.bias_shape)

    def module(self, W: np.ndarray, bias: np.ndarray) -> Network:
        """The toy model."""
        return Toy(self.model, W, bias, np.array(self.importance))

    def _below(self, found: float) -> tuple[float, str]:
        """What no weights can beat, and why; no more than the loss that was found."""
        p, activation = self.feature.p, self.model.activation
        if self.model.kind == "autoencoder":
            return self._below_decoders(found)
        if activation in ("abs", "relu"):
            below = absolute_bound(self.importance, p, self.n_dims)
            source = "features that meet in a neuron, by the pigeonhole principle"
            if activation == "abs":
                return below, source
            return below / 4, f"{source}, for absolute values: the even part of ReLU"
        rest = "near 0 this activation is a square, and squares of features add up without loss"
        return 0.0, f"no more than that a square is not negative; {rest}"

    def _below_decoders(self, found: float) -> tuple[float, str]:
        """The larger of the bounds for any decoder and for a decoder of one layer."""
        from .rank_bound import one_layer_bound  # here, since numba takes long to import

        v, p, activation = np.array(self.importance), self.feature.p, self.model.activation
        below = entropy_bound(v, p, self.n_dims)
        if activation in ("relu", "gelu", "quadratic"):
            one_layer = one_layer_bound(v, p, self.n_dims, activation, found)
            if one_layer > below:
                return one_layer, "pairs of features and the rank, for a decoder of one layer"
        most = f"which reads up to {self.n_dims} active features without error"
        return below, f"the entropy of what is lost, whatever the decoder, {most}"

    @property
    def _rows(self) -> np.ndarray:
        return np.array([self.importance])

    def _roughly(self, starts: np.ndarray, nodes: Sequence[Quadrature]) -> np.ndarray:
        """Parameters of the lowest of many starts, in float32, which compiled loops take."""
        found = minimize(
            self.model, self.feature, self._rows, starts=starts, quadrature=nodes,
            max_iterations=200, tolerance=1e-5, device="cpu",
        )  # fmt: skip
        bias = found.bias[0][: self.model.n_bias] if self.model.n_bias else []
        return np.concatenate([found.W[0].ravel(), bias])[None, None]

    def _minimized(
        self, starts: np.ndarray, seed: int, nodes: Quadrature | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        found = minimize(
            self.model,
            self.feature,
            self._rows,
            starts=starts,
            seed=seed,
            quadrature=nodes,
            max_iterations=200,
            tolerance=1e-7,
            dtype="float64",
            device="cpu",
        )
        return found.W[0], np.asarray(found.bias[0])


@lru_cache(maxsize=8)
def _nodes(model: ToyModel, feature: SparseInput) -> Quadrature:
    mirrored = can_mirror(model, feature)
    # Not the nodes of the search, on which a minimum looks lower than it is.
    return sparse_quadrature(feature, model.n_features, _MANY_POINTS, seed=1, mirrored=mirrored)
