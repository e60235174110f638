"""Figures of the page on our choices: limits, restarts, training."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .._style import BLUE, LIGHT, MUTED, ORANGE, book_style
from .map_tables import bar_below, capacity_map
from .maps import CHANCE, VARIED
from .nonlinearities import Curves, curves_by_model, key_of_curves
from .panels import HALVES, Map, plain_ticks


@book_style
def shares_by_limit(panels: Mapping[str, tuple[str, np.ndarray, Curves, float]]) -> Figure:
    """How shares of cells move with the limit that defines them, one panel for each limit.

    ``panels`` maps what is counted to the name of the limit, its values, a share for each of them
    by model and nonlinearity, and the limit that the book uses.
    """
    fig, axes = plt.subplots(1, len(panels), figsize=(6.4, 3.1), sharey=True, squeeze=False)
    for ax, (title, (name, x, curves, usual)) in zip(axes[0], panels.items(), strict=True):
        ax.axvline(usual, color=MUTED, ls=":", lw=1.2, zorder=0)
        curves_by_model(ax, x, curves)
        ax.set(xlabel=name, ylim=(-0.03, 1.03), xlim=(0, 1.03 * np.max(x)))
        ax.set_title(title, fontsize=9)
        ax.xaxis.set_major_formatter("{x:g}")
    axes[0, 0].yaxis.set_major_formatter("{x:.0%}")
    axes[0, 0].set_ylabel("share of cells")
    key_of_curves(fig, [key for _, _, curves, _ in panels.values() for key in curves])
    return fig


def _rows_of_models(ax: Axes, models: Sequence[str]) -> np.ndarray:
    """A row for each model, the first on top; and a color for each of them."""
    ax.set_yticks(range(len(models)), models, fontsize=8)
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(models) - 0.5, -0.5)
    return plt.get_cmap("viridis")(np.linspace(0, 0.7, len(models)))


@book_style
def restarts(
    counts: Sequence[int],
    best: Mapping[str, Sequence[float]],
    spread: Mapping[str, tuple[float, float]],
    n_starts: int,
) -> Figure:
    """Left: excess loss of the best of m starts (mean over cells). Right: capacity of best, mean.

    ``best`` holds excesses by model for every count; ``spread`` the mean distance to the capacity
    at the best known loss, of the best of ``n_starts`` and of the average over them.
    """
    fig, axes = plt.subplots(1, 2, figsize=(5.8, 3.4))
    models = list(best)
    shades = _rows_of_models(axes[1], models)
    for color, name in zip(shades, models, strict=True):
        axes[0].plot(counts, np.maximum(best[name], 1e-6), "o-", color=color, ms=4, lw=1.3)
    axes[0].set(xscale="log", yscale="log", xlabel="number of starts", ylabel="mean excess loss")
    axes[0].set_xticks(counts, counts)
    axes[0].minorticks_off()
    marks = (BLUE, "o", f"best of {n_starts}"), (ORANGE, "s", f"mean of {n_starts}")
    for s, (color, marker, word) in enumerate(marks):
        found = [spread[model][s] for model in models]
        axes[1].plot(found, range(len(models)), marker, color=color, ms=5, label=word)
    axes[1].set_xlabel("error of $C_1$")
    axes[1].tick_params(axis="x", length=0)
    for tick, color in zip(axes[1].get_yticklabels(), shades, strict=True):
        tick.set_color(color)
    fig.legend(loc="outside upper right", ncols=2, fontsize=8.5)
    return fig


@book_style
def trained_rows(
    importance: np.ndarray,
    rows: Mapping[tuple[str, str], tuple[np.ndarray, np.ndarray, np.ndarray]],
) -> Figure:
    """One row of each panel: minimized (line), the best trained (dots), all starts (pale).

    ``rows`` maps model and nonlinearity to capacities minimized, of the best of the trained, and of
    all of them, shape (n_importance, n_starts).
    """
    models, names = (list(dict.fromkeys(column)) for column in zip(*rows, strict=True))
    shape = len(models), len(names)
    size = (0.9 + 1.8 * shape[1], 0.9 + 1.35 * shape[0])
    fig, axes = plt.subplots(*shape, figsize=size, sharex=True, sharey=True, squeeze=False)
    for (model, name), (minimized, best, each) in rows.items():
        ax = axes[models.index(model), names.index(name)]
        ax.plot(importance, each, ".", color=LIGHT, ms=4, zorder=0)
        ax.plot(importance, minimized, color=BLUE, lw=1.6, label="minimized")
        ax.plot(importance, best, "o", color=ORANGE, ms=3.5, label="best of the trained")
        ax.set(xscale="log", ylim=(-0.05, 1.05))
        ax.set_yticks(*HALVES)
        plain_ticks(ax.xaxis, (0.01, 1, 100), minor=True)
    for ax, name in zip(axes[0], names, strict=True):
        ax.set_title(name)
    for ax, model in zip(axes[:, 0], models, strict=True):
        ax.set_ylabel(model.replace(", ", "\n"))
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    fig.supxlabel(VARIED, size=10)
    return fig


@book_style
def panel_beside(panels: Mapping[str, Map]) -> Figure:
    """Whole panels side by side, by what was done to get them."""
    fig, axes = plt.subplots(1, len(panels), figsize=(6.2, 3.6), sharey=True, squeeze=False)
    for ax, (title, picture) in zip(axes[0], panels.items(), strict=True):
        image = capacity_map(ax, picture)
        ax.set_title(title)
    axes[0, 0].set_ylabel(CHANCE)
    plt.setp(axes[0], xlabel=VARIED)
    bar_below(image, axes)
    return fig
