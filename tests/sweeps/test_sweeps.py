"""Sweeps: the same numbers however the work is divided, killed and resumed; clear refusals."""

import errno
import itertools
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
import yaml
import zarr
from typer.testing import CliRunner

from feature_capacity import _executor, solve_allocation
from feature_capacity.cli import app
from feature_capacity.models.losses import quadrature_loss
from feature_capacity.models.quadrature import sparse_quadrature
from feature_capacity.sweeps import (
    dataset as sweep_dataset,
)
from feature_capacity.sweeps import (
    rows as sweep_rows,
)
from feature_capacity.sweeps import (
    run as sweep_run,
)
from feature_capacity.sweeps import (
    store as sweep_store,
)
from feature_capacity.sweeps.candidates import N_MOVES, WON_FROM, candidates_of
from feature_capacity.sweeps.config import SweepConfig, SweepError
from feature_capacity.sweeps.run import cached_sweep, run_sweep
from feature_capacity.sweeps.store import DamagedStoreError
from feature_capacity.theory.phases import one_feature_varied

COMMAND = Path(sys.executable).with_name("feature-capacity")
SETTINGS = {
    "model": "autoencoder",
    "activation": "relu",
    "importance": {"low": 0.1, "high": 10, "count": 5},
    "probability": {"low": 0.05, "high": 1, "count": 4},
    "inputs": "unit_sparse_uniform",
    "n_features": 4,
    "n_dims": 2,
    "n_starts": 2,
    "n_points": 64,
    "max_rounds": 20,
}
TINY = SweepConfig.from_mapping(SETTINGS)
# Enough rows, and long enough ones, that a kill in the middle is one.
LONG = SweepConfig.from_mapping(
    SETTINGS
    | {"probability": {"low": 0.05, "high": 1, "count": 8}, "n_points": 1024, "max_rounds": 1}
)
LONG_ROWS = {(round_, row) for round_ in range(3) for row in range(8)}  # the last is on all nodes


class Remembered:
    """Solves rows, and the second time that exactly the same is asked, gives the same answer.

    A row depends on its task alone, as `test_results_do_not_depend_on_...` show.  What looks at
    how rows are kept and found again need not minimize them anew; a task that is not what it was,
    in any bit, is computed.
    """

    def __init__(self):
        self.rows = {}

    def __call__(self, task):
        key = pickle.dumps(task)
        if key not in self.rows:
            self.rows[key] = sweep_rows.solve_row(task)
        return self.rows[key].copy()


@pytest.fixture(scope="session")
def memory():
    return Remembered()


class Reference(dict):
    """Sweeps computed in this process, without a store, when they are first asked for."""

    def __init__(self, memory):
        super().__init__()
        self.memory = memory

    def __missing__(self, config):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sweep_run, "solve_row", self.memory)
            self[config] = run_sweep(config, progress=False)
        return self[config]


@pytest.fixture(scope="session")
def reference(memory):
    """Two sweeps by their configuration: TINY, and LONG if a test wants it."""
    return Reference(memory)


@pytest.fixture
def remembered(memory, monkeypatch):
    """For tests of what is around the rows."""
    monkeypatch.setattr(sweep_run, "solve_row", memory)


def assert_same(found, wanted):
    """Equal to 1e-6, with the same dtypes, coordinates and attributes."""
    assert found.attrs == wanted.attrs
    assert set(found.variables) == set(wanted.variables)
    for name in wanted.variables:
        assert found[name].dtype == wanted[name].dtype, name
        assert found[name].attrs == wanted[name].attrs, name
    xr.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6)


def rows_finished(store, round_=None):
    """(round, row) for every row whose file is on disk."""
    partial = store.with_name(f"{store.name}.partial")
    files = partial.glob(f"round_{'*' if round_ is None else round_}/*")
    return {(int(file.parent.name.removeprefix("round_")), int(file.name)) for file in files}


def wait_until(condition, seconds=180):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.005)


# ------------------------------------------------------------------------------------------ results


def test_dataset_is_labelled(reference):
    data = reference[TINY]
    assert data.sizes == {"probability": 4, "importance": 5, "feature": 4, "dim": 2, "start": 2}
    assert data.W.dims == ("probability", "importance", "dim", "feature")
    assert data.capacity.dims == ("probability", "importance", "feature")
    np.testing.assert_allclose(data.importance, np.geomspace(0.1, 10, 5))
    assert all({"long_name", "units"} <= set(data[name].attrs) for name in data.variables)
    assert json.loads(data.attrs["config"])["activation"] == "relu"
    assert {"numpy", "scipy", "torch"} <= set(json.loads(data.attrs["versions"]))
    assert data.attrs["seed"] == 0
    assert len(data.attrs["code"]) == 64


@pytest.mark.slow
def test_results_do_not_depend_on_threads(reference):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(before + 1)
        threaded = run_sweep(TINY, progress=False)
        assert torch.get_num_threads() == before + 1
    finally:
        torch.set_num_threads(before)
    assert_same(threaded, reference[TINY])


@pytest.mark.slow
def test_results_do_not_depend_on_the_order_of_rows(reference, tmp_path, monkeypatch):
    def backwards(workers, function, tasks):
        for task in reversed(list(tasks)):
            yield task, function(task)

    monkeypatch.setattr(_executor.Workers, "completed", backwards)
    assert_same(run_sweep(TINY, tmp_path / "s.zarr", progress=False), reference[TINY])


def test_a_row_is_the_same_alone(reference):
    """Rows below do not matter before the first warm start."""
    alone = run_sweep(
        SweepConfig.from_mapping(
            SETTINGS | {"probability": [TINY.probability[0]], "max_rounds": 0}
        ),
        progress=False,
    )
    np.testing.assert_array_equal(
        alone.loss_of_starts[0], reference[TINY].loss_of_starts.isel(probability=0)
    )


