"""Figures of Appendix H: Lemma 1, the induction as a tree, the matrices it builds."""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from operator import add
from typing import TypeVar

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns

from .._style import BLACK, BLUE, FEATURE_COLORS, LIGHT, MUTED, ORANGE, book_style
from ..geometry.feasibility import Step
from .panels import Arrays, bare, centered, legend_above, lettered, note, small_multiples, titled
from .vectors import frame, heat_map

T = TypeVar("T")


@book_style
def lemma1(
    n_dims: np.ndarray, sums: np.ndarray, angle: np.ndarray, turned: Arrays[int]
) -> plt.Figure:
    """Sums of squared entries for random unit vectors, and how turning them reaches the bound."""
    fig, (left, right) = lettered(1, 2, figsize=(6.6, 3.4), width_ratios=[1.1, 1])
    dims = np.unique(n_dims)
    left.plot(n_dims, sums, "o", color=BLUE, ms=2.5, alpha=0.35, mew=0, label="random $v_i$")
    left.plot(dims, dims, "_", color=BLACK, ms=13, mew=2.2, label="along projections")
    left.set(xlabel="dimension $D$ of the subspace", ylabel=r"$\sum_i (v_i \cdot e_i)^2$")
    left.set(xticks=dims[:: max(1, len(dims) // 6)], ylim=(0, None))
    left.legend(loc="upper left", handletextpad=0.3)
    marks = ("o", "s", "^", "D")
    for (d, curve), mark, ink in zip(turned.items(), marks, FEATURE_COLORS, strict=False):
        right.plot(np.degrees(angle), curve, mark, color=ink, ms=5, mfc="none", label=f"$D={d}$")
    fine = np.linspace(angle.min(), angle.max(), 200)
    right.plot(np.degrees(fine), np.cos(fine) ** 2, color=BLACK, lw=1, zorder=0)
    note(right, r"$\cos^2\theta$", (52, np.cos(np.radians(52)) ** 2), (8, 4))
    right.set(xlabel=r"angle $\theta$ from the projections (degrees)", xticks=[0, 30, 60, 90])
    right.set_ylabel(r"$\sum_i (v_i \cdot e_i)^2 \,/\, D$")
    right.legend(loc="lower left", handletextpad=0.2)
    return fig


@book_style
def slack(predicted: np.ndarray, missing: np.ndarray, deviation: np.ndarray) -> plt.Figure:
    """Capacity missing from the maximum against the sum that angles predict."""
    fig, ax = plt.subplots(figsize=(4.6, 3.7))
    ends = np.array([predicted.min() / 2, predicted.max() * 2])
    ax.plot(ends, ends, color=MUTED, lw=1, zorder=0)
    dots = ax.scatter(predicted, missing, c=np.log10(deviation), cmap="viridis", s=16, lw=0)
    ax.set(xscale="log", yscale="log", xlim=ends, ylim=ends)
    ax.set(xlabel=r"$\sum_i \Pi_{ii}\,\sin^2\theta_i$", ylabel=r"missing capacity $D - \sum_i C_i$")
    bar = fig.colorbar(dots, ax=ax, label="size of the disturbance")
    low, high = np.ceil(bar.mappable.get_clim()[0]), np.floor(bar.mappable.get_clim()[1])
    ticks = np.arange(low, high + 1)
    bar.set_ticks(ticks, labels=[f"$10^{{{t:.0f}}}$" for t in ticks])
    return fig


@book_style
def induction_tree(steps: Sequence[Step]) -> plt.Figure:
    """The induction: capacities merge from left to right until one is left."""
    n = len(steps[0].capacity)
    fig, ax = plt.subplots(figsize=(6.8, 0.62 * n + 1.0))
    _draw_tree(ax, steps)
    return fig


@book_style
def corner_cases(cases: Mapping[str, Sequence[Step]]) -> plt.Figure:
    """Small trees side by side."""
    fig, axes = small_multiples(len(cases), 2, 6.8, 2.5)
    for ax, steps in titled(axes, cases, loc="left", fontsize=10):
        _draw_tree(ax, steps, words=False)
    return fig


def _draw_tree(ax: plt.Axes, steps: Sequence[Step], words: bool = True) -> None:
    """Draw an induction: a column per tuple, lines that join, bands for complements."""
    height = _heights(steps)
    flipped = False
    for x, (step, y) in enumerate(zip(steps, height, strict=True)):
        ink = ORANGE if flipped else BLUE
        new = range(len(y)) if x == 0 or steps[x - 1].move == "complement" else [len(y) - 1]
        if step.move == "complement":
            band = (x + 0.28, -0.45), 0.44, len(height[0]) - 0.05
            ax.add_patch(plt.Rectangle(*band, color=LIGHT, alpha=0.6, lw=0))
        if x + 1 < len(steps):
            starts = _after(step, [[start] for start in y], add)
            for group, end in zip(starts, height[x + 1], strict=True):
                for start in group:
                    ax.plot([x, x + 1], [start, end], color=ink, lw=1.4, zorder=1)
        for i in new:
            box = {"boxstyle": "round,pad=0.28", "fc": "white", "ec": ink, "lw": 1.4}
            centered(ax, x, y[i], _number(step.capacity[i]), fontsize=10, bbox=box, zorder=3)
        top = len(height[0]) - 0.35
        ax.text(x, top, f"$D={step.n_dims}$", ha="center", va="bottom", fontsize=9, color=BLACK)
        if step.move != "base" and (words or step.move == "complement"):
            word = step.move if words else r"$1-C$"
            ax.text(x + 0.5, -0.62, word, ha="center", va="top", fontsize=9, color=MUTED)
        flipped ^= step.move == "complement"
    bare(ax, xlim=(-0.5, len(steps) - 0.5), ylim=(-1.0, len(height[0]) + 0.05))


@book_style
def growing_matrices(
    matrices: Sequence[np.ndarray], n_dims: Sequence[int], titles: Sequence[str]
) -> plt.Figure:
    """Orthogonal matrices of growing size; the rows that are the embedding are framed."""
    fig, axes = small_multiples(len(matrices), 4, 6.6, 1.95)
    largest = max(len(U) for U in matrices)
    for ax, U, d, title in zip(axes.flat, matrices, n_dims, titles, strict=False):
        heat_map(ax, U, limit=1.0)
        frame(ax, 0, 0, d, len(U), lw=2)
        ax.set(xlim=(-0.6, largest - 0.4), ylim=(largest - 0.4, -0.6), aspect="equal")
        ax.set_title(title, loc="left", weight="normal", fontsize=9)
    return fig


@book_style
def two_constructions(trials: pd.DataFrame) -> plt.Figure:
    """Error and share of filled entries of each construction; medians, and ranges of 90 %."""
    fig, (left, right) = lettered(1, 2, figsize=(6.6, 3.4))
    columns = {left: "largest error", right: "share of entries that are not zero"}
    look = {"hue": "construction", "style": "construction", "palette": [BLUE, ORANGE]}
    for ax, column in columns.items():
        band = {"estimator": "median", "errorbar": ("pi", 90), "legend": ax is right}
        sns.lineplot(trials, x="features", y=column, ax=ax, **look, **band)
        ax.set_xlabel("features $N$")
    left.set(yscale="log", ylabel="largest error of rows and capacities", ylim=(1e-17, 2e-14))
    left.axhline(2.0**-52, color=MUTED, lw=1, ls=(0, (1, 2)))
    style = {"color": MUTED, "fontsize": 9, "ha": "right", "va": "bottom"}
    left.text(trials["features"].max(), 1.3e-17, "dotted: machine precision", **style)
    right.set(ylabel="share of entries of $W$\nthat are not zero", ylim=(0, 1.05))
    # Above the axes: the ranges reach their top.
    legend_above(right, title=None, ncols=2)
    return fig


def _after(step: Step, entries: Sequence[T], join: Callable[[T, T], T]) -> list[T]:
    """What stands for the entries in the next tuple: a merged pair is joined, at the end."""
    if step.move != "merge":
        return list(entries)
    i, j = step.pair
    return [*(e for k, e in enumerate(entries) if k not in (i, j)), join(entries[i], entries[j])]


def _heights(steps: Sequence[Step]) -> list[list[float]]:
    """Heights of all entries at which no two lines cross: leaves in the order of the last merge."""
    members = [[leaf] for leaf in range(len(steps[0].capacity))]
    for step in steps[:-1]:
        members = _after(step, members, add)
    order = [leaf for group in members for leaf in group]
    heights = [[len(order) - 1.0 - order.index(leaf) for leaf in range(len(order))]]
    for step in steps[:-1]:
        heights.append(_after(step, heights[-1], lambda a, b: (a + b) / 2))
    return heights


def _number(value: object) -> str:
    return str(value) if isinstance(value, Fraction) else f"{float(value):.3g}"
