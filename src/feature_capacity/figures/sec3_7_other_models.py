"""Figures of section 3.7: Figure 7, slices through it, blocks, extreme importance."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from .._style import BLACK, DIFFERENCE_MAP, LIGHT, book_style
from .map_tables import bar_below, capacity_map, legend_of_squares, map_cells, table_of_maps
from .maps import CHANCE, VARIED
from .nonlinearities import ACTIVATION_COLORS
from .panels import HALVES, Map, centered, color_bar, plain_ticks, small_multiples


@book_style
def fig7_phase_diagrams(
    rows: Mapping[str, Mapping[str, Map]], marks: Sequence[tuple[int, int, float, float]] = ()
) -> Figure:
    """Figure 7: capacity of the varied feature, one row per model, one column per nonlinearity.

    ``rows`` maps the name of a model to maps by the name of a nonlinearity, the same in each row;
    ``marks`` are the row, column, importance and probability at which to write "pairs".
    """
    fig, axes = table_of_maps(rows, below=1.25)
    for line, maps in zip(axes, rows.values(), strict=True):
        for ax, picture in zip(line, maps.values(), strict=True):
            image = capacity_map(ax, picture)
    for r, c, x, y in marks:
        edge = [withStroke(linewidth=2.5, foreground=BLACK)]
        style = {"fontsize": 8.5, "color": "white", "weight": "bold", "path_effects": edge}
        centered(axes[r, c], x, y, "pairs", **style)
    bar_below(image, axes)
    return fig


@book_style
def slices(
    curves: Mapping[str, Mapping[str, Mapping[str, tuple[np.ndarray, np.ndarray]]]],
) -> Figure:
    """Capacity against importance: panels by sparsity and model, one line per nonlinearity."""
    models = list(next(iter(curves.values())))
    shape = len(curves), len(models)
    fig, axes = plt.subplots(*shape, figsize=(5.8, 4.4), sharex=True, sharey=True, squeeze=False)
    for line, (sparsity, panels) in zip(axes, curves.items(), strict=True):
        for ax, model in zip(line, models, strict=True):
            ax.axhspan(0.47, 0.53, color=LIGHT, lw=0)
            for name, (importance, capacity) in panels[model].items():
                ax.plot(importance, capacity, color=ACTIVATION_COLORS[name], label=name, lw=1.6)
            ax.set(xscale="log", ylim=(-0.03, 1.03))
            ax.set_yticks(*HALVES)
            plain_ticks(ax.xaxis, (0.01, 1, 100), minor=True)
        line[0].set_ylabel(f"{sparsity}\ncapacity, $C_1$")
    for ax, model in zip(axes[0], models, strict=True):
        ax.set_title(model)
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    fig.supxlabel(VARIED, size=10)
    return fig


@book_style
def block_maps(
    rows: Mapping[str, Mapping[str, Map]], kinds: Mapping[int, tuple[str, str]]
) -> Figure:
    """What block the varied feature belongs to; ``kinds`` maps a code to its name and color."""
    fig, axes = table_of_maps(rows, below=1.3)
    colors = ListedColormap([color for _, color in kinds.values()])
    norm = BoundaryNorm(np.arange(len(kinds) + 1) - 0.5, len(kinds))
    place = {code: i for i, code in enumerate(kinds)}
    for line, maps in zip(axes, rows.values(), strict=True):
        for ax, (importance, p, codes) in zip(line, maps.values(), strict=True):
            map_cells(ax, (importance, p, np.vectorize(place.get)(codes)), cmap=colors, norm=norm)
    legend_of_squares(fig, kinds.values(), ms=9)
    return fig


@book_style
def largest_shared_importance(
    p: np.ndarray,
    measured: Mapping[str, np.ndarray],
    by_blocks: Mapping[str, np.ndarray],
    top: float,
) -> Figure:
    """Largest importance at which the varied feature still shares, against p; NaN where none.

    Dots are measured, lines come from blocks.  A dot at ``top``, the end of what was tried, is
    drawn as an arrow: it is a lower bound.
    """
    fig, ax = plt.subplots(figsize=(5.6, 3.5))
    for name, values in measured.items():
        color, beyond = ACTIVATION_COLORS[name], values >= top
        ax.plot(p[~beyond], values[~beyond], "o", color=color, ms=5, mec="white", mew=0.6)
        ax.plot(p[beyond], values[beyond], "^", color=color, ms=9)
        line = by_blocks.get(name, np.full(len(p), np.nan))
        ax.plot(p, np.where(np.isfinite(line), line, np.nan), color=color, lw=1.4, label=name)
    ax.set(xscale="log", yscale="log", xlabel=f"{CHANCE}  (sparse at left)")
    ax.set(ylabel="largest $V$ in superposition", ylim=(0.7, 2 * top))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter("{x:g}")
    ax.minorticks_off()
    ax.legend()
    return fig


@book_style
def cosines(embeddings: Mapping[str, np.ndarray]) -> Figure:
    """Cosines between all features of some embeddings, feature 1 first; blank for ignored ones."""
    fig, axes = small_multiples(len(embeddings), 3, 5.8, 2.0, 0.5, sharex=True, sharey=True)
    for ax, (name, W) in zip(axes.flat, embeddings.items(), strict=False):
        length = np.linalg.norm(W, axis=0)
        kept = length > 0.1 * length.max()
        unit = W / np.where(kept, length, np.nan)
        image = ax.imshow(unit.T @ unit, cmap=DIFFERENCE_MAP, vmin=-1, vmax=1)
        ax.set_title(name, fontsize=9.5, weight="normal")
        ticks = np.arange(W.shape[1])
        ax.set_xticks(ticks, ticks + 1)
        ax.set_yticks(ticks, ticks + 1)
        ax.tick_params(length=0, labelsize=8)
    color_bar(image, axes, "cosine", shrink=0.7, aspect=24)
    return fig
