# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# (sec3-7-two-in-one)=
# # Two features in one dimension
#
# Two features, one neuron, ReLU: the smallest autoencoder there is.
# One can guess four networks for it, and the best of the four is often quoted as *the* phase diagram.
# Is it?
#
# Nearly, says {numref}`fig-sec3-7-two-in-one`.
# The guesses are an upper bound on the loss, and direct minimization is better along every edge of the shared phase, which it moves.
#
# **Paper:** the smallest case of its section 3.7; the phase diagram of {cite:t}`elhage2022toy`.
# **Run time:** some seconds.

# %% tags=["parameters", "hide-input"] quick={"grid": 6, "n_starts": 2, "n_samples": 20000}
grid: int = 24  # cells along importance; along p, two thirds as many [6 .. 128]
n_starts: int = 24  # random starts in each cell [1 .. 256]
n_samples: int = 1000000  # samples against which the closed forms are checked [1000 .. 10000000]
seed: int = 0  # of starts and samples [0 .. 1000000]
device: str = "auto"  # where the minimization runs {auto, cpu, cuda, mps}

# %% tags=["hide-cell"]
import numpy as np
from myst_nb import glue

import feature_capacity as fc
from feature_capacity.book.claims.checks import open_page
from feature_capacity.figures import sec3_7_two_in_one as figures
from feature_capacity.models.device import pick_device
from feature_capacity.models.losses import sampled_loss
from feature_capacity.solvers import two_in_one
from feature_capacity.theory.phases import classify

run = open_page(
    "sec3_7_two_in_one",
    grid=grid,
    n_starts=n_starts,
    n_samples=n_samples,
    seed=seed,
    device=device,
)
print("computed on:", pick_device(device))

# %%
V, p = np.geomspace(0.1, 10, grid), np.geomspace(0.01, 1, max(4, grid * 2 // 3))
found = two_in_one.diagram(V, p, n_starts, seed, device)
gain = 1 - found.loss / found.by_hand.min(axis=-1)
phase = classify(found.capacity.clip(0, 1), tolerance=0.05)
quoted = np.array([0, 2, 1, 1])[found.by_hand.argmin(axis=-1)]

# %% mystnb={"figure": {"caption": "Two features in one dimension. Left: the best of four networks made by hand. Center: direct minimization. Right: the part of the loss that minimization saves.", "name": "fig-sec3-7-two-in-one"}, "image": {"alt": "Two phase diagrams with similar layout; superposition reaches further in the minimized one. The third map shows savings, largest along the edges of the superposed phase and at its dense tip."}} tags=["hide-input"]
figures.two_in_one(
    {"by hand": (V, p, quoted), "minimized": (V, p, phase)},
    (V, p, gain),
    ("extra feature ignored", "both share", "main feature ignored"),
)

# %%
import feature_capacity as fc

model = fc.ToyModel("autoencoder", "relu", n_features=2, n_dims=1)
pair = fc.minimize(model, fc.UnitSparseUniform(0.4), [[1, 0.7]], n_starts=16)
pair.W.round(2), pair.bias.round(2), pair.capacity.round(2), pair.loss.round(4)

# %% [markdown]
# ## Four guesses
#
# Let the main feature have importance 1 and the extra one $V$, both uniform on $[0,1]$ with probability $p$.
# The variance of a feature is $\sigma^2=p/3-p^2/4$, and $\mathbb{E}[\min(x_1,x_2)^2]=p^2/6$.
#
# | network | what it does | expected loss |
# |---|---|---|
# | $W=(1,0)$ | ignores the extra feature, says its mean | $V\sigma^2$ |
# | $W=(0,1)$ | represents only the extra feature | $\sigma^2$ |
# | $W=(1,-1)$ | antipodal pair; when both are active each is off by the smaller of the two | $(1+V)\,p^2/6$ |
# | $W=(1,1)$ | both in the same direction; each answers with the sum | $(1+V)\,p/3$ |
#
# A pair with $V=0.7$ and $p=0.4$, for example, by formula and by sampling:

# %%
model = fc.ToyModel("autoencoder", "relu", n_features=2, n_dims=1)
inputs = fc.UnitSparseUniform(0.4)
exact = two_in_one.by_hand(0.7, 0.4)
mean, error = sampled_loss(
    model, two_in_one.NETWORKS, two_in_one.biases(0.4), np.tile([1, 0.7], (4, 1)),
    inputs,
    n_samples, seed,
)  # fmt: skip
np.stack([exact, mean, error]).round(4)

# %% [markdown]
# ## Without guessing
#
# We minimize from random starts on a grid of Gauss nodes, in double precision, and evaluate the four networks on the same nodes.
# Half of the random starts have both weights of one sign, which is a trap, so there are many of them.
#
# The layout is the same, and the phase agrees in {glue:text}`sec3-7-same-phase:.0%` of the cells.
# Where it does not, the pair is better than both of its rivals: shorter vectors and a bias save up to {glue:text}`sec3-7-gain:.0%` of the loss, most along the edges of the shared phase and at its tip.
# So the edges of the shared phase lie further out than the four networks have them.

# %% tags=["hide-input"]
glue("sec3-7-gain", float(gain.max()), display=False)
glue("sec3-7-same-phase", float(np.mean(phase == quoted)), display=False)
run.check("two-in-one-closed-forms", mean, exact, standard_error=error)
run.check("two-in-one-upper-bound", gain)
run.check("two-in-one-lower", gain.max())
run.badge()

# %% [markdown]
# ## Try it
#
# Paste a command at the root of the project; the executed page is then in `out.ipynb`.
#
# **One start.** Does a single random start find the minimum?
#
# ```sh
# papermill notebooks/sec3_7_two_in_one.ipynb out.ipynb --cwd notebooks -p n_starts 1
# ```
#
# :::{admonition} Answer
# :class: dropdown
# In about two cells of three. When both weights have one sign, ReLU hides nothing, and the way to an antipodal pair leads over a hill.
# :::
#
# **Finer.** Do the edges move with the grid?
#
# ```sh
# papermill notebooks/sec3_7_two_in_one.ipynb out.ipynb --cwd notebooks -p grid 48
# ```
#
# :::{admonition} Answer
# :class: dropdown
# No, they get sharper.
# :::
#
# **Other starts.** Is the gain the same from other random starts?
#
# ```sh
# papermill notebooks/sec3_7_two_in_one.ipynb out.ipynb --cwd notebooks -p seed 1
# ```
#
# :::{admonition} Answer
# :class: dropdown
# To all digits shown: with two weights and two biases there are few minima.
# :::
#
# **By hand.** Where do the first and the third guess cost the same when $p$ is small?
#
# :::{admonition} Answer
# :class: dropdown
# $V\sigma^2=(1+V)p^2/6$ with $\sigma^2\approx p/3$ gives $V\approx p/2$: the pair takes over as soon as the extra feature matters more than half of $p$.
# :::
#
# ## What to remember
#
# A diagram from networks made by hand bounds the loss from above.
# The true one has the same layout, and its shared phase is larger.
# Six features and more are on {ref}`sec3-7-other-models`.
