"""The exact flow against an integrator, small steps and differences; stops against Hessians."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import feature_capacity as fc
from feature_capacity.theory import gradient_flow, saddles

from ..tolerances import DIFFERENCES, OPTIMIZER, ROUNDING


def start(n_dims, n_features, size=0.1, seed=0):
    return size * np.random.default_rng(seed).standard_normal((n_dims, n_features))


@pytest.mark.parametrize("v", [[3.0, 2.0, 1.0, 0.5], [1.0, 1.0, 1.0, 0.0]])
@pytest.mark.parametrize("size", [0.05, 1.0, 10.0])
def test_the_exact_flow_is_the_integrated_one(v, size):
    W, times = start(2, 4, size), [0.0, 0.01, 0.1, 0.5, 2.0]
    exact, integrated = fc.flow_at_three(W, v, times), fc.flow(W, v, 3.0, times, rtol=1e-12)
    assert np.allclose(exact.mT @ exact, integrated.mT @ integrated, rtol=1e-8, atol=1e-8)


def test_small_steps_of_gradient_descent_follow_the_flow():
    """The distance halves with the step: explicit Euler is of first order."""
    W, v, end = torch.tensor(start(2, 4)), torch.tensor([3.0, 2.0, 1.0, 0.5]).double(), 0.3
    exact = fc.flow_at_three(W.numpy(), v.numpy(), [end])[0]
    distances = []
    for n_steps in (200, 400):
        here = W.clone()
        for _ in range(n_steps):
            here.requires_grad_()
            (slope,) = torch.autograd.grad(fc.expected_loss(here, v, 3.0), here)
            here = here.detach() - end / n_steps * slope
        A = (here.mT @ here).numpy()
        distances.append(np.abs(A - exact.T @ exact).max())
    assert distances[0] / distances[1] == pytest.approx(2, abs=0.1)
    assert distances[1] < 5e-2


@given(st.integers(0, 1000), st.floats(0.01, 2), st.floats(0.01, 2))
def test_the_flow_is_a_semigroup_and_forgets_rotations(seed, first, second):
    rng = np.random.default_rng(seed)
    W, v = rng.standard_normal((2, 4)), rng.uniform(0, 2, 4)
    both = fc.flow_at_three(W, v, [first, first + second])
    turned = np.linalg.qr(rng.standard_normal((2, 2)))[0] @ both[0]
    again = fc.flow_at_three(turned, v, [second])[0]
    assert np.allclose(again.T @ again, both[1].T @ both[1], atol=1e-10)


def test_batches_and_tensors():
    W, v = np.stack([start(2, 4, seed=s) for s in range(3)]), np.array([3.0, 2.0, 1.0, 0.5])
    many = fc.flow_at_three(W, v, [0.2, 0.4])
    assert many.shape == (2, 3, 2, 4)
    for i in range(3):
        assert np.allclose(many[:, i], fc.flow_at_three(W[i], v, [0.2, 0.4]), atol=ROUNDING)
    other = np.stack([v, v[::-1], np.ones(4)])
    varied = fc.flow_at_three(W[0], other, [0.2])[0]
    assert np.allclose(varied[1], fc.flow_at_three(W[0], other[1], [0.2])[0], atol=ROUNDING)
    tensor = torch.tensor(W[0], requires_grad=True)
    there = fc.flow_at_three(tensor, v, [0.2])[0]
    assert np.allclose(there.detach().numpy(), many[0, 0], atol=ROUNDING)
    (slope,) = torch.autograd.grad(fc.expected_loss(there, torch.tensor(v), 3.0), tensor)
    step = 1e-6 * np.random.default_rng(1).standard_normal((2, 4))
    up, down = (
        float(fc.expected_loss(fc.flow_at_three(W[0] + s * step, v, [0.2])[0], v, 3.0))
        for s in (1, -1)
    )
    assert float((slope.numpy() * step).sum()) == pytest.approx((up - down) / 2, rel=1e-5)


def test_the_start_is_given_back_and_the_end_is_the_optimum():
    W, v = start(3, 6, 1e-4), np.array([6.0, 5.0, 4.0, 3.0, 2.0, 1.0])
    first, last = fc.flow_at_three(W, v, [0.0, 40.0])
    assert np.allclose(first, W, atol=0, rtol=ROUNDING)
    best = fc.solve_allocation(v, 3, 3.0)
    assert float(fc.expected_loss(last, v, 3.0)) == pytest.approx(float(best.loss), rel=1e-10)
    assert np.allclose(fc.capacities(last), [1, 1, 1, 0, 0, 0], atol=1e-9)


def test_first_order_in_kurtosis():
    """The derivative against integrated flows on both sides: what is left is of second order."""
    W, v, times = start(2, 4, 0.3), [3.0, 2.0, 1.0, 0.5], [0.05, 0.15, 0.4]
    _, slope = fc.flow_near_three(W, v, times)
    errors = []
    for h in (0.04, 0.02):
        up, down = (fc.flow(W, v, 3 + s * h, times, rtol=1e-12) for s in (1, -1))
        difference = (up.mT @ up - down.mT @ down) / (2 * h)
        errors.append(np.abs(difference - slope).max())
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.05)
    assert errors[1] < 1e-2


def test_first_order_does_not_depend_on_the_division_of_time():
    W, v = start(2, 4, 0.3), [3.0, 2.0, 1.0, 0.5]
    once = fc.flow_near_three(W, v, [0.5])[1][-1]
    often = fc.flow_near_three(W, v, np.linspace(0, 0.5, 20))[1][-1]
    assert np.allclose(once, often, atol=1e-8)


@pytest.mark.parametrize("k", [1.5, 3.0, 9.0])
def test_rates_are_the_spectrum_of_the_hessian_at_a_stop(k):
    v = np.array([5.0, 3.0, 2.0, 1.0])
    W = np.zeros((3, 4))
    W[0, 0], W[1, 1] = np.sqrt(v[:2])

    def plain_loss(W):
        gram = W.T @ W
        off = gram - torch.diag(torch.diagonal(gram))
        error = torch.diagonal(gram) - torch.tensor(v)
        return (k - 1) * (error**2).sum() + 2 * (off**2).sum()

    hessian = torch.autograd.functional.hessian(plain_loss, torch.tensor(W))
    found = np.sort(-np.linalg.eigvalsh(hessian.reshape(12, 12).numpy()))
    free, shared = fc.escape_rates(v, [0, 1], k)
    rates = [*free[2:], *shared[:, 2:].ravel(), *(-8 * (k - 1) * v[:2])]
    rates += [-8 * (v[0] + v[1]), 0.0, 0.0, 0.0]  # a rotation in each of three planes
    assert np.allclose(found, np.sort(rates), atol=1e-9)


def test_stable_choices_are_minima_and_others_are_not():
    """From beside each choice gradient descent comes back to it, or does not."""
    v, k, rng = np.array([4.0, 3.0, 2.2, 1.0]), 2.0, np.random.default_rng(0)
    stable = fc.stable_choices(v, 2, k)
    assert 1 < len(stable) < 6
    for kept in [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]:
        W = np.zeros((2, 4))
        W[[0, 1], kept] = np.sqrt(v[list(kept)])
        end = fc.descend(W + 1e-2 * rng.standard_normal((2, 4)), v, k, 2000, tolerance=1e-5)
        came_back = tuple(np.flatnonzero(fc.capacities(end) > 0.5)) == kept
        assert came_back == (kept in stable)


def test_arrivals_have_the_slopes_of_the_leading_order():
    """Between starts of 1e-3 and 1e-7: what does not depend on the size of the start drops out."""
    v, times = [4.0, 2.0, 1.0, 0.5], np.linspace(0, 2.5, 1500)
    arrivals = []
    for size in (1e-3, 1e-7):
        W = fc.flow_at_three(start(3, 4, size), v, times)
        n, C = (W * W).sum(-2), fc.capacities(W)
        # The last time at which it is below: a random start may have capacity by chance.
        below = [times[np.flatnonzero(x < 0.5)[-1]] for x in (*C[:, :3].T, *(n[:, :3] / v[:3]).T)]
        arrivals.append(np.array(below))
    found = arrivals[1] - arrivals[0]
    one, other = fc.arrival_times(v, 3, 1e-7), fc.arrival_times(v, 3, 1e-3)
    expected = np.concatenate([a - b for a, b in zip(one, other, strict=True)])
    assert np.allclose(found, expected, atol=0.02 * expected.max())


def test_descent_ends_where_the_optimum_is():
    v, W = np.array([3.0, 2.0, 1.0, 0.5]), np.stack([start(2, 4, seed=s) for s in range(5)])
    ends = fc.descend(W, v, 9.0)
    best = fc.solve_allocation(v, 2, 9.0)
    assert np.allclose(fc.expected_loss(ends, v, 9.0), float(best.loss), rtol=OPTIMIZER)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fc.flow_at_three([[1.0]], [1.0], [1.0, 0.5]), "ascending"),
        (lambda: fc.flow_at_three([[1.0]], [1.0, 1.0], [1.0]), "one entry per column"),
        (lambda: fc.flow_at_three([[1.0]], [1.0], [1e9]), "nothing moves"),
        (lambda: fc.flow([[1.0]], [1.0], 0.5, [1.0]), "kurtosis"),
        (lambda: fc.descend([[1.0]], [1.0], 3.0, step=1.0), "step"),
        (lambda: fc.escape_rates([1.0, 2.0], [2], 3.0), "kept"),
        (lambda: fc.arrival_times([1.0, 2.0], 1, 0.1), "fall"),
        (lambda: fc.stable_choices(np.ones(60), 30, 2.0), "fewer"),
    ],
)
def test_bad_input_is_one_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_differences_of_the_gradient():
    v, W, k = np.array([3.0, 2.0, 1.0, 0.5]), start(2, 4, 1.0), 7.0
    step = 1e-5 * np.random.default_rng(0).standard_normal(W.shape)
    slope = (gradient_flow._gradient(W, v, k) * step).sum()
    change = fc.expected_loss(W + step, v, k) - fc.expected_loss(W - step, v, k)
    assert float(change) / 2 == pytest.approx(slope, rel=DIFFERENCES)


def test_saddles_are_stops():
    v, k = np.array([5.0, 3.0, 1.0]), 9.0
    W = np.diag(np.sqrt(v))[:2]
    assert np.allclose(gradient_flow._gradient(W, v, k), 0, atol=1e-12)
    assert saddles.escape_rates(v, [0, 1], k)[1].max() > 0
