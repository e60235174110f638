# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# (sec2-capacity)=
# # Capacity and superposition
#
# **Paper:** sections 2.1 and 2.2, Figure 6.
# **Claims checked:** {glue:text}`sec2-n-claims`.
# **Run time:** a few seconds.
#
# ```{admonition} In one minute
# :class: tip
# A layer has $D$ neurons and more features than that.
# The {term}`capacity` of a feature is the fraction of one dimension that is allocated to it: 1 if no other feature overlaps with it, 0 if it is not embedded, 1/2 if it shares a line with one other of the same length.
# Capacities add up to at most $D$, so they are a {term}`budget`.
# A loss that likes capacity spends the whole budget, and spends it where it helps most.
# At the best allocation every shared feature is worth the same at the margin; features worth less get nothing, features worth more get a dimension of their own.
# Whether sharing happens at all is decided by one thing: do returns on capacity diminish?
# ```

# %% tags=["parameters"] quick={"n_random": 200}
n_features: int = 6  # features in the random examples [6 .. 60]
n_dims: int = 3  # neurons in the random examples [2 .. 5]
kurtosis: float = 9.0  # fourth moment in the quadratic model [1.1 .. 100]
budget: float = 3.0  # capacity that the six curves share [0.25 .. 5.75]
n_random: int = 2000  # random embeddings and problems per check [50 .. 50000]
seed: int = 0  # of everything random [0 .. 1000000]

# %% tags=["hide-input"]
from itertools import product

import numpy as np
from myst_nb import glue
from scipy.integrate import cumulative_trapezoid
from scipy.optimize import minimize

import feature_capacity as fc
from feature_capacity.book.claims.checks import open_page
from feature_capacity.figures import sec2_capacity as figures

run = open_page(
    "sec2_capacity",
    n_features=n_features,
    n_dims=n_dims,
    kurtosis=kurtosis,
    budget=budget,
    n_random=n_random,
    seed=seed,
)
generator = np.random.default_rng(seed)
glue("sec2-n-claims", len(run.claims), display=False)
glue("sec2-n-random", n_random, display=False)
glue("sec2-budget", budget, display=False)

# %% [markdown]
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
# ## Reading capacities off a picture
#
# {numref}`fig-example-allocations` shows nine embeddings in two dimensions.
# The two neurons are the axes of each cross, each arrow is a feature, and the bar below is the budget of two dimensions: each feature fills its capacity, and hatching marks capacity that nobody has.

# %%
def arrows(degrees, lengths=1.0):
    angle = np.radians(degrees)
    return lengths * np.stack([np.cos(angle), np.sin(angle)])


examples = {
    "orthogonal": arrows([20, 110]),
    "lengths do not matter": arrows([20, 110], np.array([1, 0.4])),
    "one feature ignored": arrows([20, 110, 0], np.array([1, 1, 0])),
    "antipodal pair": arrows([35, 215]),
    "parallel, half as long": arrows([35, 35], np.array([1, 0.5])),
    "a pair and a loner": arrows([35, 215, 125]),
    "60 degrees apart": arrows([15, 75]),
    "triangle": arrows([90, 210, 330]),
    "pentagon": arrows(90 + 72 * np.arange(5)),
}
shares = {name: fc.capacities(W) for name, W in examples.items()}

# %% mystnb={"figure": {"caption": "Embeddings in the plane and how each divides two dimensions among its features; hatched capacity goes unused (the paper's Figure 6, with our own examples).", "name": "fig-example-allocations"}, "image": {"alt": "Nine small plots of embedding vectors in the plane. Under each a bar of length two is divided into the capacities of the features: orthogonal 1 and 1, antipodal pair one half each, triangle two thirds each, pentagon two fifths each, vectors sixty degrees apart 0.8 each, and others."}} tags=["hide-input"]
figures.fig6_example_allocations({name: (W, shares[name]) for name, W in examples.items()})

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

