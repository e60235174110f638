"""Check claims in a page: what is expected was written down beforehand, the page measures.

A page opens a recorder, checks each of its claims where the number is at hand, and shows the
verdict there. The verdict travels in the metadata of the cell's output, so that the executed page
is the record. `feature_capacity.book.claims.kinds` says what each kind of claim is compared with.

Every page imports this module: what it imports in turn is a reason to execute all of them again.
"""

import platform
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ... import __version__
from ..._arrays import unknown
from ..parameters import read_parameters
from ..project import find_project
from .registry import Claim, load_claims
from .verdicts import (
    AGREES,
    DIFFERS,
    NOT_APPLICABLE,
    NOT_CHECKED,
    PageTable,
    Record,
    badge,
    line,
    rows_of,
    worst,
)


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

    def check(
        self,
        claim_id: str,
        measured: ArrayLike,
        reference: ArrayLike | None = None,
        standard_error: ArrayLike | None = None,
    ) -> None:
        """Compare what was measured with the registry, and show the verdict in one line.

        A claim may be checked several times in a page; the worst verdict counts. A measurement
        that is not a number differs.

        Parameters
        ----------
        claim_id
            Of an entry of this page in the registry.
        measured, reference, standard_error
            By the kind of the claim; see `feature_capacity.book.claims.kinds`. Tensors are taken.

        Raises
        ------
        ValueError
            For an unknown id, arguments that the kind does not take, or a measurement that is
            compared with itself.
        """
        if claim_id not in self.claims:
            raise ValueError(f"page {self.page}: {unknown('claim', claim_id, self.claims)}")
        claim = self.claims[claim_id]
        if _same_array(measured, reference):
            raise ValueError(f"{claim_id}: the measurement is compared with itself")
        if claim.applies(self.parameters):
            holds, detail = claim.compare(measured, reference, standard_error)
            status = AGREES if holds else DIFFERS
        else:
            status, detail = NOT_APPLICABLE, "not made under these parameters"
        record = Record(claim_id, self.page, status, detail, self.parameters, _versions())
        first = claim_id not in self.records
        self.records[claim_id] = record if first else worst(self.records[claim_id], record)
        _show(claim, record, anchor=first)

    def table(self) -> PageTable:
        """The claims of this page with their verdicts so far."""
        return PageTable(rows_of(self.claims.values(), self.records, NOT_CHECKED))


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
    return PageRun(page, checked, load_claims().values())


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


def _show(claim: Claim, record: Record, *, anchor: bool) -> None:
    """Show the verdict as one line; in a notebook the record goes with it as metadata."""
    if not _in_notebook():
        print(line(claim, record))
        return
    from IPython.display import display

    bundle = {"text/html": badge(claim, record, anchor=anchor), "text/plain": line(claim, record)}
    display(bundle, raw=True, metadata={"feature_capacity": {"claim": asdict(record)}})


def _in_notebook() -> bool:
    return "IPython" in sys.modules and sys.modules["IPython"].get_ipython() is not None
