# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# (ext5-reading-features)=
# # Reading features: what a dictionary finds where the truth is known
#
# A sparse autoencoder, or *dictionary*, is trained on the hidden activations of a network, here $h=Wx$: it writes each of them as a sum of few of its directions, the *latents*, and these are taken for the network's features.
# Are they?
# In a trained language model nobody can say, because nobody knows the features; here we know all of them, and how much capacity each has in the network at hand.
#
# **Paper:** section 1 and Appendix G {cite}`scherlis2022`, and the forum post's use for toy models: a test case for methods that read networks.
# **Run time:** about two minutes.

# %% tags=["parameters", "hide-input"] quick={"n_latents": 48, "n_steps": 60, "n_samples": 3000, "n_oracle": 20, "n_trials": 4, "kind": "random"}
kind: str = "minimized"  # how the network was made {minimized, trained, random}
n_latents: int = 120  # of a dictionary [16 .. 1000]
n_active: int = 2  # latents active at a time, top-k and nested [1 .. 12]
penalty: float = 0.3  # on the activations of the L1 dictionary [0.01 .. 1.0]
n_steps: int = 3000  # training steps of a dictionary [50 .. 100000]
n_samples: int = 40000  # hidden vectors to train on [1000 .. 1000000]
n_oracle: int = 600  # hidden vectors that the oracle reads [10 .. 10000]
n_trials: int = 40  # trials for each number of active features [2 .. 1000]
device: str = "auto"  # where dictionaries are trained {auto, cpu, cuda, mps}
seed: int = 0  # of everything random on this page [0 .. 1000000]

# %% tags=["hide-cell"]
import itertools

import numpy as np
import pandas as pd
from myst_nb import glue

import feature_capacity as fc
from feature_capacity.book.claims.checks import open_page
from feature_capacity.figures import ext5_reading_features as figures
from feature_capacity.models.device import pick_device
from feature_capacity.models.dictionaries import train_dictionary
from feature_capacity.zoo import reading
from feature_capacity.zoo.side_by_side import features_told

run = open_page(
    "ext5_reading_features",
    kind=kind,
    n_latents=n_latents,
    n_active=n_active,
    penalty=penalty,
    n_steps=n_steps,
    n_samples=n_samples,
    n_oracle=n_oracle,
    n_trials=n_trials,
    device=device,
    seed=seed,
)
print("computed on:", pick_device(device))

# %% tags=["hide-input"]
network = fc.zoo.load("quadratic-power-law", kind, seed)
features, hidden = network.activations(n_samples, seed + 1)
W, _ = reading.one_signed(network.W, features)
fresh, unseen = network.activations(5000, seed + 2)
_, truth = reading.one_signed(network.W, fresh)
capacity = np.tile(network.capacity, 2)

settings = {
    "L1": ("l1", penalty),
    "top-k": ("topk", n_active),
    "nested": ("nested", n_active),
}
options = {"n_steps": n_steps, "resample_every": 200, "seed": seed, "device": device}
dictionaries = {
    name: train_dictionary(hidden, n_latents, rule, sparsity, **options)
    for name, (rule, sparsity) in settings.items()
}
found = {
    name: reading.recovery(each.directions, each.encode(unseen), W, truth)
    for name, each in dictionaries.items()
}
codes = reading.basis_pursuit(W, unseen[:n_oracle])
oracle = reading.recovery(W, codes, W, truth[:n_oracle])

# %% mystnb={"figure": {"caption": "Forty features in twelve dimensions, each a dot for either sign, by the capacity they have in the network. a: how near the nearest latent of a dictionary comes to the feature's direction. b: how well that latent says when the feature is active. Black: an oracle that knows all directions, and looks for the code of least sum.", "name": "fig-ext5-found"}, "image": {"alt": "Two scatter plots against capacity from 0 to 1, with a color for each of three dictionaries. Cosines and F1 scores rise with capacity; black dashes of the oracle lie on top of the F1 scores."}} tags=["hide-input"]
f1 = {name: each.f1 for name, each in found.items()} | {"oracle": oracle.f1}
cosine = {name: each.cosine for name, each in found.items()}
figures.found_by_capacity(capacity, cosine, f1, reading.NEAR)

# %% [markdown]
# A network from the zoo takes three lines; its features, its exact loss and the lowest loss come with it.

# %%
import feature_capacity as fc

