# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# (sec3-1-quadratic-model)=
# # 3.1–3.2 Miss or hallucinate
#
# A network is asked for the sum of the squares of three inputs, and has two neurons.
# Should it give two inputs a neuron each and forget the third, or squeeze all three in?
# {numref}`fig-sec3-1-maps` shows both networks: the first *misses* a feature, the second {term}`hallucinates <hallucinated correlation>` connections between features that are not in the data.
# Which mistake is cheaper is a matter of how sparse the inputs are.
#
# **Paper:** sections 3.1 and 3.2 {cite}`scherlis2022`; Appendices {ref}`A <appa-expected-loss>` and {ref}`B <appb-correlations>` leave no step out.
# **Run time:** some seconds.

# %% tags=["parameters", "hide-input"] quick={"n_samples": 20000}
n_features: int = 6  # features N of the larger example [6 .. 10]
n_dims: int = 3  # its neurons D, always fewer than features [1 .. 5]
kurtosis: float = 9.0  # fourth moment k of a feature [1.8 .. 60]
importance_ratio: float = 0.8  # each importance over the one before it [0.5 .. 1]
n_samples: int = 400000  # sampled inputs per distribution [10000 .. 2000000]
seed: int = 0  # of everything random on this page [0 .. 1000000]
device: str = "auto"  # where the numerical minimization runs {auto, cpu, cuda, mps}

# %% tags=["hide-cell"]
from fractions import Fraction
from functools import partial

import numpy as np
import pandas as pd
from myst_nb import glue
from scipy.optimize import brentq

import feature_capacity as fc
from feature_capacity.book.claims.checks import open_page
from feature_capacity.figures import sec3_1_quadratic_model as figures
from feature_capacity.models.device import pick_device
from feature_capacity.solvers.newton import minimize_quadratic
from feature_capacity.theory.enumeration import (
    loss_by_moments,
    product_covariances,
    three_point_loss,
)

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
rng = np.random.default_rng(seed)

# %%
import numpy as np

import feature_capacity as fc

two_kept = np.array([[1, 0, 0], [0, 1, 0]])
star = np.array([[1, -1 / 2, -1 / 2], [0, np.sqrt(3) / 2, -np.sqrt(3) / 2]])
fc.capacities(two_kept), fc.capacities(star).round(3)

# %% mystnb={"figure": {"caption": "What the data says about each pair of three equal features, and what two networks with two neurons say. Below each, the two terms of its loss, as parts of the variance of the target.", "name": "fig-sec3-1-maps"}, "image": {"alt": "Three square matrices. Data: a diagonal of three ones. Two kept: only the first two ones. Star of three: all three ones, and minus one half between all pairs."}} tags=["hide-input"]
terms = np.array([fc.loss_terms(W, np.ones(3), kurtosis) for W in (two_kept, star)])
parts = terms / (3 * (kurtosis - 1))
figures.correlation_maps({
    "data": (np.eye(3), 0.0, 0.0),
    "a neuron each for two": (two_kept.T @ two_kept, *parts[0]),
    "a star of three": (star.T @ star, *parts[1]),
})  # fmt: skip

# %% [markdown]
# On the left is the truth, a diagonal: each feature goes with itself.
# The first network has two of three entries right and no mistake elsewhere.
# The second puts the three features on a star, at angles of 120 degrees in the plane of its two neurons: all of the diagonal is there, and $-\frac12$ between all pairs.
# Feed both with four inputs:

# %%
inputs = np.array([[1, 0, 0], [0, 0, 1], [1, 1, 0], [1, -1, 0]])
pd.DataFrame(
    {
        "asked for": (inputs**2).sum(axis=1),
        "two kept": ((inputs @ two_kept.T) ** 2).sum(axis=1),
        "star": ((inputs @ star.T) ** 2).sum(axis=1),
    },
    index=pd.Index(["1 0 0", "0 0 1", "1 1 0", "1 −1 0"], name="input"),
).round(9)

# %% [markdown]
# The star is right whenever one feature is active, including the third, to which the other network is blind.
# When two are active it is wrong by one: too little if their signs agree, too much if not.
# It sees a connection between features 1 and 2 that nobody put there.
# (The table leaves out the bias. The best one is 0 for the star, and 1 for the other network: the mean of what it misses.)
#
# Sparse features are rarely active together, so that the star's mistake rarely shows.
# At {term}`kurtosis` {glue:text}`sec3-1-kurtosis` the two losses are:

