# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# (ext1-your-own-model)=
# # Your own model: what does capacity show?
#
# In the paper's models features have a dimension each, share one, or are left out, and those that share form blocks.
# Point equation 3 at a trained matrix: are there features pinned at 1 and at 0, are there blocks?
# And where the picture is missing, is it missing in the network, or did the measurement lose it?
#
# **Paper:** equation 3 {cite}`scherlis2022`, taken to matrices that the paper did not make.
# **Run time:** about two minutes.

# %% tags=["parameters", "hide-input"] quick={"n_words": 1500, "n_steps": 300, "n_runs": 2}
weights: str = ""  # a file of your own; empty for the word vectors {file}
tensor: str = ""  # which tensor of it, where there are several
features: str = "auto"  # which axis of it is features {auto, rows, columns}
n_words: int = 32000  # tokens whose vectors are measured [300 .. 32000]
n_latents: int = 24  # of the sparse autoencoder [8 .. 96]
probability: float = 0.05  # chance that a known feature is active [0.02 .. 0.3]
penalty: float = 0.1  # on the activations of the autoencoder [0.02 .. 0.5]
n_steps: int = 3000  # training steps of an autoencoder [100 .. 50000]
n_runs: int = 4  # autoencoders that are trained alike [1 .. 20]
device: str = "auto"  # where torch computes {auto, cpu, cuda, mps}
seed: int = 0  # of everything random [0 .. 1000000]

# %% tags=["hide-input"]
import numpy as np
import pandas as pd
from myst_nb import glue

import feature_capacity as fc
from feature_capacity.book.claims.checks import open_page
from feature_capacity.explorers import weights_explorer
from feature_capacity.figures import ext1_your_own_model as figures
from feature_capacity.measure.word_vectors import TENSOR, word_vectors
from feature_capacity.models.device import pick_device
from feature_capacity.models.inputs import UnitSparseUniform
from feature_capacity.models.sparse_autoencoder import train_sparse_autoencoder

run = open_page(
    "ext1_your_own_model",
    weights=weights,
    tensor=tensor,
    features=features,
    n_words=n_words,
    n_latents=n_latents,
    probability=probability,
    penalty=penalty,
    n_steps=n_steps,
    n_runs=n_runs,
    device=device,
    seed=seed,
)
generator = np.random.default_rng(seed)

# %% tags=["hide-input"]
axis = None if features == "auto" else features
if weights:
    found = fc.measure(run.parameters["weights"], key=tensor or None, features=axis)
    names = list(map(str, range(found.n_features)))
else:
    words = word_vectors(n_words)
    found = fc.measure({TENSOR: words.vectors}, features=axis)
    rows = found.source.features == "rows"
    names = words.tokens if rows else list(map(str, range(n_words)))
glue("ext1-source", found.source.sentence(), display=False)

# %% mystnb={"figure": {"caption": "Capacities of a trained matrix, sorted, and of as many random vectors, once of one length and once of the lengths measured. In the default run these are 32,000 word vectors in 256 dimensions.", "name": "fig-ext1-against-random"}, "image": {"alt": "Sorted capacities on logarithmic axes, all far below the line of a dimension of its own. The measured curve falls steadily over several decades and nearly coincides with that of random vectors of the same lengths; random vectors of one length form a flat line at the even share."}} tags=["hide-input"]
directions = generator.standard_normal((found.n_dims, found.n_features))
directions /= np.linalg.norm(directions, axis=0)
random = {
    "random, of one length": fc.capacities(directions),
    "random, of these lengths": fc.capacities(directions * found.length),
}
figures.against_random(found.capacity, random, found.n_dims)

# %% [markdown]
# What was measured: {glue:text}`ext1-source`.
#
# Nothing in {numref}`fig-ext1-against-random` is pinned at 1, nothing stands apart, and chance with the same lengths draws nearly the same curve.
#
# Measure a file of yours here; the page does it, without a server.

# %% tags=["hide-input"]
weights_explorer(found.plot(), f"Capacities of {found.source.sentence()}.")

# %% [markdown]
# In five lines of Python, with what each line of the report means:

# %%
import feature_capacity as fc

W = [[1.0, -1.0, 0.0], [0.0, 0.0, 2.0]]
report = fc.measure(W)
report.total, report.counts, [block.features for block in report.blocks]

