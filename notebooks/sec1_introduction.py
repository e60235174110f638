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
# Look inside a trained network and you find {term}`neurons <neuron>` that respond to several unrelated things {cite}`olah2017feature,olah2020zoom`.
# They make a network hard to read. Why are they there?
#
# {numref}`fig-two-kinds` has two networks with two features and two neurons each.
# In both, each neuron receives input from both features: all four neurons are {term}`polysemantic`.
# On the left that is a matter of how one looks: turn the axes by {glue:text}`sec1-rotation:.0f` degrees, and each neuron has a feature of its own.
# On the right no turn helps, because the features overlap.
# Overlap is called {term}`superposition`; features can overlap where there are as many dimensions as features, as here, and must where there are fewer.
# Here, with a neuron for each feature, it only makes features disturb each other; this page says what a network gains by it when there are more features than neurons.
#
# **Paper:** abstract and section 1 {cite}`scherlis2022`.
# **Run time:** under a minute.

# %% tags=["parameters", "hide-input"] quick={"n_random": 100}
rotation: float = 30.0  # turn of the left embedding in Figure 1, degrees [5 .. 40]
angle: float = 50.0  # between the features on the right of Figure 1, degrees [10 .. 80]
n_features: int = 12  # features in Figure 2 [6 .. 60]
n_dims: int = 5  # embedding dimensions in Figure 2 [1 .. 5]
kurtosis: float = 9.0  # fourth moment of a feature in Figure 2 [1.1 .. 1000]
importance_ratio: float = 0.8  # each importance over the one before it [0.1 .. 1.0]
n_random: int = 1000  # random problems per check [50 .. 20000]
seed: int = 0  # of everything random [0 .. 1000000]

# %% tags=["hide-input"]
from itertools import product

import numpy as np
import pandas as pd
from myst_nb import glue

from feature_capacity.book.claims.checks import open_page
from feature_capacity.explorers import capacity_explorer
from feature_capacity.figures import sec1_introduction as figures
from feature_capacity.geometry.cross_talk import cross_talk
from feature_capacity.geometry.polytopes import in_the_plane
from feature_capacity.theory.direct_search import embedding_by_lbfgs
from feature_capacity.theory.enumeration import loss_by_moments

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
glue("sec1-rotation", rotation, display=False)

# %%
import feature_capacity as fc

turned = [[0.8, -0.6], [0.6, 0.8]]  # columns at right angles
mixed = [[1.0, 0.6], [0.0, 0.8]]  # columns with the cosine 0.6
fc.capacities(turned).round(3), fc.capacities(mixed).round(3)

# %% mystnb={"figure": {"caption": "Two embeddings with polysemantic neurons (the paper's Figure 1). Top: the embeddings, with neurons as axes and the capacities below. Bottom: what each neuron receives from each feature.", "name": "fig-two-kinds"}, "image": {"alt": "Left: two orthogonal arrows turned against the neuron axes, capacities 1.00 and 1.00. Right: two arrows at an acute angle, capacities 0.71 and 0.71. Bars below show that both neurons receive input from both features in either case."}} tags=["hide-input"]
rotated = in_the_plane([rotation, rotation + 90])
overlapping = in_the_plane([45 - angle / 2, 45 + angle / 2])
shares = [fc.capacities(W) for W in (rotated, overlapping)]
figures.fig1_two_kinds(
    {"rotated": (rotated, shares[0]), "not orthogonal": (overlapping, shares[1])}
)

# %% [markdown]
# What tells them apart is {term}`capacity`, the fraction of a dimension that is allocated to a feature.
# {ref}`sec2-capacity` defines it; all that we need here is that overlap lowers it and rotation does not.
# On the left both features have a full dimension, on the right {glue:text}`sec1-shared-capacity:.2f` each.
#
# What counts as a feature is hard to say of images or texts.
# It is easy in the setting of this paper: the inputs are independent random numbers, and each is a feature.
# Nothing in such data ties two features together, so a network that mixes them does it for reasons of its own.
#
# ## What a turn can undo
#
# Turn the neuron axes step by step, and look at the worst *cross-talk*: the second strongest input of a neuron over its strongest.