def test_warm_starts_never_raise_a_loss_and_reach_a_fixed_point(
    reference, tmp_path, monkeypatch, remembered
):
    data, states, first_on_all = reference[TINY], [], set()
    finish, solve = sweep_store.SweepStore.finish, sweep_run.solve_row

    def look(kept, last, settled):
        for round_ in range(last + 1):
            rows = np.stack([kept.need(round_, row) for row in range(4)])
            states.append({name: rows[name] for name in rows.dtype.names})
        finish(kept, last, settled)

    def listen(task):
        if task.fine and task.first:
            first_on_all.add(task.round)
        return solve(task)

    monkeypatch.setattr(sweep_run, "solve_row", listen)
    monkeypatch.setattr(sweep_store.SweepStore, "finish", look)
    assert_same(run_sweep(TINY, tmp_path / "s.zarr", progress=False), data)
    rounds, [finer] = data.attrs["rounds"], first_on_all
    assert len(states) == rounds + 1 >= 3
    for round_, (before, now) in enumerate(itertools.pairwise(states), start=1):
        improved = now["won_in_round"] == round_
        if round_ == finer:  # where losses are compared on other nodes than before
            continue
        if round_ < finer:
            assert (improved.mean() > 0.1) == (round_ != finer - 1)  # until few cells improve
        else:
            assert improved.any() == (round_ != rounds)  # until no cell does
        assert (now["loss"][improved] < before["loss"][improved]).all()
        for name in now:
            np.testing.assert_array_equal(now[name][~improved], before[name][~improved], name)
    assert data.attrs["settled"] == 1
    by_chance = states[0]["won_from"] == 0
    lowest = data.loss_of_starts.min("start").values
    np.testing.assert_array_equal(states[0]["loss"][by_chance], lowest[by_chance])
    assert (states[0]["loss"][~by_chance] < lowest[~by_chance]).all()


def state_of(number, won_in_round):
    """A row of three cells whose parameters are told apart by their numbers."""
    row = np.zeros(3, sweep_rows.cell_dtype(CANDIDATES))
    row["W"] = number + np.arange(3)[:, None, None] / 10
    row["bias"] = -number
    row["won_in_round"] = won_in_round
    return row


CANDIDATES = SweepConfig(
    "autoencoder", "relu", [1, 2, 3], [0.1, 0.2, 0.3], n_features=2, n_dims=1, n_starts=1
)


@pytest.mark.parametrize(
    ("round_", "own", "wanted"),
    [
        # (cell, where from, W of that neighbor): left, right, below, above.
        (1, [0, 0, 0], [(1, 1, 5.0), (2, 1, 5.1), (0, 2, 5.1), (1, 2, 5.2)]),
        (2, [0, 1, 0], [(2, 1, 5.1), (0, 2, 5.1)]),  # only cell 1 has changed
    ],
)
def test_cells_start_again_from_neighbors_that_changed(round_, own, wanted):
    below, above = state_of(4.0, [0, 0, 0]), state_of(6.0, [0, 1, 0])
    task = sweep_rows.RowTask(CANDIDATES, 1, round_, state_of(5.0, own), below, above)
    around = {
        1: [(0, 3, 4.0), (1, 3, 4.1), (2, 3, 4.2), (0, 4, 6.0), (2, 4, 6.2)],
        2: [(1, 4, 6.1)],
    }
    coarse = sparse_quadrature(CANDIDATES.inputs_of(1), 2, 64)
    tried = candidates_of(task, task.own, coarse, coarse)
    parameters = tried.parameters
    found = [
        (cell, tried.origin[cell, k], parameters[cell, k, 0].round(6))
        for cell, k in np.ndindex(tried.origin.shape)
        if 1 <= tried.origin[cell, k] <= 4
    ]
    assert sorted(found) == sorted(wanted + around[round_])
    np.testing.assert_array_equal(parameters[:, 0, 0], [5.0, 5.1, 5.2])  # its own comes first
    for cell, code, W in found:
        k = np.flatnonzero((tried.origin[cell] == code) & (parameters[cell, :, 0].round(6) == W))
        np.testing.assert_array_equal(parameters[cell, k, 2], -np.floor(W))
    moves = (tried.origin == WON_FROM.index("move")).sum(axis=1)
    assert (moves >= np.where(np.array(own) == round_ - 1, N_MOVES, 0)).all()
    assert (moves[tried.count == 1] == 0).all()
    assert (moves < N_MOVES + 4).all()  # as many more as fill a batch
    assert (tried.count % 4 == 0)[tried.count > 1].all()
    corner = sweep_rows.RowTask(CANDIDATES, 0, 1, state_of(5.0, [0, 0, 0]), None, above)
    assert 3 not in candidates_of(corner, corner.own, coarse, coarse).origin


def test_the_first_round_on_all_nodes_tries_what_is_of_another_kind():
    """Entries of W are rounded to tenths, so that 4.01 is of the kind of 4 and 4.5 is not."""
    own, coarse = state_of(4.0, [0, 0, 0]), sparse_quadrature(CANDIDATES.inputs_of(1), 2, 64)
    own["W"] = 4.0
    same, other = own.copy(), own.copy()
    same["W"], other["W"] = 4.0001, 4.5
    task = sweep_rows.RowTask(CANDIDATES, 1, 7, own, same, other, fine=True, first=True)
    tried = candidates_of(task, own, coarse, coarse)
    assert (tried.count % 4 == 0).all()
    for origin in tried.origin:
        assert set(origin) == {0, WON_FROM.index("higher_probability"), WON_FROM.index("move")}
    alone = sweep_rows.RowTask(CANDIDATES, 1, 7, own, same, same, fine=True, first=True)
    np.testing.assert_array_equal(candidates_of(alone, own, coarse, coarse).count, 1)


