# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# (appb-correlations)=
# # Appendix B: true and hallucinated correlations
#
# What does a network with too few neurons believe about its inputs?
# Ask how its output moves together with the square of each feature, and with the product of each pair.
# {numref}`fig-appb-panels` shows both, for the data and for the best models at five kurtoses.
# In the data the output goes with squares only, a diagonal.
# The models leave gaps on the diagonal when inputs are dense, and see connections beside it when they are sparse: correlations that the data does not have, {term}`hallucinated <hallucinated correlation>` ones.
#
# **Paper:** Appendix B, for section 3.2 {cite}`scherlis2022`.
# **Run time:** under a minute.

# %% tags=["parameters", "hide-input"] quick={"n_samples": 20000}
n_features: int = 6  # features N [5 .. 10]
n_dims: int = 3  # neurons D, fewer than features [2 .. 4]
kurtosis: float = 9.0  # fourth moment k of a sampled feature [1.8 .. 40]
importance_ratio: float = 0.85  # each importance over the one before it [0.5 .. 1]
n_samples: int = 400000  # sampled inputs [10000 .. 2000000]
seed: int = 0  # of everything random on this page [0 .. 1000000]

# %% tags=["hide-input"]
from fractions import Fraction

import numpy as np
import pandas as pd
from myst_nb import glue

import feature_capacity as fc
from feature_capacity.book.claims.checks import open_page
from feature_capacity.figures import appB_correlations as figures
from feature_capacity.theory.direct_search import embedding_by_lbfgs
from feature_capacity.theory.enumeration import (
    covariances,
    product_covariances,
    two_point_outcomes,
)
from feature_capacity.theory.hallucination import (
    hallucinated_share,
    output_correlations,
)
from feature_capacity.theory.locate import observed_order

run = open_page(
    "appB_correlations",
    n_features=n_features,
    n_dims=n_dims,
    kurtosis=kurtosis,
    importance_ratio=importance_ratio,
    n_samples=n_samples,
    seed=seed,
)
rng = np.random.default_rng(seed)

# %%
importance = importance_ratio ** np.arange(n_features)
panels, heads = [output_correlations(np.diag(importance), kurtosis)], ["data"]
for k in (2.0, 4.0, 8.0, 20.0, 100.0):
    best = fc.solve_allocation(importance, n_dims, k)
    W = fc.optimal_embedding(best, generator=np.random.default_rng(seed))
    panels.append(output_correlations(W.T @ W, k))
    heads.append(f"$k={k:g}$: {hallucinated_share(best.capacity, best.sq_norm, k):.0%}")

# %% mystnb={"figure": {"caption": "What the data says, and what the best models say: correlations of the output with the square of each feature (diagonal) and with the product of each pair (off the diagonal). The number at the head is the hallucinated share of the variance.", "name": "fig-appb-panels"}, "image": {"alt": "Six square matrices. Data: a fading diagonal. Kurtosis 2: the diagonal stops after the first entries. Kurtosis 4: more features on the diagonal, with the first false connections. Kurtosis 8: a full diagonal among off-diagonal entries of both signs. Kurtosis 20 and 100: the off-diagonal entries fade and the diagonal approaches that of the data."}} tags=["hide-input"]
figures.correlation_panels(panels, heads)

# %% [markdown]
# A pair of opposite vectors in one dimension shows how it comes about.
# The model answers $(x_1-x_2)^2 = x_1^2 + x_2^2 - 2x_1x_2$, and the last term is what nobody asked for.
# Its covariances with $x_1^2$, $x_2^2$ (diagonal) and $x_1x_2$ (off it), at kurtosis 9:

# %%
import numpy as np

from feature_capacity.theory.enumeration import product_covariances

pair = np.array([[1, -1]])
product_covariances(pair.T @ pair, [1, 0, 1, 0, 9])

