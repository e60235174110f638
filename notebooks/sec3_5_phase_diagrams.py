# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# (sec3-5-phase-diagrams)=
# # Phase diagrams and the critical point
#
# **Paper:** sections 3.5 and 3.6, Figure 4 {cite}`scherlis2022`.
# **Checked here:** both phase boundaries and their limits, the analytical and the empirical diagram cell by cell, the line of jumps and how it ends.
# **Beyond the paper:** why some trainings go wrong near the jump, and an answer to its question about critical exponents.
# **Run time:** about half a minute on two CPU cores.
#
# ```{admonition} In one minute
# Take six features and three dimensions, and make one feature more or less important than the others.
# Two numbers then decide its fate: its relative importance $V$, and how sparse the inputs are, measured by the kurtosis $k$.
# When inputs are dense ($k<3$) the feature is either ignored or has a dimension of its own, and it jumps from one to the other at $V=1$.
# When inputs are sparse ($k>3$) a third phase opens in between, in which features share dimensions.
# The jump ends where this phase begins, at $k=3$ and $V=1$.
# We derive the whole diagram on paper, find it again by minimizing the loss from random starts in every cell, and look closely at the point where the three phases meet.
# ```

# %% tags=["parameters"] quick={"grid": 12, "n_starts": 8}
n_features: int = 6  # features, one of which has its own importance [6 .. 12]
n_dims: int = 3  # embedding dimensions, always fewer than features [1 .. 5]
grid: int = 64  # cells along each axis of the phase diagram [8 .. 256]
n_starts: int = 8  # random starts in each cell [1 .. 64]
seed: int = 0  # seed of the random starts and samples [0 .. 1000000]
device: str = "auto"  # where the numerical minimization runs {auto, cpu, cuda, mps}

# %% tags=["hide-input"]
import numpy as np
import torch
from myst_nb import glue

import feature_capacity as fc
from feature_capacity.book.claims.checks import open_page
from feature_capacity.explorers import PhaseMap, phase_explorer
from feature_capacity.figures import sec3_5_phase_diagrams as figures
from feature_capacity.figures.maps import CONTOUR_LEVELS
from feature_capacity.theory.phases import ignored_boundary, monosemantic_boundary, monosemantic_boundary_limit, one_feature_varied, phase_diagram, polysemantic_range
from feature_capacity.solvers.newton import minimize_quadratic
from feature_capacity.models.device import pick_device

run = open_page(
    "sec3_5_phase_diagrams",
    n_features=n_features,
    n_dims=n_dims,
    grid=grid,
    n_starts=n_starts,
    seed=seed,
    device=device,
)
print("computed on:", pick_device(device))
N, D = n_features, n_dims
generator = np.random.default_rng(seed)

# %% [markdown]
# ## One number decides for all features
#
# The [optimal allocation](sec3-1-quadratic-model) of section 3.4 gives every feature its capacity once a single number is known, the multiplier $\lambda$:
#
# $$ C_i(\lambda) = \min\left(\max\left(\frac{k-1}{k-3}\,\frac{v_i}{\lambda} - \frac{2}{k-3},\; 0\right),\; 1\right), \qquad k > 3. $$ (eq-sec3-5-capacity)
#
# What remains is to choose $\lambda$ so that the capacities add up to the number of dimensions, $\sum_i C_i(\lambda) = D$.
# This is easy to picture.
# As a function of $1/\lambda$ each capacity is a ramp: flat at 0, then a straight rise, then flat at 1.
# A sum of ramps never falls, so it passes the height $D$ once.
# A feature starts to rise where $1/\lambda = 2/((k-1)v_i)$ and reaches the top where $1/\lambda = 1/v_i$.
# So it is partly represented, hence polysemantic, exactly when
#
# $$ \frac{2}{k-1}\,\lambda \;<\; v_i \;<\; \lambda. $$ (eq-sec3-5-range)
#
# The two ends differ by a factor of $(k-1)/2$.
# Features share dimensions only if their importances are within that factor of each other, and for $k\le 3$ the range is empty.
# {numref}`fig-sec3-5-total-capacity` stacks the ramps of features with unequal importances.

# %% mystnb={"figure": {"caption": "How the budget sets the multiplier: capacities of features with unequal importances, stacked, at kurtosis 9. Dots mark where a feature starts or stops to rise.", "name": "fig-sec3-5-total-capacity"}, "image": {"alt": "Stacked ramps of capacity against one over the multiplier. Their sum rises in straight pieces from zero to the number of features and crosses the budget at one point."}} tags=["hide-input"]
importance, k = np.geomspace(3, 0.6, N), 9.0
inverse = np.linspace(1e-6, 1.05 / importance.min(), 800)
ramps = np.clip((k - 1) / (k - 3) * importance * inverse[:, None] - 2 / (k - 3), 0, 1)
figures.total_capacity_line(
    inverse,
    ramps,
    np.concatenate([2 / (k - 1) / importance, 1 / importance]),
    D,
    1 / float(fc.solve_allocation(importance, D, k).multiplier),
)

# %% [markdown]
# To check both statements we draw thousands of random cases, with importances spread over two decades and kurtoses between 3 and 60.
# The package finds the multiplier by one sort.
# Here we find it by plain bisection on $\sum_i C_i(\lambda) = D$, and then compare every feature's phase with {eq}`eq-sec3-5-range`.

# %%
def bisect(reached, low, high, halvings=110):
    """Smallest number from `low` to `high` for which `reached` holds, entry by entry."""
    for _ in range(halvings):
        middle = np.sqrt(low * high)
        yes = reached(middle)
        low, high = np.where(yes, low, middle), np.where(yes, middle, high)
    return high


v = np.exp(generator.uniform(np.log(0.1), np.log(10), (4000, N)))
k = 3 + np.exp(generator.uniform(np.log(0.05), np.log(57), 4000))
slope, offset = ((k - 1) / (k - 3))[:, None], (2 / (k - 3))[:, None]
inverse = bisect(
    lambda x: np.clip(slope * v * x[:, None] - offset, 0, 1).sum(axis=1) >= D,
    np.full(4000, 1e-6),
    np.full(4000, 1e6),
)
best = fc.solve_allocation(v, D, k[:, None])

# %%
low, high = polysemantic_range(best.multiplier[:, None], k[:, None])
shared = best.phase == fc.POLYSEMANTIC

dense = fc.solve_allocation(v, D, generator.uniform(1, 3, (4000, 1)))
glue("sec3-5-shared", float(shared.mean()), display=False)

