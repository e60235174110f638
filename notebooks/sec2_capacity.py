# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# (sec2-capacity)=
# # Capacity: how much of a layer does a feature have?
#
# A layer has $D$ neurons and more features than that, so that features have to share.
# How much does each of them get?
# {numref}`fig-example-allocations` answers for nine embeddings in two dimensions.
# The two neurons are the axes of each cross, each arrow is a feature, and the bar below is the budget of two dimensions: each feature fills its {term}`capacity`, and hatching marks capacity that nobody has.
#
# **Paper:** section 2.1, Figure 6 {cite}`scherlis2022`.
# **Run time:** some seconds.

# %% tags=["parameters", "hide-input"] quick={"n_random": 200}
n_features: int = 6  # features in the random examples [6 .. 60]
n_dims: int = 3  # neurons in the random examples [2 .. 5]
n_random: int = 2000  # random embeddings [50 .. 50000]
seed: int = 0  # of everything random [0 .. 1000000]

# %% tags=["hide-input"]
import numpy as np
from myst_nb import glue

import feature_capacity as fc
from feature_capacity.book.claims.checks import open_page
from feature_capacity.figures import sec2_capacity as figures
from feature_capacity.geometry.blocks import stable_rank
from feature_capacity.geometry.polytopes import in_the_plane

run = open_page(
    "sec2_capacity", n_features=n_features, n_dims=n_dims, n_random=n_random, seed=seed
)
generator = np.random.default_rng(seed)
glue("sec2-n-random", n_random, display=False)

# %%
import feature_capacity as fc
from feature_capacity.geometry.polytopes import in_the_plane

examples = {
    "orthogonal": in_the_plane([20, 110]),
    "lengths do not matter": in_the_plane([20, 110], [1, 0.4]),
    "one feature ignored": in_the_plane([20, 110, 0], [1, 1, 0]),
    "antipodal pair": in_the_plane([35, 215]),
    "parallel, half as long": in_the_plane([35, 35], [1, 0.5]),
    "a pair and a loner": in_the_plane([35, 215, 125]),
    "60 degrees apart": in_the_plane([15, 75]),
    "triangle": in_the_plane([90, 210, 330]),
    "pentagon": in_the_plane(90 + 72 * np.arange(5)),
}
shares = {name: fc.capacities(W) for name, W in examples.items()}
shares["a pair and a loner"]

# %% mystnb={"figure": {"caption": "Embeddings in the plane and how each divides two dimensions among its features; hatched capacity goes unused (the paper's Figure 6; the examples are ours).", "name": "fig-example-allocations"}, "image": {"alt": "Nine small plots of embedding vectors in the plane. Under each a bar of length two is divided into the capacities of the features: orthogonal 1 and 1, antipodal pair one half each, triangle two thirds each, pentagon two fifths each, vectors sixty degrees apart 0.8 each, and others."}} tags=["hide-input"]
figures.fig6_example_allocations(
    {name: (W, shares[name]) for name, W in examples.items()}
)

# %% [markdown]
# **Top row.** Orthogonal features own a dimension each, whatever their lengths; an ignored feature has nothing and costs nothing.
#
# **Middle row.** Features on one line share that one dimension.
# On a line $w_i\cdot w_j=\pm\sqrt{n_in_j}$ with $n_i=\|w_i\|^2$, so $C_i=n_i/\sum_j n_j$: the split follows the *squared* lengths, and direction along the line is irrelevant.
# The arrow of half the length has a quarter of the squared length, hence one fifth of the dimension.
#
# **Bottom row.** Two features 60 degrees apart have $C=1/(1+\cos^2 60°)=0.8$ each.
# They interfere although there is room for both: 0.4 of a dimension is lost.
# The triangle and the pentagon also interfere, but waste nothing: $n$ evenly spread features have $2/n$ each.
# Embeddings that waste nothing are called {term}`efficient <efficient matrix>`; their geometry is the subject of {ref}`sec4-geometry`.

# %% tags=["hide-input"]
by_hand = [1, 1, 1, 1, 1, 1, 0]
by_hand += [1 / 2, 1 / 2, 4 / 5, 1 / 5, 1 / 2, 1 / 2, 1]
by_hand += [4 / 5] * 2 + [2 / 3] * 3 + [2 / 5] * 5
run.check("fig6-capacities", np.concatenate(list(shares.values())), np.array(by_hand))
run.badge()

