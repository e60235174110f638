# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# (sec3-3-allocation)=
# # 3.3–3.4 Who gets how much
#
# Six features, three dimensions: who gets a whole dimension, who shares, who is left out?
# Written in capacities the loss falls apart into one term for each feature, so that capacity behaves like money: give it where the next bit buys most.
#
# (sec3-1-explorer)=
# Drag the kurtosis from 1.8 to 1000, and the importances up and down.
# Nobody shares up to kurtosis 3, and from there on the window of sharing opens.
#
# **Paper:** sections 3.3 and 3.4 {cite}`scherlis2022`; {ref}`Appendix C <appc-minimization>` has the proofs.
# **Run time:** some seconds.

# %% tags=["parameters", "hide-input"] quick={}
n_features: int = 6  # features N in the data [6 .. 10]
n_dims: int = 3  # neurons D, always fewer than features [1 .. 5]
kurtosis: float = 9.0  # fourth moment k of a feature [1.8 .. 60]
importance_ratio: float = 0.8  # each importance over the one before it [0.5 .. 1]
seed: int = 0  # of everything random on this page [0 .. 1000000]
device: str = "auto"  # where the numerical minimization runs {auto, cpu, cuda, mps}

# %% tags=["hide-cell"]
from itertools import combinations

import numpy as np
import pandas as pd
import torch
from myst_nb import glue

import feature_capacity as fc
from feature_capacity.book.claims.checks import open_page
from feature_capacity.explorers import capacity_explorer
from feature_capacity.explorers.minimization import minimization_explorer
from feature_capacity.figures import sec3_3_allocation as figures
from feature_capacity.models.device import pick_device
from feature_capacity.solvers.newton import minimize_quadratic
from feature_capacity.theory.locate import importance_where

run = open_page(
    "sec3_3_allocation",
    n_features=n_features,
    n_dims=n_dims,
    kurtosis=kurtosis,
    importance_ratio=importance_ratio,
    seed=seed,
    device=device,
)
print("computed on:", pick_device(device))
rng = np.random.default_rng(seed)

# %% tags=["hide-input"]
importance = importance_ratio ** np.arange(n_features)
capacity_explorer(importance, n_dims, kurtosis)

# %% [markdown]
# The same with the package, in five lines:

# %%
import feature_capacity as fc

importance = [1, 0.8, 0.64, 0.512, 0.4096, 0.32768]
best = fc.solve_allocation(importance, n_dims=3, kurtosis=9)
best.capacity.round(4), float(best.multiplier)

# %% [markdown]
# And everything that it says about the features of this page:

# %%
importance = importance_ratio ** np.arange(n_features)
best = fc.solve_allocation(importance, n_dims, kurtosis)
worth = fc.marginal_benefit(best.capacity, importance, kurtosis)
table = {"importance": importance, "capacity": best.capacity}
table |= {"squared length": best.sq_norm, "worth of the next bit": worth}
table["phase"] = [fc.PHASES[code] for code in best.phase]
pd.DataFrame(table, index=pd.RangeIndex(1, n_features + 1, name="feature")).round(4)

# %% [markdown]
# To all features that share, the next bit of capacity is worth the same.
# To one with a whole dimension it is worth more, but there is no more to have; to one that is ignored it is worth less.
# The rest of the page derives this table and then finds it again without the derivation.
#
# ## The loss in capacities
#
# Write $n_i = \|w_i\|^2$.
# The definition of capacity, {eq}`eq-paper-3`, says that $\sum_j (w_i\cdot w_j)^2 = n_i^2/C_i$.
# Leave out the term $j=i$, which is $n_i^2$, and the interference of feature $i$ is $n_i^2/C_i - n_i^2$.
# Its sum over $i$ is the second sum in {eq}`eq-paper-12`, and the whole becomes
#
# $$ \begin{aligned} \mathcal{L}(\vec C,\vec n) = {} & (k-1)\sum_i (n_i-v_i)^2 \\ & - 2\sum_i n_i^2 + 2\sum_i \frac{n_i^2}{C_i} . \end{aligned} $$ (eq-paper-13)
#
# The surprise is what is *not* there: no angle, no inner product, no second feature.
# All that the others do to feature $i$ is summed up in the one number $C_i$.
# At fixed lengths the derivative is then
#
# $$ \frac{\partial\mathcal{L}}{\partial C_i} = -2\,\frac{n_i^2}{C_i^2} . $$ (eq-paper-14)
#
# More capacity always helps, and by how much depends on that feature alone.
#
# Is that true of networks, and not only of the formula?
# Move the entries of a random matrix $W$ a little.
# The loss {eq}`eq-paper-12` changes, and so do all lengths and capacities.
# If {eq}`eq-paper-14` is right, the change of the loss is the change of every capacity times its own $-2n_i^2/C_i^2$, plus the same for the lengths; and not a trace is left over.

