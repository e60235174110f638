"""Signals, full disks, planted links and second builders: what is left, and what is said."""

import asyncio
import contextlib
import errno
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import papermill
import psutil
import pytest
from jupyter_client import KernelManager

from feature_capacity.book.build import Build, build_book
from feature_capacity.book.pages import PageError, execute, find_page, kernel_settings
from feature_capacity.book.unfinished import beside

COMMAND = Path(sys.executable).with_name("feature-capacity")
BUSY = """
# %%
import time

(run_folder := __import__("pathlib").Path.cwd().parent / "begun").mkdir(exist_ok=True)
(run_folder / str(__import__("os").getpid())).touch()
end = time.monotonic() + 600
while time.monotonic() < end:
    sum(range(1000))
"""
DYING = """
# %%
import os, sys

past_cells = getattr(sys.stderr, "_original_stdstream_copy", 2)
os.write(past_cells, b"out of ideas")
os.abort()
"""


def hidden(folder):
    return [path.name for path in Path(folder).rglob(".*")]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(
    ("words", "n_kernels"),
    [
        ("run tiny -o ok.ipynb", 1),
        ("run tiny --grid grid.yml -o out", 2),
        ("book --quick", 1),
    ],
)
def test_a_signal_ends_kernels_and_workers_without_a_traceback(tiny, words, n_kernels, number):
    source = tiny.notebooks / "tiny.py"
    source.write_text(source.read_text() + BUSY)
    Path("grid.yml").write_text("n_dims: [2, 3]")
    process = psutil.Popen(
        [COMMAND, *words.split()],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    begun = tiny.root / "begun"
    try:
        last = time.monotonic() + 180
        while not (begun.is_dir() and len(list(begun.iterdir())) == n_kernels):
            assert time.monotonic() < last
            assert process.poll() is None
            time.sleep(0.05)
        family = process.children(recursive=True)
        process.send_signal(number)
        # 5 seconds on an idle machine.
        assert process.wait(timeout=30) == 128 + number
        assert not psutil.wait_procs(family, timeout=5)[1]
    finally:
        if process.poll() is None:
            process.kill()
    assert "Traceback" not in process.stderr.read()
    assert not hidden(tiny.root)


def test_what_a_killed_run_has_left_goes_and_what_a_living_one_writes_stays(tmp_path):
    place = tmp_path / "ok.ipynb"
    script = (
        "import os, signal; from pathlib import Path\n"
        "from feature_capacity.book.unfinished import beside\n"
        f"with beside(Path({str(place)!r})): os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", script]).returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    other = tmp_path / f"{left.stem.replace('.ok.', '.other.')}.ipynb"
    other.touch()
    with beside(place) as first, beside(place) as second:
        assert {first, second, other} == set(tmp_path.iterdir())
        os.replace(second, place)
    assert set(tmp_path.iterdir()) == {place, other}


def test_the_file_by_which_a_kernel_is_reached_goes_with_its_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with kernel_settings() as config:
        manager = KernelManager(config=config)
        manager.write_connection_file()  # and is interrupted before it removes it
        assert Path(manager.connection_file).is_file()
    assert not list(tmp_path.iterdir())


@contextlib.contextmanager
def kernel_client(config):
    """A client of a kernel that has answered, until the end of the block."""
    manager = KernelManager(config=config)
    manager.start_kernel()
    try:
        client = manager.blocking_client()
        client.start_channels()
        client.wait_for_ready(timeout=60)
        yield client
        client.stop_channels()
    finally:
        manager.shutdown_kernel(now=True)


def test_kernels_have_no_ports_that_others_could_take_where_temporary_files_are_deep(
    tmp_path, monkeypatch
):
    deep = tmp_path / ("deep" * 30)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    with kernel_settings() as config, kernel_client(config) as client:
        assert client.transport == "ipc"
        socket = Path(f"{client.ip}-{client.shell_port}")
        assert socket.is_socket()
        assert deep not in socket.parents
    assert not socket.parent.exists()
    assert not list(deep.iterdir())


