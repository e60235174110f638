"""The benchmark measures something, and says it in a table."""

import json
import runpy
import subprocess
import sys
import types

import numpy as np
import pytest

PARTS = ("loops", "between")


@pytest.fixture(scope="module")
def report(project, tmp_path_factory):
    file = tmp_path_factory.mktemp("bench") / "report.json"
    command = [sys.executable, "benchmarks/exact.py", "--size", "small", "--json", str(file)]
    printed = subprocess.run(command, cwd=project.root, check=True, capture_output=True, text=True)
    return json.loads(file.read_text()), printed.stdout


def test_every_row_holds_a_ratio_of_two_measurements(report):
    rows = report[0]["rows"]
    assert len(rows) == 9
    for row in rows:
        assert row["plain"] > 0
        assert row["ours"] >= 0
        assert row["ratio"] == pytest.approx(row["ours"] / row["plain"])
    assert [row["target"] for row in rows] == [4, 0.01, None, 3, 1, 20, None, None, 1]
    assert report[0]["repeats"] >= 3
    assert report[0]["threads"] == 1


def test_the_table_shows_every_row_with_its_target(report):
    text = report[1]
    for row in report[0]["rows"]:
        line = next(line for line in text.splitlines() if line.startswith(row["what"]))
        assert f"{row['ratio']:.3g}" in line
        assert (f"at most {row['target']}" in line) == (row["target"] is not None)
    assert "1 thread(s)" in text


def test_the_import_loads_nothing_but_itself():
    """Seconds depend on the machine; what is loaded does not."""
    code = (
        "import sys; before = set(sys.modules); import feature_capacity\n"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(*sorted(new - set(sys.stdlib_module_names)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "feature_capacity\n"


def test_the_loop_that_the_diagram_is_compared_with_is_right(project):
    import feature_capacity as fc

    names = runpy.run_path(str(project.root / "benchmarks" / "exact.py"))
    importance, kurtosis = [0.3, 0.9, 1.5, 6.0], [1.8, 3.5, 9.0, 80.0]
    loop = names["loop_over_cells"](importance, kurtosis, 6, 3)
    exact = fc.phase_diagram(importance, kurtosis, 6, 3).capacity
    np.testing.assert_allclose(np.reshape(loop, (4, 4)), exact, atol=1e-9)


@pytest.mark.thorough
def test_a_panel_is_compared_with_training_at_equal_loss(project, tmp_path):
    file = tmp_path / "panels.json"
    command = [sys.executable, "benchmarks/panels.py", "--panels", "auto-relu-3", "--grid", "4"]
    command += ["--steps", "20", "--timed-steps", "1", "--json", str(file)]
    done = subprocess.run(command, cwd=project.root, check=True, capture_output=True, text=True)
    (row,) = json.loads(file.read_text())["rows"]
    assert {"in_the_mean", "in_every_cell"} <= row.keys(), "20 steps are easily matched"
    assert row["cells_compared"] == 4
    assert min(row["time"][part] for part in PARTS) > 0
    assert f"ratio {row['in_the_mean']['ratio']:.0f} " in done.stdout


@pytest.mark.slow
def test_growth_is_told_of_two_grids_that_settle(project, tmp_path):
    file = tmp_path / "growth.json"
    command = [sys.executable, "benchmarks/panels.py", "--growth", "--panels", "auto-relu-3"]
    command += ["--grid", "4", "--json", str(file)]
    done = subprocess.run(command, cwd=project.root, check=True, capture_output=True, text=True)
    (row,) = json.loads(file.read_text())["growth"]
    assert row["once"]["settled"] == row["twice"]["settled"] == 1
    assert f"{row['growth']:.1f} times the time for 4.0 times the cells" in done.stdout
    assert "NOT SETTLED" not in done.stdout


def test_losses_are_compared_cell_by_cell(project):
    names = runpy.run_path(str(project.root / "benchmarks" / "panels.py"))
    config = names["SweepConfig"](
        "autoencoder", "relu", [0.5, 2], [0.1, 0.5], inputs="unit_sparse_uniform", n_features=3,
        n_dims=2, n_starts=1, max_rounds=0, n_points=512,
    )  # fmt: skip
    found, some = names["run_sweep"](config, progress=False), np.arange(2)
    same = found.stack(cell=("probability", "importance")).transpose("cell", ...)
    trained = types.SimpleNamespace(W=same.W.values, bias=same.bias.values)
    np.testing.assert_allclose(names["_excess"](config, found, trained, some), 0, atol=1e-12)
    trained.W = 0 * trained.W  # knows nothing; without the bias it is worse still
    excess, error = names["_excess"](config, found, trained, some)
    assert (excess < -0.1).all()
    assert ((error > 0) & (error < 0.05)).all()


def test_a_loss_that_is_not_reached_is_said(project):
    names = runpy.run_path(str(project.root / "benchmarks" / "panels.py"))
    missed = {"panel": "P", "grid": "2 x 2", "trained_seconds": 1.0, "cells_compared": 1}
    missed |= {"worst_excess": 0.5, "worst_error": 0.01}
    missed["time"] = dict.fromkeys(PARTS, 0.25)
    text = names["describe"](missed)
    assert "as good in the mean: not reached" in text
    assert "as good in every cell: not reached" in text


def test_an_unknown_panel_is_one_sentence(project, monkeypatch, capsys):
    script = str(project.root / "benchmarks" / "panels.py")
    monkeypatch.setattr(sys, "argv", [script, "--panels", "auto-rlu-3"])
    with pytest.raises(SystemExit, match=r"^2$"):
        runpy.run_path(script, run_name="__main__")
    assert "unknown panels auto-rlu-3; known: all, " in capsys.readouterr().err
