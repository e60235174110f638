r"""Three sparse autoencoders for hidden vectors at hand: L1, top-k, and nested (Matryoshka).

All encode by :math:`z=\mathrm{relu}(Eh+b)` and answer :math:`Dz`, with columns of D of length 1.
None has a bias of its output: where features are not negative, one that is learned comes to lie at
the mean, and directions tilt away from it.

*L1* pays for the sum of z (Bricken et al. 2023); *top-k* keeps the k largest entries of z (Gao et
al. 2024); *nested* does too, and asks the first eighth, quarter and half of the latents to answer
on their own as well (Matryoshka, Bussmann et al. 2025).

A latent that never fires learns nothing.  With ``resample_every``, latents that fire for fewer
than one sample in 5,000 are begun anew in the direction of what is badly explained (Bricken et al.
2023).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .._arrays import (
    ArrayLike,
    float64,
    require,
    require_finite,
    require_known,
    require_whole,
    to_numpy,
)
from .device import pick_device

RULES = ("l1", "topk", "nested")
"""How a dictionary is kept sparse."""

_PREFIXES = (8, 4, 2, 1)  # the first 1/8, 1/4, 1/2 of the latents, and all
RARE = 1 / 5000
"""A latent that fires for a smaller part of the samples than this is dead."""

_TIMID = 0.2  # length of a resampled encoder row, in units of the mean length


@dataclass(frozen=True)
class Dictionary:
    """A trained sparse autoencoder.

    Attributes
    ----------
    rule : {"l1", "topk", "nested"}
    directions : array (n_dims, n_latents)
        Columns of the decoder, of length 1.
    encoder : array (n_latents, n_dims)
    bias : array (n_latents,)
    n_active : int
        Latents that a top-k rule keeps; 0 for L1.
    n_resampled : int
        Latents that were begun anew, counted as often as they were.
    """

    rule: str
    directions: np.ndarray
    encoder: np.ndarray
    bias: np.ndarray
    n_active: int
    n_resampled: int

    def encode(self, hidden: ArrayLike) -> np.ndarray:
        """Activations of the latents, (n_samples, n_latents), none negative."""
        z = np.maximum(to_numpy(hidden) @ self.encoder.T + self.bias, 0)
        if self.rule != "l1" and self.n_active < z.shape[1]:
            least = np.partition(z, -self.n_active, axis=1)[:, -self.n_active, None]
            z = np.where(z >= least, z, 0)
        return z

    def decode(self, codes: ArrayLike) -> np.ndarray:
        """What the latents answer, (n_samples, n_dims)."""
        return to_numpy(codes) @ self.directions.T

    def unexplained(self, hidden: ArrayLike) -> float:
        """Mean squared error as a part of the variance of the hidden vectors."""
        h = to_numpy(hidden)
        error = self.decode(self.encode(h)) - h
        return float((error**2).sum() / ((h - h.mean(axis=0)) ** 2).sum())

    def cost(self, hidden: ArrayLike, penalty: float) -> float:
        """What an L1 dictionary minimizes: mean squared error, and penalty times the mean sum.

        Hidden vectors are scaled to a mean squared length of 1, as in training.
        """
        h = to_numpy(hidden)
        size = (h**2).sum(axis=1).mean()
        z = self.encode(h)
        error = ((self.decode(z) - h) ** 2).sum(axis=1).mean() / size
        return float(error + penalty * z.sum(axis=1).mean() / math.sqrt(size))


def train_dictionary(
    hidden: ArrayLike,
    n_latents: int,
    rule: str = "l1",
    sparsity: float = 0.1,
    n_steps: int = 2000,
    batch_size: int = 256,
    learning_rate: float = 3e-3,
    resample_every: int = 0,
    seed: int = 0,
    device: str = "auto",
    directions: ArrayLike | None = None,
) -> Dictionary:
    """Train a dictionary on hidden vectors, by Adam; the learning rate falls in the last third.

    Parameters
    ----------
    hidden : array (n_samples, n_dims)
    n_latents : int
    rule : {"l1", "topk", "nested"}
    sparsity : float
        For L1 the penalty on the sum of the activations, hidden vectors being scaled to a mean
        squared length of 1; otherwise the whole number of latents that may be active.
    n_steps, batch_size, learning_rate
        Of the optimizer; batches are drawn from ``hidden`` with replacement.
    resample_every : int
        Steps after which latents that have hardly fired since are begun anew, in the first two
        thirds of training; 0 for never.
    seed : int
    device : str
        ``auto``, ``cpu``, ``cuda``, ``mps``.
    directions : array (n_dims, n_latents), optional
        Columns of the decoder, none of them 0, that are held while the encoder is trained; none
        is begun anew.

    Raises
    ------
    ValueError
        For hidden vectors that are no matrix or all 0, directions that do not fit, or a setting
        out of range.

    Examples
    --------
    Two features at a right angle:

    >>> rng = np.random.default_rng(0)
    >>> hidden = (rng.random((4000, 2)) < 0.1) * rng.random((4000, 2))
    >>> found = train_dictionary(hidden, 2, "topk", sparsity=1, n_steps=1000)
    >>> np.abs(found.directions).max(axis=1).round(1)
    array([1., 1.])
    """
    h = to_numpy(hidden)
    require(h.ndim == 2, f"hidden must have shape (n_samples, n_dims); got {h.shape}")
    require_finite(np, h, "hidden")
    require_known("rule", rule, RULES)
    for name, value in (("n_latents", n_latents), ("n_steps", n_steps), ("batch_size", batch_size)):
        require_whole(value, name, 1, None, "a whole number, at least 1")
    require_whole(resample_every, "resample_every", 0, None, "a whole number, at least 0")
    require(0 < learning_rate < math.inf, f"learning_rate must be positive; got {learning_rate!r}")
    if rule == "l1":
        require(0 <= sparsity < math.inf, f"sparsity must be finite, at least 0; got {sparsity!r}")
        n_active = 0
    else:
        limit = f"a whole number from 1 to n_latents ({n_latents}) for the rule {rule}"
        n_active = require_whole(sparsity, "sparsity", 1, n_latents, limit)
    scale = math.sqrt(float((h**2).sum(axis=1).mean()))
    require(scale > 0, "hidden must hold vectors other than 0; all are 0")
    where = pick_device(device, float64=False)
    data = torch.as_tensor(h / scale, dtype=torch.float32, device=where)
    held = None if directions is None else _held(directions, h.shape[1], n_latents)
    state = _Training(data, n_latents, rule, sparsity, n_active, learning_rate, seed, held)
    if held is not None:
        resample_every = 0
    for step in range(n_steps):
        state.step(learning_rate * min(1.0, 3 * (1 - step / n_steps)), batch_size)
        early = step < 2 * n_steps / 3
        if resample_every and early and step % resample_every == resample_every - 1:
            state.resample()
    D = to_numpy(state.decoder)
    return Dictionary(
        rule=rule,
        directions=D / np.linalg.norm(D, axis=0),
        encoder=to_numpy(state.encoder),
        bias=to_numpy(state.bias) * scale,
        n_active=n_active,
        n_resampled=state.n_resampled,
    )


def _held(directions: ArrayLike, n_dims: int, n_latents: int) -> np.ndarray:
    """Directions of length 1, checked."""
    D = float64(directions, "directions")
    require(
        D.shape == (n_dims, n_latents),
        f"directions must have shape (n_dims, n_latents), here {(n_dims, n_latents)}; "
        f"got {D.shape}",
    )
    length = np.linalg.norm(D, axis=0)
    require(bool((length > 0).all()), "directions must have no column of zeros; leave those out")
    return D / length


class _Training:
    """Weights, optimizer and who has fired since the last look."""

    def __init__(
        self,
        data: Tensor,
        n_latents: int,
        rule: str,
        sparsity: float,
        n_active: int,
        learning_rate: float,
        seed: int,
        held: np.ndarray | None = None,
    ) -> None:
        self.data, self.rule, self.penalty, self.n_active = data, rule, sparsity, n_active
        self.generator = np.random.default_rng(seed)
        first = self.generator.standard_normal((data.shape[1], n_latents))
        first /= np.linalg.norm(first, axis=0)
        self.free = held is None
        first = first if held is None else held
        self.decoder = torch.as_tensor(first, dtype=torch.float32, device=data.device)
        self.encoder = self.decoder.T.clone().requires_grad_()
        self.bias = torch.zeros(n_latents, device=data.device, requires_grad=True)
        weights = [self.encoder, self.bias]
        if self.free:
            weights.append(self.decoder.requires_grad_())
        self.optimizer = torch.optim.Adam(weights, lr=learning_rate)
        self.fired = torch.zeros(n_latents, dtype=torch.int64, device=data.device)
        self.n_seen = 0
        self.n_resampled = 0

    def batch(self, size: int) -> Tensor:
        index = self.generator.integers(len(self.data), size=size)
        return self.data[torch.from_numpy(index).to(self.data.device)]

    def encode(self, h: Tensor) -> Tensor:
        z = torch.relu(h @ self.encoder.T + self.bias)
        if self.rule == "l1" or self.n_active >= z.shape[1]:
            return z
        top = z.topk(self.n_active, dim=1)
        return torch.zeros_like(z).scatter(1, top.indices, top.values)

    def step(self, learning_rate: float, batch_size: int) -> None:
        self.optimizer.param_groups[0]["lr"] = learning_rate
        h = self.batch(batch_size)
        z = self.encode(h)
        n = z.shape[1]
        ends = [max(1, n // part) for part in _PREFIXES] if self.rule == "nested" else [n]
        loss = torch.zeros((), device=h.device)
        for end in ends:
            answer = z[:, :end] @ self.decoder[:, :end].T
            loss = loss + (answer - h).square().sum(dim=1).mean() / len(ends)
        if self.rule == "l1":
            loss = loss + self.penalty * z.sum(dim=1).mean()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        with torch.no_grad():
            if self.free:
                self.decoder /= self.decoder.norm(dim=0)
            self.fired += (z > 0).sum(dim=0)
            self.n_seen += batch_size

    @torch.no_grad()
    def resample(self) -> None:
        """Begin dead latents anew at samples drawn by their squared error."""
        dead = torch.nonzero(self.fired < RARE * self.n_seen)[:, 0]
        self.fired, self.n_seen = torch.zeros_like(self.fired), 0
        if not len(dead):
            return
        h = self.batch(4096)
        left = h - self.encode(h) @ self.decoder.T
        chance = to_numpy(left.square().sum(dim=1)) + 1e-12
        drawn = self.generator.choice(len(h), len(dead), p=chance / chance.sum())
        direction = left[torch.from_numpy(drawn).to(h.device)]
        direction = direction / direction.norm(dim=1, keepdim=True).clamp_min(1e-12)
        length = self.encoder.norm(dim=1).mean()
        self.decoder[:, dead] = direction.T
        self.encoder[dead] = _TIMID * length * direction
        self.bias[dead] = 0
        for weight, columns in ((self.encoder, False), (self.bias, False), (self.decoder, True)):
            for key in ("exp_avg", "exp_avg_sq"):
                moment = self.optimizer.state[weight][key]
                if columns:
                    moment[:, dead] = 0
                else:
                    moment[dead] = 0
        self.n_resampled += len(dead)
