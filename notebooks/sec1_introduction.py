# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# (sec1-introduction)=
# # Why do neurons mix features?
#
# **Paper:** abstract and section 1, Figures 1, 2 and 3.
# **Claims checked:** {glue:text}`sec1-n-claims`.
# **Run time:** a few seconds.
#
# ```{admonition} In one minute
# :class: tip
# Look inside a trained network and you find {term}`neurons <neuron>` that respond to several unrelated things.
# Such {term}`polysemantic` neurons make networks hard to read, so it is worth knowing why they arise.
# The answer examined here is economic.
# A network has fewer neurons than there are useful features, so room in its layers is scarce.
# Room is handed out where it lowers the loss most.
# Features that matter most get a dimension of their own, features that matter least get nothing, and those in between share, which makes neurons polysemantic.
# How many features share depends on how sparse they are.
# ```

# %% tags=["parameters"] quick={"n_random": 100}
rotation: float = 30.0  # turn of the left embedding in Figure 1, degrees [5 .. 40]
angle: float = 50.0  # between the features on the right of Figure 1, degrees [10 .. 80]
n_features: int = 12  # features in Figure 2 [6 .. 60]
n_dims: int = 5  # embedding dimensions in Figure 2 [1 .. 5]
kurtosis: float = 9.0  # fourth moment of a feature in Figure 2 [1.1 .. 1000]
importance_ratio: float = 0.8  # each importance over the one before it [0.1 .. 1.0]
n_random: int = 1000  # random problems per check [50 .. 20000]
seed: int = 0  # of everything random [0 .. 1000000]

# %% tags=["hide-input"]
import numpy as np
import pandas as pd
from myst_nb import glue

import feature_capacity as fc
from feature_capacity.book.claims.checks import open_page
from feature_capacity.explorers import capacity_explorer
from feature_capacity.figures import sec1_introduction as figures

run = open_page(
    "sec1_introduction",
    rotation=rotation,
    angle=angle,
    n_features=n_features,
    n_dims=n_dims,
    kurtosis=kurtosis,
    importance_ratio=importance_ratio,
    n_random=n_random,
    seed=seed,
)
generator = np.random.default_rng(seed)
glue("sec1-n-claims", len(run.claims), display=False)
glue("sec1-angle", angle, display=False)
glue("sec1-rotation", rotation, display=False)
glue("sec1-n-features", n_features, display=False)
glue("sec1-n-dims", n_dims, display=False)
glue("sec1-kurtosis", kurtosis, display=False)
glue("sec1-ratio", importance_ratio, display=False)

# %% [markdown]
# ## The puzzle
#
# A *feature* is a property of the input that a network could make use of: a curve in an image, a topic in a text.
# A neuron that responds to one feature is *monosemantic*; one that responds to several unrelated features is *polysemantic*.
# Trained networks are full of the second kind {cite}`olah2017feature,olah2020zoom`.
#
# What counts as a feature is hard to pin down in general.
# It is easy in one setting, the one of this paper {cite}`scherlis2022`: let the inputs be independent random numbers, one for each feature.
# Then nothing in the data ties two features together, and a neuron that mixes them does so for reasons of its own.
#
# A toy study before this one {cite}`elhage2022toy` trained small autoencoders and met both kinds of neurons, features packed into regular shapes, and sharp borders between phases.
# Here the toy is simple enough to be solved with pencil and paper.
#
# ## Two ways to be polysemantic
#
# Each feature is embedded as a vector; its coordinates are what the neurons receive.
# In {numref}`fig-two-kinds`, every neuron receives input from both features in both embeddings, so all four neurons are polysemantic.
#
# They are so for different reasons.
# On the left the features are orthogonal and merely stand askew to the neurons.
# On the right they overlap.
# Overlap is called {term}`superposition`, and it is the subject of the paper.

# %%
def directions(*degrees):
    radians = np.radians(degrees)
    return np.stack([np.cos(radians), np.sin(radians)])


rotated = directions(rotation, rotation + 90)
overlapping = directions(45 - angle / 2, 45 + angle / 2)
shares = [fc.capacities(W) for W in (rotated, overlapping)]

cosine = np.cos(np.radians(angle))
glue("sec1-shared-capacity", float(shares[1][0]), display=False)

