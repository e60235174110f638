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
# **Paper:** Appendix B, equations 36–48 {cite}`scherlis2022`.
# **Claims checked here:** {glue:text}`appb-claims`.
# **Run time:** a few seconds.
#
# :::{admonition} In one minute
# :class: tip
# The loss of the quadratic model has two sums, and each is about a covariance.
# With the square $x_i^2$ of a feature both target and model covary: these correlations are *true*.
# With a product $x_i x_j$ of two features only the model does: it reports a connection that the data does not have.
# We check both covariances, in fractions and by sampling, and then draw what a model believes.
# One thing may surprise: as inputs get very sparse, the best model hallucinates *more* in covariance and *less* in correlation.
# :::

# %% tags=["parameters"] quick={"n_samples": 20000}
n_features: int = 6  # features N [5 .. 10]
n_dims: int = 3  # neurons D, fewer than features [2 .. 4]
kurtosis: float = 9.0  # fourth moment k of a sampled feature [1.8 .. 40]
importance_ratio: float = 0.85  # importance of each feature over the one before it [0.5 .. 1]
n_samples: int = 400000  # sampled inputs [10000 .. 2000000]
seed: int = 0  # of everything random on this page [0 .. 1000000]

# %% tags=["hide-input"]
from fractions import Fraction
from itertools import product

import numpy as np
import pandas as pd
from myst_nb import glue

import feature_capacity as fc
from feature_capacity.book.claims.checks import open_page
from feature_capacity.figures import appB_correlations as figures

run = open_page(
    "appB_correlations",
    n_features=n_features,
    n_dims=n_dims,
    kurtosis=kurtosis,
    importance_ratio=importance_ratio,
    n_samples=n_samples,
    seed=seed,
)
glue("appb-claims", len(run.claims), display=False)
rng = np.random.default_rng(seed)

# %% [markdown]
# ## An exact judge
#
# We reuse the small world of {ref}`appa-expected-loss`: a few features with the two values $3$ and $-\frac13$, so that a covariance is a finite sum of fractions.
# Here are four features, two neurons and a bias; the bias must drop out of every covariance.

# %%
def world(a, n):
    """All outcomes of n features with values a and -1/a, and their probabilities."""
    law = [1 / (1 + a * a), a * a / (1 + a * a)]
    points = np.array(list(product([a, -1 / a], repeat=n)), dtype=object)
    return points, np.prod(np.array(list(product(law, repeat=n)), dtype=object), axis=1)


X, P = world(Fraction(3), 4)
W = np.array([[Fraction(int(e), 4) for e in row] for row in rng.integers(-6, 7, (2, 4))])
v = np.array([Fraction(2), Fraction(3, 2), Fraction(1), Fraction(1, 2)])
y = X**2 @ v
y_model = ((X @ W.T) ** 2).sum(axis=1) + Fraction(7, 10)
fourth_moment = P @ X[:, 0] ** 4


def cov(f, g):
    """Exact covariance of two functions of the input, given by their values at all outcomes."""
    return P @ (f * g) - (P @ f) * (P @ g)


def exactly(measured, reference=0):
    """Difference of two exact numbers or arrays of them: 0.0 only if they are equal."""
    return np.asarray(np.asarray(measured) - np.asarray(reference), dtype=float)


pairs = [(i, j) for i in range(4) for j in range(4) if i != j]

# %% [markdown]
# ## True correlations
#
# How does the target covary with the square of a feature?
# The target is a sum (the paper's equation 36),
#
# $$ \operatorname{Cov}[y, x_i^2] = \operatorname{Cov}\Big[\sum_j v_j x_j^2,\; x_i^2\Big] , $$ (eq-paper-36)
#
# of which only the term of feature $i$ itself is not independent of $x_i^2$ (37),
#
# $$ \operatorname{Cov}[y, x_i^2] = v_i \operatorname{Cov}[x_i^2, x_i^2] . $$ (eq-paper-37)
#
# That is a variance (38), and the second moment is 1 (39):
#
# $$ \operatorname{Cov}[y, x_i^2] = v_i\big(\mathbb{E}[x_i^4] - \mathbb{E}[x_i^2]^2\big) $$ (eq-paper-38)
#
# $$ \operatorname{Cov}[y, x_i^2] = v_i\big(\mathbb{E}[x_i^4] - 1\big) . $$ (eq-paper-39)