# %%
W = torch.as_tensor(rng.standard_normal((n_dims, n_features))).requires_grad_()
v = torch.as_tensor(importance)
loss, C, n = fc.expected_loss(W, v, kurtosis), fc.capacities(W), (W**2).sum(dim=0)
by_length = (2 * (kurtosis - 1) * (n - v) - 4 * n + 4 * n / C).detach()
by_capacity = (-2 * n**2 / C**2).detach()

# %%
(slope,) = torch.autograd.grad(loss, W, retain_graph=True)
(predicted,) = torch.autograd.grad((by_length * n + by_capacity * C).sum(), W)
float((slope - predicted).abs().max() / slope.abs().max())

# %% tags=["hide-input"]
many = rng.standard_normal((200, n_dims, n_features)) * rng.lognormal(
    size=(200, 1, n_features)
)
many[:50, :, -1] = 0  # some with an ignored feature
values = rng.random((200, n_features)) * 3
in_capacities = fc.loss_from_capacities(
    fc.capacities(many), (many**2).sum(axis=1), values, kurtosis
)
gram = np.swapaxes(many, 1, 2) @ many
lengths = np.diagonal(gram, axis1=1, axis2=2)
overlap = (gram**2).sum(axis=(1, 2)) - (lengths**2).sum(axis=1)
in_vectors = (kurtosis - 1) * ((lengths - values) ** 2).sum(axis=1) + 2 * overlap
run.check("eq13-equals-eq12", in_capacities / in_vectors, np.ones(200))
C = torch.as_tensor(rng.uniform(0.05, 0.95, n_features))
n = torch.as_tensor(rng.uniform(0.1, 2.0, n_features))
partial = torch.autograd.functional.jacobian(
    lambda c: fc.loss_from_capacities(c, n, v, kurtosis), C
)
run.check("eq14-partial-derivative", partial, -2 * n**2 / C**2)
run.check("eq14-own-feature-only", (slope - predicted).abs().max() / slope.abs().max())
run.badge()

# %% [markdown]
# ## What one feature costs
#
# Before capacity can be shared out, the lengths have to go.
# At fixed capacities {eq}`eq-paper-13` is a quadratic in each $n_i$ by itself, with its lowest point at
#
# $$ n_i^* = \frac{(k-1)\,v_i\,C_i}{(k-3)\,C_i + 2} , $$ (eq-sec3-1-length)
#
# equation {eq}`eq-paper-52` of the paper, multiplied out so that it makes sense at $C_i = 0$ too.
# A feature with a dimension of its own has $n_i^* = v_i$; one with less is kept shorter, to disturb less.
# Put the best lengths back, and what is left is a sum of functions of one variable each:
#
# $$ \mathcal{L}^*(\vec C) = \sum_i \frac{2\,(k-1)\,v_i^2\,(1-C_i)}{(k-3)\,C_i+2} . $$ (eq-sec3-1-per-feature)
#
# The paper does not print this form, and it is the most useful one.
# An ignored feature costs $(k-1)v_i^2$, which is its part of the variance of the target; a fully represented one costs nothing; and whether the way down is steep first or steep last depends on the sign of $k-3$ only.
#
# How fast does $\mathcal{L}^*$ fall?
# Changing $C_i$ has a direct effect and an indirect one, because the best length moves along.
# The indirect one is $\frac{\partial\mathcal L}{\partial n_i}\frac{d n_i^*}{d C_i}$, and its first factor is zero: that is what *best* means.
# This is the **envelope argument**, and it leaves {eq}`eq-paper-14` with $n_i^*$ put in:
#
# $$ -\frac{\partial \mathcal{L}^*}{\partial C_i} = 2\Big(\frac{n_i^*}{C_i}\Big)^2 = 2\left(\frac{(k-1)\,v_i}{(k-3)\,C_i+2}\right)^2 . $$ (eq-sec3-1-benefit)

