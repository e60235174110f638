"""Runs of a page: grids, resuming, interrupts and lost workers, and what is left on disk."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest
from typer.testing import CliRunner

from feature_capacity.book.batches import run as batches
from feature_capacity.book.batches.grid import read_grid, run_name
from feature_capacity.book.batches.run import run_batch
from feature_capacity.book.claims.tables import read_records
from feature_capacity.book.claims.verdicts import AGREES
from feature_capacity.book.pages import PageError, find_page
from feature_capacity.cli import app

COMMAND = Path(sys.executable).with_name("feature-capacity")
SLOW = """
# %%
import time

time.sleep(1.5 if n_dims < 10 else 600)
"""
FIGURE = """
# %% mystnb={"figure": {"caption": "A line.", "name": "fig-line"}, "image": {"alt": "A line"}}
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(2, 1))
axes.plot([0, n_dims])
plt.close(figure)
figure
"""


def call(*words):
    return CliRunner().invoke(app, ["run", "tiny", *map(str, words)])


def names(folder):
    return sorted(path.name for path in Path(folder).iterdir())


def files(folder):
    return {path: path.stat().st_mtime_ns for path in Path(folder).rglob("*") if path.is_file()}


def extend(tiny, text):
    source = tiny.notebooks / "tiny.py"
    source.write_text(source.read_text() + text)


def wait_until(condition, seconds=180):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.02)


def start(*words):
    """The installed command in a process of its own, which heeds interrupts."""
    return psutil.Popen(
        [COMMAND, "run", "tiny", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A suite that runs in the background is started with interrupts ignored, and hands that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def end(process):
    if process.poll() is None:
        process.kill()


def kernels_of(process):
    found = []
    for child in process.children(recursive=True):
        try:
            if "ipykernel_launcher" in " ".join(child.cmdline()):
                found.append(child)
        except psutil.NoSuchProcess:
            pass
    return found


# ---------------------------------------------------------------------------------- what a grid is


def grid(text, tiny, **common):
    Path("grid.yml").write_text(text)
    return read_grid(Path("grid.yml"), find_page(tiny, "tiny").parameters, common)


def test_a_mapping_is_every_combination_and_a_list_is_as_it_is(tiny):
    assert grid("n_dims: [2, 3]\nscale: [1, 1e-3]", tiny) == [
        {"n_dims": 2, "scale": 1.0},
        {"n_dims": 2, "scale": 0.001},
        {"n_dims": 3, "scale": 1.0},
        {"n_dims": 3, "scale": 0.001},
    ]
    assert grid("- {n_dims: 2}\n- {scale: 3}", tiny) == [{"n_dims": 2}, {"scale": 3.0}]
    assert grid("n_dims: [2, 2]", tiny, scale=2.0) == [{"n_dims": 2, "scale": 2.0}]


def test_a_run_has_a_name_of_its_own():
    settings = [{"a": 1}, {"a": 1.5}, {"a": "x/y"}, {"a": "x-y"}, {"a": "long" * 99}, {}]
    found = [run_name(one) for one in settings]
    assert len(set(found)) == len(found)
    assert all(re.fullmatch(r"[A-Za-z0-9.+_-]{1,100}", name) for name in found)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("n_dims: [2, 13]", "grid.yml, run 2 of 2: n_dims must be a whole number from 1 to 12"),
        ("ndims: [2]", "run 1 of 1: unknown parameter 'ndims'; did you mean n_dims?"),
        ("- {n_dims: 2}\n- {n_dims: x}", "run 2 of 2: n_dims must be a whole number from"),
        ("n_dims: 2", "n_dims needs a list of values, for example [1, 2]; got 2"),
        ("n_dims: []", "n_dims needs a list of values"),
        ("- 3", "run 1 must be a mapping of parameter: value; got 3"),
        ("[]", "holds neither a mapping"),
        ("{}", "holds neither a mapping"),
        ("", "holds neither a mapping"),
        ("a: [1", "grid.yml cannot be read as YAML"),
        ("scale: [2]", "scale is also given on its own; leave one out"),
    ],
)
def test_a_bad_grid_is_one_sentence_and_nothing_runs(tiny, text, message):
    Path("grid.yml").write_text(text)
    before = files(tiny.root)
    done = call("--grid", "grid.yml", "-p", "scale=1")
    assert done.exit_code == 2, done.output
    assert message in done.output
    assert len(done.output.splitlines()) == 1
    assert files(tiny.root) == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-o", "out.ipynb"), "a grid is written to a folder"),
        (("-o", "grid.yml"), "a grid is written to a folder"),
        (("-o", "notebooks"), "holds the sources of the book"),
        (("-o", "no/such"), "there is no folder"),
        (("-o", "/proc/out"), "cannot write to the folder /proc"),
        (("--scheduler", "tcp://127.0.0.1:9"), "no Dask scheduler answers at tcp://127.0.0.1:9"),
        (("--jobs", "0"), "--jobs"),
        (("--grid", "absent.yml"), "there is no parameter file absent.yml"),
    ],
)
def test_a_bad_option_of_a_grid_writes_nothing(tiny, monkeypatch, words, message):
    monkeypatch.setattr("feature_capacity._executor._SECONDS_TO_ANSWER", 1)
    Path("grid.yml").write_text("n_dims: [2]")
    before = files(tiny.root)
    done = call("--grid", "grid.yml", *words)
    assert done.exit_code == 2, done.output
    assert message in done.output
    assert "Traceback" not in done.output
    assert files(tiny.root) == before


# -------------------------------------------------------------------------------------- executing


def test_a_failing_run_is_marked_and_only_what_is_missing_is_executed_again(tiny):
    extend(tiny, FIGURE)
    Path("grid.yml").write_text("- {n_dims: 2}\n- {mode: fail}\n")
    done = call("--grid", "grid.yml", "-o", "out", "-p", "scale=2")
    assert done.exit_code == 1, done.output
    assert "error: 1 of 2 runs failed; the index says which and how" in done.output
    good, bad = (run_name({"scale": 2.0, **one}) for one in ({"n_dims": 2}, {"mode": "fail"}))
    assert names("out") == sorted([f"{good}.ipynb", f"{bad}.failed.ipynb", "figures", "index.html"])
    assert "papermill-error-cell" in Path("out", f"{bad}.failed.ipynb").read_text()
    assert str(tiny.root) not in Path("out", f"{good}.ipynb").read_text()
    assert [record.status for record in read_records(Path("out", f"{good}.ipynb")).values()] == [
        AGREES
    ]
    index = Path("out", "index.html").read_text()
    assert '<li class="good">1 agree</li>' in index
    assert "<strong>failed:</strong> page tiny, cell [5]: ZeroDivisionError" in index
    assert f'href="{good}.ipynb"' in index
    assert f'href="{bad}.failed.ipynb"' in index
    for address in re.findall(r'(?:src|href)="([^"]+)"', index):
        assert Path("out", address).is_file(), address

    # What failed is tried again; what is whole is kept.
    kept = files("out")[Path("out", f"{good}.ipynb")]
    source = tiny.notebooks / "tiny.py"
    done = call("--grid", "grid.yml", "-o", "out", "-p", "scale=2")
    assert f"{good}: there already" in done.output
    assert files("out")[Path("out", f"{good}.ipynb")] == kept

    # A damaged notebook and a changed source are executed again.
    whole = Path("out", f"{good}.ipynb").read_text()
    Path("out", f"{good}.ipynb").write_text(whole[: len(whole) // 2])
    Path("grid.yml").write_text("- {n_dims: 2}\n")
    assert call("--grid", "grid.yml", "-o", "out", "-p", "scale=2").exit_code == 0
    json.loads(Path("out", f"{good}.ipynb").read_text())
    source.write_text(source.read_text() + "\n# %%\n2 * n_dims\n")
    done = call("--grid", "grid.yml", "-o", "out", "-p", "scale=2")
    assert "there already" not in done.output
    assert "2 * n_dims" in Path("out", f"{good}.ipynb").read_text()


def test_an_edited_notebook_is_not_taken_for_a_result(tiny):
    page, folder = find_page(tiny, "tiny"), tiny.root / "out"
    (outcome,) = run_batch(tiny, page, [{"n_dims": 2}], folder)
    notebook, digest = outcome.run.notebook, batches.page_digest(tiny, page, {"n_dims": 2})
    assert batches._seconds_if_whole(notebook, digest) == outcome.seconds
    assert batches._seconds_if_whole(notebook, digest + "x") is None
    notebook.write_text(notebook.read_text().replace("n_dims - 1", "n_dims - 0"))
    assert batches._seconds_if_whole(notebook, digest) is None
    notebook.write_text("[]")
    assert batches._seconds_if_whole(notebook, digest) is None


def test_a_worker_with_another_page_is_refused(tiny):
    page = find_page(tiny, "tiny")
    code = batches._code_digest(page)
    assert batches._page_in_worker(code, page).source == page.source
    extend(tiny, "\n# %%\n1\n")
    with pytest.raises(PageError, match=r"another version of .* or of the page tiny"):
        batches._page_in_worker(code, page)


@pytest.mark.slow
def test_ctrl_c_during_one_run_leaves_nothing_and_ends_its_kernel(tiny):
    extend(tiny, SLOW)
    Path("out.ipynb").write_text("earlier")
    before = files(tiny.root)
    process = start("-p", "n_dims=12", "-o", "out.ipynb")
    try:
        wait_until(lambda: kernels_of(process) or process.poll() is not None)
        time.sleep(3)
        kernels = kernels_of(process)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130
    finally:
        end(process)
    assert process.stderr.read().splitlines()[-1].startswith("error: interrupted; nothing earlier")
    assert kernels
    assert not psutil.wait_procs(kernels, timeout=20)[1]
    assert files(tiny.root) == before


@pytest.mark.slow
@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGKILL, marks=pytest.mark.thorough)]
)
def test_a_grid_goes_on_where_it_stopped(tiny, number):
    extend(tiny, SLOW)
    Path("grid.yml").write_text("n_dims: [2, 3, 4, 11, 12]")
    finished = [f"{run_name({'n_dims': n})}.ipynb" for n in (2, 3, 4)]
    process = start("--grid", "grid.yml", "-o", "out", "--jobs", "2")
    try:
        wait_until(lambda: all(Path("out", name).is_file() for name in finished))
        wait_until(lambda: kernels_of(process))  # of the runs that would take long
        family = process.children(recursive=True)
        process.send_signal(number)
        assert process.wait(timeout=30) == (130 if number == signal.SIGINT else -number)
    finally:
        end(process)
    if number == signal.SIGINT:
        assert process.stderr.read().splitlines()[-1] == (
            "error: interrupted; the same command goes on where it stopped"
        )
    assert not psutil.wait_procs(family, timeout=30)[1]
    assert names("out") == sorted(finished)

    before = files("out")
    extend_grid = "n_dims: [2, 3, 4, 5]"
    Path("grid.yml").write_text(extend_grid)
    done = call("--grid", "grid.yml", "-o", "out")
    assert done.exit_code == 0, done.output
    assert done.output.count("there already") == 3
    assert files("out").items() >= before.items()
    assert Path("out", f"{run_name({'n_dims': 5})}.ipynb").is_file()


@pytest.mark.slow
def test_a_killed_worker_ends_a_grid_and_the_same_command_resumes_it(tiny):
    extend(tiny, SLOW)
    Path("grid.yml").write_text("n_dims: [2, 3, 11, 12]")
    finished = [f"{run_name({'n_dims': n})}.ipynb" for n in (2, 3)]
    process = start("--grid", "grid.yml", "-o", "out", "--jobs", "2")
    try:
        wait_until(lambda: all(Path("out", name).is_file() for name in finished))
        wait_until(lambda: kernels_of(process))
        family = process.children(recursive=True)
        kernels_of(process)[0].parent().send_signal(signal.SIGKILL)
        assert process.wait(timeout=60) == 1
    finally:
        end(process)
    last = process.stderr.read().splitlines()[-1]
    assert last.startswith("error: a worker process was killed, perhaps for lack of memory; what")
    assert not psutil.wait_procs(family, timeout=30)[1]
    assert names("out") == sorted(finished)

    Path("grid.yml").write_text("n_dims: [2, 3, 4]")
    done = call("--grid", "grid.yml", "-o", "out")
    assert done.exit_code == 0, done.output
    assert done.output.count("there already") == 2


@pytest.mark.thorough
def test_a_grid_renders_what_is_new_and_the_index_leads_to_it(tiny):
    Path("grid.yml").write_text("- {n_dims: 2}\n- {mode: fail}\n")
    words = ("--grid", "grid.yml", "-o", "out", "--html")
    done = call(*words)
    assert done.exit_code == 1, "one of the two fails"
    good, bad = run_name({"n_dims": 2}), run_name({"mode": "fail"})
    rendered = Path("out", f"{good}.html")
    assert "<h1" in rendered.read_text()
    assert not Path("out", f"{bad}.html").exists()
    index = Path("out", "index.html").read_text()
    assert f'href="{quote(good)}.html"' in index
    before = rendered.stat().st_mtime_ns
    Path("grid.yml").write_text("- {n_dims: 2}\n- {n_dims: 3}\n")
    assert call(*words).exit_code == 0
    assert rendered.stat().st_mtime_ns == before
    assert Path("out", f"{run_name({'n_dims': 3})}.html").is_file()


@pytest.mark.thorough
def test_a_grid_on_dask_survives_a_killed_worker(tiny):
    from distributed import LocalCluster

    extend(tiny, SLOW)
    runs, killed = [{"n_dims": n} for n in range(2, 8)], []
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:

        def kill(outcome):
            if not killed:
                victim = psutil.Process(cluster.workers[0].process.pid)
                killed.extend([victim, *victim.children(recursive=True)])
                os.kill(victim.pid, signal.SIGKILL)

        outcomes = run_batch(
            tiny, find_page(tiny, "tiny"), runs, tiny.root / "out",
            scheduler=cluster.scheduler_address, report=kill,
        )  # fmt: skip
        assert [outcome.error for outcome in outcomes] == [None] * len(runs)
        assert all(outcome.executed and outcome.seconds > 1 for outcome in outcomes)
        assert names("out") == sorted(f"{run_name(run)}.ipynb" for run in runs)
        assert not psutil.wait_procs(killed, timeout=30)[1]

        # A page that the workers do not have is refused at once.
        thread_count = threading.active_count()
        again = run_batch(
            tiny, find_page(tiny, "tiny"), runs, tiny.root / "out",
            scheduler=cluster.scheduler_address,
        )  # fmt: skip
        assert not any(outcome.executed for outcome in again)
        assert threading.active_count() <= thread_count
