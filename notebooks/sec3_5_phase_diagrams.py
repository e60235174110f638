# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# (sec3-5-phase-diagrams)=
# # 3.5 The phase diagram
#
# Six features want three dimensions, and five of them are equally important.
# Is the sixth ignored, does it share, or does it get a dimension of its own?
# Two numbers decide: how important it is beside the others, $V$, and how sparse the inputs are.
# {numref}`fig-sec3-5-phase-diagrams` is the whole answer, once derived on paper and once found by minimizing the loss in every cell.
#
# **Paper:** section 3.5 and Figure 4 {cite}`scherlis2022`.
# **Run time:** half a minute.

# %% tags=["parameters", "hide-input"] quick={"grid": 12, "n_starts": 8, "n_problems": 10}
n_features: int = 6  # features, one of which has its own importance [6 .. 12]
n_dims: int = 3  # embedding dimensions, always fewer than features [1 .. 5]
grid: int = 64  # cells along each axis of the phase diagram [8 .. 256]
n_starts: int = 8  # random starts in each cell [1 .. 64]
n_problems: int = 60  # random problems solved without the theory [10 .. 500]
seed: int = 0  # seed of the random starts and samples [0 .. 1000000]
device: str = "auto"  # where the numerical minimization runs {auto, cpu, cuda, mps}

# %% tags=["hide-cell"]
import numpy as np
from myst_nb import glue

import feature_capacity as fc
from feature_capacity.book.claims.checks import open_page
from feature_capacity.explorers import PhaseMap, phase_explorer
from feature_capacity.figures import sec3_5_phase_diagrams as figures
from feature_capacity.figures.maps import CONTOUR_LEVELS
from feature_capacity.models.device import pick_device
from feature_capacity.solvers.newton import minimize_quadratic
from feature_capacity.theory.locate import first_reached, observed_order
from feature_capacity.theory.phases import ignored_boundary, monosemantic_boundary
from feature_capacity.theory.phases import (
    monosemantic_boundary_limit,
    one_feature_varied,
)
from feature_capacity.theory.phases import polysemantic_range
from feature_capacity.theory.varied import (
    benefit_curves,
    importance_at_capacity,
    varied_optimum,
)

run = open_page(
    "sec3_5_phase_diagrams",
    n_features=n_features,
    n_dims=n_dims,
    grid=grid,
    n_starts=n_starts,
    n_problems=n_problems,
    seed=seed,
    device=device,
)
print("computed on:", pick_device(device))
N, D = n_features, n_dims
generator = np.random.default_rng(seed)

# Rows evenly spaced in log p, one of them exactly on the critical line p = 0.6.
rows_above = max(1, round(np.log(0.6) / np.log(0.045) * (grid - 1)))
step = np.log(1 / 0.6) / rows_above
p = np.minimum(0.6 * np.exp(step * (rows_above - np.arange(grid))), 1.0)
kurtosis = np.array(
    [fc.SparseUniform(float(probability)).kurtosis for probability in p]
)
importance_1 = np.geomspace(0.1, 10, grid)

# %%
theory = fc.phase_diagram(importance_1, kurtosis, N, D)
importances = np.broadcast_to(one_feature_varied(importance_1, N), (grid, grid, N))
minimum = minimize_quadratic(
    importances, kurtosis[:, None, None], D, n_starts=n_starts, seed=seed, device=device
)
empirical = minimum.capacity[..., 0]

# %% mystnb={"figure": {"caption": "The phase diagram (the paper's Figure 4), whole. Top: capacity of feature 1, in closed form and by minimization from random starts; orange, the edges of the phase in which features share; dashed, the line of jumps; white, contours of capacity. Bottom: at each of the six points, what a bit more capacity is worth to feature 1 (blue) and to each of the others (black). Dots: where the best allocation puts them; orange line or band: the thresholds that satisfy the conditions of section 2.2.", "name": "fig-sec3-5-phase-diagrams"}, "image": {"alt": "Two nearly identical maps of capacity over importance and feature probability. On top, ignored on the left and fully represented on the right meet in a sharp vertical edge. Below the critical point C a wedge of intermediate capacities opens downward. Under the maps six panels: at A and B the curves rise and features sit at capacity zero or one; at C both are flat and coincide; at D, E and F they fall, with the blue curve below, close to, and above the black one."}} tags=["hide-input"]
k_sparse = fc.SparseUniform(0.2).kurtosis
low, high = importance_at_capacity([0, 1], k_sparse, N, D)
points = {
    "A": (0.7, 0.8), "B": (1 / 0.7, 0.8), "C": (1.0, 0.6),
    "D": (0.7 * low, 0.2), "E": (np.sqrt(low * high), 0.2), "F": (1.5 * high, 0.2),
}  # fmt: skip
panels = {
    name: benefit_curves(V, fc.SparseUniform(chance).kurtosis, N, D)
    for name, (V, chance) in points.items()
}
rows = np.geomspace(0.6, p[-1], 300)
k_rows = np.array([fc.SparseUniform(float(row)).kurtosis for row in rows])
contours = {
    c: (importance_at_capacity(c, k_rows, N, D), rows)
    for c in (0.0, *CONTOUR_LEVELS, 1.0)
}
figures.fig4(
    {
        "analytical": (importance_1, p, theory.capacity),
        "empirical": (importance_1, p, empirical),
    },
    contours,
    ([1, 1], [0.6, 1]),
    points,
    panels,
)

