"""The jump at equal importances, if Figure 7 was made with other inputs, or without bias."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from ..models.inputs import SparseUniform, UnitSparseUniform
from ..models.penalty import baseline_loss
from ..models.quadrature import Quadrature
from ..models.readings import SkewedUniform, centered_nodes
from ..models.symmetric_nodes import symmetric_nodes
from ..models.toy_models import ToyModel
from .equal_features import jumps_at_equality

READINGS = ("section 3", "no bias", "one sign", "skewed", "centered")
"""Inputs of mean 0 and both signs; the same without bias; uniform from 0 to 1; uniform from -a to
2a; from 0 to 1, less their mean."""

_NO_LOSS = 1e-8  # in units of the loss of an empty network


def jumps_by_reading(
    activation: str,
    probabilities: Sequence[float],
    readings: Sequence[str] = READINGS,
    n_starts: int = 16,
    n_points: int = 1024,
    seed: int = 0,
    device: str = "auto",
) -> Mapping[str, np.ndarray]:
    """Size of the jump of capacity at V = 1 in the computation model, 6 in 3, by reading.

    Parameters
    ----------
    activation : str
    probabilities : sequence of float
    readings : sequence of str
        Of `READINGS`.
    n_starts, n_points, seed, device
        Of :func:`feature_capacity.solvers.equal_features.jump_at_equality`.

    Returns
    -------
    mapping of str to array (n_probability,)
        NaN where the lowest loss is 0, so that nothing decides between embeddings.

    Examples
    --------
    ReLU does nothing to inputs of one sign, and one neuron solves the task:

    >>> jumps_by_reading("relu", [1.0], ["one sign"], n_starts=4, n_points=256)["one sign"]
    array([nan])
    """
    sizes = {}
    for reading in readings:
        model = ToyModel("computation", activation, bias="none" if reading == "no bias" else "best")
        family = {"one sign": UnitSparseUniform, "skewed": SkewedUniform}.get(
            reading, SparseUniform
        )
        nodes_of = partial(_centered, n_points=n_points, seed=seed)
        jumps = jumps_at_equality(
            model, family, probabilities, nodes_of if reading == "centered" else None,
            n_starts=n_starts, n_points=n_points, seed=seed, device=device,
        )  # fmt: skip
        empty = [baseline_loss(model, family(p), np.ones(6)) for p in probabilities]
        lost = [jump.loss / float(unit) for jump, unit in zip(jumps, empty, strict=True)]
        size = np.array([jump.size for jump in jumps])
        sizes[reading] = np.where(np.array(lost) > _NO_LOSS, size, np.nan)
    return sizes


def _centered(p: float, n_points: int, seed: int) -> Quadrature:
    """Nodes in every cyclic order; a change of all signs would be another distribution."""
    return symmetric_nodes(centered_nodes(p, 6, n_points, seed), both_signs=False)
