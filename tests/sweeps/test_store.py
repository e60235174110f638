"""What ended processes leave of a store: put away, gone on with, or refused."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from feature_capacity.sweeps import store as sweep_store
from feature_capacity.sweeps.config import SweepConfig, SweepError
from feature_capacity.sweeps.run import run_sweep
from feature_capacity.sweeps.store import SweepStore

CONFIG = SweepConfig("computation", "quadratic", [0.2, 1, 5], [0.1, 0.5], n_features=3, n_dims=2)
OTHER = SweepConfig("computation", "quadratic", [0.2, 1, 5], [0.1, 0.6], n_features=3, n_dims=2)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished store, not to be touched."""
    place = tmp_path_factory.mktemp("finished") / "s.zarr"
    run_sweep(CONFIG, place, progress=False)
    return place


@pytest.fixture
def store(finished, tmp_path):
    """A copy of it."""
    return shutil.copytree(finished, tmp_path / "s.zarr")


@pytest.fixture
def partial(store):
    """What is beside a finished store when its process is killed before it is put away."""
    kept = SweepStore(store.with_name("other.zarr"), CONFIG)
    with kept.opened():
        kept.write(0, 0, np.zeros(3, sweep_store.cell_dtype(CONFIG)))
        (kept.partial / "whole").mkdir()
    return kept.partial.rename(store.with_name("s.zarr.partial"))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_is_left_beside_a_finished_store_is_put_away(store, partial):
    run_sweep(CONFIG, store, progress=False)
    assert names(store.parent) == ["s.zarr"]


@pytest.mark.parametrize("gone", [["zarr.json"], ["zarr.json", "round_0"], ["lock", "zarr.json"]])
def test_so_are_rests_that_do_not_say_what_they_are(store, partial, gone):
    for name in gone:
        part = partial / name
        shutil.rmtree(part) if part.is_dir() else part.unlink()
    run_sweep(CONFIG, store, progress=False)
    assert names(store.parent) == ["s.zarr"]


def test_a_folder_of_somebody_else_stays(store, partial):
    (partial / "letter.txt").write_text("dear")
    run_sweep(CONFIG, store, progress=False)
    assert (partial / "letter.txt").read_text() == "dear"
    assert (partial / "zarr.json").exists()


def test_so_does_one_that_a_living_process_holds(store, partial):
    with sweep_store.FileLock(partial / "lock"):
        run_sweep(CONFIG, store, progress=False)
        assert {"lock", "zarr.json"} <= set(names(partial))


def test_rests_without_a_mark_are_begun_anew_by_any_sweep(store, partial):
    shutil.rmtree(store)
    (partial / "zarr.json").unlink()
    data = run_sweep(OTHER, store, progress=False)
    xr.testing.assert_equal(data, run_sweep(OTHER, progress=False))
    assert names(store.parent) == ["s.zarr"]


def test_a_row_of_another_sweep_is_not_taken_for_its_own(tmp_path):
    mine, theirs = (SweepStore(tmp_path / f"{n}.zarr", c) for n, c in enumerate((CONFIG, OTHER)))
    row = np.ones(3, sweep_store.cell_dtype(CONFIG))
    with mine.opened(), theirs.opened():
        mine.write(0, 1, row)
        assert (mine.read(0, 1) == row).all()
        theirs.write(0, 0, row)
        shutil.copy(mine.partial / "round_0" / "1", theirs.partial / "round_0" / "1")
        assert theirs.read(0, 0) is not None
        assert theirs.read(0, 1) is None


def test_every_changed_byte_of_a_row_is_noticed(tmp_path):
    kept = SweepStore(tmp_path / "s.zarr", CONFIG)
    with kept.opened():
        kept.write(0, 0, np.ones(3, sweep_store.cell_dtype(CONFIG)))
        file = kept.partial / "round_0" / "0"
        content = file.read_bytes()
        for place in range(len(content)):
            changed = bytearray(content)
            changed[place] ^= 1
            file.write_bytes(changed)
            assert kept.read(0, 0) is None
        for length in range(0, len(content), 7):
            file.write_bytes(content[:length])
            assert kept.read(0, 0) is None
        file.write_bytes(content)
        assert kept.read(0, 0) is not None


