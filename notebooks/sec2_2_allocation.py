# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# (sec2-allocation)=
# # Allocation: how is the budget spent?
#
# Capacities add up to at most $D$: they are a {term}`budget`.
# Every feature wants some of it, and each bit of capacity is worth less than the one before.
# Who gets how much?
#
# Picture a price that sinks slowly from above, on the left of {numref}`fig-water-filling`.
# Features come in one by one as the price passes the top of their curves, and each takes capacity until its own curve is down at the price.
# Curves that are still above the price at $C=1$ have run out of dimension.
# When the budget of {glue:text}`sec2-budget:.2f` is used up, the price stops: that is the *threshold*, and every feature that shares is worth exactly that much at the margin.
#
# **Paper:** section 2.2 {cite}`scherlis2022`.
# **Run time:** some seconds.

# %% tags=["parameters", "hide-input"] quick={"n_random": 200}
n_features: int = 6  # features in the random examples [6 .. 60]
n_dims: int = 3  # neurons in the random examples [2 .. 5]
kurtosis: float = 9.0  # fourth moment in the quadratic model [1.1 .. 100]
budget: float = 3.0  # capacity that the six curves share [0.25 .. 5.75]
n_random: int = 2000  # random problems [50 .. 50000]
seed: int = 0  # of everything random [0 .. 1000000]

# %% tags=["hide-input"]
import numpy as np
from myst_nb import glue

import feature_capacity as fc
from feature_capacity.book.claims.checks import open_page
from feature_capacity.figures import sec2_2_allocation as figures
from feature_capacity.geometry.polytopes import in_the_plane
from feature_capacity.theory.curves import CURVES, benefits_of_six
from feature_capacity.theory.direct_search import (
    best_of_three,
    best_split,
    optimum_by_slsqp,
    slope_in_first_capacity,
)

run = open_page(
    "sec2_2_allocation", n_features=n_features, n_dims=n_dims, kurtosis=kurtosis,
    budget=budget, n_random=n_random, seed=seed,
)  # fmt: skip
generator = np.random.default_rng(seed)
glue("sec2-n-random", n_random, display=False)
glue("sec2-budget", budget, display=False)

# %%
allocation = fc.allocate(benefits_of_six, budget, n_features=6)
allocation.capacity.round(3)

# %% mystnb={"figure": {"caption": "Left: six curves of diminishing returns and one common threshold; dotted lines lead down to the capacities. Right: the capacity taken at every price; the threshold is where it meets the budget.", "name": "fig-water-filling"}, "image": {"alt": "Left: six falling curves, each with a dot where it crosses a dashed horizontal line, or at capacity 0 or 1 if it lies below or above the line. Right: total capacity taken against price, a falling curve that crosses the vertical budget line at the same height."}} tags=["hide-input"]
fine, prices = np.linspace(0, 1, 401), np.linspace(0, 3.4, 341)
slices = (np.arange(1000) + 0.5) / 1000
worth = benefits_of_six(slices[:, None])
taken = (worth[None] >= prices[:, None, None]).mean(axis=1).sum(axis=1)
curves = dict(zip(CURVES, benefits_of_six(fine[:, None]).T, strict=True))
at_optimum = benefits_of_six(allocation.capacity)
figures.water_filling(fine, curves, allocation, at_optimum, prices, taken)

# %%
import feature_capacity as fc

mine = fc.solve_allocation([1.5, 1.2, 1, 0.8, 0.5, 0.1], n_dims=3, kurtosis=9)
mine.capacity.round(3), float(mine.threshold.round(3))

# %% [markdown]
# The same allocation can be found without a threshold.
# Cut every feature's dimension into a thousand slices, put all six thousand on one pile, and buy the most useful ones until the budget is spent: the price of the last slice *is* the threshold.

# %%
last_bought = np.sort(worth, axis=None)[::-1][round(1000 * budget) - 1]
bought = (worth >= last_bought).mean(axis=0)
bought.round(3)

