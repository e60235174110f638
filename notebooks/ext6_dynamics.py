# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# (ext6-dynamics)=
# # How networks get there
#
# Optimal capacities say where training should end.
# Does it march there or loiter?
# In which order do features come, what stops them, and what becomes of capacity in the next layer?
#
# **Paper:** section 3 {cite}`scherlis2022`, where the optimum is; here the way to it. The questions are those of the blog post of {ref}`sec3-7-blog`.
# **Run time:** about three minutes.

# %% tags=["parameters", "hide-input"] quick={"n_starts": 10, "n_steps": 60, "n_models": 1, "n_grid": 7}
start_size: float = 1e-5  # size of the random start in the exact flow [1e-7 .. 1e-2]
n_starts: int = 100  # random starts for each kurtosis [4 .. 1000]
n_steps: int = 1500  # steps of training [20 .. 20000]
n_models: int = 3  # starts of each training [1 .. 16]
batch_size: int = 128  # samples at every step, where there are batches [32 .. 4096]
n_grid: int = 25  # importances at which transitions are looked at [5 .. 200]
probability: float = 0.1  # chance that a feature is active, in training [0.05 .. 0.5]
seed: int = 0  # of everything random on this page [0 .. 1000000]
device: str = "auto"  # where training runs {auto, cpu, cuda, mps}

# %% tags=["hide-cell"]
import numpy as np
import pandas as pd
from myst_nb import glue

import feature_capacity as fc
from feature_capacity.book.claims.checks import open_page
from feature_capacity.figures import ext6_dynamics as figures
from feature_capacity.models import lessons
from feature_capacity.models.device import pick_device
from feature_capacity.theory import depth
from feature_capacity.theory.phases import ignored_boundary, monosemantic_boundary

run = open_page(
    "ext6_dynamics", start_size=start_size, n_starts=n_starts, n_steps=n_steps,
    n_models=n_models, batch_size=batch_size, n_grid=n_grid, probability=probability,
    seed=seed, device=device,
)  # fmt: skip
print("computed on:", pick_device(device))

# %% mystnb={"figure": {"caption": "Five features learn to share three dimensions, or not: the exact gradient flow of the quadratic model at kurtosis 3, from a small random start. Diamonds: when a feature has half of its length (a) and of its capacity (b), to leading order, for any start of this size. c: the loss. d: total capacity, which waits at whole numbers.", "name": "fig-ext6-stairs"}, "image": {"alt": "Four panels against time. Squared lengths of features 1, 2 and 3 rise one after the other from 0 to 1 in steep S curves; features 4 and 5 stay at 0. Capacities of the same features jump to 1 earlier than the lengths. The loss falls in three steps. Total capacity starts at a random value, falls to 1, then jumps to 2 and to 3."}} tags=["hide-input"]
importance = np.array([4.0, 2.5, 1.5, 0.8, 0.4])
arrivals = fc.arrival_times(importance, 3, start_size)
start = start_size * np.random.default_rng(seed).standard_normal((3, 5))
times = np.linspace(0, 1.4 * arrivals[1][-1] + 0.2, 800)
W = fc.flow_at_three(start, importance, times)
capacity, lengths = fc.capacities(W), (W**2).sum(-2)
loss = fc.expected_loss(W, importance, 3.0)
figures.stairs(times, lengths / importance, capacity, loss / loss[0], arrivals)

# %% [markdown]
# It does both: it marches up a staircase, and loiters on the steps.
# In five lines, two features and one dimension:

# %%
import feature_capacity as fc

W = fc.flow_at_three([[0.01, 0.01]], [2.0, 1.0], times=[0.0, 0.2, 0.4, 1.0])
(W**2).sum(-2).round(3)  # squared lengths of both features

