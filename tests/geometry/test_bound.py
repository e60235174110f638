"""The matrices of Appendix F, and embeddings whose capacities sum to D."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import feature_capacity as fc
from feature_capacity.geometry.bound import (
    efficient_from,
    eigenvector_tilt,
    row_space_coordinates,
    scaled_gram,
)

from ..tolerances import BISECTION, ROUNDING

shapes = st.tuples(st.integers(1, 4), st.integers(2, 7))


def embedding(seed, n_dims, n_features):
    return np.random.default_rng(seed).standard_normal((n_dims, n_features))


@given(st.integers(0, 2**32 - 1), shapes)
def test_the_matrices_of_the_proof(seed, shape):
    W = embedding(seed, *shape)
    V, U = scaled_gram(W)
    one_by_one = [w / np.sqrt(sum((w @ other) ** 2 for other in W.T)) for w in W.T]
    np.testing.assert_allclose(V.T, one_by_one, atol=ROUNDING)
    np.testing.assert_allclose((U**2).sum(axis=1), 1, atol=ROUNDING)
    np.testing.assert_allclose(np.diag(U) ** 2, fc.capacities(W), atol=ROUNDING)


@given(st.integers(0, 2**32 - 1), shapes)
def test_coordinates_give_the_matrix_back(seed, shape):
    _, U = scaled_gram(embedding(seed, *shape))
    X, Y = row_space_coordinates(U, shape[0])
    np.testing.assert_allclose(X @ Y, U, atol=1e-7)  # a direction below 1e-8 is dropped
    lengths = np.linalg.norm(Y, axis=1)
    assert np.isclose(lengths, 1).sum() == np.linalg.matrix_rank(U, tol=1e-8)


@pytest.mark.parametrize("seed", range(5))
def test_a_tilt_goes_with_missing_capacity(seed):
    W = embedding(seed, 3, 6)
    assert eigenvector_tilt(W) > 0.01
    assert fc.total_capacity(W) < 3 - 1e-4
    built = fc.tegum_product(fc.polytope("triangle"), [[2, -2, 1]])
    assert eigenvector_tilt(built) < ROUNDING


@pytest.mark.parametrize("seed", range(5))
def test_least_squares_end_where_capacity_is_used_up(seed):
    W = efficient_from(embedding(seed, 3, 6))
    np.testing.assert_allclose(fc.total_capacity(W), 3, atol=ROUNDING)
    assert eigenvector_tilt(W) < BISECTION
    assert fc.is_efficient(W, "blocks")


@pytest.mark.parametrize("function", [scaled_gram, eigenvector_tilt, efficient_from])
def test_zero_columns_are_refused(function):
    with pytest.raises(ValueError, match="no zero column; got 1: leave these features out"):
        function([[1.0, 0.0], [1.0, 0.0]])