# %% [markdown]
# A pencil gives all of these numbers; the rest of this page says how.
#
# ## A layer, its features and its neurons
#
# Each input dimension is a feature.
# A layer first mixes the features linearly and then bends every result by itself:
#
# $$ e = W x $$ (eq-paper-1)
#
# $$ h = \mathrm{ReLU}(e) $$ (eq-paper-2)
#
# Here $x$ holds $N$ feature values, and $e$ and $h$ hold one value for each of $D$ neurons.
# The matrix $W$ has $D$ rows and $N$ columns.
# Its column $w_i$ is the {term}`embedding` of feature $i$: where the neurons' inputs go when that feature switches on.
# So $e$ is a sum of columns, each weighted by its feature, and the bend then acts on one neuron at a time.

# %%
W = generator.standard_normal((n_dims, n_features))
x = generator.standard_normal(n_features)
e = W @ x
h = np.maximum(e, 0)
h.round(2)

# %% tags=["hide-input"]
run.check("eq1-embedding", e, sum(x[i] * W[:, i] for i in range(n_features)))
run.check("eq2-activation", h, [value if value > 0 else 0 for value in e])
run.badge()

# %% [markdown]
# ## Capacity
#
# Two features {term}`interfere <interference>` when their embeddings overlap, that is, when $w_i \cdot w_j \ne 0$.
# Capacity compares a feature's overlap with itself to its overlap with everybody:
#
# $$ C_i = \frac{(w_i\cdot w_i)^2}{\sum_j (w_i\cdot w_j)^2} $$ (eq-paper-3)
#
# The sum contains $j=i$, so the numerator is one of the terms below it.
# If all other overlaps vanish, $C_i=1$: the feature has a dimension to itself.
# If the others weigh as much as the feature itself, $C_i=\tfrac12$.
# A feature that is not embedded would give $0/0$; it gets $C_i=0$.
#
# The package computes the denominator as $w_i^{T}(WW^{T})w_i$, because $\sum_j w_j w_j^{T}=WW^{T}$ is only $D\times D$.
# We compare it with the definition, taken word for word, on {glue:text}`sec2-n-random` awkward embeddings: columns whose lengths differ by many powers of ten, ignored features, antipodal pairs, and embeddings that use a single direction.

# %%
lengths = np.exp(generator.normal(scale=3, size=(n_random, 1, n_features)))
embeddings = lengths * generator.standard_normal((n_random, n_dims, n_features))
embeddings[::5, :, 0] = 0
embeddings[1::5, :, 1] = -embeddings[1::5, :, 2]
embeddings[2::5] = embeddings[2::5, :, :1] * generator.standard_normal(n_features)
capacity = fc.capacities(embeddings)

# %%
overlap = np.swapaxes(embeddings, 1, 2) @ embeddings
own = np.diagonal(overlap, axis1=1, axis2=2)
everybody = (overlap**2).sum(axis=2)
word_for_word = np.where(own > 0, own**2 / np.where(own > 0, everybody, 1), 0)

# %% tags=["hide-input"]
run.check("eq3-capacity", capacity, word_for_word)
run.check("eq3-bounds", np.minimum(word_for_word, 1 - word_for_word))
run.check("eq3-zero-column", capacity[::5, 0])
run.badge()

# %% [markdown]
# ## What capacity does and does not notice
#
# Multiply $W$ by a number, and numerator and denominator of {eq}`eq-paper-3` grow alike.
# Rotate all embeddings together, and no dot product changes.
# Capacity is therefore blind to the neuron basis, which is exactly why it can tell superposition from a mere rotation (see {ref}`sec1-introduction`).
#
# It also has a statistical meaning: embed, then go back with $W^{T}$; the squared correlation between a feature and its own reconstruction is $C_i$.
# Uncorrelated inputs of equal variance will do, whatever their distribution; here they are sparse.

# %%
turn = np.linalg.qr(generator.standard_normal((n_dims, n_dims)))[0]
turned = fc.capacities(-7.3 * turn @ embeddings)

x = fc.SparseUniform(0.2).sample((200, 1000, n_features), generator)
back = x @ W.T @ W
products = np.stack([x * back, x * x, back * back]).mean(axis=2)  # one mean per batch

