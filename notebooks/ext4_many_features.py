# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# (ext4-many-features)=
# # Many features: what width does one need?
#
# A network has many more features than neurons, and their importances fall like a power law.
# Which of them get a dimension, which share one, which are left out?
# How fast does the loss fall as the network gets wider, and how wide must it be for the features that one cares about to stand alone?
#
# **Paper:** section 3.5 {cite}`scherlis2022`, with a million features instead of six.
# **Run time:** a few seconds.

# %% tags=["parameters", "hide-input"] quick={"n_features": 20000, "n_widths": 30}
exponent: float = 1.0  # importance of feature i is i to the minus this [0.3 .. 3]
n_features: int = 1000000  # features there are [10000 .. 1000000000]
kurtosis: float = 100.0  # fourth moment k of every feature [4 .. 100000]
n_wanted: int = 100  # features that are to be monosemantic [1 .. 1000]
n_widths: int = 120  # widths that are tried [20 .. 1000]

# %% tags=["hide-input"]
import math

import numpy as np
import pandas as pd
from myst_nb import glue
from scipy.integrate import quad
from scipy.optimize import brentq

import feature_capacity as fc
from feature_capacity.book.claims.checks import open_page
from feature_capacity.figures import ext4_many_features as figures

run = open_page(
    "ext4_many_features",
    exponent=exponent,
    n_features=n_features,
    kurtosis=kurtosis,
    n_wanted=n_wanted,
    n_widths=n_widths,
)

# %% mystnb={"figure": {"caption": "A power law of importances, allocated at every width. a: features by importance, upward; the most important have a dimension each, the next share, the rest is ignored. b: the loss. The dotted line is the width from which every feature is represented.", "name": "fig-ext4-phases"}, "image": {"alt": "Left: on logarithmic axes three bands that rise in parallel with the number of dimensions: monosemantic features at the bottom, polysemantic above them, ignored ones at the top. The diagonal, as many features as dimensions, lies inside the polysemantic band. Right: the loss falls along a straight line and bends downward near the right end."}} tags=["hide-input"]
widths = np.unique(np.geomspace(10, n_features / 2, n_widths).astype(int))
laws = [fc.power_law_allocation(exponent, n_features, int(d), kurtosis) for d in widths]
represented = np.array([law.n_represented for law in laws])
crossing = min(widths[represented == n_features], default=math.inf)
figures.phases_and_loss(widths, laws, n_features, crossing)

# %% [markdown]
# In five lines, with as many features as there are grains in a bag of sand:

# %%
import feature_capacity as fc

law = fc.power_law_allocation(1.0, n_features=10**9, n_dims=4096, kurtosis=100.0)
law.n_monosemantic, law.n_represented, law.loss_exponent

# %% [markdown]
# No feature is listed for this.
# The sums over features that the {term}`allocation` needs are sums of powers, which Euler and Maclaurin's formula gives to rounding.
# Listed features give the same:

# %%
v = np.arange(1, 20_001) ** -exponent
listed = fc.solve_allocation(v, n_dims=100, kurtosis=kurtosis)
law = fc.power_law_allocation(exponent, 20_000, 100, kurtosis)
pd.DataFrame(
    {
        "listed": [float(listed.loss), float(listed.multiplier)],
        "sums": [law.loss, law.multiplier],
    },
    index=["loss", "multiplier"],
)

# %% tags=["hide-input"]
slope = (kurtosis - 1) / (kurtosis - 3)
span = v[-1], v[0] * (kurtosis - 1) / 2
root = brentq(
    lambda m: np.clip(1 - slope * (1 - v / m), 0, 1).sum() - 100,
    *span,
    xtol=1e-300,
    rtol=1e-15,
)
C = np.clip(1 - slope * (1 - v / root), 0, 1)
one_by_one = 2 * (kurtosis - 1) * v**2 * (1 - C) / ((kurtosis - 3) * C + 2)
run.check("ext4-sums-multiplier", law.multiplier, root)
run.check("ext4-sums-loss", law.loss, one_by_one.sum())
run.badge()