# %% tags=["hide-input"]
first, last = benefits_of_six(np.zeros(6)), benefits_of_six(np.ones(6))
price = allocation.threshold
shared_side = np.minimum(first - price, price - last)
side = np.where(
    allocation.capacity == 0,
    price - first,
    np.where(allocation.capacity == 1, last - price, shared_side),
)
run.check("sec2-any-diminishing-curves", bought - allocation.capacity)
run.check("sec2-whole-curve-on-one-side", side)
run.badge()

# %% [markdown]
# ## The loss as a function of capacities
#
# Training looks for the capacities and the rest $S$ that minimize the loss, subject to $0\le C_i\le1$ and $1\le\sum_iC_i\le D$.
# First minimize over $S$, with the capacities held fixed; what remains is a loss $L(C_1,\dots,C_N)$ of the capacities alone.
#
# Why first over $S$?
# There are many ways to choose $S$, and "the slope of the loss in $C_i$, all else fixed" depends on what "all else" is.
# In the quadratic model of {ref}`sec3-1-quadratic-model` the loss has a second number for each feature, the squared length $n_i$ of its vector; one may hold that fixed, or the ratio $n_i/C_i$, which all features that share turn out to have in common.
# At arbitrary lengths the two slopes differ; at the best lengths they are the same, because there the loss is flat in $n_i$.

# %%
C, v = np.array([0.5, 0.7, 0.8]), np.array([1.0, 1.2, 0.8])
any_lengths, best_lengths = 2 * v, fc.best_sq_norm(C, v, kurtosis)
at_any, at_best = (
    [
        slope_in_first_capacity(C, held, v, kurtosis)
        for held in (lambda c, n=n: n, lambda c, n=n: n / C * c)
    ]
    for n in (any_lengths, best_lengths)
)
at_any, at_best  # lengths held fixed, and ratios of length to capacity held fixed

# %% [markdown]
# Now suppose that capacity never hurts: the *marginal benefit* $-\partial L/\partial C_i$ is never negative.
# Then capacity left over could be put to use, so the optimum spends everything and the constraint becomes $\sum_i C_i=D$.
# A multiplier $\lambda$, not the one of {eq}`eq-paper-15`, charges for capacity:
#
# $$ \min_{0\le C_i\le 1}\ \max_{\lambda}\quad L(C_1,\dots,C_N)+\lambda\Big(\sum_i C_i-D\Big) $$ (eq-paper-4)
#
# (The paper writes a minimum over $\lambda$ too; what is meant is a stationary point, at which the constraint holds.)
#
# Read $\lambda$ as a price for one unit of capacity.
# Each feature decides for itself whether the next bit is worth it.
# Inside the interval, the best point has no slope:
#
# $$ \frac{\partial}{\partial C_i}\Big(L+\lambda\big(\textstyle\sum_j C_j-D\big)\Big)=0 . $$ (eq-paper-5)
#
# At the ends of the interval the slope may point outward.
# That gives three cases.
# An ignored feature is not worth the price even for its first bit,
#
# $$ \frac{\partial L}{\partial C_i}\ge-\lambda\qquad (C_i=0); $$ (eq-paper-6)
#
# a shared feature is worth exactly the price at the margin,
#
# $$ \frac{\partial L}{\partial C_i}=-\lambda\qquad (0<C_i<1); $$ (eq-paper-7)
#
# and a fully represented feature would be worth the price of even more, but there is no more than one dimension to have,
#
# $$ \frac{\partial L}{\partial C_i}\le-\lambda\qquad (C_i=1). $$ (eq-paper-8)
#
# ```{note}
# This $\lambda$ is a marginal benefit, which we call the *threshold*.
# In section 3 the paper uses the same letter for another number, a ratio of length to capacity; the threshold is then twice its square, as {ref}`sec3-3-allocation` derives.
# ```
#
# We test the conditions on {glue:text}`sec2-n-random` random problems of the quadratic model, of every kurtosis from dense to very sparse, solved by `fc.solve_allocation`.
# `excess` is the marginal benefit relative to the threshold, minus one.

