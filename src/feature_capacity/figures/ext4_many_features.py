"""Figures of the page on many features: phases and loss against width, exponents, the advisor."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from .._style import BLACK, FEATURE_COLORS, MUTED, PHASE_COLORS, book_style, panel_letters
from ..theory.many_features import PowerLaw
from .panels import POINTER

_BLUES = ["#9ecae1", "#4292c6", "#08519c", "#08306b"]
_ALONG = 34  # degrees, of the bands in the picture


def _pick(laws: Sequence[PowerLaw], name: str) -> np.ndarray:
    return np.array([getattr(law, name) for law in laws], dtype=float)


@book_style
def phases_and_loss(
    n_dims: np.ndarray, laws: Sequence[PowerLaw], n_features: int, crossing: float
) -> Figure:
    """Which features are in which phase at each width, and what is lost; both axes logarithmic."""
    fig, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.3), layout="constrained")
    panel_letters((left, right))
    whole, some = _pick(laws, "n_monosemantic"), _pick(laws, "n_represented")
    left.fill_between(n_dims, 1, whole, color=PHASE_COLORS[2], alpha=0.75, lw=0)
    left.fill_between(n_dims, whole, some, color=PHASE_COLORS[1], alpha=0.75, lw=0)
    left.fill_between(n_dims, some, n_features, color=PHASE_COLORS[0], alpha=0.5, lw=0)
    left.plot(n_dims, n_dims, color=BLACK, lw=1, ls="--")
    left.set(ylim=(1, n_features), ylabel="feature, by importance", xlabel="dimensions $D$")
    middle = len(n_dims) // 2
    for text, height in (
        ("monosemantic", whole[middle] ** 0.5),
        ("polysemantic", (n_dims[middle] * some[middle]) ** 0.5),  # above the dashed line
        ("ignored", (some[middle] * n_features) ** 0.5),
    ):
        place = {"ha": "center", "va": "center", "color": BLACK}
        along = {"rotation": _ALONG, "rotation_mode": "anchor"} if text == "polysemantic" else {}
        left.text(n_dims[middle], height, text, **place, **along)
    at = n_dims[3 * len(n_dims) // 4]
    look = {"arrowprops": POINTER, "ha": "right", "va": "bottom"}
    place = {"xytext": (0.97, 0.03), "textcoords": "axes fraction"}
    left.annotate("as many as dimensions", (at, at), **place, **look)
    right.plot(n_dims, _pick(laws, "loss"), color=FEATURE_COLORS[0])
    right.set(ylabel="expected loss", xlabel="dimensions $D$")
    for ax in (left, right):
        ax.set(xscale="log", yscale="log", xlim=(n_dims[0], n_dims[-1]))
        if n_dims[0] < crossing < n_dims[-1]:
            ax.axvline(crossing, color=MUTED, lw=0.8, ls=":")
    if n_dims[0] < crossing < n_dims[-1]:
        text = "from here on  \nall are represented  "
        right.text(crossing, right.get_ylim()[0] * 1.6, text, ha="right", va="bottom")
    return fig


@book_style
def local_exponents(
    features_per_dim: np.ndarray, panels: Mapping[float, Mapping[float, np.ndarray]]
) -> Figure:
    """Local exponent of the loss against features per dimension: a panel a kurtosis, a line a law.

    ``panels`` holds, by kurtosis and by the exponent of the importances, the exponent of the loss.
    """
    fig, axes = plt.subplots(1, len(panels), figsize=(7.2, 3.2), sharey=True, layout="constrained")
    panel_letters(axes)
    for ax, (k, lines) in zip(axes, panels.items(), strict=True):
        for color, (alpha, exponent) in zip(FEATURE_COLORS, lines.items(), strict=False):
            ax.plot(features_per_dim, exponent, color=color, label=rf"$\alpha$ = {alpha:g}")
            if 2 * alpha - 1 > 0:
                ax.axhline(2 * alpha - 1, color=color, lw=0.8, ls=":")
        ax.axhline(1, color=MUTED, lw=0.8)
        ax.set(xscale="log", title=f"k = {k:,.0f}", xlabel="features per dimension", ylim=(0, 3))
        ax.set_xlim(features_per_dim[0], features_per_dim[-1])
    axes[0].set_ylabel("exponent of the loss in $D$")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return fig


@book_style
def distance_from_limit(n_dims: np.ndarray, distances: Mapping[float, np.ndarray]) -> Figure:
    """How far finitely many features are from continuously many, by exponent of the law."""
    fig, ax = plt.subplots(figsize=(4.8, 3.0), layout="constrained")
    for color, (alpha, distance) in zip(FEATURE_COLORS, distances.items(), strict=False):
        ax.plot(n_dims, distance, "o-", ms=3, color=color, label=rf"$\alpha$ = {alpha:g}")
    ax.plot(n_dims, 1 / n_dims, color=BLACK, lw=1, ls="--", label="$1/D$")
    ax.set(xscale="log", yscale="log", xlabel="dimensions $D$", ylabel="relative error of the loss")
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return fig


@book_style
def width_needed(wanted: np.ndarray, widths: Mapping[float, np.ndarray]) -> Figure:
    """Dimensions at which the most important features are monosemantic, a line a kurtosis."""
    fig, ax = plt.subplots(figsize=(4.8, 3.2), layout="constrained")
    for color, (k, width) in zip(_BLUES, widths.items(), strict=False):
        ax.plot(wanted, width, color=color, label=f"k = {k:,.0f}")
    ax.plot(wanted, wanted, color=BLACK, lw=1, ls="--", label="k ≤ 3")
    ax.set(xscale="log", yscale="log", xlim=(wanted[0], wanted[-1]))
    ax.set(xlabel="features that are to be monosemantic", ylabel="dimensions needed")
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return fig