# %% [markdown]
# On the command line it is `feature-capacity capacity model.safetensors`.
#
# ## A trained matrix
#
# The matrix above is that of *wordllama*, a package under the MIT license: static word vectors in 256 dimensions, one for each of 32,000 tokens of a vocabulary, trained so that the mean of the vectors of a text says what the text is about.
# Training began with the token tables of Llama 2 70B, Phi 3 medium and others.
# A feature is a token, and its embedding is a row of the table.
# This is the simplest case there is: nobody has to guess what the features are.

# %% tags=["hide-input"]
glue("ext1-total", f"{found.total:.1f}", display=False)
glue("ext1-dims", found.n_dims, display=False)
glue("ext1-random", f"{random['random, of these lengths'].sum():.1f}", display=False)
order = np.argsort(-found.capacity)
rows = np.r_[order[:6], order[-6:]]
pd.DataFrame(
    {
        "feature": [names[i] for i in rows],
        "capacity": found.capacity[rows],
        "squared length": found.length[rows] ** 2,
    },
    index=[*range(1, 7), *range(len(order) - 5, len(order) + 1)],
).style.format({"capacity": "{:.2g}", "squared length": "{:.3g}"})

# %% [markdown]
# Words that say what a text is about have capacity; punctuation and rare letters have next to none.
# So does capacity know what a token is worth?
# Less than it seems: the last column tells the same story.
#
# ### It is mostly length
#
# Write equation 3 with the direction $u_i$ of a feature and its squared length $n_i$:
#
# $$ C_i = \frac{n_i}{u_i^T W W^T u_i}, \qquad \frac{n_i}{s_1} \le C_i \le \frac{n_i}{s_D}, $$ (eq-ext1-length)
#
# where $s_1$ and $s_D$ are the largest and least eigenvalue of $WW^T$ that is not zero.
# In the paper's optimum everything that shares has one and the same ratio $n_i/C_i$, the {term}`multiplier` $\lambda$.
# In a trained matrix the ratio has a range, and {numref}`fig-ext1-length` shows how narrow it is.

# %%
sq_norm = found.length**2
multiplier = sq_norm[found.capacity > 0] / found.capacity[found.capacity > 0]
spread = np.quantile(multiplier, [0.05, 0.5, 0.95])
spread[[0, 2]] / spread[1]

# %% tags=["hide-input"]
ends = found.squares.min(), found.squares.max()
assert ends[0] * (1 - 1e-6) <= multiplier.min() <= multiplier.max() <= ends[1] * (1 + 1e-6)
glue("ext1-low", f"{spread[0] / spread[1]:.2f}", display=False)
glue("ext1-high", f"{spread[2] / spread[1]:.2f}", display=False)
shortest, longest = np.quantile(sq_norm, [0.001, 0.999])
glue("ext1-decades", f"{np.log10(longest / shortest):.1f}", display=False)
glue("ext1-missing", f"{found.statistic('missing_capacity'):.0f}", display=False)

# %% mystnb={"figure": {"caption": "Capacity against squared length of every feature. Solid: the multiplier that all would share in an efficient embedding of the same lengths. Dashed: the largest and least multiplier that the spectrum allows.", "name": "fig-ext1-length"}, "image": {"alt": "A narrow diagonal cloud of slope one on logarithmic axes, over several decades of squared length, between two dashed lines of the same slope; a solid line runs through it."}} tags=["hide-input"]
figures.length_and_capacity(sq_norm, found.capacity, ends, sq_norm.sum() / found.n_dims)

# %% [markdown]
# All but two in a thousand squared lengths lie within {glue:text}`ext1-decades` decades, while nine of ten multipliers lie between {glue:text}`ext1-low` and {glue:text}`ext1-high` times the median.
# One relation of the paper is thus found in rough form: squared length is nearly proportional to capacity.
# But random directions have it too, because $WW^T$ is nearly a multiple of the identity for any crowd of directions that is spread well.
# It says little about what training wanted.
#
# What training does say is in the total: {glue:text}`ext1-total` of {glue:text}`ext1-dims` dimensions, where random directions of these lengths would use {glue:text}`ext1-random`.
# The vectors crowd into some directions more than chance would: a dimension that many texts are about has many words.
# The {glue:text}`ext1-missing` dimensions that are missing are what the {term}`leverage <leverage score>` capacity of {ref}`appg-alternative-capacity` counts beyond equation 3; with the other definition the total is the rank, here as anywhere, and says nothing at all.
#
# ## A dictionary of known features
#
# Is the paper's picture absent because real features are otherwise, or because we measure the wrong vectors?
# Only a case with a known answer can tell.
# Take hidden vectors $h = Wx$ of features of which three are at least six times as important as the rest, four not worth having, and an embedding $W$ that is optimal for them:

