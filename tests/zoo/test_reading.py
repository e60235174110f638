"""How well known features are read: dictionaries, linear readouts, basis pursuit."""

import numpy as np
import pytest

import feature_capacity as fc
from feature_capacity.models.dictionaries import RULES, train_dictionary
from feature_capacity.zoo import reading
from feature_capacity.zoo.side_by_side import features_told

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


def test_directions_that_are_held_stay_and_the_encoder_learns_them():
    """Oblique ones, which their own transpose reads badly."""
    angle = np.pi / 3 * np.arange(3)
    known = np.array([np.cos(angle), np.sin(angle)])
    h = ((RNG.random((4000, 3)) < 0.2) * RNG.random((4000, 3))) @ known.T
    options = {"rule": "l1", "sparsity": 0.05, "resample_every": 20, "directions": 3 * known}
    few, many = (train_dictionary(h, 3, n_steps=n, learning_rate=1e-2, **options) for n in (1, 400))
    np.testing.assert_allclose(many.directions, known, atol=1e-6)
    assert many.n_resampled == 0
    assert many.cost(h, 0.05) < 0.7 * few.cost(h, 0.05)


def test_the_cost_is_error_and_penalty_of_scaled_vectors():
    h = 7 * RNG.standard_normal((50, 3))
    found = train_dictionary(h, 5, n_steps=3)
    scaled = h / np.sqrt((h**2).sum() / 50)
    z = np.maximum(scaled @ found.encoder.T + found.bias / np.sqrt((h**2).sum() / 50), 0)
    error = np.mean(
        [
            (found.directions @ a - b) @ (found.directions @ a - b)
            for a, b in zip(z, scaled, strict=True)
        ]
    )
    assert found.cost(h, 0.4) == pytest.approx(error + 0.4 * z.sum() / 50, rel=1e-9)


def test_of_two_near_latents_the_one_that_says_best_reads_the_feature():
    """The nearest one fires once in ten times, the other, a little off, always."""
    near = np.array([[1.0, 0.98, 0.0], [0.0, np.sqrt(1 - 0.98**2), 1.0]])
    x = np.array([[1.0, 0.0]] * 10 + [[0.0, 1.0]] * 5)
    z = np.array([[0.0, 1.0, 0.0]] * 9 + [[1.0, 1.0, 0.0]] + [[0.0, 0.0, 1.0]] * 5)
    seen = reading.recovery(near, z, np.eye(2), x)
    np.testing.assert_array_equal(seen.latent, [1, 2])
    np.testing.assert_array_equal(seen.f1, [1.0, 1.0])
    np.testing.assert_array_equal(seen.splits, [2, 1])
    assert seen.cosine[0] == 1.0


@pytest.mark.parametrize("signs", [1, 2])
def test_a_pair_counts_as_two_features_only_where_it_has_one_sign(signs):
    """Antipodal features of either sign share both of their directions."""
    W = np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 1.0]])
    x = (RNG.random((8000, 3)) < 0.1) * RNG.uniform(1 - signs, 1, (8000, 3))
    assert features_told(W, x, n_steps=800) == {1: 3.0, 2: 2.0}[signs]


def test_what_does_not_fit_is_told():
    with pytest.raises(ValueError, match="features must have shape"):
        features_told(np.eye(2), np.ones((9, 3)))
    with pytest.raises(ValueError, match="close"):
        features_told(np.eye(2), np.ones((9, 2)), close=1.5)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"rule": "l0"}, "rule"),
        ({"rule": "topk", "sparsity": 0.5}, "sparsity"),
        ({"sparsity": -1.0}, "sparsity"),
        ({"hidden": np.zeros((4, 2))}, "all are 0"),
        ({"directions": np.ones((3, 2))}, "directions"),
        ({"directions": np.eye(2, 3)}, "column of zeros"),
    ],
)
def test_mistakes_are_told(change, told):
    with pytest.raises(ValueError, match=told):
        train_dictionary(**{"hidden": RNG.standard_normal((9, 2)), "n_latents": 3, **change})
