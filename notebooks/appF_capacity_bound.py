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
# **Paper:** Appendix F {cite}`scherlis2022`.
# **Claims checked here:** {glue:text}`appf-claims`.
# **Run time:** well under a minute.
#
# :::{admonition} In one minute
# :class: tip
# Each neuron provides one dimension, and dimensions can be shared but not multiplied: $\sum_i C_i \le D$.
# The proof turns capacities into the squared diagonal of a matrix $U$ whose rows are unit vectors and whose rank is at most $D$.
# A matrix of low rank cannot have a large diagonal.
# This page follows the proof line by line with matrices small enough to print, then tries to break the bound by gradient ascent, and finally asks when it is attained.
# :::

# %% tags=["parameters"] quick={"n_random": 200, "n_starts": 8, "n_steps": 800}
n_features: int = 6  # features N [5 .. 12]
n_dims: int = 4  # largest number of neurons D that is tried [2 .. 4]
n_random: int = 2000  # random embeddings [100 .. 50000]
n_starts: int = 40  # starts of the ascent, for each D [4 .. 200]
n_steps: int = 800  # steps of the ascent [400 .. 4000]
seed: int = 0  # of everything random on this page [0 .. 1000000]

# %% tags=["hide-input"]
import numpy as np
import torch
from myst_nb import glue

import feature_capacity as fc
from feature_capacity.book.claims.checks import open_page
from feature_capacity.figures import appF_capacity_bound as figures

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
glue("appf-claims", len(run.claims), display=False)

# %% [markdown]
# ## Two sets of matrices
#
# One embedding is small enough to print: four features in two dimensions.
# The others are many and awkward: columns of very unequal lengths, and every fourth embedding of deficient rank.
# No column is zero, because a feature that is not embedded has {term}`capacity` 0 and can be left out of the sum.

# %%
small = np.array([[2.0, 1.0, 0.0, 1.0], [0.0, 1.0, 1.0, -2.0]])
many = rng.standard_normal((n_random, n_dims, n_features))
many *= rng.lognormal(0, 1, (n_random, 1, n_features))
many[::4, -1] = many[::4, 0]

# %% [markdown]
# ## Step 1: a matrix whose squared diagonal is the capacities
#
# The embedding vectors are the columns of $W$, with components $[w_i]_a = W_{ai}$.
# Divide each by the square root of the denominator of its capacity (equations 71 and 72):
#
# $$ V_{ai} := \frac{W_{ai}}{\sqrt{[W^\mathsf{T}WW^\mathsf{T}W]_{ii}}} $$ (eq-paper-71)
#
# $$ \vec v_i := V_{:,i} = \frac{w_i}{\sqrt{\sum_j(\vec w_i\cdot\vec w_j)^2}} $$ (eq-paper-72)
#
# and multiply by $W$ again (the paper's 73 and 74):
#
# $$ U := V^\mathsf{T}W $$ (eq-paper-73)
#
# $$ U_{ij} = \vec v_i\cdot\vec w_j $$ (eq-paper-74)
#
# So $U$ is the Gram matrix of $W$ with every row scaled.
# The scale is chosen such that the *squares* of the diagonal entries are the capacities (the paper's 75), and every row has length one (its 76):
#
# $$ U_{ii}^2 = \frac{(\vec w_i\cdot\vec w_i)^2}{\sum_j(\vec w_i\cdot\vec w_j)^2} = C_i $$ (eq-paper-75)
#
# $$ \sum_{j=1}^N U_{ij}^2 = 1 $$ (eq-paper-76)

# %%
def transposed(A):
    return np.swapaxes(A, -1, -2)


def first_step(W):
    gram = transposed(W) @ W
    V = W / np.sqrt(np.diagonal(gram @ gram, axis1=-2, axis2=-1))[..., None, :]
    return V, transposed(V) @ W


V, U = first_step(many)
crowd = ((transposed(many) @ many) ** 2).sum(axis=-1)
by_columns = many / np.sqrt(crowd)[:, None, :]
entries = np.einsum("sai,saj->sij", by_columns, many)
diagonal = np.diagonal(U, axis1=1, axis2=2)

