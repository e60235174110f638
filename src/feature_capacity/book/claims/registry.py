"""Claims as they are written down: entries of ``book/claims/PAGE.yml``, read and validated.

An entry has a statement with its place, and one measurement or several::

    - id: eq12
      section: "3.2"
      source: eq 12
      statement: The expected loss is the sum of squared errors of all covariances.
      measurements:
        exact: {what: exact moments, kind: value, expected: 0, tolerance: 0}
        sampled: {what: by sampling, kind: sampled}

A page checks these as ``eq12-exact`` and ``eq12-sampled``. An entry with a single measurement has
the measurement's fields beside its own, and is checked by its id.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from ..._arrays import unknown
from ..._documents import read_document
from ..project import find_project
from .claim import N_EQUATIONS, OTHER, OURS, PAPER, Claim, Measurement
from .kinds import KINDS

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_WORDS = ("id", "section", "source", "statement")
_OWN = (*_WORDS, "group", "measurements", "qualification", "explained")
_MEASURED = tuple(f.name for f in fields(Measurement) if f.name not in ("id", "what"))
_EXPECTATIONS = ("expected", "at_least", "at_most", "band")


def load_claims(folder: Path | None = None, page: str | None = None) -> dict[str, Claim]:
    """Read and validate claims; by id, in the order of the files.

    Parameters
    ----------
    folder
        With one file a page. Default: ``book/claims`` of the book that the working folder is in.
    page
        Only the claims of this page; none if it has no file.

    Raises
    ------
    ValueError
        Naming the file, the entry, the field and the rule.
    """
    folder = folder or find_project().claims
    files = sorted(folder.glob("*.yml")) if page is None else [folder / f"{page}.yml"]
    claims: dict[str, Claim] = {}
    measured: dict[str, str] = {}
    for file in filter(Path.is_file, files):
        for place, claim in _claims_in(file):
            for name in (claim.id, *(m.id for m in claim.measurements)):
                if measured.setdefault(name, claim.id) != claim.id:
                    raise ValueError(f"{place}: the id {name} is used twice")
            if claim.id in claims:
                raise ValueError(f"{place}: the id is used twice")
            claims[claim.id] = claim
    return claims


def _claims_in(file: Path) -> Iterator[tuple[str, Claim]]:
    entries = read_document(file, "file of claims") or []
    if not isinstance(entries, list):
        raise ValueError(f"{file.name}: a file of claims is a list of entries")
    for number, entry in enumerate(entries, start=1):
        name = entry.get("id") if isinstance(entry, dict) else None
        place = f"{file.name}, entry {number} ({name})"
        try:
            yield place, parse_claim(entry, file.stem)
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from None


def parse_claim(entry: Mapping[str, Any], page: str) -> Claim:
    """Validate one entry of a page's file.

    Raises
    ------
    ValueError
        For an unknown, missing or ill-typed field.

    Examples
    --------
    >>> claim = parse_claim({"id": "eq3-bounds", "section": 2.1, "source": "eq 3", "kind": "bound",
    ...                      "statement": "A capacity lies between 0 and 1."}, "sec2_capacity")
    >>> claim.group, claim.measurements[0].tolerance
    ('paper', 1e-09)
    """
    if not isinstance(entry, Mapping):
        raise ValueError("an entry is a mapping of fields")
    several = "measurements" in entry
    _refuse_unknown(entry, _OWN if several else (*_OWN, *_MEASURED))
    entry = {name: value for name, value in entry.items() if value is not None}
    words = {name: str(entry.get(name, "")).strip() for name in _WORDS}
    for name, text in words.items():
        if not text:
            raise ValueError(f"the field {name!r} is missing")
    if not _ID.fullmatch(words["id"]):
        raise ValueError("an id is lower-case letters and digits joined by hyphens")
    group = entry.get("group", PAPER)
    if group not in (PAPER, OTHER, OURS):
        raise ValueError(unknown("group", str(group), (PAPER, OTHER, OURS)))
    if several:
        measurements = _several(words["id"], entry["measurements"])
    else:
        own = {name: entry[name] for name in _MEASURED if name in entry}
        measurements = (parse_measurement(words["id"], own),)
    others = {name: entry[name] for name in ("qualification", "explained") if name in entry}
    claim = Claim(page=page, group=group, measurements=measurements, **words, **others)
    if not set(claim.equations) <= set(range(1, N_EQUATIONS + 1)):
        raise ValueError(f"the paper's equations are 1 to {N_EQUATIONS}; got {claim.source!r}")
    return claim


def _several(claim_id: str, entries: Any) -> tuple[Measurement, ...]:
    if not (isinstance(entries, Mapping) and entries):
        raise ValueError("measurements is a mapping of name to fields")
    found = []
    for name, entry in entries.items():
        if not isinstance(entry, Mapping) or not str(entry.get("what", "")).strip():
            raise ValueError(f"the measurement {name} needs the field 'what': what is measured")
        found.append(parse_measurement(f"{claim_id}-{name}", entry))
    return tuple(found)


def parse_measurement(measurement_id: str, entry: Mapping[str, Any]) -> Measurement:
    """Validate the fields of one measurement."""
    _refuse_unknown(entry, ("what", *_MEASURED))
    if not _ID.fullmatch(measurement_id):
        raise ValueError("an id is lower-case letters and digits joined by hyphens")
    if "kind" not in entry:
        raise ValueError("the field 'kind' is missing")
    if entry["kind"] not in KINDS:
        raise ValueError(unknown("kind", str(entry["kind"]), KINDS))
    if not isinstance(entry.get("applies_when", {}), Mapping):
        raise ValueError("applies_when is a mapping of parameter to value")
    if not isinstance(entry.get("refuted", False), bool):
        raise ValueError(f"refuted is true or false; got {entry['refuted']!r}")
    _check_fields_of_kind(entry)
    return Measurement(id=measurement_id, **{**entry, **_numbers(entry)})


def _refuse_unknown(entry: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for name in entry:
        if name not in known:
            raise ValueError(unknown("field", str(name), known))


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
