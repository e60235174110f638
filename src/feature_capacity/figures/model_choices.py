"""Figures of section 3.7 on what is our choice: limits of the statistics, penalties on overlap."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from .._style import BLACK, LIGHT, MUTED, book_style
from .model_comparison import ACTIVATION_COLORS

_STYLES = {"computation": "-", "autoencoder": (0, (3, 1.6))}

Curves = Mapping[tuple[str, str], Any]
"""Values by kind of model and name of nonlinearity."""


def _curves(ax: Any, x: Any, curves: Curves, **style: Any) -> None:
    for (model, name), values in curves.items():
        color = ACTIVATION_COLORS[name]
        ax.plot(x, values, color=color, ls=_STYLES[model], lw=1.5, **style)


def _legend(fig: Figure, curves: Iterable[tuple[str, str]]) -> None:
    models, names = (dict.fromkeys(column) for column in zip(*curves, strict=True))
    lines = [Line2D([], [], color=ACTIVATION_COLORS[n], lw=2, label=n) for n in names]
    lines += [Line2D([], [], color=BLACK, ls=_STYLES[m], lw=1.3, label=m) for m in models]
    fig.legend(handles=lines, loc="outside upper center", ncols=len(lines), handlelength=2.2)


@book_style
def shares_by_limit(panels: Mapping[str, tuple[str, Any, Curves, float]]) -> Figure:
    """How shares of cells move with the limit that defines them, one panel for each limit.

    ``panels`` maps what is counted to the name of the limit, its values, a share for each of them
    by model and nonlinearity, and the limit that the book uses.
    """
    fig, axes = plt.subplots(1, len(panels), figsize=(6.4, 3.1), sharey=True, squeeze=False)
    for ax, (title, (name, x, curves, usual)) in zip(axes[0], panels.items(), strict=True):
        ax.axvline(usual, color=MUTED, ls=":", lw=1.2, zorder=0)
        _curves(ax, x, curves)
        ax.set(xlabel=name, ylim=(-0.03, 1.03), xlim=(0, 1.03 * np.max(x)))
        ax.set_title(title, fontsize=9)
    axes[0, 0].yaxis.set_major_formatter(PercentFormatter(1.0))
    axes[0, 0].set_ylabel("share of cells")
    _legend(fig, [key for _, _, curves, _ in panels.values() for key in curves])
    return fig


@book_style
def penalties(strengths: Any, sizes: Curves, rises: Curves) -> Figure:
    """Largest blocks, and relative losses, against the strength of a penalty on overlap.

    The first of the increasing ``strengths`` is 0 and has a place of its own, left of the
    logarithmic axis.
    """
    strengths = np.asarray(strengths)
    fig, axes = plt.subplots(1, 2, figsize=(6.2, 3.3))
    step = strengths[2] / strengths[1]
    x = np.concatenate([[strengths[1] / step**2], strengths[1:]])
    for ax in axes:
        ax.axvspan(x[0] / step, x[0] * step, color=LIGHT, alpha=0.5, lw=0, zorder=0)
    _curves(axes[0], x, sizes, marker="o", ms=3.5)
    _curves(axes[1], x, rises, marker="o", ms=3.5)
    axes[0].set(ylabel="features in the largest block", ylim=(0.8, None))
    axes[1].set(ylabel="loss, relative to no penalty", yscale="log")
    decades = [t for t in (1e-4, 1e-3, 1e-2, 1e-1, 1, 10) if x[1] <= 1.01 * t <= 1.03 * x[-1]]
    for ax in axes:
        ax.set(xscale="log", xlim=(x[0] / step, x[-1] * step**0.5))
        ax.minorticks_off()
        ax.set_xticks([x[0], *decades], ["0", *(f"{t:g}" for t in decades)])
    most = max(np.max(values) for values in rises.values())
    ticks = [r for r in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if r <= max(2, 1.2 * most)]
    axes[1].set_yticks(ticks, [f"{r:g}" for r in ticks])
    fig.supxlabel("penalty, in losses of an empty network", size=10)
    _legend(fig, sizes)
    return fig
