"""Feature distributions: sparse random variables, their exact moments, and sampling.

Implements Appendix D.  A feature is off (zero) with probability 1 - p and otherwise takes an
independent active value.  Every class is frozen, carries the feature probability ``p``, and knows
its raw moments in closed form, so that kurtosis is never estimated.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast, overload

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from .._arrays import require, require_whole, shown

if TYPE_CHECKING:
    import torch

Shape: TypeAlias = int | Sequence[int]
_LEAST_P, _MOST_KURTOSIS = 1e-305, 1e305  # so that kurtosis is a number
_MOST_NORMAL = 400  # order beyond which the moments of a normal variable are not numbers

Draws = TypeVar("Draws", np.ndarray, "torch.Tensor")


@dataclass(frozen=True)
class SparseInput(ABC):
    """What every sparse feature shares; use one of its subclasses.

    Parameters
    ----------
    p : float
        Feature probability, the chance that the feature is active, in (0, 1].
        Sparsity is 1 - p.
    """

    p: float

    def __post_init__(self) -> None:
        number = isinstance(self.p, (int, float, np.floating)) and not isinstance(self.p, bool)
        require(
            number and _LEAST_P <= self.p <= 1,
            f"p must be a feature probability in (0, 1]; got {shown(self.p)} "
            f"(below {_LEAST_P:g} its kurtosis would not be a number)",
        )

    def moment(self, order: int) -> float:
        """Raw moment of the feature, E[x ** order], exact up to rounding."""
        order = require_whole(order, "order", 0, None, "a whole number, 0 or more")
        try:
            moment = 1.0 if order == 0 else float(self._moment(order))
        except (OverflowError, ZeroDivisionError):
            moment = math.inf
        require(
            math.isfinite(moment),
            f"the moment of order {shown(order)} at p = {self.p:g} exceeds the largest number: "
            "take a lower order",
        )
        return moment

    @property
    def mean(self) -> float:
        """Expected value."""
        return self.moment(1)

    @property
    def variance(self) -> float:
        """Second central moment."""
        return self.moment(2) - self.mean**2

    @property
    def kurtosis(self) -> float:
        """Fourth central moment in units of the squared variance (never the excess)."""
        # In units of p, whose square may be too small for a number.
        p = self.p
        m1, m2, m3, m4 = (self.moment(r) / p for r in (1, 2, 3, 4))
        central = m4 - 4 * p * m1 * m3 + 6 * p**2 * m1**2 * m2 - 3 * p**3 * m1**4
        return central / (m2 - p * m1**2) ** 2 / p

    @property
    def active_scale(self) -> float:
        """Active values in units of those at p = 1: 1 / sqrt(p) keeps the variance at 1."""
        return 1 / math.sqrt(self.p)

    @overload
    def sample(
        self, shape: Shape, generator: np.random.Generator, dtype: npt.DTypeLike | None = None
    ) -> np.ndarray: ...
    @overload
    def sample(
        self, shape: Shape, generator: torch.Generator, dtype: torch.dtype | None = None
    ) -> torch.Tensor: ...
    def sample(
        self,
        shape: Shape,
        generator: np.random.Generator | torch.Generator,
        dtype: npt.DTypeLike | torch.dtype | None = None,
    ) -> np.ndarray | torch.Tensor:
        """Independent draws from ``generator``.

        Parameters
        ----------
        shape : int or tuple of int
        generator : numpy.random.Generator or torch.Generator
            A NumPy generator gives a NumPy array; a torch generator gives a tensor on the
            generator's device.
        dtype : optional
            Floating dtype of the result; default float64 (NumPy) or torch's default dtype.

        Examples
        --------
        >>> x = SparseUniform(0.25).sample((1000, 6), np.random.default_rng(0))
        >>> x.shape, 0.2 < float((x != 0).mean()) < 0.3
        ((1000, 6), True)
        """
        sizes = shape if isinstance(shape, (tuple, list)) else [shape]
        rule = "a whole number, at least 0, or a tuple of them"
        size = tuple(require_whole(length, "shape", 0, None, rule) for length in sizes)
        if isinstance(generator, np.random.Generator):
            return self._sample_numpy(size, generator, cast("npt.DTypeLike", dtype or np.float64))
        if type(generator).__module__.split(".")[0] == "torch":
            return self._sample_torch(size, generator, cast("torch.dtype | None", dtype))
        raise ValueError(
            "generator must be a numpy.random.Generator or a torch.Generator "
            f"(for example numpy.random.default_rng(0)); got {shown(generator)}"
        )

    def _sample_numpy(
        self, shape: tuple[int, ...], generator: np.random.Generator, dtype: npt.DTypeLike
    ) -> np.ndarray:
        floating = False
        with suppress(TypeError, ValueError):  # what is no dtype at all
            floating = np.dtype(dtype).kind == "f"
        require(
            floating,
            f"dtype must be a floating dtype, for example numpy.float32; got {shown(dtype)}",
        )
        active = generator.random(shape) < self.p
        values = self._active(
            lambda: generator.random(shape), lambda: generator.standard_normal(shape)
        )
        return np.where(active, values, 0.0).astype(dtype, copy=False)

    def _sample_torch(
        self, shape: tuple[int, ...], generator: torch.Generator, dtype: torch.dtype | None
    ) -> torch.Tensor:
        import torch

        require(
            isinstance(generator, torch.Generator),
            f"generator must be a torch.Generator; got {shown(generator)}",
        )
        require(
            dtype is None or (isinstance(dtype, torch.dtype) and dtype.is_floating_point),
            "dtype must be a floating dtype of torch, for example torch.float32; "
            f"got {shown(dtype)}",
        )
        device = generator.device
        # Low precision would round the probability: float32 draws are multiples of 2^-24.
        # Apple's graphics processors have no float64.
        exact = torch.float32 if device.type == "mps" else torch.float64
        active = torch.rand(shape, generator=generator, device=device, dtype=exact) < self.p
        uniform, normal = (
            partial(draw, shape, generator=generator, device=device, dtype=dtype)
            for draw in (torch.rand, torch.randn)
        )
        values = self._active(uniform, normal)
        return torch.where(active, values, torch.zeros_like(values))

    @abstractmethod
    def active_rule(self, n_points: int) -> tuple[np.ndarray, np.ndarray]:
        """Quadrature nodes and weights for the expectation over one active value.

        Gauss rules on either side of 0, where nonlinearities have their kinks; the weights sum
        to 1.  ``n_points`` is even for the two-sided distributions.

        >>> x, w = SparseUniform(1.0).active_rule(6)
        >>> round(float(w @ x**4), 12)  # 9/5 at p = 1
        1.8
        """

    @abstractmethod
    def active_from_uniform(self, u: Draws) -> Draws:
        """Active values at the given levels of their distribution function, each in (0, 1)."""

    @abstractmethod
    def _moment(self, order: int) -> float:
        """Raw moment of order 1 or more; may raise OverflowError or ZeroDivisionError."""

    def _active(self, uniform: Callable[[], Draws], normal: Callable[[], Draws]) -> Draws:
        """Active values, made of uniform or of standard normal numbers."""
        return self.active_from_uniform(uniform())


@dataclass(frozen=True)
class SparseUniform(SparseInput):
    """The paper's feature: uniform on [-a, a] with probability p, with unit variance.

    Implements equations (60) and (61): a = sqrt(3 / p), mean 0, variance 1, kurtosis 9 / (5 p).
    Kurtosis 3, where superposition begins, is at p = 0.6.

    >>> SparseUniform(0.6).kurtosis
    3.0
    >>> SparseUniform.from_kurtosis(18.0)
    SparseUniform(p=0.1)
    """

    @property
    def half_width(self) -> float:
        """Largest absolute value a of the feature."""
        return math.sqrt(3 / self.p)

    @property
    def kurtosis(self) -> float:
        """Fourth moment, 9 / (5 p)."""
        return 9 / (5 * self.p)

    @classmethod
    def from_kurtosis(cls, kurtosis: float) -> SparseUniform:
        """The sparse uniform with the given kurtosis, which must be at least 9/5."""
        return cls(_probability(kurtosis, 9 / 5, "sparse uniform"))

    def active_rule(self, n_points: int) -> tuple[np.ndarray, np.ndarray]:
        """Gauss-Legendre nodes on each half of [-a, a]."""
        return _two_sided(*_unit_legendre(_half(n_points)), self.half_width)

    def active_from_uniform(self, u: Draws) -> Draws:
        """Linear between -a and a."""
        return (2 * u - 1) * self.half_width

    def _moment(self, order: int) -> float:
        return 0.0 if order % 2 else 3 * (3 / self.p) ** (order // 2 - 1) / (order + 1)


@dataclass(frozen=True)
class SparseNormal(SparseInput):
    """Normal with probability p, otherwise zero; unit variance, kurtosis 3 / p (equation 59).

    >>> SparseNormal(0.5).kurtosis, SparseNormal(0.5).variance
    (6.0, 1.0)
    """

    @property
    def kurtosis(self) -> float:
        """Fourth moment, 3 / p."""
        return 3 / self.p

    @classmethod
    def from_kurtosis(cls, kurtosis: float) -> SparseNormal:
        """The sparse normal with the given kurtosis, which must be at least 3."""
        return cls(_probability(kurtosis, 3.0, "sparse normal"))

    def active_rule(self, n_points: int) -> tuple[np.ndarray, np.ndarray]:
        """Gauss nodes of the half-normal distribution, on each side."""
        return _two_sided(*_half_normal(_half(n_points)), 1 / math.sqrt(self.p))

    def active_from_uniform(self, u: Draws) -> Draws:
        """Normal quantiles over sqrt(p)."""
        return ndtri(u) / math.sqrt(self.p)

    def _moment(self, order: int) -> float:
        if order % 2:
            return 0.0
        if order > _MOST_NORMAL:
            raise OverflowError
        return math.prod(range(1, order, 2)) / self.p ** (order // 2 - 1)

    def _active(self, uniform: Callable[[], Draws], normal: Callable[[], Draws]) -> Draws:
        return normal() / math.sqrt(self.p)


@dataclass(frozen=True)
class UnitSparseUniform(SparseInput):
    """Uniform on [0, 1] with probability p: the input of the autoencoder of Elhage et al. 2022.

    Neither centered nor of unit variance; the raw moments are p / (order + 1).

    >>> UnitSparseUniform(0.5).mean
    0.25
    """

    @property
    def active_scale(self) -> float:
        """1: active values do not depend on p."""
        return 1.0

    def active_rule(self, n_points: int) -> tuple[np.ndarray, np.ndarray]:
        """Gauss-Legendre nodes on [0, 1]."""
        rule = "a whole number, at least 1"
        x, w = _unit_legendre(require_whole(n_points, "n_points", 1, None, rule))
        return x.copy(), w.copy()

    def active_from_uniform(self, u: Draws) -> Draws:
        """The level itself."""
        return u

    def _moment(self, order: int) -> float:
        return self.p / (order + 1)


def _probability(kurtosis: float, least: float, name: str) -> float:
    require(
        isinstance(kurtosis, (int, float, np.integer, np.floating))
        and least <= kurtosis <= _MOST_KURTOSIS,
        f"kurtosis of a {name} must be finite and at least {least:g} (its value at p = 1), "
        f"at most {_MOST_KURTOSIS:g}; got {shown(kurtosis)}",
    )
    return least / kurtosis


def _half(n_points: int) -> int:
    rule = "even for a two-sided distribution, at least 2"
    n_points = require_whole(n_points, "n_points", 2, None, rule)
    require(n_points % 2 == 0, f"n_points must be {rule}; got {shown(n_points)}")
    return n_points // 2


# A sweep asks for the same few rules in every row; what is kept must not be written to.
@lru_cache(maxsize=32)
def _unit_legendre(n_points: int) -> tuple[np.ndarray, np.ndarray]:
    x, w = np.polynomial.legendre.leggauss(n_points)
    return (x + 1) / 2, w / 2


@lru_cache(maxsize=32)
def _half_normal(n_points: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss rule for the absolute value of a standard normal variable."""
    # Lanczos on a fine discretization of the density gives the recurrence coefficients.
    fine, mass = np.polynomial.legendre.leggauss(400)
    fine = 6 * (fine + 1)
    mass = mass * np.exp(-(fine**2) / 2)
    q = np.sqrt(mass / mass.sum())
    basis, diagonal, off = [q], [], []
    for _ in range(n_points):
        r = fine * basis[-1]
        diagonal.append(r @ basis[-1])
        for _ in range(2):  # twice is enough to stay orthogonal
            r -= np.array(basis).T @ (np.array(basis) @ r)
        off.append(np.linalg.norm(r))
        basis.append(r / off[-1])
    nodes, vectors = np.linalg.eigh(
        np.diag(diagonal) + np.diag(off[:-1], 1) + np.diag(off[:-1], -1)
    )
    return nodes, vectors[0] ** 2


def _two_sided(x: np.ndarray, w: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    return scale * np.concatenate([-x[::-1], x]), np.concatenate([w[::-1], w]) / 2