known = fc.zoo.load("quadratic-independent", "random")
features_of_it, hidden_of_it = known.activations(1000)
known.loss, known.certificate.loss, known.optimal_capacity.round(3)

# %% [markdown]
# On the command line: `feature-capacity zoo list`, `show NAME`, and `export NAME -o known.safetensors`, which writes the known dictionary in the layout of SAELens.
#
# ## The zoo
#
# Each network is small, its inputs are known with their exact moments, and a certificate says what is known of its lowest loss: a closed form for eight of the sixteen, for the others the lowest of a stated search with a bound that no weights can beat, which is close for one of them, a good part of the loss for the autoencoders, and loose for the rest.

# %% tags=["hide-input"]
zoo = {name: fc.zoo.load(name, "random", seed) for name in fc.zoo.names()}
proofs = {name: each.certificate for name, each in zoo.items()}
pd.DataFrame(
    {
        "what it is": {name: each.summary for name, each in zoo.items()},
        "lowest loss": {name: f"{each.loss:.4g}" for name, each in proofs.items()},
        "by": {name: each.method for name, each in proofs.items()},
        "bound / loss": {
            name: f"{each.lower_bound / each.loss if each.gap else 1:.4f}"
            for name, each in proofs.items()
        },
    }
).style.set_properties(subset=["what it is"], **{"text-align": "left"})

# %% tags=["hide-input"]
for activation in ("relu", "gelu", "quadratic"):
    proof = proofs[f"autoencoder-{activation}"]
    run.check(f"ext5-autoencoder-bound-{activation}", proof.lower_bound / proof.loss)
run.badge()

# %% [markdown]
# A closed form is its own bound.
# For sums of absolute values or of ReLU some neuron serves two features, since there are fewer neurons than features, and the bound is the least that these lose; for a single neuron and two features all weights are looked at, square by square ({ref}`api-zoo`, `sums`).
# That for autoencoders looks at up to three features that are on at a time, and at what the rank forbids: of six unit vectors in three dimensions the squares of all cosines sum to twelve at least (Welch), their own six among them, and each of the others costs something ({ref}`api-zoo`, `rank_bound`).
# A bound that holds for every decoder, even for one that reads three features without error, comes from entropy; it is below a hundredth of the loss.
# For GELU we know of none: near 0 it is a square, and squares of different features add up without loss.
#
# The one of this page has forty independent features of kurtosis 45, whose importance falls like $i^{-0.7}$.
# Its features have either sign, and latents do not; a feature is therefore two things to find, $w_i$ and $-w_i$.
#
# ## What a linear probe can read
#
# Read feature $i$ along its own direction.
# What arrives is $w_i\cdot h = n_ix_i + \sum_{j\ne i}(w_i\cdot w_j)\,x_j$, the feature and its interference.
# For independent features of variance 1 the feature's own part of the variance is
#
# $$ \frac{n_i^2}{\sum_j (w_i\cdot w_j)^2} = C_i : $$
#
# **capacity is the squared correlation of a feature with its own direction** (*proved*: this is equation 3).
# The best linear probe there is corrects for the correlation of the hidden dimensions, $w_i^T(WW^T)^+h$; its squared correlation is $w_i^T(WW^T)^+w_i$, which is the alternative capacity of Appendix G, equation 88 (*proved*: least squares).
# So both definitions say what a linear probe reads: a given one, and the best one.

# %%
own = reading.readout(network.W, network.W)
best = reading.readout(network.W, np.linalg.pinv(network.W @ network.W.T) @ network.W)
some = [0, 5, 30]
seen = (hidden @ network.W)[:, some]
pairs = zip(seen.T, features.T[some], strict=True)
sampled = [np.corrcoef(*pair)[0, 1] ** 2 for pair in pairs]
pd.DataFrame(
    {"capacity": network.capacity, "own direction": own, "best probe": best}
).iloc[some].assign(sampled=sampled).round(3)

# %% tags=["hide-input"]
run.check("ext5-capacity-is-readout", own, network.capacity)
run.check("ext5-leverage-is-best-readout", best, fc.leverage_capacities(network.W))
run.badge()

# %% [markdown]
# ## What sparsity adds
#
# A probe does not use that features are rare.
# Basis pursuit {cite}`chen1998atomic` does: among all codes with $Wz = h$ it takes the one whose absolute values have the least sum.
# When few features are active it finds their values *exactly*, although there are three times as many features as dimensions; when many are, it fails.

