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
# Capacity says how well a feature is read by its own embedding vector.
# A cleverer linear reader does better: it corrects for the overlaps that it knows.
# What the best one reaches is the *alternative capacity* $\tilde C_i$, and {numref}`fig-appg-two` holds it against $C_i$.
# It is never below; it is equal where the budget is used up.
# How far apart can the two be, and do they lead to the same theory?
#
# **Paper:** Appendix G {cite}`scherlis2022`, and its open question about derivatives.
# **Run time:** some seconds.

# %% tags=["parameters", "hide-input"] quick={"n_random": 200}
n_features: int = 6  # features N [4 .. 10]
n_dims: int = 3  # neurons D [2 .. 3]
n_random: int = 1000  # random embeddings per check [100 .. 20000]
seed: int = 0  # of everything random on this page [0 .. 1000000]

# %% tags=["hide-input"]
import numpy as np
import pandas as pd

import feature_capacity as fc
from feature_capacity.book.claims.checks import open_page
from feature_capacity.figures import appG_alternative_capacity as figures
from feature_capacity.geometry import gap
from feature_capacity.geometry.bound import efficient_from
from feature_capacity.models.derivatives import bend, slopes

run = open_page(
    "appG_alternative_capacity",
    n_features=n_features,
    n_dims=n_dims,
    n_random=n_random,
    seed=seed,
)
rng = np.random.default_rng(seed)

# %%
import feature_capacity as fc

W = [[1, 1], [0, 1]]  # two features, 45 degrees apart
fc.capacities(W), fc.leverage_capacities(W)

# %% mystnb={"figure": {"caption": "How well a feature can be read out of its embedding: by its own embedding vector, and by the best linear readout. For the optima of the quadratic model, which are efficient, the two are equal.", "name": "fig-appg-two"}, "image": {"alt": "Scatter of best squared correlation against capacity. Random embeddings lie above the diagonal, efficient ones on it."}} tags=["hide-input"]
many = rng.standard_normal((n_random, n_dims, n_features))
many *= rng.lognormal(0, 1, (n_random, 1, n_features))
many[::3, -1] = 2 * many[::3, 0]
rank = np.linalg.matrix_rank(many)
plain, alternative = fc.capacities(many), fc.leverage_capacities(many)
importance = np.linspace(2.0, 0.5, n_features)
solutions = [fc.solve_allocation(importance, n_dims, k) for k in (2.0, 4.0, 9.0, 30.0)]
best = [fc.optimal_embedding(solution, generator=rng) for solution in solutions]
measures = fc.capacities, fc.leverage_capacities
efficient_ones = [np.concatenate([f(E) for E in best]) for f in measures]
figures.two_capacities(plain[:120].ravel(), alternative[:120].ravel(), efficient_ones)

# %% [markdown]
# The two features of the example span the plane, so that a reader who inverts $W$ recovers both.
# By their own vectors they hear each other: $C=(\tfrac12,\tfrac45)$ and $\tilde C=(1,1)$.
#
# ## The definition
#
# Write $W = QSR$ in the compact singular value decomposition.
# $Q$ turns, $S$ stretches, and the rows of $R$ are orthonormal, as many as $W$ has rank.
# The {term}`alternative capacity` is the capacity of $R$ (the paper's "equation (2)" means equation 3):
#
# $$ \tilde C_i(W) := \frac{\big([R^TR]_{ii}\big)^2}{[(R^TR)^2]_{ii}} = [R^TR]_{ii} $$ (eq-paper-88)
#
# The second step is where it gets simple.
# $R^TR = W^+W$ is the orthogonal projection onto the row space of $W$, and a projection is its own square.
# Statisticians call its diagonal the *leverage* of the columns.
#
# In pictures: turn the space by $Q^{-1}$, shrink its axes by $S^{-1}$, and the embedding vectors become isotropic.
# Then $\tilde C_i$ is the squared length of what has become of $w_i$.
#
# Where capacities use up the dimensions, the two definitions coincide, as the next section shows:
#
# $$ \sum_{i=1}^N C_i = D \;\implies\; \tilde C_i = C_i $$ (eq-paper-89)
#
# A projection has as trace its rank.
# So the alternative capacities always sum to a whole number, and to the number of dimensions as soon as the rank is full:
#
# $$ \sum_{i=1}^N \tilde C_i = \operatorname{rank}(W) $$ (eq-paper-90)
#
# $$ W \text{ of full rank} \;\implies\; \sum_{i=1}^N \tilde C_i = D $$ (eq-paper-91)
#
# That is what the paper means by a relaxed notion of efficiency: a random matrix is efficient in the second sense, and never in the first.
# The checks use random embeddings with columns of very unequal lengths; in a third of them the rank is one less than it could be.

