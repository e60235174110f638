"""How well known features are read: dictionaries, linear readouts, basis pursuit."""

import numpy as np
import pytest

import feature_capacity as fc
from feature_capacity.models.dictionaries import RULES, train_dictionary
from feature_capacity.zoo import reading

RNG = np.random.default_rng(0)


def test_capacity_is_the_squared_correlation_with_ones_own_direction():
    W = RNG.standard_normal((3, 7))
    x = RNG.standard_normal((200_000, 7))
    correlation = [np.corrcoef(x @ W.T @ W[:, i], x[:, i])[0, 1] for i in range(7)]
    np.testing.assert_allclose(np.square(correlation), fc.capacities(W), atol=0.01)
    np.testing.assert_allclose(reading.readout(W, W), fc.capacities(W), rtol=1e-12)


def test_no_linear_readout_beats_leverage():
    W = RNG.standard_normal((3, 7))
    best = reading.readout(W, np.linalg.pinv(W @ W.T) @ W)
    np.testing.assert_allclose(best, fc.leverage_capacities(W), rtol=1e-9)
    for _ in range(50):
        assert (reading.readout(W, RNG.standard_normal((3, 7))) <= best + 1e-12).all()


def test_basis_pursuit_finds_what_is_sparse_and_not_what_is_not():
    W = RNG.standard_normal((12, 20))
    assert reading.recovery_rate(W, 1, 10, np.random.default_rng(1)) == 1
    assert reading.recovery_rate(W, 12, 10, np.random.default_rng(1)) == 0


def test_a_split_and_an_absorbed_feature_are_told():
    W, x = np.eye(2), np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    # Two latents for feature 0, each of which fires for some; the last sample is read by a third.
    D = np.array([[1.0, 1.0, 0.0, 0.7], [0.0, 0.01, 1.0, 0.7]])
    D /= np.linalg.norm(D, axis=0)
    z = np.array([[1.0, 0, 0, 0], [0, 2.0, 0, 0], [0, 0, 1.0, 0], [0, 0, 0, 1.4]])
    found = reading.recovery(D, z, W, x)
    assert found.splits.tolist() == [2, 1]
    assert found.f1[0] == pytest.approx(2 * 1 / (3 + 1))
    assert found.absorbed == pytest.approx([2 / 3, 1 / 2])


def test_a_latent_that_never_fires_has_found_nothing():
    found = reading.recovery(np.eye(2), [[1.0, 0.0]], np.eye(2), [[1.0, 1.0]])
    assert found.found.tolist() == [True, False]


@pytest.mark.parametrize("rule", RULES)
def test_a_dictionary_finds_orthogonal_features(rule):
    rng = np.random.default_rng(0)
    x = np.eye(4)[rng.integers(4, size=5000)] * rng.uniform(0.3, 1, (5000, 1))
    turn = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    sparsity = 0.05 if rule == "l1" else 1
    found = train_dictionary(
        x @ turn.T, 8, rule, sparsity, n_steps=400, learning_rate=1e-2, resample_every=50
    )
    seen = reading.recovery(found.directions, found.encode(x @ turn.T), turn, x)
    assert seen.found.all()
    assert found.unexplained(x @ turn.T) < 0.1
    if rule == "l1":
        assert (seen.f1 > 0.9).all()
    if rule != "l1":
        assert (found.encode(x @ turn.T) > 0).sum(axis=1).max() <= 1


def test_the_same_seed_gives_the_same_dictionary():
    h = RNG.standard_normal((500, 3))
    one, two, other = (train_dictionary(h, 6, n_steps=20, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(one.directions, two.directions)
    assert np.abs(one.directions - other.directions).max() > 0.01


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"rule": "l0"}, "rule"),
        ({"rule": "topk", "sparsity": 0.5}, "sparsity"),
        ({"sparsity": -1.0}, "sparsity"),
        ({"hidden": np.zeros((4, 2))}, "all are 0"),
    ],
)
def test_mistakes_are_told(change, told):
    with pytest.raises(ValueError, match=told):
        train_dictionary(**{"hidden": RNG.standard_normal((9, 2)), "n_latents": 3, **change})
