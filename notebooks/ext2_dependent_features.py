# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# (ext2-dependent-features)=
# # Dependent features: do features that occur together share?
#
# Words come in topics, edges in textures: features of a real network depend on each other.
# Does it still take a kurtosis above 3 to share a dimension?
# What if two features are never active at the same time?
#
# **Paper:** section 3.1 {cite}`scherlis2022`, without its assumption that features are independent.
# **Run time:** about a minute.

# %% tags=["parameters", "hide-input"] quick={"grid": 10, "n_starts": 4}
n_features: int = 6  # features, all pairs of which depend alike [4 .. 6]
n_dims: int = 3  # dimensions they have [1 .. 3]
grid: int = 24  # kurtoses and co-activations that are tried [8 .. 60]
n_starts: int = 20  # random starts of each minimization [4 .. 40]
seed: int = 0  # of everything random on this page [0 .. 1000000]
device: str = "auto"  # where the numerical minimization runs {auto, cpu, cuda, mps}

# %% tags=["hide-cell"]
import itertools

import numpy as np
import pandas as pd

import feature_capacity as fc
from feature_capacity.book.claims.checks import open_page
from feature_capacity.figures import ext2_dependent_features as figures
from feature_capacity.models.dependent_quadrature import (
    exclusive_quadrature,
    grouped_quadrature,
)
from feature_capacity.models.device import pick_device
from feature_capacity.models.quadrature import sparse_quadrature

run = open_page(
    "ext2_dependent_features",
    n_features=n_features,
    n_dims=n_dims,
    grid=grid,
    n_starts=n_starts,
    seed=seed,
    device=device,
)
print("computed on:", pick_device(device))

# %% mystnb={"figure": {"caption": "How many features share, by their kurtosis k and by how much they occur together, h (1 where independent). a: the theorem of this page. b: the loss minimized over W from random starts, with no theory in it. The border is k = 3h; on the vertical dotted line, independent features, it is the paper's 3. White: no inputs have such moments.", "name": "fig-ext2-diagram"}, "image": {"alt": "Two maps that look the same: above a straight orange line through the origin of slope 3 features share, below it none does. The corner at the upper left and the lower edge are white."}} tags=["hide-input"]
coactivation = np.linspace(0.5, 4, grid)
kurtosis = np.linspace(1, 16, grid)
h, k = (x.ravel() for x in np.meshgrid(coactivation, kurtosis))
possible = (k > h * 1.001) & (k + (n_features - 1) * h >= n_features * 1.001)
h, k = h[possible], k[possible]
importance = np.linspace(1.0, 0.9, n_features)
theory = fc.allocate_dependent(importance, n_dims, k[:, None], h[:, None])

eye = np.eye(n_features)
fourth = h[:, None, None] * (1 - eye) + k[:, None, None] * eye
moments = fc.Moments(np.ones((len(h), n_features)), fourth)
found = fc.minimize_moments(
    importance, moments, n_dims, n_starts=n_starts, seed=seed, device=device
)
maps = np.ma.masked_all((2, grid * grid))
for values, capacity in zip(maps, (theory.capacity, found.capacity), strict=True):
    values[possible] = ((capacity > 1e-4) & (capacity < 1 - 1e-4)).sum(axis=-1)
figures.sharing_maps(
    coactivation, kurtosis, maps.reshape(2, grid, grid), ["theorem", "minimized"]
)

# %% [markdown]
# In five lines: sparse features share, and the same features in lockstep do not.

# %%
import feature_capacity as fc

apart = fc.allocate_dependent([1, 1, 1, 1], n_dims=2, kurtosis=9, coactivation=1)
together = fc.allocate_dependent([1, 1, 1, 1], n_dims=2, kurtosis=9, coactivation=4)
apart.capacity, together.capacity

# %% [markdown]
# ## The loss in moments
#
# The error of the quadratic model is $x^TMx + b$ with $M = W^TW - \operatorname{diag}(v)$, so that the loss knows the inputs by their moments up to the fourth.
# Take inputs whose joint distribution no change of signs alters, of variance 1.
# Then a fourth moment vanishes unless its indices pair up, and at the best bias
#
# $$ \mathcal L = m^TGm + 2\sum_{i\ne j} h_{ij}\,(w_i\cdot w_j)^2, $$
#
# with $m_i = \|w_i\|^2 - v_i$, $h_{ij} = \mathbb E[x_i^2x_j^2]$ and $G_{ij} = \operatorname{Cov}(x_i^2, x_j^2)$ (*proved* below).
# Independence makes $h_{ij}=1$ and $G = (k-1)I$, the paper's equation 12.
# Two things are new: interference counts as often as both features are on, and a represented feature tells of the others by $G$.
#
# :::{admonition} Proof
# :class: dropdown
# $x^TMx=\sum_iM_{ii}x_i^2+\sum_{i\ne j}M_{ij}x_ix_j$.
# A product of a term of the first sum and one of the second has an odd power of two features, and mean 0 after a change of signs; so the two sums are uncorrelated.
# The variance of the first is $m^TGm$.
# In the second, $E[x_ix_jx_kx_l]$ with $i\ne j$, $k\ne l$ is not 0 only if the pairs are the same, in either order: twice $\sum_{i\ne j}h_{ij}M_{ij}^2$, and its mean is 0.
# Off the diagonal $M_{ij}=w_i\cdot w_j$. The best bias is minus the mean, so that the variance is the loss. ∎
# :::
#
# By brute force, two groups of two features, every mask and every sign:

