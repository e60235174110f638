# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# (sec5-conclusions)=
# # What this means for someone who reads networks
#
# You open a network to find its features.
# Which of them stand there whole, which are mixed with others, and which are not there at all?
# {numref}`fig-sec5-fates` is the answer of the quadratic model for sixty features of very different importance: a few own a dimension, a few share, most are missing, and how many share is a matter of sparsity.
#
# This page goes through the paper's conclusions and says what each is worth to a reader of networks.
#
# **Paper:** section 5 {cite}`scherlis2022`.
# **Run time:** some seconds.

# %% tags=["parameters", "hide-input"] quick={"n_problems": 4}
n_features: int = 60  # features of the large example [20 .. 400]
n_dims: int = 15  # its dimensions [2 .. 19]
kurtosis: float = 9.0  # fourth moment k of a feature [3.2 .. 60]
decades: float = 4.0  # importances spread over so many powers of ten [0.5 .. 8]
n_problems: int = 12  # random problems solved without the theory [2 .. 200]
seed: int = 0  # of everything random on this page [0 .. 1000000]
device: str = "auto"  # where the numerical minimization runs {auto, cpu, cuda, mps}

# %% tags=["hide-cell"]
import numpy as np
from myst_nb import glue

import feature_capacity as fc
from feature_capacity.book.claims.checks import open_page
from feature_capacity.figures import sec5_conclusions as figures
from feature_capacity.geometry.ensembles import random_block_cosines, random_efficient
from feature_capacity.models.device import pick_device
from feature_capacity.solvers.newton import minimize_quadratic

run = open_page(
    "sec5_conclusions",
    n_features=n_features,
    n_dims=n_dims,
    kurtosis=kurtosis,
    decades=decades,
    n_problems=n_problems,
    seed=seed,
    device=device,
)
print("computed on:", pick_device(device))
rng = np.random.default_rng(seed)

# %%
importance = np.logspace(0, -decades, n_features)
best = fc.solve_allocation(importance, n_dims, kurtosis)
{phase: int((best.phase == code).sum()) for code, phase in enumerate(fc.PHASES)}

# %% mystnb={"figure": {"caption": "Who gets capacity. a: the best capacities of many features. b: the phase of each of them when all inputs become sparser (downward). None share when inputs are dense, few at the sparsity of panel a, and most of them at the bottom.", "name": "fig-sec5-fates"}, "image": {"alt": "Left: capacity against importance on a logarithmic axis: zero, then a steep rise through a few shared features, then one. Right: a map with three colors; the band of shared features is absent at the top and widens toward small probabilities."}} tags=["hide-input"]
probability = np.logspace(-3, 0, 61)
kurtoses = np.array([fc.SparseUniform(p).kurtosis for p in probability])
phases = np.array([fc.solve_allocation(importance, n_dims, k).phase for k in kurtoses])
figures.three_fates(importance, best, probability, phases)

# %% [markdown]
# (sec5-allocation)=
# ## Whom to expect, and where to be blind
#
# Independent features of one kurtosis are ranked by how much they matter to the loss, and by nothing else: a common factor changes no capacity.
# The top of the list is orthogonal to everything, the bottom is absent, and a band in between shares.
# In the band every feature is worth the same at the margin, and at least as much as the first bit of capacity would be worth to any that is absent.
# The band spans a factor $(k-1)/2$ of importance, by {eq}`eq-paper-17` and {eq}`eq-paper-18`: a factor of 4 at $k=9$ and of 900 at $k=1800$, which is $p=0.001$.
# In moderately sparse data only features that matter about equally are mixed; in very sparse data almost any two can be.
#
# For a reader that is three pieces of advice.
# Look for the partners of a mixed feature among those within that factor of its importance.
# Do not take the absence of a feature for a failure of the method: unless inputs are very sparse, most features of a long tail are not in the network.
# And where data are selected so that the remaining features are active more often, their kurtosis falls, and fewer of them should be mixed ({ref}`how networks get there <ext6-dynamics>` tries that).

# %%
import numpy as np

import feature_capacity as fc

importances = np.logspace(0, -4, 60)
found = fc.solve_allocation(importances, n_dims=15, kurtosis=9)
{name: int((found.phase == code).sum()) for code, name in enumerate(fc.PHASES)}

