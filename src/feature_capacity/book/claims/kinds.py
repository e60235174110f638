"""The kinds of claim: what each is checked with, and when it holds.

==========  ==========================================  ============================================
kind        ``run.check(id, ...)``                      holds when
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
    from .registry import Claim


@dataclass(frozen=True)
class Kind:
    """How claims of one kind are written down and checked.

    Parameters
    ----------
    compare
        Given the claim and the arrays of its check: whether it holds, and how closely, in words.
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


def _identity(claim: Claim, measured: np.ndarray, reference: np.ndarray) -> tuple[bool, str]:
    """The error is in units of the largest reference value; absolute where that is 0."""
    if measured.shape != reference.shape and reference.size > 1:
        raise ValueError(
            f"{claim.id}: measured and reference differ in shape, "
            f"{measured.shape} and {reference.shape}"
        )
    error = float(abs(measured - reference).max()) / (float(abs(reference).max()) or 1.0)
    return error <= claim.tolerance, (
        f"largest relative error {error:.2g}, allowed {claim.tolerance:g}"
    )


def _value(claim: Claim, measured: np.ndarray) -> tuple[bool, str]:
    worst = measured.flat[np.argmax(abs(measured - claim.expected))]
    return bool(abs(worst - claim.expected) <= claim.tolerance), (
        f"measured {worst:.6g}, expected {claim.expected:g} ± {claim.tolerance:g}"
    )


def _bound(claim: Claim, slacks: np.ndarray) -> tuple[bool, str]:
    slack = float(slacks.min())
    return slack >= -claim.tolerance, f"smallest slack {slack:.2g}, allowed {-claim.tolerance:g}"


def _limit(claim: Claim, measured: np.ndarray) -> tuple[bool, str]:
    order = _one_number(claim, measured)
    return abs(order - claim.expected) <= claim.tolerance, (
        f"observed order {order:.4g}, expected {claim.expected:g} ± {claim.tolerance:g}"
    )


def _sampled(
    claim: Claim, estimate: np.ndarray, closed_form: np.ndarray, standard_error: np.ndarray
) -> tuple[bool, str]:
    difference, unit = np.broadcast_arrays(abs(estimate - closed_form), standard_error)
    # An estimate without spread agrees only when it is exact.
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = np.where(difference == 0, 0.0, difference / unit)
    apart = float(np.where(np.isnan(unit) | (unit < 0), np.nan, errors).max())
    return apart <= claim.tolerance, (
        f"{apart:.{2 if apart < 10 else 3}g} standard errors apart, allowed {claim.tolerance:g}"
    )


def _inside(claim: Claim, measured: np.ndarray) -> tuple[bool, str]:
    value, (low, high) = _one_number(claim, measured), claim.limits
    if high == math.inf:
        rule = f"at least {low:g}"
    elif low == -math.inf:
        rule = f"at most {high:g}"
    else:
        rule = f"between {low:g} and {high:g}"
    return low <= value <= high, f"measured {value:.4g}, expected {rule}"


def _one_number(claim: Claim, measured: np.ndarray) -> float:
    if measured.size != 1:
        raise ValueError(f"{claim.id} ({claim.kind}) takes one number; got shape {measured.shape}")
    return float(measured.reshape(()))


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
