"""The registry of claims: what sources say, and what counts as agreement.

``book/claims.yml`` is a list of entries; `kinds` says what each is compared with.
"""

import functools
import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..._arrays import to_numpy, unknown
from ..._documents import parse_document, read_bounded
from ..project import find_project
from .kinds import KINDS

N_EQUATIONS = 91
"""How many numbered equations the paper has."""

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_EQUATIONS = re.compile(r"\beqs? ((?:\d+(?:[–-]\d+)?(?:, | and | against )?)+)")
_WORDS = ("id", "section", "source", "statement", "kind", "page")
_SENTENCES = {
    "reference": ("needs a reference to compare with", "takes no reference to compare with"),
    "standard_error": ("needs standard_error", "takes no standard_error"),
}
_EXPECTATIONS = ("expected", "at_least", "at_most", "band")


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
        How it is checked; one of `feature_capacity.book.claims.kinds.KINDS`.
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

    @property
    def limits(self) -> tuple[float, float]:
        """Smallest and largest value at which a claim of kind trained or shape holds."""
        low, high = self.band or (-math.inf, math.inf)
        low = low if self.at_least is None else max(low, self.at_least)
        high = high if self.at_most is None else min(high, self.at_most)
        return low, high

    def applies(self, parameters: Mapping[str, Any]) -> bool:
        """Whether the claim is made under these settings.

        >>> claim = Claim("a", "2", "eq 3", "-", "bound", "p", applies_when={"n": {"at_least": 8}})
        >>> claim.applies({"n": 8}), claim.applies({"n": 4})
        (True, False)
        """
        return all(_meets(parameters[name], rule) for name, rule in self.applies_when.items())

    def compare(
        self,
        measured: ArrayLike,
        reference: ArrayLike | None = None,
        standard_error: ArrayLike | None = None,
    ) -> tuple[bool, str]:
        """Whether the claim holds for these numbers, and how closely, in words; see `kinds`.

        Raises
        ------
        ValueError
            If the kind of the claim takes other arguments, or there is nothing to compare.

        Examples
        --------
        >>> claim = Claim("a", "2", "eq 3", "-", "identity", "p", tolerance=1e-10)
        >>> claim.compare([1.0, 2.0], [1.0, 4.0])
        (False, 'largest relative error 0.5, allowed 1e-10')
        """
        kind = KINDS[self.kind]
        others = {"reference": reference, "standard_error": standard_error}
        for name, value in others.items():
            if (name in kind.arguments) != (value is not None):
                sentence = _SENTENCES[name][value is not None]
                raise ValueError(f"{self.id}: a claim of kind {self.kind} {sentence}")
        given = [value for value in (measured, *others.values()) if value is not None]
        arrays = [np.asarray(to_numpy(values), dtype=float) for values in given]
        if not all(array.size for array in arrays):
            raise ValueError(f"{self.id}: nothing was measured (an empty array)")
        return kind.compare(self, *arrays)


def _meets(value: Any, rule: Any) -> bool:
    if isinstance(rule, Mapping):
        return rule.get("at_least", -math.inf) <= value <= rule.get("at_most", math.inf)
    return value in (rule if isinstance(rule, list) else [rule])


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
    return dict(_claims_in(read_bounded(path, "registry of claims"), path))


@functools.lru_cache(maxsize=2)  # a build asks for each page
def _claims_in(content: bytes, path: Path) -> dict[str, Claim]:
    file, entries = path.name, parse_document(content, path) or []
    if not isinstance(entries, list):
        raise ValueError(f"{file}: the registry is a list of entries")
    claims: dict[str, Claim] = {}
    for number, entry in enumerate(entries, start=1):
        try:
            claim = parse_claim(entry)
            if claim.id in claims:
                raise ValueError("the id is used twice")
        except ValueError as error:
            name = entry.get("id") if isinstance(entry, dict) else None
            raise ValueError(f"{file}, entry {number} ({name}): {error}") from None
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
    for name in _WORDS:
        if not str(entry.get(name, "")).strip():
            raise ValueError(f"the field {name!r} is missing")
        entry[name] = str(entry[name]).strip()
    if not _ID.fullmatch(entry["id"]):
        raise ValueError("an id is lower-case letters and digits joined by hyphens")
    if entry["kind"] not in KINDS:
        raise ValueError(unknown("kind", entry["kind"], KINDS))
    if not isinstance(entry.get("applies_when", {}), Mapping):
        raise ValueError("applies_when is a mapping of parameter to value")
    _check_fields_of_kind(entry)
    claim = Claim(**{**entry, **_numbers(entry)})
    if not set(claim.equations) <= set(range(1, N_EQUATIONS + 1)):
        raise ValueError(f"the paper's equations are 1 to {N_EQUATIONS}; got {claim.source!r}")
    return claim


def _check_fields_of_kind(entry: Mapping[str, Any]) -> None:
    name, kind = entry["kind"], KINDS[entry["kind"]]
    for needed in kind.needs:
        if needed not in entry:
            raise ValueError(f"a claim of kind {name} needs the field {needed!r}")
    present = [expectation for expectation in _EXPECTATIONS if expectation in entry]
    if refused := [expectation for expectation in present if expectation not in kind.allows]:
        raise ValueError(f"a claim of kind {name} has no field {' or '.join(refused)}")
    if kind.allows and not present:
        *others, last = kind.allows
        raise ValueError(f"a claim of kind {name} needs {', '.join(others)} or {last}")


def _numbers(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that say what is expected, as numbers; `band` as a pair of them."""
    names = ("expected", "tolerance", "at_least", "at_most")
    found: dict[str, Any] = {n: _number(n, entry[n]) for n in names if n in entry}
    found.setdefault("tolerance", KINDS[entry["kind"]].tolerance)
    if (found["tolerance"] or 0.0) < 0:
        raise ValueError(f"tolerance is not negative; got {found['tolerance']:g}")
    if "band" in entry:
        band = entry["band"]
        if not (isinstance(band, list) and len(band) == 2):
            raise ValueError(f"band is a pair of numbers; got {band!r}")
        low, high = (_number("band", limit) for limit in band)
        if low > high:
            raise ValueError(f"band runs from low to high; got {band!r}")
        found["band"] = (low, high)
    return found


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        hint = "; YAML wants 1.0e-3 for 1e-3" if isinstance(value, str) else ""
        raise ValueError(f"{name} is a number; got {value!r}{hint}")
    return float(value)
