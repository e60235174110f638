"""The index page of a batch: one row a run, one column a figure, to be compared by eye.

It needs no network and no script; pictures lie beside it in ``figures/``.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ..claims.tables import read_records
from ..claims.verdicts import AGREES, DIFFERS, NOT_APPLICABLE
from ..figure_list import read_pictures
from ..files import replace_file
from ..html import fill
from ..pages import Page
from .run import Outcome

_VERDICTS = (
    (AGREES, "agree", "good"),
    (DIFFERS, "differ", "bad"),
    (NOT_APPLICABLE, "not applicable", "gray"),
)


def write_index(page: Page, outcomes: Sequence[Outcome], folder: Path) -> Path:
    """Write ``index.html`` and its pictures into the folder of a batch; return the page."""
    pictures, counts = {}, {}
    for outcome in outcomes:
        if outcome.error is None:
            run = outcome.run
            pictures[run.name] = {figure.name: figure for figure in read_pictures(run.notebook)}
            counts[run.name] = Counter(r.status for r in read_records(run.notebook).values())
    for run_name, figures in pictures.items():
        for name, figure in figures.items():
            replace_file(folder / _address(run_name, name), figure.png)
    index = folder / "index.html"
    html = fill(
        "batches/index",
        page=page,
        outcomes=outcomes,
        pictures=pictures,
        columns=dict.fromkeys(name for figures in pictures.values() for name in figures),
        counts=counts,
        verdicts=_VERDICTS,
        address=_address,
        files=_files,
    )
    replace_file(index, html.encode())
    return index


def _address(run: str, figure: str) -> str:
    return f"figures/{run}/{figure}.png"


def _files(outcome: Outcome) -> list[tuple[str, Path]]:
    """What a run has left to be opened, with what it is called."""
    run = outcome.run
    if outcome.error is not None:
        files = [("notebook as far as it got", run.failed)]
    else:
        files = [("notebook", run.notebook), ("page", run.notebook.with_suffix(".html"))]
    return [(text, path) for text, path in files if path.is_file()]
