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
# **Paper:** Appendix E {cite}`scherlis2022`.
# **Claims checked here:** {glue:text}`appe-claims`.
# **Run time:** well under a minute.
#
# :::{admonition} In one minute
# :class: tip
# Embed an input with $W$, and come back with $W^\mathsf{T}$.
# What arrives for feature $i$ is the feature mixed with others.
# The squared correlation between what was sent and what arrived is the {term}`capacity` $C_i$.
# It needs nothing about the inputs but that they are uncorrelated with equal variance; independence is not required.
# $W^\mathsf{T}$ is not always the best way back.
# With the best one, the squared correlation is the alternative capacity of Appendix G: the authors left that unchecked, and it is true.
# :::

# %% tags=["parameters"] quick={"n_samples": 20000}
n_features: int = 5  # features N [4 .. 6]
n_dims: int = 3  # neurons D [2 .. 3]
density: float = 0.2  # chance p that a feature is active [0.02 .. 1]
n_samples: int = 200000  # sampled inputs [20000 .. 2000000]
seed: int = 20  # of everything random on this page [0 .. 1000000]

# %% tags=["hide-input"]
from itertools import product

import numpy as np
import pandas as pd
from myst_nb import glue

import feature_capacity as fc
from feature_capacity.book.claims.checks import open_page
from feature_capacity.figures import appE_correlation_coefficient as figures

run = open_page(
    "appE_correlation_coefficient",
    n_features=n_features,
    n_dims=n_dims,
    density=density,
    n_samples=n_samples,
    seed=seed,
)
rng = np.random.default_rng(seed)
glue("appe-claims", len(run.claims), display=False)

# %% [markdown]
# ## Squared correlation
#
# The population correlation coefficient, squared, is the covariance squared over both variances (the paper's equation 62):
#
# $$ \rho^{2}(X,Y) = \frac{\operatorname{Cov}(X,Y)^{2}}{\operatorname{Cov}(X,X)\operatorname{Cov}(Y,Y)} $$ (eq-paper-62)
#
# It is also the fraction of the variance of $X$ that a straight line in $Y$ explains.
# The inputs $X_i$ have mean zero (the paper's 63), are uncorrelated and have variance one (its 64):
#
# $$ \mathbb{E}[X_i] = 0 $$ (eq-paper-63)
#
# $$ \operatorname{Cov}(X_i, X_j) = \delta_{ij} $$ (eq-paper-64)
#
# (The paper prints $(k-1)$ in place of these symbols, apparently an exchanged macro; {ref}`errata-covariance` has the computation.)
#
# To check the chain that follows line by line we want expectations without sampling.
# So let each feature take the values $\pm1/\sqrt p$ with probability $p/2$ each and zero otherwise, and go through all $3^N$ inputs.

# %%
levels = np.array([-1, 0, 1]) / np.sqrt(density)
chances = np.array([density / 2, 1 - density, density / 2])
inputs = np.array(list(product(levels, repeat=n_features)))
chance = np.array(list(product(chances, repeat=n_features))).prod(axis=1)


def cov(x, y):
    """Covariances of the columns of x with those of y, over all inputs."""
    return (chance[:, None] * (x - chance @ x)).T @ (y - chance @ y)


W = rng.standard_normal((n_dims, n_features)) * rng.lognormal(0, 0.5, n_features)
back = inputs @ W.T @ W
covariance = cov(inputs, inputs)
spread = np.diag(cov(back, back))
squared = np.diag(cov(inputs, back)) ** 2 / (np.diag(covariance) * spread)
counted = np.cov(inputs.T, back.T, aweights=chance, ddof=0)
deviation = np.sqrt(np.diag(counted))
correlation = np.diag(counted[:n_features, n_features:] / np.outer(*np.split(deviation, 2)))

# %% tags=["hide-input"]
run.check("eq62-squared-correlation", squared, correlation**2)
run.check("eq63-mean-zero", chance @ inputs)
run.check("eq64-uncorrelated", covariance, np.eye(n_features))
run.badge()

