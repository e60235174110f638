"""Capacities by the workers of a cluster: those of one process."""

import dask.array as da
import numpy as np
import pytest
import zarr
from distributed import Client

from feature_capacity import capacities
from feature_capacity.measure import cluster
from feature_capacity.measure.cluster import capacities_on_cluster

W = np.random.default_rng(0).standard_normal((6, 500)) * np.geomspace(1e-20, 1e20, 500)
W[:, 7] = 0


@pytest.fixture(autouse=True)
def small_tasks(monkeypatch):
    monkeypatch.setattr(cluster, "NUMBERS", 60)


@pytest.mark.parametrize("features", ["rows", "columns"])
def test_a_zarr_store_and_an_array_are_measured_in_tasks(tmp_path, features):
    stored = W if features == "columns" else np.ascontiguousarray(W.T)
    zarr.save(tmp_path / "w.zarr", stored)
    right = capacities(W)
    for given in (tmp_path / "w.zarr", da.from_array(stored, chunks=100)):
        found = capacities_on_cluster(given, features=features, scheduler="threads")
        np.testing.assert_allclose(found, right, atol=1e-9)
    few = np.random.default_rng(1).standard_normal((9, 4))
    found = capacities_on_cluster(da.from_array(few, chunks=3), scheduler="synchronous")
    np.testing.assert_allclose(found, capacities(few), atol=1e-12)


@pytest.mark.slow
def test_workers_in_other_processes_give_the_same(tmp_path):
    np.save(tmp_path / "w.npy", W)
    with Client(n_workers=2, threads_per_worker=1, dashboard_address=None) as client:
        found = capacities_on_cluster(tmp_path / "w.npy", scheduler=client)
    np.testing.assert_allclose(found, capacities(W), rtol=1e-6, atol=1e-12)


def test_what_is_not_finite_is_refused():
    bad = W.copy()
    bad[2, 40] = np.nan
    with pytest.raises(ValueError, match="1 features are not, the first is 40"):
        capacities_on_cluster(da.from_array(bad, chunks=100), scheduler="synchronous")
    with pytest.raises(ValueError, match="must be a matrix"):
        capacities_on_cluster(da.from_array(np.ones(3)))