# %%
benefit = fc.marginal_benefit(best.capacity, importance, kurtosis)
shared, ignored = best.phase == fc.POLYSEMANTIC, best.phase == fc.IGNORED
W = fc.optimal_embedding(best, generator=rng)
whole = W[:, best.phase == fc.MONOSEMANTIC]
overlaps = np.abs(whole.T @ W)
overlaps[:, best.phase == fc.MONOSEMANTIC] -= np.diag((whole**2).sum(axis=0))
float(overlaps.max(initial=0))

# %% [markdown]
# Is that an artifact of the theory?
# Direct minimization of the loss over embeddings, from random starts and without any use of capacities, pins the same features: {glue:text}`sec5-pinned` of those in {glue:text}`sec5-problems` random problems are at 0 or 1.

# %%
problems = 10 ** rng.uniform(-1, 1, (n_problems, 8))
minima = minimize_quadratic(
    problems, kurtosis, n_dims=4, n_starts=8, seed=seed, device=device
)
theory = fc.solve_allocation(problems, 4, kurtosis)
glue("sec5-pinned", f"{(theory.phase != fc.POLYSEMANTIC).mean():.0%}", display=False)
glue("sec5-problems", n_problems, display=False)
float(np.abs(minima.capacity - theory.capacity).max())

# %% tags=["hide-input"]
scaled = fc.solve_allocation(1000 * importance, n_dims, kurtosis)
run.check("sec5-many-are-pinned", (best.phase != fc.POLYSEMANTIC).mean())
run.check("sec5-relative-importance", scaled.capacity, best.capacity)
run.check("sec5-own-dimension", overlaps.max(initial=0))
run.check("sec5-shared-are-equal", benefit[shared], np.full(shared.sum(), best.threshold))
significant = np.append(best.threshold - benefit[ignored], best.threshold)
run.check("sec5-and-significant", significant)
run.check("sec5-pinned-without-theory", np.abs(minima.capacity - theory.capacity).max())
run.badge()

# %% [markdown]
# (sec5-model)=
# ## One diagram for many models
#
# Along a line of growing importance the quadratic model passes two phases when inputs are dense and three when they are sparse, in the order ignored, shared, whole.
# The paper finds the same phases, qualitatively, in the autoencoder of {cite}`elhage2022toy`, and so do we ({ref}`sec3-7-other-models`).
# There is one reservation, which the paper has, too: a feature of far greater importance is always whole in the quadratic model, and can stay in {term}`superposition` in the autoencoder with ReLU.
# So the *order* of the phases carries over from one model to another, and the place of their edges does not.

# %%
V = np.logspace(-2, 2, 401)
diagram = fc.phase_diagram(V, np.array([2.0, 4.0, 9.0, 50.0]), n_features=6, n_dims=3)
n_phases = [len(np.unique(line)) for line in diagram.phase]
n_phases

# %% tags=["hide-input"]
run.check("sec5-phases-along-a-line", n_phases, [2, 3, 3, 3])
run.check("sec5-phases-in-order", np.diff(diagram.phase, axis=1).min())
run.badge()

# %% [markdown]
# (sec5-geometry)=
# ## Blocks are the natural unit
#
# A network that uses its whole budget splits into orthogonal {term}`blocks <block>`.
# Features of different blocks do not interfere, so a block can be read by itself; and its capacities sum to a whole number, its dimension.
#
# Let $d+1$ features, the fewest that can, share $d$ dimensions, and equally: then their block is regular, because it cannot be otherwise.
# The complement of their projection has rank 1 and equal diagonal entries, so all its entries are $\pm 1/(d+1)$: the cosines between features are $\pm 1/d$, and the block is a regular simplex up to signs.
# With more features per dimension there is room for disorder ({numref}`fig-sec5-blocks`).

# %%
small = {f"{d + 1} in {d}": random_block_cosines(d + 1, d, rng) for d in (1, 2, 3, 4)}
large = {f"{3 * d} in {d}": random_block_cosines(3 * d, d, rng) for d in (3, 5)}

# %% mystnb={"figure": {"caption": "Cosines between all pairs of equal features in random blocks. One feature more than dimensions: a simplex, whatever the random numbers. Three times as many: the angles scatter widely.", "name": "fig-sec5-blocks"}, "image": {"alt": "Six lines with tick marks. Two in one: all at 1; three in two: all at one half; four in three: all at one third; five in four: all at one quarter. Nine in three and fifteen in five: marks spread from 0 to nearly 1."}} tags=["hide-input"]
figures.block_geometry(small | large)