# %%
q, p = 0.3, 0.6  # a group is on, and then each of its members
signs = np.array(list(itertools.product((-1, 1), repeat=4)))
masks = np.array(list(itertools.product((0, 1), repeat=6)))
chance = np.where(masks, [q, q, p, p, p, p], [1 - q, 1 - q, *[1 - p] * 4]).prod(axis=1)
on = masks[:, 2:] * np.repeat(masks[:, :2], 2, axis=1)
x = (on[:, None] * signs).reshape(-1, 4) / np.sqrt(q * p)
weight = np.repeat(chance, 16) / 16

W = np.random.default_rng(seed).standard_normal((2, 4))
error = ((x @ W.T) ** 2).sum(axis=1) - (x**2).sum(axis=1)
brute = weight @ (error - weight @ error) ** 2
grouped = fc.grouped_inputs(2, 2, q, p, kurtosis=1.0)
float(brute), float(fc.loss_from_moments(W, np.ones(4), grouped))

# %% tags=["hide-input"]
run.check("ext2-loss-in-moments", fc.loss_from_moments(W, np.ones(4), grouped), brute)
run.badge()

# %% [markdown]
# ## The border is k = 3h
#
# Let all pairs have the same $h$.
# Divided by $h$, the loss is that of independent features of kurtosis $k/h$ and one more term,
#
# $$ \frac{\mathcal L}{h} = \Big(\frac kh-1\Big)\sum_i m_i^2 + 2\sum_{i\ne j}(w_i\cdot w_j)^2 + \Big(1-\frac1h\Big)\Big(\sum_i m_i\Big)^2 . $$
#
# **Theorem.**
# For $k < 3h$ no optimum shares; the $D$ most important features have a dimension each.
# For $k > 3h$ the optimum is that of independent features of kurtosis $k/h$ with importances $\max(v_i + s, 0)$, with one shift $s$ for all; equal features then share.
#
# *Proof.*
# For given squared lengths $n$ the least interference is $F(n) = \min_C\sum n_i^2/C_i$, attained by a matrix (Theorem P1), with $C_i = n_i/\lambda$ where features share.
#
# Below the border, let two features share, and move $\delta$ of squared length from one to the other.
# Neither $F$ nor $\sum m_i$ changes, and the rest is a quadratic in $\delta$ with leading coefficient $2(k/h-3) < 0$: not a minimum.
# One feature alone cannot share, because the capacities of those that do add up to a whole number.
# Which features are whole follows from rearrangement, as the loss depends on $v$ through $\sum v_in_i$ alone.
#
# Above it, the interference is $2(F-\sum n_i^2)$, so that on a plane $\sum n_i = $ const the loss over $h$ is $(k/h-3)\sum n_i^2 + 2F(n)$ and something linear.
# $F$ is convex, as a minimum over $C$ of the jointly convex $\sum n_i^2/C_i$, and the first factor is positive: the loss is convex in $n$ there.
# The derivative of the last term is the same for all features, which shifts all importances alike; $s$ is the root of an increasing function, hence unique.
# The steps that this leaves out are folded below. ∎
#
# :::{admonition} The rest of the proof
# :class: dropdown
# Write $\kappa=k/h$ and $\gamma=1-1/h$. Up to a constant $J(n)=(\kappa-3)\sum n_i^2+2F(n)-2(\kappa-1)\sum v_in_i+\gamma(\sum n_i-\sum v_i)^2$ is to be minimized over $n\ge0$.
#
# **The shift.**
# On a plane $\sum n_i=\text{const}$ the minimum has one multiplier for all features: it is the allocation of independent features of kurtosis $\kappa$ with importances $v_i+s$, and features with $v_i+s\le0$ are left out.
# Setting the derivative along the sum to zero gives $(\kappa-1)s+\gamma\,(\sum_in_i(s)-\sum_iv_i)=0$.
# As $s$ rises, a whole feature adds 1 to the slope of $\sum n_i$, and $m$ features that share a capacity $c$ add $m\frac{(\kappa-1)c}{(\kappa-3)c+2m}\le m$, because $c\le m$; so the slope is at most $N$.
# The covariance of the squares has the eigenvalue $\operatorname{Var}(\sum x_i^2)/N=h(\kappa-1+\gamma N)\ge0$.
# For $\gamma\ge0$ the left side rises anyway; for $\gamma<0$ its slope is at least $\kappa-1+\gamma N\ge0$, and more than that for $D<N$, where the slope of the sum is below $N$.
# So there is one root, the only stationary point, and it is the minimum.
#
# **No dimension stays empty below the border.**
# There the whole features are as long as $v_i+s$.
# An ignored one would enter as soon as $v_j+s>0$, and where $s$ is negative, $-s$ is less than the mean importance of the ignored ones by the same inequality.
#
# **Equal features.**
# For $N$ equal importances 1, with $a=\kappa-1+\gamma N$, sharing evenly loses $2N(N-D)\,a/(Da+2(N-D))$ and $D$ whole features lose $(\kappa-1)(N-D)\,a/(\kappa-1+\gamma D)$, fewer whole ones more.
# Multiply out: the first is less exactly if $(\kappa-3)\,a>0$. ∎
# :::
#
# *Measured* over the diagram of {numref}`fig-ext2-diagram`: how often the minimized loss is that of the theorem, to a part in $10^9$, and how often it is above or below.

