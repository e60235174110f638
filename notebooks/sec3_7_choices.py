# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---


# %% [markdown]
# (sec3-7-choices)=
# # How much of Figure 7 is our choice?
#
# The paper names models, sizes and nonlinearities.
# It does not name inputs, bias, optimizer, restarts, or how the best run was picked.
# What would the figure look like had we chosen otherwise?
#
# One choice decides: that of inputs.
# *The plateau at ½ of the autoencoder needs inputs of one sign*, and the computation model with ReLU needs both signs.
# {numref}`fig-sec3-7-inputs` repeats the middle row of {numref}`fig-7` with inputs of both signs.
# The other choices hardly show.
#
# **Paper:** section 3.7, Figure 7 {cite}`scherlis2022`.
# **Run time:** about ten minutes, once the diagrams are there.

# %% tags=["parameters", "hide-input"] quick={"grid": 4, "extra_grid": 4, "n_starts": 1, "warm_rounds": 0, "extra_rounds": 0, "n_points": 256, "n_samples": 20000, "train_steps": 10, "train_starts": 1, "audit_cells": 1, "workers": 1}
grid: int = 32  # cells along each axis of the nine diagrams [4 .. 512]
extra_grid: int = 12  # cells along each axis of the diagrams with other choices [4 .. 512]
n_starts: int = 4  # random starts in each cell, before the warm starts [1 .. 64]
warm_rounds: int = 100  # rounds of trying the minima of other cells, at most [0 .. 1000]
extra_rounds: int = 4  # the same in the diagrams with other choices [0 .. 1000]
n_points: int = 16384  # expectation nodes in each row, about [64 .. 65536]
n_samples: int = 10000000  # samples that check the noise-free loss [1000 .. 100000000]
train_steps: int = 10000  # steps of minibatch training [10 .. 100000]
train_starts: int = 8  # networks trained for each cell of a row [1 .. 32]
audit_cells: int = 200  # cells of each diagram that are searched again at length [1 .. 1000]
seed: int = 0  # seed of starts, nodes, samples and batches [0 .. 1000000]
workers: int = 2  # processes that share sweeps and training [1 .. 256]
device: str = "auto"  # where the minimization runs {auto, cpu, cuda, mps}

# %% tags=["hide-cell"]
from functools import partial

import numpy as np
import pandas as pd
from myst_nb import glue

import feature_capacity as fc
from feature_capacity.book.claims.checks import open_page
from feature_capacity.book.project import find_project
from feature_capacity.figures import sec3_7_choices as figures
from feature_capacity.figures.sec3_7_other_models import fig7_phase_diagrams
from feature_capacity.models.device import pick_device
from feature_capacity.sweeps import choices, known_answers, reading, trained
from feature_capacity.sweeps.audit import long_search
from feature_capacity.sweeps.figure_seven import (
    MODELS, NONLINEARITIES, Panel,
    as_map, by_activation, figure_seven, first_capacity, solver, table_of_maps,
)  # fmt: skip

run = open_page(
    "sec3_7_choices", grid=grid, extra_grid=extra_grid, n_starts=n_starts,
    warm_rounds=warm_rounds, extra_rounds=extra_rounds, n_points=n_points, n_samples=n_samples,
    train_steps=train_steps, train_starts=train_starts, audit_cells=audit_cells,
    seed=seed, workers=workers, device=device,
)  # fmt: skip
print("computed on:", pick_device(device))
solve = solver(
    find_project().build / "sweeps", workers, device, n_starts=n_starts,
    max_rounds=warm_rounds, n_points=n_points, seed=seed,
)  # fmt: skip
coarse = partial(solve, cells=extra_grid, max_rounds=extra_rounds)
best = figure_seven(solve, grid)
panels = {(row, name): Panel(*MODELS[row], NONLINEARITIES[name]) for row, name in best}
compute, code, code_5 = MODELS
V, p, _ = as_map(best[code, "ReLU"])

# %%
families = {"uniform": "sparse_uniform", "normal": "sparse_normal"}
by_inputs = {
    (family, name): coarse(Panel("autoencoder", 3, act, inputs))
    for family, inputs in families.items()
    for name, act in NONLINEARITIES.items()
}

