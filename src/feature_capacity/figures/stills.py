"""What an explorer shows where scripts are off: its opening setting, drawn once."""

from collections.abc import Sequence
from typing import cast

import matplotlib.pyplot as plt
import numpy as np
from mpl_toolkits.mplot3d import Axes3D

from .._style import BLUE, LIGHT, ORANGE, PHASE_COLORS, book_style, pair_matrix
from ..theory.allocation import Allocation
from .maps import CAPACITY_LOOK, CHANCE, VARIED, cells, phase_patches
from .panels import Map, color_bar
from .vectors import bare_space

_SIZE = (6.2, 2.9)


@book_style
def still_allocation(importance: np.ndarray, found: Allocation, n_dims: int) -> plt.Figure:
    """Importance and capacity of every feature, colored by phase.

    Parameters
    ----------
    importance : array (n_features,)
    found : Allocation
        The optimal allocation at one kurtosis.
    n_dims : int
    """
    fig, (left, right) = plt.subplots(1, 2, figsize=_SIZE)
    feature = np.arange(1, len(importance) + 1)
    colors = [PHASE_COLORS[int(code)] for code in found.phase]
    left.bar(feature, importance, color=colors)
    left.set(yscale="log", xticks=feature, xlabel="feature", ylabel="importance $v_i$")
    _capacity_bars(right, found.capacity, colors)
    right.set_title(f"together {n_dims} dimensions", loc="left", weight="normal")
    present = sorted({int(code) for code in found.phase}, reverse=True)
    fig.legend(handles=phase_patches(present), loc="outside upper center", ncols=3)
    return fig


@book_style
def still_map(picture: Map, cell: tuple[int, int], W: np.ndarray) -> plt.Figure:
    """A map of capacity with one cell marked, and the cosines between the features of that cell.

    Parameters
    ----------
    picture : arrays (n_importance,), (n_probability,), (n_probability, n_importance)
    cell : tuple of int
        Row and column.
    W : array (n_dims, n_features)
        Embedding of the cell.
    """
    fig, (left, right) = plt.subplots(1, 2, figsize=_SIZE)
    image = cells(left, *picture, **CAPACITY_LOOK)
    (importance, probability, _), (row, column) = picture, cell
    left.plot(importance[column], probability[row], "s", mfc="none", mec=ORANGE, ms=8, mew=2)
    left.set(xlabel=VARIED, ylabel=CHANCE)
    color_bar(image, left, "capacity $C_1$")
    _cosines(right, W)
    right.set_title("cosines in the marked cell", loc="left", weight="normal")
    return fig


@book_style
def still_embedding(capacity: np.ndarray, W: np.ndarray, colors: Sequence[str]) -> plt.Figure:
    """Capacities, and the cosines between the features of an embedding that has them.

    Parameters
    ----------
    capacity : array (n_features,)
    W : array (n_dims, n_features)
    colors : sequence of str
        One for each feature.
    """
    fig, (left, right) = plt.subplots(1, 2, figsize=_SIZE)
    _capacity_bars(left, capacity, list(colors[: len(capacity)]))
    _cosines(right, W)
    right.set_title("cosines", loc="left", weight="normal")
    return fig


@book_style
def still_minimization(
    loss: np.ndarray, W: np.ndarray, capacity: np.ndarray, colors: Sequence[str]
) -> plt.Figure:
    """Loss step by step, and capacities and cosines of the embedding that is found.

    Parameters
    ----------
    loss : array (n_steps,)
    W : array (n_dims, n_features)
    capacity : array (n_features,)
    colors : sequence of str
        One for each feature.
    """
    fig, (left, middle, right) = plt.subplots(1, 3, figsize=_SIZE)
    left.plot(np.arange(1, len(loss) + 1), loss, ".-", color=BLUE)
    left.set(yscale="log", xlabel="step", ylabel="expected loss")
    _capacity_bars(middle, capacity, list(colors[: len(capacity)]))
    _cosines(right, W)
    right.set_title("cosines", loc="left", weight="normal")
    return fig


