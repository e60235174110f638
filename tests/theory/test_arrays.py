"""Arrays that come in: what is taken, what is refused, and in which words."""

import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
import torch

import feature_capacity as fc
from feature_capacity._arrays import as_float_arrays, require_broadcast, require_whole


def test_lists_numbers_and_fractions_become_float64():
    xp, (a, b, c) = as_float_arrays(a=[1, 2], b=Fraction(1, 2), c=[Fraction(1, 4), 3])
    assert all(x.dtype == xp.float64 for x in (a, b, c))
    assert float(b) == 0.5
    assert c.tolist() == [0.25, 3.0]


def test_only_arrays_decide_the_precision():
    _, (a, b, c) = as_float_arrays(a=np.ones(2, np.float32), b=9.0, c=[1, 2])
    assert {x.dtype for x in (a, b, c)} == {np.dtype(np.float32)}
    _, (a, b) = as_float_arrays(a=np.ones(2, np.float32), b=np.ones(2))
    assert a.dtype == b.dtype == np.float64
    _, (a, b) = as_float_arrays(a=torch.ones(2), b=np.ones(2, np.float32))
    assert a.dtype == b.dtype == torch.float32
    _, (a,) = as_float_arrays(a=np.array([1, 2], dtype=np.int32))
    assert a.dtype == np.float64


def test_a_tensor_takes_numpy_data_to_its_own_library():
    _, (a, b, c) = as_float_arrays(a=np.ones(2), b=torch.ones(2), c=3)
    assert all(isinstance(x, torch.Tensor) for x in (a, b, c))


NOT_NUMBERS = {
    "bool": [[True, False]],
    "bool array": np.array([[True, False]]),
    "bool tensor": torch.tensor([[True, False]]),
    "text": [["1", "2"]],
    "text array": np.array([["1", "2"]]),
    "one word": "W",
    "complex": [[1j, 2.0]],
    "complex array": np.ones((1, 2), np.complex128),
    "complex tensor": torch.ones((1, 2), dtype=torch.complex64),
    "None": None,
    "None inside": [[None, 1.0]],
    "object array": np.array([[None, 1.0]], dtype=object),
    "ragged": [[1, 2], [1]],
    "dict": {"W": 1},
    "date": np.array([["2020-01-01"]], dtype="datetime64[D]"),
    "too large": [[10**400, 1]],
}


@pytest.mark.parametrize("bad", NOT_NUMBERS.values(), ids=NOT_NUMBERS)
@pytest.mark.parametrize(
    "call",
    [
        fc.capacities,
        fc.leverage_capacities,
        fc.interference,
        lambda x: fc.expected_loss(x, [1, 1], 9),
        lambda x: fc.best_sq_norm(x, [1, 1], 9),
        lambda x: fc.solve_allocation(x, 1, 9),
        lambda x: fc.solve_allocation([1, 1], 1, x),
        fc.classify,
        lambda x: fc.phase_diagram(x, [9.0]),
    ],
    ids=[
        "capacities",
        "leverage",
        "interference",
        "loss",
        "length",
        "allocation",
        "kurtosis",
        "classify",
        "diagram",
    ],
)
def test_what_is_not_a_real_number_is_refused(call, bad):
    with pytest.raises(ValueError, match=r"must (be|hold) real numbers.*; got"):
        call(bad)


@pytest.mark.parametrize(
    "W",
    [
        np.ones((1, 2), np.float16),
        np.ones((1, 2), np.longdouble),
        torch.ones((1, 2), dtype=torch.bfloat16),
    ],
    ids=["half", "long double", "bfloat16"],
)
def test_floats_of_other_sizes_are_refused_with_the_remedy(W):
    with pytest.raises(ValueError, match=r"W must be float32 or float64.*got dtype.*convert"):
        fc.capacities(W)


@pytest.mark.parametrize(("bad", "shown"), [(np.nan, "nan"), (np.inf, "inf"), (-np.inf, "-inf")])
@pytest.mark.parametrize("make", [np.array, torch.tensor], ids=["numpy", "torch"])
@pytest.mark.parametrize(
    "call",
    [
        lambda x: fc.capacities(x[None]),
        lambda x: fc.leverage_capacities(x[None]),
        lambda x: fc.interference(x[None]),
        lambda x: fc.expected_loss(x[None], [1, 1, 1], 9),
        lambda x: fc.expected_loss([[1.0, 1, 1]], [1, 1, 1], 9, bias=x),
        lambda x: fc.solve_allocation(x, 1, 9),
        lambda x: fc.solve_allocation([1.0, 1], 1, x),
    ],
    ids=["capacities", "leverage", "interference", "loss", "bias", "importance", "kurtosis"],
)
def test_infinite_and_nan_are_named_with_their_place(call, make, bad, shown):
    values = make([1.0, bad, 1.0])
    rule = rf"must be finite; got {shown} at flat position 1: remove or replace"
    with pytest.raises(ValueError, match=rule):
        call(values)


