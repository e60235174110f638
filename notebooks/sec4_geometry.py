# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# (sec4-geometry)=
# # Geometry: embeddings that waste nothing
#
# An embedding is {term}`efficient <efficient matrix>` when its features use up all the capacity there is, $\sum_i C_i = D$.
# What do such embeddings look like?
# {numref}`fig-polytopes` shows ten of them: antipodal pairs, polygons, solids.
# What they have in common is not their regularity but their *balance*: the vectors are spread evenly over all directions.
#
# **Paper:** sections 4.1 and 4.2, Theorem 1 {cite}`scherlis2022`.
# **Run time:** some seconds.

# %% tags=["parameters", "hide-input"] quick={"n_large": 300, "n_tuples": 60}
n_features: int = 12  # features of the embeddings drawn at random, N [9 .. 40]
n_dims: int = 5  # their dimensions, D [2 .. 8]
n_large: int = 3000  # features of the largest embedding built by Theorem 1 [10 .. 20000]
n_tuples: int = 200  # random capacity allocations tried for Theorem 1 [10 .. 5000]
seed: int = 0  # of all random numbers [0 .. 1000000]

# %% tags=["hide-input"]
from fractions import Fraction

import numpy as np
from myst_nb import glue

import feature_capacity as fc
from feature_capacity.book.claims.checks import open_page
from feature_capacity.explorers import geometry_explorer
from feature_capacity.figures import sec4_geometry as figures
from feature_capacity.geometry.ensembles import random_capacities
from feature_capacity.geometry.polytopes import polytope_edges
from feature_capacity.geometry.rotations import random_rotation, rotation_steps

run = open_page(
    "sec4_geometry", n_features=n_features, n_dims=n_dims, n_large=n_large,
    n_tuples=n_tuples, seed=seed,
)  # fmt: skip
generator = np.random.default_rng(seed)

# %%
import feature_capacity as fc

shapes = {name: fc.polytope(name) for name in fc.POLYTOPES}
measured = {name: fc.capacities(W) for name, W in shapes.items()}
measured["pentagon"]

# %% mystnb={"figure": {"caption": "Balanced arrangements with a name, and the capacity of each of their features: dimensions divided by features. Colors tell blocks apart: orthogonal groups of features. The square antiprism is balanced at one height only, which is not that of equal edges.", "name": "fig-polytopes"}, "image": {"alt": "Ten small drawings. Antipodal pair 1/2, triangle 2/3, square 1/2 in two colors, pentagon 2/5, hexagon 1/3, tetrahedron 3/4, octahedron 1/2 in three colors, cube 3/8, square antiprism 3/8, icosahedron 1/4."}} tags=["hide-input"]
fraction = {name: Fraction(*W.shape) for name, W in shapes.items()}
edges = {name: polytope_edges(W) for name, W in shapes.items() if len(W) == 3}
found = {name: fc.blocks(W) for name, W in shapes.items()}
figures.polytope_gallery(shapes, edges, found, [str(f) for f in fraction.values()])

# %% [markdown]
# Unit vectors to the corners of a regular polygon or solid are balanced, so $n$ corners in $d$ dimensions have capacity $d/n$ each.
# Among such shapes are those in which {cite}`elhage2022toy` found the features of their autoencoder.
# Some hide smaller ones: a square is two antipodal pairs at right angles, an octahedron three.

# %% tags=["hide-input"]
expected = [np.full_like(c, float(fraction[name])) for name, c in measured.items()]
run.check(
    "sec4-polytopes", np.concatenate(list(measured.values())), np.concatenate(expected)
)
run.badge()

# %% [markdown]
# ## The simplest way: one axis each
#
# Give $D$ features an axis of their own and the rest nothing (section 4.1).
# Then $W$ is a diagonal matrix with columns of zeros beside it.
# No two features meet, so no length matters: every capacity is exactly 1 or 0.

# %%
lengths = 10 ** generator.uniform(-2, 2, n_dims)
nothing = np.zeros((n_dims, n_features - n_dims))
diagonal = np.concatenate([np.diag(lengths), nothing], axis=1)
fc.capacities(diagonal)

# %% tags=["hide-input"]
run.check("sec4-1-capacities", fc.capacities(diagonal), (diagonal != 0).any(axis=0))
run.badge()

# %% [markdown]
# ## The opposite extreme: everything shares everything
#
# Now let all features share all dimensions (section 4.2, the "everything bagel").
# Take $W = \sqrt\lambda R$ with $R$ {term}`semiorthogonal <semiorthogonal matrix>`: its $D$ rows are orthonormal, $R R^T = I$.
# Its columns are not, for there are $N > D$ of them.
#
# The rows decide.
# From $W W^T = \lambda I$ it follows that the matrix of overlaps reproduces itself:
#
# $$ (W^T W)^2 = W^T (W W^T) W = \lambda\, W^T W. $$ (eq-paper-21)
#
# A capacity {eq}`eq-paper-3` divides the square of a diagonal entry of $W^T W$ by a diagonal entry of $(W^T W)^2$.
# One factor cancels:
#
# $$ C_i = \frac{n_i^2}{\lambda\, n_i} = \frac{1}{\lambda} \left[ W^T W \right]_{ii} = \frac{n_i}{\lambda}. $$ (eq-paper-22)
#
# Capacity is squared length in units of $\lambda$.
# And it adds up to the maximum:
#
# $$ \sum_i C_i = \frac{1}{\lambda} \operatorname{Tr}(W^T W) = \frac{1}{\lambda} \operatorname{Tr}(W W^T) = D. $$ (eq-paper-23)

