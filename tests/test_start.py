"""Ctrl-C while the command line is being loaded, and after a command has ended."""

import json
import signal
import subprocess
import sys

import pytest

WHEN_IMPORTED = """
import os, signal, sys

wanted = sys.argv[1]

class Interrupt:
    def find_spec(name, path=None, target=None):
        if name == wanted:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupt)
from feature_capacity.__main__ import main
sys.argv = ["feature-capacity", "--version"]
main()
"""
AT_THE_END = """
import atexit, os, signal, sys
from feature_capacity.__main__ import main

def put_away():
    os.kill(os.getpid(), signal.SIGINT)
    print('"put away"]')

atexit.register(put_away)
sys.argv = ["feature-capacity", "pages", "--json"]
print("[")
try:
    main()
finally:
    print(",")
"""
IN_THE_BACKGROUND = WHEN_IMPORTED.replace(
    "from feature_capacity", "signal.signal(signal.SIGINT, signal.SIG_IGN)\nfrom feature_capacity"
)


def run(code, *words):
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        text=True,
        timeout=120,
        # A suite in the background is started with interrupts ignored, and hands that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


@pytest.mark.parametrize("module", ["feature_capacity.cli", "typer", "feature_capacity.cli.sweep"])
def test_an_interrupt_while_libraries_are_loaded_is_silent(module):
    done = run(WHEN_IMPORTED, module)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_an_interrupt_after_the_end_disturbs_nothing():
    done = run(AT_THE_END)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)[-1] == "put away"


def test_an_interrupt_that_is_ignored_stays_ignored():
    done = run(IN_THE_BACKGROUND, "typer")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("feature-capacity ")
