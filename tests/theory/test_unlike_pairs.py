"""Features whose pairs do not all depend alike: against the loss itself."""

import numpy as np
import pytest

import feature_capacity as fc


def two_groups(k, inside, outside, size=3):
    same = np.kron(np.eye(2), np.ones((size, size))) > 0
    fourth = np.where(same, inside, outside).astype(float)
    np.fill_diagonal(fourth, k)
    return fc.Moments(np.ones(2 * size), fourth)


@pytest.mark.parametrize(("k", "inside", "outside"), [(5.0, 2.5, 1.0), (7.0, 3.0, 0.8)])
def test_twins_are_orthogonal_in_the_optimum(k, inside, outside):
    moments = two_groups(k, inside, outside)
    twins = fc.orthogonal_twins(moments)
    assert twins.sum() == 12
    v = np.linspace(1, 0.8, 6)
    found = fc.minimize_moments(v, moments, 3, n_starts=20)
    W = found.W
    gram = np.abs(W.T @ W)
    assert gram[twins].max() < 1e-6
    assert gram[~twins & ~np.eye(6, dtype=bool)].max() > 0.1  # others do share


def test_mixing_twins_leaves_a_parabola_of_the_said_curvature():
    moments = two_groups(4.0, 2.0, 1.3)
    rng = np.random.default_rng(0)
    W, v = rng.standard_normal((3, 6)), rng.random(6)
    angles = np.linspace(0, np.pi, 41)
    mixed = np.repeat(W[None], 41, axis=0)
    mixed[:, :, 0] = np.cos(angles)[:, None] * W[:, 0] + np.sin(angles)[:, None] * W[:, 1]
    mixed[:, :, 1] = np.cos(angles)[:, None] * W[:, 1] - np.sin(angles)[:, None] * W[:, 0]
    loss = fc.loss_from_moments(mixed, v, moments)
    lengths = (mixed**2).sum(axis=1)
    fit = np.polyfit((lengths[:, 0] - lengths[:, 1]) / 2, loss, 2)
    assert fit[0] == pytest.approx(4 + 4 - 6 * 2, rel=1e-8)
    off = np.polyval(fit, (lengths[:, 0] - lengths[:, 1]) / 2) - loss
    assert np.abs(off).max() < 1e-9 * loss.max()


@pytest.mark.parametrize("seed", range(5))
def test_the_margin_is_what_a_small_vector_costs(seed):
    rng = np.random.default_rng(seed)
    moments = fc.moments_of_samples(rng.standard_normal((40, 5)) * rng.lognormal(size=(40, 5)))
    scale = np.sqrt(np.asarray(moments.second))
    moments = fc.Moments(np.ones(5), np.asarray(moments.fourth) / np.outer(scale, scale) ** 2)
    v, whole = np.ones(5), [0, 1]
    margin = fc.entry_margin(v, moments, whole)
    G = np.asarray(moments.fourth) - 1
    m = np.linalg.solve(G[:2, :2], G[:2, 2:] @ v[2:])
    base = np.zeros((2, 5))
    base[[0, 1], [0, 1]] = np.sqrt(1 + m)
    at = float(fc.loss_from_moments(base, v, moments))
    angles = np.linspace(0, np.pi, 201)
    for j in (2, 3, 4):
        small = np.repeat(base[None], 201, axis=0)
        small[:, :, j] = 1e-4 * np.column_stack([np.cos(angles), np.sin(angles)])
        change = (fc.loss_from_moments(small, v, moments) - at) / 1e-8
        assert change.min() == pytest.approx(2 * margin[j], rel=1e-3, abs=1e-4 * at)


def test_where_all_pairs_are_alike_the_margin_changes_sign_at_three_h():
    for k, sign in ((5.9, 1), (6.1, -1)):
        fourth = np.full((4, 4), 2.0)
        np.fill_diagonal(fourth, k)
        margin = fc.entry_margin(np.ones(4), fc.Moments(np.ones(4), fourth), [0, 1])
        assert (np.sign(margin[2:]) == sign).all()


@pytest.mark.parametrize(
    ("whole", "said"), [([], "whole must name"), ([7], "whole must name"), ([0, 0], "must name")]
)
def test_what_is_no_set_of_features_is_refused(whole, said):
    with pytest.raises(ValueError, match=said):
        fc.entry_margin(np.ones(3), fc.independent_moments(9.0, 3), whole)