# %%
scale = generator.uniform(0.5, 5)
bagel = np.sqrt(scale) * random_rotation(n_features, generator)[:n_dims]
gram = bagel.T @ bagel

values = np.linalg.svd(bagel, compute_uv=False)
values**2 / scale

# %% [markdown]
# What does $W W^T = \lambda I$ mean to the eye?
# Think of the vectors as a cloud of data: its second moments are the same in all directions.
# That is the sense of "balanced" in the paper's footnote 5, and it does not ask the cloud to be centered.
# Turn any vector into its opposite: overlaps change their sign, squares do not, and the embedding stays efficient.

# %%
pentagon = fc.polytope("pentagon")
one_sided = pentagon * np.where(pentagon[0] < 0, -1, 1)
squeezed = pentagon * [[1], [0.6]]

# %% mystnb={"figure": {"caption": "Balance is about second moments, drawn as an ellipse. A pentagon is balanced. So it is after two vectors have been turned around, although their center moves away from the origin. Squeezed, it is not, and capacity is lost.", "name": "fig-balance"}, "image": {"alt": "Three panels with five arrows each. A regular pentagon and the same with two arrows reversed have a circle as moment ellipse and total capacity 2. A squeezed pentagon has an elongated ellipse and a smaller total."}} tags=["hide-input"]
clouds = {"centered": pentagon, "not centered": one_sided, "squeezed": squeezed}
figures.balance(clouds, [fc.total_capacity(W) for W in clouds.values()])

# %% [markdown]
# Balance explains the angles.
# A short vector contributes little, so several short ones must stand close together to hold the balance against a long one.
# This can be made exact: by {eq}`eq-paper-21`, the squared cosines between one vector and the others, weighted by the squared lengths of those, add up to $\lambda - n_i = \lambda (1 - C_i)$.
# The less capacity, the more overlap.

# %%
unit = bagel / np.linalg.norm(bagel, axis=0)
squared_cosines = (unit.T @ unit) ** 2 - np.eye(n_features)
float((squared_cosines @ np.diag(gram) / scale)[0]), float(1 - fc.capacities(bagel)[0])

# %% tags=["hide-input"]
run.check("eq21-gram-reproduces-itself", gram @ gram, scale * gram)
run.check("eq22-capacity-is-length", fc.capacities(bagel), np.diag(gram) / scale)
run.check("eq23-total-is-dimensions", fc.total_capacity(bagel), n_dims)
run.check("sec4-2-singular-values", values**2, np.full(n_dims, scale))
run.check("sec4-footnote5-not-centered", fc.total_capacity(one_sided), 2)
run.check("sec4-footnote5-off-center", np.linalg.norm(one_sided.sum(axis=1)))
crowding = squared_cosines @ np.diag(gram) / scale
run.check("sec4-2-short-vectors-crowd", crowding, 1 - fc.capacities(bagel))
run.badge()

# %% [markdown]
# (thm-1)=
# ## Theorem P1: any division can be had
#
# ```{admonition} Theorem P1
# :class: tip
# For all capacities $0 \le C_i \le 1$ that sum to a whole number $D$ there is a $D \times N$ matrix with $W W^T = I$ whose columns have exactly these capacities.
# ```
#
# *Idea of a proof.*
# Start with $D$ unit columns and $N - D$ columns of zeros.
# The first column is a unit column; unit column $m+1$ stands right behind the first feature at which the wanted capacities so far add up to $m$ at least.
# Rotate two columns into each other: $W W^T$ does not notice, and squared length flows from one column to the other; anything between their two squared lengths can be reached.
# Go through the columns from left to right.
# Rotate each into its right neighbor until it has the squared length it wants; the neighbor carries the rest.
# A column that carries too much has a zero column on its right, and one that carries too little a unit column.
# The last column gets what is left, which is right because the total is.
# So $N - 1$ rotations suffice.
#
# The paper proves the theorem by induction (Appendix H); this proof is a recipe.
# It goes back to Schur and Horn {cite}`horn1954doubly` and to the algorithms of {cite}`bendel1978population`, {cite}`chan1983schur` and {cite}`dhillon2005majorization`.
# Frame theorists know the condition $C_i \le 1$ as the fundamental inequality {cite}`casazza2006physical`.

