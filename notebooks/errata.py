# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# (errata)=
# # Errata, shown by computation
#
# **Paper:** slips of the pen in sections 2 to 4 and in appendices A, C and E, and one statement left unchecked {cite}`scherlis2022`.
# **Claims checked here:** {glue:text}`errata-claims`.
# **Run time:** under a minute.
#
# :::{admonition} In one minute
# :class: tip
# What follows leaves the results of the paper as they are.
# Most entries are slips that a careful reader repairs in passing, and some may belong to the text version that we worked from.
# We list them because a reader who *computes* with the printed form gets wrong numbers.
# For each one there is a computation that tells the printed form from the corrected one: the corrected form is checked and *agrees*; the printed form is checked in the same way and *differs*.
# One item goes the other way: the authors wrote that they had not checked a statement on the best unembedding, and it is true.
# A table of all of them, and of our choices where the paper is silent, is in {ref}`deviations`.
# :::

# %% tags=["parameters"] quick={"n_samples": 20000}
n_features: int = 6  # features N [5 .. 8]
n_dims: int = 3  # neurons D [2 .. 4]
kurtosis: float = 9.0  # fourth moment k of a feature [1.8 .. 60]
n_samples: int = 200000  # sampled inputs [10000 .. 1000000]
seed: int = 0  # of everything random on this page [0 .. 1000000]

# %% tags=["hide-input"]
import numpy as np
import pandas as pd
from myst_nb import glue
from scipy.optimize import minimize

import feature_capacity as fc
from feature_capacity.book.claims.checks import open_page
from feature_capacity.figures import errata as figures

run = open_page(
    "errata",
    n_features=n_features,
    n_dims=n_dims,
    kurtosis=kurtosis,
    n_samples=n_samples,
    seed=seed,
)
glue("errata-claims", len(run.claims), display=False)
rng = np.random.default_rng(seed)

# %% [markdown]
# (errata-bias-term)=
# ## Equations 30 to 32: the bias term
#
# Appendix A expands $\mathbb{E}[(x^\mathsf{T}Ax+b)^2]$ with $A = W^\mathsf{T}W-\operatorname{diag}(v)$.
# The cross term is $2b\,\mathbb{E}[x^\mathsf{T}Ax] = 2b\sum_i A_{ii}$.
# Equations 30, 31 and 32 print $2b\sum_i A_{ii}^2$ instead.
# Equation 33 is right, but it does not follow from the printed 32: there would be no square to complete.
#
# The first judge is the sum over all exact moments.

# %%
def moment_table(moments, n, order):
    """E[x_i x_j ...] for all tuples, from how often each feature occurs in them."""
    index = np.indices((n,) * order).reshape(order, -1)
    counts = (index[:, :, None] == np.arange(n)).sum(axis=0)
    return np.asarray(moments)[counts].prod(axis=1).reshape((n,) * order)


importance = 0.9 ** np.arange(n_features)
W = rng.standard_normal((n_dims, n_features)) * 0.4
A = W.T @ W - np.diag(importance)
inputs = fc.SparseUniform.from_kurtosis(kurtosis)
moments = [inputs.moment(order) for order in range(5)]
fourth, second = (moment_table(moments, n_features, order) for order in (4, 2))

diagonal, cross = np.diag(A), 2 * ((A**2).sum() - (np.diag(A) ** 2).sum())
bias = np.linspace(-5, 5, 101)
without_bias = (kurtosis - 1) * (diagonal**2).sum() + diagonal.sum() ** 2 + cross
corrected = without_bias + 2 * bias * diagonal.sum() + bias**2
printed = without_bias + 2 * bias * (diagonal**2).sum() + bias**2
enumerated = np.einsum("ij,kl,ijkl", A, A, fourth) + bias**2
enumerated += 2 * bias * np.einsum("ij,ij", A, second)

# %% [markdown]
# The second judge is sampling.

# %%
x = inputs.sample((n_samples, n_features), rng)
form = ((x @ W.T) ** 2).sum(axis=1) - (importance * x**2).sum(axis=1)
some = np.arange(10, 101, 20)
losses = (form[:, None] + bias[some]) ** 2
mean, error = losses.mean(axis=0), losses.std(axis=0) / np.sqrt(n_samples)

