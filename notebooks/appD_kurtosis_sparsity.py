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
# **Paper:** Appendix D {cite}`scherlis2022`.
# **Claims checked here:** {glue:text}`appd-claims`.
# **Run time:** under a minute.
#
# :::{admonition} In one minute
# :class: tip
# The quadratic model knows its inputs by one number, the fourth moment $k$, and features of equal importance share dimensions when $k > 3$ (unequal ones need a little more).
# A feature that is rarely active must be large when it is, to keep its variance at one.
# Rare and large is what a fourth moment measures: make a feature active with probability $p$, and its fourth moment is divided by $p$.
# So each shape of feature has a critical density, $p^* = \operatorname{Kurt}[z]/3$, below which superposition pays.
# For a uniform feature it is 0.6; a normal feature is at the edge without any {term}`sparsity`; one with heavier tails is always beyond it.
# And whatever its shape, as long as its mean is 0, a feature that is active less than a third of the time is sparse enough.
# :::

# %% tags=["parameters"] quick={"n_samples": 20000, "n_random": 2000}
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
from scipy.optimize import bisect

import feature_capacity as fc
from feature_capacity.book.claims.checks import open_page
from feature_capacity.figures import appD_kurtosis_sparsity as figures

run = open_page(
    "appD_kurtosis_sparsity",
    student_df=student_df,
    n_samples=n_samples,
    n_random=n_random,
    seed=seed,
)
rng = np.random.default_rng(seed)
glue("appd-claims", len(run.claims), display=False)

# %% [markdown]
# ## Switching a feature on and off
#
# Let $x = sz$, where the switch $s$ is 1 with probability $p$, the feature probability or *density*, and 0 otherwise, and $z$ is the value of the feature when it is active.
# Choose $\mathbb{E}[z] = 0$ and $\operatorname{Var}[z] = 1/p$.
# Then $x$ has mean 0 and variance $p\cdot\frac1p = 1$, and its fourth moment is (the paper's equation 59)
#
# $$ \begin{aligned} \mathbb{E}[x^4] &= \mathbb{E}[s^4]\,\mathbb{E}[z^4] \\ &= p\,\operatorname{Kurt}[z]\operatorname{Var}[z]^2 = \operatorname{Kurt}[z]/p . \end{aligned} $$ (eq-paper-59)
#
# A switch is its own fourth power, so the first factor is $p$; the second grows like $1/p^2$.
# One power of $p$ is left over.
#
# We take five shapes for $z$: two values $\pm1$, uniform, normal, Student with {glue:text}`appd-df` degrees of freedom, and Laplace.
# Integrate $x$, $x^2$ and $x^4$ against their densities, and compare.

# %%
shapes = {
    "±1": stats.rv_discrete(values=([-1, 1], [0.5, 0.5]))(),
    "uniform": stats.uniform(-np.sqrt(3), 2 * np.sqrt(3)),
    "normal": stats.norm(),
    "Student": stats.t(student_df, scale=np.sqrt(1 - 2 / student_df)),
    "Laplace": stats.laplace(scale=np.sqrt(0.5)),
}
kurt = {name: float(z.stats("k")) + 3 for name, z in shapes.items()}
densities = np.array([1.0, 0.6, 0.2, 0.05])
glue("appd-df", student_df, display=False)


def sparse_moment(z, order, p):
    """E[x^order] of x = s z / sqrt(p), by integrating over the active value z of variance 1."""
    values = getattr(z.dist, "xk", None)
    whole = (values**order).mean() if values is not None else z.expect(lambda v: v**order)
    return p * whole / p ** (order / 2)


moments = np.array(
    [[[sparse_moment(z, r, p) for p in densities] for z in shapes.values()] for r in (1, 2, 4)]
)

# %% [markdown]
# Sampling agrees.
# A word of caution from statistics: the standard error of a sampled fourth moment needs the *eighth* moment.
# For a Student distribution that is finite only above 8 degrees of freedom, which is why the parameter of this page starts at 9.

# %%
def sampled_fourth_moment(z, p):
    size = rng.binomial(n_samples, p)
    fourth = z.rvs(size=size, random_state=rng) ** 4 / p**2
    mean = fourth.sum() / n_samples
    variance = (fourth**2).sum() / n_samples - mean**2
    return mean, np.sqrt(variance / n_samples)


sampled = np.array([[sampled_fourth_moment(z, p) for p in densities[1:]] for z in shapes.values()])
exact = np.array(list(kurt.values()))[:, None] / densities[1:]
table = pd.DataFrame(
    [[f"{m:.2f}\u00a0±\u00a0{e:.2f}" for m, e in row] for row in sampled],
    index=list(shapes),
    columns=[f"p\u00a0=\u00a0{p:g}" for p in densities[1:]],
)
table.insert(0, "Kurt[z]", [f"{k:.3g}" for k in kurt.values()])
table

