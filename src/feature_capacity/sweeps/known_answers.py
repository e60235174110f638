"""What diagrams stand on, tried where the answer is known without it.

Nodes have the variance of the inputs; minimization reports the loss that its network has, and ends
in the same minimum by compiled loops in float32 as by tensors in float64; training draws the inputs
that it says; the width of a band and the neurons of a feature are those of a closed form.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..geometry.neuron_bases import fewest_neurons, neurons_per_feature
from ..models.inputs import SparseInput, SparseUniform, UnitSparseUniform
from ..models.losses import quadrature_loss
from ..models.quadrature import sparse_quadrature
from ..models.toy_models import ToyModel
from ..models.training import train
from ..solvers.minimization import can_mirror, minimize
from ..solvers.pair_edge import overlap_edge
from ..solvers.starts import random_starts
from ..theory.allocation import solve_allocation
from ..theory.phases import one_feature_varied
from ..theory.quadratic import expected_loss
from ..theory.transitions import decades_between

_P, _N_POINTS, _N_STARTS = 0.3, 1024, 4
_IMPORTANCE = np.array([[1.5, 1.0, 1.0, 1.0, 1.0, 1.0]])


def variance_on_nodes() -> tuple[np.ndarray, np.ndarray]:
    """Second moment of a feature on the nodes, and as it is, in nine cases.

    Inputs of either sign, plain and mirrored, and of one sign, at three probabilities.

    >>> on_nodes, exact = variance_on_nodes()
    >>> on_nodes.shape, bool(np.allclose(on_nodes, exact, rtol=1e-9))
    ((9,), True)
    """
    on_nodes, exact = [], []
    for p in (0.02, 0.2, 1.0):
        signed, unit = SparseUniform(p), UnitSparseUniform(p)
        for inputs, mirrored in ((signed, False), (signed, True), (unit, False)):
            nodes = sparse_quadrature(inputs, 6, _N_POINTS, negligible=0, mirrored=mirrored)
            on_nodes.append(nodes.weight @ nodes.x[:, 0] ** 2)
            exact.append(inputs.moment(2))
    return np.array(on_nodes), np.array(exact)


class TwoWays(NamedTuple):
    """One cell minimized by two ways of computing, for a model and an activation each."""

    reported: np.ndarray
    """Losses that compiled loops in float32 and tensors in float64 report, (cases, 2)."""
    direct: np.ndarray
    """The losses of their networks on the same nodes, straight from the definition, (cases, 2)."""


def minimized_two_ways(activation: str, seed: int = 0) -> TwoWays:
    """Minimize one cell of either model by compiled loops and by tensors, from the same starts.

    Parameters
    ----------
    activation : str
        One that :class:`feature_capacity.ToyModel` knows.
    seed : int
        Of starts and nodes.

    Examples
    --------
    >>> found = minimized_two_ways("relu")
    >>> bool(np.allclose(found.reported, found.direct, rtol=1e-5))
    True
    """
    reported, direct = [], []
    for kind, inputs in (
        ("computation", SparseUniform(_P)),
        ("autoencoder", UnitSparseUniform(_P)),
    ):
        model = ToyModel(kind, activation)
        mirrored = can_mirror(model, inputs)
        nodes = sparse_quadrature(inputs, model.n_features, _N_POINTS, seed, mirrored=mirrored)
        starts = random_starts(model, 1, _N_STARTS, [seed, 1])
        found = [
            minimize(
                model, inputs, _IMPORTANCE, starts=starts, quadrature=nodes,
                dtype=dtype, tolerance=1e-9, device="cpu",
            )
            for dtype in ("float32", "float64")
        ]  # fmt: skip
        reported.append([each.loss[0] for each in found])
        direct.append(
            [quadrature_loss(model, each.W, each.bias, _IMPORTANCE, nodes)[0] for each in found]
        )
    return TwoWays(np.array(reported), np.array(direct))


def loss_of_a_batch(p: float = 0.5, seed: int = 0) -> tuple[float, float]:
    """Loss of an untrained quadratic model on one large training batch, and by equation (12).

    >>> on_batch, exact = loss_of_a_batch()
    >>> bool(abs(on_batch / exact - 1) < 0.03)
    True
    """
    inputs: SparseInput = SparseUniform(p)
    model, v = ToyModel("computation", "quadratic"), np.ones((1, 6))
    start = train(
        model, inputs, v, n_steps=1, batch_size=100_000, learning_rate=1e-9, seed=seed,
        device="cpu",
    )  # fmt: skip
    exact = expected_loss(start.W[0], v[0], inputs.moment(4), bias=float(start.bias[0]))
    return float(start.batch_loss[0, 0]), float(exact)


def width_of_theory(n_cells: int, kurtosis: float = 18.0) -> tuple[float, float]:
    r"""Width of the band of superposition of the quadratic model: read off cells, and exact.

    Decades between capacities of 0.05 and 0.95 for six features in three dimensions, in which
    feature 1 has importance V and all share.  By :math:`C_1=1-\frac{k-1}{k-3}(1-V/\lambda)` the
    edges solve :math:`V=r\lambda`, where :math:`\lambda=m(V+5)/6` at a mean capacity of one half.

    Parameters
    ----------
    n_cells : int
        Importances between 0.01 and 100, as in Figure 7.
    kurtosis : float

    Examples
    --------
    >>> read, exact = width_of_theory(320)
    >>> abs(read - exact) < 0.01
    True
    """
    low, high = 0.05, 0.95
    V = np.geomspace(0.01, 100, n_cells)
    capacity = solve_allocation(one_feature_varied(V, 6), 3, kurtosis).capacity[:, 0]
    r = 1 - (kurtosis - 3) / (kurtosis - 1) * (1 - np.array([low, high]))
    m = (kurtosis - 1) / ((kurtosis - 3) / 2 + 2)
    below, above = 5 * r * m / (6 - r * m)
    return float(decades_between(V, capacity, low, high)), float(np.log10(above / below))


def neurons_of_turned_pairs() -> tuple[float, float]:
    """Neurons that a feature of two turned pairs projects on: as they stand, and turned back.

    The axes of the pairs lie evenly between two neurons.

    >>> as_they_stand, turned = neurons_of_turned_pairs()
    >>> round(as_they_stand, 9), round(turned, 6)
    (2.0, 1.0)
    """
    W = np.array([[1.0, -1.0, 1.0, -1.0], [1.0, -1.0, -1.0, 1.0]])
    return float(neurons_per_feature(W).mean()), float(fewest_neurons(W).mean())


def losses_at_the_overlap_edge(p: float = 0.5) -> tuple[float, float]:
    """Loss of a ReLU pair of unit length at the importance of :func:`.overlap_edge`, and without.

    Without: feature 1 alone, its partner guessed by the mean of its inputs.

    >>> pair, alone = losses_at_the_overlap_edge()
    >>> bool(abs(pair / alone - 1) < 0.01)
    True
    """
    v = np.array([[float(overlap_edge(p)), 1.0]])
    inputs = UnitSparseUniform(p)
    model = ToyModel("autoencoder", "relu", 2, 1)
    nodes = sparse_quadrature(inputs, 2, 16384)
    pair = quadrature_loss(model, [[[1.0, -1.0]]], np.zeros((1, 2)), v, nodes)
    alone = quadrature_loss(model, [[[1.0, 0.0]]], [[0.0, inputs.moment(1)]], v, nodes)
    return float(pair[0]), float(alone[0])
