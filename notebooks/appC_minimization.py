# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# (appc-minimization)=
# # Appendix C: minimizing the loss
#
# Three features of unequal importance have one dimension to share.
# Which split has the least loss?
# {numref}`fig-appc-triangles` tries all of them, at four kurtoses.
# Dense inputs ($k=1.8$): give everything to one feature.
# Sparse inputs ($k=6$ and 30): share.
# The paper finds the best split with a pencil, for any number of features, and this page follows it line by line.
# It also asks what the paper leaves out: whether that point is a minimum at all.
#
# **Paper:** Appendix C {cite}`scherlis2022`.
# **Run time:** well under a minute.

# %% tags=["parameters", "hide-input"] quick={"n_problems": 4}
n_features: int = 6  # features N [4 .. 10]
n_dims: int = 3  # neurons D, fewer than features [1 .. 3]
n_problems: int = 12  # random problems for each kurtosis [2 .. 60]
seed: int = 0  # of the problems [0 .. 1000000]
device: str = "auto"  # where the numerical minimization runs {auto, cpu, cuda, mps}

# %% tags=["hide-cell"]
from itertools import combinations

import numpy as np
import sympy as sp

import feature_capacity as fc
from feature_capacity.book.claims.checks import open_page
from feature_capacity.figures import appC_minimization as figures
from feature_capacity.models.device import pick_device
from feature_capacity.solvers.newton import minimize_quadratic
from feature_capacity.theory.direct_search import optimum_by_slsqp
from feature_capacity.theory.locate import first_reached

run = open_page(
    "appC_minimization",
    n_features=n_features,
    n_dims=n_dims,
    n_problems=n_problems,
    seed=seed,
    device=device,
)
print("computed on:", pick_device(device))
rng = np.random.default_rng(seed)

# %%
three, steps = np.array([1.0, 0.9, 0.75]), range(81)
splits = np.array([(i, j, 80 - i - j) for i in steps for j in steps[: 81 - i]]) / 80
loss_at = {
    k: fc.loss_at_best_lengths(splits, three, k).sum(axis=1)
    for k in (1.8, 3.0, 6.0, 30.0)
}
optima = {k: fc.solve_allocation(three, 1, k).capacity for k in loss_at}
optima[6.0].round(3), splits[loss_at[6.0].argmin()]

# %% mystnb={"figure": {"caption": "Three features of importance 1, 0.9 and 0.75 share one dimension. A corner gives it all to one feature, the center a third to each. Colors: the loss; star: the optimum. Below kurtosis 3 the loss bulges and the best corner wins; above, it sags, and soon the optimum moves inside.", "name": "fig-appc-triangles"}, "image": {"alt": "Four triangles with contours of the loss. Kurtosis 1.8: bulging contours, star at the corner of feature 1. Kurtosis 3: straight contours, star at the same corner. Kurtosis 6: a bowl, star inside the triangle. Kurtosis 30: star near the center."}} tags=["hide-input"]
views = {
    f"$k={k:g}$": ((loss - loss.min()) / np.ptp(loss), optima[k])
    for k, loss in loss_at.items()
}
corners = np.array([[0.5, np.sqrt(3) / 2], [0.0, 0.0], [1.0, 0.0]])
figures.triangles(corners, splits, views)

# %% [markdown]
# The stars come from `fc.solve_allocation`, which is the result of this page; the best split of the grid lies next to each.
#
# ## Forgiveness rather than permission
#
# The unknowns are capacities $C_i$ and squared lengths $n_i$, and the loss is {eq}`eq-paper-13`.
# The constraints: $\sum_i C_i \le D$; $0 \le C_i \le 1$; and the pair $(\vec C,\vec n)$ must be *feasible*, that is, belong to some matrix $W$.
# The paper sets the third aside until the end: it asks forgiveness rather than permission.
# (It also writes $1\le\sum_i C_i$, which never binds.)
#
# In these variables the loss is
#
# $$ \mathcal L = (k-1)\sum_i (n_i-v_i)^2 - 2\sum_i n_i^2 + 2\sum_i \frac{n_i^2}{C_i} , $$
#
# a sum over features, so that one feature is enough to differentiate.
# SymPy does the algebra:

