# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# (appg-alternative-capacity)=
# # Appendix G: an alternative definition of capacity
#
# **Paper:** Appendix G {cite}`scherlis2022`.
# **Claims checked here:** {glue:text}`appg-claims`.
# **Run time:** well under a minute.
#
# :::{admonition} In one minute
# :class: tip
# Stretch and turn the embedding space until the embedding vectors point in all directions alike, and measure capacity there.
# The result is the *alternative capacity* $\tilde C_i$: the {term}`leverage score` of column $i$, or how well the best linear readout recovers feature $i$ ({ref}`appe-correlation-coefficient`).
# It is never below $C_i$, it sums to the rank, and it equals $C_i$ for {term}`efficient <efficient matrix>` embeddings.
# It pays for that with jumps: it jumps wherever the rank drops.
# The authors were not sure whether the *derivatives* of the two definitions coincide at efficient embeddings.
# They do, and this page proves it: the gap between the two is the square of a residual that vanishes there.
# In two or more dimensions the second derivatives differ.
# :::

# %% tags=["parameters"] quick={"n_random": 200}
n_features: int = 6  # features N [4 .. 10]
n_dims: int = 3  # neurons D [2 .. 3]
n_random: int = 1000  # random embeddings per check [100 .. 20000]
seed: int = 0  # of everything random on this page [0 .. 1000000]

# %% tags=["hide-input"]
import numpy as np
import pandas as pd
import torch
from myst_nb import glue

import feature_capacity as fc
from feature_capacity.book.claims.checks import open_page
from feature_capacity.figures import appG_alternative_capacity as figures

run = open_page(
    "appG_alternative_capacity",
    n_features=n_features,
    n_dims=n_dims,
    n_random=n_random,
    seed=seed,
)
rng = np.random.default_rng(seed)
glue("appg-claims", len(run.claims), display=False)

# %% [markdown]
# ## The definition
#
# Write $W = QSR$ in the compact singular value decomposition.
# $Q$ turns, $S$ stretches, and the rows of $R$ are orthonormal, as many as $W$ has rank.
# The {term}`alternative capacity` is the capacity of $R$ (the paper's equation 88; its "equation (2)" means equation 3):
#
# $$ \tilde C_i(W) := \frac{\big([R^\mathsf{T}R]_{ii}\big)^2}{[(R^\mathsf{T}R)^2]_{ii}} = [R^\mathsf{T}R]_{ii} $$ (eq-paper-88)
#
# The second step is where it gets simple.
# $R^\mathsf{T}R = W^+W$ is the orthogonal projection onto the row space of $W$, and a projection is its own square.
#
# In pictures: turn the space by $Q^{-1}$, shrink its axes by $S^{-1}$, and the embedding vectors become isotropic.
# Then $\tilde C_i$ is the squared length of what has become of $w_i$.
#
# We try everything on random embeddings with columns of very unequal lengths; in a third of them the rank is one less than it could be.

# %%
many = rng.standard_normal((n_random, n_dims, n_features))
many *= rng.lognormal(0, 1, (n_random, 1, n_features))
many[::3, -1] = 2 * many[::3, 0]
rank = np.linalg.matrix_rank(many)
Q, S, R = np.linalg.svd(many, full_matrices=False)
kept = (np.arange(n_dims) < rank[:, None]).astype(float)
R = kept[:, :, None] * R
projection = np.swapaxes(R, 1, 2) @ R
plain, alternative = fc.capacities(many), fc.leverage_capacities(many)
shrink = np.where(kept > 0, 1 / np.where(kept > 0, S, 1), 0)
isotropic = shrink[:, :, None] * (np.swapaxes(Q, 1, 2) @ many)
spread = isotropic @ np.swapaxes(isotropic, 1, 2)