@pytest.mark.slow
def test_what_a_kernel_says_aside_is_told_when_it_dies(tiny, capfd):
    source = tiny.notebooks / "tiny.py"
    source.write_text(source.read_text() + DYING)
    with pytest.raises(PageError, match="Kernel died"):
        execute(find_page(tiny, "tiny"), tiny.root / "ok.ipynb", tiny.root / "failed.ipynb")
    assert "out of ideas" in capfd.readouterr().err


def test_what_a_kernel_says_aside_is_of_no_interest_when_its_command_is_interrupted(capfd):
    def start():
        with kernel_settings() as config:
            manager = config["NotebookClient"]["kernel_manager_class"](config=config)
            manager.kernel_spec.argv = [sys.executable, "-c", "import sys; sys.exit('socket')"]
            asyncio.run(manager.start_kernel())
            said = Path(manager.connection_file).with_name("said")
            while not said.read_text():
                time.sleep(0.01)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        start()
    assert capfd.readouterr().err == ""


def test_a_kernel_whose_start_is_interrupted_ends_before_its_folder_goes(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    begun = []

    def start():
        with kernel_settings() as config:
            words = ["-c", "import time; time.sleep(60)", "-f"]
            place = config["KernelManager"]["connection_file"]
            begun.append(subprocess.Popen([sys.executable, *words, place]))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        start()
    assert not psutil.pid_exists(begun[0].pid)
    assert not list(tmp_path.iterdir())


def test_the_file_of_a_run_cannot_be_foreseen_and_has_the_usual_permissions(tmp_path):
    usual = tmp_path / "usual"
    usual.touch()
    with beside(tmp_path / "ok.ipynb") as one, beside(tmp_path / "ok.ipynb") as other:
        assert one.name != other.name
        assert str(os.getpid()) not in one.name.split(".")
        assert one.stat().st_mode == usual.stat().st_mode


@pytest.mark.parametrize("written", ["", '{"cells": [{"cell_ty', '{"cells": []}'])
def test_a_notebook_that_a_full_disk_has_cut_is_not_named(tiny, monkeypatch, written):
    def on_a_full_disk(notebook, path, **options):
        Path(path).write_text(written)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(papermill, "execute_notebook", on_a_full_disk)
    done, failed = tiny.root / "ok.ipynb", tiny.root / "failed.ipynb"
    failed.write_text("earlier")
    with pytest.raises(PageError, match="No space left on device") as refused:
        execute(find_page(tiny, "tiny"), done, failed)
    assert "see" not in str(refused.value)
    assert failed.read_text() == "earlier"
    assert not done.exists()
    assert not hidden(tiny.root)


def test_of_two_builds_at_once_the_second_waits_and_says_so(tiny, monkeypatch):
    told, entered, go_on = [], [], threading.Event()

    def build_one(*args):
        entered.append(threading.current_thread().name)
        go_on.wait(60)

    monkeypatch.setattr("feature_capacity.book.build._build", build_one)
    build = Build(tiny, quick=True)
    threads = []
    for number in range(2):
        thread = threading.Thread(target=build_book, args=(build,), kwargs={"report": told.append})
        thread.start()
        threads.append(thread)
        while number == 0 and not entered:
            time.sleep(0.01)
    while not told:
        time.sleep(0.01)
    assert len(entered) == 1
    go_on.set()
    for thread in threads:
        thread.join()
    assert len(entered) == 2
    (line,) = told
    assert line.startswith("another process builds the book in")


@pytest.mark.slow
def test_of_two_book_commands_with_a_title_changed_between_both_build_the_book(tiny):
    begun = [COMMAND, "book"]
    first = subprocess.Popen(begun, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lock = Build(tiny).folder / "lock"
    while not lock.is_file() and first.poll() is None:
        time.sleep(0.05)
    tiny.config.write_text(tiny.config.read_text().replace("Tiny", "Another title"))
    second = subprocess.run(begun, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = first.communicate()[0]
    assert (first.returncode, second.returncode) == (0, 0), said + second.stdout
    for text in (said, second.stdout):
        assert "failed" not in text
        assert "xtension error" not in text
    assert "Another title" in (Build(tiny).html / "book" / "intro.html").read_text()
