# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# (sec3-7-jump)=
# # A jump, a slope, and a foot
#
# Six features share three neurons, and all but feature 1 have importance 1.
# Let its importance $V$ grow past that of the others.
# Does feature 1 get its dimension all at once, or bit by bit?
#
# The paper sees a sharp transition from 0 to 1 for every nonlinearity when inputs are dense.
# We find half of that: one jump, at $V=1$, for all of them.
# For ReLU and GELU it does not start at 0, because a feature that hardly matters keeps a little capacity all the same.
#
# **Paper:** section 3.7, the sentence on a sharp 0–1 transition {cite}`scherlis2022`.
# **Run time:** about eight minutes on one CPU core.

# %% tags=["parameters", "hide-input"] quick={"n_steps": 9, "n_starts": 8, "n_points": 256}
n_steps: int = 81  # steps of importance from 0.3 to 3.3, and some close to 1 [5 .. 201]
n_starts: int = 32  # random starts, and as many arrangements, of a cell [1 .. 64]
n_points: int = 8192  # expectation nodes of each line, about [256 .. 32768]
seed: int = 0  # of starts and nodes [0 .. 1000000]
device: str = "auto"  # where the minimization runs {auto, cpu, cuda, mps}

# %% tags=["hide-cell"]
import numpy as np
import pandas as pd
from myst_nb import glue

import feature_capacity as fc
from feature_capacity.book.claims.checks import open_page
from feature_capacity.figures import sec3_7_jump as figures
from feature_capacity.models.device import pick_device
from feature_capacity.models.losses import quadrature_loss
from feature_capacity.models.parts import even_part, linear_part_loss
from feature_capacity.models.quadrature import sparse_quadrature
from feature_capacity.models.symmetric_nodes import reflected_nodes, symmetric_nodes
from feature_capacity.solvers.equal_features import jump_at_equality, jumps_at_equality
from feature_capacity.solvers.near_equality import foot
from feature_capacity.solvers.other_readings import READINGS, jumps_by_reading
from feature_capacity.sweeps.zoom import lines_through_one

run = open_page(
    "sec3_7_jump", n_steps=n_steps, n_starts=n_starts, n_points=n_points, seed=seed,
    device=device,
)  # fmt: skip
print("computed on:", pick_device(device))
acts = {"quadratic": "quadratic", "|x|": "abs", "ReLU": "relu", "GELU": "gelu"}

# %% [markdown]
# Along each line of {numref}`fig-sec3-7-zoom` the expected loss is minimized in {glue:text}`sec3-7-n-importances` cells, starting from whatever was found in any cell of any line.
# The absolute value $|x|$ is there for comparison: it is ReLU without the half that tells signs apart.

# %%
probabilities = [0.3, 0.5, 0.64, 0.8, 1.0]
effort = {"n_points": n_points, "seed": seed, "device": device}
lines = {
    name: lines_through_one(act, probabilities, n_steps, n_starts, **effort)
    for name, act in acts.items()
}
V = lines["ReLU"].importance
glue("sec3-7-n-importances", len(V), display=False)

# %% mystnb={"figure": {"caption": "Capacity of feature 1 of six in three dimensions against its importance, computation model; one line for each feature probability. Below: close to V = 1, where every dot is a cell.", "name": "fig-sec3-7-zoom"}, "image": {"alt": "Eight panels. With quadratic, dense lines are steps from 0 to 1 and sparse ones ramps. With the absolute value, lines stay at 0, jump at 1, and the dense ones reach 1 at once. With ReLU and GELU they rise slowly from the left, a foot, jump at 1 by three quarters when dense, and go on rising."}} tags=["hide-input"]
by_probability = {
    name: list(zip(probabilities, each.capacity, strict=True))
    for name, each in lines.items()
}
figures.zoom(V, by_probability, near=0.03)

# %% [markdown]
# Dense inputs (yellow) make a step at $V=1$ in all four columns.
# With quadratic and $|x|$ it goes from 0 to 1.
# With ReLU and GELU it is almost as high, but a foot leads up to it.
# The foot never ends, and so the band of shared capacity, $0.05<C_1<0.95$, is wide also where inputs are dense.

# %% tags=["hide-input"]
pd.DataFrame(
    {
        (name, what): np.round(values, 2)
        for name, each in lines.items()
        for what, values in {
            "jump at 1": each.across,
            "width of the band": each.width,
        }.items()
    },
    index=pd.Index(probabilities, name="p"),
)