# %% [markdown]
# Of the features in the sparse sample {glue:text}`sec3-5-shared:.0%` share dimensions, so the comparison has something to compare; in the dense sample none does.
#
# ```{note}
# The paper uses the letter $\lambda$ for two different numbers.
# In equations (4) to (8) it is the common marginal benefit; here, as in equations (15) to (18), it is the common ratio of squared length to capacity.
# The first is $2\lambda^2$ in terms of the second.
# The package calls them `threshold` and `multiplier`.
# ```

# %% tags=["hide-input"]
run.check("sec3-5-multiplier", 1 / inverse, best.multiplier)
run.check("sec3-5-polysemantic-condition", np.mean(shared == ((low < v) & (v < high))))
run.check("sec3-5-none-below-three", np.sum(dense.phase == fc.POLYSEMANTIC))
run.badge()

# %% [markdown]
# ## One feature against the rest
#
# A diagram on paper has two axes, so section 3.5.2 lets a single feature differ:
#
# $$ v_1 = V, $$ (eq-paper-19)
#
# $$ v_i = 1, \qquad i \ne 1. $$ (eq-paper-20)
#
# (The paper prints the first of these with a general index $i$ on the left; the index 1 is meant.)
#
# Suppose first that all $N$ features share.
# Then no ramp is clipped, and summing {eq}`eq-sec3-5-capacity` gives $\frac{k-1}{k-3}\frac{N-1+V}{\lambda} - \frac{2N}{k-3} = D$.
# We solve for the multiplier, and put it back to get the capacity of feature 1:
#
# $$ \lambda = \frac{(k-1)(N-1+V)}{(k-3)D+2N}, \qquad C_1 = \frac{(k-3)D+2N}{(k-3)(N-1+V)}\,V - \frac{2}{k-3}. $$ (eq-sec3-5-shared)
#
# The second formula can be turned around.
# Feature 1 has capacity $c$ when its importance is
#
# $$ V_c(k) = \frac{(N-1)\,\bigl(2 + (k-3)\,c\bigr)}{2(N-1) + (k-3)(D-c)}. $$ (eq-sec3-5-level)
#
# Every contour line of the {term}`phase diagram` is this one formula.
# Its two extreme cases are the phase boundaries.
# At $c=1$ feature 1 becomes fully represented, at $c=0$ it becomes ignored:
#
# $$ V_1(k) = \frac{(k-1)(N-1)}{(k-3)(D-1)+2(N-1)}, \qquad V_0(k) = \frac{2(N-1)}{(k-3)D+2(N-1)}. $$ (eq-sec3-5-boundaries)
#
# Set $V=1$ as a test: all features are equal, and {eq}`eq-sec3-5-shared` must return an equal share, $C_1=D/N$.

# %%
V = np.array([0.2, 1, 5])[:, None]
run.check("eq19-20-one-feature-varied", one_feature_varied(V[:, 0], N), np.where(np.arange(N) == 0, V, 1))

k = 3 + np.geomspace(1e-3, 1e6, 46)
glue("sec3-5-kurtoses", f"{len(k)} kurtoses from {k[0]:.3f} to {k[-1]:,.0f}", display=False)
lower, upper = ignored_boundary(N, D, k), monosemantic_boundary(N, D, k)
V = lower + generator.uniform(0.02, 0.98, k.shape) * (upper - lower)
best = fc.solve_allocation(one_feature_varied(V, N), D, k[:, None])
x = k - 3
run.check("sec3-5-shared-multiplier", best.multiplier, (k - 1) * (N - 1 + V) / (x * D + 2 * N))
run.check(
    "sec3-5-shared-capacity", best.capacity[:, 0], (x * D + 2 * N) / x / (N - 1 + V) * V - 2 / x
)
equal = fc.solve_allocation(np.ones((len(k), N)), D, k[:, None])

# %% [markdown]
# Now the boundaries.
# We do not use {eq}`eq-sec3-5-boundaries` to find them.
# We ask the allocation itself, at each of {glue:text}`sec3-5-kurtoses`, for the smallest importance at which feature 1 gets anything, and for the smallest at which it gets everything.

# %%
def smallest_importance(has_phase, kurtosis):
    """Smallest V at which the capacity of feature 1 fulfills `has_phase`, by bisection."""

    def reached(V):
        best = fc.solve_allocation(one_feature_varied(V, N), D, kurtosis[:, None])
        return has_phase(best.capacity[:, 0])

    return bisect(reached, np.full(kurtosis.shape, 1e-9), np.full(kurtosis.shape, 1e9))


found = {
    "ignored": smallest_importance(lambda c: c > 0, k),
    "monosemantic": smallest_importance(lambda c: c == 1, k),
}

# %% mystnb={"figure": {"caption": "Both edges of the superposed phase against kurtosis. Lines: closed forms. Dots: bisection on the optimal allocation.", "name": "fig-sec3-5-boundaries"}, "image": {"alt": "Two curves that start together at importance one near kurtosis three. The upper one levels off, the lower one falls along a straight line in the doubly logarithmic plot. Dots lie on both."}} tags=["hide-input"]
limit = monosemantic_boundary_limit(N, D)
shown = k < 3 + 1e3
figures.boundary_lines(
    k[shown],
    {"monosemantic": upper[shown], "ignored": lower[shown]},
    {name: values[shown] for name, values in found.items()},
    limit,
)

# %% [markdown]
# {numref}`fig-sec3-5-boundaries` shows three things worth remembering.
#
# - On the left both edges meet at $V=1$: at $k=3$ there is no room for sharing, and feature 1 goes from ignored to fully represented at once.
# - On the right the upper edge levels off at $(N-1)/(D-1)$. A feature more important than that has its own dimension however sparse the inputs are. The reason is a head count: for very sparse inputs capacity is shared in proportion to importance, feature 1 is due $DV/(N-1+V)$, and from this $V$ on that is more than the one dimension it can use.
# - The lower edge keeps falling, like $2(N-1)/(Dk)$. Extremely sparse inputs leave nothing ignored.
#
# We measure the orders of both approaches between the largest kurtoses, and the meeting point at $k=3$ exactly.

# %%
def order(distance, values):
    """Exponent of a power law: the slope of a straight line through the logarithms."""
    return float(np.polyfit(np.log(distance), np.log(values), 1)[0])


far = k > 1e4
distance = np.abs(limit - found["monosemantic"][far])
run.check("sec3-5-monosemantic-limit", order(1 / k[far], distance) if D > 1 else 0)