# %%
by_hand = [1, 1, 1, 1, 1, 1, 0]
by_hand += [1 / 2, 1 / 2, 4 / 5, 1 / 5, 1 / 2, 1 / 2, 1]
by_hand += [4 / 5] * 2 + [2 / 3] * 3 + [2 / 5] * 5

# %% tags=["hide-input"]
run.check("fig6-capacities", np.concatenate(list(shares.values())), np.array(by_hand))
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


def squared_correlation(means):
    return means[0] ** 2 / (means[1] * means[2])


each = squared_correlation(products)
error = each.std(axis=0, ddof=1) / np.sqrt(len(each))
together = squared_correlation(products.mean(axis=1))

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

# %% mystnb={"figure": {"caption": "Capacity of a feature as its embedding shrinks: along random directions it vanishes, along the one direction orthogonal to all other features it stays 1.", "name": "fig-vanishing-embeddings"}, "image": {"alt": "Log-log plot of capacity against embedding length. Sixty blue lines fall with slope two toward zero; one orange line stays at one."}} tags=["hide-input"]
figures.vanishing_embeddings(lengths, shrinking[:-1], shrinking[-1])

# %% tags=["hide-input"]
run.check("sec2-scale-and-rotation", turned, capacity)
run.check("footnote1-squared-correlation", together, fc.capacities(W), standard_error=error)
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
# The fraction is the *stable rank* of $W$: the sum of its squared singular values over the largest one.
# {numref}`fig-total-capacity-bounds` shows every embedding between the two bounds.
# On the left edge, features are nearly on one line.
# The lower bound is attained only where every feature meets the same crowd, $WW^{T}w_i=s\,w_i$: then all singular values that are not zero are equal, and the total is a whole number (the rings).
# At the top are the efficient embeddings, of any stable rank.

# %%
total = capacity.sum(axis=1)
squares = np.linalg.svd(embeddings, compute_uv=False) ** 2
stable_rank = squares.sum(axis=1) / squares[:, 0]

# %% mystnb={"figure": {"caption": "Total capacity of random embeddings against their stable rank: always on or above the diagonal, never above the number of dimensions.", "name": "fig-total-capacity-bounds"}, "image": {"alt": "Scatter of total capacity against stable rank. All points lie in the triangle between the diagonal and the horizontal line at the number of dimensions; rings mark whole numbers on the diagonal."}} tags=["hide-input"]
tame = generator.standard_normal((1500, n_dims, n_features))
tame *= np.exp(generator.normal(scale=0.7, size=(1500, n_dims, 1)))
alone = np.zeros((300, n_dims, n_features))  # one feature per neuron, of any length: efficient
alone[:, range(n_dims), range(n_dims)] = generator.uniform(0.2, 1, size=(300, n_dims))
level = np.zeros((n_dims, n_dims, n_features))  # equal singular values, of every rank
for rank in range(n_dims):
    even = np.full(n_features, (rank + 1) / n_features)
    level[rank, : rank + 1] = fc.embedding_from_capacities(even)


def stable_and_total(W):
    squares = np.linalg.svd(W, compute_uv=False) ** 2
    return np.stack([squares.sum(-1) / squares[..., 0], fc.total_capacity(W)], axis=-1)


cloud = np.concatenate([stable_and_total(W) for W in (embeddings[:1500], tame, alone)])
figures.total_capacity_bounds(*cloud.T, n_dims, stable_and_total(level))

# %% [markdown]
# One embedding escapes the lower bound.
# With every feature ignored, $W=0$, each capacity is 0 by the convention above, and so is the total.
# The bound needs $W\ne0$; nothing later depends on the exception.

# %%
nothing = np.zeros((n_dims, n_features))

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

# %% tags=["hide-input"]
run.check("sec2-total-at-most-dims", n_dims - total)
run.check("sec2-total-at-least-one", [total - stable_rank, stable_rank - 1])
run.check("sec2-total-of-the-zero-matrix", fc.total_capacity(nothing) - 1)
run.check("sec2-realizable-when-spent", fc.capacities(np.stack([one, other])), [wanted, wanted])
run.check("sec2-capacities-leave-freedom", abs(overlaps - other.T @ other).max() / overlaps.max())
run.badge()