# %% mystnb={"figure": {"caption": "Equation 32 with the bias term as printed and as corrected, against sampled losses (bars: four standard errors).", "name": "fig-errata-bias"}, "image": {"alt": "Two parabolas of expected loss over the bias. Sampled points with small error bars lie on the corrected one; the printed one has its minimum elsewhere."}} tags=["hide-input"]
figures.bias_term(bias, corrected, printed, (bias[some], mean, 4 * error))

# %% tags=["hide-input"]
run.check("errata-bias-term-corrected", corrected, enumerated)
run.check("errata-bias-term-printed", printed, enumerated)
run.check("errata-bias-term-sampled", mean, corrected[some], standard_error=error)
run.check("errata-bias-term-printed-sampled", mean, printed[some], standard_error=error)
run.badge()

# %% [markdown]
# (errata-two-multipliers)=
# ## One letter for two multipliers
#
# In section 2.2, $\lambda$ is the multiplier of the budget: what a little more total capacity would save, per unit.
# In equations 15 to 18 and 55 to 58, $\lambda$ is the ratio $n_i/C_i$ of the features that share.
# Both are called multiplier, so one expects them to be one number.
#
# We measure the first without either formula: solve the allocation for a slightly larger and a slightly smaller budget, and see what the difference in budget saves.

# %%
k_safe = max(kurtosis, 3.5)


def best_loss(budget):
    found = fc.allocate(
        lambda c: fc.marginal_benefit(c, importance, k_safe),
        budget,
        n_features=n_features,
    )
    return fc.loss_at_best_lengths(found.capacity, importance, k_safe).sum()


step = 1e-3
saved = (best_loss(n_dims - step) - best_loss(n_dims + step)) / (2 * step)
ratio = float(fc.solve_allocation(importance, n_dims, k_safe).multiplier)
glue("errata-saved", f"{saved:.4f}", display=False)
glue("errata-ratio", f"{ratio:.4f}", display=False)

# %% [markdown]
# The one is {glue:text}`errata-saved`, the other {glue:text}`errata-ratio`, and the first is twice the square of the second.
# No conclusion of the paper mixes them up.

# %% tags=["hide-input"]
run.check("errata-two-multipliers-corrected", saved / (2 * ratio**2))
run.check("errata-two-multipliers-printed", saved / ratio)
run.badge()

# %% [markdown]
# (errata-curvature)=
# ## Section 3.6: convex and concave
#
# One sentence says that from dense to sparse inputs the marginal loss curves go from convex to flat to concave; two sentences later they are concave for dense inputs.
# The first is true of the loss *reduction*, the second of the *loss*, and neither of the curves of marginal benefit that Figure 4 plots.
# Those are $2\,((k-1)v/((k-3)C+2))^2$, and convex on *both* sides: what changes at $k=3$ is whether they fall or rise.
# Section 2.2 has the clean statement: returns diminish when $\partial^2 L/\partial C^2 > 0$, that is, when the loss is convex in capacity, and that is the sparse side.
# We take second differences of the loss, and of the marginal benefit, at two kurtoses on each side.

# %%
capacity = np.linspace(0, 1, 101)
cases = {k: np.full(capacity.size, 1.0) for k in (1.5, 2.4, 6.0, 25.0)}
loss = {k: fc.loss_at_best_lengths(capacity, one, k) / (k - 1) for k, one in cases.items()}
benefit = {k: fc.marginal_benefit(capacity, one, k) / 2 for k, one in cases.items()}
bends = {k: np.diff(curve, 2) for k, curve in loss.items()}
signed = np.concatenate([bends[k] * np.sign(k - 3) for k in cases])
lowest = min(np.diff(curve, 2).min() for curve in benefit.values())

# %% mystnb={"figure": {"caption": "Left: the loss of a feature is concave in its capacity for dense inputs ($k<3$) and convex for sparse ones ($k>3$). Right, on a logarithmic axis: its marginal benefit rises for dense inputs and falls for sparse ones; on a linear axis all four curves are convex.", "name": "fig-errata-curvature"}, "image": {"alt": "Left: four curves of loss from 1 to 0, two bending down and two bending up. Right: their marginal benefits, two rising and two falling to a common value at capacity 1."}} tags=["hide-input"]
figures.curvature(capacity, {f"$k={k:g}$": (loss[k], benefit[k]) for k in cases})

