# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# (appH-feasibility)=
# # Appendix H: which capacities are feasible
#
# Six features are to have the capacities $\tfrac3{10}, \tfrac9{10}, \tfrac12, \tfrac35, \tfrac9{20}, \tfrac14$.
# They sum to 3; is there an embedding in three dimensions in which every feature has exactly that?
# {numref}`fig-apph-tree` answers by making the question smaller: two features are merged, or all capacities change to what they lack, until a single 1 is left.
# Read from right to left it is a construction, and it works for *every* tuple between 0 and 1 with a whole sum.
#
# **Paper:** Appendix H, with Lemmas 1 and 2 {cite}`scherlis2022`.
# **Run time:** about half a minute.

# %% tags=["parameters", "hide-input"] quick={"n_tuples": 150, "n_subspaces": 200, "denominator": 3}
n_features: int = 12  # features N of the random subspaces and embeddings [4 .. 40]
n_subspaces: int = 2000  # random subspaces for Lemma 1 [50 .. 20000]
n_tuples: int = 2000  # random allocations for the induction [50 .. 20000]
largest: int = 40  # features of the largest of them [5 .. 100]
denominator: int = 5  # every allocation in multiples of one over this is tried [2 .. 6]
seed: int = 0  # of everything random on this page [0 .. 1000000]

# %% tags=["hide-input"]
from fractions import Fraction
from itertools import permutations

import numpy as np
import pandas as pd
from myst_nb import glue

import feature_capacity as fc
from feature_capacity.book.claims.checks import open_page
from feature_capacity.figures import appH_feasibility as figures
from feature_capacity.geometry.bound import efficient_from, eigenvector_tilt
from feature_capacity.geometry.constructions import (
    block_isometry,
    compare_constructions,
    construction_error,
    whole_tuples,
)
from feature_capacity.geometry.ensembles import random_efficient
from feature_capacity.geometry.feasibility import (
    build,
    carried,
    complement,
    embedding_by_induction,
    induction,
    slack,
    split,
)
from feature_capacity.geometry.rotations import random_projection, random_rotation

run = open_page(
    "appH_feasibility",
    n_features=n_features,
    n_subspaces=n_subspaces,
    n_tuples=n_tuples,
    largest=largest,
    denominator=denominator,
    seed=seed,
)
rng = np.random.default_rng(seed)

# %%
from fractions import Fraction

import feature_capacity as fc
from feature_capacity.geometry.feasibility import embedding_by_induction

wanted = [Fraction(x) for x in ("3/10", "9/10", "1/2", "3/5", "9/20", "1/4")]
W = embedding_by_induction(wanted)
fc.capacities(W).round(12)

# %% mystnb={"figure": {"caption": "The induction for six features in three dimensions. From left to right: capacities are merged while two of them sum to at most 1; when none do, all change to their complements (gray band, orange); the four that are left then sum to $4-3=1$ instead of 3. One number is left.", "name": "fig-apph-tree"}, "image": {"alt": "A tree. 3/10 and 1/4 merge to 11/20, 1/2 and 9/20 to 19/20. After the complement 9/20, 2/5, 1/10 and 1/20 remain and merge step by step to 1."}} tags=["hide-input"]
steps = induction(wanted)
figures.induction_tree(steps)