# %% tags=["hide-input"]
_, S, R = np.linalg.svd(many, full_matrices=False)
kept = (np.arange(n_dims) < rank[:, None]).astype(float)
R = kept[:, :, None] * R
projection = R.mT @ R
run.check("eq88-projection", projection @ projection, projection)
run.check("eq88-capacity-of-r", fc.capacities(R), alternative)
even = gap.isotropic(many)
run.check("appg-isotropic-vectors", even @ even.mT, kept[:, None] * np.eye(n_dims))
run.check("appg-squared-length", (even**2).sum(axis=1), alternative)
run.check("eq90-sum-is-rank", alternative.sum(axis=1), rank.astype(float))
full = many[rank == n_dims]
run.check(
    "eq91-full-rank",
    fc.leverage_capacities(full).sum(axis=1),
    np.full(len(full), n_dims),
)
run.check("appg-generic-not-efficient", n_dims - fc.total_capacity(full).max())
run.badge()

# %% [markdown]
# ## The gap between the two, exactly
#
# Let $M = WW^T$, let $n_i = \|w_i\|^2$ and $u_i = w_i/\|w_i\|$ be the squared length and the direction of feature $i$, and let (this $\rho_i$ is no correlation)
#
# $$ \rho_i = u_i^T M u_i, \qquad r_i = M u_i - \rho_i u_i . $$ (eq-appg-residual)
#
# In words: $M$ says how crowded each direction is, $\rho_i$ is the crowd that feature $i$ meets, and the residual $r_i$ says how far $u_i$ is from being an eigenvector of $M$.
# In these terms $C_i = n_i/\rho_i$ and $\tilde C_i = n_i\,u_i^TM^+u_i$.
# Multiply out $r_i^TM^+r_i$, with $M^+Mu_i=u_i$:
#
# $$ r_i^TM^+r_i = \rho_i - 2\rho_i + \rho_i^2\,u_i^TM^+u_i , $$
#
# and divide by $\rho_i$:
#
# $$ \frac{\tilde C_i}{C_i} = 1 + \frac{r_i^TM^+r_i}{\rho_i} . $$ (eq-appg-gap)
#
# The paper does not have this formula.
# Everything below follows from it.
# The second term is a square, so $C_i \le \tilde C_i$, with equality exactly when $w_i$ is an eigenvector of $WW^T$.
# For the two features above it is 1 and ¼:

# %%
gap.relative_gap(W)

# %% [markdown]
# **Where the budget is used up.**
# If the capacities sum to $D$, then $D = \sum_i C_i \le \sum_i \tilde C_i \le D$, so no feature can have a gap: that is {eq}`eq-paper-89`.
# Then every $w_i$ is an eigenvector, and within a set of features that share an eigenvalue $s$ the vectors are isotropic, $W_bW_b^T=s\,I$.
# The appendix reads efficiency off this: an embedding that forms one block turns uncorrelated inputs into uncorrelated neurons of equal variance.
# (The paper says *identity* covariance; an efficient block may have any scale.)
#
# **How large it can be.**
# $C_i/\tilde C_i = 1/\big[(u^TMu)(u^TM^+u)\big]$ is what Kantorovich's inequality is about:
#
# $$ \frac{4\kappa}{(1+\kappa)^2} \;\le\; \frac{C_i}{\tilde C_i} \;\le\; 1, $$ (eq-appg-kantorovich)
#
# where $\kappa$ is the largest eigenvalue of $M$ over the smallest positive one.
# Sum over the features, and the total capacity is at least $\operatorname{rank}(W)\cdot 4\kappa/(1+\kappa)^2$: the more evenly an embedding spreads, the less it wastes.
# The floor is attained by a feature halfway between the axes of a stretched crowd.