# %% [markdown]
# The less important one grows for a while, too, and is pushed out.
#
# ## The flow, solved
#
# At $k=3$ equation (12) is $2\|W^TW-V\|_F^2$ with $V=\mathrm{diag}(v)$, and following its gradient, $\dot W=-\partial\mathcal L/\partial W$, changes $A=W^TW$ by
#
# $$ \dot A = 8\,(VA+AV-2A^2), $$
#
# a matrix Riccati equation. From $W_0$ it leads (*proved* below) to
#
# $$ A(t) = e^{8Vt}\,W_0^T\Big(I + W_0\,\frac{e^{16Vt}-I}{V}\,W_0^T\Big)^{-1}W_0\,e^{8Vt}. $$
#
# Every feature grows like $e^{8v_it}$ until the bracket, which couples them, says that a dimension is full.
#
# :::{admonition} Proof
# :class: dropdown
# Put $E=e^{8Vt}$ and let $S$ be the bracket, so that $\dot E=8VE$ and $\dot S=16\,W_0E^2W_0^T$.
# Then $A=EW_0^TS^{-1}W_0E$ has $\dot A=8VA+8AV-EW_0^TS^{-1}\dot S\,S^{-1}W_0E=8VA+8AV-16A^2$, and $A(0)=W_0^TW_0$.
# Solutions are unique. ∎
# :::
#
# An integrator of differential equations agrees:

# %%
few = np.linspace(0, 0.6, 4)
from_here = np.random.default_rng(seed).standard_normal((3, 5)) / 10
exact = fc.flow_at_three(from_here, importance, few)
integrated = fc.flow(from_here, importance, 3.0, few)
float(abs(exact.mT @ exact - integrated.mT @ integrated).max())

# %% [markdown]
# ### The order of features, and when they come
#
# From a start of size $\varepsilon$ a feature that finds a free dimension has half of its length at
#
# $$ t_i = \frac{\ln(1/\varepsilon)}{8v_i} , $$
#
# to leading order: importance is speed.
# Features for which no dimension is left never come.
# Capacity counts directions, not lengths, and it runs ahead of the loss: feature $i$ has half of it at
#
# $$ \frac{\ln(1/\varepsilon)}{4\,(v_{i-1}+v_i)} , $$
#
# for $i > 1$ (the first has it from the start), because from $t_{i-1}$ on its part along feature $i-1$ shrinks beside the rest.
# Two starts, one a hundred times smaller than the other, show the slopes; all that does not depend on $\varepsilon$ drops out.

# %%
delays = fc.measured_delays(importance, 3, start_size, seed)
table = pd.DataFrame(
    {"measured": delays.measured, "ln 100 times the slope": delays.expected},
    index=[
        f"{what} of feature {i}"
        for what in ("capacity", "length")
        for i in (1, 2, 3)
    ],
)
table.round(4)

# %% [markdown]
# Between $t_i$ and $t_{i+1}$ nothing seems to happen: a step of {numref}`fig-ext6-stairs`.
# What the network has there is the optimum for fewer dimensions.
# Equal features come one shortly after the other; the time between them does not grow as the start shrinks.

# %% tags=["hide-input"]
run.check("ext6-flow", exact.mT @ exact, integrated.mT @ integrated)
off = abs(delays.measured - delays.expected).max() / delays.expected.max()
run.check("ext6-arrivals", off)
run.check("ext6-capacity-first", delays.length - delays.capacity)
offsets = np.array([0.05, 0.1, 0.2, 0.4])
moments = np.linspace(0, 0.4, 60)
A, A_1 = fc.flow_near_three(from_here, importance, moments)
others = [fc.flow(from_here, importance, 3 + h, moments) for h in offsets]
errors = np.array([
    abs(w.mT @ w - A - h * A_1).max() for h, w in zip(offsets, others, strict=True)
])
run.check("ext6-first-order", np.log2(errors[1] / errors[0]))
run.badge()

