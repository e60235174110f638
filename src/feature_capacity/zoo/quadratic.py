r"""Networks of squares, :math:`\sum_a(w_a\cdot x)^2+b`, for inputs that depend in various ways.

Their loss needs only moments of the inputs up to the fourth, which the inputs know exactly.  For
independent features (equal or unequal), pairs that all depend alike, correlated Gaussians and
features that exclude each other an optimum is known in closed form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .._arrays import to_numpy
from ..geometry.embeddings import optimal_embedding
from ..models.toy_models import ToyModel
from ..solvers.moments import minimize_moments
from ..solvers.newton import minimize_quadratic
from ..theory.allocation import solve_allocation
from ..theory.capacity import capacities
from ..theory.dependence import allocate_dependent
from ..theory.exclusive import exclusive_embedding, least_dims
from ..theory.gaussian import gaussian_embedding
from ..theory.moments import FullMoments, Moments, bias_from_moments, loss_from_moments
from .lower_bounds import spectral_bound
from .modules import Network, Toy
from .record import CLOSED_FORM, SEARCH, Certificate, Optimum, Recipe

N_STARTS, N_REFERENCE = 8, 32
"""Random starts of an instance, and of the search for an optimum that has no closed form."""

_MOST_MOMENTS = 24  # features for which minimize_moments holds all fourth moments


@dataclass(frozen=True)
class Solution:
    """An optimum in closed form: the embedding, its loss by the theorem, the theorem."""

    W: np.ndarray
    loss: float
    unique: bool
    theorem: str


@dataclass(frozen=True)
class Quadratic(Recipe):
    """A quadratic model; ``solve`` gives the optimum, or is None where it has to be searched."""

    solve: Callable[[Quadratic], Solution] | None = None

    def moments(self) -> Moments | FullMoments:
        """Exact moments of the features."""
        return self.inputs.moments()

    def optimum(self) -> Optimum:
        """The closed form, or the best of a search with a spectral bound below."""
        if self.solve is None:
            W, bias = self._searched(0, N_REFERENCE)
            below = spectral_bound(np.array(self.importance), self.moments(), self.n_dims)
            reason = f"the lowest of {N_REFERENCE} random starts; below: least eigenvalue"
            found = Certificate(SEARCH, self.loss(W, bias), below, reason)
            return Optimum(W, bias, to_numpy(capacities(W)), None, found)
        best = self.solve(self)
        proof = Certificate(CLOSED_FORM, best.loss, best.loss, best.theorem)
        return Optimum(
            best.W, self.best_bias(best.W), to_numpy(capacities(best.W)), best.unique, proof
        )

    def minimized(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """The lowest of some random starts."""
        return self._searched(seed, N_STARTS)

    def loss(self, W: np.ndarray, bias: np.ndarray) -> float:
        """The loss in moments."""
        return float(loss_from_moments(W, self.importance, self.moments(), bias))

    def best_bias(self, W: np.ndarray) -> np.ndarray:
        """The best one."""
        return np.asarray(bias_from_moments(W, self.importance, self.moments()))

    def module(self, W: np.ndarray, bias: np.ndarray) -> Network:
        """A computation model of squares."""
        n_dims, n_features = self.shape
        model = ToyModel("computation", "quadratic", n_features, n_dims)
        return Toy(model, W, bias, np.array(self.importance))

    def _searched(self, seed: int, n_starts: int) -> tuple[np.ndarray, np.ndarray]:
        moments, v = self.moments(), np.array(self.importance)
        n = self.n_dims
        if len(v) > _MOST_MOMENTS:
            k = float(np.asarray(moments.fourth)[0, 0])
            found = minimize_quadratic(v, k, n, n_starts, seed, device="cpu")
        else:
            found = minimize_moments(v, moments, n, n_starts, seed, device="cpu")
        return found.W, self.best_bias(found.W)


def independent(recipe: Quadratic) -> Solution:
    """Independent features of variance 1, of equal or unequal kurtosis."""
    kurtosis = np.diagonal(np.asarray(recipe.moments().fourth))
    best = solve_allocation(recipe.importance, recipe.n_dims, kurtosis)
    W = optimal_embedding(best, np.random.default_rng(0))
    theorem = "equations (15) and (16) and Theorem 1; features of unequal kurtosis by the package"
    return Solution(W, float(best.loss), bool(best.unique), theorem)


def all_pairs_alike(recipe: Quadratic) -> Solution:
    """Pairs that all have one co-activation: independent features with shifted importances."""
    fourth = np.asarray(recipe.inputs.moments().fourth)
    k, h, v = float(fourth[0, 0]), float(fourth[0, 1]), np.array(recipe.importance)
    best = allocate_dependent(v, recipe.n_dims, k, h)
    shifted = np.maximum(v + float(best.shift), 0)
    W = optimal_embedding(solve_allocation(shifted, recipe.n_dims, k / h), np.random.default_rng(0))
    theorem = "independent features of kurtosis k/h with shifted importances (theory.dependence)"
    return Solution(W, float(best.loss), bool(best.unique), theorem)


def gaussian(recipe: Quadratic) -> Solution:
    """Correlated Gaussians: the first eigenvectors of the weighted covariance."""
    best = gaussian_embedding(recipe.inputs.moments().second, recipe.importance, recipe.n_dims)
    theorem = "the first eigenvectors of the weighted covariance (theory.gaussian)"
    return Solution(np.asarray(best.W), float(best.loss), bool(best.unique), theorem)


def exclusive(recipe: Quadratic) -> Solution:
    """Features that exclude each other share directions, and nothing is lost."""
    meet = recipe.inputs.moments()
    assert isinstance(meet, Moments)
    needed = least_dims(meet.coactivation)
    assert needed.at_most == recipe.n_dims, "the recipe has as many dimensions as lose nothing"
    W = exclusive_embedding(meet.coactivation, recipe.importance)
    theorem = "a direction for each set of features that exclude each other (theory.exclusive)"
    return Solution(W, 0.0, False, theorem)
