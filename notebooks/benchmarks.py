# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# (benchmarks)=
# # Speed and memory
#
# A closed form is only useful if it can be evaluated at the size of the question.
# How long does the package take for ten million features, and how does that compare with the plainest array operations that could not be avoided: sorting the input, multiplying the matrix, writing the output?
# And how long does a phase diagram of Figure 7 take, beside the usual way to make one, which is training?
#
# Read the ratios; seconds belong to the machine that built this book.
#
# **Run time:** about five minutes.

# %% tags=["parameters", "hide-input"] quick={"size": "small", "panels": "auto-relu-3", "panel_grid": 4, "train_steps": 20}
size: str = "full"  # problem sizes of the exact functions {full, small}
panels: str = "relu"  # panels of Figure 7 {all, quadratic, relu, gelu, auto-relu-3}
panel_grid: int = 16  # cells along each axis of a panel [4 .. 64]
train_steps: int = 10000  # training steps of the usual way [10 .. 100000]

# %% tags=["hide-input"]
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
from myst_nb import glue

from feature_capacity.book.claims.checks import open_page
from feature_capacity.book.project import find_project

run = open_page(
    "benchmarks", size=size, panels=panels, panel_grid=panel_grid, train_steps=train_steps
)

# %% [markdown]
# On your own machine, ten million features:

# %%
import time

import numpy as np

import feature_capacity as fc

importance = np.random.default_rng(0).lognormal(size=10_000_000)
start = time.perf_counter()
fc.solve_allocation(importance, n_dims=1_000_000, kurtosis=9)
f"{time.perf_counter() - start:.1f} seconds"

# %% [markdown]
# ## The measurement
#
# The script `benchmarks/exact.py` runs in a process of its own, and each of its rows again in another.
# A notebook kernel is a poor place to time anything: it holds memory, and it has set its threads already.

# %%
def measure(script, *options):
    """Run a script of the folder `benchmarks`; what it reports."""
    script = find_project().root / "benchmarks" / script
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.json"
        command = [sys.executable, str(script), *options, "--json", str(file)]
        subprocess.run(command, check=True, capture_output=True)
        return json.loads(file.read_text(encoding="utf-8"))


report = measure("exact.py", "--size", size)

# %% tags=["hide-input"]
by_what = {row["bench"]: row for row in report["rows"]}
for name, row in by_what.items():
    glue(f"benchmarks-{name}", row["ratio"], display=False)
glue("benchmarks-threads", report["threads"], display=False)
glue("benchmarks-repeats", report["repeats"], display=False)
glue("benchmarks-size", size, display=False)
glue("benchmarks-diagram-note", by_what["diagram"]["note"], display=False)
glue("benchmarks-solver-note", by_what["solver"]["note"], display=False)
glue("benchmarks-import-note", by_what["import"]["note"], display=False)


def amount(value, unit):
    return f"{value:.3g} {unit}" if unit == "s" else f"{value:.0f} {unit}"

# %% [markdown]
# Problem sizes: {glue:text}`benchmarks-size`; threads: {glue:text}`benchmarks-threads`; each entry is the median of {glue:text}`benchmarks-repeats` repeats after a warm-up (memory is measured once).
# The target is the largest ratio that we set ourselves before measuring.

# %% tags=["hide-input"]
pd.DataFrame(
    {
        "what": row["what"],
        "takes": amount(row["ours"], row["unit"]),
        "against": row["against"],
        "which takes": amount(row["plain"], row["unit"]),
        "ratio": f"{row['ratio']:.2g}",
        "target": "" if row["target"] is None else f"at most {row['target']}",
    }
    for row in report["rows"]
).style.hide(axis="index")

# %% [markdown]
# ## How to read it
#
# **Allocation.**
# The multiplier $\lambda$ of the optimal allocation follows from one sort of the importances and prefix sums, with no iteration to a tolerance.
# The row says how many sorts the whole answer costs, with capacities, lengths, phases and loss written out: {glue:text}`benchmarks-allocation:.1f`.
#
# **Capacities.**
# Equation (3) looks as if it needed all pairs of features.
# It needs two products with a matrix of size dimensions × dimensions instead, so the time to beat is that of those two products; the ratio is {glue:text}`benchmarks-capacities:.2f`.
# A ratio below 1 is no magic: the columns are visited in chunks that stay in cache, and the plain products are not.
# The chunks also keep the extra memory at {glue:text}`benchmarks-memory:.2f` of the matrix itself.
#
# **Embedding.**
# A matrix with prescribed capacities can be built so that successive features lie along one direction until an axis is used up.
# Each such run is one outer product, so building the matrix costs a small multiple of filling it: {glue:text}`benchmarks-embedding:.1f` times as long as writing every entry once.
#
# **Phase diagram.**
# All cells are solved in one call: {glue:text}`benchmarks-diagram-note`.
#
# **Minimizing without the theory.**
# The empirical half of Figure 4 minimizes the expected loss over the embedding from random starts, all cells and starts at once: {glue:text}`benchmarks-solver-note`.
#
# **Import.**
# What the package offers is loaded when it is first used: {glue:text}`benchmarks-import-note`.
#
# (benchmarks-files)=
# ## Measuring a file
#
# `feature-capacity capacity` reads a file in slices and sums in float64.
# The script `benchmarks/measure.py` compares capacities from a file in bfloat16 with the two matrix products that they need, in float32 and from memory, where features are rows and where they are columns; and it measures the memory of the whole report.

