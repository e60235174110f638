# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# (appe-correlation-coefficient)=
# # Appendix E: capacity as a correlation
#
# Send six features through four neurons, and read each one back by its own embedding vector.
# How much of what was sent arrives?
# {numref}`fig-appe-scatter` shows it for a feature of an antipodal pair, one of a triangle and one with a dimension of its own.
# The squared correlation of what was sent and what arrived is the {term}`capacity`: ½, ⅔ and 1.
#
# **Paper:** Appendix E {cite}`scherlis2022`.
# **Run time:** some seconds.

# %% tags=["parameters", "hide-input"] quick={"n_samples": 20000}
n_features: int = 5  # features N [4 .. 6]
n_dims: int = 3  # neurons D [2 .. 3]
density: float = 0.2  # chance p that a feature is active [0.02 .. 1]
n_samples: int = 200000  # sampled inputs [20000 .. 2000000]
seed: int = 20  # of everything random on this page [0 .. 1000000]

# %% tags=["hide-input"]
import numpy as np
import pandas as pd

import feature_capacity as fc
from feature_capacity.book.claims.checks import open_page
from feature_capacity.figures import appE_correlation_coefficient as figures
from feature_capacity.theory import readout

run = open_page(
    "appE_correlation_coefficient",
    n_features=n_features,
    n_dims=n_dims,
    density=density,
    n_samples=n_samples,
    seed=seed,
)
rng = np.random.default_rng(seed)

# %%
example = fc.tegum_product(
    fc.polytope("antipodal pair"), fc.polytope("triangle"), [[1]]
)
x = fc.SparseUniform(density).sample((n_samples, 6), rng)
back = x @ example.T @ example
arrived, error = readout.sampled_correlations(x, back)
arrived.round(3)

# %% mystnb={"figure": {"caption": "What was sent and what came back, in standard deviations. Left, a feature of a pair: what comes back is $x_1-x_2$. Middle, one of a triangle. Right, one with a dimension of its own. The slope of the regression line is $\\rho$; its square is the capacity.", "name": "fig-appe-scatter"}, "image": {"alt": "Three scatter plots of the readout of a feature against the feature. On the left a diagonal line crosses a vertical one, in the middle several thin bands, on the right all points lie on the diagonal. The regression line gets steeper from left to right."}} tags=["hide-input"]
chosen, scale = [0, 2, 5], back.std(axis=0)
slope = (x * back).mean(axis=0) / scale
figures.readout_scatter(
    x[:5000, chosen],
    (back / scale)[:5000, chosen],
    fc.capacities(example)[chosen],
    slope[chosen],
)

# %% [markdown]
# On the left most points lie on two lines.
# On the diagonal the partner is off, and the feature comes back as it was sent.
# On the vertical line the feature itself is off, and its readout reports the partner: interference.
# Half of the variance of $x_1-x_2$ is the feature's own, so $\rho^2=\tfrac12$.

# %%
import numpy as np

import feature_capacity as fc

W = fc.tegum_product(fc.polytope("antipodal pair"), fc.polytope("triangle"), [[1]])
x = fc.SparseUniform(0.2).sample((100_000, 6), np.random.default_rng(0))
back = x @ W.T @ W
squares = [np.corrcoef(x[:, i], back[:, i])[0, 1] ** 2 for i in range(6)]
np.array([squares, fc.capacities(W)]).round(2)

# %% [markdown]
# ## Squared correlation
#
# In general it is the covariance squared over both variances:
#
# $$ \rho^{2}(X,Y) = \frac{\operatorname{Cov}(X,Y)^{2}}{\operatorname{Cov}(X,X)\operatorname{Cov}(Y,Y)} $$ (eq-paper-62)
#
# That is also the fraction of the variance of $X$ that a straight line in $Y$ explains.
# The inputs $X_i$ have mean zero, are uncorrelated and have variance one:
#
# $$ \mathbb{E}[X_i] = 0 $$ (eq-paper-63)
#
# $$ \operatorname{Cov}(X_i, X_j) = \delta_{ij} $$ (eq-paper-64)
#
# (The paper prints $(k-1)$ in place of a covariance, apparently an exchanged macro: {ref}`errata-covariance`.)
#
# For a random embedding we take expectations without sampling.
# Let each feature be $\pm1/\sqrt p$ with probability $p/2$ each, and zero otherwise; then all $3^N$ inputs can be listed with their chances.

# %%
W = rng.standard_normal((n_dims, n_features)) * rng.lognormal(0, 0.5, n_features)
inputs, chance = readout.three_point_outcomes(n_features, density)
back = inputs @ W.T @ W
squared = readout.squared_correlations(inputs, back, chance)
squared.round(4)