# %%
[round(float(fc.expected_loss(W, np.ones(3), kurtosis)), 9) for W in (two_kept, star)]

# %% [markdown]
# ## The model
#
# In general the inputs $x_1,\dots,x_N$ are independent features with mean 0 and variance 1, and the target is a weighted sum of their squares,
#
# $$ y = \sum_i v_i x_i^2 . $$ (eq-paper-9)
#
# The weight $v_i \ge 0$ says how much feature $i$ counts: its {term}`importance`.
# Neuron $a$ of $D$ reads the input through row $a$ of a $D \times N$ matrix $W$ and squares what it reads; the output is the sum over neurons, plus a bias:
#
# $$ \tilde y = \sum_{a=1}^{D} \Big(\sum_{j} W_{aj}\, x_j\Big)^2 + b . $$ (eq-paper-10)
#
# The loss is the squared error
#
# $$ L(x) = \big(\tilde y(x) - y(x)\big)^2 . $$ (eq-paper-11)
#
# Column $i$ of $W$ is the embedding vector $w_i$ of feature $i$.
# This is computation, not compression: the network never has to give the features back, only a function of them.
#
# Target and model are both quadratic forms in $x$, and so is the error, with the matrix $A = W^TW - \operatorname{diag}(v)$ (which the paper's appendix calls $D$):
#
# $$ \tilde y - y = x^T A\, x + b . $$ (eq-sec3-1-form)
#
# (A target with any symmetric matrix in place of $\operatorname{diag}(v)$ is the same model, seen along the principal axes of that matrix: the paper's footnote 4.)
#
# A perfect model needs $W^TW = \operatorname{diag}(v)$.
# If no importance is zero the right side has rank $N$; the left side has at most $D$.
# So with fewer neurons than features something has to give.
# Here is the lowest loss that we can find for the features of this page, with one neuron, two, and so on:

# %%
importance = importance_ratio ** np.arange(n_features)
neurons = range(1, n_features + 1)
find = partial(minimize_quadratic, seed=seed, device=device)
lowest = [find([importance], [kurtosis], d, n_starts=16).loss[0] for d in neurons]
pd.DataFrame({"lowest loss": lowest}, index=pd.Index(neurons, name="neurons")).round(6)

# %% tags=["hide-input"]
W = rng.standard_normal((n_dims, n_features)) / np.sqrt(n_dims)
A, bias, x = W.T @ W - np.diag(importance), 0.3, rng.standard_normal((5, n_features))
error = ((x @ W.T) ** 2).sum(axis=1) + bias - (importance * x**2).sum(axis=1)
full = np.random.default_rng([seed, 4]).standard_normal((n_features, n_features))
v, axes = np.linalg.eigh(full + full.T)
run.check("eq11-quadratic-form", error, np.einsum("si,ij,sj->s", x, A, x) + bias)
run.check(
    "footnote4-principal-axes",
    np.einsum("si,ij,sj->s", x, full + full.T, x),
    (x @ axes) ** 2 @ v,
)
# No matrix of rank d is nearer to diag(v) than the sum of the smallest squares of v.
nearest = [(importance[d:] ** 2).sum() for d in neurons]
floor = min(kurtosis - 1, 2) * np.array(nearest)[:-1]
run.check("sec3-1-rank-deficit-fewer", np.array(lowest)[:-1] / floor - 1)
run.check("sec3-1-rank-deficit-as-many", lowest[-1])
run.badge()

