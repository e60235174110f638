"""Levenberg-Marquardt on problems with known minima."""

import math

import torch

from feature_capacity.solvers.batch import Linearization
from feature_capacity.solvers.levenberg_marquardt import levenberg_marquardt


def _least_squares(residual, matrix):
    def evaluate(parameters, index):
        r = torch.stack([residual(q, int(i)) for q, i in zip(parameters, index, strict=True)])
        J = torch.stack([matrix(q, int(i)) for q, i in zip(parameters, index, strict=True)])
        return Linearization((r**2).sum(1), (J.mT @ r[..., None])[..., 0], J.mT @ J)

    return evaluate


def test_a_batch_of_valleys_is_solved_each_at_its_own_pace():
    def valley(q, i):
        return torch.stack([10 * (q[1] - q[0] ** 2), (i + 1.0) - q[0]])

    def slope(q, i):
        return torch.stack([torch.stack([-20 * q[0], q[0] * 0 + 10]), torch.tensor([-1.0, 0])])

    start = torch.tensor([[-1.2, 1.0]]).repeat(3, 1)
    evaluate = _least_squares(valley, slope)
    minima = levenberg_marquardt(evaluate, start, 200, 1e-6)
    exact = torch.tensor([[1.0, 1], [2, 4], [3, 9]])
    torch.testing.assert_close(minima.parameters, exact, rtol=1e-3, atol=1e-3)
    assert minima.converged.all()
    assert (minima.loss < 1e-6).all()
    assert (minima.gradient_norm < 1e-2).all()
    alone = levenberg_marquardt(lambda p, _: evaluate(p, torch.tensor([1])), start[:1], 200, 1e-6)
    torch.testing.assert_close(alone.parameters[0], minima.parameters[1])
    assert int(alone.iterations[0]) == int(minima.iterations[1])


def test_too_few_steps_are_reported():
    evaluate = _least_squares(lambda q, i: q**3 - 2, lambda q, i: torch.diag(3 * q**2))
    few = levenberg_marquardt(evaluate, torch.full((1, 2), 5.0), 2, 1e-6)
    enough = levenberg_marquardt(evaluate, torch.full((1, 2), 5.0), 100, 1e-6)
    assert not few.converged.any()
    assert enough.converged.all()
    assert enough.loss < few.loss


def test_a_model_without_a_usable_step_stays_where_it_is():
    def broken(parameters, index):
        n = len(parameters)
        return Linearization(torch.ones(n), torch.ones(n, 2), torch.full((n, 2, 2), math.nan))

    start = torch.zeros(2, 2)
    minima = levenberg_marquardt(broken, start, 100, 1e-4)
    torch.testing.assert_close(minima.parameters, start)
    assert (minima.loss == 1).all()
    assert minima.converged.all()
    assert (minima.iterations < 100).all()