# %% [markdown]
# ## Spending the budget
#
# Training looks for the capacities and the rest $S$ that minimize the loss, subject to $0\le C_i\le1$ and $1\le\sum_iC_i\le D$.
# First minimize over $S$, with the capacities held fixed; what remains is a loss $L(C_1,\dots,C_N)$ of the capacities alone.
#
# Why first over $S$?
# There are many ways to choose $S$, and "the slope of the loss in $C_i$, all else fixed" depends on what "all else" is.
# In the quadratic model of {ref}`sec3-1-quadratic-model` one may hold the squared length $n_i$ fixed, or the ratio $n_i/C_i$.
# At arbitrary lengths the two slopes differ; at the best lengths they are the same, because there the loss is flat in $n_i$.

# %%
C, v = np.array([0.5, 0.7, 0.8]), np.array([1.0, 1.2, 0.8])
step = np.array([1e-5, 0, 0])


def slope(n_of):
    """Slope of the loss in the first capacity, if lengths follow the capacities."""
    low, high = C - step, C + step
    rise = fc.loss_from_capacities(high, n_of(high), v, kurtosis)
    return (rise - fc.loss_from_capacities(low, n_of(low), v, kurtosis)) / (2 * step[0])


def slopes(n):
    """With the lengths held fixed, and with the ratios of length to capacity."""
    return [slope(lambda c: n), slope(lambda c: n / C * c)]


at_any, at_best = slopes(2 * v), slopes(fc.best_sq_norm(C, v, kurtosis))
formula = -fc.marginal_benefit(C, v, kurtosis)[0]

# %% [markdown]
# Now suppose that capacity never hurts: the *marginal benefit* $-\partial L/\partial C_i$ is never negative.
# Then capacity left over could be put to use, so the optimum spends everything and the constraint becomes $\sum_i C_i=D$.
# A multiplier $\lambda$ charges for capacity:
#
# $$ \min_{0\le C_i\le 1}\ \max_{\lambda}\quad L(C_1,\dots,C_N)+\lambda\Big(\sum_i C_i-D\Big) $$ (eq-paper-4)
#
# (The paper writes a minimum over $\lambda$ too; what is meant is a stationary point, at which the constraint holds.)
#
# Read $\lambda$ as a price for one unit of capacity.
# Each feature decides for itself whether the next bit is worth it.
# Inside the interval, the best point has no slope:
#
# $$ \frac{\partial}{\partial C_i}\Big(L+\lambda\big(\textstyle\sum_j C_j-D\big)\Big)=0 . $$ (eq-paper-5)
#
# At the ends of the interval the slope may point outward.
# That gives three cases.
# An ignored feature is not worth the price even for its first bit,
#
# $$ \frac{\partial L}{\partial C_i}\ge-\lambda\qquad (C_i=0); $$ (eq-paper-6)
#
# a shared feature is worth exactly the price at the margin,
#
# $$ \frac{\partial L}{\partial C_i}=-\lambda\qquad (0<C_i<1); $$ (eq-paper-7)
#
# and a fully represented feature would be worth the price of even more, but there is no more than one dimension to have,
#
# $$ \frac{\partial L}{\partial C_i}\le-\lambda\qquad (C_i=1). $$ (eq-paper-8)
#
# ```{note}
# This $\lambda$ is a marginal benefit, which we call the *threshold*.
# In section 3 the paper uses the same letter for another number, a ratio of length to capacity; the threshold is then twice its square, as {ref}`sec3-1-quadratic-model` derives.
# ```
#
# We test the conditions on {glue:text}`sec2-n-random` random problems of the quadratic model, of every kurtosis from dense to very sparse, solved by `fc.solve_allocation`.
# `excess` is the marginal benefit relative to the threshold, minus one.

# %%
importance = generator.lognormal(sigma=0.8, size=(n_random, n_features))
many_kurtoses = np.exp(generator.uniform(np.log(1.1), np.log(1000), size=n_random))
best = fc.solve_allocation(importance, n_dims, many_kurtoses[:, None])
benefit = fc.marginal_benefit(best.capacity, importance, many_kurtoses[:, None])
excess = benefit / best.threshold[:, None] - 1

