r"""The jump of capacity at equal importances, read off the optimum there.

When all features have the same importance, any order of them is as good.  If the best embedding
treats them unequally, equal features break symmetry, and of all its reorderings one is best as soon
as the importance V of feature 1 is above 1, another below: capacity jumps at V = 1.  By the
envelope theorem the lowest loss changes with V at the rate :math:`\partial L/\partial v_1` at fixed
W, so that feature 1 takes the place with the least rate above and that with the largest below.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from .._arrays import require, to_numpy
from ..models.activations import with_slope
from ..models.inputs import SparseInput
from ..models.quadrature import Quadrature, sparse_quadrature
from ..models.symmetric_nodes import listed_opposites, symmetric_nodes
from ..models.toy_models import ToyModel
from .minimization import can_mirror, minimize
from .starts import arranged_starts, random_starts

_N_POINTS = 4096
_PARTS = (32, 8, 1)  # of the nodes, from those on which random starts find their way to all


@dataclass(frozen=True)
class JumpAtEquality:
    """The best embedding of equal features, and what it means for V near 1.

    Attributes
    ----------
    below, above : float
        Capacity of feature 1 when its importance is just below and just above that of the others.
    capacity : array (n_features,)
        Of all features at V = 1, ascending.
    loss : float
    W : array (n_dims, n_features)
    bias : float or array (n_features,)
    share : float
        Share of the starts that came within 1e-4 of the lowest loss.
    """

    below: float
    above: float
    capacity: np.ndarray
    loss: float
    W: np.ndarray
    bias: np.ndarray
    share: float

    @property
    def size(self) -> float:
        """How far capacity jumps; 0 where equal features have equal capacity."""
        return self.above - self.below


def jump_at_equality(
    model: ToyModel,
    inputs: SparseInput,
    n_starts: int = 32,
    seed: int = 0,
    n_points: int = _N_POINTS,
    nodes: Quadrature | None = None,
    others: Sequence[np.ndarray] = (),
    device: str = "auto",
) -> JumpAtEquality:
    """Capacity of a feature just below and just above the importance of all others.

    Parameters
    ----------
    model : ToyModel
    inputs : SparseInput
    n_starts : int
        Random starts, and as many arrangements; the lowest minimum counts.
    seed : int
        Of the starts and the nodes.
    n_points : int
        About how many expectation nodes, before they are taken in every cyclic order.
    nodes : Quadrature, optional
        Nodes of another distribution, to be taken as they are; ``inputs`` then tells the scale.
    others : sequence of arrays (n_params,)
        Parameters to start from besides the random ones, such as minima under other inputs.
    device : str
        ``auto``, ``cpu``, ``cuda``, ``mps``.

    Examples
    --------
    Two features in one dimension, quadratic: one or the other below kurtosis 3, both above.

    >>> from feature_capacity import SparseUniform
    >>> model = ToyModel("computation", "quadratic", 2, 1)
    >>> dense, sparse = (jump_at_equality(model, SparseUniform(p), 8) for p in (0.9, 0.2))
    >>> round(dense.below, 3), round(dense.above, 3), abs(round(sparse.size, 3))
    (0.0, 1.0, 0.0)
    """
    require(model.n_features > 1, "a jump at equality needs two features or more; got 1")
    if nodes is None:
        stages = _coarse_to_fine(model, inputs, n_points, seed)
    else:
        stages = [nodes]
    equal = np.ones((1, model.n_features))
    starts = [
        random_starts(model, 1, n_starts, [seed, 12]),
        arranged_starts(model, equal, n_starts, [seed, 13]),
        *(np.reshape(other, (1, 1, -1)) for other in others),
    ]
    found = minimize(
        model, inputs, equal, starts=np.concatenate(starts, axis=1), quadrature=stages,
        max_iterations=200, tolerance=1e-7, dtype="float64", device=device,
    )  # fmt: skip
    rate = loss_by_importance(
        model, found.W[0], found.bias[0], np.ones(model.n_features), stages[-1]
    )
    capacity, reached = found.capacity[0], found.loss_of_starts[0]
    return JumpAtEquality(
        below=float(capacity[rate.argmax()]),
        above=float(capacity[rate.argmin()]),
        capacity=np.sort(capacity),
        loss=float(found.loss[0]),
        W=found.W[0],
        bias=found.bias[0],
        share=float(np.mean(reached <= (1 + 1e-4) * found.loss[0])),
    )


def jumps_at_equality(
    model: ToyModel,
    family: Callable[[float], SparseInput],
    probabilities: Sequence[float],
    nodes_of: Callable[[float], Quadrature] | None = None,
    others: Sequence[np.ndarray] = (),
    **options: Any,
) -> list[JumpAtEquality]:
    """`jump_at_equality` at several feature probabilities, each helped by the others.

    Random starts find their way on a quarter of the nodes.  The minima found at all probabilities
    are then tried at each of them on all nodes, so that a good one that random starts find once is
    found everywhere.

    Parameters
    ----------
    model : ToyModel
    family : callable
        The inputs at a probability, for example ``SparseUniform``.
    probabilities : sequence of float
    nodes_of : callable, optional
        Expectation nodes at a probability, in place of those of the family.
    others : sequence of arrays (n_params,)
        Parameters to start from besides, at every probability.
    **options
        Of :func:`jump_at_equality`.

    Examples
    --------
    >>> from feature_capacity import SparseUniform
    >>> model = ToyModel("computation", "quadratic", 2, 1)
    >>> jumps = jumps_at_equality(model, SparseUniform, [0.9, 0.8], n_starts=4)
    >>> [round(jump.size, 3) for jump in jumps]
    [1.0, 1.0]
    """

    def at(p: float, known: Sequence[np.ndarray] = (), **more: Any) -> JumpAtEquality:
        nodes = None if nodes_of is None else nodes_of(p)
        return jump_at_equality(model, family(p), nodes=nodes, others=known, **{**options, **more})

    few = max(64, options.get("n_points", _N_POINTS) // 4)
    known = [_parameters(model, at(p, n_points=few)) for p in probabilities]
    known += [np.ravel(other) for other in others]
    return [at(p, known, n_starts=1) for p in probabilities]


def _parameters(model: ToyModel, jump: JumpAtEquality) -> np.ndarray:
    """What a minimization starts from."""
    bias = np.atleast_1d(jump.bias)[: model.n_bias]  # one number if it is shared
    return np.concatenate([jump.W.ravel(), bias])


def _coarse_to_fine(
    model: ToyModel, inputs: SparseInput, n_points: int, seed: int
) -> list[Quadrature]:
    """Symmetric nodes, so that the many reorderings of one minimum have one loss."""
    mirrored = can_mirror(model, inputs)
    plain = [
        sparse_quadrature(
            inputs, model.n_features, max(64, n_points // part), seed, mirrored=mirrored
        )
        for part in _PARTS
    ]
    return [symmetric_nodes(each, both_signs=inputs.mean == 0) for each in plain]


def loss_by_importance(
    model: ToyModel, W: np.ndarray, bias: np.ndarray, importance: np.ndarray, nodes: Quadrature
) -> np.ndarray:
    """Rate at which the expected loss changes with each importance, the network being fixed.

    At a minimum it is also the rate of the lowest loss, since a small change of the best network
    costs nothing in first order.

    Parameters
    ----------
    model : ToyModel
    W : array (n_dims, n_features)
    bias : float or array (n_features,)
    importance : array (n_features,)
    nodes : Quadrature

    Returns
    -------
    array (n_features,)

    Examples
    --------
    An autoencoder is judged on each feature by itself; without network the rate is E[x^2] = p / 3:

    >>> from feature_capacity import UnitSparseUniform
    >>> model, nodes = ToyModel("autoencoder", "relu", 2, 1), UnitSparseUniform(0.3)
    >>> rule = sparse_quadrature(nodes, 2)
    >>> loss_by_importance(model, np.zeros((1, 2)), np.zeros(2), np.ones(2), rule).round(6)
    array([0.1, 0.1])
    """
    network = (np.asarray(each, np.float64) for each in (W, bias, importance))
    embedding, b, v = map(torch.from_numpy, network)
    nodes = listed_opposites(nodes)
    x, weight = torch.from_numpy(nodes.x), torch.from_numpy(nodes.weight)
    f = with_slope(model.activation)
    hidden = x @ embedding.T
    if model.kind == "autoencoder":
        return to_numpy(weight @ (f(hidden @ embedding + b)[0] - x) ** 2)
    target = f(x)[0]
    residual = f(hidden)[0].sum(dim=1) + b - target @ v
    return to_numpy(-2 * (residual * weight) @ target)
