"""Figures of Appendices A and B: partitions, moments, and what a model believes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Arc, Patch
from matplotlib.ticker import MaxNLocator, PercentFormatter

from .._style import (
    BLACK,
    HALLUCINATED_COLOR,
    MUTED,
    TRUE_COLOR,
    book_style,
    pair_matrix,
    panel_letter,
)

PATTERN_COLORS = {
    "4": "#1b3a5c",
    "ii|jj": "#2b6ca3",
    "ij|ij": "#d9822b",
    "ij|ji": "#f0b978",
    "none": "#eceff3",
}
"""One color for each way in which a fourth moment survives."""


@book_style
def partitions(rows: Sequence[tuple[str, str, list[tuple[tuple[int, ...], int, str]]]]) -> Figure:
    """Arc diagrams of all partitions of four positions, a row for each type.

    Parameters
    ----------
    rows : (type, moment, glyphs)
        A glyph is the block of each of the four positions, the number of quadruples of this kind,
        and what they add up to, as text; glyphs that add up to "0" are drawn in gray.
    """
    widest = max(len(glyphs) for _, _, glyphs in rows)
    fig, ax = plt.subplots(figsize=(7.2, 0.98 * len(rows) + 0.2))
    for row, (kind, moment, glyphs) in enumerate(rows):
        y = -1.6 * row
        survives = any(total != "0" for _, _, total in glyphs)
        weight = {"weight": "bold"} if survives else {"color": MUTED}
        ax.text(-2.0, y + 0.16, kind, ha="left", va="center", fontsize=11, **weight)
        ax.text(-2.0, y - 0.3, moment, ha="left", va="center", fontsize=9, color=MUTED)
        for column, (blocks, count, total) in enumerate(glyphs):
            x = 1.75 * column
            _glyph(ax, x, y, blocks, gray=total == "0")
            ax.text(
                x + 0.54, y - 0.42, f"{count} terms: {total}", ha="center", va="top", fontsize=8
            )
    ax.set_xlim(-2.1, 1.75 * widest - 0.3)
    ax.set_ylim(-1.6 * (len(rows) - 1) - 0.8, 0.8)
    ax.set_aspect("equal")
    ax.axis("off")
    return fig


def _glyph(ax, x: float, y: float, blocks: tuple[int, ...], gray: bool) -> None:
    strong = {
        (0, 0, 0, 0): "4",
        (0, 0, 2, 2): "ii|jj",
        (0, 1, 0, 1): "ij|ij",
        (0, 1, 1, 0): "ij|ji",
    }
    color = "#b6bdc7" if gray else PATTERN_COLORS[strong[blocks]]
    for place, block in enumerate(blocks):
        later = [p for p in range(place + 1, 4) if blocks[p] == block]
        if later:
            width = 0.36 * (later[0] - place)
            center = x + 0.36 * place + width / 2
            ax.add_patch(
                Arc((center, y), width, 1.15 * width, theta1=0, theta2=180, color=color, lw=1.8)
            )
        ax.plot(x + 0.36 * place, y, "o", color=color, ms=6.5)
        ax.text(
            x + 0.36 * place,
            y - 0.16,
            "ijkl"[place],
            ha="center",
            va="top",
            fontsize=7.5,
            color=MUTED,
            style="italic",
        )


@book_style
def moment_matrix(pattern: np.ndarray, n_features: int, kurtosis: str) -> Figure:
    """Which fourth moments survive: rows are pairs (i, j), columns pairs (k, l).

    Parameters
    ----------
    pattern : integer array (n_features**2, n_features**2)
        Position of each entry in ``PATTERN_COLORS``.
    """
    fig, ax = plt.subplots(figsize=(6.6, 4.7))
    colors = ListedColormap(list(PATTERN_COLORS.values()))
    ax.imshow(pattern, cmap=colors, vmin=-0.5, vmax=len(PATTERN_COLORS) - 0.5)
    size = n_features**2
    for edge in range(1, size):
        line = {"color": "white", "lw": 2.4 if edge % n_features == 0 else 0.7}
        ax.axhline(edge - 0.5, **line)
        ax.axvline(edge - 0.5, **line)
    names = [f"{i}{j}" for i in range(1, n_features + 1) for j in range(1, n_features + 1)]
    ax.set_xticks(range(size), names, fontsize=7)
    ax.set_yticks(range(size), names, fontsize=7)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_xlabel("second factor, indices $kl$")
    ax.set_ylabel("first factor, indices $ij$")
    says = [
        rf"all four equal: $\mathbb{{E}}[x^4]$ = {kurtosis}",
        "$i=j$, $k=l$: 1",
        "$i=k$, $j=l$: 1",
        "$i=l$, $j=k$: 1",
        "an index alone: 0",
    ]
    handles = [Patch(color=c, label=s) for c, s in zip(PATTERN_COLORS.values(), says, strict=True)]
    ax.legend(handles=handles, loc="center left", bbox_to_anchor=(1.02, 0.5), title="moment")
    return fig


@book_style
def bias_parabolas(
    bias: np.ndarray,
    curves: Mapping[str, np.ndarray],
    spots: np.ndarray,
    exact: Mapping[str, np.ndarray],
    best: float,
) -> Figure:
    """Expected loss over the bias, formula and sums over all outcomes, by kurtosis."""
    fig, ax = plt.subplots(figsize=(5.8, 3.5))
    shades = sns.color_palette("flare", n_colors=len(curves))
    for (name, curve), color in zip(curves.items(), shades, strict=True):
        ax.plot(bias, curve, color=color, zorder=2)
        ax.plot(spots, exact[name], "o", color=color, ms=4.5, mec="white", mew=0.6, zorder=3)
        ax.annotate(
            name,
            (bias[-1], curve[-1]),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            color=color,
            annotation_clip=False,
        )
    ax.axvline(best, color=BLACK, lw=1, ls="--", zorder=1)
    ax.annotate(
        r"$b=-\sum_i A_{ii}$",
        (best, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(0, 3),
        textcoords="offset points",
        ha="center",
        va="bottom",
    )
    ax.set_ylim(0)
    ax.set_xlim(bias[0], bias[-1])
    ax.set_xlabel("bias $b$")
    ax.set_ylabel("expected loss")
    return fig


@book_style
def correlation_panels(matrices: Sequence[np.ndarray], heads: Sequence[str]) -> Figure:
    """Correlations of an output with the squares (diagonal) and products (off it), in panels."""
    fig, axes = plt.subplots(2, 3, figsize=(7.0, 4.9), sharex=True, sharey=True)
    for ax, matrix, head in zip(axes.flat, matrices, heads, strict=True):
        image = pair_matrix(ax, matrix, 0.7)
        ax.set_title(head)
    for ax in axes[-1]:
        ax.set_xlabel("feature $j$")
    for ax in axes[:, 0]:
        ax.set_ylabel("feature $i$")
    bar = fig.colorbar(image, ax=axes, shrink=0.7, pad=0.02, aspect=22, extend="both")
    bar.outline.set_visible(False)
    bar.set_label(r"correlation of the output with $x_i x_j$")
    return fig


@book_style
def sampled_covariances(
    closed: Mapping[str, np.ndarray],
    sampled: Mapping[str, np.ndarray],
    error: Mapping[str, np.ndarray],
) -> Figure:
    """Sampled covariances against the closed form, with four standard errors, in two panels."""
    fig, axes = plt.subplots(1, len(closed), figsize=(7.2, 3.1))
    for ax, name, color, letter in zip(
        axes, closed, (TRUE_COLOR, HALLUCINATED_COLOR), "ab", strict=True
    ):
        span = [min(closed[name].min(), 0), max(closed[name].max(), 0)]
        margin = 0.08 * (span[1] - span[0])
        span = [span[0] - margin, span[1] + margin]
        ax.plot(span, span, color=BLACK, lw=1, zorder=1)
        ax.errorbar(
            closed[name],
            sampled[name],
            yerr=4 * error[name],
            fmt="o",
            color=color,
            ms=4,
            mec="white",
            mew=0.5,
            elinewidth=1,
            zorder=2,
        )
        ax.set_title(name)
        ax.set_xlabel("closed form")
        panel_letter(ax, letter)
    axes[0].set_ylabel("sampled covariance")
    return fig


@book_style
def more_but_fainter(kurtosis: np.ndarray, covariance: np.ndarray, share: np.ndarray) -> Figure:
    """Hallucinated covariance, and the share of the output's variance that it makes up."""
    fig, axes = plt.subplots(1, 2, figsize=(7.2, 2.9))
    axes[0].plot(kurtosis, covariance, color=HALLUCINATED_COLOR)
    axes[0].set_ylabel("hallucinated covariance\n(root mean square)")
    axes[0].set_ylim(0)
    axes[1].fill_between(kurtosis, 0, share, color=HALLUCINATED_COLOR, alpha=0.35, lw=0)
    axes[1].plot(kurtosis, share, color=HALLUCINATED_COLOR)
    axes[1].set_ylabel("hallucinated share of\nthe output's variance")
    axes[1].yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes[1].yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    axes[1].set_ylim(0)
    for ax, letter in zip(axes, "ab", strict=True):
        ax.set_xscale("log")
        ax.set_xticks([1, 3, 10, 30, 100], ["1", "3", "10", "30", "100"])
        ax.xaxis.set_minor_locator(plt.NullLocator())
        ax.set_xlim(1, kurtosis[-1])
        ax.set_xlabel("kurtosis $k$")
        ax.axvline(3, color=MUTED, lw=0.8, ls=":")
        panel_letter(ax, letter)
    return fig
