"""Figures of the page on dependent features: the diagram of k and h, Gaussians, exclusion."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from .._style import (
    BLACK,
    BLUE,
    CAPACITY_MAP,
    FEATURE_COLORS,
    LIGHT,
    MUTED,
    ORANGE,
    book_style,
    panel_letters,
)
from .panels import HALVES, color_bar, outer_labels


@book_style
def sharing_maps(
    coactivation: np.ndarray, kurtosis: np.ndarray, maps: Sequence[np.ndarray], heads: Sequence[str]
) -> Figure:
    """How many features share by co-activation and kurtosis; masked where no inputs are."""
    fig, axes = plt.subplots(1, len(maps), figsize=(7.2, 3.3), sharey=True, layout="constrained")
    panel_letters(axes)
    top = int(max(values.max() for values in maps))
    colors = ListedColormap([LIGHT, *CAPACITY_MAP(np.linspace(0.85, 0.3, max(top, 1)))])
    for ax, values, head in zip(axes, maps, heads, strict=True):
        image = ax.pcolormesh(
            coactivation, kurtosis, values, cmap=colors, vmin=-0.5, vmax=max(top, 1) + 0.5
        )
        ax.plot(coactivation, 3 * coactivation, color=ORANGE, lw=2)
        ax.axhline(3, color=BLACK, lw=0.8, ls=":")
        ax.axvline(1, color=BLACK, lw=0.8, ls=":")
        ax.set(xlabel="co-activation $h$", title=head)
        ax.set(xlim=coactivation[[0, -1]], ylim=kurtosis[[0, -1]])
    at = coactivation[len(coactivation) // 2]
    axes[0].annotate(
        "$k = 3h$", (at, 3 * at), xytext=(8, -14), textcoords="offset points", color=BLACK
    )
    axes[0].set_ylabel("kurtosis $k$")
    bar = color_bar(image, axes, "features that share")
    bar.set_ticks(range(max(top, 1) + 1))
    return fig


@book_style
def capacity_by_correlation(
    correlation: np.ndarray, capacity: np.ndarray, minimized: tuple[np.ndarray, np.ndarray]
) -> Figure:
    """Capacities of Gaussian features by their correlation: closed form, and minimized dots."""
    fig, ax = plt.subplots(figsize=(5.0, 3.2), layout="constrained")
    at, found = minimized
    for i, color in zip(range(capacity.shape[1]), FEATURE_COLORS, strict=False):
        ax.plot(correlation, capacity[:, i], color=color, label=f"feature {i + 1}")
        ax.plot(at, found[:, i], "o", color=color, ms=5, mec="white", mew=0.6, clip_on=False)
    ax.set(xlabel="correlation of features 1 and 2, and of 3 and 4", ylabel="capacity")
    ax.set(xlim=correlation[[0, -1]], ylim=(-0.03, 1.03))
    ax.set_yticks(*HALVES)
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return fig


@book_style
def two_capacities(by_angle: np.ndarray, by_meeting: np.ndarray, heads: Sequence[str]) -> Figure:
    """Capacity of equation (3) and the weighted one of each feature, in panels."""
    shape = (1, len(heads))
    fig, axes = plt.subplots(*shape, figsize=(7.2, 2.7), sharey=True, squeeze=False)
    fig.set_layout_engine("constrained")
    panel_letters(axes[0])
    for ax, one, other, head in zip(axes[0], by_angle, by_meeting, heads, strict=True):
        place = np.arange(1, len(one) + 1)
        ax.bar(place - 0.2, one, 0.38, color=MUTED, label="equation (3)")
        ax.bar(place + 0.2, other, 0.38, color=BLUE, label="weighted by co-activation")
        ax.set(title=head, ylim=(0, 1.03))
        ax.set_xticks(place)
        ax.set_yticks(*HALVES)
    outer_labels(axes, "feature", "capacity")
    handles = axes[0, 0].get_legend_handles_labels()
    fig.legend(*handles, loc="outside upper center", ncols=2)
    return fig


@book_style
def group_capacities(given: np.ndarray, capacities: Sequence[np.ndarray], border: float) -> Figure:
    """Capacity of each feature by its probability given its group: theorem, autoencoder."""
    fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.0), sharey=True, layout="constrained")
    panel_letters(axes)
    heads = ("theorem", "ReLU autoencoder, minimized")
    for ax, values, head in zip(axes, capacities, heads, strict=True):
        n = values.shape[1]
        # Features of one capacity lie side by side, so that one can count them.
        aside = np.linspace(-0.012, 0.012, n)
        for i, color in zip(range(n), FEATURE_COLORS, strict=False):
            ax.plot(given + aside[i], values[:, i], "o", color=color, ms=4, clip_on=False)
        ax.axvline(border, color=BLACK, lw=0.8, ls=":")
        ax.set(title=head, xlim=(0, 1.03), ylim=(-0.03, 1.03))
        ax.set_yticks(*HALVES)
    outer_labels(axes[None, :], "probability given the group", "capacity")
    return fig