def test_a_planted_link_is_not_followed(tmp_path):
    (tmp_path / "mine").write_text("dear")
    kept = SweepStore(tmp_path / "s.zarr", CONFIG)
    with kept.opened():
        (kept.partial / "round_0").mkdir()
        (kept.partial / "round_0" / "0").symlink_to(tmp_path / "mine")
        kept.write(0, 0, np.ones(3, sweep_store.cell_dtype(CONFIG)))
        assert kept.read(0, 0) is not None
    assert (tmp_path / "mine").read_text() == "dear"


def test_rows_are_kept_where_something_else_takes_the_place_of_the_store(tmp_path, monkeypatch):
    put = os.replace

    def taken(source, target):
        if Path(target) == tmp_path / "s.zarr":
            Path(target).mkdir()
            (Path(target) / "letter.txt").write_text("dear")
        return put(source, target)

    monkeypatch.setattr(os, "replace", taken)
    with pytest.raises(SweepError, match="finished rows are kept"):
        run_sweep(CONFIG, tmp_path / "s.zarr", progress=False)
    assert names(tmp_path / "s.zarr") == ["letter.txt"]
    assert len(list((tmp_path / "s.zarr.partial" / "round_0").iterdir())) == 2


def test_the_hashes_are_those_of_sha256sum(store):
    lines = (store / "SHA256SUMS").read_text().splitlines()
    found = {line.split("  ")[1] for line in lines}
    files = {p.relative_to(store).as_posix() for p in store.rglob("*") if p.is_file()}
    assert found == files - {"SHA256SUMS"}
    if shutil.which("sha256sum"):
        done = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=store)
        assert done.returncode == 0


def test_a_hidden_file_is_no_damage_and_any_other_one_is(store):
    (store / ".DS_Store").write_text("Finder")
    run_sweep(CONFIG, store, progress=False)
    (store / "notes.txt").write_text("mine")
    with pytest.raises(sweep_store.DamagedStoreError, match=r"notes\.txt has changed"):
        run_sweep(CONFIG, store, progress=False)


KILLED = """
import json, os, shutil, signal, sys
from feature_capacity.sweeps.config import SweepConfig
from feature_capacity.sweeps.run import run_sweep
remove = shutil.rmtree

def killed(place, *args, **options):
    if str(place).endswith(".partial"):
        os.kill(os.getpid(), signal.SIGKILL)
    return remove(place, *args, **options)

shutil.rmtree = killed
config = SweepConfig.from_mapping(json.loads(sys.argv[2]))
run_sweep(config, sys.argv[1], progress=False)
"""


@pytest.mark.slow
def test_a_process_killed_when_it_puts_away_leaves_what_the_next_one_removes(tmp_path):
    place = tmp_path / "s.zarr"
    command = [sys.executable, "-c", KILLED, str(place), CONFIG.json()]
    done = subprocess.run(command, timeout=120)
    assert done.returncode == -signal.SIGKILL
    assert names(tmp_path) == ["s.zarr", "s.zarr.partial"]
    run_sweep(CONFIG, place, progress=False)
    assert names(tmp_path) == ["s.zarr"]


def test_a_store_that_another_process_begins_or_removes_just_now_is_waited_for(store, partial):
    # Its mark is there and cannot be read: it is being written, or gone a moment later.
    other = store.with_name("other.zarr")
    partial = partial.rename(f"{other}.partial")
    mark = partial / "zarr.json"
    content = mark.read_bytes()
    for last in (lambda: mark.write_bytes(content), lambda: shutil.rmtree(partial)):
        mark.write_bytes(b"")
        timer = threading.Timer(0.1, last)
        timer.start()
        SweepStore(other, CONFIG)
        timer.join()


def test_one_that_cannot_be_read_for_long_is_refused(store, partial):
    other = store.with_name("other.zarr")
    (partial.rename(f"{other}.partial") / "zarr.json").write_bytes(b"")
    with pytest.raises(ValueError, match="not a sweep of this program"):
        SweepStore(other, CONFIG)