# %% mystnb={"figure": {"caption": "The envelope argument. Gray: the loss of one feature with its length held fixed, for five lengths. Blue: its length always the best. Each gray curve touches the blue one where its length is the best, and there the slopes are equal.", "name": "fig-sec3-1-envelope"}, "image": {"alt": "Three panels for kurtosis 1.8, 3 and 9. In each, five gray hyperbolas lie above a blue curve and touch it at marked points. The blue curve is concave, straight and convex in turn."}} tags=["hide-input"]
fraction, one = np.linspace(1e-3, 1, 400), np.ones((400, 1))
marks, panels = np.array([0.08, 0.2, 0.4, 0.65, 0.9]), {}
for k in (1.8, 3.0, 9.0):
    fixed = fc.best_sq_norm(marks, np.ones(marks.size), k)[:, None]
    family = ((k - 1) * (fixed - 1) ** 2 + 2 * fixed**2 * (1 / fraction - 1)) / (k - 1)
    lowest = fc.loss_at_best_lengths(fraction[:, None], one, k)[:, 0] / (k - 1)
    touching = fc.loss_at_best_lengths(marks, np.ones(marks.size), k) / (k - 1)
    panels[k] = (family, lowest, (marks, touching))
figures.envelope(fraction, panels)

# %% [markdown]
# The blue curve in {numref}`fig-sec3-1-envelope` is concave for $k<3$, straight at $k=3$ and convex for $k>3$.
# How steeply it falls is the marginal benefit, drawn in {numref}`fig-sec3-1-benefit`.
# All curves meet at $C_i = 1$, where the last bit of capacity is worth $2v_i^2$ whatever the kurtosis.
# The first bit is worth $\frac12(k-1)^2v_i^2$: more than the last one exactly when $k > 3$.

# %% mystnb={"figure": {"caption": "What the next bit of capacity is worth, in units of $v_i^2$. Returns diminish above kurtosis 3, are constant at 3, and increase below. A change of importance moves a curve up or down as a whole.", "name": "fig-sec3-1-benefit"}, "image": {"alt": "Six curves of marginal benefit against capacity on a logarithmic axis, all ending in one point at capacity 1. Those for kurtosis 5, 9 and 25 come from above, the one for 3 is flat, those for 1.5 and 2 come from below."}} tags=["hide-input"]
fraction = np.linspace(0, 1, 201)
kurtoses = (1.5, 2.0, 3.0, 5.0, 9.0, 25.0)
figures.marginal_curves(
    fraction, {k: fc.marginal_benefit(fraction, np.ones(201), k) for k in kurtoses}
)

# %% tags=["hide-input"]
m = n.clone().requires_grad_()
(push,) = torch.autograd.grad(
    fc.loss_from_capacities(C, m, v, kurtosis), m, create_graph=True
)
(bend,) = torch.autograd.grad(push.sum(), m)  # the Hessian is diagonal
newton = n - push.detach() / bend
written_out = (2 * (kurtosis - 1) * v**2 * (1 - C) / ((kurtosis - 3) * C + 2)).sum()
packaged = fc.loss_at_best_lengths(C, v, kurtosis).sum()
run.check(
    "sec3-3-loss-per-feature",
    [written_out, packaged],
    [fc.loss_from_capacities(C, newton, v, kurtosis)] * 2,
)
run.badge()

# %% [markdown]
# ## Optimal capacity allocation
#
# Share out $D$ dimensions.
# By {ref}`section 2.2 <sec2-allocation>`, features that share must have the same marginal benefit.
# By {eq}`eq-sec3-1-benefit` that means the same ratio $n_i/C_i$; call it $\lambda$, so that $n_i = \lambda C_i$.
# Insert {eq}`eq-sec3-1-length` for $n_i$, divide by $C_i$, and solve for $C_i$.
# A result below 0 means that even the first bit of capacity is not worth its price; one above 1 means that the feature would take more than there is.
# Clipping covers both:
#
# $$ C_i = \max\left(\min\left(\frac{k-1}{k-3}\,\frac{v_i}{\lambda} - \frac{2}{k-3},\; 1\right),\; 0\right) $$ (eq-paper-15)
#
# $$ n_i = \begin{cases} 0 & C_i = 0 \\ \dfrac{k-1}{k-3}\,v_i - \dfrac{2\lambda}{k-3} & 0 < C_i < 1 \\ v_i & C_i = 1 \end{cases} $$ (eq-paper-16)
#
# The number $\lambda$ is whatever makes the capacities sum to $D$.
# Set $C_i = 0$ and $C_i = 1$ to find where the clipping begins: for $k > 3$ a feature is ignored if
#
# $$ \frac{k-1}{2}\, v_i < \lambda $$ (eq-paper-17)
#
# and fully represented if
#
# $$ v_i > \lambda . $$ (eq-paper-18)

