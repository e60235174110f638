"""How many features a dictionary tells apart, as one more measure of an embedding.

In two or three dimensions many latents lie near any direction by chance.  A dictionary here has
few latents, a latent counts for one feature, and it must be within a cosine of 0.98.
"""

from __future__ import annotations

import numpy as np

from .._arrays import ArrayLike, as_one_matrix, float64, require, require_number
from ..models.dictionaries import train_dictionary
from .reading import one_signed

CLOSE = 0.98
"""A latent whose cosine with a feature is above this tells it."""

_MOST_ACTIVE = 12  # latents that are kept at a time, at most


def features_told(
    W: ArrayLike,
    features: ArrayLike,
    rule: str = "topk",
    penalty: float = 0.3,
    close: float = CLOSE,
    n_latents: int | None = None,
    n_steps: int = 600,
    seed: int = 0,
    device: str = "auto",
) -> float:
    """How many features a dictionary tells apart, trained on the hidden vectors W x.

    The number of different latents that are nearest to some feature and close to it.  Of a feature
    of either sign each sign is half of it; so the two of an antipodal pair, which no direction
    tells apart, count as one.  A dictionary that keeps a number of latents keeps as many as there
    are features on at a time, rounded.

    Parameters
    ----------
    W : array (n_dims, n_features)
        Not all 0.
    features : array (n_samples, n_features)
        The last fifth of the samples is kept from training, to see which latents fire.
    rule : {"l1", "topk", "nested"}
    penalty : float
        Of the L1 rule.
    close : float
        In [0, 1]: cosine with a latent from which on a feature is told.
    n_latents : int, optional
        Default: two for each feature, and for each sign of it.
    n_steps, seed, device
        Of :func:`~feature_capacity.models.dictionaries.train_dictionary`.

    Raises
    ------
    ValueError
        For shapes that do not fit together, fewer than 5 samples, or a setting out of range.

    Examples
    --------
    Copies are one direction, and so are antipodal features of either sign:

    >>> x = np.random.default_rng(0).random((500, 2))
    >>> features_told([[1.0, 1.0]], x, n_steps=20)
    1.0
    >>> features_told([[1.0, -1.0]], x - 0.5, n_steps=20)
    1.0
    """
    W, x = as_one_matrix(W), float64(features, "features")
    fits = x.ndim == 2 and x.shape[1] == W.shape[1] and len(x) >= 5
    shape = f"(n_samples, {W.shape[1]}), at least 5 samples"
    require(fits, f"features must have shape {shape}; got {x.shape}")
    require_number(close, "close", 0, 1, "[0, 1]")
    known, truth = one_signed(W, x)
    hidden, n_parts = x @ W.T, known.shape[1]
    n_latents = 2 * n_parts if n_latents is None else n_latents
    cut = len(x) - len(x) // 5
    sparsity = penalty
    if rule != "l1":
        usual = float((truth > 0).sum(axis=1).mean())
        sparsity = max(1, min(round(usual), _MOST_ACTIVE, n_latents))
    made = train_dictionary(
        hidden[:cut], n_latents, rule, sparsity, n_steps, seed=seed, device=device
    )
    length = np.linalg.norm(known, axis=0)
    there = length > 0
    cosines = (known[:, there] / length[there]).T @ made.directions
    cosines[:, ~(made.encode(hidden[cut:]) > 0).any(axis=0)] = -1.0
    latents = np.unique(cosines.argmax(axis=1)[cosines.max(axis=1) > close])
    return float(len(latents) * W.shape[1] / n_parts)