V = (limit if D > 1 else 1) * np.array([1, 1.01, 2, 10])[:, None]
anywhere = np.concatenate([np.linspace(1.01, 3, 40), k])
capacity_1 = fc.solve_allocation(one_feature_varied(V, N), D, anywhere[:, None]).capacity[..., 0]

critical = np.array([3.0])
meeting = [smallest_importance(test, critical) for test in (lambda c: c > 0, lambda c: c == 1)]

# %% [markdown]
# ### An independent route to $k=3$
#
# At $k=3$ the two terms of the loss carry equal weight and merge into one:
#
# $$ L = 2\sum_i(\|w_i\|^2-v_i)^2 + 2\sum_{i\ne j}(w_i\cdot w_j)^2 = 2\,\bigl\|W^\top W - \mathrm{diag}(v)\bigr\|_F^2 . $$ (eq-sec3-5-eckart-young)
#
# Minimizing this is a classical problem: approximate a matrix by one of rank $D$.
# The Eckart–Young theorem solves it by keeping the $D$ largest eigenvalues.
# So at $k=3$ the $D$ most important features win, the loss is twice the sum of the squared importances of the rest, and capacity was never mentioned.

# %%
W = generator.standard_normal((500, D, N))
distance = np.swapaxes(W, 1, 2) @ W - v[:500, :, None] * np.eye(N)

spectrum = np.linalg.eigvalsh(v[:, :, None] * np.eye(N))

# %% tags=["hide-input"]
run.check("sec3-5-equal-importances", equal.capacity[:, 0], np.full(len(k), D / N))
run.check("sec3-5-ignored-boundary", found["ignored"] / lower, np.ones(len(k)))
run.check("sec3-5-monosemantic-boundary", found["monosemantic"] / upper, np.ones(len(k)))
run.check("sec3-5-ignored-decay", order(1 / k[far], found["ignored"][far]))
run.check("sec3-5-monosemantic-always", capacity_1 - 1)
run.check("sec3-5-critical-point", meeting, np.ones((2, 1)))
run.check(
    "sec3-5-eckart-young-loss", fc.expected_loss(W, v[:500], 3.0), 2 * (distance**2).sum((1, 2))
)
run.check(
    "sec3-5-eckart-young-optimum",
    fc.solve_allocation(v, D, 3.0).loss,
    2 * (spectrum[:, : N - D] ** 2).sum(axis=1),
)
run.badge()

# %% [markdown]
# ## The phase diagram, twice
#
# We now draw Figure 4 of the paper.
# {term}`Sparsity <sparsity>` runs along the vertical axis as the probability $p$ that a feature is active, dense inputs on top.
# For the sparse uniform inputs of Appendix D the kurtosis is $k=9/(5p)$, so $k$ runs from 1.8 at the top, and the critical value $k=3$ sits at $p=0.6$.
# The paper does not state its ranges; ours are chosen so that one row of cells lies exactly on the critical line.

# %%
rows_above = max(1, round(np.log(0.6) / np.log(0.045) * (grid - 1)))
step = np.log(1 / 0.6) / rows_above
p = np.minimum(0.6 * np.exp(step * (rows_above - np.arange(grid))), 1.0)
kurtosis = np.array([fc.SparseUniform(float(probability)).kurtosis for probability in p])
importance_1 = np.geomspace(0.1, 10, grid)

theory = phase_diagram(importance_1, kurtosis, N, D)

# %% [markdown]
# That is the analytical diagram.
# For the empirical one we forget all of the above.
# In every cell we draw random embedding matrices and minimize the expected loss over all their entries by damped Newton steps, and keep the best of the starts.
# The minimizer knows the loss and nothing else: no capacities, no multiplier, no phases.
# Only at the end we compute the capacity of feature 1 from the matrix that it found.

# %%
importances = np.broadcast_to(one_feature_varied(importance_1, N), (grid, grid, N))
minimum = minimize_quadratic(
    importances, kurtosis[:, None, None], D, n_starts=n_starts, seed=seed, device=device
)
empirical = minimum.capacity[..., 0]

# %% mystnb={"figure": {"caption": "Figure 4 of the paper, upper half. Color: capacity of feature 1. Left: closed form, with the edges of the superposed phase (orange), the line of jumps (dashed) and six points discussed below. Right: expected loss minimized from random starts in every cell. White: contours of capacity.", "name": "fig-sec3-5-phase-diagrams"}, "image": {"alt": "Two nearly identical maps of capacity over importance and sparsity. On top, ignored on the left and fully represented on the right meet in a sharp vertical edge. Below the critical point a wedge of intermediate capacities opens downward."}} tags=["hide-input"]
p_dense, p_sparse, k_sparse = 0.8, 0.2, fc.SparseUniform(0.2).kurtosis
low, high = float(ignored_boundary(N, D, k_sparse)), float(monosemantic_boundary(N, D, k_sparse))
points = {
    "A": (0.7, p_dense),
    "B": (1 / 0.7, p_dense),
    "C": (1.0, 0.6),
    "D": (0.7 * low, p_sparse),
    "E": (np.sqrt(low * high), p_sparse),
    "F": (1.5 * high, p_sparse),
}
sparse_rows = np.geomspace(0.6, p[-1], 300)
x = np.array([fc.SparseUniform(float(row)).kurtosis for row in sparse_rows]) - 3
contours = {
    c: ((N - 1) * (2 + x * c) / (2 * (N - 1) + x * (D - c)), sparse_rows)
    for c in (0.0, *CONTOUR_LEVELS, 1.0)
}
figures.fig4_phase_diagrams(
    {"Analytical": (importance_1, p, theory.capacity), "Empirical": (importance_1, p, empirical)},
    contours,
    ([1, 1], [0.6, 1]),
    points,
)

# %% [markdown]
# The two maps in {numref}`fig-sec3-5-phase-diagrams` cannot be told apart by eye, so we subtract them.
#
# One row needs care.
# On the critical line $k=3$ returns are constant, and features of equal importance may divide their dimensions in any way.
# The minimizer then ends in whatever allocation it happens to meet, and comparing capacities would compare accidents.
# (The same holds at $V=1$ for $k<3$, should a column of the grid hit it.)
# The loss has no such freedom: it must agree everywhere.

