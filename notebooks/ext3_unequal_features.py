# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# (ext3-unequal-features)=
# # Unequal features: can a dense feature share?
#
# In the paper every feature is as sparse as every other, and sharing takes a kurtosis above 3.
# Real features differ: some are on all the time, others once in a million words.
# Is a dense feature among sparse ones always a loner, whole or ignored?
#
# **Paper:** section 3.1 {cite}`scherlis2022`, without its assumption that all features have one kurtosis.
# **Run time:** under a minute.

# %% tags=["parameters", "hide-input"] quick={"grid": 24, "n_random": 40}
dense_kurtosis: float = 2.5  # fourth moment of the dense feature [1.5 .. 2.95]
sparse_kurtosis: float = 30.0  # fourth moment of the others [5 .. 1000]
n_sparse: int = 4  # how many others there are, of importance 1 [2 .. 12]
n_dims: int = 2  # dimensions [1 .. 2]
grid: int = 120  # importances that are tried [20 .. 400]
n_random: int = 400  # random problems [20 .. 4000]
seed: int = 0  # of everything random on this page [0 .. 1000000]
device: str = "auto"  # where the numerical minimization runs {auto, cpu, cuda, mps}

# %% tags=["hide-cell"]
import itertools

import numpy as np
import pandas as pd
from myst_nb import glue

import feature_capacity as fc
from feature_capacity.book.claims.checks import open_page
from feature_capacity.explorers import unequal_explorer
from feature_capacity.figures import ext3_unequal_features as figures
from feature_capacity.models.device import pick_device

run = open_page(
    "ext3_unequal_features",
    dense_kurtosis=dense_kurtosis,
    sparse_kurtosis=sparse_kurtosis,
    n_sparse=n_sparse,
    n_dims=n_dims,
    grid=grid,
    n_random=n_random,
    seed=seed,
    device=device,
)
print("computed on:", pick_device(device))

# %% mystnb={"figure": {"caption": "A dense feature beside sparse ones of importance 1. Lines: the exact optimum; dots: the loss minimized over W, with no theory in it. In the shaded band the dense feature is polysemantic, although its kurtosis is below 3.", "name": "fig-ext3-dense"}, "image": {"alt": "Capacity against the importance of the dense feature. Its capacity is zero, rises through a short shaded band and stays at one; that of the sparse features falls from one half to one quarter meanwhile. Dots lie on the lines."}} tags=["hide-input"]
kurtosis = np.r_[dense_kurtosis, np.full(n_sparse, sparse_kurtosis)]
importance = np.ones((grid, n_sparse + 1))
importance[:, 0] = np.linspace(0.5, 2 * n_sparse / n_dims + 1, grid)
best = fc.solve_allocation(importance, n_dims, kurtosis)