# %% [markdown]
# **The maps.**
# Sparse inputs are at the bottom, dense ones on top.
# On top, feature 1 is out or in: it jumps at $V=1$, where it overtakes the others.
# Below the critical point C a third phase opens, in which it shares.
# The sparser the inputs, the wider the range of importance over which its capacity grows from 0 to 1.
#
# **The panels** are a market in which every feature bids for capacity.
# At A and B the curves rise: who has capacity wants still more, and nobody shares.
# At D, E and F they fall.
# At D even the first bit is worth less to feature 1 than the last bit to the others; at E all share at one price; at F feature 1 outbids them up to a whole dimension.
# At C all curves are one flat line, and any division is as good as another.
# [Section 3.6](sec3-6-critical-point) asks why.
#
# The same in a few lines: where does feature 1 stand if it is a fifth more important than five others, for kurtoses from 2 to 100?

# %%
import feature_capacity as fc

diagram = fc.phase_diagram([1.2], [2, 4, 9, 100], n_features=6, n_dims=3)
diagram.capacity.round(3)

# %% [markdown]
# (sec3-5-explorer)=
# Behind every cell there is a matrix.
# Choose a cell to see the embedding that the minimizer found there.
# Theory fixes capacities and lengths, and leaves the angles open.

# %% tags=["hide-input"]
tie = (kurtosis[:, None] < 3) & (np.abs(np.log(importance_1)) < 1e-9)
undecided = tie | (kurtosis == 3)[:, None]
difference = np.where(undecided, np.nan, np.abs(empirical - theory.capacity))
best_loss, found = theory.allocation.loss, minimum.W[::-1]
phase_explorer(
    {
        ("minimized",): PhaseMap(empirical[::-1], minimum.loss[::-1], found),
        ("closed form",): PhaseMap(theory.capacity[::-1], best_loss[::-1], found),
        ("difference",): PhaseMap(difference[::-1], minimum.loss[::-1], found, "difference"),
    },
    {"route": "shown"}, importance_1, p[::-1], kurtosis[::-1],
    start=(1.3, 0.15), tolerance=1e-6,
)  # fmt: skip

# %% [markdown]
# ## Two routes to one diagram
#
# The empirical map forgets all theory.
# In every cell random matrices are drawn, and the expected loss is minimized over all their entries by damped Newton steps.
# The minimizer knows the loss and nothing else: no capacities, no multiplier, no phases.
# Only at the end the capacity of feature 1 is computed from the matrix that it found.
#
# The largest difference to the closed form is {glue:text}`sec3-5-worst:.1e` in capacity and {glue:text}`sec3-5-worst-loss:.1e` of the loss, and none of {glue:text}`sec3-5-models:,` minimizations ends below the theory.
# On the critical line, $k=3$, only losses can be compared: features of equal importance may divide their dimensions in any way there, and the minimizer ends in one of them.
#
# The vertical axis is the probability $p$ that a feature is active.
# For the sparse uniform inputs of {ref}`Appendix D <appd-kurtosis-sparsity>` the kurtosis is $k=9/(5p)$: 1.8 on top, 3 at $p=0.6$.
# The paper states neither its ranges nor the places of the six points; ours are A and B at $p=0.8$ on either side of $V=1$, C at the critical point, and D, E, F at $p=0.2$, one in each phase.

