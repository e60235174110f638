"""Thousands of calls of the public names: right, or refused in one sentence."""

import pytest

from . import calls
from .tally import Tally, chosen

THOROUGH = [pytest.mark.slow, pytest.mark.thorough]


@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=THOROUGH)])
def test_every_call_is_right_or_refused(count, capsys):
    tally = Tally("calls", ("wrong", "raw"))
    for number in chosen(count):
        tally.add(number, *calls.judge(number))
    tally.close(capsys)
