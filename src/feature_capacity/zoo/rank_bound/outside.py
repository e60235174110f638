r"""The rectangle of lengths and biases that is looked at, and what is lost outside of it.

Outside :math:`\Phi\ge T`, proved by interval arithmetic, or from the corners, on boxes that are
split where necessary, and by hand where the bias or :math:`g=\alpha^2` is huge.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .activations import FAR, LATTICE, Activation
from .case import Case, missing

_TOP = 4.0  # biases beyond this lose at least the square of the activation there
_MOST_BOXES = 12000

Box = tuple[float, float, float, float]
"""From one value to another of the first coordinate, and then of the bias."""


@dataclass(frozen=True)
class Outside:
    r"""Lower bounds of :math:`\Phi` outside of the rectangle.

    Attributes
    ----------
    small : float
        Where a length is too short.
    bias : float
        Where the bias is outside.
    large : float
        Where a length is too long.
    """

    small: float
    bias: float
    large: float


def rectangle(case: Case, s: np.ndarray, gain: float) -> tuple[Box, Outside]:
    """A rectangle (lengths, then biases), and bounds of the loss outside of it.

    It is as large as it need be for a feature outside not to decide the bound.

    Parameters
    ----------
    case : Case
    s, gain : array and float
        From :func:`~feature_capacity.zoo.rank_bound.case.rank_weights`.
    """
    third, grown = case.p / 3, 0.85 * case.found / gain if gain > 0 else 0.0
    need = 1.25 * float((missing(case, s, grown) / case.v).max()) / case.chance(0)
    aim = min(max(need, 0.3 * third), 0.6 * third)
    lengths = np.linspace(0.0, 4.0, 161)
    beta = np.arange(-8.0, 4.0, 0.02)
    loss = np.array([case.loss(a * a, beta) for a in lengths])
    low = max(lengths[np.flatnonzero((loss < 0.5 * third).any(1))[0]] - 0.05, 0.0)
    inside = (loss < aim) & (lengths >= low)[:, None]
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    b0 = math.floor((beta[columns[0]] - 0.04) / LATTICE) * LATTICE
    b1 = math.ceil((beta[columns[-1]] + 0.04) / LATTICE) * LATTICE
    box = (low, lengths[rows[-1]] + 0.2, b0, b1)
    g0, g1, wide = box[0] ** 2, box[1] ** 2, 4 * FAR
    parts: tuple[tuple[float, list[Box]], ...] = (
        (0.5 * third, [(0, g0, -FAR, _TOP)]),
        (aim, [(g0, g1, -FAR, b0), (g0, g1, b1, _TOP)]),
        (0.7 * third, [(g1, wide, -FAR, _TOP)]),
    )
    return box, Outside(*(_least(case, boxes, least) for least, boxes in parts))


def _least(case: Case, roots: list[Box], aim: float) -> float:
    """A lower bound of Φ, at most aim, in boxes (g, b) and beyond, by splitting what is below aim.

    Beyond are biases below -64 and above 4, and g above 256 with a bias from -64 on, where the
    answer is 64 or more for half of all x.
    """
    boxes = np.array([box for box in roots if box[1] > box[0] and box[3] > box[2]], float)
    top = float(case.act.value(np.array(_TOP)))
    least = min(aim, case.p * case.act.far, (1 - case.p) * top**2)
    for _ in range(24):
        if not len(boxes):
            return least
        below = box_loss(case, boxes)
        if len(boxes) > _MOST_BOXES:
            return float(min(below.min(), least))
        boxes = _halves(boxes[below < least])
    return float(min(least, box_loss(case, boxes).min())) if len(boxes) else least


def _halves(boxes: np.ndarray) -> np.ndarray:
    """Each box split across its longer side; sides far out count less."""
    g, b = boxes[:, :2], boxes[:, 2:]
    tall = (b[:, 1] - b[:, 0]) / (1 + np.abs(b).min(1))
    by_g = (g[:, 1] - g[:, 0]) / (1 + g[:, 0]) > tall
    first, second = boxes.copy(), boxes.copy()
    middle = boxes.reshape(-1, 2, 2).mean(2)
    first[:, 1] = np.where(by_g, middle[:, 0], first[:, 1])
    second[:, 0] = np.where(by_g, middle[:, 0], second[:, 0])
    first[:, 3] = np.where(by_g, first[:, 3], middle[:, 1])
    second[:, 2] = np.where(by_g, second[:, 2], middle[:, 1])
    return np.concatenate([first, second])


def _image(act: Activation, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The interval that an activation with a single minimum makes of an interval."""
    inner = act.value(np.clip(act.least, low, high))
    return inner, np.maximum(act.value(low), act.value(high))


def box_loss(case: Case, boxes: np.ndarray, n_cells: int = 48) -> np.ndarray:
    r"""Lower bounds of :math:`\Phi` in boxes.

    Parameters
    ----------
    case : Case
    boxes : array (n_boxes, 4)
        From and to in g, and then in the bias.
    n_cells : int
        Of the values x of the feature, in each of which intervals are taken.
    """
    x = np.linspace(0.0, 1.0, n_cells + 1)
    g0, g1, b0, b1 = (boxes[:, k, None] for k in range(4))
    low, high = _image(case.act, g0 * x[:-1] + b0, g1 * x[1:] + b1)
    away = np.maximum(np.maximum(low - x[1:], x[:-1] - high), 0.0)
    off = _image(case.act, b0[:, 0], b1[:, 0])
    least = np.maximum(np.maximum(off[0], -off[1]), 0.0)
    below = (1 - case.p) * least**2 + case.p * (away**2).mean(1)
    if math.isinf(case.act.kappa):
        return below
    # Chords between corners less the second derivatives: at most p/3 of κ along g, κ along b.
    corners = [case.loss(boxes[:, k], boxes[:, m]) for k in (0, 1) for m in (2, 3)]
    sides = (boxes[:, 1] - boxes[:, 0]) ** 2 * case.p / 3 + (boxes[:, 3] - boxes[:, 2]) ** 2
    return np.maximum(below, np.min(corners, axis=0) - case.act.kappa * sides / 8)
