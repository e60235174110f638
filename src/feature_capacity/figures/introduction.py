"""Figures of the introduction: two kinds of polysemanticity, and equal marginal loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, Patch

from .._style import BLACK, FEATURE_COLORS, PHASE_COLORS, PHASE_MAP, book_style, cell_edges
from ..theory.allocation import MONOSEMANTIC, PHASES, POLYSEMANTIC

"""The phases in the order of a legend."""


@book_style
def fig1_two_kinds(
    heads: Sequence[str], matrices: Sequence[np.ndarray], capacity: Sequence[np.ndarray]
) -> Figure:
    """Figure 1: two embeddings that are both polysemantic, and what each neuron receives.

    Parameters
    ----------
    heads
        One head per column.
    matrices
        One embedding per column, shape (2, 2), rows are neurons.
    capacity
        Capacities of each embedding, shape (2,).
    """
    fig, axes = plt.subplots(
        2, len(heads), figsize=(6.6, 6.2), height_ratios=[2.3, 1], sharey="row", squeeze=False
    )
    for column, (head, W, c) in enumerate(zip(heads, matrices, capacity, strict=True)):
        top, bottom = axes[:, column]
        top.set_title(head, fontsize=12)
        draw_arrows(top, W, letters="AB", size=13)
        shares = "    ".join(f"$C_{letter}$ = {x:.2f}" for letter, x in zip("AB", c, strict=True))
        top.text(
            0.33, -0.3, shares, ha="center", va="center", fontsize=12,
            bbox={"fc": "white", "ec": "none", "pad": 3},
        )  # fmt: skip
        top.set(xlim=(-0.5, 1.16), ylim=(-0.46, 1.16), xlabel="neuron 1")
        _received(bottom, W)
        if column == 0:
            top.set_ylabel("neuron 2")
            bottom.set_ylabel("input $W_{ai}$")
    axes[1, -1].legend(
        handles=[Patch(color=FEATURE_COLORS[i], label=f"from feature {'AB'[i]}") for i in (0, 1)],
        loc="upper right",
        bbox_to_anchor=(1.02, 1.22),
        fontsize=10,
        ncols=2,
        columnspacing=1.0,
        handlelength=1.0,
    )
    return fig


def draw_arrows(
    ax: Any, W: np.ndarray, letters: str = "", size: float = 11, guide: bool = True
) -> None:
    """Embedding vectors of a (2, n_features) matrix as arrows on a bare cross of neuron axes."""
    ax.set_aspect("equal")
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    ax.axhline(0, color="#c3c9d1", lw=1, zorder=0)
    ax.axvline(0, color="#c3c9d1", lw=1, zorder=0)
    if guide:
        ax.add_patch(Circle((0, 0), 1, fill=False, ls=(0, (2, 3)), color="#c3c9d1", lw=1))
    for i, (x, y) in enumerate(W.T):
        color = FEATURE_COLORS[i % len(FEATURE_COLORS)]
        length = np.hypot(x, y)
        if length == 0:
            ax.plot(0, 0, "o", color=color, ms=7, zorder=4)
        else:
            tip = FancyArrowPatch(
                (0, 0), (x, y), arrowstyle="-|>", mutation_scale=15, lw=2.4, color=color,
                shrinkA=0, shrinkB=0, zorder=3,
            )  # fmt: skip
            ax.add_patch(tip)
        if letters:
            reach = 1 + 0.11 / length if length else 0
            ax.text(
                x * reach, y * reach, letters[i], color=color, weight="bold", fontsize=size,
                ha="center", va="center",
            )  # fmt: skip


def _received(ax: Any, W: np.ndarray) -> None:
    ax.axhline(0, color=BLACK, lw=0.8)
    for i in range(W.shape[1]):
        x = np.arange(W.shape[0]) + 0.34 * (i - 0.5)
        ax.bar(x, W[:, i], width=0.32, color=FEATURE_COLORS[i])
        for a, value in zip(x, W[:, i], strict=True):
            up = value >= 0
            ax.annotate(
                f"{value:.2f}".replace("-", "\N{MINUS SIGN}"), (a, value), (0, 2 if up else -2),
                ha="center", va="bottom" if up else "top", textcoords="offset points", fontsize=10,
            )  # fmt: skip
    ax.set_xticks(range(W.shape[0]), [f"neuron {a + 1}" for a in range(W.shape[0])], fontsize=10)
    ax.set(ylim=(-1.15, 1.45), yticks=[-1, 0, 1])
    ax.spines["bottom"].set_visible(False)
    ax.tick_params(axis="x", length=0)


@book_style
def turning_the_basis(
    degrees: np.ndarray, crosstalk: Sequence[np.ndarray], labels: Sequence[str]
) -> Figure:
    """Worst cross-talk of a neuron while the neuron basis turns; one line per embedding.

    Parameters
    ----------
    degrees : array (n_angles,)
    crosstalk
        One array (n_angles,) per embedding, from 0 (each neuron hears one feature) to 1.
    labels
        One per embedding.
    """
    fig, ax = plt.subplots(figsize=(6.6, 3.3))
    colors = (PHASE_COLORS[MONOSEMANTIC], PHASE_COLORS[POLYSEMANTIC])
    for values, label, color in zip(crosstalk, labels, colors, strict=True):
        lowest = int(np.argmin(values))
        ax.plot(degrees, values, color=color, lw=2.6, label=label)
        ax.plot(
            degrees[lowest], values[lowest], "o", ms=10, mfc="white", mec=color, mew=2.4,
            clip_on=False, zorder=5,
        )  # fmt: skip
    ax.set(
        xlabel="turn of the neuron basis (degrees)",
        ylabel="worst cross-talk of a neuron",
        xlim=(degrees[0], degrees[-1]),
        ylim=(0, 1.03),
        xticks=np.arange(0, 91, 15),
    )
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, fontsize=11)
    return fig


@book_style
def fig2_marginal_loss(
    grid: np.ndarray,
    benefit: np.ndarray,
    capacity: np.ndarray,
    benefit_at_optimum: np.ndarray,
    phase: np.ndarray,
    threshold: float,
) -> Figure:
    """Figure 2: marginal loss reduction of many features, circles at the optimum.

    Parameters
    ----------
    grid : array (n_points,)
        Capacities at which the curves are drawn.
    benefit : array (n_points, n_features)
        One curve per feature, the most important first.
    capacity, benefit_at_optimum, phase : arrays (n_features,)
        Where each circle goes, and its phase.
    threshold : float
        The common marginal benefit of the shared features.
    """
    fig, ax = plt.subplots(figsize=(6.6, 5.0))
    colors = sns.color_palette("crest_r", benefit.shape[1])
    for i, color in enumerate(colors):
        ax.plot(grid, benefit[:, i], color=color, lw=1.7, zorder=2)
    ax.axhline(threshold, color=BLACK, lw=1.3, ls=(0, (5, 3)), zorder=3, label="common threshold")
    # Curves far below the threshold, or far above, would flatten the rest of the picture.
    low = max(benefit[-1].min(), threshold / 300) / 1.5
    high = min(benefit[0].max(), threshold * 300) * 1.4
    visible = (benefit_at_optimum > low) & (benefit_at_optimum < high)
    for code in range(len(PHASES)):
        some = (phase == code) & visible
        ax.plot(
            capacity[some], benefit_at_optimum[some], "o", ms=9.5, mfc=PHASE_COLORS[code],
            mec="white", mew=1.3, clip_on=False, zorder=5,
            label=f"{PHASES[code]} ({int((phase == code).sum())})",
        )  # fmt: skip
    ax.set_yscale("log")
    ax.set(
        xlim=(-0.005, 1.005),
        ylim=(low, high),
        xlabel="capacity $C_i$ of the feature",
        ylabel=r"marginal loss reduction $-\partial L/\partial C_i$",
    )
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, fontsize=10.5)
    return fig


@book_style
def phases_by_importance(
    kurtosis: np.ndarray, importance: np.ndarray, phase: np.ndarray, multiplier: np.ndarray
) -> Figure:
    """Phase of every feature as the kurtosis grows, with the two ends of the shared range.

    Parameters
    ----------
    kurtosis : array (n_kurtosis,)
        Rising.
    importance : array (n_features,)
        Falling.
    phase : integer array (n_kurtosis, n_features)
    multiplier : array (n_kurtosis,)
        The lambda of equation (15): shared importances lie between 2 lambda / (k - 1) and lambda.
    """
    fig, ax = plt.subplots(figsize=(6.6, 4.2))
    ax.pcolormesh(
        cell_edges(kurtosis, log=True), cell_edges(importance, log=True), phase.T,
        cmap=PHASE_MAP, vmin=-0.5, vmax=2.5,
        rasterized=True,
    )  # fmt: skip
    beyond = kurtosis > 3
    for edge in (multiplier, 2 * multiplier / np.maximum(kurtosis - 1, 1)):
        ax.plot(kurtosis[beyond], edge[beyond], color="white", lw=2)
    ax.axvline(3, color="white", lw=1.6, ls=(0, (3, 3)))
    ax.annotate(
        "$k = 3$", (3, 0.03), (6, 0), xycoords=("data", "axes fraction"),
        textcoords="offset points", color=BLACK,
    )  # fmt: skip
    ax.set(
        xscale="log",
        yscale="log",
        xlim=(kurtosis[0], kurtosis[-1]),
        ylim=(importance.min(), importance.max()),
        xlabel="kurtosis $k$ (sparser inputs to the right)",
        ylabel="importance $v_i$ of the feature",
    )
    ax.legend(
        handles=[Patch(color=PHASE_COLORS[code], label=PHASES[code]) for code in (2, 1, 0)],
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=3,
        fontsize=10.5,
    )
    return fig
