# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# (sec3-6-critical-point)=
# # 3.6 A bowl, a plane, a cap
#
# On dense inputs a feature jumps from ignored to fully represented; on sparse inputs it slides.
# Why, and what happens at the point where the jump ends?
# Hold the capacity of feature 1 fixed, let everything else adjust, and look at the loss that remains ({numref}`fig-sec3-5-landscape`).
# Sparse inputs make it a bowl, whose lowest point moves as the feature gains importance.
# Dense inputs make it a cap, which is lowest at one of its two ends.
# In between it is a plane that only tilts.
#
# **Paper:** section 3.6 {cite}`scherlis2022`, and its open question about critical exponents.
# **Run time:** half a minute.

# %% tags=["parameters", "hide-input"] quick={"grid": 12, "n_starts": 8}
n_features: int = 6  # features, one of which has its own importance [6 .. 12]
n_dims: int = 3  # embedding dimensions, always fewer than features [1 .. 5]
grid: int = 36  # cells along each axis of the map of starts [8 .. 100]
n_starts: int = 16  # random starts in each of its cells [1 .. 64]
seed: int = 0  # seed of the random starts and samples [0 .. 1000000]
device: str = "auto"  # where the numerical minimization runs {auto, cpu, cuda, mps}

# %% tags=["hide-cell"]
import numpy as np
from myst_nb import glue

import feature_capacity as fc
from feature_capacity.book.claims.checks import open_page
from feature_capacity.figures import sec3_6_critical_point as figures
from feature_capacity.models.device import pick_device
from feature_capacity.solvers.newton import minimize_quadratic
from feature_capacity.solvers.stability import smallest_curvature
from feature_capacity.theory.locate import first_reached, observed_order
from feature_capacity.theory.phases import ignored_boundary, monosemantic_boundary
from feature_capacity.theory.phases import one_feature_varied
from feature_capacity.theory.varied import (
    loss_profile,
    metastable_range,
    varied_optimum,
)

