r"""Two layers of squares, one after the other, with exact moments for the second.

The first layer, with given weights, turns inputs into centered squares
:math:`u_a=(w_a\cdot x)^2-E[(w_a\cdot x)^2]`.  They are the features of a quadratic model with the
target :math:`\sum_av_au_a^2`.  Its loss needs :math:`E[u_au_bu_cu_d]`, moments of x up to the
eighth.

For independent inputs that are as likely as their opposites these are sums over five nodes a
feature, 0 and two values of either sign, whose moments up to the ninth are those of the input.
With N inputs there are :math:`5^N` nodes, and nothing is sampled.

With a monosemantic first layer the u are independent, of variance :math:`k-1` and kurtosis
:math:`E[(x^2-1)^4]/(k-1)^2`: the optimum is equations (15) and (16) again.  Features that share the
first layer reach the second one together, and depend on each other there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product

import numpy as np

from .._arrays import require
from ..geometry.embeddings import optimal_embedding
from ..models.inputs import SparseInput
from ..theory.allocation import solve_allocation
from ..theory.moments import FullMoments
from .modules import Network, TwoLayers
from .quadratic import Quadratic, Solution

_MOST_INPUTS = 7


def five_nodes(feature: SparseInput) -> tuple[np.ndarray, np.ndarray]:
    """Five values and weights with the moments of a feature up to the ninth.

    >>> from feature_capacity import SparseUniform
    >>> x, w = five_nodes(SparseUniform(0.5))
    >>> [round(float(w @ x**r / SparseUniform(0.5).moment(r)), 9) for r in (2, 4, 6, 8)]
    [1.0, 1.0, 1.0, 1.0]
    """
    require(
        feature.moment(1) == feature.moment(3) == 0,
        f"the feature must be as likely as its opposite; got {feature}",
    )
    scale = feature.moment(4) / feature.moment(2)
    m2, m4, m6, m8 = (feature.moment(r) / scale ** (r // 2) for r in (2, 4, 6, 8))
    # Squares s and t of the values are the roots of the polynomial orthogonal to 1 and s under
    # the measure with moments m2, m4, m6, m8.
    a, b = np.linalg.solve([[m4, m2], [m6, m4]], [-m6, -m8])
    root = math.sqrt(a * a / 4 - b)
    squares = np.array([-a / 2 - root, -a / 2 + root])
    mass = np.linalg.solve([squares, squares**2], [m2, m4])
    values = np.sqrt(squares * scale)
    x = np.concatenate([-values, [0.0], values])
    return x, np.concatenate([mass / 2, [1 - mass.sum()], mass / 2])


def second_layer_moments(
    first: np.ndarray, features: tuple[SparseInput, ...]
) -> tuple[np.ndarray, FullMoments]:
    """Mean squares of the first layer, and the exact moments of what it gives, centered.

    Parameters
    ----------
    first : array (n_neurons, n_inputs)
    features : tuple of SparseInput
        As many as the first layer has inputs, at most 7; each as likely as its opposite.

    Examples
    --------
    One feature of kurtosis 9: the variance of its square is 8.

    >>> from feature_capacity import SparseUniform
    >>> mean, moments = second_layer_moments(np.eye(1), (SparseUniform(0.2),))
    >>> round(float(moments.second[0, 0]), 9)
    8.0
    """
    n = first.shape[1]
    require(
        len(features) == n <= _MOST_INPUTS,
        f"features must be as many as first has columns ({n}), at most {_MOST_INPUTS}; "
        f"got {len(features)}",
    )
    rules = [five_nodes(feature) for feature in features]
    x = np.array(list(product(*(values for values, _ in rules))))
    weight = np.prod(list(product(*(mass for _, mass in rules))), axis=1)
    squares = (x @ first.T) ** 2
    mean = weight @ squares
    u = squares - mean
    pairs = (u[:, :, None] * u[:, None, :]).reshape(len(u), -1)
    m = len(first)
    second = (weight @ pairs).reshape(m, m)
    return mean, FullMoments(second, ((pairs * weight[:, None]).T @ pairs).reshape(m, m, m, m))


@dataclass(frozen=True)
class Layered(Quadratic):
    """A quadratic model on what a given first layer of squares makes of independent inputs."""

    first: np.ndarray = field(default_factory=lambda: np.eye(1))

    @cached_property
    def _known(self) -> tuple[np.ndarray, FullMoments]:
        return second_layer_moments(self.first, self.inputs.features)  # type: ignore[attr-defined]

    def moments(self) -> FullMoments:
        """Exact moments of what the first layer gives."""
        return self._known[1]

    def module(self, W: np.ndarray, bias: np.ndarray) -> Network:
        """Both layers."""
        return TwoLayers(self.first, self._known[0], W, bias, np.array(self.importance))


def behind_clean_layer(recipe: Quadratic) -> Solution:
    """The optimum behind a monosemantic first layer: independent features u = x^2 - 1, unscaled."""
    moments = recipe.moments()
    variance = np.diagonal(np.asarray(moments.second))
    index = np.arange(len(variance))
    kurtosis = np.asarray(moments.fourth)[index, index, index, index] / variance**2
    best = solve_allocation(np.array(recipe.importance) * variance, recipe.n_dims, kurtosis)
    W = optimal_embedding(best, np.random.default_rng(0)) / np.sqrt(variance)
    theorem = "equations (15) and (16) for centered squares, which are independent"
    return Solution(W, float(best.loss), bool(best.unique), theorem)