# %% [markdown]
# On the diagonal $k-1=8$, as in the data; off it $-2$ instead of 0.
# The next two sections derive these numbers, in the paper's order.
#
# ## True correlations
#
# How does the target covary with the square of a feature?
# The target is a sum,
#
# $$ \operatorname{Cov}[y, x_i^2] = \operatorname{Cov}\Big[\sum_j v_j x_j^2,\; x_i^2\Big] , $$ (eq-paper-36)
#
# of which only the term of feature $i$ itself is not independent of $x_i^2$,
#
# $$ \operatorname{Cov}[y, x_i^2] = v_i \operatorname{Cov}[x_i^2, x_i^2] . $$ (eq-paper-37)
#
# That is a variance, and the second moment is 1:
#
# $$ \operatorname{Cov}[y, x_i^2] = v_i\big(\mathbb{E}[x_i^4] - \mathbb{E}[x_i^2]^2\big) $$ (eq-paper-38)
#
# $$ \operatorname{Cov}[y, x_i^2] = v_i\big(\mathbb{E}[x_i^4] - 1\big) . $$ (eq-paper-39)

# To check every step without rounding we take a small world, that of {ref}`appa-expected-loss`: four features with the two values $3$ and $-\frac13$.
# A covariance is then a finite sum of fractions.
# The bias of the model must drop out of all of them.

# %%
x, chance = two_point_outcomes(Fraction(3), 4)
quarters = rng.integers(-6, 7, (2, 4)).tolist()
W = np.array([[Fraction(e, 4) for e in row] for row in quarters])
v = np.array([Fraction(2), Fraction(3, 2), Fraction(1), Fraction(1, 2)])
target, output = x**2 @ v, ((x @ W.T) ** 2).sum(axis=1) + Fraction(7, 10)
both = covariances(np.stack([target, output], axis=1), x**2, chance)
pd.DataFrame(both, ["target", "model"], [f"x_{i}²" for i in range(1, 5)]).astype(str)

# %% [markdown]
# The model is a sum over pairs,
#
# $$ \operatorname{Cov}[\tilde y, x_i^2] = \operatorname{Cov}\Big[\sum_{j,k}(W^TW)_{jk}\,x_jx_k,\; x_i^2\Big] . $$ (eq-paper-40)
#
# A pair of two different features has no covariance with a square, even if one of them is feature $i$, because the other one has mean 0.
# What is left is the pair $(i,i)$:
#
# $$ \operatorname{Cov}[\tilde y, x_i^2] = (W^TW)_{ii}\operatorname{Cov}[x_i^2,x_i^2] $$ (eq-paper-41)
#
# $$ \operatorname{Cov}[\tilde y, x_i^2] = \|w_i\|^2\big(\mathbb{E}[x_i^4]-1\big) . $$ (eq-paper-42)

# The table shows both covariances for random weights: far apart.
# The model is right about feature $i$ when $\|w_i\|^2 = v_i$, and only then.

# %% tags=["hide-input"]
gram, fourth = W.T @ W, chance @ x[:, 0] ** 4
first, second = np.triu_indices(4)
pairs = x[:, first] * x[:, second]  # products of two features, squares among them
own = covariances(x**2, x**2, chance)
weight = np.where(first == second, 1, 2) * gram[first, second]
second_moment = chance @ x**2
run.check("eq36-sum-of-covariances", both[0] - v @ own)
run.check("eq37-own-feature-only", both[0] - v * np.diag(own))
variance = chance @ x**4 - second_moment**2
run.check("eq38-variance-of-the-square", both[0] - v * variance)
run.check("eq39-true-covariance", both[0] - v * (fourth - 1))
run.check("eq40-sum-over-pairs", both[1] - weight @ covariances(pairs, x**2, chance))
run.check("eq41-own-pair-only", both[1] - np.diag(gram) * np.diag(own))
run.check("eq42-model-covariance", both[1] - (W**2).sum(axis=0) * (fourth - 1))
run.badge()

# %% [markdown]
# ## Hallucinated correlations
#
# (eq-paper-43)=
# The numbers 43 and 48 of the paper belong to empty lines.
# Equation 44 is about the data: a target made of squares knows nothing of products of two different features.
#
# $$ \operatorname{Cov}[y, x_ix_j] = 0 \qquad (i\ne j) $$ (eq-paper-44)
#
# The model, however,
#
# $$ \operatorname{Cov}[\tilde y, x_ix_j] = \operatorname{Cov}\Big[\sum_{k,l}(W^TW)_{kl}\,x_kx_l,\; x_ix_j\Big] \qquad (i\ne j) $$ (eq-paper-45)
#
# $$ \operatorname{Cov}[\tilde y, x_ix_j] = 2\,(W^TW)_{ij}\operatorname{Cov}[x_ix_j, x_ix_j] $$ (eq-paper-46)
#
# $$ \operatorname{Cov}[\tilde y, x_ix_j] = 2\,(w_i\cdot w_j) . $$ (eq-paper-47)
#
# (eq-paper-48)=
# The product $x_ix_j$ occurs twice in the sum, as $ij$ and as $ji$, and it has variance $\mathbb{E}[x_i^2]\,\mathbb{E}[x_j^2] = 1$.
# No kurtosis enters: a product of two features has the same variance, however sparse they are.