# %% tags=["hide-input"]
run.check("eq71-72-scaled-columns", V, by_columns)
run.check("eq73-74-product", U, entries)
run.check("eq75-diagonal-is-capacity", diagonal**2, fc.capacities(many))
run.check("eq76-unit-rows", (U**2).sum(axis=2), np.ones((n_random, n_features)))
run.badge()

# %% [markdown]
# ## Step 2: few dimensions
#
# $U$ is a product through a space of dimension $D$, so its rank $D'$ is at most $D$.
# (It is the rank of $W$, because $U$ is $W^\mathsf{T}W$ with its rows scaled.)
# Choose an orthonormal basis $\hat y_1,\dots,\hat y_{D'}$ of the space that the rows $\hat u_i$ span, and write it as the rows of a matrix $Y$.
# The components of $\hat u_i$ in this basis are the rows of a matrix $X$ (the paper's 77 and 78):
#
# $$ U = XY $$ (eq-paper-77)
#
# $$ \hat u_i = \sum_{b=1}^{D'} X_{ib}\,\hat y_b $$ (eq-paper-78)
#
# A unit vector has unit length in any orthonormal basis (the paper's 79):
#
# $$ \sum_{b=1}^{D'} X_{ib}^2 = 1 $$ (eq-paper-79)

# %%
def second_step(U):
    """Coordinates X and an orthonormal basis Y of the row space; rows of Y beyond the rank are 0."""
    _, s, rows = np.linalg.svd(U)
    room = min(n_dims, U.shape[-1])
    Y = rows[..., :room, :] * (s > 1e-8 * s[..., :1])[..., :room, None]
    return U @ transposed(Y), Y


X, Y = second_step(U)
inside = np.rint((Y**2).sum(axis=(1, 2)))
one_by_one = sum(X[:, :, b, None] * Y[:, None, b, :] for b in range(n_dims))

# %% mystnb={"figure": {"caption": "The proof in matrices, for four features in two dimensions. The squared framed entries are the capacities. Rows of $U$ and of $X$ have length one, and so have the rows of $Y$: only two of them, to be shared by four columns. Red is positive, blue negative.", "name": "fig-appf-matrices"}, "image": {"alt": "Five matrices with their entries: W and V are two by four, U four by four with a framed diagonal, X four by two, Y two by four. Color shows sign and size."}} tags=["hide-input"]
n_small = small.shape[0]
V_small, U_small = first_step(small)
_, _, rows = np.linalg.svd(U_small)
Y_small = rows[:n_small] * np.sign(rows[:n_small].sum(axis=1, keepdims=True))
shown = {"W": small, "V": V_small, "U": U_small, "X": U_small @ Y_small.T, "Y": Y_small}
heads = {"W": "$W$", "V": "$V$", "U": "$U = V^{\\mathsf{T}}W$", "X": "$X$", "Y": "$Y$,  $U=XY$"}
figures.proof_matrices(
    {heads[name]: A for name, A in shown.items()},
    [[heads[name] for name in row] for row in ("WV", "UXY")],
    [heads["U"]],
)

# %% [markdown]
# In {numref}`fig-appf-matrices` the framed entries of $U$ are close to 1 only where a column of $Y$ is long.

# %% tags=["hide-input"]
run.check("appf-rank", [inside - np.linalg.matrix_rank(many)])
run.check("eq77-78-coordinates", [U, U], [X @ Y, one_by_one])
run.check("eq79-unit-coordinates", (X**2).sum(axis=2), np.ones((n_random, n_features)))
run.badge()

# %% [markdown]
# ## Step 3: Cauchy and Schwarz
#
# An entry of $U$ is an inner product of a row of $X$ with a column $\vec y_j$ of $Y$.
# On the diagonal, with the Cauchy–Schwarz inequality and {eq}`eq-paper-79` (equations 80 to 83):
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
# Now add up all ceilings (the paper's 84), change the order of summation (its 85), and use that the rows of $Y$ are unit vectors (its 86 and 87):
#
# $$ \sum_{i=1}^N C_i \le \sum_{i=1}^N\sum_{b=1}^{D'} Y_{bi}^2 $$ (eq-paper-84)
#
# $$ = \sum_{b=1}^{D'}\sum_{i=1}^N Y_{bi}^2 $$ (eq-paper-85)
#
# $$ = \sum_{b=1}^{D'} |\hat y_b|^2 $$ (eq-paper-86)
#
# $$ = D' \le D $$ (eq-paper-87)