# %% [markdown]
# ### Near kurtosis 3
#
# A change of $k$ by a little changes the way by a little, and that too has a closed form, one integral over time (*proved* below).
#
# :::{admonition} Formula and proof
# :class: dropdown
# With $A_0=W_0^TW_0$ and $C=(e^{16Vt}-I)/V$ the solution above is $A=E(I+A_0C)^{-1}A_0E$.
# A change $\delta A_0$ of the start becomes $\Phi\,\delta A_0\,\Phi^T$ with $\Phi=E\,(I+A_0C)^{-1}$.
# Away from $k=3$ the flow of $A$ is driven by $-4(k-3)(\Delta A+A\Delta)$ besides, $\Delta$ being the diagonal of $A-V$.
# What drives it during $ds$ is a change of start at time $s$, carried on by $\Phi(t,s)$; to first order they add up:
# $A_1(t)=-4\int_0^t\Phi(t,s)\,(\Delta A+A\Delta)(s)\,\Phi(t,s)^T\,ds$. ∎
# :::

# %% mystnb={"figure": {"caption": "Left: squared lengths at kurtosis 3.4, integrated; dotted at kurtosis 3; dashed to first order in k − 3. Right: what the first order leaves.", "name": "fig-ext6-near-three"}, "image": {"alt": "Left: S curves of three features; the dashed first-order curves lie close to the integrated ones, which run ahead of the dotted ones. Right: on logarithmic axes the error rises along the dashed line of order two."}} tags=["hide-input"]
lines = {
    "integrated": (others[-1] ** 2).sum(-2),
    "k = 3": np.diagonal(A, axis1=1, axis2=2),
    "first order": np.diagonal(A + offsets[-1] * A_1, axis1=1, axis2=2),
}
figures.near_three(moments, lines, offsets, errors)

# %% [markdown]
# Sparser features learn faster, at $4(k-1)v_i$ instead of $8v_i$.
#
# ## Where it waits, and where it stops
#
# On a step some features have a dimension each and the others have nothing; the gradient is 0.
# An absent feature $j$ then grows (*proved* below) at the rate
#
# $$ \begin{aligned} &4(k-1)\,v_j & &\text{in a free dimension,} \\ &4(k-1)\,v_j-8v_i & &\text{along a feature } i \text{ that is there.} \end{aligned} $$
#
# The second rate is positive exactly if $v_j>\frac{2}{k-1}v_i$, the condition {eq}`eq-sec3-5-range` for who shares with whom, since feature $i$ alone has $\lambda=v_i$.
# The rule of the optimum is the speed at which sharing begins, and close to the boundary of the phase this speed is close to 0.
#
# :::{admonition} Proof
# :class: dropdown
# The flow of one column is $\dot w_j=4(k-1)(v_j-n_j)\,w_j-8\sum_{l\ne j}(w_l\cdot w_j)\,w_l$.
# To first order in a small $w_j$ the sum takes $8v_i$ from its component along each $w_i$ that is there, because those have $n_i=v_i$ and are orthogonal, and nothing from the rest.
# The features that are there feel $w_j$ in second order only. ∎
# :::

# %%
fc.escape_rates([5.0, 3.0, 1.0], kept=[0, 1], kurtosis=9.0)[1]

# %% [markdown]
# At kurtosis 9 the third feature moves in with the second and not with the first.
#
# Below $k=3$ the rule asks for more than equal importance, and choices that are not the best are final: any features will do against which no absent one can grow.

# %% mystnb={"figure": {"caption": "Left: share of random starts from which gradient descent on the quadratic model reaches the optimum, six features in three dimensions. Right: choices of three features that are local minima. Dotted: kurtosis 3.", "name": "fig-ext6-basins"}, "image": {"alt": "Left: at kurtosis 1.5 no start or about half of them reach the optimum; from kurtosis 3 on all do. Right: 20 or 8 stable choices at kurtosis 1.5, one at kurtosis 3, none above."}} tags=["hide-input"]
kurtoses = [1.5, 2.0, 2.5, 3.0, 5.0, 9.0, 18.0]
profiles = {
    "importances 1.2 to 0.8": np.linspace(1.2, 0.8, 6),
    "importances 1 to 0.1": np.geomspace(1, 0.1, 6),
}
ends = {
    name: [fc.basins(v, 3, k, n_starts, seed) for k in kurtoses]
    for name, v in profiles.items()
}
reached = {name: np.array([e.best for e in each]) for name, each in ends.items()}
choices = {
    name: np.array([e.n_choices or np.nan for e in each]) for name, each in ends.items()
}
figures.basins(kurtoses, reached, choices)