# %%
square = [X[:, i] ** 2 for i in range(4)]
of_target = [cov(y, s) for s in square]
term_by_term = [sum(v[j] * cov(square[j], s) for j in range(4)) for s in square]
own_term = [v[i] * cov(square[i], square[i]) for i in range(4)]
second_moment = [P @ s for s in square]
by_moments = [v[i] * (P @ square[i] ** 2 - second_moment[i] ** 2) for i in range(4)]

# %% [markdown]
# The model is a sum over pairs (equation 40),
#
# $$ \operatorname{Cov}[\tilde y, x_i^2] = \operatorname{Cov}\Big[\sum_{j,k}(W^\mathsf{T}W)_{jk}\,x_jx_k,\; x_i^2\Big] . $$ (eq-paper-40)
#
# A pair of two different features has no covariance with a square, even if one of them is feature $i$, because the other one has mean 0.
# What is left is the pair $(i,i)$ (equations 41 and 42):
#
# $$ \operatorname{Cov}[\tilde y, x_i^2] = (W^\mathsf{T}W)_{ii}\operatorname{Cov}[x_i^2,x_i^2] $$ (eq-paper-41)
#
# $$ \operatorname{Cov}[\tilde y, x_i^2] = \|w_i\|^2\big(\mathbb{E}[x_i^4]-1\big) . $$ (eq-paper-42)

# %%
gram = W.T @ W
of_model = [cov(y_model, s) for s in square]
over_pairs = [
    sum(gram[j, m] * cov(X[:, j] * X[:, m], s) for j in range(4) for m in range(4)) for s in square
]
own_pair = [gram[i, i] * cov(square[i], square[i]) for i in range(4)]
columns = {"target": of_target, "model": of_model}
pd.DataFrame(columns, index=[f"feature {i}" for i in range(1, 5)]).astype(str)

# %% [markdown]
# The table shows both covariances, as fractions, for these random weights: far apart.
# The model is right about feature $i$ when $\|w_i\|^2 = v_i$, and only then.

# %% tags=["hide-input"]
run.check("eq36-sum-of-covariances", exactly(of_target, term_by_term))
run.check("eq37-own-feature-only", exactly(of_target, own_term))
run.check("eq38-variance-of-the-square", exactly(of_target, by_moments))
run.check("eq39-true-covariance", exactly(of_target, v * (fourth_moment - 1)))
run.check("eq40-sum-over-pairs", exactly(of_model, over_pairs))
run.check("eq41-own-pair-only", exactly(of_model, own_pair))
run.check("eq42-model-covariance", exactly(of_model, (W**2).sum(axis=0) * (fourth_moment - 1)))
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
# The model, however (equations 45 to 47),
#
# $$ \operatorname{Cov}[\tilde y, x_ix_j] = \operatorname{Cov}\Big[\sum_{k,l}(W^\mathsf{T}W)_{kl}\,x_kx_l,\; x_ix_j\Big] \qquad (i\ne j) $$ (eq-paper-45)
#
# $$ \operatorname{Cov}[\tilde y, x_ix_j] = 2\,(W^\mathsf{T}W)_{ij}\operatorname{Cov}[x_ix_j, x_ix_j] $$ (eq-paper-46)
#
# $$ \operatorname{Cov}[\tilde y, x_ix_j] = 2\,(w_i\cdot w_j) . $$ (eq-paper-47)
#
# (eq-paper-48)=
# The product $x_ix_j$ occurs twice in the sum, as $ij$ and as $ji$, and it has variance $\mathbb{E}[x_i^2]\,\mathbb{E}[x_j^2] = 1$.
# No kurtosis enters: a product of two features has the same variance, however sparse they are.

# %%
of_products = [cov(y_model, X[:, i] * X[:, j]) for i, j in pairs]
spelled_out = [
    sum(gram[a, c] * cov(X[:, a] * X[:, c], X[:, i] * X[:, j]) for a in range(4) for c in range(4))
    for i, j in pairs
]
twice = [2 * gram[i, j] * cov(X[:, i] * X[:, j], X[:, i] * X[:, j]) for i, j in pairs]

