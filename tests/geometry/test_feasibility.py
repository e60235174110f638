"""Lemma 2 and the induction of Appendix H, in floats and in exact fractions."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import feature_capacity as fc
from feature_capacity.geometry.ensembles import random_capacities
from feature_capacity.geometry.feasibility import (
    build,
    complement,
    embedding_by_induction,
    induction,
    permute,
    slack,
    split,
)
from feature_capacity.geometry.rotations import random_rotation

from ..tolerances import ROUNDING

seeds = st.integers(0, 2**32 - 1)


def carried(U, n_dims):
    return (U[:n_dims] ** 2).sum(axis=0)


def assert_orthogonal(U):
    np.testing.assert_allclose(U @ U.T, np.eye(len(U)), atol=ROUNDING)


@st.composite
def fractions(draw):
    """Exact tuples with a whole sum of at least 1; zeros, ones and ties are common."""
    q = draw(st.integers(1, 6))
    parts = draw(st.lists(st.integers(0, q), min_size=1, max_size=9))
    missing = -sum(parts) % q
    if sum(parts) + missing == 0:
        parts = [q]
    elif missing:
        parts.append(missing)
    return [Fraction(part, q) for part in draw(st.permutations(parts))]


@given(seeds, st.integers(1, 9), st.data())
def test_the_three_parts_of_lemma_2_carry_what_they_say(seed, n, data):
    generator = np.random.default_rng(seed)
    U = random_rotation(n, generator)
    n_dims = data.draw(st.integers(0, n))
    share = data.draw(st.floats(0, 1))
    order = generator.permutation(n).tolist()
    c = carried(U, n_dims)
    np.testing.assert_allclose(carried(permute(U, order), n_dims), c[order], atol=ROUNDING)
    longer = split(U, share)
    assert_orthogonal(longer)
    expected = [*c[:-1], share * c[-1], (1 - share) * c[-1]]
    np.testing.assert_allclose(carried(longer, n_dims), expected, atol=ROUNDING)
    other = complement(U, n_dims)
    assert_orthogonal(other)
    np.testing.assert_allclose(carried(other, n - n_dims), 1 - c, atol=ROUNDING)
    np.testing.assert_array_equal(complement(other, n - n_dims), U)


@given(seeds, st.integers(1, 8), st.data())
def test_what_unit_vectors_leave_of_the_dimension(seed, n, data):
    generator = np.random.default_rng(seed)
    n_dims = data.draw(st.integers(1, n))
    basis = random_rotation(n, generator)[:n_dims]
    projection = basis.T @ basis
    v = basis.T @ generator.standard_normal((n_dims, n))
    measured, predicted = slack(projection, v)
    unit = v / np.linalg.norm(v, axis=0)
    assert measured == pytest.approx(n_dims - (np.diag(unit) ** 2).sum(), abs=ROUNDING)
    assert measured == pytest.approx(predicted, abs=ROUNDING)
    assert measured >= -ROUNDING
    assert slack(projection, -projection) == pytest.approx((0, 0), abs=ROUNDING)


@given(fractions())
def test_the_induction_ends_at_a_whole_number_and_every_move_is_allowed(capacity):
    steps = induction(capacity)
    assert list(steps[0].capacity) == capacity
    assert steps[-1].capacity in ((0,), (1,))
    for step, after in pairwise(steps):
        assert sum(step.capacity) == step.n_dims
        assert all(0 <= c <= 1 for c in step.capacity)
        if step.move == "merge":
            i, j = step.pair
            assert step.capacity[i] + step.capacity[j] <= 1
            rest = [c for m, c in enumerate(step.capacity) if m not in step.pair]
            assert list(after.capacity) == [*rest, step.capacity[i] + step.capacity[j]]
        else:
            two = sorted(step.capacity)[:2]
            assert sum(two) > 1
            assert list(after.capacity) == [1 - c for c in step.capacity]
            assert after.move == "merge"
    assert sum(step.move == "merge" for step in steps) == len(capacity) - 1


@given(fractions())
def test_every_tuple_on_the_way_gets_a_matrix_that_carries_it(capacity):
    steps = induction(capacity)
    for U, step in zip(build(steps), reversed(steps), strict=True):
        assert_orthogonal(U)
        expected = np.array(step.capacity, dtype=float)
        np.testing.assert_allclose(carried(U, step.n_dims), expected, atol=ROUNDING)


@given(seeds, st.integers(2, 60))
def test_random_allocations_are_realized(seed, n):
    generator = np.random.default_rng(seed)
    c = random_capacities(n, generator)
    W = embedding_by_induction(c)
    np.testing.assert_allclose(W @ W.T, np.eye(len(W)), atol=ROUNDING)
    np.testing.assert_allclose(fc.capacities(W), c, atol=ROUNDING)


@pytest.mark.parametrize(
    "capacity",
    [[1.0], [1.0] * 6, [0.0, 0.0, 1.0], [0.5] * 2, [0.1] * 10, [0.9] * 10, [1e-9, 1 - 1e-9]],
)
def test_corner_cases_in_floats(capacity):
    W = embedding_by_induction(capacity)
    np.testing.assert_allclose(W @ W.T, np.eye(len(W)), atol=ROUNDING)
    np.testing.assert_allclose(fc.capacities(W), capacity, atol=ROUNDING)


def test_a_small_capacity_keeps_its_digits_without_a_complement():
    W = embedding_by_induction([1e-12, 0.5, 0.5 - 1e-12])
    assert (W[:, 0] ** 2).sum() == pytest.approx(1e-12, rel=1e-9)


@pytest.mark.parametrize(
    ("capacity", "message"),
    [
        ([1.5, 0.5], "got 1.5 at flat position 0"),
        ([-0.5, 0.5, 1.0], "got -0.5 at flat position 0"),
        ([0.5, 0.4], "sum to a whole number"),
        ([0.0, 0.0], "at least 1"),
        ([], "not empty"),
        ([float("nan"), 1.0], "finite"),
    ],
)
def test_what_no_embedding_can_have_is_refused(capacity, message):
    with pytest.raises(ValueError, match=message):
        induction(capacity)


def test_wrong_moves_are_refused():
    with pytest.raises(ValueError, match=r"permutation of 0 \.\. 1"):
        permute(np.eye(2), [0, 0])
    with pytest.raises(ValueError, match=r"share must be a number in \[0, 1\]; got 1.5"):
        split(np.eye(2), 1.5)
    with pytest.raises(ValueError, match=r"n_dims must be a whole number in \[0, 2\]; got 3"):
        complement(np.eye(2), 3)
    with pytest.raises(ValueError, match="end with the base"):
        build(induction([0.5, 0.5])[:-1])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: induction("0.5"), "capacity must be real numbers"),
        (lambda: induction([0.5, None, 0.5]), "capacity must be real numbers"),
        (lambda: induction([True, True]), "capacity must be real numbers"),
        (lambda: induction([0.5 + 0j, 0.5]), "capacity must be real numbers"),
        (lambda: induction(np.ma.masked_array([0.5, 0.5], [0, 1])), "got a masked array"),
        (lambda: build([]), "steps must end with the base"),
        (lambda: build("base"), "steps must end with the base"),
        (lambda: split([["a"]], 0.5), "U must be real numbers"),
        (lambda: split(np.eye(2)[:1], 0.5), r"U must have shape \(\*batch, N, N\)"),
        (lambda: split([[np.nan]], 0.5), "U must be finite"),
        (lambda: split(np.eye(1), "a"), r"share must be a number in \[0, 1\]; got 'a'"),
        (lambda: split(np.eye(1), True), "share must be a number"),
        (lambda: complement(np.eye(2), 0.5), "n_dims must be a whole number"),
        (lambda: complement(np.eye(2) * 1j, 1), "U must hold real numbers"),
        (lambda: permute(np.eye(2), ["a", 1]), "order must be real numbers"),
        (lambda: permute(np.eye(2), None), "order must be real numbers"),
        (lambda: permute(np.eye(2), [0, 0]), "order must be a permutation of 0 .. 1; got"),
        (lambda: slack(np.eye(2), np.eye(3)), "shapes must broadcast"),
        (lambda: slack(np.eye(2), [[1, 0], [0, 0]]), "vectors must have no zero column"),
        (lambda: slack(np.diag([1, 0]), np.eye(2)), "projection must have no zero column"),
        (lambda: slack("P", np.eye(2)), "projection must be real numbers"),
    ],
)
def test_what_no_lemma_speaks_of_is_refused_in_a_sentence(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert len(str(caught.value).splitlines()) == 1