# %% [markdown]
# Dense features of similar importance are a matter of luck.
# Sparse ones are not: although there are more ways to share than to choose, every start found an optimum.

# %% tags=["hide-input"]
run.check("ext6-basins-above", min(share[3:].min() for share in reached.values()))
below = [e.stable for each in ends.values() for e in each[:3]]
run.check("ext6-basins-below", np.mean(below))
run.badge()

# %% [markdown]
# (ext6-loiter)=
# ## March or loiter?
#
# "Does SGD march directly toward capacity-optimal blocks or loiter in messy rotations?" asks the post.
# Here are five of the models of section 3.7, six features of falling importance in three dimensions, with the expected gradient, with batches, and with Adam.

# %%
v = np.geomspace(1, 0.1, 6)
paths = fc.compare_rules(
    v, 3, probability, n_steps, batch_size, n_models, seed, device
)

# %% mystnb={"figure": {"caption": "Training of three of these models with three rules, a line a start. Top: expected loss. Bottom: total capacity, at most 3.", "name": "fig-ext6-training"}, "image": {"alt": "Six panels against steps. Losses fall steeply and then slowly on logarithmic axes. Total capacity rises within the first part of training toward 3 and stays there, with batches and without."}} tags=["hide-input"]
shown = ("computation, quadratic", "computation, ReLU", "autoencoder, ReLU")
losses = {
    m: {r: p.loss / p.loss[0] for r, p in paths[m].items()} for m in shown
}
totals = {
    m: {r: fc.total_capacity(p.W) for r, p in paths[m].items()} for m in shown
}
figures.training(paths[shown[0]]["Adam"].steps, losses, totals, 3)

# %% [markdown]
# Total capacity says how much of the space is in use, and not by whom.
# Who shares with whom is in the cosines; a {term}`block` is a set of features that they connect.

# %% mystnb={"figure": {"caption": "Which features share along the first start of the same models: a column a model, a row a rule, a strip a pair of features. White: one of the two is absent. Orange: from here on the same features share as at the end (cosines above 0.2 connect: those of networks on their way are never quite 0); no line where that is so from the first step on.", "name": "fig-ext6-sharing"}, "image": {"alt": "Nine panels of fifteen strips each. Autoencoder: a few strips turn dark and all others pale, with Adam within two hundred steps, with plain descent after about half of the training, where features drop out. Quadratic computation: feature 1 slowly parts from the others, which stay connected. Computation with ReLU: strips keep changing to the end."}} tags=["hide-input"]
cosines = {
    m: {r: fc.pair_cosines(p.W[:, 0]) for r, p in paths[m].items()} for m in shown
}
since = {
    m: {r: p.steps[fc.settled(p.W[:, 0])] for r, p in paths[m].items()} for m in shown
}
figures.sharing(paths[shown[0]]["Adam"].steps, cosines, since, n_features=6)

# %% tags=["hide-input"]
lowest = {
    model: min(each.values(), key=lambda p: p.loss[-1].min())
    for model, each in paths.items()
}
best_sets = {
    model: fc.sharing_sets(p.W[-1, p.loss[-1].argmin()]) for model, p in lowest.items()
}
rows = {
    (model, rule): {
        "waiting": np.mean([fc.waiting_share(p.steps, one) for one in p.loss.T]),
        "missing capacity": 3 - fc.total_capacity(p.W[-1]).mean(),
        "turned (radians)": p.turned[-1].mean(),
        "blocks from": np.mean([fc.settled(w) for w in p.W.swapaxes(0, 1)])
        / (len(p.W) - 1),
        "best blocks": np.mean([fc.sharing_sets(w) == best_sets[model] for w in p.W[-1]]),
    }
    for model, each in paths.items()
    for rule, p in each.items()
}
glue("ext6-n-models", n_models, display=False)
progress = pd.DataFrame(rows).T
progress.round(2)

