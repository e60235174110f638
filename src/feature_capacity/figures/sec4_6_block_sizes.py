"""Figures of section 4.6: the blocks of optima."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np

from .._style import BLACK, ORANGE, book_style
from ..geometry.blocks import Block
from .panels import Arrays, small_multiples, titled
from .vectors import frame


@book_style
def block_structures(grams: Arrays[str], found: Sequence[Sequence[Block]]) -> plt.Figure:
    """Cosines between features at optima; features sorted so that blocks lie on the diagonal."""
    fig, axes = small_multiples(len(grams), 2, 5.6, 2.75)
    panels = titled(axes, grams, weight="normal", fontsize=10)
    for (ax, cosine), parts in zip(panels, found, strict=True):
        order = [i for b in parts for i in b.features]
        order += [i for i in range(len(cosine)) if i not in order]
        picture = ax.imshow(cosine[np.ix_(order, order)], cmap="Blues", vmin=0, vmax=1)
        start = 0
        for b in parts:
            n = len(b.features)
            frame(ax, start, start, n, n, ORANGE if n > b.dimension else BLACK)
            start += n
        plt.setp((ax.xaxis, ax.yaxis), ticks=range(len(order)), ticklabels=np.add(order, 1))
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
    label = r"absolute cosine $|w_i \cdot w_j| / (\|w_i\| \|w_j\|)$"
    fig.colorbar(picture, ax=axes, shrink=0.6, aspect=30, pad=0.03, label=label)
    return fig
