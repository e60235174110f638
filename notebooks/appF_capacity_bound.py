# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# (appf-capacity-bound)=
# # Appendix F: why capacities sum to at most D
#
# Dimensions can be shared, but not multiplied: however cleverly features are placed, their capacities sum to at most the number $D$ of neurons.
# {numref}`fig-appf-ascent` shows an optimizer that wants more.
# It climbs the total {term}`capacity` of random embeddings; every run ends at $D$, and none passes it.
# Why?
#
# **Paper:** Appendix F {cite}`scherlis2022`.
# **Run time:** some seconds.

# %% tags=["parameters", "hide-input"] quick={"n_random": 200, "n_starts": 8, "n_steps": 800}
n_features: int = 6  # features N [5 .. 12]
n_dims: int = 4  # largest number of neurons D that is tried [2 .. 4]
n_random: int = 2000  # random embeddings [100 .. 50000]
n_starts: int = 40  # starts of the ascent, for each D [4 .. 200]
n_steps: int = 800  # steps of the ascent [400 .. 4000]
seed: int = 0  # of everything random on this page [0 .. 1000000]

# %% tags=["hide-input"]
import numpy as np
from myst_nb import glue

import feature_capacity as fc
from feature_capacity.book.claims.checks import open_page
from feature_capacity.figures import appF_capacity_bound as figures
from feature_capacity.geometry.bound import (
    eigenvector_tilt,
    row_space_coordinates,
    scaled_gram,
)
from feature_capacity.solvers.capacity_ascent import recorded_climb

run = open_page(
    "appF_capacity_bound",
    n_features=n_features,
    n_dims=n_dims,
    n_random=n_random,
    n_starts=n_starts,
    n_steps=n_steps,
    seed=seed,
)
rng = np.random.default_rng(seed)

# %%
starts = {
    D: rng.standard_normal((n_starts, D, n_features)) for D in range(1, n_dims + 1)
}
climbed = {D: recorded_climb(start, n_steps) for D, start in starts.items()}
totals = {D: total for D, (_, total) in climbed.items()}
{D: round(float(total[-1].max()), 9) for D, total in totals.items()}

# %% mystnb={"figure": {"caption": "Gradient ascent on the total capacity from random starts. (a) The first 200 steps: every run climbs toward its number of dimensions and none passes it. (b) What is missing, on a logarithmic scale.", "name": "fig-appf-ascent"}, "image": {"alt": "Left: bundles of curves rise and flatten at dashed lines at 1, 2, 3 and 4. Right: the distance to the bound falls over several powers of ten."}} tags=["hide-input"]
figures.ascent({D: total[:-1] for D, total in totals.items()})

# %% [markdown]
# The total is computed from the Gram matrix, word for word as in equation {eq}`eq-paper-3`, so that nothing in the code keeps it below $D$.
# Most runs end at rounding error; some slow down on the way, and *Try it* returns to them.
#
# ## Four features in two dimensions
#
# We follow the proof with an embedding that is small enough to print.

# %%
import numpy as np

import feature_capacity as fc

W = np.array([[2.0, 1.0, 0.0, 1.0], [0.0, 1.0, 1.0, -2.0]])
fc.capacities(W).round(4), round(float(fc.total_capacity(W)), 4)

# %% [markdown]
# The second feature has $n_2=2$, and its inner products with all four are 2, 2, 1 and −1, so $C_2=4/(4+4+1+1)=0.4$.
# All four together have 1.97 of the two dimensions.
#
# ### A matrix whose squared diagonal is the capacities
#
# The embedding vectors are the columns of $W$, with components $[w_i]_a = W_{ai}$.
# Divide each by the square root of the denominator of its capacity,
#
# $$ V_{ai} := \frac{W_{ai}}{\sqrt{[W^TWW^TW]_{ii}}} $$ (eq-paper-71)
#
# $$ \vec v_i := V_{:,i} = \frac{w_i}{\sqrt{\sum_j(\vec w_i\cdot\vec w_j)^2}} $$ (eq-paper-72)
#
# and multiply by $W$ again:
#
# $$ U := V^TW $$ (eq-paper-73)
#
# $$ U_{ij} = \vec v_i\cdot\vec w_j $$ (eq-paper-74)
#
# So $U$ is the Gram matrix of $W$ with every row scaled.
# The scale is chosen such that the *squares* of the diagonal entries are the capacities, and every row has length one:
#
# $$ U_{ii}^2 = \frac{(\vec w_i\cdot\vec w_i)^2}{\sum_j(\vec w_i\cdot\vec w_j)^2} = C_i $$ (eq-paper-75)
#
# $$ \sum_{j=1}^N U_{ij}^2 = 1 $$ (eq-paper-76)