ignored, shared, whole = (best.phase == code for code in range(3))
run.check("eq7-shared", abs(np.where(shared, excess, 0)).max())
glue("sec2-kkt", float(fc.kkt_residuals(best).max()), display=False)

# %% [markdown]
# `fc.kkt_residuals` reports the same for any allocation; its largest value here is {glue:text}`sec2-kkt:.1e`.
#
# Conditions {eq}`eq-paper-6` to {eq}`eq-paper-8` say what an optimum must look like.
# Whether the allocation *is* the optimum needs a judge that does not know them.
# We give the loss to a general-purpose optimizer (SLSQP), which may leave capacity unspent.

# %%
def general_optimum(v, k):
    """Minimize the loss over capacities, with no use of the theory."""
    unit = (k - 1) * (v**2).sum()
    unspent = {"fun": lambda C: n_dims - C.sum(), "jac": lambda C: -np.ones(v.size)}
    return minimize(
        lambda C: fc.loss_at_best_lengths(np.clip(C, 0, 1), v, k).sum() / unit,
        jac=lambda C: -fc.marginal_benefit(np.clip(C, 0, 1), v, k) / unit,
        x0=np.full(v.size, 0.9 * n_dims / v.size),
        bounds=[(0, 1)] * v.size,
        constraints={"type": "ineq", **unspent},
        method="SLSQP",
        options={"ftol": 1e-15, "maxiter": 1000},
    ).x


few = generator.lognormal(sigma=0.5, size=(12, n_features))
found = np.array([general_optimum(v, kurtosis) for v in few])

# %% [markdown]
# Equation {eq}`eq-paper-5` can be felt directly, with a {ref}`figure to play with <sec1-explorer>` or by computation.
# Take a little capacity $\delta$ from one shared feature and give it to another: at the optimum, the loss changes by an amount of order $\delta^2$ only.

# %%
v = np.array([1.3, 1.0, 0.8])
shared = fc.solve_allocation(v, 1, 9.0)
moves = np.array([2e-3, 1e-3])
moved = shared.capacity + moves[:, None] * np.array([1, -1, 0])
rise = fc.loss_at_best_lengths(moved, v, 9.0).sum(axis=1) - shared.loss
shared.capacity.round(3)

# %% tags=["hide-input"]
run.check("footnote3-slope-depends-on-s", abs(at_any[1] / at_any[0] - 1))
run.check("footnote3-settled-at-the-best", at_best, [formula, formula])
run.check("sec2-capacity-never-hurts", benefit)
run.check("eq6-ignored", np.where(ignored, -excess, 0))
run.check("eq8-fully-represented", np.where(whole, excess, 0))
run.check("eq4-budget-is-spent", found.sum(axis=1) - n_dims)
run.check("eq4-optimum", found - fc.solve_allocation(few, n_dims, kurtosis).capacity)
run.check("eq5-stationary", np.log2(rise[0] / rise[1]))
run.badge()

# %% [markdown]
# ## Six situations
#
# Everything is decided by the shape of the marginal-benefit curves.
# {numref}`fig-six-situations` draws two features, blue and black, that compete for one dimension.
# The best split is found by brute force: try every split, add up the areas under both curves.

# %%
grid = np.linspace(0, 1, 201)
falling = np.exp(-0.9 * grid)
curves = [
    (0.45 + 0.8 * grid**2, 0.9 + 0.9 * grid**2),  # A
    (1.2 + 0.9 * grid**2, 0.9 + 0.9 * grid**2),  # B
    (np.full_like(grid, 1.2), np.full_like(grid, 1.2)),  # C
    (0.35 * falling, falling),  # D
    (1.15 * falling, falling),  # E
    (2.6 * falling, falling),  # F
]


