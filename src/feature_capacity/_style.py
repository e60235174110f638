"""How every figure of the book looks: one palette, one capacity map, one set of defaults.

Figures stand on a paper-white ground, so they read the same on a light and on a dark page.
Nothing here changes matplotlib's global settings.
"""

from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib import rc_params_from_file
from matplotlib.colors import ListedColormap
from matplotlib.image import AxesImage

CAPACITY_MAP = sns.color_palette("mako", as_cmap=True)
"""Sequential map for capacity from 0 (dark) to 1 (light); use with vmin=0, vmax=1."""

DIFFERENCE_MAP = sns.color_palette("vlag", as_cmap=True)
"""Diverging map for differences, centered on 0."""

PHASE_COLORS = {0: "#9aa5b1", 1: "#d9822b", 2: "#2b6ca3"}
"""One color per phase, by its code: ignored, polysemantic, monosemantic.

Told apart also in grayscale and by color-blind readers.
"""

PHASE_MAP = ListedColormap(list(PHASE_COLORS.values()))
"""The same for arrays of phases; use with vmin=-0.5, vmax=2.5."""

FEATURE_COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#6b6b6b"]
"""One color per feature, after Okabe and Ito."""

TRUE_COLOR, HALLUCINATED_COLOR = "#2b6ca3", "#d9822b"
"""Error on true correlations, and hallucinated ones, wherever the two terms are drawn."""

BLUE, BLACK, MUTED = "#0072b2", "#1c1e21", "#6b7280"
"""The varied feature, the reference feature, and what stays in the background."""

ORANGE, LIGHT = "#d55e00", "#d5dae1"
"""What stands against blue, and pale areas behind it."""

_SETTINGS = rc_params_from_file(Path(__file__).with_suffix(".mplstyle"), use_default_template=False)


def book_style(draw: Callable[..., plt.Figure]) -> Callable[..., plt.Figure]:
    """Run a figure function under the book's settings and close what it returns.

    A closed figure is shown once, as the value of its cell, and never a second time by pyplot.
    """

    @wraps(draw)
    def styled(*args: Any, **kwargs: Any) -> plt.Figure:
        with plt.rc_context(_SETTINGS):
            figure = draw(*args, **kwargs)
        plt.close(figure)
        return figure

    return styled


def panel_letters(axes: Sequence[plt.Axes], letters: str = "abcdef") -> None:
    """Write a bold letter outside the upper left corner of each panel."""
    for ax, letter in zip(axes, letters, strict=False):
        ax.text(-0.02, 1.03, letter, transform=ax.transAxes, weight="bold", ha="right", va="bottom")


def pair_matrix(ax: plt.Axes, matrix: np.ndarray, limit: float) -> AxesImage:
    """Draw one number for each pair of features, as colored squares; return them for a color bar.

    Parameters
    ----------
    ax : Axes
    matrix : array (n_features, n_features)
    limit : float
        Where the colors end, above and below 0.
    """
    n = len(matrix)
    squares = ax.imshow(matrix, cmap=DIFFERENCE_MAP, vmin=-limit, vmax=limit)
    names = [str(feature) for feature in range(1, n + 1)]
    ax.set_xticks(range(n), names)
    ax.set_yticks(range(n), names)
    ax.tick_params(length=0)
    for edge in np.arange(0.5, n - 1):
        ax.axhline(edge, color="white", lw=0.8)
        ax.axvline(edge, color="white", lw=0.8)
    ax.spines[:].set_visible(False)
    return squares