# %% [markdown]
# A projection has as trace its rank.
# So the alternative capacities always sum to a whole number (equation 90), and to the number of dimensions as soon as the rank is full (equation 91):
#
# $$ \sum_{i=1}^N \tilde C_i = \operatorname{rank}(W) $$ (eq-paper-90)
#
# $$ W \text{ of full rank} \;\implies\; \sum_{i=1}^N \tilde C_i = D $$ (eq-paper-91)
#
# That is what the paper means by a relaxed notion of efficiency: a random matrix is efficient in the second sense, and never in the first.

# %%
full = many[rank == n_dims]

# %% tags=["hide-input"]
run.check("eq88-projection", projection @ projection, projection)
run.check("eq88-capacity-of-r", fc.capacities(R), alternative)
run.check("appg-isotropic-vectors", spread, kept[:, None] * np.eye(n_dims))
run.check("appg-squared-length", (isotropic**2).sum(axis=1), alternative)
run.check("eq90-sum-is-rank", alternative.sum(axis=1), rank.astype(float))
run.check("eq91-full-rank", fc.leverage_capacities(full).sum(axis=1), np.full(len(full), n_dims))
run.check("appg-generic-not-efficient", n_dims - fc.total_capacity(full).max())
run.badge()

# %% [markdown]
# ## The gap between the two, exactly
#
# How far apart are $C_i$ and $\tilde C_i$?
# Let $M = WW^\mathsf{T}$, let $n_i = \|w_i\|^2$ and $u_i = w_i/\|w_i\|$ be the squared length and the direction of feature $i$, and let (this $\rho_i$ is no correlation)
#
# $$ \rho_i = u_i^\mathsf{T} M u_i, \qquad r_i = M u_i - \rho_i u_i . $$ (eq-appg-residual)
#
# In words: $M$ says how crowded each direction is, $\rho_i$ is the crowd that feature $i$ meets, and the residual $r_i$ says how far $u_i$ is from being an eigenvector of $M$.
# In these terms $C_i = n_i/\rho_i$ and $\tilde C_i = n_i\,u_i^\mathsf{T}M^+u_i$.
# Multiply out $r_i^\mathsf{T}M^+r_i$, with $M^+Mu_i=u_i$:
#
# $$ r_i^\mathsf{T}M^+r_i = \rho_i - 2\rho_i + \rho_i^2\,u_i^\mathsf{T}M^+u_i , $$
#
# and divide by $\rho_i$:
#
# $$ \frac{\tilde C_i}{C_i} = 1 + \frac{r_i^\mathsf{T}M^+r_i}{\rho_i} . $$ (eq-appg-gap)
#
# The paper does not have this formula.
# Everything below follows from it.
# The second term is a square, so $C_i \le \tilde C_i$, with equality exactly when $w_i$ is an eigenvector of $WW^\mathsf{T}$.

# %%
M = many @ np.swapaxes(many, 1, 2)
n = (many**2).sum(axis=1)
u = many / np.sqrt(n)[:, None]
crowd = (u * (M @ u)).sum(axis=1)
residual = M @ u - crowd[:, None] * u
whitened = shrink[:, :, None] * (np.swapaxes(Q, 1, 2) @ residual)

# %% [markdown]
# The gap is also bounded.
# $C_i/\tilde C_i = 1/\big[(u^\mathsf{T}Mu)(u^\mathsf{T}M^+u)\big]$ is what Kantorovich's inequality is about:
#
# $$ \frac{4\kappa}{(1+\kappa)^2} \;\le\; \frac{C_i}{\tilde C_i} \;\le\; 1, $$ (eq-appg-kantorovich)
#
# where $\kappa$ is the largest eigenvalue of $M$ over the smallest positive one.
# Sum over the features, and the total capacity is at least $\operatorname{rank}(W)\cdot 4\kappa/(1+\kappa)^2$: the more evenly an embedding spreads, the less it wastes.
# The floor is attained by a feature halfway between the axes of a stretched crowd.