# %% tags=["hide-input"]
run.check("eq44-data-has-none", exactly([cov(y, X[:, i] * X[:, j]) for i, j in pairs]))
run.check("eq45-sum-over-pairs", exactly(of_products, spelled_out))
run.check("eq46-counted-twice", exactly(of_products, twice))
run.check("eq47-hallucinated-covariance", exactly(of_products, [2 * gram[p] for p in pairs]))
run.badge()

# %% [markdown]
# ## The same by sampling
#
# Now with sparse features of kurtosis {glue:text}`appb-kurtosis`, and with the best embedding for them, shaken a little so that no covariance is zero by design.
# Covariances are estimated from {glue:text}`appb-samples` sampled inputs.

# %%
importance = importance_ratio ** np.arange(n_features)
inputs = fc.SparseUniform.from_kurtosis(kurtosis)
best = fc.optimal_embedding(fc.solve_allocation(importance, n_dims, kurtosis), generator=rng)
E = best + 0.1 * rng.standard_normal(best.shape)
x = inputs.sample((n_samples, n_features), rng)
read = ((x @ E.T) ** 2).sum(axis=1)
diagonal = np.arange(n_features)
first, second = np.triu_indices(n_features, 1)
glue("appb-kurtosis", f"{kurtosis:g}", display=False)
glue("appb-samples", f"{n_samples:,}", display=False)

# %%
def sampled_cov(output, i, j):
    """Sampled covariance with x_i x_j, whose mean is known, and its standard error."""
    terms = (output - output.mean())[:, None] * (x[:, i] * x[:, j] - (i == j))
    return terms.mean(axis=0), terms.std(axis=0) / np.sqrt(n_samples)


data = (x**2) @ importance
overlap = 2 * (E.T @ E)[first, second]
true_cov, true_error = sampled_cov(read, diagonal, diagonal)
seen, seen_error = sampled_cov(read, first, second)
absent, absent_error = sampled_cov(data, first, second)
lengths = (kurtosis - 1) * (E**2).sum(axis=0)

# %% mystnb={"figure": {"caption": "Sampled covariances of the model's output against the closed forms. (a) With the squares of the features. (b) With the products of two. Line: equality. Bars: four standard errors.", "name": "fig-appb-sampled"}, "image": {"alt": "Two scatter plots with error bars; all points lie on the diagonal line. Left, large positive covariances; right, small ones of both signs."}} tags=["hide-input"]
figures.sampled_covariances(
    {"true": (lengths, true_cov, true_error), "hallucinated": (overlap, seen, seen_error)}
)

# %% tags=["hide-input"]
run.check("eq42-sampled", true_cov, lengths, standard_error=true_error)
run.check("eq44-sampled", absent, np.zeros(absent.size), standard_error=absent_error)
run.check("eq47-sampled", seen, overlap, standard_error=seen_error)
run.badge()

# %% [markdown]
# ## From covariance to correlation
#
# Divide by standard deviations, and the numbers become comparable.
# The squares $x_i^2-1$ have variance $k-1$, the products variance 1, and they are all uncorrelated with one another:

# %%
functions = [*square, *(X[:, i] * X[:, j] for i, j in pairs if i < j)]
table = np.array([[cov(f, g) for f in functions] for g in functions])
wanted = np.diag([fourth_moment - 1] * 4 + [Fraction(1)] * 6)

