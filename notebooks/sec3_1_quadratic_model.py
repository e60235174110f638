# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# (sec3-1-quadratic-model)=
# # The quadratic model
#
# **Paper:** sections 3.1–3.4, with what is needed of Appendices A–C {cite}`scherlis2022`.
# **Claims checked here:** {glue:text}`sec3-1-claims`.
# **Run time:** well under a minute.
#
# :::{admonition} In one minute
# :class: tip
# A small network is asked for a weighted sum of squared features, but it has fewer neurons than features.
# Its activation is a square, and then everything can be worked out by hand.
# The expected loss has two parts: features whose weight is *missed*, and pairs of features between which the model sees a connection that is not there, {term}`hallucinated <hallucinated correlation>`.
# Only one number of the input distribution matters, its fourth moment $k$.
# Written in capacities, the loss falls apart into one term for each feature, so capacity behaves like money: give it where the next bit buys most.
# For $k > 3$ each bit buys less than the one before, and features share dimensions.
# For $k \le 3$ it does not, and the most important features take whole dimensions.
# :::

# %% tags=["parameters"] quick={"n_samples": 20000}
n_features: int = 6  # features N in the data [6 .. 10]
n_dims: int = 3  # neurons D, always fewer than features [1 .. 5]
kurtosis: float = 9.0  # fourth moment k of a feature [1.8 .. 60]
importance_ratio: float = 0.8  # importance of each feature over the one before it [0.5 .. 1]
n_samples: int = 400000  # sampled inputs per distribution [10000 .. 2000000]
seed: int = 0  # of everything random on this page [0 .. 1000000]
device: str = "auto"  # where the numerical minimization runs {auto, cpu, cuda, mps}

# %% tags=["hide-input"]
from fractions import Fraction
from itertools import combinations, product

import numpy as np
import pandas as pd
import torch
from myst_nb import glue
from scipy.optimize import brentq, minimize

import feature_capacity as fc
from feature_capacity.book.claims.checks import open_page
from feature_capacity.explorers import capacity_explorer
from feature_capacity.explorers.minimization import minimization_explorer
from feature_capacity.figures import sec3_1_quadratic_model as figures
from feature_capacity.solvers.newton import minimize_quadratic
from feature_capacity.models.device import pick_device

run = open_page(
    "sec3_1_quadratic_model",
    n_features=n_features,
    n_dims=n_dims,
    kurtosis=kurtosis,
    importance_ratio=importance_ratio,
    n_samples=n_samples,
    seed=seed,
    device=device,
)
print("computed on:", pick_device(device))
glue("sec3-1-claims", len(run.claims), display=False)

# %% [markdown]
# ## The model
#
# The inputs $x_1,\dots,x_N$ are independent features with mean 0 and variance 1.
# The target is a single number, a weighted sum of their squares (the paper's equation 9):
#
# $$ y = \sum_i v_i x_i^2 . $$ (eq-paper-9)
#
# The weight $v_i \ge 0$ says how much feature $i$ counts, and is called its {term}`importance`.
# The model has $D$ neurons.
# Neuron $a$ reads the input through row $a$ of a $D \times N$ matrix $W$ and squares what it reads; the output is the sum over neurons, plus a bias (equation 10 of the paper):
#
# $$ \tilde y = \sum_{a=1}^{D} \Big(\sum_{j} W_{aj}\, x_j\Big)^2 + b . $$ (eq-paper-10)
#
# The loss is the squared error (equation 11):
#
# $$ L(x) = \big(\tilde y(x) - y(x)\big)^2 . $$ (eq-paper-11)
#
# Column $i$ of $W$ is the embedding vector $w_i$ of feature $i$.
# This is computation, not compression: the network never has to give the features back, only a function of them.
#
# Target and model are both quadratic forms in $x$.
# Subtract them, and the error is again a quadratic form, with the matrix $A = W^\mathsf{T}W - \operatorname{diag}(v)$ (which the paper's appendix calls $D$):
#
# $$ \tilde y - y = x^\mathsf{T} A\, x + b . $$ (eq-sec3-1-form)

# %%
rng = np.random.default_rng(seed)
importance = importance_ratio ** np.arange(n_features)
W = rng.standard_normal((n_dims, n_features)) / np.sqrt(n_dims)
bias = 0.3
x = rng.standard_normal((5, n_features))
y = (importance * x**2).sum(axis=1)
y_model = ((x @ W.T) ** 2).sum(axis=1) + bias
A = W.T @ W - np.diag(importance)

full = np.random.default_rng([seed, 4]).standard_normal((n_features, n_features))
v, axes = np.linalg.eigh(full + full.T)

# %% [markdown]
# The last check is the paper's footnote 4: a target with any symmetric matrix in place of $\operatorname{diag}(v)$ is the same model, seen along the principal axes of that matrix.
#
# A perfect model would need $W^\mathsf{T}W = \operatorname{diag}(v)$.
# If no importance is zero, the right side has rank $N$; the left side has at most $D$.
# With fewer neurons than features something has to give, and the question is what.

# %% tags=["hide-input"]
run.check("eq11-quadratic-form", y_model - y, np.einsum("si,ij,sj->s", x, A, x) + bias)
run.check("footnote4-principal-axes", np.einsum("si,ij,sj->s", x, full + full.T, x), (x @ axes) ** 2 @ v)
run.check("sec3-1-rank-deficit", n_features - np.linalg.matrix_rank(W.T @ W))
run.badge()

