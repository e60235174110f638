"""A batch of models while it is minimized: tensors with one row for each model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor


@dataclass(frozen=True)
class Rows:
    """Arrays, or records of arrays, whose first axes count the same things."""

    def __getitem__(self, index: Tensor | slice) -> Self:
        """The rows of a slice, an index or a mask."""
        return type(self)(*(rows[index] for rows in vars(self).values()))

    def __setitem__(self, index: Tensor, rows: Self) -> None:
        """Write the rows of an index or of a mask."""
        for own, new in zip(vars(self).values(), vars(rows).values(), strict=True):
            own[index] = new


@dataclass(frozen=True)
class Linearization(Rows):
    """What a Gauss-Newton step needs to know of the loss at the parameters of every model."""

    loss: Tensor  # (models,)
    gradient: Tensor  # (models, n_params): half the derivative of the loss
    curvature: Tensor  # (models, n_params, n_params): E[J^T J], J the derivative of the residuals

    @classmethod
    def concatenate(cls, parts: Iterable[Linearization]) -> Linearization:
        """The rows of all parts, one after the other."""
        columns = zip(*(vars(part).values() for part in parts), strict=True)
        return cls(*(torch.cat(tensors) for tensors in columns))

    def plus(self, other: Linearization, factor: Tensor) -> Linearization:
        """The same of a sum of two losses, the other one times a factor for each model."""
        return Linearization(
            self.loss + factor * other.loss,
            self.gradient + factor[:, None] * other.gradient,
            self.curvature + factor[:, None, None] * other.curvature,
        )


Linearize = Callable[[Tensor, Tensor], Linearization]
"""Takes parameters, and the index in the whole batch of the models that they belong to."""


Rule = tuple[int, float, float]
"""The most iterations; the relative fall of the loss that counts as quiet; and how many times the
lowest loss of its cell a model may come to."""

Descend = Callable[[Tensor, Tensor, Tensor, Rule, Callable[[int], object]], "Minima"]
"""Takes parameters, their index, their cells, a rule, and what is told of those that have ended."""


@dataclass(frozen=True)
class Objective:
    """A loss on one quadrature: with what a step needs, or alone, which is cheaper."""

    linearize: Linearize
    loss: Callable[[Tensor, Tensor], Tensor]
    descend: Descend | None = None  # minimizes by itself, where that is faster


@dataclass(frozen=True)
class Minima(Rows):
    """Where every model of a batch stands; its solver writes into the tensors as it goes on."""

    parameters: Tensor  # (models, ...)
    loss: Tensor  # (models,)
    gradient_norm: Tensor  # (models,): of the loss with respect to the parameters
    iterations: Tensor  # (models,): steps tried
    converged: Tensor  # (models,): whether the solver's stopping rule is met

    @classmethod
    def at(cls, parameters: Tensor, loss: Tensor, gradient_norm: Tensor) -> Minima:
        """Models that have not moved yet; the tensors are copied."""
        iterations = torch.zeros_like(loss, dtype=torch.long)
        converged = torch.zeros_like(loss, dtype=torch.bool)
        return cls(parameters.clone(), loss.clone(), gradient_norm.clone(), iterations, converged)

    @property
    def finite(self) -> Tensor:
        """Which models have a finite loss, gradient and parameters; shape (models,)."""
        numbers = torch.isfinite(self.loss) & torch.isfinite(self.gradient_norm)
        return numbers & torch.isfinite(self.parameters).flatten(1).all(dim=1)

    def best_of(self, n_starts: int) -> Tensor:
        """Index of the lowest loss among each ``n_starts`` models in a row, of finite ones."""
        loss = torch.where(self.finite, self.loss, torch.inf)
        best = loss.view(-1, n_starts).argmin(dim=1)
        return torch.arange(len(best), device=best.device) * n_starts + best
