# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# (sec4-blocks)=
# # Blocks: efficient embeddings are made of them, and of nothing else
#
# Between "nobody shares" and "everybody shares" lie all mixtures.
# {numref}`fig-5` shows one: five features share a plane, two more share the axis across it, and the two groups never meet.
# Are there efficient embeddings of another kind?
# No: every one of them falls apart into such {term}`blocks <block>`, once it is turned the right way.
#
# **Paper:** sections 4.3 to 4.5, Figure 5, Theorem 2 {cite}`scherlis2022`.
# **Run time:** some seconds.

# %% tags=["parameters", "hide-input"] quick={"n_matrices": 250, "n_starts": 8}
n_features: int = 12  # features of the embeddings drawn at random, N [9 .. 40]
n_dims: int = 5  # their dimensions, D [2 .. 8]
n_matrices: int = 2000  # random matrices on which the criteria must agree [50 .. 20000]
n_starts: int = 32  # random starts from which total capacity is maximized [4 .. 256]
seed: int = 0  # of all random numbers [0 .. 1000000]

# %% tags=["hide-input"]
import numpy as np
import pandas as pd

import feature_capacity as fc
from feature_capacity.book.claims.checks import open_page
from feature_capacity.figures import sec4_3_blocks as figures
from feature_capacity.geometry.blocks import names_of_blocks, relative_squares
from feature_capacity.geometry.ensembles import random_efficient, random_shapes
from feature_capacity.geometry.polytopes import four_in_a_plane
from feature_capacity.geometry.rotations import random_rotation
from feature_capacity.solvers.capacity_ascent import climb

run = open_page(
    "sec4_3_blocks", n_features=n_features, n_dims=n_dims, n_matrices=n_matrices,
    n_starts=n_starts, seed=seed,
)  # fmt: skip
generator = np.random.default_rng(seed)

# %%
import feature_capacity as fc

pentagon, pair = fc.polytope("pentagon"), fc.polytope("antipodal pair")
two_blocks = fc.tegum_product(pentagon, 0.8 * pair)
[(block.features, block.dimension) for block in fc.blocks(two_blocks)]

# %% mystnb={"figure": {"caption": "An embedding with two blocks (the paper's Figure 5). Left: the matrix (red positive, blue negative). Center: neurons 1 and 2 serve five features together, neuron 3 the other two; width shows the size of a weight, dashes a negative sign. Right: the embedding vectors.", "name": "fig-5"}, "image": {"alt": "Left: a matrix of three rows and seven columns, nonzero in a block of two by five and a block of one by two. Center: five features linked to two neurons and two features linked to a third. Right: five arrows in a horizontal disk and two along the vertical."}} tags=["hide-input"]
figures.fig5_two_blocks(two_blocks, fc.blocks(two_blocks))

# %% [markdown]
# Here each neuron lies inside the space of one block, and mixes only the features of that block.
# No choice of axes can do better: a neuron that serves one feature of a block serves others of it, too. (If a direction met one feature only, balance would make that feature's vector parallel to it, and a block by itself.)

# %% [markdown]
# ## Mixtures
#
# Split space into orthogonal subspaces of dimensions $D_k$, and place $N_k$ features in the $k$-th by a semiorthogonal matrix $R_k$ with a scale $\lambda_k$ of its own.
# Geometers call this a {term}`tegum product`; in coordinates it is a block-diagonal matrix.
# Within each block the old rules hold,
#
# $$ n_i = \lambda_k C_i \quad \text{for } i \text{ in block } k, $$ (eq-paper-24)
#
# $$ \sum_{i \in \text{block } k} C_i = D_k. $$ (eq-paper-25)
#
# The scales are free: capacities do not see how long one block is beside another.
#
# ```{admonition} Where we differ
# :class: important
# Section 4.3 prints the blocks as $\lambda_k R_k$.
# Squared lengths would then be $\lambda_k^2 C_i$; equation {eq}`eq-paper-24` needs $\sqrt{\lambda_k}\, R_k$, as in section 4.2 ({ref}`block-scale`).
# ```