# %% [markdown]
# ## The expected loss
#
# Square {eq}`eq-sec3-1-form` and average.
# The result contains $\mathbb{E}[x_i x_j x_k x_l]$ for all quadruples of indices, and independence makes nearly all of them vanish.
# Whenever an index occurs exactly once, its factor $\mathbb{E}[x_i] = 0$ kills the term.
# So each index must occur at least twice, which leaves two patterns:
#
# * **all four equal.** Then the moment is $\mathbb{E}[x_i^4]$; call it $k$. These terms add up to $k \sum_i A_{ii}^2$.
# * **two pairs** (the paper's partition $2|2$). Then the moment is $1 \cdot 1$. The four positions can be paired in three ways: $A_{ii}A_{jj}$ once, and $A_{ij}^2$ twice because $A$ is symmetric. These terms add up to $\sum_{i\ne j} A_{ii}A_{jj} + 2\sum_{i \ne j} A_{ij}^2.$
#
# The bias brings in $\mathbb{E}[x_i x_j] = \delta_{ij}$, hence $2b\sum_i A_{ii} + b^2$.
# Borrow one $\sum_i A_{ii}^2$ from the first pattern to complete the square in the second:
#
# $$ \mathbb{E}[L] = (k-1)\sum_i A_{ii}^2 + 2\sum_{i\ne j} A_{ij}^2 + \Big(b + \sum_i A_{ii}\Big)^2 . $$ (eq-sec3-1-bias)
#
# The bias occurs in the last square only, so the best bias is $b = -\sum_i A_{ii} = \sum_i (v_i - \|w_i\|^2)$ and makes that square zero.
# Put $A_{ii} = \|w_i\|^2 - v_i$ and $A_{ij} = w_i\cdot w_j$ back in, and you have equation 12 of the paper:
#
# $$ \mathbb{E}[L] = \big(\mathbb{E}[x_i^4]-1\big)\sum_i \big(\|w_i\|^2 - v_i\big)^2 + 2\sum_{i\ne j}(w_i\cdot w_j)^2 . $$ (eq-paper-12)
#
# (On the way, equations 30 to 32 of the paper carry a slip in the bias term; {ref}`errata` shows it by computation.)
#
# ### Check 1: every outcome, in fractions
#
# Let a feature take only the values $-a$, $0$ and $a$, with probabilities $\frac{1}{2a^2}$, $1-\frac{1}{a^2}$ and $\frac{1}{2a^2}$.
# It has mean 0, variance 1 and fourth moment $a^2$.
# With three such features there are 27 outcomes, so the expectation is a finite sum, and in rational arithmetic it has no rounding at all.

# %%
columns = [
    [Fraction(1), Fraction(1, 3)],
    [Fraction(-1, 2), Fraction(1)],
    [Fraction(0), Fraction(-1)],
]
weights = [Fraction(2), Fraction(1), Fraction(1, 2)]


def dot(u, w):
    return sum(p * q for p, q in zip(u, w, strict=True))


def enumerated_loss(a, b):
    chance = {-a: 1 / (2 * a * a), Fraction(0): 1 - 1 / (a * a), a: 1 / (2 * a * a)}
    total = Fraction(0)
    for x in product(chance, repeat=3):
        read = [dot(x, row) for row in zip(*columns, strict=True)]
        error = dot(read, read) + b - dot(weights, [xi * xi for xi in x])
        total += chance[x[0]] * chance[x[1]] * chance[x[2]] * error**2
    return total

# %%
best = sum(weights) - sum(dot(w, w) for w in columns)
cross = 2 * sum(2 * dot(u, w) ** 2 for u, w in combinations(columns, 2))
miss = sum((dot(w, w) - v) ** 2 for w, v in zip(columns, weights, strict=True))
levels = [Fraction(1), Fraction(3, 2), Fraction(2), Fraction(3)]
table = pd.DataFrame(
    {
        "sum over 27 outcomes": [enumerated_loss(a, best) for a in levels],
        "closed form": [(a * a - 1) * miss + cross for a in levels],
    },
    index=pd.Index([a * a for a in levels], name="k"),
)
table

# %% [markdown]
# The same fraction in both columns, down to the last digit.
#
# ### Check 2: the quadruple sum
#
# The second route skips the pairing argument: it looks up the exact moment of every quadruple $(i,j,k,l)$ and adds up all terms.
# We do so for three distributions of the same fourth moment and quite different shapes.

# %%
def moment_table(moments, n, order):
    """E[x_i x_j ...] for all tuples, from how often each feature occurs in them."""
    index = np.indices((n,) * order).reshape(order, -1)
    counts = (index[:, :, None] == np.arange(n)).sum(axis=0)
    return np.asarray(moments)[counts].prod(axis=1).reshape((n,) * order)


def brute_force_loss(moments, b):
    fourth, second = (moment_table(moments, n_features, order) for order in (4, 2))
    quartic = np.einsum("ij,kl,ijkl->", A, A, fourth)
    return quartic + 2 * b * np.einsum("ij,ij->", A, second) + b**2


uniform = fc.SparseUniform.from_kurtosis(kurtosis)
normal = fc.SparseNormal.from_kurtosis(max(kurtosis, 3.0))
raw_moments = {
    "sparse uniform": [uniform.moment(r) for r in range(5)],
    "sparse normal": [normal.moment(r) for r in range(5)],
    "three points": [1.0, 0.0, 1.0, 0.0, kurtosis],
}
best = float(fc.best_bias(W, importance))
brute = [brute_force_loss(moments, best) for moments in raw_moments.values()]
closed = [float(fc.expected_loss(W, importance, moments[4])) for moments in raw_moments.values()]

# %% [markdown]
# Nothing about the distribution enters but $k$.
# The bias can be located the same way: three values of the brute-force loss fix a parabola in $b$, and its vertex is the best bias.