# %%
off = (found.loss - theory.loss) / (1 + np.abs(theory.loss))
counts = {"the same": np.abs(off) < 1e-9, "above": off >= 1e-9, "below": off <= -1e-9}
pd.Series({name: cells.sum() for name, cells in counts.items()})

# %% [markdown]
# Where it ends above, every start got stuck in a local minimum, below the border mostly with a wrong choice of whole features; more starts leave fewer of them.

# %% tags=["hide-input"]
both = theory.capacity, found.capacity
sharers = [((C > 1e-4) & (C < 1 - 1e-4)).sum(axis=-1) for C in both]
clear = (np.abs(off) < 1e-9) & theory.unique & (np.abs(k / h - 3) > 1e-6)
run.check("ext2-border-never-below", off)
run.check("ext2-border-attained", (np.abs(off) < 1e-9).mean())
run.check("ext2-border-sharers", (sharers[0] != sharers[1])[clear].sum())

pairs_h = np.repeat(np.linspace(0.8, 4, 9), 2)
beside = pairs_h * np.tile([2.85, 3.15], 9)
fourth = pairs_h[:, None, None] * (1 - eye) + beside[:, None, None] * eye
near = fc.Moments(np.ones((18, n_features)), fourth)
equal = fc.minimize_moments(
    np.ones(n_features), near, n_dims, n_starts=n_starts, seed=seed, device=device
)
share = ((equal.capacity > 1e-4) & (equal.capacity < 1 - 1e-4)).sum(-1)
expected = np.tile([0, n_features], 9)
run.check("ext2-border-equal", (share != expected).sum())

border = np.linspace(0.8, 4, 9)
fourth = fc.sharing_threshold(border)[:, None, None] * eye + border[:, None, None] * (1 - eye)
at_border = fc.Moments(np.ones((9, n_features)), fourth)
shared = fc.embedding_from_capacities(np.full(n_features, n_dims / n_features))
lowest = []
for unit in (shared, np.eye(n_dims, n_features)):  # a parabola in the squared length
    losses = [fc.loss_from_moments(unit * s**0.5, np.ones(n_features), at_border) for s in range(3)]
    a, b, c = np.polyfit(range(3), losses, 2)
    lowest.append(c - b**2 / (4 * a))
run.check("ext2-border-place", *lowest)

slopes = []
for C, n, own in zip(theory.capacity, theory.sq_norm, moments.fourth, strict=True):
    best = fc.embedding_from_capacities(C, n_dims) * np.sqrt(n / np.where(C > 0, C, 1))
    here = fc.Moments(np.ones(n_features), own)
    slopes.append(np.abs(fc.gradient_from_moments(best, importance, here)).max())
run.check("ext2-border-stationary", max(slopes))
run.badge()

# %% [markdown]
# ### Where k and h come from
#
# A feature that is on with probability $P$ has $k = \kappa/P$, where $\kappa$ is the kurtosis of its values when it is on.
# Being rare *together* raises $h$ as well.

# %%
kinds = {
    "independent, on 5 % of the time": fc.independent_moments(3 / 0.05, 2),
    "in a group, always with it (5 %)": fc.grouped_inputs(1, 2, 0.05, 1.0, 3.0),
    "in a group (10 %), half of the time": fc.grouped_inputs(1, 2, 0.1, 0.5, 3.0),
    "2 of 40": fc.fixed_number_inputs(40, 2, kurtosis=3.0),
    "1 of 20": fc.fixed_number_inputs(20, 1, kurtosis=3.0),
}
table = pd.DataFrame(
    {name: (float(x.fourth[0, 0]), float(x.fourth[0, 1])) for name, x in kinds.items()},
    index=["k", "h"],
).T
table.assign(ratio=table.k / table.h).round(2)

# %% tags=["hide-input"]
brute_k, brute_h = weight @ x[:, 0] ** 4, weight @ (x[:, 0] * x[:, 1]) ** 2
run.check("ext2-group-ratio", brute_k / brute_h, 1 / p)
run.badge()