# %% tags=["hide-input"]
fits = [
    np.polynomial.Polynomial.fit(b, a, 1, w=np.sqrt(chance))(b)
    for a, b in zip(inputs.T, back.T, strict=True)
]
explained = 1 - chance @ (inputs - np.transpose(fits)) ** 2
run.check("eq62-squared-correlation", squared, explained)
moved, landed = (
    inputs + np.arange(n_features),
    (inputs + np.arange(n_features)) @ W.T @ W,
)
run.check(
    "eq63-mean-zero", readout.squared_correlations(moved, landed, chance), squared
)
together, chances = readout.all_or_none_outcomes(n_features, density)
same = readout.squared_correlations(together, together @ W.T @ W, chances)
run.check("eq64-uncorrelated", same, fc.capacities(W))
run.badge()

# %% [markdown]
# ## From correlation to capacity, line by line
#
# Embed with the columns $w_i$, unembed with $W^T$.
# The correlation between the $i$-th input and output is, with repeated indices summed except $i$,
#
# $$ \begin{aligned} &\rho^{2}(X_i, [W^TWX]_i) \\ &= \frac{\operatorname{Cov}(X_i,\, W_{ki}W_{kj}X_j)^{2}}{\operatorname{Cov}(X_i, X_i)\operatorname{Cov}(W_{ki}W_{kj}X_j,\, W_{k'i}W_{k'j'}X_{j'})} \end{aligned} $$ (eq-paper-65)
#
# (The paper writes $W_{ik}$ for the entry $[W^T]_{ik} = W_{ki}$.)
# Covariance is linear in each argument, and inputs are uncorrelated:
#
# $$ = \frac{(W_{ki}W_{kj}\operatorname{Cov}(X_i,X_j))^2}{W_{ki}W_{kj}W_{k'i}W_{k'j'}\operatorname{Cov}(X_i,X_i)\operatorname{Cov}(X_j,X_{j'})} $$ (eq-paper-66)
#
# $$ = \frac{(W_{ki}W_{kj}\,\delta_{ij})^2}{W_{ki}W_{kj}W_{k'i}W_{k'j'}\,\delta_{jj'}} $$ (eq-paper-67)
#
# The deltas leave inner products of columns, and those are the capacity:
#
# $$ = \frac{(W_{ki}W_{ki})^2}{(W_{ki}W_{kj})(W_{k'i}W_{k'j})} $$ (eq-paper-68)
#
# $$ = \frac{(w_i\cdot w_i)^2}{\sum_j(w_i\cdot w_j)^2} $$ (eq-paper-69)
#
# $$ = C_i $$ (eq-paper-70)
#
# Here is every line as a computation, index for index.

# %%
ein, delta = np.einsum, np.eye(n_features)
covariance = (chance[:, None] * inputs).T @ inputs
variance = np.diag(covariance)
lines = {
    "65": squared,
    "66": ein("ki,kj,ij->i", W, W, covariance) ** 2
    / (variance * ein("ki,kj,li,lm,jm->i", W, W, W, W, covariance)),
    "67": ein("ki,kj,ij->i", W, W, delta) ** 2
    / ein("ki,kj,li,lm,jm->i", W, W, W, W, delta),
    "68": ein("ki,ki->i", W, W) ** 2 / ein("ki,kj,li,lj->i", W, W, W, W),
    "69": [(w @ w) ** 2 / sum((w @ other) ** 2 for other in W.T) for w in W.T],
    "70": fc.capacities(W),
}
names = [f"feature {i}" for i in range(1, n_features + 1)]
pd.DataFrame(lines, index=names).round(6)

# %% tags=["hide-input"]
run.check("eq65-66-covariance-is-bilinear", lines["65"], lines["66"])
run.check(
    "eq67-68-uncorrelated-inputs",
    [lines["66"], lines["67"]],
    [lines["67"], lines["68"]],
)
run.check("eq69-70-capacity", [lines["68"], lines["69"]], [lines["69"], lines["70"]])
run.badge()

# %% [markdown]
# ## Which inputs
#
# The derivation used no independence, no kurtosis and no shape of a distribution: only {eq}`eq-paper-63` and {eq}`eq-paper-64`.
# So we sample three kinds of input.
# In the third, all features are switched on and off *together*: they are uncorrelated and strongly dependent.

