"""Verdicts on claims: recorded by a page, carried by its outputs, shown as lines and a table.

What only the whole book shows is in `tables`, which pages do not import: an edit there executes
no page again.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

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
    """One line of a table of claims.

    The addresses that its methods take as `root` are relative, of the top of the book; None
    links within the page.
    """

    claim: Claim
    status: str
    detail: str = ""

    def html(self, root: str | None = None) -> str:
        """The line as HTML."""
        verdict = self.linked(verdict_html(self.status), root)
        if self.status == DIFFERS and self.claim.explained:
            verdict += f" {_why(self.claim, '../' if root is None else root)}"
        return (
            f'<tr data-verdict="{self.status}">'
            f"<td>{html.escape(self.claim.source)}</td><td>{html.escape(self.claim.statement)}</td>"
            f'<td>{verdict}<div class="claim-detail">{html.escape(self.detail)}</div></td></tr>'
        )

    def linked(self, text: str, root: str | None) -> str:
        """The text as a link to the cell that measured the claim, if one did."""
        if self.status in (NOT_ATTEMPTED, NOT_CHECKED):
            return text
        page = "" if root is None else f"{root}notebooks/{self.claim.page}.html"
        return f'<a href="{page}#{_anchor(self.claim)}">{text}</a>'


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
        return table_html(("Where", "Claim", "Verdict"), (row.html() for row in self.rows))

    def text(self) -> str:
        """The table as text for a terminal."""
        width = max((len(row.claim.id) for row in self.rows), default=0)
        return "\n".join(
            f"{SIGNS[row.status]} {row.status:<14} {row.claim.id:<{width}}  {row.detail}".rstrip()
            for row in self.rows
        )

    def _repr_html_(self) -> str:
        return self.html()

    def __repr__(self) -> str:
        return self.text()


def table_html(columns: Iterable[str], rows: Iterable[str], style: str = "claims") -> str:
    """A table as HTML, of the words over its columns and its finished rows."""
    head = "".join(f"<th>{column}</th>" for column in columns)
    start = f'<table class="{style}"><thead><tr>{head}</tr></thead><tbody>'
    return "\n".join([start, *rows, "</tbody></table>"])


def verdict_html(status: str) -> str:
    """A verdict with its sign, colored by the style sheet of the book."""
    kind = status.replace(" ", "-")
    return f'<span class="claim-verdict claim-{kind}">{SIGNS[status]} {status}</span>'


def line(claim: Claim, record: Record) -> str:
    """The verdict as one line of text."""
    return f"{SIGNS[record.status]} {record.status}: {claim.statement} [{record.detail}]"


def badge(claim: Claim, record: Record, *, anchor: bool) -> str:
    """The verdict as one line of HTML, which links can lead to if it is the `anchor`."""
    why = f" · {_why(claim, '../')}" if record.status == DIFFERS and claim.explained else ""
    anchor_id = f' id="{_anchor(claim)}"' if anchor else ""
    return (
        f'<div class="claim"{anchor_id}>'
        f"{verdict_html(record.status)} "
        f"<span>{html.escape(claim.statement)}</span> "
        f'<span class="claim-detail">{html.escape(claim.source)} · {html.escape(record.detail)}'
        f"{why}</span></div>"
    )


def _anchor(claim: Claim) -> str:
    return f"claim-{claim.id}"


def _why(claim: Claim, root: str) -> str:
    return f'<a href="{root}book/deviations.html#{claim.explained}">why</a>'