# %% mystnb={"figure": {"caption": "Capacity over alternative capacity, for the features of random embeddings; those with a condition number above 200 lie beyond the frame. Black: the floor of Kantorovich's inequality. Only uneven embeddings separate the two.", "name": "fig-appg-floor"}, "image": {"alt": "Scatter of the ratio of the two capacities against condition number. All points lie between a falling black curve, which starts at ratio 1 and condition number 1, and the horizontal line at 1."}}
kappa = gap.condition_number(many)
stretch = np.geomspace(1, 200, 61)
halfway = np.zeros((61, 2, 3)) + np.array([[1.0, 1.0, 0.0], [1.0, -1.0, 0.0]])
halfway[:, 0, 2] = np.sqrt(2 * stretch - 2)
lowest = fc.capacities(halfway)[:, 0] / fc.leverage_capacities(halfway)[:, 0]
shown = rng.permutation(n_random)[:400]
ratios = (plain / alternative)[shown].ravel()
figures.ratio_floor(np.repeat(kappa[shown], n_features), ratios, stretch, lowest)

# %% [markdown]
# To try the statements on efficient embeddings we build three kinds ({ref}`sec4-geometry`): one generic block, three blocks of different scales in a rotated space, and the same with an ignored feature.

# %%
one_block = 1.5 * np.linalg.qr(rng.standard_normal((n_features, n_dims)))[0].T
shares, scales = ([0.3, 0.8, 0.5, 0.4], [0.2, 0.8], [1.0]), (1.3, 0.7, 2.0)
parts = [fc.embedding_from_capacities(c, generator=rng) for c in shares]
turn = np.linalg.qr(rng.standard_normal((4, 4)))[0]
blocks = [s * part for s, part in zip(scales, parts, strict=True)]
three_blocks = turn @ fc.tegum_product(*blocks)
efficient = {
    "one block": one_block,
    "three blocks": three_blocks,
    "three blocks, one ignored": np.concatenate(
        [three_blocks, np.zeros((4, 1))], axis=1
    ),
}

# %% tags=["hide-input"]
run.check("appg-gap-formula", plain * (1 + gap.relative_gap(many)), alternative)
run.check("appg-never-below", alternative - plain)
run.check(
    "appg-ratio-floor", plain / alternative - (4 * kappa / (1 + kappa) ** 2)[:, None]
)
run.check("appg-floor-attained", lowest, 4 * stretch / (1 + stretch) ** 2)
tried = efficient.values()
both = [
    np.concatenate([f(E) for E in tried])
    for f in (fc.leverage_capacities, fc.capacities)
]
run.check("eq89-premise", [fc.total_capacity(E) - E.shape[0] for E in tried])
run.check("eq89-coincide", *both)
found = [efficient_from(many[i]) for i in range(1, 31, 3)]
run.check(
    "appg-isotropic-in-blocks", [b.deviation for E in found for b in fc.blocks(E)]
)
covariance = one_block @ one_block.T
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
# There $\tilde C_i = w_i^TM^{-1}w_i$ is smooth, and $C_i$ is differentiable (if $w_i = 0$ its derivative is 0, because nearby $C_i \le \|w_i\|^2/s$ with $s>0$ the smallest eigenvalue of $M$; the same for $\tilde C_i$).
# The difference $\tilde C_i - C_i$ is never negative, and it is 0 at $W$.
# So it has a minimum there, and at a minimum a derivative vanishes. $\square$
#
# Equation {eq}`eq-appg-gap` says it again: the gap is a square of $r_i$, and $r_i = 0$ at an efficient $W$.