# %%
importance = generator.lognormal(sigma=0.8, size=(n_random, n_features))
many_kurtoses = np.exp(generator.uniform(np.log(1.1), np.log(1000), size=n_random))
best = fc.solve_allocation(importance, n_dims, many_kurtoses[:, None])
benefit = fc.marginal_benefit(best.capacity, importance, many_kurtoses[:, None])
excess = benefit / best.threshold[:, None] - 1

ignored, shared, whole = (best.phase == code for code in range(3))
on_the_threshold = abs(np.where(shared, excess, 0)).max()
glue("sec2-kkt", float(fc.kkt_residuals(best).max()), display=False)
float(on_the_threshold)

# %% [markdown]
# `fc.kkt_residuals` reports the same for any allocation; its largest value here is {glue:text}`sec2-kkt:.1e`.
#
# Conditions {eq}`eq-paper-6` to {eq}`eq-paper-8` say what an optimum must look like.
# Whether the allocation *is* the optimum needs a judge that does not know them.
# We give the loss to a general-purpose optimizer (SLSQP), which may leave capacity unspent.
#
# Equation {eq}`eq-paper-5` can be felt directly, with a {ref}`figure to play with <sec1-explorer>` or by computation.
# Take a little capacity $\delta$ from one shared feature and give it to another: at the optimum, the loss changes by an amount of order $\delta^2$ only.
# Below are the largest distance between the optimizer's capacities and ours, and the power of $\delta$.

# %%
few = generator.lognormal(sigma=0.5, size=(12, n_features))
found = np.array([optimum_by_slsqp(v, kurtosis, n_dims) for v in few])

v = np.array([1.3, 1.0, 0.8])
pair = fc.solve_allocation(v, 1, 9.0)
moves = np.array([2e-3, 1e-3])
moved = pair.capacity + moves[:, None] * np.array([1, -1, 0])
rise = fc.loss_at_best_lengths(moved, v, 9.0).sum(axis=1) - pair.loss
far = abs(found - fc.solve_allocation(few, n_dims, kurtosis).capacity).max()
float(far), float(np.log2(rise[0] / rise[1]).round(3))

# %% tags=["hide-input"]
formula = -fc.marginal_benefit(C, [1.0, 1.2, 0.8], kurtosis)[0]
run.check("footnote3-slope-depends-on-s", abs(at_any[1] / at_any[0] - 1))
run.check("footnote3-settled-at-the-best", at_best, [formula, formula])
run.check("sec2-capacity-never-hurts", benefit)
run.check("eq6-ignored", np.where(ignored, -excess, 0))
run.check("eq7-shared", on_the_threshold)
run.check("eq8-fully-represented", np.where(whole, excess, 0))
run.check("eq4-budget-is-spent", found.sum(axis=1) - n_dims)
run.check("eq4-optimum", found - fc.solve_allocation(few, n_dims, kurtosis).capacity)
run.check("eq5-stationary", np.log2(rise[0] / rise[1]))
run.badge()

# %% [markdown]
# ## Why sharing needs diminishing returns
#
# Everything is decided by the shape of the marginal-benefit curves.
# {numref}`fig-six-situations` draws two features, blue and black, that compete for one dimension.
# The best split is found by brute force: try every split, add up the areas under both curves.