# %%
V, U = scaled_gram(W)
U.round(2)

# %% [markdown]
# ### Few dimensions
#
# $U$ is a product through a space of dimension $D$, so its rank $D'$ is at most $D$.
# (It is the rank of $W$, because $U$ is $W^TW$ with its rows scaled.)
# Choose an orthonormal basis $\hat y_1,\dots,\hat y_{D'}$ of the space that the rows $\hat u_i$ span, and write it as the rows of a matrix $Y$.
# The components of $\hat u_i$ in this basis are the rows of a matrix $X$:
#
# $$ U = XY $$ (eq-paper-77)
#
# $$ \hat u_i = \sum_{b=1}^{D'} X_{ib}\,\hat y_b $$ (eq-paper-78)
#
# A unit vector has unit length in any orthonormal basis:
#
# $$ \sum_{b=1}^{D'} X_{ib}^2 = 1 $$ (eq-paper-79)

# %%
X, Y = row_space_coordinates(U, n_dims=2)
(Y**2).sum(axis=0).round(4), round(float((Y**2).sum()), 4)

# %% mystnb={"figure": {"caption": "The proof in matrices, for four features in two dimensions. The squared framed entries are the capacities. Rows of $U$ and of $X$ have length one, and so have the rows of $Y$: only two of them, to be shared by four columns. Red is positive, blue negative.", "name": "fig-appf-matrices"}, "image": {"alt": "Five matrices with their entries: W and V are two by four, U four by four with a framed diagonal, X four by two, Y two by four. Color shows sign and size."}} tags=["hide-input"]
sign = np.sign(Y.sum(axis=1, keepdims=True))
matrices = {
    "$W$": W,
    "$V$": V,
    "$U = V^TW$": U,
    "$X$": X * sign.T,
    "$Y$,  $U=XY$": sign * Y,
}
names = list(matrices)
figures.proof_matrices(matrices, [names[:2], names[2:]], [names[2]])

# %% [markdown]
# In {numref}`fig-appf-matrices` the framed entries of $U$ are close to 1 only where a column of $Y$ is long, and the squared lengths of all columns of $Y$ sum to 2.
#
# ### Cauchy and Schwarz
#
# An entry of $U$ is an inner product of a row of $X$ with a column $\vec y_j$ of $Y$.
# On the diagonal, with the Cauchy–Schwarz inequality and {eq}`eq-paper-79`:
#
# $$ C_i = U_{ii}^2 = (\hat x_i\cdot\vec y_i)^2 $$ (eq-paper-80)
#
# $$ \le (\hat x_i\cdot\hat x_i)(\vec y_i\cdot\vec y_i) $$ (eq-paper-81)
#
# $$ = \vec y_i\cdot\vec y_i $$ (eq-paper-82)
#
# $$ = \sum_{b=1}^{D'} Y_{bi}^2 $$ (eq-paper-83)
#
# So column $i$ of $Y$ sets a ceiling for the capacity of feature $i$.
# Now add up all ceilings, change the order of summation, and use that the rows of $Y$ are unit vectors:
#
# $$ \sum_{i=1}^N C_i \le \sum_{i=1}^N\sum_{b=1}^{D'} Y_{bi}^2 $$ (eq-paper-84)
#
# $$ = \sum_{b=1}^{D'}\sum_{i=1}^N Y_{bi}^2 $$ (eq-paper-85)
#
# $$ = \sum_{b=1}^{D'} |\hat y_b|^2 $$ (eq-paper-86)
#
# $$ = D' \le D $$ (eq-paper-87)
#
# The ceilings are old friends.
# $U$ and $W$ have the same row space, so $\sum_bY_{bi}^2$ is the diagonal of the projection onto the row space of $W$: the alternative capacity of {ref}`appg-alternative-capacity`.
# That gives the whole proof in two lines.
# $C_i$ is the squared cosine between the $i$-th axis of $\mathbb{R}^N$ and a vector of the row space, so it is at most $\tilde C_i$, the squared cosine between that axis and the row space itself.
# And $\sum_i\tilde C_i$ is the trace of a projection, which is its rank.
#
# The checks run every line on {glue:text}`appf-n-random` awkward embeddings: columns of very unequal lengths, and every fourth embedding of deficient rank.