# %% mystnb={"figure": {"caption": "(a) Both capacities of four features along a line through an efficient embedding: they touch at $t=0$, with one tangent. (b) The gap between them grows with the square of the distance, as the formula says.", "name": "fig-appg-tangency"}, "image": {"alt": "Left: four solid and four dashed curves over distance; each pair touches at zero and separates on both sides, dashed above solid. Right: on logarithmic axes the gaps are dots on four parallel straight lines of slope two, leaving them slightly at large distance."}} tags=["hide-input"]
V = rng.standard_normal(one_block.shape)
V *= np.linalg.norm(one_block) / np.linalg.norm(V)
line, steps = np.linspace(-0.8, 0.8, 161), np.geomspace(1e-3, 0.5, 19)
walk, short = one_block + line[:, None, None] * V, one_block + steps[:, None, None] * V
pair = [f(walk)[:, :4] for f in (fc.capacities, fc.leverage_capacities)]
opened = fc.leverage_capacities(short) - fc.capacities(short)
predicted = steps[:, None] ** 2 * gap.opening(one_block, V)
figures.tangency(line, pair, steps, (opened[:, :4], predicted[:, :4]))

# %% [markdown]
# **By hand.**
# Let $s_i$ be the scale of the block of feature $i$, so that $Mw_i = s_iw_i$.
# Differentiate $C_i = n_i^2/(w_i^TMw_i)$ by the quotient rule, with
#
# $$ \begin{aligned} dn_i &= 2w_i\cdot dw_i, \\ d(w_i^TMw_i) &= 2s_i\,w_i\cdot dw_i + 2\textstyle\sum_j (w_i\cdot w_j)(w_i\cdot dw_j) . \end{aligned} $$
#
# Differentiate $\tilde C_i = [W^+W]_{ii}$ with
#
# $$ d(W^+W)_{ii} = 2\,[W^+\,dW\,(I-W^+W)]_{ii} . $$
#
# Either way comes out as
#
# $$ dC_i = d\tilde C_i = \frac{2}{s_i}\sum_j \Big(\delta_{ij} - \frac{w_i\cdot w_j}{s_i}\Big)\, w_i\cdot dw_j . $$ (eq-appg-derivative)
#
# Automatic differentiation knows none of this:

# %%
first = {name: slopes(fc.capacities, E) for name, E in efficient.items()}
second = {name: slopes(fc.leverage_capacities, E) for name, E in efficient.items()}
first["not efficient"] = slopes(fc.capacities, many[1])
second["not efficient"] = slopes(fc.leverage_capacities, many[1])
rows = {name: [abs(a).max(), abs(a - second[name]).max()] for name, a in first.items()}
pd.DataFrame(rows, index=["largest derivative", "largest difference"]).T.map(
    "{:.2g}".format
)

# %% [markdown]
# Equation {eq}`eq-appg-derivative` holds two more facts.
# The sum runs over the features of the same block, because $w_i\cdot w_j = 0$ for all others.
# And within a block the derivatives add up to zero.
# So a small change of an efficient embedding moves capacity around inside blocks, and to first order none of it passes from one block to another.
#
# **Second derivatives.**
# Walk along $W + tV$.
# The residual grows in proportion to $t$, $r_i \approx t\,\dot r_i$; dots are derivatives in $t$ at 0, $\dot u_i$ that of the direction of $w_i \ne 0$:
#
# $$ \begin{aligned} \dot r_i &= \dot M u_i - (u_i^T\dot M u_i)\,u_i + (M-s_iI)\,\dot u_i, \\ \dot M &= VW^T+WV^T, \end{aligned} $$
#
# so by {eq}`eq-appg-gap` the gap opens quadratically:
#
# $$ \tilde C_i - C_i = t^2\, C_i\, \frac{\dot r_i^TM^{-1}\dot r_i}{s_i} + O(t^3) . $$ (eq-appg-second)
#
# It is positive in nearly every direction.
# The total tells the difference best: $\sum_i\tilde C_i = D$ stays flat, while $\sum_iC_i$ has its maximum here and bends down.
# {numref}`fig-appg-tangency` shows the common tangents, and gaps that follow the parabola until the step is about a tenth.

