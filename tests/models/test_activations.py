"""Nonlinearities and their slopes, against torch."""

import pytest
import torch

from feature_capacity.models.activations import ACTIVATIONS, with_slope


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_slopes_are_derivatives(name):
    z = torch.linspace(-4, 4, 82, dtype=torch.float64, requires_grad=True)  # not at 0
    value, slope = with_slope(name)(z)
    torch.testing.assert_close(slope, torch.autograd.grad(value.sum(), z)[0])


def test_named_activations_are_those_of_torch():
    z = torch.linspace(-4, 4, 81, dtype=torch.float64)
    for name, theirs in {
        "relu": torch.relu, "gelu": torch.nn.functional.gelu, "tanh": torch.tanh, "abs": torch.abs,
        "quadratic": torch.square,
    }.items():  # fmt: skip
        torch.testing.assert_close(with_slope(name)(z)[0], theirs(z))
