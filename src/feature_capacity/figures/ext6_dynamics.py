"""Figures of the page on dynamics: stairs, basins, paths of training, depth, and the lessons."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.figure import Figure

from .._style import BLACK, BLUE, FEATURE_COLORS, MUTED, ORANGE, book_style, panel_letters
from .panels import HALVES, Arrays, plain_ticks

_RULES = dict(zip(("gradient", "batches", "Adam"), (BLACK, BLUE, ORANGE), strict=True))


@book_style
def stairs(
    times: np.ndarray,
    lengths: np.ndarray,
    capacity: np.ndarray,
    loss: np.ndarray,
    arrivals: tuple[np.ndarray, np.ndarray],
) -> Figure:
    """Squared lengths, capacities, loss and total capacity along the flow.

    Parameters
    ----------
    times : array (n_times,)
    lengths, capacity : arrays (n_times, n_features)
        Squared lengths in units of the best ones; capacities.
    loss : array (n_times,)
        In units of its value at the start.
    arrivals : two arrays (n_dims,)
        Predicted times of capacity and of length; marked at the foot of the panels.
    """
    fig, axes = plt.subplots(2, 2, figsize=(7.2, 4.6), sharex=True, layout="constrained")
    (a, b), (c, d) = axes
    panel_letters(axes.flat)
    for i in range(lengths.shape[1]):
        color = FEATURE_COLORS[i % len(FEATURE_COLORS)]
        a.plot(times, lengths[:, i], color=color, label=f"feature {i + 1}")
        b.plot(times, capacity[:, i], color=color)
        for ax, when in zip((a, b), reversed(arrivals), strict=True):
            if i < len(when):
                mark = {"ms": 7, "clip_on": False, "zorder": 5, "mec": "white"}
                ax.plot(when[i], 0.5, "D", color=color, **mark)
    c.plot(times, loss, color=BLACK)
    d.plot(times, capacity.sum(1), color=BLACK)
    for ax, label in zip((a, b), ("squared length / best", "capacity"), strict=True):
        ax.set(ylabel=label, ylim=(-0.03, 1.08))
        ax.set_yticks(*HALVES)
    c.set(ylabel="loss / loss at the start", xlabel="time", ylim=(0, 1.05))
    n_dims = len(arrivals[0])
    d.set(ylabel="total capacity", xlabel="time", ylim=(0, n_dims + 0.2), xlim=(0, times[-1]))
    d.set_yticks(range(n_dims + 1))
    d.grid(axis="y", color=MUTED, lw=0.4, alpha=0.5)
    fig.legend(*a.get_legend_handles_labels(), loc="outside upper center", ncols=5)
    return fig


@book_style
def near_three(
    times: np.ndarray,
    lengths: Mapping[str, np.ndarray],
    offsets: np.ndarray,
    errors: np.ndarray,
) -> Figure:
    """Squared lengths at another kurtosis: integrated, at k = 3, and to first order; the error.

    ``lengths`` has arrays (n_times, n_features) by the names "integrated", "k = 3" and "first
    order"; ``errors`` is what the first order leaves at the ``offsets`` of k from 3.
    """
    fig, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.0), layout="constrained")
    panel_letters((left, right))
    looks = {"integrated": ("-", 1.6), "first order": ("--", 1.2), "k = 3": (":", 1.0)}
    for name, (style, width) in looks.items():
        for i, color in zip(range(lengths[name].shape[1]), FEATURE_COLORS, strict=False):
            shade = BLACK if name == "first order" else color
            label = name if i == 0 else None
            left.plot(times, lengths[name][:, i], style, lw=width, color=shade, label=label)
    left.set(xlabel="time", ylabel="squared length", xlim=(0, times[-1]))
    right.plot(offsets, errors, "o-", ms=4, color=BLUE, label="measured")
    right.plot(offsets, errors[0] * (offsets / offsets[0]) ** 2, "--", color=MUTED, label="order 2")
    right.set(xscale="log", yscale="log", xlabel="$k-3$", ylabel="largest error")
    plain_ticks(right.xaxis, offsets)
    right.legend(loc="upper left")
    fig.legend(*left.get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return fig


@book_style
def basins(
    kurtosis: Sequence[float],
    reached: Arrays[str],
    choices: Arrays[str],
) -> Figure:
    """Share of random starts that reach the optimum, and the number of stable choices."""
    fig, (left, right) = plt.subplots(1, 2, figsize=(7.2, 2.9), sharex=True, layout="constrained")
    panel_letters((left, right))
    for color, (name, share) in zip((BLUE, ORANGE), reached.items(), strict=False):
        left.plot(kurtosis, share, "o-", ms=4, color=color, label=name)
        right.plot(kurtosis, choices[name], "o-", ms=4, color=color)
    for ax in (left, right):
        ax.axvline(3, color=MUTED, lw=0.8, ls=":")
        ax.set(xscale="log", xlabel="kurtosis")
        plain_ticks(ax.xaxis, [1.5, 2, 3, 5, 9, 18])
    left.set(ylabel="starts at the optimum", ylim=(-0.03, 1.05))
    left.set_yticks(*HALVES)
    right.set(ylabel="stable choices of features", yscale="log")
    plain_ticks(right.yaxis, [1, 2, 5, 10, 20])
    fig.legend(*left.get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return fig


@book_style
def training(
    steps: np.ndarray,
    losses: Mapping[str, Mapping[str, np.ndarray]],
    totals: Mapping[str, Mapping[str, np.ndarray]],
    n_dims: int,
) -> Figure:
    """Loss and total capacity along training; a column a model, a color a rule, a line a start.

    The inner arrays have shape (n_records, n_models); losses are parts of that at the start.
    """
    n = len(losses)
    fig, axes = plt.subplots(
        2, n, figsize=(7.2, 4.2), sharex=True, sharey="row", layout="constrained", squeeze=False
    )
    for column, name in enumerate(losses):
        top, bottom = axes[:, column]
        top.set_title(name, fontsize="medium")
        for rule, color in _RULES.items():
            for i, (loss, total) in enumerate(
                zip(losses[name][rule].T, totals[name][rule].T, strict=True)
            ):
                label = rule if i == 0 else None
                top.plot(steps, loss, color=color, lw=1, alpha=0.8, label=label)
                bottom.plot(steps, total, color=color, lw=1, alpha=0.8)
        top.set(yscale="log")
        bottom.set(xlabel="step", ylim=(0, n_dims + 0.2))
        bottom.set_yticks(range(n_dims + 1))
        bottom.grid(axis="y", color=MUTED, lw=0.4, alpha=0.5)
    axes[0, 0].set_ylabel("loss / loss at the start")
    axes[1, 0].set_ylabel("total capacity")
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return fig


@book_style
def sharing(
    steps: np.ndarray,
    cosines: Mapping[str, Mapping[str, np.ndarray]],
    settled: Mapping[str, Mapping[str, float]],
    n_features: int,
) -> Figure:
    """Which pairs of features share along training: a column a model, a row a rule, a strip a pair.

    Parameters
    ----------
    steps : array (n_records,)
    cosines : mapping of model and rule to array (n_records, n_pairs)
        Absolute cosines; nan where a feature is absent, which is left white.
    settled : mapping of model and rule to float
        Step from which on the blocks are the last ones; marked by an orange line.
    n_features : int
        Pairs come as in ``itertools.combinations``; those that begin alike have one label.
    """
    first, second = np.triu_indices(n_features, 1)
    begin = np.flatnonzero(np.diff(first, prepend=-1))
    end = np.append(begin[1:], len(first))
    fig, axes = plt.subplots(
        len(_RULES), len(cosines), figsize=(7.2, 6.0), sharex=True, sharey=True,
        layout="constrained", squeeze=False,
    )  # fmt: skip
    shades = sns.light_palette(BLUE, as_cmap=True)
    edges = np.concatenate([[steps[0]], (steps[1:] + steps[:-1]) / 2, [steps[-1]]])
    for column, model in zip(axes.T, cosines, strict=True):
        column[0].set_title(model, fontsize="medium")
        column[-1].set_xlabel("step")
        for ax, rule in zip(column, _RULES, strict=True):
            values = np.ma.masked_invalid(cosines[model][rule].T)
            rows = np.arange(len(first) + 1) - 0.5
            image = ax.pcolormesh(edges, rows, values, cmap=shades, vmin=0, vmax=1)
            ax.hlines(begin[1:] - 0.5, steps[0], steps[-1], color="white", lw=1.5)
            ax.axvline(settled[model][rule], color=ORANGE, lw=1.6)
    names = [
        f"{first[a] + 1} with " + "–".join(str(i + 1) for i in sorted({*second[[a, b - 1]]}))
        for a, b in zip(begin, end, strict=True)
    ]
    for ax, rule in zip(axes[:, 0], _RULES, strict=True):
        ax.set_ylabel(rule)
        ax.set_yticks((begin + end - 1) / 2, names, fontsize="small")
        ax.tick_params(axis="y", length=0)
    axes[0, 0].invert_yaxis()  # shared
    bar = fig.colorbar(image, ax=axes, location="top", shrink=0.5, aspect=40)
    bar.set_label("absolute cosine between two features")
    bar.set_ticks(HALVES[0], labels=HALVES[1])
    return fig


@book_style
def depth(
    first_capacity: np.ndarray,
    first_error: np.ndarray,
    second_error: Mapping[str, np.ndarray],
    factor: float,
    capacity: np.ndarray,
) -> Figure:
    """What sharing in the first of two quadratic layers does to the second.

    Parameters
    ----------
    first_capacity, first_error : arrays (n,)
        Capacity of a feature in the first layer, and the relative error of its output.
    second_error : mapping of name to array (n,)
        Relative loss of the best second layer.
    factor : float
        By which weak interference is amplified; drawn as a dashed line.
    capacity : array (n, 2)
        In a narrow second layer, of the more and the less important feature of a pair.
    """
    fig, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.0), layout="constrained")
    panel_letters((left, right))
    for color, (name, error) in zip((BLUE, ORANGE), second_error.items(), strict=False):
        left.plot(first_error, error, "o-", ms=3, color=color, label=name)
    left.plot(first_error, first_error, ":", color=MUTED, label="as large")
    few = first_error < 0.05
    left.plot(first_error[few], factor * first_error[few], "--", color=BLACK, label="closed form")
    left.set(xscale="log", yscale="log", xlabel="relative error in the first layer")
    left.set_ylabel("relative error after the second")
    left.legend(loc="lower right", fontsize="small")
    left.set_ylim(first_error[0] / 2, 1)
    for color, label, line in zip(
        (BLUE, ORANGE), ("importance 2", "importance 1"), capacity.T, strict=True
    ):
        right.plot(first_capacity, line, "o-", ms=3, color=color, label=label)
    right.set(ylabel="capacity in the second layer", ylim=(0, 1))
    right.set(xlabel="capacity in the first layer", xlim=(0.48, 1.02))
    right.set_yticks(*HALVES)
    right.legend(loc="upper left", fontsize="small")
    return fig


@book_style
def lessons(
    importance: np.ndarray,
    exact: np.ndarray,
    trained: np.ndarray,
    boundaries: Sequence[float],
    kurtosis: tuple[np.ndarray, np.ndarray, float, float],
) -> Figure:
    """Two lessons of the post: smeared transitions, and what curation can do.

    Parameters
    ----------
    importance, exact, trained : arrays (n,)
        Importance of feature 1, its capacity by the allocation and after training.
    boundaries : sequence of float
        Importances at which its phase changes.
    kurtosis : (strength, after, before, floor)
        Strength of the transform, kurtosis after it, without it, and 1 / p.
    """
    fig, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.0), layout="constrained")
    panel_letters((left, right))
    left.plot(importance, exact, color=BLACK, lw=1.2, label="allocation")
    left.plot(importance, trained, "o", ms=4, color=BLUE, label="trained")
    for edge in boundaries:
        left.axvspan(edge / 1.5, edge * 1.5, color=ORANGE, alpha=0.15, lw=0)
        left.axvline(edge, color=ORANGE, lw=0.8)
    left.set(xscale="log", xlabel="importance of feature 1", ylabel="its capacity")
    left.set_yticks(*HALVES)
    left.legend(loc="lower right", fontsize="small")
    strength, after, before, floor = kurtosis
    right.plot(strength, after, color=BLUE)
    lines = (
        (before, "--", MUTED, "without a transform", strength[-1], "right"),
        (floor, "-", ORANGE, "$1/p$", strength[0] * 1.2, "left"),
        (3, ":", BLACK, "3, where sharing ends", strength[0] * 1.2, "left"),
    )
    for height, style, color, text, x, side in lines:
        right.axhline(height, color=color, lw=1, ls=style)
        above = (x, height), (0, 4)
        right.annotate(text, *above, textcoords="offset points", ha=side, fontsize="small")
    right.set(xscale="log", xlabel="strength of the transform", ylabel="kurtosis")
    right.set(ylim=(0, 1.15 * before), xlim=(strength[0], strength[-1]))
    return fig


@book_style
def reading(times: np.ndarray, capacity: np.ndarray, explained: np.ndarray) -> Figure:
    """Capacity, and the variance that the best linear probe explains, feature by feature."""
    n = capacity.shape[1]
    fig, axes = plt.subplots(1, n, figsize=(7.2, 2.2), sharey=True, layout="constrained")
    for i, (ax, color) in enumerate(zip(axes, FEATURE_COLORS, strict=False)):
        ax.fill_between(times, capacity[:, i], explained[:, i], color=color, alpha=0.15, lw=0)
        ax.plot(times, capacity[:, i], color=color, label="capacity")
        ax.plot(times, explained[:, i], "--", color=BLACK, lw=1, label="best linear probe")
        ax.set(title=f"feature {i + 1}", xlabel="time", ylim=(-0.03, 1.05))
        ax.set_yticks(*HALVES)
    handles, _ = axes[0].get_legend_handles_labels()
    fig.legend(handles, ["capacity", "best linear probe"], loc="outside upper center", ncols=2)
    return fig