def assert_losses_are_on_all_nodes(data, config):
    """Of four features, by the loss on the nodes that the configuration names."""
    for row, p in enumerate(config.probability):
        nodes = sparse_quadrature(config.inputs_of(row), 4, config.n_points, config.seed)
        importance = one_feature_varied(config.importance, 4)
        W, bias = data.W.values[row], data.bias.values[row]
        loss = quadrature_loss(config.toy_model, W, bias, importance, nodes)
        np.testing.assert_allclose(data.loss[row], loss, rtol=1e-4, err_msg=str(p))


COARSE = SweepConfig.from_mapping(  # grids of 2 by 2, and then of all
    SETTINGS
    | {"importance": {"low": 0.1, "high": 10, "count": 17}, "n_points": 512, "n_starts": 1}
    | {"probability": {"low": 0.05, "high": 1, "count": 16}}
)


def test_grids_have_at_least_eight_rows_and_cells():
    for shape in itertools.product((1, 7, 8, 15, 16, 31, 32, 64, 255), repeat=2):
        grids = sweep_run.coarse_grids(shape)
        assert grids[-1] == (1, 1)
        for coarse, fine in itertools.pairwise(grids):
            assert coarse != fine
            assert all(c in (f, 2 * f) for c, f in zip(coarse, fine, strict=True))
        for n, spacing in zip(shape, grids[0], strict=True):
            assert spacing == 1 or len(range(0, n, spacing)) >= 8 > n // (2 * spacing)


def test_a_coarse_grid_settles_before_the_whole_one(tmp_path, monkeypatch):
    """Cells off the grid wait, and a loss falls in all rounds but those that change its nodes."""
    states, stages = [], {}
    finish, solve = sweep_store.SweepStore.finish, sweep_run.solve_row

    def look(kept, last, settled):
        for round_ in range(last + 1):
            states.append(np.stack([kept.need(round_, row) for row in range(16)]))
        finish(kept, last, settled)

    def listen(task):
        stages.setdefault(task.round, (task.fine, task.spacing, task.first))
        assert task.row % task.spacing[0] == 0
        return solve(task)

    monkeypatch.setattr(sweep_run, "solve_row", listen)
    monkeypatch.setattr(sweep_store.SweepStore, "finish", look)
    data = run_sweep(COARSE, tmp_path / "s.zarr", progress=False)
    begun = [stage[:2] for stage in stages.values() if stage[2]]
    assert begun == [(fine, (n, n)) for fine in (False, True) for n in (2, 1)]
    on_all = np.zeros(COARSE.shape, dtype=bool)
    for round_, (before, now) in enumerate(itertools.pairwise(states), start=1):
        fine, spacing, first = stages[round_]
        on_grid = np.zeros(COARSE.shape, dtype=bool)
        on_grid[:: spacing[0], :: spacing[1]] = True
        np.testing.assert_array_equal(now[~on_grid], before[~on_grid])
        compared = on_grid & (on_all if fine else ~on_all)
        assert compared.any() or (fine and first)
        assert (now["loss"] <= before["loss"])[compared].all()
        on_all |= on_grid & fine
    assert on_all.all()
    assert data.attrs["settled"] == 1
    assert_losses_are_on_all_nodes(data, COARSE)


def test_new_minima_are_tried_in_a_sample_that_moves_and_reaches_every_cell():
    grid = {"low": 0.1, "high": 1, "count": 64}
    config = SweepConfig.from_mapping(SETTINGS | {"importance": grid, "probability": grid})
    for spacing, wanted in (((1, 1), 256), ((2, 2), 256), ((4, 4), 256), ((8, 8), 64)):
        seen = np.zeros(config.shape, dtype=int)
        for round_ in range(3, 19):
            now = np.zeros(config.shape, dtype=int)
            for row in range(0, 64, spacing[0]):
                task = sweep_rows.RowTask(config, row, round_, spacing=spacing)
                now[row, task.sampled] += 1
            assert now.sum() == wanted
            seen += now
        assert (seen[:: spacing[0], :: spacing[1]] > 0).all()
    task = sweep_rows.RowTask(config, 1, 3, first=True)
    np.testing.assert_array_equal(task.sampled, task.cells)


def test_new_minima_are_tried_outside_the_sample_where_they_are_lower_as_they_stand():
    grid = {"low": 0.1, "high": 1, "count": 32}
    config = SweepConfig.from_mapping(
        {"model": "autoencoder", "activation": "relu", "n_features": 2, "n_dims": 1}
        | {"inputs": "unit_sparse_uniform", "importance": grid, "probability": grid}
    )
    nodes = sparse_quadrature(config.inputs_of(3), 2, 256)
    pair, empty = np.array([1.0, -1.0, 0.0, 0.0]), np.zeros(4)
    own = np.zeros(32, sweep_rows.cell_dtype(config))
    own["W"][20:, 0] = pair[:2]
    importance = one_feature_varied(config.importance, 2)
    W, bias = own["W"].copy(), own["bias"].copy()
    own["loss"] = quadrature_loss(config.toy_model, W, bias, importance, nodes)
    task = sweep_rows.RowTask(config, 3, 4, own, library=np.array([empty, pair]))
    assert not len(task.sampled)
    tried = candidates_of(task, own, nodes, nodes)
    np.testing.assert_array_equal(tried.count > 1, np.arange(32) < 20)
    assert (tried.origin[:20, 1] == WON_FROM.index("library")).all()
    np.testing.assert_allclose(tried.parameters[:20, 1], np.tile(pair, (20, 1)))