# %% mystnb={"figure": {"caption": "Two features compete for one dimension: increasing returns (A, B), constant and equal returns (C, every split is optimal), diminishing returns (D, E, F); dots mark the optimal split.", "name": "fig-six-situations"}, "image": {"alt": "Six panels with a blue and a black curve of marginal benefit against capacity. In A and B the curves rise and the dots sit at capacities 0 and 1. In C both are one flat line with rings all along it. In D, E and F the curves fall; the dots are at 0 and 1, at equal height inside, and at 1 and 0."}}
grid = np.linspace(0, 1, 201)
falling = np.exp(-0.9 * grid)
curves = [
    (0.45 + 0.8 * grid**2, 0.9 + 0.9 * grid**2),  # A
    (1.2 + 0.9 * grid**2, 0.9 + 0.9 * grid**2),  # B
    (np.full_like(grid, 1.2), np.full_like(grid, 1.2)),  # C
    (0.35 * falling, falling),  # D
    (1.15 * falling, falling),  # E
    (2.6 * falling, falling),  # F
]
splits = [best_split(grid, *pair) for pair in curves]
heads = ["rising, black wins", "rising, blue wins", "constant, equal"]
heads += ["falling, black wins", "falling, shared", "falling, blue wins"]
both = zip(heads, curves, splits, strict=True)
figures.six_situations(grid, {head: (*pair, split) for head, pair, split in both})

# %% [markdown]
# **A and B, increasing returns.** The more capacity a feature has, the more it gains from the next bit.
# Splitting is the worst of both worlds: the winner takes the whole dimension.
#
# **C, constant and equal returns.** Every split is as good as any other.
# (If the constants differed, the larger one would win.)
#
# **D, E, F, diminishing returns.** Capacity flows to whoever gains more from the next bit, until both gain the same.
# In E that happens inside, at the dashed line: the features share, and this is superposition.
# In D and F even the winner's last bit is worth more than the loser's first, so the loser gets nothing.
#
# The quadratic model shows all six.
# Whether its curves rise or fall is up to the kurtosis $k$ of the inputs alone: its marginal benefit is $2\big(\tfrac{(k-1)v}{(k-3)C+2}\big)^2$, which rises with $C$ for $k<3$, is constant at $k=3$ and falls for $k>3$ ({ref}`sec3-3-allocation`).
# Importance only scales a curve up or down.
# {numref}`fig-six-situations-quadratic` has one dimension for two features again, with the optimum from `fc.solve_allocation`; the brute-force search finds the same.

# %% mystnb={"figure": {"caption": "The same six situations in the quadratic model; blue has importance $v$, black importance 1.", "name": "fig-six-situations-quadratic"}, "image": {"alt": "Six panels as in the previous figure, computed from the quadratic model at kurtosis 1.8, 3 and 5. The pattern of optimal dots is the same."}}
cases = [(0.8, 1.8), (1.25, 1.8), (1.0, 3.0), (0.45, 5.0), (1.2, 5.0), (2.2, 5.0)]
pairs = [fc.marginal_benefit(grid[:, None], [v, 1.0], k).T for v, k in cases]
exact = [fc.solve_allocation([v, 1.0], 1, k) for v, k in cases]
in_theory = [best.capacity[0] if best.unique else None for best in exact]
by_force = [best_split(grid, *pair) for pair in pairs]

# A tie counts as a value of its own, so that it must be found by both.
values = [[-1 if c is None else c for c in found] for found in (in_theory, by_force)]
glue("sec2-split-b", float(in_theory[4]), display=False)
glue("sec2-split-k", float(1 - in_theory[4]), display=False)
heads = [f"$k$ = {k:g}, $v$ = {v:g}" for v, k in cases]
both = zip(heads, pairs, in_theory, strict=True)
figures.six_situations(grid, {head: (*pair, split) for head, pair, split in both})

# %% [markdown]
# In panel E of {numref}`fig-six-situations-quadratic` blue gets {glue:text}`sec2-split-b:.2f` and black {glue:text}`sec2-split-k:.2f` of the dimension.
#
# ### Why increasing returns forbid sharing
#
# Suppose two features with increasing returns share.
# Move a little capacity from the one with the smaller marginal benefit to the other (from either, if they are equal).
# The giver's benefit falls, the receiver's rises, so the next bit moved pays even more.
# Nothing stops the flow until one of them is empty or full.
# Repeat: at most one feature can be left with a fraction, and since $D$ is a whole number, none is.
#
# The proof uses that the budget is whole; a search over all allocations of three features shows it too.

