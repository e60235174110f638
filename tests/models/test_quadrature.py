"""Quadratures of sparse inputs: moments, seeds, masks."""

import itertools

import numpy as np
import pytest

import feature_capacity as fc
from feature_capacity.models.quadrature import moment_quadrature, sparse_quadrature

from ..tolerances import ROUNDING

FAMILIES = (fc.SparseUniform, fc.SparseNormal, fc.UnitSparseUniform)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("p", [0.003, 0.2, 1.0])
def test_nodes_have_the_moments_of_the_inputs(family, p):
    inputs = family(p)
    quadrature = sparse_quadrature(inputs, 5)
    assert quadrature.all_masks
    assert (quadrature.weight > 0).all()
    assert quadrature.weight.sum() == pytest.approx(1, abs=ROUNDING)
    assert quadrature.dropped <= 1e-6
    # Means and variances are exact but for dropped masks; where few nodes serve many active
    # features, higher moments are as good as Sobol points make them.
    exact = max(100 * quadrature.dropped, 1e-9)
    for power in (1, 2, 3, 4):
        measured = quadrature.weight @ quadrature.x**power
        size = inputs.moment(power + power % 2) ** (power / (power + power % 2))
        slack = exact if power <= 2 else 1e-3
        np.testing.assert_allclose(measured, inputs.moment(power), atol=slack * size)
    products = (quadrature.x * quadrature.weight[:, None]).T @ quadrature.x
    apart = ~np.eye(5, dtype=bool)
    np.testing.assert_allclose(products[apart], inputs.mean**2, atol=1e-3 * inputs.moment(2))


def test_nodes_are_the_same_for_one_seed_and_others_for_another():
    one, same, other = (sparse_quadrature(fc.SparseUniform(0.5), 6, seed=s) for s in (0, 0, 1))
    np.testing.assert_array_equal(one.x, same.x)
    assert one.x.shape != other.x.shape or not np.array_equal(one.x, other.x)


def test_masks_are_drawn_where_there_are_too_many():
    quadrature = sparse_quadrature(fc.SparseUniform(0.4), 16, n_points=64, n_masks=64)
    assert not quadrature.all_masks
    assert quadrature.weight @ (quadrature.x**2).sum(axis=1) == pytest.approx(16, rel=0.05)


def test_a_generous_bound_drops_masks_and_says_how_much():
    some, all_ = (sparse_quadrature(fc.SparseUniform(0.1), 6, negligible=t) for t in (1e-2, 0))
    assert all_.dropped == 0
    assert 0 < some.dropped <= 1e-2
    assert (some.x != 0).sum(axis=1).max() < (all_.x != 0).sum(axis=1).max() == 6


def test_fresh_nodes_share_nothing_with_another_seed():
    inputs = fc.SparseUniform(0.2)
    one, other = (sparse_quadrature(inputs, 3, seed=seed, gauss=False).x for seed in (0, 1))
    active = [{value for value in x.ravel() if value} for x in (one, other)]
    assert not active[0] & active[1]
    common = [{*sparse_quadrature(inputs, 3, seed=seed).x.ravel()} - {0.0} for seed in (0, 1)]
    assert common[0] & common[1], "Gauss nodes are no draw"


@pytest.mark.parametrize("p", [0.001, 0.03, 0.3, 1.0])
def test_mirrored_nodes_weigh_what_two_features_on_one_neuron_lose(p):
    """E[(|x1 + x2| - |x1| - |x2|)^2] = 2 E[min(x1, x2)^2] = p, however rare pairs are."""
    quadrature = sparse_quadrature(fc.SparseUniform(p), 6, 16384, mirrored=True)
    one, two = quadrature.x[:, 0], quadrature.x[:, 1]
    assert quadrature.x.any(axis=1).sum() >= 15_000
    missing = np.abs(one + two) - np.abs(one) - np.abs(two)
    assert quadrature.weight @ missing**2 == pytest.approx(p, rel=5e-3)
    # Every node stands for its opposite, so that even moments are those of the inputs.
    for power in (2, 4):
        moments = quadrature.weight @ quadrature.x**power
        np.testing.assert_allclose(moments, fc.SparseUniform(p).moment(power), rtol=1e-5)


@pytest.mark.parametrize("inputs", [fc.UnitSparseUniform(0.3), fc.UnitSparseUniform(1.0),
                                    fc.SparseUniform(0.2), fc.SparseNormal(0.4)])  # fmt: skip
def test_moment_nodes_have_all_moments_up_to_the_fourth(inputs):
    rule = moment_quadrature(inputs, 3)
    assert (rule.weight > 0).all()
    for powers in itertools.product(range(5), repeat=3):
        if sum(powers) <= 4:
            found = rule.weight @ np.prod(rule.x**powers, axis=1)
            wanted = np.prod([inputs.moment(power) for power in powers])
            assert found == pytest.approx(wanted, rel=1e-9, abs=1e-9), powers
    with pytest.raises(ValueError, match="at most 8"):
        moment_quadrature(inputs, 9)


@pytest.mark.parametrize("p", [0.001, 0.0145, 0.2])
def test_one_active_feature_is_integrated_where_gelu_bends(p):
    """Its values are large where inputs are sparse, and GELU bends in a small part of them."""
    from scipy.integrate import quad
    from scipy.special import ndtr

    inputs = fc.SparseUniform(p)
    rule = sparse_quadrature(inputs, 2, mirrored=True)
    alone = (rule.x[:, 0] != 0) & (rule.x[:, 1] == 0)
    x, weight = rule.x[alone, 0], rule.weight[alone]
    far = float(inputs.moment(2) * 3 / p) ** 0.5
    for scale in (0.3, 1.0, 4.0):

        def error(z, scale=scale):  # of a network that is nearly right
            return (scale * z * ndtr(scale * z) - scale * z * ndtr(0.8 * scale * z)) ** 2

        exact = quad(lambda z: error(z) + error(-z), 0, min(far, 40 / scale), limit=500)[0]
        mean = exact / (2 * far)
        both = (error(x) + error(-x)) / 2
        assert both @ weight / weight.sum() == pytest.approx(mean, rel=5e-3)
