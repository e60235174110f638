"""Figures of the page on errata: printed and corrected forms held against a computation."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np

from .._style import BLACK, BLUE, FEATURE_COLORS, MUTED, book_style
from .panels import HALVES, Arrays, Pairs, plain_ticks

PRINTED_COLOR = "#b3261e"
"""What a source prints and a computation rejects, wherever it is drawn."""


@book_style
def bias_term(
    bias: np.ndarray, corrected: np.ndarray, printed: np.ndarray, samples: Sequence[np.ndarray]
) -> plt.Figure:
    """Expected loss against the bias: two formulas, and what sampling says.

    Parameters
    ----------
    bias, corrected, printed : arrays (n,)
    samples : arrays (m,)
        Biases, sampled losses, and four standard errors of them.
    """
    fig, ax = plt.subplots(figsize=(5.6, 3.5))
    ax.plot(bias, printed, color=PRINTED_COLOR, ls="--", label="as printed")
    ax.plot(bias, corrected, color=BLUE, label="corrected")
    style = {"color": BLACK, "ms": 5, "capsize": 3, "zorder": 3}
    ax.errorbar(*samples, fmt="o", label="sampled", **style)
    ax.set(xlim=(bias[0], bias[-1]), ylim=(0, None))
    ax.set(xlabel="bias $b$", ylabel=r"expected loss  $\mathbb{E}[L]$")
    ax.legend()
    return fig


@book_style
def curvature(capacity: np.ndarray, cases: Pairs[str]) -> plt.Figure:
    """Loss of a feature and its marginal benefit against capacity, for dense and sparse inputs.

    Parameters
    ----------
    capacity : array (n,)
    cases : pairs of arrays (n,), by name
        Loss and benefit, in units of the loss when ignored, and of the last benefit.
    """
    fig, (left, right) = plt.subplots(1, 2, figsize=(6.4, 3.1))
    for (name, curves), color in zip(cases.items(), FEATURE_COLORS, strict=False):
        for ax, curve in zip((left, right), curves, strict=True):
            ax.plot(capacity, curve, color=color, label=name)
    left.set(title="loss", ylabel="relative to an ignored feature")
    right.set(title="marginal benefit", yscale="log")
    right.set_ylabel(r"$-\partial\mathcal{L}/\partial C_i\;/\;2v_i^2$")
    left.legend(loc="upper right", bbox_to_anchor=(1.02, 1.02))
    for ax in (left, right):
        ax.set_xticks(*HALVES)
        ax.set(xlim=(0, 1), xlabel="capacity $C_i$")
    return fig


@book_style
def scale_dependence(scale: np.ndarray, formulas: Arrays[str]) -> plt.Figure:
    """Two formulas for the capacity of one feature while the whole embedding is scaled.

    Parameters
    ----------
    scale : array (n,)
    formulas : arrays (n,) by name, the definition first
    """
    fig, ax = plt.subplots(figsize=(5.4, 3.2))
    ax.axhspan(1, 100, color="#f3f4f6", lw=0)
    looks = {"color": BLUE}, {"color": PRINTED_COLOR, "ls": "--"}
    for (name, values), look in zip(formulas.items(), looks, strict=True):
        ax.plot(scale, values, label=name, **look)
    ax.set(xscale="log", yscale="log")
    plain_ticks(ax.xaxis, (0.25, 0.5, 1, 2, 4))
    plain_ticks(ax.yaxis, (0.1, 0.5, 1, 10))
    ax.set(xlim=(scale[0], scale[-1]), ylim=(values.min() / 1.5, values.max() * 1.5))
    ax.text(scale[-1] * 0.9, 1.25, "no capacity can be here", ha="right", color=MUTED)
    ax.set(xlabel="scale of the embedding", ylabel="capacity of feature 1")
    ax.legend(loc="lower left")
    return fig