# %% [markdown]
# All of these are on 5 % of the time.
# Features that only come as a group share no more than dense ones: what counts is how often a feature is on *given* that its group is.
#
# ### Pairs that are not alike
#
# With several groups there is one $h$ inside and another across.
#
# **Theorem.** Two features that depend on all others alike, $h_{il}=h_{jl}$, are orthogonal in every optimum if $(k_i+k_j)/2 < 3h_{ij}$.
#
# *Proof.* Mix the two columns of $W$ by a rotation.
# Interference with others stays, and $d = (n_i-n_j)/2$ and $c = w_i\cdot w_j$ run over a circle $d^2+c^2=r^2$.
# The loss is $(k_i+k_j-2h_{ij})\,d^2 + 4h_{ij}c^2$ and terms that are linear in $d$ or constant, so that the coefficient of $d^2$ is $k_i+k_j-6h_{ij}<0$: concave, with its minimum at an end of $[-r,r]$, where $c=0$. ∎
#
# So below the border inside, a direction is shared by members of different groups only.
# When do they begin to?
# Beside a set $S$ of whole features, as many as dimensions, an ignored one stays out as long as
#
# $$ (Gm)_j + 2\min_{a\in S} h_{ja}\,n_a > 0 , $$
#
# where whole lengths are the best ones (*proved* below).
# That settles whether whole features are a minimum among their neighbors, and not whether it is the lowest: for general $h$ the border is known from one side only.
#
# :::{admonition} Proof
# :class: dropdown
# The features of $S$ are orthogonal, the others 0, and the lengths are best: $G_{SS}m_S=G_{SI}v_I$ for the ignored ones $I$, with all lengths positive and $G_{SS}$ positive definite; no two of $S$ exclude each other.
# An ignored vector $w_j=\varepsilon u$ adds $\varepsilon^2$ to $m_j$ and makes the squared products $\varepsilon^2n_au_a^2$.
# To this order the loss changes by $2\varepsilon^2\big[(Gm)_j+2\sum_ah_{ja}n_au_a^2\big]$.
# $S$ has as many members as there are dimensions, so that $\sum_au_a^2=1$, and the bracket is least along the $a$ with the least $h_{ja}n_a$.
# Changes of the vectors of $S$ do not mix with it at this order: their first derivatives vanish at the best lengths, and a product of both changes is first met in third order.
# Among themselves the vectors of $S$ are at a minimum: squared errors are least, and interference is 0.
# So the loss rises in every direction but rotations if the expression is positive for every ignored feature, and falls in one if it is negative for some. ∎
# :::

# %%
same = np.kron(np.eye(2), np.ones((3, 3))) > 0
cases = [(r * inside, inside, out) for inside, out, r in
         itertools.product((1.5, 3.0), (0.9, 1.1), (1.3, 2.1, 2.9))]  # fmt: skip
fourth = np.array([np.where(same, inside, out) for _, inside, out in cases])
fourth[:, range(6), range(6)] = [[case[0]] * 6 for case in cases]
groups = fc.Moments(np.ones((len(cases), 6)), fourth)
six = np.linspace(1, 0.9, 6)
best = fc.minimize_moments(six, groups, 3, 20, seed=seed, device=device)
gram = np.abs(best.W.mT @ best.W)
inner = pd.DataFrame(cases, columns=["k", "h inside", "h across"])
inner["largest inside"] = (gram * (same & ~np.eye(6, dtype=bool))).max(axis=(1, 2))
inner["largest across"] = (gram * ~same).max(axis=(1, 2))
inner.round(3)

# %% [markdown]
# Largest inner products of two members of one group, and of two of different ones, in the minimized optima.

# %% tags=["hide-input"]
run.check("ext2-twins", inner["largest inside"].max())
margins, changes = [], []
for moments in (fc.Moments(np.ones(6), each) for each in fourth):
    margins.append(2 * fc.entry_margin(np.ones(6), moments, [0, 1, 3])[[2, 4, 5]])
    G, inside = moments.fourth - 1, np.array([0, 1, 3])
    ignored = np.array([2, 4, 5])
    own, rest = G[np.ix_(inside, inside)], G[np.ix_(inside, ignored)]
    m = np.linalg.solve(own, rest.sum(axis=1))
    base = np.zeros((3, 6))
    base[range(3), inside] = np.sqrt(1 + m)
    start = fc.loss_from_moments(base, np.ones(6), moments)
    small = np.repeat(base[None], 9, axis=0).reshape(3, 3, 3, 6)
    for at, j in enumerate(ignored):
        small[at, :, :, j] = 1e-4 * np.eye(3)
    change = fc.loss_from_moments(small, np.ones(6), moments) - start
    changes.append(change.min(axis=1) / 1e-8)
run.check("ext2-entry", changes, margins)
run.badge()

# %% [markdown]
# ## Correlated Gaussians
#
# For Gaussian inputs of covariance $\Sigma$ the optimum is known for any correlations.
#
# **Theorem.** With the first $D$ eigenvectors $Q_D$ of $V^{1/2}\Sigma V^{1/2}$, an optimum is $W = Q_D^TV^{1/2}$.
#
# *Proof.* The loss is $2\operatorname{tr}(\Sigma M\Sigma M) = 2\|B - P\|_F^2$ with $X = \Sigma^{1/2}V^{1/2}$, $P = XX^T$ and $B = \Sigma^{1/2}W^TW\Sigma^{1/2}$ of rank at most $D$; the best such $B$ keeps the largest eigenvalues (Eckart and Young), and $X = U\sqrt\mu\,Q^T$ gives it. ∎
#
# Principal components of the inputs, each scaled by the root of its importance: no more, no less.
# Kurtosis is 3 here, and yet features share: capacities are 0 or 1 only where the first components lie along features.

