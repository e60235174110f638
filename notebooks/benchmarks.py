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
# **Paper:** nothing; this page is about the package.
# **Run time:** about a minute.
#
# ```{admonition} In one minute
# :class: tip
# A closed form is only useful if it can be evaluated at the size of the question.
# This page times the exact functions of the package against the plainest array operations that could not be avoided: sorting the input, multiplying the matrix, writing the output.
# Read the ratios; seconds belong to the machine that built this book.
# ```

# %% tags=["parameters"] quick={"size": "small"}
size: str = "full"  # problem sizes {full, small}

# %% tags=["hide-input"]
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
from myst_nb import glue

from feature_capacity.claims import open_page
from feature_capacity.project import find_project

run = open_page("benchmarks", size=size)

# %% [markdown]
# ## The measurement
#
# The script `benchmarks/exact.py` runs in a process of its own, and each of its rows again in another.
# A notebook kernel is a poor place to time anything: it holds memory, and it has set its threads already.

# %%
script = find_project().root / "benchmarks" / "exact.py"
with tempfile.TemporaryDirectory() as folder:
    file = Path(folder) / "report.json"
    command = [sys.executable, str(script), "--size", size, "--json", str(file)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    report = json.loads(file.read_text(encoding="utf-8"))

# %% tags=["hide-input"]
by_what = {row["bench"]: row for row in report["rows"]}
for name, row in by_what.items():
    glue(f"benchmarks-{name}", row["ratio"], display=False)
glue("benchmarks-threads", report["threads"], display=False)
glue("benchmarks-repeats", report["repeats"], display=False)
glue("benchmarks-size", size, display=False)
glue("benchmarks-diagram-note", by_what["diagram"]["note"], display=False)
glue("benchmarks-solver-note", by_what["solver"]["note"], display=False)


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
# The row says how many sorts the whole answer costs, with capacities, lengths, regimes and loss written out: {glue:text}`benchmarks-allocation:.1f`.
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
# ## Try it
#
# ```{admonition} Does it hold on your machine?
# :class: dropdown
# `make bench` prints the same table; `python benchmarks/exact.py --threads 4` gives both sides of each ratio more threads.
# A page with small problems: `papermill notebooks/benchmarks.ipynb out.ipynb -p size small`.
# There the fixed cost of a call, some tenths of a millisecond, is a large part of everything, and the ratios mean little.
# ```
#
# ## What we saw
#
# - Ten million features are allocated in the time of a few sorts.
# - Measuring capacities costs what two matrix products cost, and little memory.
# - A second-order method on an exact loss minimizes a start in a fraction of a millisecond, because thousands of starts share each step.
#
# Nothing on this page is a claim of the paper, so nothing here can disagree with it.