# %% mystnb={"figure": {"caption": "Cross-talk of the worst neuron while the neuron axes turn; rings mark the best turn of each embedding.", "name": "fig-turning-the-basis"}, "image": {"alt": "Two lines of cross-talk against the turn of the basis. The line of the rotated embedding touches zero; the line of the overlapping one stays well above zero."}}
degrees = np.linspace(0, 90, 361)
axes = np.stack([in_the_plane([turn, turn + 90]).T for turn in degrees])
worst = {
    "rotated": cross_talk(axes @ rotated),
    "not orthogonal": cross_talk(axes @ overlapping),
}
figures.turning_the_basis(degrees, worst)

# %% [markdown]
# The overlapping features cannot both lie along neurons, because neurons are at right angles and they are not.
# So overlap makes some neuron polysemantic in *every* basis: two vectors with $w_i\cdot w_j\ne0$ are both nonzero in some coordinate.
#
# :::{admonition} Where we differ: overlap on one neuron
# :class: important
# The introduction adds that with overlap several neurons are involved in *each* feature.
# That is the rule and not a law.
# Two opposite vectors along one axis, $w_1=(1,0)$ and $w_2=(-1,0)$, overlap completely, and each uses one neuron ({ref}`overlap-on-one-neuron`).
# The paper describes such pairs in section 3.7.
# :::

# %% tags=["hide-input"]
glue("sec1-shared-capacity", float(shares[1][0]), display=False)
present = generator.random((n_random, 4, 3)) < 0.4  # some weights are zero
sparse = generator.standard_normal((n_random, 4, 3)) * present
overlaps = fc.interference(sparse).max(axis=1) > 1e-9
heard = present[overlaps].sum(axis=2).max(axis=1)  # by the busiest neuron
pair = np.array([[1.0, -1.0], [0.0, 0.0]])
cosine = np.cos(np.radians(angle))
run.check("fig1-neurons-hear-both", np.abs([rotated, overlapping]).min())
run.check("fig1-rotation-keeps-capacity", shares[0], np.ones(2))
run.check("fig1-overlap-costs-capacity", shares[1], np.full(2, 1 / (1 + cosine**2)))
run.check("fig1-a-turn-undoes-rotation", cross_talk(rotated.T @ rotated))
run.check("fig1-no-turn-undoes-overlap", worst["not orthogonal"].min())
run.check("intro-overlap-means-shared-neuron", heard - 2)
run.check("intro-overlap-means-several-neurons", (pair != 0).sum(axis=0) - 2)
run.badge()

# %% [markdown]
# ## Why share? Equal marginal value
#
# Capacities add up to at most the number of dimensions, so features compete.
# Ask of each: how much would the loss fall if it had a little more?
# {numref}`fig-marginal-loss` draws this *marginal loss reduction* against the capacity that a feature already has.
#
# If a feature that could take more had a higher marginal value than one that could give some up, moving capacity between them would lower the loss.
# So at the optimum all features that share have the *same* marginal value.
# The others are *pinned*: at 0 if even their first bit is worth less than that, at 1 if even their last bit is worth more.

# %% mystnb={"figure": {"caption": "Marginal loss reduction of every feature against its capacity, from the most important (top) to the least (bottom); circles mark the optimal allocation (the paper's Figure 2).", "name": "fig-marginal-loss"}, "image": {"alt": "Twelve falling curves on a logarithmic scale, one below the other. Circles: the top curves end at capacity one above a dashed threshold, the middle ones cross the threshold, the bottom ones start at capacity zero below it."}}
importance = importance_ratio ** np.arange(n_features)
best = fc.solve_allocation(importance, n_dims, kurtosis)
grid = np.linspace(0, 1, 201)
curves = fc.marginal_benefit(grid[:, None], importance, kurtosis)
at_best = fc.marginal_benefit(best.capacity, importance, kurtosis)
figures.fig2_marginal_loss(grid, curves, best, at_best)

