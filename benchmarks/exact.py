"""Speed and memory of the exact mathematics, as ratios to plain array operations.

    python benchmarks/exact.py [--size full|small] [--threads N] [--json FILE]

Absolute seconds belong to one machine on one day; a ratio of two measurements of the same run
travels.  The two sides of a ratio are timed in turns, so that a busy moment hits both.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SIZES: dict[str, dict[str, Any]] = {
    "full": {
        "allocation": 10_000_000,
        "many": 10_000_000,
        "capacities": (512, 262_144),
        "memory": (512, 262_144),
        "embedding": (100_000, 256),
        "diagram": 1000,
        "solver": 16,
        "import": "capacities",
        "repeats": 3,
    },
    "small": {
        "allocation": 200_000,
        "many": 200_000,
        "capacities": (64, 16_384),
        "memory": (64, 262_144),
        "embedding": (4_000, 32),
        "diagram": 60,
        "solver": 3,
        "import": "capacities",
        "repeats": 3,
    },
}
FIGURE_CELLS = 64 * 64  # of the empirical phase diagram, 8 starts each


def in_turns(
    repeats: int, *jobs: Callable[[], Any], warm_up: Callable[[], Any] | None = None
) -> list[float]:
    """Median seconds of each job over rounds that run all of them, after a round to warm up.

    ``warm_up`` replaces that round where a smaller call serves as well.
    """
    taken: list[list[float]] = [[] for _ in jobs]
    for job in jobs if warm_up is None else (warm_up,):
        job()
    for _ in range(repeats):
        for job, seconds in zip(jobs, taken, strict=True):
            start = time.perf_counter()
            job()
            seconds.append(time.perf_counter() - start)
    return [statistics.median(seconds) for seconds in taken]


def bench_allocation(n_features: int, repeats: int) -> list[dict]:
    import numpy as np

    import feature_capacity as fc

    v = np.random.default_rng(0).pareto(1.0, n_features)
    ours, plain = in_turns(
        repeats, lambda: fc.solve_allocation(v, n_features // 10, 9.0), lambda: np.sort(v)
    )
    return [row(f"solve_allocation, {n_features:,} features", ours, "np.sort of them", plain, 4)]


def bench_many(n_features: int, repeats: int) -> list[dict]:
    """A power law without listing its features, and features that differ in kurtosis."""
    import numpy as np

    import feature_capacity as fc

    n_dims, rng = n_features // 1000, np.random.default_rng(0)
    v = np.arange(1, n_features + 1) ** -1.0
    law, listed = in_turns(
        repeats,
        lambda: fc.power_law_allocation(1.0, n_features, n_dims, 9.0),
        lambda: fc.solve_allocation(v, n_dims, 9.0),
    )
    shuffled = rng.permutation(v)[: 2 * (n_features // 2)]
    k = np.concatenate([rng.uniform(*ends, n_features // 2) for ends in ((1.5, 3), (3, 40))])
    unequal, plain = in_turns(
        repeats, lambda: fc.solve_allocation(shuffled, n_dims, k), lambda: np.sort(shuffled)
    )
    return [
        row(
            f"power_law_allocation, {n_features:,} features",
            law,
            "solve_allocation of them, listed",
            listed,
            0.01,
        ),
        row(
            f"solve_allocation, unequal kurtosis, half up to 3, {n_features:,} features",
            unequal,
            "np.sort of them",
            plain,
            None,
        ),
    ]


def bench_capacities(shape: tuple[int, int], repeats: int) -> list[dict]:
    import numpy as np

    import feature_capacity as fc

    d, n = shape
    W = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)

    def two_products() -> None:
        gram = W @ W.T
        gram @ W

    ours, plain = in_turns(
        repeats, lambda: fc.capacities(W), two_products, warm_up=lambda: fc.capacities(W[:, :4096])
    )
    return [row(f"capacities, {d} × {n:,} float32", ours, "its two matrix products", plain, 3)]


def bench_memory(shape: tuple[int, int], repeats: int) -> list[dict]:
    """Rise of the peak resident size over one call.

    A peak never falls, and a process starts with that of its parent: hence one call, in a process
    of its own, from a parent that holds nothing large.
    """
    import resource

    import numpy as np

    import feature_capacity as fc

    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kilobytes here
    W = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    fc.capacities(W[:, :256])  # libraries and buffers that any call needs are not this call's
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    fc.capacities(W)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    extra, size = (after - before) / 1e6, W.nbytes / 1e6
    what = f"capacities, {shape[0]} × {shape[1]:,} float32: extra memory"
    return [row(what, extra, "size of W", size, 1, "MB")]


def bench_embedding(shape: tuple[int, int], repeats: int) -> list[dict]:
    import numpy as np

    import feature_capacity as fc

    n, d = shape
    importance = np.random.default_rng(0).pareto(2.0, n) + 0.5
    capacity = fc.solve_allocation(importance, d, 9.0).capacity
    result = fc.embedding_from_capacities(capacity, d)

    def write_once() -> None:
        out = np.empty_like(result)
        out[...] = 1.0

    ours, plain = in_turns(repeats, lambda: fc.embedding_from_capacities(capacity, d), write_once)
    what = f"embedding_from_capacities, {n:,} features in {d} dimensions"
    return [row(what, ours, "writing the result once", plain, 20)]


def loop_over_cells(importance: Any, kurtosis: Any, n_features: int, n_dims: int) -> list[float]:
    """Capacity of the varied feature, the obvious way: bisection on the multiplier."""
    found = []
    for k in kurtosis:
        for first in importance:
            v = [first] + [1.0] * (n_features - 1)
            if k <= 3:
                found.append(float(sum(x > first for x in v) < n_dims))
                continue

            def capacities(multiplier: float, v: list = v, k: float = k) -> list[float]:
                share = [((k - 1) * x / multiplier - 2) / (k - 3) for x in v]
                return [min(max(c, 0.0), 1.0) for c in share]

            low, high = min(v) * 1e-3, max(v) * k
            for _ in range(60):
                middle = (low + high) / 2
                if sum(capacities(middle)) > n_dims:
                    low = middle
                else:
                    high = middle
            found.append(capacities(high)[0])
    return found


def bench_diagram(side: int, repeats: int) -> list[dict]:
    import numpy as np

    import feature_capacity as fc

    importance, kurtosis = np.geomspace(0.1, 10, side), np.geomspace(1.8, 100, side)
    some = slice(None, None, max(1, side // 20))
    sample = importance[some], kurtosis[some]
    cells, sampled = side**2, len(sample[0]) * len(sample[1])
    ours, plain = in_turns(
        repeats,
        lambda: fc.phase_diagram(importance, kurtosis, 6, 3),
        lambda: loop_over_cells(*(list(map(float, x)) for x in sample), 6, 3),
        warm_up=lambda: fc.phase_diagram(*sample, 6, 3),
    )
    entry = row(
        f"phase_diagram, {side:,} × {side:,} cells in one call",
        ours,
        f"a Python loop with bisection (timed on {sampled} cells)",
        plain / sampled * cells,
        None,
    )
    entry["note"] = f"{1e6 * ours / cells:.2f} µs a cell; the loop {1e6 * plain / sampled:.0f} µs"
    return [entry]


def bench_solver(side: int, repeats: int) -> list[dict]:
    import numpy as np
    from scipy import optimize

    from feature_capacity import SparseUniform
    from feature_capacity.solvers.newton import minimize_quadratic
    from feature_capacity.theory.phases import one_feature_varied

    n_features, n_dims, n_starts = 6, 3, 8
    v = one_feature_varied(np.geomspace(0.1, 10, side), n_features)
    p = np.geomspace(0.03, 1, side)
    k = np.array([SparseUniform(float(x)).kurtosis for x in p])[:, None, None]
    cells, sampled = side**2, 24

    rng = np.random.default_rng(0)
    picks = [(rng.integers(side), rng.integers(side)) for _ in range(sampled)]
    starts = rng.standard_normal((sampled, n_dims * n_features)) / np.sqrt(n_dims)

    def loss_and_slope(x: Any, v: Any, k: float) -> tuple[float, Any]:
        W = x.reshape(n_dims, n_features)
        n, frame = (W**2).sum(0), W @ W.T
        loss = (k - 1) * ((n - v) ** 2).sum() + 2 * ((frame**2).sum() - (n**2).sum())
        slope = 4 * (((k - 3) * n - (k - 1) * v) * W + 2 * frame @ W)
        return loss, slope.ravel()

    def scipy_starts() -> None:
        for (a, b), start in zip(picks, starts, strict=True):
            optimize.minimize(
                loss_and_slope,
                start,
                args=(v[b], float(k[a, 0, 0])),
                jac=True,
                method="L-BFGS-B",
                options={"ftol": 0, "gtol": 1e-10, "maxiter": 5000, "maxfun": 10000},
            )

    ours, plain = in_turns(
        repeats, lambda: minimize_quadratic(v, k, n_dims, n_starts=n_starts), scipy_starts
    )
    per_start = ours / (cells * n_starts)
    entry = row(
        f"minimize_quadratic, {side} × {side} cells × {n_starts} starts",
        ours,
        f"scipy L-BFGS with exact gradients (timed on {sampled} starts)",
        plain / sampled * cells * n_starts,
        None,
    )
    figure = per_start * n_starts * FIGURE_CELLS
    entry["note"] = (
        f"{1e3 * per_start:.2f} ms a start; L-BFGS {1e3 * plain / sampled:.1f} ms; "
        f"64 × 64 × 8 scaled: {figure:.0f} s (target 120)"
    )
    return [entry]


def bench_import(first: str, repeats: int) -> list[dict]:
    """Seconds that the package adds to a program that uses NumPy; a fresh process each time."""
    program = f"""