# %% tags=["hide-input"]
run.check("errata-curvature-corrected", signed)
run.check("errata-curvature-printed-sequence", -signed)
run.check("errata-curvature-printed-curves", lowest)
run.badge()

# %% [markdown]
# (errata-sign)=
# ## Figure 4: a sign
#
# The caption calls $\partial L/\partial C_i$ the marginal loss reduction; the text below it and Figure 2 call $-\partial L/\partial C_i$ so.
# Capacity lowers the loss, so the reduction is the one with the minus sign.

# %%
slope = np.gradient(loss[6.0], capacity, edge_order=2)[1:-1]

# %% tags=["hide-input"]
run.check("errata-sign-of-benefit-corrected", -slope)
run.check("errata-sign-of-benefit-printed", slope, np.abs(slope))
run.badge()

# %% [markdown]
# (errata-lengths-only)=
# ## Section 3: what the loss depends on
#
# The opening of section 3 says that the expected loss can be written entirely in terms of the lengths of the embedding vectors and the moments of the features.
# It also needs their angles, or, which is the discovery of section 3.3, the capacities.
#
# First, equal lengths and different angles: unit vectors in random directions, and the same number of unit vectors all in one direction.

# %%
spread = rng.standard_normal((n_dims, n_features))
spread /= np.linalg.norm(spread, axis=0)
bundle = np.zeros((n_dims, n_features))
bundle[0] = 1.0
pair = [float(fc.expected_loss(E, importance, kurtosis)) for E in (spread, bundle)]
run.check("errata-lengths-only-printed", pair[0], pair[1])

# %% [markdown]
# Then equal lengths and equal capacities, with different angles: a sparse staircase and a generic embedding.

# %%
even = np.full(n_features, n_dims / n_features)
staircase = fc.embedding_from_capacities(even)
generic = fc.embedding_from_capacities(even, generator=rng)
angles = np.abs(np.abs(staircase.T @ staircase) - np.abs(generic.T @ generic)).max()
glue("errata-angles", float(angles), display=False)
pair = [float(fc.expected_loss(E, importance, kurtosis)) for E in (staircase, generic)]

# %% [markdown]
# Some inner products of the two differ by {glue:text}`errata-angles:.2f`, and still the losses are equal.

# %% tags=["hide-input"]
run.check("errata-lengths-and-capacities", pair[0], pair[1])
run.badge()

# %% [markdown]
# (errata-total-capacity)=
# ## Section 2.1: total capacity at least 1
#
# The paper bounds the total capacity by 1 from below, and proves only the upper bound.
# The lower one has a short proof.
# Let $s$ be the largest eigenvalue of $WW^\mathsf{T}$.
# Then $\sum_j (w_i\cdot w_j)^2 = w_i^\mathsf{T}WW^\mathsf{T}w_i \le s\,n_i$, so $C_i \ge n_i/s$, and the sum is at least $\sum_i n_i/s = \|W\|_F^2/\|W\|_2^2$, the *stable rank* of $W$, which is at least 1.
# It needs $W \ne 0$; an embedding of zeros has total capacity 0.

# %%
many = rng.standard_normal((500, n_dims, n_features))
many *= rng.lognormal(0, 1, (500, 1, n_features))
stable_rank = (many**2).sum(axis=(1, 2)) / np.linalg.norm(many, 2, axis=(1, 2)) ** 2
nothing = np.zeros((n_dims, n_features))

# %% tags=["hide-input"]
run.check(
    "errata-total-capacity-corrected",
    [fc.total_capacity(many) - stable_rank, stable_rank - 1],
)
run.check("errata-total-capacity-printed", fc.total_capacity(nothing) - 1)
run.badge()