# %% [markdown]
# Where a block has one feature more than dimensions, one can choose neurons that serve two features each; the more features it has beyond its dimensions, the more every direction serves.
# A block can be scaled as a whole at no cost; a single feature cannot.

# %%
W = random_efficient([(3, 7), (2, 4), (1, 2)], rng)
blocks = fc.blocks(W)
[(block.dimension, block.features) for block in blocks]

# %% tags=["hide-input"]
stretched = W.copy()
for block in blocks:
    stretched[:, block.features] *= rng.uniform(0.2, 5)
one_longer = W * (1 + np.eye(W.shape[1]))[:, None]  # feature i twice as long, for each i
capacity = fc.capacities(W)
totals = [capacity[list(block.features)].sum() for block in blocks]
regular = np.concatenate(
    [np.full(len(c), 1 / d) for d, c in enumerate(small.values(), 1)]
)
run.check("sec5-small-blocks-are-forced", np.concatenate(list(small.values())), regular)
run.check("sec5-large-blocks-are-loose", min(c.std() for c in large.values()))
run.check("sec5-block-capacities-are-whole", totals, [block.dimension for block in blocks])
run.check("sec5-blocks-scale-freely", fc.capacities(stretched), capacity)
run.check("sec5-features-do-not", np.mean(len(W) - fc.total_capacity(one_longer)))
run.badge()

# %% [markdown]
# (sec5-outlook)=
# ## What one cannot conclude
#
# **That optima have one block.**
# The paper says that those of the quadratic model always do; generically they do ({ref}`always-one-block`).
# Three antipodal pairs are as good as any optimum of six equal features in three dimensions, but they are a thin set among the optima, and random starts do not end there.
#
# **That architecture decides.**
# The paper ends with the conjecture that architecture determines the size of blocks, and with it polysemanticity, besides other means such as the activation function {cite}`elhage2022solu`.
# Two models are an example: pairs in the autoencoder with ReLU and GELU, one large block in the quadratic computation model; the nonlinearity matters too, since the quadratic autoencoder has large blocks where inputs are sparse ({ref}`quadratic-autoencoder`).
# A test needs a family of architectures; `fc.blocks` counts the blocks of any matrix.
#
# **That a feature of capacity ½ is half understood.**
# Capacity says how much of a dimension is spent on a feature.
# Two features of an antipodal pair that never meet have capacity ½ each, and yet the network's output is right on every input: its square does not ask which of the two was on.
# A linear readout does ask, and cannot tell.
#
# ## Try it
#
# **Sparser inputs.** With $k=9$ few features share.
# By which factor may two features differ in importance and still share at $k=50$, and how many of the sixty do?
#
# ```sh
# papermill notebooks/sec5_conclusions.ipynb out.ipynb --cwd notebooks -p kurtosis 50
# ```
#
# :::{admonition} Answer
# :class: dropdown
# By $(k-1)/2=24.5$ instead of 4.
# 21 share, where it was 8.
# :::
#
# **A long queue.** Four hundred features stand in line for 19 dimensions, over the same four powers of ten.
# How many own one?
#
# ```sh
# papermill notebooks/sec5_conclusions.ipynb out.ipynb --cwd notebooks -p n_features 400 -p n_dims 19
# ```
#
# :::{admonition} Answer
# :class: dropdown
# None: neighbors are so close in importance that 55 of them share the 19 dimensions, and 345 are ignored.
# :::
#
# **Read this one.** A probe finds a direction that answers to three features; their importances are 1, 0.9 and 0.02, and inputs have kurtosis 9.
# What is odd about that?
#
# :::{admonition} Answer
# :class: dropdown
# At an optimum only importances within a factor of 4 share, and 0.02 is 50 times less than 1.
# Either the network is not at an optimum, or the features are not independent, or the probe mixes what the network keeps apart.
# :::
#
# ## To remember
#
# - Capacity goes by importance; sharing happens in a band that is a factor $(k-1)/2$ wide, narrow in dense data and wide in sparse data.
# - Read blocks, not neurons: different blocks do not interfere, and the capacities of a block sum to its dimension.
# - The order of the phases holds across the models tried here, if a capacity below 0.05 counts as ignored; where their edges are, and how large blocks become, depends on the model and on its inputs.
#
# What each sentence of the paper came to is in {ref}`claims`; where we differ from it, in {ref}`deviations`; how this reproduction was made, in {ref}`choices`.
