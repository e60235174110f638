r"""What a proof needs to know about an activation.

With :math:`f` the activation, :math:`\kappa(z,x)=\partial_z^2(f(z)-x)^2=2f'^2+2ff''-2xf''` for x in
[0, 1], and a feature's own mean square is :math:`\int_0^1(f(gx+\beta)-x)^2dx`.

*GELU's slope.*  :math:`f=z\,\mathrm P(z)` with the normal distribution P and its density
:math:`\varphi` has :math:`f'=\mathrm P+z\varphi`, :math:`f''=\varphi(2-z^2)`,
:math:`f'''=\varphi z(z^2-4)`.  So :math:`f'` is extreme at :math:`\pm\sqrt2`, where it is 1.1290
and -0.1290, and otherwise between its limits 0 and 1.  It lies in [-0.13, 1.13].

*GELU's* :math:`\kappa\le2.92`.  For :math:`z\le0` and :math:`f''\ge0` it is at most
:math:`2f'^2\le1/2`.  For :math:`0\le z\le\sqrt2` the term in x is not positive, :math:`f'` rises,
and :math:`zf''` is largest at 0.662, where it is 0.3314, and falls from there on.  Hence
:math:`2f'^2+2\mathrm P\,zf''` is at most

- on [0, 1]: 2 × 1.0834² + 2 × 0.8414 × 0.3314 < 2.906,
- on [1, 1.15]: 2 × 1.1118² + 2 × 0.8750 × 0.2420 < 2.896,
- on [1.15, √2]: 2 × 1.1290² + 2 × 0.9214 × 0.1605 < 2.846.

Beyond, :math:`f''\ge-2\varphi(2)>-0.108`, so that the term in x adds at most 0.216: to
:math:`2f'^2\le2.55` on the right, where :math:`ff''\le0`, and on the left to
:math:`2\times0.13^2+2\times0.17\times0.108`.

*The slope of GELU's* :math:`\kappa` *at x = 0* is :math:`6f'f''+2ff'''`.  Here
:math:`|f'|\le1.13`, :math:`|f''|\le2\varphi(0)<0.798`, and, as :math:`|f|\le|z|`, the second term
is at most :math:`2z^2|z^2-4|\varphi`, which is largest at :math:`z^2=4-\sqrt8`, where it is below
1.48.  In all less than 5.42 + 1.48 < 7.5.

*GELU and ReLU* differ by :math:`|z|\,\mathrm P(-|z|)`, and by parts

.. math:: \int(\mathrm{gelu}-\mathrm{relu})^2dz=2\int_0^\infty z^2\,\mathrm P(-z)^2dz
          =\tfrac43\Bigl(\tfrac1{\sqrt{2\pi}}-\tfrac5{8\sqrt\pi}\Bigr)<0.0618\le0.085.

*Far biases.*  Let :math:`b\le-64` and :math:`b=-gt`.  If :math:`t\ge1` then :math:`z\le0` for all
x, the answer of ReLU and of GELU is not positive, and the mean is at least 1/3.  Otherwise g > 64.
ReLU is silent up to t, and then off by :math:`ms-t` at :math:`x=t+s`, with m = g - 1 and s up to
:math:`l=1-t`.  It loses

.. math:: \tfrac{t^3}3+l\Bigl(\tfrac{(ml)^2}3-ml\,t+t^2\Bigr)\ge\tfrac{t^3}3+\tfrac{t^2(1-t)}4,

the least value over m, attained at :math:`ml=3t/2`.  The right side rises with t and is above 0.263
at t = 0.9.  For :math:`t\le0.9` one has :math:`m\ge64/t-1>70`, :math:`l\ge0.1` and :math:`ml\ge7`,
so that the loss is at least :math:`0.1\times7\,(7/3-0.9)>1`.  GELU's error differs from ReLU's by
at most :math:`\sqrt{0.085/64}<0.038` in the root of the mean square, and
:math:`(\sqrt{0.263}-0.038)^2>0.225`.  A square is below 4 only for :math:`|z|<2`, which is at most
4/g of all x, and none unless g > 62; elsewhere it is off by 3 or more, and the mean is above 8.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

LATTICE = 0.005
"""Distance of the values of a total bias at which losses are known."""

FAR = 64.0
"""Biases below -64 are treated by hand."""

GELU_KAPPA, GELU_SLOPES = 2.92, (-0.13, 1.13)
"""Bounds of GELU's κ and of its slope."""

GELU_BEND_SLOPE = 7.5
"""Bound of the slope of GELU's κ at x = 0."""

GELU_LESS_RELU = 0.085
"""Bound of the integral of the square of GELU less ReLU."""

_X_CELLS = 200