# %% [markdown]
# (errata-sum-index)=
# ## Equation 3: the index of the sum
#
# In the text version that we worked from, the sum in the denominator runs over $i$, which is already taken, and leaves $j$ free.
# It runs over $j$.
# Read literally, there would be one number for each pair of $i$ and $j$.

# %%
antipodal = np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 2.0]])
gram = antipodal.T @ antipodal
over_j = np.diag(gram) ** 2 / (gram**2).sum(axis=1)
literal = np.diag(gram)[:, None] ** 2 / (gram**2).sum(axis=0)[None, :]
pd.DataFrame(literal, index=["i=1", "i=2", "i=3"], columns=["j=1", "j=2", "j=3"])

# %% [markdown]
# Only the diagonal of this table holds capacities.

# %% tags=["hide-input"]
run.check("errata-sum-index-corrected", over_j, [0.5, 0.5, 1.0])
run.check("errata-sum-index-printed", literal, np.broadcast_to(over_j[:, None], (3, 3)))
run.badge()

# %% [markdown]
# (errata-block-scale)=
# ## Section 4.3: the scale of a block
#
# Section 4.2 writes a semiorthogonal embedding as $\sqrt\lambda R$, with $RR^\mathsf{T}=I$.
# Section 4.3 builds blocks $\lambda_k R_k$ and states $n_i = \lambda_k C_i$ (equation 24), which takes $\sqrt{\lambda_k}R_k$.
# Section 4.4 leaves the scale out altogether: with $RR^\mathsf{T}=I$ in each block, every singular value of an efficient matrix would be 1.

# %%
scales = [4.0, 0.25]
shares = ([0.5, 0.75, 0.75], [0.5, 0.5])
factors = [fc.embedding_from_capacities(c, generator=rng) for c in shares]
right = fc.tegum_product(*(np.sqrt(s) * R for s, R in zip(scales, factors, strict=True)))
wrong = fc.tegum_product(*(s * R for s, R in zip(scales, factors, strict=True)))
in_block = np.repeat(scales, [3, 2])

# %% tags=["hide-input"]
run.check("errata-block-scale-corrected", (right**2).sum(axis=0), in_block * fc.capacities(right))
run.check(
    "errata-block-scale-printed",
    (wrong**2).sum(axis=0),
    in_block * fc.capacities(wrong),
)
run.check("errata-general-form-corrected", [block.deviation for block in fc.blocks(right)])
run.check(
    "errata-general-form-printed",
    np.linalg.svd(right, compute_uv=False),
    np.ones(3),
)
run.badge()

# %% [markdown]
# (errata-feasible-scale)=
# ## Appendix C.0.1: one scale, or several
#
# To show that the optimal lengths and capacities can be had together, the appendix takes a semiorthogonal matrix, in which $n_i \propto C_i$, and a scalar.
# That serves the features that share.
# A feature with a dimension of its own has $C_i = 1$ but $n_i = v_i$, which is larger than $\lambda$.
# The repair is section 4.3: a block of its own for each such feature.

# %%
uneven = np.concatenate([[10.0], np.ones(n_features - 1)])
solution = fc.solve_allocation(uneven, n_dims, kurtosis)
one_scale = solution.capacity * (solution.sq_norm.sum() / solution.capacity.sum())
blocked = fc.optimal_embedding(solution, generator=rng)

# %% tags=["hide-input"]
run.check("errata-feasible-scale-corrected", (blocked**2).sum(axis=0), solution.sq_norm)
run.check("errata-feasible-scale-printed", one_scale, solution.sq_norm)
run.badge()

# %% [markdown]
# (errata-shape)=
# ## Appendix C.0.1: the shape of W
#
# There, $W$ has the shape $(N, D)$; everywhere else it is $(D, N)$ with a feature in each column.

# %%
R = fc.embedding_from_capacities(even, generator=rng)

# %% tags=["hide-input"]
run.check("errata-shape-corrected", fc.capacities(R), even)
run.check("errata-shape-printed", fc.capacities(R.T).size - n_features)
run.badge()