# %% mystnb={"figure": {"caption": "Four Gaussian features of importances 1, 0.9, 0.8, 0.7 in two dimensions, correlated in two pairs. Lines: closed form. Dots: minimized. At small correlations the first two components are features 1 and 2, which are whole, as the paper's rule for k = 3 says; then one component belongs to each pair, and all four share.", "name": "fig-ext2-gaussians"}, "image": {"alt": "Four curves against the correlation from 0 to 1. Up to a correlation of about 0.1 two capacities are one and two are zero; there all four jump to fractions, which move toward one half as the correlation grows. Dots lie on the curves."}} tags=["hide-input"]
v = np.array([1.0, 0.9, 0.8, 0.7])
pairs = np.kron(np.eye(2), np.array([[0.0, 1], [1, 0]]))
correlation = np.linspace(0, 1, 101)
covariances = np.eye(4) + correlation[:, None, None] * pairs
exact = [fc.gaussian_embedding(S, v, 2).capacity for S in covariances]
some = correlation[5:100:15]
numbers, losses = [], []
for r in some:
    S = np.eye(4) + r * pairs
    T = sum(np.einsum(f"{pair}->ijkl", S, S) for pair in ("ij,kl", "ik,jl", "il,jk"))
    full = fc.FullMoments(S, T)
    best = fc.minimize_moments(v, full, 2, n_starts=20, seed=seed, device=device)
    numbers.append(best.capacity)
    losses.append((float(best.loss), float(fc.gaussian_embedding(S, v, 2).loss)))
figures.capacity_by_correlation(correlation, np.array(exact), (some, np.array(numbers)))

# %% tags=["hide-input"]
minimized, closed = np.array(losses).T
run.check("ext2-gaussians", minimized, closed)
middle = np.array(numbers)[(some >= 0.2) & (some <= 0.8)]
run.check("ext2-gaussians-share", np.minimum(middle, 1 - middle).min())
run.badge()

# %% [markdown]
# A Gaussian times a random size that all features have in common is elliptical, of kurtosis $3h$.
# It shares the same way: the optimum has the same directions, and the $i$-th component is longer by the factor $\sqrt{1+t/\mu_i}$, with $t = (h-1)R/(2h+(h-1)D)$ and $R$ the sum of the eigenvalues that are left out (*proved* below).
#
# :::{admonition} Proof
# :class: dropdown
# Every fourth moment is $h$ times that of the Gaussian, so that the loss is $2h\|B-P\|_F^2+(h-1)(\operatorname{tr}B-\operatorname{tr}P)^2$ with the $B$ and $P$ of the last theorem.
# The second term depends on the eigenvalues $\beta_i$ of $B$ alone.
# By Hoffman and Wielandt $\|B-P\|_F^2\ge\sum_i(\beta_i-\mu_i)^2$ with both in descending order, with equality if $B$ has the eigenvectors of $P$ in this order.
# What remains is convex in $\beta_1,\dots,\beta_D\ge0$, the others being 0.
# Setting its derivatives to zero, $2h(\beta_i-\mu_i)+(h-1)(\sum_l\beta_l-\sum_l\mu_l)=0$, gives $\beta_i-\mu_i=t$ for all $i\le D$ with $2ht=(h-1)(R-Dt)$.
# It is not negative, because $h\ge1$: the mean of a square is at least the square of the mean. ∎
# :::
#
# At a correlation of one half and $h = 3$, these are its capacities.

# %%
S = np.eye(4) + 0.5 * pairs
stated = {h: fc.gaussian_embedding(S, v, 2, kurtosis=3 * h) for h in (1.5, 3.0)}
stated[3.0].capacity.round(3)

# %% tags=["hide-input"]
T = sum(np.einsum(f"{pair}->ijkl", S, S) for pair in ("ij,kl", "ik,jl", "il,jk"))
lowest = {}
for h in stated:
    full = fc.FullMoments(S, h * T)
    lowest[h] = fc.minimize_moments(v, full, 2, n_starts=20, seed=seed, device=device).loss
run.check("ext2-elliptical", list(lowest.values()), [best.loss for best in stated.values()])
run.badge()

# %% [markdown]
# ## Exclusion is free
#
# Features that are never on at the same time have $h_{ij} = 0$, and do not interfere.
# A loss of 0 only asks that features which *do* meet are orthogonal.
# Draw a line between any two that meet; the least number of dimensions lies between Lovász's $\vartheta$ of the complementary graph, which joins those that never meet, and the number of colors of the graph itself, because features of one color can have one direction.
#
# *Proof of the lower bound.*
# $\vartheta$ is the greatest $\sum_{ij}X_{ij}$ of positive semidefinite $X$ with trace 1 and $X_{ij}=0$ for features that never meet.
# Write $X_{ij} = y_i\cdot y_j$, let $u_i\in\mathbb R^D$ be unit vectors, orthogonal for features that meet, and put $T = \sum_i y_i\otimes u_iu_i^T$.
# Then $\|T\|^2 = \sum_{ij}X_{ij}(u_i\cdot u_j)^2 = \sum_i X_{ii} = 1$.
# Contracting $T$ with the identity of $\mathbb R^D$, whose norm is $\sqrt D$, gives $\sum_i y_i$, so that $\sum_{ij}X_{ij} = \|\sum_i y_i\|^2 \le D$. ∎