# %% [markdown]
# ## Equal features
#
# Let all importances be 1.
# Above $k = 3$ every feature has capacity $D/N$, and put into the loss of each feature, {eq}`eq-sec3-1-per-feature`, that is
#
# $$ \frac{\mathcal L}{N} = \frac{2(k-1)(N/D-1)}{(k-3)+2N/D} . $$
#
# (*Proved:* for k > 3 the loss is a strictly convex function of the capacities, so that equal features have equal ones.)
# Sparse features, with $k \gg N/D$, lose $2(N/D - 1)$ each: interference alone, and the number of features that a dimension holds is all that matters.
# With $k \ll N/D$ the loss is almost $k-1$ each, as if nothing was represented.

# %%
ratio = np.array([1.5, 2, 10, 100])
rows = {f"k = {k:g}": fc.equal_features_loss(ratio, k) for k in (3.0, 9.0, 100.0, 1e6)}
pd.DataFrame(rows, index=pd.Index(ratio, name="features per dimension")).round(3)

# %% tags=["hide-input"]
sizes = (6, 4), (6, 3), (20, 2)
frames = [fc.embedding_from_capacities(np.full(n, d / n)) for n, d in sizes]
found = []
for W in frames:
    unit = W / np.linalg.norm(W, axis=0)
    # The loss is a parabola in the squared length that all have.
    equal = np.ones(W.shape[1])
    three = [fc.expected_loss(s**0.5 * unit, equal, kurtosis) for s in (0, 1, 2)]
    a, b, c = np.polyfit((0, 1, 2), three, 2)
    found.append((c - b**2 / (4 * a)) / W.shape[1])
run.check("ext4-equal-features", found, fc.equal_features_loss(ratio[:3], kurtosis))
run.badge()

# %% [markdown]
# ## Three bands
#
# For $v_i = i^{-\alpha}$ the sharing rule of section 3.5.1, $\frac{2}{k-1}\lambda < v < \lambda$, says where the bands of {numref}`fig-ext4-phases` begin: a feature is whole up to number $a = \lambda^{-1/\alpha}$, and represented up to
#
# $$ b = \left(\frac{k-1}{2}\right)^{1/\alpha} a . $$
#
# *Proved*, up to the whole numbers: the ratio of represented to monosemantic features depends on kurtosis and exponent alone.
# Width moves both bands together, which is why they are parallel.
# The budget says where they are: with $\beta = 2/(k-3)$, in the limit of many dimensions and as long as some features are ignored,
#
# $$ \frac{D}{a} = 1 + (1+\beta)\int_1^{b/a} t^{-\alpha}\,dt - \beta\Big(\frac ba - 1\Big) . $$

# %%
limit = fc.power_law_limit(exponent, 1000.0, kurtosis)
limit.n_monosemantic, limit.n_represented

# %% [markdown]
# With a thousand features per dimension, these are the numbers of monosemantic and of represented features per dimension.

# %% tags=["hide-input"]
whole = np.array([law.n_monosemantic for law in laws])
bands = ((kurtosis - 1) / 2) ** (1 / exponent)
some = represented < n_features
slack = np.minimum(
    bands * (whole + 1) - represented, represented + 1 - bands * whole
) / (1 + represented)
if some.any():
    run.check("ext4-ratio", slack[some])
else:
    run.not_applicable("ext4-ratio", "all features are represented at every width")
a, b = limit.n_monosemantic, limit.n_represented
if b < 1000:
    beta = 2 / (kurtosis - 3)
    inside = quad(lambda u: np.exp(u * (1 - exponent)), 0, math.log(b / a))[0]
    run.check("ext4-budget", 1 / a, 1 + (1 + beta) * inside - beta * (b / a - 1))
else:
    run.not_applicable("ext4-budget", "all features are represented")
run.badge()

# %% [markdown]
# ## How fast the loss falls
#
# A little more width is worth the {term}`threshold` $2\lambda^2$, whatever the importances.
# So the local exponent of the loss needs no derivative (*proved*, the envelope theorem):
#
# $$ \varepsilon = -\frac{d\ln\mathcal L}{d\ln D} = \frac{2\lambda^2 D}{\mathcal L} . $$