# %%
around = best + np.array([-1.0, 0.5, 2.0])
heights = [brute_force_loss(raw_moments["three points"], b) for b in around]
parabola = np.polyfit(around - best, heights, 2)

# %% [markdown]
# ### Check 3: sampling
#
# The last route is the one a skeptic would take: draw inputs, run the model, average the loss.

# %%
def sampled_losses(inputs):
    x = inputs.sample((n_samples, n_features), rng)
    y_model = ((x @ W.T) ** 2).sum(axis=1) + best
    return (y_model - (importance * x**2).sum(axis=1)) ** 2


size = np.unique(np.geomspace(n_samples // 400, n_samples // 8, 60).astype(int))
ratio, error = {}, {}
for name, inputs in {"uniform": uniform, "normal": normal}.items():
    losses = sampled_losses(inputs) / fc.expected_loss(W, importance, inputs.kurtosis)
    checked = [losses[: n_samples // part] for part in (16, 4, 1)]
    spread = [part.std() / np.sqrt(part.size) for part in checked]
    means = [part.mean() for part in checked]
    run.check(f"eq12-sampled-{name}", means, [1, 1, 1], standard_error=spread)
    streams = losses[: n_samples // 8 * 8].reshape(8, -1)
    label = f"sparse {name}, $k={inputs.kurtosis:.3g}$"
    ratio[label] = np.cumsum(streams, axis=1)[:, size - 1] / size
    error[label] = losses.std() / np.sqrt(size)

# %% mystnb={"figure": {"caption": "Sampling closes in on the closed form. Each line is the running average of one stream of inputs, divided by the expected loss; the gray funnel is four standard errors wide on each side.", "name": "fig-sec3-1-sampling"}, "image": {"alt": "Two panels, for sparse uniform and sparse normal inputs: eight noisy lines each converge to 1 inside a narrowing gray funnel as the number of samples grows."}} tags=["hide-input"]
figures.sampling_funnel(size, ratio, error)

# %% tags=["hide-input"]
run.check("eq12-three-point-exact", (table.iloc[:, 0] - table.iloc[:, 1]).astype(float))
run.check("eq12-moment-enumeration", brute, closed)
run.check("eq12-best-bias", best - parabola[1] / (2 * parabola[0]), best)
run.badge()

# %% [markdown]
# ## What the two terms mean
#
# The two terms of {eq}`eq-paper-12` have a statistical reading.
# Ask how an output moves together with the square of one feature, and with the product of two:
#
# $$ \begin{aligned} \operatorname{Cov}[y, x_i^2] &= (k-1)\,v_i, \\ \operatorname{Cov}[\tilde y, x_i^2] &= (k-1)\,\|w_i\|^2, \end{aligned} $$ (eq-sec3-1-true)
#
# $$ \begin{aligned} \operatorname{Cov}[y, x_i x_j] &= 0, \\ \operatorname{Cov}[\tilde y, x_i x_j] &= 2\, w_i\cdot w_j \end{aligned} \qquad (i \ne j). $$ (eq-sec3-1-hallucinated)
#
# The first pair follows because $x_i^2$ is independent of every other feature and has variance $k-1$.
# For the second pair, $\tilde y$ contains $x_i x_j$ twice, with coefficient $w_i\cdot w_j$, and $x_i x_j$ has variance 1 and no covariance with any other product.
#
# So the first pair holds the correlations that are really there, and the model is right when $\|w_i\|^2 = v_i$.
# The second holds correlations that the data does not have.
# A model with overlapping embedding vectors reports them all the same: it *hallucinates* them.

# %%
fourth = moment_table(raw_moments["three points"], n_features, 4)


def covariances(form):
    """Cov[x^T form x, x_i x_j] for all i, j, by enumeration of moments."""
    return np.einsum("kl,klij->ij", form, fourth) - np.trace(form) * np.eye(n_features)


data, model = covariances(np.diag(importance)), covariances(W.T @ W)
sq_norm, pairs = (W**2).sum(axis=0), ~np.eye(n_features, dtype=bool)

# %% [markdown]
# These functions of the input, the squares $x_i^2 - 1$ and the products $x_i x_j$, are uncorrelated with one another.
# The error of the model is a combination of them, so its mean square is a sum of squares, as in Pythagoras' theorem.
# That is a second derivation of {eq}`eq-paper-12`:
#
# $$ \mathbb{E}[L] = \frac{1}{k-1}\sum_i \operatorname{Cov}[\tilde y - y,\, x_i^2]^2 + \sum_{i<j}\operatorname{Cov}[\tilde y - y,\, x_i x_j]^2 . $$ (eq-sec3-1-pythagoras)

# %%
error_cov = model - data
squares = (np.diag(error_cov) ** 2).sum() / (kurtosis - 1)
products = (np.triu(error_cov, 1) ** 2).sum()
expected = fc.expected_loss(W, importance, kurtosis)

# %% [markdown]
# {numref}`fig-sec3-1-maps` shows the choice that a model with too few neurons faces.
# On the left is the truth: a diagonal.
# In the middle the model keeps the most important features, one neuron each: what it says is right, but it misses the rest.
# On the right it is the best embedding for {term}`kurtosis` {glue:text}`sec3-1-kurtosis`: more of the diagonal is there, and so is a haze of hallucinated pairs.

# %%
solution = fc.solve_allocation(importance, n_dims, kurtosis)
keep = np.diag(np.sqrt(importance))[:n_dims]
share = fc.optimal_embedding(solution, generator=rng)
variance = (kurtosis - 1) * (importance**2).sum()
both = [fc.loss_terms(E, importance, kurtosis) for E in (keep, share)]
terms = np.array(both) / variance
glue("sec3-1-kurtosis", f"{kurtosis:g}", display=False)
glue("sec3-1-keep-loss", f"{terms[0].sum():.1%}", display=False)
glue("sec3-1-share-loss", f"{terms[1].sum():.1%}", display=False)

# %% mystnb={"figure": {"caption": "What the data says about each pair of features, and what two models say. Below each: the two terms of the loss, as parts of the variance of the target.", "name": "fig-sec3-1-maps"}, "image": {"alt": "Three square matrices. Data: a fading diagonal. Keep the top features: the diagonal is cut off after the first entries. Best embedding: a longer diagonal with faint off-diagonal entries of both signs."}} tags=["hide-input"]
figures.correlation_maps({
    "data": (np.diag(importance), 0.0, 0.0),
    "keep the top": (keep.T @ keep, *terms[0]),
    "best embedding": (share.T @ share, *terms[1]),
})  # fmt: skip

# %% [markdown]
# The first way costs {glue:text}`sec3-1-keep-loss` of the variance of the target, the second {glue:text}`sec3-1-share-loss`.
#
# ### Why the fourth moment decides
#
# The missed part carries the factor $k-1$, the hallucinated part the factor 2.
# Sparse features have a large fourth moment ({ref}`notation` lists the conventions), and then missing is expensive and hallucinating is cheap.
# The reason is simple: two sparse features are rarely active together, so that a false connection between them rarely shows.
# For a *fixed* embedding the hallucinated share of the loss therefore falls as $k$ rises.

# %%
sweep = np.geomspace(1.05, 60, 200)
fixed = np.broadcast_to(W, (200, *W.shape))
fixed_missed, fixed_hallucinated = fc.loss_terms(fixed, importance, sweep[:, None])
fixed_share = fixed_hallucinated / (fixed_missed + fixed_hallucinated)

# %% [markdown]
# The embedding does not stay fixed, though: the optimum answers cheap hallucinations with longer, more overlapping embeddings, until hallucination makes up most of the little loss that is left.
# {numref}`fig-sec3-1-balance` shows it for features of equal importance, where everything is a formula.
# If all of them share, each has capacity $D/N$ and the loss is a fraction $2(1-\frac DN)/((k-3)\frac DN+2)$ of the variance of the target, as we shall see below.
# If $D$ of them are kept and the others left out, it is $1-\frac DN$, whatever $k$ is.
# The two are equal at $k = 3$.

# %%
equal, part = np.ones(n_features), np.full(n_features, n_dims / n_features)
parts = np.broadcast_to(part, (200, n_features))
lengths = fc.best_sq_norm(parts, equal, sweep[:, None])
shared_loss = fc.loss_from_capacities(parts, lengths, equal, sweep[:, None])
equal_variance = (sweep - 1) * n_features
missed_part = (sweep - 1) * ((lengths - 1) ** 2).sum(axis=1) / equal_variance
hallucinated_part = shared_loss / equal_variance - missed_part
left_out = np.full(200, 1 - n_dims / n_features)


def advantage(k):
    sharing = fc.loss_at_best_lengths(part, equal, k).sum()
    return (k - 1) * (n_features - n_dims) - sharing

# %% mystnb={"figure": {"caption": "Equal features: the loss when all of them share, split into its two terms, against the loss when some are kept and the others left out (dashed). Sharing wins above kurtosis 3, and the sparser the inputs, the more of its loss is hallucination.", "name": "fig-sec3-1-balance"}, "image": {"alt": "Stacked areas over kurtosis. The total falls steadily and crosses a horizontal dashed line at kurtosis 3; the missed part shrinks fastest, the hallucinated part dominates at high kurtosis."}} tags=["hide-input"]
figures.loss_terms_against_kurtosis(sweep, missed_part, hallucinated_part, left_out)

# %% tags=["hide-input"]
run.check(
    "sec3-2-true-correlations",
    [np.diag(data), np.diag(model)],
    [(kurtosis - 1) * importance, (kurtosis - 1) * sq_norm],
)
run.check("sec3-2-hallucinated-correlations", model[pairs], 2 * (W.T @ W)[pairs])
run.check("sec3-2-no-true-cross-correlation", data[pairs])
run.check("sec3-2-loss-from-covariances", squares + products, expected)
run.check("sec3-2-kurtosis-weakens-hallucination", np.diff(fixed_share).max())
run.check("sec3-2-sharing-pays-above-three", brentq(advantage, 2.0, 5.0, xtol=1e-13))
run.badge()

# %% [markdown]
# ## The loss in capacities
#
# Write $n_i = \|w_i\|^2$.
# The definition of capacity ({eq}`eq-paper-3`) says that $\sum_j (w_i\cdot w_j)^2 = n_i^2/C_i$.
# Leave out the term $j=i$, which is $n_i^2$, and the interference of feature $i$ is $n_i^2/C_i - n_i^2$.
# Sum over $i$: this is the second sum in {eq}`eq-paper-12`, and the whole becomes the paper's equation 13.
#
# $$ \mathcal{L}(\vec C,\vec n) = (k-1)\sum_i (n_i-v_i)^2 - 2\sum_i n_i^2 + 2\sum_i \frac{n_i^2}{C_i} . $$ (eq-paper-13)
#
# The surprise is what is *not* there: no angle, no inner product, no second feature.
# All that the other features do to feature $i$ is summed up in the one number $C_i$.

# %%
many = rng.standard_normal((200, n_dims, n_features))
many *= rng.lognormal(size=(200, 1, n_features))
many[:50, :, -1] = 0
many_importance = rng.random((200, n_features)) * 3
in_capacities = fc.loss_from_capacities(
    fc.capacities(many), (many**2).sum(axis=1), many_importance, kurtosis
)
gram = np.swapaxes(many, 1, 2) @ many
lengths = np.diagonal(gram, axis1=1, axis2=2)
overlap = (gram**2).sum(axis=(1, 2)) - (lengths**2).sum(axis=1)
in_vectors = (kurtosis - 1) * ((lengths - many_importance) ** 2).sum(axis=1) + 2 * overlap

# %% [markdown]
# Two hundred random embeddings of very unequal lengths, some with an ignored feature, give the same loss by both formulas.
#
# The derivative is then immediate.
# At fixed lengths (equation 14 of the paper),
#
# $$ \frac{\partial\mathcal{L}}{\partial C_i} = -2\,\frac{n_i^2}{C_i^2} . $$ (eq-paper-14)
#
# More capacity always helps, and by how much depends on that feature alone.
# Automatic differentiation of {eq}`eq-paper-13` agrees, and finds all mixed second derivatives to be zero.

# %%
def torch_loss(C, n):
    return fc.loss_from_capacities(C, n, torch.as_tensor(importance), kurtosis)


C = torch.as_tensor(rng.uniform(0.05, 0.95, n_features))
n = torch.as_tensor(rng.uniform(0.1, 2.0, n_features))
slope = torch.autograd.functional.jacobian(lambda c: torch_loss(c, n), C)
bend = torch.autograd.functional.hessian(lambda c: torch_loss(c, n), C)

# %% tags=["hide-input"]
run.check("eq13-equals-eq12", in_capacities / in_vectors, np.ones(200))
run.check("eq14-partial-derivative", slope, -fc.marginal_benefit_at(C, n))
run.check("eq14-own-feature-only", bend - torch.diag(torch.diag(bend)))
run.badge()

# %% [markdown]
# ## The best lengths
#
# Before capacity can be shared out, the lengths have to go.
# Hold the capacities fixed.
# Equation {eq}`eq-paper-13` is then a quadratic in each $n_i$ by itself, and setting its derivative to zero gives
#
# $$ n_i^* = \frac{(k-1)\,v_i\,C_i}{(k-3)\,C_i + 2} , $$ (eq-sec3-1-length)
#
# equation 52 of the paper, multiplied out so that it makes sense at $C_i = 0$ too.
# A feature with a dimension of its own has $n_i^* = v_i$; one with less is kept shorter, to disturb less.

# %%
bend_n = torch.autograd.functional.hessian(lambda m: torch_loss(C, m), n)
slope_n = torch.autograd.functional.jacobian(lambda m: torch_loss(C, m), n)
newton = n - torch.linalg.solve(bend_n, slope_n)
best_lengths = fc.best_sq_norm(C, torch.as_tensor(importance), kurtosis)

# %% [markdown]
# Put the best lengths back, and what is left is a sum of one-variable functions:
#
# $$ \mathcal{L}^*(\vec C) = \sum_i \frac{2\,(k-1)\,v_i^2\,(1-C_i)}{(k-3)\,C_i+2} . $$ (eq-sec3-1-per-feature)
#
# The paper does not print this form, and we find it the most useful one.
# A feature that is ignored costs $(k-1)v_i^2$, which is its part of the variance of the target; a fully represented one costs nothing; and whether the way down is steep first or steep last depends on the sign of $k-3$ only.

# %%
v, k = torch.as_tensor(importance), kurtosis
written_out = (2 * (k - 1) * v**2 * (1 - C) / ((k - 3) * C + 2)).sum()
packaged = fc.loss_at_best_lengths(C, v, k).sum()

# %% [markdown]
# How fast does $\mathcal{L}^*$ fall?
# Changing $C_i$ has a direct effect and an indirect one, because the best length moves along.
# The indirect one is $\frac{\partial\mathcal L}{\partial n_i}\frac{d n_i^*}{d C_i}$, and its first factor is zero: that is what *best* means.
# This is the **envelope argument**, and it leaves the formula of {eq}`eq-paper-14` with $n_i^*$ put in:
#
# $$ -\frac{\partial \mathcal{L}^*}{\partial C_i} = 2\Big(\frac{n_i^*}{C_i}\Big)^2 = 2\left(\frac{(k-1)\,v_i}{(k-3)\,C_i+2}\right)^2 . $$ (eq-sec3-1-benefit)

# %%
total = torch.autograd.functional.jacobian(
    lambda c: torch_loss(c, fc.best_sq_norm(c, v, kurtosis)), C
)

# %%
shown = [1.8, 3.0, 9.0]
grid = np.linspace(1e-3, 1, 400)
marks = np.array([0.08, 0.2, 0.4, 0.65, 0.9])
one = np.ones((1, 1))
panels = {}
for k in shown:
    fixed = fc.best_sq_norm(marks, np.ones(marks.size), k)
    family = (k - 1) * (fixed[:, None] - 1) ** 2 + 2 * fixed[:, None] ** 2 * (1 / grid - 1)
    lowest = fc.loss_at_best_lengths(grid, np.ones(grid.size), k) / (k - 1)
    touching = marks, fc.loss_at_best_lengths(marks, np.ones(marks.size), k) / (k - 1)
    panels[k] = (family / (k - 1), lowest, touching)

# %% mystnb={"figure": {"caption": "The envelope argument. Gray: the loss of one feature with its length held fixed, for five lengths. Blue: its length always the best. Each gray curve touches the blue one where its length is the best, and there the slopes are equal.", "name": "fig-sec3-1-envelope"}, "image": {"alt": "Three panels for kurtosis 1.8, 3 and 9. In each, five gray hyperbolas lie above a blue curve and touch it at marked points. The blue curve is concave, straight and convex in turn."}} tags=["hide-input"]
figures.envelope(grid, panels)

# %% [markdown]
# The blue curve in {numref}`fig-sec3-1-envelope` is concave for $k<3$, straight at $k=3$ and convex for $k>3$.
# How steeply the loss falls is the marginal benefit, drawn in {numref}`fig-sec3-1-benefit`.
# All its curves meet at $C_i = 1$, where the last bit of capacity is worth $2v_i^2$ whatever the kurtosis.
# The first bit is worth $\frac12(k-1)^2v_i^2$: more than the last one exactly when $k > 3$.

# %%
grid = np.linspace(0, 1, 201)
shown = (1.5, 2.0, 3.0, 5.0, 9.0, 25.0)
curves = {k: fc.marginal_benefit(grid, np.ones(grid.size), k) for k in shown}

# %% mystnb={"figure": {"caption": "What the next bit of capacity is worth, in units of $v_i^2$. Returns diminish above kurtosis 3, are constant at 3, and increase below. A change of importance moves a curve up or down as a whole.", "name": "fig-sec3-1-benefit"}, "image": {"alt": "Six curves of marginal benefit against capacity on a logarithmic axis, all ending in one point at capacity 1. Those for kurtosis 5, 9 and 25 come from above, the one for 3 is flat, those for 1.5 and 2 come from below."}} tags=["hide-input"]
figures.marginal_curves(grid, curves)

# %% tags=["hide-input"]
run.check("eq52-best-length", newton, best_lengths)
run.check("sec3-3-loss-per-feature", [written_out, packaged], [torch_loss(C, newton)] * 2)
run.check("eq54-envelope", -total, fc.marginal_benefit(C, v, kurtosis))
run.badge()

# %% [markdown]
# ## Optimal capacity allocation
#
# Now share out $D$ dimensions.
# By section 2 ({ref}`sec2-capacity`), features that share must have the same marginal benefit.
# By {eq}`eq-sec3-1-benefit` that means the same ratio $n_i/C_i$; call it $\lambda$, so that $n_i = \lambda C_i$.
# Insert the best length {eq}`eq-sec3-1-length` for $n_i$, divide by $C_i$, and solve for $C_i$.
# A result below 0 means that even the first bit of capacity is not worth its price; one above 1 means that the feature would take more than there is.
# Clipping covers both (equations 15 and 16 of the paper):
#
# $$ C_i = \max\left(\min\left(\frac{k-1}{k-3}\,\frac{v_i}{\lambda} - \frac{2}{k-3},\; 1\right),\; 0\right) $$ (eq-paper-15)
#
# $$ n_i = \begin{cases} 0 & C_i = 0 \\ \dfrac{k-1}{k-3}\,v_i - \dfrac{2\lambda}{k-3} & 0 < C_i < 1 \\ v_i & C_i = 1 \end{cases} $$ (eq-paper-16)
#
# The number $\lambda$ is whatever makes the capacities sum to $D$.
# Set $C_i = 0$ and $C_i = 1$ in the formula to find where the clipping begins.
# For $k > 3$ a feature is ignored (the paper's equation 17) if
#
# $$ \frac{k-1}{2}\, v_i < \lambda $$ (eq-paper-17)
#
# and fully represented (the paper's equation 18) if
#
# $$ v_i > \lambda . $$ (eq-paper-18)

# %%
scale = np.linspace(0, 1.4, 561)
ramps = {3.0: (scale > 1).astype(float)}
for k in (4.0, 6.0, 12.0, 40.0):
    ramps[k] = np.clip((k - 1) / (k - 3) * scale - 2 / (k - 3), 0, 1)

# %% mystnb={"figure": {"caption": "The optimum as clipped ramps. (a) A feature gets no capacity up to $2\\lambda/(k-1)$ and a whole dimension from $\\lambda$ on. (b) Shared features are embedded shorter than their importance asks for; only a feature with its own dimension reaches $n_i = v_i$.", "name": "fig-sec3-1-ramps"}, "image": {"alt": "Two panels over importance divided by the multiplier. Top: capacity is a ramp from 0 to 1, a step for kurtosis up to 3 and ever wider as kurtosis grows. Bottom: squared length is the same ramp, followed by the diagonal from 1 on."}} tags=["hide-input"]
figures.ramps_and_lengths(
    scale, {k: (ramp, np.where(ramp == 1, scale, ramp)) for k, ramp in ramps.items()}
)

# %% [markdown]
# (sec3-1-explorer)=
# The next figure solves the paper's equations 15 to 18 in your browser, for any importances.
# Drag the kurtosis from 1.8 to 1000: nobody shares up to 3, and from there on the window of sharing opens.

# %% tags=["hide-input"]
capacity_explorer(importance, n_dims, kurtosis)

# %% [markdown]
# Here is the solution for the features of this page:

# %%
shared = solution.phase == fc.POLYSEMANTIC
with np.errstate(invalid="ignore"):
    per_dimension = solution.sq_norm / solution.capacity
pd.DataFrame(
    {
        "importance": importance,
        "capacity": solution.capacity,
        "squared length": solution.sq_norm,
        "length per capacity": per_dimension,
        "marginal benefit": fc.marginal_benefit(solution.capacity, importance, kurtosis),
        "phase": [fc.PHASES[r] for r in solution.phase],
    },
    index=pd.RangeIndex(1, n_features + 1, name="feature"),
).round(4)

# %%
glue("sec3-1-multiplier", f"{solution.multiplier:.4f}", display=False)
glue("sec3-1-threshold", f"{solution.threshold:.4f}", display=False)

# %% [markdown]
# Every shared feature has the same length per capacity, $\lambda =$ {glue:text}`sec3-1-multiplier`, and the same marginal benefit, {glue:text}`sec3-1-threshold`.
#
# :::{admonition} Two lambdas
# :class: important
# These are two numbers, and the paper calls both of them $\lambda$.
# In section 2 (the paper's equations 4 to 8) it is the common marginal benefit; in its equations 15 to 18 and 55 to 58 it is the common ratio $n_i/C_i$.
# By {eq}`eq-sec3-1-benefit` the first is $2\lambda^2$ in terms of the second.
# In this book and its code `multiplier` is the second, and `threshold` the first.
# :::
#
# ### Against optimizers that know nothing of this
#
# The first opponent is a general-purpose solver (sequential quadratic programming) that gets {eq}`eq-paper-13` as a function of $2N$ numbers, the bounds, and the budget.
# For $k \ge 3$ it cannot get stuck: {eq}`eq-paper-13` is then *jointly convex* in capacities and lengths, because the Hessian of one feature's term has the determinant $8(k-3)\,n_i^2/C_i^3$ and a positive corner $4n_i^2/C_i^3$.
# So the conditions of section 2 are not only necessary but sufficient, and the optimum is global.

# %%
def one_feature(z):
    return fc.loss_from_capacities(z[:1], z[1:], torch.ones(1, dtype=z.dtype), kurtosis)


spots = torch.as_tensor(rng.uniform([0.1, 0.1], [0.9, 2.0], (20, 2)))
hessians = [torch.autograd.functional.hessian(one_feature, z) for z in spots]
predicted = 8 * (kurtosis - 3) * spots[:, 1] ** 2 / spots[:, 0] ** 3
determinants = torch.linalg.det(torch.stack(hessians))

# %%
def loss_and_gradient(z):
    variables = torch.as_tensor(z).requires_grad_()
    value = torch_loss(variables[:n_features], variables[n_features:])
    value.backward()
    return value.item(), variables.grad.numpy()


start = np.concatenate([part, importance * rng.random(n_features)])
generic = minimize(
    loss_and_gradient,
    start,
    jac=True,
    method="SLSQP",
    bounds=[(1e-9, 1.0)] * n_features + [(0.0, None)] * n_features,
    constraints={"type": "eq", "fun": lambda z: z[:n_features].sum() - n_dims},
    options={"ftol": 1e-15, "maxiter": 1000},
)

# %% [markdown]
# The second opponent does not know about capacity at all.
# It minimizes {eq}`eq-paper-12` over the $D \times N$ entries of $W$ from random starts.

# %%
found = minimize_quadratic([importance], [kurtosis], n_dims, n_starts=16, seed=seed, device=device)
glue("sec3-1-near-best", int(found.n_near_best[0]), display=False)

# %% [markdown]
# {glue:text}`sec3-1-near-best` of 16 starts end within one percent of the lowest loss.
#
# (sec3-1-watch)=
# Watch one of them: press play, and a random matrix finds its embedding in your browser.
# Newton's method goes down in few steps; gradient descent, from the same matrix, needs many more.
# The dashed line is the loss of the closed form, which neither of them knows.
# Then make the inputs dense, $p = 1$, and ask for other starts: some end in a state that only another start gets out of.

# %% tags=["hide-input"]
minimization_explorer(
    n_features, n_dims, models=["computation"], activations=["quadratic"],
    start=(1 / importance_ratio, 1.8 / kurtosis), ratio=importance_ratio,
)  # fmt: skip

# %% [markdown]
# That also settles *feasibility*: equation {eq}`eq-paper-15` was derived as if capacities could be chosen freely, and it has to be shown that some $W$ has them.
# The package builds one outright (how, is the subject of {ref}`sec4-geometry`), and its capacities and lengths are the ones asked for.

# %%
built = fc.optimal_embedding(solution)

# %% [markdown]
# ### The thresholds, located
#
# Where does a feature enter, and where does it get its own dimension?
# We vary the importance of one feature, leave the others alone, and bisect.
# The judge is `fc.allocate`, which shares a budget among *any* falling curves and has never heard of the paper's equations 15 to 18.
# At the importance where the capacity leaves 0 we compare it with $2\lambda/(k-1)$; where it reaches 1, with $\lambda$.
# The same judge confirms that its threshold is $2\lambda^2$.

# %%
k_safe = max(kurtosis, 3.1)


def general(v):
    def benefit(c):
        return 2 * ((k_safe - 1) * v / ((k_safe - 3) * c + 2)) ** 2

    return fc.allocate(benefit, n_dims, n_features=n_features)


def varied(log_v):
    return np.concatenate([[np.exp(log_v)], importance[1:]])


def locate(capacity_level):
    low, high = np.log(1e-4), np.log(1e3)
    for _ in range(36):
        middle = (low + high) / 2
        above = general(varied(middle)).capacity[0] >= capacity_level
        low, high = (low, middle) if above else (middle, high)
    return np.exp(high), np.sqrt(general(varied(high)).threshold / 2)

# %%
enters, multiplier_there = locate(1e-9)
run.check("eq17-ignored-threshold", enters / (2 * multiplier_there / (k_safe - 1)))
owns, multiplier_there = locate(1 - 1e-9)
close = importance**0.01  # so close together that some share at any kurtosis above 3
exact = fc.solve_allocation(close, n_dims, k_safe)

# %% [markdown]
# ### Kurtosis 3 and below
#
# For $k \le 3$ the loss of each feature is concave or straight in its capacity, so mixtures never beat extremes, and capacities go to 0 and 1.
# An ignored feature costs $(k-1)v_i^2$, so the $D$ most important ones are kept.
# We let the direct minimization look for something better, at several kurtoses up to 3.

# %%
dense = np.array([1.2, 1.8, 2.4, 3.0])
rows = np.tile(importance, (4, 1))
lowest = minimize_quadratic(
    rows, dense[:, None], n_dims, n_starts=24, seed=seed, device=device
)
left = combinations(importance, n_features - n_dims)
corners = [sum(v**2 for v in ignored) for ignored in left]
glue("sec3-1-corners", len(corners), display=False)

# %% [markdown]
# The best of all {glue:text}`sec3-1-corners` ways to keep $D$ whole features is as good as anything found over embeddings.
#
# {numref}`fig-sec3-1-stack` puts the section in one picture: the same features, the same $D$ dimensions, while the inputs become sparser from left to right.
# Up to $k=3$ the most important features own everything.
# Beyond it the others enter one by one, in the order of their importance, and the most important ones, at the bottom, lose their whole dimension one after another.

# %%
stack_kurtosis = np.geomspace(1.2, 300, 600)
rows = np.broadcast_to(importance, (600, n_features))
stack = fc.solve_allocation(rows, n_dims, stack_kurtosis[:, None])

# %% mystnb={"figure": {"caption": "Who has the capacity as the kurtosis rises. Each band is one feature, its height the capacity it gets; together they always fill the embedding. The triangle marks the kurtosis of this page.", "name": "fig-sec3-1-stack"}, "image": {"alt": "Stacked bands over kurtosis from 1.2 to 300. Left of kurtosis 3 a few bands of height one fill the axis; to the right the other features enter in order of importance until all share."}} tags=["hide-input"]
figures.stacked_capacities(stack_kurtosis, stack.capacity, importance, marked=kurtosis)

# %% tags=["hide-input"]
run.check("eq15-satisfies-kkt", fc.kkt_residuals(solution))
run.check("eq13-convex-above-three", determinants, predicted)
run.check(
    "eq15-generic-optimizer",
    np.abs(generic.x - np.concatenate([solution.capacity, solution.sq_norm])).max(),
)
run.check(
    "eq15-direct-minimization",
    [
        np.abs(found.capacity - solution.capacity).max(),
        np.abs((found.W**2).sum(axis=-2) - solution.sq_norm).max(),
    ],
)
run.check("eq15-direct-loss", found.loss / solution.loss)
run.check(
    "sec3-4-feasible",
    [fc.capacities(built), (built**2).sum(axis=0)],
    [solution.capacity, solution.sq_norm],
)
run.check("eq18-monosemantic-threshold", owns / multiplier_there)
run.check("sec3-4-two-multipliers", general(close).threshold, 2 * exact.multiplier**2)
run.check("sec3-4-top-features", lowest.loss / ((dense - 1) * min(corners)))
run.badge()

# %% [markdown]
# ## Does it agree with the paper?
#
# Yes, in everything that sections 3.1 to 3.4 state about the model.
# Two remarks go beyond it: the paper's letter $\lambda$ stands for two different numbers, and the loss at the best lengths has the closed form {eq}`eq-sec3-1-per-feature`.
#
# All verdicts of this page are among {ref}`claims`, with what each measurement came to.
#
# ## Try it
#
# Paste a command at the root of the project; the executed page is then in `out.ipynb`.
#
# **Dense inputs.** What happens to the table of the solution for uniform inputs that are never off, $k = 1.8$?
#
# ```sh
# papermill notebooks/sec3_1_quadratic_model.ipynb out.ipynb --cwd notebooks -p kurtosis 1.8
# ```
#
# :::{admonition} Answer
# :class: dropdown
# The first $D$ features have capacity 1, all others 0, and the best embedding of {numref}`fig-sec3-1-maps` is the one in the middle.
# The claims on sharing read *not applicable*; those on the loss hold as before.
# :::
#
# **Equal importances.** Which capacities and which $\lambda$ do you expect for `importance_ratio` 1?
#
# ```sh
# papermill notebooks/sec3_1_quadratic_model.ipynb out.ipynb --cwd notebooks -p importance_ratio 1
# ```
#
# :::{admonition} Answer
# :class: dropdown
# By symmetry $C_i = D/N$, and {eq}`eq-sec3-1-length` gives $\lambda = n_i/C_i = (k-1)/((k-3)D/N + 2)$, here 1.6.
# In {numref}`fig-sec3-1-stack` all bands jump to the same height at $k=3$.
# :::
#
# **Very sparse inputs.** At kurtosis 60, which features are still pinned, and how much better is sharing than keeping the top three?
#
# ```sh
# papermill notebooks/sec3_1_quadratic_model.ipynb out.ipynb --cwd notebooks -p kurtosis 60
# ```
#
# :::{admonition} Answer
# :class: dropdown
# None is pinned: capacities run from 0.84 down to 0.25.
# Keeping the top three misses 21% of the variance of the target at any kurtosis; the best embedding now misses 2%, nearly all of it by hallucination.
# :::
#
# ## What we saw
#
# * The {term}`expected loss` of the quadratic model depends on the inputs through one number, the fourth moment $k$; it weighs what is missed by $k-1$ and what is hallucinated by 2.
# * In capacities the loss is a sum over features, and each feature's marginal benefit is $2(n_i/C_i)^2$: falling with capacity exactly when $k > 3$.
# * The optimal capacities are clipped ramps of the importance, and two optimizers that know nothing of the theory arrive at them.
#
# Next: {ref}`sec3-5-phase-diagrams` draws the map of these solutions over importance and kurtosis.