# %% [markdown]
# *Waiting* is the share of the way down during which the loss falls at less than a tenth of its mean rate.
# *Blocks from* is the part of the training after which the same features share as at the end, and *best blocks* the share of starts that end with the blocks of the lowest loss that any rule reached.
#
# The answer depends on the model.
# Under plain descent quadratic computation and the autoencoders march: total capacity is near 3 early, with batches as without, and the embedding does not turn, though the quadratic model spends about half of its way nearly at rest.
# But capacity is there before the blocks are, and the blocks need not be the best.
# In the autoencoders plain descent takes half of the training or more to sort out its pairs, and mostly ends with others than the best, some with a feature lost; Adam has them earlier, and more often the best ones. All this is from {glue:text}`ext6-n-models` starts each.
# In quadratic computation any embedding with the right capacities will do, and its blocks are few and large: there is little to sort. The noise of Adam keeps some cosines about the mark there.
# (*Proved:* where the loss depends on $W^TW$ alone its gradient is $WQ$ with a symmetric $Q$, for each batch too. A step with learning rate $r$ has $W'W^T = W(I-rQ)W^T$, which is symmetric: the step does not turn the embedding. What *turned* counts is the rotation in $W'W^T$ of each step, added up.)
# Computation with ReLU or GELU, in which each neuron counts by itself, is the post's picture: it turns features onto neurons, and most of its time passes while the loss hardly falls.
# The most important ones part early; those that matter least lean on several neurons and connect all features in one block from start to end.
# Adam divides each entry by its own scale, so it knows the axes, and turns every model.

# %% tags=["hide-input"]
free = ("computation, quadratic", "autoencoder, ReLU", "autoencoder, GELU")
invariant = [paths[model] for model in free]
plain = max(
    p.turned.max() for each in invariant for r, p in each.items() if r != "Adam"
)
run.check("ext6-turning-gradient", plain)
least = min(each["Adam"].turned[-1].min() for each in invariant)
run.check("ext6-turning-adam", least)
when = progress.loc["autoencoder, ReLU", "blocks from"]
run.check("ext6-blocks-adam", when["Adam"])
if when["Adam"] > 0:
    run.check("ext6-blocks-descent", when["batches"] / when["Adam"])
else:
    run.not_applicable("ext6-blocks-descent", "with Adam the blocks never change")
run.badge()

# %% [markdown]
# (ext6-zoo)=
# ### The whole zoo
#
# Networks whose lowest loss is known ({ref}`ext5-reading-features`) show how much of the way is left when training ends.
# Here are all sixteen, with their own inputs, unequal and dependent ones and second layers among them.

# %% tags=["hide-input"]
from feature_capacity.zoo.paths import progress

ways = {
    (name, rule): fc.zoo.training_paths(name, rule, n_models, n_steps, seed=seed)
    for name in fc.zoo.names()
    for rule in ("descent", "adam")
}
lowest = {name: fc.zoo.load(name, "random").certificate.loss for name in fc.zoo.names()}
went = pd.DataFrame(
    {key: vars(progress(way, lowest[key[0]])) for key, way in ways.items()}
).T
headings = {
    "left": "left", "waiting": "waiting",
    "capacity_from": "capacity from", "blocks_from": "blocks from",
}  # fmt: skip
table = went[list(headings)].rename(columns=headings).unstack().loc[fc.zoo.names()]
names = {"selector": "th.row_heading", "props": "white-space: nowrap"}
table.style.format(precision=2).set_table_styles([names])

# %% [markdown]
# *Left* is the part of the way from the start to the lowest loss that is known, and *capacity from* the part of the training after which total capacity stays within a twentieth of a dimension of where it ends; the other columns are those above, all of them means over the starts.
# *Adam* has batches and a learning rate that falls to 0; *descent* has batches and a constant one.
#
# At the end {glue:text}`ext6-zoo-in-use` of the dimensions are in use on average, and hardly anything is left of the way: small networks with known optima are no hard case for training.
# What comes first depends on what there is to find.
# Where features come apart into several blocks, as in the autoencoders and with independent squares, capacity is there long before the blocks are; where all of them share in one block, blocks are there from the start and capacity comes later.
# On average over the zoo neither is late: blocks follow capacity by {glue:text}`ext6-zoo-later-descent` of the training with descent, by {glue:text}`ext6-zoo-later-adam` with Adam.