# %% mystnb={"figure": {"caption": "The exponent of the loss against features per dimension, for importances i to the minus α. Dotted: 2α − 1, which holds while most features are ignored. Gray: 1, the law of pure interference. In the middle of panel c, where all features are represented and each dimension holds many, the loss falls like 1/D for α below 1; further right features are ignored, and the exponent falls to 2α − 1.", "name": "fig-ext4-exponents"}, "image": {"alt": "Three panels for kurtosis 9, 1000 and a million. From left to right each curve goes from large values at one feature per dimension to its level. At kurtosis 9 the curves of alpha 0.75, 1 and 1.5 soon sit on their dotted lines at 0.5, 1 and 2. At kurtosis one million the curves for alpha 0.5, 0.75 come close to 1 and stay there over many decades, that of alpha 1 stays above 1, that of 1.5 is at 2."}} tags=["hide-input"]
per_dim = np.geomspace(1.5, 1e6, 60)
alphas = (0.5, 0.75, 1.0, 1.5)
panels = {
    k: {
        a: np.array([fc.power_law_limit(a, r, k).loss_exponent for r in per_dim])
        for a in alphas
    }
    for k in (9.0, 1e3, 1e6)
}
figures.local_exponents(per_dim, panels)

# %% tags=["hide-input"]
step, ratios = 1e-4, np.array([2.0, 30.0, 1e3, 1e5])
sides = [
    [fc.power_law_limit(exponent, r * math.exp(s), kurtosis).loss for r in ratios]
    for s in (-step, step)
]
# With N fixed, D enters through N / D and through the unit of the loss, D to 1 - 2 alpha.
slopes = 2 * exponent - 1 + np.log(np.divide(sides[1], sides[0])) / (2 * step)
own = [fc.power_law_limit(exponent, r, kurtosis).loss_exponent for r in ratios]
run.check("ext4-exponent", own, slopes)
for name, a in {"075": 0.75, "1": 1.0, "15": 1.5}.items():
    ends = [fc.power_law_allocation(a, 10**12, d, 9.0).loss for d in (100, 1000)]
    run.check(f"ext4-ignored-alpha-{name}", math.log10(ends[0] / ends[1]))
for name, a in {"03": 0.3, "05": 0.5}.items():
    ends = [fc.power_law_allocation(a, 10**10, d, 1e14).loss for d in (90_000, 110_000)]
    order = math.log(ends[0] / ends[1]) / math.log(11 / 9)
    run.check(f"ext4-all-share-alpha-{name}", order)
run.badge()

# %% [markdown]
# Three regimes can be told apart in {numref}`fig-ext4-exponents`.
#
# - **Most features are ignored.** The tail beyond $b$ and the band below it scale alike, $\mathcal L = c\,D^{1-2\alpha}$ (*proved* for $\alpha > 1/2$: with $i = at$ both are $a^{1-2\alpha}$ times an integral over $t$ that knows nothing of $D$, and $a$ is proportional to $D$): *power law in, power law out*.
# - **All are represented and share.** Then $k$ drops out and for $\alpha < 1$ the exponent is 1, whatever $\alpha$ (*proved* in the limit of large k, then large $N/D$): $D \approx a^\alpha N^{1-\alpha}/(1-\alpha)$ and $\mathcal L \approx 2a^{-\alpha}N^{1-\alpha}/(1-\alpha)$, so that $\mathcal L D$ is constant.
# - **Few features per dimension.** The loss goes to 0 at $D = N$, and the exponent grows without bound.
#
# From the first to the second the loss crosses over where $b$ reaches $N$, at so many features per dimension:
#
# $$ \frac ND = \frac{k}{2}\cdot\frac{1-\alpha}{\alpha}\quad(\alpha<1),\qquad \frac ND = \Big(\frac k2\Big)^{1/\alpha}\frac{\alpha-1}{\alpha}\quad(\alpha>1) $$
#
# (*proved* in the limit of large $k$: put $b/a = \rho = (k/2)^{1/\alpha}$ and $\beta = \rho^{-\alpha}$ into the budget; $D/a$ is $\rho^{1-\alpha}\frac{\alpha}{1-\alpha}$ for $\alpha<1$ and $\frac{\alpha}{\alpha-1}$ for $\alpha>1$).
# With fewer features per dimension all are represented, with more some are ignored.
# Below $\alpha = 1$ that is proportional to kurtosis: at $\alpha = \frac12$ uniform features that are on one time in a thousand are all represented up to nine hundred of them per dimension.

