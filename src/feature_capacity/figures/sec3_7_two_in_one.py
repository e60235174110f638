"""Figure of the page on two features in one dimension."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from .._style import PHASE_COLORS, book_style
from .map_tables import legend_of_squares, map_cells
from .maps import CHANCE, PHASE_LOOK
from .panels import Map, color_bar


@book_style
def two_in_one(maps: Mapping[str, Map], gain: Map, names: Sequence[str]) -> Figure:
    """Two features in one dimension: phases by hand-made networks, by minimization, and the gain.

    Phases are codes 0, 1, 2 with the given names: the extra feature is out, shares, or rules.
    """
    fig, axes = plt.subplots(1, 3, figsize=(6.4, 2.7), sharey=True)
    for ax, (name, picture) in zip(axes, maps.items(), strict=False):
        map_cells(ax, picture, **PHASE_LOOK)
        ax.set_title(name)
    image = map_cells(axes[2], gain, cmap="cividis", vmin=0)
    axes[2].set_title("part of loss saved")
    color_bar(image, axes, aspect=16, shrink=0.75, pad=0.02)
    kinds = [(name, PHASE_COLORS[code]) for code, name in enumerate(names)]
    legend_of_squares(fig, kinds, ms=8, columnspacing=1.2)
    axes[0].set_ylabel(CHANCE)
    axes[1].set_xlabel("importance of the extra feature, $V$")
    return fig