# %%
tie = (kurtosis[:, None] < 3) & (np.abs(np.log(importance_1)) < 1e-9)
undecided = tie | (kurtosis == 3)[:, None]
difference = np.where(undecided, np.nan, np.abs(empirical - theory.capacity))
best_loss = theory.allocation.loss
along = [np.ptp(np.where(undecided, 0, empirical), axis=axis).max() for axis in (0, 1)]
glue("sec3-5-worst", float(np.nanmax(difference)), display=False)
glue("sec3-5-worst-loss", float(np.abs(minimum.loss / best_loss - 1).max()), display=False)
glue("sec3-5-models", grid * grid * n_starts, display=False)

# %% [markdown]
# The largest difference in capacity is {glue:text}`sec3-5-worst:.1e`, the largest relative difference in loss, critical row included, {glue:text}`sec3-5-worst-loss:.1e`.
# Among {glue:text}`sec3-5-models:,` minimizations none ended below the theory.
#
# (sec3-5-explorer)=
# Behind every cell there is a matrix.
# Choose one to see the embedding that the minimizer found there; theory fixes capacities and lengths, and leaves the angles open.

# %% tags=["hide-input"]
found = minimum.W[::-1]
phase_explorer(
    {
        ("minimized",): PhaseMap(empirical[::-1], minimum.loss[::-1], found),
        ("closed form",): PhaseMap(theory.capacity[::-1], best_loss[::-1], found),
        ("difference",): PhaseMap(difference[::-1], minimum.loss[::-1], found, "difference"),
    },
    {"route": "shown"}, importance_1, p[::-1], kurtosis[::-1], start=(1.3, 0.15), tolerance=1e-6,
)  # fmt: skip

# %% tags=["hide-input"]
run.check("fig4-empirical-capacity", np.nanmax(difference))
run.check("fig4-empirical-loss", minimum.loss / best_loss, np.ones((grid, grid)))
run.check("fig4-theory-is-optimal", minimum.loss_of_starts / best_loss[..., None] - 1)
run.check("intro-importance-and-sparsity", min(along))
run.badge()

# %% [markdown]
# ## Why a start can fail
#
# Not every start reaches the best loss.
# Where do the others end, and why there?
#
# Near a jump, physics knows the answer: metastable states.
# Water can stay liquid below its freezing point, because turning into ice would first cost energy.
# Likewise, take dense inputs and an embedding in which feature 1 is ignored while $D$ others have a dimension each.
# Let feature 1 grow a short vector of length $\varepsilon$ along the direction of one of them.
# To second order the loss changes by
#
# $$ \delta L = \bigl(4 - 2(k-1)V\bigr)\,\varepsilon^2 , $$ (eq-sec3-5-metastable)
#
# the first term for the interference, the second for the gain.
# As long as $V < 2/(k-1)$ this is positive: the embedding is a local minimum, although for $V>1$ it is not the best one.
# In the mirror image, feature 1 fully represented, an ignored feature wants its place, and the state survives down to $V=(k-1)/2$.
# The two lines enclose a wedge that closes at the {term}`critical point`.
# Only inside it a start may go astray.

# %%
V, k = importance_1[None, :], kurtosis[:, None]
wedge = (k < 3) & ((k - 1) / 2 < V) & (2 / (k - 1) > V)
share = (minimum.loss_of_starts <= best_loss[..., None] * (1 + 1e-9)).mean(axis=-1)
glue("sec3-5-share", float(share.mean()), display=False)
glue("sec3-5-missed", int((share == 0).sum()), display=False)
glue("sec3-5-share-outside", float(share[~wedge].mean()), display=False)
glue("sec3-5-share-wedge", float(share[wedge].mean()) if wedge.any() else 1.0, display=False)

# %% mystnb={"figure": {"caption": "Left: difference between the two diagrams, on a logarithmic scale (gray: not unique). Right, the dense part enlarged: share of random starts that reach the best loss, and the wedge in which a metastable state exists (orange).", "name": "fig-sec3-5-agreement"}, "image": {"alt": "Left: a map of differences, nearly all below one part in ten billion, with one gray row on the critical line. Right: all starts succeed except inside a wedge on top, around equal importance."}} tags=["hide-input"]
dense_rows = np.linspace(0.6, 1, 100)
k_rows = np.array([fc.SparseUniform(float(row)).kurtosis for row in dense_rows])
figures.agreement_maps(
    (importance_1, p, difference),
    (importance_1, p, share),
    [((k_rows - 1) / 2, dense_rows), (2 / (k_rows - 1), dense_rows)],
)

# %% [markdown]
# Outside the wedge of {numref}`fig-sec3-5-agreement`, {glue:text}`sec3-5-share-outside:.1%` of all starts reach the best loss; inside, {glue:text}`sec3-5-share-wedge:.0%`; over the whole diagram, {glue:text}`sec3-5-share:.1%`.
# A single training run on dense inputs can therefore land on the wrong side of the jump, without any fault in the optimizer.
# That is why every cell gets several starts.
# The number of cells in which all of them went astray is {glue:text}`sec3-5-missed`; more features or dimensions, or an unlucky seed, may need a larger `n_starts`.
#
# We confirm the edges of the wedge by the smallest eigenvalue of the exact second derivative of the loss with respect to all entries of $W$.
# Bisection finds the importance at which it turns negative.

# %%
def is_stable(V, k, represented):
    """Whether the state with feature 1 in or out has no direction of falling loss."""
    W = torch.zeros(D, N, dtype=torch.float64)
    W[range(D), range(1, D + 1)] = 1
    if represented:
        W[0, 1], W[0, 0] = 0, float(V) ** 0.5
    v = torch.from_numpy(one_feature_varied(V, N))

    def loss(w):
        n = (w * w).sum(0)
        return (k - 1) * ((n - v) ** 2).sum() + 2 * ((w @ w.T) ** 2).sum() - 2 * (n * n).sum()

    hessian = torch.autograd.functional.hessian(loss, W)
    return bool(torch.linalg.eigvalsh(hessian.reshape(D * N, D * N))[0] > -1e-8)


tried = (1.9, 2.3, 2.8)
ends = (np.array(0.1), np.array(20.0))
edges = [bisect(lambda V, k=k: not is_stable(V, k, False), *ends, 45) for k in tried]
edges += [bisect(lambda V, k=k: is_stable(V, k, True), *ends, 45) for k in tried]

# %% tags=["hide-input"]
run.check("fig4-starts-outside-wedge", share[~wedge].mean())
run.check(
    "sec3-6-metastable-edges", edges, [2 / (k - 1) for k in tried] + [(k - 1) / 2 for k in tried]
)
run.badge()