# %% tags=["hide-input"]
many = rng.standard_normal((n_random, n_dims, n_features))
many *= rng.lognormal(0, 1, (n_random, 1, n_features))
many[::4, -1] = many[::4, 0]
V, U = scaled_gram(many)
X, Y = row_space_coordinates(U, n_dims)
glue("appf-n-random", n_random, display=False)
crowd = ((many.mT @ many) ** 2).sum(axis=-1)
by_columns = many / np.sqrt(crowd)[:, None, :]
run.check("eq71-72-scaled-columns", V, by_columns)
run.check("eq73-74-product", U, np.einsum("sai,saj->sij", by_columns, many))
capacity = fc.capacities(many)
run.check("eq75-diagonal-is-capacity", np.diagonal(U, axis1=1, axis2=2) ** 2, capacity)
run.check("eq76-unit-rows", (U**2).sum(axis=2), np.ones((n_random, n_features)))
inside = np.rint((Y**2).sum(axis=(1, 2)))
run.check("appf-rank", [inside - np.linalg.matrix_rank(many)])
one_by_one = sum(X[:, :, b, None] * Y[:, None, b, :] for b in range(n_dims))
run.check("eq77-78-coordinates", [U, U], [X @ Y, one_by_one])
run.check("eq79-unit-coordinates", (X**2).sum(axis=2), np.ones((n_random, n_features)))
inner, ceiling = np.einsum("sib,sbi->si", X, Y), np.einsum("sbi,sbi->si", Y, Y)
run.check("eq80-inner-product", inner**2, capacity)
run.check("eq81-cauchy-schwarz", (X**2).sum(axis=2) * ceiling - capacity)
run.check("eq82-83-ceiling", (X**2).sum(axis=2) * ceiling, (Y**2).sum(axis=1))
run.check("eq84-sum", ceiling.sum(axis=1) - capacity.sum(axis=1))
run.check("eq85-86-basis-vectors", ceiling.sum(axis=1), (Y**2).sum(axis=2).sum(axis=1))
rank = np.linalg.matrix_rank(many).astype(float)
run.check("eq87-rank", ceiling.sum(axis=1), rank)
run.check("eq87-at-most-dims", n_dims - ceiling.sum(axis=1))
run.check("appf-ceiling-is-alternative", ceiling, fc.leverage_capacities(many))
every = np.concatenate([(D - total).ravel() for D, total in totals.items()])
run.check("appf-never-broken", every)
run.check("appf-attained", max(D - total[-1].max() for D, total in totals.items()))
run.badge()

# %% [markdown]
# ## When is it attained?
#
# The chain has two inequalities.
# $D' = D$ needs full rank.
# Cauchy–Schwarz is an equality when $\hat x_i$ and $\vec y_i$ are parallel, that is, when the projection of the $i$-th axis onto the row space points along row $i$ of the Gram matrix.
# In terms of the embedding, this says that $w_i$ is an eigenvector of $WW^T$:
#
# $$ \sum_i C_i = D \iff \operatorname{rank} W = D \;\text{ and }\; WW^Tw_i = s_i\,w_i \text{ for every } i . $$ (eq-appf-attained)
#
# Eigenvectors of different eigenvalues are orthogonal, so the features fall into mutually orthogonal sets, one for each eigenvalue $s$, and within such a set $WW^T$ acts as $s$ times the identity.
# That is Theorem P2 ({ref}`sec4-blocks`), straight from the equality case.
# The end points of the ascent meet the condition, the random starts do not: here is the sine of the largest angle between an embedding vector and its image.