# %% mystnb={"figure": {"caption": "Autoencoder, 6 in 3, with inputs of both signs, on a coarse grid; to be compared with the middle row of Figure 7. Top: uniform, bottom: normal, both with mean 0 and variance 1.", "name": "fig-sec3-7-inputs"}, "image": {"alt": "Six maps. The superposed bands are slopes that widen toward sparse inputs, without plateaus at one half."}} tags=["hide-input"]
fig7_phase_diagrams(table_of_maps(by_inputs))

# %% [markdown]
# (sec3-7-inputs)=
# ## Inputs of the autoencoder
#
# The mesa at ½ is gone.
# An antipodal pair works because a positive $x_1$ pushes the partner's output below zero, where ReLU hides it.
# With inputs of both signs a negative $x_1$ pushes it up, where nothing hides it, and the pair pays for every single activation.
# The paper's figure has large regions near ½, so that its autoencoder most likely saw inputs of one sign.
# With eight times the importance of the others feature 1 is still in a pair with inputs of one sign, and not with inputs of both:

# %%
import feature_capacity as fc

network = fc.ToyModel("autoencoder", "relu", n_features=6, n_dims=3)
[
    fc.minimize(network, inputs, [[8, 1, 1, 1, 1, 1]], n_starts=16).capacity.round(2)
    for inputs in (fc.UnitSparseUniform(0.03), fc.SparseUniform(0.03))
]

# %% [markdown]
# (sec3-7-computation-inputs)=
# ## Inputs of the computation model
#
# {numref}`fig-sec3-7-computation-inputs` gives the computation model the inputs of the autoencoder, and normal ones.

# %%
families = {"uniform, 0 to 1": "unit_sparse_uniform", "normal": "sparse_normal"}
others = {
    (family, name): Panel("computation", 3, act, inputs)
    for family, inputs in families.items()
    for name, act in NONLINEARITIES.items()
}
sums = {key: coarse(panel) for key, panel in others.items()}
decided = {key: choices.decided(sums[key], panel) for key, panel in others.items()}

# %% mystnb={"figure": {"caption": "Computation model, 6 in 3, on a coarse grid, with other inputs; to be compared with the top row of Figure 7. Top: uniform from 0 to 1, bottom: normal with mean 0 and variance 1. White: the loss is 0, and capacities are not determined.", "name": "fig-sec3-7-computation-inputs"}, "image": {"alt": "Six maps. With inputs of one sign, quadratic and GELU have a band as before and the map of ReLU is empty. With normal inputs all three have a narrow band between capacity 0 and 1, as in Figure 7."}} tags=["hide-input"]
fig7_phase_diagrams(
    {
        family: {
            name: (*as_map(sums[family, name])[:2], decided[family, name])
            for name in NONLINEARITIES
        }
        for family in families
    }
)

# %% [markdown]
# Normal inputs change little.
# With inputs of one sign ReLU drops out altogether: $\operatorname{ReLU}(x)=x$ for $x\ge0$, so that the target is a linear function, one neuron along the vector of importances computes it without error, and embeddings with all sorts of capacities have loss 0.
# Since the paper has a diagram, its computation rows were made with inputs of both signs.
#
# (sec3-7-bias)=
# ## Bias
#
# {numref}`fig-sec3-7-bias` takes away freedom: one number for all outputs of the autoencoder, and then none at all.

# %%
kinds = {
    "computation,\nno bias": ("computation", "none"),
    "autoencoder,\none bias": ("autoencoder", "shared"),
    "autoencoder,\nno bias": ("autoencoder", "none"),
}
by_bias = {
    (label, name): coarse(Panel(model, 3, act, bias=bias))
    for label, (model, bias) in kinds.items()
    for name, act in NONLINEARITIES.items()
}

# %% mystnb={"figure": {"caption": "Less freedom of the bias, 6 in 3, on a coarse grid; to be compared with the upper two rows of Figure 7.", "name": "fig-sec3-7-bias"}, "image": {"alt": "Nine maps that look like those of Figure 7. Computation without bias: a narrow band between capacity 0 and 1. Autoencoder with one bias and with none: the wedge of capacity one half of ReLU and the plateau of GELU are there; without bias the edge of capacity 0 is blurred at dense inputs."}} tags=["hide-input"]
fig7_phase_diagrams(table_of_maps(by_bias))

# %% [markdown]
# It hardly matters.
# In an antipodal pair the error is made where both partners are active, and no constant can undo it.
# Where inputs are dense it is otherwise: a bias says the mean of an ignored feature, and without one the network spends some capacity on saying it.