# %% mystnb={"figure": {"caption": "How often basis pursuit with the true directions finds the values of all active features, by how many are active. The network, and as many features in random directions of one length.", "name": "fig-ext5-sensing"}, "image": {"alt": "Two curves that fall from one, with a single feature active, toward zero at the right, where as many features are active as there are dimensions."}} tags=["hide-input"]
n_dims, n_features = network.W.shape
counts = [1, 2, 3, 4, 5, 6, 8, n_dims]
rng = np.random.default_rng(seed)
directions = rng.standard_normal(network.W.shape)
directions /= np.linalg.norm(directions, axis=0)
matrices = {"the network": network.W, "random directions": directions}
rates = {
    name: [reading.recovery_rate(M, m, n_trials, rng) for m in counts]
    for name, M in matrices.items()
}
usual = float((fresh != 0).sum(axis=1).mean())
figures.recovery_rates(counts, rates, usual)

# %% [markdown]
# A dictionary has to learn the directions, which this oracle knows: it is the mark to measure dictionaries by.
# In this network {glue:text}`ext5-usual` features are active on average, and sometimes more than can be told apart.

# %% tags=["hide-input"]
glue("ext5-usual", f"{usual:.1f}", display=False)
run.check("ext5-compressed-sensing-sparse", rates["the network"][0])
run.check("ext5-compressed-sensing-dense", rates["the network"][-1])
whole = fc.optimal_embedding(fc.solve_allocation(network.importance[:6], 6, 9.0))
products = whole.T @ whole
run.check("ext5-monosemantic-limit", np.abs(products[~np.eye(6, dtype=bool)]).max())
run.badge()

# %% [markdown]
# (ext5-dictionaries)=
# ## Three dictionaries
#
# A dictionary is quicker than basis pursuit, and does not know the directions.
# *L1* pays for the sum of its activations {cite}`bricken2023`, *top-k* keeps the largest {cite}`gao2024`, and *nested* asks the first eighth, quarter and half of the latents to do on their own as well (Matryoshka, {cite}`bussmann2025`).
# For each feature we take the latent that is nearest in direction; of several within a cosine of 0.9 the one that says best when the feature is active.

# %% tags=["hide-input"]
rows = {
    name: {
        "found": each.found.mean(),
        "F1 score": np.nanmean(each.f1),
        "split": (each.splits > 1).mean(),
        "absorbed": each.absorbed.mean(),
    }
    for name, each in (found | {"oracle": oracle}).items()
}
n_on = {
    name: (each.encode(unseen) > 0).sum(axis=1).mean()
    for name, each in dictionaries.items()
}
unexplained = {name: each.unexplained(unseen) for name, each in dictionaries.items()}
table = pd.DataFrame(rows).T
table["latents on"] = pd.Series(n_on | {"oracle": (codes > 0).sum(axis=1).mean()})
table["unexplained"] = pd.Series(unexplained | {"oracle": 0.0})
table.round(3)

# %% tags=["hide-input"]
directions_held = W[:, np.linalg.norm(W, axis=0) > 0]
held = train_dictionary(
    hidden, directions_held.shape[1], "l1", penalty, directions=directions_held, **options
)
costs = {"learned": dictionaries["L1"], "true directions": held}
costs = {name: each.cost(unseen, penalty) for name, each in costs.items()}
pd.Series(costs, name="error and penalty of L1").round(4)

# %% [markdown]
# *Found*: a latent within a cosine of 0.9; *F1 score*: how well that latent says when the feature is active; *split*: features with more than one such latent; *absorbed*: of the times that a feature is on, the share in which its own latent is silent and another one supplies at least half of it.
#
# :::{admonition} Low error is not the features
# Of the features with a capacity above 0.2 top-k finds a share of {glue:text}`ext5-found-topk`, nested {glue:text}`ext5-found-nested`.
# L1 explains the activations about as well, with more latents at a time, and finds {glue:text}`ext5-found-l1`: a good answer can be put together from directions that are nobody's.
# A {ref}`note on polysemanticity <note-dictionaries>` says that learned dictionaries are the features; it depends on the dictionary.
# :::
#
# Why does L1 find so few?
# Its cosines with the features are {glue:text}`ext5-l1-cosine` on average, and a share of {glue:text}`ext5-l1-near` lies within 0.05 of the mark of 0.9.
# So it takes little to change the share that is found, another seed or a last digit of $W$, while the average stays.
# We can hold the true directions, and train the encoder alone: error and penalty with the directions that L1 learned are {glue:text}`ext5-l1-flat` times what they are then.
# What L1 minimizes hardly tells the features' directions from others nearby, so that noise decides among them.
#
# How well a feature is read follows from its capacity (rank correlation with the F1 score, top-k: {glue:text}`ext5-rank`; with the cosine: {glue:text}`ext5-rank-cosine`).
# Importance puts features in the same order, because an optimal network gives capacity by importance.

