"""A measurement as HTML: a fragment for notebooks, and one file that needs no other."""

from __future__ import annotations

import base64
import math
from html import escape

from .._lazy import MissingExtraError
from .record import Measurement
from .report import amount, draw, plural, quantiles, sampled

_SHOWN = 20  # features with the least and with the most capacity

_STYLE = """
body { max-width: 62rem; margin: 2rem auto; padding: 0 1rem; line-height: 1.5;
  font-family: system-ui, sans-serif; color: #1c1e21; background: #fff; }
table { border-collapse: collapse; margin: 1rem 0; font-size: .92rem; }
th, td { padding: .25rem .7rem; text-align: left; vertical-align: top;
  border-bottom: 1px solid #d5dae1; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
img { max-width: 100%; height: auto; background: #fff; }
.source { color: #6b7280; }
.wide { overflow-x: auto; }
@media (max-width: 40rem) {
  .wide img { max-width: none; width: 46rem; }
  .meanings thead { display: none; }
  .meanings tr { display: grid; grid-template-columns: 1fr auto; }
  .meanings td { border: 0; }
  .meanings td:last-child { grid-column: 1 / -1; padding-bottom: .6rem; }
}
@media (prefers-color-scheme: dark) {
  body { color: #e4e6eb; background: #15181c; }
  th, td { border-color: #3a4048; }
  .source { color: #a0a7b0; }
}
"""


def page(found: Measurement) -> str:
    """The whole report as one HTML document, with its picture where matplotlib is installed."""
    name = ", ".join(part for part in (found.source.file, found.source.tensor) if part)
    title = f"Capacity of the features of {name}" if name else "Capacity of features"
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>",
        f"<h1>{escape(title)}</h1>",
        *_head(found),
        _picture(found),
        "<h2>Numbers of the whole</h2>",
        _statistics(found),
        "<h2>Capacity of a feature</h2>",
        _quantiles(found),
        _extremes(found),
        _blocks(found),
        '<p class="source">Capacity is equation 3 of Scherlis et al. 2022, “Polysemanticity and '
        "Capacity in Neural Networks” (arXiv 2210.01892): the part of one dimension that a feature "
        "has to itself. Measured with the Python package feature-capacity.</p>",
        "</main></body></html>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def fragment(found: Measurement) -> str:
    """What a notebook shows: what was measured, phases, and the numbers of the whole."""
    return "\n".join(["<div>", *_head(found), _statistics(found), "</div>"])


def _head(found: Measurement) -> list[str]:
    share = 100 * found.total / found.n_dims
    counts = ", ".join(f"{count:,} {phase}" for phase, count in found.counts.items())
    lines = [f"<p>{escape(found.source.sentence())}.</p>"]
    if found.source.remark:
        lines.append(f"<p><strong>Remark:</strong> {escape(found.source.remark)}.</p>")
    lines.append(
        f"<p>Total capacity <strong>{found.total:.4g}</strong> of {found.n_dims:,} dimensions "
        f"({share:.1f} %): {counts}.</p>"
    )
    if len(found.left_out):
        lines.append(f"<p>{plural(len(found.left_out), 'feature')} left out, not finite.</p>")
    if found.n_zero:
        lines.append(f"<p>{plural(found.n_zero, 'zero vector')} among the ignored.</p>")
    return lines


def _picture(found: Measurement) -> str:
    try:
        content = base64.b64encode(draw(found)).decode()
    except MissingExtraError as missing:
        return f'<p class="source">No picture: {escape(str(missing))}</p>'
    alt = (
        f"Capacities of {found.n_features:,} features, the largest first; against their lengths; "
        "and how features overlap"
    )
    image = f'<img alt="{escape(alt)}" src="data:image/png;base64,{content}">'
    return f'<div class="wide" tabindex="0">{image}</div>'


def _table(head: list[str], rows: list[list[str]], numbers: set[int], kind_of: str = "wide") -> str:
    """A table of texts that are HTML already; some columns hold numbers."""

    def line(tag: str, cells: list[str]) -> str:
        kind = [' class="number"' if place in numbers else "" for place in range(len(cells))]
        return "".join(f"<{tag}{k}>{cell}</{tag}>" for k, cell in zip(kind, cells, strict=True))

    body = "\n".join(f"<tr>{line('td', row)}</tr>" for row in rows)
    return (
        f'<div class="{kind_of}"><table><thead><tr>{line("th", head)}</tr></thead>\n'
        f"<tbody>{body}</tbody></table></div>"
    )


def _statistics(found: Measurement) -> str:
    rows = [
        [
            escape(one.label),
            amount(one.value),
            f'{escape(one.meaning)} <span class="source">({escape(one.source)})</span>',
        ]
        for one in found.statistics
    ]
    table = _table(["number", "value", "what it means"], rows, {1}, "wide meanings")
    note = sampled(found)
    return table + (f"\n<p>{note}</p>" if note else "")


def _quantiles(found: Measurement) -> str:
    at_random = {f"{level:g}": value for level, value in found.random.quantiles.items()}
    rows = [
        [
            {"0": "least", "0.5": "median", "1": "most"}.get(level, f"{100 * float(level):g} %"),
            amount(value),
            amount(at_random[level]) if level in at_random else "",
        ]
        for level, value in quantiles(found).items()
    ]
    return _table(["quantile", "here", "unit vectors in random directions"], rows, {1, 2})


def _extremes(found: Measurement) -> str:
    rows = [row for row in found.rows() if row.capacity is not None]
    rows.sort(key=lambda row: -(row.capacity or 0))
    if len(rows) > 2 * _SHOWN:
        rows = [*rows[:_SHOWN], *rows[-_SHOWN:]]
        title = f"The {_SHOWN} features with the most capacity, and the {_SHOWN} with the least"
    else:
        title = "All features, the most capacity first"
    weighted = found.coactive is not None
    head = ["feature", "length", "capacity", "leverage", "phase"]
    cells = [
        [f"{row.feature:,}", amount(row.length), _optional(row.capacity), _optional(row.leverage),
         row.phase, *([_optional(row.coactive_capacity)] if weighted else [])]
        for row in rows
    ]  # fmt: skip
    if weighted:
        head.append("where it meets others")
    return f"<h2>{title}</h2>\n{_table(head, cells, {0, 1, 2, 3, 5})}"


def _blocks(found: Measurement) -> str:
    if found.blocks is None:
        return "<p>Blocks are not looked for in a matrix of this size.</p>"
    rows = [
        [
            str(number),
            f"{len(block.features):,}",
            f"{block.dimension:,}",
            "efficient" if block.deviation <= found.tolerance else "not efficient",
        ]
        for number, block in enumerate(found.blocks[:_SHOWN])
    ]
    left = len(found.blocks) - len(rows)
    more = f"<p>… and {left:,} more.</p>" if left else ""
    title = "Blocks: sets of features that are orthogonal to all others"
    return (
        f"<h2>{title}</h2>\n{_table(['block', 'features', 'dimensions', ''], rows, {1, 2})}{more}"
    )


def _optional(value: float | None) -> str:
    return "" if value is None or not math.isfinite(value) else amount(value)