@dataclass(frozen=True)
class Activation:
    r"""An activation, and what a proof needs to know about it.

    Attributes
    ----------
    value : callable
        The activation at an array of points.
    least : float
        The point of its only minimum.
    mean : callable
        Of g and an array :math:`\beta`, a lower bound of :math:`\int(f(gx+\beta)-x)^2dx`.
    curvature : callable
        Of g, a rising array :math:`\beta`, w and p, an upper bound of the second derivative of the
        row's loss in the bias, within w of each :math:`\beta`.
    kappa : float
        An upper bound of :math:`\kappa`; infinite where it is :math:`12z^2-4x`.
    slope : tuple of float
        Numbers a and r with :math:`(f-x)f'\le a\max(z-x,0)+r`.
    far : float
        A lower bound of the mean for biases up to -64.
    """

    value: Callable[[np.ndarray], np.ndarray]
    least: float
    mean: Callable[[np.ndarray | float, np.ndarray], np.ndarray]
    curvature: Callable[[float, np.ndarray, float, float], np.ndarray]
    kappa: float
    slope: tuple[float, float]
    far: float


def _relu(z: np.ndarray) -> np.ndarray:
    return np.maximum(z, 0.0)


def _gelu(z: np.ndarray) -> np.ndarray:
    return z * ndtr(z)


def _square(z: np.ndarray) -> np.ndarray:
    return z * z


def _relu_mean(g: np.ndarray | float, beta: np.ndarray) -> np.ndarray:
    """Exact: x² where the unit is silent, ((g-1) x + β)² where it is not."""
    start = np.clip(-beta / np.maximum(g, 1e-300), 0.0, 1.0)
    m = g - 1
    rest = m * m * (1 - start**3) / 3 + m * beta * (1 - start**2) + beta * beta * (1 - start)
    return start**3 / 3 + rest


def _square_mean(g: np.ndarray | float, beta: np.ndarray) -> np.ndarray:
    """Exact: the integral of a polynomial."""
    fourth = g**4 / 5 + g**3 * beta + 2 * g * g * beta**2 + 2 * g * beta**3 + beta**4
    return fourth - 2 * (g * g / 4 + 2 * g * beta / 3 + beta**2 / 2) + 1 / 3


def _gelu_mean(g: np.ndarray | float, beta: np.ndarray) -> np.ndarray:
    """The trapezoidal rule less its error: the second derivative is κg² - 4f'g + 2."""
    total = np.zeros_like(beta)
    for k in range(_X_CELLS + 1):
        x = k / _X_CELLS
        total += (0.5 if k in (0, _X_CELLS) else 1.0) * (_gelu(g * x + beta) - x) ** 2
    worst = GELU_KAPPA * g * g - 4 * GELU_SLOPES[0] * g + 2
    return total / _X_CELLS - worst / (12 * _X_CELLS**2)


def _relu_curvature(g: float, beta: np.ndarray, w: float, p: float) -> np.ndarray:
    """Twice the chance to be active; the kink is downward."""
    return 2 * (1 - p) * (beta >= -w) + 2 * p * (beta + g >= -w)


def _square_curvature(g: float, beta: np.ndarray, w: float, p: float) -> np.ndarray:
    """The mean of 12 (gx + β)², with -4x left out."""
    z = np.abs(beta) + w
    return 12 * z * z + 12 * p * (g * g / 3 + g * z)


def _gelu_curvature(g: float, beta: np.ndarray, w: float, p: float) -> np.ndarray:
    """While the feature is off, κ at x = 0 on a lattice, and what its slope may add between."""
    fine = LATTICE / 2
    low, wide = beta[0] - w, math.ceil(w / fine)
    z = low - w + fine * np.arange(int((beta[-1] - beta[0]) / fine) + 4 * wide + 3)
    top = running_max(gelu_bend(z), 2 * wide + 1)  # entry k: from z[k] to z[k + 2 wide]
    begin = np.floor((beta - w - z[0]) / fine).astype(int)
    top = np.maximum(top[begin], top[begin + 1]) + GELU_BEND_SLOPE * fine
    return (1 - p) * top + p * GELU_KAPPA


def gelu_bend(z: np.ndarray) -> np.ndarray:
    """GELU's κ at x = 0, the second derivative of its square.

    >>> float(round(gelu_bend(np.array([0.0]))[0], 12))
    0.5
    """
    density = np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    first = ndtr(z) + z * density
    return 2 * first**2 + 2 * _gelu(z) * density * (2 - z * z)


def running_max(values: np.ndarray, width: int) -> np.ndarray:
    """The largest of ``width`` entries from each one on; shorter at the end.

    >>> running_max(np.array([3, 1, 2, 0, 0]), 3).tolist()
    [3, 2, 2, 0, 0]
    """
    top, done = values.copy(), 1
    while done < width:
        step = min(done, width - done)
        top[:-step] = np.maximum(top[:-step], top[step:])
        done += step
    return top


# If (f - x) f' > 0 for GELU, then either f > x >= 0, where f <= z and f' <= 1.13, or f' < 0, where
# f > -0.17 and the product is at most (1 + 0.17) 0.13 < 0.16.
ACTIVATIONS = {
    "relu": Activation(
        _relu, 0.0, _relu_mean, _relu_curvature,
        2.0, (1.0, 0.0), 0.263,
    ),
    "gelu": Activation(
        _gelu, -0.7517915246935645, _gelu_mean, _gelu_curvature,
        GELU_KAPPA, (GELU_SLOPES[1], 0.16), 0.225,
    ),
    "quadratic": Activation(
        _square, 0.0, _square_mean, _square_curvature,
        math.inf, (0.0, 0.0), 1.0,
    ),
}  # fmt: skip
"""By the name that a toy model gives them."""
