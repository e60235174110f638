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
# Does it matter if a formula is misprinted by one exponent?
# Not to the results of this paper: they follow from the right forms.
# It matters to a reader who computes.
# In equations 30 to 32 the bias meets the *squares* of the errors where it should meet the errors, and {numref}`fig-errata-bias` shows what that does: the best bias ends up on the wrong side.
#
# Here are the slips that a computation can tell from what was meant, in the order of the paper, and two formulas of a blog post.
# Sentences that need more than a correction of letters are in {ref}`deviations`.
#
# **Paper:** slips of the pen in sections 2 to 4 and in appendices A, C and E {cite}`scherlis2022`.
# **Run time:** some seconds.

# %% tags=["parameters", "hide-input"] quick={"n_samples": 20000}
n_features: int = 6  # features N [5 .. 8]
n_dims: int = 3  # neurons D [2 .. 4]
kurtosis: float = 9.0  # fourth moment k of a feature [1.8 .. 60]
n_samples: int = 200000  # sampled inputs [10000 .. 1000000]
seed: int = 0  # of everything random on this page [0 .. 1000000]

# %% tags=["hide-input"]
import numpy as np
import pandas as pd
from myst_nb import glue
from scipy.optimize import minimize_scalar

import feature_capacity as fc
from feature_capacity.book.claims.checks import open_page
from feature_capacity.figures import errata as figures
from feature_capacity.theory.enumeration import moment_tensor

run = open_page(
    "errata",
    n_features=n_features,
    n_dims=n_dims,
    kurtosis=kurtosis,
    n_samples=n_samples,
    seed=seed,
)
rng = np.random.default_rng(seed)

# %%
importance = 0.9 ** np.arange(n_features)
W = rng.standard_normal((n_dims, n_features)) * 0.4
A = W.T @ W - np.diag(importance)
diagonal, cross = np.diag(A), 2 * ((A**2).sum() - (np.diag(A) ** 2).sum())
bias = np.linspace(-5, 5, 101)
without_bias = (kurtosis - 1) * (diagonal**2).sum() + diagonal.sum() ** 2 + cross
corrected = without_bias + 2 * bias * diagonal.sum() + bias**2
printed = without_bias + 2 * bias * (diagonal**2).sum() + bias**2
[float(bias[form.argmin()]) for form in (corrected, printed)]

# %% mystnb={"figure": {"caption": "Equation 32 with the bias term as printed and as corrected, against sampled losses (bars: four standard errors).", "name": "fig-errata-bias"}, "image": {"alt": "Two parabolas of expected loss over the bias. Sampled points with small error bars lie on the corrected one; the printed one has its minimum elsewhere."}} tags=["hide-input"]
inputs = fc.SparseUniform.from_kurtosis(kurtosis)
x = inputs.sample((n_samples, n_features), rng)
form = ((x @ W.T) ** 2).sum(axis=1) - (importance * x**2).sum(axis=1)
some = np.arange(10, 101, 20)
losses = (form[:, None] + bias[some]) ** 2
mean, error = losses.mean(axis=0), losses.std(axis=0) / np.sqrt(n_samples)
figures.bias_term(bias, corrected, printed, (bias[some], mean, 4 * error))

# %% [markdown]
# A case for the pencil: one feature of importance 1 that is not embedded.
# The model says $b$ and should say $x^2$, so the loss is $\mathbb{E}(b-x^2)^2=b^2-2b+k$, smallest at $b=1$.
# The printed form has $b^2+2b+k$ and would set $b=-1$.

# %%
import feature_capacity as fc

[float(fc.expected_loss([[0.0]], [1.0], 9.0, bias=b)) for b in (-1.0, 0.0, 1.0)]

# %% [markdown]
# ## Sections 2 and 3
#
# (errata-two-multipliers)=
# ### Sections 2.2 and 3.4: one letter for two multipliers
#
# In section 2.2, $\lambda$ is the multiplier of the budget: what a little more total capacity would save, per unit.
# In equations 15 to 18 and 55 to 58, $\lambda$ is the ratio $n_i/C_i$ of the features that share.
# Both are called multiplier, so one expects them to be one number.
#
# We measure the first without either formula: solve the allocation for a slightly larger and a slightly smaller budget, and see what the difference in budget saves.