# %%
shared = [0.8, 0.7, 0.3, 0.2], [0.4] * 5, [1.0]
R = [fc.embedding_from_capacities(c, generator=generator) for c in shared]
scales, k = np.array([0.3, 2.0, 5.0]), np.repeat([0, 1, 2], [4, 5, 1])
mixed = fc.tegum_product(*(np.sqrt(s) * r for s, r in zip(scales, R, strict=True)))
printed = fc.tegum_product(*(s * r for s, r in zip(scales, R, strict=True)))
np.bincount(k, fc.capacities(mixed))

# %% tags=["hide-input"]
sizes = [(len(b.features), b.dimension) for b in fc.blocks(two_blocks)]
turned = random_rotation(3, np.random.default_rng([seed, 5])) @ two_blocks
overlap = np.abs(turned.T @ turned) - np.diag((turned**2).sum(axis=0))
capacity = fc.capacities(mixed)
run.check("eq24-length-and-capacity", (mixed**2).sum(axis=0), scales[k] * capacity)
run.check("eq25-capacity-per-block", np.bincount(k, capacity), [2, 2, 1])
run.check(
    "sec4-3-printed-scale", (printed**2).sum(axis=0), scales[k] * fc.capacities(printed)
)
run.check("fig5-two-blocks", np.array(sizes), np.array([(5, 2), (2, 1)]))
run.check("intro-no-interference-across-blocks", overlap[:5, 5:].max())
run.check("intro-interference-within-blocks", overlap.max(axis=1).min())
run.badge()

# %% [markdown]
# (thm-2)=
# ## Theorem P2: there is nothing else
#
# Axes and the order of features are conventions (section 4.4).
# Rotate the space by an orthogonal $Q$, reorder the features by a permutation $P$: capacities and lengths move along and do not change.
# So every $W = Q B P$ is efficient, where $B$ is block-diagonal and each block a multiple of a semiorthogonal matrix.
#
# ```{admonition} Theorem P2
# :class: tip
# There are no others: every efficient embedding is $W = Q B P$ with scaled semiorthogonal blocks.
# ```
#
# *Idea of a proof.*
# Let $G = W^T W$, let $e_i$ be the $i$-th unit vector of $\mathbb{R}^N$, and let $\Pi$ be the orthogonal projection onto the range of $G$, so that $G = \Pi G$.
# Then $G_{ii} = (\Pi e_i) \cdot (G e_i)$, and the inequality of Cauchy and Schwarz gives
#
# $$ C_i = \frac{G_{ii}^2}{\|G e_i\|^2} \le \|\Pi e_i\|^2 = \Pi_{ii}, \qquad \sum_i C_i \le \operatorname{Tr} \Pi \le D. $$ (eq-sec4-bound)
#
# An efficient embedding has equality everywhere, so $G e_i = \mu_i \Pi e_i$ for every feature that is not ignored.
# Look at entry $j$ of this: $G_{ji} = \mu_i \Pi_{ji}$, and by symmetry also $\mu_j \Pi_{ji}$.
# So two features with different $\mu$ have $G_{ij} = 0$: they are orthogonal.
# For those of equal $\mu$ together $G = \mu \Pi$, so they are semiorthogonal up to the scale $\mu$.
# If they fall apart into groups that are orthogonal to each other, each group is a block: like Appendix H, we count the finest blocks.
#
# Finding the blocks of a matrix is easy: link any two features that are not orthogonal, and take the connected groups.
# That is what `fc.blocks` does.