cross, own, read = products
each = cross**2 / (own * read)
error = each.std(axis=0, ddof=1) / np.sqrt(len(each))
cross, own, read = products.mean(axis=1)
together = cross**2 / (own * read)
together.round(3), fc.capacities(W).round(3)

# %% [markdown]
# ### Is zero the right value for a feature that is not embedded?
#
# Let $w_i=\varepsilon d$ with a unit vector $d$.
# Then
#
# $$ C_i=\frac{\varepsilon^2}{\varepsilon^2+\sum_{j\ne i}(d\cdot w_j)^2}\;\longrightarrow\;0 \quad\text{like } \varepsilon^2, $$
#
# unless $d$ is orthogonal to every other feature.
# Then $C_i=1$ for every $\varepsilon>0$, and the capacity jumps to 0 only when the feature vanishes.
# Such directions exist only while the others leave a dimension free, and a random direction hits one with probability zero.
# So 0 is the limit from almost everywhere, and capacity has a genuine jump at a few places.
# Sixty random directions and the free one: the power of $\varepsilon$, and the least capacity on the way.

# %%
others = generator.standard_normal((n_dims, n_dims - 1))  # one direction stays free
free = np.linalg.svd(others)[0][:, -1]
random = generator.standard_normal((60, n_dims))
directions = np.vstack([random / np.linalg.norm(random, axis=1, keepdims=True), free])
lengths = np.geomspace(1e-6, 10, 57)
first = directions[:, None, :, None] * lengths[:, None, None]
rest = np.broadcast_to(others, (*first.shape[:2], *others.shape))
shrinking = fc.capacities(np.concatenate([first, rest], axis=-1))[..., 0]
growth = np.log(shrinking[:-1, 1] / shrinking[:-1, 0])
order = growth / np.log(lengths[1] / lengths[0])
float(np.median(order).round(3)), float(shrinking[-1].min().round(3))

# %% mystnb={"figure": {"caption": "Capacity of a feature as its embedding shrinks: along random directions it vanishes, along the one direction orthogonal to all other features it stays 1.", "name": "fig-vanishing-embeddings"}, "image": {"alt": "Log-log plot of capacity against embedding length. Sixty blue lines fall with slope two toward zero; one orange line stays at one."}} tags=["hide-input"]
figures.vanishing_embeddings(lengths, shrinking[:-1], shrinking[-1])

# %% tags=["hide-input"]
run.check("sec2-scale-and-rotation", turned, capacity)
run.check(
    "footnote1-squared-correlation", together, fc.capacities(W), standard_error=error
)
run.check("footnote2-limit", order[np.argmax(abs(order - 2))])
run.check("footnote2-exceptional-direction", shrinking[-1])
run.badge()

# %% [markdown]
# ## The budget
#
# The total capacity cannot exceed the number of dimensions, $\sum_i C_i\le D$.
# The proof of Appendix F is followed step by step in {ref}`appf-capacity-bound`; here the bound is tried on the awkward embeddings.
#
# The total is also at least 1, which is stated without proof.
# A short one gives more.
# Let $s$ be the largest eigenvalue of $WW^{T}$.
# Then $w_i^{T}(WW^{T})w_i\le s\,n_i$, so
#
# $$ C_i\;\ge\;\frac{n_i}{s},\qquad \sum_i C_i\;\ge\;\frac{\sum_i n_i}{s}=\frac{\|W\|_F^2}{\|W\|_2^2}\;\ge\;1 . $$
#
# The fraction is the *stable rank* of $W$: the sum of its squared singular values over the largest of these squares.
# {numref}`fig-total-capacity-bounds` shows every embedding between the two bounds.
# On the left edge nearly all squared length lies along one line.
# The lower bound is attained only where every feature meets the same crowd, $WW^{T}w_i=s\,w_i$: then all singular values that are not zero are equal, and the total is a whole number (the rings).
# At the top are the efficient embeddings, of any stable rank.

# %%
total = capacity.sum(axis=1)
ranks = stable_rank(embeddings)
float(total.min()), float(total.max())