# %% mystnb={"figure": {"caption": "The optimum as clipped ramps. (a) A feature gets no capacity up to $2\\lambda/(k-1)$ and a whole dimension from $\\lambda$ on. (b) Shared features are embedded shorter than their importance asks for; only a feature with its own dimension reaches $n_i = v_i$.", "name": "fig-sec3-1-ramps"}, "image": {"alt": "Two panels over importance divided by the multiplier. Top: capacity is a ramp from 0 to 1, a step for kurtosis up to 3 and ever wider as kurtosis grows. Bottom: squared length is the same ramp, followed by the diagonal from 1 on."}} tags=["hide-input"]
scale = np.linspace(0, 1.4, 561)
ramps = {3.0: (scale > 1).astype(float)}
ramps |= {
    k: np.clip((k - 1) / (k - 3) * scale - 2 / (k - 3), 0, 1)
    for k in (4.0, 6.0, 12.0, 40.0)
}
figures.ramps_and_lengths(
    scale, {k: (ramp, np.where(ramp == 1, scale, ramp)) for k, ramp in ramps.items()}
)

# %% [markdown]
# :::{admonition} Two lambdas
# :class: important
# The paper calls two numbers $\lambda$.
# In its equations 4 to 8 it is the common marginal benefit, in 15 to 18 the common ratio $n_i/C_i$; the first is $2\lambda^2$ in terms of the second ({ref}`errata-two-multipliers`).
# In this book and its code `multiplier` is the second, here {glue:text}`sec3-1-multiplier`, and `threshold` the first, here {glue:text}`sec3-1-threshold`.
# :::
#
# ### Found again without the theory
#
# A minimizer that does not know about capacity gets {eq}`eq-paper-12` as a function of the $D \times N$ entries of $W$, and random starts.
# The capacities and lengths of what it finds, beside those of the table:

# %%
found = minimize_quadratic(
    [importance], [kurtosis], n_dims, n_starts=16, seed=seed, device=device
)
lengths = (found.W[0] ** 2).sum(axis=0)
np.array([found.capacity[0], best.capacity, lengths, best.sq_norm]).round(6)

# %% [markdown]
# {glue:text}`sec3-1-near-best` of 16 starts end within one percent of the lowest loss.
#
# (sec3-1-watch)=
# Watch one of them: press play, and a random matrix finds its embedding in your browser.
# Newton's method goes down in few steps; gradient descent, from the same matrix, needs many more.
# The dashed line is the loss of the closed form, which neither of them knows.
# Then make the inputs dense ($p = 1$, each feature always on, which is $k=1.8$) and ask for other starts: some get stuck above the dashed line.

# %% tags=["hide-input"]
minimization_explorer(
    n_features, n_dims, models=["computation"], activations=["quadratic"],
    start=(1 / importance_ratio, 1.8 / kurtosis), ratio=importance_ratio,
)  # fmt: skip

# %% [markdown]
# Is that feasible? {eq}`eq-paper-15` was derived as if capacities could be chosen freely.
# For these importances here is a $W$ that has them; that there always is one is {ref}`Theorem P1 <thm-1>`, which makes a matrix $R$ with orthonormal rows whose columns have the squared lengths $C_i$; $W=\sqrt\lambda R$ has these capacities and the lengths $n_i=\lambda C_i$ as well.
#
# ### Kurtosis 3 and below
#
# For $k \le 3$ the loss of each feature is concave or straight in its capacity, so mixtures never beat extremes, and capacities go to 0 and 1.
# An ignored feature costs $(k-1)v_i^2$, so the $D$ most important ones are kept.
# Direct minimization at four kurtoses up to 3 finds nothing better than the best of all {glue:text}`sec3-1-corners` ways to keep $D$ whole features:

# %%
dense = np.array([1.2, 1.8, 2.4, 3.0])
rows = np.tile(importance, (4, 1))
lowest = minimize_quadratic(
    rows, dense[:, None], n_dims, n_starts=24, seed=seed, device=device
)
out = combinations(importance, n_features - n_dims)
corners = [sum(v**2 for v in ignored) for ignored in out]
lowest.loss / ((dense - 1) * min(corners))

# %% [markdown]
# {numref}`fig-sec3-1-stack` puts the page in one picture: the same features, the same $D$ dimensions, while the inputs become sparser from left to right.
# Up to $k=3$ the most important features own everything.
# Beyond it the others enter one by one, in the order of their importance, and the most important ones, at the bottom, lose their whole dimension one after another.