# %%
kappa = (S[:, 0] / np.take_along_axis(S, rank[:, None] - 1, 1)[:, 0]) ** 2
floor = 4 * kappa / (1 + kappa) ** 2
stretch = np.geomspace(1, 200, 61)
halfway = np.zeros((61, 2, 3)) + np.array([[1.0, 1.0, 0.0], [1.0, -1.0, 0.0]])
halfway[:, 0, 2] = np.sqrt(2 * stretch - 2)
ratio = fc.capacities(halfway)[:, 0] / fc.leverage_capacities(halfway)[:, 0]

# %% mystnb={"figure": {"caption": "Capacity over alternative capacity, for the features of random embeddings; those with a condition number above 200 lie beyond the frame. Black: the floor of Kantorovich's inequality. Only uneven embeddings separate the two.", "name": "fig-appg-floor"}, "image": {"alt": "Scatter of the ratio of the two capacities against condition number. All points lie between a falling black curve, which starts at ratio 1 and condition number 1, and the horizontal line at 1."}} tags=["hide-input"]
shown = rng.permutation(n_random)[:400]
ratios = (plain / alternative)[shown].ravel()
figures.ratio_floor(np.repeat(kappa[shown], n_features), ratios, stretch, ratio)

# %% tags=["hide-input"]
run.check("appg-gap-formula", plain * (1 + (whitened**2).sum(axis=1) / crowd), alternative)
run.check("appg-never-below", alternative - plain)
run.check("appg-ratio-floor", plain / alternative - floor[:, None])
run.check("appg-floor-attained", ratio, 4 * stretch / (1 + stretch) ** 2)
run.badge()

# %% [markdown]
# ## Efficient embeddings: the two coincide
#
# If the capacities sum to $D$, then $D = \sum_i C_i \le \sum_i \tilde C_i \le D$, so no feature can have a gap (equation 89):
#
# $$ \sum_{i=1}^N C_i = D \;\implies\; \tilde C_i = C_i $$ (eq-paper-89)
#
# We build three kinds of efficient embeddings ({ref}`sec4-geometry`): one generic block, three blocks of different scales in a rotated space, and the same with an ignored feature.
# The appendix reads efficiency off this: within each block the embedding vectors are isotropic, $W_bW_b^\mathsf{T}=s_bI$, and an embedding that forms one block turns uncorrelated inputs into uncorrelated neurons of equal variance.
# (The paper says *identity* covariance; an efficient block may have any scale.)

# %%
one_block = 1.5 * np.linalg.qr(rng.standard_normal((n_features, n_dims)))[0].T
shares = ([0.3, 0.8, 0.5, 0.4], [0.2, 0.8], [1.0])
scales = (1.3, 0.7, 2.0)
parts = [
    s * fc.embedding_from_capacities(c, generator=rng) for s, c in zip(scales, shares, strict=True)
]
turn = np.linalg.qr(rng.standard_normal((4, 4)))[0]
three_blocks = turn @ fc.tegum_product(*parts)
with_ignored = np.concatenate([three_blocks, np.zeros((4, 1))], axis=1)
efficient = {
    "one block": one_block,
    "three blocks": three_blocks,
    "three blocks, one ignored": with_ignored,
}
tried = efficient.values()
both = [np.concatenate([f(W) for W in tried]) for f in (fc.leverage_capacities, fc.capacities)]
covariance = one_block @ one_block.T

# %% tags=["hide-input"]
run.check("eq89-premise", [fc.total_capacity(W) - W.shape[0] for W in tried])
run.check("eq89-coincide", *both)
run.check("appg-isotropic-in-blocks", [b.deviation for W in tried for b in fc.blocks(W)])
run.check("appg-one-block-covariance", covariance / covariance[0, 0], np.eye(n_dims))
run.badge()