# %%
k, step = max(kurtosis, 3.5), 1e-3
shares = [
    fc.allocate(
        lambda c: fc.marginal_benefit(c, importance, k), budget, n_features=n_features
    ).capacity
    for budget in (n_dims - step, n_dims + step)
]
less, more = fc.loss_at_best_lengths(np.array(shares), importance, k).sum(axis=1)
saved = (less - more) / (2 * step)
ratio = float(fc.solve_allocation(importance, n_dims, k).multiplier)
glue("errata-saved", f"{saved:.4f}", display=False)
glue("errata-ratio", f"{ratio:.4f}", display=False)
float(saved), ratio, 2 * ratio**2

# %% [markdown]
# The one is {glue:text}`errata-saved`, the other {glue:text}`errata-ratio`, and the first is twice the square of the second.
# No conclusion of the paper mixes them up.
#
# (errata-lengths-only)=
# ### Section 3: what the loss depends on
#
# The opening of section 3 says that the expected loss can be written entirely in terms of the lengths of the embedding vectors and the moments of the features.
# It also needs their angles, or, which is the discovery of section 3.3, the capacities.
#
# Two pairs of embeddings show it.
# The first two have equal lengths and different losses: unit vectors in random directions, and as many unit vectors all in one direction.
# The other two, a sparse staircase and a generic embedding, have equal lengths *and* capacities and different angles, and their losses are equal.

# %%
spread = rng.standard_normal((n_dims, n_features))
spread /= np.linalg.norm(spread, axis=0)
bundle = np.zeros((n_dims, n_features))
bundle[0] = 1.0
equal_lengths = [
    float(fc.expected_loss(E, importance, kurtosis)) for E in (spread, bundle)
]

even = np.full(n_features, n_dims / n_features)
staircase = fc.embedding_from_capacities(even)
generic = fc.embedding_from_capacities(even, generator=rng)
angles = np.abs(np.abs(staircase.T @ staircase) - np.abs(generic.T @ generic)).max()
glue("errata-angles", float(angles), display=False)
equal_both = [
    float(fc.expected_loss(E, importance, kurtosis)) for E in (staircase, generic)
]
equal_lengths, equal_both

# %% [markdown]
# Some inner products of the last two differ by {glue:text}`errata-angles:.2f`.
#
# (errata-curvature)=
# ### Section 3.6: convex and concave
#
# One sentence says that from dense to sparse inputs the marginal loss curves go from convex to flat to concave; two sentences later they are concave for dense inputs.
# The first is true of the loss *reduction*, the second of the *loss*, and neither of the curves of marginal benefit that Figure 4 plots.
# Those are $2\,((k-1)v/((k-3)C+2))^2$, and convex on *both* sides: what changes at $k=3$ is whether they fall or rise.
# Section 2.2 has the clean statement: returns diminish when $\partial^2 L/\partial C^2 > 0$, that is, when the loss is convex in capacity, and that is the sparse side.

# %%
capacity = np.linspace(0, 1, 101)
cases = {k: np.full(capacity.size, 1.0) for k in (1.5, 2.4, 6.0, 25.0)}
loss = {k: fc.loss_at_best_lengths(capacity, v, k) / (k - 1) for k, v in cases.items()}
benefit = {k: fc.marginal_benefit(capacity, v, k) / 2 for k, v in cases.items()}
bends = {"loss": loss, "marginal benefit": benefit}
pd.DataFrame({
    name: {
        f"k = {k:g}": "convex" if np.diff(curve, 2).min() > 0 else "concave"
        for k, curve in curves.items()
    }
    for name, curves in bends.items()
})  # fmt: skip

# %% mystnb={"figure": {"caption": "Left: the loss of a feature is concave in its capacity for dense inputs ($k<3$) and convex for sparse ones ($k>3$). Right, on a logarithmic axis: its marginal benefit rises for dense inputs and falls for sparse ones; on a linear axis all four curves are convex.", "name": "fig-errata-curvature"}, "image": {"alt": "Left: four curves of loss from 1 to 0, two bending down and two bending up. Right: their marginal benefits, two rising and two falling to a common value at capacity 1."}} tags=["hide-input"]
figures.curvature(capacity, {f"$k={k:g}$": (loss[k], benefit[k]) for k in cases})

# %% [markdown]
# (errata-sign)=
# ### Figure 4: a sign
#
# The caption of Figure 4 calls $\partial L/\partial C_i$ the marginal loss reduction; the text below it and Figure 2 have $-\partial L/\partial C_i$.
# Capacity lowers the loss, so the reduction is the one with the minus sign.

