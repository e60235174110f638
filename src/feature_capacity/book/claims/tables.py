"""All verdicts of the book: read from executed pages, counted, and shown by section and equation.

Pages reach `verdicts` only, so that nothing here is a reason to execute them again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path

from ..html import fill
from .registry import N_EQUATIONS, Claim
from .verdicts import (
    AGREES,
    DIFFERS,
    NOT_APPLICABLE,
    NOT_ATTEMPTED,
    NOT_CHECKED,
    SIGNS,
    PageTable,
    Record,
    Row,
    rows_of,
    worst,
)


class ClaimTable(PageTable):
    """Claims and verdicts of several pages."""

    @property
    def problems(self) -> list[Row]:
        """What must fail a build: it differs without explanation, or was never checked."""
        return [
            row
            for row in self.rows
            if row.status == NOT_CHECKED or (row.status == DIFFERS and not row.claim.explained)
        ]

    def count(self, status: str) -> int:
        """Count the claims with this verdict."""
        return sum(row.status == status for row in self.rows)

    def select(self, *patterns: str) -> ClaimTable:
        """The claims whose id matches one of the patterns, such as ``eq3-*``."""
        return ClaimTable([r for r in self.rows if any(fnmatch(r.claim.id, p) for p in patterns)])

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

    def summary(self) -> str:
        """One phrase for claims that together make a sentence of the paper.

        >>> ClaimTable([]).summary()
        'nothing to measure'
        """
        agree, differ = self.count(AGREES), self.count(DIFFERS)
        if agree + differ:
            return "holds" if not differ else "holds in part" if agree else "does not hold"
        return "nothing to measure" if not self.rows else NOT_APPLICABLE

    def by_section_html(self, root: str) -> str:
        """The claims in reading order under the sections of the paper, as HTML.

        Parameters
        ----------
        root
            Relative address of the top of the book, for links to the cells that measured.
        """
        rows = sorted(self.rows, key=_reading_order)
        return fill("claims/tables.sections", rows=rows, place=_place, root=root, signs=SIGNS)

    def by_equation(self) -> dict[int, list[Row]]:
        """The claims on each numbered equation of the paper."""
        found: dict[int, list[Row]] = {number: [] for number in range(1, N_EQUATIONS + 1)}
        for row in self.rows:
            for number in row.claim.equations:
                found[number].append(row)
        return found

    def coverage(self) -> str:
        """One sentence: how many of the numbered equations have a verdict."""
        without = [
            str(number)
            for number, rows in self.by_equation().items()
            if all(row.status in (NOT_ATTEMPTED, NOT_CHECKED) for row in rows)
        ]
        missing = f" (not yet: {', '.join(without)})" if without else ""
        return f"{N_EQUATIONS - len(without)} of {N_EQUATIONS} equations have a verdict{missing}."

    def by_equation_html(self, root: str) -> str:
        """The claims by number of equation; `root` as in `by_section_html`."""
        equations = self.by_equation()
        return fill("claims/tables.equations", equations=equations, root=root, signs=SIGNS)


def sentences_html(sentences: Mapping[str, ClaimTable], root: str) -> str:
    """A table of sentences: what they say, whether it holds, and every check they rest on."""
    return fill("claims/tables.sentences", sentences=sentences, root=root, signs=SIGNS)


def read_records(executed: Path) -> dict[str, Record]:
    """Collect the verdicts that an executed page carries, the worst one for each claim."""
    notebook = json.loads(Path(executed).read_text(encoding="utf-8"))
    records: dict[str, Record] = {}
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            carried = output.get("metadata", {}).get("feature_capacity", {}).get("claim")
            if carried:
                record = Record(**carried)
                records[record.id] = worst(records.get(record.id, record), record)
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
        missing = NOT_CHECKED if claim.page in records else NOT_ATTEMPTED
        rows += rows_of([claim], records.get(claim.page, {}), missing)
    return ClaimTable(rows)


def _place(section: str) -> str:
    """Name a section of the paper.

    >>> _place("2.1"), _place("C.0.1"), _place("abstract")
    ('Section 2.1', 'Appendix C.0.1', 'Abstract')
    """
    if section[0].isdigit():
        return f"Section {section}"
    if len(section.split(".")[0]) == 1:
        return f"Appendix {section}"
    return section[0].upper() + section[1:]


def _reading_order(row: Row) -> tuple[int, list[tuple[int, str]]]:
    """Abstract and the like first, then sections by number, then appendices."""
    parts = row.claim.section.split(".")
    kind = 1 if parts[0].isdigit() else 2 if len(parts[0]) == 1 else 0
    return kind, [(int(part), "") if part.isdigit() else (0, part) for part in parts]