def test_without_rounds_minima_are_taken_to_all_nodes_and_no_other_start_is_tried():
    config = SweepConfig.from_mapping(SETTINGS | {"n_points": 1024, "max_rounds": 0})
    data = run_sweep(config, progress=False)
    assert (data.won_in_round == 0).all()
    assert (data.attrs["rounds"], data.attrs["settled"]) == (1, 0)
    assert_losses_are_on_all_nodes(data, config)


def test_a_settled_cell_is_not_improved_by_any_neighbor(reference):
    """The fixed point by another route: minimize from each neighbor's parameters again."""
    from feature_capacity.solvers.minimization import minimize

    data, row = reference[TINY], 1
    quadrature = sparse_quadrature(TINY.inputs_of(row), 4, TINY.n_points, TINY.seed)
    importance = one_feature_varied(TINY.importance, 4)
    around = [(row, c + s) for c in range(5) for s in (-1, 1) if 0 <= c + s < 5]
    cells = [c for c in range(5) for s in (-1, 1) if 0 <= c + s < 5]
    around += [(r, c) for r in (row - 1, row + 1) for c in range(5)]
    cells += list(range(5)) * 2
    starts = np.array([np.append(data.W.values[at].ravel(), data.bias.values[at]) for at in around])
    found = minimize(
        TINY.toy_model,
        TINY.inputs_of(row),
        importance[cells],
        starts=starts[:, None],
        quadrature=quadrature,
        device="cpu",
    )
    # TINY has as many nodes in its search as in the end.
    assert (found.loss >= (1 - 2e-4) * data.loss.values[row][cells]).all()


def test_quadratic_computation_model_is_exact():
    config = SweepConfig(
        "computation", "quadratic", [0.2, 1, 5], [0.1, 0.5], n_starts=4, max_rounds=6
    )
    data = run_sweep(config, progress=False)
    exact = solve_allocation(
        one_feature_varied(config.importance, 6)[None], 3, data.kurtosis.values[:, None, None]
    )
    np.testing.assert_allclose(data.loss, exact.loss, rtol=1e-9)
    assert data.attrs["rounds"] == 0
    # Equation (12) asks for centered inputs; others take the nodes, and have warm starts.
    assert not SweepConfig("computation", "quadratic", [1], [1], inputs="unit_sparse_uniform").exact


# ---------------------------------------------------------------------------------- kill and resume


def count_rows(monkeypatch):
    """A list that gets (round, row) for every row computed in this process."""
    computed = []

    solve_row = sweep_run.solve_row

    def solve(task):
        computed.append((task.round, task.row))
        return solve_row(task)

    monkeypatch.setattr(sweep_run, "solve_row", solve)
    return computed


@pytest.mark.slow
def test_a_killed_driver_is_resumed_and_its_pool_ends(reference, tmp_path, monkeypatch):
    import psutil

    file, store = tmp_path / "config.json", tmp_path / "s.zarr"
    file.write_text(LONG.json())
    command = [COMMAND, "sweep", "--config", file, "--out", store, "--device", "cpu", "--quiet"]
    driver = psutil.Popen([*command, "--workers", "2"], stderr=subprocess.PIPE)
    try:
        wait_until(lambda: len(rows_finished(store)) >= 9 or driver.poll() is not None)
        children = driver.children(recursive=True)
    finally:
        driver.kill()
    assert driver.wait() == -signal.SIGKILL, driver.stderr.read()
    assert not store.exists()
    before = rows_finished(store)
    assert len(before) >= 9
    assert before < LONG_ROWS
    assert len(children) >= 2
    _, alive = psutil.wait_procs(children, timeout=20)
    for process in alive:
        process.kill()
    assert not alive

    computed = count_rows(monkeypatch)
    assert_same(run_sweep(LONG, store, device="cpu", progress=False), reference[LONG])
    assert sorted(computed) == sorted(LONG_ROWS - before)
    assert [path.name for path in tmp_path.iterdir() if "s.zarr" in path.name] == ["s.zarr"]

    computed.clear()
    assert_same(run_sweep(LONG, store, progress=False), reference[LONG])
    assert not computed


@pytest.mark.slow
def test_a_killed_worker_ends_the_sweep_and_the_same_command_resumes_it(
    reference, tmp_path, monkeypatch
):
    import psutil

    file, store = tmp_path / "config.json", tmp_path / "s.zarr"
    file.write_text(LONG.json())
    command = [COMMAND, "sweep", "--config", file, "--out", store, "--device", "cpu", "--quiet"]
    driver = psutil.Popen([*command, "--workers", "2"], stderr=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: len(rows_finished(store)) >= 2 or driver.poll() is not None)
        family = driver.children(recursive=True)
        workers = [child for child in family if "spawn_main" in " ".join(child.cmdline())]
        workers[0].send_signal(signal.SIGKILL)
        assert driver.wait(timeout=60) == 1
    finally:
        if driver.poll() is None:
            driver.kill()
    said = driver.stderr.read()
    assert said.startswith("error: a worker process was killed, perhaps for lack of memory; what")
    assert "run the same command again, with fewer workers" in said
    assert len(said.splitlines()) == 1
    assert not psutil.wait_procs(family, timeout=20)[1]
    assert not store.exists()
    before = rows_finished(store)
    assert 2 <= len(before) < len(LONG_ROWS)

    computed = count_rows(monkeypatch)
    assert_same(run_sweep(LONG, store, device="cpu", progress=False), reference[LONG])
    assert sorted(computed) == sorted(LONG_ROWS - before)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_the_pool_at_once_and_leaves_nothing_half_written(tmp_path, number):
    import psutil

    file, store, scratch = tmp_path / "config.json", tmp_path / "s.zarr", tmp_path / "scratch"
    file.write_text(LONG.json())
    scratch.mkdir()
    command = [COMMAND, "sweep", "--config", file, "--out", store, "--device", "cpu", "--quiet"]
    driver = psutil.Popen(
        [*command, "--workers", "2"],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(scratch)},
        # A suite that runs in the background is started with interrupts ignored, and hands that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        wait_until(lambda: len(rows_finished(store)) >= 2 or driver.poll() is not None)
        family = driver.children(recursive=True)
        driver.send_signal(number)
        assert driver.wait(timeout=20) == 128 + number
    finally:
        if driver.poll() is None:
            driver.kill()
    interrupted = "error: interrupted; the same command goes on where it stopped\n"
    assert driver.stderr.read() == (interrupted if number == signal.SIGINT else "")
    assert not psutil.wait_procs(family, timeout=5)[1]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "config.json", "s.zarr.partial", "scratch",
    ]  # fmt: skip
    assert not list(scratch.iterdir())
    kept = sweep_store.SweepStore(store, LONG)
    assert all(kept.read(*at) is not None for at in rows_finished(store))


