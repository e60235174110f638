"""Figures of Appendix B: what a model believes about correlations, term by term."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np

from .._style import BLACK, HALLUCINATED_COLOR, MUTED, TRUE_COLOR, book_style, pair_matrix
from .panels import Triples, color_bar, lettered, outer_labels, plain_ticks, titled


@book_style
def correlation_panels(matrices: Sequence[np.ndarray], heads: Sequence[str]) -> plt.Figure:
    """Correlations of an output with the squares (diagonal) and products (off it), in panels."""
    fig, axes = plt.subplots(2, 3, figsize=(7.0, 4.9), sharex=True, sharey=True)
    for ax, matrix, head in zip(axes.flat, matrices, heads, strict=True):
        image = pair_matrix(ax, matrix, 0.7)
        ax.set_title(head)
    outer_labels(axes, "feature $j$", "feature $i$")
    label = r"correlation of the output with $x_i x_j$"
    color_bar(image, axes, label, shrink=0.7, pad=0.02, aspect=22, extend="both")
    return fig


@book_style
def sampled_covariances(panels: Triples[str]) -> plt.Figure:
    """Sampled covariances against the closed form, with four standard errors, in two panels.

    ``panels`` holds closed forms, sampled covariances and their standard errors by head.
    """
    fig, axes = lettered(1, len(panels), figsize=(7.2, 3.1))
    looks = zip(titled(axes, panels), (TRUE_COLOR, HALLUCINATED_COLOR), strict=True)
    for (ax, (closed, sampled, error)), color in looks:
        span = [min(closed.min(), 0), max(closed.max(), 0)]
        margin = 0.08 * (span[1] - span[0])
        span = [span[0] - margin, span[1] + margin]
        ax.plot(span, span, color=BLACK, lw=1, zorder=1)
        style = {"fmt": "o", "color": color, "ms": 4, "mec": "white", "mew": 0.5, "elinewidth": 1}
        ax.errorbar(closed, sampled, yerr=4 * error, zorder=2, **style)
        ax.set_xlabel("closed form")
    axes[0].set_ylabel("sampled covariance")
    return fig


@book_style
def more_but_fainter(kurtosis: np.ndarray, covariance: np.ndarray, share: np.ndarray) -> plt.Figure:
    """Hallucinated covariance, and the share of the output's variance that it makes up."""
    fig, axes = lettered(1, 2, figsize=(7.2, 2.9))
    axes[0].plot(kurtosis, covariance, color=HALLUCINATED_COLOR)
    axes[0].set(ylim=(0, None), ylabel="hallucinated covariance\n(root mean square)")
    axes[1].fill_between(kurtosis, 0, share, color=HALLUCINATED_COLOR, alpha=0.35, lw=0)
    axes[1].plot(kurtosis, share, color=HALLUCINATED_COLOR)
    axes[1].set(ylim=(0, None), ylabel="hallucinated share of\nthe output's variance")
    axes[1].yaxis.set_major_formatter("{x:.0%}")
    axes[1].yaxis.set_major_locator(plt.MaxNLocator(4, steps=[1, 2, 5, 10]))
    for ax in axes:
        ax.set_xscale("log")
        plain_ticks(ax.xaxis, (1, 3, 10, 30, 100))
        ax.set(xlim=(1, kurtosis[-1]), xlabel="kurtosis $k$")
        ax.axvline(3, color=MUTED, lw=0.8, ls=":")
    return fig