# %% [markdown]
# The paper does not say what its Figure 2 is made of.
# Ours are {glue:text}`sec1-n-features` features of the {term}`quadratic model` of section 3, each {glue:text}`sec1-ratio` times as {term}`important <importance>` as the one before, in {glue:text}`sec1-n-dims` dimensions, with inputs of {term}`kurtosis` {glue:text}`sec1-kurtosis:g`; sparse inputs have a large one.
# Here {glue:text}`sec1-monosemantic` features own a dimension, {glue:text}`sec1-polysemantic` share, and {glue:text}`sec1-ignored` are ignored.
# The pins are exact: 0 and 1, not nearly so.
#
# (sec1-explorer)=
# Change the importances, the kurtosis or the number of dimensions, and watch who is pushed out.

# %% tags=["hide-input"]
for code, name in enumerate(fc.PHASES):
    glue(f"sec1-{name}", int((best.phase == code).sum()), display=False)
glue("sec1-n-features", n_features, display=False)
glue("sec1-n-dims", n_dims, display=False)
glue("sec1-kurtosis", kurtosis, display=False)
glue("sec1-ratio", importance_ratio, display=False)
capacity_explorer(importance, n_dims, kurtosis)

# %% [markdown]
# ### Why so many are pinned
#
# In the quadratic model, for a kurtosis $k$ above 3, a feature's marginal value falls by a factor of $\big(\tfrac{k-1}{2}\big)^2$ between its first and its last bit of capacity ({ref}`sec3-3-allocation` derives it), and is proportional to the square of its importance.
# So two features can meet on one threshold only if their importances differ by less than a factor of $\tfrac{k-1}{2}$.
# Everything outside that window is pinned.
# The window does not grow with the number of features: on a long ladder of importances nearly everybody is pinned.
# The table makes the ladder longer, with dimensions in the same proportion.