# %% tags=["hide-input"]
run.check("errata-two-multipliers-corrected", saved / (2 * ratio**2))
run.check("errata-two-multipliers-printed", saved / ratio)
run.check("errata-lengths-only-printed", *equal_lengths)
run.check("errata-lengths-and-capacities", *equal_both)
signed = np.concatenate([np.diff(loss[k], 2) * np.sign(k - 3) for k in cases])
run.check("errata-curvature-corrected", signed)
lowest = min(np.diff(curve, 2).min() for curve in benefit.values())
run.check("errata-curvature-printed-curves", lowest)
slope = np.gradient(loss[6.0], capacity, edge_order=2)[1:-1]
run.check("errata-sign-of-benefit-corrected", -slope)
run.check("errata-sign-of-benefit-printed", slope, np.abs(slope))
run.badge()

# %% [markdown]
# (errata-block-scale)=
# ## Sections 4.3 and 4.4: the scale of a block
#
# Section 4.2 writes a semiorthogonal embedding as $\sqrt\lambda R$, with $RR^T=I$.
# Section 4.3 builds blocks $\lambda_k R_k$ and states $n_i = \lambda_k C_i$ (equation 24), which takes $\sqrt{\lambda_k}R_k$; {ref}`its page <sec4-blocks>` has both forms side by side.
# Section 4.4 leaves the scale out altogether: with $RR^T=I$ in each block, every singular value of an efficient matrix would be 1.
# Here is one whose singular values are 2, 2 and ½.

# %%
shares = ([0.5, 0.75, 0.75], [0.5, 0.5])
first, second = [fc.embedding_from_capacities(c, generator=rng) for c in shares]
two_scales = fc.tegum_product(2 * first, 0.5 * second)
values = np.linalg.svd(two_scales, compute_uv=False)
float(fc.total_capacity(two_scales).round(12)), values.round(12)

# %% tags=["hide-input"]
run.check(
    "errata-general-form-corrected",
    [block.deviation for block in fc.blocks(two_scales)],
)
run.check("errata-general-form-printed", values, np.ones(3))
run.badge()

# %% [markdown]
# ## Appendices A, C and E
#
# (errata-bias-term)=
# ### Equations 30 to 32: the bias term
#
# Appendix A expands $\mathbb{E}[(x^TAx+b)^2]$ with $A = W^TW-\operatorname{diag}(v)$.
# The cross term is $2b\,\mathbb{E}[x^TAx] = 2b\sum_i A_{ii}$.
# Equations 30, 31 and 32 print $2b\sum_i A_{ii}^2$ instead.
# Equation 33 is right, but it does not follow from the printed 32: there would be no square to complete.
# {numref}`fig-errata-bias` lets samples judge; a second judge is the sum over all exact moments.

# %%
moments = [inputs.moment(order) for order in range(5)]
fourth, covariance = (moment_tensor(moments, n_features, order) for order in (4, 2))
summed = np.einsum("ij,kl,ijkl", A, A, fourth) + bias**2
summed += 2 * bias * np.einsum("ij,ij", A, covariance)
[float(abs(form - summed).max()) for form in (corrected, printed)]

# %% [markdown]
# (errata-feasible-scale)=
# ### Appendix C.0.1: one scale, or several
#
# To show that the optimal lengths and capacities can be had together, the appendix takes a semiorthogonal matrix, in which $n_i \propto C_i$, and a scalar.
# That serves the features that share.
# A feature with a dimension of its own has $C_i = 1$ but $n_i = v_i$, which is larger than $\lambda$.
# So even the best single scale misses the optimum when one feature is ten times as important as the rest.
# The repair is section 4.3: a block of its own for each such feature.

# %%
uneven = np.concatenate([[10.0], np.ones(n_features - 1)])
solution = fc.solve_allocation(uneven, n_dims, kurtosis)
least = fc.loss_at_best_lengths(solution.capacity, uneven, kurtosis).sum()
R = fc.embedding_from_capacities(solution.capacity, generator=rng)
one_scale = minimize_scalar(
    lambda scale: fc.expected_loss(np.sqrt(abs(scale)) * R, uneven, kurtosis),
    bracket=(0.5, 2),
).fun
blocked = fc.expected_loss(
    fc.optimal_embedding(solution, generator=rng), uneven, kurtosis
)
float(least), float(blocked), float(one_scale)