# %%
n, v, C, k, lam = sp.symbols("n v C k lambda", positive=True)
loss = (k - 1) * (n - v) ** 2 - 2 * n**2 + 2 * n**2 / C
best = sp.solve(sp.diff(loss, n), n)[0]
best

# %% [markdown]
# ## The best length
#
# Hold the capacities fixed:
#
# $$ \frac{\partial\mathcal L}{\partial n_i} = 2(k-1)(n_i-v_i) - 4n_i + 4\frac{n_i}{C_i} . $$ (eq-paper-49)
#
# At the best length this is zero; collect $n_i^*$, and divide:
#
# $$ 0 = 2(k-1)(n_i^*-v_i) - 4n_i^* + 4\frac{n_i^*}{C_i} $$ (eq-paper-50)
#
# $$ n_i^*\Big((k-3)+\frac{2}{C_i}\Big) = (k-1)\,v_i $$ (eq-paper-51)
#
# $$ n_i^* = \frac{(k-1)\,v_i}{(k-3)+2/C_i} . $$ (eq-paper-52)
#
# It is a minimum, because the second derivative $2(k-3) + 4/C_i$ is positive: it is at least $2(k-1)$, as $C_i \le 1$, and $k>1$.
# Both $n_i^*$ and $n_i^{*2}/C_i$ go to 0 with $C_i$, so an ignored feature adds nothing to the last two sums of the loss.
#
# ### The envelope argument
#
# Now let the capacity change, with the length always following:
#
# $$ \frac{\partial \mathcal L(\vec C,\vec n^*(\vec C))}{\partial C_i} = \frac{\partial\mathcal L}{\partial C_i} + \sum_j \frac{\partial\mathcal L}{\partial n_j}\,\frac{\partial n_j^*}{\partial C_i} . $$ (eq-paper-53)
#
# The sum is zero: not because lengths do not move, but because at the best length a small move costs nothing.
# The direct effect remains:
#
# $$ \frac{\partial\mathcal L}{\partial C_i} = -2\,\frac{\big(n_i^*(C_i)\big)^2}{C_i^2} . $$ (eq-paper-54)
#
# {numref}`fig-sec3-1-envelope` is the picture of this argument.
# The slope is never positive.
# More capacity never hurts, so the budget will be spent: $\sum_i C_i = D$.

# %%
total = sp.diff(loss.subs(n, best), C)
sp.factor(total)

# %% tags=["hide-input"]
slope = 2 * (k - 1) * (n - v) - 4 * n + 4 * n / C
collected = n * ((k - 3) + 2 / C) - (k - 1) * v
printed = (k - 1) * v / ((k - 3) + 2 / C)
zeros = sp.solve(sp.Eq(slope, 0), n)
limits = [sp.limit(printed, C, 0, "+"), sp.limit(printed**2 / C, C, 0, "+")]
bend = sp.diff(loss, n, 2) - 2 * (k - 1) - 4 * (1 - C) / C
run.check("eq49-partial-derivative", sp.simplify(sp.diff(loss, n) - slope) != 0)
run.check("eq50-stationary", sp.simplify(slope.subs(n, printed)) != 0)
run.check("eq51-collected", sp.simplify(slope - 2 * collected) != 0)
run.check("eq52-only-solution", sum(sp.simplify(zero - printed) != 0 for zero in zeros))
run.check("eq52-limits", sum(limit != 0 for limit in limits))
run.check("appc-length-is-a-minimum", sp.simplify(bend) != 0)
direct, indirect = sp.diff(loss, C).subs(n, best), sp.diff(loss, n).subs(n, best)
moves = sp.diff(best, C)
run.check("eq53-chain-rule", sp.simplify(total - direct - indirect * moves) != 0)
run.check("eq53-second-term-vanishes", sp.simplify(indirect * moves) != 0)
run.check("eq53-length-does-move", sp.simplify(moves) != 0)
run.check("eq54-direct-effect", sp.simplify(total + 2 * best**2 / C**2) != 0)
run.badge()