# %%
arrived = [W[total[-1].argmax()] for D, (W, total) in climbed.items() if D > 1]
start, end = starts[n_dims][0], arrived[-1]
float(eigenvector_tilt(start)), float(eigenvector_tilt(end))

# %% mystnb={"figure": {"caption": "Capacities below their ceilings. Hatched: what Cauchy–Schwarz gives away. In an efficient embedding nothing is given away.", "name": "fig-appf-ceilings"}, "image": {"alt": "Two bar charts of capacity per feature with an orange ceiling above each bar. For a random embedding the bars stay below the ceilings; for the end point of the ascent they touch them."}} tags=["hide-input"]
cases = {"random": start, "after the ascent": end}
figures.ceilings(
    {name: (fc.capacities(W), fc.leverage_capacities(W)) for name, W in cases.items()}
)

# %% [markdown]
# The hatched parts of {numref}`fig-appf-ceilings` are what a better embedding could still gain.

# %% tags=["hide-input"]
run.check("appf-equality-condition", max(eigenvector_tilt(W) for W in arrived))
run.check("appf-condition-fails-elsewhere", eigenvector_tilt(many[1::4]).min())
built = fc.tegum_product(
    1.5 * fc.embedding_from_capacities([0.5, 0.75, 0.75], generator=rng),
    0.4 * fc.embedding_from_capacities([0.3, 0.7], generator=rng),
)
run.check("appf-eigenvectors-suffice", eigenvector_tilt(built))
run.check("appf-built-attains", fc.total_capacity(built), 3.0)
run.badge()

# %% [markdown]
# ## Try it
#
# **Fewer features than neurons.** The proof assumes $N \ge D$.
# Where does it use that, and what is the bound for $N < D$?
#
# :::{admonition} Answer
# :class: dropdown
# Nowhere: $D'$ is the rank of $W$, which is at most $N$ as well.
# The bound is $\sum_i C_i \le \operatorname{rank} W \le \min(N, D)$.
# :::
#
# **Sixty degrees.** Two features in a plane are equally long and 60 degrees apart.
# Their capacities sum to 1.6; where do the other 0.4 go, and what has to change to get them?
#
# :::{admonition} Answer
# :class: dropdown
# Both ceilings are 1, because two independent vectors span the plane.
# Cauchy–Schwarz gives 0.2 away for each: neither vector is an eigenvector of $WW^T$, whose axes are the bisectors.
# They have to become orthogonal, whatever their lengths.
# :::
#
# **A longer climb.** Do more steps close the gap in {numref}`fig-appf-ascent`?
#
# ```sh
# papermill notebooks/appF_capacity_bound.ipynb out.ipynb --cwd notebooks -p n_steps 4000
# ```
#
# :::{admonition} Answer
# :class: dropdown
# Yes: even the slowest run now ends within a billionth of the bound, and most are at rounding error after a few hundred steps.
# The slow ones hang between one block and two: a feature has nearly, but not quite, a dimension of its own, and two singular values differ.
# Both ways out, one scale for all or a clean split, are {term}`efficient <efficient matrix>`, and the pull toward either is weak.
# :::
#
# **A larger crowd.** Is the climb harder with twice as many features?
#
# ```sh
# papermill notebooks/appF_capacity_bound.ipynb out.ipynb --cwd notebooks -p n_features 12
# ```
#
# :::{admonition} Answer
# :class: dropdown
# No, it is easier: in two and in four dimensions every run ends at rounding error, in three the slowest within a hundred-millionth of the bound.
# :::
#
# ## What to remember
#
# - Capacities are squared cosines between axes and vectors of the row space; they sum to at most the rank.
# - An optimizer that wants more than $D$ gets $D$.
# - The bound is attained exactly when all embedding vectors are eigenvectors of $WW^T$ and span the space, which is the block structure of section 4.
#
# Next: {ref}`appg-alternative-capacity`, the ceilings as a definition in their own right.
