"""Figures of Appendix F: the bound on capacity, entry by entry, and gradient ascent to it."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np

from .._style import BLACK, BLUE, DIFFERENCE_MAP, FEATURE_COLORS, PHASE_COLORS, book_style
from .panels import Arrays, Pairs, bare, centered, lettered, titled


@book_style
def proof_matrices(
    matrices: Arrays[str], layout: Sequence[Sequence[str]], boxed: Sequence[str]
) -> plt.Figure:
    """The matrices of the proof of Appendix F, entry by entry.

    Parameters
    ----------
    matrices, layout, boxed
        Matrices by the name that heads their panel, the names in each row of the figure, and the
        names of those whose diagonal is framed.
    """
    fig = plt.figure(figsize=(6.8, 4.9))
    rows = fig.add_gridspec(2, 1, height_ratios=[2, 4], hspace=0.12)
    for row, names in zip(rows, layout, strict=True):
        widths = [matrices[name].shape[1] for name in names]
        cells = row.subgridspec(1, len(names), width_ratios=widths, wspace=0.12)
        for cell, name in zip(cells, names, strict=True):
            ax, A = fig.add_subplot(cell), matrices[name]
            ax.imshow(A, cmap=DIFFERENCE_MAP, vmin=-1.4, vmax=1.4)
            for (i, j), value in np.ndenumerate(A):
                text = f"{round(value, 2) + 0:.2f}".replace("-", "−")
                if np.isclose(value, round(value)):
                    text = text.removesuffix(".00")
                color = "white" if abs(value) > 1 else BLACK
                centered(ax, j, i, text, fontsize=9, color=color)
                if name in boxed and i == j:
                    square = (j - 0.46, i - 0.46), 0.92, 0.92
                    ax.add_patch(plt.Rectangle(*square, fill=False, lw=1.8))
            bare(ax, title=name)
    return fig


@book_style
def ascent(totals: Arrays[int]) -> plt.Figure:
    """Gradient ascent on total capacity, from many starts, for several numbers of dimensions.

    Parameters
    ----------
    totals : arrays (n_steps, n_starts) by number of dimensions
    """
    fig, (left, right) = lettered(1, 2, figsize=(6.8, 3.3))
    for (n_dims, total), color in zip(totals.items(), FEATURE_COLORS, strict=False):
        left.plot(total, color=color, lw=0.8, alpha=0.5)
        left.axhline(n_dims, color=color, lw=1, ls="--")
        right.plot(np.maximum(n_dims - total, 1e-16), color=color, lw=0.8, alpha=0.5)
        right.plot([], [], color=color, label=f"$D$ = {n_dims}")
    steps = len(total) - 1
    left.set(xlim=(0, min(200, steps)), ylim=(0.9, max(totals) + 0.15), xlabel="step of ascent")
    left.set(yticks=list(totals), ylabel=r"total capacity $\Sigma_i C_i$")
    right.set(yscale="log", xlim=(0, steps), xlabel="step of ascent")
    right.set_ylabel(r"what is missing, $D-\Sigma_i C_i$")
    right.legend(loc="upper right")
    return fig


@book_style
def ceilings(cases: Pairs[str]) -> plt.Figure:
    """Capacity of each feature below its ceiling from the proof.

    Parameters
    ----------
    cases : pairs of arrays (n_features,) by head of the panel
        Capacities and ceilings.
    """
    fig, axes = plt.subplots(1, len(cases), figsize=(6.8, 2.9), sharey=True)
    for ax, (capacity, ceiling) in titled(axes, cases):
        place = np.arange(1, capacity.size + 1)
        ax.bar(place, ceiling, color="white", ec="#b6bdc6", hatch="////", width=0.72, lw=0.8)
        ax.bar(place, capacity, color=BLUE, width=0.72, label="capacity $C_i$")
        top = {"color": PHASE_COLORS[1], "lw": 2.4, "label": r"ceiling $\|\vec y_i\|^2$"}
        ax.hlines(ceiling, place - 0.4, place + 0.4, **top)
        ax.set(xlabel="feature $i$", xticks=place, ylim=(0, 1.04))
        ax.tick_params(axis="x", length=0)
    axes[0].set_ylabel("part of one dimension")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return fig
