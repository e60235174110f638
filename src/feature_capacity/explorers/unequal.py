"""The explorer of one feature that differs: its importance and its own kurtosis, beside others."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import to_hex

from .._arrays import require, require_number, require_whole
from .._style import CAPACITY_MAP, ORANGE
from ..figures.stills import still_trade
from ..theory.allocation import solve_allocation
from ..theory.quadratic import loss_at_best_lengths
from .html import Explorer

_CELLS = 61
_KURTOSIS = (1.5, 40.0)
_MARKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20), (1.5, 2, 3, 5, 10, 20, 40)


def unequal_explorer(
    n_others: int = 4,
    n_dims: int = 2,
    kurtosis_of_others: float = 30.0,
    start: tuple[float, float] = (2.6, 2.5),
) -> Explorer:
    """One feature of any importance and kurtosis among sparse ones, which share with it or not.

    The others have importance 1.  A map of its capacity, and the loss against what it takes at the
    chosen place of the map.  The browser solves it by one division; a test compares it with
    :func:`feature_capacity.solve_allocation`.

    Parameters
    ----------
    n_others : int
        From 2 to 12.
    n_dims : int
        From 1 to ``n_others``.
    kurtosis_of_others : float
        From 4 to 1000, one for all of them.
    start : tuple of float
        Importance and kurtosis of the feature to begin with; what lies beyond the map begins at
        its edge.

    Raises
    ------
    ValueError
        For numbers out of range.

    Examples
    --------
    >>> unequal_explorer()
    Explorer: open the page in a browser to use it
    """
    n = require_whole(n_others, "n_others", 2, 12, "a whole number from 2 to 12")
    d = require_whole(n_dims, "n_dims", 1, n, f"a whole number from 1 to n_others ({n})")
    k = require_number(kurtosis_of_others, "kurtosis_of_others", 4, 1000, "[4, 1000]")
    require(min(start) > 0, f"start must be two positive numbers; got {start!r}")
    widest = 2 * n / d + 1
    importance = np.geomspace(widest / 20, widest, _CELLS)
    kurtosis = np.geomspace(*_KURTOSIS, _CELLS)
    axes = importance, kurtosis
    V, own = (float(np.clip(x, a[0], a[-1])) for x, a in zip(start, axes, strict=True))

    def row(first: np.ndarray | float, rest: float) -> np.ndarray:
        first = np.asarray(first)[..., None]
        return np.concatenate([first, np.full((*first.shape[:-1], n), rest)], axis=-1)

    v, chosen = row(V, 1.0), row(own, k)
    best = solve_allocation(v, d, chosen)
    capacity = solve_allocation(row(importance, 1.0), d, row(kurtosis, k)[:, None]).capacity
    share = np.linspace(0, 1, 101)
    rest = np.repeat(np.minimum(1, (d - share[:, None]) / n), n, axis=1)
    loss = loss_at_best_lengths(np.column_stack([share, rest]), v, chosen).sum(axis=-1)
    least = float(best.capacity[0]), float(best.loss)
    still = still_trade((*axes, capacity[..., 0]), (V, own), (share, loss), least, _MARKS)
    data = {
        "others": {"n": n, "nDims": d, "kurtosis": k},
        "importance": [float(f"{x:.10g}") for x in importance],
        "kurtosis": [float(f"{x:.10g}") for x in kurtosis],
        "marks": _MARKS,
        "map_caption": (
            f"What one feature takes among {n} of importance 1 and kurtosis {k:g} in {d} "
            f"dimension{'s' if d > 1 else ''}. Above the dashed line returns diminish."
        ),
        "trade_caption": (
            "The loss against what it takes, from nothing to a whole dimension; the others share "
            "the rest."
        ),
        "color": ORANGE,
        "ramp": [to_hex(color) for color in CAPACITY_MAP(np.linspace(0, 1, 128))],
    }
    alt = (
        f"Map of the capacity of one feature by its importance and kurtosis, and the loss against "
        f"what it takes at importance {V:g} and kurtosis {own:g}: least at {least[0]:.2f}."
    )
    state = {"importance": V, "kurtosis": own}
    return Explorer("unequal", "Explore: does this feature share?", data, state, still, alt)
