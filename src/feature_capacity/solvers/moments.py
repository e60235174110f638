"""The quadratic model minimized for any inputs, of which only moments are known.

Damped Newton steps on the exact loss, many models at once.  Nothing here knows an optimum in
closed form, so that phase diagrams of dependent or unequal features can be drawn without theory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .._arrays import ArrayLike, checked, constant, require, require_broadcast, to_numpy
from ..theory.moments import FullMoments, Moments
from .batch import Rows
from .damped_newton import Search, SmoothLoss, minimize_in_chunks
from .result import MinimizationResult

_NUMBERS_AT_ONCE = 1 << 22
_MOST_FEATURES = 24


def minimize_moments(
    importance: ArrayLike,
    moments: Moments | FullMoments,
    n_dims: int,
    n_starts: int = 8,
    seed: int | Sequence[int] = 0,
    tolerance: float = 1e-10,
    max_iterations: int = 500,
    device: str = "auto",
    strict: bool = False,
) -> MinimizationResult:
    """Minimize the expected loss of the quadratic model over W for inputs with given moments.

    The loss of :func:`feature_capacity.loss_from_moments` at its best bias, from random starts, in
    float64.  Every combination of cell and start is one model; converged ones leave the batch.

    Parameters
    ----------
    importance : array, shape (*cells, n_features)
    moments : Moments or FullMoments
        A batch of moments is one for each cell.  At most 24 features.
    n_dims : int
        From 1 to the number of features.
    n_starts : int
        Random starts in each cell; the one with the lowest loss is kept.
    seed : int or sequence of int
    tolerance : float
        Gradient norm to reach, with mean importance 1 and squares of mean variance 1.
    max_iterations : int
        Newton steps allowed per model.
    device : str
        ``auto``, ``cpu``, ``cuda``, ``mps``.
    strict : bool
        Raise :class:`.ConvergenceError` when the best start of a cell has not converged.

    Returns
    -------
    MinimizationResult

    Examples
    --------
    Independent features with one below kurtosis 3, which shares:

    >>> from feature_capacity.theory.moments import independent_moments
    >>> moments = independent_moments([2.5, 30, 30, 30, 30], 5)
    >>> minimize_moments([2.6, 1, 1, 1, 1], moments, 2).capacity.round(4)
    array([0.2072, 0.4482, 0.4482, 0.4482, 0.4482])
    """
    cells, shape = _cells(importance, moments)
    n = cells.importance.shape[-1]
    search = Search(n, n_dims, n_starts, seed, tolerance, max_iterations, device)
    at_once = _NUMBERS_AT_ONCE // (n_starts * n**4)
    return minimize_in_chunks(cells, shape, at_once, _loss_of, search, strict)


@dataclass(frozen=True)
class _Cells(Rows):
    """Cells as they are solved: mean importance 1, mean variance of the squares 1."""

    importance: np.ndarray  # (cells, N), of mean 1
    size: np.ndarray  # (cells,): the mean importance that was
    covariance: np.ndarray  # (cells, N, N, N, N): Cov(x_i x_j, x_k x_l) in the unit
    unit: np.ndarray  # (cells,): the mean variance of the squares that was
    second: np.ndarray  # (cells, N, N)


def _cells(importance: ArrayLike, moments: Moments | FullMoments) -> tuple[_Cells, tuple[int, ...]]:
    _, (v,) = checked(importance=importance)
    require(
        isinstance(moments, (Moments, FullMoments)),
        f"moments must be Moments or FullMoments; got a {type(moments).__name__}",
    )
    v = to_numpy(constant(v))
    second, fourth = (to_numpy(constant(x)) for x in (moments.second, moments.fourth))
    n = v.shape[-1]
    require(
        second.shape[-1] == n <= _MOST_FEATURES,
        f"moments must be of as many features as importance has, at most {_MOST_FEATURES}; got "
        f"{second.shape[-1]} and {n}",
    )
    if isinstance(moments, Moments):
        fourth = _all_pairs(fourth)
        second = second[..., :, None] * np.eye(n)
    covariance = fourth - second[..., :, :, None, None] * second[..., None, None, :, :]
    shape = require_broadcast(cells=v.shape[:-1], moments=second.shape[:-2])
    size = np.broadcast_to(v.mean(axis=-1), shape).reshape(-1)
    require(
        (size > 0).all(), "importance must have a positive entry in every cell; drop the others"
    )
    square = np.einsum("...iiii->...i", covariance).mean(axis=-1)
    require((square > 0).all(), "the squares of some inputs must vary; all are constant")
    unit = np.broadcast_to(square, shape).reshape(-1)

    def flat(x: np.ndarray, axes: int) -> np.ndarray:
        return np.broadcast_to(x, (*shape, *x.shape[-axes:])).reshape(-1, *x.shape[-axes:])

    covariance = flat(covariance / square[..., None, None, None, None], 4)
    cells = _Cells(flat(v, 1) / size[:, None], size, covariance, unit, flat(second, 2))
    return cells, shape


def _all_pairs(pairs: np.ndarray) -> np.ndarray:
    """E[x_i x_j x_k x_l] from E[x_i^2 x_j^2], where odd moments vanish."""
    n = pairs.shape[-1]
    eye = np.eye(n)
    fourth = np.einsum("...ik,ij,kl->...ijkl", pairs, eye, eye)
    fourth += np.einsum("...ij,ik,jl->...ijkl", pairs, eye, eye)
    fourth += np.einsum("...ij,il,jk->...ijkl", pairs, eye, eye)
    i = np.arange(n)
    fourth[..., i, i, i, i] /= 3  # the three pairings are one where all indices agree
    return fourth


def _loss_of(cells: _Cells, search: Search) -> SmoothLoss:
    """The loss of every start of every cell, in the units of the cell."""
    v = torch.tensor(cells.importance.repeat(search.n_starts, axis=0), device=search.where)
    T = torch.tensor(cells.covariance, device=search.where)
    cell = torch.arange(len(T), device=search.where).repeat_interleave(search.n_starts)

    def at(W: Tensor, model: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        loss, Q = _loss_and_derivative(W, v[model], T, cell[model])
        return loss, 2 * W @ Q, Q

    def hessian(W: Tensor, Q: Tensor, model: Tensor) -> Tensor:
        return _hessian(W, Q, T, cell[model])

    def bias(W: np.ndarray) -> np.ndarray:
        importance = cells.importance * cells.size[:, None]
        target = np.einsum("ci,ij->cij", importance, np.eye(importance.shape[-1]))
        error = np.swapaxes(W, -1, -2) @ W - target
        return -(error * cells.second).sum((-2, -1))

    return SmoothLoss(at, hessian, cells.size, cells.unit * cells.size**2, bias)


def _loss_and_derivative(W: Tensor, v: Tensor, T: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
    """The loss M T M, and its symmetric derivative 2 T M, at M = W^T W - diag(v)."""
    M = W.mT @ W - torch.diag_embed(v)
    Q = 2 * torch.einsum("mijkl,mkl->mij", T[cell], M)
    Q = (Q + Q.mT) / 2
    return (Q * M).sum((-2, -1)) / 2, Q


def _hessian(W: Tensor, Q: Tensor, T: Tensor, cell: Tensor) -> Tensor:
    """Second derivatives, (models, D * N, D * N) in (D, N) order."""
    models, d, n = W.shape
    # T is symmetric in each pair of indices, so that one product with W on each side is enough.
    half = torch.einsum("mal,mlikj->maikj", W, T[cell])
    h = 8 * torch.einsum("maikj,mbk->maibj", half, W)
    h += 2 * torch.einsum("ab,mij->maibj", torch.eye(d).to(W), Q)
    return h.reshape(models, d * n, d * n)