# %%
rows = {}
for a in (0.3, 0.5, 1.5):
    crossover = 5e8 * (1 - a) / a if a < 1 else 5e8 ** (1 / a) * (a - 1) / a
    rows[a] = {
        f"{part:g} of it": fc.power_law_limit(a, part * crossover, 1e9).n_represented
        / (part * crossover)
        for part in (0.8, 1.0, 1.25)
    }
share = pd.DataFrame(rows).T.rename_axis("exponent")
share.round(3)

# %% [markdown]
# The share of features that are represented, below, at and above the crossover, $k = 10^9$.

# %% tags=["hide-input"]
for name, a in {"03": 0.3, "05": 0.5, "15": 1.5}.items():
    found = brentq(
        lambda log, a=a: fc.power_law_limit(a, math.exp(log), 1e9).n_represented
        / math.exp(log)
        - 0.99,
        math.log(10.0),
        math.log(1e12),
    )
    crossover = 5e8 * (1 - a) / a if a < 1 else 5e8 ** (1 / a) * (a - 1) / a
    run.check(f"ext4-crossover-alpha-{name}", 0.99 * math.exp(found) / crossover)
run.badge()

# %% [markdown]
# The three regimes resemble what {cite:t}`liu2025superposition` measured in trained toy models: under weak superposition the loss follows the frequencies, under strong superposition it is inversely proportional to the width for a wide range of them.
# Here both regimes are one closed form.
# Their exponents and ours are not the same numbers where frequencies matter: their loss weighs an ignored feature by its frequency, ours by the square of its importance.
#
# ### Exponent 1 is the odd one
#
# At $\alpha = 1$ the two regimes meet, and strong sharing gives
#
# $$ \varepsilon = \frac{\ln(N/a)+1}{\ln(N/a)-1+a/N} \approx 1 + \frac{2}{\ln(N/a)} . $$
#
# (*Proved* in the limit of large $k$: there $C_i = v_i/\lambda$, so that $D = a\,(1+\ln(N/a))$, and each feature that shares loses $2v_i(\lambda-v_i)$, in all $\mathcal L = \frac2a\,(\ln(N/a)-1+a/N)$; $\varepsilon$ is $2\lambda^2D/\mathcal L$.)
# A logarithm never gets large: with a thousand features for each monosemantic one the exponent is 1.34, with a million 1.16.
# Who fits a straight line to such a loss finds an exponent above 1 that depends on where he looks.

# %%
law = fc.power_law_allocation(1.0, 10**9, 10**7, kurtosis=1e12)
log = math.log(10**9 / law.n_monosemantic)
law.loss_exponent, (log + 1) / (log - 1 + math.exp(-log))

# %% tags=["hide-input"]
formula = (log + 1) / (log - 1 + math.exp(-log))
run.check("ext4-exponent-one", law.loss_exponent, formula)
run.badge()

# %% [markdown]
# ### From finitely many to continuously many
#
# The limit leaves out that features come in whole numbers.
# *Measured* for the exponents of {numref}`fig-ext4-limit`, 20 features per dimension and $k = 30$: the loss differs by a part of order $1/D$.

# %% mystnb={"figure": {"caption": "The limit of continuously many features is good to a part of order 1/D.", "name": "fig-ext4-limit"}, "image": {"alt": "Relative errors on logarithmic axes fall in parallel with the dashed line 1/D, over five decades of dimensions, for exponents 0.6, 1 and 2."}} tags=["hide-input"]
dims = np.geomspace(10, 1e6, 11).astype(int)
distances = {
    a: np.array([
        abs(
            fc.power_law_allocation(a, 20 * int(d), int(d), 30.0).loss
            / d ** (1 - 2 * a)
            / fc.power_law_limit(a, 20.0, 30.0).loss
            - 1
        )
        for d in dims
    ])
    for a in (0.6, 1.0, 2.0)
}
figures.distance_from_limit(dims, distances)

# %% tags=["hide-input"]
for name, a in {"06": 0.6, "1": 1.0, "2": 2.0}.items():
    order = -np.polyfit(np.log(dims), np.log(distances[a]), 1)[0]
    run.check(f"ext4-limit-alpha-{name}", order)
run.badge()

# %% [markdown]
# ## The width one needs
#
# Turn the question around: you care about the $m$ most important features, and want each to have a dimension of its own.
# A feature is whole as soon as the multiplier is at most its importance, and the multiplier falls with width.
# So the width is what all features together take at the multiplier $v_m$ (*proved*):