# %%
ladders = {n: importance_ratio ** np.arange(n) for n in (12, 24, 48, 96)}
found = {n: fc.solve_allocation(v, 5 * n // 12, kurtosis) for n, v in ladders.items()}
shared = {n: x.phase == fc.POLYSEMANTIC for n, x in found.items()}
pinned = {f"{n} features": 1 - some.mean() for n, some in shared.items()}
pd.DataFrame({"share pinned": pinned}).round(2)

# %% [markdown]
# ## Who shares, and when
#
# A more important feature never gets less capacity than a less important one.
# {numref}`fig-phases-by-importance` adds sparsity: a dense ladder of importances, while the kurtosis of the inputs grows.
# Kurtosis is $k=\mathbb E[x^4]$ for inputs of variance 1, large for a feature that is mostly zero and now and then far from it; at a feature probability $p$ it is proportional to $1/p$ ({ref}`appd-kurtosis-sparsity`).
# Below $k=3$ the most important features win everything.
# At $k=3$ a wedge of sharing opens.

# %% mystnb={"figure": {"caption": "Fate of 181 features, most important at the top, as the kurtosis of the inputs grows; the white lines are the ends of the window of sharing.", "name": "fig-phases-by-importance"}, "image": {"alt": "Map of kurtosis against importance in three colors. Left of kurtosis three, monosemantic above and ignored below. From there to the right a growing wedge of polysemantic features pushes both back."}} tags=["hide-input"]
ladder, ks = np.geomspace(1, 0.085, 181), np.geomspace(1.5, 300, 221)
room = max(1, round(181 * n_dims / n_features))
wedge = fc.solve_allocation(ladder, room, ks[:, None])
figures.phases_by_importance(ks, ladder, wedge.phase, wedge.multiplier)

# %% [markdown]
# That the wedge never narrows is a small theorem.
# By equation {eq}`eq-paper-15` a shared feature has $C=\frac{(k-1)u-2}{k-3}$, where $u=v/\lambda<1$ and $\lambda$, the common ratio of squared length to capacity of the features that share, is one number for all features, set by the budget ({ref}`sec3-3-allocation`); at fixed $\lambda$
#
# $$ \frac{\partial C}{\partial k}=\frac{2(1-u)}{(k-3)^2}>0 . $$
#
# With more kurtosis everyone wants more, so $\lambda$ must rise to keep the budget, and fewer features reach $v>\lambda$ and own a dimension.
# At the lower end measure importance from the entry point $\mu=\frac{2\lambda}{k-1}$ instead: $C=\frac{2(v/\mu-1)}{k-3}$ falls with $k$ at fixed $\mu$, so $\mu$ must fall, and fewer are ignored.
#
# ### In proportion?
#
# The abstract on arXiv adds that features that share get capacity *in proportion* to their impact on the loss.
# Six features that share three dimensions, and three readings of "impact": importance $v$, the loss saved by representing the feature, and the squared length of its embedding, which is its weight in the output.

# %%
v, k = np.linspace(1.3, 0.7, 6), 9.0
shared = fc.solve_allocation(v, 3, k)
C = shared.capacity
saved = fc.loss_at_best_lengths(0, v, k) - fc.loss_at_best_lengths(C, v, k)
ratios = {"C / v": C / v, "C / saved": C / saved, "C / length²": C / shared.sq_norm}
pd.DataFrame({"C": C, **ratios}, index=[f"v = {x:.2f}" for x in v]).round(3)

# %% [markdown]
# :::{admonition} Where we differ: in proportion
# :class: important
# Proportional would mean a constant column, and only the last one is.
# Capacity is in proportion to the weight that the *model* gives a feature.
# In terms of importance it is a straight line with a negative intercept, $C_i=\frac{k-1}{k-3}\frac{v_i}{\lambda}-\frac{2}{k-3}$, so that the more important ones get more than their proportional share.
# The intercept vanishes as $k$ grows: for very sparse inputs the sentence becomes true ({ref}`capacity-in-proportion`).
# :::

# %% tags=["hide-input"]
bases = np.linalg.qr(generator.standard_normal((n_random, n_features, n_dims)))[0]
rivals = (bases**2).sum(axis=2)  # random allocations of the same budget, near and far
distance = generator.random((n_random, 1)) ** 3
rivals = best.capacity + distance * (rivals - best.capacity)
losses = fc.loss_at_best_lengths(rivals, importance, kurtosis).sum(axis=1)

problems = generator.lognormal(sigma=1.0, size=(n_random, n_features))
kurtoses = np.exp(generator.uniform(np.log(1.1), np.log(1000), n_random))
solved = fc.solve_allocation(problems, n_dims, kurtoses[:, None])
sharing = solved.phase == fc.POLYSEMANTIC
some = sharing.any(axis=1)
top = np.where(sharing, problems, 0).max(axis=1)[some]
bottom = np.where(sharing, problems, np.inf).min(axis=1)[some]
met = fc.interference(fc.optimal_embedding(best, generator))[best.capacity == 1]
run.check("fig2-common-threshold", fc.kkt_residuals(best).max())
run.check("fig2-any-other-allocation-is-worse", losses / best.loss - 1)
window = (kurtoses[some] - 1) / 2
run.check("intro-pinning-comes-from-the-bounds", window - top / bottom)
run.check("intro-own-dimension-is-orthogonal", met.max(initial=0))
by_rank = np.take_along_axis(solved.capacity, np.argsort(-problems, axis=1), axis=1)
some_ks = np.geomspace(1.1, 1000, 80)
by_kurtosis = fc.solve_allocation(problems[:200, None], n_dims, some_ks[:, None])
sharing = by_kurtosis.phase == fc.POLYSEMANTIC
number, held = sharing.sum(axis=2), (by_kurtosis.capacity * sharing).sum(axis=2)
very_sparse = fc.solve_allocation(v, 3, np.array([[1e4], [2e4]])).capacity / v
uneven = very_sparse.max(axis=1) / very_sparse.min(axis=1) - 1
kinds, p = (fc.SparseUniform, fc.SparseNormal), np.linspace(0.01, 1, 100)
families = [[kind(q).kurtosis for q in p] for kind in kinds]
run.check("abstract-order-of-importance", by_rank[:, :-1] - by_rank[:, 1:])
run.check("abstract-three-fates", min((best.phase == code).sum() for code in range(3)))
run.check("abstract-in-proportion", C / C[0], v / v[0])
run.check("abstract-affine-in-importance", np.log2(uneven[0] / uneven[1]))
run.check("abstract-kurtosis", np.diff(np.stack([number, held]), axis=2))
run.check("abstract-no-polysemanticity-when-dense", number[:, some_ks < 3])
run.check("abstract-sparsity", -np.diff(families, axis=1))
run.badge()

# %% [markdown]
# (sec1-one-among-equals)=
# ## One feature among equals
#
# Three sentences of the introduction are about a single feature whose importance $V$ differs from that of the rest.
# Much more important, it owns a dimension; much less, it is ignored; in between it shares, over a range that depends on sparsity.
# {numref}`fig-one-among-equals` shows all three.
# The dots know no theory: an optimizer minimized the loss over the entries of $W$, for six features and three neurons.

# %% mystnb={"figure": {"caption": "Capacity of one feature over its importance, all others having importance 1, six features in three dimensions. Dots: minimized without theory. Lines: closed form. Dense inputs make it jump at 1; the sparser they are, the wider the range over which it shares.", "name": "fig-one-among-equals"}, "image": {"alt": "Four curves from 0 to 1 over a logarithmic axis of importance. For kurtosis 2 a jump at 1; for 4, 9 and 30 ramps that begin ever earlier and end ever later, up to importance 2.3. Dots lie on the curves."}}
V = 2.0 ** ((np.arange(-8, 8) + 0.5) / 2)  # half octaves, on either side of 1
rows = fc.phases.one_feature_varied(V, 6)
embeddings = {
    k: [embedding_by_lbfgs(v, k, 3, generator, n_starts=6) for v in rows]
    for k in (2.0, 4.0, 9.0, 30.0)
}
found = {k: fc.capacities(np.array(W))[:, 0] for k, W in embeddings.items()}
partly = {k: (c > 1e-6) & (c < 1 - 1e-6) for k, c in found.items()}
fine = np.geomspace(V[0], V[-1], 801)
lines = dict(zip(found, fc.phase_diagram(fine, list(found)).capacity, strict=True))
figures.one_among_equals(fine, lines, V, found)

# %% [markdown]
# At the kurtoses 4, 9 and 30 feature 1 shares over {glue:text}`sec1-octaves-4:g`, {glue:text}`sec1-octaves-9:g` and {glue:text}`sec1-octaves-30:g` octaves of importance, at kurtosis 2 over none.
# The upper end of the range cannot pass $\frac{N-1}{D-1}$, here 2.5: a feature more important than that is whole however sparse the inputs are ({ref}`sec3-5-phase-diagrams`).
#
# :::{admonition} Where we differ: always fully represented
# :class: important
# The paper says that its diagram has this in common with that of the autoencoder of {cite}`elhage2022toy`.
# With ReLU the autoencoder does otherwise: there a feature can be orders of magnitude more important than the rest and stay in superposition, as section 3.7 of the paper says itself ({ref}`always-fully-represented`, {ref}`sec3-7-other-models`).
# :::

# %% tags=["hide-input"]
extremes = []
for n in range(2, 13):
    one = fc.phases.one_feature_varied(1e6, n)
    for d in range(1, n):
        extremes.append(fc.solve_allocation(one, d, some_ks[:, None]).capacity[..., 0])
sizes = [(3, 1), (3, 2), (6, 3), (6, 5)]
more, less = (
    [
        embedding_by_lbfgs(fc.phases.one_feature_varied(x, n), k, d, generator, 4)
        for (n, d), k in product(sizes, (1.8, 4.0, 9.0, 30.0))
    ]
    for x in (100.0, 0.01)
)
octaves = np.array([some.sum() / 2 for some in partly.values()])
for k, number in zip(partly, octaves, strict=True):
    glue(f"sec1-octaves-{k:g}", float(number), display=False)
run.check("intro-much-more-important-closed-form", np.stack(extremes))
run.check("intro-much-more-important-minimized", [fc.capacities(W)[0] for W in more])
run.check("intro-much-less-important", [fc.capacities(W)[0] for W in less])
run.check("intro-intermediate-region-dense", partly[2.0].sum())
run.check("intro-intermediate-region-sparse", np.diff(octaves)[1:].min())
run.badge()

# %% [markdown]
# ## Two toy models
#
# An earlier study {cite}`elhage2022toy` trained small autoencoders, and met both kinds of neurons, features packed into regular shapes, and sharp borders between phases.
# {numref}`fig-two-toy-models` sets its model beside that of this paper.
# The first *compresses*: features go through a narrow layer and are to come out again, one by one.
# The second *computes*: a few neurons are to do the work of many, and only the sum of their outputs counts.
# The task is $y=\sum_iv_i\,\sigma(x_i)$, the answer $\tilde y=\sum_a\sigma\big((Wx)_a\big)+b$ with one term a neuron; with $\sigma(z)=z^2$ it can be solved with pencil and paper.

# %% mystnb={"figure": {"caption": "The autoencoder of the earlier study (left) and the computation studied here (right), the paper's Figure 3 in our drawing. Inputs are at the bottom. Each neuron is a pie of the features it hears; a parabola marks a nonlinear neuron.", "name": "fig-two-toy-models"}, "image": {"alt": "Left: six colored features feed three linear neurons shown as mixed pies, which feed six outputs. Right: six features feed three mixed nonlinear neurons summed to one output, next to the target, in which each feature feeds one pure neuron and all are summed; the two outputs are compared."}} tags=["hide-input"]
drawn = fc.embedding_from_capacities([0.5] * 6, generator=np.random.default_rng(3))
figures.fig3_two_toy_models(drawn)

# %% [markdown]
# With one neuron for each feature, $w_i=\sqrt{v_i}\,e_i$ for squares, the computation is exact.
# How well do {glue:text}`sec1-n-dims` neurons imitate {glue:text}`sec1-n-features`?
# In the problem of {numref}`fig-marginal-loss` they explain {glue:text}`sec1-explained-pure:.1%` of the target's variance if each serves one of the most important features, and {glue:text}`sec1-explained-shared:.1%` if they share.

# %% tags=["hide-input"]
variance = (kurtosis - 1) * (importance**2).sum()
missed = (kurtosis - 1) * (importance[n_dims:] ** 2).sum()
explained = {"pure": 1 - missed / variance, "shared": 1 - best.loss / variance}
for neurons, share in explained.items():
    glue(f"sec1-explained-{neurons}", float(share), display=False)
ladder = importance_ratio ** np.arange(6)
identity = np.diag(np.sqrt(ladder))
exact = loss_by_moments(identity, ladder, [1, 0, 1, 0, kurtosis])
better = []
for v in -np.sort(-generator.lognormal(sigma=1.0, size=(20, 6)), axis=1):
    allocation = fc.solve_allocation(v, 3, 9.0)
    pure = np.diag(np.sqrt(v))[:3]
    both = [
        loss_by_moments(W, v, [1, 0, 1, 0, 9.0], float(fc.best_bias(W, v)))
        for W in (fc.optimal_embedding(allocation, generator), pure)
    ]
    if (allocation.phase == fc.POLYSEMANTIC).any():
        better.append(both[0] < both[1] * (1 - 1e-9))
run.check("fig3-one-neuron-each-is-exact", exact)
run.check("fig3-shared-neurons-do-better", np.mean(better))
run.badge()

# %% [markdown]
# ## Try it
#
# Paste a command at the root of the project, after {ref}`installing it <how-to-run>`; the executed page is then in `out.ipynb`.
#
# **By hand.** Suppose that the features of {numref}`fig-two-kinds` on the right stood at 60 degrees; then they would have $C=1/(1+\cos^2 60°)$ each.
# How much of the two dimensions is unused, and could a third feature have it?
#
# :::{admonition} Answer
# :class: dropdown
# They have $0.8$ each, so $0.4$ is unused.
# A third feature at 120 degrees takes it: then all three have $\tfrac23$, and nothing is left.
# Try `fc.capacities` on the columns $(1,0)$, $(\tfrac12,\tfrac{\sqrt3}2)$, $(-\tfrac12,\tfrac{\sqrt3}2)$.
# :::
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
# **Nearly orthogonal.** The features on the right now stand at 80 degrees.
# How much capacity does so little overlap cost, and does a turn undo it?
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
# ## To remember
#
# - Neurons can be polysemantic because features are turned against them, which can be undone, or because features overlap, which cannot. Capacity tells the two apart.
# - Capacity goes to the most important features first. Features share exactly where their marginal values are equal; the rest are pinned at 0 or 1.
# - More kurtosis, that is, sparser inputs, means more sharing; below kurtosis 3 there is none.
#
# Next: what capacity is, and how much of it there is to spend, {ref}`sec2-capacity`.