# %% tags=["hide-input"]
both_signs = max(
    reading.stuck(first_capacity(found)).mean() for found in by_inputs.values()
)
one_sign = reading.stuck(first_capacity(best[code, "ReLU"])).mean()
alike = {}
for name, act in NONLINEARITIES.items():
    none = by_bias["computation,\nno bias", name]
    with_bias = reading.on_grid_of(best[compute, name], none)
    alike[act] = reading.correlation(first_capacity(none), with_bias)
in_pairs = {
    label: by_activation(by_bias, label, reading.share_of_pairs) for label in kinds
}
one_bias, no_bias = in_pairs["autoencoder,\none bias"], in_pairs["autoencoder,\nno bias"]
silent = ("relu", "gelu")
run.check("sec3-7-one-sign", both_signs / one_sign if one_sign else np.nan)
run.check_each("sec3-7-bias-none-shape", alike)
run.check_each("sec3-7-bias-shared-pairs", {act: one_bias[act] for act in silent})
run.check_each("sec3-7-bias-none-pairs", {act: no_bias[act] for act in silent})
run.badge()

# %% [markdown]
# (sec3-7-limits)=
# ## Limits
#
# A share of cells depends on where the line is drawn.
# {numref}`fig-sec3-7-limits` moves the lines through the diagrams of Figure 7.

# %% mystnb={"figure": {"caption": "Three limits, moved; dotted: where this book has them. Left: share of superposed cells. Center: share of cells close to ½. Right: share of superposed cells with one block (computation), and share of cells stuck at ½ in which feature 1 forms a pair (autoencoder).", "name": "fig-sec3-7-limits"}, "image": {"alt": "Three panels of curves. Shares of superposed cells fall slowly with the limit. Shares of cells close to one half rise, with ReLU and GELU of the autoencoder high from the start. Shares of pairs and of single blocks against the cosine."}} tags=["hide-input"]
edges, near = np.linspace(0.01, 0.2, 20), np.linspace(0.01, 0.1, 19)
cosines = np.linspace(0.02, 0.4, 11)
six_in_three = {
    (row.split(",")[0], name): best[row, name]
    for row in (compute, code)
    for name in NONLINEARITIES
}
shared, close, linked = choices.shares_by_limit(six_in_three, edges, near, cosines)
figures.shares_by_limit({
    "superposed": ("distance from 0 and 1", edges, shared, 0.05),
    "stuck at ½": ("distance from ½", near, close, 0.03),
    "one block, or pairs": ("cosine that links", cosines, linked, reading.COSINE),
})  # fmt: skip

# %% [markdown]
# The autoencoder with ReLU has cliffs for edges, and its share hardly moves.
# The computation model has slopes, so that its share depends on the limit, and with it the word *narrower*: with GELU the ratio of the two shares goes from {glue:text}`sec3-7-limits-tight:.2f` at a limit of 0.01 to {glue:text}`sec3-7-limits-loose:.2f` at 0.2.
# Pairs are pairs whatever the cosine; one block is one block up to a cosine of about {glue:text}`sec3-7-limits-one-block:.2f` with ReLU, since the cosines between its vectors are of this size.
#
# (sec3-7-restarts)=
# ## Restarts
#
# Others who make such diagrams average over trials, or take the best of some number of them.
# In nine cells of each diagram we minimize from {glue:text}`sec3-7-many` random starts, without help from neighbors.