@book_style
def still_front(
    picture: Map, chosen: tuple[float, float], W: np.ndarray, colors: Sequence[str]
) -> plt.Figure:
    """A map of capacity with one place marked, and the vectors of the network that is best there.

    Parameters
    ----------
    picture : arrays (n_importance,), (n_probability,), (n_probability, n_importance)
    chosen : tuple of float
        Importance and probability.
    W : array (3, n_features)
    colors : sequence of str
        One for each feature.
    """
    fig = plt.figure(figsize=_SIZE)
    left = fig.add_subplot(1, 2, 1)
    image = cells(left, *picture, **CAPACITY_LOOK)
    left.plot(*chosen, "s", mfc="none", mec=ORANGE, ms=8, mew=2)
    left.set(xlabel=VARIED, ylabel=CHANCE)
    color_bar(image, left, "capacity $C_1$")
    right = cast("Axes3D", fig.add_subplot(1, 2, 2, projection="3d"))
    longest = np.linalg.norm(W, axis=0).max()
    bare_space(right, longest, zoom=1.45, elevation=22, azimuth=-60)
    for i, (w, color) in enumerate(zip(W.T, colors, strict=False), start=1):
        right.plot(*np.stack([np.zeros(3), w], axis=1), color=color, lw=2.4, marker="o", ms=0)
        right.plot(*w[:, None], "o", color=color, ms=5)
        if np.linalg.norm(w) > 0:
            right.text(
                *(w * (1 + 0.16 * longest / np.linalg.norm(w))), str(i), ha="center", va="center"
            )
    return fig


@book_style
def still_trade(
    picture: Map,
    chosen: tuple[float, float],
    curve: tuple[np.ndarray, np.ndarray],
    least: tuple[float, float],
    marks: tuple[Sequence[float], Sequence[float]],
) -> plt.Figure:
    """A map of one feature's capacity with one place marked, and the loss against what it takes.

    Parameters
    ----------
    picture : arrays (n_importance,), (n_kurtosis,), (n_kurtosis, n_importance)
    chosen : tuple of float
        Importance and kurtosis.
    curve : arrays (n_shares,), (n_shares,)
        Share and loss.
    least : tuple of float
        The best share and its loss.
    marks : tuple of sequences
        Ticks of the map, across and upward.
    """
    fig, (left, right) = plt.subplots(1, 2, figsize=_SIZE)
    image = cells(left, *picture, **CAPACITY_LOOK)
    left.axhline(3, color="white", lw=1, ls="--")
    left.plot(*chosen, "s", mfc="none", mec=ORANGE, ms=8, mew=2)
    left.set(xlabel="importance of the feature", ylabel="its kurtosis")
    for axis, values, at in zip((left.xaxis, left.yaxis), picture[:2], marks, strict=True):
        inside = [x for x in at if values[0] <= x <= values[-1]]
        axis.set_ticks(inside, labels=[f"{x:g}" for x in inside])
    left.minorticks_off()
    color_bar(image, left, "its capacity")
    right.plot(*curve, color=BLUE)
    right.plot(*least, "o", color=ORANGE, ms=7, clip_on=False)
    right.set(xlabel="capacity that the feature takes", ylabel="loss", xlim=(0, 1))
    return fig


def _capacity_bars(ax: plt.Axes, capacity: np.ndarray, colors: Sequence[str]) -> None:
    feature = np.arange(1, len(capacity) + 1)
    ax.bar(feature, capacity, color=colors)
    ax.axhline(1, color=LIGHT, lw=1, zorder=0)
    ax.set(ylim=(0, 1.05), xticks=feature, xlabel="feature", ylabel="capacity $C_i$")


def _cosines(ax: plt.Axes, W: np.ndarray) -> None:
    """Of an ignored feature there is no direction: its cosines are drawn as 0."""
    length = np.linalg.norm(W, axis=0)
    directions = np.divide(W, length, out=np.zeros_like(W, dtype=float), where=length > 0)
    squares = pair_matrix(ax, directions.T @ directions, 1)
    color_bar(squares, ax, ticks=(-1, -0.5, 0, 0.5, 1))
