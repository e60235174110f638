"""Quadratures of sparse inputs: moments, seeds, masks."""

import numpy as np
import pytest

import feature_capacity as fc
from feature_capacity.models.quadrature import sparse_quadrature

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
