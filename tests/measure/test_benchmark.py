"""The benchmark of measuring files measures something, against what it says."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import feature_capacity as fc

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return runpy.run_path(str(ROOT / "benchmarks" / "measure.py"))


@pytest.mark.slow
def test_every_row_is_a_ratio_of_two_measurements(tmp_path):
    file = tmp_path / "report.json"
    command = [sys.executable, "benchmarks/measure.py", "--size", "small", "--threads", "1"]
    subprocess.run([*command, "--json", str(file)], cwd=ROOT, check=True, capture_output=True)
    rows = json.loads(file.read_text())["rows"]
    assert [row["target"] for row in rows] == [2, None, 2, None, 1, 1, 1, 2]
    for row in rows:
        assert row["ratio"] == pytest.approx(row["ours"] / row["plain"])
        assert row["plain"] > 0
    assert all(row["ratio"] < 1 for row in rows if row["unit"] == "MB")


@pytest.mark.parametrize("features", ["rows", "columns"])
def test_what_is_timed_is_right(script, tmp_path, features):
    path = script["decoder_file"](str(tmp_path), 40, 9, features)
    W = np.fromfile(path, "<u2")[-360:].astype(np.uint32) << 16
    W = W.view(np.float32).astype(float).reshape((40, 9) if features == "rows" else (9, 40))
    right = fc.capacities(W.T if features == "rows" else W)
    np.testing.assert_allclose(script["capacities_of_file"](path, features), right, atol=1e-12)
