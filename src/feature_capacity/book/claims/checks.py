"""Check claims in a page: what is expected was written down beforehand, the page measures.

A page opens a recorder and checks its claims where the numbers are at hand; a badge at the end of
each section shows what came out. Verdicts travel in the metadata of the badge's output, so that
the executed page is the record. `feature_capacity.book.claims.kinds` says what each kind of
measurement is compared with.

Every page imports this module: what it imports in turn is a reason to execute all of them again.
"""

import platform
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ... import __version__
from ..._arrays import unknown
from ..parameters import read_parameters
from ..project import find_project
from .claim import Claim
from .registry import load_claims
from .verdicts import AGREES, DIFFERS, NOT_APPLICABLE, Badge, Checked, Record, worst


class PageRun:
    """Checks the claims of one page while it runs; made by `open_page`."""

    def __init__(self, page: str, parameters: Mapping[str, Any], claims: Iterable[Claim]):
        self.page = page
        self.parameters = dict(parameters)
        self.claims = {claim.id: claim for claim in claims if claim.page == page}
        self.records: dict[str, Record] = {}
        self._measured = {m.id: (c, m) for c in self.claims.values() for m in c.measurements}
        self._shown: list[Checked] = []
        for claim, measurement in self._measured.values():
            for name in measurement.applies_when:
                if name not in self.parameters:
                    raise ValueError(f"{claim.id}: {unknown('parameter', name, self.parameters)}")

    def check(
        self,
        measurement_id: str,
        measured: ArrayLike,
        reference: ArrayLike | None = None,
        standard_error: ArrayLike | None = None,
    ) -> None:
        """Compare what was measured with what is expected; the next `badge` shows it.

        A measurement may be checked several times in a page; the worst verdict counts.

        Parameters
        ----------
        measurement_id
            Id of a claim of this page; of several measurements, with the name of one behind it.
        measured, reference, standard_error
            By the kind of the measurement; see `feature_capacity.book.claims.kinds`. Tensors are
            taken.

        Raises
        ------
        ValueError
            For an unknown id, arguments that the kind does not take, something that is not a
            number, or a measurement that is compared with itself.
        """
        _, measurement = self._find(measurement_id)
        if _same_array(measured, reference):
            raise ValueError(f"{measurement_id}: the measurement is compared with itself")
        if measurement.applies(self.parameters):
            agrees, detail = measurement.compare(measured, reference, standard_error)
            self._keep(measurement_id, AGREES if agrees else DIFFERS, detail)
        else:
            self.not_applicable(measurement_id, "not made under these parameters")

    def check_each(self, claim_id: str, measured: Mapping[str, ArrayLike]) -> None:
        """Check several measurements of one claim, by the names that they have in its entry.

        For measurements that are compared with what the entry says; those that need a reference
        go through `check`, one by one.
        """
        for name, value in measured.items():
            self.check(f"{claim_id}-{name}", value)

    def not_applicable(self, measurement_id: str, reason: str) -> None:
        """Say that nothing can be measured here, and why."""
        self._find(measurement_id)
        self._keep(measurement_id, NOT_APPLICABLE, reason)

    def badge(self) -> Badge:
        """The checks since the last badge, to be shown at the end of a section."""
        badge, self._shown = Badge(tuple(self._shown)), []
        return badge

    def _find(self, measurement_id: str) -> tuple[Claim, Any]:
        if measurement_id not in self._measured:
            known = self._measured
            raise ValueError(f"page {self.page}: {unknown('claim', measurement_id, known)}")
        return self._measured[measurement_id]

    def _keep(self, measurement_id: str, status: str, detail: str) -> None:
        record = Record(measurement_id, self.page, status, detail, self.parameters, _versions())
        first = measurement_id not in self.records
        self.records[measurement_id] = (
            record if first else worst(self.records[measurement_id], record)
        )
        checked = Checked(*self._find(measurement_id), record, first)
        self._shown.append(checked)
        if not _in_notebook():
            print(checked.line())


def open_page(page: str, **parameters: Any) -> PageRun:
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
    return PageRun(page, checked, load_claims(page=page).values())


def _same_array(measured: ArrayLike, reference: ArrayLike | None) -> bool:
    """Whether two arrays are one, or two views of the same numbers in the same order."""
    if reference is None or np.ndim(reference) == 0:
        return False
    if measured is reference:
        return True
    # Both are held while they are compared: the memory of one may not be given to the other.
    views = [
        np.asarray(x.numpy(force=True) if hasattr(x, "detach") else x)
        for x in (measured, reference)
    ]
    one, two = (view.__array_interface__ for view in views)
    return all(one[name] == two[name] for name in ("data", "shape", "typestr", "strides"))


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version(), "numpy": np.__version__}
    versions["feature-capacity"] = __version__
    if "torch" in sys.modules:
        versions["torch"] = sys.modules["torch"].__version__
    return versions


def _in_notebook() -> bool:
    return "IPython" in sys.modules and sys.modules["IPython"].get_ipython() is not None