# %%
apart = first < second
products = pairs[:, apart]
columns = [f"x_{i + 1}x_{j + 1}" for i, j in np.argwhere(np.triu(np.ones((4, 4)), 1))]
crossed = covariances(np.stack([target, output], axis=1), products, chance)
pd.DataFrame(crossed, ["target", "model"], columns).astype(str)

# %% tags=["hide-input"]
inner = gram[first, second][apart]
run.check("eq44-data-has-none", crossed[0])
spelled_out = weight @ covariances(pairs, products, chance)
run.check("eq45-sum-over-pairs", crossed[1] - spelled_out)
variance = np.diag(covariances(products, products, chance))
run.check("eq46-counted-twice", crossed[1] - 2 * inner * variance)
run.check("eq47-hallucinated-covariance", crossed[1] - 2 * inner)
run.badge()

# %% [markdown]
# ## The same by sampling
#
# Now with sparse features of kurtosis {glue:text}`appb-kurtosis`, and with the best embedding for them, shaken a little so that no covariance is zero by design.
# Covariances are estimated from {glue:text}`appb-samples` sampled inputs.

# %%
inputs = fc.SparseUniform.from_kurtosis(kurtosis)
best = fc.solve_allocation(importance, n_dims, kurtosis)
E = fc.optimal_embedding(best, generator=rng)
E = E + 0.1 * rng.standard_normal(E.shape)
x = inputs.sample((n_samples, n_features), rng)
i, j = np.triu_indices(n_features)
centered = x[:, i] * x[:, j] - (i == j)  # less the known mean

# %%
answers = np.stack([(x**2) @ importance, ((x @ E.T) ** 2).sum(axis=1)])
answers -= answers.mean(axis=1, keepdims=True)
estimate = answers @ centered / n_samples
error = np.sqrt((answers**2 @ centered**2 / n_samples - estimate**2) / n_samples)
closed = np.where(i == j, kurtosis - 1, 2) * (E.T @ E)[i, j]

# %% mystnb={"figure": {"caption": "Sampled covariances of the model's output against the closed forms. (a) With the squares of the features. (b) With the products of two. Line: equality. Bars: four standard errors.", "name": "fig-appb-sampled"}, "image": {"alt": "Two scatter plots with error bars; all points lie on the diagonal line. Left, large positive covariances; right, small ones of both signs."}} tags=["hide-input"]
square, cross = i == j, i < j
figures.sampled_covariances({
    "true": (closed[square], estimate[1, square], error[1, square]),
    "hallucinated": (closed[cross], estimate[1, cross], error[1, cross]),
})  # fmt: skip

# %% tags=["hide-input"]
glue("appb-kurtosis", f"{kurtosis:g}", display=False)
glue("appb-samples", f"{n_samples:,}", display=False)
wanted = np.stack([np.where(square, (kurtosis - 1) * importance[i], 0), closed])
run.check("eq42-sampled", estimate[1, square], wanted[1, square], error[1, square])
run.check("eq44-sampled", estimate[0, cross], wanted[0, cross], error[0, cross])
run.check("eq47-sampled", estimate[1, cross], wanted[1, cross], error[1, cross])
run.badge()