# %% tags=["hide-input"]
later = went.blocks_from - went.capacity_from
for rule in ("descent", "adam"):
    codes = [f"autoencoder-{act}" for act in ("quadratic", "relu", "gelu")]
    run.check(f"ext6-zoo-blocks-later-{rule}", min(later[code, rule] for code in codes))
    run.check(f"ext6-zoo-in-use-{rule}", went.in_use.xs(rule, level=1).mean())
glue("ext6-zoo-in-use", f"{went.in_use.mean():.0%}", display=False)
glue("ext6-zoo-later-descent", f"{later.xs('descent', level=1).mean():.2f}", display=False)
glue("ext6-zoo-later-adam", f"{later.xs('adam', level=1).mean():.2f}", display=False)
run.badge()

# %% [markdown]
# (ext6-depth)=
# ## Two layers
#
# How does capacity propagate? is the other question of the post.
# Let a first quadratic layer, $s_i=(W_1^TW_1x)_i^2$, stand before the quadratic model, whose target is now $\sum_iv_if_i^2$ with $f_i=(x_i^2-1)/\sqrt{k-1}$.
# Its loss takes eighth moments, and these are exact: sums over 379 partitions of cumulants ({ref}`api-theory`, `depth`).
#
# Weak interference in the first layer makes a relative error, and the square of its output has that error times
#
# $$ a=\frac{4\,(k-1)\,(m_6-2k+1)}{m_8-4m_6+6k-3-(k-1)^2} $$
#
# (*proved* below, to leading order), with $m_r=E[x^r]$.
#
# :::{admonition} Proof
# :class: dropdown
# Let another feature leak in by a small $\delta$, $s=(x_1+\delta x_2)^2$.
# In units in which the first layer's output has variance 1 it is $z=f+2\delta x_1x_2/\sqrt{k-1}+O(\delta^2)$ with $f=(x_1^2-1)/\sqrt{k-1}$: a relative squared error of $4\delta^2/(k-1)$.
# Its square is $z^2=f^2+4\delta fx_1x_2/\sqrt{k-1}+O(\delta^2)$.
# The terms of first order have mean 0 and are uncorrelated with $f$ and $f^2$, because $x_2$ has mean 0; so the relative squared error of $z^2$ is $16\delta^2E[f^2x_1^2]/\big((k-1)\operatorname{Var}f^2\big)$.
# The ratio is $a=4E[f^2x_1^2]/\operatorname{Var}f^2$, with $(k-1)E[f^2x_1^2]=m_6-2k+1$ and $(k-1)^2\operatorname{Var}f^2=m_8-4m_6+6k-3-(k-1)^2$. ∎
# :::

# %%
inputs = fc.SparseUniform(probability)
moments = [inputs.moment(r) for r in (2, 4, 6, 8)]
rare = {
    "uniform": [fc.SparseUniform(1e-6).moment(r) for r in (2, 4, 6, 8)],
    "normal": [fc.SparseNormal(1e-6).moment(r) for r in (2, 4, 6, 8)],
    "Laplace": [f * 1e6**i for i, f in enumerate((1, 6, 90, 2520))],
}
pd.Series({name: fc.amplification(m) for name, m in rare.items()}).round(2)

# %% [markdown]
# Of rare features, those with bounded values amplify interference most, Gaussian ones less, and those with heavy tails damp it: there the target itself varies more than the error.
#
# Now let the first layer share more and more: pairs of features, of importance 2 and 1, at an angle that grows from a right one to a straight one.

# %% tags=["hide-input"]
overlaps = np.geomspace(0.02, 0.95, 9)
layers = {
    n_dims: [
        fc.second_layer(depth.overlapping_pairs(s), [2, 1] * 3, n_dims, moments)
        for s in overlaps
    ]
    for n_dims in (6, 3)
}
relative = {
    n: np.array([b.loss / b.variance for b in each]) for n, each in layers.items()
}