# %% tags=["hide-input"]
present = capacity > 0.2
rank = reading.rank_correlation(capacity, found["top-k"].f1)
rank_cosine = reading.rank_correlation(capacity, found["top-k"].cosine)
glue("ext5-rank", f"{rank:.2f}", display=False)
glue("ext5-rank-cosine", f"{rank_cosine:.2f}", display=False)
run.check("ext5-capacity-predicts", rank)
mean_f1 = {name: np.nanmean(each.f1) for name, each in found.items()}
run.check("ext5-ceiling", np.nanmean(oracle.f1) - max(mean_f1.values()))
of_present = {name: each.found[present].mean() for name, each in found.items()}
glue("ext5-found-l1", f"{of_present['L1']:.2f}", display=False)
glue("ext5-found-topk", f"{of_present['top-k']:.2f}", display=False)
glue("ext5-found-nested", f"{of_present['nested']:.2f}", display=False)
run.check("ext5-features-recovered-l1", of_present["L1"])
run.check("ext5-features-recovered-topk", of_present["top-k"])
run.check("ext5-features-recovered-nested", of_present["nested"])
run.check("ext5-low-error-l1", unexplained["L1"])
run.check("ext5-low-error-topk", unexplained["top-k"])
run.check("ext5-low-error-nested", unexplained["nested"])
of_l1 = found["L1"].cosine[present]
flat = costs["learned"] / costs["true directions"]
glue("ext5-l1-cosine", f"{of_l1.mean():.2f}", display=False)
glue("ext5-l1-near", f"{(abs(of_l1 - reading.NEAR) < 0.05).mean():.2f}", display=False)
glue("ext5-l1-flat", f"{flat:.2f}", display=False)
run.check("ext5-l1-flat", flat)
run.badge()

# %% [markdown]
# ## How many latents, and how many at a time?