# %% [markdown]
# ## Second-order conditions
#
# A point where first derivatives balance can be a minimum, a maximum or a saddle.
# The Hessian of one feature's loss in $(C_i, n_i)$ decides:
#
# $$ \frac{\partial^2\mathcal L}{\partial C_i^2} = \frac{4n_i^2}{C_i^3} > 0, \qquad \det = \frac{8\,(k-3)\,n_i^2}{C_i^3} . $$ (eq-appc-determinant)
#
# The first entry is positive, so the determinant decides: where it is positive the surface bends upward in every direction, where it is negative there is a saddle.
# For $k\ge3$ the loss is *jointly convex*: whatever satisfies the first-order conditions is a global minimum.
# For $k<3$ it is a saddle surface, at every point with $n_i > 0$.
# Along the best lengths the same number appears again:
#
# $$ \frac{d^2\mathcal L^*}{dC_i^2} = \frac{4\,(k-3)\,(k-1)^2\,v_i^2}{\big((k-3)\,C_i+2\big)^3} . $$ (eq-appc-curvature)

# %%
hessian = sp.hessian(loss, (C, n))
sp.factor(hessian.det())

# %% mystnb={"figure": {"caption": "Above: the loss of one feature, divided by $k-1$, over its capacity and squared length (green is low, dark blue high); the pale line is the valley of the best lengths. Below: the same along the orange path, against the dotted chord: above it, on it, below it.", "name": "fig-appc-valleys"}, "image": {"alt": "Three columns for kurtosis 1.8, 3 and 12. Above, contour maps crossed by a pale valley: bent upward, straight, bent the other way. Below, curves of loss along a straight path: above, on, and below a dotted chord."}}
capacity, sq_norm = np.linspace(0.02, 1, 200), np.linspace(0, 1.2, 200)
grid = np.stack(np.meshgrid(capacity, sq_norm), axis=-1)[..., None]
ends, way = np.array([0.15, 0.9]), np.linspace(0, 1, 101)[:, None]
panels = {}
for q in (1.8, 3.0, 12.0):
    whole = fc.loss_from_capacities(grid[..., 0, :], grid[..., 1, :], [1.0], q)
    valley = fc.best_sq_norm(capacity, np.ones(200), q)
    path = np.stack([ends, fc.best_sq_norm(ends, np.ones(2), q)], axis=1)
    x = path[0] + way * (path[1] - path[0])
    along = fc.loss_from_capacities(x[:, :1], x[:, 1:], [1.0], q)
    panels[f"$k={q:g}$"] = (whole / (q - 1), valley, path, along / (q - 1))
figures.valleys(capacity, sq_norm, panels)

# %% [markdown]
# At $k=3$ the valley is a straight line, $n^* = v\,C$, and so is the loss along it: any split of the budget between equal features costs the same.
#
# ### Why low kurtosis ends in corners
#
# For $k\le3$ the loss is concave (or straight) over the polytope of all allocations, like the first two triangles of {numref}`fig-appc-triangles`, and a concave function on a polytope is smallest at one of its corners.
# With a whole number of dimensions the corners are the choices of $D$ whole features.
# We compare the best corner with random points of the polytope, also near its edges, for random importances.

# %%
wholes = np.argsort(rng.random((2000, n_features, n_features)), axis=2) < n_dims
mix = rng.dirichlet(np.full(n_features, 0.3), 2000)
inside = np.clip((mix[:, :, None] * wholes).sum(axis=1), 0, 1)
excess = {}
for q in (1.2, 1.8, 2.4, 3.0):
    w = rng.random(n_features) + 0.2
    left_out = combinations(w, n_features - n_dims)
    corner = (q - 1) * min(sum(x**2 for x in ignored) for ignored in left_out)
    excess[q] = fc.loss_at_best_lengths(inside, w, q).sum(axis=1) - corner
{q: round(float(values.min()), 4) for q, values in excess.items()}