# %% [markdown]
# (appg-derivatives)=
# ## The question left open: their derivatives
#
# The authors add that they are "not sure" whether the derivatives coincide as well.
#
# **Proposition.**
# At every efficient $W$, all first derivatives of $C_i$ and $\tilde C_i$ with respect to $W$ coincide, feature by feature, for one block or several.
# For $D \ge 2$ their second derivatives do not.
#
# *Proof.*
# An efficient $W$ has full rank, and so have all embeddings near it.
# There $\tilde C_i = w_i^\mathsf{T}M^{-1}w_i$ is smooth, and $C_i$ is differentiable (if $w_i = 0$ its derivative is 0, because nearby $C_i \le \|w_i\|^2/s$ with $s>0$ the smallest eigenvalue of $M$; the same for $\tilde C_i$).
# The difference $\tilde C_i - C_i$ is never negative, and it is 0 at $W$.
# So it has a minimum there, and at a minimum a derivative vanishes. $\square$
#
# Equation {eq}`eq-appg-gap` says it again: the gap is a square of $r_i$, and $r_i = 0$ at an efficient $W$.
#
# **By hand.**
# Let $s_i$ be the scale of the block of feature $i$, so that $Mw_i = s_iw_i$.
# Differentiate $C_i = n_i^2/(w_i^\mathsf{T}Mw_i)$ by the quotient rule, with
#
# $$ \begin{aligned} dn_i &= 2w_i\cdot dw_i, \\ d(w_i^\mathsf{T}Mw_i) &= 2s_i\,w_i\cdot dw_i + 2\textstyle\sum_j (w_i\cdot w_j)(w_i\cdot dw_j) . \end{aligned} $$
#
# Differentiate $\tilde C_i = [W^+W]_{ii}$ with
#
# $$ d(W^+W)_{ii} = 2\,[W^+\,dW\,(I-W^+W)]_{ii} . $$
#
# Either way comes out as
#
# $$ dC_i = d\tilde C_i = \frac{2}{s_i}\sum_j \Big(\delta_{ij} - \frac{w_i\cdot w_j}{s_i}\Big)\, w_i\cdot dw_j . $$ (eq-appg-derivative)

# %%
def jacobian(measure, W):
    """Derivatives of all capacities with respect to all entries of W."""
    return torch.autograd.functional.jacobian(measure, torch.as_tensor(W)).numpy()


def by_hand(W):
    gram, n = W.T @ W, (W**2).sum(axis=0)
    s = (gram**2).sum(axis=1) / np.where(n > 0, n, 1)
    s = np.where(n > 0, s, 1)
    return np.einsum("i,ij,ai->iaj", 2 / s, np.eye(n.size) - gram / s[:, None], W)


rows, slopes_of = {}, {"first": [], "second": [], "by hand": []}
generic = many[1]
for name, W in {**efficient, "not efficient": generic}.items():
    first, second = jacobian(fc.capacities, W), jacobian(fc.leverage_capacities, W)
    rows[name] = [abs(first).max(), abs(first - second).max()]
    if name in efficient:
        for route, slopes in zip(slopes_of, (first, second, by_hand(W)), strict=True):
            slopes_of[route].append(slopes.ravel())
plain_slopes, alternative_slopes, derived = map(np.concatenate, slopes_of.values())
pd.DataFrame(rows, index=["largest derivative", "largest difference"]).T.map("{:.2g}".format)

# %% [markdown]
# Equation {eq}`eq-appg-derivative` holds two more facts.
# The sum runs over the features of the same block, because $w_i\cdot w_j = 0$ for all others.
# And within a block the derivatives add up to zero.
# So a small change of an efficient embedding moves capacity around inside blocks, and to first order none of it passes from one block to another.

# %%
block_of = np.repeat([0, 1, 2], [4, 2, 1])
member = (block_of == np.arange(3)[:, None]).astype(float)
slopes = jacobian(fc.capacities, three_blocks)
across = (block_of[:, None] != block_of)[:, None, :] * slopes
in_total = np.tensordot(member, slopes, 1)

