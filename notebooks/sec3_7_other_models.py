# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# (sec3-7-other-models)=
# # Other models and nonlinearities
#
# One network adds up squares, another gives back what it was shown.
# Both squeeze six features through three neurons.
# Do they share their dimensions in the same way, and does it matter which nonlinearity they have?
#
# It matters a great deal.
# A network that *computes* shares capacity along a slope; with squares, in one large {term}`block`.
# A network that *compresses*, the {term}`autoencoder` of {cite:t}`elhage2022toy`, has a mesa at ½, on which two features point in opposite directions along one axis.
# With ReLU the mesa reaches features a hundred times as important as all others.
#
# **Paper:** sections 3.7 and 4.6, Figure 7 {cite}`scherlis2022`.
# **Run time:** about seven minutes on two CPU cores.

# %% tags=["parameters", "hide-input"] quick={"grid": 4, "extra_grid": 4, "n_starts": 1, "warm_rounds": 0, "extra_rounds": 0, "n_points": 256, "workers": 1}
grid: int = 32  # cells along each axis of the nine diagrams [4 .. 512]
extra_grid: int = 12  # cells along each axis of the extra diagrams [4 .. 512]
n_starts: int = 4  # random starts in each cell, before the warm starts [1 .. 64]
warm_rounds: int = 100  # rounds of trying the minima of other cells, at most [0 .. 1000]
extra_rounds: int = 4  # the same in the extra diagrams [0 .. 1000]
n_points: int = 16384  # expectation nodes in each row, about [64 .. 65536]
seed: int = 0  # seed of starts and nodes [0 .. 1000000]
workers: int = 2  # processes that share the sweeps [1 .. 256]
device: str = "auto"  # where the minimization runs {auto, cpu, cuda, mps}

# %% tags=["hide-cell"]
from functools import partial

import numpy as np
import pandas as pd
from myst_nb import glue

from feature_capacity.book.claims.checks import open_page
from feature_capacity.book.project import find_project
from feature_capacity.explorers import PhaseMap, phase_explorer
from feature_capacity.explorers.minimization import minimization_explorer
from feature_capacity.figures import sec3_7_other_models as figures
from feature_capacity.geometry.neuron_bases import fewest_neurons
from feature_capacity.models.device import pick_device
from feature_capacity.solvers import pair_edge
from feature_capacity.sweeps import reading
from feature_capacity.sweeps.figure_seven import (
    IMPORTANCES, MODELS, NONLINEARITIES, PROBABILITIES, Panel,
    as_map, by_activation, figure_seven, first_capacity, solver, table_of_maps,
)  # fmt: skip

run = open_page(
    "sec3_7_other_models", grid=grid, extra_grid=extra_grid, n_starts=n_starts,
    warm_rounds=warm_rounds, extra_rounds=extra_rounds, n_points=n_points, seed=seed,
    workers=workers, device=device,
)  # fmt: skip
print("computed on:", pick_device(device))
solve = solver(
    find_project().build / "sweeps", workers, device, n_starts=n_starts,
    max_rounds=warm_rounds, n_points=n_points, seed=seed,
)  # fmt: skip
coarse = partial(solve, cells=extra_grid, max_rounds=extra_rounds)
best = figure_seven(solve, grid)
compute, code, code_5 = MODELS

# %% mystnb={"figure": {"caption": "The paper's Figure 7: capacity of feature 1 against its importance (all others have 1) and the feature probability, for three models and three nonlinearities. Orange contours: 0.47 and 0.53; white: the other levels. The text of the paper gives no numbers for its axes, so its range is not marked.", "name": "fig-7"}, "image": {"alt": "Nine phase diagrams. Top row: computation model, a narrow band between capacity 0 and 1 that opens toward sparse inputs. Middle row: autoencoder with six features in three dimensions; quadratic has a wide smooth band, ReLU a wedge of capacity one half that reaches the right edge, GELU a broad plateau at one half with vertical edges. Bottom row: six in five dimensions, the same plateaus end at importance one."}} tags=["hide-input"]
figures.fig7_phase_diagrams(
    table_of_maps(best),
    marks=[(1, 1, 8, 0.004), (1, 2, 1, 0.02), (2, 1, 0.2, 0.02), (2, 2, 0.2, 0.02)],
)