# %% tags=["hide-input"]
curvature = 4 * (k - 3) * (k - 1) ** 2 * v**2 / ((k - 3) * C + 2) ** 3
rise = {
    name: heights - np.linspace(heights[0], heights[-1], 101)
    for name, (*_, heights) in panels.items()
}
dense, three_k, sparse = rise.values()
run.check("appc-corner", sp.simplify(hessian[0, 0] - 4 * n**2 / C**3) != 0)
determinant = hessian.det() - 8 * (k - 3) * n**2 / C**3
run.check("appc-determinant", sp.simplify(determinant) != 0)
run.check("appc-curvature", sp.simplify(sp.diff(total, C) - curvature) != 0)
run.check("appc-straight-at-three", three_k)
run.check("appc-bowed-below-three", dense.max())
run.check("appc-sags-above-three", sparse.min())
nearest = [np.abs(splits[loss_at[q].argmin()] - optima[q]).max() for q in optima]
run.check("appc-triangle-optimum", max(nearest))
run.check("appc-corners-win", np.concatenate(list(excess.values())))
run.badge()

# %% [markdown]
# ## The solution
#
# For $k > 3$, features that share have the same marginal benefit, hence by {eq}`eq-paper-54` the same ratio $n_i/C_i = \lambda$; solve for the capacity:
#
# $$ \lambda C_i = \frac{(k-1)\,v_i}{(k-3)+2/C_i} $$ (eq-paper-55)
#
# $$ \frac{v_i}{\lambda} = C_i\,\frac{k-3}{k-1} + \frac{2}{k-1} . $$ (eq-paper-56)
#
# Clipped at 0 and 1, and with $n_i = \lambda C_i$ where features share:
#
# $$ C_i = \max\left(\min\left(\frac{k-1}{k-3}\,\frac{v_i}{\lambda} - \frac{2}{k-3},\;1\right),\;0\right) $$ (eq-paper-57)
#
# $$ n_i = \begin{cases} 0 & C_i = 0 \\ \dfrac{k-1}{k-3}\,v_i - \dfrac{2\lambda}{k-3} & 0 < C_i < 1 \\ v_i & C_i = 1 \end{cases} $$ (eq-paper-58)
#
# (This $\lambda$ is the ratio, our multiplier; the threshold of section 2 is $2\lambda^2$: {ref}`errata-two-multipliers`.)

# %%
inner = (k - 1) / (k - 3) * v / lam - 2 / (k - 3)
v_over_lambda = sp.solve(sp.Eq(lam * C, best), v)[0] / lam
sp.simplify(v_over_lambda)

# %% [markdown]
# The clipping needs a word, which the paper leaves out.
# A feature at 0 is not at a balance; it must be that even its *first* bit of capacity is worth no more than the going rate $2\lambda^2$.
# A feature at 1 must value its *last* bit at no less.
# We solve random problems by {eq}`eq-paper-57`, with $\lambda$ found by bisection on the budget, and look at what each feature's next bit is worth, in units of the rate.

# %%
kurtoses = np.repeat([3.5, 9.0, 40.0], n_problems)[:, None]
importances = rng.lognormal(0, 0.6, (kurtoses.size, n_features))
slope, offset = (kurtoses - 1) / (kurtoses - 3), 2 / (kurtoses - 3)
inverse = first_reached(
    lambda x: np.clip(slope * importances * x[:, None] - offset, 0, 1).sum(1) >= n_dims,
    np.full(kurtoses.size, 1e-6),
    np.full(kurtoses.size, 1e6),
)[:, None]  # of the multiplier
C57 = np.clip(slope * importances * inverse - offset, 0, 1)
n58 = np.where(C57 == 1, importances, C57 / inverse)
rate = fc.marginal_benefit(C57, importances, kurtoses) * inverse**2 / 2
ignored, whole = C57 == 0, C57 == 1
float(rate[ignored].max(initial=0)), float(rate[whole].min(initial=np.inf))

