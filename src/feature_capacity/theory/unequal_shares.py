"""Capacities, lengths and multiplier of rows whose features differ in kurtosis, from their phases.

:mod:`feature_capacity.theory.unequal_kurtosis` finds the phases; what follows from them is a closed
form for NumPy arrays and torch tensors alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from array_api_compat import device

from .._arrays import Array, Mask, Namespace, constant, to_numpy
from .unequal_kurtosis import phases_of_row


@dataclass(frozen=True)
class UnequalShares:
    """The best allocation of rows whose features differ in kurtosis; fields as in Allocation."""

    capacity: Array
    sq_norm: Array
    multiplier: Array
    least_multiplier: Array
    unique: Mask
    tied: Mask
    tied_budget: Array


def unequal_shares(xp: Namespace, v: Array, k: Array, n_dims: int) -> UnequalShares:
    """Capacities and lengths from the phases; ``v`` and ``k`` valid, of one shape ``(*batch, N)``.

    The phases are constants; the numbers are then a closed form, through which gradients flow.
    """
    shape = v.shape
    importances, kurtoses = (to_numpy(constant(x)).reshape(-1, shape[-1]) for x in (v, k))
    found = [phases_of_row(*row, n_dims) for row in zip(importances, kurtoses, strict=True)]

    def mask(name: str) -> Mask:
        stacked = np.stack([getattr(phases, name) for phases in found]).reshape(shape)
        return xp.asarray(stacked, device=device(v))

    whole, shared, tied = (mask(name) for name in ("whole", "shared", "tied"))
    unique = np.array([phases.unique for phases in found]).reshape(shape[:-1])
    number = xp.astype(whole, v.dtype)
    spread, ratio = _capacity_of_sharing(xp, v, k, shared, n_dims - xp.sum(number, axis=-1))
    capacity = xp.where(whole, xp.ones_like(v), spread)
    any_shares = xp.any(shared, axis=-1)
    zero, infinite = xp.zeros_like(v), xp.full_like(v, float("inf"))
    # Without sharing a whole interval serves; with dimensions to spare nothing is worth anything.
    to_spare = xp.sum(number, axis=-1) < n_dims
    upper = xp.min(xp.where(whole, v, infinite), axis=-1)
    upper = xp.where(to_spare, xp.zeros_like(upper), upper)
    lower = xp.max(xp.where(whole | (k == 1), zero, (k - 1) / 2 * v), axis=-1)
    multiplier = xp.where(any_shares, ratio, upper)
    return UnequalShares(
        capacity=capacity,
        sq_norm=xp.where(whole, v, multiplier[..., None] * capacity),
        multiplier=multiplier,
        least_multiplier=xp.where(any_shares, ratio, xp.minimum(lower, upper)),
        unique=xp.asarray(unique, device=device(v)),
        tied=tied,
        tied_budget=xp.sum(number * xp.astype(tied, v.dtype), axis=-1),
    )


def _capacity_of_sharing(
    xp: Namespace, v: Array, k: Array, shared: Mask, budget: Array
) -> tuple[Array, Array]:
    """Capacities of the sharing features, 0 elsewhere, and their multiplier.

    Importances are measured from that of the heaviest of them, r, so that kurtosis close to 3,
    where weights are large and importances nearly equal, costs no digits.
    """
    zero, one = xp.zeros_like(v), xp.ones_like(v)
    three = shared & (k == 3)
    inner = shared & ~(k == 3)
    weight = xp.where(inner, (k - 1) / xp.where(inner, k - 3, one), zero)
    heaviness = constant(xp.where(three, xp.full_like(v, float("inf")), xp.abs(weight) * v))
    at = xp.argmax(heaviness, axis=-1)[..., None]
    has_three = xp.any(three, axis=-1)[..., None]
    reference = xp.take_along_axis(v, at, axis=-1)
    reference = xp.where(has_three | (reference <= 0), reference, constant(reference))
    reference = xp.where(reference > 0, reference, xp.ones_like(reference))
    off = xp.where(inner, (v - reference) / reference, zero)
    count = xp.sum(xp.astype(inner, v.dtype), axis=-1)
    total = xp.sum(weight * (1 + off), axis=-1)
    total = xp.where(total == 0, xp.ones_like(total), total)
    # y - 1 for y = r / multiplier; at kurtosis 3 the multiplier is that feature's importance.
    excess = (budget - count - xp.sum(weight * off, axis=-1)) / total
    excess = xp.where(has_three[..., 0], xp.zeros_like(excess), excess)[..., None]
    capacity = xp.clip(1 + weight * (excess * (1 + off) + off), 0.0, 1.0)
    capacity = xp.where(inner, capacity, zero)
    rest = budget[..., None] - xp.sum(capacity, axis=-1)[..., None]
    capacity = xp.where(three, xp.clip(rest, 0.0, 1.0), capacity)
    return capacity, (reference / (1 + excess))[..., 0]