# %% [markdown]
# ## Two tasks
#
# Both models send $N$ features through $D<N$ dimensions, $e = Wx$, and put a nonlinearity $f$ behind.
#
# *Computation.*
# The model of section 3 adds its neurons up and is judged by one number:
#
# $$ \tilde y = \sum_{a=1}^{D} f\Bigl(\sum_i W_{ai}x_i\Bigr) + b, \qquad L = (y-\tilde y)^2, \qquad y=\sum_i v_i f(x_i). $$ (eq-sec3-7-computation)
#
# *Autoencoder.*
# This one reads the features back with the transposed matrix and is judged on each of them:
#
# $$ \hat x = f\bigl(W^T W x + b\bigr), \qquad L = \sum_i v_i\,(x_i-\hat x_i)^2 . $$ (eq-sec3-7-autoencoder)
#
# Importance multiplies the *output* of the first and the *squared error* of the second, so that an importance of 10 in the first corresponds to one of 100 in the second.
#
# In code, one cell of the middle panel:

# %%
import feature_capacity as fc

model = fc.ToyModel("autoencoder", "relu", n_features=6, n_dims=3)
cell = fc.minimize(
    model, fc.UnitSparseUniform(0.02), [[1.2, 1, 1, 1, 1, 1]], n_starts=16
)
cell.capacity.round(2)

# %% [markdown]
# Six halves: three {term}`antipodal pairs <antipodal pair>`.
#
# The paper names models, sizes and nonlinearities, and nothing else about how its figure was made.
# We take inputs of mean 0 and variance 1 for the computation rows, as everywhere in section 3, and inputs from 0 to 1 for the autoencoder, as in the work it refers to; the best bias; importances from {glue:text}`sec3-7-importances`, probabilities from {glue:text}`sec3-7-probabilities`.
# What changes with these choices is on {ref}`a page of its own <sec3-7-choices>`.
#
# (sec3-7-explorer)=
# ## Behind every cell there is a network
#
# Choose one to see its embedding, its cosines and its blocks.

# %% tags=["hide-input"]
glue("sec3-7-importances", "{:g} to {:g}".format(*IMPORTANCES), display=False)
glue("sec3-7-probabilities", "{:g} to {:g}".format(*PROBABILITIES), display=False)
V, p, _ = as_map(best[code, "ReLU"])
maps = {
    key: PhaseMap(first_capacity(x), x.loss.values, x.W.values)
    for key, x in best.items()
}
maps = {key: maps[key] for key in sorted(maps, key=lambda key: key != (code, "ReLU"))}
phase_explorer(maps, {"model": "model", "activation": "nonlinearity"}, V, p, 1.8 / p)

# %% [markdown]
# (sec3-7-watch)=
# How does a network get there?
# Press play: six features in three dimensions find their places in your browser, from a random start, on the loss that the sweeps minimize.
# With ReLU, pairs snap into lines; with squares they do so much less often.
# The computation model has many local minima, so that one start rarely tells.

# %% tags=["hide-input"]
minimization_explorer(
    maps={
        (MODELS[model][0], NONLINEARITIES[name]): maps[model, name]
        for model, name in maps
        if MODELS[model][1] == 3
    },
    axes=(V, p),
)

# %% [markdown]
# ## Stuck at one half
#
# Two features are linked if the cosine between them is above 0.1 in absolute value, and a block is a connected set.
# {numref}`fig-sec3-7-blocks` shows the block that feature 1 belongs to.

# %% mystnb={"figure": {"caption": "The block that feature 1 belongs to. Top: computation model, middle: autoencoder, both 6 in 3; bottom: autoencoder, 6 in 5.", "name": "fig-sec3-7-blocks"}, "image": {"alt": "Nine maps. Computation: a band of large blocks in three dimensions. Autoencoder with ReLU and GELU: a wide area of antipodal pairs. Autoencoder with quadratic: large blocks, with a small area of pairs at mild sparsity."}} tags=["hide-input"]
kinds = {
    0: ("ignored", "#9aa5b1"), 1: ("alone", "#2b6ca3"),
    11: ("pair, one dimension", "#f2c14e"),
    12: ("block, two dimensions", "#e8833a"), 13: ("block, three", "#b5432b"),
    14: ("block, four", "#7d2a4a"), 15: ("block, five", "#43163f"),
}  # fmt: skip
figures.block_maps(table_of_maps(best, reading.kinds_of_blocks), kinds)