@pytest.mark.slow
def test_a_dask_cluster_that_loses_a_driver_and_a_worker(reference, tmp_path):
    from distributed import LocalCluster

    store, killed, file = tmp_path / "s.zarr", [], tmp_path / "config.json"
    file.write_text(LONG.json())
    command = [COMMAND, "sweep", "--config", file, "--out", store, "--device", "cpu", "--quiet"]
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        address = cluster.scheduler_address
        driver = subprocess.Popen([*command, "--scheduler", address])
        wait_until(lambda: len(rows_finished(store)) >= 2 or driver.poll() is not None)
        driver.kill()
        assert driver.wait() == -signal.SIGKILL
        before = rows_finished(store)
        assert 2 <= len(before) < len(LONG_ROWS)

        def kill():
            wait_until(lambda: rows_finished(store) > before)
            os.kill(cluster.workers[0].process.pid, signal.SIGKILL)
            killed.append(len(rows_finished(store)))

        thread = threading.Thread(target=kill)
        thread.start()
        data = run_sweep(LONG, store, scheduler=address, device="cpu", progress=False)
        thread.join()

        done = call("--config", write(tmp_path, SETTINGS), "--out", tmp_path / "x.zarr",
                    "--scheduler", address, "--device", "cuda:77")  # fmt: skip
        assert done.exit_code == 2
        assert "device must be one that this machine has" in done.output
        assert not (tmp_path / "x.zarr.partial").exists()
    assert len(before) < killed[0] < len(LONG_ROWS)
    assert_same(data, reference[LONG])


@pytest.mark.parametrize(("spacing", "row"), [(2, 0), (2, 8), (1, 3)])
def test_a_sweep_that_stopped_on_any_grid_goes_on(
    spacing, row, reference, tmp_path, monkeypatch, memory
):
    stopped = []

    def stop(task):
        if task.round and (task.spacing, task.row) == ((spacing, spacing), row):
            stopped.append(task.round)
            raise KeyboardInterrupt
        return memory(task)

    wanted = reference[COARSE]
    with monkeypatch.context() as patch:
        patch.setattr(sweep_run, "solve_row", stop)
        with pytest.raises(KeyboardInterrupt):
            run_sweep(COARSE, tmp_path / "s.zarr", progress=False)
    before = {round_ for round_, _ in rows_finished(tmp_path / "s.zarr")}
    assert before == set(range(stopped[0] + 1))
    monkeypatch.setattr(sweep_run, "solve_row", memory)
    assert_same(run_sweep(COARSE, tmp_path / "s.zarr", progress=False), wanted)


# ------------------------------------------------------------------------------------------- stores


@pytest.fixture(scope="session")
def stores(tmp_path_factory, memory):
    """A whole store, and one whose sweep stopped in round 1, after row 1."""
    folder = tmp_path_factory.mktemp("stores")

    def stop(task):
        if (task.round, task.row) == (1, 2):
            raise KeyboardInterrupt
        return memory(task)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweep_run, "solve_row", stop)
        with pytest.raises(KeyboardInterrupt):
            run_sweep(TINY, folder / "half.zarr", progress=False)
        shutil.copytree(folder / "half.zarr.partial", folder / "whole.zarr.partial")
        patch.setattr(sweep_run, "solve_row", memory)
        run_sweep(TINY, folder / "whole.zarr", progress=False)
    return folder


@pytest.fixture
def half_done(stores, tmp_path):
    """A copy of the store that was stopped; only what is beside it is there yet."""
    shutil.copytree(stores / "half.zarr.partial", tmp_path / "half.zarr.partial")
    store = tmp_path / "half.zarr"
    assert rows_finished(store) == {(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 1)}
    return store


@pytest.fixture
def whole(stores, tmp_path):
    """A copy of the finished store."""
    return shutil.copytree(stores / "whole.zarr", tmp_path / "whole.zarr")


def truncate(path):
    path.write_bytes(path.read_bytes()[:-20])


@pytest.mark.parametrize(
    "damage",
    [
        truncate,
        Path.unlink,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes() + b"more"),
        lambda path: shutil.copy(path.with_name("0"), path),
        lambda path: shutil.copy(path.parents[1] / "round_1" / "1", path),
    ],
)
def test_a_damaged_row_is_computed_again(reference, half_done, monkeypatch, damage, remembered):
    damage(half_done.with_name("half.zarr.partial") / "round_0" / "1")
    computed = count_rows(monkeypatch)
    assert_same(run_sweep(TINY, half_done, progress=False), reference[TINY])
    assert computed[:3] == [(0, 1), (1, 2), (1, 3)]
    assert (1, 1) not in computed


def snapshot(folder):
    return {path: path.is_file() and path.read_bytes() for path in folder.rglob("*")}


def change_one_number(store, name="loss", at=(1, 0)):
    values = zarr.open_group(store, mode="r+")[name]
    values[at] = values[at] + 1 if values.dtype.kind == "i" else np.nextafter(values[at], np.inf)