# %%
file_report = measure("measure.py", "--size", "page" if size == "full" else "small")

# %% tags=["hide-input"]
pd.DataFrame(
    {
        "what": row["what"],
        "takes": amount(row["ours"], row["unit"]),
        "against": row["against"],
        "which takes": amount(row["plain"], row["unit"]),
        "ratio": f"{row['ratio']:.2g}",
        "target": "" if row["target"] is None else f"at most {row['target']}",
    }
    for row in file_report["rows"]
).style.hide(axis="index")

# %% [markdown]
# A product of a matrix with its own transpose takes half the operations, and so does a quadratic form; that pays for the second precision.
# The whole report also takes leverages, the spectrum and the nearest neighbors.
# `make bench` measures 65,536 features in 2,304 dimensions and a million in 768.
#
# (benchmarks-panels)=
# ## Against training
#
# The usual way to make a phase diagram is to train: one tensor holds a model for every cell, each step draws a fresh batch of 1,024 samples for each, and AdamW takes {glue:text}`benchmarks-steps` steps.
# The script `benchmarks/panels.py` times some of these steps on the whole grid, and trains four cells to the end to see what loss is reached.
# Then it minimizes the whole grid with more and more effort, until the loss is no higher: first in the mean over those cells, then in every one of them.
# Both losses are measured on the same fresh samples, and everything runs on one thread.

# %%
panel_report = measure(
    "panels.py", "--panels", panels, "--grid", str(panel_grid), "--steps", str(train_steps),
    "--compared", "2",
)  # fmt: skip
glue("benchmarks-steps", f"{train_steps:,}", display=False)
glue("benchmarks-grid", panel_report["rows"][0]["grid"], display=False)

# %% tags=["hide-input"]
def reached(row, where):
    if where not in row:
        return "not reached"
    return f"{row[where]['seconds']:.1f} s ({row[where]['ratio']:.0f} ×)"


pd.DataFrame(
    {
        "panel": row["panel"],
        "training takes": f"{row['trained_seconds']:,.0f} s",
        "ours, as good in the mean": reached(row, "in_the_mean"),
        "ours, as good in every cell": reached(row, "in_every_cell"),
        "target": f"{row['target']} ×",
        "compiled loops": f"{row['time']['loops']:.0%} of our time",
    }
    for row in panel_report["rows"]
).style.hide(axis="index")

# %% [markdown]
# Grid: {glue:text}`benchmarks-grid` cells.
# The two times can be far apart.
# In the mean our loss is lower after the least effort, because in many cells training has not arrived; but a single cell in which it found a minimum that most starts miss decides the second time.
#
# Training is slow for two reasons that no tuning of the learning rate removes: it estimates an expectation from samples at every step, and it knows only the slope.
# We sum over the on/off masks, which leaves a smooth function, and use its curvature.
# The sums over nodes and the steps are compiled loops that keep a block of nodes in cache; the rest of our time makes nodes and starts.
#
# ## Try it
#
# Paste a command at the root of the project; the executed page is then in `out.ipynb`.
#
# **Small problems.** Do the ratios hold for small problems, on a small part of one panel?
#
# ```sh
# papermill notebooks/benchmarks.ipynb out.ipynb --cwd notebooks -p size small -p panels auto-relu-3 -p panel_grid 4
# ```
#
# :::{admonition} Answer
# :class: dropdown
# The page runs in a fraction of the time, but there the fixed cost of a call, some tenths of a millisecond, is a large part of everything, and the ratios mean little.
# `make bench` prints the same tables for the large problems, with all nine panels at 32 × 32; `python benchmarks/exact.py --threads 4` gives both sides of each ratio more threads.
# :::
#
# **Less training.** Ten thousand steps may be generous.
# What becomes of the second table for the autoencoder if training stops after a thousand?
#
# ```sh
# papermill notebooks/benchmarks.ipynb out.ipynb --cwd notebooks -p panels auto-relu-3 -p panel_grid 8 -p train_steps 1000
# ```
#
# :::{admonition} Answer
# :class: dropdown
# *Training takes* a tenth of the time, and a ratio of below ten is left.
# But the networks are not done: our least effort has a loss about 40% lower in the mean, and is as good in every cell too.
# :::
#
# **As fast as ours.** After how many steps would training be as fast as we are, and how good would it be?
#
# ```sh
# papermill notebooks/benchmarks.ipynb out.ipynb --cwd notebooks -p panels auto-relu-3 -p panel_grid 8 -p train_steps 100
# ```
#
# :::{admonition} Answer
# :class: dropdown
# After about a hundred steps, on this small grid.
# Our least effort then has a loss that is lower by more than nine tenths.
# :::
#
# ## What we saw
#
# - Ten million features are allocated in the time of a few sorts.
# - Measuring capacities costs what two matrix products cost, and little memory.
# - A phase diagram with a loss no higher than that of trained networks takes seconds.
# - A second-order method on an exact loss minimizes a start in a fraction of a millisecond, because thousands of starts share each step.