# %% [markdown]
# ## Six points, six pairs of curves
#
# The lower half of Figure 4 explains the upper half.
# For each labeled point it draws what feature 1 (blue) and any other feature (black) would gain from a little more capacity,
#
# $$ -\frac{\partial L}{\partial C_i} = 2\left(\frac{(k-1)\,v_i}{(k-3)\,C_i+2}\right)^2 . $$ (eq-sec3-5-marginal)
#
# The paper does not give the coordinates of its points.
# **Our choice:** A and B at $p=0.8$ on either side of $V=1$; C at the critical point; D, E and F at $p=0.2$, one in each phase.

# %% tags=["hide-input"]
fraction = np.linspace(0, 1, 201)


def of_one(curve, C, V, k):
    """A curve of the package, which expects features on the last axis, for a single feature."""
    return curve(*(np.asarray(x, float)[..., None] for x in (C, V, k)))[..., 0]


def panel(V, probability):
    """Curves, optimal allocations and threshold of one labeled point."""
    k = fc.SparseUniform(probability).kurtosis
    best = fc.solve_allocation(one_feature_varied(V, N), D, k)
    divisible = bool(best.divisible)
    values, counts = np.unique(best.capacity[1:].round(12), return_counts=True)
    dots = [(c, number, False) for c, number in zip(values, counts, strict=True)]
    dots = [] if divisible else [(best.capacity[0], 1, True), *dots]
    return {
        "varied": of_one(fc.marginal_benefit, fraction, V, k),
        "reference": of_one(fc.marginal_benefit, fraction, 1, k),
        "dots": [
            (c, of_one(fc.marginal_benefit, c, V if mine else 1, k), number, mine)
            for c, number, mine in dots
        ],
        "interval": tuple(2 * best.multiplier_interval**2),
        "divisible": divisible,
        "phase": "undecided" if divisible else fc.PHASES[int(best.phase[0])],
    }


panels = {letter: panel(*at) for letter, at in points.items()}
expected = ["ignored", "monosemantic", "undecided", "ignored", "polysemantic", "monosemantic"]

# %% mystnb={"figure": {"caption": "Figure 4 of the paper, lower half: marginal benefit of capacity at the six points, for feature 1 (blue) and for each other feature (black), on a logarithmic scale. Dots: optimal allocations, feature 1 with a blue rim, the others with their number. Orange: thresholds that satisfy the optimality conditions.", "name": "fig-sec3-5-marginal"}, "image": {"alt": "Six panels. At A and B the curves rise, and features sit at capacity zero or one. At C both are flat and coincide. At D, E and F they fall; the blue curve lies below, close to, and above the black one, and the shared features sit on one common threshold."}} tags=["hide-input"]
figures.fig4_marginal_benefit(fraction, panels)

# %% [markdown]
# Read the panels of {numref}`fig-sec3-5-marginal` like a market in which every feature bids for capacity.
#
# - **D, E, F, from left to right.** More importance multiplies the blue curve by $V^2$ and changes nothing else; on the logarithmic scale it slides up. At D even the first bit of capacity for feature 1 is worth less than the last bit of the others. At E the curves overlap, and everybody shares at one common price. At F the last bit of feature 1 is worth more than anything that the others can offer.
# - **A, C, E, from top to bottom.** More sparsity tilts the curves: they rise at A, are flat at C, and fall at E. Where they rise, whoever has capacity wants still more, so nobody shares, and a feature that is better by a hair takes a whole dimension. That is the jump from A to B.
# - **C.** Both curves are flat and equal, so capacity can be moved around at no cost. Any division of the $D$ dimensions is optimal.

# %%
k = np.r_[np.linspace(1.01, 2.99, 100), 3.0, np.linspace(3.01, 60, 100)][:, None, None]
V = np.geomspace(0.1, 10, 9)[:, None]
curves = of_one(fc.marginal_benefit, fraction, V, k)  # axes: kurtosis, importance, capacity

falls = np.sign(np.round(np.diff(curves, axis=-1) / curves[..., 1:], 12))

frames = np.swapaxes(np.linalg.qr(generator.standard_normal((200, N, D)))[0], 1, 2)
optimal = fc.solve_allocation(np.ones((200, N)), D, 3.0).loss
given = fc.capacities(frames)[:, 0]
glue("sec3-5-least", float(given.min()), display=False)
glue("sec3-5-most", float(given.max()), display=False)

# %% [markdown]
# For the last check we drew 200 random embeddings with orthonormal rows, which use all $D$ dimensions and divide them at random.
# They give feature 1 anything from {glue:text}`sec3-5-least:.2f` to {glue:text}`sec3-5-most:.2f`, and all have the optimal loss.
#
# ### Convex or concave?
#
# On this point the paper's words need a correction.
# In one place it describes the marginal curves as convex when dense, then flat, then concave when sparse; two sentences later the dense curves are the concave ones.
# Both cannot be true of the same curve, and in fact neither is: {eq}`eq-sec3-5-marginal` is the inverse square of a straight line, and that is convex whichever way the line tilts.
# What changes at $k=3$ is the sign of the slope, and with it the curvature of the quantity *under* the curve.
# The loss itself is concave in capacity for $k<3$ and convex for $k>3$; the loss *reduction*, its negative, goes from convex to straight to concave.
# The first sentence is right about the loss reduction, the second about the loss.
# The clean statement is that of section 2.2: returns diminish exactly when $k>3$.

# %%
def bends(values):
    """+1 for convex, 0 for straight, -1 for concave, at every inner point."""
    bend = np.diff(values, 2, axis=-1) / np.abs(values).max(axis=-1, keepdims=True)
    return np.sign(np.round(bend, 12))


gain = -of_one(fc.loss_at_best_lengths, fraction, V, k)

# %% tags=["hide-input"]
run.check(
    "fig4-points", sum(panels[a]["phase"] == b for a, b in zip("ABCDEF", expected, strict=True))
)
run.check("sec3-6-shift", curves / curves[:, 4:5], np.broadcast_to(V**2, curves.shape))
run.check("sec3-6-diminishing-returns", np.mean(falls == -np.sign(k - 3)))
run.check("sec3-6-any-allocation", fc.expected_loss(frames, np.ones(N), 3.0), optimal)
run.check("sec3-6-shape-of-the-curve", np.mean(bends(curves) == -np.sign(k - 3)))
run.check("sec3-6-shape-of-the-reduction", np.mean(bends(gain) == -np.sign(k - 3)))
run.badge()