# %% [markdown]
# Each entry is the mean of a sample, ± one standard error; it should be $\operatorname{Kurt}[z]/p$.

# %% tags=["hide-input"]
run.check("appd-standardized", moments[:2], np.stack([np.zeros((5, 4)), np.ones((5, 4))]))
run.check("eq59-fourth-moment", moments[2], np.array(list(kurt.values()))[:, None] / densities)
run.check("eq59-sampled", sampled[..., 0], exact, standard_error=sampled[..., 1])
run.badge()

# %% [markdown]
# ## The uniform feature
#
# The paper's experiments use $z$ uniform on $(-a, a)$.
# Unit variance fixes $a = \sqrt{3/p}$ (equation 60), and the fourth moment follows (equation 61):
#
# $$ \operatorname{Var}[x] = \mathbb{E}[s^2]\,\mathbb{E}[z^2] = p\cdot\frac{\big(2\sqrt{3/p}\big)^2}{12} = 1 $$ (eq-paper-60)
#
# $$ \operatorname{Kurt}[x] = \frac{\mathbb{E}[x^4]}{\mathbb{E}[x^2]^2} = \frac95\cdot\frac1p $$ (eq-paper-61)
#
# With $a^2 = 3/p$ a fraction, both can be checked without rounding: a uniform variable has $\mathbb{E}[z^2]=a^2/3$ and $\mathbb{E}[z^4]=a^4/5$.

# %%
chances = [Fraction(1, d) for d in (1, 2, 3, 7, 20, 1000)] + [Fraction(3, 5)]
second = [p * (4 * (3 / p)) / 12 for p in chances]
fourth = [p * (3 / p) ** 2 / 5 for p in chances]
pairs = zip(fourth, chances, strict=True)
ours = [fc.SparseUniform(float(p)) for p in chances]
package = [[x.variance, x.kurtosis] for x in ours]

# %% mystnb={"figure": {"caption": "A uniform feature of unit variance gets sparser. What is active moves outward to make up for the zeros, and the fourth moment grows. Black line: the values that are exactly zero (its height means nothing).", "name": "fig-appd-sparse"}, "image": {"alt": "Three panels for p = 1, 0.6 and 0.1. A blue rectangle gets wider and lower; a black spike at zero stands for 0, 40 and 90 percent of the values."}} tags=["hide-input"]
x = np.linspace(-6.2, 6.2, 1241)
three = [fc.SparseUniform(p) for p in (1.0, 0.6, 0.1)]
boxes = [np.where(abs(x) < f.half_width, f.p / (2 * f.half_width), 0) for f in three]
figures.sparse_features(x, boxes, [f.p for f in three], [f.kurtosis for f in three])

# %% tags=["hide-input"]
run.check("eq60-unit-variance", [float(v - 1) for v in second])
run.check("eq61-kurtosis", [float(m - Fraction(9, 5) / p) for m, p in pairs])
run.check("appd-package-moments", package, [[1, float(m)] for m in fourth])
run.badge()

# %% [markdown]
# ## The critical density
#
# Features of equal importance begin to share at $k = 3$ ({ref}`sec3-1-quadratic-model`).
# By {eq}`eq-paper-59` that is at
#
# $$ p^* = \frac{\operatorname{Kurt}[z]}{3} . $$ (eq-appd-critical)
#
# Here it is located in the model itself.
# We solve the allocation of three dimensions to six equal features at a given $p$, ask whether any feature shares, and bisect.

# %%
features = np.ones(6)


def sharing(z, p):
    solution = fc.solve_allocation(features, 3, sparse_moment(z, 4, p))
    return bool((solution.phase == fc.POLYSEMANTIC).any())


light = [name for name, k in kurt.items() if k < 3]
critical = {
    name: bisect(lambda p, z=shapes[name]: sharing(z, p) - 0.5, 0.05, 1.0, xtol=1e-9)
    for name in light
}
heavy = [name for name in shapes if name not in light]
below = 1 - np.geomspace(1e-3, 0.95, 40)

# %% [markdown]
# A normal feature has $k=3$ exactly, so the least sparsity tips it over.
# Student and Laplace features have $k>3$ even when they are always active: they superpose without being sparse.
# What counts is the fourth moment; sparsity is one way to raise it.

# %% tags=["hide-input"]
run.check("appd-critical-density", list(critical.values()), [kurt[name] / 3 for name in light])
run.check("appd-critical-density-uniform", critical["uniform"])
run.check(
    "appd-no-critical-density", [sharing(shapes[name], p) - 1 for name in heavy for p in below]
)
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
# We try to get below the floor with random discrete distributions, from two values to eight, many of them very lopsided.