# %%
ring = np.roll(np.eye(7), 1, axis=0)
tree = fc.tree_inputs([-1, 0, 0, 1, 1, 2, 2], [0.9, *[0.45] * 6], exclusive=True)
graphs = {
    "seven that all meet": np.ones((7, 7)),
    "a ring of seven, neighbors meet": ring + ring.T,
    "a ring of seven, neighbors exclude each other": 1 - ring - ring.T,
    "a tree of seven, branches exclude each other": tree.coactivation,
    "one of seven": fc.fixed_number_inputs(7, 1).coactivation,
}
least = {name: fc.least_dims(graph) for name, graph in graphs.items()}
pd.DataFrame(
    {name: (x.theta[0], x.at_least, x.at_most) for name, x in least.items()},
    index=["theta", "at least", "at most"],
).T.round(2)

# %% tags=["hide-input"]
on = np.array(list(itertools.product((0, 1), repeat=7)))
parent = [-1, 0, 0, 1, 1, 2, 2]
allowed = np.all([on[:, i] <= on[:, p] for i, p in enumerate(parent) if p >= 0], axis=0)
allowed &= ~np.any([on[:, a] & on[:, b] for a, b in ((1, 2), (3, 4), (5, 6))], axis=0)
inputs = on[allowed] * np.random.default_rng(seed).standard_normal((allowed.sum(), 7))
packed = fc.exclusive_embedding(tree.coactivation, np.ones(7))
assert packed.shape[0] == 3
error = ((inputs @ packed.T) ** 2).sum(axis=1) - (inputs**2).sum(axis=1)
run.check("ext2-exclusion-free", np.abs(error).max())

# Lovász 1979: a ring of odd length; the thetas of a graph and its complement multiply
# to the number of features.
ring_theta = 7 * np.cos(np.pi / 7) / (1 + np.cos(np.pi / 7))
slack = []
for name, theta in zip(list(graphs)[1:3], (7 / ring_theta, ring_theta), strict=True):
    low, high = least[name].theta
    slack += [theta - low, high - theta]
run.check("ext2-theta", slack)
run.badge()

# %% [markdown]
# ## Capacity that counts meetings
#
# The tree of seven features fits into three dimensions without loss, yet equation (3) sees seven crowded vectors.
# A capacity for dependent features charges for interference that happens:
#
# $$ C^h_i = \frac{\|w_i\|^4}{\|w_i\|^4 + \sum_{j\ne i}h_{ij}(w_i\cdot w_j)^2} . $$

# %% mystnb={"figure": {"caption": "Equation (3) and the weighted capacity. a: the tree in three dimensions: nobody pays. b: independent features, where both are the same. c: six features of one group, which meet more often than by chance and pay more.", "name": "fig-ext2-capacities"}, "image": {"alt": "Three bar charts. Left: gray bars of one or a fraction, all blue bars one. Middle: gray and blue bars equal. Right: blue bars lower than the gray ones."}} tags=["hide-input"]
frame = fc.embedding_from_capacities(np.full(6, 0.5))
cases = {
    "a tree": (fc.exclusive_embedding(tree.coactivation, np.ones(7)), tree),
    "independent": (frame, fc.independent_moments(9.0, 6)),
    "a group": (frame, fc.grouped_inputs(1, 6, 0.3, 0.8)),
}
plain = [fc.capacities(W) for W, _ in cases.values()]
weighted = [fc.weighted_capacities(W, x.coactivation) for W, x in cases.values()]
figures.two_capacities(plain, weighted, list(cases))

# %% [markdown]
# With it the second term of the loss is $2\sum_i n_i^2(1/C^h_i-1)$ again, and a bit of capacity is worth $2n_i^2/C_i^2$ again (equation 14).
# The sum is at most $D$ where every pair has $h_{ij}\ge1$; with less it can exceed $D$, up to the number of features: for one $h \le 1$ the bound is $ND/(D+h(N-D))$, which tight frames attain.
# One thing is lost: at the best lengths the loss is no longer a sum of one term a feature, unless the squares are uncorrelated, because $G$ couples the lengths.
# Theorem P1 still holds for one $h$, and fails for general ones: if all exclude each other, only capacities 0 and 1 occur.
#
# :::{admonition} Proofs
# :class: dropdown
# **Terms.** From the definition, $\sum_{j\ne i}h_{ij}(w_i\cdot w_j)^2=n_i^2(1/C^h_i-1)$.
#
# **Sum, where every $h_{ij}\ge1$.** Then $C^h_i\le C_i$, whose sum is at most $D$.
# More generally, part the features into sets inside which $h_{ij}\ge1$.
# Leaving out of a denominator all but the feature's own set makes no capacity smaller, and inside a set the sum is at most $D$; so it is at most $D$ times the least number of such sets.
#
# **Sum, where every $h_{ij}\ge h$ with $h\le1$.** $C^h_i\le C_i/(C_i+h(1-C_i))$, which rises and is concave in $C_i$.
# By Jensen's inequality the sum is at most $N$ times its value at $C_i=D/N$, which is $ND/(D+h(N-D))$.
# A tight frame of equal lengths has these $C_i$, and where all pairs have this $h$ both inequalities are equalities.
#
# **Price.** For given capacities let $E=\operatorname{diag}(2/C^h_i-2)$. At the best lengths
# $\mathcal L^*=\min_n\,(n-v)^TG(n-v)+n^TEn=v^TG(G+E)^{-1}Ev$ with $n=(G+E)^{-1}Gv$.
# By the envelope theorem $\partial\mathcal L^*/\partial E_i=n_i^2$, hence $-\partial\mathcal L^*/\partial C^h_i=2n_i^2/(C^h_i)^2$.
#
# **No sum.** Differentiate once more: $\partial^2\mathcal L^*/\partial E_i\partial E_j=-2n_in_j[(G+E)^{-1}]_{ij}$.
# If the loss were a sum of terms of one capacity each, it would be 0 for all $E$.
# For large $E$ it is $2n_in_jG_{ij}/(E_iE_j)$ to leading order, with $n_i\approx(Gv)_i/E_i$; so $G_{ij}$ must be 0 wherever neither $(Gv)_i$ nor $(Gv)_j$ is.
#
# **Theorems 1 and 2.** If all pairs have one $h$, $C_i=hC^h_i/(1+(h-1)C^h_i)$: each capacity determines the other.
# So there is a matrix with given $C^h_i$ exactly if Theorem P1 has one for these $C_i$, and Theorem P2, which is about equation (3), speaks of the same matrices.
# If all exclude each other, the denominator is $\|w_i\|^4$, and a capacity is 1 or, for a vector of length 0, 0. ∎
# :::