some = importance[:: max(1, grid // 12)]
moments = fc.independent_moments(kurtosis, n_sparse + 1)
found = fc.minimize_moments(some, moments, n_dims, 20, seed=seed, device=device)
dots = some[:, 0], found.capacity
figures.dense_beside_sparse(importance[:, 0], best.capacity, dots)

# %% tags=["hide-input"]
exact = best.loss[:: max(1, grid // 12)]
off = (found.loss - exact) / (1 + exact)
run.check("ext3-optimum-never-below", off)
run.check("ext3-optimum-attained", (abs(off) < 1e-9).mean())
run.badge()

# %% [markdown]
# It can.
# In five lines:

# %%
import feature_capacity as fc

best = fc.solve_allocation([2.6, 1, 1, 1, 1], 2, kurtosis=[2.5, 30, 30, 30, 30])
best.capacity.round(3)

# %% [markdown]
# ## The loss is still a sum
#
# For independent features the loss of the quadratic model has the kurtosis in one place only (the paper's equation 12, with $k_i$ for $k$):
#
# $$ \mathcal L = \sum_i (k_i-1)(n_i-v_i)^2 + 2\sum_{i\ne j}(w_i\cdot w_j)^2 . $$
#
# So each feature has its own curve, $f_i(C) = \frac{2(k_i-1)v_i^2(1-C)}{(k_i-3)C+2}$, and an optimum shares out $D$ dimensions among the curves.
# A feature that shares has $n_i/C_i = \lambda$, from which
#
# $$ C_i = 1 - \frac{k_i-1}{k_i-3}\left(1-\frac{v_i}{\lambda}\right). $$
#
# The curve bends up (diminishing returns) for $k_i > 3$, and down (increasing returns) for $k_i < 3$.
# Any such allocation is that of a matrix: those that share have lengths $\lambda C_i$ in a whole number of dimensions, which Theorem P1 builds.
# Its loss, summed over all inputs that are 0 or $\pm\sqrt k$, on with probability $1/k$, beside that of twenty random matrices:

# %%
W = fc.optimal_embedding(best)
k, v = best.kurtosis, best.importance
states = np.array(list(itertools.product((0, -1, 1), repeat=5)))
chance = np.where(states == 0, 1 - 1 / k, 1 / (2 * k)).prod(axis=1)
x = states * np.sqrt(k)

every = np.stack([W, *np.random.default_rng(seed).standard_normal((20, 2, 5))])
error = ((x @ every.mT) ** 2).sum(axis=-1) - x**2 @ v
summed = (error - (error @ chance)[:, None]) ** 2 @ chance
fc.capacities(W).round(3), float(summed[0]), float(best.loss), float(summed[1:].min())

# %% tags=["hide-input"]
run.check("ext3-loss", fc.expected_loss(every, v, k), summed)
run.check("ext3-realized", summed[0], best.loss)
run.badge()

# %% [markdown]
# ## Why one of them can
#
# Let the dense feature take capacity from the sparse ones.
# Its own curve bends down, theirs bends up; the sum of both can have a minimum in between if theirs bends more.

# %% mystnb={"figure": {"caption": "The loss against what the dense feature takes, at three of its importances; the sparse ones share the rest. In the middle panel the minimum is inside.", "name": "fig-ext3-trade"}, "image": {"alt": "Three curves. Left: rising, with its minimum at zero. Middle: falling, then rising, with its minimum inside. Right: with its minimum at one."}} tags=["hide-input"]
share = np.linspace(0, 1, 201)
rest = np.clip((n_dims - share) / n_sparse, 0, 1)
C = np.column_stack([share, *[rest] * n_sparse])
phase = fc.solve_allocation(importance, n_dims, kurtosis).phase[:, 0]
inside = importance[phase == fc.POLYSEMANTIC, 0]
middle = float(np.median(inside)) if inside.size else n_sparse / n_dims
values = (0.8 * middle, middle, 1.6 * middle)
v = [np.r_[first, np.ones(n_sparse)] for first in values]
losses = [fc.loss_at_best_lengths(C, each, kurtosis).sum(axis=-1) for each in v]
figures.losses_along_the_trade(share, losses, [f"importance {v:.2f}" for v in values])

# %% tags=["hide-input"]
moments = fc.independent_moments(kurtosis, n_sparse + 1)
one = fc.minimize_moments(v[1], moments, n_dims, 20, seed=seed, device=device)
run.check("ext3-dense-shares", min(one.capacity[0], 1 - one.capacity[0]))
run.badge()

# %% [markdown]
# **At most one feature with increasing returns shares.** *Proof.*
# Move capacity $\delta$ from one to another.
# The loss changes by $\delta\,(f_i' - f_j') + \tfrac12\delta^2(f_i''+f_j'') + \dots$ with both second derivatives negative, so that one direction pays. ∎
#
# **It must outweigh all the others that share:**
#
# $$ \sum_{\text{shared}} \frac{k_i-1}{k_i-3}\,v_i \le 0 . $$
#
# *Proof.*
# At an optimum the second derivatives must not be negative along any $\delta$ with $\sum_i\delta_i = 0$.
# For a diagonal form with one negative entry that means $\sum_i 1/f_i'' \le 0$, and where all share one $\lambda$, $f_i'' = 4\lambda^3\frac{k_i-3}{(k_i-1)v_i}$. ∎
#
# Only the dense feature has a negative term.
# Call $\frac{k-1}{|k-3|}v$ its heaviness: near $k=3$ a feature is heavy, and sparse features become light down to $v$.
# So the sharers are a heavy one, not far below 3 or very important, and light ones.

# %% mystnb={"figure": {"caption": "Random problems in which a feature below kurtosis 3 shares. None lies left of the line, where it would weigh less than the others.", "name": "fig-ext3-random"}, "image": {"alt": "Scattered dots, all to the right of a dashed line at one, between capacity zero and one."}} tags=["hide-input"]
rng = np.random.default_rng(seed)
dense, sparse = (n_random, 2), (n_random, 4)
k = np.column_stack([rng.uniform(2, 2.99, dense), rng.uniform(5, 60, sparse)])
v = np.column_stack([rng.uniform(1, 4, dense), rng.uniform(0.6, 1.4, sparse)])
many = fc.solve_allocation(v, 2, k)
shared = np.asarray(many.phase) == fc.POLYSEMANTIC
odd = shared & (k < 3)
weight = np.where(shared, (k - 1) / np.abs(k - 3) * v, 0)
rows = odd.any(axis=1)
others = np.where(odd, 0, weight).sum(axis=1)[rows]
heavy = np.where(odd, weight, 0).sum(axis=1)[rows]
figures.random_rows(heavy / others, many.capacity[odd])

# %% tags=["hide-input"]
run.check("ext3-one-exact", odd.sum(axis=1).max())
if rows.any():
    run.check("ext3-outweighs-exact", heavy / others - 1)
else:
    run.not_applicable("ext3-outweighs-exact", "no dense feature shares in any of them")
glue("ext3-random", f"{n_random:,}", display=False)
glue("ext3-odd", f"{rows.sum():,}", display=False)

# %% [markdown]
# Of {glue:text}`ext3-random` random problems, two dense features and four sparse ones each, {glue:text}`ext3-odd` have a dense one that shares.
# *Measured:* with kurtoses from 2 to 2.99 and 5 to 60 and importances from 0.6 to 4, twenty of them minimized over $W$, those with a dense sharer first, end at the same losses and obey both rules.

# %% tags=["hide-input"]
some = np.argsort(~rows, kind="stable")[:20]
eye = np.eye(6)
fourth = 1 - eye + k[some][:, :, None] * eye
moments = fc.Moments(np.ones((20, 6)), fourth)
free = fc.minimize_moments(v[some], moments, 2, 20, seed=seed, device=device)
off = (free.loss - many.loss[some]) / (1 + many.loss[some])
run.check("ext3-optimum-random-never-below", off)
run.check("ext3-optimum-random-attained", (abs(off) < 1e-9).mean())

shared = (free.capacity > 1e-4) & (free.capacity < 1 - 1e-4)
odd = shared & (k[some] < 3)
weight = np.where(shared, (k[some] - 1) / np.abs(k[some] - 3) * v[some], 0)
with_odd = odd.any(axis=1)
run.check("ext3-one-minimized", odd.sum(axis=1).max())
if with_odd.any():
    heavy = np.where(odd, weight, 0).sum(axis=1)[with_odd]
    others = np.where(odd, 0, weight).sum(axis=1)[with_odd]
    run.check("ext3-outweighs-minimized", heavy / others - 1)
else:
    run.not_applicable("ext3-outweighs-minimized", "no dense feature shares")

lam, at = float(best.multiplier), np.asarray(best.capacity)
step = 1e-4
one = best.importance, best.kurtosis
side = [fc.loss_at_best_lengths(at + s, *one) for s in (-step, 0, step)]
bend = (side[0] - 2 * side[1] + side[2]) / step**2
formula = 4 * lam**3 * (best.kurtosis - 3) / ((best.kurtosis - 1) * best.importance)
run.check("ext3-bend", bend, formula)
run.badge()

# %% [markdown]
# ## Found exactly
#
# Two facts make the search finite.
# Of the features up to 3 all but one are whole or ignored, and the whole ones are those that gain most, $(k_i-1)v_i^2$ each for the price of one dimension.
# For every candidate for the odd one, and every interval between phase changes of the features above 3, one division gives the $\lambda$ that spends the budget.
#
# With many features these are too many to try, and nearly all of them are hopeless.
# Let $\hat\lambda$ be the multiplier of some allocation that is known, and put a price $t = 2\hat\lambda^2$ on a dimension.
# Any allocation that spends exactly $D$ of them, and in which the features above 3 have the multiplier $\lambda$, loses at least
#
# $$ \sum_{k_i>3}\big[f_i(C_i(\lambda)) + t\,C_i(\lambda)\big] + \sum_{k_i\le3}\min\big((k_i-1)v_i^2,\ t\big) - tD . $$
#
# *Proof.*
# Adding $t(\sum_i C_i - D) = 0$ to the loss changes nothing.
# For $k_i \le 3$ the curve $f_i(C)+tC$ is concave, hence least at $C = 0$ or $C = 1$, where it is $(k_i-1)v_i^2$ or $t$. ∎
#
# The first sum is least at $\lambda = \hat\lambda$ and rises on both sides, since its derivative is $2(\hat\lambda^2-\lambda^2)$ times that of a capacity that falls.
# So a multiplier far from $\hat\lambda$ cannot beat an allocation that is known, and only the intervals around it are looked at.
# What takes time is one sort, as with equal kurtosis: a row of a hundred thousand features, half of them dense, and how many of its dense ones share.

# %%
n = 100_000
v = np.arange(1, n + 1) ** -0.8
k = np.where(np.arange(n) % 2, dense_kurtosis, sparse_kurtosis)
long = fc.solve_allocation(v, n // 10, k)
phases = pd.DataFrame({"kurtosis": k, "phase": np.array(fc.PHASES)[long.phase]})
phases.value_counts().unstack(fill_value=0)

# %% tags=["hide-input"]
price = 2 * float(long.multiplier) ** 2
share = np.clip(1 - (k - 1) / (k - 3) * (1 - v / long.multiplier), 0, 1)
share = np.where(k > 3, share, (k - 1) * v**2 > price)
dual = fc.loss_at_best_lengths(share, v, k).sum() + price * (share.sum() - n // 10)
gap = (float(long.loss) - dual) / price
run.check("ext3-dual", [gap, 1 - gap])
run.badge()

# %% [markdown]
# ## The phase diagram of one feature
#
# Give one feature any importance and any kurtosis, the others staying as they are: once from the exact allocation, and once by minimizing the loss over $W$, which knows nothing of curves or of capacity.

# %% mystnb={"figure": {"caption": "Capacity and phase of one feature by its importance and its own kurtosis, beside the sparse ones of importance 1. a: exact. b: the loss minimized over W from random starts, on a coarser grid. c: the phase. Below the dashed line returns increase. The band in which it shares does not end there: it narrows to a point, and below that the feature jumps from ignored to whole.", "name": "fig-ext3-map"}, "image": {"alt": "Three maps, the first two alike. In all of them a band between dark, ignored, and light, whole, is wide at large kurtosis and narrows downward; it goes on below the dashed line at kurtosis 3, ends in a point, and leaves a sharp border between ignored and whole."}} tags=["hide-input"]
own = np.geomspace(1.5, 30, grid)
cells = np.ones((grid, grid, n_sparse + 1))
cells[..., 0] = np.linspace(0.1, 2 * n_sparse / n_dims + 1, grid)
kurtoses = np.full((grid, grid, n_sparse + 1), sparse_kurtosis)
kurtoses[..., 0] = own[:, None]
diagram = fc.solve_allocation(cells, n_dims, kurtoses)

step = max(1, grid // 20)
coarse = (slice(step // 2, None, step),) * 2
free = fc.minimize_quadratic(
    cells[coarse], kurtoses[coarse], n_dims, n_starts=10, seed=seed, device=device
)
axes = cells[0, :, 0], own
figures.dense_feature_map(
    (*axes, diagram.capacity[..., 0]),
    diagram.phase[..., 0],
    (*(axis[coarse[0]] for axis in axes), free.capacity[..., 0]),
)

# %% tags=["hide-input"]
off = (free.loss - diagram.loss[coarse]) / (1 + diagram.loss[coarse])
run.check("ext3-optimum-map-never-below", off)
run.check("ext3-optimum-map-attained", (abs(off) < 1e-9).mean())
glue("ext3-cells", f"{off.size:,}", display=False)
glue("ext3-most-kurtosis", f"{own[-1]:g}", display=False)
run.badge()

# %% [markdown]
# *Measured* in {glue:text}`ext3-cells` cells, at kurtoses from 1.5 to {glue:text}`ext3-most-kurtosis` and the importances of the map: no minimization ends below the exact loss, and nearly all end at it.
#
# Point at a place of the map, and see the trade behind it:

# %% tags=["hide-input"]
unequal_explorer(n_sparse, n_dims, sparse_kurtosis, start=(2.6, dense_kurtosis))

# %% [markdown]
# ## Try it
#
# **Less sparse company.** Does the dense feature still share when the others have a kurtosis of 6?
#
# ```sh
# papermill notebooks/ext3_unequal_features.ipynb out.ipynb --cwd notebooks -p sparse_kurtosis 6.0
# ```
#
# :::{admonition} Answer
# :class: dropdown
# No: each of the others then has heaviness 5/3, their curves bend too little, and it jumps from ignored to whole.
# :::
#
# **Denser.** And when its own kurtosis is 1.8, that of a uniform feature that is always on?
#
# ```sh
# papermill notebooks/ext3_unequal_features.ipynb out.ipynb --cwd notebooks -p dense_kurtosis 1.8
# ```
#
# :::{admonition} Answer
# :class: dropdown
# No: at $k = 1.8$ its heaviness is two thirds of its importance, and four others weigh more.
# :::
#
# **More company.** With twelve sparse features instead of four?
#
# ```sh
# papermill notebooks/ext3_unequal_features.ipynb out.ipynb --cwd notebooks -p n_sparse 12
# ```
#
# :::{admonition} Answer
# :class: dropdown
# It still shares, at a larger importance: the threshold that the crowd sets is higher, and a feature that competes with it must be more important, hence heavier.
# :::
#
# **Two dense ones.** Put two equal features of kurtosis 2.5 beside eight sparse ones of importance 1 and kurtosis 30, in two dimensions, and raise the importance of both.
# Equal features have equal capacities, do they not?
#
# :::{admonition} Answer
# :class: dropdown
# Not these: at most one of them shares, so the symmetry must break.
# `fc.solve_allocation([v, v, 1, 1, 1, 1, 1, 1, 1, 1], 2, [2.5] * 2 + [30] * 8)` gives both nothing at $v = 4$, one of them 0.71 and the other nothing at $v = 5$, and at $v = 7.5$ one is whole while the other has 0.1; in the last two it says that the optimum is not unique.
# The crowd of sparse features pays for them one after the other.
# :::
#
# ## What we saw
#
# - With unequal kurtosis the optimum is a sum of curves still, and exact.
# - At most one feature up to kurtosis 3 shares, and only if it outweighs all the others that do.
# - The border at $k = 3$ is a border for crowds of equals, not for a single feature.