import time
moments = [time.perf_counter()]
import numpy
moments.append(time.perf_counter())
import feature_capacity
moments.append(time.perf_counter())
feature_capacity.{first}
moments.append(time.perf_counter())
print(*(after - before for before, after in zip(moments, moments[1:])))
"""
    command = [sys.executable, "-c", program]
    rounds = [
        [float(x) for x in subprocess.check_output(command, text=True).split()]
        for _ in range(repeats + 1)
    ]
    plain, ours, used = map(statistics.median, zip(*rounds[1:], strict=True))
    entry = row("import feature_capacity", ours, "import numpy", plain, 1)
    entry["note"] = (
        f"{1e3 * ours:.1f} ms beyond NumPy, {1e3 * (ours + used):.0f} ms with "
        f"{first} loaded (target 150)"
    )
    return [entry]


def row(
    what: str, ours: float, against: str, plain: float, target: float | None, unit: str = "s"
) -> dict:
    return {
        "what": what,
        "against": against,
        "ours": ours,
        "plain": plain,
        "unit": unit,
        "ratio": ours / plain,
        "target": target,
    }


BENCHES = {
    "allocation": bench_allocation,
    "many": bench_many,
    "capacities": bench_capacities,
    "memory": bench_memory,
    "embedding": bench_embedding,
    "diagram": bench_diagram,
    "solver": bench_solver,
    "import": bench_import,
}


def in_fresh_process(job: str, argument: Any) -> Any:
    """Run one job by itself: neither memory nor caches of another job count."""
    command = [sys.executable, __file__, "--job", json.dumps([job, argument])]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(out)


def measure(size: str, only: list[str] | None = None) -> dict:
    """All measurements with what is needed to read them."""
    import numpy as np

    chosen = SIZES[size]
    rows = []
    for name in only or BENCHES:
        measured = in_fresh_process(name, [chosen[name], chosen["repeats"]])
        rows += [{"bench": name, **entry} for entry in measured]
    return {
        "size": size,
        "repeats": chosen["repeats"],
        "threads": int(os.environ["OMP_NUM_THREADS"]),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "rows": rows,
    }


def table(report: dict) -> str:
    """The report as aligned text."""
    header = ["what", "takes", "against", "takes", "ratio", "target"]
    lines = [header]
    for x in report["rows"]:
        digits = ".3g" if x["unit"] == "s" else ".0f"
        lines.append(
            [
                x["what"],
                f"{x['ours']:{digits}} {x['unit']}",
                x["against"],
                f"{x['plain']:{digits}} {x['unit']}",
                f"{x['ratio']:.3g}",
                "" if x["target"] is None else f"at most {x['target']}",
            ]
        )
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    text = [
        "  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines
    ]
    text.insert(1, "  ".join("-" * w for w in widths))
    notes = [f"{x['what']}: {x['note']}" for x in report["rows"] if "note" in x]
    setting = (
        f"medians of {report['repeats']} repeats after a warm-up, {report['threads']} thread(s), "
        f"sizes: {report['size']}, Python {report['python']}, NumPy {report['numpy']}"
    )
    return "\n".join([*text, "", *notes, setting])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=list(SIZES), default="full")
    parser.add_argument("--threads", type=int, default=1, help="threads of both sides of a ratio")
    parser.add_argument("--only", nargs="+", choices=list(BENCHES), help="some of the rows")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report there as well")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.job:
        name, argument = json.loads(options.job)
        print(json.dumps(BENCHES[name](*argument)))
        return
    # Read by the child processes before they load NumPy.
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(options.threads)
    report = measure(options.size, options.only)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(table(report))


if __name__ == "__main__":
    main()