# %% mystnb={"figure": {"caption": "Two quadratic layers. Left: relative error of the whole network against that of an output of the first layer, with a wide and a narrow second layer. Dashed: amplification of weak interference, in closed form. Right: capacities of two features in the narrow one, which shared in the first layer.", "name": "fig-ext6-depth"}, "image": {"alt": "Left, logarithmic axes: the line of the wide second layer rises in parallel with the dotted diagonal and above it, and bends to a level; that of the narrow second layer is level throughout. Right: capacities of the important and the less important feature approach each other as capacity in the first layer falls to one half."}} tags=["hide-input"]
figures.depth(
    1 / (1 + overlaps**2),
    np.array([b.first_error[0] for b in layers[3]]),
    {"6 dimensions": relative[6], "3 dimensions": relative[3]},
    fc.amplification(moments, pair=(2.0, 1.0)),
    np.array([sorted(b.capacity[:2], reverse=True) for b in layers[3]]),
)

# %% [markdown]
# A second layer that is wide enough to keep all features apart has nothing to lose but what the first one mixed, and small mistakes come out larger, by more than $a$, because those of the two features in a pair go together.
# Large ones do not: the curve bends to a level below that of the narrow layer.
# A narrow layer, which makes the same pairs anyway, loses nothing by what was mixed before.
# Its capacities change, however: two outputs that look alike are shared out more evenly.

# %% tags=["hide-input"]
both_ways = depth.measured_amplification(moments), fc.amplification(moments)
run.check("ext6-amplification", *both_ways)
run.badge()

# %% [markdown]
# (ext6-lessons)=
# ## The post's lessons
#
# The post ends with advice; penalties are tried in {ref}`sec3-7-blog`, and the rest here.
#
# **Phase transitions match theory but smear.**
# We train the model of section 3.5, importance of feature 1 on the axis, with batches and Adam.

# %% tags=["hide-input"]
model = fc.ToyModel("computation", "quadratic", 6, 3)
V = np.geomspace(0.05, 20, n_grid)
varied = np.concatenate([V[:, None], np.ones((n_grid, 5))], axis=1)
trained = fc.train(
    model, inputs, varied, n_steps, batch_size, 5e-3, "adam", seed, device
)
k = inputs.kurtosis
exact_1 = fc.solve_allocation(varied, 3, k).capacity[:, 0]
edges = [float(monosemantic_boundary(6, 3, k)), float(ignored_boundary(6, 3, k))]
strength = np.geomspace(0.01, 100, 60)
tamed = lessons.kurtosis_after(inputs, strength)

# %% mystnb={"figure": {"caption": "Left: capacity of feature 1 after training, and by the allocation; orange: a factor 1.5 around the boundaries of phases. Right: kurtosis of a sparse uniform feature after the transform tanh(sx)/s. It ends at 1/p.", "name": "fig-ext6-lessons"}, "image": {"alt": "Left: dots follow a curve that rises from 0 to 1, and leave it most near the orange bands. Right: kurtosis falls from its value to the line at 1/p and not below; the dotted line at 3 is far lower."}} tags=["hide-input"]
curve = (strength, tamed, k, 1 / probability)
figures.lessons(V, exact_1, trained.capacity[:, 0], edges, curve)

# %% [markdown]
# **Curation that lowers kurtosis.**
# Squashing large values helps, up to a point.
# (*Proved* for odd transforms, which keep the mean at 0 and 0 at 0: by Cauchy and Schwarz, $E[x^2]^2\le E[x^4]\,P(x\ne0)$, so that a feature that is active with probability $p$ has $k\ge1/p$.)
# A uniform feature is at $9/(5p)$, and no odd transform gains more than the factor $9/5$.
# With them only features that are on more often than one time in three can be brought to where sharing ends.
#
# **Selective width.**
# A new dimension is shared out by the loss, not by our wishes.

# %%
law = np.arange(1, 101) ** -1.0
width = lessons.widen(law, n_dims=20, kurtosis=20.0, chosen=15)
width.gain_alone, width.weight, width.fall_of_others

