"""What is read off a small sweep is the same on grids with and without a cell at V = 1."""

import numpy as np
import pytest
import xarray as xr

from feature_capacity._arrays import to_numpy
from feature_capacity.geometry.polytopes import polytope
from feature_capacity.sweeps import reading
from feature_capacity.sweeps.config import SweepConfig, SweepError
from feature_capacity.sweeps.figure_seven import Panel, by_activation, patient_sweep
from feature_capacity.sweeps.run import run_sweep
from feature_capacity.sweeps.zoom import importances_through_one, lines_through_one
from feature_capacity.theory.capacity import capacities
from feature_capacity.theory.phases import phase_diagram


def sweep(model, activation, cells):
    inputs = "sparse_uniform" if model == "computation" else "unit_sparse_uniform"
    V = np.geomspace(0.03, 30, cells)
    config = SweepConfig(
        model, activation, V, [0.02, 0.7], inputs=inputs, n_features=3, n_dims=2, n_points=512
    )
    return run_sweep(config, progress=False)


@pytest.mark.parametrize(
    ("model", "activation"),
    [("computation", "quadratic"), pytest.param("autoencoder", "relu", marks=pytest.mark.slow)],
)
def test_no_verdict_depends_on_the_parity_of_the_grid(model, activation):
    found = {cells: sweep(model, activation, cells) for cells in (31, 32, 64)}
    widths = np.array([reading.widths(each) for each in found.values()])
    plateaus = np.array([reading.plateaus(each) for each in found.values()])
    cell = 3 / 31
    assert np.ptp(widths, axis=0).max() < 1.5 * cell
    stuck = plateaus[:, 0] > 0.5
    assert stuck.all() == stuck.any() == (model == "autoencoder")


def test_lines_have_one_among_their_steps_whatever_their_number():
    for n in (3, 4, 81, 82):
        V = importances_through_one(n)
        assert 1.0 in V
        assert (np.diff(V) > 0).all()
    with pytest.raises(ValueError, match="n_steps"):
        importances_through_one(2)


def test_lines_of_quadratic_jump_below_the_critical_kurtosis():
    lines = lines_through_one("quadratic", [0.3, 0.9])
    assert lines.across == pytest.approx([0, 1], abs=0.01)
    assert lines.width[1] < 0.001 < 0.3 < lines.width[0]
    assert lines.largest_elsewhere[1] == 0
    with pytest.raises(ValueError, match="closed form"):
        _ = lines.at_equality


def test_a_line_of_the_absolute_value_is_a_step_and_that_of_relu_has_a_foot():
    effort = {"n_steps": 5, "n_starts": 8, "n_points": 128, "device": "cpu"}
    step, foot = (lines_through_one(name, [1.0], **effort) for name in ("abs", "relu"))
    assert step.across[0] > 0.95
    assert foot.across[0] > 0.5
    assert step.width[0] < 0.01 < 0.2 < foot.width[0]
    assert step.at_equality.shape == (2, 3, 6)
    assert step.capacity == pytest.approx(to_numpy(capacities(step.W))[..., 0])


def test_a_sweep_that_another_process_computes_is_waited_for(tmp_path, monkeypatch):
    import feature_capacity.sweeps.figure_seven as module

    calls = []

    def busy(config, folder, **options):
        calls.append(folder)
        if len(calls) < 3:
            raise SweepError("another process is computing x")
        return "found"

    monkeypatch.setattr(module, "cached_sweep", busy)
    monkeypatch.setattr(module, "_PATIENCE", 0.0)
    assert patient_sweep(Panel("computation", 3, "relu").config(4), tmp_path) == "found"
    assert len(calls) == 3

    def broken(config, folder, **options):
        raise SweepError("disk full")

    monkeypatch.setattr(module, "cached_sweep", broken)
    with pytest.raises(SweepError, match="disk full"):
        patient_sweep(Panel("computation", 3, "relu").config(4), tmp_path)


def test_a_diagram_of_two_cells_is_read_by_hand():
    pairs = np.kron(np.eye(3), [1.0, -1.0])
    alone = np.zeros((3, 6))
    alone[0, 0], alone[1:, 1:] = 1, polytope("pentagon")
    W = np.array([[pairs, alone]])
    found = xr.Dataset(
        {
            "W": (("probability", "importance", "dim", "feature"), W),
            "capacity": (("probability", "importance", "feature"), capacities(W)),
        },
        {"probability": [0.01], "importance": [1.0, 10.0], "feature": range(6)},
    )
    assert (reading.share_of_pairs(found), reading.share_antipodal(found)) == (1, 1)
    assert reading.share_of_one_block(found) == 0, "three pairs are three blocks"
    assert reading.furthest_superposed(found) == 1
    assert reading.not_whole_at_the_end(found) == 0
    by_name = {("a row", "GELU"): found, ("another", "GELU"): found}
    assert by_activation(by_name, "a row", reading.furthest_superposed) == {"gelu": 1}


def test_optimal_embeddings_are_drawn_with_the_capacities_of_theory():
    config = SweepConfig(
        "computation", "quadratic", [0.3, 1.1, 9.0], [0.02, 0.1], n_starts=1, max_rounds=0
    )
    found = run_sweep(config, progress=False)
    drawn = reading.optima_drawn(found, seed=3)
    exact = phase_diagram(np.array([0.3, 1.1, 9.0]), np.array([90.0, 18.0]), 6, 3).capacity
    np.testing.assert_allclose(capacities(drawn.W.values)[..., 0], exact, atol=1e-9)
    assert not np.allclose(drawn.W, reading.optima_drawn(found, seed=4).W)