# %% [markdown]
# The appendix asks two questions, and answers each with a lemma.
# *When* do capacities sum to the number of dimensions?
# Which capacities *can* be had?
#
# ## Lemma 1: how close a subspace comes to the axes
#
# ```{admonition} Lemma 1
# :class: tip
# Let $V \subseteq \mathbb{R}^N$ have dimension $D$, and let no axis $e_i$ be orthogonal to it.
# For any unit vectors $v_1, \dots, v_N$ in $V$ we have $\sum_i (v_i \cdot e_i)^2 \le D$, with equality exactly when every $v_i$ is parallel to the projection of $e_i$ onto $V$.
# ```
#
# Let $\Pi$ be the matrix that projects onto $V$, and $\theta_i$ the angle, at most a right one, between the *lines* along $v_i$ and $\Pi e_i$.
# Then $v_i \cdot e_i = v_i \cdot \Pi e_i = \pm\|\Pi e_i\| \cos\theta_i$, and $\|\Pi e_i\|^2 = \Pi_{ii}$.
# The traces of projections are dimensions, so what is missing can be written down:
#
# $$ D - \sum_i (v_i \cdot e_i)^2 = \sum_i \Pi_{ii} \sin^2\theta_i . $$ (eq-apph-slack)
#
# The right side is never negative, and it is zero exactly when all angles are: both halves of the lemma in one line.

# %%
n_dims = rng.integers(1, n_features, n_subspaces)
projection = np.array([random_projection(n_features, D, rng) for D in n_dims])
vectors = projection @ rng.standard_normal(projection.shape)
left, predicted = slack(projection, vectors)