def best_split(blue, black):
    """Capacity of blue at the best split of one dimension; None if all splits tie."""
    gain = [cumulative_trapezoid(curve, grid, initial=0) for curve in (blue, black)]
    total = gain[0] + gain[1][::-1]
    return None if np.ptp(total) < 1e-9 else grid[np.argmax(total)]


splits = [best_split(*pair) for pair in curves]

# %% mystnb={"figure": {"caption": "Two features compete for one dimension: increasing returns (A, B), constant and equal returns (C, every split is optimal), diminishing returns (D, E, F); dots mark the optimal split.", "name": "fig-six-situations"}, "image": {"alt": "Six panels with a blue and a black curve of marginal benefit against capacity. In A and B the curves rise and the dots sit at capacities 0 and 1. In C both are one flat line with rings all along it. In D, E and F the curves fall; the dots are at 0 and 1, at equal height inside, and at 1 and 0."}} tags=["hide-input"]
heads = ["rising, black wins", "rising, blue wins", "constant, equal"]
heads += ["falling, black wins", "falling, shared", "falling, blue wins"]
both = zip(heads, curves, splits, strict=True)
figures.six_situations(grid, {head: (*pair, split) for head, pair, split in both})

# %% [markdown]
# **A and B, increasing returns.** The more capacity a feature has, the more it gains from the next bit.
# Splitting is the worst of both worlds: the winner takes the whole dimension.
#
# **C, constant and equal returns.** Every split is as good as any other.
# (If the constants differed, the larger one would win.)
#
# **D, E, F, diminishing returns.** Capacity flows to whoever gains more from the next bit, until both gain the same.
# In E that happens inside, at the dashed line: the features share, and this is superposition.
# In D and F even the winner's last bit is worth more than the loser's first, so the loser gets nothing.
#
# The quadratic model shows all six.
# Whether its curves rise or fall is up to the kurtosis $k$ of the inputs alone: its marginal benefit is $2\big(\tfrac{(k-1)v}{(k-3)C+2}\big)^2$, which rises with $C$ for $k<3$, is constant at $k=3$ and falls for $k>3$ ({ref}`sec3-1-quadratic-model`).
# Importance only scales a curve up or down.
# {numref}`fig-six-situations-quadratic` has one dimension for two features again, with the optimum from `fc.solve_allocation`; the brute-force search finds the same.

# %%
cases = [(0.8, 1.8), (1.25, 1.8), (1.0, 3.0), (0.45, 5.0), (1.2, 5.0), (2.2, 5.0)]
pairs = [fc.marginal_benefit(grid[:, None], [v, 1.0], k).T for v, k in cases]
exact = [fc.solve_allocation([v, 1.0], 1, k) for v, k in cases]
in_theory = [best.capacity[0] if best.unique else None for best in exact]
by_force = [best_split(*pair) for pair in pairs]

# A tie counts as a value of its own, so that it must be found by both.
values = [[-1 if c is None else c for c in found] for found in (in_theory, by_force)]
glue("sec2-split-b", float(in_theory[4]), display=False)
glue("sec2-split-k", float(1 - in_theory[4]), display=False)

# %% mystnb={"figure": {"caption": "The same six situations in the quadratic model; blue has importance $v$, black importance 1.", "name": "fig-six-situations-quadratic"}, "image": {"alt": "Six panels as in the previous figure, computed from the quadratic model at kurtosis 1.8, 3 and 5. The pattern of optimal dots is the same."}} tags=["hide-input"]
heads = [f"$k$ = {k:g}, $v$ = {v:g}" for v, k in cases]
both = zip(heads, pairs, in_theory, strict=True)
figures.six_situations(grid, {head: (*pair, split) for head, pair, split in both})

# %%
ks = np.array([1.1, 1.8, 2.5, 2.99, 3.0, 3.01, 5.0, 9.0, 100.0])
by_kurtosis = fc.marginal_benefit(grid[:, None], [1.0], ks[:, None, None])[..., 0]