# %% [markdown]
# **Second derivatives.**
# Walk along $W + tV$.
# The residual grows in proportion to $t$, $r_i \approx t\,\dot r_i$; dots are derivatives in $t$ at 0, $\dot u_i$ that of the direction of $w_i \ne 0$:
#
# $$ \dot r_i = \dot M u_i - (u_i^\mathsf{T}\dot M u_i)\,u_i + (M-s_iI)\,\dot u_i, \qquad \dot M = VW^\mathsf{T}+WV^\mathsf{T}, $$
#
# so by {eq}`eq-appg-gap` the gap opens quadratically:
#
# $$ \tilde C_i - C_i = t^2\, C_i\, \frac{\dot r_i^\mathsf{T}M^{-1}\dot r_i}{s_i} + O(t^3) . $$ (eq-appg-second)
#
# It is positive in nearly every direction.
# The total tells the difference best: $\sum_i\tilde C_i = D$ stays flat, while $\sum_iC_i$ has its maximum here and bends down.

# %%
def leading_gap(W, V):
    M, change = W @ W.T, V @ W.T + W @ V.T
    n = (W**2).sum(axis=0)
    u = W / np.sqrt(n)
    s = (u * (M @ u)).sum(axis=0)
    tilt = (V - u * (u * V).sum(axis=0)) / np.sqrt(n)
    push = change @ u
    growth = push - u * (u * push).sum(axis=0) + M @ tilt - s * tilt
    return fc.capacities(W) * (growth * np.linalg.solve(M, growth)).sum(axis=0) / s


def bend(measure, W, V):
    """Second derivative of the capacities along W + t V, by automatic differentiation."""
    W, V, t = torch.as_tensor(W), torch.as_tensor(V), torch.zeros((), dtype=torch.float64)
    slope = lambda t: torch.autograd.functional.jacobian(  # noqa: E731
        lambda t: measure(W + t * V), t, create_graph=True
    )
    return torch.autograd.functional.jacobian(slope, t).numpy()


openings, leading = [], []
for W in (one_block, three_blocks):
    V = rng.standard_normal(W.shape)
    openings.append(bend(fc.leverage_capacities, W, V) - bend(fc.capacities, W, V))
    leading.append(2 * leading_gap(W, V))

V = rng.standard_normal(one_block.shape)
V *= np.linalg.norm(one_block) / np.linalg.norm(V)
line = np.linspace(-0.8, 0.8, 161)
steps = np.geomspace(1e-3, 0.5, 19)
walk = one_block + line[:, None, None] * V
short = one_block + steps[:, None, None] * V
gap = fc.leverage_capacities(short) - fc.capacities(short)
predicted = steps[:, None] ** 2 * leading_gap(one_block, V)
order = np.log(gap[1].sum() / gap[0].sum()) / np.log(steps[1] / steps[0])

# %% mystnb={"figure": {"caption": "(a) Both capacities of four features along a line through an efficient embedding: they touch at $t=0$, with one tangent. (b) The gap between them grows with the square of the distance, as the formula says.", "name": "fig-appg-tangency"}, "image": {"alt": "Left: four solid and four dashed curves over distance; each pair touches at zero and separates on both sides, dashed above solid. Right: on logarithmic axes the gaps are dots on four parallel straight lines of slope two, leaving them slightly at large distance."}} tags=["hide-input"]
pair = [f(walk)[:, :4] for f in (fc.capacities, fc.leverage_capacities)]
figures.tangency(line, pair, steps, (gap[:, :4], predicted[:, :4]))

# %% [markdown]
# {numref}`fig-appg-tangency` shows the common tangents, and gaps that follow the parabola until the step is about a tenth.

# %% tags=["hide-input"]
run.check("appg-first-derivatives-coincide", plain_slopes, alternative_slopes)
run.check("appg-derivative-by-hand", [plain_slopes, alternative_slopes], [derived] * 2)
run.check("appg-derivatives-differ-elsewhere", rows["not efficient"][1] / rows["not efficient"][0])
run.check("appg-no-flow-between-blocks", [abs(across).max(), abs(in_total).max()])
run.check("appg-second-derivatives", np.concatenate(openings), np.concatenate(leading))
run.check("appg-second-derivatives-differ", min(opening.sum() for opening in openings) / 2)
run.check("appg-gap-order", order)
run.badge()