# %% [markdown]
# The output is a combination of them and of nothing else.
# So, by Pythagoras, the squares of its correlations add up to 1: each *squared correlation is a share of the variance* of what the model says.
#
# $$ \begin{aligned} \operatorname{Corr}[\tilde y, x_i^2]^2 &= \frac{(k-1)\,n_i^2}{\operatorname{Var}\tilde y}, \qquad \operatorname{Corr}[\tilde y, x_ix_j]^2 = \frac{4\,(w_i\cdot w_j)^2}{\operatorname{Var}\tilde y}, \\ \operatorname{Var}\tilde y &= (k-1)\sum_i n_i^2 + 2\sum_{i\ne j}(w_i\cdot w_j)^2 . \end{aligned} $$ (eq-appb-correlation)
#
# We compute the variance another way, from all outcomes, and compare.
# The hallucinated share then needs only capacities and squared lengths.
# With $\sum_{j\ne i}(w_i\cdot w_j)^2 = n_i^2(1/C_i - 1)$,
#
# $$ \text{hallucinated share} = \frac{2\sum_i n_i^2\,(1/C_i-1)}{(k-1)\sum_i n_i^2 + 2\sum_i n_i^2\,(1/C_i-1)} . $$ (eq-appb-share)

# %%
def correlations(G, k):
    """Correlations of x^T G x with all squares (diagonal) and products (off it)."""
    scaled = np.where(np.eye(len(G), dtype=bool), np.sqrt(k - 1) * G, 2 * G)
    return scaled / np.linalg.norm(np.triu(scaled))


def share_from_capacities(C, n, k):
    true = (k - 1) * (n**2).sum(axis=-1)
    crowd = 2 * (n**2 * (1 / np.where(C > 0, C, 1) - 1)).sum(axis=-1)
    return crowd / (true + crowd)


shares = sum(cov(y_model, f) ** 2 / cov(f, f) for f in functions)
believed = correlations(E.T @ E, kurtosis)
off_diagonal = (np.triu(believed, 1) ** 2).sum()
capacity, sq_norm = fc.capacities(E), (E**2).sum(axis=0)

# %% [markdown]
# {numref}`fig-appb-panels` shows what the best models believe as the inputs get sparser.
# The data is a diagonal at every kurtosis.
# Below kurtosis 3 the best model keeps a few features and is silent about the others; it hallucinates nothing.
# Above, features begin to share, the less important ones later.
# The price is false connections, which fade again while the diagonal fills up.

# %%
shown = [2.0, 4.0, 8.0, 20.0, 100.0]
panels, heads = [correlations(np.diag(importance), kurtosis)], ["data"]
part = {}
for k in shown:
    solution = fc.solve_allocation(importance, n_dims, k)
    model = fc.optimal_embedding(solution, generator=np.random.default_rng(seed))
    panels.append(correlations(model.T @ model, k))
    part[k] = (np.triu(panels[-1], 1) ** 2).sum()
    heads.append(f"$k={k:g}$: {part[k]:.0%}")

# %% mystnb={"figure": {"caption": "What the data says, and what the best models say: correlations of the output with the square of each feature (diagonal) and with the product of each pair (off the diagonal). The number at the head is the hallucinated share of the variance.", "name": "fig-appb-panels"}, "image": {"alt": "Six square matrices. Data: a fading diagonal. Kurtosis 2: the diagonal stops after the first entries. Kurtosis 4: more features on the diagonal, with the first false connections. Kurtosis 8: a full diagonal among off-diagonal entries of both signs. Kurtosis 20 and 100: the off-diagonal entries fade and the diagonal approaches that of the data."}} tags=["hide-input"]
figures.correlation_panels(panels, heads)

# %% tags=["hide-input"]
run.check("appb-uncorrelated-functions", exactly(table, wanted))
run.check("appb-shares-add-up", exactly(shares, cov(y_model, y_model)))
run.check(
    "appb-share-from-capacities",
    off_diagonal,
    share_from_capacities(capacity, sq_norm, kurtosis),
)
run.check("appb-none-below-three", part[2.0])
run.badge()

# %% [markdown]
# ## More, but fainter
#
# The covariances that a model hallucinates do not shrink as inputs get sparser.
# They grow: embedding vectors get longer, since sharing features may come closer to the length that their importance asks for.
# But beside the variance of a sparse square, which is $k-1$, they matter less and less.
# Once all features share, the part of the output that is hallucination falls as $1/k$.
#
# For features of equal importance all this is explicit: with $C = D/N$ and $n = \frac{(k-1)C}{(k-3)C+2}$, the root mean square covariance is proportional to $n$, and the share is $\frac{2(1/C-1)}{k-1+2(1/C-1)}$.