# %% [markdown]
# ## The expected loss
#
# Square {eq}`eq-sec3-1-form` and average.
# The result contains $\mathbb{E}[x_i x_j x_k x_l]$ for all quadruples of indices.
# Whenever an index occurs exactly once, its factor $\mathbb{E}[x_i] = 0$ kills the term, which leaves two patterns:
#
# * **all four equal.** The moment is $\mathbb{E}[x_i^4]$; call it $k$. These terms add up to $k \sum_i A_{ii}^2$.
# * **two pairs.** The moment is $1 \cdot 1$. Four positions can be paired in three ways, which give $\sum_{i\ne j} A_{ii}A_{jj} + 2\sum_{i \ne j} A_{ij}^2$.
#
# The bias adds $2b\sum_i A_{ii} + b^2$.
# Borrow one $\sum_i A_{ii}^2$ from the first pattern to complete a square:
#
# $$ \mathbb{E}[L] = (k-1)\sum_i A_{ii}^2 + 2\sum_{i\ne j} A_{ij}^2 + \Big(b + \sum_i A_{ii}\Big)^2 . $$ (eq-sec3-1-bias)
#
# The best bias makes the last square zero.
# Put $A_{ii} = \|w_i\|^2 - v_i$ and $A_{ij} = w_i\cdot w_j$ back in:
#
# $$ \mathbb{E}[L] = \big(\mathbb{E}[x_i^4]-1\big)\sum_i \big(\|w_i\|^2 - v_i\big)^2 + 2\sum_{i\ne j}(w_i\cdot w_j)^2 . $$ (eq-paper-12)
#
# Missed importance is weighed with $k-1$, hallucinated connections with 2.
# Nothing else about the inputs enters.
# (On the way, equations 30 to 32 of the paper carry a slip in the bias term: {ref}`errata-bias-term`.)
#
# Does the formula hold?
# The first table lets three features take the values $-a$, 0 and $a$ only; the expectation is then a sum over 27 outcomes, which fractions do without rounding.

# %%
rows = [[Fraction(1), Fraction(-1, 2), 0], [Fraction(1, 3), Fraction(1), Fraction(-1)]]
weights = [Fraction(2), Fraction(1), Fraction(1, 2)]
spreads = [Fraction(1), Fraction(3, 2), Fraction(2), Fraction(3)]
summed = [three_point_loss(rows, weights, a) for a in spreads]

# %%
gram = [[sum(row[i] * row[j] for row in rows) for j in range(3)] for i in range(3)]
miss = sum((gram[i][i] - weights[i]) ** 2 for i in range(3))
cross = 2 * sum(gram[i][j] ** 2 for i in range(3) for j in range(3) if i != j)
closed = [(a * a - 1) * miss + cross for a in spreads]
pd.DataFrame(
    {"sum over 27 outcomes": summed, "closed form": closed},
    index=pd.Index([a * a for a in spreads], name="k"),
)

# %% [markdown]
# The same fractions.
# For six features we add up all quadruples with their exact moments, without the argument about patterns, for three distributions of quite different shape.

# %%
uniform = fc.SparseUniform.from_kurtosis(kurtosis)
normal = fc.SparseNormal.from_kurtosis(max(kurtosis, 3.0))
moments = {
    "sparse uniform": [uniform.moment(r) for r in range(5)],
    "sparse normal": [normal.moment(r) for r in range(5)],
    "three points": [1.0, 0.0, 1.0, 0.0, kurtosis],
}
best = float(fc.best_bias(W, importance))
brute = {name: loss_by_moments(W, importance, m, best) for name, m in moments.items()}
brute["closed form"] = float(fc.expected_loss(W, importance, kurtosis))
pd.DataFrame({"expected loss": brute})