# %% tags=["hide-input"]
on_56 = v_over_lambda * lam
equal = (2 * (best / C) ** 2 - 2 * lam**2).subs(v, on_56)
line = C * (k - 3) / (k - 1) + 2 / (k - 1)
length = (k - 1) / (k - 3) * v - 2 * lam / (k - 3)
run.check("eq55-equal-ratio", sp.simplify(equal) != 0)
run.check("eq56-solved-for-importance", sp.simplify(v_over_lambda - line) != 0)
run.check("eq57-inverse-of-56", sp.simplify(inner.subs(v, on_56) - C) != 0)
run.check("eq58-shared-length", sp.simplify(lam * inner - length) != 0)
run.check("eq57-clipped-at-zero", np.append(1 - rate[ignored], 0))
run.check("eq57-clipped-at-one", np.append(rate[whole] - 1, 0))
run.badge()

# %% [markdown]
# ## Two optimizers
#
# First a general-purpose one (sequential quadratic programming), with lengths that follow the capacities, $0\le C_i\le1$, and $\sum_iC_i\le D$ as an *inequality*: it may leave budget unspent, and does not.
# Then one that knows no capacities: second-order minimization of {eq}`eq-paper-12` over the entries of $W$.
# In units of $\lambda$, all problems of one kurtosis must lie on one ramp ({numref}`fig-appc-optimizers`).

# %%
problems = list(zip(importances, kurtoses[:, 0], strict=True))
generic_c = np.clip([optimum_by_slsqp(w, q, n_dims) for w, q in problems], 0, 1)
generic_n = fc.best_sq_norm(generic_c, importances, kurtoses)
minima = minimize_quadratic(
    importances, kurtoses, n_dims, n_starts=8, seed=seed, device=device
)
minima_n = (minima.W**2).sum(axis=1)
float(np.abs(generic_c - C57).max()), float(np.abs(minima.capacity - C57).max())

# %% mystnb={"figure": {"caption": "Equations 57 and 58 (lines), and what two optimizers found for random problems. (a) Capacity. (b) Squared length. Importance and length are in units of $\\lambda$, so that all problems of one kurtosis fall on one line.", "name": "fig-appc-optimizers"}, "image": {"alt": "Two panels of ramps for kurtosis 3.5, 9 and 40. Circles and crosses, from two optimizers, lie on the lines in both panels."}} tags=["hide-input"]
ratio = importances * inverse
scale = np.linspace(0, max(2.5, ratio.max()), 501)
ramps, circles, crosses = {}, {}, {}
for q in (3.5, 9.0, 40.0):
    name, some = f"$k={q:g}$", kurtoses[:, 0] == q
    ramp = np.clip((q - 1) / (q - 3) * scale - 2 / (q - 3), 0, 1)
    ramps[name] = (ramp, np.where(ramp == 1, scale, ramp))
    each = [(generic_c, generic_n, circles), (minima.capacity, minima_n, crosses)]
    for c, lengths, found in each:
        columns = ratio[some], c[some], (lengths * inverse)[some]
        found[name] = tuple(column.ravel() for column in columns)
figures.optimizers_on_ramps(scale, ramps, circles, crosses)

# %% tags=["hide-input"]
solution = fc.solve_allocation(importances, n_dims, kurtoses)
run.check("appc-budget-is-spent", n_dims - generic_c.sum(axis=1))
run.check("appc-generic-optimizer", np.abs(generic_c - C57).max())
run.check("appc-direct-minimization", np.abs(minima.capacity - C57).max())
run.check("appc-direct-lengths", np.abs(minima_n - n58).max() / importances.max())
run.check("appc-direct-loss", minima.loss / solution.loss)
run.badge()

