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
from feature_capacity.minimum import Minimum  # noqa: E402
from feature_capacity.models import ToyModel, squared_error  # noqa: E402
from feature_capacity.nodes import expectation_nodes  # noqa: E402
from feature_capacity.phases import one_feature_varied  # noqa: E402
from feature_capacity.solvers import (  # noqa: E402
    coarse_to_fine,
    minimize,
    minimize_quadratic,
)
from feature_capacity.training import train  # noqa: E402

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
SLACK = 1e-3  # of the loss: how much may be missing besides three standard errors
EFFORTS = ((512, 1), (512, 2), (4096, 2), (4096, 4), (4096, 8))
"""Nodes and random starts, from the least to the most."""


def bench_panel(name: str, grid: int, steps: int, timed_steps: int) -> dict:
    """One panel: seconds of both sides, and how their losses compare."""
    model, family = PANELS[name]
    importance = one_feature_varied(np.geomspace(0.01, 100, grid), 6)
    probability = np.geomspace(0.001, 1, grid)
    some = np.unique(np.linspace(0, grid - 1, 5).round().astype(int)[1:4])

    # What the usual way costs on the whole grid ...
    every = [family(p) for p in probability for _ in range(grid)]
    everywhere = np.tile(importance, (grid, 1))
    train(model, every, everywhere, n_steps=2, batch_size=BATCH_SIZE)
    start = time.perf_counter()
    train(model, every, everywhere, n_steps=timed_steps, batch_size=BATCH_SIZE)
    trained_seconds = (time.perf_counter() - start) / timed_steps * steps
    # ... and what it reaches in a few cells.
    trained = train(
        model,
        [family(probability[i]) for i in some for _ in some],
        np.tile(importance[some], (len(some), 1)),
        n_steps=steps,
        batch_size=BATCH_SIZE,
    )

    for n_points, n_starts in EFFORTS:
        start = time.perf_counter()
        found = [
            _minimum(model, family(p), importance, n_points, n_starts, [0, i])
            for i, p in enumerate(probability)
        ]
        our_seconds = time.perf_counter() - start
        excess, error = np.concatenate(
            [
                _excess(model, family(probability[i]), importance[some], trained, r, found[i], some)
                for r, i in enumerate(some)
            ],
            axis=1,
        )
        reached = bool((excess <= SLACK + 3 * error).all())
        if reached:
            break
    worst = int(np.argmax(excess))
    return {
        "panel": model.name,
        "grid": f"{grid} x {grid}",
        "trained_seconds": trained_seconds,
        "our_seconds": our_seconds,
        "n_points": n_points,
        "n_starts": n_starts,
        "reached": reached,
        "ratio": trained_seconds / our_seconds,
        "target": TARGET,
        "worst_excess": float(excess[worst]),
        "worst_error": float(error[worst]),
        "median_excess": float(np.median(excess)),
        "cells_compared": len(excess),
        "time": where_time_goes(model, family(probability[some[1]]), importance),
    }


def _minimum(model, inputs, importance, n_points, n_starts, seed) -> Minimum:
    """A row of cells by our method: the loss is exact where it is known, on nodes elsewhere."""
    if model.kind == "computation" and model.activation == "quadratic":
        return minimize_quadratic(
            importance, inputs.kurtosis, model.n_dims, n_starts=n_starts, seed=seed[-1]
        )
    nodes = coarse_to_fine(inputs, model.n_features, n_points)
    return minimize(model, inputs, importance, n_starts=n_starts, seed=seed, nodes=nodes)


def _excess(model, inputs, importance, trained, r, found, columns) -> np.ndarray:
    """Our loss over the trained one, less 1, on the same fresh samples, with its standard error.

    Samples by on/off mask, each mask with its weight: with plain ones the sparse cells would be
    known to a third of their loss.  Eight independent draws give the standard error.  Row ``r``
    of the trained cells; result of shape (2, cells).
    """
    theirs = slice(r * len(columns), (r + 1) * len(columns))
    W, bias, both = (
        torch.from_numpy(np.concatenate(pair))
        for pair in (
            (found.W[columns], trained.W[theirs]),
            (found.bias[columns], trained.bias[theirs]),
            (importance, importance),
        )
    )
    loss = []
    for seed in range(1001, 1009):
        nodes = expectation_nodes(inputs, model.n_features, n_points=16384, seed=seed)
        each = squared_error(model, W, bias, both, torch.from_numpy(nodes.x))
        loss.append((each @ torch.from_numpy(nodes.weight)).numpy())
    loss = np.reshape(loss, (len(loss), 2, -1))
    gap = (loss[:, 0] - loss[:, 1]) / loss[:, 1].mean(axis=0)
    return np.stack([gap.mean(axis=0), gap.std(axis=0, ddof=1) / np.sqrt(len(gap))])


def where_time_goes(model: ToyModel, inputs, importance) -> dict:
    """Parts of the time of one row of cells, and its multiply-adds a second in matrix products."""
    _minimum(model, inputs, importance, 4096, 1, [0, 0])  # warm-up
    start = time.perf_counter()
    _minimum(model, inputs, importance, 4096, 1, [0, 0])
    seconds = time.perf_counter() - start
    with torch.profiler.profile(with_flops=True) as profile:
        _minimum(model, inputs, importance, 4096, 1, [0, 0])
    spent, flops = dict.fromkeys(("products", "factorizations", "elementwise"), 0.0), 0
    for event in profile.key_averages():
        kind = "elementwise"
        if event.key in ("aten::mm", "aten::bmm", "aten::addmm", "aten::baddbmm"):
            kind, flops = "products", flops + event.flops
        elif "cholesky" in event.key or "linalg" in event.key or "triangular" in event.key:
            kind = "factorizations"
        spent[kind] += event.self_cpu_time_total * 1e-6
    total = max(seconds, sum(spent.values()))  # what is left is Python between the operations
    parts = {kind: part / total for kind, part in spent.items()}
    return {
        **parts,
        "between": 1 - sum(parts.values()),
        "rate": flops / 2 / seconds,
        "rate_in_products": flops / 2 / spent["products"] if spent["products"] else 0.0,
    }


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
    rate, report = product_rate(), []
    print(f"matrix products on this machine: {rate / 1e9:.1f} billion multiply-adds a second")
    for name in names:
        row = bench_panel(name, options.grid, options.steps, options.timed_steps)
        report.append(row)
        parts = row["time"]
        print(
            f"{row['panel']:36s} trained {row['trained_seconds']:8.0f} s   "
            f"ours {row['our_seconds']:6.1f} s "
            f"({row['n_points']} nodes, {row['n_starts']} starts)   "
            f"ratio {row['ratio']:6.0f} (target {TARGET})"
            f"{'' if row['reached'] else ', LOSS NOT REACHED'}\n"
            f"    our loss / trained - 1: median {row['median_excess']:+.1%}, "
            f"worst of {row['cells_compared']} cells {row['worst_excess']:+.1%} "
            f"(standard error {row['worst_error']:.1%})\n"
            f"    our time: products {parts['products']:.0%} "
            f"(at {parts['rate_in_products'] / rate:.0%} of the machine's rate), "
            f"elementwise {parts['elementwise']:.0%}, "
            f"factorizations {parts['factorizations']:.0%}, between {parts['between']:.0%}",
            flush=True,
        )
    if options.json:
        options.json.write_text(json.dumps({"rows": report, "product_rate": rate}))


if __name__ == "__main__":
    sys.exit(main())