def change_text(store, old, new):
    """In what describes the arrays, where it is for itself and where it is put together."""
    found = [file for file in store.rglob("zarr.json") if old in file.read_text()]
    assert found
    for file in found:
        file.write_text(file.read_text().replace(old, new))


@pytest.mark.parametrize(
    "damage",
    [
        lambda store: truncate(store / "W/c/0/0/0/0"),
        lambda store: (store / "loss/c/0/0").unlink(),
        change_one_number,
        lambda store: shutil.rmtree(store / "capacity"),
        lambda store: change_one_number(store, "probability", 1),
        lambda store: change_one_number(store, "kurtosis", 1),
        lambda store: change_one_number(store, "feature", 1),
        lambda store: change_text(store, '"settled": 1', '"settled": 0'),
        lambda store: change_text(store, "lowest expected loss", "highest expected loss"),
        lambda store: shutil.rmtree(store / "kurtosis/c"),
        lambda store: change_text(store, '"seed": 0', '"seed": 99'),
        lambda store: (store / "loss/zarr.json").write_text("{"),
        lambda store: (store / "loss/zarr.json").unlink(),
        lambda store: change_text(store / "loss", '"bytes"', '"octets"'),
        lambda store: shutil.copy(store / "loss/c/0/0", store / "loss/c/0/1"),
        lambda store: (store / "SHA256SUMS").unlink(),
        lambda store: truncate(store / "SHA256SUMS"),
    ],
)
def test_a_damaged_store_is_refused_and_a_cache_renewed(reference, whole, damage, remembered):
    damage(whole)
    before = snapshot(whole)
    with pytest.raises(DamagedStoreError, match=r"whole\.zarr is damaged .*delete it and run"):
        run_sweep(TINY, whole, progress=False)
    assert snapshot(whole) == before
    cached = whole.with_name(f"autoencoder-relu-{TINY.digest[:16]}.zarr")
    whole.rename(cached)
    assert_same(cached_sweep(TINY, cached.parent), reference[TINY])


def test_a_large_sweep_is_stored_a_block_of_rows_at_a_time(
    reference, tmp_path, monkeypatch, remembered
):
    monkeypatch.setattr(sweep_dataset, "_CHUNK_BYTES", 8 * 5 * 60)
    store = tmp_path / "blocks.zarr"
    assert_same(run_sweep(TINY, store, progress=False), reference[TINY])
    chunks = sorted(path.name for path in (store / "loss" / "c").iterdir())
    assert 1 < len(chunks) < TINY.shape[0], "the case tried is neither of the simple ones"
    truncate(store / "loss/c" / chunks[-1] / "0")
    with pytest.raises(DamagedStoreError):
        run_sweep(TINY, store, progress=False)


def test_another_sweep_or_code_is_refused(whole, half_done, monkeypatch):
    other = SweepConfig.from_mapping(SETTINGS | {"n_starts": 3, "seed": 5})
    before = snapshot(whole.parent)
    for store in (whole, half_done):
        with pytest.raises(ValueError, match=r"holds another sweep \(n_starts, seed differ\)"):
            run_sweep(other, store, progress=False)
        with monkeypatch.context() as patch:
            patch.setattr(sweep_store, "code_digest", lambda: "other")
            with pytest.raises(ValueError, match="another version of the code"):
                run_sweep(TINY, store, progress=False)
    assert snapshot(whole.parent) == before


def test_a_store_of_the_first_format_is_refused(tmp_path, whole, half_done):
    """As it was: one file with the configuration, and another number."""
    partial = half_done.with_name("half.zarr.partial")
    identity = json.loads((partial / "zarr.json").read_text())["attributes"]
    (partial / "zarr.json").unlink()
    old = {**identity, "feature_capacity_sweep": 1}
    (partial / "sweep.json").write_text(json.dumps(old))
    change_text(whole, '"feature_capacity_sweep": 3', '"feature_capacity_sweep": 1')
    before = snapshot(tmp_path)
    for store in (whole, half_done):
        with pytest.raises(ValueError, match="store format 1 instead of 3; choose another place"):
            run_sweep(TINY, store, progress=False)
    assert snapshot(tmp_path) == before


def test_a_store_older_than_a_setting_is_of_another_version(whole):
    file = whole / "zarr.json"
    stored = json.loads(file.read_text())
    config = json.loads(stored["attributes"]["config"])
    assert config.pop("bias") == "best"
    stored["attributes"] |= {"config": json.dumps(config), "code": "older"}
    file.write_text(json.dumps(stored))
    for settings in (SETTINGS, SETTINGS | {"bias": "none"}):
        with pytest.raises(ValueError, match="another version of the code"):
            run_sweep(SweepConfig.from_mapping(settings), whole, progress=False)


@pytest.mark.slow
@pytest.mark.parametrize("bias", ["shared", "none"])
def test_a_sweep_with_less_freedom_of_the_bias(reference, bias):
    data = run_sweep(SweepConfig.from_mapping(SETTINGS | {"bias": bias}), progress=False)
    assert data.attrs["rounds"] > 1, "warm starts too"
    assert (data.bias == (data.bias[..., 0] if bias == "shared" else 0)).all()
    worse = (data.loss / reference[TINY].loss).values
    assert worse.min() > 0.95, "two starts do not always find the best minimum"
    assert np.mean(worse) > 1.0
    assert worse.max() > 1.01


def test_one_writer_at_a_time(half_done):
    with (
        sweep_store.SweepStore(half_done, TINY).opened(),
        pytest.raises(SweepError, match="another process is computing"),
    ):
        run_sweep(TINY, half_done, progress=False)