# %%
shape, active = (n_samples, n_features), rng.random((n_samples, 1)) < density
samples = {
    "sparse uniform": fc.SparseUniform(density).sample(shape, rng),
    "sparse normal": fc.SparseNormal(density).sample(shape, rng),
    "all on or all off": active * rng.standard_normal(shape) / np.sqrt(density),
}
sampled = {
    name: readout.sampled_correlations(x, x @ W.T @ W) for name, x in samples.items()
}
sampled["all on or all off"][0].round(3)

# %% [markdown]
# And if inputs *are* correlated?
# With covariance matrix $\Sigma$ the same steps stop at {eq}`eq-paper-66`, which reads, with $G = W^TW$,
#
# $$ \rho_i^2 = \frac{[G\Sigma]_{ii}^2}{\Sigma_{ii}\,[G\Sigma G]_{ii}} . $$ (eq-appe-correlated)

# %%
strength = np.linspace(0, 0.9, 91)
sigma = strength[:, None, None] * (1 - delta) + delta
correlated = readout.correlated_readout(W, sigma)
correlated[[0, 50]].round(3)  # uncorrelated, and correlated by one half

# %% mystnb={"figure": {"caption": "(a) Sampled squared correlations are the capacities for any uncorrelated inputs; bars are four standard errors. (b) Correlation among the inputs moves them away; one curve per feature, dots at its capacity.", "name": "fig-appe-correlations"}, "image": {"alt": "Left: points of three kinds on the diagonal. Right: five curves that start at the capacities for uncorrelated inputs and leave them as the correlation grows."}} tags=["hide-input"]
bars = {name: (estimate, 4 * error) for name, (estimate, error) in sampled.items()}
figures.correlations(fc.capacities(W), bars, strength, correlated)

# %% [markdown]
# {numref}`fig-appe-correlations` b shows that the reading as a capacity is then lost.
# When inputs vary together, a readout can be right about a feature by hearing its companions, and most curves rise.

# %% tags=["hide-input"]
estimate, error = np.array([sampled[name] for name in samples]).transpose(1, 0, 2)
root = np.sqrt(estimate)  # the square of a correlation close to 0 is lopsided
exact = np.tile(np.sqrt(fc.capacities(W)), (3, 1))
run.check("appe-sampled", root, exact, standard_error=error / (2 * root))
on = samples["all on or all off"] ** 2
run.check("appe-dependence", np.corrcoef(on[:, 0], on[:, 1])[0, 1])
mixed = samples["sparse normal"] @ np.linalg.cholesky(sigma[50]).T
estimate, error = readout.sampled_correlations(mixed, mixed @ W.T @ W)
root = np.sqrt(estimate)
run.check(
    "appe-correlated",
    root,
    np.sqrt(correlated[50]),
    standard_error=error / (2 * root),
)
run.check("appe-needs-uncorrelated", abs(correlated[50] - fc.capacities(W)).max())
run.badge()

# %% [markdown]
# (appe-optimal-unembedding)=
# ## The best way back
#
# $W^T$ is not always the best unembedding.
# The authors write that they have not checked it, but that the best one seems to lead to the {term}`alternative capacity` of Appendix G.
# It does, and the proof is short.
#
# Take any linear readout $a\cdot e$ of the embedding $e = Wx$.
# Its covariance with feature $i$ is $a\cdot w_i$, its variance $a^TWW^Ta$.
# By the Cauchy–Schwarz inequality in the metric $WW^T$, and with $^+$ for the pseudoinverse,
#
# $$ \max_a \frac{(a\cdot w_i)^2}{a^TWW^Ta} = w_i^T(WW^T)^+w_i = \big[W^+W\big]_{ii} = \tilde C_i , $$ (eq-errata-leverage)
#
# at $a = (WW^T)^+w_i$, which is ordinary least squares. $\square$
#
# $W^T$ is one particular readout, $a=w_i$, so $C_i\le\tilde C_i$ for every feature.
# All best readouts together are $A=W^+$, the matrix that minimizes $\mathbb{E}\|x-AWx\|^2=\|I-AW\|_F^2$, and $P=W^+W$ is the orthogonal projection onto the row space of $W$.
# Because $P^2=P$,
#
# $$ \rho^2(x_i, [Px]_i) = \frac{P_{ii}^2}{P_{ii}} = P_{ii}, \qquad \mathbb{E}(x_i - [Px]_i)^2 = 1 - \tilde C_i . $$ (eq-appe-best)
#
# The error left over is $\sum_i(1-\tilde C_i) = N - \operatorname{rank}(W)$, the number of dimensions that are missing.
#
# We look for the best readout in three ways that know nothing of this: a general optimizer, least squares, and a fit to one half of a sample that is judged by the other half.