# %% tags=["hide-input"]
glue("sec3-5-worst", float(np.nanmax(difference)), display=False)
glue(
    "sec3-5-worst-loss",
    float(np.abs(minimum.loss / best_loss - 1).max()),
    display=False,
)
glue("sec3-5-models", grid * grid * n_starts, display=False)
along = [np.ptp(np.where(undecided, 0, empirical), axis=axis).max() for axis in (0, 1)]
expected = [
    "ignored",
    "monosemantic",
    "undecided",
    "ignored",
    "polysemantic",
    "monosemantic",
]
run.check("fig4-empirical-capacity", np.nanmax(difference))
run.check("fig4-empirical-loss", minimum.loss / best_loss, np.ones((grid, grid)))
run.check("fig4-theory-is-optimal", minimum.loss_of_starts / best_loss[..., None] - 1)
run.check(
    "fig4-points",
    sum(x.phase == y for x, y in zip(panels.values(), expected, strict=True)),
)
run.check("intro-importance-and-sparsity", min(along))
run.badge()

# %% [markdown]
# ## One number decides for all
#
# [Section 3.4](sec3-3-allocation) gives every feature its capacity once the multiplier $\lambda$ is known, by {eq}`eq-paper-15`.
# What remains is to choose $\lambda$ so that the capacities add up to $D$.
# As a function of $1/\lambda$ each capacity is a ramp: flat at 0, a straight rise, flat at 1.
# A sum of ramps never falls, so it passes the height $D$ once.

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
# A ramp begins where $1/\lambda = 2/((k-1)v_i)$ and ends where $1/\lambda = 1/v_i$.
# In between, and only there, a feature is polysemantic:
#
# $$ \frac{2}{k-1}\,\lambda \;<\; v_i \;<\; \lambda . $$ (eq-sec3-5-range)
#
# Features share only if their importances are within a factor of $(k-1)/2$ of each other, and for $k\le 3$ nothing lies in between.
# Is that so in networks that have never heard of $\lambda$?
# We minimize the loss of random problems, sparse and dense, and take $\lambda$ from what was found: squared length over capacity, of the features that share.

# %%
v = np.exp(generator.uniform(-1, 1, (n_problems, N)))
k = 3 + np.exp(generator.uniform(0.5, 3, (n_problems, 1)))
k_dense = generator.uniform(1.2, 2.8, (n_problems, 1))
sparse = minimize_quadratic(v, k, D, n_starts=24, seed=seed, device=device)
dense = minimize_quadratic(v, k_dense, D, n_starts=24, seed=seed, device=device)

# %%
n = (sparse.W**2).sum(axis=-2)
shares = np.abs(sparse.capacity - 0.5) < 0.5 - 1e-6
shares_dense = np.abs(dense.capacity - 0.5) < 0.5 - 1e-6
rule = fc.solve_allocation(v, D, k)
low, high = polysemantic_range(rule.multiplier[:, None], k)
glue("sec3-5-shared", f"{shares.mean():.0%}", display=False)
[int(shares.sum()), int(((low < v) & (v < high)).sum()), int(shares_dense.sum())]

# %% [markdown]
# The features that share in the sparse problems ({glue:text}`sec3-5-shared` of all) are those that the condition names; in the dense problems none does.

# %% tags=["hide-input"]
some = shares.any(axis=1)
ratio = (n * shares).sum(axis=1)[some] / (sparse.capacity * shares).sum(axis=1)[some]
spent = first_reached(
    lambda x: (
        np.clip((k - 1) / (k - 3) * v * x[:, None] - 2 / (k - 3), 0, 1).sum(axis=1) >= D
    ),
    np.full(n_problems, 1e-6),
    np.full(n_problems, 1e6),
)
run.check("sec3-5-multiplier", 1 / spent[some], ratio)
scaled = (
    v * spent[:, None]
)  # where none share, the most that serves is 1 for one of them
condition = (2 / (k - 1) < scaled * (1 - 1e-9)) & (scaled * (1 + 1e-9) < 1)
run.check("sec3-5-polysemantic-condition", np.mean(shares == condition))
run.check("sec3-5-none-below-three", shares_dense.sum())
run.badge()

