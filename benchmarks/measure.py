"""Speed and memory of measuring a matrix in a file, as ratios within one run.

    python benchmarks/measure.py [--size full|page|small] [--threads N] [--json FILE]

A decoder in bfloat16 is measured from its file, in either orientation, and compared with the two
matrix products that equation (3) needs, in float32 and from memory.  Memory is the rise of the peak
of a process of its own over one report, after a small one.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from exact import in_turns, row, table

SIZES: dict[str, dict[str, Any]] = {
    "full": {"decoder": [65_536, 2_304], "disk": [1_000_000, 768], "batch": [10_000, 6, 12]},
    "page": {"decoder": [8_192, 2_304], "disk": [100_000, 768], "batch": [10_000, 6, 12]},
    "small": {"decoder": [2_048, 128], "disk": [20_000, 64], "batch": [2_000, 6, 12]},
}
REPEATS = 3
GIB = 2**30


def decoder_file(folder: str, n: int, d: int, features: str) -> Path:
    """A file of safetensors with random unit vectors in bfloat16, written a slice at a time."""
    import numpy as np

    path = Path(folder) / f"{features}.safetensors"
    shape = [n, d] if features == "rows" else [d, n]
    entry = {"dtype": "BF16", "shape": shape, "data_offsets": [0, 2 * n * d]}
    header = json.dumps({"W": entry}).encode()
    generator = np.random.default_rng(0)
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        for start in range(0, shape[0], 256):
            height = min(256, shape[0] - start)
            part = generator.standard_normal((height, shape[1]), dtype=np.float32)
            file.write((part.view(np.uint32) >> 16).astype("<u2").tobytes())
    return path


def capacities_of_file(path: Path, features: str) -> Any:
    from feature_capacity.measure.choice import open_file
    from feature_capacity.measure.stream import capacities_of, square_of, survey_and_square

    vectors = open_file(path, None, None, features)
    seen, square = survey_and_square(vectors)
    return capacities_of(vectors, seen, square or square_of(vectors, seen))


def bench_decoder(shape: list[int]) -> list[dict]:
    import numpy as np

    import feature_capacity as fc

    n, d = shape
    rows = []
    for features in ("rows", "columns"):
        W = np.random.default_rng(0).standard_normal((d, n), dtype=np.float32)
        W = W.T.copy() if features == "rows" else W

        def two_products(W: Any = W, features: str = features) -> None:
            _ = W @ (W.T @ W) if features == "rows" else (W @ W.T) @ W

        with tempfile.TemporaryDirectory() as folder:
            path = decoder_file(folder, n, d, features)
            ours, whole, plain = in_turns(
                REPEATS,
                lambda path=path, features=features: capacities_of_file(path, features),
                lambda path=path, features=features: fc.measure(path, features=features),
                two_products,
                warm_up=lambda: fc.measure(np.eye(3)),
            )
        what = f"{n:,} × {d:,} bfloat16, features are {features}"
        against = "its two products in float32"
        rows.append(row(f"capacities from a file, {what}", ours, against, plain, 2))
        rows.append(row(f"the whole report, {what}", whole, against, plain, None))
    return rows


def bench_memory(shape: list[int]) -> list[dict]:
    n, d = shape
    rows = []
    for features in ("rows", "columns"):
        with tempfile.TemporaryDirectory() as folder:
            path = decoder_file(folder, n, d, features)
            taken = peak_of_report(path, features)
        what = f"the whole report, {n:,} × {d:,} bfloat16, features are {features}: memory"
        rows.append(row(what, taken / 1e6, "1.5 GiB", 1.5 * GIB / 1e6, 1, "MB"))
    return rows


def bench_disk(shape: list[int]) -> list[dict]:
    import numpy as np

    n, d = shape
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "w.npy"
        header = {"descr": "<f4", "fortran_order": False, "shape": (n, d)}
        generator = np.random.default_rng(0)
        with path.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            for start in range(0, n, 10_000):
                size = (min(10_000, n - start), d)
                file.write(generator.standard_normal(size, dtype=np.float32).tobytes())
        taken = peak_of_report(path, "rows")
    what = f"the whole report, {n:,} × {d:,} float32 on disk: memory"
    return [row(what, taken / 1e6, "1 GiB", GIB / 1e6, 1, "MB")]


def peak_of_report(path: Path, features: str) -> float:
    """Rise of the peak over one report, in a process that has done nothing else."""
    command = [sys.executable, __file__, "--job", json.dumps(["rise", [str(path), features]])]
    # A process begins with the peak of the one that starts it; a shell between has a small one.
    words = ["sh", "-c", '"$0" "$@"; exit $?', *command]
    out = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout
    return float(json.loads(out))


def rise(job: list[str]) -> float:
    """Bytes by which the peak of this process rises over a report, after a small one."""
    unit = 1 if sys.platform == "darwin" else 1024
    import feature_capacity as fc

    path, features = job
    fc.measure([[1.0, 0], [0, 1], [1, 1]])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    fc.measure(path, features=features)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit - before


def bench_batch(shape: list[int]) -> list[dict]:
    import numpy as np

    import feature_capacity as fc

    W = np.random.default_rng(0).standard_normal(shape)

    def one_einsum() -> None:
        np.einsum("bdi,bdj,bei,bej->bi", W, W, W, W, optimize=True)

    ours, plain = in_turns(max(REPEATS, 5), lambda: fc.capacities(W), one_einsum)
    what = f"capacities, {shape[0]:,} matrices of {shape[1]} × {shape[2]}"
    return [row(what, ours, "one einsum of all inner products", plain, 2)]


BENCHES = {
    "decoder": (bench_decoder, "decoder"),
    "memory": (bench_memory, "decoder"),
    "disk": (bench_disk, "disk"),
    "batch": (bench_batch, "batch"),
}


def in_fresh_process(name: str, shape: list[int]) -> list[dict]:
    """Run one job by itself: neither memory nor caches of another job count."""
    command = [sys.executable, __file__, "--job", json.dumps([name, shape])]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=list(SIZES), default="full")
    parser.add_argument("--threads", type=int, default=2, help="threads of both sides of a ratio")
    parser.add_argument("--only", nargs="+", choices=list(BENCHES), help="some of the rows")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report there as well")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.job:
        name, argument = json.loads(options.job)
        print(json.dumps(rise(argument) if name == "rise" else BENCHES[name][0](argument)))
        return
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(options.threads)
    import numpy as np

    rows = []
    for name in options.only or BENCHES:
        shape = SIZES[options.size][BENCHES[name][1]]
        rows += [{"bench": name, **entry} for entry in in_fresh_process(name, shape)]
    report = {
        "size": options.size,
        "repeats": REPEATS,
        "threads": options.threads,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "rows": rows,
    }
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(table(report))


if __name__ == "__main__":
    main()