# %%
whole_budget = best_of_three(np.array([1.2, 1.0, 0.9]), 1.8, 2.0)
broken = best_of_three(np.array([1.2, 1.0, 0.9]), 1.8, 1.5)
even, apart = (
    float(fc.loss_at_best_lengths(c, np.ones(4), 1.8).sum())
    for c in ([0.5] * 4, [1, 1, 0, 0])
)
glue("sec2-broken", ", ".join(f"{c:g}" for c in broken.round(9)), display=False)
glue("sec2-evenly", even, display=False)
glue("sec2-apart", apart, display=False)
whole_budget, broken

# %% [markdown]
# With a budget of 1.5 instead of 2, the best allocation is ({glue:text}`sec2-broken`): exactly one feature keeps the fraction.
#
# A warning about the conditions: with increasing returns they are necessary but not sufficient.
# Four equal features that split two dimensions evenly satisfy {eq}`eq-paper-7` at every kurtosis.
# At $k=1.8$ that even split has loss {glue:text}`sec2-evenly:.3f`, while giving two of them everything has {glue:text}`sec2-apart:.3f`: the even split is the top of a hill, not the bottom of a valley.

# %% tags=["hide-input"]
run.check("sec2-six-situations", np.diff(values, axis=0))
ks = np.array([1.1, 1.8, 2.5, 2.99, 3.0, 3.01, 5.0, 9.0, 100.0])
alone = fc.loss_at_best_lengths(grid[:, None], [1.0], ks[:, None, None])[..., 0]
gain = -np.diff(alone)
bend = np.sign(np.round(np.diff(gain) / gain[:, 1:], 9))
run.check("sec2-returns-by-kurtosis", np.mean(bend == np.sign(3 - ks)[:, None]))
run.check("sec2-increasing-returns-pin", np.minimum(whole_budget, 1 - whole_budget))
run.badge()

# %% [markdown]
# ## Any definition of capacity will do, almost
#
# The argument never used {eq}`eq-paper-3`.
# It needs (1) that more capacity never makes the loss greater and (2) that the allocations it chooses among can be realized by embeddings.
# For (2), `fc.embedding_from_capacities` builds an embedding for *any* capacities that sum to $D$.
# We ask it for a hundred mixtures of choices of $D$ whole features, which is what all such capacities are, and measure what it built.
#
# Appendix G offers a second definition: the {term}`leverage <leverage score>` $\tilde C_i=[W^{+}W]_{ii}$ of each column, with $W^{+}$ the pseudo-inverse.
# It is what capacity becomes after stretching the embedding space until the features are spread evenly in all directions.
# It is never below $C_i$, and it always sums to the rank, so that *every* full-rank embedding is efficient in its sense.
# On efficient embeddings the two agree.

# %%
# Mixtures of six choices of whole features sum to D, and stay between 0 and 1.
wholes = np.argsort(generator.random((100, 6, n_features))) < n_dims
mix = generator.dirichlet(np.full(6, 0.5), 100)
targets = np.clip((mix[:, :, None] * wholes).sum(axis=1), 0, 1)
built = [fc.embedding_from_capacities(c, generator=generator) for c in targets]
both = [measure(np.stack(built)) for measure in (fc.capacities, fc.leverage_capacities)]
float(abs(both[0] - targets).max())

# %% [markdown]
# Condition (2) is stated for all allocations within the bounds, spent or not.
# Taken at its word it fails, and two features in a plane show how.
# If $\theta$ is the angle between them, then
#
# $$ \Big(\frac1{C_1}-1\Big)\Big(\frac1{C_2}-1\Big)=\cos^4\theta . $$
#
# So $C_1=1$ forces $\theta=90°$, and then the second feature has capacity 1 too, or 0 if it is ignored.
# The allocation $(1,\tfrac12)$, the cross in {numref}`fig-realizable-pairs`, obeys $0\le C_i\le1$ and $1\le\sum_iC_i\le2$, yet no embedding has it, though some come as close as you like.