# %% [markdown]
# For ReLU and GELU the paper's guess is right to the last cell: where capacity is stuck close to ½, feature 1 shares one dimension with exactly one partner that points the other way.
# The two live on the positive and the negative half of one axis.
# In the sparse rows the plateau is {glue:text}`sec3-7-plateau-relu:.1f` decades long with ReLU and {glue:text}`sec3-7-plateau-gelu:.1f` with GELU.
# With squares it is {glue:text}`sec3-7-plateau-quadratic:.2f` decades, a slope that passes through ½.

# %% mystnb={"figure": {"caption": "Capacity of feature 1 along two rows of each model in Figure 7. Shaded: within 0.03 of ½.", "name": "fig-sec3-7-slices"}, "image": {"alt": "Six panels of curves that rise from 0 to 1. Dense rows are steep steps. Sparse rows: ramps for computation, long flat stretches at one half for the autoencoder with ReLU and GELU."}} tags=["hide-input"]
rows = {
    "dense, $p=1$": -1,
    "sparse, $p\\approx0.01$": int(np.argmin(abs(np.log(p / 0.01)))),
}
figures.slices(
    {
        title: {
            row.replace(", ", "\n"): {
                name: (V, first_capacity(best[row, name])[r]) for name in NONLINEARITIES
            }
            for row in MODELS
        }
        for title, r in rows.items()
    }
)

# %% [markdown]
# The upper left panel is the subject of {ref}`the next page <sec3-7-jump>`: at $V=1$ the dense rows jump, with every nonlinearity, but for ReLU and GELU a foot leads up to the jump.
#
# In one and the same cell of six diagrams the cosines between features look like this:

# %% mystnb={"figure": {"caption": "Cosines between six features in three dimensions, in the same cell of six diagrams; feature 1 first.", "name": "fig-sec3-7-cosines"}, "image": {"alt": "Six matrices of cosines. Top, computation: entries of all sizes everywhere. Bottom, autoencoder: for ReLU and GELU one entry of minus one in each row and nothing else, for quadratic small entries everywhere."}} tags=["hide-input"]
r, c = (int(np.argmin(abs(np.log(x / y)))) for x, y in ((p, 0.02), (V, 1.2)))
figures.cosines(
    {
        f"{row.split(',')[0]}\n{name}, $C_1={first_capacity(found)[r, c]:.2f}$":
            found.W.values[r, c]
        for (row, name), found in best.items()
        if row in (compute, code)
    }
)

# %% [markdown]
# By contrast, says section 3.7, superposed features of the computation model project on many neurons, whichever way the neurons are turned.
# For each minimum we look for the turn that makes its features lie on as few neurons as they can.
# We count neurons by one over the sum of the fourth powers of a unit vector's entries, which is 1 for a vector along an axis and 3 for one that lies evenly between three.
# (With squares all embeddings with the best capacities and lengths lose the same, and we draw one of them for each cell.)
# With squares they then project on {glue:text}`sec3-7-neurons-quadratic:.2f` neurons in the median, with ReLU on {glue:text}`sec3-7-neurons-relu:.2f`, with GELU on {glue:text}`sec3-7-neurons-gelu:.2f`.
# So the sentence is true of squares, where nothing depends on the basis of neurons, and not of ReLU and GELU.
# {numref}`fig-sec3-7-cosines` shows why: their features come in pairs, too, but the two of a pair point in nearly the *same* direction, along the axis of one neuron.
# Then $f(x_1+x_2)=f(x_1)+f(x_2)$ as long as one of the two is off, which is nearly always when inputs are sparse.
# There is no mesa at ½, because the two are not equally long: feature 1 has about the length $V$ that its own output asks for, the longer of a parallel pair has more than half of the dimension, and so $C_1$ slides along with $V$.
# Small cosines tie the three pairs together; that they count as one block hangs on the limit of 0.1.

# %% tags=["hide-input"]
plateaus = by_activation(best, code, reading.sparse_plateau)
for act, plateau in plateaus.items():
    glue(f"sec3-7-plateau-{act}", plateau, display=False)
one_of_many = reading.optima_drawn(best[compute, "quadratic"], seed)
turned = best | {(compute, "quadratic"): one_of_many}
neurons = by_activation(turned, compute, reading.neurons_of_shared_features)
for act, each in neurons.items():
    glue(f"sec3-7-neurons-{act}", reading.middle(each), display=False)
