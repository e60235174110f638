r"""Up to which importance a feature stays in an antipodal pair (section 3.7, last sentence).

In the autoencoder a pair has a dimension of its own, so that losses of blocks add up, and the
question is one of small networks: is a pair and what goes with it cheaper than feature 1 alone?

When the partner is active alone, the pair answers :math:`f(-x)` for feature 1 where it should
answer 0.  That *leak* costs :math:`V p\,\mathrm E[f(-x)^2]`, as often as the partner is active.
Dropping the partner costs :math:`p\,\mathrm E[x^2]`.  Both fall alike with p, so that no sparsity
helps: at unit lengths the pair ends at :math:`V=\mathrm E[x^2]/\mathrm E[f(-x)^2]`.
ReLU has no leak.  Its pair errs where both are active, by the smaller of the two, which costs
:math:`(1+V)\,p^2\,\mathrm E[\min(x_1,x_2)^2]`, so that its edge grows like 1 / p.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from .._arrays import float64, require, to_numpy
from ..geometry.polytopes import in_the_plane, polytope
from ..models.activations import with_slope
from ..models.inputs import SparseInput, UnitSparseUniform
from ..models.toy_models import ToyModel
from ..theory.phases import one_feature_varied
from .minimization import minimize, random_starts
from .result import MinimizationResult
from .starts import arranged_starts

# Large inputs wall off the minima of GELU with a negative bias: half of the starts have one, and
# the minimum under ReLU, which has no wall, is tried as well.
_BIASES = (0.0, -0.3)


def scaled(activation: str | Callable[[Tensor], Tensor], scale: float) -> Callable[..., Tensor]:
    """What inputs that are ``scale`` times as large make of a nonlinearity: f(scale z) / scale.

    An autoencoder with inputs up to ``scale`` is one with inputs up to 1 and this nonlinearity.
    ReLU stays as it is; GELU tends to ReLU when inputs grow, and to z / 2 when they shrink.

    >>> scaled("gelu", 100.0)(torch.tensor([-1.0, 1.0])) + 0.0
    tensor([0., 1.])
    """
    require(scale > 0, f"scale must be positive; got {scale!r}")
    f = with_slope(activation)
    return lambda z: f(scale * z)[0] / scale


def leak_edge(activation: str | Callable[[Tensor], Tensor], scale: float = 1.0) -> float:
    r"""Importance at which the leak of a pair of unit length costs as much as its partner is worth.

    :math:`\mathrm E[x^2]/\mathrm E[f(-x)^2]` for x uniform from 0 to ``scale``, by Gauss nodes;
    infinite where the nonlinearity is silent for negative arguments.

    >>> [round(leak_edge(name), 2) for name in ("gelu", "quadratic", "relu")]
    [17.56, 1.67, inf]
    """
    x, weight = UnitSparseUniform(1.0).active_rule(64)
    x = scale * x
    leak = to_numpy(with_slope(activation)(torch.from_numpy(-x))[0])
    cost = weight @ leak**2
    return float(weight @ x**2 / cost) if cost > 0 else np.inf


def overlap_edge(p: ArrayLike) -> np.ndarray:
    r"""The same for ReLU, whose pairs err only where both partners are active: 2 / p - 5 / 2.

    From :math:`(1+V)\,p^2/6 = p/3 - p^2/4`, unit lengths: the pair against the variance of a
    partner that is ignored.

    >>> float(overlap_edge(0.01))
    197.5
    """
    return 2 / float64(p, "p") - 2.5


def edge_by_blocks(
    activation: str | Callable[[Tensor], Tensor],
    inputs: SparseInput,
    importance: ArrayLike,
    n_starts: int = 8,
    seed: int = 0,
    device: str = "auto",
) -> float:
    """Importance up to which three pairs are cheaper than feature 1 alone and five in two.

    Six features in three dimensions, all but the first of importance 1; every block is minimized
    by itself.  What lies between, such as feature 1 in a block of three, is left out: compare with
    the diagram itself.

    Parameters
    ----------
    activation : str or callable
    inputs : SparseInput
    importance : increasing numbers
        Where the two are compared; between them the edge is interpolated in log V.
    n_starts, seed, device
        Of the minimization.

    Returns
    -------
    float
        NaN where feature 1 alone is cheaper from the start, infinite where the pair always is.

    Examples
    --------
    >>> edge = edge_by_blocks("relu", UnitSparseUniform(0.1), [2.0, 4.0, 8.0, 16.0, 32.0])
    >>> 8 < edge < 17.5  # below the edge at which the partner is dropped
    True
    """
    v = float64(importance, "importance")
    require(
        v.ndim == 1 and len(v) > 1 and (np.diff(v) > 0).all() and v[0] > 0,
        f"importance must be two or more increasing positive numbers; got {v!r:.60}",
    )

    def lowest(n_features: int, n_dims: int, rows: np.ndarray) -> MinimizationResult:
        model = ToyModel("autoencoder", activation, n_features, n_dims)
        starts = random_starts(model, len(rows), n_starts, seed)
        arranged = arranged_starts(model, rows, 2 * n_starts, [seed])
        starts = np.concatenate([starts, arranged, _spread(model, len(rows))], axis=1)
        starts[..., -n_features:] = np.resize(_BIASES, starts.shape[1])[:, None]
        solve = partial(
            minimize, inputs=inputs, importance=rows, seed=seed, max_iterations=200,
            tolerance=1e-7, dtype="float64", device=device,
        )  # fmt: skip
        relu = solve(replace(model, activation="relu"), starts=starts)
        also = np.concatenate([relu.W.reshape(len(rows), -1), relu.bias], axis=1)
        starts = np.concatenate([starts, also[:, None]], axis=1)
        return solve(model, starts=starts)

    one = np.ones((1, 5))
    pair = lowest(2, 1, np.stack([v, np.ones_like(v)], axis=1))
    together = pair.loss + 2 * lowest(2, 1, one[:, :2]).loss
    alone = lowest(1, 1, v[:, None]).loss + lowest(5, 2, one).loss
    gain = np.where(pair.capacity[:, 0] < 0.95, alone - together, -np.inf)
    if gain[0] < 0:
        return float("nan")
    if gain[-1] > 0:
        return float("inf")
    after = int(np.argmax(gain <= 0))
    low, high = v[after - 1], v[after]
    part = gain[after - 1] / (gain[after - 1] - gain[after])  # 0 where the pair itself ends
    return float(low * (high / low) ** part)


def _spread(model: ToyModel, n_cells: int) -> np.ndarray:
    """The first feature alone, and all of them spread evenly; starts (n_cells, 2, n_params)."""
    W = np.zeros((2, model.n_dims, model.n_features))
    W[0, 0, 0] = 1
    if model.n_dims == 2:
        W[1] = in_the_plane(360 / model.n_features * np.arange(model.n_features))
    else:
        W[1, 0] = np.where(np.arange(model.n_features) % 2, -1.0, 1.0)
    known = np.concatenate([W.reshape(2, -1), np.zeros((2, model.n_bias))], axis=1)
    return np.tile(known, (n_cells, 1, 1))


def measured_edge(
    activation: str | Callable[[Tensor], Tensor],
    inputs: SparseInput,
    importance: ArrayLike,
    n_starts: int = 8,
    seed: int = 0,
    device: str = "auto",
) -> float:
    """Largest importance at which the best of all minima, six in three, has feature 1 superposed.

    Random starts, arrangements, three antipodal pairs, and feature 1 beside a pentagon;
    superposed is 0.05 < C < 0.95.

    Parameters
    ----------
    activation : str or callable
    inputs : SparseInput
    importance : increasing numbers
        All that are tried.
    n_starts, seed, device
        Of the minimization.

    Returns
    -------
    float
        NaN where there is none.

    Examples
    --------
    >>> measured_edge("relu", UnitSparseUniform(0.1), [4.0, 40.0])
    4.0
    """
    v = float64(importance, "importance")
    model = ToyModel("autoencoder", activation, 6, 3)
    starts = random_starts(model, len(v), n_starts, seed)
    rows = to_numpy(one_feature_varied(v, 6))
    arranged = arranged_starts(model, rows, 2 * n_starts, [seed])
    pairs = np.concatenate([np.kron(np.eye(3), [1.0, -1.0]).ravel(), np.zeros(6)])
    alone = np.zeros((3, 6))  # feature 1, and a pentagon across it
    alone[0, 0], alone[1:, 1:] = 1, polytope("pentagon")
    known = np.stack([pairs, np.append(alone, np.zeros(6))])
    known = np.tile(known, (len(v), 1, 1))
    starts = np.concatenate([starts, arranged, known], axis=1)
    found = minimize(model, inputs, rows, seed=seed, starts=starts, device=device)
    c = found.capacity[:, 0]
    return float(max(v[(c > 0.05) & (c < 0.95)], default=np.nan))


def capacity_at_scale(
    activation: str,
    scale: float,
    importance: float,
    probability: float,
    n_starts: int = 8,
    seed: int = 0,
    device: str = "auto",
) -> float:
    """Capacity of the first of six features in three dimensions, for inputs up to ``scale``.

    The other five have importance 1; random starts, and three antipodal pairs.

    >>> round(capacity_at_scale("relu", 1.0, 1.2, 0.02, device="cpu"), 2)
    0.5
    """
    model = ToyModel("autoencoder", scaled(activation, scale))
    pairs = np.concatenate([np.kron(np.eye(3), [1.0, -1.0]).ravel(), np.zeros(6)])
    starts = random_starts(model, 1, n_starts, seed)
    starts = np.concatenate([starts, pairs[None, None]], axis=1)
    found = minimize(
        model, UnitSparseUniform(probability), [[importance, 1, 1, 1, 1, 1]],
        starts=starts, seed=seed, device=device,
    )  # fmt: skip
    return float(found.capacity[0, 0])


def largest_factor(edge: np.ndarray, measured: np.ndarray, tried: float) -> float:
    """Largest factor between two edges, where both lie below the largest importance tried.

    >>> largest_factor(np.array([2.0, 8.0, np.inf]), np.array([2.0, 4.0, 9.0]), tried=9.0)
    2.0
    """
    inner = np.isfinite(edge) & (measured < tried)
    ratio = np.abs(np.log(edge[inner] / measured[inner]))
    return float(np.exp(ratio.max())) if inner.any() else float("nan")


def power_of_edge(probability: np.ndarray, edge: np.ndarray, tried: float) -> float:
    """The power of p with which an edge falls, where it lies below the largest importance tried.

    >>> round(power_of_edge(np.array([0.01, 0.1, 1.0]), np.array([100.0, 10.0, 1.0]), 1000), 9)
    -1.0
    """
    inner = edge < tried
    if inner.sum() < 2:
        return float("nan")
    return float(np.polyfit(np.log(probability[inner]), np.log(edge[inner]), 1)[0])