# %% [markdown]
# ## One feature against the rest
#
# A diagram on paper has two axes, so a single feature differs:
#
# $$ v_1 = V, $$ (eq-paper-19)
#
# $$ v_i = 1, \qquad i \ne 1. $$ (eq-paper-20)
#
# (The paper prints the first with a general index $i$; the index 1 is meant.)
# Suppose that all $N$ features share.
# No ramp is clipped, the sum is linear, and it gives the multiplier and the capacity of feature 1:
#
# $$ \begin{aligned} \lambda &= \frac{(k-1)(N-1+V)}{(k-3)D+2N}, \\[6pt] C_1 &= \frac{(k-3)D+2N}{(k-3)(N-1+V)}\,V - \frac{2}{k-3} . \end{aligned} $$ (eq-sec3-5-shared)
#
# At $V=1$ that is $D/N$, as it must be.
# Turned around, feature 1 has capacity $c$ when its importance is
#
# $$ V_c(k) = \frac{(N-1)\,\bigl(2 + (k-3)\,c\bigr)}{2(N-1) + (k-3)(D-c)} . $$ (eq-sec3-5-level)
#
# Every contour of {numref}`fig-sec3-5-phase-diagrams` is this one formula, and so are the edges of the phase: ignored up to $V_0$, fully represented from $V_1$.
#
# $$ \begin{aligned} V_0(k) &= \frac{2(N-1)}{(k-3)D+2(N-1)}, \\[6pt] V_1(k) &= \frac{(k-1)(N-1)}{(k-3)(D-1)+2(N-1)} . \end{aligned} $$ (eq-sec3-5-boundaries)
#
# To test them we ask the allocation itself, at {glue:text}`sec3-5-kurtoses`, for the smallest importance at which feature 1 gets anything, and for the smallest at which it gets everything.

# %%
k = 3 + np.geomspace(1e-3, 1e6, 46)
ends = np.full(len(k), 1e-9), np.full(len(k), 1e9)
enters = first_reached(lambda V: varied_optimum(V, k, N, D)[0] > 0, *ends)
owns = first_reached(lambda V: varied_optimum(V, k, N, D)[0] == 1, *ends)

# %% mystnb={"figure": {"caption": "Both edges of the phase in which features share. Lines: closed forms. Dots: bisection on the optimal allocation.", "name": "fig-sec3-5-boundaries"}, "image": {"alt": "Two curves that start together at importance one near kurtosis three. The upper one levels off, the lower one falls along a straight line in the doubly logarithmic plot. Dots lie on both."}} tags=["hide-input"]
lower, upper = ignored_boundary(N, D, k), monosemantic_boundary(N, D, k)
limit, shown = monosemantic_boundary_limit(N, D), k < 3 + 1e3
figures.boundary_lines(
    k[shown],
    {"monosemantic": upper[shown], "ignored": lower[shown]},
    {"monosemantic": owns[shown], "ignored": enters[shown]},
    limit,
)

# %% [markdown]
# Three things to remember about {numref}`fig-sec3-5-boundaries`:
#
# - On the left both edges meet at $V=1$. At $k=3$ there is no room for sharing, and feature 1 goes from ignored to fully represented at once.
# - On the right the upper edge levels off at $(N-1)/(D-1)$. A feature more important than that has its own dimension however sparse the inputs are. The reason is a head count: with very sparse inputs features share capacity in proportion to importance, feature 1 is due $DV/(N-1+V)$, and from there on that is more than the one dimension it can use.
# - The lower edge keeps falling, like $2(N-1)/(Dk)$. Extremely sparse inputs leave nothing ignored.

# %% tags=["hide-input"]
glue(
    "sec3-5-kurtoses",
    f"{len(k)} kurtoses from {k[0]:.3f} to {k[-1]:,.0f}",
    display=False,
)
V = np.array([0.2, 1, 5])[:, None]
run.check(
    "eq19-20-one-feature-varied",
    one_feature_varied(V[:, 0], N),
    np.where(np.arange(N) == 0, V, 1),
)
V, x = lower + generator.uniform(0.02, 0.98, k.shape) * (upper - lower), k - 3
best = fc.solve_allocation(one_feature_varied(V, N), D, k[:, None])
run.check(
    "sec3-5-shared-multiplier", best.multiplier, (k - 1) * (N - 1 + V) / (x * D + 2 * N)
)
formula = (x * D + 2 * N) / x / (N - 1 + V) * V - 2 / x
run.check("sec3-5-shared-capacity", best.capacity[:, 0], formula)
run.check(
    "sec3-5-equal-importances", varied_optimum(1.0, k, N, D)[0], np.full(len(k), D / N)
)
sparse = k_rows[k_rows > 3.01]
along = importance_at_capacity(np.array(CONTOUR_LEVELS)[:, None], sparse, N, D)
on_contours = fc.solve_allocation(one_feature_varied(along, N), D, sparse[:, None]).capacity
run.check("sec3-5-contours", on_contours[..., 0].T, np.broadcast_to(CONTOUR_LEVELS, along.T.shape))
run.check("sec3-5-ignored-boundary", enters / lower, np.ones(len(k)))
run.check("sec3-5-monosemantic-boundary", owns / upper, np.ones(len(k)))
far = k > 1e4
run.check("sec3-5-ignored-decay", observed_order(1 / k[far], enters[far]))
distance = np.abs(limit - owns[far]) if D > 1 else 1 / k[far]
run.check("sec3-5-monosemantic-limit", observed_order(1 / k[far], distance))
V = (limit if D > 1 else 1) * np.array([1, 1.01, 2, 10])[:, None]
anywhere = np.concatenate([np.linspace(1.01, 3, 40), k])
run.check("sec3-5-monosemantic-always", varied_optimum(V, anywhere, N, D)[0] - 1)
meeting = [
    first_reached(lambda V: varied_optimum(V, 3.0, N, D)[0] > 0, 1e-9, 1e9),
    first_reached(lambda V: varied_optimum(V, 3.0, N, D)[0] == 1, 1e-9, 1e9),
]
run.check("sec3-5-critical-point", meeting, np.ones(2))
run.badge()