# %%
searched = readout.searched_correlations(W)
A = np.linalg.lstsq(W.T, delta, rcond=None)[0].T
P = A @ W

fitted, held_out = np.split(samples["sparse uniform"][: n_samples // 2 * 2], 2)
learned = np.linalg.lstsq(fitted @ W.T, fitted, rcond=None)[0]
reached, error = readout.sampled_correlations(held_out, held_out @ W.T @ learned)

# %%
leverage = fc.leverage_capacities(W)
columns = {
    "back by the transpose": fc.capacities(W),
    "best, searched": searched,
    "best, from data": reached,
    "alternative capacity": leverage,
}
pd.DataFrame(columns, index=names).round(4)

# %% [markdown]
# The two capacities are squared cosines of angles in input space.
# For $\tilde C_i$ it is the angle between the $i$-th axis and the row space of $W$; for $C_i$ the angle between the axis and one vector of the row space, the $i$-th row of $W^TW$.

# %% tags=["hide-input"]
run.check("errata-optimal-unembedding-found", searched - leverage)
deficient = np.vstack([W, W[:1] - W[1:2]])
normal = [
    (E * np.linalg.lstsq(E @ E.T, E, rcond=1e-10)[0]).sum(axis=0)
    for E in (W, deficient)
]
run.check(
    "errata-optimal-unembedding-exact",
    normal,
    [fc.leverage_capacities(E) for E in (W, deficient)],
)
run.check("appe-best-unembedding-stationary", (delta - P) @ W.T)
run.check("appe-best-is-alternative", np.diag(P) ** 2 / np.diag(P @ P.T), leverage)
root = np.sqrt(reached)
run.check(
    "appe-best-sampled",
    root,
    np.sqrt(leverage),
    standard_error=error / (2 * root),
)
left_over = ((delta - P) ** 2).sum(axis=1)
run.check("appe-left-over", left_over, 1 - leverage)
missing = n_features - np.linalg.matrix_rank(W)
run.check("appe-left-over-total", left_over.sum() - missing)
basis, gram = np.linalg.qr(W.T)[0], W.T @ W
angles = [np.diag(gram) ** 2 / (gram**2).sum(axis=1), (basis**2).sum(axis=1)]
run.check("appe-angles", angles, [fc.capacities(W), leverage])
run.check("appe-transpose-not-best", (leverage - fc.capacities(W)).max())
run.badge()

# %% [markdown]
# ## Try it
#
# **Half a pair.** In an antipodal pair the partner's vector is made half as long.
# What is the squared correlation of each of the two with its readout, and can a better readout help?
#
# :::{admonition} Answer
# :class: dropdown
# Squared lengths are 4 to 1, so 0.8 and 0.2.
# On a line every readout is a multiple of the same number: nothing helps.
# `fc.capacities([[1, -0.5]])` and `fc.leverage_capacities([[1, -0.5]])` agree.
# :::
#
# **Just enough room.** Three features, three neurons, embedding vectors that overlap strongly but span the space.
# How well does the transpose read them, how well the best readout?
#
# :::{admonition} Answer
# :class: dropdown
# The best one inverts $W$ and recovers everything, $\tilde C_i=1$; the transpose hears all overlaps.
# Capacity charges for interference that a cleverer reader could undo.
# :::
#
# **Dense inputs.** Does the reading as a correlation depend on sparsity?
#
# ```sh
# papermill notebooks/appE_correlation_coefficient.ipynb out.ipynb --cwd notebooks -p density 1
# ```
#
# :::{admonition} Answer
# :class: dropdown
# No: covariances do not know it.
# Only {numref}`fig-appe-scatter` looks different, and the standard errors shrink.
# Sparsity enters the story through the *loss*, by the fourth moment; see {ref}`appd-kurtosis-sparsity`.
# :::
#
# **One more feature.** Does the best way back gain more or less over the transpose when a sixth feature joins?
#
# ```sh
# papermill notebooks/appE_correlation_coefficient.ipynb out.ipynb --cwd notebooks -p n_features 6
# ```
#
# :::{admonition} Answer
# :class: dropdown
# Less: in total 0.69 of a dimension, where it was 0.99.
# Many features in few dimensions crowd all directions nearly alike, and then the transpose is nearly the best readout.
# :::
#
# ## What to remember
#
# - Capacity is the squared correlation of a feature with its own readout by $W^T$, for any uncorrelated inputs.
# - The best linear readout reaches the alternative capacity, as the authors supposed; no linear readout does better.
# - For correlated inputs capacity is geometry, and no longer a correlation.
#
# Next: {ref}`appf-capacity-bound`, why capacities cannot sum to more than $D$.