# %% [markdown]
# Of a new dimension the chosen feature takes only the first of these numbers, of what all features gain.
# To be monosemantic it must be weighted by the second, and then the others are better off than before, by the third: it takes one dimension, gives back its share of the old ones, and that is theirs.
#
# **Probes that use capacity.**
# Of independent features the best linear probe on $Wx$ explains the share $[W^+W]_{ii}$ of the variance of feature *i*, the {term}`capacity` of Appendix G.
# In an efficient embedding the two capacities are one, and a feature of capacity 0 is a blind spot.
# On the way they are not:

# %% mystnb={"figure": {"caption": "Along the flow of the first figure: capacity (colored), and the share of variance that the best linear probe explains (dashed). Where they are apart a feature can be read that has hardly any capacity.", "name": "fig-ext6-reading"}, "image": {"alt": "Five small panels, a feature each. Dashed lines stay level until the features arrive; the colored capacity of features 2 and 3 dips to zero first, below the dashed line, and joins it at 1 later. In features 4 and 5 both end at 0."}} tags=["hide-input"]
explained = fc.leverage_capacities(fc.flow_at_three(start, importance, times))
figures.reading(times, capacity, explained)

# %% tags=["hide-input"]
far = np.min([abs(np.log(V / edge)) for edge in edges], axis=0) > np.log(1.5)
miss = abs(trained.capacity[:, 0] - exact_1)
if far.any() and not far.all():
    run.check("blog-smear-match", miss[far].mean())
    run.check("blog-smear-smear", miss[~far].mean() / miss[far].mean())
else:
    run.not_applicable("blog-smear-match", "no importance lies on either side")
    run.not_applicable("blog-smear-smear", "no importance lies on either side")
run.check("blog-width-weighted", width.fall_of_others)
run.check("blog-width-alone", width.gain_alone)
run.check("blog-curation", lessons.polysemantic_after(law, 20, 20.0, 20.0 * 5 / 9))
run.check("ext6-kurtosis-floor", tamed - 1 / probability)
run.check("ext6-probe-on-the-way", (explained - capacity).max())
last = {name: each["batches"].W[-1] for name, each in paths.items()}
blind = {
    name: abs(fc.leverage_capacities(W) - fc.capacities(W)).max()
    for name, W in last.items()
}
run.check("blog-probes-quadratic", blind["computation, quadratic"])
run.check("blog-probes-relu", blind["autoencoder, ReLU"])
run.badge()

# %% [markdown]
# :::{admonition} Where we differ from the post
# :class: important
# A new dimension is shared by all features that want some; it does not go to the one we choose unless that one is also weighted up ({ref}`secondary-width`).
# :::
#
# ## Try it
#
# **A larger start.** At a size of 0.01, are there still stairs?
#
# ```sh
# papermill notebooks/ext6_dynamics.ipynb out.ipynb --cwd notebooks -p start_size 0.01
# ```
#
# :::{admonition} Answer
# :class: dropdown
# Blurred ones: total capacity no longer gets down to 1. The length of a step is proportional to the logarithm of the start, and 0.01 leaves less than half of it.
# :::
#
# **Equal features.** Which two features arrive together, and what does {numref}`fig-ext6-stairs` look like then?
#
# :::{admonition} Answer
# :class: dropdown
# Those of equal importance, nearly: the second comes a little later, by a time that the directions of the start decide and its size does not. Total capacity has no long step between them.
# :::
#
# **By hand.** Why does an antipodal pair in the first layer of two make it impossible for the second to tell its features apart?
#
# :::{admonition} Answer
# :class: dropdown
# Both outputs are $(x_1-x_2)^2$.
# :::
#
# ## What to remember
#
# Gradient flow of the quadratic model climbs stairs: one feature after the other, the more important the sooner, and total capacity waits at whole numbers.
# It leaves a step at a speed whose sign is the sharing rule, and no step of it turns the embedding.
# Interference of one layer costs the next one something only if that has room to do better.
