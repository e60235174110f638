"""Finite worlds, partitions, hallucination, fourth moments and the search over embeddings."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from scipy import stats

import feature_capacity as fc
from feature_capacity.theory import enumeration
from feature_capacity.theory.direct_search import embedding_by_lbfgs
from feature_capacity.theory.fourth_moment import (
    least_fourth_moment,
    sampled_fourth_moment,
    sparse_moment,
)
from feature_capacity.theory.hallucination import hallucinated_share, output_correlations
from feature_capacity.theory.locate import first_reached

from ..tolerances import BISECTION, OPTIMIZER, ROUNDING, STANDARD_ERRORS


def test_two_point_outcomes_have_the_moments_that_they_should():
    a = Fraction(5, 2)
    x, chance = enumeration.two_point_outcomes(a, 3)
    assert chance.sum() == 1
    assert [chance @ x[:, 1] ** r for r in (1, 2, 3, 4)] == [0, 1, a - 1 / a, a**2 - 1 + a**-2]
    assert (enumeration.covariances(x, x, chance) == np.eye(3, dtype=int)).all()
    with pytest.raises(ValueError, match="value must be positive; got"):
        enumeration.two_point_outcomes(Fraction(0), 2)


def test_partitions_divide_all_quadruples():
    rng, n = np.random.default_rng(0), 5
    form = rng.standard_normal((n, n))
    fourth = enumeration.moment_tensor([1, 0.2, 1, 0.7, 4.5], n, 4)
    sums = enumeration.sums_by_partition(form, fourth)
    assert len(sums) == 15
    # A partition with m groups occurs n (n - 1) ... (n - m + 1) times.
    for partition, (count, _) in sums.items():
        assert count == comb(n, m := len(set(partition))) * np.prod(range(1, m + 1))
    whole = np.einsum("ij,kl,ijkl->", form, form, fourth)
    assert sum(total for _, total in sums.values()) == pytest.approx(whole, rel=ROUNDING)
    types = [enumeration.partition_type(p) for p in sums]
    assert {t: types.count(t) for t in types} == {
        "4": 1, "3|1": 4, "2|2": 3, "2|1|1": 6, "1|1|1|1": 1,
    }  # fmt: skip


def test_correlations_against_covariances_over_all_outcomes():
    rng = np.random.default_rng(1)
    x, chance = enumeration.two_point_outcomes(Fraction(3), 3)
    x, chance, k = x.astype(float), chance.astype(float), 9 - 1 + 1 / 9
    W = rng.standard_normal((2, 3))
    i, j = np.triu_indices(3)
    functions = np.column_stack([((x @ W.T) ** 2).sum(axis=1), x[:, i] * x[:, j]])
    table = enumeration.covariances(functions, functions, chance)
    measured = table[0, 1:] / np.sqrt(table[0, 0] * np.diag(table)[1:])
    believed = output_correlations(W.T @ W, k)
    np.testing.assert_allclose(believed[i, j], measured, atol=ROUNDING)
    share = hallucinated_share(fc.capacities(W), (W**2).sum(axis=0), k)
    assert share == pytest.approx((np.triu(believed, 1) ** 2).sum(), rel=1e-10)
    assert hallucinated_share([1.0, 0.0], [2.0, 0.0], k) == 0
    with pytest.raises(ValueError, match="square matrix with an entry"):
        output_correlations(np.zeros((2, 2)), k)
    with pytest.raises(ValueError, match="kurtosis must be above 1"):
        output_correlations(np.eye(2), 1.0)


@pytest.mark.parametrize("active", [stats.norm(), stats.uniform(-(3**0.5), 2 * 3**0.5)])
def test_fourth_moments_by_integration_and_by_sampling(active):
    exact = (float(active.stats("k")) + 3) / 0.2
    assert sparse_moment(active, 4, 0.2) == pytest.approx(exact, rel=BISECTION)
    mean, error = sampled_fourth_moment(active, 0.2, 40_000, np.random.default_rng(2))
    assert abs(mean - exact) < STANDARD_ERRORS * error


@pytest.mark.parametrize("p", [0.01, 0.3, 1.0])
def test_no_distribution_has_a_smaller_fourth_moment(p):
    assert least_fourth_moment(p) == pytest.approx(1 / p, rel=BISECTION)
    # Without the two values that attain the floor, more is needed.
    assert least_fourth_moment(p, n_values=6) > 1.01 / p
    with pytest.raises(ValueError, match="p must be a feature probability"):
        least_fourth_moment(1.5)


def test_the_search_over_embeddings_finds_the_allocation():
    rng = np.random.default_rng(3)
    for k in (1.8, 5.0, 30.0):
        v = np.array([1.6, 1.3, 1.0, 0.7])
        found = fc.capacities(embedding_by_lbfgs(v, k, 2, rng, n_starts=12))
        np.testing.assert_allclose(found, fc.solve_allocation(v, 2, k).capacity, atol=OPTIMIZER)


def test_the_allocation_is_equation_57_with_the_multiplier_bisected():
    """Equations (57) and (58): what the package finds by sorting."""
    rng = np.random.default_rng(4)
    v, k = rng.lognormal(0, 0.6, (30, 6)), np.repeat([3.5, 9.0, 40.0], 10)[:, None]
    slope, offset = (k - 1) / (k - 3), 2 / (k - 3)
    inverse = first_reached(
        lambda x: np.clip(slope * v * x[:, None] - offset, 0, 1).sum(axis=1) >= 3,
        np.full(30, 1e-6),
        np.full(30, 1e6),
    )[:, None]
    capacity = np.clip(slope * v * inverse - offset, 0, 1)
    best = fc.solve_allocation(v, 3, k)
    np.testing.assert_allclose(best.capacity, capacity, atol=1e-10)
    np.testing.assert_allclose(best.sq_norm, np.where(capacity == 1, v, capacity / inverse))


@pytest.mark.parametrize("p", [Fraction(1, d) for d in (1, 2, 3, 7, 20, 1000)])
def test_moments_of_the_sparse_uniform_in_fractions(p):
    """Equations (60) and (61), which `SparseUniform` implements."""
    width = 3 / p  # a squared
    feature = fc.SparseUniform(float(p))
    assert feature.variance == pytest.approx(float(p * width / 3), rel=ROUNDING)
    assert feature.kurtosis == pytest.approx(float(p * width**2 / 5), rel=ROUNDING)