# %% [markdown]
# (errata-covariance)=
# ## Equations 62 to 66: a covariance that became a factor
#
# Appendix E shows that the capacity of a feature is the squared correlation between the feature and its readout by $W^\mathsf{T}$.
# Where it should say $\operatorname{Cov}(X_i,X_j)$, it prints $(k-1)(X_i,X_j)$: it looks as if a macro for the covariance and the factor of equation 12 had been exchanged.
# With the covariance the argument is right, line by line.

# %%
gram = W.T @ W
covariance_xx, covariance_xr, covariance_rr = (
    second,
    second @ gram,
    gram @ second @ gram,
)
squared = np.diag(covariance_xr) ** 2 / (np.diag(covariance_xx) * np.diag(covariance_rr))

# %% tags=["hide-input"]
run.check("errata-covariance-corrected", squared, fc.capacities(W))
run.check("errata-covariance-printed", (kurtosis - 1) * np.diag(covariance_xx))
run.badge()

# %% [markdown]
# (errata-optimal-unembedding)=
# ## Appendix E, last sentence: the best unembedding
#
# $W^\mathsf{T}$ is not always the best way to get feature $i$ back from the embedding $e = Wx$.
# The authors write that they have not checked it, but that the best way seems to lead to the alternative capacity of Appendix G.
# It does, and the proof is short.
#
# Take any linear readout $a\cdot e$.
# With unit covariance of the inputs, $\operatorname{Cov}(x_i, a\cdot e) = a\cdot w_i$ and $\operatorname{Var}(a\cdot e) = a^\mathsf{T}WW^\mathsf{T}a$.
# The largest value of $(a\cdot w_i)^2/(a^\mathsf{T}WW^\mathsf{T}a)$ is, by the Cauchy–Schwarz inequality in the metric $WW^\mathsf{T}$, and with $^+$ for the pseudoinverse,
#
# $$ \max_a \rho^2(x_i, a\cdot e) = w_i^\mathsf{T}(WW^\mathsf{T})^+w_i = \big[W^+W\big]_{ii} = \tilde C_i , $$ (eq-errata-leverage)
#
# at $a = (WW^\mathsf{T})^+w_i$: ordinary least squares.
# Statisticians call this number the *leverage* of column $i$.
# Since $W^\mathsf{T}$ is one particular readout, namely $a = w_i$, it also follows that $C_i \le \tilde C_i$ for every feature.
#
# A generic optimizer that searches for the readout, and the normal equations, both agree with the package's singular value decomposition.

# %%
def best_correlation(i):
    frame = W @ W.T
    found = minimize(lambda a: -((a @ W[:, i]) ** 2) / (a @ frame @ a), W[:, i], method="BFGS")
    return -found.fun


searched = np.array([best_correlation(i) for i in range(n_features)])

# %%
deficient = np.vstack([W, W[:1] - W[1:2]])
frames = [W @ W.T, deficient @ deficient.T]
normal = [
    (E * np.linalg.lstsq(frame, E, rcond=1e-10)[0]).sum(axis=0)
    for E, frame in zip((W, deficient), frames, strict=True)
]
leverage = [fc.leverage_capacities(E) for E in (W, deficient)]
plain, best = fc.capacities(many), fc.leverage_capacities(many)

# %%
measures = (fc.capacities, fc.leverage_capacities)
uneven = np.linspace(2.0, 0.6, n_features)
solutions = [fc.solve_allocation(uneven, n_dims, k) for k in (4.0, 9.0, 30.0)]
optimal = [fc.optimal_embedding(found) for found in solutions]

# %% mystnb={"figure": {"caption": "How well a feature can be read out of its embedding: by the transpose of W, and by the best linear readout. For efficient embeddings the two are equal.", "name": "fig-errata-readouts"}, "image": {"alt": "Scatter of best squared correlation against capacity. Random embeddings lie above the diagonal, efficient ones on it."}} tags=["hide-input"]
figures.readouts(
    *(f(many[:120]).ravel() for f in measures),
    tuple(np.concatenate([f(E) for E in optimal]) for f in measures),
)

# %% tags=["hide-input"]
run.check("errata-optimal-unembedding-found", searched - fc.leverage_capacities(W))
run.check("errata-optimal-unembedding-exact", normal, leverage)
run.check("errata-alternative-is-larger", best - plain)
run.badge()