# %% [markdown]
# ## Why a jump: equal features are not treated equally
#
# At $V=1$ all six features are alike.
# Any order of them is as good, and if the best network treats them unequally, feature 1 may take any place in it.
# As soon as $V$ is above 1, the place that is best for an important feature is the best; below 1 it is the worst.
# The step in the picture is the distance between two places of *one* network.
#
# Which place is which is a matter of one derivative.
# A small change of the best network costs nothing in first order, so that the lowest loss changes with $V$ as if the network stood still:
#
# $$ \frac{d}{dV}\min_W L = \frac{\partial L}{\partial v_1}\Big|_W = -2\,\mathbb{E}\bigl[(\tilde y-y)\,f(x_1)\bigr] . $$ (eq-sec3-7-envelope)
#
# Above 1 feature 1 gets the place with the smallest derivative, below 1 that with the largest.
# The jump is thus read off one cell, without steps of $V$:

# %%
import feature_capacity as fc
from feature_capacity.solvers.equal_features import jump_at_equality

model = fc.ToyModel("computation", "relu", n_features=6, n_dims=3)
jump = jump_at_equality(model, fc.SparseUniform(0.8), n_starts=32, n_points=512)
jump.capacity.round(2), round(jump.below, 2), round(jump.above, 2)

# %% [markdown]
# Three of the six features have most of a dimension each, and three have little.
# Nothing but symmetry breaking tells them apart.

# %%
few = [0.004, 0.02, 0.1, 0.3, 0.5, 0.64, 0.8, 1.0]
jumps = {
    name: jumps_at_equality(
        fc.ToyModel("computation", acts[name]), fc.SparseUniform, few,
        others=lines[name].at_equality, n_starts=n_starts, **effort,
    )
    for name in ("|x|", "ReLU", "GELU")
}  # fmt: skip
size = {name: np.array([each.size for each in row]) for name, row in jumps.items()}
size["quadratic"] = lines_through_one("quadratic", few, n_steps).across

# %% [markdown]
# (sec3-7-foot)=
# ## Why a foot: half of ReLU is linear
#
# ReLU and GELU have the same odd part,
#
# $$ \operatorname{ReLU}(x) = \frac{x}{2}+\frac{|x|}{2}, \qquad \operatorname{GELU}(x)=\frac{x}{2}+\frac{x}{2}\operatorname{erf}\frac{x}{\sqrt2} . $$
#
# Inputs of section 3 are as likely as their opposites, so that odd and even functions of them are uncorrelated, and the expected loss falls into two parts that know nothing of each other:
#
# $$ L_f(W) = \frac14\sum_i\Bigl(v_i-\sum_a W_{ai}\Bigr)^2\mathbb{E}[x^2] + L_{\text{even}}(W) . $$ (eq-sec3-7-parts)
#
# The first part is the loss of a linear model.
# Let $w_1=t\,(1,\dots,1)$ be short.
# Then it falls by $\tfrac12VDt$, in first order.
# The even part does not notice at first: it is unchanged when $x_1$ changes its sign, and with dense inputs it is smooth in $t$, so that it begins with $t^2$.
# What is linear wins against what is quadratic, however small $V$ is.
# *With dense inputs a feature without a vector always gains from a short one.*
# (With sparse inputs all other features may be off, and then the even part has a term in $|t|$ as well; there we rely on the minimized curves.)
# Balance gives $t\propto V$, and since the capacity of a short vector is its squared length in units of what is there, $C_1\propto V^2$.
#
# With $x^2$ and $|x|$ the first part is missing, and with it the foot.