# %% [markdown]
# ## Where $k=3$ comes from
#
# At $k=3$ the two terms of the loss carry equal weight and merge into one:
#
# $$ \begin{aligned} L &= 2\sum_i(\|w_i\|^2-v_i)^2 + 2\sum_{i\ne j}(w_i\cdot w_j)^2 \\ &= 2\,\bigl\|W^T W - \mathrm{diag}(v)\bigr\|_F^2 . \end{aligned} $$ (eq-sec3-5-eckart-young)
#
# Minimizing this is a classical problem: approximate a matrix by one of rank $D$.
# The Eckart–Young theorem keeps the $D$ largest eigenvalues.
# So the $D$ most important features win, the loss is twice the sum of the squared importances of the rest, and capacity was never mentioned.

# %%
spectrum = np.linalg.eigvalsh(v[:, :, None] * np.eye(N))
truncated = 2 * (spectrum[:, : N - D] ** 2).sum(axis=1)
at_three = minimize_quadratic(v, 3.0, D, n_starts=8, seed=seed, device=device)
float(np.abs(at_three.loss / truncated - 1).max())

# %% tags=["hide-input"]
W = generator.standard_normal((n_problems, D, N))
distance = np.swapaxes(W, 1, 2) @ W - v[:, :, None] * np.eye(N)
squares = 2 * (distance**2).sum((1, 2))
run.check("sec3-5-eckart-young-loss", fc.expected_loss(W, v, 3.0), squares)
run.check("sec3-5-eckart-young-optimum", at_three.loss, truncated)
run.badge()

# %% [markdown]
# ## Try it
#
# **By hand.** Two features, one dimension, kurtosis 9. Between which importances $V$ do they share, and at which $V$ does the first have three quarters?
#
# :::{admonition} Answer
# :class: dropdown
# {eq}`eq-sec3-5-level` with $N=2$, $D=1$, $k=9$ is $V_c = (2+6c)/(2+6(1-c))$.
# So $V_0 = 1/4$, $V_1 = 4$, and $V_{3/4} = 6.5/3.5 \approx 1.86$.
# Exchange the two features and $V$ becomes $1/V$, $c$ becomes $1-c$: the formula knows.
# :::
#
# **Nearly enough room.** Five dimensions instead of three: does the upper edge move up or down?
#
# ```sh
# papermill notebooks/sec3_5_phase_diagrams.ipynb out.ipynb --cwd notebooks -p n_dims 5
# ```
#
# :::{admonition} Answer
# :class: dropdown
# Down, to $(N-1)/(D-1) = 5/4$: with dimensions nearly plenty, a slightly more important feature gets its own.
# In the dense rows near the jump a start must happen to leave out the right one of six, and a few cells may need more than eight starts.
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
# A feature must be that much more important before all others are thrown out.
# :::
#
# **More competitors.** Eight features for the three dimensions. Does the critical point move?
#
# ```sh
# papermill notebooks/sec3_5_phase_diagrams.ipynb out.ipynb --cwd notebooks -p n_features 8
# ```
#
# :::{admonition} Answer
# :class: dropdown
# No: it stays at $V=1$, $k=3$. The upper edge levels off at $(N-1)/(D-1) = 7/2$ instead of $5/2$.
# :::
#
# ## What to remember
#
# - Dense inputs: a feature is ignored or has a dimension of its own, and it jumps from one to the other where it overtakes the others.
# - Sparse inputs: features share if their importances are within a factor of $(k-1)/2$; one formula, {eq}`eq-sec3-5-level`, draws every contour.
# - Minimizing the loss from random starts, without any theory, gives the same diagram to rounding error.
#
# Next: [why the phases look as they do](sec3-6-critical-point), and what happens at the point where all three meet.