# %% [markdown]
# (errata-secondary)=
# ## A blog post on the paper
#
# A blog post of February 2025 on the paper, "Block Geometry & Everything-Bagel Neurons", prints another capacity: $\|w_i\|^2$ over the sum of squared inner products, where the numerator should be $\|w_i\|^4$.
# That is not a fraction of a dimension: double the embedding, and it falls to a quarter; halve it, and it can exceed 1.

# %%
scale = np.geomspace(0.25, 4, 41)
scaled = scale[:, None, None] * antipodal
definition = fc.capacities(scaled)
inner = np.swapaxes(scaled, 1, 2) @ scaled
rival = (scaled**2).sum(axis=1) / (inner**2).sum(axis=2)

# %% mystnb={"figure": {"caption": "Capacity of one feature of an antipodal pair while the embedding is scaled.", "name": "fig-errata-scale"}, "image": {"alt": "On logarithmic axes, the paper's capacity is a horizontal line at one half; the blog post's falls with the square of the scale and is above 1 for small embeddings."}} tags=["hide-input"]
both = {"the paper, equation 3": definition[:, 0], "the blog post": rival[:, 0]}
figures.scale_dependence(scale, both)

# %% [markdown]
# The same post describes a block as an orthogonal matrix with lengths that can be chosen feature by feature.
# In an efficient block the lengths follow from the capacities, up to one scale (equation 24); change one of three in a triangle, and capacity is lost.

# %%
triangle = fc.polytope("triangle")
stretched = triangle * np.array([1.0, 1.0, 2.0])

# %% [markdown]
# Its other claims, on activations other than the square, on a linear growth of polysemanticity with kurtosis and on penalties, are taken up in {ref}`sec3-7-blog`.

# %% tags=["hide-input"]
run.check(
    "errata-scale-free",
    definition,
    np.broadcast_to(definition[20], definition.shape),
)
run.check("errata-secondary-scale-free", rival, np.broadcast_to(rival[20], rival.shape))
run.check("errata-secondary-block-lengths", 2 - fc.total_capacity(stretched))
run.badge()

# %% [markdown]
# ## Does it agree with the paper?
#
# Each corrected form agrees; each printed form that a computation can tell apart differs, and *why* leads to its entry in {ref}`deviations`.
#
# All verdicts of this page are among {ref}`claims`, with what each measurement came to.
#
# ## Try it
#
# Paste a command at the root of the project; the executed page is then in `out.ipynb`.
#
# **A lucky number.** At which kurtosis does the printed equation 64 hold after all?
#
# ```sh
# papermill notebooks/errata.ipynb out.ipynb --cwd notebooks -p kurtosis 2
# ```
#
# :::{admonition} Answer
# :class: dropdown
# At $k=2$, where the factor $k-1$ is 1.
# A check at one setting of the parameters proves little; that is why every page of this book takes parameters.
# :::
#
# **Sparse inputs.** Does sampling still see the wrong bias term at kurtosis 60?
#
# ```sh
# papermill notebooks/errata.ipynb out.ipynb --cwd notebooks -p kurtosis 60
# ```
#
# :::{admonition} Answer
# :class: dropdown
# Yes, but less sharply: the printed line is up to 33 standard errors away, where it was 540.
# Rare, large values scatter the sampled losses.
# :::
#
# **Few samples.** Would ten thousand samples have been enough?
#
# ```sh
# papermill notebooks/errata.ipynb out.ipynb --cwd notebooks -p n_samples 10000
# ```
#
# :::{admonition} Answer
# :class: dropdown
# By far: at the ends of {numref}`fig-errata-bias` the printed line is still more than forty standard errors away, and the corrected one within two.
# Only at bias 0, where the two lines cross, could nobody tell them apart.
# :::
#
# ## What we saw
#
# * The slips in the paper are small and local; the results of sections 2 to 4 do not rest on them.
# * The statement that the authors left unchecked is true: the best linear readout of a feature succeeds to the degree of its alternative capacity.
# * Secondary sources deserve the same treatment: a formula that is not scale-free cannot be a fraction of a dimension.
#
# Next: {ref}`deviations` has the list, with our choices where the paper is silent.
