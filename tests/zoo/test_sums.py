"""Lower bounds for sums of absolute values: below whatever is found, and true piece by piece."""

import numpy as np
import pytest
from scipy.optimize import minimize

from feature_capacity.zoo import sums

P = 0.1
RNG = np.random.default_rng(4)


def inputs(n, n_features, p=P):
    on = RNG.random((n, n_features)) < p
    return on * RNG.uniform(-1, 1, on.shape) * np.sqrt(3 / p)


def sampled_loss(W, v, x, activation=np.abs):
    """At the best bias, from samples."""
    return (activation(x @ W.T).sum(axis=1) - activation(x) @ v).var()


def lowest(v, n_dims, x, activation=np.abs, starts=6):
    """Of a general optimizer on samples, from weights near an assignment and from random ones."""
    shape = n_dims, len(v)

    def loss(w):
        return sampled_loss(w.reshape(shape), v, x, activation)

    begin = RNG.standard_normal((starts, n_dims * len(v)))
    return min(minimize(loss, start).fun for start in begin)


@pytest.mark.parametrize(
    ("v", "n_dims"), [((1.0, 1.0), 1), ((1.0, 0.7, 0.4), 1), ((1.0, 0.8, 0.6), 2)]
)
def test_no_weights_are_below_the_bound(v, n_dims):
    x = inputs(6000, len(v), 0.3)
    below = sums.absolute_bound(v, 0.3, n_dims)
    assert 0.1 * lowest(np.array(v), n_dims, x) < below < 0.97 * lowest(np.array(v), n_dims, x)


def test_a_quarter_of_it_holds_for_relu():
    v, x = np.array([1.0, 0.8]), inputs(6000, 2, 0.3)
    x = np.concatenate([x, -x])
    found = lowest(v, 1, x, lambda z: z.clip(0))
    assert sums.absolute_bound(v, 0.3, 1) / 4 < found


def test_the_loss_of_relu_is_an_odd_and_an_even_part():
    W, v, x = RNG.standard_normal((2, 3)), np.array([1.0, 0.7, 0.5]), inputs(4000, 3)
    x = np.concatenate([x, -x])
    odd = ((x @ (W.sum(axis=0) - v)) ** 2).mean() / 4
    even = sampled_loss(W, v, x) / 4
    assert sampled_loss(W, v, x, lambda z: z.clip(0)) == pytest.approx(odd + even, rel=1e-12)


def test_the_pigeonhole_inequality_holds_for_any_weights():
    for _ in range(200):
        A = RNG.exponential(size=(3, 6)) * (RNG.random((3, 6)) < 0.7)
        m = np.minimum(A[:, :, None], A[:, None, :]).sum(axis=0)
        best = set(A.argmax(axis=1))
        best |= set([i for i in range(6) if i not in best][: 3 - len(best)])
        inside, outside = sorted(best), sorted(set(range(6)) - best)
        assert (m[np.ix_(outside, inside)].sum(axis=1) >= A[:, outside].sum(axis=0) - 1e-12).all()


def test_more_neurons_and_less_importance_lower_the_bound():
    falling = [sums.absolute_bound([1.0, 0.9, 0.8, 0.7], P, n) for n in range(1, 5)]
    assert falling == sorted(falling, reverse=True)
    assert falling[0] > falling[2] > falling[3] == 0
    twice = sums.absolute_bound([2.0, 1.8, 1.6, 1.4], P, 2)
    assert twice == pytest.approx(4 * falling[1], rel=1e-9)


@pytest.mark.parametrize("w", [(0.9, -0.4), (1.3, 1.3), (0.0, 2.0)])
def test_the_closed_form_for_a_pair_is_that_of_a_grid(w):
    """Masks by hand, and both values on a fine grid of midpoints."""
    v, a, n = np.array([1.0, 0.8]), np.sqrt(3 / P), 400
    t = a * ((np.arange(2 * n) + 0.5) / n - 1)
    X, Y = np.meshgrid(t, t)
    parts = [
        ((1 - P) ** 2, np.zeros(1)),
        (P * (1 - P), (abs(w[0]) - v[0]) * np.abs(t)),
        (P * (1 - P), (abs(w[1]) - v[1]) * np.abs(t)),
        (P * P, np.abs(w[0] * X + w[1] * Y) - v[0] * np.abs(X) - v[1] * np.abs(Y)),
    ]
    mean = sum(weight * e.mean() for weight, e in parts)
    square = sum(weight * (e**2).mean() for weight, e in parts)
    assert sums.pair_loss(np.array([w]), v, P) == pytest.approx(square - mean**2, rel=1e-4)


def test_the_root_of_the_loss_is_lipschitz():
    for _ in range(200):
        w, u = RNG.uniform(-2, 2, (2, 2))
        roots = [np.sqrt(sums.pair_loss(each[None], (1.0, 0.8), P)) for each in (w, u)]
        assert abs(roots[0] - roots[1]) <= np.linalg.norm(np.abs(w) - np.abs(u)) + 1e-12


def test_every_weight_of_a_pair_is_above_its_bound():
    v = (1.0, 0.8)
    best = minimize(lambda w: sums.pair_loss(w[None], v, P), [1.0, 0.8], method="Nelder-Mead")
    below = sums.pair_bound(v, P, best.fun)
    assert 0 < best.fun - below <= 1.001 * sums.GAP * best.fun
    grid = np.linspace(-2, 2, 81)
    losses = [sums.pair_loss(np.array([[s, t]]), v, P) for s in grid for t in grid]
    assert min(losses) > below > sums.absolute_bound(v, P, 1)


def test_a_loss_that_can_be_beaten_is_refused():
    with pytest.raises(ValueError, match="some weights lose"):
        sums.pair_bound((1.0, 0.8), P, 0.2)