# %% tags=["hide-input"]
run.check(
    "eq12-three-point-exact",
    [float(a - b) for a, b in zip(summed, closed, strict=True)],
)
formula = [float(fc.expected_loss(W, importance, m[4])) for m in moments.values()]
run.check("eq12-moment-enumeration", list(brute.values())[:3], formula)
x = uniform.sample((n_samples, n_features), rng)
losses = (((x @ W.T) ** 2).sum(axis=1) + best - (importance * x**2).sum(axis=1)) ** 2
losses /= fc.expected_loss(W, importance, uniform.kurtosis)
some = [losses[: n_samples // part] for part in (16, 4, 1)]
run.check(
    "eq12-sampled-uniform",
    [s.mean() for s in some],
    np.ones(3),
    standard_error=[s.std() / np.sqrt(s.size) for s in some],
)
x = normal.sample((n_samples, n_features), rng)
losses = (((x @ W.T) ** 2).sum(axis=1) + best - (importance * x**2).sum(axis=1)) ** 2
losses /= fc.expected_loss(W, importance, normal.kurtosis)
some = [losses[: n_samples // part] for part in (16, 4, 1)]
run.check(
    "eq12-sampled-normal",
    [s.mean() for s in some],
    np.ones(3),
    standard_error=[s.std() / np.sqrt(s.size) for s in some],
)
run.badge()

# %% [markdown]
# ## True and hallucinated correlations
#
# The two terms have a statistical reading.
# Ask how an output moves together with the square of one feature, and with the product of two:
#
# $$ \begin{aligned} \operatorname{Cov}[y, x_i^2] &= (k-1)\,v_i, \\ \operatorname{Cov}[\tilde y, x_i^2] &= (k-1)\,\|w_i\|^2, \end{aligned} $$ (eq-sec3-1-true)
#
# $$ \begin{aligned} \operatorname{Cov}[y, x_i x_j] &= 0, \\ \operatorname{Cov}[\tilde y, x_i x_j] &= 2\, w_i\cdot w_j \end{aligned} \qquad (i \ne j). $$ (eq-sec3-1-hallucinated)
#
# The first pair are correlations that are really there, and the model is right when $\|w_i\|^2 = v_i$.
# The second are correlations that the data does not have, and that a model with overlapping embedding vectors reports all the same.
# For the star they are $-1$ for each pair:

# %%
product_covariances(star.T @ star, [1, 0, 1, 0, kurtosis]).round(9)

# %% [markdown]
# The squares $x_i^2 - 1$ and the products $x_i x_j$ are uncorrelated with one another.
# The error of the model is a combination of them, so its mean square is a sum of squares, as in Pythagoras' theorem.
# That is a second derivation of {eq}`eq-paper-12`:
#
# $$ \begin{aligned} \mathbb{E}[L] = {} & \frac{1}{k-1}\sum_i \operatorname{Cov}[\tilde y - y,\, x_i^2]^2 \\ & + \sum_{i<j}\operatorname{Cov}[\tilde y - y,\, x_i x_j]^2 . \end{aligned} $$ (eq-sec3-1-pythagoras)
#
# ## Why the fourth moment decides
#
# Sparse features have a large fourth moment ({ref}`notation` lists the conventions), and then missing is expensive and hallucinating is cheap.
# For a *fixed* embedding that both misses and hallucinates, the hallucinated share of its loss falls as $k$ rises.
#
# The embedding does not stay fixed, though.
# The optimum answers cheap hallucinations with longer, more overlapping vectors, until hallucination makes up most of the little loss that is left.
# {numref}`fig-sec3-1-balance` shows it for features of equal importance, where everything is a formula.
# If all share, each has capacity $D/N$, and the loss is a fraction $2(1-\frac DN)/((k-3)\frac DN+2)$ of the variance of the target ([Section 3.3](sec3-3-allocation) derives it).
# If $D$ of them are kept and the others left out, it is $1-\frac DN$, whatever $k$ is.
# The two are equal at $k = 3$.

# %%
sweep, equal = np.geomspace(1.05, 60, 200), np.ones(n_features)
part = np.full((200, n_features), n_dims / n_features)
lengths = fc.best_sq_norm(part, equal, sweep[:, None])
variance = (sweep - 1) * n_features
missed = (sweep - 1) * ((lengths - 1) ** 2).sum(axis=1) / variance
shared = fc.loss_from_capacities(part, lengths, equal, sweep[:, None]) / variance

# %% mystnb={"figure": {"caption": "Equal features: the loss when all of them share, split into its two terms, against the loss when some are kept and the others left out (dashed). Sharing wins above kurtosis 3, and the sparser the inputs, the more of its loss is hallucination.", "name": "fig-sec3-1-balance"}, "image": {"alt": "Stacked areas over kurtosis. The total falls steadily and crosses a horizontal dashed line at kurtosis 3; the missed part shrinks fastest, the hallucinated part dominates at high kurtosis."}} tags=["hide-input"]
left_out = np.full(200, 1 - n_dims / n_features)
figures.loss_terms_against_kurtosis(sweep, missed, shared - missed, left_out)

# %% [markdown]
# With unequal importances it is the same trade: wherever the best network shares, it misses less than the one that keeps the top features, and pays with hallucinations.
# Forty random problems, minimized over $W$ without any theory, make no exception.

# %%
problems, k = rng.uniform(0.5, 1, (40, n_features)), rng.uniform(6, 40, (40, 1))
found = find(problems, k, n_dims, n_starts=16)
now_missed, hallucinated = fc.loss_terms(found.W, problems, k)
left = np.sort(problems, axis=1)[:, : n_features - n_dims]
kept_missed = (k[:, 0] - 1) * (left**2).sum(axis=1)
columns = {"keep the top: missed": kept_missed, "best: missed": now_missed}
pd.DataFrame(columns | {"best: hallucinated": hallucinated}).head(4).round(2)

# %% tags=["hide-input"]
glue("sec3-1-kurtosis", f"{kurtosis:g}", display=False)
covariances = product_covariances(A, moments["three points"])
squares = (np.diag(covariances) ** 2).sum() / (kurtosis - 1)
run.check(
    "sec3-2-loss-from-covariances",
    squares + (np.triu(covariances, 1) ** 2).sum(),
    fc.expected_loss(W, importance, kurtosis),
)
fixed_missed, fixed = fc.loss_terms(
    np.broadcast_to(W, (200, *W.shape)), importance, sweep[:, None]
)
run.check(
    "sec3-2-kurtosis-weakens-hallucination",
    np.diff(fixed / (fixed_missed + fixed)).max(),
)
run.check(
    "sec3-2-sharing-pays-above-three",
    brentq(
        lambda k: (
            (k - 1) * (n_features - n_dims)
            - fc.loss_at_best_lengths(part[0], equal, k).sum()
        ),
        2.0,
        5.0,
        xtol=1e-13,
    ),
)
shares = (np.abs(found.capacity - 0.5) < 0.5 - 1e-6).any(axis=1)
trade = (
    (now_missed < kept_missed)
    & (hallucinated > 0)
    & (now_missed + hallucinated < kept_missed)
)
if shares.any():
    run.check("sec3-2-tradeoff", trade[shares].mean())
else:
    run.not_applicable("sec3-2-tradeoff", "no feature shares at these settings")
run.badge()

# %% [markdown]
# ## Try it
#
# **By hand.** Above which kurtosis does the star with its vectors of length 1 beat the network that keeps two features?
# Why is the answer not 3?
#
# ```sh
# papermill notebooks/sec3_1_quadratic_model.ipynb out.ipynb --cwd notebooks -p kurtosis 4
# ```
#
# :::{admonition} Answer
# :class: dropdown
# The star hallucinates $2\cdot 6\cdot\frac14 = 3$ and misses nothing; keeping two costs $k-1$. So above $k=4$.
# Run it at `kurtosis` 4: the two losses are the same.
# Shorter vectors hallucinate less: with the best length, $\|w_i\|^2 = (k-1)/k$, the star costs $3(k-1)/k$, which is less than $k-1$ as soon as $k>3$.
# :::
#
# **Blind spots.** The network that keeps two features cannot tell inputs along feature 3 from silence.
# Which inputs can the star not tell from silence?
#
# :::{admonition} Answer
# :class: dropdown
# Three vectors at 120 degrees add up to zero, so $x = (a, a, a)$ gives 0 whatever $a$: three equal features at once cancel.
# Every network with fewer neurons than features has such inputs; it can only choose rare ones.
# :::
#
# **Dense inputs.** What do the numbers under {numref}`fig-sec3-1-maps` come to for uniform inputs that are never off, $k=1.8$?
#
# ```sh
# papermill notebooks/sec3_1_quadratic_model.ipynb out.ipynb --cwd notebooks -p kurtosis 1.8
# ```
#
# :::{admonition} Answer
# :class: dropdown
# Keeping two still misses a third of the variance. The star's hallucinations, 3, are now measured against a variance of $3\cdot 0.8$, so it costs 125 %: worse than a constant.
# :::
#
# **Nearly enough neurons.** With five neurons for six features, does sharing still start to pay at 3?
#
# ```sh
# papermill notebooks/sec3_1_quadratic_model.ipynb out.ipynb --cwd notebooks -p n_dims 5
# ```
#
# :::{admonition} Answer
# :class: dropdown
# Yes: the two losses of {numref}`fig-sec3-1-balance` are both smaller and meet at the same place. At $k=3$ missing and hallucinating weigh the same, whatever the numbers.
# :::
#
# ## What to remember
#
# - The {term}`expected loss` depends on the inputs through one number, the fourth moment $k$.
# - It weighs what is missed by $k-1$ and what is hallucinated by 2; sparse inputs make hallucination cheap.
# - Sharing starts to pay at $k=3$, and a network that shares has traded missed features for hallucinated pairs.
#
# Next: [who gets how much](sec3-3-allocation), when the loss is written in capacities.