# %% [markdown]
# ## Feasibility
#
# It remains to find a matrix (the paper's C.0.1).
# Appendix H gives, for capacities between 0 and 1 that sum to $D$, a semiorthogonal matrix that has them, and in it $n_i = C_i$: lengths in proportion to capacities, as $n_i = \lambda C_i$ requires.
# A feature with a dimension of its own has $n_i = v_i$ instead and gets a block of its own; the paper's sentence about a scalar skips this case ({ref}`errata-feasible-scale`).
# `optimal_embedding` builds the matrix, and we measure what it has: the capacities of the solution.
# Therefore the minimum over capacities and lengths is the minimum over embeddings.

# %%
best_of_one = fc.solve_allocation(importances[-1], n_dims, 40.0)
E = fc.optimal_embedding(best_of_one, generator=rng)
fc.capacities(E).round(3), best_of_one.capacity.round(3)

# %% tags=["hide-input"]
plain = np.array([fc.embedding_from_capacities(c, generator=rng) for c in C57])
solved = [fc.solve_allocation(w, n_dims, q) for w, q in problems]
built = np.array([fc.optimal_embedding(one, generator=rng) for one in solved])
rows = np.einsum("pdn,pen->pde", plain, plain)
reached = fc.expected_loss(built, importances, kurtoses)
run.check("appc-semiorthogonal", rows, np.broadcast_to(np.eye(n_dims), rows.shape))
run.check("appc-lengths-follow", (plain**2).sum(axis=1), C57)
run.check("appc-feasible-capacities", fc.capacities(built), C57)
run.check("appc-feasible-lengths", (built**2).sum(axis=1), n58)
run.check("appc-feasible-loss", reached, solution.loss)
run.badge()

# %% [markdown]
# ## Try it
#
# **By hand.** Two equal features in one dimension, at $k=9$. What do $C_i=\tfrac12$ and {eq}`eq-paper-52` give for the length, and which loss is that, beside giving one feature everything?
#
# :::{admonition} Answer
# :class: dropdown
# $n=8/(6+4)=0.8$.
# The loss is $8\cdot2\cdot0.04-2\cdot2\cdot0.64+2\cdot2\cdot0.64/0.5=3.2$; with one of them ignored it is $k-1=8$.
# :::
#
# **One neuron.** With a single dimension, which of the random features share it at kurtosis 3.5?
#
# ```sh
# papermill notebooks/appC_minimization.ipynb out.ipynb --cwd notebooks -p n_dims 1
# ```
#
# :::{admonition} Answer
# :class: dropdown
# Only those whose importance is within a factor $\frac{k-1}{2} = 1.25$ of one another: a feature is ignored below $2\lambda/(k-1)$ and would own the dimension above $\lambda$.
# In {numref}`fig-appc-optimizers` that is the steepest ramp.
# :::
#
# **Nearly enough room.** Four features in three dimensions: how many of them share, at kurtosis 3.5 and at 40?
#
# ```sh
# papermill notebooks/appC_minimization.ipynb out.ipynb --cwd notebooks -p n_features 4
# ```
#
# :::{admonition} Answer
# :class: dropdown
# At 3.5 hardly any: in eleven of the twelve problems one feature is ignored and three are whole.
# At 40 none is ignored, and in all about two thirds of the features share.
# :::
#
# ## To remember
#
# - The best length solves a linear equation, and with it only the direct effect of capacity is left.
# - The determinant of the Hessian has the sign of $k-3$: above kurtosis 3 the solution is a global minimum, below it the minimum is a corner.
# - A generic optimizer, a minimization over matrices and an explicit construction all arrive at {eq}`eq-paper-57` and {eq}`eq-paper-58`.
#
# Next: {ref}`appd-kurtosis-sparsity` asks where kurtosis comes from.
