"""The phase-diagram explorer: a map of capacity, and the embedding in each of its cells."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.colors import to_hex

from .._arrays import require
from .._style import CAPACITY_MAP
from ..figures.stills import still_map
from .capacity import COLORS
from .html import Explorer

MAX_CELLS = 64
"""Cells along a side that are shown; of finer maps some are left out, for the weight of a page."""

_UNITS = 32767  # steps of a 16-bit entry, from 0 to the largest entry of the cell


@dataclass(frozen=True)
class PhaseMap:
    """One map; rows go with the probability, columns with the importance of feature 1.

    Attributes
    ----------
    values : array (n_probability, n_importance)
        Capacity of feature 1, or a difference of capacities; NaN where there is none.
    loss : array (n_probability, n_importance)
        Expected loss.
    W : array (n_probability, n_importance, n_dims, n_features)
        Embedding shown for a cell. Maps that show the same array ship it once.
    scale : {"capacity", "difference"}
        How `values` are colored.
    """

    values: np.ndarray
    loss: np.ndarray
    W: np.ndarray
    scale: str = "capacity"


def phase_explorer(
    maps: Mapping[tuple[str, ...], PhaseMap],
    axes: Mapping[str, str],
    importance: np.ndarray,
    probability: np.ndarray,
    kurtosis: np.ndarray,
    *,
    start: tuple[float, float] = (1.2, 0.02),
    tolerance: float = 0.1,
) -> Explorer:
    """Phase diagrams to point at: a cell's numbers, vectors, cosines and blocks.

    Parameters
    ----------
    maps : mapping of tuple of str to PhaseMap
        One map for each combination of names, such as ("autoencoder", "ReLU").
    axes : mapping of str to str
        For each place of those tuples a short name, for addresses, and a label.
    importance, probability, kurtosis : arrays (n_importance,), (n_probability,), (n_probability,)
        What columns and rows stand for; importance and probability are spaced evenly in logarithm.
    start : tuple of float
        Importance and probability of the cell chosen at first.
    tolerance : float
        Cosine above which two features count as linked.

    Raises
    ------
    ValueError
        If the shapes of a map do not fit the rows and columns.

    Notes
    -----
    Entries of an embedding are rounded to 1/32767 of the largest one in their cell, values and
    losses to single precision, so that nine maps of 32 x 32 cells take less than a megabyte.
    Of more than 64 cells along a side every second, third, and so on, is shown.

    Examples
    --------
    >>> W = np.broadcast_to(np.eye(2, 3), (2, 2, 2, 3))
    >>> one = PhaseMap(np.ones((2, 2)), np.zeros((2, 2)), W)
    >>> v, p = np.array([0.1, 10]), np.array([0.01, 1])
    >>> phase_explorer({("theory",): one}, {"route": "route"}, v, p, 9 / (5 * p))
    Explorer: open the page in a browser to use it
    """
    require(len(maps) > 0, "phase_explorer needs at least one map")
    shape = (len(probability), len(importance))
    _check(maps, axes, shape)
    rows, columns = (slice(None, None, -(-n // MAX_CELLS)) for n in shape)
    importance, probability, kurtosis = importance[columns], probability[rows], kurtosis[rows]
    embeddings = {id(one.W): one.W for one in maps.values()}  # each array once
    shipped = [
        {
            "key": list(key),
            "scale": one.scale,
            "shape": list(one.W.shape[2:]),
            "values": _packed(one.values[rows, columns], "<f4"),
            "loss": _packed(one.loss[rows, columns], "<f4"),
            "embedding": list(embeddings).index(id(one.W)),
        }
        for key, one in maps.items()
    ]
    column, row = (
        int(np.abs(np.log(np.asarray(values) / at)).argmin())
        for values, at in zip((importance, probability), start, strict=True)
    )
    data = {
        "axes": [{"name": name, "label": label} for name, label in axes.items()],
        "maps": shipped,
        "embeddings": [_packed_embeddings(W[rows, columns]) for W in embeddings.values()],
        "importance": _numbers(importance),
        "probability": _numbers(probability),
        "kurtosis": _numbers(kurtosis),
        "tolerance": tolerance,
        "colors": COLORS,
        "ramp": [to_hex(color) for color in CAPACITY_MAP(np.linspace(0, 1, 128))],
    }
    state = {
        "key": list(next(iter(maps))),
        "importance": float(importance[column]),
        "probability": float(probability[row]),
    }
    key, opening = next(iter(maps.items()))
    W = np.asarray(opening.W[rows, columns][row, column], dtype=float)
    picture = importance, probability, opening.values[rows, columns]
    still = still_map(picture, (row, column), W)
    alt = (
        f"Map of the capacity of feature 1 ({', '.join(key)}), and the cosines between features "
        f"at importance {importance[column]:.3g} and probability {probability[row]:.3g}."
    )
    title = "Explore: every cell and its embedding"
    return Explorer("phases", title, data, state, still, alt)


def _check(
    maps: Mapping[tuple[str, ...], PhaseMap], axes: Mapping[str, str], shape: tuple[int, int]
) -> None:
    for key, one in maps.items():
        words = f"a map is named by {len(axes)} words ({', '.join(axes)}); got {key!r}"
        require(len(key) == len(axes), words)
        for name in ("values", "loss", "W"):
            found = np.shape(getattr(one, name))[:2]
            require(found == shape, f"{name} of {key!r} must begin with {shape}; got {found}")


def _numbers(values: np.ndarray) -> Sequence[float]:
    return [float(f"{x:.10g}") for x in np.asarray(values, dtype=float)]


def _packed(values: np.ndarray, dtype: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values, dtype=dtype).tobytes()).decode("ascii")


def _packed_embeddings(W: np.ndarray) -> str:
    """All cells: first the unit of each in single precision, then the entries, column by column."""
    cells = np.asarray(W, dtype=float).reshape(-1, *W.shape[2:])
    unit = (np.abs(cells).max(axis=(1, 2)) / _UNITS).astype("<f4")
    safe = np.where(unit > 0, unit, 1).astype(float)[:, None, None]
    entries = np.rint(cells.swapaxes(1, 2) / safe).clip(-_UNITS, _UNITS).astype("<i2")
    return base64.b64encode(unit.tobytes() + entries.tobytes()).decode("ascii")