# %% [markdown]
# ## From correlation to capacity, line by line
#
# Embed with the columns $w_i$, unembed with $W^\mathsf{T}$.
# The correlation between the $i$-th input and output is, with repeated indices summed except $i$ (equation 65),
#
# $$ \begin{aligned} &\rho^{2}(X_i, [W^\mathsf{T}WX]_i) \\ &= \frac{\operatorname{Cov}(X_i,\, W_{ki}W_{kj}X_j)^{2}}{\operatorname{Cov}(X_i, X_i)\operatorname{Cov}(W_{ki}W_{kj}X_j,\, W_{k'i}W_{k'j'}X_{j'})} \end{aligned} $$ (eq-paper-65)
#
# (The paper writes $W_{ik}$ for the entry $[W^\mathsf{T}]_{ik} = W_{ki}$.)
# Covariance is linear in each argument (the paper's 66), and inputs are uncorrelated (its 67):
#
# $$ = \frac{(W_{ki}W_{kj}\operatorname{Cov}(X_i,X_j))^2}{W_{ki}W_{kj}W_{k'i}W_{k'j'}\operatorname{Cov}(X_i,X_i)\operatorname{Cov}(X_j,X_{j'})} $$ (eq-paper-66)
#
# $$ = \frac{(W_{ki}W_{kj}\,\delta_{ij})^2}{W_{ki}W_{kj}W_{k'i}W_{k'j'}\,\delta_{jj'}} $$ (eq-paper-67)
#
# The deltas leave inner products of columns (the paper's 68 and 69), and those are the capacity (its 70):
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
variance = np.diag(covariance)
lines = {
    "65": squared,
    "66": ein("ki,kj,ij->i", W, W, covariance) ** 2
    / (variance * ein("ki,kj,li,lm,jm->i", W, W, W, W, covariance)),
    "67": ein("ki,kj,ij->i", W, W, delta) ** 2 / ein("ki,kj,li,lm,jm->i", W, W, W, W, delta),
    "68": ein("ki,ki->i", W, W) ** 2 / ein("ki,kj,li,lj->i", W, W, W, W),
    "69": [(w @ w) ** 2 / sum((w @ other) ** 2 for other in W.T) for w in W.T],
    "70": fc.capacities(W),
}
table = pd.DataFrame(lines, index=[f"feature {i}" for i in range(1, n_features + 1)])
table.round(6)

# %% tags=["hide-input"]
run.check("eq65-66-covariance-is-bilinear", lines["65"], lines["66"])
run.check("eq67-68-uncorrelated-inputs", [lines["66"], lines["67"]], [lines["67"], lines["68"]])
run.check("eq69-70-capacity", [lines["68"], lines["69"]], [lines["69"], lines["70"]])
run.badge()

# %% [markdown]
# ## Seen and sampled
#
# {numref}`fig-appe-scatter` shows what a capacity looks like: sparse uniform inputs, and what comes back of three of the features.
# The column at $x_i=0$ is what a feature seems to be doing while it is off: interference.

