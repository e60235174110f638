"""What the soak looks for is found where it is planted."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import feature_capacity

from . import calls
from .command_lines import Line, _new_files, _of_words
from .oracle import allocation, capacities, exact
from .processes import Command
from .signals import _differences
from .tally import Tally

RIGHT = feature_capacity.capacities


def cases_of(name, wanted):
    found = (number for number in range(9999) if _is(calls.make(number)[0], name, wanted))
    return [next(found) for _ in range(3)]


def _is(call, name, wanted):
    return call.name == name and call.wanted == wanted


@pytest.mark.parametrize(
    ("wanted", "planted", "fault"),
    [
        ("right", lambda W: RIGHT(W) + 1e-3, "wrong"),
        ("right", lambda W: RIGHT(W) * np.nan, "wrong"),
        ("right", lambda W: [][0], "raw"),
        ("right", lambda W: RIGHT([["a"]]), "wrong"),  # refuses what is valid
        ("right", lambda W: float("a"), "raw"),  # Python's own ValueError
        ("refused", lambda W: 0.5, "wrong"),
        ("refused", lambda W: RIGHT(object()), None),
    ],
)
def test_a_planted_fault_of_a_function_is_found(monkeypatch, wanted, planted, fault):
    monkeypatch.setattr(feature_capacity, "capacities", planted)
    for number in cases_of("capacities", wanted):
        assert [kind for kind, _ in calls.judge(number)[2]] == [fault] * (fault is not None)


def test_a_case_is_the_same_whenever_it_is_made():
    assert str(calls.make(7)[0]) == str(calls.make(7)[0])
    assert str(calls.make(7)[0]) != str(calls.make(8)[0])


def test_the_exact_answers_are_those_of_the_paper():
    assert [float(c) for c in capacities(exact([[1, -1, 0], [0, 0, 2]]))] == [0.5, 0.5, 1]
    shared = allocation(exact([10, 1, 1, 1]), 3, exact(9)[()])
    assert shared == [1, *[exact(2)[()] / 3] * 3]


def test_a_process_that_is_left_is_found_and_ended():
    code = "import time; time.sleep(60)"
    left = subprocess.Popen([sys.executable, "-c", code], env=os.environ | {"SOAK_MARK": "x"})
    nowhere = Path(os.devnull)
    command = Command(None, 0, "x", nowhere, nowhere, nowhere)
    assert len(command.left(0)) == 1
    assert left.wait(timeout=20) != 0
    assert command.left(0) == []


@pytest.mark.parametrize(
    ("code", "said", "fault"),
    [
        (1, "Traceback (most recent call last):\n  …\nKeyError: 'x'\n", "tracebacks"),
        (-9, "", "raw"),
        (0, "", "wrong"),
        (2, "error: one line\nand another\n", "raw"),
        (2, "error: " + "x" * 5000, "raw"),
        (2, "error: one sentence\n", None),
    ],
)
def test_what_a_command_says_is_judged(code, said, fault):
    line = Line(["capacity", "x.npy"], "refused")
    assert [kind for kind, _ in _of_words(line, code, said)] == [fault] * (fault is not None)


def test_files_that_are_left_changed_or_missing_are_found(tmp_path):
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "s.zarr.partial").write_text("")
    line = Line(["sweep"], makes=("s.zarr",))
    assert _new_files(line, 2, tmp_path, {"mine": b"mine"}) == ["s.zarr.partial"]
    assert _new_files(line, 2, tmp_path, {"mine": b"yours"})[0] == "mine changed"
    found, wanted = {"a": b"1", "c": b""}, {"a": b"2", "b": b""}
    kinds = [kind for kind, _ in _differences(found, wanted)]
    assert kinds == ["files", "wrong", "wrong"]


def test_a_tally_prints_its_counts_and_fails_with_the_cases(capsys):
    tally = Tally("planted cases", ("wrong", "raw"))
    tally.add(3, "f(1)", "answered", [])
    tally.close(capsys)
    tally.add(4, "f(2)", "answered", [("wrong", "2 instead of 3")])
    with pytest.raises(AssertionError, match=r"1 wrong, 0 raw; 2 answered\n.*case 4: f\(2\)"):
        tally.close(capsys)
