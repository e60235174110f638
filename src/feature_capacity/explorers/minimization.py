"""The minimization explorer: a network finds its embedding in the page, step by step."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from .._arrays import require, require_whole
from .._style import CAPACITY_MAP
from ..figures.stills import still_minimization
from ..models.inputs import SparseInput, SparseUniform, UnitSparseUniform
from ..models.quadrature import Quadrature, sparse_quadrature
from ..models.toy_models import ToyModel
from ..solvers.minimization import minimize
from ..solvers.newton import minimize_quadratic
from ..theory.phases import one_feature_varied
from .capacity import COLORS
from .html import Explorer
from .phases import PhaseMap

INPUTS: Mapping[str, type[SparseInput]] = {
    "computation": SparseUniform,
    "autoencoder": UnitSparseUniform,
}
"""What each model is given, as in the book's reproduction of the paper's Figure 7."""

ACTIVATIONS: Mapping[str, str] = {"quadratic": "quadratic", "relu": "ReLU", "gelu": "GELU"}
"""Nonlinearities that the page can minimize with, and how they are called there."""

IMPORTANCE_LIMITS = (0.01, 100.0)
PROBABILITY_LIMITS = (0.001, 1.0)

MAX_FEATURES = 10
MAX_SAMPLED_FEATURES = 7
"""Features that the page has room for, and for whose nodes it has time."""

_STILL_STEPS = 24

_POINTS = (16, 144, 64, 128, 256, 256, 256)
"""About how many nodes stand for the values of 1, 2, ... active features."""

_NEGLIGIBLE = 1e-7
"""Numbers of active features that carry a smaller share of the second moment are left out."""


def minimization_explorer(
    n_features: int = 6,
    n_dims: int = 3,
    *,
    models: Sequence[str] = ("autoencoder", "computation"),
    activations: Sequence[str] = ("relu", "gelu", "quadratic"),
    maps: Mapping[tuple[str, str], PhaseMap] | None = None,
    axes: tuple[np.ndarray, np.ndarray] | None = None,
    start: tuple[float, float] = (1.0, 0.05),
    ratio: float = 1.0,
    seed: int = 1,
) -> Explorer:
    """Press play and see a small network find its embedding, by second order and by gradient.

    The page minimizes by itself: the quadratic model by Newton's method on its exact loss, the
    others by Levenberg-Marquardt on noise-free nodes that the page brings along.  From the same
    numbers it ends where :func:`feature_capacity.minimize` ends; a test compares the two.

    Parameters
    ----------
    n_features, n_dims : int
        Up to 10 features; up to 7 unless the model is computation with the quadratic alone.
    models : sequence of {"computation", "autoencoder"}
        What the reader may choose, the first one to begin with.
    activations : sequence of {"quadratic", "relu", "gelu"}
    maps : mapping of (str, str) to PhaseMap, optional
        By model and activation: capacities of feature 1, drawn as a map to choose the cell from.
        That of computation with the quadratic needs none; the page has its closed form.
    axes : two arrays, optional
        Importances and probabilities of the maps, spaced evenly in logarithm.
    start : tuple of float
        Importance of feature 1 in [0.01, 100] and probability in [0.001, 1] to begin with.
    ratio : float
        Importance of each further feature over the one before it, the second having 1; in (0, 1].
    seed : int
        Of the first random start, at least 0.

    Raises
    ------
    ValueError
        For numbers out of range, and for unknown models and activations.

    Examples
    --------
    >>> minimization_explorer(6, 3, models=["computation"], activations=["quadratic"])
    Explorer: open the page in a browser to use it
    """
    _check(n_features, n_dims, models, activations)
    require(0 < ratio <= 1, f"ratio must be in (0, 1]; got {ratio!r}")
    require_whole(seed, "seed", 0, 2**31, "a whole number from 0 to 2147483648")
    for name, value, (low, high) in zip(
        ("importance", "probability"), start, (IMPORTANCE_LIMITS, PROBABILITY_LIMITS), strict=True
    ):
        require(low <= value <= high, f"{name} must be in [{low:g}, {high:g}]; got {value!r}")
    state = {
        "model": models[0],
        "activation": activations[0],
        "importance": float(start[0]),
        "probability": float(start[1]),
        "ratio": float(ratio),
        "seed": int(seed),
        "start": None,
        "found": None,
    }
    sampled = set(models) if set(activations) - {"quadratic"} else set(models) - {"computation"}
    data = {
        "n_features": n_features,
        "n_dims": n_dims,
        "models": list(models),
        "activations": [{"value": name, "text": ACTIVATIONS[name]} for name in activations],
        "rules": {model: active_rules(INPUTS[model], n_features) for model in sorted(sampled)},
        "maps": _packed_maps(maps or {}, axes),
        "limits": {"importance": IMPORTANCE_LIMITS, "probability": PROBABILITY_LIMITS},
        "colors": COLORS,
        "ramp": [to_hex(color) for color in CAPACITY_MAP(np.linspace(0, 1, 128))],
    }
    still, alt = _still(ToyModel(models[0], activations[0], n_features, n_dims), state)
    title = "Explore: watch it minimize"
    return Explorer("minimization", title, data, state, still, alt)


def active_rules(inputs: type[SparseInput], n_features: int) -> list[Mapping[str, str]]:
    """Nodes for the values of 1, 2, ..., ``n_features`` active features at p = 1, packed.

    What changes with p is only the weight of a mask and, for two-sided inputs, the unit of the
    values, so that one set of nodes serves for every probability.

    >>> len(active_rules(UnitSparseUniform, 3))
    3
    """
    rules = []
    for m in range(1, n_features + 1):
        rule = _all_active(inputs, m)
        rules.append({"values": _packed(rule.x), "weights": _packed(rule.weight)})
    return rules


def _all_active(inputs: type[SparseInput], m: int) -> Quadrature:
    """Nodes for m features that are all active."""
    gauss = m == 1 or (m == 2 and inputs(1.0).mean == 0)
    return sparse_quadrature(inputs(1.0), m, 1024 if gauss else 2 * _POINTS[m - 1])


def nodes_at(inputs: SparseInput, n_features: int) -> Quadrature:
    """The quadrature on which a page minimizes, as the package takes it.

    Up to the fourth, its moments are those of the distribution.

    >>> nodes = nodes_at(UnitSparseUniform(0.1), 3)
    >>> round(float(nodes.weight @ nodes.x[:, 0]), 6)
    0.05
    """
    n, p = n_features, inputs.p
    points, weights = [np.zeros((1, n))], [np.array([(1 - p) ** n])]
    share = np.array([math.comb(n, m) * p**m * (1 - p) ** (n - m) * m for m in range(1, n + 1)])
    for m in np.flatnonzero(share >= _NEGLIGIBLE * share.sum()) + 1:
        rule = _all_active(type(inputs), int(m))
        for mask in combinations(range(n), m):
            x = np.zeros((len(rule.x), n))
            x[:, mask] = rule.x * inputs.active_scale
            points.append(x)
            weights.append(rule.weight * p**m * (1 - p) ** (n - m))
    x, weight = np.concatenate(points), np.concatenate(weights)
    some = weight > 0
    return Quadrature(x[some], weight[some] / weight.sum(), True, 0.0)


def _check(n: int, d: int, models: Sequence[str], activations: Sequence[str]) -> None:
    for given, known, name in (
        (models, INPUTS, "models"),
        (activations, ACTIVATIONS, "activations"),
    ):
        require(
            len(given) > 0 and all(one in known for one in given),
            f"{name} must be one or more of {', '.join(known)}; got {list(given)!r}",
        )
    exact = list(models) == ["computation"] and list(activations) == ["quadratic"]
    most = MAX_FEATURES if exact else MAX_SAMPLED_FEATURES
    require_whole(n, "n_features", 2, most, f"a whole number from 2 to {most}")
    require_whole(d, "n_dims", 1, n, f"a whole number from 1 to the number of features ({n})")


def _packed_maps(
    maps: Mapping[tuple[str, str], PhaseMap], axes: tuple[np.ndarray, np.ndarray] | None
) -> Mapping[str, Any]:
    if axes is None:
        require(not maps, "maps need axes: the importances and the probabilities of their cells")
        axes = (np.geomspace(0.02, 50, 41), np.geomspace(0.002, 1, 41))
    importance, probability = (np.asarray(values, dtype=float) for values in axes)
    shape = (len(probability), len(importance))
    for key, one in maps.items():
        found = np.shape(one.values)
        require(found == shape, f"values of {key!r} must have shape {shape}; got {found}")
    return {
        "importance": [float(f"{x:.10g}") for x in importance],
        "probability": [float(f"{x:.10g}") for x in probability],
        "values": {
            f"{model}, {activation}": _packed(one.values, "<f4")
            for (model, activation), one in maps.items()
        },
    }


def _packed(values: np.ndarray, dtype: str = "<f8") -> str:
    return base64.b64encode(np.ascontiguousarray(values, dtype=dtype).tobytes()).decode("ascii")


def _still(model: ToyModel, state: Mapping[str, Any]) -> tuple[Figure, str]:
    """The opening setting from a random start: loss step by step, and what it ends in."""
    importance = importances(model.n_features, state["importance"], state["ratio"])[None]
    inputs = INPUTS[model.kind](state["probability"])
    if (model.kind, model.activation) == ("computation", "quadratic"):
        minimized = partial(minimize_quadratic, importance, inputs.kurtosis, model.n_dims)
    else:
        nodes = nodes_at(inputs, model.n_features)
        minimized = partial(
            minimize, model, inputs, importance, quadrature=nodes, dtype="float64", tolerance=1e-9
        )
    steps = range(1, _STILL_STEPS + 1)
    results = [
        minimized(n_starts=1, seed=state["seed"], max_iterations=n, device="cpu") for n in steps
    ]
    end = results[-1]
    loss = np.array([float(found.loss[0]) for found in results])
    told = ", ".join(f"{i} {c:.2f}" for i, c in enumerate(end.capacity[0], start=1))
    alt = (
        f"Loss over {len(loss)} steps, and the capacities and cosines of the embedding that is "
        f"found. Capacities: {told}."
    )
    return still_minimization(loss, end.W[0], end.capacity[0], COLORS), alt


def importances(n_features: int, first: float, ratio: float) -> np.ndarray:
    """Importances of the page: V for feature 1, then 1, ratio, ratio squared, and so on.

    >>> importances(4, 2.0, 0.5)
    array([2.  , 1.  , 0.5 , 0.25])
    """
    v = one_feature_varied(np.array([first]), n_features)[0]
    v[1:] *= ratio ** np.arange(n_features - 1)
    return v
