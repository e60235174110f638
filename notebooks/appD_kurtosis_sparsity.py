# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# (appd-kurtosis-sparsity)=
# # Appendix D: sparse means heavy-tailed
#
# The quadratic model knows its inputs by one number, the fourth moment $k$, and equal features share dimensions when $k>3$.
# How sparse is sparse enough for that?
# A feature that is rarely active must be large when it is, to keep its variance at one, and rare and large is what a fourth moment measures.
# {numref}`fig-appd-lines` has the answer for five shapes of feature: halve the probability $p$ of being active, and $k$ doubles.
#
# A uniform feature, for example, has $k=1.8$ when it is always active, 3 at $p=0.6$, and 9 when it is active a fifth of the time.
#
# **Paper:** Appendix D {cite}`scherlis2022`.
# **Run time:** some seconds.

# %% tags=["parameters", "hide-input"] quick={"n_samples": 20000, "n_random": 2000}
student_df: int = 12  # degrees of freedom of the Student distribution [9 .. 100]
n_samples: int = 400000  # sampled values per distribution [10000 .. 4000000]
n_random: int = 2000  # random distributions that try the lower bound [100 .. 50000]
seed: int = 0  # of everything random on this page [0 .. 1000000]

# %% tags=["hide-input"]
from fractions import Fraction

import numpy as np
import pandas as pd
from myst_nb import glue
from scipy import stats

import feature_capacity as fc
from feature_capacity.book.claims.checks import open_page
from feature_capacity.figures import appD_kurtosis_sparsity as figures
from feature_capacity.theory.fourth_moment import (
    least_fourth_moment,
    sampled_fourth_moment,
    sparse_moment,
)
from feature_capacity.theory.locate import first_reached

run = open_page(
    "appD_kurtosis_sparsity",
    student_df=student_df,
    n_samples=n_samples,
    n_random=n_random,
    seed=seed,
)
rng = np.random.default_rng(seed)
glue("appd-df", student_df, display=False)

# %%
shapes = {
    "±1": stats.rv_discrete(values=([-1, 1], [0.5, 0.5]))(),
    "uniform": stats.uniform(-np.sqrt(3), 2 * np.sqrt(3)),
    "normal": stats.norm(),
    "Student": stats.t(student_df, scale=np.sqrt(1 - 2 / student_df)),
    "Laplace": stats.laplace(scale=np.sqrt(0.5)),
}
kurt = {name: float(z.stats("k")) + 3 for name, z in shapes.items()}
least = {p: least_fourth_moment(p) for p in (0.05, 0.1, 0.2, 0.4, 0.8)}
kurt

# %% mystnb={"figure": {"caption": "Fourth moment against feature probability. Every line has slope −1; the shape of the active value sets its height. Dots: where $k = 3$. Crosses: the least fourth moment that any distribution can have.", "name": "fig-appd-lines"}, "image": {"alt": "Five parallel falling lines on logarithmic axes. The lines for plus-minus one and uniform cross the dashed line k = 3 at 0.33 and 0.6, the normal one ends on it at p = 1, Student and Laplace stay above. A gray region below the lowest line is marked as impossible; crosses lie on its edge."}} tags=["hide-input"]
p = np.geomspace(0.04, 1, 60)
names = {name: f"{name}, Kurt {k:.3g}" for name, k in kurt.items()}
marks = {names[name]: kurt[name] / 3 for name in shapes if kurt[name] <= 3}
lines = {names[name]: kurt[name] / p for name in shapes}
figures.kurtosis_lines(p, lines, marks, least)

# %% [markdown]
# Left of its dot a shape of feature is sparse enough.
# A normal feature is at the edge without any {term}`sparsity`; Student and Laplace features have heavier tails and superpose even when they are always active.
# What counts is the fourth moment; sparsity is one way to raise it.
#
# The package knows it of its own distributions, and makes them from a fourth moment too:

# %%
import feature_capacity as fc

feature = fc.SparseUniform.from_kurtosis(9.0)
feature.p, fc.SparseUniform(0.6).kurtosis, fc.SparseNormal(0.5).kurtosis

