"""A small sparse autoencoder, trained on hidden vectors whose features are known.

The activations are z = ReLU(E h + b) and the reconstruction is D z, with columns of D of length 1;
the loss is the squared error and a penalty times the sum of the activations.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .._arrays import ArrayLike, require, require_whole, to_numpy
from .device import pick_device
from .inputs import SparseInput

_SAMPLES = 20_000  # after training


@dataclass(frozen=True)
class SparseAutoencoder:
    """What training found, and what it does on fresh samples.

    Attributes
    ----------
    directions : array (n_dims, n_latents)
        Columns of the decoder, each of length 1.
    strength : array (n_latents,)
        Root mean square of each activation; 0 for a latent that never fires.
    n_active : float
        Latents that fire at a time, on average.
    unexplained : float
        Mean squared error as a part of the mean squared length.
    """

    directions: np.ndarray
    strength: np.ndarray
    n_active: float
    unexplained: float

    @property
    def used(self) -> np.ndarray:
        """The decoder with each column as long as its latent is strong, (n_dims, n_latents).

        The columns of a decoder are of one length by convention; how much of the hidden vector
        a latent really makes up is its activation times the column.
        """
        return self.directions * self.strength

    def found(self, W: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """For each column of W the latent nearest in direction, and the cosine with it.

        The cosine of a zero column is 0.
        """
        W = to_numpy(W)
        length = np.linalg.norm(W, axis=0)
        cosines = (W / np.where(length > 0, length, 1)).T @ self.directions
        latent = cosines.argmax(axis=1)
        return latent, cosines[np.arange(len(latent)), latent]


def train_sparse_autoencoder(
    W: ArrayLike,
    inputs: SparseInput,
    n_latents: int,
    penalty: float,
    n_steps: int = 3000,
    batch_size: int = 512,
    learning_rate: float = 3e-3,
    seed: int = 0,
    device: str = "auto",
) -> SparseAutoencoder:
    """Train on hidden vectors h = W x, where x are sparse features.

    Adam, on fresh samples; the learning rate falls to 0 over the last third of the steps.  Encoder
    and decoder begin as transposes of each other, in random directions.

    Parameters
    ----------
    W : array, shape (n_dims, n_features)
        One known feature a column.
    inputs : SparseInput
        The distribution of each feature; those of one sign have directions without ambiguity.
    n_latents : int
    penalty : float
        Not negative; times the sum of the activations.
    n_steps, batch_size, learning_rate
        Of the optimizer.
    seed : int
        Of the first directions and of the samples.
    device : str
        ``auto``, ``cpu``, ``cuda``, ``mps``.

    Raises
    ------
    ValueError
        For a W that is no matrix, or a setting that is out of its range.

    Examples
    --------
    Two features at a right angle, and as many latents:

    >>> from feature_capacity.models.inputs import UnitSparseUniform
    >>> found = train_sparse_autoencoder(np.eye(2), UnitSparseUniform(0.1), 2, 0.1, n_steps=300,
    ...                                  learning_rate=0.01)
    >>> latent, cosine = found.found(np.eye(2))
    >>> sorted(latent.tolist()), bool((cosine > 0.9).all())
    ([0, 1], True)
    """
    for name, value in (("n_latents", n_latents), ("n_steps", n_steps), ("batch_size", batch_size)):
        require_whole(value, name, 1, None, "a whole number, at least 1")
    require(0 <= penalty < math.inf, f"penalty must be finite and not negative; got {penalty!r}")
    require(0 < learning_rate < math.inf, f"learning_rate must be positive; got {learning_rate!r}")
    known = to_numpy(W)
    require(known.ndim == 2, f"W must be a matrix; it has the shape {known.shape}")
    where = pick_device(device, float64=False)
    columns = torch.as_tensor(known, dtype=torch.float32, device=where)
    generator = torch.Generator(device=where).manual_seed(seed)

    def draw(n: int) -> Tensor:
        return inputs.sample((n, known.shape[1]), generator, dtype=torch.float32) @ columns.T

    first = np.random.default_rng(seed).standard_normal((known.shape[0], n_latents))
    decoder = torch.as_tensor(first / np.linalg.norm(first, axis=0)).float().to(where)
    encoder = decoder.T.clone().requires_grad_()
    bias = torch.zeros(n_latents, device=where, requires_grad=True)
    decoder.requires_grad_()
    optimizer = torch.optim.Adam([encoder, bias, decoder], lr=learning_rate)
    for step in range(n_steps):
        optimizer.param_groups[0]["lr"] = learning_rate * min(1.0, 3 * (1 - step / n_steps))
        hidden = draw(batch_size)
        latents = torch.relu(hidden @ encoder.T + bias)
        error = (latents @ decoder.T - hidden).square().sum(dim=1)
        optimizer.zero_grad(set_to_none=True)
        (error + penalty * latents.sum(dim=1)).mean().backward()
        optimizer.step()
        with torch.no_grad():
            decoder /= decoder.norm(dim=0)
    with torch.no_grad():
        hidden = draw(_SAMPLES)
        latents = torch.relu(hidden @ encoder.T + bias)
        error = (latents @ decoder.T - hidden).square().sum()
    directions = decoder.detach().double().cpu().numpy()
    return SparseAutoencoder(
        directions=directions / np.linalg.norm(directions, axis=0),
        strength=to_numpy(latents.double().square().mean(dim=0).sqrt()),
        n_active=float((latents > 0).sum(dim=1).float().mean()),
        unexplained=float(error / hidden.square().sum()),
    )
