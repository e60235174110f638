"""Verdicts: recorded by a page, carried by its outputs, shown by one quiet badge a section.

What only the whole book shows is in `tables`, which pages do not import: an edit there executes
no page again.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ..html import fill
from .claim import Claim, Measurement

AGREES, DIFFERS, NOT_APPLICABLE = "agrees", "differs", "not applicable"
"""What a measurement comes to; the last where nothing can be measured, or under other settings."""

SIGNS = {AGREES: "✓", DIFFERS: "✗", NOT_APPLICABLE: "–"}
"""One character for each."""

_WORST_FIRST = (DIFFERS, AGREES, NOT_APPLICABLE)


@dataclass(frozen=True)
class Record:
    """What one measurement came to, as carried by the executed page."""

    id: str
    page: str
    status: str
    detail: str
    parameters: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)


def worst(first: Record, second: Record) -> Record:
    """Return the record with the worse verdict; the earlier one where they are equal."""
    return min(first, second, key=lambda record: _WORST_FIRST.index(record.status))


@dataclass(frozen=True)
class Checked:
    """One check of a page: the claim, how it was measured, and what came out."""

    claim: Claim
    measurement: Measurement
    record: Record
    first: bool  # of this measurement in the page; links lead there

    @property
    def as_expected(self) -> bool:
        """Whether there is nothing to spell out."""
        return self.record.status != DIFFERS and self.claim.qualification is None

    def line(self) -> str:
        """The verdict as one line of text."""
        what = f" ({self.measurement.what})" if self.measurement.what else ""
        status = self.record.status
        return f"{SIGNS[status]} {status}: {self.claim.statement}{what} [{self.record.detail}]"


@dataclass(frozen=True)
class Badge:
    """The checks of a section: how many agree in one line, which unfolds; what differs in full."""

    checks: Sequence[Checked]

    def summary(self) -> str:
        """How many of the checks agree.

        >>> Badge([]).summary()
        'nothing was checked here'
        """
        counts = dict.fromkeys(SIGNS, 0)
        for check in self.checks:
            counts[check.record.status] += 1
        words = {AGREES: ("agrees", "agree"), DIFFERS: ("differs", "differ")}
        parts = []
        for status, count in counts.items():
            if count:
                verb = words.get(status, ("is not applicable", "are not applicable"))[count > 1]
                noun = f" {'check' if count == 1 else 'checks'}" if not parts else ""
                parts.append(f"{count}{noun} {verb}")
        return ", ".join(parts) or "nothing was checked here"

    def html(self) -> str:
        """The badge as HTML."""
        return fill("claims/verdicts.badge", badge=self, signs=SIGNS)

    def __repr__(self) -> str:
        return "\n".join(check.line() for check in self.checks) or self.summary()

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, str], dict[str, Any]]:
        """HTML and text; the records go with them as metadata, so that the page is the record."""
        records = [asdict(check.record) for check in self.checks]
        data = {"text/html": self.html(), "text/plain": repr(self)}
        return data, {"feature_capacity": {"checks": records}}