@pytest.mark.slow
def test_of_many_writers_at_once_one_computes_and_the_others_say_so(tmp_path):
    for attempt in range(5):
        store, begin, found = tmp_path / f"{attempt}.zarr", threading.Barrier(6), []

        def write(store=store, begin=begin, found=found):
            kept = sweep_store.SweepStore(store, TINY)
            begin.wait()
            try:
                with kept.opened():
                    found.append("computes")
                    time.sleep(1)
            except Exception as error:
                found.append(f"{type(error).__name__}: {error}")

        threads = [threading.Thread(target=write) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        refused = f"SweepError: another process is computing {store}"
        assert sorted(found) == [refused] * 5 + ["computes"]
        assert [path.name for path in tmp_path.iterdir() if "." in path.name[:1]] == []


def test_a_sweep_that_ends_while_another_begins_is_read(reference, whole, monkeypatch):
    kept = sweep_store.SweepStore(whole.with_name("new.zarr"), TINY)
    kept.partial.mkdir()

    class Late(sweep_store.FileLock):
        def acquire(self, **options):
            if whole.exists():
                shutil.rmtree(kept.partial)  # by the process that has finished
                whole.rename(kept.path)
            return super().acquire(**options)

    monkeypatch.setattr(sweep_store, "FileLock", Late)
    with kept.opened():
        assert kept.finished
    assert_same(kept.dataset(), reference[TINY])
    assert not kept.partial.exists()


def test_cached_sweeps_are_found_by_configuration_and_code(
    reference, tmp_path, monkeypatch, remembered
):
    assert_same(cached_sweep(TINY, tmp_path / "new"), reference[TINY])
    computed = count_rows(monkeypatch)
    assert_same(cached_sweep(TINY, tmp_path / "new"), reference[TINY])
    assert not computed
    assert SweepConfig.from_mapping(SETTINGS | {"seed": 1}).digest != TINY.digest
    with monkeypatch.context() as patch:
        patch.setattr("feature_capacity.sweeps.config.code_digest", lambda: "other")
        changed = TINY.digest
    assert changed != TINY.digest


def test_a_full_disk_keeps_what_is_finished(reference, tmp_path, monkeypatch, remembered):
    """Writing fails at one point after the other; what is left is resumed to the same result."""
    store, left = tmp_path / "s.zarr", [0]

    def full(write):
        def until_it_is_full(path, mode="r", *args, **kwargs):
            if not str(mode).startswith("r"):  # a new file, or the place of a rename
                left[0] -= 1
                if left[0] < 0:
                    raise OSError(errno.ENOSPC, "No space left on device")
            return write(path, mode, *args, **kwargs)

        return until_it_is_full

    for writes in (0, 1, 2, 3, 7, 9, 10, 11, 30):
        left[0] = writes
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", full(os.replace))  # by which what Zarr writes appears
            patch.setattr(Path, "open", full(Path.open))
            with pytest.raises(SweepError, match="No space left on device; finished rows are kept"):
                run_sweep(TINY, store, progress=False)
        assert not store.exists()
    assert_same(run_sweep(TINY, store, progress=False), reference[TINY])


@pytest.mark.slow
def test_a_file_system_that_is_really_full(tmp_path):
    """A file system of 80 KB, where this machine lets us mount one."""
    file = write(tmp_path, SETTINGS | {"importance": {"low": 0.1, "high": 10, "count": 20}})
    mount = tmp_path / "small"
    mount.mkdir()
    script = (
        f"mount -t tmpfs -o size=80k none {mount} || exit 77; "
        f"{COMMAND} sweep --quiet --config {file} --out {mount}/s.zarr; "
        f"code=$?; ls -A {mount}; exit $code"
    )
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True)
    if done.returncode in (1, 77) and "No space" not in done.stderr:
        pytest.skip("this machine does not let us mount a file system")
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("error: cannot write")
    assert "No space left on device" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "s.zarr" not in done.stdout.split()