# %%
slack = []
for size in range(2, 9):
    weights = rng.dirichlet(np.full(size, 0.5), n_random)
    values = rng.standard_normal((n_random, size)) * rng.lognormal(0, 1, (n_random, size))
    values -= (weights * values).sum(axis=1, keepdims=True)
    second, fourth = ((weights * values**r).sum(axis=1) for r in (2, 4))
    p = rng.uniform(0.01, 1, n_random)
    usable = second > 1e-12
    slack.append((p * (fourth / p) / second**2 - 1)[usable])

# %% mystnb={"figure": {"caption": "Fourth moment against density. Every line has slope −1; the shape of the active value sets its height. Dots: critical densities, where $k = 3$.", "name": "fig-appd-lines"}, "image": {"alt": "Five parallel falling lines on logarithmic axes. The lines for plus-minus one and uniform cross the dashed line k = 3 at 0.33 and 0.6, the normal one ends on it at p = 1, Student and Laplace stay above. A gray region below the lowest line is marked as impossible."}} tags=["hide-input"]
p = np.geomspace(0.04, 1, 60)
names = {name: f"{name}, Kurt {k:.3g}" for name, k in kurt.items()}
marks = {names[name]: kurt[name] / 3 for name in shapes if kurt[name] <= 3}
figures.kurtosis_lines(p, {names[name]: kurt[name] / p for name in shapes}, marks)

# %% tags=["hide-input"]
run.check("appd-floor", np.concatenate(slack))
run.check("appd-floor-attained", moments[2][0] * densities, np.ones(4))
run.badge()

# %% [markdown]
# ## Where sparsity does not help
#
# By {eq}`eq-paper-59` the fourth moment falls as $p$ grows, for every shape.
# It rests on $\mathbb{E}[z]=0$.
# Drop that, and standardize $x$ itself: a feature that is simply on or off has {term}`kurtosis`
#
# $$ k = \frac{1}{p(1-p)} - 3, $$ (eq-appd-switch)
#
# which is smallest at $p=\frac12$ and grows again toward $p = 1$, because now the *zeros* are the rare event.
# The inputs of the autoencoder of Elhage et al. {cite}`elhage2022toy`, uniform on $[0,1]$ when active, have the same rise, less pronounced.
# For such inputs "sparser" and "heavier-tailed" part ways when features are dense.

# %%
p = np.linspace(0.02, 0.98, 97)
mean = p
central = p * (1 - mean) ** 4 + (1 - p) * mean**4
switch = central / (p * (1 - p)) ** 2
unit = np.array([fc.UnitSparseUniform(float(q)).kurtosis for q in p])
centered = [k / p for k in kurt.values()]

# %% mystnb={"figure": {"caption": "The standardized fourth moment against feature probability: it falls throughout for a centered feature, and rises again for the two that are not centered. Dashed: 3.", "name": "fig-appd-off-center"}, "image": {"alt": "Three curves of the fourth moment against density on a logarithmic axis. The centered uniform one falls steadily; the on-off one is a symmetric valley with its minimum at one half; the one for values uniform between 0 and 1 falls, passes a minimum and rises a little."}} tags=["hide-input"]
lines = {"centered uniform": 1.8 / p, "uniform on [0, 1]": unit, "on or off": switch}
figures.off_center(p, lines)

# %% tags=["hide-input"]
run.check("appd-switch", switch, 1 / (p * (1 - p)) - 3)
run.check("appd-sparser-is-larger", -np.diff(centered, axis=1))
run.check("appd-needs-centering", min(switch[-1] / switch.min(), unit[-1] / unit.min()))
run.badge()

# %% [markdown]
# ## Does it agree with the paper?
#
# Yes: equations 59 to 61 hold exactly; the critical density, the floor and the features that are not centered are ours.
#
# All verdicts of this page are among {ref}`claims`, with what each measurement came to.
#
# ## Try it
#
# Paste a command at the root of the project; the executed page is then in `out.ipynb`.
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
# **A lucky shape.** Do 350,000 random distributions come below the floor of {eq}`eq-appd-floor`, or is there one that touches it?
#
# ```sh
# papermill notebooks/appD_kurtosis_sparsity.ipynb out.ipynb --cwd notebooks -p n_random 50000
# ```
#
# :::{admonition} Answer
# :class: dropdown
# None comes below, but among those with two values one comes within $10^{-10}$ of it: its two values happen to be nearly opposite.
# With three values or more the closest stays some hundred thousandths above.
# :::
#
# ## What we saw
#
# * Making a feature active half as often doubles its fourth moment: $k = \operatorname{Kurt}[z]/p$, exactly.
# * Equally important features begin to share below the critical density $\operatorname{Kurt}[z]/3$: 0.6 for uniform features, 1 for normal ones, and at least a third for every centered shape.
# * For centered features, sparser always means heavier-tailed; for others, only once they are sparse enough.
#
# Next: {ref}`appe-correlation-coefficient`, where no moment beyond the second matters.