equal = {
    act: [
        fc.minimize(
            fc.ToyModel("autoencoder", act), fc.UnitSparseUniform(q), np.ones((1, 6)),
            n_starts=4 * n_starts, seed=[seed, 6, i], device=device,
        ).W[0]
        for i, q in enumerate(p[p <= reading.SPARSE][::3])
    ]
    for act in NONLINEARITIES.values()
}  # fmt: skip
small = {
    act: reading.share([reading.largest_block(W) <= 3 for W in embeddings])
    for act, embeddings in equal.items()
}
quadratic = first_capacity(best[compute, "quadratic"])
alike = {
    NONLINEARITIES[name]: reading.correlation(
        quadratic, first_capacity(best[compute, name])
    )
    for name in ("ReLU", "GELU")
}
in_five = by_activation(best, code_5, reading.share_of_pairs)
half = reading.cells_at_half(best[code, "ReLU"])
on_axes = fewest_neurons(half)[:, 0] if len(half) else [np.nan]
run.check_each("sec3-7-wider", by_activation(best, compute, reading.widening))
run.check_each("sec3-7-same-shape", alike)
run.check_each("sec3-7-plateau", plateaus)
run.check_each(
    "sec3-7-no-plateau", by_activation(best, compute, reading.longest_plateau)
)
run.check_each("sec3-7-pairs", by_activation(best, code, reading.share_of_pairs))
run.check_each("sec3-7-antipodal", by_activation(best, code, reading.share_antipodal))
run.check_each("fig7-half-6-in-5", {act: in_five[act] for act in ("relu", "gelu")})
run.check("sec3-7-pair-on-a-neuron", np.max(on_axes))
run.check_each(
    "sec3-7-many-neurons", by_activation(turned, compute, reading.share_over_neurons)
)
run.check_each(
    "sec4-6-one-block", by_activation(best, compute, reading.share_of_one_block)
)
run.check_each("sec4-6-small-blocks", small)
run.badge()

# %% [markdown]
# ## Narrow and wide
#
# Is the band of the computation model narrower than that of the autoencoder?
# The ratio of mean widths is {glue:text}`sec3-7-ratio-quadratic:.2f` (quadratic), {glue:text}`sec3-7-ratio-relu:.2f` (ReLU) and {glue:text}`sec3-7-ratio-gelu:.2f` (GELU).
# Part of this is the difference in units.
# Count importance in squared error in both models, and one decade of $v$ becomes two: {glue:text}`sec3-7-fair-quadratic:.2f`, {glue:text}`sec3-7-fair-relu:.2f` and {glue:text}`sec3-7-fair-gelu:.2f`.
# Only for ReLU does the statement clearly survive that change of units.
#
# The caption of Figure 7 leaves out the computation model with 6 in 5, because it "looks similar".
# We computed it: the maps correlate by {glue:text}`sec3-7-alike-quadratic:.2f`, {glue:text}`sec3-7-alike-relu:.2f` and {glue:text}`sec3-7-alike-gelu:.2f`.

# %% tags=["hide-input"]
wide = {row: by_activation(best, row, reading.mean_width) for row in MODELS}
six_in_five = {
    name: coarse(Panel("computation", 5, act))
    for name, act in NONLINEARITIES.items()
}
ratio, ratio_5, alike = {}, {}, {}
for name, act in NONLINEARITIES.items():
    found = six_in_five[name]
    ratio[act] = wide[compute][act] / max(wide[code][act], 1e-9)
    ratio_5[act] = reading.mean_width(found) / max(wide[code_5][act], 1e-9)
    on_its_grid = reading.on_grid_of(best[compute, name], found)
    alike[act] = reading.correlation(on_its_grid, first_capacity(found))
    glue(f"sec3-7-ratio-{act}", ratio[act], display=False)
    glue(f"sec3-7-fair-{act}", 2 * ratio[act], display=False)
    glue(f"sec3-7-alike-{act}", alike[act], display=False)
run.check_each("sec3-7-narrower", ratio)
run.check_each("sec3-7-narrower-6-in-5", ratio_5)
run.check_each("fig7-six-in-five", alike)
run.badge()