# %% tags=["hide-input"]
plain_slopes = np.concatenate([first[name].ravel() for name in efficient])
alternative_slopes = np.concatenate([second[name].ravel() for name in efficient])
derived = np.concatenate([gap.slopes_where_efficient(E).ravel() for E in tried])
run.check("appg-first-derivatives-coincide", plain_slopes, alternative_slopes)
run.check("appg-derivative-by-hand", [plain_slopes, alternative_slopes], [derived] * 2)
largest, difference = rows["not efficient"]
run.check("appg-derivatives-differ-elsewhere", difference / largest)
block_of = np.repeat([0, 1, 2], [4, 2, 1])
member = (block_of == np.arange(3)[:, None]).astype(float)
across = (block_of[:, None] != block_of)[:, None, :] * first["three blocks"]
in_total = np.tensordot(member, first["three blocks"], 1)
run.check("appg-no-flow-between-blocks", [abs(across).max(), abs(in_total).max()])
openings, leading = [], []
for E in (one_block, three_blocks):
    along = rng.standard_normal(E.shape)
    openings.append(
        bend(fc.leverage_capacities, E, along) - bend(fc.capacities, E, along)
    )
    leading.append(2 * gap.opening(E, along))
run.check("appg-second-derivatives", np.concatenate(openings), np.concatenate(leading))
run.check("appg-second-derivatives-differ", min(o.sum() for o in openings) / 2)
order = np.log(opened[1].sum() / opened[0].sum()) / np.log(steps[1] / steps[0])
run.check("appg-gap-order", order)
run.badge()

# %% [markdown]
# ## More discontinuous
#
# The paper calls $\tilde C_i$ "somewhat more discontinuous" than $C_i$.
# {numref}`fig-appg-jump` takes three features in a plane and squeezes the second axis by a factor $t$.
# Squeezing is an invertible map, so the row space stays the same, and $\tilde C_i$ does not notice, however small $t$ is.
# At $t = 0$ one dimension is gone, and the alternative capacities drop to those of the line.
# The first definition sees it coming.

# %%
plane = np.array([[1.0, 0.7, 0.3], [0.9, -0.6, 0.9]])
t = np.concatenate([np.linspace(-1.5, -1e-4, 150), np.linspace(1e-4, 1.5, 150)])
squeezed = plane * np.stack([np.ones_like(t), t], axis=1)[:, :, None]
at_zero = plane * np.array([[1.0], [0.0]])
both = [(f(squeezed), f(at_zero)) for f in (fc.capacities, fc.leverage_capacities)]

# %% mystnb={"figure": {"caption": "Three features in a plane whose second axis is scaled by $t$. The alternative capacities are constant and jump at the one point where the rank drops (open circles: limits; full circles: values).", "name": "fig-appg-jump"}, "image": {"alt": "Left: three smooth curves of capacity over t, symmetric around zero. Right: three horizontal lines with open circles at t equal zero and full dots at other heights, joined by dotted lines."}} tags=["hide-input"]
figures.rank_jump(t, both)

# %% [markdown]
# In general ($N \ge D$) $\tilde C$ jumps at *every* embedding of deficient rank, because a small nudge restores the rank and the sum leaps by at least 1.
# $C$ jumps only at some of these, namely where a feature is ignored although a dimension is free ({numref}`fig-vanishing-embeddings`).
# At full rank neither jumps, even at an ignored feature.
# So the word "more" is right, and can be made exact: where $C$ jumps, $\tilde C$ jumps too, but not the other way around.
#
# To see it, move embeddings by a hundred-thousandth and by a tenth of that, and ask with which power of the step a capacity changes.
# A jump has power 0, a smooth function 1, and a minimum 2.

# %%
lost, whole = many[::3], many[1::3]
anywhere = rng.standard_normal(lost.shape)
ignored, crowded = (
    lost * (np.arange(n_features) != 1),
    whole * (np.arange(n_features) != 1),
)
free, aside = np.zeros_like(lost), np.zeros_like(whole)
free[:, :, 1] = np.linalg.svd(lost)[0][:, :, -1]  # the direction that nobody uses
aside[:, :, 1] = rng.standard_normal(whole.shape[:2])
moves = {
    "a dimension is lost": (lost, anywhere),
    "an ignored feature moves into a free dimension": (ignored, free),
    "the same where no dimension is free": (crowded, aside),
}
powers = {
    name: [gap.power_of_change(f, *move) for f in measures]
    for name, move in moves.items()
}
pd.DataFrame(powers, index=["capacity", "alternative"]).T.round(2)