# %% [markdown]
# ## Switching a feature on and off
#
# Let $x = sz$, where the switch $s$ is 1 with probability $p$, the feature probability or *density*, and 0 otherwise, and $z$ is the value of the feature when it is active.
# Choose $\mathbb{E}[z] = 0$ and $\operatorname{Var}[z] = 1/p$.
# Then $x$ has mean 0 and variance $p\cdot\frac1p = 1$, and its fourth moment is
#
# $$ \begin{aligned} \mathbb{E}[x^4] &= \mathbb{E}[s^4]\,\mathbb{E}[z^4] \\ &= p\,\operatorname{Kurt}[z]\operatorname{Var}[z]^2 = \operatorname{Kurt}[z]/p . \end{aligned} $$ (eq-paper-59)
#
# A switch is its own fourth power, so the first factor is $p$; the second grows like $1/p^2$.
# One power of $p$ is left over.
#
# Drawn features agree: each entry below is the mean of a sample, ± one standard error, and should be $\operatorname{Kurt}[z]/p$.

# %%
densities = np.array([1.0, 0.6, 0.2, 0.05])
sampled = np.array([
    [sampled_fourth_moment(z, p, n_samples, rng) for p in densities[1:]]
    for z in shapes.values()
])  # fmt: skip
cells = [[f"{m:.2f}\u00a0±\u00a0{e:.2f}" for m, e in row] for row in sampled]
table = pd.DataFrame(cells, index=shapes, columns=[f"p = {p:g}" for p in densities[1:]])
table.insert(0, "Kurt[z]", [f"{k:.3g}" for k in kurt.values()])
table

# %% [markdown]
# A word of caution from statistics: the standard error of a sampled fourth moment needs the *eighth* moment.
# For a Student distribution that is finite only above 8 degrees of freedom; ours has {glue:text}`appd-df`.

# %% tags=["hide-input"]
moments = np.array([
    [[sparse_moment(z, r, p) for p in densities] for z in shapes.values()]
    for r in (1, 2, 4)
])  # fmt: skip
closed = np.array(list(kurt.values()))[:, None] / densities
standard = np.stack([np.zeros((5, 4)), np.ones((5, 4))])
run.check("appd-standardized", moments[:2], standard)
run.check("eq59-fourth-moment", moments[2], closed)
means, errors = sampled[..., 0], sampled[..., 1]
run.check("eq59-sampled", means, closed[:, 1:], standard_error=errors)
run.check("appd-sparser-is-larger", np.diff(moments[2], axis=1))
run.badge()

# %% [markdown]
# ## The uniform feature
#
# The paper's experiments use $z$ uniform on $(-a, a)$.
# Unit variance fixes $a = \sqrt{3/p}$, and the fourth moment follows:
#
# $$ \operatorname{Var}[x] = \mathbb{E}[s^2]\,\mathbb{E}[z^2] = p\cdot\frac{\big(2\sqrt{3/p}\big)^2}{12} = 1 $$ (eq-paper-60)
#
# $$ \operatorname{Kurt}[x] = \frac{\mathbb{E}[x^4]}{\mathbb{E}[x^2]^2} = \frac95\cdot\frac1p $$ (eq-paper-61)
#
# With $a^2 = 3/p$ a fraction, both can be checked without rounding: a uniform variable has $\mathbb{E}[z^2]=a^2/3$ and $\mathbb{E}[z^4]=a^4/5$.

# %% mystnb={"figure": {"caption": "A uniform feature of unit variance gets sparser. What is active moves outward to make up for the zeros, and the fourth moment grows. Black line: the values that are exactly zero (its height means nothing).", "name": "fig-appd-sparse"}, "image": {"alt": "Three panels for p = 1, 0.6 and 0.1. A blue rectangle gets wider and lower; a black spike at zero stands for 0, 40 and 90 percent of the values."}} tags=["hide-input"]
x = np.linspace(-6.2, 6.2, 1241)
three = [fc.SparseUniform(p) for p in (1.0, 0.6, 0.1)]
boxes = [np.where(abs(x) < f.half_width, f.p / (2 * f.half_width), 0) for f in three]
figures.sparse_features(x, boxes, [f.p for f in three], [f.kurtosis for f in three])