# %% [markdown]
# In panel E of {numref}`fig-six-situations-quadratic` blue gets {glue:text}`sec2-split-b:.2f` and black {glue:text}`sec2-split-k:.2f` of the dimension.
#
# ### Why increasing returns forbid sharing
#
# Suppose two features with increasing returns share.
# Move a little capacity from the one with the smaller marginal benefit to the other (from either, if they are equal).
# The giver's benefit falls, the receiver's rises, so the next bit moved pays even more.
# Nothing stops the flow until one of them is empty or full.
# Repeat: at most one feature can be left with a fraction, and since $D$ is a whole number, none is.
#
# The proof uses that the budget is whole; a search over all allocations of three features shows it too.

# %%
cells = np.array(list(product(np.linspace(0, 1, 101), repeat=2)))


def best_of_grid(total):
    third = total - cells.sum(axis=1)
    inside = (third > -1e-9) & (third < 1 + 1e-9)
    allowed = np.column_stack([cells, third])[inside].clip(0, 1)
    loss = fc.loss_at_best_lengths(allowed, [1.2, 1.0, 0.9], 1.8).sum(axis=1)
    return allowed[np.argmin(loss)]


whole, broken = best_of_grid(2.0), best_of_grid(1.5)
glue("sec2-broken", ", ".join(f"{c:g}" for c in broken.round(9)), display=False)

equal, k = np.ones(4), 1.8
for name, c in (("evenly", [0.5] * 4), ("apart", [1, 1, 0, 0])):
    loss = fc.loss_at_best_lengths(c, equal, k).sum()
    glue(f"sec2-{name}", float(loss), display=False)

# %% [markdown]
# With a budget of 1.5 instead of 2, the best allocation is ({glue:text}`sec2-broken`): exactly one feature keeps the fraction.
#
# A warning about the conditions: with increasing returns they are necessary but not sufficient.
# Four equal features that split two dimensions evenly satisfy {eq}`eq-paper-7` at every kurtosis.
# At $k=1.8$ that even split has loss {glue:text}`sec2-evenly:.3f`, while giving two of them everything has {glue:text}`sec2-apart:.3f`: the even split is the top of a hill, not the bottom of a valley.

# %% tags=["hide-input"]
run.check("sec2-six-situations", np.diff(values, axis=0))
run.check("sec2-returns-by-kurtosis", np.sign(3 - ks)[:, None] * np.diff(by_kurtosis, axis=1))
run.check("sec2-increasing-returns-pin", np.minimum(whole, 1 - whole))
run.badge()

# %% [markdown]
# ## Any diminishing returns will do
#
# Nothing so far needs the quadratic model.
# `fc.allocate` takes marginal-benefit curves of any shape, as long as they never rise, and a budget.
# Here are six curves of six families.

# %%
names = ["square root", "exponential", "linear", "logistic", "hyperbola", "parabola"]


def benefits(c):
    """Marginal benefits of six features, which are the last axis of c."""
    c = np.moveaxis(np.broadcast_to(c, (*np.shape(c)[:-1], 6)), -1, 0)
    return np.stack(
        [
            3.2 - 0.7 * np.sqrt(c[0]),
            3.0 * np.exp(-2.5 * c[1]),
            2.3 - 1.7 * c[2],
            2.0 / (1 + np.exp(9 * (c[3] - 0.6))),
            1.7 / (1 + 5 * c[4]),
            0.7 - 0.5 * c[5] ** 2,
        ],
        axis=-1,
    )


allocation = fc.allocate(benefits, budget, n_features=6)
allocation.capacity.round(3)

# %% [markdown]
# To check it, cut every feature's dimension into a thousand slices, put all six thousand slices on one pile, and buy the most useful ones until the budget is spent.
# No threshold enters; the price of the last slice bought *is* the threshold.

# %%
slices = (np.arange(1000) + 0.5) / 1000
worth = benefits(slices[:, None])
last_bought = np.sort(worth, axis=None)[::-1][round(1000 * budget) - 1]
bought = (worth >= last_bought).mean(axis=0)

first, last = benefits(np.zeros(6)), benefits(np.ones(6))
side = np.where(
    allocation.capacity == 0,
    allocation.threshold - first,
    np.where(
        allocation.capacity == 1,
        last - allocation.threshold,
        np.minimum(first - allocation.threshold, allocation.threshold - last),
    ),
)