# %% mystnb={"figure": {"caption": "Theorem P1 as a film, for six features in three dimensions. Above: squared lengths (bars) and wanted capacities (black marks). Below: the matrix (entries: red positive, blue negative). Every rotation of two neighboring columns finishes one feature (blue bar), the last one finishes two.", "name": "fig-theorem-1-film"}, "image": {"alt": "Six frames. The first matrix has three unit entries; after each rotation one more bar meets its black mark; after five rotations all six do and the matrix is a staircase."}} tags=["hide-input"]
wanted = np.array([0.3, 0.9, 0.5, 0.6, 0.45, 0.25])
figures.rotation_film(rotation_steps(wanted), wanted)

# %% [markdown]
# (sec4-explorer)=
# The film runs here for any capacities.
# Drag one of them to 1 and it splits off from its block, drag it to 0 and it is gone ({ref}`sec4-interpolation`).

# %% tags=["hide-input"]
geometry_explorer(wanted)

# %% [markdown]
# We draw allocations of many sizes, even and uneven, many with features at exactly 0 or exactly 1.
# For each we build the sparse staircase, a *generic member* that has been moved on by random rotations of three columns at a time, and the film.
# Capacities are then measured by their definition.
# The construction costs no more than writing the matrix down, so the last one can be large.

# %%
isometry, miss, unused = [], [], []
for _ in range(n_tuples):
    inner = random_capacities(int(generator.integers(2, 40)), generator)
    pinned = generator.integers(0, 2, generator.integers(0, 4))
    c = generator.permutation([*inner, *pinned])
    film = rotation_steps(c)
    unused.append((c.size - 1) - (len(film) - 1))
    moved = fc.embedding_from_capacities(c, generator=generator)
    for W in (fc.embedding_from_capacities(c), moved, film[-1]):
        isometry.append(np.abs(W @ W.T - np.eye(len(W))).max())
        miss.append(np.abs(fc.capacities(W) - c).max())
float(max(isometry)), float(max(miss))

# %%
c = random_capacities(n_large, generator)
W = fc.embedding_from_capacities(c)
large = np.abs(W @ W.T - np.eye(len(W))).max(), np.abs(fc.capacities(W) - c).max()
size = f"{W.shape[1]} features in {W.shape[0]} dimensions"
glue("sec4-geometry-large", size, display=False)
W.shape

# %% [markdown]
# The large one has {glue:text}`sec4-geometry-large`.
# Each result is one matrix among many: {numref}`fig-theorem-1` shows two with the same capacities and the same balance, but different angles.

# %% mystnb={"figure": {"caption": "Two efficient embeddings of forty features in ten dimensions, with the same capacities. Above: wanted capacity (bars), measured in the staircase (black marks) and in the generic member (orange dots). Entries: red positive, blue negative.", "name": "fig-theorem-1"}, "image": {"alt": "Bars of forty capacities with matching marks; below them a sparse staircase matrix and a matrix with entries everywhere."}} tags=["hide-input"]
wanted = random_capacities(40, np.random.default_rng(seed), n_dims=10)
members = [fc.embedding_from_capacities(wanted, generator=g) for g in (None, generator)]
figures.two_members(wanted, members, [fc.capacities(W) for W in members])

# %% tags=["hide-input"]
run.check("thm1-large", max(large))
run.check("thm1-rows-orthonormal", max(isometry))
run.check("thm1-capacities-realized", max(miss))
run.check("thm1-rotation-count", unused)
run.badge()

# %% [markdown]
# ## Try it
#
# **Seven in three.** Can seven features in three dimensions have capacities $(1, 1, \tfrac13, \tfrac13, \tfrac13, 0, 0)$?
# What do they look like?
#
# :::{admonition} Answer
# :class: dropdown
# Yes: they stay in $[0, 1]$ and sum to 3.
# Two features own an axis each, three lie on the third axis, parallel or opposite, and two are zero.
# `fc.blocks(fc.embedding_from_capacities([1, 1, 1/3, 1/3, 1/3, 0, 0]))` lists the three blocks.
# :::
#
# **A short one.** In a balanced pentagon one vector is made a little shorter, and the others move until the balance is back.
# Do they move toward it or away from it?
#
# :::{admonition} Answer
# :class: dropdown
# Toward it: a short vector needs company to hold the balance, so its squared cosines with the others, weighted by their squared lengths, add up to more.
# :::
#
# **Larger.** How long does the construction take for 20,000 features?
#
# ```sh
# papermill notebooks/sec4_geometry.ipynb out.ipynb --cwd notebooks -p n_large 20000
# ```
#
# :::{admonition} Answer
# :class: dropdown
# As long as it takes to write the matrix down.
# :::
#
# ## To remember
#
# - In a {term}`semiorthogonal <semiorthogonal matrix>` embedding capacity is squared length, and the budget is spent.
# - Balance is about second moments; an arrangement need be neither regular nor centered.
# - Any division of capacity can be had, by at most $N - 1$ plane rotations.
#
# Next: mixtures of the two, and why there is nothing else, {ref}`sec4-blocks`.
