"""Folders and files that may not be read or written, and disks that are full, by real commands."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from feature_capacity.book import files
from feature_capacity.book.files import replace_file
from feature_capacity.sweeps.config import SweepConfig
from feature_capacity.sweeps.run import run_sweep

SWEEP = {
    "model": "computation", "activation": "quadratic", "importance": [0.5, 2],
    "probability": [0.1, 1.0], "n_features": 3, "n_dims": 2, "n_starts": 1,
}  # fmt: skip
# Permissions do not bind root, unless it gives up the capabilities that go past them.
BOUND = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]


def call(words, limit=None):
    """The command line in a process of its own; files of at most so many bytes."""
    program = [sys.executable, "-m", "feature_capacity", *words]
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("there is no setpriv to bind root by permissions")
        program = [*BOUND, *program]

    def prepare():
        if limit is not None:  # is met as a full disk is: by an error when writing
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        program, capture_output=True, text=True, preexec_fn=prepare, env=environment, timeout=300
    )


def listed(folder="."):
    return sorted(Path(folder).rglob("*"))


def assert_one_sentence(done, *told):
    assert done.returncode in (1, 2), done.stderr
    usage = done.stderr.startswith("Usage: ")  # Typer looks at some files itself
    assert len(done.stderr.splitlines()) == (4 if usage else 1), done.stderr
    assert done.stderr.splitlines()[-1].lower().startswith("error: ")
    assert "fault of this program" not in done.stderr
    assert all(word in done.stderr for word in told), done.stderr


@pytest.mark.parametrize(
    ("words", "closed", "mode"),
    [
        ("capacity w.npy --no-picture", "w.npy", 0o000),
        ("capacity in/w.npy --no-picture", "in", 0o000),
        ("capacity w.npy --no-picture --csv out/w.csv", "out", 0o555),
        ("capacity w.npy --no-picture --json out/w.json", "out", 0o000),
        ("capacity w.npy --picture out/w.png", "out", 0o555),
        ("run tiny -o out/ok.ipynb", "out", 0o555),
        ("run tiny -o out/ok.ipynb", "out", 0o000),
        ("run tiny -f s.yml", "s.yml", 0o000),
        ("run tiny --grid s.yml -o out/grid", "out", 0o555),
        ("sweep --quiet --config s.yml --out s.zarr", "s.yml", 0o000),
        ("sweep --quiet --config s.yml --out out/s.zarr", "out", 0o555),
        ("sweep --quiet --config s.yml --out out/s.zarr", "out", 0o000),
        ("pages", "notebooks", 0o000),
        ("pages", "notebooks/tiny.py", 0o000),
        ("claims", "book/claims/tiny.yml", 0o000),
        ("book", "_toc.yml", 0o000),
    ],
)
def test_what_may_not_be_read_or_written_is_one_sentence(tiny, words, closed, mode):
    for folder in ("in", "out"):
        Path(folder).mkdir()
        np.save(f"{folder}/w.npy", np.eye(2))
    np.save("w.npy", np.eye(2))
    settings = {"n_dims": [2, 3]} if "--grid" in words else SWEEP
    Path("s.yml").write_text(json.dumps(settings))
    before = listed()
    usual = Path(closed).stat().st_mode
    Path(closed).chmod(mode)
    try:
        done = call(words.split())
    finally:
        Path(closed).chmod(usual)
    assert_one_sentence(done, Path(closed).name)
    assert listed() == before


@pytest.mark.parametrize("closed", ["s.zarr", "s.zarr/loss/c", "s.zarr.partial"])
def test_a_store_that_may_not_be_read_or_written_stays_as_it_is(tmp_path, monkeypatch, closed):
    monkeypatch.chdir(tmp_path)
    Path("s.yml").write_text(json.dumps(SWEEP))
    words = ["sweep", "--quiet", "--config", "s.yml", "--out", "s.zarr"]
    run_sweep(SweepConfig.from_mapping(SWEEP), "s.zarr", progress=False)
    if closed.endswith("partial"):
        shutil.rmtree("s.zarr")
        Path(closed).mkdir()
    before = listed()
    usual = Path(closed).stat().st_mode
    Path(closed).chmod(0o000)
    try:
        done = call(words)
    finally:
        Path(closed).chmod(usual)
    assert_one_sentence(done, "s.zarr")
    assert listed() == before


def test_a_picture_on_a_full_disk_leaves_neither_itself_nor_the_table(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib.font_manager")  # writes its cache, if there is none
    monkeypatch.chdir(tmp_path)
    np.save("w.npy", np.eye(3))
    done = call(["capacity", "w.npy", "--csv", "w.csv", "--picture", "w.png"], limit=2000)
    assert_one_sentence(done, "File too large")
    assert not Path("w.csv").exists()
    assert not Path("w.png").exists()
    assert not list(Path().glob(".w*"))


@pytest.mark.slow
def test_a_grid_on_a_full_disk_says_so_and_leaves_nothing_that_is_cut(tiny):
    Path("g.yml").write_text("n_dims: [2, 3]\n")
    done = call(["run", "tiny", "--grid", "g.yml", "-o", "out"], limit=600)
    assert done.returncode in (1, 2), done.stderr
    assert "Traceback" not in done.stderr
    assert "fault of this program" not in done.stderr
    for notebook in Path().rglob("*.ipynb"):
        json.loads(notebook.read_text())
    assert not [path for path in Path("out").rglob(".*") if path.is_file()]


KILLED = """
import os, signal, sys
from pathlib import Path
from feature_capacity.book import files
files.os.replace = lambda *names: os.kill(os.getpid(), signal.SIGKILL)
files.replace_files({Path(name): b"cut" for name in sys.argv[1:]})
"""


def test_what_a_killed_process_was_about_to_write_goes_with_the_next_file(tmp_path):
    names = [str(tmp_path / name) for name in ("a.csv", "a.png")]
    done = subprocess.run([sys.executable, "-c", KILLED, *names])
    assert done.returncode == -signal.SIGKILL
    assert len(listed(tmp_path)) == 2
    files.replace_files({Path(name): b"new" for name in names})
    assert [path.name for path in listed(tmp_path)] == ["a.csv", "a.png"]
    replace_file(tmp_path / "a.csv", b"newer")
    assert (tmp_path / "a.csv").read_bytes() == b"newer"