# %% mystnb={"figure": {"caption": "Left: six curves of diminishing returns and one common threshold; dotted lines lead down to the capacities. Right: the capacity taken at every price; the threshold is where it meets the budget.", "name": "fig-water-filling"}, "image": {"alt": "Left: six falling curves, each with a dot where it crosses a dashed horizontal line, or at capacity 0 or 1 if it lies below or above the line. Right: total capacity taken against price, a falling curve that crosses the vertical budget line at the same height."}} tags=["hide-input"]
prices = np.linspace(0, 3.4, 341)
taken = (worth[None] >= prices[:, None, None]).mean(axis=1).sum(axis=1)
fine = np.linspace(0, 1, 401)
figures.water_filling(
    fine,
    dict(zip(names, benefits(fine[:, None]).T, strict=True)),
    allocation,
    benefits(allocation.capacity),
    prices,
    taken,
)

# %% [markdown]
# Picture a price that sinks slowly from above.
# Features come in one by one as the price passes the top of their curves, and each takes capacity until its own curve is down at the price.
# Curves that are still above the price at $C=1$ have run out of dimension.
# When the budget of {glue:text}`sec2-budget:.2f` is used up, the price stops; that is the threshold.

# %% tags=["hide-input"]
run.check("sec2-any-diminishing-curves", bought - allocation.capacity)
run.check("sec2-whole-curve-on-one-side", side)
run.badge()

# %% [markdown]
# ## Any definition of capacity will do, almost
#
# The argument never used {eq}`eq-paper-3`.
# It needs (1) that more capacity never makes the loss greater and (2) that the allocations it chooses among can be realized by embeddings.
# For (2), `fc.embedding_from_capacities` builds an embedding for *any* capacities that sum to $D$; the round trip above succeeded, and here are more.
#
# Appendix G offers a second definition: the {term}`leverage <leverage score>` $\tilde C_i=[W^{+}W]_{ii}$ of each column, with $W^{+}$ the pseudo-inverse.
# It is what capacity becomes after stretching the embedding space until the features are spread evenly in all directions.
# It is never below $C_i$, and it always sums to the rank, so that *every* full-rank embedding is efficient in its sense.
# On efficient embeddings the two agree.

# %%
bases = np.linalg.qr(generator.standard_normal((100, n_features, n_dims)))[0]
targets = (bases**2).sum(axis=2)
built = [fc.embedding_from_capacities(c, generator=generator) for c in targets]
both = [measure(np.stack(built)) for measure in (fc.capacities, fc.leverage_capacities)]

leverage = fc.leverage_capacities(embeddings)
rank = np.linalg.matrix_rank(embeddings)

# %% [markdown]
# Condition (2) is stated for all allocations within the bounds, spent or not.
# Taken at its word it fails, and two features in a plane show how.
# If $\theta$ is the angle between them, then
#
# $$ \Big(\frac1{C_1}-1\Big)\Big(\frac1{C_2}-1\Big)=\cos^4\theta . $$
#
# So $C_1=1$ forces $\theta=90°$, and then the second feature has capacity 1 too, or 0 if it is ignored.
# The allocation $(1,\tfrac12)$, the cross in {numref}`fig-realizable-pairs`, obeys $0\le C_i\le1$ and $1\le\sum_iC_i\le2$, yet no embedding has it, though some come as close as you like.

# %%
angle = generator.uniform(0, 180, 2500)
angle[:250] = 0
first = np.broadcast_to([[1.0], [0.0]], (2, 2500))
second = arrows(angle, np.exp(generator.normal(scale=0.5, size=2500)))
pairs = np.stack([first, second], axis=-1).transpose(1, 0, 2)
by_overlap, by_leverage = fc.capacities(pairs), fc.leverage_capacities(pairs)
product_of_both = np.prod(1 / by_overlap - 1, axis=1)
np.testing.assert_allclose(product_of_both, np.cos(np.radians(angle)) ** 4, atol=1e-9)