# %%
capacity = fc.capacities(many)
inner = np.einsum("sib,sbi->si", X, Y)
ceiling = np.einsum("sbi,sbi->si", Y, Y)

# %% [markdown]
# The ceilings are old friends.
# $U$ and $W$ have the same row space, so $\sum_bY_{bi}^2$ is the diagonal of the projection onto the row space of $W$: the alternative capacity of {ref}`appg-alternative-capacity`.
# That gives the whole proof in two lines.
# $C_i$ is the squared cosine between the $i$-th axis of $\mathbb{R}^N$ and a vector of the row space, so it is at most $\tilde C_i$, the squared cosine between that axis and the row space itself.
# And $\sum_i\tilde C_i$ is the trace of a projection, which is its rank.

# %% tags=["hide-input"]
run.check("eq80-inner-product", inner**2, capacity)
run.check("eq81-cauchy-schwarz", (X**2).sum(axis=2) * ceiling - capacity)
run.check("eq82-83-ceiling", (X**2).sum(axis=2) * ceiling, (Y**2).sum(axis=1))
run.check("eq84-sum", ceiling.sum(axis=1) - capacity.sum(axis=1))
run.check("eq85-86-basis-vectors", ceiling.sum(axis=1), (Y**2).sum(axis=2).sum(axis=1))
run.check("eq87-rank", ceiling.sum(axis=1), np.linalg.matrix_rank(many).astype(float))
run.check("eq87-at-most-dims", n_dims - ceiling.sum(axis=1))
run.check("appf-ceiling-is-alternative", ceiling, fc.leverage_capacities(many))
run.badge()

# %% [markdown]
# ## Trying to break it
#
# A proof can have a hole and random matrices can be too tame.
# So we let an optimizer look for a counterexample.
# It climbs the total capacity from random starts, for every number of dimensions (in one dimension there is nothing to climb: all embeddings attain the bound).
# The total is computed from the Gram matrix, word for word, so that nothing in the package can keep it below $D$.

# %%
def total_capacity(W):
    gram = W.mT @ W
    return (torch.diagonal(gram, dim1=-2, dim2=-1) ** 2 / (gram**2).sum(-1)).sum(-1)


def climb(D):
    start = rng.standard_normal((n_starts, D, n_features))
    W = torch.tensor(start, requires_grad=True)
    optimizer = torch.optim.Adam([W], lr=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, n_steps)
    totals = []
    for _ in range(n_steps):
        optimizer.zero_grad()
        total = total_capacity(W)
        (-total.sum()).backward()
        optimizer.step()
        schedule.step()
        totals.append(total.detach().numpy())
    return W.detach().numpy(), np.array(totals)


climbed = {D: climb(D) for D in range(1, n_dims + 1)}
totals = {D: total for D, (_, total) in climbed.items()}
final = {D: total_capacity(torch.as_tensor(W)).numpy() for D, (W, _) in climbed.items()}

# %% mystnb={"figure": {"caption": "Gradient ascent on the total capacity from random starts. (a) The first 200 steps: every run climbs toward its number of dimensions and none passes it. (b) What is missing, on a logarithmic scale.", "name": "fig-appf-ascent"}, "image": {"alt": "Left: bundles of curves rise and flatten at dashed lines at 1, 2, 3 and 4. Right: the distance to the bound falls over several powers of ten."}} tags=["hide-input"]
figures.ascent(totals)

# %% [markdown]
# In {numref}`fig-appf-ascent` most runs reach rounding error.
# A few slow down on the way, and the shrinking step size leaves them up to about a millionth short; *Try it* returns to them.

# %% tags=["hide-input"]
run.check("appf-never-broken", np.concatenate([(D - t).ravel() for D, t in totals.items()]))
run.check("appf-attained", max(D - last.max() for D, last in final.items()))
run.badge()