# %% [markdown]
# ## The line of jumps and where it ends
#
# Boiling water jumps in density, and less and less so as pressure grows, until the jump vanishes at a critical point.
# The paper sees the same picture here, with the marginal benefit of feature 1 as *order parameter* (the quantity that jumps), rather than its capacity.
# On the optimal allocation it takes three forms, the middle one with the multiplier of {eq}`eq-sec3-5-shared`:
#
# $$ \Lambda_1 \equiv -\frac{\partial L}{\partial C_1} = \begin{cases} \tfrac12 (k-1)^2 V^2 & \text{ignored} \\ 2\lambda^2 & \text{polysemantic} \\ 2V^2 & \text{monosemantic} \end{cases} $$ (eq-sec3-5-order)
#
# For $k<3$ the first and the last form meet at $V=1$ and disagree.
# Just above the line the order parameter is 2 whatever the sparsity; just below it is $(k-1)^2/2$.
# The jump is $(3-k)(k+1)/2$ and closes at $k=3$.

# %% mystnb={"figure": {"caption": "Capacity (left) and marginal benefit (right) of feature 1 across equal importance, for five kurtoses. Below 3 both jump; at 3 only the capacity does; above 3 neither does, but both have kinks.", "name": "fig-sec3-5-order"}, "image": {"alt": "Two panels of curves against importance. Dense curves break at importance one, sparse curves are continuous with two kinks."}} tags=["hide-input"]
V = np.r_[np.linspace(0.5, 1 - 1e-9, 200), 1.0, np.linspace(1 + 1e-9, 2, 200)]
curves = {}
for kurt in (1.8, 2.4, 3.0, 4.5, 9.0):
    C1 = fc.solve_allocation(one_feature_varied(V, N), D, kurt).capacity[:, 0]
    benefit = of_one(fc.marginal_benefit, C1, V, kurt)
    at_jump = V == 1
    curves[kurt] = (
        np.where(at_jump & (kurt <= 3), np.nan, C1),
        np.where(at_jump & (kurt < 3), np.nan, benefit),
    )
figures.order_parameter(V, curves)

# %%
def optimum(V, k):
    """Capacity and marginal benefit of feature 1 at the best allocation."""
    V, k = np.broadcast_arrays(V, k)
    C1 = fc.solve_allocation(one_feature_varied(V, N), D, k[..., None]).capacity[..., 0]
    return C1, of_one(fc.marginal_benefit, C1, V, k)


k = np.linspace(1.01, 2.99, 200)
(below, order_below), (above, order_above) = optimum(1 - 1e-15, k), optimum(1 + 1e-15, k)
run.check("sec3-6-order-varying-side", order_below, (k - 1) ** 2 / 2)

near = np.geomspace(1e-6, 1e-3, 13)
jump = optimum(1 + 1e-15, 3 - near)[1] - optimum(1 - 1e-15, 3 - near)[1]

# %% [markdown]
# Everywhere else the order parameter is continuous.
# We test this on grids of growing fineness: the largest step between neighboring cells must shrink in proportion to the cell size, once pairs on opposite sides of the line of jumps are left out.
#
# Continuous is not smooth.
# In both outer phases the order parameter is proportional to $V^2$, so that $\mathrm d\ln\Lambda_1/\mathrm d\ln V = 2$.
# In the superposed phase the same derivative is only $2V/(N-1+V)$, because the others absorb most of the change.
# At both edges it therefore drops by $2(N-1)/(N-1+V)$.