# %% mystnb={"figure": {"caption": "Two embeddings with polysemantic neurons (the paper's Figure 1). Top: the embeddings, with neurons as axes and the capacities below. Bottom: what each neuron receives from each feature.", "name": "fig-two-kinds"}, "image": {"alt": "Left: two orthogonal arrows turned against the neuron axes, capacities 1.00 and 1.00. Right: two arrows at an acute angle, capacities 0.71 and 0.71. Bars below show that both neurons receive input from both features in either case."}} tags=["hide-input"]
figures.fig1_two_kinds(
    {"rotated": (rotated, shares[0]), "not orthogonal": (overlapping, shares[1])}
)

# %% [markdown]
# What tells them apart is {term}`capacity`: the fraction of a dimension that is allocated to a feature.
# {ref}`sec2-capacity` defines it; all we need now is that overlap lowers it and rotation does not.
# On the left both features have a full dimension.
# On the right each has {glue:text}`sec1-shared-capacity:.2f`.
#
# The difference matters, because a rotation can be undone.
# Turn the neuron basis step by step and measure the worst *cross-talk*: the second strongest input of a neuron relative to its strongest.
# At a turn of {glue:text}`sec1-rotation:.0f` degrees the left embedding is perfectly monosemantic.
# For the right one no turn helps: to point the neurons at both features they would have to be orthogonal, which the features are not.

# %%
def crosstalk(W):
    """Second strongest input of a neuron over its strongest; worst neuron."""
    strength = np.sort(abs(W), axis=-1)
    return (strength[..., -2] / strength[..., -1]).max(axis=-1)


degrees = np.linspace(0, 90, 361)
turns = np.swapaxes(np.stack([directions(d, d + 90) for d in degrees]), 1, 2)
worst = [crosstalk(turns @ W) for W in (rotated, overlapping)]

# %% mystnb={"figure": {"caption": "Cross-talk of the worst neuron while the neuron basis turns; rings mark the best turn of each embedding.", "name": "fig-turning-the-basis"}, "image": {"alt": "Two lines of cross-talk against the turn of the basis. The line of the rotated embedding touches zero; the line of the overlapping one stays well above zero."}} tags=["hide-input"]
figures.turning_the_basis(degrees, dict(zip(("rotated", "not orthogonal"), worst, strict=True)))

# %% [markdown]
# ### What overlap implies, and what it does not
#
# Two vectors with $w_i\cdot w_j\ne0$ must both be nonzero in some coordinate, so some neuron hears both.
# Overlap alone makes a neuron polysemantic, whatever the number of features; we try it with three features and four neurons, most weights zero.
#
# The introduction also says that overlap involves several neurons in *each* feature.
# That is the rule but not a law.
# Put an antipodal pair on the axis of one neuron, $w_1=(1,0)$ and $w_2=(-1,0)$: they overlap completely, yet each uses one neuron.
# The paper itself describes such pairs later, in section 3.7.

# %%
present = generator.random((n_random, 4, 3)) < 0.4
sparse = generator.standard_normal((n_random, 4, 3)) * present
overlaps = fc.interference(sparse).max(axis=1) > 1e-9
heard = present[overlaps].sum(axis=2).max(axis=1)  # by the busiest neuron

pair = np.array([[1.0, -1.0], [0.0, 0.0]])

# %% tags=["hide-input"]
run.check("fig1-neurons-hear-both", np.abs([rotated, overlapping]).min())
run.check("fig1-rotation-keeps-capacity", shares[0], np.ones(2))
run.check("fig1-overlap-costs-capacity", shares[1], np.full(2, 1 / (1 + cosine**2)))
run.check("fig1-a-turn-undoes-rotation", crosstalk(rotated.T @ rotated))
run.check("fig1-no-turn-undoes-overlap", worst[1].min())
run.check("intro-overlap-means-shared-neuron", heard - 2)
run.check("intro-overlap-means-several-neurons", (pair != 0).sum(axis=0) - 2)
run.badge()

# %% [markdown]
# ## Why share? Equal marginal value
#
# Total capacity cannot exceed the number of dimensions, so features compete for it.
# Ask of each feature: how much would the loss fall if it had a little more?
# {numref}`fig-marginal-loss` draws this *marginal loss reduction* as a function of the capacity that the feature already has.
#
# If a feature that could take more had a higher marginal value than one that could give some up, moving capacity between them would lower the loss.
# So at the optimum all features that share have the *same* marginal value.
# The others are *pinned*: at 0 if even their first bit is worth less than that, at 1 if even their last bit is worth more.
#
# The paper does not state the settings of its Figure 2.
# We use the {term}`quadratic model` of section 3, in which a feature has an {term}`importance`, its weight in the target, and the inputs have a {term}`kurtosis`, large if they are sparse.
# Ours are {glue:text}`sec1-n-features` features, each {glue:text}`sec1-ratio` times as important as the one before, in {glue:text}`sec1-n-dims` dimensions, with inputs of kurtosis {glue:text}`sec1-kurtosis:g`.

