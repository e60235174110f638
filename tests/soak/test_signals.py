"""Commands that are interrupted, ended or killed at random moments, and then run again."""

import pytest

from .signals import FAULTS, KINDS, judge, sweep
from .tally import Tally, chosen

THOROUGH = [pytest.mark.slow, pytest.mark.thorough]


@pytest.mark.parametrize(
    ("count", "kinds", "starter"),
    [
        (3, {sweep: 1}, "warm"),
        pytest.param(200, KINDS, "cold", marks=THOROUGH),
    ],
    ids=["3", "200"],
)
def test_a_signal_leaves_nothing_and_the_same_command_gives_the_same(
    count, kinds, starter, request, tmp_path, capsys
):
    tally, clean = Tally("signals", FAULTS), {}
    for number in chosen(count):
        running = request.getfixturevalue(starter)
        tally.add(number, *judge(number, kinds, clean, running, tmp_path))
    tally.close(capsys)
