"""Verdicts on claims: recorded by a page, carried by its outputs, shown as lines and a table.

What only the whole book shows is in `tables`, which pages do not import: an edit there executes
no page again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..html import fill
from .registry import Claim

AGREES, DIFFERS = "agrees", "differs"
"""Verdicts on a claim that was measured."""
NOT_APPLICABLE, NOT_ATTEMPTED, NOT_CHECKED = "not applicable", "not attempted", "not checked"
"""Claims made for other settings, of pages not executed, and left out by an executed page."""

SIGNS = {AGREES: "✓", DIFFERS: "✗", NOT_APPLICABLE: "–", NOT_ATTEMPTED: "·", NOT_CHECKED: "?"}
"""One character for each verdict."""
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
    def measured(self) -> bool:
        """Whether a cell of the page shows the verdict."""
        return self.status not in (NOT_ATTEMPTED, NOT_CHECKED)


def rows_of(claims: Iterable[Claim], records: Mapping[str, Record], missing: str) -> list[Row]:
    """Each claim with the verdict recorded by its id; `missing` is that of the others."""
    found = [(claim, records.get(claim.id)) for claim in claims]
    return [Row(c, r.status, r.detail) if r else Row(c, missing) for c, r in found]


@dataclass(frozen=True)
class PageTable:
    """Claims of a page with their verdicts; an HTML table in a notebook, text elsewhere."""

    rows: list[Row]

    def html(self) -> str:
        """The table as HTML, linked to the cells of the page."""
        return fill("claims/verdicts.page", rows=self.rows, signs=SIGNS)

    def text(self) -> str:
        """The table as text for a terminal."""
        width = max((len(row.claim.id) for row in self.rows), default=0)
        return "\n".join(
            f"{SIGNS[row.status]} {row.status:<14} {row.claim.id:<{width}}  {row.detail}".rstrip()
            for row in self.rows
        )

    _repr_html_ = html
    __repr__ = text


def line(claim: Claim, record: Record) -> str:
    """The verdict as one line of text."""
    return f"{SIGNS[record.status]} {record.status}: {claim.statement} [{record.detail}]"


def badge(claim: Claim, record: Record, *, anchor: bool) -> str:
    """The verdict as one line of HTML, which links can lead to if it is the `anchor`."""
    return fill("claims/verdicts.badge", claim=claim, record=record, anchor=anchor, signs=SIGNS)