run = open_page(
    "sec3_6_critical_point",
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

# %% mystnb={"figure": {"caption": "The lowest loss for a given capacity of feature 1, at three kurtoses and three importances. Dots: minima; on the plane at $V=1$ every capacity is one.", "name": "fig-sec3-5-landscape"}, "image": {"alt": "Three panels. Above kurtosis three the loss is a bowl whose lowest point shifts with importance. At three it is a plane that tilts. Below three it is a cap, lowest at one of its two ends."}} tags=["hide-input"]
fraction = np.linspace(0, 1, 201)
profiles = {
    k: {V: loss_profile(fraction, V, k, N, D) for V in (0.9, 1.0, 1.1)}
    for k in (5.0, 3.0, 2.0)
}
figures.landscape(
    fraction,
    {k: {V: y - y.min() for V, y in rows.items()} for k, rows in profiles.items()},
)

# %% [markdown]
# By numbers: two equal features in one dimension.
# The loss with nothing, half and all of the dimension for the first one: with $k=2$ halves are the worst choice, with $k=3$ all are the same, with $k=5$ halves are the best.

# %%
from feature_capacity.theory.varied import loss_profile

ends_and_middle, V = [0, 0.5, 1], 1.0
[loss_profile(ends_and_middle, V, k, 2, 1).round(2) for k in (2.0, 3.0, 5.0)]

# %% [markdown]
# ## Importance shifts, sparsity tilts
#
# The lower half of {numref}`fig-sec3-5-phase-diagrams` draws what a bit more capacity is worth, by {eq}`eq-sec3-1-benefit`.
#
# - **From D over E to F**, more importance multiplies the curve of feature 1 by $V^2$ and changes nothing else. On the logarithmic axis it slides up, past the curve of the others.
# - **From A over C to E**, more sparsity tilts the curves. They rise at A, are flat at C and fall at E. Where they fall, whoever has much wants little, and features come to terms. Where they rise, a feature that is better by a hair takes a whole dimension: the jump between A and B.
# - **At C** all curves are one flat line. Any embedding that uses all $D$ dimensions, with lengths $n_i = C_i$, has the best loss. Two hundred random ones give feature 1 anything from {glue:text}`sec3-6-least` to {glue:text}`sec3-6-most` of a dimension.

# %%
frames = np.swapaxes(np.linalg.qr(generator.standard_normal((200, N, D)))[0], 1, 2)
given = fc.capacities(frames)[:, 0]
losses = fc.expected_loss(frames, np.ones(N), 3.0)
glue("sec3-6-least", f"{given.min():.2f}", display=False)
glue("sec3-6-most", f"{given.max():.2f}", display=False)
np.array([losses.min(), losses.max(), 2 * (N - D)]).round(9)

# %% [markdown]
# :::{admonition} Where we differ: convex and concave
# :class: important
# The paper says that the marginal curves go "from convex (A) to flat (C), and eventually to concave (E)", and two sentences later that the dense ones are concave.
# The curve $-\partial L/\partial C_i$ is the inverse square of a straight line, which is convex on both sides; what changes at $k=3$ is the sign of its *slope*.
# The first sentence is right about the loss reduction $-L$, the second about the loss.
# Section 2.2 has the clean statement: returns diminish exactly when $k>3$ ({ref}`convex-or-concave`).
# :::

# %% tags=["hide-input"]
k = np.array([1.1, 1.8, 2.99, 3.0, 3.01, 9.0, 60.0])[:, None, None, None]
V = np.geomspace(0.1, 10, 9)[:, None, None]
curves = fc.marginal_benefit(fraction[:, None], V, k)[
    ..., 0
]  # kurtosis, importance, capacity
optimal = fc.solve_allocation(np.ones((200, N)), D, 3.0).loss
run.check(
    "sec3-6-shift",
    curves / curves[:, 4:5],
    np.broadcast_to(V[..., 0] ** 2, curves.shape),
)
run.check("sec3-6-any-allocation", losses, optimal)
run.badge()

# %% [markdown]
# ## The order parameter
#
# Boiling water jumps in density, less and less so as pressure grows, until the jump vanishes at a critical point.
# The paper sees the same here, if one follows the marginal benefit of feature 1 rather than its capacity.
# On the optimal allocation it takes three forms, the middle one with the multiplier of {eq}`eq-sec3-5-shared`:
#
# $$ \Lambda_1 \equiv -\frac{\partial L}{\partial C_1} = \begin{cases} \tfrac12 (k-1)^2 V^2 & \text{ignored} \\ 2\lambda^2 & \text{polysemantic} \\ 2V^2 & \text{monosemantic} \end{cases} $$ (eq-sec3-5-order)

# %% mystnb={"figure": {"caption": "Capacity (left) and marginal benefit (right) of feature 1 across equal importance, for five kurtoses. Below 3 both jump; at 3 only the capacity does; above 3 neither does, but both have kinks.", "name": "fig-sec3-5-order"}, "image": {"alt": "Two panels of curves against importance. Dense curves break at importance one, sparse curves are continuous with two kinks."}} tags=["hide-input"]
V = np.r_[np.linspace(0.5, 1 - 1e-9, 200), 1.0, np.linspace(1 + 1e-9, 2, 200)]
shown = {k: varied_optimum(V, k, N, D) for k in (1.8, 2.4, 3.0, 4.5, 9.0)}
figures.order_parameter(
    V,
    {k: (np.where((V == 1) & (k <= 3), np.nan, C), np.where((V == 1) & (k < 3), np.nan, worth))
     for k, (C, worth) in shown.items()},
)  # fmt: skip

# %% [markdown]
# For $k<3$ the first and the last form meet at $V=1$ and disagree.
# For $V$ just above 1 the marginal benefit is 2 whatever the sparsity; for $V$ just below 1 it is $(k-1)^2/2$.
# The jump is $(3-k)(k+1)/2$ and closes at $k=3$, while the jump of the capacity stays 1 up to the very end.
#
# Everywhere else $\Lambda_1$ is continuous, but not smooth.
# In both outer phases it is proportional to $V^2$, so that $\mathrm d\ln\Lambda_1/\mathrm d\ln V = 2$; in the superposed phase the same derivative is only $2V/(N-1+V)$, because the others absorb most of the change.
# At both edges it drops by $2(N-1)/(N-1+V)$: the kinks of {numref}`fig-sec3-5-order`, on the right.

# %% tags=["hide-input"]
near = np.geomspace(1e-6, 1e-3, 13)
jump_1, jump = np.subtract(
    varied_optimum(1 + 1e-15, 3 - near, N, D), varied_optimum(1 - 1e-15, 3 - near, N, D)
)
k = np.linspace(1.01, 2.99, 200)
(below, order_below), (above, order_above) = (
    varied_optimum(1 + s * 1e-15, k, N, D) for s in (-1, 1)
)
run.check("sec3-6-first-order-line", above - below)
run.check("sec3-6-order-varying-side", order_below, (k - 1) ** 2 / 2)
run.check("sec3-6-order-constant-side", order_above, np.full(200, 2.0))
run.check("sec3-6-order-jump-vanishes", observed_order(near, jump))
# Continuous: the largest step between neighbors shrinks with the cells of the grid.
sizes, steps = np.array([64, 128, 256]), []
for size in sizes:
    V, k = np.geomspace(0.1, 10, size), 1.8 / np.geomspace(0.05, 1, size)[:, None]
    level = np.log(varied_optimum(V, k, N, D)[1])
    across = np.abs(np.diff(level, axis=1))
    across[(k[:, 0] < 3), size // 2 - 1] = (
        0  # the pair on either side of the line of jumps
    )
    steps.append(max(across.max(), np.abs(np.diff(level, axis=0)).max()))
run.check("sec3-6-order-continuous", -observed_order(sizes - 1, steps))
# Kinked: one-sided derivatives to second order, on both sides of both edges.
k, h, drop, predicted = np.geomspace(3.2, 60, 25), 1e-4, [], []
for edge, outward in (
    (ignored_boundary(N, D, k), -1),
    (monosemantic_boundary(N, D, k), 1),
):
    at, one, two = (
        np.log([varied_optimum(edge * np.exp(s * n * h), k, N, D)[1] for s in (-1, 1)])
        for n in range(3)
    )
    inner, outer = ((4 * one - two - 3 * at) / (2 * h) * [[-1], [1]])[::outward]
    drop.append(outer - inner)
    predicted.append(2 * (N - 1) / (N - 1 + edge))
run.check("sec3-6-order-kinks", drop, predicted)
run.badge()

# %% [markdown]
# ## The end of the line
#
# Near the point where a jump ends, physicists write each quantity as a power of the distance to it, and call the power its *critical exponent*; the quantity that jumps is the *order parameter*. The paper takes the marginal benefit $\Lambda_1$ for it; the capacity $C_1$, which jumps as well, is the other candidate, and the tables below have both.
# A transition is of *first order* if a first derivative of the lowest loss jumps there, of second order if only the second derivatives do.
# The paper asks whether critical exponents have a meaningful analog here.
# They do, they can be read off exactly, and they say that the point where the line ends is not what it looks like.
#
# Close to it, with $h=V-1$ and $x=k-3$ both small, the loss of {numref}`fig-sec3-5-landscape` is
#
# $$ \begin{aligned} L(C_1) &\approx \text{const} - 4\,h\,C_1 + x\,q(C_1), \\ q &= \begin{cases} \frac{N}{N-1}\bigl(C_1-\frac DN\bigr)^2 & x>0 \\ C_1^2 + (1-C_1)^2 & x<0 \end{cases} \end{aligned} $$ (eq-sec3-5-landau)
#
# since the loss of one feature expands to $v^2(1-C)\bigl(2+x(1-C)\bigr)$.
# For $x>0$ the others share $D-C_1$ equally; for $x<0$ one of them gives up what feature 1 takes.
# Importance is a *field* that tilts the loss, kurtosis a *temperature* that sets its curvature.
#
# This is Landau's theory of phase transitions, with one difference that matters.
# In a magnet the bowl turns into a cap too, but a fourth-order term catches the fall, and it gives the well-known square roots.
# Here nothing is fourth-order.
# What catches the fall are the hard walls $C_1=0$ and $C_1=1$, and so all powers are whole:
#
# | quantity | leading behavior |
# |---|---|
# | width of the superposed band, $V_1-V_0$ | $\dfrac{N}{2(N-1)}\,(k-3)$ |
# | response at equal importance, $\partial C_1/\partial V$ | $\dfrac{2(N-1)}{N}\,(k-3)^{-1}$ |
# | jump of the order parameter, $\Lambda_1$ | $2\,(3-k)$ |
# | kink of the best loss along $V=1$ | slope falls by $\dfrac{D(N-D)}{N}$ |
#
# We measure all four on the optimal allocation, from a thousandth down to a millionth away from $k=3$.

# %%
ends = np.full(len(near), 1e-9), np.full(len(near), 1e9)
edge_0 = first_reached(lambda V: varied_optimum(V, 3 + near, N, D)[0] > 0, *ends)
edge_1 = first_reached(lambda V: varied_optimum(V, 3 + near, N, D)[0] == 1, *ends)
width, small = edge_1 - edge_0, near / 100
rise = [varied_optimum(1 + s * small, 3 + near, N, D)[0] for s in (-1, 1)]
response = (rise[1] - rise[0]) / (2 * small)

# %%
beside = [3 + s * near[:, None] for s in (-1, 0, 1)]
before, here, after = (fc.solve_allocation(np.ones((13, N)), D, k).loss for k in beside)
kink = (here - before) - (after - here)
x = (3 + near) - 3  # the distance that the rounded kurtosis really has
np.array([width / x, response * x, jump / x, kink / x])[:, 0].round(3)

# %% [markdown]
# Powers are half of the story.
# The other half is *scaling*: close to the critical point importance and kurtosis act only through $u=(V-1)/(k-3)$, and
#
# $$ C_1 \;\longrightarrow\; \min\left(\max\left(\frac DN + \frac{2(N-1)}{N}\,u,\;0\right),\;1\right). $$ (eq-sec3-5-scaling)

# %% mystnb={"figure": {"caption": "Left: four power laws at the critical point. Right: capacity of feature 1 against scaled importance; the closer to the critical point, the closer to one piecewise straight line. Inset: the same curves before scaling.", "name": "fig-sec3-5-scaling"}, "image": {"alt": "Left: straight lines in a doubly logarithmic plot, three rising and one falling. Right: curves that collapse on a ramp from zero to one."}} tags=["hide-input"]
u = np.linspace(-0.75 * D / (N - 1), 0.75 * (N - D) / (N - 1), 401)
ramp = np.clip(D / N + 2 * (N - 1) / N * u, 0, 1)
laws = {
    "band width": width,
    "response": response,
    "jump of $\\Lambda_1$": jump,
    "kink of the loss": kink,
}
scaled = {
    d: (1 + d * u, varied_optimum(1 + d * u, 3 + d, N, D)[0])
    for d in (1.0, 0.3, 0.1, 0.01)
}
figures.critical_scaling(near, laws, u, scaled, ramp)

# %% tags=["hide-input"]
alpha, beta = 2 - observed_order(near, kink), observed_order(near, jump_1)
gamma, gap = -observed_order(near, response), observed_order(near, width)
field = np.geomspace(1e-6, 1e-3, 13)
leaves = observed_order(field, varied_optimum(1 + field, 3.0, N, D)[1] - 2)
glue("sec3-6-alpha", f"{abs(alpha):.3f}", display=False)
glue("sec3-6-beta", f"{abs(beta):.3g}", display=False)
glue("sec3-6-gamma", f"{gamma:.3f}", display=False)
glue("sec3-6-gap", f"{gap:.3f}", display=False)
glue("sec3-6-beta-order", f"{observed_order(near, jump):.3f}", display=False)
glue("sec3-6-delta-order", f"{1 / leaves:.3f}", display=False)
glue("sec3-6-n", N, display=False)

# %% [markdown]
# ### What they say: first order
#
# | exponent | defined by | capacity $C_1$ | order parameter $\Lambda_1$ | Landau |
# |---|---|---|---|---|
# | $\beta$ | jump $\sim (3-k)^{\beta}$ | {glue:text}`sec3-6-beta` | {glue:text}`sec3-6-beta-order` | 1/2 |
# | $\gamma$ | response $\sim (k-3)^{-\gamma}$ | {glue:text}`sec3-6-gamma` | 0 (finite) | 1 |
# | $\delta$ | departure at $k=3$ $\sim h^{1/\delta}$ | ∞ (a jump) | {glue:text}`sec3-6-delta-order` | 3 |
# | $\alpha$ | singular part of the loss $\sim (k-3)^{2-\alpha}$ | {glue:text}`sec3-6-alpha` | the same loss | 0 |
# | $\beta\delta$ | band width $\sim (k-3)^{\beta\delta}$ | {glue:text}`sec3-6-gap` | {glue:text}`sec3-6-gap` | 3/2 |
#
# **The point where the line ends is itself first order.**
# There the capacity still jumps by a whole unit as $V$ passes 1, and the best loss still has a kink as $k$ passes 3: both its first derivatives are discontinuous.
# At an ordinary critical point the jump has shrunk to nothing and the first derivatives are continuous.
# So the resemblance to a second-order transition that the paper sees is one of the marginal benefit, and it does not reach the loss.
#
# - Capacity is the natural partner of importance: the best loss changes with $V$ at the rate $4V(1-C_1)$ at $k=3$, so $C_1$ is to $V$ what magnetization is to a field. Its exponents $(\alpha,\beta,\gamma)=(1,0,1)$ obey the textbook relation $\alpha+2\beta+\gamma=2$, and $\beta=0$, $\alpha=1$ are what a first-order transition has.
# - They are not Landau's. Only $\gamma=1$ is shared, because only the bowl is shared; the walls replace the fourth-order term.
# - The marginal benefit behaves more like an order parameter: its jump vanishes, with $\beta=1$. But it answers importance by a finite amount, and nothing about it diverges. Since it is not the partner of importance, the relation between exponents does not speak about it.
#
# The exponents are whole numbers because near this point all formulas are straight lines that are cut off, in one combination of $V$ and $k$.
# There are no fluctuations, no diverging length, and no large system: the result is exact for {glue:text}`sec3-6-n` features as it is for any number.
# What carries over is modest and useful.
# Wherever the slope of the marginal benefit changes sign smoothly as sparsity grows, the superposed band opens in proportion to the distance, and capacities become infinitely sensitive to importance as one approaches the line.

# %% tags=["hide-input"]
sizes, bowl, cap = np.geomspace(1e-4, 1e-2, 7), [], []
for size in sizes:
    h, tilt = 0.3 * size, -4 * 0.3 * size * fraction
    curved = tilt + size * N / (N - 1) * (fraction - D / N) ** 2
    bowl.append(np.ptp(loss_profile(fraction, 1 + h, 3 + size, N, D) - curved))
    curved = tilt - size * ((1 - fraction) ** 2 + fraction**2)
    cap.append(np.ptp(loss_profile(fraction, 1 + h, 3 - size, N, D) - curved))
run.check("sec3-6-landscape-bowl", observed_order(sizes, bowl))
run.check("sec3-6-landscape-cap", observed_order(sizes, cap))
run.check("sec3-6-exponent-width", gap)
run.check("sec3-6-exponent-response", gamma)
run.check("sec3-6-exponent-loss", observed_order(near, kink))
run.check("sec3-6-exponent-order", leaves)
run.check(
    "sec3-6-amplitudes",
    [width[0] / x[0] / (N / 2 / (N - 1)), response[0] * x[0] / (2 * (N - 1) / N),
     jump[0] / x[0] / 2, kink[0] / x[0] / (D * (N - D) / N)],
)  # fmt: skip
distances = np.geomspace(1e-4, 1e-2, 7)
misfit = [
    np.abs(varied_optimum(1 + d * u, 3 + d, N, D)[0] - ramp).max() for d in distances
]
run.check("sec3-6-collapse", observed_order(distances, misfit))
run.check("sec3-6-scaling-relation", alpha + 2 * beta + gamma)
run.check("sec3-6-first-order-end", [jump_1[0], kink[0] / x[0] / (D * (N - D) / N)])
V, h, k = np.array([0.3, 0.8, 1.3, 4.0]), 1e-4, np.linspace(1.5, 40, 12)[:, None]
varied = [one_feature_varied(V + s * h, N) for s in (-2, -1, 1, 2)]
around = [fc.solve_allocation(v, D, k[..., None]) for v in varied]
smooth = (
    around[0].phase[..., 0] == around[3].phase[..., 0]
)  # no phase boundary in between
loss = [best.loss for best in around]
slope = (loss[0] - 8 * loss[1] + 8 * loss[2] - loss[3]) / (12 * h)
C1, _ = varied_optimum(V, k, N, D)
run.check(
    "sec3-6-partner",
    slope[smooth],
    (4 * (k - 1) * V * (1 - C1) / ((k - 3) * C1 + 2))[smooth],
)
run.badge()

# %% [markdown]
# ## Why a start can fail
#
# Besides its jump, a first-order line has states that are no longer the best, and stay; they are called *metastable*.
# Water can be liquid below its freezing point, because turning into ice would first cost energy.
# Likewise, take dense inputs and an embedding in which feature 1 is ignored while $D$ others have a dimension each.
# Let feature 1 grow a short vector of length $\varepsilon$ along one of them.
# To second order the loss changes by
#
# $$ \delta L = \bigl(4 - 2(k-1)V\bigr)\,\varepsilon^2 , $$ (eq-sec3-5-metastable)
#
# the first term for the interference, the second for the gain.
# As long as $V < 2/(k-1)$ this is positive: the embedding is a local minimum, although for $V>1$ it is not the best one.
# In the mirror image, feature 1 fully represented, an ignored feature wants its place, and the state survives down to $V=(k-1)/2$.
# The two lines enclose a wedge that closes at the {term}`critical point`.
# Only inside it may a start go astray.

# %%
p, V = np.geomspace(0.5, 1, grid), np.geomspace(0.2, 5, grid)
k = np.array([fc.SparseUniform(float(chance)).kurtosis for chance in p])
importances = np.broadcast_to(one_feature_varied(V, N), (grid, grid, N))
minimum = minimize_quadratic(
    importances, k[:, None, None], D, n_starts=n_starts, seed=seed, device=device
)
best_loss = fc.phase_diagram(V, k, N, D).allocation.loss
share = (minimum.loss_of_starts <= best_loss[..., None] * (1 + 1e-9)).mean(axis=-1)

# %% mystnb={"figure": {"caption": "Share of random starts that reach the best loss, in the dense part of the phase diagram, and the wedge in which a metastable state exists (orange). Dotted: kurtosis 3.", "name": "fig-sec3-6-wedge"}, "image": {"alt": "A map over importance and feature probability. All starts succeed except inside a wedge around equal importance that opens upward from the critical point."}} tags=["hide-input"]
rows = np.linspace(0.6, 1, 100)
edges = metastable_range([fc.SparseUniform(float(row)).kurtosis for row in rows])
figures.wedge_map((V, p, share), [(edge, rows) for edge in edges])

# %% [markdown]
# Outside the wedge {glue:text}`sec3-6-share-outside` of all starts reach the best loss, inside {glue:text}`sec3-6-share-wedge`.
# A single training run on dense inputs can land on the wrong side of the jump without any fault in the optimizer.
# That is why every cell of the phase diagram gets several starts.
#
# The edges of the wedge can be confirmed without a start: the smallest eigenvalue of the exact second derivative of the loss, over all entries of $W$, turns negative there.

# %%
out = np.eye(D, N, 1)  # feature 1 ignored, D others with a dimension each
importances = one_feature_varied([1.5, 1.9, 2.1], N)  # the edge is at V = 2
[round(smallest_curvature(out, v, 2.0), 6) for v in importances]

# %% tags=["hide-input"]
low, high = metastable_range(k[:, None])
wedge = (k[:, None] < 3) & (low < V) & (high > V)
glue("sec3-6-share-outside", f"{share[~wedge].mean():.1%}", display=False)
glue(
    "sec3-6-share-wedge",
    f"{share[wedge].mean() if wedge.any() else 1.0:.0%}",
    display=False,
)
run.check("fig4-starts-outside-wedge", share[~wedge].mean())
tried = (1.9, 2.3, 2.8)
own = np.eye(D, N, 1)  # feature 1 takes the place of feature 2
own[0, :2] = 1, 0
leaves_out = [
    first_reached(
        lambda V, k=k: np.asarray(
            smallest_curvature(out, one_feature_varied(float(V), N), k) <= -1e-8
        ),
        0.1,
        20.0,
        45,
    )
    for k in tried
]
stays_in = [
    first_reached(
        lambda V, k=k: np.asarray(
            smallest_curvature(
                own * [float(V) ** 0.5, *[1] * (N - 1)],
                one_feature_varied(float(V), N),
                k,
            )
            > -1e-8
        ),
        0.1,
        20.0,
        45,
    )
    for k in tried
]
run.check(
    "sec3-6-metastable-edges",
    np.array([*leaves_out, *stays_in]),
    np.concatenate(metastable_range(tried)[::-1]),  # the edges that the figure draws
)
run.badge()

# %% [markdown]
# ## Try it
#
# **Two features, one dimension.** What are the edges of the superposed band at $k=3.1$, and how steeply does $C_1$ rise in between?
#
# :::{admonition} Answer
# :class: dropdown
# With $N=2$, $D=1$ the band runs from $2/2.1$ to $2.1/2$ by {eq}`eq-sec3-5-boundaries`, a width of about 0.1, as $N/(2(N-1))\,(k-3)$ says.
# In it $C_1$ goes from 0 to 1, so it rises about ten times as fast as $V$: a change of importance by one percent moves a tenth of a dimension.
# :::
#
# **A network on dense data** has feature 1 ignored although it is 1.5 times as important as the others.
# Up to which kurtosis can that last?
#
# :::{admonition} Answer
# :class: dropdown
# $V < 2/(k-1)$ means $k < 1 + 2/V = 2.33$. Make the data a little sparser than that ($p < 0.77$), and gradient descent finds its way.
# :::
#
# **The wedge in a tighter space.** Does the wedge move when six features have five dimensions?
#
# ```sh
# papermill notebooks/sec3_6_critical_point.ipynb out.ipynb --cwd notebooks -p n_dims 5
# ```
#
# :::{admonition} Answer
# :class: dropdown
# No, {eq}`eq-sec3-5-metastable` knows neither $N$ nor $D$. But fewer starts succeed inside, since a start must leave out the right one of six.
# :::
#
# **Do the exponents know the number of features?**
#
# ```sh
# papermill notebooks/sec3_6_critical_point.ipynb out.ipynb --cwd notebooks -p n_features 12
# papermill notebooks/sec3_6_critical_point.ipynb out.ipynb --cwd notebooks -p n_dims 1
# ```
#
# :::{admonition} Answer
# :class: dropdown
# No; only the amplitudes do.
# :::
#
# ## What to remember
#
# - Sparse inputs make the loss a bowl in the capacity of a feature, dense ones a cap: that is why capacity slides or jumps.
# - The line of jumps ends at $V=1$, $k=3$ with whole-numbered exponents. Capacity still jumps there and the loss still has a kink, so the end point is first order; only the jump of the marginal benefit vanishes.
# - Near the line of jumps the wrong side is a local minimum, up to $V=2/(k-1)$ and down to $(k-1)/2$, and single training runs get caught in it.
#
# Next: [do other models and activations have the same phases?](sec3-7-other-models)
