"""Figure 7 against the usual way to make it: seconds for the same grid, at no higher loss.

    python benchmarks/panels.py [--panels all|relu|NAME ...] [--grid N] [--steps N] [--json FILE]

The usual way trains one tensor that holds a model for every cell, on fresh minibatches, with
AdamW, for ten thousand steps.  That is timed over a few of its steps on the whole grid.  What it
reaches is found by training a few cells, spread over the grid, through all of the steps.
Our side minimizes the noise-free loss of the whole grid from random starts, with as little effort
(nodes, starts) as brings every one of those cells to a loss no higher than the trained one; both
losses are measured on the same fresh samples.  Everything runs on one thread, in one process, in
one run.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # before NumPy and torch read them

import numpy as np  # noqa: E402
import torch  # noqa: E402

import feature_capacity as fc  # noqa: E402
from feature_capacity.models import ToyModel  # noqa: E402
from feature_capacity.phases import one_feature_varied  # noqa: E402
from feature_capacity.solvers import coarse_to_fine, minimize  # noqa: E402
from feature_capacity.training import sampled_loss, train  # noqa: E402

PANELS = {
    f"{kind[:4]}-{activation}-{n_dims}": (ToyModel(kind, activation, 6, n_dims), inputs)
    for kind, n_dims, inputs in (
        ("computation", 3, fc.SparseUniform),
        ("autoencoder", 3, fc.UnitSparseUniform),
        ("autoencoder", 5, fc.UnitSparseUniform),
    )
    for activation in ("quadratic", "relu", "gelu")
}
BATCH_SIZE = 1024
TARGET = 100
EFFORTS = ((512, 1), (512, 2), (4096, 2), (4096, 4), (4096, 8))
"""Nodes and random starts, from the least to the most."""


def bench_panel(name: str, grid: int, steps: int, timed_steps: int, n_samples: int) -> dict:
    """One panel: seconds of both sides, and how their losses compare."""
    model, family = PANELS[name]
    importance = one_feature_varied(np.geomspace(0.01, 100, grid), 6)
    probability = np.geomspace(0.01, 1, grid)
    rows = np.unique(np.linspace(0, grid - 1, 5).round().astype(int)[1:4])
    columns = np.unique(np.linspace(0, grid - 1, 5).round().astype(int)[1:4])

    # What the usual way costs on the whole grid ...
    every = [family(p) for p in probability for _ in range(grid)]
    everywhere = np.tile(importance, (grid, 1))
    train(model, every, everywhere, n_steps=2, batch_size=BATCH_SIZE)
    start = time.perf_counter()
    train(model, every, everywhere, n_steps=timed_steps, batch_size=BATCH_SIZE)
    trained_seconds = (time.perf_counter() - start) / timed_steps * steps
    # ... and what it reaches in a few cells.
    cells = [(i, j) for i in rows for j in columns]
    trained = train(
        model,
        [family(probability[i]) for i, _ in cells],
        importance[[j for _, j in cells]],
        n_steps=steps,
        batch_size=BATCH_SIZE,
    )

    for n_points, n_starts in EFFORTS:
        start = time.perf_counter()
        found = [
            minimize(
                model,
                family(p),
                importance,
                n_starts=n_starts,
                seed=[0, i],
                nodes=coarse_to_fine(family(p), 6, n_points),
            )
            for i, p in enumerate(probability)
        ]
        our_seconds = time.perf_counter() - start
        excess, error = np.transpose(
            [
                _excess(
                    model, family(probability[i]), importance[j], trained, c, found[i], j, n_samples
                )
                for c, (i, j) in enumerate(cells)
            ]
        )
        # No higher in any cell, as far as the samples can tell, and 1 % to spare.
        if (excess <= 0.01 + 3 * error).all():
            break
    worst = int(np.argmax(excess))
    ratio = trained_seconds / our_seconds
    return {
        "panel": model.name,
        "grid": f"{grid} x {grid}",
        "trained_seconds": trained_seconds,
        "our_seconds": our_seconds,
        "n_points": n_points,
        "n_starts": n_starts,
        "reached": bool((excess <= 0.01 + 3 * error).all()),
        "ratio": ratio,
        "target": TARGET,
        "worst_excess": float(excess[worst]),
        "worst_error": float(error[worst]),
        "median_excess": float(np.median(excess)),
        "cells_compared": len(cells),
    }


def _excess(model, inputs, importance, trained, c, found, j, n_samples) -> tuple[float, float]:
    """Our loss over the trained one, less 1, on the same samples, with its standard error."""
    mean, error = sampled_loss(
        model,
        np.stack([found.W[j], trained.W[c]]),
        np.stack([found.bias[j], trained.bias[c]]),
        np.stack([importance, importance]),
        inputs,
        n_samples=n_samples,
        seed=1,
    )
    return float(mean[0] / mean[1] - 1), float(np.hypot(*error) / mean[1])


def product_rate(size: int = 1024) -> float:
    """Multiply-adds per second of a float32 matrix product on this machine, one thread."""
    a = torch.randn(size, size)
    a @ a
    start = time.perf_counter()
    for _ in range(10):
        a @ a
    return 10 * size**3 / (time.perf_counter() - start)


def main() -> None:
    """Run the panels asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "--panels", nargs="+", default=["all"], help=f"all, relu, or of {', '.join(PANELS)}"
    )
    parser.add_argument("--grid", type=int, default=32, help="cells along each axis")
    parser.add_argument("--steps", type=int, default=10_000, help="training steps")
    parser.add_argument("--timed-steps", type=int, default=5)
    parser.add_argument("--samples", type=int, default=200_000, help="fresh samples a cell")
    parser.add_argument("--json", type=Path, help="write the report to this file")
    options = parser.parse_args()
    names = [
        name
        for name in PANELS
        if "all" in options.panels or name in options.panels or name.split("-")[1] in options.panels
    ]
    if not names or min(options.grid, options.steps, options.timed_steps) < 1:
        parser.error(f"nothing to run: panels are {', '.join(PANELS)}; sizes are at least 1")
    torch.set_num_threads(1)
    report = []
    for name in names:
        result = bench_panel(
            name, options.grid, options.steps, options.timed_steps, options.samples
        )
        report.append(result)
        print(
            f"{result['panel']:36s} trained {result['trained_seconds']:8.0f} s   "
            f"ours {result['our_seconds']:6.1f} s "
            f"({result['n_points']} nodes, {result['n_starts']} starts)   "
            f"ratio {result['ratio']:6.0f} (target {TARGET})   "
            f"our loss / trained - 1: median {result['median_excess']:+.1%}, "
            f"worst of {result['cells_compared']} cells {result['worst_excess']:+.1%} "
            f"(standard error {result['worst_error']:.1%})",
            flush=True,
        )
    rate = product_rate()
    print(f"matrix products on this machine: {rate / 1e9:.1f} billion multiply-adds a second")
    if options.json:
        options.json.write_text(json.dumps({"rows": report, "product_rate": rate}))


if __name__ == "__main__":
    sys.exit(main())
