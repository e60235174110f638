"""Figures of the page on reading features: what is found, its limits, measures side by side."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from .._style import BLACK, FEATURE_COLORS, LIGHT, MUTED, book_style, panel_letters
from .panels import HALVES, POINTER

_MARKS = ("o", "s", "^", "D")


@book_style
def found_by_capacity(
    capacity: np.ndarray,
    cosine: Mapping[str, np.ndarray],
    f1: Mapping[str, np.ndarray],
    near: float,
) -> Figure:
    """Greatest cosine and F1 score of each feature against its capacity, a color a reader.

    Parameters
    ----------
    capacity : array (n_features,)
    cosine, f1 : mapping of str to array (n_features,)
        By reader; one that has an F1 score alone is the oracle, drawn in black.
    near : float
        Cosine from which a feature counts as found.
    """
    fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.4), layout="constrained")
    panel_letters(axes)
    looks = dict(zip(cosine, zip(FEATURE_COLORS, _MARKS, strict=False), strict=False))
    for name, values in f1.items():
        color, mark = looks.get(name, (BLACK, "_"))
        style = {"color": color, "ms": 4.5 if name in looks else 7, "alpha": 0.8}
        if name in cosine:
            axes[0].plot(capacity, cosine[name], mark, **style)
        axes[1].plot(capacity, values, mark, label=name, **style)
    axes[0].axhline(near, color=MUTED, lw=1, ls="--")
    # From below, where no dots are: features of high capacity lie above the line.
    note = {"ha": "center", "va": "top", "color": MUTED, "arrowprops": POINTER}
    axes[0].annotate("found above this line", xy=(0.82, near), xytext=(0.68, 0.4), **note)
    axes[0].set(ylabel="greatest cosine with a latent", ylim=(0.0, 1.03))
    axes[1].set(ylabel="F1 score of being active", ylim=(0.0, 1.03))
    for ax in axes:
        ax.set(xlabel="capacity of the feature", xlim=(-0.02, 1.04))
        ax.set_xticks(*HALVES)
        ax.set_yticks(*HALVES)
    fig.legend(loc="outside upper center", ncols=len(f1))
    return fig


@book_style
def recovery_rates(
    n_active: Sequence[int], rate: Mapping[str, Sequence[float]], usual: float
) -> Figure:
    """How often basis pursuit finds the values, by how many features are active.

    Parameters
    ----------
    n_active : sequence of int
    rate : mapping of str to sequence of float
        By matrix.
    usual : float
        Features that are active at a time on average.
    """
    fig, ax = plt.subplots(figsize=(5.4, 3.2), layout="constrained")
    styles = ("-", "--", ":")
    for (name, values), color, style in zip(rate.items(), FEATURE_COLORS, styles, strict=False):
        ax.plot(n_active, values, "o", ls=style, color=color, ms=4, label=name)
    ax.axvline(usual, color=MUTED, lw=1)
    ax.text(usual + 0.12, 0.0, "on average", color=MUTED, va="bottom")
    ax.set(xlabel="features active at a time", ylabel="found exactly", ylim=(-0.03, 1.03))
    ax.set_yticks(*HALVES)
    fig.legend(loc="outside upper center", ncols=len(rate))
    return fig


@book_style
def by_sparsity_and_size(
    by_active: tuple[Sequence[int], np.ndarray], by_latents: tuple[Sequence[int], np.ndarray]
) -> Figure:
    """Part of features found, mean F1 score and unexplained variance, by two settings.

    Parameters
    ----------
    by_active, by_latents : pair of sequence of int and array (3, n)
        What was varied, and the three numbers for each.
    """
    fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.1), sharey=True, layout="constrained")
    panel_letters(axes)
    names = ("features found", "mean F1 score", "variance unexplained")
    for ax, (at, numbers) in zip(axes, (by_active, by_latents), strict=True):
        for values, name, color, mark in zip(numbers, names, FEATURE_COLORS, _MARKS, strict=False):
            ax.plot(at, values, marker=mark, color=color, ms=4.5, label=name)
        ax.set_ylim(-0.03, 1.03)
        ax.set_yticks(*HALVES)
    axes[0].set_xlabel("latents active at a time (top-k)")
    axes[1].set_xlabel("latents in all")
    axes[1].set_xscale("log", base=2)
    axes[1].set_xticks(by_latents[0], [str(n) for n in by_latents[0]])
    axes[1].minorticks_off()
    handles = axes[0].get_legend_handles_labels()
    fig.legend(*handles, loc="outside upper center", ncols=3)
    return fig


@book_style
def by_sparsity(
    probability: np.ndarray,
    numbers: np.ndarray,
    crowded: float,
    often: np.ndarray,
    f1: Mapping[str, np.ndarray],
) -> Figure:
    """What is found by how often features are active: network by network, feature by feature.

    Parameters
    ----------
    probability : array (n,)
        Of a feature to be active, a network each.
    numbers : array (3, n)
        Features found, F1 score of the dictionary, F1 score of the oracle.
    crowded : float
        Probability at which as many features are active as there are dimensions.
    often : array (n_features,)
        Probability of each feature of one network.
    f1 : mapping of str to array (2 * n_features,)
        By reader, dictionary and oracle, for either sign of each feature.
    """
    fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.3), layout="constrained")
    panel_letters(axes)
    colors = (FEATURE_COLORS[0], FEATURE_COLORS[1], BLACK)
    names = ("found (top-k)", "F1 score (top-k)", "F1 score (oracle)")
    for values, name, color, mark in zip(numbers, names, colors, _MARKS, strict=False):
        axes[0].plot(probability, values, marker=mark, color=color, ms=4.5, label=name)
    axes[0].axvline(crowded, color=MUTED, lw=1, ls="--")
    for values, color, mark in zip(f1.values(), colors[1:], _MARKS[1:], strict=False):
        axes[1].plot(np.tile(often, 2), values, mark, color=color, ms=4, alpha=0.8)
    axes[0].set_xlabel("how often each feature is active")
    axes[1].set_xlabel("how often this feature is active")
    for ax in axes:
        ax.set_xscale("log")
        ax.set_xticks([0.01, 0.1], ["0.01", "0.1"])
        ax.set_ylim(-0.03, 1.03)
        ax.set_yticks(*HALVES)
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return fig


@book_style
def measures_side_by_side(
    dimensions: Mapping[str, np.ndarray], features: Mapping[str, np.ndarray], rows: Sequence[str]
) -> Figure:
    """Two questions to each matrix: how many dimensions are in use, and how many features.

    Parameters
    ----------
    dimensions, features : mapping of str to array (n_rows,)
        By measure: over the number of dimensions, and over the number of features.
    rows : sequence of str
    """
    size = (7.2, 0.34 * len(rows) + 1.3)
    fig, axes = plt.subplots(1, 2, figsize=size, sharey=True, layout="constrained")
    panel_letters(axes)
    marks = ("o", "s", "^", "D", "v", "P")
    place = np.arange(len(rows))
    palettes = FEATURE_COLORS[:4], (BLACK, *FEATURE_COLORS[4:])
    for ax, values, colors in zip(axes, (dimensions, features), palettes, strict=True):
        right = max(1.15, 1.05 * max(np.max(column) for column in values.values()))
        ax.hlines(place, 0, right, color=LIGHT, lw=0.8, zorder=0)
        ax.axvline(1, color=MUTED, lw=1, zorder=0)
        offset = np.linspace(-0.3, 0.3, len(values))
        looks = zip(values.items(), colors, marks, offset, strict=False)
        for (name, column), color, mark, down in looks:
            ax.plot(column, place + down, mark, color=color, ms=4.5, label=name)
        ax.set(xlim=(0, right), ylim=(len(rows) - 0.5, -0.6))
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.045), ncols=2, fontsize="small")
    axes[0].set_yticks(place, rows)
    axes[0].set_xlabel("over the number of dimensions")
    axes[1].set_xlabel("over the number of features")
    return fig