# %% mystnb={"figure": {"caption": "The top-k dictionary by how many latents may be active at a time (a) and how many there are (b). Features found are those with a latent within a cosine of 0.9; there are eighty to find, one for either sign.", "name": "fig-ext5-settings"}, "image": {"alt": "Two panels with three curves each: features found, mean F1 score, and unexplained variance, against latents active at a time and against latents in all."}} tags=["hide-input"]
some = sorted({1, 2, 4, 8, n_active})
sizes = sorted({n_latents // 3, n_latents, 3 * n_latents})
tried = {(n_latents, n_active): dictionaries["top-k"]}
wanted = [(n_latents, k) for k in some]
wanted += [(n, n_active) for n in sizes if n >= n_active]
for key in wanted:
    if key not in tried:
        tried[key] = train_dictionary(hidden, key[0], "topk", key[1], **options)
seen = {
    key: reading.recovery(each.directions, each.encode(unseen), W, truth)
    for key, each in tried.items()
}
numbers = {
    key: (each.found.mean(), np.nanmean(each.f1), tried[key].unexplained(unseen))
    for key, each in seen.items()
}
by_active = np.array([numbers[n_latents, k] for k in some]).T
sizes = [n for n in sizes if (n, n_active) in numbers]
by_latents = np.array([numbers[n, n_active] for n in sizes]).T
figures.by_sparsity_and_size((some, by_active), (sizes, by_latents))

# %% [markdown]
# (ext5-sparsity)=
# ## How sparse must features be?
#
# So far one network.
# Let us take the same forty features, with the same importances, and make them rarer or more frequent.
# Each probability has an optimal network of its own, an oracle, and a dictionary that keeps as many latents as features are active on average.
# Beside it stands one network in which features differ in nothing but how often they are active: forty random directions of length 1, variance 1 each.

# %% mystnb={"figure": {"caption": "a: features found and mean F1 score of the top-k dictionary, and mean F1 score of the oracle, in six networks of forty features, by how often each feature is active. The dashed line: as many features active on average as there are dimensions. b: F1 score of each feature in one network whose features are active more or less often, a dot for either sign.", "name": "fig-ext5-sparsity"}, "image": {"alt": "Left, three curves against the probability of a feature, on a logarithmic axis; they fall to the right, that of features found to nearly 0 beyond the dashed line. Right, two clouds of dots against the probability of each feature: scores of the oracle rise from about 0.2 to 0.8, those of top-k fall from about 0.6 to 0.4."}} tags=["hide-input"]
shorter = options | {"n_steps": max(50, n_steps // 2)}


def told_apart(V, rates, seed):
    """What a top-k dictionary and the oracle make of features with these rates."""
    rng = np.random.default_rng(seed)
    size = n_samples + 5000
    x = [fc.SparseUniform(p).sample(size, rng) for p in rates]
    V, signed = reading.one_signed(V, np.stack(x, axis=1))
    learned, held_out = signed[:n_samples], signed[n_samples:]
    k = max(1, round(sum(rates)))
    learner = train_dictionary(learned @ V.T, n_latents, "topk", k, **shorter)
    h, few = held_out @ V.T, slice(n_oracle)
    codes = reading.basis_pursuit(V, h[few])
    top_k = reading.recovery(learner.directions, learner.encode(h), V, held_out)
    return top_k, reading.recovery(V, codes, V, held_out[few])


rates = np.geomspace(0.01, 0.32, 6)
by_sparsity = []
for p in rates:
    shares = fc.solve_allocation(network.importance, n_dims, fc.SparseUniform(p).kurtosis)
    V = fc.optimal_embedding(shares)
    top_k, ideal = told_apart(V, np.full(n_features, p), seed + 3)
    scores = np.nanmean(top_k.f1), np.nanmean(ideal.f1)
    by_sparsity.append((top_k.found.mean(), *scores))
by_sparsity = np.array(by_sparsity).T

uneven_rates = np.geomspace(0.01, 0.3, n_features)
top_k, ideal = told_apart(directions, uneven_rates, seed + 4)
by_feature = {"top-k": top_k.f1, "oracle": np.nan_to_num(ideal.f1)}
crowded = n_dims / n_features
figures.by_sparsity(rates, by_sparsity, crowded, uneven_rates, by_feature)

# %% [markdown]
# Rare features are found and frequent ones are not: the limit lies where as many features are active as there are dimensions (a).
# What helps is that the *others* are rare.
# Within one network the oracle reads a rarer feature worse (b): when an input is crowded it takes features for active that are not, any of them alike, and a rare feature has fewer hits to set against these false alarms.
# Top-k keeps the largest latents alone, and a rare feature of variance 1 is large when it is active; it reads the rarer ones no worse (rank correlation of probability and F1 score: oracle {glue:text}`ext5-rarer-oracle`, top-k {glue:text}`ext5-rarer-topk`).

# %% tags=["hide-input"]
fall = by_sparsity[:, 0] - by_sparsity[:, -1]
run.check("ext5-sparsity-found", fall[0])
run.check("ext5-sparsity-topk", fall[1])
run.check("ext5-sparsity-oracle", fall[2])
twice = np.tile(uneven_rates, 2)
for name, reader in (("topk", "top-k"), ("oracle", "oracle")):
    rarer = reading.rank_correlation(twice, by_feature[reader])
    run.check(f"ext5-rarer-{name}", rarer)
    glue(f"ext5-rarer-{name}", f"{rarer:.2f}", display=False)
run.badge()

# %% [markdown]
# (ext5-dead)=
# ## Dead latents
#
# Some latents never fire, and learn nothing.
# Bricken and others begin them anew in the direction of what is badly explained, every few hundred steps.
# A note on polysemanticity says that this revives them, and costs no sparsity.
# Sparsity stays; but here few latents are dead to begin with, and resampling does not leave fewer ({ref}`note-resampling`).

# %% tags=["hide-input"]
never = options | {"resample_every": 0}
alone = train_dictionary(hidden, n_latents, "l1", penalty, **never)
pair = {"without": alone, "with resampling": dictionaries["L1"]}
active = {name: each.encode(unseen) > 0 for name, each in pair.items()}
dead = {name: int((~on.any(axis=0)).sum()) for name, on in active.items()}
at_a_time = {name: on.sum(axis=1).mean() for name, on in active.items()}
revived = {
    name: reading.recovery(each.directions, each.encode(unseen), W, truth)
    for name, each in pair.items()
}
pd.DataFrame(
    {
        "dead latents": dead,
        "on at a time": at_a_time,
        "features found": {name: each.found.mean() for name, each in revived.items()},
    }
).round(3)

# %% tags=["hide-input"]
if dead["without"]:
    run.check("ext5-resampling-revives", dead["with resampling"] / dead["without"])
else:
    run.not_applicable("ext5-resampling-revives", "no latent is dead without it")
if at_a_time["without"] > 0:
    ratio = at_a_time["with resampling"] / at_a_time["without"]
    run.check("ext5-resampling-keeps-sparsity", ratio)
else:
    run.not_applicable("ext5-resampling-keeps-sparsity", "no latent is on without it")
run.badge()

# %% [markdown]
# ## Measures side by side
#
# How many dimensions are in use, and how many features?
# There are many answers, and none is wrong; they answer different questions.
# Here are the best embeddings of the whole zoo, and four matrices made so that the answers part.
# *Told by* counts features that a small dictionary of each rule tells apart: different latents within a cosine of 0.98 of one.

# %% tags=["hide-input"]
n_few = max(50, n_steps // 5)
matrices = {name: each.optimal_W for name, each in zoo.items()}
inputs = {name: each.activations(10000, seed)[0] for name, each in zoo.items()}
constructed = {
    "one long, one short": np.diag([10.0, 1.0]),
    "a pair and one alone": np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 1.0]]),
    "copies of one": np.array([[1.0, 1.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]]),
    "random": directions,
}
matrices |= constructed
sparse = fc.SparseUniform(0.1)
inputs |= {name: sparse.sample((10000, M.shape[1]), rng) for name, M in constructed.items()}
reports = {name: fc.measure(M) for name, M in matrices.items()}
of_dimensions = {
    "total capacity": "total_capacity",
    "leverage (rank)": "rank",
    "effective rank": "effective_rank",
    "participation ratio": "participation_ratio",
}
statistics = of_dimensions | {
    "effective features": "effective_features",
    "frame potential": "frame_potential",
    "mean greatest cosine": "mean_greatest_cosine",
}
shape = {name: M.shape for name, M in matrices.items()}
sides = pd.DataFrame(shape, index=["dimensions", "features"]).T
for label, one in statistics.items():
    sides[label] = [report.statistic(one) for report in reports.values()]
for label, (rule, _) in settings.items():
    sides[f"told by {label}"] = [
        features_told(
            M, inputs[name], rule, penalty, n_steps=n_few, seed=seed, device=device
        )
        for name, M in matrices.items()
    ]
of_matrices = [*of_dimensions, "frame potential", "mean greatest cosine"]
narrow = {"selector": "th.col_heading", "props": "white-space: normal; width: 5rem"}
sides[of_matrices].style.format(precision=2).set_table_styles([narrow])

# %% [markdown]
# So much for dimensions; and features:

# %% tags=["hide-input"]
of_features = sides[["features", *sides.columns.difference([*of_matrices, "dimensions", "features"], sort=False)]]
of_features.style.format(precision=2).set_table_styles([narrow])

# %% mystnb={"figure": {"caption": "Measures side by side, on the whole zoo and four constructed matrices. a: measures of dimensions, over the number of dimensions. b: counts of features, over the number of features.", "name": "fig-ext5-measures"}, "image": {"alt": "Two dot plots with a row for each of twenty matrices. Left: total capacity and leverage lie on one in nearly all rows; effective rank and participation ratio lie below it where lengths differ. Right: effective features lie between one half and one; counts of dictionaries reach one for most small networks, and stay far below it for forty features, copies and antipodal pairs."}} tags=["hide-input"]
by_dims = {label: sides[label] / sides["dimensions"] for label in of_dimensions}
counts = ["effective features", *(f"told by {label}" for label in settings)]
by_features = {label: sides[label] / sides["features"] for label in counts}
figures.measures_side_by_side(by_dims, by_features, list(sides.index))

# %% [markdown]
# - *Total capacity* and *leverage* agree where an embedding is efficient, and only there; what leverage has beyond capacity is what a better probe can mend ("random").
# - *Effective rank* and *participation ratio* count directions by how much variance they carry: one long feature hides a short one that has a dimension of its own. With singular values $\sigma_i$ the first is $e^H$, $H$ the entropy of $\sigma_i/\sum_j\sigma_j$, and the second $(\sum_i\sigma_i^2)^2/\sum_i\sigma_i^4$. For lengths 10 and 1, "one long, one short", they are $e^{0.30}=1.36$ and $101^2/10001=1.02$; equal lengths would make both 2.
# - *Frame potential*, divided by the least that a matrix of the same total squared length can have, is 1 for a tight frame; with lengths that differ it is more, however well each block is used.
# - *Mean greatest cosine* sees the nearest neighbor alone: two of a pair count like copies.
# - *Effective features*, $e^H$ with the entropy of $C_i/\sum_jC_j$, counts features among which capacity is shared, not dimensions.
# - Dictionaries, which are small here and trained for a few hundred steps, answer to the inputs as much as to the matrix. Top-k and nested tell all features of an autoencoder, which are sparse and of one sign, and L1, after so short a training, one to three of six (where features have either sign, each sign counts as a half); few where features are dense (Gaussians) or come together (exactly two on; the tree); and few of forty, for which the training is too short. Copies of one are one direction to them, and so are antipodal features of either sign.
# - No measure of the matrix alone knows which features meet: the tree has seven features in three dimensions, and weighted by co-activation ({ref}`dependent features <ext2-dependent-features>`) its capacities sum to {glue:text}`ext5-weighted`.

# %% tags=["hide-input"]
tree = zoo["quadratic-exclusive"]
meet = tree.inputs.moments().coactivation
weighted = fc.weighted_capacities(tree.optimal_W, meet).sum()
glue("ext5-weighted", f"{weighted:.0f}", display=False)
uneven = sides.loc["one long, one short"]
apart = uneven["total capacity"] - uneven["participation ratio"]
run.check("ext5-measures-disagree", apart)
exact = [name for name, each in zoo.items() if each.certificate.gap == 0]
unused = sides["dimensions"] - sides["total capacity"]
run.check("ext5-zoo-efficient", unused[exact].abs().max())
run.check("ext5-dictionaries-tell-pair", sides["told by top-k"]["a pair and one alone"])
run.check("ext5-dictionaries-tell-copies", sides["told by top-k"]["copies of one"])
run.check("ext5-exclusive-fit", weighted / tree.W.shape[1], 1.0)
run.check("ext5-participation", uneven["participation ratio"], 101**2 / 10001)
even = reports["random"].statistic("random_total_same_lengths")
run.check("ext5-even-share", even, n_features * n_dims / (n_features + n_dims - 1))
drawn = np.random.default_rng([seed, 5]).standard_normal((400, n_dims, n_features))
drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
told = reports["random"].statistic("random_total")
run.check("ext5-random-total", told / fc.capacities(drawn).sum(axis=1).mean())
two_on = zoo["quadratic-dependent"]
each_pair = [
    [float(i in pair) for pair in itertools.combinations(range(6), 2)] for i in range(6)
]
seen = fc.measure(two_on.optimal_W, activations=each_pair).coactive
meet = two_on.inputs.moments().coactivation
run.check("ext5-weighted-seen", seen, fc.weighted_capacities(two_on.optimal_W, meet))
run.badge()

# %% [markdown]
# ## Try it
#
# **One half, and exact.** With two features active the oracle reads both exactly nine times in ten, also those with a capacity of one half.
# How can that be?
#
# :::{admonition} Answer
# :class: dropdown
# Capacity speaks of linear readouts, and counts the interference of all features as it is on average over all inputs, whichever are active.
# The oracle is not linear: of all codes that give the same hidden vector it takes the sparsest, and with two active features there is mostly only one.
# :::
#
# **A weak penalty.** With a penalty of 0.1 the L1 dictionary explains more. Does it find more?
#
# ```sh
# papermill notebooks/ext5_reading_features.ipynb out.ipynb --cwd notebooks -p penalty 0.1 -p n_steps 1500
# ```
#
# :::{admonition} Answer
# :class: dropdown
# Eleven latents are on at a time, nearly as many as there are dimensions, a twentieth of the variance is left, and hardly a feature is found.
# :::
#
# ## What we saw
#
# - Capacity is what a linear probe along a feature's own direction reads; leverage is what the best linear probe reads.
# - Sparsity lets a reader do better, up to the limit of compressed sensing, which this network exceeds now and then.
# - In one training of each, the top-k dictionary finds those features better that have more capacity, and matter more.
# - The rarer all features are, the better they are found and read; where as many are active as there are dimensions nothing is found. A feature that is rarer than the others is read worse by the oracle, and no worse by top-k.
