"""Schematic of the two toy models: neurons as pies of the features that they hear."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, Wedge

from .._style import BLACK, FEATURE_COLORS, MUTED, book_style


@book_style
def fig3_two_toy_models(W: np.ndarray) -> Figure:
    """Figure 3: the autoencoder (compress, recover) and the computation model, as a schematic.

    Every neuron is a pie of the features that it hears, by squared weight, so that a neuron of
    one color is monosemantic.

    Parameters
    ----------
    W : array (n_dims, n_features)
        The embedding that both models are drawn with.
    """
    n = W.shape[1]
    fig, ax = plt.subplots(figsize=(7.2, 4.9))
    ax.set_aspect("equal")
    ax.axis("off")
    own, few = np.eye(n), len(W)
    first, second, third = 0.0, 4.9, 9.2

    # The autoencoder: in, squeeze, out; the loss compares each output with its own input.
    x, h, out = _row(n, first, 0.0), _row(few, first, 2.1), _row(n, first, 4.2)
    _wires(ax, x, h, W)
    _wires(ax, h, out, W.T, by_source=False)
    for nodes, kind in ((x, own), (h, W), (out, own)):
        _nodes(ax, nodes, kind)

    # The computation: a few mixed neurons imitate many pure ones, whose sum is the target.
    x1, h1, x2, h2 = (
        _row(n, second, 0.0), _row(few, second, 2.1), _row(n, third, 0.0), _row(n, third, 2.1)
    )  # fmt: skip
    y1, y2 = np.array([[second, 4.2]]), np.array([[third, 4.2]])
    _wires(ax, x1, h1, W)
    _wires(ax, x2, h2, own)
    _wires(ax, h1, y1, np.ones((1, few)), color=MUTED)
    _wires(ax, h2, y2, np.ones((1, n)))
    for nodes, kind, curved in ((x1, own, 0), (h1, W, 1), (x2, own, 0), (h2, own, 1)):
        _nodes(ax, nodes, kind, curved=bool(curved))
    for (cx, cy), label in ((y1[0], r"$\tilde y$"), (y2[0], "$y$")):
        ax.add_patch(Circle((cx, cy), 0.46, fc="white", ec=BLACK, lw=1.6, zorder=4))
        _say(ax, cx, cy, label, size=14)
    ends = (second + 0.55, 4.2), (third - 0.55, 4.2)
    ax.add_patch(FancyArrowPatch(*ends, arrowstyle="<|-|>", mutation_scale=14, color=BLACK, lw=1.3))

    ax.plot([2.45, 2.45], [-0.9, 7.1], color="#c3c9d1", lw=1)
    middle = (second + third) / 2
    _say(ax, first, 6.85, "Compress and recover", size=12.5, weight="bold")
    _say(ax, middle, 6.85, "Compute with fewer neurons", size=12.5, weight="bold")
    _say(ax, first, 6.1, r"loss $\sum_i v_i\,(\hat x_i-x_i)^2$")
    _say(ax, middle, 6.1, r"loss $(\tilde y-y)^2$")
    _say(ax, first, 5.1, r"$\hat x=\mathrm{ReLU}(W^{T}Wx+b)$")
    _say(ax, second, 5.1, r"$\sum_a\sigma((Wx)_a)+b$")
    _say(ax, third, 5.1, r"$\sum_i v_i\,\sigma(x_i)$")
    _say(ax, middle, 3.85, "compared", size=10.5)
    for center, text in ((first, "features $x$"), (second, "model"), (third, "target")):
        _say(ax, center, -0.72, text)
    ax.set(xlim=(-2.15, third + 2.1), ylim=(-1.0, 7.15))
    return fig


def _row(n: int, center: float, height: float, width: float = 3.3) -> np.ndarray:
    """Positions of n nodes side by side."""
    spread = width if n > 3 else width * 0.72
    return np.stack([center + np.linspace(-0.5, 0.5, n) * spread, np.full(n, height)], axis=1)


def _nodes(ax: Any, places: np.ndarray, weights: np.ndarray, curved: bool = False) -> None:
    """Neurons as pies of the features that they hear; a small parabola marks a nonlinear one."""
    radius = 0.27 if len(places) > 3 else 0.46
    for (x, y), row in zip(places, weights**2, strict=True):
        turns = 90 + 360 * np.concatenate([[0], np.cumsum(row / row.sum())])
        for i, (start, stop) in enumerate(pairwise(turns)):
            if stop - start > 1e-6:
                color = FEATURE_COLORS[i % len(FEATURE_COLORS)]
                ax.add_patch(Wedge((x, y), radius, start, stop, fc=color, ec="none", zorder=4))
        ax.add_patch(Circle((x, y), radius, fill=False, ec=BLACK, lw=1.2, zorder=5))
        if curved:
            t = np.linspace(-1, 1, 41)
            ax.add_patch(Circle((x, y), 0.66 * radius, fc="white", ec="none", zorder=5))
            ax.plot(
                x + 0.42 * radius * t, y + radius * (0.75 * t**2 - 0.38), color=BLACK, lw=1.5,
                zorder=6,
            )  # fmt: skip


def _wires(
    ax: Any,
    sources: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
    by_source: bool = True,
    color: str | None = None,
) -> None:
    """Lines from sources to targets, as strong as weights (n_targets, n_sources)."""
    strength = np.abs(weights) / np.abs(weights).max()
    for t, (x1, y1) in enumerate(targets):
        for s, (x0, y0) in enumerate(sources):
            if strength[t, s] > 0.02:
                hue = color or FEATURE_COLORS[(s if by_source else t) % len(FEATURE_COLORS)]
                ax.plot(
                    [x0, x1], [y0, y1], color=hue, lw=0.5 + 1.7 * strength[t, s],
                    alpha=0.35 + 0.55 * strength[t, s], solid_capstyle="round", zorder=1,
                )  # fmt: skip


def _say(
    ax: Any, x: float, y: float, text: str, size: float = 11.5, weight: str = "normal"
) -> None:
    ax.text(x, y, text, ha="center", va="center", fontsize=size, weight=weight, zorder=7)