# %% mystnb={"figure": {"caption": "An efficient embedding as it comes, and with the blocks that fc.blocks found in it along the diagonal. Same embedding, other axes, other order. Entries: red positive, blue negative.", "name": "fig-hidden-blocks"}, "image": {"alt": "Above a matrix without visible structure; below the same matrix after rotation and sorting: three framed blocks on the diagonal and zeros elsewhere."}} tags=["hide-input"]
hidden = random_efficient([(3, 7), (2, 5), (1, 1)], np.random.default_rng(seed))
found = sorted(fc.blocks(hidden), key=lambda b: -b.dimension)
Q = np.hstack([np.linalg.svd(hidden[:, b.features])[0][:, : b.dimension] for b in found])
order = [i for b in found for i in b.features]
figures.hidden_blocks(hidden, Q.T @ hidden[:, order], found)

# %% [markdown]
# ### Sufficient: such matrices are efficient, disturbed ones are not
#
# Three questions can be asked of a matrix.
# *By definition:* do its capacities sum to $D$?
# *By blocks:* is each block semiorthogonal up to scale, and do they span the space?
# *By singular vectors:* with $W = Q S R$, does every feature appear only in rows of $R$ that belong to one singular value?
# The answers must always be the same.
# We ask about random matrices of five kinds.
# The tolerance for missing capacity is the square of that for the other two; {numref}`fig-theorem-2` will show why.