def test_nan_is_found_beside_numbers_of_either_sign():
    for row in ([np.nan, 1.0], [-1.0, np.nan], [np.inf, np.nan], [-np.inf, 1.0]):
        with pytest.raises(ValueError, match="must be finite"):
            fc.capacities([row])


def test_shapes_that_do_not_fit_are_one_error_for_every_library():
    for make in (np.ones, torch.ones):
        with pytest.raises(ValueError, match=r"batch of W \(2,\), batch of importance \(5,\)"):
            fc.expected_loss(make((2, 3, 4)), make((5, 4)), 9.0)
        with pytest.raises(ValueError, match=r"capacity \(2,\), importance \(3,\)"):
            fc.best_sq_norm(make((2,)), make((3,)), 9.0)
        with pytest.raises(ValueError, match=r"bias \(3,\), loss \(2,\)"):
            fc.expected_loss(make((2, 3, 4)), make((4,)), 9.0, bias=make((3,)))
        with pytest.raises(ValueError, match=r"batch of importance \(2,\), kurtosis \(3,\)"):
            fc.solve_allocation(make((2, 4)), 1, make((3, 1)) * 9)
    assert require_broadcast(a=(3, 1), b=(4,)) == (3, 4)


@pytest.mark.parametrize("bad", [True, 2.0, "2", None, 0, 4, -1, np.float64(2), [2], np.nan])
def test_a_whole_number_is_whole_and_in_range(bad):
    with pytest.raises(ValueError, match=r"n_dims must be a whole number from 1 to .*\(3\); got"):
        fc.solve_allocation([3, 2, 1], bad, 9)


def test_numpy_integers_are_whole_numbers():
    assert require_whole(np.int8(3), "n", 1, None, "a whole number") == 3
    assert fc.solve_allocation([3, 2, 1], np.int64(2), 9).n_dims == 2