# %% mystnb={"figure": {"caption": "Who has the capacity as the kurtosis rises. Each band is one feature, its height the capacity it gets; together they always fill the embedding. The triangle marks the kurtosis of this page.", "name": "fig-sec3-1-stack"}, "image": {"alt": "Stacked bands over kurtosis from 1.2 to 300. Left of kurtosis 3 a few bands of height one fill the axis; to the right the other features enter in order of importance until all share."}} tags=["hide-input"]
stack_kurtosis = np.geomspace(1.2, 300, 600)
rows = np.broadcast_to(importance, (600, n_features))
stack = fc.solve_allocation(rows, n_dims, stack_kurtosis[:, None])
figures.stacked_capacities(stack_kurtosis, stack.capacity, importance, marked=kurtosis)

# %% tags=["hide-input"]
glue("sec3-1-multiplier", f"{best.multiplier:.4f}", display=False)
glue("sec3-1-threshold", f"{best.threshold:.4f}", display=False)
glue("sec3-1-near-best", int(found.n_near_best[0]), display=False)
glue("sec3-1-corners", len(corners), display=False)
off = [
    np.abs(found.capacity[0] - best.capacity).max(),
    np.abs(lengths - best.sq_norm).max(),
]
run.check("eq15-direct-minimization", off)
run.check("eq15-direct-loss", found.loss / best.loss)
run.check("eq15-satisfies-kkt", fc.kkt_residuals(best))
k_safe = max(kurtosis, 3.1)
enters, multiplier_there = importance_where(1e-9, importance, n_dims, k_safe)
run.check("eq17-ignored-threshold", enters / (2 * multiplier_there / (k_safe - 1)))
owns, multiplier_there = importance_where(1 - 1e-9, importance, n_dims, k_safe)
run.check("eq18-monosemantic-threshold", owns / multiplier_there)
run.check("sec3-4-top-features", lowest.loss / ((dense - 1) * min(corners)))
run.badge()

# %% [markdown]
# ## Try it
#
# **By hand.** Features of importance 3, 1 and 1 want two dimensions at $k=9$. Who gets what?
#
# :::{admonition} Answer
# :class: dropdown
# Try the first one whole and the others at a half each. By {eq}`eq-sec3-1-length` the halves have $n = 8\cdot\frac12/(6\cdot\frac12+2) = 0.8$, so $\lambda = 1.6$.
# The first one's importance is above that, so by {eq}`eq-paper-18` it is whole indeed, and the others are above $2\lambda/(k-1) = 0.4$, so they are not ignored.
# :::
#
# **Equal importances.** Which capacities and which $\lambda$ do you expect for `importance_ratio` 1, before you run it?
#
# ```sh
# papermill notebooks/sec3_3_allocation.ipynb out.ipynb --cwd notebooks -p kurtosis 60
# papermill notebooks/sec3_3_allocation.ipynb out.ipynb --cwd notebooks -p kurtosis 1.8
# papermill notebooks/sec3_3_allocation.ipynb out.ipynb --cwd notebooks -p importance_ratio 1
# ```
#
# :::{admonition} Answer
# :class: dropdown
# By symmetry $C_i = D/N$, and {eq}`eq-sec3-1-length` gives $\lambda = n_i/C_i = (k-1)/((k-3)D/N + 2)$, here 1.6.
# In {numref}`fig-sec3-1-stack` all bands jump to the same height at $k=3$.
# The other two lines: at kurtosis 60 nobody owns a dimension, and at 1.8 three features own all.
# :::
#
# **A raise for one.** If one feature becomes twice as important, what happens to the capacity of the others, and to that of one that is ignored?
#
# :::{admonition} Answer
# :class: dropdown
# If the feature was whole already, or stays ignored, nothing.
# Otherwise $\lambda$ rises and nobody else gains: those that share get less, the ignored one stays ignored, and one with a whole dimension may lose part of it.
# Those that still share lose in proportion to their importance $v_i$, by {eq}`eq-paper-15`, and not to the capacity that they had.
# :::
#
# ## What to remember
#
# - In capacities the loss is a sum over features, and each feature's marginal benefit is $2(n_i/C_i)^2$: falling with capacity exactly when $k > 3$.
# - The optimal capacities are clipped ramps of the importance, with one multiplier for all.
# - A minimizer that knows nothing of the theory arrives at them.
#
# Next: [the map of these solutions](sec3-5-phase-diagrams) over importance and sparsity.