# %% tags=["hide-input"]
for name, (first_power, second_power) in zip(
    ("rank", "free", "full"), powers.values(), strict=True
):
    run.check(f"appg-more-discontinuous-first-{name}", first_power)
    run.check(f"appg-more-discontinuous-alternative-{name}", second_power)
unsqueezed = np.broadcast_to(fc.leverage_capacities(plane), (len(t), 3))
run.check("appg-blind-to-squeezing", both[1][0], unsqueezed)
near = fc.capacities(plane * np.array([[[1.0], [2e-3]], [[1.0], [1e-3]]])) - both[0][1]
run.check("appg-first-is-continuous", np.log2(abs(near[0]).max() / abs(near[1]).max()))
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
k = np.array([[2.0], [4.0], [9.0], [30.0]])
losses = fc.expected_loss(np.array(best), importance, k)
shares = np.minimum([fc.leverage_capacities(E) for E in best], 1)  # rounding can pass 1
bounds = fc.loss_at_best_lengths(shares, importance, k).sum(axis=1)
pd.DataFrame({"kurtosis": k[:, 0], "loss of the optimum": losses, "bound": bounds})

# %% tags=["hide-input"]
pairs = [[f(E) for E in best] for f in (fc.leverage_capacities, fc.capacities)]
run.check("appg-optimum-capacities", *pairs)
differences = [
    slopes(fc.capacities, E) - slopes(fc.leverage_capacities, E) for E in best
]
run.check("appg-optimum-derivatives", differences)
at_most_one = np.minimum(alternative, 1)
excess = [
    fc.expected_loss(many, importance, q)
    / fc.loss_at_best_lengths(at_most_one, importance, q).sum(axis=1)
    - 1
    for q in k[:, 0]
]
run.check("appg-loss-bound", excess)
run.check("appg-loss-bound-attained", losses, bounds)
run.badge()

# %% [markdown]
# ## Try it
#
# **Just enough room.** What are the alternative capacities when there are as many dimensions as features and $W$ is invertible?
#
# :::{admonition} Answer
# :class: dropdown
# All are 1: the row space is everything, and a linear readout recovers every feature exactly, however much the embedding vectors overlap.
# The first definition still charges for the overlap.
# :::
#
# **A copy.** Two features of a network have the same embedding vector, all others are orthogonal to it.
# What are $C$ and $\tilde C$ of the two, and what if one of them is moved aside by a hair?
#
# :::{admonition} Answer
# :class: dropdown
# Both have ½ by either definition: nobody can tell them apart.
# Moved aside into a free dimension, both have $\tilde C=1$ at once, since the hair can be amplified; $C$ hardly changes.
# With noise on the neurons the amplified hair would be noise: the second definition assumes a reader without any.
# :::
#
# **More features.** Does the floor in {numref}`fig-appg-floor` bind more often in a larger model?
#
# ```sh
# papermill notebooks/appG_alternative_capacity.ipynb out.ipynb --cwd notebooks -p n_features 10
# ```
#
# :::{admonition} Answer
# :class: dropdown
# Hardly: about 8 % of the features come within a twentieth of their floor, where it was 7 %.
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
# ## What to remember
#
# - The alternative capacity is the leverage score: a projection's diagonal, which sums to the rank and jumps when the rank does.
# - The gap to the paper's capacity is a square, {eq}`eq-appg-gap`; it vanishes exactly for features that are eigenvectors of $WW^T$.
# - At efficient embeddings the first derivatives coincide; the second ones, in two or more dimensions, do not.
#
# Next: {ref}`appH-feasibility`, which builds the efficient embeddings that {ref}`sec4-geometry` describes.