# %%
kinds = {
    "W = QBP": lambda W: W,
    "one feature stretched": lambda W: W * np.where(
        np.arange(n_features) == generator.integers(n_features),
        generator.uniform(1.2, 3), 1,
    ),
    "a little noise": lambda W: W
    + 10 ** generator.uniform(-2, -1) * generator.standard_normal(W.shape),
    "one direction flattened": lambda W: W
    - np.outer(u := W[:, 0] / np.linalg.norm(W[:, 0]), u @ W),
    "all random": lambda W: generator.standard_normal(W.shape),
}
criteria = {"capacity": 1e-10, "blocks": 1e-5, "singular_vectors": 1e-5}
answers = []
for kind, change in kinds.items():
    for _ in range(n_matrices // len(kinds)):
        shapes = random_shapes(n_features, n_dims, generator)
        W = change(random_efficient(shapes, generator))
        said = (fc.is_efficient(W, *c) for c in criteria.items())
        answers.append((kind, fc.total_capacity(W), *said))
answers = pd.DataFrame(answers, columns=["kind", "total", *criteria])

# %%
yes = {f"yes by {c.replace('_', ' ')}": (c, "sum") for c in criteria}
mean = {"matrices": ("total", "size"), "mean total": ("total", "mean")}
answers.groupby("kind", sort=False).agg(**mean, **yes).round(3)

# %% [markdown]
# The three columns count the same matrices.
# Some stretched ones are still efficient: there the stretched feature is alone in its block, where length is free.
#
# One remark on the criterion by singular vectors.
# Read literally it also accepts $\operatorname{diag}(1, 0)$, for its two rows of $R$ never meet in one column.
# But that matrix has a total capacity of 1 in two dimensions.
# The criterion needs vectors that span the space, so that no singular value is zero; Appendix H assumes it, section 4.4 does not say it again.
# `fc.is_efficient` asks for both.

# %%
flat = np.diag([1.0, 0.0])
rows = np.linalg.svd(flat)[2]
accepted = ((np.abs(rows) > 1e-12).sum(axis=0) <= 1).all()
bool(accepted), fc.is_efficient(flat, "singular_vectors")

# %% [markdown]
# ### Necessary: an optimizer finds nothing else
#
# Now the harder direction.
# We forget all constructions, start from random matrices with columns of very different lengths, and follow the gradient of total capacity uphill until it ends.
# If there were efficient matrices of another kind, this search should stumble on them.

# %%
starts = generator.standard_normal((n_starts, n_dims, n_features))
starts *= 10 ** generator.uniform(-1, 1, (n_starts, 1, n_features))
ends = climb(starts)
reached = ends[n_dims - fc.total_capacity(ends) < 1e-9]
# A cosine of t to a block whose scale is off by t costs capacity of order t^4.
counts = pd.Series([names_of_blocks(W) for W in reached]).value_counts()
counts.rename_axis("blocks (features in dimensions)").to_frame("maximizers")

# %% [markdown]
# Every maximizer is made of semiorthogonal blocks.
# Most are one large block; where a start had very long vectors, or groups of them in line, these have split off.
# No start of ours got stuck below the maximum.
# The paper does not claim that, but it is worth knowing: total capacity behaves like the {term}`frame potential` of {cite}`benedetto2003frames`, which has no bad local optima.
#
# And what if a matrix is only nearly of the form?
# We disturb an efficient one by noise of relative size $\epsilon$.

# %%
noise = np.logspace(-5, -1, 13)
calm = random_efficient([(n_dims, n_features)], generator)
shake = generator.standard_normal(calm.shape)
shaken = [calm + e * np.linalg.norm(calm) * shake / np.linalg.norm(shake) for e in noise]
missing = np.array([n_dims - fc.total_capacity(W) for W in shaken])
departure = np.array([fc.blocks(W)[0].deviation for W in shaken])

small = (noise > 1e-4) & (noise < 1e-2)
float(missing[0]), float(departure[0])

# %% mystnb={"figure": {"caption": "Theorem P2. Left: squared singular values, divided by the mean of their block, at a random start (gray) and at the maximum reached from it (blue), one start per line. Right: an efficient matrix disturbed by noise. Its blocks depart from semiorthogonal in proportion to the noise; capacity is lost in proportion to its square.", "name": "fig-theorem-2"}, "image": {"alt": "Left: gray dots spread over two decades, blue dots all at 1. Right: log-log plot with a line of slope one for the departure of blocks and a line of slope two for missing capacity."}} tags=["hide-input"]
before, after = ([relative_squares(W) for W in Ws] for Ws in (starts, reached))
figures.theorem2_both_ways(before, after, noise, missing, departure)

# %% [markdown]
# The right panel is a practical warning.
# Total capacity is flat around its maximum: a network can have used all but a millionth of it while its blocks are still off by a tenth of a percent.
# To test for blocks, look at the blocks.

# %% tags=["hide-input"]
order = generator.permutation(mixed.shape[1])
rotated = random_rotation(len(mixed), generator) @ mixed[:, order]
members = answers[answers["kind"] == "W = QBP"]
loud = [W for W, e in zip(shaken, noise, strict=True) if e >= 1e-4]
run.check("sec4-4-capacities-unmoved", fc.capacities(rotated), capacity[order])
lengths = (mixed**2).sum(axis=0)[order]
run.check("sec4-4-lengths-unmoved", (rotated**2).sum(axis=0), lengths)
run.check("thm2-sufficient", members["total"], np.full(len(members), n_dims))
run.check("sec4-4-criteria-agree", (answers[list(criteria)].nunique(axis=1) > 1).sum())
run.check("sec4-4-printed-criterion", accepted * (2 - fc.total_capacity(flat)))
run.check("thm2-ascent-reaches-maximum", len(reached) / n_starts)
run.check("thm2-necessary", sum(not fc.is_efficient(W, "blocks", 1e-2) for W in reached))
slope = np.polyfit(np.log(noise[small]), np.log(missing[small]), 1)[0]
run.check("thm2-loss-is-second-order", slope)
passed = [fc.is_efficient(W, *c) for W in loud for c in criteria.items()]
run.check("thm2-fail-together", sum(passed))
run.badge()

# %% [markdown]
# (sec4-interpolation)=
# ## From one phase to another
#
# How does a feature pass from sharing to owning (section 4.5)?
# Take four features that share a plane, three of squared length 1 and one of squared length $n_1$.
# In a plane, balance is a closed polygon: with all angles doubled, the vectors $n_i (\cos 2\theta_i, \sin 2\theta_i)$ add up to zero.
# Such a polygon exists for every $n_1$ up to 3.
# It can be closed in many ways; we draw the one that is symmetric about the axis across from feature 1.
#
# The scale of a block is $\lambda = \sum_j n_j / D_k$, so capacity must follow
#
# $$ C_1 = \frac{n_1}{\lambda} = \frac{D_k\, n_1}{n_1 + \sum_{j \ne 1} n_j}, $$ (eq-sec4-path)
#
# here $2 n_1 / (n_1 + 3)$, until it reaches 1.

# %%
n_1 = np.linspace(0, 5, 201)
path = four_in_a_plane(n_1)
capacity = fc.capacities(path)
capacity[[0, 40, 120]].round(3)

# %% mystnb={"figure": {"caption": "A feature grows until it stands alone. Above: five stages; feature 1 is orange. Below: capacities on the way. On the white ground all four share one block and capacity is proportional to squared length; at d the vector has become orthogonal to all others, and from there on (dashed) its length is free.", "name": "fig-interpolation"}, "image": {"alt": "Five drawings of four arrows in a plane, from a triangle with feature 1 absent to feature 1 orthogonal to the other three. Below, the capacity of feature 1 rises from 0 to 1 at squared length 3 and stays, while that of the others falls from two thirds to one third."}} tags=["hide-input"]
stages = np.array([0, 0.4, 1, 3, 4.5])
figures.interpolation(four_in_a_plane(stages), stages, n_1, capacity)

# %% [markdown]
# At the left end feature 1 is ignored and the others form a triangle.
# As it grows they lose capacity and, in the way that we draw, close up on the axis across from it.
# At the right end it owns a dimension; the other three are left with one between them.

# %% tags=["hide-input"]
shared = path[(n_1 > 0) & (n_1 <= 3)]
overlap = (shared[:, :, :1] * shared[:, :, 1:]).sum(axis=1)
cosine2 = overlap**2 / (shared[:, :, 0] ** 2).sum(axis=1, keepdims=True)
number_of_blocks = [len(fc.blocks(W)) for W in four_in_a_plane([1, 2.9, 3, 4.5])]
run.check("sec4-5-efficient-all-the-way", capacity.sum(axis=-1), np.full(len(n_1), 2))
formula = np.minimum(2 * n_1 / (n_1 + 3), 1)
run.check("sec4-5-capacity-follows-length", capacity[:, 0], formula)
run.check("sec4-5-more-orthogonal", -np.diff(cosine2.mean(axis=1)))
run.check("sec4-5-separates", np.array(number_of_blocks), np.array([1, 1, 2, 2]))
run.check("sec4-5-ignored", capacity[0, 0])
run.badge()

# %% [markdown]
# ## Try it
#
# **Hardly more features than dimensions.** Does the search find several blocks more often then?
#
# ```sh
# papermill notebooks/sec4_3_blocks.ipynb out.ipynb --cwd notebooks -p n_features 9 -p n_dims 8
# ```
#
# :::{admonition} Answer
# :class: dropdown
# It does: hardly any maximizer is one large block.
# Capacities are then close to 1, and long vectors separate easily.
# :::
#
# **A nearly efficient network.** It has used all but a millionth of its capacity.
# How far may its blocks be from semiorthogonal?
#
# :::{admonition} Answer
# :class: dropdown
# By about a thousandth: what is missing is the square of the departure ({numref}`fig-theorem-2`).
# :::
#
# **Free to grow.** A feature owns a dimension.
# What happens to its capacity, and to that of the others, as it becomes ten times longer?
#
# :::{admonition} Answer
# :class: dropdown
# Nothing: its block is a single vector, and the scale of a block is free.
# :::
#
# ## To remember
#
# - Efficient embeddings are balanced arrangements in mutually orthogonal subspaces; a search that knows nothing of this finds nothing else.
# - Within a block capacity is proportional to squared length, and capacities sum to the dimension of the block.
# - To test for blocks, look at the blocks: total capacity is flat around its maximum.
#
# Next: which blocks a model chooses, {ref}`sec4-block-sizes`.
