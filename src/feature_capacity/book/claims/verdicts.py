"""Verdicts on claims: recorded by a page, carried by its outputs, shown as badges and tables."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from .registry import N_EQUATIONS, Claim

AGREES, DIFFERS = "agrees", "differs"
"""Verdicts on a claim that was measured."""
NOT_APPLICABLE, NOT_ATTEMPTED, NOT_CHECKED = "not applicable", "not attempted", "not checked"
"""Claims made for other settings, of pages not executed, and left out by an executed page."""

_SIGNS = {AGREES: "✓", DIFFERS: "✗", NOT_APPLICABLE: "–", NOT_ATTEMPTED: "·", NOT_CHECKED: "?"}
_WORST_FIRST = (DIFFERS, AGREES, NOT_APPLICABLE)


@dataclass(frozen=True)
class Record:
    """The verdict on one claim, as carried by the executed page."""

    id: str
    page: str
    status: str
    detail: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)


def worst(first: Record, second: Record) -> Record:
    """Return the record with the worse verdict; the earlier one where they are equal."""
    return min(first, second, key=lambda record: _WORST_FIRST.index(record.status))


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
        claim, verdict = self.claim, self.linked(_verdict(self.status), root)
        if self.status == DIFFERS and claim.explained:
            verdict += f" {_why(claim, '../' if root is None else root)}"
        return (
            f'<tr data-verdict="{self.status}">'
            f"<td>{html.escape(claim.source)}</td><td>{html.escape(claim.statement)}</td>"
            f'<td>{verdict}<div class="claim-detail">{html.escape(self.detail)}</div></td></tr>'
        )

    def short_html(self, root: str | None = None) -> str:
        """Verdict and statement alone, as one link."""
        text = f"{_verdict(self.status)} {html.escape(self.claim.statement)}"
        return self.linked(text, root)

    def linked(self, text: str, root: str | None) -> str:
        """The text as a link to the cell that measured the claim, if one did."""
        if self.status in (NOT_ATTEMPTED, NOT_CHECKED):
            return text
        page = "" if root is None else f"{root}notebooks/{self.claim.page}.html"
        return f'<a href="{page}#{_anchor(self.claim)}">{text}</a>'


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

    def by_equation(self) -> dict[int, list[Row]]:
        """The claims on each numbered equation of the paper."""
        found: dict[int, list[Row]] = {number: [] for number in range(1, N_EQUATIONS + 1)}
        for row in self.rows:
            for number in row.claim.equations:
                found[number].append(row)
        return found

    def select(self, *patterns: str) -> ClaimTable:
        """The claims whose id matches one of the patterns, such as ``eq3-*``."""
        return ClaimTable([r for r in self.rows if any(fnmatch(r.claim.id, p) for p in patterns)])

    def summary(self) -> str:
        """One phrase for claims that together make a sentence of the paper.

        >>> ClaimTable([]).summary()
        'nothing to measure'
        """
        agree, differ = self.count(AGREES), self.count(DIFFERS)
        if agree + differ:
            return "holds" if not differ else "holds in part" if agree else "does not hold"
        return "nothing to measure" if not self.rows else NOT_APPLICABLE

    def coverage(self) -> str:
        """One sentence: how many of the numbered equations have a verdict."""
        without = [
            str(number)
            for number, rows in self.by_equation().items()
            if all(row.status in (NOT_ATTEMPTED, NOT_CHECKED) for row in rows)
        ]
        missing = f" (not yet: {', '.join(without)})" if without else ""
        return f"{N_EQUATIONS - len(without)} of {N_EQUATIONS} equations have a verdict{missing}."

    def equations_html(self, root: str) -> str:
        """The claims by number of equation, each linked to its cell; `root` as in `html`."""
        lines = [
            '<table class="claims equations"><thead><tr><th>Equation</th><th>Checked by</th></tr>'
            "</thead><tbody>"
        ]
        for number, rows in self.by_equation().items():
            checks = "".join(f"<li>{row.short_html(root)}</li>" for row in rows)
            shown = "|".join(sorted({row.status for row in rows}))
            lines.append(
                f'<tr id="equation-{number}" data-verdict="{shown}"><td>{number}</td>'
                f"<td><ul>{checks}</ul></td></tr>"
            )
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


def sentences_html(sentences: Mapping[str, ClaimTable], root: str) -> str:
    """A table of sentences: what they say, whether it holds, and every check they rest on."""
    lines = [
        '<table class="claims equations"><thead><tr><th>Sentence</th><th>Verdict</th>'
        "<th>Rests on</th></tr></thead><tbody>"
    ]
    for sentence, table in sentences.items():
        checks = ", ".join(
            row.linked(f"{_SIGNS[row.status]}&nbsp;{row.claim.id}", root) for row in table.rows
        )
        lines.append(
            f"<tr><td>{html.escape(sentence)}</td><td>{table.summary()}</td><td>{checks}</td></tr>"
        )
    return "\n".join([*lines, "</tbody></table>"])


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


def line(claim: Claim, record: Record) -> str:
    """The verdict as one line of text."""
    return f"{_SIGNS[record.status]} {record.status}: {claim.statement} [{record.detail}]"


def badge(claim: Claim, record: Record, *, anchor: bool) -> str:
    """The verdict as one line of HTML, which links can lead to if it is the `anchor`."""
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


def _reading_order(row: Row) -> tuple:
    """Abstract and the like first, then sections by number, then appendices."""
    parts = row.claim.section.split(".")
    kind = 1 if parts[0].isdigit() else 2 if len(parts[0]) == 1 else 0
    return kind, [(int(part), "") if part.isdigit() else (0, part) for part in parts]


def _why(claim: Claim, root: str = "../") -> str:
    return f'<a href="{root}book/deviations.html#{claim.explained}">why</a>'