# %% mystnb={"figure": {"caption": "Capacities that two features in the plane can have, by 2500 random embeddings; the cross marks an allocation within the bounds that no embedding has.", "name": "fig-realizable-pairs"}, "image": {"alt": "Two square plots. Left: by equation 3 the points fill the triangle above the diagonal but not its upper and right edges. Right: by leverage the points lie only on the diagonal and at the corner one, one."}}
angle = generator.uniform(0, 180, 2500)
angle[:250] = 0
first = np.broadcast_to([[1.0], [0.0]], (2, 2500))
second = in_the_plane(angle, np.exp(generator.normal(scale=0.5, size=2500)))
pairs = np.stack([first, second], axis=-1).transpose(1, 0, 2)
by_overlap, by_leverage = fc.capacities(pairs), fc.leverage_capacities(pairs)
product_of_both = np.prod(1 / by_overlap - 1, axis=1)
np.testing.assert_allclose(product_of_both, np.cos(np.radians(angle)) ** 4, atol=1e-9)

orthogonal = np.array([np.diag([1, s]) for s in [0, *np.geomspace(1e-3, 1e3, 25)]])
second_has = fc.capacities(orthogonal)[:, 1]  # while the first has 1
heads = ["$C$ of equation (3)", r"leverage $\tilde C$"]
figures.realizable_pairs(by_overlap, by_leverage, heads)

# %% [markdown]
# The left plot fills the triangle but not its upper and right edges.
# By leverage, on the right, totals are always whole numbers: two parallel features share one dimension, any others have one each, and nothing lies between.
# Neither gap harms the argument.
# It only compares allocations that spend the whole budget, and those are all realizable, by both definitions.

# %% tags=["hide-input"]
run.check("sec2-realizable-when-spent", both, [targets, targets])
run.check("sec2-realizable-when-not-spent", abs(second_has - 0.5).min())
run.badge()

# %% [markdown]
# ```{admonition} Where we differ
# :class: important
# Allocations that leave budget unspent are not all realizable ({ref}`unspent-allocations`).
# No optimum uses them.
# ```
#
# ## Try it
#
# **Plenty.** What happens to {numref}`fig-water-filling` with a budget of 5.5?
#
# ```sh
# papermill notebooks/sec2_2_allocation.ipynb out.ipynb --cwd notebooks -p budget 5.5
# ```
#
# :::{admonition} Answer
# :class: dropdown
# The price sinks from 0.96 to 0.31.
# Two curves lie above it even at $C=1$ and are pinned at a full dimension; the four others still share, but each has more than three quarters of a dimension.
# Sharing is a matter of scarcity.
# :::
#
# **Next to nothing.** And who gets anything when there is only a quarter of a dimension to give away?
#
# ```sh
# papermill notebooks/sec2_2_allocation.ipynb out.ipynb --cwd notebooks -p budget 0.25
# ```
#
# :::{admonition} Answer
# :class: dropdown
# Two features: the square root, whose curve begins highest, takes 0.23 of a dimension, and the exponential the rest.
# The other four are pinned at zero, since even their first bit is worth less than the price, which is now 2.86.
# :::
#
# **A hill.** Four equal features split two dimensions evenly, at $k=1.8$.
# All of equations {eq}`eq-paper-6` to {eq}`eq-paper-8` hold. Is that an optimum?
#
# :::{admonition} Answer
# :class: dropdown
# No: it is the top of a hill.
# The conditions are necessary, and with increasing returns not sufficient; whichever feature gets a little more is worth more at the margin, and takes all.
# :::
#
# ## To remember
#
# - At the optimum all features that share have the same marginal benefit, the threshold; features below it are ignored, features above it own a dimension.
# - This needs no particular model: the conditions hold for any loss, the picture of the slices for any loss that is a sum of one curve of diminishing returns for each feature.
# - With increasing returns and a whole budget every feature gets all or nothing.
#
# Next: a model in which every one of these curves has a formula, {ref}`sec3-1-quadratic-model`.
