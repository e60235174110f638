"""What goes on from a coarse quadrature to a fine one."""

import math

import torch

from feature_capacity.solvers.stages import leaders


def test_one_start_of_each_promising_minimum_goes_on():
    loss = torch.tensor([[1.0, 1.0002, 1.04, 2.0], [math.nan, 3.0, 3.2, 3.0001]])
    leader, going = leaders(loss, promising=1.05)
    assert going.tolist() == [True, True, True, False, False, True, False, True]
    assert leader.tolist()[:3] == [0, 0, 2]
    assert leader.tolist()[5:] == [5, 6, 5]