MEASURE = """
import resource, sys
import numpy as np
from feature_capacity.sweeps import rows as sweep_rows, run as sweep_run
from feature_capacity import SweepConfig, run_sweep

rows, store = int(sys.argv[1]), sys.argv[2]
importance = np.geomspace(0.1, 10, 4000)
probability = np.linspace(0.1, 1, rows)
config = SweepConfig("autoencoder", "relu", importance, probability, max_rounds=1)
def solve(task):
    row = np.zeros(4000, sweep_rows.cell_dtype(config))
    row["W"] = row["capacity"] = row["loss_of_starts"] = task.row + 0.5
    return row
sweep_run.solve_row = solve
run_sweep(config, store, progress=False)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_grid(tmp_path):
    """Rows of 1.3 MB from a stand-in for the solver: twenty more would show if they were kept."""
    commands = [
        [sys.executable, "-c", MEASURE, str(rows), tmp_path / f"{rows}.zarr"] for rows in (4, 24)
    ]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
    peaks = [float(process.communicate()[0]) for process in running]
    assert peaks[1] - peaks[0] < 10, peaks


# --------------------------------------------------------------------------------- the command line


def call(*words):
    return CliRunner().invoke(app, ["sweep", "--quiet", *map(str, words)])


def write(folder, settings, name="config.yml"):
    (folder / name).write_text(yaml.safe_dump(settings))
    return folder / name


@pytest.mark.parametrize("suffix", ["yml", "json"])
def test_the_command_line(reference, tmp_path, suffix, remembered):
    file, store = tmp_path / f"config.{suffix}", tmp_path / "s.zarr"
    file.write_text(json.dumps(SETTINGS) if suffix == "json" else yaml.safe_dump(SETTINGS))
    done = call("--config", file, "--out", store)
    assert done.exit_code == 0, done.output
    assert done.output == f"{store}: 4 x 5 cells, 100.0 % of them converged\n"
    stored = xr.open_zarr(store, chunks=None)
    assert_same(stored, reference[TINY])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "autoencodr"}, "unknown model 'autoencodr'; did you mean autoencoder?"),
        ({"activation": "sigmoid"}, "known: abs, gelu, quadratic, relu, tanh"),
        ({"activation": "rellu"}, "did you mean relu"),
        ({"inputs": "uniform"}, "unknown inputs 'uniform'; did you mean"),
        ({"n_dims": 7}, "n_dims must be a whole number from 1 to the number of features (4)"),
        ({"n_features": 0}, "n_features must be a whole number, at least 1; got 0"),
        ({"probability": [0.0, 0.5]}, "probability must be in (0, 1]; got 0.0"),
        ({"probability": [0.5, 1.5]}, "probability must be in (0, 1]; got 1.5"),
        (
            {"probability": [1.0e-7, 1]},
            "probability must be at least 1e-06 where the loss is taken",
        ),
        ({"probability": []}, "probability is an empty grid"),
        ({"importance": []}, "importance is an empty grid"),
        ({"importance": [1, 1]}, "importance must increase strictly; got 1.0 after 1.0"),
        ({"importance": [2, 1]}, "importance must increase strictly; got 1.0 after 2.0"),
        ({"importance": [-1, 1]}, "importance must be above 0; got -1.0"),
        ({"importance": ["a"]}, "importance must be finite numbers; got 'a'"),
        ({"importance": [float("nan")]}, "importance must be finite numbers; got nan"),
        ({"importance": 3}, "importance must be a list of increasing numbers"),
        ({"importance": {"low": 1, "high": 2}}, "has low, high and count; got high, low"),
        ({"importance": {"low": 2, "high": 1, "count": 3}}, "needs 0 < low < high"),
        ({"importance": {"low": 1, "high": 2, "count": 1}}, "count must be a whole number"),
        ({"n_starts": 0}, "n_starts must be a whole number, at least 1; got 0"),
        ({"n_starts": 2.5}, "n_starts must be a whole number, at least 1; got 2.5"),
        ({"max_rounds": -1}, "max_rounds must be a whole number, at least 0; got -1"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"n_points": 10}, "n_points must be a whole number, at least 64"),
        ({"tolerance": 2}, "tolerance must be in (0, 1); got 2"),
        ({"dtype": "float16"}, "unknown dtype 'float16'; did you mean"),
        ({"n_start": 3}, "unknown sweep setting 'n_start'; did you mean n_starts"),
    ],
)
def test_a_bad_configuration_is_one_sentence(tmp_path, change, message):
    refused(tmp_path, message, "--config", write(tmp_path, SETTINGS | change))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model: [", "cannot be read as YAML"),
        ("- 1", "holds no mapping"),
        ("model: autoencoder", "a sweep needs the setting activation and importance and"),
    ],
)
def test_a_file_that_is_no_configuration(tmp_path, text, message):
    (tmp_path / "config.yml").write_text(text)
    refused(tmp_path, message, "--config", tmp_path / "config.yml")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--device", "cuda:77"), "device must be one that this machine has"),
        (("--device", "gpu"), "device must be one that this machine has"),
        (("--workers", "0"), "workers must be a whole number, at least 1; got 0"),
        (("--workers", "2", "--scheduler", "tcp://127.0.0.1:9"), "exclude each other"),
        (("--scheduler", "tcp://127.0.0.1:9"), "no Dask scheduler answers at tcp://127.0.0.1:9"),
        (("--scheduler", "nonsense://x"), "no Dask scheduler answers at nonsense://x"),
    ],
)
def test_a_bad_option_is_one_sentence(tmp_path, monkeypatch, words, message):
    monkeypatch.setattr(_executor, "_SECONDS_TO_ANSWER", 1)
    refused(tmp_path, message, "--config", write(tmp_path, SETTINGS), *words)


@pytest.mark.parametrize("there", ["folder", "file", "zarr", "partial", "nowhere"])
def test_a_store_that_is_not_ours_is_refused(tmp_path, there):
    config, store = write(tmp_path, SETTINGS), tmp_path / "s.zarr"
    message = f"{store} is not a sweep of this program"
    if there == "folder":
        store.mkdir()
        (store / "letter.txt").write_text("dear")
    elif there == "file":
        store.write_text("dear")
    elif there == "zarr":
        xr.Dataset({"a": ("x", [1.0])}).to_zarr(store, consolidated=False)
    elif there == "partial":
        (tmp_path / "s.zarr.partial").mkdir()
        (tmp_path / "s.zarr.partial" / "letter.txt").write_text("dear")
        message = "s.zarr.partial is not a sweep of this program"
    else:
        store = tmp_path / "no" / "s.zarr"
        message = "there is no folder"
    refused(tmp_path, message, "--config", config, store=store)


def refused(folder, message, *words, store=None):
    """Exit status 2, one sentence, nothing written."""
    before = snapshot(folder)
    done = call(*words, "--out", store or folder / "s.zarr")
    assert done.exit_code == 2, done.output
    assert message in done.output
    assert done.output.startswith("error: ")
    assert len(done.output.splitlines()) == 1
    assert snapshot(folder) == before


@pytest.mark.slow
def test_the_installed_command_refuses_too(tmp_path):
    """The same through a real process."""
    file = write(tmp_path, SETTINGS | {"n_dims": 9})
    command = [COMMAND, "sweep", "--config", file]
    done = subprocess.run([*command, "--out", tmp_path / "s.zarr"], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "n_dims must be a whole number" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["config.yml"]


def test_interrupting_says_how_to_go_on(tmp_path, monkeypatch):
    def stop(task):
        raise KeyboardInterrupt

    monkeypatch.setattr(sweep_run, "solve_row", stop)
    done = call("--config", write(tmp_path, SETTINGS), "--out", tmp_path / "s.zarr")
    assert done.exit_code == 130
    assert "the same command goes on where it stopped" in done.output
