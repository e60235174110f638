"""What a penalty on overlap does to blocks and losses, and how large blocks are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from .._arrays import to_numpy
from ..models.inputs import SparseInput, SparseUniform, UnitSparseUniform
from ..models.penalty import baseline_loss, penalized_kurtosis
from ..models.toy_models import ToyModel
from ..solvers.minimization import coarse_to_fine, minimize
from ..solvers.newton import minimize_quadratic
from ..theory.capacity import interference
from ..theory.quadratic import expected_loss
from .reading import largest_block

LADDERS = np.array([0.95, 0.85, 0.7])[:, None] ** np.arange(6)
"""Importances of six features that fall at three rates."""

PROBABILITIES = (0.01, 0.1)
"""Feature probabilities at which penalties are tried."""

_INPUTS: dict[str, type[SparseInput]] = {
    "computation": SparseUniform,
    "autoencoder": UnitSparseUniform,
}
_SINGLE = 1.1  # mean size of the largest block at which blocks count as gone


@dataclass(frozen=True)
class PenaltyCurve:
    """By the strength of the penalty, over the cells of `LADDERS` and `PROBABILITIES`.

    Attributes
    ----------
    largest_block : array (n_strengths,)
        Mean number of features in the largest block.
    rise : array (n_strengths,)
        Loss without the penalty over that of the network that was not penalized, median.
    """

    largest_block: np.ndarray
    rise: np.ndarray

    @property
    def rise_at_the_end(self) -> float:
        """The rise where blocks are gone first; NaN if they never are."""
        gone = np.flatnonzero(self.largest_block <= _SINGLE)
        return float(self.rise[gone[0]]) if len(gone) else float("nan")


def along_penalties(
    model: str,
    activation: str,
    strengths: np.ndarray,
    n_starts: int = 4,
    n_points: int = 4096,
    seed: int = 0,
    device: str = "auto",
) -> PenaltyCurve:
    """Minimize under penalties of growing strength, six features in three dimensions.

    Parameters
    ----------
    model : {"computation", "autoencoder"}
    activation : str
    strengths : increasing numbers (n_strengths,)
        In units of the loss of an empty network; the first is 0.
    n_starts, n_points, seed, device
        Of the minimization.

    Examples
    --------
    >>> curve = along_penalties("computation", "quadratic", np.array([0.0, 1.0]))
    >>> curve.largest_block.round(1), bool(curve.rise[1] > 2)
    (array([5.7, 1. ]), True)
    """
    toy, losses, sizes = ToyModel(model, activation, 6, 3), [], []
    for i, p in enumerate(PROBABILITIES):
        inputs, v = _INPUTS[model](p), np.tile(LADDERS, (len(strengths), 1))
        beta = np.repeat(strengths, len(LADDERS)) * baseline_loss(toy, inputs, v)
        if (model, activation) == ("computation", "quadratic"):
            W = _exact(v, inputs.kurtosis, beta, n_starts, seed, device)
            loss = expected_loss(W, v, inputs.kurtosis)
        else:
            found = minimize(
                toy, inputs, v, n_starts=2 * n_starts, seed=[seed, 11, i], overlap_penalty=beta,
                quadrature=coarse_to_fine(inputs, 6, n_points, seed), device=device,
            )  # fmt: skip
            W, loss = found.W, found.loss - beta * _overlap(found.W)
        losses.append(to_numpy(loss).reshape(len(strengths), -1))
        sizes.append(np.reshape([largest_block(each) for each in W], (len(strengths), -1)))
    loss = np.concatenate(losses, axis=1)
    size = np.concatenate(sizes, axis=1).mean(axis=1)
    return PenaltyCurve(size, np.median(loss / loss[0], axis=1))


def two_ways(
    strengths: np.ndarray, n_starts: int = 4, seed: int = 0, device: str = "auto"
) -> tuple[np.ndarray, np.ndarray]:
    """Loss and penalty of the quadratic model, added, and by the formula of another kurtosis.

    Examples
    --------
    >>> added, formula = two_ways(np.array([0.0, 0.1]))
    >>> bool(np.allclose(added, formula, rtol=1e-12))
    True
    """
    added, formula = [], []
    for p in PROBABILITIES:
        inputs, v = SparseUniform(p), np.tile(LADDERS, (len(strengths), 1))
        unit = baseline_loss(ToyModel("computation", "quadratic", 6, 3), inputs, v)
        beta = np.repeat(strengths, len(LADDERS)) * unit
        W = _exact(v, inputs.kurtosis, beta, n_starts, seed, device)
        plain = expected_loss(W, v, inputs.kurtosis)
        added.append(plain + beta * _overlap(W))
        other = _kurtosis(inputs.kurtosis, beta)
        formula.append((1 + beta / 2) * expected_loss(W, v, other))
    return np.concatenate(added), np.concatenate(formula)


def mean_block(found: xr.Dataset) -> float:
    """Mean number of features in the largest block, over cells with p <= 0.1 and V near 1."""
    near = np.abs(np.log10(found.importance.values)) <= 1
    cells = found.W.values[found.probability.values <= 0.1][:, near]
    cells = cells.reshape(-1, *cells.shape[2:])
    return float(np.mean([largest_block(W) for W in cells]))


def _exact(
    v: np.ndarray, kurtosis: float, beta: np.ndarray, n_starts: int, seed: int, device: str
) -> np.ndarray:
    """Minima of the penalized quadratic model: those of the plain one at another kurtosis."""
    row = _kurtosis(kurtosis, beta)
    return minimize_quadratic(v, row, 3, n_starts=n_starts, seed=seed, device=device).W


def _kurtosis(kurtosis: float, beta: np.ndarray) -> np.ndarray:
    return to_numpy(penalized_kurtosis(np.asarray(kurtosis), beta))[:, None]


def _overlap(W: np.ndarray) -> np.ndarray:
    """The sum of squared products of each embedding."""
    return to_numpy(interference(W)).sum(axis=-1)
