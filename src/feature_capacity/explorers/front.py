"""The front-door explorer: the paper's Figure 4, and the network that is best in each cell."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.colors import to_hex

from .._arrays import require, require_whole
from .._style import CAPACITY_MAP
from ..figures.stills import still_front
from ..theory.allocation import Allocation, solve_allocation
from ..theory.phases import one_feature_varied, phase_diagram
from .capacity import COLORS
from .html import Explorer

MAX_FEATURES = 9
_IMPORTANCE = np.geomspace(0.1, 10, 49)
_PROBABILITY = np.geomspace(0.003, 1, 49)

_PLACES = (
    {"name": "ignored", "V": 0.15, "p": 0.1},
    {"name": "sharing", "V": 1.2, "p": 0.02},
    {"name": "a dimension of its own", "V": 4.0, "p": 0.02},
    {"name": "dense inputs", "V": 1.5, "p": 0.9},
)
_LABELS = (
    {"text": "ignored", "V": 0.24, "p": 0.42, "ink": "#ffffff"},
    {"text": "its own\ndimension", "V": 4.6, "p": 0.2, "ink": "#10202c"},
    {"text": "shares", "V": 0.78, "p": 0.0075, "ink": "#ffffff"},
)


def front_explorer(n_features: int = 6, start: tuple[float, float] = (1.2, 0.02)) -> Explorer:
    """The phase diagram in closed form, and beside it the vectors of the chosen cell.

    One feature has importance V, the others 1; three neurons compute the weighted sum of their
    squares.  The vectors are ``umbrella`` at the optimal allocation.

    Parameters
    ----------
    n_features : int
        From 5 to 9, in three dimensions.
    start : tuple of float
        Importance of feature 1 in [0.1, 10] and probability in [0.003, 1] to begin with.

    Raises
    ------
    ValueError
        For numbers out of range.

    Examples
    --------
    >>> front_explorer()
    Explorer: open the page in a browser to use it
    """
    rule = f"a whole number from 5 to {MAX_FEATURES}"
    n = require_whole(n_features, "n_features", 5, MAX_FEATURES, rule)
    V, p = (float(x) for x in start)
    require(0.1 <= V <= 10, f"importance must be in [0.1, 10]; got {start[0]!r}")
    require(0.003 <= p <= 1, f"probability must be in [0.003, 1]; got {start[1]!r}")
    best = solve_allocation(one_feature_varied(np.array([V]), n)[0], 3, 1.8 / p)
    diagram = phase_diagram(_IMPORTANCE, 1.8 / _PROBABILITY, n, 3)
    W = umbrella(best)
    still = still_front((_IMPORTANCE, _PROBABILITY, diagram.capacity), (V, p), W, COLORS)
    told = ", ".join(f"{i} {c:.2f}" for i, c in enumerate(best.capacity, start=1))
    alt = (
        f"Map of the capacity of feature 1 by importance and probability, and the vectors of {n} "
        f"features in three dimensions at importance {V:g} and probability {p:g}. "
        f"Capacities: {told}."
    )
    state = {"importance": V, "probability": p}
    title = "When does a neuron answer to several features?"
    return Explorer("front", title, _data(n), state, still, alt)


def _data(n: int) -> dict[str, Any]:
    return {
        "n_features": n,
        "importance": [float(f"{x:.10g}") for x in _IMPORTANCE],
        "probability": [float(f"{x:.10g}") for x in _PROBABILITY],
        "places": _PLACES,
        "labels": _LABELS,
        "tour": [0.12, 5.0],  # importances between which the film moves
        "lead": (
            f"A network with three neurons is asked about {n} features. Point at the map: "
            "how much does feature 1 matter, and how often is a feature active?"
        ),
        "map_caption": "How much of a dimension feature 1 is allocated by the best network.",
        "space_caption": (
            "That network: an arrow for each feature, an axis for each neuron. "
            "Drag, or use the arrow keys, to turn. Bars: capacities, with lines at ½ and 1."
        ),
        "colors": COLORS,
        "ramp": [to_hex(color) for color in CAPACITY_MAP(np.linspace(0, 1, 128))],
    }


def umbrella(best: Allocation) -> np.ndarray:
    """An embedding in three dimensions that attains an allocation whose others are all alike.

    Feature 1 stands upright and the others surround it like the ribs of an umbrella, which opens
    as feature 1 is allocated more.  Where features have whole dimensions they lie on the axes.

    Parameters
    ----------
    best : Allocation
        For one set of importances, equal but for the first, in three dimensions.

    Returns
    -------
    array (3, n_features)

    Examples
    --------
    Six equal features: each has half a dimension, and W W^T is a multiple of the identity.

    >>> W = umbrella(solve_allocation([1.0] * 6, 3, kurtosis=9))
    >>> (W @ W.T / (W**2).sum() * 3).round(12) + 0.0
    array([[1., 0., 0.],
           [0., 1., 0.],
           [0., 0., 1.]])
    """
    c, n = np.asarray(best.capacity), np.asarray(best.sq_norm)
    W = np.zeros((3, c.size))
    if not 0 < c[1] < 1:
        axes = [2, 0, 1] if c[0] == 1 else [0, 1, 2]
        whole = np.flatnonzero(c == 1)
        W[axes[: whole.size], whole] = np.sqrt(n[whole])
        return W
    others = c.size - 1
    turn = 2 * np.pi * np.arange(others) / others
    W[0, 1:], W[1, 1:] = np.cos(turn), np.sin(turn)
    W[:2] *= np.sqrt(2 / others)
    W[2] = [np.sqrt(c[0]), *[-np.sqrt((1 - c[0]) / others)] * others]
    return W * np.sqrt(np.divide(n, c, out=np.zeros_like(c), where=c > 0))
