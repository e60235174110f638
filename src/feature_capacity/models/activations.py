"""Nonlinearities by name, each with its slope: what the toy models put behind their linear layer.

Section 3.7 uses quadratic, ReLU and GELU; ``tanh`` and ``abs`` are there to go further, and any
elementwise torch function will do.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from .._arrays import require_known

Activation = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Takes a tensor, returns the activation and its derivative, elementwise."""


def _quadratic(z: Tensor) -> tuple[Tensor, Tensor]:
    return z * z, 2 * z


def _relu(z: Tensor) -> tuple[Tensor, Tensor]:
    return torch.relu(z), (z > 0).to(z.dtype)


def _gelu(z: Tensor) -> tuple[Tensor, Tensor]:
    below = torch.special.ndtr(z)
    density = torch.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    return z * below, below + z * density


def _tanh(z: Tensor) -> tuple[Tensor, Tensor]:
    t = torch.tanh(z)
    return t, 1 - t * t


def _abs(z: Tensor) -> tuple[Tensor, Tensor]:
    return z.abs(), torch.sign(z)


ACTIVATIONS: dict[str, Activation] = {
    "quadratic": _quadratic,
    "relu": _relu,
    "gelu": _gelu,
    "tanh": _tanh,
    "abs": _abs,
}
"""Activation functions by name, each giving value and slope."""


def with_slope(activation: str | Callable[[Tensor], Tensor]) -> Activation:
    """The activation together with its derivative.

    Parameters
    ----------
    activation : str or callable
        A name in ``ACTIVATIONS``, or an elementwise torch function; the slope of the latter comes
        from forward-mode differentiation.

    Examples
    --------
    >>> value, slope = with_slope("quadratic")(torch.tensor([3.0]))
    >>> value, slope
    (tensor([9.]), tensor([6.]))
    >>> value, slope = with_slope(torch.sin)(torch.tensor([0.0]))
    >>> value, slope
    (tensor([0.]), tensor([1.]))
    """
    if callable(activation):

        def both(z: Tensor) -> tuple[Tensor, Tensor]:
            value, slope, *_ = torch.func.jvp(activation, (z,), (torch.ones_like(z),))
            return value, slope

        return both
    require_known("activation", activation, ACTIVATIONS)
    return ACTIVATIONS[activation]