# %%
sizes, steps = np.array([64, 128, 256]), []
for size in sizes:
    V, k = np.geomspace(0.1, 10, size), 1.8 / np.geomspace(0.05, 1, size)[:, None]
    level = np.log(optimum(V, k)[1])
    across = np.abs(np.diff(level, axis=1))
    across[(k[:, 0] < 3), size // 2 - 1] = 0  # the pair on either side of the line of jumps
    steps.append(max(across.max(), np.abs(np.diff(level, axis=0)).max()))

k, h = np.geomspace(3.2, 60, 25), 1e-4
drop, predicted = [], []
for edge, outward in ((ignored_boundary(N, D, k), -1), (monosemantic_boundary(N, D, k), 1)):
    at, one, two = (
        np.log([optimum(edge * np.exp(s * n * h), k)[1] for s in (-1, 1)]) for n in range(3)
    )
    inner, outer = ((4 * one - two - 3 * at) / (2 * h) * [[-1], [1]])[::outward]
    drop.append(outer - inner)
    predicted.append(2 * (N - 1) / (N - 1 + edge))

# %% tags=["hide-input"]
run.check("sec3-6-first-order-line", above - below)
run.check("sec3-6-order-constant-side", order_above, np.full(200, 2.0))
run.check("sec3-6-order-jump-vanishes", order(near, jump))
run.check("sec3-6-order-continuous", -order(sizes - 1, steps))
run.check("sec3-6-order-kinks", drop, predicted)
run.badge()

# %% [markdown]
# ## Are there critical exponents?
#
# Section 3.6 leaves a question open: whether critical exponents have a meaningful analog here.
# They do, and they can be read off exactly.
#
# ### A bowl, a plane, a cap
#
# Hold the capacity of feature 1 at a value $C_1$ and let everything else adjust.
# What remains is a loss that depends on one number only.
# Close to the critical point, with $h=V-1$ and $x=k-3$ both small, it is
#
# $$ L(C_1) \approx \text{const} - 4\,h\,C_1 + \frac{N}{N-1}\,x\,\Bigl(C_1-\frac DN\Bigr)^2 \qquad (x>0), $$ (eq-sec3-5-landau)
#
# with a constant that does not depend on $C_1$, since the loss per feature expands to $v^2(1-C)\bigl(2+x(1-C)\bigr)$ and the $N-1$ others share $D-C_1$ equally.
# For $x<0$ the others do not share; one of them gives up what feature 1 takes, and $x\bigl((1-C_1)^2+C_1^2\bigr)$ replaces the square.
# Importance acts like a *field* that tilts the loss, kurtosis like a *temperature* that sets its curvature.

# %% mystnb={"figure": {"caption": "Lowest loss for a given capacity of feature 1, at three kurtoses and three importances. Dots: minima; at the critical point every capacity is one.", "name": "fig-sec3-5-landscape"}, "image": {"alt": "Three panels. Above kurtosis three the loss is a bowl whose lowest point shifts with importance. At three it is a plane that tilts. Below three it is a cap, lowest at one of its two ends."}} tags=["hide-input"]
shared_rest = np.repeat(((D - fraction) / (N - 1))[:, None], N - 1, axis=1)
gives_way = np.column_stack([1 - fraction, np.ones((201, D - 1)), np.zeros((201, N - 1 - D))])
profiles = {}
for kurt, rest in ((5.0, shared_rest), (3.0, shared_rest), (2.0, gives_way)):
    others = fc.loss_at_best_lengths(rest, np.ones(N - 1), kurt).sum(axis=1)
    own = {V: of_one(fc.loss_at_best_lengths, fraction, V, kurt) for V in (0.9, 1.0, 1.1)}
    totals = {V: others + loss for V, loss in own.items()}
    profiles[kurt] = {V: total - total.min() for V, total in totals.items()}
figures.landscape(fraction, profiles)

# %% [markdown]
# {numref}`fig-sec3-5-landscape` draws the exact loss, without expansion.
# What {eq}`eq-sec3-5-landau` leaves out must be of second order in $x$ and $h$; we let both shrink together and look.

# %%
sizes = np.geomspace(1e-4, 1e-2, 7)
for side, rest in ((1, shared_rest), (-1, gives_way)):
    residue = []
    for size in sizes:
        x, h = side * size, 0.3 * size
        others = fc.loss_at_best_lengths(rest, np.ones(N - 1), 3 + x).sum(axis=1)
        exact = others + of_one(fc.loss_at_best_lengths, fraction, 1 + h, 3 + x)
        bowl = N / (N - 1) * (fraction - D / N) ** 2
        cap = (1 - fraction) ** 2 + fraction**2
        rough = -4 * h * fraction + x * (bowl if side > 0 else cap)
        residue.append(np.ptp(exact - rough))
    run.check("sec3-6-landscape", order(sizes, residue))

# %% [markdown]
# A loss that bends from bowl to cap: this is Landau's theory of phase transitions, with one difference that matters.
# In a magnet the bowl turns into a cap too, but a fourth-order term catches the fall, and it gives the well-known square roots.
# Here nothing is fourth-order.
# What catches the fall are the hard walls $C_1=0$ and $C_1=1$.
# So we expect powers again, but whole ones.
#
# ### The powers
#
# From {eq}`eq-sec3-5-boundaries`, {eq}`eq-sec3-5-shared` and {eq}`eq-sec3-5-order`, to leading order near the critical point:
#
# | quantity | leading behavior |
# |---|---|
# | width of the superposed band, $V_1-V_0$ | $\dfrac{N}{2(N-1)}\,(k-3)$ |
# | response at equal importance, $\partial C_1/\partial V$ | $\dfrac{2(N-1)}{N}\,(k-3)^{-1}$ |
# | jump of the order parameter, $\Lambda_1$ | $2\,(3-k)$ |
# | kink of the best loss along $V=1$ | slope falls by $\dfrac{D(N-D)}{N}$ |
#
# Width times response is 1 to this order: the band is as wide as it takes for the capacity to go from 0 to 1 at that slope.
# We measure all four on the optimal allocation, at distances from a thousandth down to a millionth.

# %%
edge_0, edge_1 = (
    smallest_importance(test, 3 + near) for test in (lambda c: c > 0, lambda c: c == 1)
)
width, small = edge_1 - edge_0, near / 100
x = (3 + near) - 3  # the distance that the rounded kurtosis really has
response = (optimum(1 + small, 3 + near)[0] - optimum(1 - small, 3 + near)[0]) / (2 * small)
around = [3 + s * near[:, None] for s in (-1, 0, 1)]
losses = [fc.solve_allocation(np.ones((13, N)), D, k).loss for k in around]
kink = 2 * losses[1] - losses[0] - losses[2]
field = np.geomspace(1e-6, 1e-3, 13)

# %% [markdown]
# ### One curve for all
#
# Powers are half of the story.
# The other half is *scaling*: close to the critical point importance and kurtosis act only through one combination, $u=(V-1)/(k-3)$, and
#
# $$ C_1 \;\longrightarrow\; F(u) = \min\left(\max\left(\frac DN + \frac{2(N-1)}{N}\,u,\;0\right),\;1\right). $$ (eq-sec3-5-scaling)
#
# {numref}`fig-sec3-5-scaling` shows both halves.

# %%
u_low, u_high = -D / (2 * (N - 1)), (N - D) / (2 * (N - 1))
u = np.linspace(1.5 * u_low, 1.5 * u_high, 401)
F = np.clip(D / N + 2 * (N - 1) / N * u, 0, 1)
distances = np.geomspace(1e-4, 1e-2, 7)
misfit = [np.abs(optimum(1 + d * u, 3 + d)[0] - F).max() for d in distances]

jump_1 = optimum(1 + 1e-15, 3 - near)[0] - optimum(1 - 1e-15, 3 - near)[0]
alpha, beta, gamma = 2 - order(near, kink), order(near, jump_1), -order(near, response)
for name, number in {
    "alpha": alpha, "beta": beta, "gamma": gamma, "gap": order(near, width),
    "beta-order": order(near, jump),
    "delta-order": 1 / order(field, optimum(1 + field, 3.0)[1] - 2),
}.items():  # fmt: skip
    glue(f"sec3-5-{name}", abs(round(number, 3)), display=False)

# %% mystnb={"figure": {"caption": "Left: four power laws at the critical point. Right: capacity of feature 1 against scaled importance; the closer to the critical point, the closer to one piecewise straight line. Inset: the same curves before scaling.", "name": "fig-sec3-5-scaling"}, "image": {"alt": "Left: straight lines in a doubly logarithmic plot, three rising and one falling. Right: curves that collapse on a ramp from zero to one."}} tags=["hide-input"]
figures.critical_scaling(
    near,
    {
        "band width": width,
        "response": response,
        "jump of $\\Lambda_1$": jump,
        "kink of the loss": kink,
    },
    u,
    {d: (1 + d * u, optimum(1 + d * u, 3 + d)[0]) for d in (1.0, 0.3, 0.1, 0.01)},
    F,
)

# %% [markdown]
# ### What they mean
#
# | exponent | defined by | capacity $C_1$ | order parameter $\Lambda_1$ | Landau |
# |---|---|---|---|---|
# | $\beta$ | jump $\sim (3-k)^{\beta}$ | {glue:text}`sec3-5-beta:g` | {glue:text}`sec3-5-beta-order:.3f` | 1/2 |
# | $\gamma$ | response $\sim (k-3)^{-\gamma}$ | {glue:text}`sec3-5-gamma:.3f` | 0 (finite) | 1 |
# | $\delta$ | departure at $k=3$ $\sim h^{1/\delta}$ | ∞ (a jump) | {glue:text}`sec3-5-delta-order:.3f` | 3 |
# | $\alpha$ | singular part of the loss $\sim (k-3)^{2-\alpha}$ | {glue:text}`sec3-5-alpha:.3f` | the same loss | 0 |
# | $\beta\delta$ | band width $\sim (k-3)^{\beta\delta}$ | {glue:text}`sec3-5-gap:.3f` | {glue:text}`sec3-5-gap:.3f` | 3/2 |
#
# The answer to the open question is therefore: yes, there is an analog, and it is simple.
#
# - The capacity is the natural partner of importance. At the critical kurtosis the best loss changes with $V$ at the rate $4V(1-C_1)$, as the last check below confirms, so $C_1$ is to $V$ what magnetization is to a field. Its exponents $(\alpha,\beta,\gamma)=(1,0,1)$ obey the textbook relation $\alpha+2\beta+\gamma=2$.
# - They are not Landau's. Only $\gamma=1$ is shared, because only the bowl is shared; the walls replace the fourth-order term, $\beta$ drops from 1/2 to 0, and the capacity still jumps by a whole unit at the very end of the line.
# - The paper's order parameter, the marginal benefit, behaves better: its jump vanishes, as it should at a critical point, with $\beta=1$. But it responds to importance by a finite amount, $\gamma=0$, and nothing about it diverges. Since it is not the partner of importance, the relation between exponents does not speak about it.
#
# How much should one read into this?
# The exponents are whole numbers because near the critical point all formulas are straight lines that are cut off, in one combination of $V$ and $k$.
# There are no fluctuations, no diverging length, and no large system: the result is exact for {glue:text}`sec3-5-n` features as it is for any number.
# What should carry over to other models is modest and useful.
# Wherever the slope of the marginal benefit changes sign smoothly as sparsity grows, the superposed band opens in proportion to the distance, and capacities become infinitely sensitive to importance as one approaches the line.
# We would also expect training near the line to be slow and its outcome fragile, because the loss is nearly flat there; this page does not measure that.

# %%
V, h = np.array([0.3, 0.8, 1.3, 4.0]), 1e-4
k = np.linspace(1.5, 40, 12)[:, None]
varied = [one_feature_varied(V + s * h, N) for s in (-2, -1, 1, 2)]
around = [fc.solve_allocation(v, D, k[..., None]) for v in varied]
smooth = around[0].phase[..., 0] == around[3].phase[..., 0]  # no phase boundary in between
loss = [best.loss for best in around]
slope = (loss[0] - 8 * loss[1] + 8 * loss[2] - loss[3]) / (12 * h)
C1, _ = optimum(V, k)
predicted = 4 * (k - 1) * V * (1 - C1) / ((k - 3) * C1 + 2)

# %% tags=["hide-input"]
run.check("sec3-6-exponent-width", order(near, width))
run.check("sec3-6-exponent-response", -order(near, response))
run.check("sec3-6-exponent-loss", order(near, kink))
run.check("sec3-6-exponent-order", order(field, optimum(1 + field, 3.0)[1] - 2))
run.check(
    "sec3-6-amplitudes",
    [width[0] / x[0] / (N / 2 / (N - 1)), response[0] * x[0] / (2 * (N - 1) / N),
     jump[0] / x[0] / 2, kink[0] / x[0] / (D * (N - D) / N)],
)  # fmt: skip
run.check("sec3-6-collapse", order(distances, misfit))
run.check("sec3-6-scaling-relation", alpha + 2 * beta + gamma)
run.check("sec3-6-partner", slope[smooth], predicted[smooth])
run.badge()

# %% [markdown]
# ## Does it agree with the paper?
#
# All verdicts of this page are among {ref}`claims`, with what each measurement came to.

# %% tags=["hide-input"]
glue("sec3-5-n", N, display=False)

# %% [markdown]
# Everything in sections 3.5 and 3.6 that can be computed holds, with one exception in the wording: the marginal curves themselves never become concave; the loss reduction does.
#
# ## Try it
#
# Paste a command at the root of the project; the executed page is then in `out.ipynb`.
#
# **Nearly enough room.** How does the diagram change with five dimensions instead of three?
#
# ```sh
# papermill notebooks/sec3_5_phase_diagrams.ipynb out.ipynb --cwd notebooks -p n_dims 5 -p n_starts 32
# ```
#
# :::{admonition} Answer
# :class: dropdown
# The upper edge levels off at $5/4$ instead of $5/2$: with dimensions nearly plenty, a slightly more important feature gets its own.
# The superposed phase becomes a narrow strip on the right of $V=1$ and a wide one on the left.
# (Why more starts? Near the jump a random start must happen to leave out the right one of six.)
# :::
#
# **No limit.** Can a feature be shared for every importance above the lower edge?
# Think before you run it.
#
# ```sh
# papermill notebooks/sec3_5_phase_diagrams.ipynb out.ipynb --cwd notebooks -p n_dims 1
# ```
#
# :::{admonition} Answer
# :class: dropdown
# Not for a given kurtosis, but nearly: with one dimension the upper edge is at $V=(k-1)/2$, which has no limit.
# In a single dimension a feature must be that much more important before the others are thrown out altogether.
# :::
#
# **More competitors.** Eleven others compete for the three dimensions, instead of five.
# Where is the upper edge for very sparse inputs, and does the critical point move?
#
# ```sh
# papermill notebooks/sec3_5_phase_diagrams.ipynb out.ipynb --cwd notebooks -p n_features 12
# ```
#
# :::{admonition} Answer
# :class: dropdown
# The upper edge levels off at $(N-1)/(D-1) = 11/2$: it takes more than twice the importance to be sure of a dimension.
# The critical point stays at $V=1$, $k=3$, and so do all exponents; only the amplitudes know $N$ and $D$.
# :::
#
# ## What we saw
#
# - One number, the multiplier, fixes the whole allocation, and one formula, {eq}`eq-sec3-5-level`, is every line in the phase diagram.
# - Minimizing the loss from random starts, without any theory, reproduces the diagram to rounding error; starts fail only where metastable states exist.
# - The line of jumps ends in a critical point with exact, whole-numbered exponents: the superposed phase opens in proportion to $k-3$, and the response to importance diverges as its inverse.
#
# Capacities say how much of the space a feature gets, not how the vectors lie.
# That is the subject of [the geometry of efficient embeddings](sec4-geometry).
