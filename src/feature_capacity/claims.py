"""Claims of the paper: what is expected was written down beforehand, the pages measure.

``book/claims.yml`` lists the claims. A page opens a recorder, checks each of its claims where the
number is at hand, and shows the verdict there; the verdict travels in the metadata of the cell's
output, so that the executed page is the record.

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

import contextlib
import html
import json
import math
import os
import platform
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from feature_capacity.parameters import read_parameters, unknown
from feature_capacity.project import find_project

AGREES, DIFFERS = "agrees", "differs"
NOT_APPLICABLE, NOT_ATTEMPTED, NOT_CHECKED = "not applicable", "not attempted", "not checked"

_SIGNS = {AGREES: "✓", DIFFERS: "✗", NOT_APPLICABLE: "–", NOT_ATTEMPTED: "·", NOT_CHECKED: "?"}
_WORST_FIRST = (DIFFERS, AGREES, NOT_APPLICABLE)

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

KINDS = tuple(_REQUIRED)
"""The kinds of claim."""


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
                f"{errors:.2g} standard errors apart, allowed {self.tolerance:g}"
            )
        if self.kind == "bound":
            slack = float(values.min())
            return slack >= -self.tolerance, f"smallest slack {slack:.2g}, allowed 0"
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


# ---------------------------------------------------------------------------------------- registry


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
    entries = yaml.safe_load(path.read_text(encoding="utf-8")) or []
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
    return Claim(**entry)


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


# ------------------------------------------------------------------------------------------- pages


@dataclass(frozen=True)
class Record:
    """The verdict on one claim, as carried by the executed page."""

    id: str
    page: str
    status: str
    detail: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)


class PageRun:
    """Checks the claims of one page while it runs; made by `open_page`."""

    def __init__(self, page: str, parameters: Mapping[str, Any], claims: Iterable[Claim]):
        self.page = page
        self.parameters = dict(parameters)
        self.claims = {claim.id: claim for claim in claims if claim.page == page}
        self.records: dict[str, Record] = {}
        for claim in self.claims.values():
            for name in claim.applies_when:
                if name not in self.parameters:
                    raise ValueError(f"{claim.id}: {unknown('parameter', name, self.parameters)}")

    def check(self, claim_id: str, measured, reference=None, standard_error=None) -> None:
        """Compare what was measured with the registry, and show the verdict in one line.

        A claim may be checked several times in a page; the worst verdict counts. A measurement
        that is not a number differs.

        Parameters
        ----------
        claim_id
            Of an entry of this page in the registry.
        measured, reference, standard_error
            By the kind of the claim; see the table of this module.

        Raises
        ------
        ValueError
            For an unknown id, or arguments that the kind does not take.
        """
        if claim_id not in self.claims:
            raise ValueError(f"page {self.page}: {unknown('claim', claim_id, self.claims)}")
        claim = self.claims[claim_id]
        if claim.applies(self.parameters):
            holds, detail = claim.compare(measured, reference, standard_error)
            status = AGREES if holds else DIFFERS
        else:
            status, detail = NOT_APPLICABLE, "not made under these parameters"
        record = Record(claim_id, self.page, status, detail, self.parameters, _versions())
        first = claim_id not in self.records
        self.records[claim_id] = record if first else worst(self.records[claim_id], record)
        _show(claim, record, anchor=first)

    def table(self) -> "ClaimTable":
        """The claims of this page with their verdicts so far."""
        return ClaimTable(
            [
                Row(claim, record.status, record.detail)
                if (record := self.records.get(claim.id))
                else Row(claim, NOT_CHECKED)
                for claim in self.claims.values()
            ]
        )


def open_page(page: str, **parameters) -> PageRun:
    """Validate the parameters of a page and open the recorder of its claims.

    Parameters
    ----------
    page
        Name of the page: the file name in ``notebooks/`` without its ending.
    **parameters
        Every parameter of the page with its value in this run.

    Raises
    ------
    ValueError
        For an unknown page, or a parameter that is unknown, left out or breaks its rule.
    """
    folder = find_project().notebooks
    source = folder / f"{page}.py"
    if not source.is_file():
        raise ValueError(unknown("page", page, [path.stem for path in folder.glob("*.py")]))
    cell = read_parameters(source)
    checked = cell.check(parameters)
    if missing := cell.parameters.keys() - checked.keys():
        raise ValueError(f"open_page({page!r}) was not given {', '.join(sorted(missing))}")
    return PageRun(page, checked, load_claims().values())


def worst(first: Record, second: Record) -> Record:
    """Return the record with the worse verdict; the earlier one where they are equal."""
    return min(first, second, key=lambda record: _WORST_FIRST.index(record.status))


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version(), "numpy": np.__version__}
    with contextlib.suppress(metadata.PackageNotFoundError):  # imported, but not installed
        versions["feature-capacity"] = metadata.version("feature-capacity")
    if "torch" in sys.modules:
        versions["torch"] = sys.modules["torch"].__version__
    return versions


def _show(claim: Claim, record: Record, *, anchor: bool) -> None:
    """Show the verdict as one line; in a notebook the record goes with it as metadata."""
    text = f"{_SIGNS[record.status]} {record.status}: {claim.statement} [{record.detail}]"
    if not _in_notebook():
        print(text)
        return
    from IPython.display import display

    bundle = {"text/html": _badge(claim, record, anchor=anchor), "text/plain": text}
    display(bundle, raw=True, metadata={"feature_capacity": {"claim": asdict(record)}})


def _in_notebook() -> bool:
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    return get_ipython() is not None


def _badge(claim: Claim, record: Record, *, anchor: bool) -> str:
    why = f" · {_why(claim)}" if record.status == DIFFERS and claim.explained else ""
    anchor_id = f' id="{_anchor(claim)}"' if anchor else ""
    return (
        f'<div class="claim"{anchor_id}>'
        f"{_verdict(record.status)} "
        f"<span>{html.escape(claim.statement)}</span> "
        f'<span class="claim-detail">{html.escape(claim.source)} · {html.escape(record.detail)}'
        f"{why}</span></div>"
    )


def _verdict(status: str) -> str:
    kind = status.replace(" ", "-")
    return f'<span class="claim-verdict claim-{kind}">{_SIGNS[status]} {status}</span>'


def _anchor(claim: Claim) -> str:
    return f"claim-{claim.id}"


def _place(section: str) -> str:
    """Name a section of the paper.

    >>> _place("2.1"), _place("C.0.1"), _place("abstract")
    ('Section 2.1', 'Appendix C.0.1', 'Abstract')
    """
    if section[0].isdigit():
        return f"Section {section}"
    if len(section.split(".")[0]) == 1:
        return f"Appendix {section}"
    return html.escape(section[0].upper() + section[1:])


def _reading_order(row: "Row") -> tuple:
    """Abstract and the like first, then sections by number, then appendices."""
    parts = row.claim.section.split(".")
    kind = 1 if parts[0].isdigit() else 2 if len(parts[0]) == 1 else 0
    return kind, [(int(part), "") if part.isdigit() else (0, part) for part in parts]


def _why(claim: Claim, root: str = "../") -> str:
    return f'<a href="{root}book/deviations.html#{claim.explained}">why</a>'


# ------------------------------------------------------------------------------------------ tables


@dataclass(frozen=True)
class Row:
    """One line of a table of claims."""

    claim: Claim
    status: str
    detail: str = ""

    @property
    def is_problem(self) -> bool:
        """Whether a build must fail: it differs without explanation, or was never checked."""
        if self.status == DIFFERS:
            return self.claim.explained is None
        return self.status == NOT_CHECKED

    def html(self, root: str | None = None) -> str:
        """The line as HTML; `root` as in `ClaimTable.html`."""
        claim, verdict = self.claim, _verdict(self.status)
        if self.status not in (NOT_ATTEMPTED, NOT_CHECKED):
            page = "" if root is None else f"{root}notebooks/{claim.page}.html"
            verdict = f'<a href="{page}#{_anchor(claim)}">{verdict}</a>'
        if self.status == DIFFERS and claim.explained:
            verdict += f" {_why(claim, '../' if root is None else root)}"
        return (
            f"<tr><td>{html.escape(claim.source)}</td><td>{html.escape(claim.statement)}</td>"
            f'<td>{verdict}<div class="claim-detail">{html.escape(self.detail)}</div></td></tr>'
        )


@dataclass(frozen=True)
class ClaimTable:
    """Claims and verdicts; shown as an HTML table in a notebook, as text elsewhere."""

    rows: list[Row]

    @property
    def problems(self) -> list[Row]:
        """The rows that must fail a build."""
        return [row for row in self.rows if row.is_problem]

    def count(self, status: str) -> int:
        """Count the claims with this verdict."""
        return sum(row.status == status for row in self.rows)

    def score(self) -> str:
        """One sentence: how many claims were checked, and how many held."""
        made = len(self.rows) - self.count(NOT_ATTEMPTED)
        parts = [f"{self.count(AGREES)} of {made} claims agree"]
        for status in (DIFFERS, NOT_APPLICABLE, NOT_CHECKED, NOT_ATTEMPTED):
            if number := self.count(status):
                parts.append(f"{status}: {number}")
            if status == DIFFERS and number and not self.problems:
                parts[-1] += " (explained)"
        return "; ".join(parts) + "."

    def html(self, root: str | None = None) -> str:
        """The table as HTML.

        Parameters
        ----------
        root
            Relative address of the top of the book: rows are grouped by section, and each links
            to the cell that measured it. None links within the page.
        """
        lines = [
            '<table class="claims"><thead><tr><th>Where</th><th>Claim</th><th>Verdict</th>'
            "</tr></thead><tbody>"
        ]
        section = None
        rows = self.rows if root is None else sorted(self.rows, key=_reading_order)
        for row in rows:
            if root is not None and row.claim.section != section:
                section = row.claim.section
                lines.append(
                    f'<tr class="claims-section"><th colspan="3">{_place(section)}</th></tr>'
                )
            lines.append(row.html(root))
        return "\n".join([*lines, "</tbody></table>"])

    def text(self) -> str:
        """The table as text for a terminal."""
        width = max((len(row.claim.id) for row in self.rows), default=0)
        return "\n".join(
            f"{_SIGNS[row.status]} {row.status:<14} {row.claim.id:<{width}}  {row.detail}".rstrip()
            for row in self.rows
        )

    def _repr_html_(self) -> str:
        return self.html()

    def __repr__(self) -> str:
        return self.text()


def read_records(executed: Path) -> dict[str, Record]:
    """Collect the verdicts that an executed page carries, the worst one for each claim."""
    notebook = json.loads(Path(executed).read_text(encoding="utf-8"))
    records: dict[str, Record] = {}
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            carried = output.get("metadata", {}).get("feature_capacity", {}).get("claim")
            if carried:
                record = Record(**carried)
                earlier = records.get(record.id, record)
                records[record.id] = worst(earlier, record)
    return records


def collect(claims: Mapping[str, Claim], executed: Mapping[str, Path]) -> ClaimTable:
    """Join the registry with the executed pages.

    Parameters
    ----------
    claims
        The registry.
    executed
        Executed notebook by name of page. Claims of other pages were not attempted.
    """
    records = {page: read_records(path) for page, path in executed.items()}
    rows = []
    for claim in claims.values():
        record = records.get(claim.page, {}).get(claim.id)
        if record:
            rows.append(Row(claim, record.status, record.detail))
        else:
            rows.append(Row(claim, NOT_CHECKED if claim.page in executed else NOT_ATTEMPTED))
    return ClaimTable(rows)
