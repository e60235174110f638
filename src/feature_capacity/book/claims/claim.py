"""What a claim is: a statement of a source, how it is measured, and what counts as agreement.

`registry` reads claims from ``book/claims/``, one file a page.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..._arrays import to_numpy
from .kinds import KINDS

N_EQUATIONS = 91
"""How many numbered equations the paper has."""

PAPER, OTHER, OURS = "paper", "other", "ours"
"""Groups of claims: the paper's, those of other sources, and what we found beyond them."""

_EQUATIONS = re.compile(r"\beqs? ((?:\d+(?:[–-]\d+)?(?:, | and | against )?)+)")
_SENTENCES = {
    "reference": ("needs a reference to compare with", "takes no reference to compare with"),
    "standard_error": ("needs standard_error", "takes no standard_error"),
}


@dataclass(frozen=True)
class Measurement:
    """One way in which a claim is checked, and what it must give.

    Parameters
    ----------
    id
        What a page checks it by: the claim's id, with the name of the measurement behind it if
        the claim has several.
    kind
        One of `feature_capacity.book.claims.kinds.KINDS`.
    what
        What is measured, where a claim has several measurements: "GELU", "by sampling".
    expected, tolerance, at_least, at_most, band
        What the kind compares with.
    refuted
        Whether the source's words are expected to fail here: a printed slip, measured beside the
        corrected form.
    applies_when
        Settings under which it is made: value, list of values, or limits by parameter.
    """

    id: str
    kind: str
    what: str = ""
    expected: float | None = None
    tolerance: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    band: tuple[float, float] | None = None
    refuted: bool = False
    applies_when: Mapping[str, Any] = field(default_factory=dict)

    @property
    def limits(self) -> tuple[float, float]:
        """Smallest and largest value at which a measurement of kind trained or shape agrees."""
        low, high = self.band or (-math.inf, math.inf)
        low = low if self.at_least is None else max(low, self.at_least)
        high = high if self.at_most is None else min(high, self.at_most)
        return low, high

    def applies(self, parameters: Mapping[str, Any]) -> bool:
        """Whether it is made under these settings.

        >>> measurement = Measurement("a", "bound", applies_when={"n": {"at_least": 8}})
        >>> measurement.applies({"n": 8}), measurement.applies({"n": 4})
        (True, False)
        """
        return all(_meets(parameters[name], rule) for name, rule in self.applies_when.items())

    def compare(
        self,
        measured: ArrayLike,
        reference: ArrayLike | None = None,
        standard_error: ArrayLike | None = None,
    ) -> tuple[bool, str]:
        """Whether these numbers are what is expected, and how closely, in words; see `kinds`.

        Raises
        ------
        ValueError
            If the kind takes other arguments, there is nothing to compare, or what was measured
            is not a number.

        Examples
        --------
        >>> measurement = Measurement("a", "identity", tolerance=1e-10)
        >>> measurement.compare([1.0, 2.0], [1.0, 4.0])
        (False, 'off by 0.5, allowed 10⁻¹⁰')
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
        if np.isnan(arrays[0]).any():
            raise ValueError(
                f"{self.id}: what was measured is not a number; where nothing can be measured, "
                "say run.not_applicable(id, reason)"
            )
        holds, detail = kind.compare(self, *arrays)
        return holds != self.refuted, detail


def _meets(value: Any, rule: Any) -> bool:
    if isinstance(rule, Mapping):
        return rule.get("at_least", -math.inf) <= value <= rule.get("at_most", math.inf)
    return value in (rule if isinstance(rule, list) else [rule])


@dataclass(frozen=True)
class Claim:
    """A statement of a source, with the measurements that decide it.

    Parameters
    ----------
    id
        Lower-case words joined by hyphens.
    page
        Name of the page that checks it.
    group
        `PAPER`, `OTHER` or `OURS`.
    section, source
        Section of the paper, and the place in it: "eq 3", "Figure 4", "abstract".
    statement
        What is claimed, in our own words; formulas between dollar signs.
    measurements
    qualification
        In which reading or range the claim holds, where it does not hold in all.
    explained
        Anchor in ``book/deviations.md`` that explains what does not hold.
    """

    id: str
    page: str
    group: str
    section: str
    source: str
    statement: str
    measurements: tuple[Measurement, ...]
    qualification: str | None = None
    explained: str | None = None

    @property
    def equations(self) -> list[int]:
        """Numbers of the paper's equations that the source names.

        >>> Claim("a", "p", "paper", "H", "Lemma 1, eqs 4–6 against 15", "-", ()).equations
        [4, 5, 6, 15]
        """
        numbers = set()
        for listed in _EQUATIONS.findall(self.source):
            for first, last in re.findall(r"(\d+)(?:[–-](\d+))?", listed):
                numbers.update(range(int(first), int(last or first) + 1))
        return sorted(numbers)