# %%
importance = np.arange(1, n_features + 1) ** -exponent
fc.dims_for_monosemantic(importance, kurtosis, n_wanted)

# %% mystnb={"figure": {"caption": "Width at which the most important features are monosemantic. Dense features (dashed) need no more dimensions than there are; the sparser the rest, the more of it must be given room first.", "name": "fig-ext4-width"}, "image": {"alt": "Four rising curves on logarithmic axes, for kurtosis 9, 100, 1000 and 10000, above a dashed diagonal. The larger the kurtosis, the higher the curve."}} tags=["hide-input"]
wanted = np.unique(np.geomspace(1, 1000, 13).astype(int))
needed = {
    k: np.array([fc.dims_for_monosemantic(importance, k, int(m)) for m in wanted])
    for k in (9.0, 100.0, 1e3, 1e4)
}
figures.width_needed(wanted, needed)

# %% tags=["hide-input"]
d = fc.dims_for_monosemantic(importance, kurtosis, n_wanted)
at = fc.power_law_allocation(exponent, n_features, d, kurtosis)
run.check("ext4-width-enough", at.n_monosemantic - n_wanted)
if d > 1:
    below = fc.power_law_allocation(exponent, n_features, d - 1, kurtosis)
    run.check("ext4-width-too-few", n_wanted - 1 - below.n_monosemantic)
else:
    run.not_applicable("ext4-width-too-few", "one dimension is enough")
glue("ext4-wanted", f"{n_wanted:,}", display=False)
glue("ext4-dims", f"{d:,}", display=False)
glue("ext4-crowd", f"{d - n_wanted:,}", display=False)
run.badge()

# %% [markdown]
# {glue:text}`ext4-wanted` features take {glue:text}`ext4-dims` dimensions: one each, and {glue:text}`ext4-crowd` for the crowd that shares.
# One dimension less, and the last of them is polysemantic.
# Sparsity makes it worse, not better: sparse features share eagerly, and they do so before the important ones are served in full.
#
# ## Try it
#
# **Equal in all but name.** With an exponent of 0.3, are the bands still parallel?
#
# ```sh
# papermill notebooks/ext4_many_features.ipynb out.ipynb --cwd notebooks -p exponent 0.3 -p kurtosis 9.0
# ```
#
# :::{admonition} Answer
# :class: dropdown
# Yes, but far apart: the ratio of represented to monosemantic features is $4^{1/0.3}$, about a hundred.
# Soon all features are represented, and at small widths none is monosemantic.
# :::
#
# **A steep law.** What does an exponent of 2 do to the width that one needs?
#
# ```sh
# papermill notebooks/ext4_many_features.ipynb out.ipynb --cwd notebooks -p exponent 2.0
# ```
#
# :::{admonition} Answer
# :class: dropdown
# The crowd matters less: beyond the band of seven times as many features nobody is represented.
# :::
#
# **A long tail.** The first hundred of a million features take 398 dimensions.
# How many do they take among ten thousand?
#
# ```sh
# papermill notebooks/ext4_many_features.ipynb out.ipynb --cwd notebooks -p n_features 10000
# ```
#
# :::{admonition} Answer
# :class: dropdown
# As many.
# When number 100 is just whole, features are represented up to number $100\,((k-1)/2)^{1/\alpha} = 4950$; whatever comes after them is ignored and takes no room.
# Only the kurtosis and the exponent count, as long as the tail is longer than that.
# :::
#
# **Denser features.** And a kurtosis of 9?
#
# ```sh
# papermill notebooks/ext4_many_features.ipynb out.ipynb --cwd notebooks -p kurtosis 9.0
# ```
#
# :::{admonition} Answer
# :class: dropdown
# The bands are closer together, a factor of 4 instead of 50, and the wanted features need a smaller width.
# :::
#
# ## What we saw
#
# - The bands of monosemantic and represented features move together with width; their ratio is $((k-1)/2)^{1/\alpha}$.
# - For $\alpha > 1/2$ the loss falls like $D^{1-2\alpha}$ while most features are ignored; for $\alpha < 1$ it falls like $1/D$ once all share and each dimension holds many. At $\alpha = 1$ a logarithm blurs the exponent.
# - For features that one cares about the width follows from one sum, and grows with the sparsity of the others.