# %% [markdown]
# ## More discontinuous
#
# The paper calls $\tilde C_i$ "somewhat more discontinuous" than $C_i$.
# Here is how much.
# {numref}`fig-appg-jump` takes three features in a plane and squeezes the second axis by a factor $t$.
# Squeezing is an invertible map, so the row space stays the same, and $\tilde C_i$ does not notice, however small $t$ is.
# At $t = 0$ one dimension is gone, and the alternative capacities drop to those of the line.
# The first definition sees it coming.

# %%
axes = np.array([[1.0, 0.7, 0.3], [0.9, -0.6, 0.9]])
t = np.concatenate([np.linspace(-1.5, -1e-4, 150), np.linspace(1e-4, 1.5, 150)])
squeezed = axes * np.stack([np.ones_like(t), t], axis=1)[:, :, None]
at_zero = axes * np.array([[1.0], [0.0]])
both = [(f(squeezed), f(at_zero)) for f in (fc.capacities, fc.leverage_capacities)]
unsqueezed = np.broadcast_to(fc.leverage_capacities(axes), (len(t), 3))
near = fc.capacities(axes * np.array([[[1.0], [2e-3]], [[1.0], [1e-3]]])) - both[0][1]

# %% mystnb={"figure": {"caption": "Three features in a plane whose second axis is scaled by $t$. The alternative capacities are constant and jump at the one point where the rank drops (open circles: limits; full circles: values).", "name": "fig-appg-jump"}, "image": {"alt": "Left: three smooth curves of capacity over t, symmetric around zero. Right: three horizontal lines with open circles at t equal zero and full dots at other heights, joined by dotted lines."}} tags=["hide-input"]
figures.rank_jump(t, both)

# %% [markdown]
# In general ($N \ge D$): $\tilde C$ jumps at *every* embedding of deficient rank, because a small nudge restores the rank and the sum leaps by at least 1.
# $C$ jumps only at some of these, namely where a feature is ignored although a dimension is free ({numref}`fig-vanishing-embeddings`).
# At full rank neither jumps, even at an ignored feature.
# So the word "more" is right, and can be made exact: where $C$ jumps, $\tilde C$ jumps too, but not the other way around.

# %%
nudge = 1e-6 * rng.standard_normal(many.shape)
deficient, free = many[::3], many[1::3].copy()
free[:, :, 0] = 0


def change(measure, W, step):
    return measure(W + step) - measure(W)


leap = change(fc.leverage_capacities, deficient, nudge[::3]).sum(axis=1)
calm = [
    change(fc.capacities, deficient, nudge[::3]),
    change(fc.capacities, free, nudge[1::3]),
    change(fc.leverage_capacities, free, nudge[1::3]),
]

# %% tags=["hide-input"]
run.check("appg-blind-to-squeezing", both[1][0], unsqueezed)
run.check("appg-jump", both[1][0][150].sum() - both[1][1].sum())
run.check("appg-first-is-continuous", np.log2(abs(near[0]).max() / abs(near[1]).max()))
run.check("appg-jumps-at-every-rank-loss", leap - (n_dims - rank[::3]))
run.check("appg-no-jump-otherwise", max(abs(difference).max() for difference in calm))
run.badge()

# %% [markdown]
# ## The quadratic model under either definition
#
# The paper says that the results for the quadratic model are essentially unchanged, because its optimum is efficient.
# The optimum indeed has $C=\tilde C$, and now also equal derivatives.
# More can be said.
# At given lengths the loss {eq}`eq-paper-13` falls in every $C_i$, and $\tilde C_i \ge C_i$, so for *every* embedding
#
# $$ \mathbb{E}[L](W) \;\ge\; \sum_i \frac{2(k-1)v_i^2(1-\tilde C_i)}{(k-3)\tilde C_i+2} , $$ (eq-appg-loss)
#
# the sum of {eq}`eq-sec3-1-per-feature` taken at the alternative capacities.
# They obey the same budget, $\sum_i\tilde C_i\le D$.
# So both definitions lead to the same problem of sharing a budget, with the same marginal benefits and the same solution.

