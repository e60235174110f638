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


def _half_abs(z: Tensor) -> tuple[Tensor, Tensor]:
    slope = 0.5 * torch.sign(z)
    return z * slope, slope


def _even_gelu(z: Tensor) -> tuple[Tensor, Tensor]:
    half = 0.5 * torch.erf(z * math.sqrt(0.5))
    return z * half, half + z * torch.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)


ACTIVATIONS: dict[str, Activation] = {
    "quadratic": _quadratic,
    "relu": _relu,
    "gelu": _gelu,
    "tanh": _tanh,
    "abs": _abs,
}
"""Activation functions by name, each giving value and slope."""

_LINEAR_AND_EVEN: dict[str, tuple[float, Activation]] = {
    "quadratic": (0.0, _quadratic),
    "relu": (0.5, _half_abs),
    "gelu": (0.5, _even_gelu),
    "abs": (0.0, _abs),
}


def linear_and_even(
    activation: str | Callable[[Tensor], Tensor],
) -> tuple[float, Activation] | None:
    """The factor c and the even function e for which f(z) = c z + e(z), or None.

    ReLU is ``z / 2 + |z| / 2``, and GELU z / 2 + z erf(z / sqrt 2) / 2.  Where inputs and their
    opposites are equally likely the two parts are uncorrelated, the expectation of the linear one
    is known, and the even one needs only half of the inputs.  None for tanh, and for functions that
    have no name here.

    >>> factor, even = linear_and_even("relu")
    >>> factor, even(torch.tensor([-3.0]))[0]
    (0.5, tensor([1.5000]))
    """
    return None if callable(activation) else _LINEAR_AND_EVEN.get(activation)


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