# %% [markdown]
# ## From covariance to correlation
#
# Divide by standard deviations, and the numbers become comparable.
# The squares $x_i^2-1$ have variance $k-1$, the products variance 1, and they are all uncorrelated with one another.
# The output is a combination of them and of nothing else.
# So, by Pythagoras, the squares of its correlations add up to 1: each *squared correlation is a share of the variance* of what the model says.
#
# $$ \begin{aligned} \operatorname{Corr}[\tilde y, x_i^2]^2 &= \frac{(k-1)\,n_i^2}{\operatorname{Var}\tilde y}, \qquad \operatorname{Corr}[\tilde y, x_ix_j]^2 = \frac{4\,(w_i\cdot w_j)^2}{\operatorname{Var}\tilde y}, \\ \operatorname{Var}\tilde y &= (k-1)\sum_i n_i^2 + 2\sum_{i\ne j}(w_i\cdot w_j)^2 . \end{aligned} $$ (eq-appb-correlation)
#
# The hallucinated share then needs only capacities and squared lengths.
# With $\sum_{j\ne i}(w_i\cdot w_j)^2 = n_i^2(1/C_i - 1)$,
#
# $$ \text{hallucinated share} = \frac{2\sum_i n_i^2\,(1/C_i-1)}{(k-1)\sum_i n_i^2 + 2\sum_i n_i^2\,(1/C_i-1)} . $$ (eq-appb-share)
#
# These shares stand at the heads of {numref}`fig-appb-panels`.
# Below kurtosis 3 there are none: the best model keeps a few features and is silent about the others.
# Is that so of networks that have not heard of the theory?
# Here are the shares of embeddings that an optimizer found for random importances, at kurtoses below 3 and, last, above:

# %%
low = np.array([1.2, 1.6, 2.0, 2.4, 2.7, 6.0])
tasks = rng.lognormal(sigma=0.3, size=(6, 5))
minima = [embedding_by_lbfgs(v, k, 2, rng, 5) for v, k in zip(tasks, low, strict=True)]
beliefs = [output_correlations(W.T @ W, k) for W, k in zip(minima, low, strict=True)]
found = np.array([(np.triu(belief, 1) ** 2).sum() for belief in beliefs])
found.round(9)

# %% tags=["hide-input"]
table = covariances(pairs, pairs, chance)
wanted = np.diag(np.where(first == second, fourth - 1, Fraction(1)))
run.check("appb-uncorrelated-functions", table - wanted)
with_all = covariances(output[:, None], pairs, chance)[0]
total = covariances(output[:, None], output[:, None], chance)[0, 0]
run.check("appb-shares-add-up", (with_all**2 / np.diag(table)).sum() - total)
off_diagonal = (np.triu(output_correlations(E.T @ E, kurtosis), 1) ** 2).sum()
by_capacity = hallucinated_share(fc.capacities(E), (E**2).sum(axis=0), kurtosis)
run.check("appb-share-from-capacities", off_diagonal, by_capacity)
run.check("appb-none-below-three", found[:-1])
run.badge()

# %% [markdown]
# ## More, but fainter
#
# The covariances that a model hallucinates do not shrink as inputs get sparser.
# They grow: embedding vectors get longer, since sharing features may come closer to the length that their importance asks for.
# But beside the variance of a sparse square, which is $k-1$, they matter less and less.
# Once all features share, the part of the output that is hallucination falls as $1/k$.
#
# For features of equal importance all this is explicit: with $C = D/N$ and $n = \frac{(k-1)C}{(k-3)C+2}$, the root mean square covariance is proportional to $n$, and the share is
#
# $$ \frac{2(1/C-1)}{k-1+2(1/C-1)} . $$

# %%
sweep = np.geomspace(1.05, 100, 500)
optimum = fc.solve_allocation(importance + np.zeros((500, 1)), n_dims, sweep[:, None])
C, n = optimum.capacity, optimum.sq_norm
hidden = (n**2 * (1 / np.where(C > 0, C, 1) - 1)).sum(axis=1)
rms = 2 * np.sqrt(hidden / (n_features * (n_features - 1)))

# %% mystnb={"figure": {"caption": "The best models of this page over kurtosis. (a) The typical covariance that they hallucinate. (b) Which part of the variance of their output it makes up. Dotted: kurtosis 3, where features of equal importance would begin to share; unequal ones begin later.", "name": "fig-appb-fainter"}, "image": {"alt": "Left: zero until a little above kurtosis 3, then a curve that rises and levels off. Right: the hallucinated share rises from zero there, has a peak, and then declines toward zero."}} tags=["hide-input"]
figures.more_but_fainter(sweep, rms, hallucinated_share(C, n, sweep))