# %%
importance = importance_ratio ** np.arange(n_features)
best = fc.solve_allocation(importance, n_dims, kurtosis)
at_best = fc.marginal_benefit(best.capacity, importance, kurtosis)

bases = np.linalg.qr(generator.standard_normal((n_random, n_features, n_dims)))[0]
rivals = (bases**2).sum(axis=2)  # random allocations of the same budget, near and far
distance = generator.random((n_random, 1)) ** 3
rivals = best.capacity + distance * (rivals - best.capacity)
losses = fc.loss_at_best_lengths(rivals, importance, kurtosis).sum(axis=1)
for code, name in enumerate(fc.PHASES):
    glue(f"sec1-{name}", int((best.phase == code).sum()), display=False)

# %% mystnb={"figure": {"caption": "Marginal loss reduction of every feature against its capacity, from the most important (top) to the least (bottom); circles mark the optimal allocation (the paper's Figure 2).", "name": "fig-marginal-loss"}, "image": {"alt": "Twelve falling curves on a logarithmic scale, one below the other. Circles: the top curves end at capacity one above a dashed threshold, the middle ones cross the threshold, the bottom ones start at capacity zero below it."}} tags=["hide-input"]
grid = np.linspace(0, 1, 201)
curves = fc.marginal_benefit(grid[:, None], importance, kurtosis)
figures.fig2_marginal_loss(grid, curves, best, at_best)

# %% [markdown]
# (sec1-explorer)=
# Change the importances, the kurtosis or the number of dimensions, and watch who is pushed out.

# %% tags=["hide-input"]
capacity_explorer(importance, n_dims, kurtosis)

# %% [markdown]
# {glue:text}`sec1-monosemantic` features own a dimension, {glue:text}`sec1-polysemantic` share, and {glue:text}`sec1-ignored` are ignored.
# The pins are exact: 0 and 1, not nearly so.
# And a feature pinned at 1 is orthogonal to all others, since any overlap would lower its capacity.
#
# ### Why so many are pinned
#
# In the quadratic model a feature's marginal value falls by a factor of $\big(\tfrac{k-1}{2}\big)^2$ between its first and its last bit of capacity, where $k$ is the kurtosis of the inputs, and is proportional to the square of its {term}`importance`.
# Two features can meet on one threshold only if their importances differ by less than a factor of $\tfrac{k-1}{2}$.
# Everything outside that window is pinned.
# The window does not grow with the number of features; so on a long ladder of importances, nearly everybody is pinned.

# %%
problems = generator.lognormal(sigma=1.0, size=(n_random, n_features))
kurtoses = np.exp(generator.uniform(np.log(1.1), np.log(1000), n_random))
solved = fc.solve_allocation(problems, n_dims, kurtoses[:, None])
sharing = solved.phase == fc.POLYSEMANTIC
some = sharing.any(axis=1)
top = np.where(sharing, problems, 0).max(axis=1)[some]
bottom = np.where(sharing, problems, np.inf).min(axis=1)[some]
window = (kurtoses[some] - 1) / 2

W = fc.optimal_embedding(best, generator)
met = np.where(best.capacity == 1, fc.interference(W), 0)