# %%
importance = np.r_[[6.0] * 3, np.geomspace(1, 0.5, 17), [0.03] * 4]
allocation = fc.solve_allocation(importance, n_dims=12, kurtosis=20)
W = fc.optimal_embedding(allocation, generator=generator)
known = fc.measure(W)
known.counts, known.total, [len(block.features) for block in known.blocks]

# %% [markdown]
# Three features are pinned at 1, four at 0, and seventeen form one block of nine dimensions.
# Now forget $W$, and train a sparse autoencoder on samples of $h$, as one does with a network's activations, {glue:text}`ext1-runs` times from other random beginnings.
# Its decoder is a dictionary: a direction for each latent, of length 1 by convention.

# %%
inputs = UnitSparseUniform(probability)
settings = {"n_steps": n_steps, "device": device}
trained = [
    train_sparse_autoencoder(W, inputs, n_latents, penalty, seed=seed + i, **settings)
    for i in range(n_runs)
]
tenth = penalty / 10
blurred = train_sparse_autoencoder(W, inputs, n_latents, tenth, seed=seed, **settings)
glue("ext1-runs", n_runs, display=False)
print("torch computes on", pick_device(device, float64=False))

# %% [markdown]
# There are two ways to read it.
# One takes the columns as they are.
# The other makes each column as long as its latent is strong, the root mean square of its activation: the part of $h$ that the latent really makes up.

# %% mystnb={"figure": {"caption": "Capacities of known features, and of the latents nearest to them (black: the truth; bars: median, dots: each training). b: columns of length 1. c: columns as long as their latents are strong. d: as many random directions.", "name": "fig-ext1-dictionaries"}, "image": {"alt": "Four rows of bars. Known features: three at one, seventeen falling from 0.8 to 0.3. In the dictionary with columns of length one, most bars are near one half. With columns as long as latents are strong, most dots of the first three are at one, some near one half, and the others follow the black marks roughly. Random directions are all near one third."}} tags=["hide-input"]
visible = known.length > 0
latents = [one.found(W[:, visible])[0] for one in trained]
pairs = list(zip(trained, latents, strict=True))
unit = [fc.capacities(one.directions)[at] for one, at in pairs]
strong = [fc.capacities(one.used)[at] for one, at in zip(trained, latents, strict=True)]
chance = generator.standard_normal((12, n_latents))
chance /= np.linalg.norm(chance, axis=0)
nearest = (W[:, visible].T @ chance).argmax(axis=1)
panels = {
    "decoder, columns of length 1": np.array(unit),
    "decoder, columns as long as latents are strong": np.array(strong),
    "random directions": fc.capacities(chance)[None, nearest],
}
figures.dictionaries(known.capacity[visible], panels)

# %% tags=["hide-input"]
cosines = np.array([one.found(W[:, visible])[1] for one in trained])
whole = [abs(W[:, :3].T @ one.directions) / known.length[:3, None] for one in trained]
split = np.array([(np.sort(cosine, axis=1)[:, -2] > 0.9) for cosine in whole])
glue("ext1-found", f"{(cosines > 0.9).mean():.0%}", display=False)
glue("ext1-whole-runs", 3 * n_runs, display=False)
glue("ext1-unit", int((np.array(unit)[:, :3] > 0.95).sum()), display=False)
glue("ext1-strong", int((np.array(strong)[:, :3] > 0.95).sum()), display=False)
glue("ext1-split", int((split & (np.array(strong)[:, :3] < 0.95)).sum()), display=False)
agreement = [
    [np.corrcoef(known.capacity[visible], c)[0, 1] for c in way] for way in (unit, strong)
]
glue("ext1-agree-unit", f"{np.median(agreement[0]):.2f}", display=False)
glue("ext1-agree-strong", f"{np.median(agreement[1]):.2f}", display=False)

# %% [markdown]
# The autoencoders did their work: {glue:text}`ext1-found` of the visible features have a latent at a cosine above 0.9.
# Yet of the {glue:text}`ext1-whole-runs` whole features in all trainings only {glue:text}`ext1-unit` are above 0.95 where the columns have length 1.
# Latents that hardly ever fire lie across them, and equation 3 counts them in full.
# With columns as long as latents are strong {glue:text}`ext1-strong` are; of the others, {glue:text}`ext1-split` have two latents in nearly their direction, which take turns and share.
# The correlation of all capacities with the truth goes from {glue:text}`ext1-agree-unit` to {glue:text}`ext1-agree-strong`, in the median training.
# Unit columns hide which features are whole, and duplicates blur it; for the order of capacities the lengths matter little.
#
# ### What the total does not tell
#
# A second autoencoder has a tenth of the penalty.
# It reconstructs better, and finds worse.

