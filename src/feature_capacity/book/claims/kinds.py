"""Kinds of measurement: what each is checked with, and when it agrees.

==========  ==========================================  ============================================
kind        ``run.check(id, ...)``                      agrees when
==========  ==========================================  ============================================
identity    measured, reference                         largest relative error ≤ tolerance (1e-10)
definition  measured, reference                         as an identity
value       measured                                    distance to `expected` ≤ tolerance
bound       slack                                       smallest slack ≥ −tolerance (1e-9)
limit       observed order                              distance to `expected` ≤ tolerance
sampled     estimate, closed form, standard_error=...   at most tolerance (4) standard errors apart
trained     statistic                                   inside `band`
shape       statistic                                   meets `at_least`, `at_most` or `band`
==========  ==========================================  ============================================
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .claim import Measurement


@dataclass(frozen=True)
class Kind:
    """How measurements of one kind are written down and checked.

    Parameters
    ----------
    compare
        Given the measurement and the arrays of its check: whether it agrees, and how closely, in
        words.
    needs, allows
        Fields of an entry that say what is expected: those that it must have, and may have.
    tolerance
        What counts where the entry does not say; None for kinds without.
    arguments
        What `compare` takes besides what was measured.
    """

    compare: Callable[..., tuple[bool, str]]
    needs: tuple[str, ...] = ()
    allows: tuple[str, ...] = ()
    tolerance: float | None = None
    arguments: tuple[str, ...] = ()


def _identity(
    expected: Measurement, measured: np.ndarray, reference: np.ndarray
) -> tuple[bool, str]:
    """The error is in units of the largest reference value; absolute where that is 0."""
    if measured.shape != reference.shape and reference.size > 1:
        raise ValueError(
            f"{expected.id}: measured and reference differ in shape, "
            f"{measured.shape} and {reference.shape}"
        )
    error = float(abs(measured - reference).max()) / (float(abs(reference).max()) or 1.0)
    holds = error <= expected.tolerance
    how = f"{'equal to within' if holds else 'off by'} {number(error)}" if error else "equal"
    return holds, f"{how}, allowed {number(expected.tolerance)}"


def _value(expected: Measurement, measured: np.ndarray) -> tuple[bool, str]:
    worst = measured.flat[np.argmax(abs(measured - expected.expected))]
    allowed = f" ± {number(expected.tolerance)}" if expected.tolerance else ""
    return bool(abs(worst - expected.expected) <= expected.tolerance), (
        f"measured {number(worst)}, expected {number(expected.expected)}{allowed}"
    )


def _bound(expected: Measurement, slacks: np.ndarray) -> tuple[bool, str]:
    slack = float(slacks.min())
    if slack < -expected.tolerance:
        return False, f"broken by {number(-slack)}"
    if slack <= expected.tolerance:
        return True, "attained, to rounding"
    return True, f"never closer than {number(slack)}"


def _limit(expected: Measurement, measured: np.ndarray) -> tuple[bool, str]:
    order = _one_number(expected, measured)
    return abs(order - expected.expected) <= expected.tolerance, (
        f"observed order {number(order)}, expected {number(expected.expected)} "
        f"± {number(expected.tolerance)}"
    )


def _sampled(
    expected: Measurement, estimate: np.ndarray, closed_form: np.ndarray, spread: np.ndarray
) -> tuple[bool, str]:
    difference, unit = np.broadcast_arrays(abs(estimate - closed_form), spread)
    # An estimate without spread agrees only when it is exact.
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = np.where(difference == 0, 0.0, difference / unit)
    apart = float(np.where(np.isnan(unit) | (unit < 0), np.nan, errors).max())
    return apart <= expected.tolerance, (
        f"{apart:.{2 if apart < 10 else 3}g} standard errors apart, allowed {expected.tolerance:g}"
    )


def _inside(expected: Measurement, measured: np.ndarray) -> tuple[bool, str]:
    value, (low, high) = _one_number(expected, measured), expected.limits
    if high == math.inf:
        rule = f"at least {number(low)}"
    elif low == -math.inf:
        rule = f"at most {number(high)}"
    else:
        rule = f"between {number(low)} and {number(high)}"
    return low <= value <= high, f"measured {number(value)}, expected {rule}"


def _one_number(expected: Measurement, measured: np.ndarray) -> float:
    if measured.size != 1:
        raise ValueError(
            f"{expected.id} ({expected.kind}) takes one number; got shape {measured.shape}"
        )
    return float(measured.reshape(()))


_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float) -> str:
    """A number as one writes it by hand, to two digits or four.

    >>> number(3.2e-16), number(1e-9), number(0.25), number(-1234567.0), number(12.0)
    ('3.2 × 10⁻¹⁶', '10⁻⁹', '0.25', '-1.2 × 10⁶', '12')
    """
    if value == 0 or not math.isfinite(value) or 1e-3 <= abs(value) < 1e6:
        return f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
    factor, exponent = f"{value:.1e}".split("e")
    power = "10" + str(int(exponent)).translate(_SUPERSCRIPTS)
    factor = factor.rstrip("0").rstrip(".")
    return power if factor == "1" else f"{factor} × {power}"


_REFERENCE = ("reference",)
_DISTANCE = ("expected", "tolerance")

KINDS = {
    "identity": Kind(_identity, tolerance=1e-10, arguments=_REFERENCE),
    "definition": Kind(_identity, tolerance=1e-10, arguments=_REFERENCE),
    "value": Kind(_value, _DISTANCE, _DISTANCE),
    "bound": Kind(_bound, tolerance=1e-9),
    "limit": Kind(_limit, _DISTANCE, _DISTANCE),
    "sampled": Kind(_sampled, tolerance=4.0, arguments=(*_REFERENCE, "standard_error")),
    "trained": Kind(_inside, ("band",), ("band",)),
    "shape": Kind(_inside, (), ("at_least", "at_most", "band")),
}
"""Every kind by its name."""