# %% [markdown]
# (sec3-7-extreme)=
# ## Orders of magnitude
#
# The last sentence of section 3.7 is the most striking: in the autoencoder, 6 in 3, features stay in {term}`superposition` although they are *orders of magnitude* more important than any other.
# It is true of ReLU.
#
# When can a pair hold a feature of importance $V$?
# Think of what spoils feature 1.
# Its partner is active, feature 1 is not, and the pair answers $f(-x)$ where 0 would be right.
# This *leak* costs $V p\,\mathbb{E}[f(-x)^2]$.
# Dropping the partner instead would cost about $p\,\mathbb{E}[x^2]$.
# Both fall alike with $p$, so that sparsity does not help, and at unit lengths the pair ends at
#
# $$ V = \frac{\mathbb{E}[x^2]}{\mathbb{E}[f(-x)^2]} . $$ (eq-sec3-7-leak)

# %%
{act: round(pair_edge.leak_edge(act), 2) for act in ("relu", "gelu", "quadratic")}

# %% [markdown]
# ReLU has no leak.
# Its pair errs only when both partners are active, by the smaller of the two, $(1+V)p^2/6$ in all, so that its edge grows like $1/p$.
#
# Lengths and biases adjust, and a partner that is pushed out need not be dropped: five features can share two dimensions.
# Since blocks are orthogonal, their losses add up, and the edge follows from small networks: three pairs against feature 1 alone and five in two.