# %%
many = 8 * max(1, n_starts // 2)
again = {
    f"{row[0]} {panel.n_dims} {name}": choices.restarts(
        panel,
        (0.004, 0.03, 0.2),
        (0.6, 1.3, 3.0),
        many,
        n_points=max(64, n_points // 4),
        seed=seed,
        device=device,
    )
    for (row, name), panel in panels.items()
}

# %% mystnb={"figure": {"caption": "Left: excess of the best of m random starts over the lowest loss known, mean over cells; one line per model (c: computation, a: autoencoder, with the number of dimensions), colors as on the right. Right: distance of the capacity from that at the lowest loss known, for the best of four starts and for the mean of four.", "name": "fig-sec3-7-restarts"}, "image": {"alt": "Left: nine falling lines. Right: for every model the mean of four starts is further from the capacity at the best loss than the best of four."}} tags=["hide-input"]
figures.restarts(
    (1, 2, 4, 8),
    {label: each.excess for label, each in again.items()},
    {label: (each.best_error, each.mean_error) for label, each in again.items()},
    n_starts=4,
)

# %% [markdown]
# A single start ends on average up to {glue:text}`sec3-7-single:.0%` above the lowest loss, depending on the model, and the best of four up to {glue:text}`sec3-7-four:.1%`.
# The mean of a local and a global minimum is the capacity of no network: it is off by {glue:text}`sec3-7-mean-error:.2f`, the best of four by {glue:text}`sec3-7-best-error:.2f`.
#
# (sec3-7-long-search)=
# ## A search ten times as long
#
# How are the minima found?
# Every cell begins at a few random matrices and at as many arrangements of {term}`antipodal pairs <antipodal pair>`, polygons and simplices.
# Then come rounds.
# In each, a cell tries what the round before has found anew: the minima of its four neighbors, those of the whole diagram that are low there (in a sample of cells, which is another in each round; elsewhere what is lower as it stands), and its own minimum after a random move (two features change places, a weight becomes zero, everything is drawn again, …).
# A part of the cells goes first, every fourth along each axis, then every second, then all; so the borders between kinds of minima are in place before most cells begin.
# It ends when a round improves no cell by more than a part in ten thousand.
#
# Did the search stop too early?
# In {glue:text}`sec3-7-audited` cells of each diagram, drawn by a seed, we search again, from ten times as many starts of every kind, from the minima of all other cells, and from the minima of the same cell under the other two nonlinearities.

# %%
searched = {
    key: long_search(
        found, audit_cells, seed=seed, device=device,
        others=[best[key[0], name] for name in NONLINEARITIES if name != key[1]],
    )
    for key, found in best.items()
    if key != (compute, "quadratic")
}
lower = {key: (each.fall.values > 1e-3).mean() for key, each in searched.items()}
pd.DataFrame(
    {
        " ".join(key): {
            "rounds": best[key].attrs["rounds"],
            "settled": "yes" if best[key].attrs["settled"] else "no",
            "lower by more than 0.1 %": f"{lower[key]:.1%}",
            "lower at most by": f"{max(each.fall.values.max(), 0):.2%}",
            "capacity moves at most by": f"{np.abs(each.moved.values).max():.3f}",
        }
        for key, each in searched.items()
    }
).T

# %% [markdown]
# The quadratic computation model is missing because its diagram is exact.
# A diagram has settled when the last round improved no cell.
#
# (sec3-7-nodes)=
# ## Nodes
#
# The expected loss is an average over all on/off masks, with some thousand nodes for the active values.
# A loss looks too good on the very nodes it was minimized on.
# In sixteen cells of each diagram, spread over it, we compare it with about 130,000 nodes drawn anew: it is off by {glue:text}`sec3-7-flattered:.1%` at most, and by {glue:text}`sec3-7-flattered-median:.2%` in the median; minimized again on twice as many, by {glue:text}`sec3-7-flattered-double:.2%` at most.
# Minimized again on other nodes, capacities move by {glue:text}`sec3-7-moved:.4f` in the median of the worst diagram.

# %% tags=["hide-input"]
off = {key: choices.flattery(panels[key], found) for key, found in best.items()}
off = np.abs(np.concatenate(list(off.values())))
double = [
    choices.flattery(panels[key], found, more=2, device=device)
    for key, found in best.items()
]
moved = [
    np.median(choices.moved_by_other_nodes(panels[key], found, n_points, seed, device))
    for key, found in best.items()
]
sampled = choices.sampled_beside(
    [(panels[key], found) for key, found in best.items()], 0.2, 1.3, n_samples, seed
)
r = int(np.argmin(abs(np.log(p / 0.2))))
row = best[compute, "quadratic"].isel(probability=r)
on_nodes = fc.minimize(
    fc.ToyModel("computation", "quadratic"), fc.SparseUniform(p[r]),
    [[v, 1, 1, 1, 1, 1] for v in V], n_starts=2 * n_starts, seed=[seed, 8],
    device=device,
)  # fmt: skip
distance = np.abs(on_nodes.capacity[:, 0] - row.capacity.sel(feature=0).values)
labels = {
    "flattered": np.nanmax(off),
    "flattered-median": np.nanmedian(off),
    "flattered-double": np.nanmax(np.abs(np.concatenate(double))),
    "moved": max(moved),
}
labels["single"] = max(each.excess[0] for each in again.values())
labels["four"] = max(each.excess[2] for each in again.values())
labels["best-error"] = np.mean([each.best_error for each in again.values()])
labels["mean-error"] = np.mean([each.mean_error for each in again.values()])
ratio = shared["computation", "GELU"] / np.maximum(shared["autoencoder", "GELU"], 1e-9)
labels["limits-tight"], labels["limits-loose"] = ratio[0], ratio[-1]
single = linked["computation", "ReLU"]
labels["limits-one-block"] = max(cosines[single >= 0.9], default=np.nan)
for label, value in labels.items():
    glue(f"sec3-7-{label}", float(value), display=False)
glue("sec3-7-many", many, display=False)
glue("sec3-7-audited", min(audit_cells, grid**2), display=False)
fewest = {NONLINEARITIES[n]: min(linked["autoencoder", n]) for n in ("ReLU", "GELU")}
run.check_each("sec3-7-limits-pairs", fewest)
run.check("fig7-long-search", max(lower.values()))
run.check("fig7-nodes-loss", np.nanmax(off))
run.check("fig7-nodes-redrawn", max(moved))
run.check(
    "fig7-nodes-sampled", sampled.mean, sampled.on_nodes,
    standard_error=sampled.standard_error,
)  # fmt: skip
run.check("fig7-quadratic-exact", np.median(distance))
run.badge()

# %% [markdown]
# (sec3-7-known-answers)=
# ## The tools, where the answer is known
#
# No closed form says what Figure 7 should be.
# But each tool that it is made with can be tried where one does: nodes on a variance, the minimizer on the loss that its network has by definition, training batches on {eq}`eq-sec3-1-bias`, the width of a band on that of theory, the count of neurons on two pairs that lie evenly between two neurons, and the edge of ReLU's pairs on the two losses that it says are equal.

# %% tags=["hide-input"]
two_ways = {act: known_answers.minimized_two_ways(act, seed) for act in silent}
reported, direct = np.array(list(two_ways.values())).swapaxes(0, 1)
in_float32, in_float64 = np.moveaxis(reported, -1, 0)
on_nodes, variance = known_answers.variance_on_nodes()
on_batch, loss = known_answers.loss_of_a_batch(seed=seed)
width, width_exact = known_answers.width_of_theory(32)
as_they_stand, turned = known_answers.neurons_of_turned_pairs()
pair, alone = known_answers.losses_at_the_overlap_edge()
pd.DataFrame(
    {
        "variance on nodes / exact": (on_nodes / variance).round(12).max(),
        "loss reported / by definition": (reported / direct).max().round(6),
        "float32 / float64": (in_float32 / in_float64).max().round(6),
        "training batch / closed form": round(on_batch / loss, 3),
        "decades of a band, 32 cells / exact": round(width / width_exact, 3),
        "neurons of pairs, turned back": round(turned, 6),
        "ReLU's pair at its edge / feature 1 alone": round(pair / alone, 4),
    },
    index=[""],
).T

# %% tags=["hide-input"]
run.check("fig7-known-variance", on_nodes / variance, 1.0)
run.check("fig7-known-loss", np.abs(reported / direct - 1).max())
run.check("fig7-known-two-ways", np.abs(in_float32 / in_float64 - 1).max())
run.check("fig7-known-batch", on_batch / loss)
run.check("fig7-known-width", abs(width - width_exact) * 31 / 4)
run.check("fig7-known-neurons-standing", as_they_stand)
run.check("fig7-known-neurons-turned", turned)
run.check("fig7-known-edge", pair / alone)
run.badge()

# %% [markdown]
# (sec3-7-trained)=
# ## Trained networks
#
# What would someone see who trains?
# One row of each panel, that with $p$ nearest to 0.03, is trained the usual way: Adam, a learning rate of 0.001, {glue:text}`sec3-7-steps` steps on fresh batches of 256, {glue:text}`sec3-7-train-starts` networks for each cell, of which the best counts.
# Networks of one row see the same batches, and the inputs of a batch in which nothing is active are computed once.

# %%
training = trained.Training(train_starts, train_steps, seed=seed)
row = int(np.argmin(abs(np.log(p / 0.03))))
beside = trained.train_beside(
    {key: trained.row_of(panels[key], found, row) for key, found in best.items()},
    training,
    workers,
)

# %% mystnb={"figure": {"caption": "One row of each panel of Figure 7: capacity of feature 1 minimized (line), of the best trained network (dots), and of all networks trained (pale).", "name": "fig-sec3-7-trained"}, "image": {"alt": "Nine panels of curves against importance. Dots lie on the line in most cells; pale dots scatter widely around the plateaus and slopes."}} tags=["hide-input"]
figures.trained_rows(
    V,
    {
        key: (
            each.capacity,
            each.trained.capacity[:, 0],
            each.trained.capacity_of_starts[..., 0],
        )
        for key, each in beside.items()
    },
)

# %% [markdown]
# The best of the trained comes within {glue:text}`sec3-7-excess-median:.1%` of the minimum in the median, and in the worst panel, {glue:text}`sec3-7-excess-panel`, within {glue:text}`sec3-7-excess-worst:.0%`.
# Where it comes within one percent it mostly finds the same capacity.
# A whole panel, the autoencoder with ReLU on a coarser grid, with half as many networks for each cell:

# %%
some = np.unique(np.linspace(0, grid - 1, min(grid, extra_grid)).round().astype(int))
key = (code, "ReLU")
rows = {r: trained.row_of(panels[key], best[key], r, some) for r in some.tolist()}
half = trained.Training(max(1, train_starts // 2), train_steps, seed=seed)
whole = trained.train_beside(rows, half, workers)
picture = np.array([each.trained.capacity[:, 0] for each in whole.values()])

# %% mystnb={"figure": {"caption": "Autoencoder with ReLU, 6 in 3: the same cells minimized, and trained.", "name": "fig-sec3-7-trained-panel"}, "image": {"alt": "Two maps of capacity with a wedge at one half. The trained one is ragged, and blurred where inputs are sparse and feature 1 matters little."}} tags=["hide-input"]
minimized = first_capacity(best[key])[np.ix_(some, some)]
figures.panel_beside(
    {"minimized": (V[some], p[some], minimized), "trained": (V[some], p[some], picture)}
)

# %% tags=["hide-input"]
excess = np.concatenate([each.excess for each in beside.values()])
same = excess < 0.01
apart = np.concatenate(
    [np.abs(x.capacity - x.trained.capacity[:, 0]) for x in beside.values()]
)
middle = {" ".join(key): np.median(each.excess) for key, each in beside.items()}
glue("sec3-7-steps", f"{train_steps:,}", display=False)
glue("sec3-7-train-starts", train_starts, display=False)
glue("sec3-7-excess-median", float(np.median(excess)), display=False)
glue("sec3-7-excess-panel", max(middle, key=middle.get), display=False)
glue("sec3-7-excess-worst", float(max(middle.values())), display=False)
run.check("fig7-trained-never-better", -excess.min())
run.check("fig7-trained-agrees", np.median(apart[same]) if same.any() else np.nan)
run.badge()

# %% [markdown]
# ## Try it
#
# Paste a command at the root of the project; the executed page is then in `out.ipynb`.
#
# **A short training.** What does one see after 300 steps instead of ten thousand?
#
# ```sh
# papermill notebooks/sec3_7_choices.ipynb out.ipynb --cwd notebooks -p train_steps 300
# ```
#
# :::{admonition} Answer
# :class: dropdown
# Noise: capacities of networks that have hardly left their starts.
# :::
#
# **One network.** What if one network is trained for each cell, and none is picked?
#
# ```sh
# papermill notebooks/sec3_7_choices.ipynb out.ipynb --cwd notebooks -p train_starts 1
# ```
#
# :::{admonition} Answer
# :class: dropdown
# The plateaus are there, with holes; slopes become clouds.
# :::
#
# **Fewer nodes.** Is a sixteenth of the nodes enough?
#
# ```sh
# papermill notebooks/sec3_7_choices.ipynb out.ipynb --cwd notebooks -p n_points 1024 -p train_steps 300
# ```
#
# :::{admonition} Answer
# :class: dropdown
# For the picture, yes. Losses look better than they are by several percent.
# :::
#
# **By hand.** Why does an average over restarts mislead where capacity jumps?
#
# :::{admonition} Answer
# :class: dropdown
# Half of the networks have 0 and half have 1; the mean of ½ looks like a plateau of pairs.
# :::
#
# ## What to remember
#
# The sign of the inputs makes the plateau of the autoencoder, and the diagram of ReLU's sums; bias, nodes and restarts are details.
# Someone who trains long enough and keeps the best of some networks sees the same figure, less sharp.
# Next: {ref}`sec3-7-blog`.
