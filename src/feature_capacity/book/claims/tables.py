"""All verdicts of the book: read from executed pages, counted, and shown by section and equation.

Pages reach `verdicts` only, so that nothing here is a reason to execute them again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..html import fill
from .claim import N_EQUATIONS, OTHER, OURS, PAPER, Claim, Measurement
from .verdicts import AGREES, DIFFERS, NOT_APPLICABLE, Record, worst

HOLDS, QUALIFIED, FAILS = "holds", "holds with a qualification", "does not hold"
"""Verdicts on a claim that was measured."""
NOT_ATTEMPTED, NOT_CHECKED = "not attempted", "not checked"
"""Claims of pages not executed, and claims that an executed page left out, in part or whole."""

SIGNS = {
    HOLDS: "✓",
    QUALIFIED: "≈",
    FAILS: "✗",
    NOT_APPLICABLE: "–",
    NOT_ATTEMPTED: "·",
    NOT_CHECKED: "?",
    AGREES: "✓",
    DIFFERS: "✗",
}
"""One character for each verdict, on claims and on measurements."""

GROUPS = {
    PAPER: "the paper",
    OTHER: "other sources",
    OURS: "found here",
}
"""What the groups of claims are called."""


@dataclass(frozen=True)
class Row:
    """A claim with what its measurements came to; None for those that were not made."""

    claim: Claim
    records: tuple[tuple[Measurement, Record | None], ...]
    executed: bool

    @property
    def status(self) -> str:
        """The verdict on the claim.

        It holds if every measurement agrees, and with a qualification if it names one or if only
        some of them agree.
        """
        if not self.executed:
            return NOT_ATTEMPTED
        found = [record.status for _, record in self.records if record is not None]
        if len(found) < len(self.records):
            return NOT_CHECKED
        decided = set(found) - {NOT_APPLICABLE}
        if not decided:
            return NOT_APPLICABLE
        if self.claim.qualification or len(decided) > 1:
            return QUALIFIED
        return HOLDS if decided == {AGREES} else FAILS

    @property
    def differs(self) -> bool:
        """Whether a measurement differs."""
        return any(record and record.status == DIFFERS for _, record in self.records)

    @property
    def unexplained(self) -> bool:
        """Whether it was left out, or a measurement differs and nothing explains it."""
        return self.status == NOT_CHECKED or (self.differs and not self.claim.explained)


@dataclass(frozen=True)
class ClaimTable:
    """Claims and verdicts of several pages."""

    rows: list[Row]

    @property
    def problems(self) -> list[Row]:
        """What must fail a build: it differs without explanation, or was never checked."""
        return [row for row in self.rows if row.unexplained]

    def count(self, status: str) -> int:
        """Count the claims with this verdict."""
        return sum(row.status == status for row in self.rows)

    def group(self, group: str) -> ClaimTable:
        """The claims of one group."""
        return ClaimTable([row for row in self.rows if row.claim.group == group])

    def score(self) -> str:
        """One sentence on the paper's statements: how many hold, and how many do not."""
        paper = self.group(PAPER)
        parts = [f"{paper.count(HOLDS)} hold"]
        for status, words in (
            (QUALIFIED, "hold with a qualification"),
            (FAILS, "do not hold"),
            (NOT_APPLICABLE, "are not applicable"),
            (NOT_CHECKED, "were not checked"),
            (NOT_ATTEMPTED, "were not attempted"),
        ):
            if number := paper.count(status):
                parts.append(f"{number} {words}")
        last = f" and {parts.pop()}" if len(parts) > 1 else ""
        return f"Of {len(paper.rows)} statements of the paper, {', '.join(parts)}{last}."

    def text(self) -> str:
        """The table as text for a terminal."""
        width = max((len(row.claim.id) for row in self.rows), default=0)
        longest = max(map(len, SIGNS))
        return "\n".join(
            f"{SIGNS[row.status]} {row.status:<{longest}} {row.claim.id:<{width}}  "
            f"{row.claim.statement}"
            for row in self.rows
        )

    def by_section_html(self, root: str) -> str:
        """The claims in reading order under the sections of the paper, as HTML.

        Parameters
        ----------
        root
            Relative address of the top of the book, for links to the sections that measured.
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


def read_records(executed: Path) -> dict[str, Record]:
    """Collect the verdicts that an executed page carries, the worst one for each measurement."""
    notebook = json.loads(Path(executed).read_text(encoding="utf-8"))
    records: dict[str, Record] = {}
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            for carried in output.get("metadata", {}).get("feature_capacity", {}).get("checks", ()):
                record = Record(**carried)
                records[record.id] = worst(records.get(record.id, record), record)
    return records


def collect(claims: Iterable[Claim], executed: Mapping[str, Path]) -> ClaimTable:
    """Join claims with the executed pages.

    Parameters
    ----------
    claims
    executed
        Executed notebook by name of page. Claims of other pages were not attempted.
    """
    records = {page: read_records(path) for page, path in executed.items()}
    return ClaimTable([row_of(claim, records.get(claim.page)) for claim in claims])


def row_of(claim: Claim, records: Mapping[str, Record] | None) -> Row:
    """A claim with the records of its page, by measurement; None if the page was not executed."""
    found = records or {}
    measured = tuple((each, found.get(each.id)) for each in claim.measurements)
    return Row(claim, measured, records is not None)


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
