"""A measurement as text, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

import numpy as np

from .._lazy import load
from .random_directions import LEVELS
from .record import FeatureRow, Measurement

_FEATURES_SHOWN, _BLOCKS_SHOWN = 12, 6


def content(found: Measurement) -> dict[str, Any]:
    """Everything that was found, in the fields of the JSON.

    ``sentence`` and ``source`` say what was measured; ``quantiles`` and ``random`` hold
    capacities by level; ``statistics`` is a list of objects with ``name``, ``value``, ``meaning``
    and ``source``; ``blocks`` is null where they were not looked for; ``features`` has one object
    a feature.  A number that is none is null.
    """
    source = found.source
    return {
        "sentence": source.sentence(),
        "source": {
            "file": source.file,
            "tensor": source.tensor,
            "shape": list(source.shape),
            "index": list(source.index),
            "features": source.features,
            "why": source.why,
            "remark": source.remark,
        },
        "n_features": found.n_features,
        "n_dims": found.n_dims,
        "n_zero": found.n_zero,
        "n_left_out": len(found.left_out),
        "left_out": found.left_out.tolist(),
        "tolerance": found.tolerance,
        "total_capacity": found.total,
        "phases": found.counts,
        "quantiles": quantiles(found),
        "random": {
            "mean": found.random.mean,
            "total": found.random.total,
            "quantiles": {f"{level:g}": value for level, value in found.random.quantiles.items()},
        },
        "statistics": [
            {"name": one.name, "value": _number(one.value), "meaning": one.meaning,
             "source": one.source} for one in found.statistics
        ],
        "neighbors": {
            "looked_at": len(found.neighbors.features),
            "of": found.neighbors.n_features,
            "standard_error": found.neighbors.standard_error,
        },
        "singular_values": np.sqrt(found.squares).tolist(),
        "blocks": None if found.blocks is None else [
            {
                "n_features": len(block.features),
                "dimension": block.dimension,
                "scale": block.scale,
                "deviation": block.deviation,
            }
            for block in found.blocks
        ],
        "features": [row._asdict() for row in found.rows()],
    }  # fmt: skip


def quantiles(found: Measurement) -> dict[str, float]:
    """Quantiles of the measured capacities, by level."""
    values = np.quantile(found.measured, LEVELS).tolist()
    return {f"{level:g}": value for level, value in zip(LEVELS, values, strict=True)}


def json_text(found: Measurement) -> str:
    """:func:`content` as JSON."""
    return json.dumps(content(found), indent=1, allow_nan=False) + "\n"


def csv_text(found: Measurement) -> str:
    """One line a feature, with a header; what there is nothing to say about is left empty."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([FeatureRow._fields, *found.rows()])
    return text.getvalue()


def text(found: Measurement) -> str:
    """A table for a terminal: what was measured, the first features, and a summary of all."""
    lines = [found.source.sentence()]
    if found.source.remark:
        lines.append(f"remark: {found.source.remark}")
    lines += ["", *_table(found), "", *_summary(found), *_blocks(found), ""]
    others = found.statistics[1:]  # the total is said above
    width = max(len(one.label) for one in others)
    for one in others:
        lines.append(f"{one.label:<{width}}  {amount(one.value):>8}  {one.meaning}")
    if note := sampled(found):
        lines.append(note)
    return "\n".join(lines)


def _table(found: Measurement) -> list[str]:
    weighted = found.coactive is not None
    title = f"{'feature':>8}  {'length':>9}  {'capacity':>8}  {'phase':<12}  {'block':>5}"
    lines = [title + (f"  {'coactive':>8}" if weighted else "")]
    shown = _FEATURES_SHOWN if found.n_features > _FEATURES_SHOWN + 1 else found.n_features
    for row in found.rows()[:shown]:
        number = "-" if row.block is None else str(row.block)
        capacity = "-" if row.capacity is None else f"{row.capacity:.4f}"
        line = f"{row.feature:>8}  {row.length:>9.4g}  {capacity:>8}  {row.phase:<12}  {number:>5}"
        if weighted:
            coactive = row.coactive_capacity
            line += f"  {'-' if coactive is None else f'{coactive:.4f}':>8}"
        lines.append(line)
    if shown < found.n_features:
        lines.append(f"       … and {found.n_features - shown:,} more")
    return lines


def _summary(found: Measurement) -> list[str]:
    low, middle, high = np.quantile(found.measured, [0, 0.5, 1])
    share = 100 * found.total / found.n_dims
    counts = ", ".join(f"{count:,} {phase}" for phase, count in found.counts.items())
    if len(found.left_out):
        counts += f"; {len(found.left_out):,} left out, not finite"
    if found.n_zero:
        counts += f"; {plural(found.n_zero, 'zero vector')} among the ignored"
    expected = found.random.quantiles
    lines = [
        f"total capacity  {found.total:.4g} of {found.n_dims} dimensions ({share:.1f} %)",
        f"each feature    least {low:.3g}, median {middle:.3g}, most {high:.3g}",
        f"at random       {expected[0.05]:.3g} to {expected[0.95]:.3g} in nine of ten, mean "
        f"{found.random.mean:.3g}, for unit vectors in random directions",
        f"phases          {counts}",
    ]
    if found.coactive is not None:
        total = float(np.nansum(found.coactive))
        never = int((np.isnan(found.coactive) & (found.phase >= 0)).sum())
        without = f"; {plural(never, 'feature')} never active" if never else ""
        lines.append(f"co-activation   total {total:.4g} where only what meets counts{without}")
    return lines


def _blocks(found: Measurement) -> list[str]:
    if found.blocks is None:
        return ["blocks          not looked for in a matrix of this size"]
    lines = [f"blocks          {len(found.blocks):,}"]
    if outside := int(((found.block_of < 0) & (found.phase >= 0)).sum()):
        lines[-1] += f"; {plural(outside, 'feature')} too short to be in one"
    for place, block in enumerate(found.blocks[:_BLOCKS_SHOWN]):
        kind = "efficient" if block.deviation <= found.tolerance else "not efficient"
        features = plural(len(block.features), "feature")
        dimensions = plural(block.dimension, "dimension")
        lines.append(f"{place:>8}  {features} in {dimensions}, {kind}")
    if len(found.blocks) > _BLOCKS_SHOWN:
        lines.append(f"       … and {len(found.blocks) - _BLOCKS_SHOWN:,} more")
    return lines


def sampled(found: Measurement) -> str:
    """That cosines are of some features only, in a sentence; empty where they are of all."""
    neighbors = found.neighbors
    if len(neighbors.features) == neighbors.n_features:
        return ""
    return (
        f"Cosines are of {len(neighbors.features):,} features drawn at random, each with all "
        f"others; the standard error of their mean is {neighbors.standard_error:.1g}."
    )


def amount(value: float) -> str:
    """A number as a report shows it; a dash for nan."""
    return f"{value:.4g}" if math.isfinite(value) else "-"


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def draw(found: Measurement, ending: str = ".png") -> bytes:
    """The picture of a measurement, as the content of a file with this ending."""
    picture = load("feature_capacity.measure.picture")  # matplotlib comes with an extra
    file = io.BytesIO()
    picture.capacity_overview(found).savefig(file, format=ending[1:].lower(), dpi=160)
    return file.getvalue()


def plural(number: int, noun: str) -> str:
    """So many of something.

    >>> plural(1, "feature"), plural(2000, "feature")
    ('1 feature', '2,000 features')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
