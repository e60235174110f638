"""Hundreds of command lines: done rightly, or refused in one sentence, with nothing left."""

import pytest

from .command_lines import FAULTS, judge
from .tally import Tally, chosen

THOROUGH = [pytest.mark.slow, pytest.mark.thorough]


@pytest.mark.parametrize("count", [20, pytest.param(500, marks=THOROUGH)])
def test_every_command_line_is_done_or_refused(count, warm, tmp_path, capsys):
    tally = Tally("command lines", FAULTS)
    for number in chosen(count):
        tally.add(number, *judge(number, warm, tmp_path))
    tally.close(capsys)