# %%
importance = np.linspace(2.0, 0.5, n_features)
found = []  # for each kurtosis: both capacities, both derivatives, excess over the bound, losses
for k in (2.0, 4.0, 9.0, 30.0):
    solution = fc.solve_allocation(importance, n_dims, k)
    best = fc.optimal_embedding(solution, generator=rng)
    pair = [fc.capacities(best), fc.leverage_capacities(best)]
    jacobians = [jacobian(f, best) for f in (fc.capacities, fc.leverage_capacities)]
    least = fc.loss_at_best_lengths(np.minimum(alternative, 1), importance, k).sum(axis=1)
    excess = fc.expected_loss(many, importance, k) / least - 1
    shares = np.minimum(pair[1], 1)  # rounding can pass 1
    attained = fc.loss_at_best_lengths(shares, importance, k).sum()
    found.append((pair, jacobians, excess, (fc.expected_loss(best, importance, k), attained)))
pairs, slopes, excesses, losses = (np.array(column) for column in zip(*found, strict=True))

# %% tags=["hide-input"]
run.check("appg-optimum-capacities", pairs[:, 1], pairs[:, 0])
run.check("appg-optimum-derivatives", slopes[:, 0] - slopes[:, 1])
run.check("appg-loss-bound", excesses)
run.check("appg-loss-bound-attained", losses[:, 0], losses[:, 1])
run.badge()

# %% [markdown]
# ## Does it agree with the paper?
#
# All verdicts of this page are among {ref}`claims`, with what each measurement came to.
#
# ## Try it
#
# Paste a command at the root of the project; the executed page is then in `out.ipynb`.
#
# **Just enough room.** What are the alternative capacities when there are as many dimensions as features and $W$ is invertible?
#
# :::{admonition} Answer
# :class: dropdown
# All are 1: the row space is everything, and a linear readout recovers every feature exactly, however much the embedding vectors overlap.
# The first definition still charges for the overlap.
# :::
#
# **More features.** Does the floor in {numref}`fig-appg-floor` bind more often in a larger model?
#
# ```sh
# papermill notebooks/appG_alternative_capacity.ipynb out.ipynb --cwd notebooks -p n_features 10 -p n_random 5000
# ```
#
# :::{admonition} Answer
# :class: dropdown
# Hardly: about 8% of the features come within a twentieth of their floor, where it was 7%.
# To touch the floor, a feature has to lie halfway between the most and the least crowded direction and touch no third one.
# :::
#
# **A plane.** Is it easier where there is no third direction?
#
# ```sh
# papermill notebooks/appG_alternative_capacity.ipynb out.ipynb --cwd notebooks -p n_dims 2
# ```
#
# :::{admonition} Answer
# :class: dropdown
# Much easier: half of the features come within a twentieth of the floor.
# One embedding in three has lost a dimension, and on a line both capacities are the same; of the features of the others it is still a quarter.
# :::
#
# **One to spare.** How far apart can the two definitions be when four features have three dimensions?
#
# ```sh
# papermill notebooks/appG_alternative_capacity.ipynb out.ipynb --cwd notebooks -p n_features 4
# ```
#
# :::{admonition} Answer
# :class: dropdown
# Farther than before: the smallest ratio in these random embeddings is below one ten-thousandth.
# With few features some directions are nearly empty.
# The median of $\kappa$ doubles, and with it the floor gives way.
# :::
#
# ## What we saw
#
# * The alternative capacity is the leverage score: a projection's diagonal, which sums to the rank and jumps when the rank does.
# * The gap to the paper's capacity is a square, {eq}`eq-appg-gap`; it vanishes exactly for features that are eigenvectors of $WW^\mathsf{T}$.
# * The open question is settled: at efficient embeddings the first derivatives coincide; the second ones, in two or more dimensions, do not.
#
# Next: {ref}`appH-feasibility`, which builds the efficient embeddings that {ref}`sec4-geometry` describes.