# %% [markdown]
# ## Can it be avoided?
#
# Section 3.2 says that a model which cannot represent everything trades one kind of error for the other.
# It has no third way: more unit vectors than dimensions cannot all be orthogonal.
# The squares of their inner products add up to at least $N^2/D - N$ (the Welch bound), because the Gram matrix has trace $N$ and at most $D$ eigenvalues that are not zero.
# So every model that represents more features than it has neurons hallucinates; one that represents no more need not.
# Two thousand sets of random unit vectors, the luckiest of them, and the bound:

# %%
unit = rng.standard_normal((2000, n_dims, n_features))
unit /= np.linalg.norm(unit, axis=1, keepdims=True)
least = n_features**2 / n_dims - n_features
crowds = fc.interference(unit).sum(axis=-1)
float(crowds.min().round(3)), least

# %% [markdown]
# The bound is attained by embeddings in which every feature has capacity $D/N$: those of section 4 ({ref}`sec4-geometry`), and those that minimize the loss of equal features.

# %% tags=["hide-input"]
rare = np.geomspace(1e4, 1e5, 5)
hidden = []
for k in rare:
    W = fc.optimal_embedding(fc.solve_allocation(importance, n_dims, k), generator=rng)
    believed = product_covariances(W.T @ W, [1, 0, 1, 0, k])
    true, false = np.diag(believed) ** 2 / (k - 1), np.triu(believed, 1) ** 2
    hidden.append(false.sum() / (true.sum() + false.sum()))
W = embedding_by_lbfgs(np.ones(n_features), 1e4, n_dims, rng, 2)
share = (np.triu(output_correlations(W.T @ W, 1e4), 1) ** 2).sum()
sparser = np.geomspace(3, 1e5, 400)
even = np.full((400, n_features), n_dims / n_features)
lengths = fc.best_sq_norm(even, np.ones(n_features), sparser[:, None])[:, 0]
tight = fc.embedding_from_capacities(even[0], generator=rng)
tight = tight / np.linalg.norm(tight, axis=0)
run.check("appb-covariance-grows", np.diff(lengths))
run.check("appb-share-fades-order", observed_order(rare, hidden))
run.check("appb-share-fades-coefficient", share * 1e4 / (2 * (n_features / n_dims - 1)))
run.check("appb-hallucination-is-forced", crowds - least)
run.check("appb-welch-attained", fc.interference(tight).sum(), least)
run.badge()

# %% [markdown]
# ## Try it
#
# **By hand.** Two unit vectors at an angle $t$: which covariance with $x_1x_2$ does the model have, and at which angle does it hallucinate most?
#
# :::{admonition} Answer
# :class: dropdown
# $2\cos t$: most when they are parallel or opposite, nothing at a right angle.
# Whether the network gets $x_1x_2$ too often or too rarely is a matter of the sign.
# :::
#
# **Very unequal features.** What do the panels look like when each feature has half the importance of the one before?
#
# ```sh
# papermill notebooks/appB_correlations.ipynb out.ipynb --cwd notebooks -p importance_ratio 0.5
# ```
#
# :::{admonition} Answer
# :class: dropdown
# The first feature has a dimension of its own in every panel, and the second in all but the sparsest, so the false connections live among the later ones, which contribute little to the output.
# They never make up even 1% of its variance, against 15% before.
# :::
#
# **One neuron short.** Five features in four dimensions cannot all be orthogonal either.
# How much hallucination is forced now, and how much do the best models show?
#
# ```sh
# papermill notebooks/appB_correlations.ipynb out.ipynb --cwd notebooks -p n_features 5 -p n_dims 4
# ```
#
# :::{admonition} Answer
# :class: dropdown
# The squares of the inner products of unit vectors add up to at least $25/4 - 5 = 5/4$, where six features in three dimensions had 6.
# The best models hallucinate at most 5% of the variance of their output, a third of what six in three do.
# :::
#
# ## To remember
#
# - With $x_i^2$ the target has covariance $(k-1)v_i$ and the model $(k-1)\|w_i\|^2$: the first sum of the loss compares the two.
# - With $x_ix_j$ the target has none and the model $2\,w_i\cdot w_j$, at any kurtosis: the second sum of the loss.
# - Squared correlations are shares of the variance. With sparser inputs the hallucinated covariances grow, and their share fades.
#
# Next: {ref}`appc-minimization` minimizes the loss.
