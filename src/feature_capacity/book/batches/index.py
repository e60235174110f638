"""The index page of a batch: one row a run, one column a figure, to be compared by eye.

It needs no network and no script; pictures lie beside it in ``figures/``.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

from ..claims.tables import read_records
from ..claims.verdicts import AGREES, DIFFERS, NOT_APPLICABLE
from ..figure_list import Picture, read_pictures
from ..files import replace_file
from ..pages import Page
from .run import Outcome

_VERDICTS = (
    (AGREES, "agree", "good"),
    (DIFFERS, "differ", "bad"),
    (NOT_APPLICABLE, "not applicable", "gray"),
)


def write_index(page: Page, outcomes: Sequence[Outcome], folder: Path) -> Path:
    """Write ``index.html`` and its pictures into the folder of a batch; return the page.

    Parameters
    ----------
    page : Page
    outcomes : sequence of Outcome
    folder : Path
    """
    pictures = {
        outcome.run.name: {figure.name: figure for figure in read_pictures(outcome.run.notebook)}
        for outcome in outcomes
        if outcome.error is None
    }
    columns: dict[str, None] = {}  # an ordered set
    for run, figures in pictures.items():
        for name, figure in figures.items():
            columns.setdefault(name)
            replace_file(folder / _address(run, name), figure.png)
    heads = "".join(
        f'<th scope="col">Figure {number} <small>{escape(_told(name))}</small></th>'
        for number, name in enumerate(columns, start=1)
    )
    rows = "\n".join(
        _row(outcome, pictures.get(outcome.run.name, {}), list(columns)) for outcome in outcomes
    )
    failed = sum(outcome.error is not None for outcome in outcomes)
    counts = f"{len(outcomes)} runs" + (f", {failed} of them failed" if failed else "")
    title = f"{page.title}: {len(outcomes)} runs"
    style = Path(__file__).with_name("index.css").read_text(encoding="utf-8")
    html = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>
{style}</style>
</head>
<body>
<main>
<h1>{escape(page.title)}</h1>
<p>The page <code>{escape(page.name)}</code> under other parameters: {counts}.
Each row is a run, each column one of its figures; a picture leads to its full size.</p>
<div class="scroll" role="region" aria-label="Runs" tabindex="0">
<table>
<thead><tr><th scope="col">Run</th>{heads}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
</div>
</main>
</body>
</html>
"""
    index = folder / "index.html"
    replace_file(index, html.encode())
    return index


def _told(name: str) -> str:
    """The name of a figure in words."""
    return name.removeprefix("fig-").replace("-", " ")


def _address(run: str, figure: str) -> str:
    return f"figures/{run}/{figure}.png"


def _row(outcome: Outcome, figures: dict[str, Picture], columns: list[str]) -> str:
    run = outcome.run
    settings = ", ".join(f"{name} = {value}" for name, value in run.settings.items())
    told = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>"
        for name, value in run.settings.items()
    )
    parts = [f"<dl>{told}</dl>" if told else "<p>defaults</p>"]
    if outcome.error is None:
        parts += [_verdicts(run.notebook), f'<span class="small">{outcome.seconds:g} s · </span>']
        links = {"notebook": run.notebook, "page": run.notebook.with_suffix(".html")}
    else:
        parts.append(f'<span class="error"><strong>failed:</strong> {escape(outcome.error)}</span>')
        links = {"notebook as far as it got": run.failed}
    there = [
        f'<a href="{quote(path.name)}" aria-label="{escape(f"{text}, {settings}")}">{text}</a>'
        for text, path in links.items()
        if path.is_file()
    ]
    parts.append(f'<span class="small">{" · ".join(there)}</span>')
    cells = [_cell(run.name, figures.get(name), settings) for name in columns]
    return f'<tr><th scope="row">{"".join(parts)}</th>{"".join(cells)}</tr>'


def _cell(run: str, figure: Picture | None, settings: str) -> str:
    if figure is None:
        return '<td class="none">none</td>'
    address = quote(_address(run, figure.name))
    alt = escape(f"{figure.alt} ({settings or 'defaults'})")
    return f'<td><a href="{address}"><img src="{address}" alt="{alt}" loading="lazy"></a></td>'


def _verdicts(notebook: Path) -> str:
    statuses = [record.status for record in read_records(notebook).values()]
    found = [
        f'<li class="{kind}">{number} {words}</li>'
        for status, words, kind in _VERDICTS
        if (number := statuses.count(status))
    ]
    return f'<ul aria-label="claims">{"".join(found)}</ul>' if found else ""
