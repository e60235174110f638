"""The weights explorer: a reader's own file, measured in the page.

The file is read by a worker of the page, in blocks, and never leaves the machine.  Which axis is
features is decided by the layouts of :mod:`feature_capacity.measure.layouts`, which travel along.
"""

from matplotlib.figure import Figure

from .._style import PHASE_COLORS
from ..measure.choice import OF_AN_OPTIMIZER
from ..measure.layouts import BIAS, LAYOUTS, TOY_MODEL
from ..measure.record import FEW
from ..measure.statistics import MEANINGS
from ..theory.allocation import PHASES
from .html import Explorer, module

TOLERANCE = 0.01
"""What counts as 0 and as 1, as by default in :func:`feature_capacity.measure`."""

SHOWN = (
    *("random_total_same_lengths", "frame_potential", "participation_ratio"),
    *("effective_features", "dims_per_feature"),
)
"""Which statistics of a whole matrix the page computes; their meanings are the package's."""


def weights_explorer(still: Figure, alt: str) -> Explorer:
    """A place to drop a file of weights, and a report about the capacity of its features.

    Takes ``.npy``, ``.npz`` and ``.safetensors`` with floating-point numbers of 16, 32 or 64 bits.
    The browser computes equation (3) by the square of the smaller side; a test compares it with
    the package.

    Parameters
    ----------
    still : Figure
        What a reader without scripts sees, such as the picture of a report.
    alt : str
        The same in words.

    Examples
    --------
    >>> weights_explorer(Figure(), "nothing")
    Explorer: open the page in a browser to use it
    """
    data = {
        "worker": module("weightsworker"),
        "layouts": [
            {"names": one.names, "features": one.features, "what": one.what} for one in LAYOUTS
        ],
        "bias": BIAS,
        "toyModel": TOY_MODEL,
        "optimizer": OF_AN_OPTIMIZER.pattern,
        "meanings": {name: MEANINGS[name][0] for name in SHOWN},
        "phases": [PHASE_COLORS[code] for code in range(len(PHASES))],
        "more": "Rank, blocks, near-duplicates and leverage are in the report of "
        "feature-capacity capacity FILE.",
        "few": FEW,
        "tolerance": TOLERANCE,
    }
    return Explorer("weights", "Measure a file of your own", data, {}, still, alt)