# %% [markdown]
# (errata-covariance)=
# ### Equations 62 to 66: a covariance that became a factor
#
# Appendix E shows that the capacity of a feature is the squared correlation between the feature and its readout by $W^T$.
# Where it should say $\operatorname{Cov}(X_i,X_j)$, it prints $(k-1)(X_i,X_j)$: it looks as if a macro for the covariance and the factor of equation 12 had been exchanged.
# With the covariance the argument is right, line by line ({ref}`appe-correlation-coefficient`).
# Read as a factor, equation 64 would have variances of $k-1$.

# %%
G = W.T @ W
squared = np.diag(covariance @ G) ** 2 / np.diag(G @ covariance @ G)
squared.round(4), fc.capacities(W).round(4)

# %% tags=["hide-input"]
run.check("errata-bias-term-corrected", corrected, summed)
run.check("errata-bias-term-printed", printed, summed)
run.check("errata-bias-term-sampled", mean, corrected[some], standard_error=error)
run.check("errata-bias-term-printed-sampled", mean, printed[some], standard_error=error)
run.check("errata-feasible-scale-corrected", blocked, least)
run.check("errata-feasible-scale-printed", one_scale, least)
run.check("errata-covariance-corrected", squared, fc.capacities(W))
run.check("errata-covariance-printed", (kurtosis - 1) * np.diag(covariance))
run.badge()

# %% [markdown]
# (errata-secondary)=
# ## A blog post on the paper
#
# A blog post of February 2025 on the paper, "Block Geometry & Everything-Bagel Neurons", prints another capacity: $\|w_i\|^2$ over the sum of squared inner products, where the numerator should be $\|w_i\|^4$.
# That is not a fraction of a dimension: double the embedding, and it falls to a quarter; halve it, and it can exceed 1.

# %% mystnb={"figure": {"caption": "Capacity of one feature of an antipodal pair while the embedding is scaled.", "name": "fig-errata-scale"}, "image": {"alt": "On logarithmic axes, the paper's capacity is a horizontal line at one half; the blog post's falls with the square of the scale and is above 1 for small embeddings."}}
scale = np.geomspace(0.25, 4, 41)
scaled = scale[:, None, None] * np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 2.0]])
definition = fc.capacities(scaled)
rival = (scaled**2).sum(axis=1) / ((scaled.mT @ scaled) ** 2).sum(axis=2)
both = {"the paper, equation 3": definition[:, 0], "the blog post": rival[:, 0]}
figures.scale_dependence(scale, both)

# %% [markdown]
# The same post describes a block as an orthogonal matrix with lengths that can be chosen feature by feature.
# In an efficient block the lengths follow from the capacities, up to one scale (equation 24); make one vector of a triangle twice as long, and of 2 dimensions {glue:text}`errata-stretched:.2f` are used.
#
# Its other claims, on activations other than the square, on a linear growth of polysemanticity with kurtosis and on penalties, are taken up in {ref}`sec3-7-blog`.

# %% tags=["hide-input"]
stretched = fc.polytope("triangle") * np.array([1.0, 1.0, 2.0])
used = float(fc.total_capacity(stretched))
glue("errata-stretched", used, display=False)
run.check("errata-secondary-scale-free", rival, np.broadcast_to(rival[20], rival.shape))
run.check("errata-secondary-block-lengths", 2 - used)
run.badge()

# %% [markdown]
# ## Try it
#
# **By hand.** Two equal features share one neuron as an antipodal pair, $\tilde y=(x_1-x_2)^2+b$, importances 1.
# Which bias is best, and which would the printed equation 32 give?
#
# :::{admonition} Answer
# :class: dropdown
# The diagonal of $A$ is zero, so the best bias is 0 by either form: here the slip does not show.
# A check at one lucky matrix proves little.
# :::
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
# That is why every page of this book takes parameters.
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
# Yes, but less sharply, by tens of standard errors where it was hundreds.
# Rare, large values scatter the sampled losses.
# :::
#
# ## What to remember
#
# - The slips in the paper are small and local; the results of sections 2 to 4 do not rest on them.
# - $\lambda$ means two things: the threshold of section 2 is twice the square of the ratio of section 3.
# - A formula that is not scale-free cannot be a fraction of a dimension.
#
# {ref}`deviations` has the list of all of them, with the sentences that need one more word; {ref}`choices` has our choices where the paper is silent.