# %% tags=["hide-input"]
chances = [Fraction(1, d) for d in (1, 2, 3, 7, 20, 1000)] + [Fraction(3, 5)]
second = [p * (4 * (3 / p)) / 12 for p in chances]
fourth = [p * (3 / p) ** 2 / 5 for p in chances]
pairs = zip(fourth, chances, strict=True)
run.check("eq60-unit-variance", [float(v - 1) for v in second])
run.check("eq61-kurtosis", [float(m - Fraction(9, 5) / p) for m, p in pairs])
widths, ps = np.array([(f.half_width, f.p) for f in three]).T
integrals = [ps * widths**2 / 3, ps * widths**4 / 5]
run.check("appd-drawn-features", integrals, [np.ones(3), [f.kurtosis for f in three]])
run.badge()

# %% [markdown]
# ## The critical density
#
# Features of equal importance begin to share at $k = 3$ ({ref}`sec3-1-quadratic-model`).
# By {eq}`eq-paper-59` that is at
#
# $$ p^* = \frac{\operatorname{Kurt}[z]}{3} . $$ (eq-appd-critical)
#
# The model says so itself.
# Give six equal features half a dimension each, or three of them a whole one, always with the best lengths, and look for the density at which the first network begins to be the worse one.

# %%
chance, light = np.full(2, 0.05), ["±1", "uniform"]
fourth = np.array([sparse_moment(shapes[name], 4, 1.0) for name in light])
halves, wholes = np.full(6, 0.5), np.repeat([1.0, 0.0], 3)
critical = first_reached(
    lambda p: np.greater(*(
        fc.loss_at_best_lengths(c, np.ones(6), (fourth / p)[:, None]).sum(axis=1)
        for c in (halves, wholes)
    )), chance, np.ones(2),
)  # fmt: skip
dict(zip(light, critical.round(6).tolist(), strict=True))

# %% tags=["hide-input"]
below = 1 - np.geomspace(1e-3, 0.95, 40)
heavy = ["normal", "Student", "Laplace"]
fourth = np.array([sparse_moment(shapes[name], 4, 1.0) for name in heavy])
k = (fourth[:, None] / below)[..., None]
whole, half = (
    fc.loss_at_best_lengths(c, np.ones(6), k).sum(axis=-1) for c in (wholes, halves)
)
run.check("appd-critical-density", critical, [kurt[name] / 3 for name in light])
run.check("appd-critical-density-uniform", critical[1])
run.check("appd-no-critical-density", np.sign(whole - half) - 1)
run.badge()

# %% [markdown]
# ## A floor for every shape
#
# $\operatorname{Var}[z^2]\ge0$ says that no variable has $\operatorname{Kurt}[z]<1$, and only two opposite values attain it.
# Hence
#
# $$ k \ge \frac1p $$ (eq-appd-floor)
#
# for any centered feature that is active with probability $p$.
# The paper does not draw the consequence: **a centered feature that is active less than a third of the time has $k>3$, whatever its distribution.**
#
# Could some odd distribution get below?
# The smallest fourth moment at given mean, variance and $p$ is a linear program: the unknowns are the chances of the values on a fine grid.
# Its solutions are the crosses of {numref}`fig-appd-lines`.

# %%
inverse = [1 / p for p in least]
pd.DataFrame({"least k": least.values(), "1 / p": inverse}, least).round(6)

# %% [markdown]
# None is below $1/p$, and none above.
# Random distributions of two to eight values, many of them lopsided, stay above it too; the nearest of them is off by {glue:text}`appd-nearest`.

# %% tags=["hide-input"]
ratios = []
for size in range(2, 9):
    chances = rng.dirichlet(np.full(size, 0.5), n_random)
    values = rng.lognormal(0, 1, (n_random, size))
    values *= rng.standard_normal((n_random, size))
    values -= (chances * values).sum(axis=1, keepdims=True)
    two, four = ((chances * values**r).sum(axis=1) for r in (2, 4))
    usable = two > 1e-12
    ratios.append(four[usable] / two[usable] ** 2)
