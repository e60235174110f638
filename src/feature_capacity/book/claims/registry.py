"""The registry of claims: what the paper says, and what counts as agreement.

``book/claims.yml`` is a list of entries. Each says how it is checked by its kind:

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

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from ..._arrays import unknown
from ..project import find_project

_DEFAULT_TOLERANCE = {"identity": 1e-10, "definition": 1e-10, "bound": 1e-9, "sampled": 4.0}
_REQUIRED = {
    "identity": (),
    "definition": (),
    "value": ("expected", "tolerance"),
    "bound": (),
    "limit": ("expected", "tolerance"),
    "sampled": (),
    "trained": ("band",),
    "shape": (),
}
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

_EQUATIONS = re.compile(r"\beqs? ((?:\d+(?:[–-]\d+)?(?:, | and | against )?)+)")

KINDS = tuple(_REQUIRED)
"""The kinds of claim."""

N_EQUATIONS = 91
"""How many numbered equations the paper has."""


@dataclass(frozen=True)
class Claim:
    """One entry of the registry.

    Parameters
    ----------
    id
        Lower-case words joined by hyphens.
    section, source
        Section of the paper, and the place in it: "eq 3", "Figure 4", "abstract".
    statement
        What is claimed, in our own words, as plain text.
    kind
        How it is checked; one of `KINDS`.
    page
        Name of the page that checks it.
    expected, tolerance, at_least, at_most, band
        What the kind compares with.
    applies_when
        Settings under which the claim is made: value, list of values, or limits by parameter.
    explained
        Anchor in ``book/deviations.md`` that explains why the claim does not hold.
    """

    id: str
    section: str
    source: str
    statement: str
    kind: str
    page: str
    expected: float | None = None
    tolerance: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    band: tuple[float, float] | None = None
    applies_when: Mapping[str, Any] = field(default_factory=dict)
    explained: str | None = None

    @property
    def equations(self) -> list[int]:
        """Numbers of the paper's equations that the source names.

        >>> Claim("a", "H", "Lemma 1, eqs 4–6 against 15", "-", "bound", "p").equations
        [4, 5, 6, 15]
        """
        numbers = set()
        for listed in _EQUATIONS.findall(self.source):
            for first, last in re.findall(r"(\d+)(?:[–-](\d+))?", listed):
                numbers.update(range(int(first), int(last or first) + 1))
        return sorted(numbers)

    def applies(self, parameters: Mapping[str, Any]) -> bool:
        """Whether the claim is made under these settings.

        >>> claim = Claim("a", "2", "eq 3", "-", "bound", "p", applies_when={"n": {"at_least": 8}})
        >>> claim.applies({"n": 8}), claim.applies({"n": 4})
        (True, False)
        """
        for name, wanted in self.applies_when.items():
            value = parameters[name]
            if isinstance(wanted, Mapping):
                low, high = wanted.get("at_least", -math.inf), wanted.get("at_most", math.inf)
                met = low <= value <= high
            else:
                met = value in (wanted if isinstance(wanted, list) else [wanted])
            if not met:
                return False
        return True

    def compare(self, measured, reference=None, standard_error=None) -> tuple[bool, str]:
        """Whether the claim holds for these numbers, and how closely, in words.

        Raises
        ------
        ValueError
            If the kind wants other arguments, or there is nothing to compare.
        """
        self._check_arity(reference, standard_error)
        values = _array(self.id, measured)
        if self.kind in ("identity", "definition"):
            error = _relative_error(self.id, values, _array(self.id, reference))
            return error <= self.tolerance, (
                f"largest relative error {error:.2g}, allowed {self.tolerance:g}"
            )
        if self.kind == "sampled":
            errors = _standard_errors(values, _array(self.id, reference), standard_error)
            return errors <= self.tolerance, (
                f"{errors:.{2 if errors < 10 else 3}g} standard errors apart, "
                f"allowed {self.tolerance:g}"
            )
        if self.kind == "bound":
            slack = float(values.min())
            return (
                slack >= -self.tolerance,
                f"smallest slack {slack:.2g}, allowed {-self.tolerance:g}",
            )
        if self.kind == "value":
            worst = values.flat[np.argmax(abs(values - self.expected))]
            return bool(abs(worst - self.expected) <= self.tolerance), (
                f"measured {worst:.6g}, expected {self.expected:g} ± {self.tolerance:g}"
            )
        return self._compare_scalar(values)

    def _compare_scalar(self, values: np.ndarray) -> tuple[bool, str]:
        if values.size != 1:
            raise ValueError(f"{self.id} ({self.kind}) takes one number; got shape {values.shape}")
        value = float(values.reshape(()))
        if self.kind == "limit":
            return abs(value - self.expected) <= self.tolerance, (
                f"observed order {value:.4g}, expected {self.expected:g} ± {self.tolerance:g}"
            )
        low, high = self.limits
        if high == math.inf:
            rule = f"at least {low:g}"
        elif low == -math.inf:
            rule = f"at most {high:g}"
        else:
            rule = f"between {low:g} and {high:g}"
        return low <= value <= high, f"measured {value:.4g}, expected {rule}"

    @property
    def limits(self) -> tuple[float, float]:
        """Smallest and largest value at which a claim of kind trained or shape holds."""
        low, high = self.band or (-math.inf, math.inf)
        low = low if self.at_least is None else max(low, self.at_least)
        high = high if self.at_most is None else min(high, self.at_most)
        return low, high

    def _check_arity(self, reference, standard_error) -> None:
        needs_reference = self.kind in ("identity", "definition", "sampled")
        if needs_reference != (reference is not None):
            verb = "needs a reference" if needs_reference else "takes no reference"
            raise ValueError(f"{self.id}: a claim of kind {self.kind} {verb} to compare with")
        if (self.kind == "sampled") != (standard_error is not None):
            verb = "needs" if self.kind == "sampled" else "takes no"
            raise ValueError(f"{self.id}: a claim of kind {self.kind} {verb} standard_error")


def _array(claim_id: str, values) -> np.ndarray:
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    array = np.asarray(values, dtype=float)
    if array.size == 0:
        raise ValueError(f"{claim_id}: nothing was measured (an empty array)")
    return array


def _relative_error(claim_id: str, measured: np.ndarray, reference: np.ndarray) -> float:
    """Largest difference in units of the largest reference value; absolute where that is 0.

    >>> _relative_error("a", np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    0.5
    """
    if measured.shape != reference.shape and reference.size > 1:
        raise ValueError(
            f"{claim_id}: measured and reference differ in shape, "
            f"{measured.shape} and {reference.shape}"
        )
    scale = float(abs(reference).max())
    return float(abs(measured - reference).max()) / (scale if scale else 1.0)


def _standard_errors(estimate: np.ndarray, closed_form: np.ndarray, standard_error) -> float:
    difference, unit = np.broadcast_arrays(
        abs(estimate - closed_form), np.asarray(standard_error, dtype=float)
    )
    # An estimate without spread agrees only when it is exact.
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(difference == 0, 0.0, difference / unit)
    ratio = np.where(np.isnan(unit) | (unit < 0), np.nan, ratio)
    return float(ratio.max())


def load_claims(path: Path | str | None = None) -> dict[str, Claim]:
    """Read and validate a registry; the claims by id, in the order of the file.

    Parameters
    ----------
    path
        Default: the file that the environment variable ``FEATURE_CAPACITY_CLAIMS`` names, else
        ``book/claims.yml``.

    Raises
    ------
    ValueError
        Naming the entry, the field and the rule.
    """
    path = Path(path or os.environ.get("FEATURE_CAPACITY_CLAIMS") or find_project().registry)
    # PyYAML's own loader takes most of a second for the book's registry, libyaml a tenth of it.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    entries = yaml.load(path.read_text(encoding="utf-8"), Loader=loader) or []
    if not isinstance(entries, list):
        raise ValueError(f"{path.name}: the registry is a list of entries")
    claims: dict[str, Claim] = {}
    for number, entry in enumerate(entries, start=1):
        try:
            claim = parse_claim(entry)
            if claim.id in claims:
                raise ValueError("the id is used twice")
        except ValueError as error:
            name = entry.get("id") if isinstance(entry, dict) else None
            raise ValueError(f"{path.name}, entry {number} ({name}): {error}") from None
        claims[claim.id] = claim
    return claims


def parse_claim(entry: Mapping[str, Any]) -> Claim:
    """Validate one entry of the registry.

    Raises
    ------
    ValueError
        For an unknown, missing or ill-typed field.

    Examples
    --------
    >>> parse_claim({"id": "eq3-bounds", "section": 2.1, "source": "eq 3", "kind": "bound",
    ...              "statement": "A capacity lies between 0 and 1.", "page": "sec2"}).tolerance
    1e-09
    """
    if not isinstance(entry, Mapping):
        raise ValueError("an entry is a mapping of fields")
    known = [f.name for f in fields(Claim)]
    for name in entry:
        if name not in known:
            raise ValueError(unknown("field", str(name), known))
    entry = {name: value for name, value in entry.items() if value is not None}
    for name in ("id", "section", "source", "statement", "kind", "page"):
        if not str(entry.get(name, "")).strip():
            raise ValueError(f"the field {name!r} is missing")
        entry[name] = str(entry[name]).strip()
    if not _ID.fullmatch(entry["id"]):
        raise ValueError("an id is lower-case letters and digits joined by hyphens")
    if entry["kind"] not in KINDS:
        raise ValueError(unknown("kind", entry["kind"], KINDS))
    _check_numbers(entry)
    entry.setdefault("tolerance", _DEFAULT_TOLERANCE.get(entry["kind"]))
    claim = Claim(**entry)
    if not set(claim.equations) <= set(range(1, N_EQUATIONS + 1)):
        raise ValueError(f"the paper's equations are 1 to {N_EQUATIONS}; got {claim.source!r}")
    return claim


def _check_numbers(entry: dict[str, Any]) -> None:
    """Check the fields that say what is expected; turns `band` into a pair of numbers."""
    kind = entry["kind"]
    for name in _REQUIRED[kind]:
        if name not in entry:
            raise ValueError(f"a claim of kind {kind} needs the field {name!r}")
    limits = {"at_least", "at_most", "band"} & set(entry)
    if kind == "shape" and not limits:
        raise ValueError("a claim of kind shape needs at_least, at_most or band")
    if limits - ({"band"} if kind == "trained" else {"at_least", "at_most", "band"}) or (
        limits and kind not in ("shape", "trained")
    ):
        raise ValueError(f"a claim of kind {kind} has no field {' or '.join(sorted(limits))}")
    if "expected" in entry and kind not in ("value", "limit"):
        raise ValueError(f"a claim of kind {kind} has no field expected")
    for name in ("expected", "tolerance", "at_least", "at_most"):
        if name in entry:
            entry[name] = _number(name, entry[name])
    if entry.get("tolerance", 0.0) < 0:
        raise ValueError(f"tolerance is not negative; got {entry['tolerance']:g}")
    if "band" in entry:
        band = entry["band"]
        if not (isinstance(band, list) and len(band) == 2):
            raise ValueError(f"band is a pair of numbers; got {band!r}")
        low, high = (_number("band", limit) for limit in band)
        if low > high:
            raise ValueError(f"band runs from low to high; got {band!r}")
        entry["band"] = (low, high)
    if not isinstance(entry.get("applies_when", {}), Mapping):
        raise ValueError("applies_when is a mapping of parameter to value")


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        hint = "; YAML wants 1.0e-3 for 1e-3" if isinstance(value, str) else ""
        raise ValueError(f"{name} is a number; got {value!r}{hint}")
    return float(value)
