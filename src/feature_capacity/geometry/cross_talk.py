"""How far each neuron is from hearing one feature only, in the given neuron basis."""

from __future__ import annotations

import numpy as np

from .._arrays import ArrayLike, float64, require


def cross_talk(W: ArrayLike) -> np.ndarray:
    """Second strongest input of a neuron over its strongest, for the worst neuron.

    Parameters
    ----------
    W : array (..., n_dims, n_features)
        At least two features; neurons are rows.

    Returns
    -------
    array (...)
        From 0, where every neuron hears one feature or none, to 1.

    Raises
    ------
    ValueError
        For fewer than two features.

    Examples
    --------
    Each feature on a neuron of its own; and both on both, the weaker half as strong:

    >>> float(cross_talk([[1.0, 0.0], [0.0, 2.0]])), float(cross_talk([[1.0, 2.0], [0.0, 2.0]]))
    (0.0, 0.5)
    """
    W = float64(W, "W")
    require(
        W.ndim >= 2 and W.shape[-1] >= 2,
        f"W must end in (n_dims, n_features) with at least two features; got shape {W.shape}",
    )
    strength = np.sort(np.abs(W), axis=-1)
    strongest, second = strength[..., -1], strength[..., -2]
    return (second / np.where(strongest > 0, strongest, 1)).max(axis=-1)