# %%
x = fc.SparseUniform(density).sample((n_samples, n_features), rng)
back = x @ W.T @ W
scale = back.std(axis=0)
chosen = np.argsort(fc.capacities(W))[[0, n_features // 2, -1]]
slope = (x * back).mean(axis=0)[chosen] / scale[chosen]

# %% mystnb={"figure": {"caption": "What was sent and what came back, in standard deviations, for the feature of lowest, middle and highest capacity. The slope of the regression line is $\\rho$; its square is the capacity.", "name": "fig-appe-scatter"}, "image": {"alt": "Three scatter plots of the readout of a feature against the feature. With rising capacity the cloud tightens around a regression line that gets steeper."}} tags=["hide-input"]
figures.readout_scatter(
    x[:2500, chosen], (back / scale)[:2500, chosen], fc.capacities(W)[chosen], slope
)

# %% [markdown]
# The derivation used no independence, no kurtosis and no shape of a distribution: only {eq}`eq-paper-63` and {eq}`eq-paper-64`.
# So we sample three kinds of input.
# In the third, all features are switched on and off *together*: they are uncorrelated and strongly dependent.

# %%
together = rng.random((n_samples, 1)) < density
samples = {
    "sparse uniform": x,
    "sparse normal": fc.SparseNormal(density).sample((n_samples, n_features), rng),
    "all on or all off": together * rng.standard_normal((n_samples, n_features)) / np.sqrt(density),
}


def sampled_correlation(x, back):
    """Squared correlations, with standard errors from how each sample pulls on the estimate."""
    means = [(x * back).mean(axis=0), (x * x).mean(axis=0), (back * back).mean(axis=0)]
    squared = means[0] ** 2 / (means[1] * means[2])
    pull = squared * (2 * x * back / means[0] - x**2 / means[1] - back**2 / means[2])
    return squared, pull.std(axis=0) / np.sqrt(len(x))


def check_sampled(claim, estimate, error, exact):
    """Compare the correlations themselves: the square of one that is close to 0 is lopsided."""
    root = np.sqrt(estimate)
    run.check(claim, root, np.sqrt(exact), standard_error=error / (2 * root))


sampled = {name: sampled_correlation(x, x @ W.T @ W) for name, x in samples.items()}
estimates, errors = map(np.array, zip(*sampled.values(), strict=True))
check_sampled("appe-sampled", estimates, errors, np.tile(fc.capacities(W), (len(samples), 1)))
squares = samples["all on or all off"] ** 2

# %% [markdown]
# What if inputs *are* correlated?
# With covariance matrix $\Sigma$ the same steps stop at {eq}`eq-paper-66`, which reads, with $G = W^\mathsf{T}W$,
#
# $$ \rho_i^2 = \frac{[G\Sigma]_{ii}^2}{\Sigma_{ii}\,[G\Sigma G]_{ii}} . $$ (eq-appe-correlated)
#
# {numref}`fig-appe-correlations` b shows that the reading as a capacity is then lost.
# When inputs vary together, a readout can be right about a feature by hearing its companions.

# %%
strength = np.linspace(0, 0.9, 91)
gram = W.T @ W
sigma = strength[:, None, None] * (1 - delta) + delta
diagonal = np.einsum("sii->si", gram @ sigma), np.einsum("sii->si", gram @ sigma @ gram)
correlated = diagonal[0] ** 2 / diagonal[1]
mixed = samples["sparse normal"] @ np.linalg.cholesky(sigma[50]).T
estimate, error = sampled_correlation(mixed, mixed @ gram)
check_sampled("appe-correlated", estimate, error, correlated[50])

# %% mystnb={"figure": {"caption": "(a) Sampled squared correlations are the capacities for any uncorrelated inputs; bars are four standard errors. (b) Correlation among the inputs moves them away; one curve per feature, dots at its capacity.", "name": "fig-appe-correlations"}, "image": {"alt": "Left: points of three kinds on the diagonal. Right: five curves that start at the capacities for uncorrelated inputs and leave them as the correlation grows."}} tags=["hide-input"]
bars = {name: (estimate, 4 * error) for name, (estimate, error) in sampled.items()}
figures.correlations(fc.capacities(W), bars, strength, correlated)

# %% tags=["hide-input"]
run.check("appe-dependence", np.corrcoef(squares[:, 0], squares[:, 1])[0, 1])
run.check("appe-needs-uncorrelated", abs(correlated[50] - fc.capacities(W)).max())
run.badge()

# %% [markdown]
# (appe-optimal-unembedding)=
# ## The best way back
#
# The appendix ends with a statement that the authors did not check: that the best unembedding, instead of $W^\mathsf{T}$, gives the alternative capacity of Appendix G.
# {ref}`errata-optimal-unembedding` proves it for one feature at a time, by maximizing the correlation.
# Here is a proof for all features at once, by least squares.
#
# Look for the matrix $A$ that minimizes $\mathbb{E}\|x - AWx\|^2 = \|I - AW\|_F^2$.
# The gradient is $-2(I-AW)W^\mathsf{T}$, and $A = W^+$ makes it zero, because $W^+WW^\mathsf{T} = W^\mathsf{T}$.
# So the best reconstruction of $x$ is $Px$ with $P = W^+W$, the orthogonal projection onto the row space of $W$.
# Its $i$-th entry has variance $P_{ii}$ and the same covariance with $x_i$, because $P^2 = P$.
# Hence
#
# $$ \rho^2(x_i, [Px]_i) = \frac{P_{ii}^2}{P_{ii}} = P_{ii} = \tilde C_i, \qquad \mathbb{E}(x_i - [Px]_i)^2 = 1 - \tilde C_i . $$ (eq-appe-best)
#
# A better correlation for some one feature is impossible: rescaled, it would give a smaller error in that row, and the rows of $A$ can be chosen one by one. $\square$
#
# Two things follow.
# The error left over is $\sum_i(1-\tilde C_i) = N - \operatorname{rank}(W)$, the number of dimensions that are missing.
# And $C_i \le \tilde C_i$ has a picture: $\tilde C_i$ is the squared cosine of the angle between the $i$-th axis of input space and the row space of $W$, while $C_i$ is that between the axis and one particular vector of the row space, the $i$-th row of $W^\mathsf{T}W$.

# %%
A = np.linalg.lstsq(W.T, delta, rcond=None)[0].T
P = A @ W
gradient = (delta - P) @ W.T
leverage = fc.leverage_capacities(W)
left_over = ((delta - P) ** 2).sum(axis=1)
basis = np.linalg.qr(W.T)[0]
to_row_space = (basis**2).sum(axis=1)
to_gram_row = np.diag(gram) ** 2 / (gram**2).sum(axis=1)

# %% [markdown]
# And as data would show it: fit the readout by least squares on one half of a sample, and measure the correlation on the other half.

# %%
fitted, held_out = np.split(x[: n_samples // 2 * 2], 2)
readout = np.linalg.lstsq(fitted @ W.T, fitted, rcond=None)[0]
reached, error = sampled_correlation(held_out, held_out @ W.T @ readout)
check_sampled("appe-best-sampled", reached, error, leverage)
pd.DataFrame(
    {"back by the transpose": fc.capacities(W), "best way back": leverage},
    index=table.index,
).round(4)

# %% tags=["hide-input"]
run.check("appe-best-unembedding-stationary", gradient)
run.check("appe-best-is-alternative", np.diag(P) ** 2 / np.diag(P @ P.T), leverage)
run.check("appe-left-over", left_over, 1 - leverage)
run.check("appe-left-over-total", left_over.sum() - (n_features - np.linalg.matrix_rank(W)))
run.check("appe-angles", [to_gram_row, to_row_space], [fc.capacities(W), leverage])
run.check("appe-transpose-not-best", (leverage - fc.capacities(W)).max())
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
# **One dimension short.** Four features in three dimensions: how much does the best way back gain over the transpose?
#
# ```sh
# papermill notebooks/appE_correlation_coefficient.ipynb out.ipynb --cwd notebooks -p n_features 4
# ```
#
# :::{admonition} Answer
# :class: dropdown
# A great deal.
# The capacities of this random embedding add up to 1.6, and the best readout reaches 3, the number of dimensions; one feature goes from 0.28 to 0.86.
# An optimal embedding would leave nothing to be gained.
# :::
#
# **A crowded plane.** And six features in two dimensions?
#
# ```sh
# papermill notebooks/appE_correlation_coefficient.ipynb out.ipynb --cwd notebooks -p n_features 6 -p n_dims 2
# ```
#
# :::{admonition} Answer
# :class: dropdown
# Hardly anything: 2 instead of 1.92.
# Many features in few dimensions crowd all directions nearly alike, and then the transpose is nearly the best readout.
# :::
#
# ## What we saw
#
# * Capacity is the squared correlation of a feature with its own readout by $W^\mathsf{T}$, for any uncorrelated inputs.
# * The best linear readout reaches the alternative capacity, as the authors supposed; no linear readout does better.
# * For correlated inputs capacity is geometry, and no longer a correlation.
#
# Next: {ref}`appf-capacity-bound`, why capacities cannot sum to more than $D$.