@pytest.mark.parametrize("module", ["torch", "matplotlib", "seaborn", "scipy.optimize"])
def test_import_is_light(module):
    code = f"import sys, feature_capacity; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_closed_forms_run_without_torch():
    code = (
        "import sys, numpy as np, feature_capacity as fc\n"
        "fc.capacities([[1, -1]]); fc.phase_diagram([1.0, 2.0], [2.0, 9.0])\n"
        "best = fc.solve_allocation([3, 2, 1], 2, 9); fc.kkt_residuals(best)\n"
        "fc.expected_loss(fc.optimal_embedding(best), [3, 2, 1], 9)\n"
        "fc.SparseUniform(0.5).sample(3, np.random.default_rng(0))\n"
        "sys.exit('torch' in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


class Hostile:
    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("no\nnumbers")

    def __repr__(self):
        return "x\n" * 5000


NO_PLAIN_NUMBERS = {
    "masked": np.ma.masked_array([[3.0, 1, 2]], [[0, 1, 0]]),
    "masked row in a list": [np.ma.masked_array([3.0, 1, 2], [0, 1, 0])],
    "sparse tensor": torch.eye(3).to_sparse(),
    "meta tensor": torch.ones((1, 3), device="meta"),
    "bfloat16": torch.ones((1, 3), dtype=torch.bfloat16),
    "text": [["1", "2", "3"]],
    "truth values": [[True, False]],
    "complex": np.ones((1, 3), complex),
    "huge": [[10**400, 1, 1]],
    "longer than a repr": [[10**5000, 1, 1]],
    "set": {1, 2},
    "number of a module": np,
    "hostile": Hostile(),
    "gradients in a list": [torch.ones(3, requires_grad=True)] * 2,
}

DOORS = {
    "capacities": fc.capacities,
    "total_capacity": fc.total_capacity,
    "interference": fc.interference,
    "expected_loss": lambda x: fc.expected_loss(x, [1, 1, 1], 9),
    "importance": lambda x: fc.solve_allocation(x, 1, 9),
    "kurtosis": lambda x: fc.solve_allocation([1, 1, 1], 1, x),
    "bias": lambda x: fc.expected_loss([[1, 1, 1]], [1, 1, 1], 9, bias=x),
    "multiplier": lambda x: fc.phases.polysemantic_range(x, 9),
    "classify": fc.classify,
    "phase_diagram": lambda x: fc.phase_diagram(x, [9.0]),
    "blocks": fc.blocks,
    "is_efficient": fc.is_efficient,
    "tegum_product": fc.tegum_product,
    "embedding_from_capacities": fc.embedding_from_capacities,
    "optimal_embedding": fc.optimal_embedding,
    "kkt_residuals": fc.kkt_residuals,
    "polytope": fc.polytope,
    "tolerance of blocks": lambda x: fc.blocks(np.eye(2), x),
    "tolerance of is_efficient": lambda x: fc.is_efficient(np.eye(2), tolerance=x),
    "criterion": lambda x: fc.is_efficient(np.eye(2), x),
    "tolerance of classify": lambda x: fc.classify([0.5], x),
    "rtol": lambda x: fc.leverage_capacities(np.eye(2), x),
    "n_dims": lambda x: fc.solve_allocation([1, 1, 1], x, 9),
    "n_features": lambda x: fc.phase_diagram([1.0], [9.0], x),
    "budget": lambda x: fc.allocate([lambda c: 1 - c], x),
    "p": fc.SparseUniform,
    "from_kurtosis": fc.SparseNormal.from_kurtosis,
    "n_points": lambda x: fc.SparseUniform(0.5).active_rule(x),
    "order": lambda x: fc.SparseUniform(0.5).moment(x),
}


@pytest.mark.parametrize("bad", NO_PLAIN_NUMBERS.values(), ids=NO_PLAIN_NUMBERS)
@pytest.mark.parametrize("call", DOORS.values(), ids=DOORS)
def test_every_door_refuses_in_one_short_sentence(call, bad):
    with pytest.raises(ValueError, match=r"; (got|known:) |did you mean") as caught:
        call(bad)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_reversed_array_beside_a_tensor_is_taken():
    best = fc.solve_allocation(np.array([1.0, 2, 3])[::-1], 2, torch.tensor(9.0))
    expected = fc.solve_allocation([3.0, 2, 1], 2, 9)
    np.testing.assert_allclose(best.capacity, expected.capacity, rtol=1e-6)


def test_a_matrix_of_numpy_is_an_array():
    W = [[1.0, 2.0], [3.0, 1.0]]
    with pytest.warns(PendingDeprecationWarning):
        matrix = np.matrix(W)
    np.testing.assert_array_equal(fc.capacities(matrix), fc.capacities(W))


KURTOSIS_DOORS = {
    "solve_allocation": lambda v, k: fc.solve_allocation(v, 1, k).capacity,
    "expected_loss": lambda v, k: fc.expected_loss(np.ones((2, v.shape[-1])), v, k),
    "best_sq_norm": lambda v, k: fc.best_sq_norm(0.5, v, k),
    "marginal_benefit": lambda v, k: fc.marginal_benefit(0.5, v, k),
    "loss_at_best_lengths": lambda v, k: fc.loss_at_best_lengths(0.5, v, k),
    "loss_from_capacities": lambda v, k: fc.loss_from_capacities(0.5, 1.0, v, k),
    "minimize_quadratic": lambda v, k: fc.minimize_quadratic(v, k, 1).loss,
}


@pytest.mark.parametrize("name", KURTOSIS_DOORS)
def test_kurtosis_broadcasts_against_importance(name):
    call = KURTOSIS_DOORS[name]
    v, k = np.array([[3.0, 2, 1], [1, 2, 2]]), np.array([9.0, 5.0])
    rows = np.stack([call(v[i], k[i]) for i in range(2)])
    np.testing.assert_allclose(call(v, k[:, None]), rows, rtol=1e-6)
    np.testing.assert_array_equal(call(v[0], [9.0] * 3), call(v[0], 9.0))
    with pytest.raises(ValueError, match=r"kurtosis must broadcast.*\(2,\).*kurtosis\[:, None\]"):
        call(v, k)
    # Two rows of two features: one kurtosis a feature, as arrays broadcast.
    rows = np.stack([call(v[i, :2], k) for i in range(2)])
    close = 1e-6 if name == "minimize_quadratic" else 1e-7
    np.testing.assert_allclose(call(v[:, :2], k), rows, rtol=close)