rows = []
for n in (12, 24, 48, 96):
    ladder = fc.solve_allocation(importance_ratio ** np.arange(n), 5 * n // 12, kurtosis)
    share = float((ladder.phase != fc.POLYSEMANTIC).mean())
    rows.append({"features": n, "dimensions": ladder.n_dims, "share pinned": share})
pd.DataFrame(rows).set_index("features").rename_axis(None).rename("{} features".format).round(3)

# %% tags=["hide-input"]
run.check("fig2-common-threshold", fc.kkt_residuals(best).max())
run.check("fig2-any-other-allocation-is-worse", losses / best.loss - 1)
run.check("intro-pinning-comes-from-the-bounds", window - top / bottom)
run.check("intro-own-dimension-is-orthogonal", met.max())
run.badge()

# %% [markdown]
# ## What the abstract promises
#
# ### Most important first
#
# Capacity never runs against importance: in {glue:text}`sec1-n-random` random problems, of any kurtosis, a more important feature never gets less.
# In the problem of {numref}`fig-marginal-loss` all three fates occur.

# %%
glue("sec1-n-random", n_random, display=False)
rank = np.argsort(-problems, axis=1)
by_rank = np.take_along_axis(solved.capacity, rank, axis=1)
fates = [(best.phase == code).sum() for code in range(3)]
top_pinned = by_rank[:, 0] == 1
glue("sec1-top-pinned", float(top_pinned.mean()), display=False)

# %% [markdown]
# "Tends to" is the right word for the top: the most important feature had a dimension of its own in {glue:text}`sec1-top-pinned:.0%` of the random problems.
# It shares when rivals are close and inputs are sparse; six equal features in three dimensions have half a dimension each.
#
# ### In proportion?
#
# The abstract on arXiv adds that shared features get capacity *in proportion* to their impact on the loss.
# We compare capacity with three readings of "impact", for six features that all share three dimensions: importance $v$, the loss saved by representing the feature, and the squared length of the embedding, which is the feature's weight in the output.

# %%
v, k = np.linspace(1.3, 0.7, 6), 9.0
shared = fc.solve_allocation(v, 3, k)
C = shared.capacity
removed = fc.loss_at_best_lengths(0, v, k) - fc.loss_at_best_lengths(C, v, k)
columns = {
    "v": v,
    "C": C,
    "C / v": C / v,
    "C / saved": C / removed,
    "C / length²": C / shared.sq_norm,
}
pd.DataFrame(columns, index=[f"feature {i}" for i in range(1, 7)]).round(3)

# %% [markdown]
# Proportional would mean a constant column.
# Only the last one is constant: capacity is in proportion to the weight that the model gives a feature, not to the weight that the feature has in the target, nor to the loss it saves.
# In terms of importance, equation (15) of the paper says that capacity is a straight line with a *negative* intercept,
#
# $$ C_i=\frac{k-1}{k-3}\,\frac{v_i}{\lambda}-\frac{2}{k-3}, $$
#
# where $\lambda$, the same for all features, is whatever makes the capacities sum to the number of dimensions; from $v_i=\lambda$ on a feature owns a dimension.
# So the more important features get more than their proportional share.
# The intercept vanishes as $k$ grows: for very sparse inputs, capacity does become proportional to importance.

# %%
ks = np.array([1e4, 2e4])
ratio = fc.solve_allocation(v, 3, ks[:, None]).capacity / v
uneven = ratio.max(axis=1) / ratio.min(axis=1) - 1

# %% [markdown]
# ### Kurtosis breeds polysemanticity
#
# *Kurtosis* $k=\mathbb E[x^4]$, for inputs of variance 1, is large for a feature that is mostly near zero and now and then far from it.
# A feature that is active with probability $p$ has $k\propto 1/p$, so sparse means kurtotic.
#
# {numref}`fig-phases-by-importance` shows a dense ladder of importances while kurtosis grows.
# Below $k=3$ the most important features win everything.
# At $k=3$ a wedge of sharing opens, and it only ever widens.

# %%
ladder, ks = np.geomspace(1, 0.085, 181), np.geomspace(1.5, 300, 221)
wedge = fc.solve_allocation(ladder, max(1, round(181 * n_dims / n_features)), ks[:, None])

# %% mystnb={"figure": {"caption": "Fate of 181 features, most important at the top, as the kurtosis of the inputs grows; the white lines are the ends of the window of sharing.", "name": "fig-phases-by-importance"}, "image": {"alt": "Map of kurtosis against importance in three colors. Left of kurtosis three, monosemantic above and ignored below. From there to the right a growing wedge of polysemantic features pushes both back."}} tags=["hide-input"]
figures.phases_by_importance(ks, ladder, wedge.phase, wedge.multiplier)

# %% [markdown]
# That the wedge never narrows is a small theorem.
# Let $u_i=v_i/\lambda$.
# A shared feature has $C=\frac{(k-1)u-2}{k-3}$ with $u<1$, and at fixed $\lambda$
#
# $$ \frac{\partial C}{\partial k}=\frac{2(1-u)}{(k-3)^2}>0 . $$
#
# More kurtosis would make everyone want more, so to stay within the budget $\lambda$ must rise: fewer features reach $v_i>\lambda$ and own a dimension.
# At the lower end, measure importance in units of the entry point $\mu=\frac{2\lambda}{k-1}$, at which the formula gives $C=0$, instead: $C=\frac{2(v/\mu-1)}{k-3}$ falls with $k$ at fixed $\mu$, so $\mu$ must fall and fewer are ignored.
# Both neighbors of the wedge lose; the wedge gains, in features and in capacity.

# %%
some_ks = np.geomspace(1.1, 1000, 80)
by_kurtosis = fc.solve_allocation(problems[:200, None], n_dims, some_ks[:, None])
sharing = by_kurtosis.phase == fc.POLYSEMANTIC
number = sharing.sum(axis=2)
held = np.where(sharing, by_kurtosis.capacity, 0).sum(axis=2)

p = np.linspace(0.01, 1, 100)
kinds = fc.SparseUniform, fc.SparseNormal
families = [[kind(q).kurtosis for q in p] for kind in kinds]

# %% [markdown]
# ### One feature among equals
#
# Three statements of the introduction are about a single feature whose importance differs from the rest.
# Much more important: it owns a dimension.
# Much less important: it is ignored.
# In between it shares, over a range that depends on sparsity.
# We let one feature be a million times, or a millionth, as important as 1 to 11 others, in every number of dimensions that is too small for all.
# The borders in between are derived and drawn in {ref}`sec3-5-phase-diagrams`.

# %%
extremes = []
for n in range(2, 13):
    one_among_equals = fc.phases.one_feature_varied([[1e6, 1e-6]], n)
    for d in range(1, n):
        fate = fc.solve_allocation(one_among_equals, d, some_ks[:, None, None])
        extremes.append(fate.capacity[..., 0])

diagram = fc.phase_diagram(np.geomspace(1e-3, 10, 801), some_ks)
width = (diagram.phase == fc.POLYSEMANTIC).mean(axis=1)

# %% tags=["hide-input"]
run.check("abstract-order-of-importance", by_rank[:, :-1] - by_rank[:, 1:])
run.check("abstract-three-fates", min(fates))
run.check("abstract-in-proportion", C / C[0], v / v[0])
run.check("abstract-affine-in-importance", np.log2(uneven[0] / uneven[1]))
run.check("abstract-kurtosis", np.diff(np.stack([number, held]), axis=2))
run.check("abstract-no-polysemanticity-when-dense", number[:, some_ks < 3])
run.check("abstract-sparsity", -np.diff(families, axis=1))
run.check("intro-much-more-important", np.stack(extremes)[..., 0])
run.check("intro-much-less-important", np.stack(extremes)[..., 1])
run.check("intro-intermediate-region", np.diff(width))
run.badge()

# %% [markdown]
# ## Two toy models
#
# {numref}`fig-two-toy-models` contrasts the model of the earlier study with that of this paper.
# The first *compresses*: features go through a narrow layer and are to come out again, one by one.
# The second *computes*: a few neurons are to do the work of many, and only the sum of their outputs counts.
# The task is $y=\sum_iv_i\,\sigma(x_i)$, a sum of nonlinear functions of single features, weighted by importance; with $\sigma(z)=z^2$ it can be solved exactly.

# %% mystnb={"figure": {"caption": "The autoencoder of the earlier study (left) and the computation studied here (right), the paper's Figure 3 in our drawing. Inputs are at the bottom. Each neuron is a pie of the features it hears; a parabola marks a nonlinear neuron.", "name": "fig-two-toy-models"}, "image": {"alt": "Left: six colored features feed three neurons shown as mixed pies, which feed six outputs. Right: six features feed three mixed nonlinear neurons summed to one output, next to the target, in which each feature feeds one pure neuron and all are summed; the two outputs are compared."}} tags=["hide-input"]
drawn = fc.embedding_from_capacities([0.5] * 6, generator=np.random.default_rng(3))
figures.fig3_two_toy_models(drawn)

# %% [markdown]
# With one neuron for each feature, $w_i=\sqrt{v_i}\,e_i$, the computation is exact.
# With fewer neurons something is lost.
# We compare the share of the target's variance that is explained by $D$ pure neurons, one for each of the $D$ most important features, and by the best shared ones.

# %%
exact = fc.expected_loss(np.diag(np.sqrt(importance)), importance, kurtosis)


def explained(loss, v, k):
    return 1 - loss / ((k - 1) * (v**2).sum(axis=-1))


ordered = -np.sort(-problems, axis=1)
pure = (kurtoses - 1) * (ordered[:, n_dims:] ** 2).sum(axis=1)
with_shared = explained(solved.loss, problems, kurtoses)
gain = with_shared - explained(pure, problems, kurtoses)

only_pure = (kurtosis - 1) * (importance[n_dims:] ** 2).sum()
for name, loss in (("shared", best.loss), ("pure", only_pure)):
    share = float(explained(loss, importance, kurtosis))
    glue(f"sec1-explained-{name}", share, display=False)
glue("sec1-largest-gain", float(gain.max()), display=False)

# %% [markdown]
# In the problem of {numref}`fig-marginal-loss`, {glue:text}`sec1-n-dims` pure neurons explain {glue:text}`sec1-explained-pure:.1%` and shared ones {glue:text}`sec1-explained-shared:.1%`.
# The largest gain in the random problems is {glue:text}`sec1-largest-gain:.1%` of the variance.

# %% tags=["hide-input"]
run.check("fig3-one-neuron-each-is-exact", exact)
run.check("fig3-shared-neurons-do-better", gain)
run.badge()

# %% [markdown]
# ## Where the rest of the introduction is checked
#
# | what the abstract and introduction say | where |
# |---|---|
# | capacity lies between 0 and 1, and adds up to at most the number of dimensions | {ref}`sec2-capacity` |
# | the allocation as a function of importance and sparsity is known exactly | {ref}`sec3-1-quadratic-model` |
# | a phase diagram with an ignored, a shared and a fully represented phase, confirmed by numbers | {ref}`sec3-5-phase-diagrams` |
# | other activation functions and the autoencoder behave alike; architectures differ in how much is shared | {ref}`sec3-7-other-models` |
# | efficient embeddings are made of blocks; features do not interfere across blocks | {ref}`sec4-geometry` |
# | small blocks are regular shapes with whole capacities and free lengths; large blocks share freely | {ref}`sec4-geometry` |
# | the quadratic model always has one large block | {ref}`sec4-geometry` |
#
# ## Does it agree with the paper?
#
# All verdicts of this page are among {ref}`claims`, with what each measurement came to.
#
# Two sentences do not hold to the letter.
# Overlapping features need not use several neurons each, and shared capacity is proportional to the squared length of an embedding, not to importance, except for very sparse inputs.
# Neither touches the argument.
#
# ## Try it
#
# Paste a command at the root of the project; the executed page is then in `out.ipynb`.
#
# **Dense inputs.** What becomes of {numref}`fig-marginal-loss` when inputs are dense?
#
# ```sh
# papermill notebooks/sec1_introduction.ipynb out.ipynb --cwd notebooks -p kurtosis 1.8
# ```
#
# :::{admonition} Answer
# :class: dropdown
# The curves rise instead of falling, and nobody shares: the most important features get a dimension each, up to the number of dimensions, and the others get nothing.
# :::
#
# **Everybody shares.** Can all features share?
#
# ```sh
# papermill notebooks/sec1_introduction.ipynb out.ipynb --cwd notebooks -p importance_ratio 0.95 -p kurtosis 30
# ```
#
# :::{admonition} Answer
# :class: dropdown
# Yes, if their importances lie within the window of $(k-1)/2$ and no one stands out.
# With a ratio of 0.95 the first of twelve features is less than twice as important as the last, and the window is 14.5.
# :::
#
# **Nearly orthogonal.** The features on the right of {numref}`fig-two-kinds` now stand at 80 degrees.
# How much capacity does so little overlap cost, and does a turn of the basis now undo it?
#
# ```sh
# papermill notebooks/sec1_introduction.ipynb out.ipynb --cwd notebooks -p angle 80
# ```
#
# :::{admonition} Answer
# :class: dropdown
# It costs next to nothing: each feature still has 0.97 of a dimension.
# But no turn removes the cross-talk.
# The best one in {numref}`fig-turning-the-basis` leaves 0.09, the tangent of 5 degrees, because each vector stays 5 degrees off its neuron.
# :::
#
# ## What we saw
#
# - Neurons can be polysemantic because features are rotated against them, which can be undone, or because features overlap, which cannot. Capacity tells the two apart.
# - Capacity goes to the most important features first. Features share exactly where their marginal values are equal; the rest are pinned at 0 or 1.
# - More kurtosis, that is, sparser inputs, means more sharing; below kurtosis 3 there is none.
#
# Next: what capacity is, and how a budget of it is spent, {ref}`sec2-capacity`.