# %% mystnb={"figure": {"caption": "Total capacity of random embeddings against their stable rank: always on or above the diagonal, never above the number of dimensions.", "name": "fig-total-capacity-bounds"}, "image": {"alt": "Scatter of total capacity against stable rank. All points lie in the triangle between the diagonal and the horizontal line at the number of dimensions; rings mark whole numbers on the diagonal."}} tags=["hide-input"]
tame = generator.standard_normal((1500, n_dims, n_features))
tame *= np.exp(generator.normal(scale=0.7, size=(1500, n_dims, 1)))
alone = np.zeros((300, n_dims, n_features))  # one feature a neuron, of any length
alone[:, range(n_dims), range(n_dims)] = generator.uniform(0.2, 1, size=(300, n_dims))
level = np.zeros((n_dims, n_dims, n_features))  # equal singular values, of every rank
for rank in range(n_dims):
    even = np.full(n_features, (rank + 1) / n_features)
    level[rank, : rank + 1] = fc.embedding_from_capacities(even)
some = [embeddings[:1500], tame, alone]
cloud = np.concatenate([[stable_rank(W), fc.total_capacity(W)] for W in some], axis=1)
reached = np.stack([stable_rank(level), fc.total_capacity(level)], axis=1)
figures.total_capacity_bounds(*cloud, n_dims, reached)

# %% [markdown]
# One embedding escapes the lower bound.
# With every feature ignored, $W=0$, each capacity is 0 by the convention above, and so is the total.
# The bound needs $W\ne0$; nothing later depends on the exception.

# %%
nothing = np.zeros((n_dims, n_features))
float(fc.total_capacity(nothing))

# %% [markdown]
# ### Capacities do not fix the embedding
#
# Scale and rotation are invisible to capacity, so they cannot be read back from it.
# There is more freedom than that.
# Below, two embeddings have the same capacities, drawn at random so that they sum to $D$, yet their overlaps $w_i\cdot w_j$ differ.
# Whatever is left over is called $S$: parameters that, together with $C_1,\dots,C_N$, determine $W$.

# %%
basis = np.linalg.qr(generator.standard_normal((n_features, n_dims)))[0]
wanted = (basis**2).sum(axis=1)  # numbers in [0, 1] that sum to n_dims
one = fc.embedding_from_capacities(wanted, generator=generator)
other = fc.embedding_from_capacities(wanted, generator=generator)
overlaps = one.T @ one
float(abs(overlaps - other.T @ other).max())

# %% tags=["hide-input"]
run.check("sec2-total-at-most-dims", n_dims - total)
run.check("sec2-total-at-least-one", [total - ranks, ranks - 1])
run.check("sec2-total-of-the-zero-matrix", fc.total_capacity(nothing) - 1)
apart = abs(overlaps - other.T @ other).max() / overlaps.max()
run.check("sec2-capacities-leave-freedom", apart)
run.badge()

# %% [markdown]
# ## Try it
#
# **On a line.** A feature of length 1 shares a line with a feature of length 3.
# What are their capacities, and what would they be if they shared a plane at right angles?
#
# :::{admonition} Answer
# :class: dropdown
# On the line the split follows squared lengths, so 1/10 and 9/10.
# At right angles both have 1.
# Check with `fc.capacities([[1, 3]])` and `fc.capacities([[1, 0], [0, 3]])`.
# :::
#
# **Half a pair.** One vector of an antipodal pair is made twice as long.
# Who wins and who loses?
#
# :::{admonition} Answer
# :class: dropdown
# The longer one has $4/5$, the shorter one $1/5$: squared lengths in the ratio 4 to 1.
# Nothing is lost: together they still fill the one dimension.
# :::
#
# **Crowded.** Forty features at random in five dimensions: is the budget spent?
#
# ```sh
# papermill notebooks/sec2_capacity.ipynb out.ipynb --cwd notebooks -p n_features 40 -p n_dims 5
# ```
#
# :::{admonition} Answer
# :class: dropdown
# Only where the vectors are about equally long and point anywhere: `fc.capacities(np.random.standard_normal((5, 40))).sum()` is about 4.5.
# The embeddings of {numref}`fig-total-capacity-bounds` are uneven on purpose, and leave most of the budget unspent.
# :::
#
# ## To remember
#
# - Capacity is the fraction of a dimension that is allocated to a feature: its squared overlap with itself over its squared overlaps with everybody.
# - It is blind to scale and to rotation, so it tells superposition from a turned basis.
# - Capacities add up to at most $D$, and to at least the stable rank of $W$, which is at least 1 unless $W=0$.
#
# Next: how a network spends this budget, {ref}`sec2-allocation`.