# %% tags=["hide-input"]
squares = x**2
G = (weight * squares.T) @ squares - 1
m = (W**2).sum(axis=0) - 1
C = fc.weighted_capacities(W, grouped.coactivation)
crowd = 2 * (m + 1) ** 2 * (1 / C - 1)
run.check("ext2-weighted-interference", m @ G @ m + crowd.sum(), brute)

random = np.random.default_rng(seed).standard_normal((200, 3, 6))
slack, attained = [], []
for one_h in (0.1, 0.5, 1.0):
    most = fc.weighted_capacity_bound(6, 3, one_h)
    slack.append(most - fc.weighted_capacities(random, one_h).sum(axis=-1))
    attained.append((fc.weighted_capacities(frame, one_h).sum(), 18 / (3 + 3 * one_h)))
run.check("ext2-weighted-sum-bound", np.array(slack))
run.check("ext2-weighted-sum-attained", *np.array(attained).T)

C, step = np.array([0.4, 0.5, 0.6, 0.7]), 1e-4
up, down = (
    [fc.loss_at_weighted_capacities(C + move, np.ones(4), grouped)[0] for move in moves]
    for moves in (step * np.eye(4), -step * np.eye(4))
)
lengths = fc.loss_at_weighted_capacities(C, np.ones(4), grouped)[1]
slope = np.subtract(down, up) / (2 * step)
run.check("ext2-weighted-price", slope, 2 * lengths**2 / C**2)
kinds = {"dependent": grouped, "independent": fc.independent_moments(9.0, 4)}
moves = np.array(list(itertools.product((0, 0.1), (0, 0.1), (0,), (0,))))
for name, inputs in kinds.items():
    at = [
        fc.loss_at_weighted_capacities(C + move, np.ones(4), inputs)[0] for move in moves
    ]
    run.check(f"ext2-no-sum-{name}", abs(at[0] - at[1] - at[2] + at[3]) / at[0])
run.badge()

# %% [markdown]
# ## Does a ReLU autoencoder do the same?
#
# The autoencoder of section 3.7, $\hat x = \operatorname{ReLU}(W^TWx + b)$ with inputs uniform on $[0,1]$, has a loss of its own.
# Let its features come as a group that is on with probability $q$, each of them then with probability $p$.
#
# **One thing is the same, exactly.** *As long as no bias is above 0, the group's probability is a mere factor of the loss.*
# (*Proof:* where the group is off the output is $\operatorname{ReLU}(b)$, and $\mathcal L_{q,p} = q\,\mathcal L_{1,p} + (1-q)\sum_i v_i\max(b_i,0)^2$.)
# So here, too, sparsity of the group as a whole does not help: what counts is $p$, which in the theory is $k/h = 1.8/p$, with the border at $p = 0.6$.
#
# To see it, keep every feature on 5 % of the time, $qp = 0.05$, and let more and more of the sparsity be that of the group.

# %% mystnb={"figure": {"caption": "Features that are all on 5 % of the time, alone (left) or ever more as a group (right). a: the theorem, with k = 1.8/0.05 and h = p/0.05. b: the ReLU autoencoder, minimized. A dot a feature. Dotted: the border k = 3h.", "name": "fig-ext2-autoencoder"}, "image": {"alt": "Two panels of capacity against the probability of a feature given its group. Left: fractions up to 0.6, beyond it only ones and zeros. Right: one half up to 0.5, then some between 0.6 and 0.95 and some near 0.15."}} tags=["hide-input"]
given = np.array([0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.55, 0.65, 0.7, 0.8, 0.9, 1.0])
by_theory = fc.allocate_dependent(
    importance, n_dims, np.full((12, 1), 1.8 / 0.05), given[:, None] / 0.05
)
autoencoder = fc.ToyModel("autoencoder", "relu", n_features, n_dims)
trained = []
for p_given in given:
    values = fc.UnitSparseUniform(float(p_given))
    stages = [
        grouped_quadrature(sparse_quadrature(values, n_features, n), 0.05 / p_given)
        for n in (512, 2048)
    ]
    trained.append(
        fc.minimize(
            autoencoder,
            values,
            importance[None],
            n_starts,
            seed,
            quadrature=stages,
            device=device,
        )
    )
