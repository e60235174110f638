"""The geometry explorer: capacities in, an embedding that has them out, rotation by rotation."""

from collections.abc import Mapping, Sequence

from .._arrays import require
from ..figures.stills import still_embedding
from ..geometry.embeddings import embedding_from_capacities
from ..geometry.rotations import check_capacities
from .capacity import COLORS
from .html import Explorer

MAX_FEATURES = 9
MAX_DIMS = 3
"""What can be looked at: three dimensions, and as many features as keep apart in them."""

PRESETS: Mapping[str, Sequence[float]] = {
    "a pentagon": [0.4] * 5,
    "three pairs": [0.5] * 6,
    "one apart": [1.0, *[0.5] * 4],
    "one ignored": [0.0, *[0.6] * 5],
}


def geometry_explorer(capacity: Sequence[float]) -> Explorer:
    """Sliders for capacities whose sum stays; the embedding of Theorem 1 and its blocks.

    Parameters
    ----------
    capacity : sequence of 2 to 9 numbers
        The setting to begin with: in [0, 1], with a whole sum of at most 3.

    Raises
    ------
    ValueError
        For capacities that no embedding has, more than 9 of them, or more than 3 dimensions.

    Examples
    --------
    >>> geometry_explorer([0.5, 0.75, 0.75])
    Explorer: open the page in a browser to use it
    """
    c, _, n_dims = check_capacities(capacity)
    require(
        2 <= c.size <= MAX_FEATURES and n_dims <= MAX_DIMS,
        f"the explorer shows 2 to {MAX_FEATURES} features in up to {MAX_DIMS} dimensions; "
        f"got {c.size} in {n_dims}",
    )
    first = c.tolist()
    presets = {"this one": first, **PRESETS}
    data = {
        "presets": [{"name": name, "capacity": numbers} for name, numbers in presets.items()],
        "limits": {"features": MAX_FEATURES, "dims": MAX_DIMS},
        "tolerance": 1e-6,  # cosine above which two features count as linked
        "colors": COLORS,
    }
    state = {"capacity": first, "held": [False] * c.size, "step": c.size, "member": 0}
    still = still_embedding(c, embedding_from_capacities(c), COLORS)
    told = ", ".join(f"{i} {x:.2f}" for i, x in enumerate(first, start=1))
    alt = f"Capacities as bars, and the cosines of an embedding that has them. Capacities: {told}."
    title = "Explore: any division of the dimensions"
    return Explorer("geometry", title, data, state, still, alt)