# %%
sparser = np.geomspace(3, 1e5, 400)
equal = np.full((400, n_features), n_dims / n_features)
n_equal = fc.best_sq_norm(equal, np.ones(n_features), sparser[:, None])
share_equal = share_from_capacities(equal, n_equal, sparser)
order = np.diff(np.log(share_equal[-2:]))[0] / np.diff(np.log(sparser[-2:]))[0]

sweep = np.geomspace(1.05, 100, 500)
rows = np.broadcast_to(importance, (500, n_features))
optimum = fc.solve_allocation(rows, n_dims, sweep[:, None])
C, n = optimum.capacity, optimum.sq_norm
hidden = (n**2 * (1 / np.where(C > 0, C, 1) - 1)).sum(axis=1)
rms = 2 * np.sqrt(hidden / (n_features * (n_features - 1)))

# %% mystnb={"figure": {"caption": "The best models of this page over kurtosis. (a) The typical covariance that they hallucinate. (b) Which part of the variance of their output it makes up. Dotted: kurtosis 3, where features of equal importance would begin to share; unequal ones begin later.", "name": "fig-appb-fainter"}, "image": {"alt": "Left: zero until a little above kurtosis 3, then a curve that rises and levels off. Right: the hallucinated share rises from zero there, has a peak, and then declines toward zero."}} tags=["hide-input"]
figures.more_but_fainter(sweep, rms, share_from_capacities(C, n, sweep))

# %% tags=["hide-input"]
run.check("appb-covariance-grows", np.diff(n_equal[:, 0]))
run.check("appb-share-fades", order)
run.badge()

# %% [markdown]
# ## Can it be avoided?
#
# Section 3.2 says that a model which cannot represent everything trades one kind of error for the other.
# It has no third way: more unit vectors than dimensions cannot all be orthogonal.
# The squares of their inner products add up to at least $N^2/D - N$ (the Welch bound), because the Gram matrix has trace $N$ and at most $D$ eigenvalues that are not zero.
# So every model that represents more features than it has neurons hallucinates; one that represents no more need not.

# %%
unit = rng.standard_normal((2000, n_dims, n_features))
unit /= np.linalg.norm(unit, axis=1, keepdims=True)
least = n_features**2 / n_dims - n_features
tight = fc.embedding_from_capacities(equal[0], generator=rng)
tight = tight / np.linalg.norm(tight, axis=0)

# %% [markdown]
# The bound is attained by embeddings in which every feature has capacity $D/N$: those of section 4 ({ref}`sec4-geometry`).

# %% tags=["hide-input"]
run.check("appb-hallucination-is-forced", fc.interference(unit).sum(axis=-1) - least)
run.check("appb-welch-attained", fc.interference(tight).sum(), least)
run.badge()

# %% [markdown]
# ## Does it agree with the paper?
#
# Yes: both covariances are as stated, for lopsided features as well as for sparse ones.
#
# All verdicts of this page are among {ref}`claims`, with what each measurement came to.
#
# ## Try it
#
# Paste a command at the root of the project; the executed page is then in `out.ipynb`.
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
# **A crowd.** Ten features in two dimensions: does everybody find a place in the sparse panels?
#
# ```sh
# papermill notebooks/appB_correlations.ipynb out.ipynb --cwd notebooks -p n_features 10 -p n_dims 2
# ```
#
# :::{admonition} Answer
# :class: dropdown
# At $k=20$ all ten share, though the last one has 2% of a dimension; at $k=8$ four of them are ignored.
# Hallucination peaks at a quarter of the variance, and fades like $1/k$ here too.
# :::
#
# ## What we saw
#
# * With $x_i^2$ the target has covariance $(k-1)v_i$ and the model $(k-1)\|w_i\|^2$: the first sum of the loss compares the two.
# * With $x_ix_j$ the target has none and the model $2\,w_i\cdot w_j$, at any kurtosis: the second sum of the loss.
# * Squared correlations are shares of the variance. With sparser inputs the {term}`hallucinated <hallucinated correlation>` covariances grow, and their share fades.
#
# Next: {ref}`appc-minimization` minimizes the loss.