orthogonal = np.array([np.diag([1, s]) for s in [0, *np.geomspace(1e-3, 1e3, 25)]])
second_has = fc.capacities(orthogonal)[:, 1]  # while the first has 1

# %% mystnb={"figure": {"caption": "Capacities that two features in the plane can have, by 2500 random embeddings; the cross marks an allocation within the bounds that no embedding has.", "name": "fig-realizable-pairs"}, "image": {"alt": "Two square plots. Left: by equation 3 the points fill the triangle above the diagonal but not its upper and right edges. Right: by leverage the points lie only on the diagonal and at the corner one, one."}} tags=["hide-input"]
heads = ["$C$ of equation (3)", r"leverage $\tilde C$"]
figures.realizable_pairs(by_overlap, by_leverage, heads)

# %% [markdown]
# The left plot fills the triangle but not its upper and right edges.
# By leverage, on the right, totals are always whole numbers: two parallel features share one dimension, any others have one each, and nothing lies between.
# Neither gap harms the argument.
# It only compares allocations that spend the whole budget, and those are all realizable, by both definitions.

# %% tags=["hide-input"]
run.check("sec2-realizable-when-spent", both, [targets, targets])
run.check("sec2-second-definition-is-larger", leverage - capacity)
run.check("sec2-second-definition-sums-to-rank", leverage.sum(axis=1), rank)
run.check("sec2-realizable-when-not-spent", abs(second_has - 0.5).min())
run.badge()

# %% [markdown]
# ## Does it agree with the paper?
#
# All verdicts of this page are among {ref}`claims`, with what each measurement came to.
#
# Two statements hold with a small repair.
# The lower bound on the total needs an embedding that is not zero, and allocations that leave budget unspent are not all realizable.
# Both are about allocations that no optimum uses.
#
# ## Try it
#
# Paste a command at the root of the project; the executed page is then in `out.ipynb`.
#
# **Plenty.** What happens to {numref}`fig-water-filling` with a budget of 5.5?
#
# ```sh
# papermill notebooks/sec2_capacity.ipynb out.ipynb --cwd notebooks -p budget 5.5
# ```
#
# :::{admonition} Answer
# :class: dropdown
# The price sinks from 0.96 to 0.31.
# Two curves lie above it even at $C=1$ and are pinned at a full dimension; the four others still share, but each has more than three quarters of a dimension.
# Sharing is a matter of scarcity.
# :::
#
# **Next to nothing.** And who gets anything when there is only a quarter of a dimension to give away?
#
# ```sh
# papermill notebooks/sec2_capacity.ipynb out.ipynb --cwd notebooks -p budget 0.25
# ```
#
# :::{admonition} Answer
# :class: dropdown
# Two features: the square root, whose curve begins highest, takes 0.23 of a dimension, and the exponential the rest.
# The other four are pinned at zero, since even their first bit is worth less than the price, which is now 2.86.
# :::
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
# **Dense and many.** How do the checks fare with dense inputs and more features?
#
# ```sh
# papermill notebooks/sec2_capacity.ipynb out.ipynb --cwd notebooks -p kurtosis 1.8 -p n_features 40 -p n_dims 5
# ```
#
# :::{admonition} Answer
# :class: dropdown
# The comparison with the general optimizer no longer applies: at $k<3$ the loss has a valley at every corner and a local optimizer stops in the first one it meets.
# Nor does the one on the freedom that capacities leave, which is made for up to four dimensions.
# Everything else still holds.
# :::
#
# ## What we saw
#
# - Capacity is the fraction of a dimension that is allocated to a feature; it is blind to scale and rotation, lies between 0 and 1, and adds up to at most $D$ and at least the stable rank of $W$.
# - At the optimum all shared features have the same marginal benefit, the threshold; features below it are ignored, features above it own a dimension. This holds for any curves of diminishing returns.
# - Sharing needs diminishing returns. With increasing returns every feature gets all or nothing.
#
# Next: a model in which every one of these curves has a formula, {ref}`sec3-1-quadratic-model`.