# %%
far = np.geomspace(1.5, 3000, max(9, grid * 3 // 2))
p_far = np.geomspace(1e-4, 0.1, max(4, grid // 3))
effort = {"n_starts": 2 * n_starts, "seed": seed, "device": device}
inputs = [fc.UnitSparseUniform(q) for q in p_far]
measured = {
    name: np.array([pair_edge.measured_edge(act, x, far, **effort) for x in inputs])
    for name, act in NONLINEARITIES.items()
}
by_blocks = {
    name: np.array(
        [
            pair_edge.edge_by_blocks(NONLINEARITIES[name], x, far, **effort)
            for x in inputs
        ]
    )
    for name in ("ReLU", "GELU")
}

# %% mystnb={"figure": {"caption": "Largest importance at which feature 1 is still superposed (autoencoder, 6 in 3). Dots: measured; lines: from blocks. Triangles: it still is at the largest importance tried.", "name": "fig-sec3-7-extreme"}, "image": {"alt": "Three sets of dots against feature probability. ReLU falls in proportion to one over p. GELU is flat near ten for sparse inputs. Quadratic rises toward sparse inputs. Lines run through the dots of ReLU and GELU."}} tags=["hide-input"]
figures.largest_shared_importance(p_far, measured, by_blocks, far[-1])

# %% [markdown]
# - *ReLU.* The edge follows $1/p$: for importance 100 one needs $p$ of about {glue:text}`sec3-7-p-100:.1g` or less.
# - *GELU.* The edge stops near {glue:text}`sec3-7-gelu-limit:.2g`, however sparse the inputs.
# - *Quadratic.* Superposed by our threshold ($0.05<C_1<0.95$), but not stuck: capacity creeps up to 1 as importance grows.
#
# For GELU the answer depends on something that the paper does not mention: the size of the inputs.
# Inputs ten times as large make it more like ReLU.
# At $V=50$ and $p=0.001$ capacity is {glue:text}`sec3-7-scale-1:.2f` with inputs up to 1, {glue:text}`sec3-7-scale-10:.2f` with inputs up to 10, and {glue:text}`sec3-7-scale-100:.2f` with inputs up to 100.

# %% tags=["hide-input"]
reach = measured["ReLU"]
glue("sec3-7-p-100", float(p_far[reach >= 100].max(initial=0)), display=False)
glue("sec3-7-gelu-limit", float(np.max(measured["GELU"], initial=0)), display=False)
at_scale = {
    scale: pair_edge.capacity_at_scale(
        "gelu", scale, 50, 0.001, 4 * n_starts, seed, device
    )
    for scale in (1, 10, 100)
}
for scale, capacity in at_scale.items():
    glue(f"sec3-7-scale-{scale}", capacity, display=False)
factors = {
    NONLINEARITIES[name]: pair_edge.largest_factor(edge, measured[name], far[-1])
    for name, edge in by_blocks.items()
}
at_the_end = reading.not_whole_at_the_end
run.check_each("sec3-7-extreme", by_activation(best, code, reading.furthest_superposed))
run.check_each("sec3-7-extreme-computation", by_activation(best, compute, at_the_end))
run.check_each("sec3-7-extreme-6-in-5", by_activation(best, code_5, at_the_end))
run.check("sec3-7-extreme-scaling", -pair_edge.power_of_edge(p_far, reach, far[-1]))
run.check_each("sec3-7-extreme-blocks", factors)
run.check("sec3-7-extreme-scale-gelu", at_scale[1] - at_scale[10])
run.badge()

# %% [markdown]
# ## Three nonlinearities, ten sentences
#
# What the paper says of each model, and whether it agrees with what is found.

# %% tags=["hide-input"]
sentences = {
    "autoencoder: a large region close to ½": "sec3-7-plateau",
    "… of antipodal pairs": "sec3-7-pairs",
    "… which fall into small blocks (4.6)": "sec4-6-small-blocks",
    "computation: no such region": "sec3-7-no-plateau",
    "… one large block (4.6)": "sec4-6-one-block",
    "… on many neurons in any basis": "sec3-7-many-neurons",
    "… a narrower band than the autoencoder (6 in 3)": "sec3-7-narrower",
    "autoencoder, 6 in 3: superposed at 100 times the importance": "sec3-7-extreme",
    "… but not in 6 in 5": "sec3-7-extreme-6-in-5",
    "… nor in the computation model": "sec3-7-extreme-computation",
}
pd.DataFrame(
    {
        name: {
            text: run.records[f"{claim}-{act}"].status
            for text, claim in sentences.items()
        }
        for name, act in NONLINEARITIES.items()
    }
)

# %% [markdown]
# :::{admonition} Where we differ from the paper
# :class: important
# The plateau, the pairs behind it and the small blocks are said of the autoencoder in general; with quadratic it has them at mild sparsity only ({ref}`quadratic-autoencoder`).
# GELU is not superposed at extreme importance, with inputs up to 1 ({ref}`gelu-at-extreme-importance`).
# Superposed features of the computation model with ReLU and GELU lie on single neurons, two to each ({ref}`on-neurons`).
# :::
#
# ## Try it
#
# Paste a command at the root of the project; the executed page is then in `out.ipynb`.
#
# **Is it luck?** What if other random starts are drawn, and only half as many?
#
# ```sh
# papermill notebooks/sec3_7_other_models.ipynb out.ipynb --cwd notebooks -p seed 1 -p n_starts 2
# ```
#
# :::{admonition} Answer
# :class: dropdown
# The picture is the same: half the random starts find fewer of the best minima at first, and warm starts from the neighbors make up for it.
# :::
#
# **Odd or even.** A grid of 31 cells has one at $V=1$, a grid of 32 has none.
# Does a verdict depend on it?
#
# ```sh
# papermill notebooks/sec3_7_other_models.ipynb out.ipynb --cwd notebooks -p grid 31
# ```
#
# :::{admonition} Answer
# :class: dropdown
# No: widths are interpolated, not counted in cells.
# :::
#
# **A sketch.** Eight cells along each axis and no warm starts make a picture in a fraction of the time.
# What can one still see in it?
#
# ```sh
# papermill notebooks/sec3_7_other_models.ipynb out.ipynb --cwd notebooks -p grid 8 -p extra_grid 4 -p warm_rounds 0
# ```
#
# :::{admonition} Answer
# :class: dropdown
# The mesa of ReLU and GELU, at once. Statements about slopes and edges need sixteen cells, and say *not applicable*.
# :::
#
# **By hand.** Why does the wedge of ReLU end at dense inputs, and where?
#
# :::{admonition} Answer
# :class: dropdown
# A pair errs when both partners are active, which costs $(1+V)p^2/6$; alone, feature 1 costs nothing and its partner must go elsewhere, at a price proportional to $p$.
# So the edge is where $Vp$ is a constant: a line of slope $-1$ in a diagram with logarithmic axes.
# :::
#
# ## What to remember
#
# - Computing and compressing share capacity differently: a slope, or a mesa of antipodal pairs.
# - With ReLU and GELU the computation model has pairs too, of features that point the same way.
# - The mesa needs a nonlinearity that is nearly silent for negative arguments, and inputs of one sign ({ref}`sec3-7-inputs`).
# - Superposition at extreme importance belongs to ReLU; with GELU the leak of the partner ends it.
#
# Next: {ref}`sec3-7-jump`, {ref}`sec3-7-choices`, {ref}`sec3-7-blog`, {ref}`sec3-7-two-in-one`; blocks themselves are the subject of {ref}`sec4-blocks`.