by_autoencoder = np.concatenate([result.capacity for result in trained])
figures.group_capacities(given, [by_theory.capacity, by_autoencoder], 0.6)

# %% [markdown]
# *Measured* for one group of the page's features in the page's dimensions, importances 1 to 0.9, every feature on 5 % of the time:
# the theory is right about where the even sharing at ½ ends: where features of a group are no longer sparse *inside* it.
# It is wrong about what comes then: no feature becomes whole, and none is ignored.
# The autoencoder's inputs are correlated, which those of the theory are not, and beyond the border its directions are mixtures, as those of the Gaussians above.
#
# **One thing is different, exactly.**
# Features that exclude each other cost the quadratic model one dimension, however many they are.
# *In the autoencoder $N$ of them take $N/2$ dimensions, rounded up.*
# (*Proof:* the output of a feature that is on must be its value, whatever that is, hence $\|w_i\| = 1$ and $b_i = 0$; that of the others must be 0, hence $w_i\cdot w_j\le0$.
# At most $2D$ vectors in $D$ dimensions have no positive inner product, and $\pm e_1, \dots, \pm e_D$ have none.)
# The quadratic model adds up; the autoencoder must tell its features apart.

# %%
one_of_five = exclusive_quadrature(fc.UnitSparseUniform(1.0), 5)
lost = {}
for d in (1, 2, 3):
    model = fc.ToyModel("autoencoder", "relu", 5, d)
    least = fc.minimize(
        model,
        fc.UnitSparseUniform(1.0),
        np.ones((1, 5)),
        n_starts=20,
        seed=seed,
        quadrature=one_of_five,
        dtype="float64",
        tolerance=1e-9,
        max_iterations=400,
        device=device,
    )
    lost[d] = least.loss[0] / (1 / 3)
one_of = fc.fixed_number_inputs(5, 1)
quadratic = float(fc.loss_from_moments(np.ones((1, 5)), np.ones(5), one_of))
pd.Series(lost, name="loss over that of an output of 0").rename_axis("dimensions")

# %% tags=["hide-input"]
W = np.random.default_rng(seed).standard_normal((2, 4))
bias = -np.random.default_rng(seed).random(4)
alone = sparse_quadrature(fc.UnitSparseUniform(0.3), 4, 512)
loss = []
for rule in (grouped_quadrature(alone, 0.1), alone):
    answer = np.maximum(rule.x @ W.T @ W + bias, 0)
    loss.append(rule.weight @ ((answer - rule.x) ** 2).sum(axis=1))
run.check("ext2-gate", loss[0], 0.1 * loss[1])
run.check("ext2-exclusive-autoencoder-too-few", min(lost[1], lost[2]))
run.check("ext2-exclusive-autoencoder-enough", lost[3])
run.check("ext2-exclusive-autoencoder-quadratic", quadratic)
run.badge()

# %% [markdown]
# ## Try it
#
# **Four features on a line.** With four features in one dimension, is the border the same?
#
# ```sh
# papermill notebooks/ext2_dependent_features.ipynb out.ipynb --cwd notebooks -p n_features 4 -p n_dims 1
# ```
#
# :::{admonition} Answer
# :class: dropdown
# Yes.
# Features of different importance begin to share a little above it, as at $k = 3$ in the paper.
# :::
#
# **Rare, or rare together?** In one data set features are on 1 % of the time, each by itself.
# In another all of them are on together, 1 % of the time.
# Values are uniform. In which do they share?
#
# :::{admonition} Answer
# :class: dropdown
# In both $k = 1.8/0.01 = 180$.
# By themselves $h = 1$, far below $k/3$, and they share.
# Together $h = 1/0.01 = 100$, and $k/h = 1.8$, what a feature has that is always on: they do not.
# For the loss the second data set is a dense one that is mostly switched off.
# :::
#
# **Dense, and yet sharing.** Can features share whose kurtosis is below 3?
# How low may it be for $N$ features?
#
# :::{admonition} Answer
# :class: dropdown
# If they avoid each other: $k > 3h$ takes $h < 1$.
# But the variance of $\sum x_i^2$ must not be negative, which is $k + (N-1)h \ge N$; with $h < k/3$ that is $k > 3N/(N+2)$.
# At the bound the inputs lie evenly on a sphere, where the sum of squares is constant.
# Six features of $k = 2.6$ and $h = 0.7$ in three dimensions have capacity ½ each.
# :::
#
# **One dimension fewer.** With two dimensions instead of three, what changes above the border?
#
# ```sh
# papermill notebooks/ext2_dependent_features.ipynb out.ipynb --cwd notebooks -p n_dims 2
# ```
#
# :::{admonition} Answer
# :class: dropdown
# The border stays where it is, but all six features share only further above it: at $h=1$ from $k=3.33$ on, where it was 3.22.
# :::
#
# ## What we saw
#
# - Where all pairs depend alike, no features share below $k = 3h$, and equal ones do above it: sparsity counts only as far as it is not shared.
# - Correlated Gaussians can share at $k = 3$; their optimum is a principal component analysis of the weighted inputs.
# - Features that exclude each other share a direction for free, and a capacity that counts meetings says so.
# - In a ReLU autoencoder two exclusive features fit into a dimension, and no more.