# %% [markdown]
# ## When is it attained?
#
# The chain has two inequalities.
# $D' = D$ needs full rank.
# Cauchy–Schwarz is an equality when $\hat x_i$ and $\vec y_i$ are parallel, that is, when the projection of the $i$-th axis onto the row space points along row $i$ of the Gram matrix.
# In terms of the embedding, this says that $w_i$ is an eigenvector of $WW^\mathsf{T}$:
#
# $$ \sum_i C_i = D \iff \operatorname{rank} W = D \;\text{ and }\; WW^\mathsf{T}w_i = s_i\,w_i \text{ for every } i . $$ (eq-appf-attained)
#
# Eigenvectors of different eigenvalues are orthogonal, so the features fall into mutually orthogonal sets, one for each eigenvalue $s$, and within such a set $WW^\mathsf{T}$ acts as $s$ times the identity.
# That is Theorem 2 ({ref}`sec4-geometry`), straight from the equality case.
# The end points of the ascent meet the condition, the random starts do not.

# %%
def tilt(W):
    """Sine of the angle between each embedding vector and its image under W W^T; the largest."""
    u = W / np.linalg.norm(W, axis=-2, keepdims=True)
    image = W @ transposed(W) @ u
    image /= np.linalg.norm(image, axis=-2, keepdims=True)
    along = (u * image).sum(axis=-2, keepdims=True)
    return np.linalg.norm(image - along * u, axis=-2).max(axis=-1)


arrived = [W[final[D].argmax()] for D, (W, _) in climbed.items() if D > 1]
built = fc.tegum_product(
    1.5 * fc.embedding_from_capacities([0.5, 0.75, 0.75], generator=rng),
    0.4 * fc.embedding_from_capacities([0.3, 0.7], generator=rng),
)

# %% mystnb={"figure": {"caption": "Capacities below their ceilings. Hatched: what Cauchy–Schwarz gives away. In an efficient embedding nothing is given away.", "name": "fig-appf-ceilings"}, "image": {"alt": "Two bar charts of capacity per feature with an orange ceiling above each bar. For a random embedding the bars stay below the ceilings; for the end point of the ascent they touch them."}} tags=["hide-input"]
start, end = rng.standard_normal((n_dims, n_features)), arrived[-1]
cases = {"random": start, "after the ascent": end}
figures.ceilings({name: (fc.capacities(W), fc.leverage_capacities(W)) for name, W in cases.items()})

# %% [markdown]
# The hatched parts of {numref}`fig-appf-ceilings` are what a better embedding could still gain.

# %% tags=["hide-input"]
run.check("appf-equality-condition", max(tilt(W) for W in arrived))
run.check("appf-condition-fails-elsewhere", tilt(many[1::4]).min())
run.check("appf-eigenvectors-suffice", tilt(built))
run.check("appf-built-attains", fc.total_capacity(built), 3.0)
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
# **Fewer features than neurons.** The proof assumes $N \ge D$.
# Where does it use that, and what is the bound for $N < D$?
#
# :::{admonition} Answer
# :class: dropdown
# Nowhere: $D'$ is the rank of $W$, which is at most $N$ as well.
# The bound is $\sum_i C_i \le \operatorname{rank} W \le \min(N, D)$.
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
# Nearly: the slowest runs now end within a hundred-millionth of the bound.
# Most runs are at rounding error after a few hundred steps.
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
# No, if anything it is easier: in two and three dimensions even the slowest run ends within $10^{-10}$ of the bound, ten thousand times closer than with six features.
# In four dimensions there are still slow ones.
# :::
#
# **One to spare.** And with five features in up to four dimensions?
#
# ```sh
# papermill notebooks/appF_capacity_bound.ipynb out.ipynb --cwd notebooks -p n_features 5
# ```
#
# :::{admonition} Answer
# :class: dropdown
# It is slower: the worst runs in three and four dimensions are still some millionths short.
# With so few features some have nearly a dimension of their own, which is where the climb is slow.
# :::
#
# ## What we saw
#
# * Every line of the proof holds to rounding, also at deficient rank, where it gives the sharper bound $\sum_iC_i\le\operatorname{rank}W$.
# * An optimizer that wants more than $D$ gets $D$.
# * The bound is attained exactly when all embedding vectors are eigenvectors of $WW^\mathsf{T}$ and span the space, which is the block structure of section 4.
#
# Next: {ref}`appg-alternative-capacity`, the ceilings as a definition in their own right.
