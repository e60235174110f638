"""The capacity explorer: importances, kurtosis and dimensions in, the optimal allocation out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .._style import FEATURE_COLORS, PHASE_COLORS
from ..figures.stills import still_allocation
from ..theory.allocation import PHASES, solve_allocation
from .html import Explorer

MAX_FEATURES = 12
"""Features that the explorer has room for."""

IMPORTANCE_LIMITS = (0.001, 100.0)
KURTOSIS_LIMITS = (1.1, 1000.0)

COLORS = (*FEATURE_COLORS, "#c2558b", "#44aa99", "#999933", "#8877dd", "#aa4466")
"""One color for each feature of an explorer."""


def capacity_explorer(importance: Sequence[float], n_dims: int, kurtosis: float) -> Explorer:
    """Sliders for importances, kurtosis and dimensions; curves, threshold and capacities.

    The browser solves equations (15) to (18) by itself; a test compares it with
    :func:`feature_capacity.solve_allocation`.

    Parameters
    ----------
    importance : sequence of 2 or more numbers
        The setting to begin with; of more than 12 features the most important 12 are taken.
    n_dims : int
    kurtosis : float

    Examples
    --------
    >>> capacity_explorer([10, 1, 1, 1], n_dims=3, kurtosis=9)
    Explorer: open the page in a browser to use it
    """
    ladder = sorted((float(v) for v in importance), reverse=True)[:MAX_FEATURES]
    first = _state(ladder, min(n_dims, len(ladder)), kurtosis)
    data = {
        "presets": [
            {"name": "these features", "state": first},
            {"name": "six equal ones", "state": _state([1.0] * 6, 3, 9.0)},
            {"name": "one against five", "state": _state([4.0, *[1.0] * 5], 3, 9.0)},
            {"name": "dense inputs", "state": {**first, "kurtosis": 1.8}},
        ],
        "colors": COLORS,
        "phases": [PHASE_COLORS[code] for code in range(len(PHASES))],
        "limits": {
            "features": MAX_FEATURES,
            "importance": IMPORTANCE_LIMITS,
            "kurtosis": KURTOSIS_LIMITS,
        },
    }
    found = solve_allocation(first["importance"], first["n_dims"], first["kurtosis"])
    still = still_allocation(np.array(first["importance"]), found, first["n_dims"])
    told = ", ".join(f"{i} {c:.2f}" for i, c in enumerate(found.capacity, start=1))
    alt = f"Importances and capacities of the features, as bars. Capacities: {told}."
    return Explorer("capacity", "Explore: who gets how much?", data, first, still, alt)


def _state(importance: Sequence[float], n_dims: int, kurtosis: float) -> Mapping[str, Any]:
    rounded = [float(f"{v:.4g}") for v in np.clip(importance, *IMPORTANCE_LIMITS)]
    return {
        "importance": rounded,
        "n_dims": int(n_dims),
        "kurtosis": float(np.clip(kurtosis, *KURTOSIS_LIMITS)),
    }
