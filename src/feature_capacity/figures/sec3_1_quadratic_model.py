"""Figures of sections 3.1 and 3.2: what is true, what is hallucinated, and what each costs."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np

from .._style import BLACK, HALLUCINATED_COLOR, MUTED, TRUE_COLOR, book_style, pair_matrix
from .panels import POINTER, centered, color_bar, plain_ticks

_HALO = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.85}


@book_style
def correlation_maps(panels: Mapping[str, tuple[np.ndarray, float, float]]) -> plt.Figure:
    """What the data and two models say about each pair of features, as matrices side by side.

    Parameters
    ----------
    panels : array (n_features, n_features) and two numbers, by head
        The diagonal of importances for the data, or the Gram matrix of a model; the missed and
        the hallucinated part of its loss, as fractions of the variance of the target, which are
        not written where both are 0.
    """
    fig, axes = plt.subplots(1, len(panels), figsize=(6.6, 3.1), sharey=True)
    limit = max(float(np.abs(matrix).max()) for matrix, _, _ in panels.values())
    for ax, (head, (matrix, missed, hallucinated)) in zip(axes, panels.items(), strict=True):
        image = pair_matrix(ax, matrix, limit)
        ax.set(title=head, xlabel="feature $j$")
        if missed + hallucinated > 0:
            parts = f"missed {missed:.1%}\nhallucinated {hallucinated:.1%}"
            ax.text(0.5, -0.24, parts, transform=ax.transAxes, ha="center", va="top")
    axes[0].set_ylabel("feature $i$")
    label = r"$v_i\delta_{ij}$  or  $w_i\cdot w_j$"
    color_bar(image, axes, label, shrink=0.62, pad=0.02, aspect=14)
    return fig


@book_style
def loss_terms_against_kurtosis(
    kurtosis: np.ndarray, missed: np.ndarray, hallucinated: np.ndarray, alone: np.ndarray
) -> plt.Figure:
    """Two terms of the loss of the shared embedding, against the loss of leaving features out.

    Parameters
    ----------
    kurtosis : array (n,)
    missed, hallucinated : arrays (n,)
        Fractions of the variance of the target, with features sharing at the best lengths.
    alone : array (n,)
        The same for one dimension each for as many features as fit, the others ignored.
    """
    fig, ax = plt.subplots(figsize=(5.8, 3.6))
    total = missed + hallucinated
    ax.fill_between(kurtosis, 0, missed, color=TRUE_COLOR, alpha=0.85, lw=0)
    ax.fill_between(kurtosis, missed, total, color=HALLUCINATED_COLOR, alpha=0.85, lw=0)
    ax.plot(kurtosis, alone, color=BLACK, ls="--")
    ax.axvline(3, color=MUTED, lw=1, ls=":")
    ax.set_xscale("log")
    plain_ticks(ax.xaxis, [1, 2, 3, 5, 10, 20, 50])
    ax.yaxis.set_major_formatter("{x:.0%}")
    ax.set(xlim=(kurtosis[0], kurtosis[-1]), ylim=(0, 1))
    ax.set(xlabel="kurtosis $k$ of a feature", ylabel="loss, part of Var[$y$]")
    right = kurtosis[-1] * 0.94
    ax.text(right, alone[-1] + 0.02, "some kept, the others left out", ha="right", va="bottom")
    # Where the bands are as wide as the words, and below the dashed line.
    dense, wide, sparse = np.searchsorted(kurtosis, (1.55, 7.2, 6))
    ax.text(kurtosis[dense], missed[dense] / 2, "missed", color="white", weight="bold", ha="center")
    # Not in white, which would be hard to read on orange.
    height = (missed[wide] + total[wide]) / 2
    centered(ax, kurtosis[wide], height, "hallucinated", weight="bold")
    spot = (kurtosis[sparse], total[sparse])
    style = {"arrowprops": POINTER, "bbox": _HALO, "va": "bottom"}
    ax.annotate("all features share", spot, (16, 12), textcoords="offset points", **style)
    return fig