# %%
def line(dictionary, vectors):
    cosine = dictionary.found(W[:, visible])[1]
    return {
        "total capacity": fc.total_capacity(vectors),
        "unexplained": dictionary.unexplained,
        "latents at a time": dictionary.n_active,
        "features found": f"{(cosine > 0.9).sum()} of {visible.sum()}",
    }


table = {
    "trained, length 1": line(trained[0], trained[0].directions),
    "trained, as strong": line(trained[0], trained[0].used),
    "a tenth of the penalty, length 1": line(blurred, blurred.directions),
    "a tenth of the penalty, as strong": line(blurred, blurred.used),
    "known features": {"total capacity": known.total},
    "random directions": {"total capacity": fc.total_capacity(chance)},
}
pd.DataFrame(table).T.fillna("").style.format(precision=3)

# %% [markdown]
# The totals of both autoencoders are nearly the same, most of the twelve dimensions, and far above chance.
# A dictionary of wrong directions fills the space as well as one of right directions.
# A total close to $D$ says that the dictionary is spread evenly, and nothing about whether its latents are features.
#
# ## What one can say, and what one cannot
#
# | | word vectors | dictionary, columns of length 1 | dictionary, as strong |
# |---|---|---|---|
# | pinned at 1 | none | few | most whole features that are not split |
# | pinned at 0 | no, a continuum | features that are not there have no latent | latents that hardly fire |
# | blocks | none: all features are connected | none: all are connected | blurred by what training leaves |
# | squared length ∝ capacity | roughly, as by chance | lengths are all 1 | roughly |
#
# * **Which vectors** is the first question. Lengths that a convention sets, or that a normalization removes later, are no evidence; equation 3 uses them all the same.
# * **Which features** is the second. Capacity takes the list of features as given. Add latents, and every capacity falls; split a feature in two, and each half has half. The report counts near-duplicates.
# * **Sharing is not harm.** Two tokens that never meet do not disturb each other, however they overlap; where activations are at hand, `--activations` weighs by co-activation.
# * **No features pinned at 1 is no proof of superposition**, and a total near $D$ no proof of an optimum: with many more features than dimensions both hold for random vectors.
# * **What compares well** is one matrix with itself, before and after, or with random vectors of its own lengths.
#
# ## Try it
#
# With a file of your own: `feature-capacity run ext1_your_own_model -p weights my.safetensors --html`.
#
# **A larger dictionary.** What happens to the three whole features if there are twice as many latents?
#
# ```sh
# papermill notebooks/ext1_your_own_model.ipynb out.ipynb --cwd notebooks -p n_latents 48 -p n_words 2000
# ```
#
# :::{admonition} Answer
# :class: dropdown
# With columns of length 1 they fall further, because as many more columns count.
# As long as latents are strong they stay near 1, unless they are split, which happens more often.
# :::
#
# **Fewer tokens.** Is the curve of the first 1,000 tokens any different from chance?
#
# ```sh
# papermill notebooks/ext1_your_own_model.ipynb out.ipynb --cwd notebooks -p n_words 1000 -p n_steps 500
# ```
#
# :::{admonition} Answer
# :class: dropdown
# Less than that of all tokens: the total is an eighth below that of random directions of these lengths, with all tokens a fifth.
# Single bytes and short pieces are nearly parallel, and one token in seven has a near-duplicate, of all tokens one in a hundred; but a thousand vectors crowd 256 dimensions less.
# None of them is monosemantic either.
# :::
#
# **Denser features.** Does the autoencoder still find the features if each is active three times in ten?
#
# ```sh
# papermill notebooks/ext1_your_own_model.ipynb out.ipynb --cwd notebooks -p probability 0.3 -p n_words 2000
# ```
#
# :::{admonition} Answer
# :class: dropdown
# Only the three whole ones, because a feature with a dimension to itself needs no sparsity to be seen, and few of the seventeen that share.
# The totals hardly notice.
# :::
#
# ## What we saw
#
# * In word vectors nothing is pinned and nothing is a block; capacity follows squared length, nearly as it does by chance.
# * In a dictionary the paper's picture comes back in part once each column is as long as its latent is strong; with columns of one length it is erased.
# * A total near $D$ does not tell a right dictionary from a wrong one.
#
# Next: {ref}`how-to-run` says how to measure a model on the command line.