# %%
small = np.geomspace(0.02, 0.2, 6)
feet = {
    name: foot(
        fc.ToyModel("computation", acts[name]), fc.SparseUniform(1.0), small,
        n_starts=max(1, n_starts // 8), n_points=min(n_points, 512),
        seed=seed, device=device,
    ).capacity[:, 0]
    for name in ("ReLU", "GELU", "|x|", "quadratic")
}  # fmt: skip

# %% mystnb={"figure": {"caption": "Left: capacity of a feature that hardly matters, p = 1; the dotted line has slope 2. Quadratic and the absolute value give exactly 0 and are not seen. Right: the jump at V = 1, read off the optimum there; dotted: where the kurtosis is 3.", "name": "fig-sec3-7-foot"}, "image": {"alt": "Left: two straight lines of slope two on logarithmic axes, for ReLU and GELU. Right: four curves. The jump of quadratic is 1 from p of 0.6 on and 0 below. Those of the other three fall from near 1 at p = 1; that of GELU is near 0 from p = 0.5 to 0.02."}} tags=["hide-input"]
fine = np.geomspace(few[0], 1, 241)
exact = lines_through_one("quadratic", fine, n_steps).across
figures.foot_and_jump(
    small, feet, {"quadratic": (fine, exact), **{k: (few, size[k]) for k in jumps}}
)

# %% [markdown]
# The right half of {numref}`fig-sec3-7-foot` says until which sparsity each keeps its jump.
# Quadratic loses it at kurtosis 3, all at once.
# The others have a smaller one: at $p=0.5$ it is {glue:text}`sec3-7-jump-half-relu:.2f` for ReLU and {glue:text}`sec3-7-jump-half-gelu:.2f` for GELU, at $p=0.1$ {glue:text}`sec3-7-jump-tenth-relu:.2f` and {glue:text}`sec3-7-jump-tenth-gelu:.2f`.
# Below $p\approx0.6$ several embeddings have nearly the same loss, and with ReLU it takes many starts and eight thousand {ref}`nodes <sec3-7-nodes>`, the inputs over which the loss is averaged, to tell them apart.
# Then both ways of looking agree: at $p=0.3$ the lines of {numref}`fig-sec3-7-zoom` jump by {glue:text}`sec3-7-jump-lines-relu:.2f` with ReLU and {glue:text}`sec3-7-jump-lines-gelu:.2f` with GELU, and the optimum at $V=1$ gives {glue:text}`sec3-7-jump-third-relu:.2f` and {glue:text}`sec3-7-jump-third-gelu:.2f`.
# So ReLU keeps a jump at every sparsity tried, and GELU loses its own between $p=0.64$ and $p=0.5$, where equal features come to have half a dimension each; it has one again in the sparsest row.
# The transition at high sparsity is smoother, as the paper says, but not smooth: a jump is left with ReLU in every row, and with GELU in the sparsest, whose inputs of variance 1 are so large when they are on that GELU is nearly ReLU. A step of this size hides well in a diagram of some dozen cells.
#
# ::::{admonition} Where we differ from the paper
# :class: important
# Section 3.7 says *a sharp 0–1 transition at mild sparsity* for all three nonlinearities, and *a smoother transition* beyond.
# Read as "one discontinuity, at $V=1$", the first half holds for all three.
# Read as "from 0 to 1", it holds for quadratic only: ReLU and GELU have a foot, {numref}`fig-sec3-7-foot`.
# At high sparsity it has capacity change *steadily from 0 to 1*. A smaller jump is left with ReLU, and in the sparsest row with GELU, because equal features break symmetry there too.
# See {ref}`jump-not-from-zero` and {ref}`jump-in-sparse-rows`.
# ::::

# %% tags=["hide-input"]
at, dense = np.array(few), np.array(probabilities) >= 0.6
for name in ("ReLU", "GELU"):
    half, third, tenth = (float(size[name][at == x][0]) for x in (0.5, 0.3, 0.1))
    across = lines[name].across[probabilities.index(0.3)]
    glue(f"sec3-7-jump-third-{acts[name]}", third, display=False)
    glue(f"sec3-7-jump-lines-{acts[name]}", float(across), display=False)
    glue(f"sec3-7-jump-half-{acts[name]}", half, display=False)
    glue(f"sec3-7-jump-tenth-{acts[name]}", tenth, display=False)

# The loss on symmetric nodes, and the sum of its two parts.
nodes = sparse_quadrature(fc.SparseUniform(1.0), 6, 64, seed)
nodes = reflected_nodes(symmetric_nodes(nodes, both_signs=False))
W, v = np.random.default_rng(seed).normal(size=(8, 3, 6)), np.ones((8, 6))
linear = linear_part_loss(W, v, float(nodes.weight @ nodes.x[:, 0] ** 2))
for act in ("relu", "gelu"):
    whole, even = (
        quadrature_loss(fc.ToyModel("computation", f), W, np.zeros(8), v, nodes)
        for f in (act, even_part(act))
    )
    run.check(f"jump-odd-part-{act}", whole, linear + even)

logs = {name: np.log(np.maximum(foot, 1e-12)) for name, foot in feet.items()}
orders = {acts[n]: np.polyfit(np.log(small), logs[n], 1)[0] for n in ("ReLU", "GELU")}
run.check_each("jump-foot-order", orders)
run.check_each("jump-no-foot", {acts[n]: feet[n].max() for n in ("quadratic", "|x|")})

three = {acts[name]: lines[name] for name in ("quadratic", "ReLU", "GELU")}
across = {act: np.median(each.across[dense]) for act, each in three.items()}
elsewhere = {act: each.largest_elsewhere[dense].max() for act, each in three.items()}
width = {act: np.median(each.width[dense]) for act, each in three.items()}
sparse = {acts[name]: each[at <= 0.1].max() for name, each in size.items()}
run.check_each("sec3-7-jump", across)
run.check_each("sec3-7-jump-only", elsewhere)
run.check_each("sec3-7-zero-to-one", width)
run.check_each("sec3-7-smoother", {act: sparse[act] / across[act] for act in three})
run.check_each("sec3-7-steady", {act: sparse[act] for act in three})

both = [few.index(p) for p in probabilities]
apart = [np.abs(size[name][both] - lines[name].across) for name in ("ReLU", "GELU")]
run.check("jump-two-routes", np.max(apart))
run.badge()

# %% [markdown]
# (sec3-7-jump-readings)=
# ## Does it depend on the inputs?
#
# The paper does not say what its networks saw.
# Here is the jump at $V=1$ under five readings: the inputs of section 3; the same without a bias; uniform from 0 to 1; uniform from $-a$ to $2a$; and from 0 to 1 less the mean.

# %%
some = [0.3, 0.64, 1.0]
readings = {
    name: jumps_by_reading(
        acts[name],
        some,
        n_starts=max(1, n_starts // 2),
        n_points=max(64, n_points // 16),
        seed=seed,
        device=device,
    )
    for name in ("quadratic", "ReLU", "GELU")
}
pd.DataFrame(
    {
        (name, f"{p:g}"): [row[r][i] for r in READINGS]
        for name, row in readings.items()
        for i, p in enumerate(some)
    },
    index=READINGS,
).style.format(precision=2, na_rep="–")

# %% [markdown]
# Dense inputs (1.0) give a jump under every reading that has a diagram at all.
# These are from a sixteenth of the nodes, and at $p=0.3$ good to a tenth.
# The gap in the table is ReLU with inputs of one sign: it does nothing to them, one neuron solves the task, and nothing decides between embeddings ({ref}`sum-without-a-sign`).
#
# ## Try it
#
# Paste a command at the root of the project; the executed page is then in `out.ipynb`.
#
# **Is it luck?** The jump of ReLU rests on finding the best of many minima.
# Do other starts and other nodes find another one?
#
# ```sh
# papermill notebooks/sec3_7_jump.ipynb out.ipynb --cwd notebooks -p seed 1
# ```
#
# :::{admonition} Answer
# :class: dropdown
# No: the verdicts are the same, and the jumps at $p\ge0.6$ move by a few hundredths at most.
# :::
#
# **Coarser.** With eleven steps of importance instead of 81, does a jump still look like one?
#
# ```sh
# papermill notebooks/sec3_7_jump.ipynb out.ipynb --cwd notebooks -p n_steps 11
# ```
#
# :::{admonition} Answer
# :class: dropdown
# Yes, because the steps close to 1 are always there. In an ordinary grid of 32 cells the two neighbors of $V=1$ are 0.86 and 1.16, a jump and a steep slope look alike, and the foot is what one notices.
# :::
#
# **Fewer starts.** What happens to the jump if there is a single random start, and a single arrangement, at every tenth importance?
#
# ```sh
# papermill notebooks/sec3_7_jump.ipynb out.ipynb --cwd notebooks -p n_starts 1
# ```
#
# :::{admonition} Answer
# :class: dropdown
# It stays within a tenth: what a single start misses comes from other importances and probabilities, and from trying feature 1 in every place.
# :::
#
# **By hand.** Which nonlinearities have a foot?
#
# :::{admonition} Answer
# :class: dropdown
# Those with an odd part that is not orthogonal to the identity: write $f$ as a sum of an odd and an even function, and ask whether a short vector changes the odd one in first order.
# Tanh has no even part at all, and a feature without a vector would gain at once; the leaky ReLU has the same foot as ReLU, with another factor.
# :::
#
# ## What to remember
#
# With dense inputs equal features break symmetry, and that makes a jump at $V=1$ with every nonlinearity.
# Half of ReLU is linear, and that makes a foot: a feature that hardly matters keeps a capacity proportional to $V^2$.
# How this looks in a diagram is on the page before, {ref}`sec3-7-other-models`; what depends on our choices on the next, {ref}`sec3-7-choices`.