# %%
angle = np.linspace(0, np.pi / 2, 13)
turned = {}
for D in sorted({2, n_features // 2, n_features - 1}):
    space = random_projection(n_features, D, rng)
    best = space / np.linalg.norm(space, axis=0)
    aside = space @ rng.standard_normal(best.shape)
    aside -= best * (best * aside).sum(axis=0)
    aside /= np.linalg.norm(aside, axis=0)
    v = np.cos(angle)[:, None, None] * best + np.sin(angle)[:, None, None] * aside
    turned[D] = (np.diagonal(v, axis1=1, axis2=2) ** 2).sum(axis=1) / D

# %% mystnb={"figure": {"caption": "Lemma 1. a: random unit vectors in random subspaces stay near 1, those along the projections of the axes reach $D$ (black). b: vectors turned away from the projections by one angle lose the same share in every subspace.", "name": "fig-apph-lemma1"}, "image": {"alt": "Left: clouds of dots between 0 and 3 for every dimension D, far below black marks on the diagonal. Right: points for three subspaces, all on the curve of the squared cosine."}} tags=["hide-input"]
figures.lemma1(n_dims, n_dims - left, angle, turned)

# %% [markdown]
# Random unit vectors get a total of 1 on average, whatever the dimension, because $(v_i \cdot e_i)^2$ averages to $\Pi_{ii}/D$.
# To reach $D$, vectors must know their axis.
# If all of them are off by the same angle, {eq}`eq-apph-slack` leaves $D\cos^2\theta$.
#
# And if an axis *is* orthogonal to $V$?
# The bound stays, but the term of that axis is zero whatever its vector does.
# Equality then says nothing about that vector, and "only if" fails: the lemma needs its hypothesis for that half alone.
#
# ### From the lemma to capacities
#
# Let $W$ have rank $D$, and leave out features with $w_i = 0$, whose capacity is 0.
# Take the Gram matrix $A = W^TW$ with columns $a_i$.
# Its rank is $D$, so its columns lie in a space $V$ of dimension $D$, and by equation {eq}`eq-paper-3`
#
# $$ C_i = \frac{a_{ii}^2}{\|a_i\|^2} = (v_i \cdot e_i)^2 \quad\text{with}\quad v_i = \frac{a_i}{\|a_i\|} . $$ (eq-apph-capacity)
#
# No axis is orthogonal to $V$, because $a_{ii} = \|w_i\|^2 > 0$.
# So the lemma applies: capacities sum to at most $D$, and {eq}`eq-apph-slack` tells how much is missing.
# We look at matrices of all degrees of disorder, from almost {term}`efficient <efficient matrix>` ones to random ones.

# %%
D = n_features // 2
disorder = 10 ** rng.uniform(-4, 0, 400)
noise = disorder[:, None, None] * rng.standard_normal((len(disorder), D, n_features))
several = noise + [random_efficient([(D, n_features)], rng) for _ in disorder]
A = several.mT @ several
missing = D - fc.total_capacity(several)
angles = slack(np.linalg.pinv(several) @ several, A)[1]

# %% mystnb={"figure": {"caption": "Capacity that an embedding leaves unused, against what the angles between the columns of its Gram matrix and the projected axes predict (the identity below Lemma 1). Colors: how far the embedding is from an efficient one.", "name": "fig-apph-slack"}, "image": {"alt": "Log-log scatter of missing capacity against the predicted sum, over eight decades, all points on the diagonal; color changes along it."}} tags=["hide-input"]
figures.slack(angles, missing, disorder)

# %% tags=["hide-input"]
run.check("apph-lemma1-bound", left)
run.check("apph-lemma1-only-if", left, predicted)
signs = rng.choice([-1, 1], (n_subspaces, 1, n_features))
run.check(
    "apph-lemma1-equality", n_dims - slack(projection, signs * projection)[0], n_dims
)
totals = n_dims - left
run.check(
    "apph-lemma1-random",
    totals.mean(),
    1,
    standard_error=totals.std() / np.sqrt(n_subspaces),
)
curves = np.array(list(turned.values()))
run.check(
    "apph-lemma1-turned", curves, np.broadcast_to(np.cos(angle) ** 2, curves.shape)
)
with_one_more = np.pad(best, (0, 1))  # an axis orthogonal to the last subspace
with_one_more[:-1, -1] = best[:, 0]  # and some unit vector for it
run.check("apph-lemma1-hypothesis", (np.diag(with_one_more) ** 2).sum(), n_features - 1)
run.check("apph-gram-rank", np.linalg.matrix_rank(A), np.full(len(A), D))
entries = np.diagonal(A, axis1=1, axis2=2) / np.linalg.norm(A, axis=1)
run.check("apph-capacity-as-entry", fc.capacities(several), entries**2)
run.check("apph-capacity-slack", missing, angles)
run.badge()

# %% [markdown]
# ## The case of equality
#
# Now suppose that the capacities do sum to $D$.
# Then each $a_i$ is parallel to $\Pi e_i$, say $a_i = \mu_i\, \Pi e_i$, and $\mu_i > 0$ because $a_{ii} > 0$.
# The paper's next steps:
#
# 1. $A$ and $\Pi$ are symmetric, so $\mu_i \Pi_{ij} = a_{ij} = a_{ji} = \mu_j \Pi_{ij}$. Features with different $\mu$ are orthogonal.
# 2. Features that cannot be divided into orthogonal groups therefore have one $\mu$, and $A = \mu\,\Pi$.
# 3. Then $\Lambda : w_i \mapsto \sqrt{\mu}\, \Pi e_i$ keeps all inner products: it is a rotation, and in a basis of $V$ it shows that $W W^T = \mu I$.
#
# (The paper says that the $w_i$ span a subspace of $\mathbb{R}^N$; they span $\mathbb{R}^D$, and it is $V$ that lies in $\mathbb{R}^N$.)
#
# That is Theorem P2, {ref}`which section 4 tests <thm-2>` on thousands of matrices.
# To follow the steps we need matrices whose capacities sum to $D$ and that were *not* put together from blocks.
# Least squares find some: from random starts, unused capacity is driven to zero, and the groups that come out are theirs.

# %%
starts = rng.standard_normal((8, D, n_features))
ends = [efficient_from(start) for start in starts]
found = [E for E in ends if eigenvector_tilt(E) < 1e-13]
built = random_efficient([(3, 6), (2, 4), (1, 1)], rng)
{
    "found": [[(len(b.features), b.dimension) for b in fc.blocks(E)] for E in found],
    "built": [(len(b.features), b.dimension) for b in fc.blocks(built)],
}

# %% [markdown]
# Each pair says how many features a group has, and how many dimensions.
# For the matrix that we built from three groups of different scales, here are the numbers $\mu$:

# %%
A, projection = built.T @ built, np.linalg.pinv(built) @ built
mu = np.diag(A) / np.diag(projection)
groups = fc.blocks(built)
pd.DataFrame(
    {
        "features": [len(b.features) for b in groups],
        "dimensions": [b.dimension for b in groups],
        "μ": [b.scale for b in groups],
    }
).rename_axis(columns="group").round(4)

# %% tags=["hide-input"]
run.check("apph-equality-orthogonal", np.abs(A[~np.isclose(mu[:, None], mu)]).max())
both, scales, map_errors, departures = [], [], [], []
for E in [*found, built]:
    A, projection = E.T @ E, np.linalg.pinv(E) @ E
    mu = np.diag(A) / np.diag(projection)
    both.append([A.ravel(), (projection * mu).ravel()])
    for block in fc.blocks(E):
        turning = block_isometry(E, block)
        map_errors.append(abs(turning @ turning.T - np.eye(block.dimension)).max())
        scales.append(
            [mu[list(block.features)], np.full(len(block.features), block.scale)]
        )
        departures.append(block.deviation)
parallel, constant = np.concatenate(both, axis=1), np.concatenate(scales, axis=1)
run.check("apph-equality-parallel", *parallel)
run.check("apph-equality-positive", constant[0])
run.check("apph-equality-constant", *constant)
run.check("apph-equality-isometry", max(map_errors))
run.check("apph-equality-semiorthogonal", max(departures))
run.badge()

# %% [markdown]
# ## Lemma 2: three moves
#
# The other direction asks for an embedding with given capacities.
# Call a tuple $(C_1, \dots, C_N)$ with sum $D$ *feasible* if there is an $N \times N$ orthogonal matrix $U$ whose first $D$ rows have columns $u_i$ of squared length $C_i$.
# These rows are then an embedding with $W W^T = I$, and by {eq}`eq-paper-22` its capacities are the $C_i$.
#
# ```{admonition} Lemma 2
# :class: tip
# If a tuple is feasible, so is
#
# 1. any permutation of it,
# 2. what becomes of it when its last entry is split into two nonnegative ones,
# 3. $(1 - C_1, \dots, 1 - C_N)$, with $N - D$ in place of $D$.
# ```
#
# Each part is one line of linear algebra.
# *Reorder* the columns of $U$.
# *Split:* put a 1 at a new corner, and turn the new column into the last one by an angle $\vartheta$; they then have $C_N \cos^2\vartheta$ and $C_N \sin^2\vartheta$.
# *Complement:* move the first $D$ rows to the end; whole columns have length 1, so what was missing in the first rows is what the others hold.

# %%
U, D = random_rotation(n_features, rng), n_features // 3
C = carried(U, D)
halved, other = split(U, 0.5), complement(U, D)
carried(halved, D)[-2:] / C[-1], (carried(other, n_features - D) + C).round(12)

# %% [markdown]
# ## The induction
#
# Now run the moves backwards.
# If two entries sum to at most 1, *merge* them: by part 2 the longer tuple is feasible if the shorter one is.
# If no two do, take the *complement*: now all pairs do, and the next move is a merge.
# Every merge shortens the tuple by one, so $N-1$ of them end at a single whole number, 0 or 1, for which the $1 \times 1$ matrix will do.
#
# `induction` always merges the two smallest entries; the proof allows any pair.
# {numref}`fig-apph-tree` is read from left to right, as capacities; {numref}`fig-apph-matrices` from the last number back, as matrices: each merge becomes a split, each complement an exchange of rows.

# %% mystnb={"figure": {"caption": "The tree of the first figure from right to left: an orthogonal matrix for every tuple. The frame holds the rows that are the embedding; the complement exchanges them for the others. Red is positive, blue negative.", "name": "fig-apph-matrices"}, "image": {"alt": "Seven square matrices of growing size, from one by one to six by six. One row is framed in the first four; after the complement three rows are."}} tags=["hide-input"]
matrices = build(steps)
words = {"merge": "split", "complement": "complement"}
names = ["start", *(words[step.move] for step in steps[-2::-1])]
figures.growing_matrices(matrices, [step.n_dims for step in reversed(steps)], names)

# %% [markdown]
# A proof by smallest counterexample has its risks in the corners: zeros, ones, ties, a pair that sums to exactly 1, a single feature ({numref}`fig-apph-corners`).
# So we try *every* tuple of up to eight features in multiples of a fraction that sums to a whole number, up to order; all ties and borders are among them.
# In exact fractions, the last number must be 0 or 1.

# %% mystnb={"figure": {"caption": "Corner cases of the induction. Zeros merge with anything; ones become zeros under the complement; halves merge to whole dimensions, which makes blocks.", "name": "fig-apph-corners"}, "image": {"alt": "Four small trees: the single number 1; the tuple 1, 0, 1; four halves that merge in pairs; three times two thirds, which become thirds first."}} tags=["hide-input"]
half, two_thirds = Fraction(1, 2), Fraction(2, 3)
corners = {
    "one feature": [Fraction(1)],
    "only 0 and 1": [Fraction(1), Fraction(0), Fraction(1)],
    "all equal, halves": [half] * 4,
    "all equal, two thirds": [two_thirds] * 3,
}
figures.corner_cases({name: induction(c) for name, c in corners.items()})

# %%
every = list(whole_tuples(denominator))
ends = [induction(c)[-1].capacity[0] for c in every]
errors = [
    construction_error(embedding_by_induction(c), [float(x) for x in c]) for c in every
]
glue("appH-every", len(every), display=False)
max(errors)

# %% [markdown]
# In all, {glue:text}`appH-every` such tuples were taken apart and rebuilt; none failed.
#
# ### Two constructions
#
# {ref}`Section 4 <thm-1>` builds the same embeddings by the rotations of the Schur–Horn theorem {cite}`horn1954doubly,chan1983schur,dhillon2005majorization`.
# Both use at most $N - 1$ plane rotations; they differ in the matrix that comes out.

# %% mystnb={"figure": {"caption": "Two proofs of Theorem P1, run on random allocations (median, and the range of nine tenths). a: largest departure of $WW^T$ from $I$, or of a capacity from the one wanted; dotted: machine precision. b: share of the entries of $W$ that are not zero. The rotations make a staircase, which is half full; the induction leaves more zeros.", "name": "fig-apph-two"}, "image": {"alt": "Left: errors of both constructions stay below 1e-14 for up to forty features. Right: the rotations fill about half of the matrix, the induction about a fifth when there are many features."}} tags=["hide-input"]
trials = compare_constructions(n_tuples, largest, rng)
rows = [
    (t.n_features, name, t.error[name], t.filled[name])
    for t in trials
    for name in ("induction", "rotations")
]
columns = (
    "features",
    "construction",
    "largest error",
    "share of entries that are not zero",
)
figures.two_constructions(pd.DataFrame(rows, columns=columns))

# %% [markdown]
# Both are exact to rounding ({numref}`fig-apph-two`).
# The induction leaves more zeros because features that were merged early meet the others only through their sum.
# So the two halves fit: capacities in $[0, 1]$ with sum $D$ are *all* feasible, and by Lemma 1 nothing with a larger sum is.

# %% tags=["hide-input"]
run.check("apph-feasible-is-capacity", fc.capacities(U[:D]), C)
four = [Fraction(1, 5), Fraction(3, 10), Fraction(7, 10), Fraction(4, 5)]
orders = [[float(x) for x in order] for order in permutations(four)]
again = [fc.capacities(embedding_by_induction(order)) for order in permutations(four)]
run.check("apph-lemma2-permutation", again, orders)
shares = np.linspace(0, 1, 21)
cut = [split(U, s) for s in shares]
pieces = np.array([[*C[:-1], s * C[-1], (1 - s) * C[-1]] for s in shares])
run.check("apph-lemma2-split", np.array([fc.capacities(M[:D]) for M in cut]), pieces)
run.check("apph-lemma2-complement", fc.capacities(other[: n_features - D]), 1 - C)
made = [*cut, other]
run.check(
    "apph-lemma2-orthogonal", max(np.abs(M @ M.T - np.eye(len(M))).max() for M in made)
)
stages = [carried(M, s.n_dims) for M, s in zip(matrices, reversed(steps), strict=True)]
tuples = [[float(c) for c in s.capacity] for s in reversed(steps)]
run.check("apph-induction-every-stage", np.concatenate(stages), np.concatenate(tuples))
run.check("apph-induction-example", fc.capacities(W), tuples[-1])
run.check("apph-induction-exact", sum(end not in (0, 1) for end in ends))
extremes = [[1.0], [1.0] * 7, [0.0] * 5 + [1.0], [1e-9, 1 - 1e-9]]
extremes += [[1 / 3] * 9, [0.1] * 10, [0.9] * 10]
errors += [construction_error(embedding_by_induction(c), c) for c in extremes]
run.check("apph-induction-corners", max(errors))
run.check("apph-induction-random", max(t.error["induction"] for t in trials))
run.check("apph-rotations-random", max(t.error["rotations"] for t in trials))
needed = np.array([t.n_features - 1 for t in trials])
run.check("apph-induction-count", np.array([t.merges for t in trials]), needed)
run.check("apph-complement-count", needed - [t.complements for t in trials])
run.check("apph-rotations-count", needed - [t.rotations for t in trials])
run.badge()

# %% [markdown]
# Slips of Appendix H that change nothing are listed in {ref}`deviations`.
#
# ## Try it
#
# **Five in a plane.** How does the induction treat five equal features in two dimensions?
#
# :::{admonition} Answer
# :class: dropdown
# Each has capacity 0.4.
# Two merges lead to $(0.4, 0.8, 0.8)$; now all pairs sum to more than 1, and the complement $(0.6, 0.2, 0.2)$ in one dimension merges to 1.
# `[s.move for s in induction([0.4] * 5)]`, after `from feature_capacity.geometry.feasibility import induction`, lists the moves.
# :::
#
# **Not whole.** Can two features in a plane have the capacities 1 and ½?
# And why does that not contradict Theorem P1?
#
# :::{admonition} Answer
# :class: dropdown
# No: a capacity of 1 means that the other is orthogonal, and then the other has 1 as well, or 0 if it is not embedded.
# The theorem asks for a whole sum that uses all dimensions; see {ref}`unspent-allocations`.
# :::
#
# **Finer fractions.** Is the exhaustive search still clean in sixths?
#
# ```sh
# papermill notebooks/appH_feasibility.ipynb out.ipynb --cwd notebooks -p denominator 6
# ```
#
# :::{admonition} Answer
# :class: dropdown
# Yes: 1,095 tuples instead of 602, and the largest error is still a rounding error.
# :::
#
# **More dimensions.** In subspaces of up to 39 dimensions, what total do random unit vectors get?
#
# ```sh
# papermill notebooks/appH_feasibility.ipynb out.ipynb --cwd notebooks -p n_features 40
# ```
#
# :::{admonition} Answer
# :class: dropdown
# Still 1 on average, as in {numref}`fig-apph-lemma1`, and they scatter less.
# Vectors that know their axis would reach 39.
# :::
#
# ## What to remember
#
# - What is missing from the maximal capacity is a weighted sum of squared sines; both halves of Lemma 1 follow at sight.
# - At the maximum the Gram matrix is a projection times one number $\mu$ for each indivisible group, which is Theorem P2.
# - The proof of Theorem P1 is a program of three moves; it builds any allocation to rounding, corners included.
#
# This completes the appendices; {ref}`sec5-conclusions` says what it all means for someone who reads networks.
