"""Figures of Appendix A: partitions, fourth moments, and the bias."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.patches import Arc, Patch

from .._style import BLACK, MUTED, book_style
from .panels import Arrays, note, shaded

PATTERN_COLORS = {
    "4": "#1b3a5c",
    "ii|jj": "#2b6ca3",
    "ij|ij": "#d9822b",
    "ij|ji": "#f0b978",
    "none": "#eceff3",
}
"""One color for each way in which a fourth moment survives."""

Glyph = tuple[tuple[int, ...], int, str]
"""The block of each of four positions, the number of such quadruples, and their sum as text."""


@book_style
def partitions(rows: Sequence[tuple[str, str, list[Glyph]]]) -> plt.Figure:
    """Arc diagrams of all partitions of four positions, a row for each type.

    Parameters
    ----------
    rows : (type, moment, glyphs)
        Glyphs that add up to "0" are drawn in gray.
    """
    widest = max(len(glyphs) for _, _, glyphs in rows)
    fig, ax = plt.subplots(figsize=(7.2, 0.98 * len(rows) + 0.2))
    for row, (kind, moment, glyphs) in enumerate(rows):
        y = -1.6 * row
        survives = any(total != "0" for _, _, total in glyphs)
        weight = {"weight": "bold"} if survives else {"color": MUTED}
        ax.text(-2.0, y + 0.16, kind, ha="left", va="center", fontsize=11, **weight)
        ax.text(-2.0, y - 0.3, moment, ha="left", va="center", fontsize=10, color=MUTED)
        for column, (blocks, count, total) in enumerate(glyphs):
            x = 1.75 * column
            _glyph(ax, x, y, blocks, gray=total == "0")
            text = f"{count} terms:\n{total}"
            ax.text(x + 0.54, y - 0.42, text, ha="center", va="top", fontsize=9)
    low = -1.6 * (len(rows) - 1) - 0.8
    ax.set(xlim=(-2.1, 1.75 * widest - 0.3), ylim=(low, 0.8), aspect="equal")
    ax.set_axis_off()
    return fig


def _glyph(ax: plt.Axes, x: float, y: float, blocks: tuple[int, ...], gray: bool) -> None:
    strong = {
        (0, 0, 0, 0): "4",
        (0, 0, 2, 2): "ii|jj",
        (0, 1, 0, 1): "ij|ij",
        (0, 1, 1, 0): "ij|ji",
    }
    color = "#b6bdc7" if gray else PATTERN_COLORS[strong[blocks]]
    small = {"ha": "center", "va": "top", "fontsize": 9, "color": MUTED, "style": "italic"}
    for place, (block, letter) in enumerate(zip(blocks, "ijkl", strict=True)):
        at = x + 0.36 * place
        later = [p for p in range(place + 1, 4) if blocks[p] == block]
        if later:
            width = 0.36 * (later[0] - place)
            half = {"theta1": 0, "theta2": 180, "color": color, "lw": 1.8}
            ax.add_patch(Arc((at + width / 2, y), width, 1.15 * width, **half))
        ax.plot(at, y, "o", color=color, ms=6.5)
        ax.text(at, y - 0.16, letter, **small)


@book_style
def moment_matrix(pattern: np.ndarray, n_features: int, kurtosis: str) -> plt.Figure:
    """Which fourth moments survive: rows are pairs (i, j), columns pairs (k, l).

    Parameters
    ----------
    pattern : integer array (n_features**2, n_features**2)
        Position of each entry in ``PATTERN_COLORS``.
    """
    fig, ax = plt.subplots(figsize=(6.6, 4.7))
    colors = ListedColormap(list(PATTERN_COLORS.values()))
    ax.imshow(pattern, cmap=colors, vmin=-0.5, vmax=len(PATTERN_COLORS) - 0.5)
    for edge in range(1, n_features**2):
        line = {"color": "white", "lw": 2.4 if edge % n_features == 0 else 0.7}
        ax.axhline(edge - 0.5, **line)
        ax.axvline(edge - 0.5, **line)
    names = [f"{i}{j}" for i, j in np.ndindex(n_features + 1, n_features + 1) if i and j]
    ax.set_xticks(range(len(names)), names, fontsize=7)
    ax.set_yticks(range(len(names)), names, fontsize=7)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set(xlabel="second factor, indices $kl$", ylabel="first factor, indices $ij$")
    twos = "$i=j$, $k=l$: 1", "$i=k$, $j=l$: 1", "$i=l$, $j=k$: 1"
    names = rf"all four equal: $\mathbb{{E}}[x^4]$ = {kurtosis}", *twos, "an index alone: 0"
    patches = [Patch(color=color) for color in PATTERN_COLORS.values()]
    ax.legend(patches, names, loc="center left", bbox_to_anchor=(1.02, 0.5), title="moment")
    return fig


@book_style
def bias_parabolas(
    bias: np.ndarray, curves: Arrays[str], spots: np.ndarray, exact: Arrays[str], best: float
) -> plt.Figure:
    """Expected loss over the bias, formula and sums over all outcomes, by kurtosis."""
    fig, ax = plt.subplots(figsize=(5.8, 3.5))
    for name, curve, color in shaded(curves):
        ax.plot(bias, curve, color=color, zorder=2)
        ax.plot(spots, exact[name], "o", color=color, ms=4.5, mec="white", mew=0.6, zorder=3)
        end = (bias[-1], curve[-1])
        note(ax, name, end, (5, 0), va="center", color=color, annotation_clip=False)
    ax.axvline(best, color=BLACK, lw=1, ls="--", zorder=1)
    style = {"xycoords": ("data", "axes fraction"), "ha": "center", "va": "bottom"}
    note(ax, r"$b=-\sum_i A_{ii}$", (best, 1.0), (0, 3), **style)
    ax.set(xlim=(bias[0], bias[-1]), ylim=(0, None), xlabel="bias $b$", ylabel="expected loss")
    return fig