nearest = np.concatenate(ratios).min() - 1
glue("appd-nearest", f"{abs(nearest):.1e}", display=False)
tried = np.geomspace(0.01, 1, 25)
found = np.array([least_fourth_moment(p) for p in tried])
run.check("appd-floor", np.r_[found - 1 / tried, nearest])
attained = np.r_[moments[2][0] * densities, found * tried]
run.check("appd-floor-attained", attained, np.ones(29))
run.badge()

# %% [markdown]
# ## Where sparsity does not help
#
# All this rests on $\mathbb{E}[z]=0$.
# Drop that, and standardize $x$ itself: a feature that is simply on or off has {term}`kurtosis`
#
# $$ k = \frac{1}{p(1-p)} - 3, $$ (eq-appd-switch)
#
# which is smallest at $p=\frac12$ and grows again toward $p = 1$, because now the *zeros* are the rare event.
# The inputs of the autoencoder of Elhage et al. {cite}`elhage2022toy`, uniform on $[0,1]$ when active, have the same rise, less pronounced.
# For such inputs "sparser" and "heavier-tailed" part ways when features are dense.

# %%
p = np.linspace(0.02, 0.98, 97)
unit = np.array([fc.UnitSparseUniform(float(q)).kurtosis for q in p])
switch = (p * (1 - p) ** 4 + (1 - p) * p**4) / (p * (1 - p)) ** 2
p[[switch.argmin(), unit.argmin()]].round(2)

# %% mystnb={"figure": {"caption": "The standardized fourth moment against feature probability: it falls throughout for a centered feature, and rises again for the two that are not centered. Dashed: 3.", "name": "fig-appd-off-center"}, "image": {"alt": "Three curves of the fourth moment against density on a logarithmic axis. The centered uniform one falls steadily; the on-off one is a symmetric valley with its minimum at one half; the one for values uniform between 0 and 1 falls, passes a minimum and rises a little."}} tags=["hide-input"]
lines = {"centered uniform": 1.8 / p, "uniform on [0, 1]": unit, "on or off": switch}
figures.off_center(p, lines)

# %% tags=["hide-input"]
run.check("appd-switch", switch, 1 / (p * (1 - p)) - 3)
run.check("appd-needs-centering", min(switch[-1] / switch.min(), unit[-1] / unit.min()))
run.badge()

# %% [markdown]
# ## Try it
#
# **By hand.** A feature is 0 with probability 0.9, and otherwise $+a$ or $-a$.
# Which $a$ makes its variance 1, and what is its fourth moment?
#
# :::{admonition} Answer
# :class: dropdown
# $0.1\,a^2=1$, so $a=\sqrt{10}$, and $k=0.1\,a^4=10$.
# No centered feature that is active a tenth of the time has less.
# :::
#
# **Light tails.** How does the Student line in {numref}`fig-appd-lines` move as the degrees of freedom grow?
#
# ```sh
# papermill notebooks/appD_kurtosis_sparsity.ipynb out.ipynb --cwd notebooks -p student_df 100
# ```
#
# :::{admonition} Answer
# :class: dropdown
# It comes down to the normal line: $\operatorname{Kurt} = 3 + 6/(\nu-4)$.
# :::
#
# **As heavy as the page allows.** With 9 degrees of freedom the eighth moment exists, but only just.
# How sure is the sampled fourth moment then?
#
# ```sh
# papermill notebooks/appD_kurtosis_sparsity.ipynb out.ipynb --cwd notebooks -p student_df 9
# ```
#
# :::{admonition} Answer
# :class: dropdown
# It still agrees, but its standard error is two to five times that of the normal feature, although $\operatorname{Kurt}$ is 4.2 and not much more than 3.
# What is rare and large decides the fourth moment, and samples hardly see it.
# :::
#
# ## To remember
#
# - Making a feature active half as often doubles its fourth moment: $k = \operatorname{Kurt}[z]/p$, exactly.
# - Equal features begin to share below the density $\operatorname{Kurt}[z]/3$: 0.6 for uniform features, 1 for normal ones, and at least a third for every centered shape.
# - For centered features, sparser always means heavier-tailed; for others, only once they are sparse enough.
#
# Next: {ref}`appe-correlation-coefficient`, where no moment beyond the second matters.
