# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# (appa-expected-loss)=
# # Appendix A: the expected loss, line by line
#
# Everything in section 3 rests on one formula, the {term}`expected loss` of the quadratic model.
# Where do its two sums come from?
# The loss is a square of a square, so its mean is a sum over quadruples of features, and almost all of them have the moment $\mathbb{E}[x_ix_jx_kx_l]=0$.
# {numref}`fig-appa-moments` shows those that do not: a diagonal of dark cells, from which the first sum comes, and two shades of orange, from which the second one comes.
# (The blue cells pay for a wrong mean, and a bias repairs that.)
#
# **Paper:** Appendix A {cite}`scherlis2022`.
# **Run time:** some seconds.

# %% tags=["parameters", "hide-input"]
n_features: int = 4  # features N [3 .. 5]
n_dims: int = 2  # neurons D [1 .. 3]
jump: int = 3  # larger of the two values of a feature [1 .. 8]
bias_in_tenths: int = 7  # ten times the bias b [-50 .. 50]
seed: int = 0  # of the weights [0 .. 1000000]

# %% tags=["hide-input"]
from fractions import Fraction

import numpy as np
import pandas as pd
import sympy as sp

import feature_capacity as fc
from feature_capacity.book.claims.checks import open_page
from feature_capacity.figures import appA_expected_loss as figures
from feature_capacity.theory.enumeration import (
    covariances,
    partition_of,
    partition_type,
    sums_by_partition,
    two_point_outcomes,
)

run = open_page(
    "appA_expected_loss",
    n_features=n_features,
    n_dims=n_dims,
    jump=jump,
    bias_in_tenths=bias_in_tenths,
    seed=seed,
)
rng = np.random.default_rng(seed)

# %%
X, P = two_point_outcomes(Fraction(jump), n_features)  # all outcomes, and their chances
products = (X[:, :, None] * X[:, None, :]).reshape(len(X), -1)  # x_i x_j
fourth = products.T @ (P[:, None] * products)  # E[x_i x_j x_k x_l]
alive = int((fourth != 0).sum())
f"{alive} of {fourth.size} quadruples"

# %% mystnb={"figure": {"caption": "All fourth moments of a few independent features, by pairs of indices. Where all four indices agree the moment is the kurtosis; three families of pairs give 1; all else is 0.", "name": "fig-appa-moments"}, "image": {"alt": "A square matrix of colored cells. Dark cells sit where all four indices agree; blue cells join pairs ii and jj; two shades of orange lie on the diagonal and on its mirror image within blocks; all other cells are pale."}} tags=["hide-input"]
surviving = {(0, 0, 0, 0): 0, (0, 0, 2, 2): 1, (0, 1, 0, 1): 2, (0, 1, 1, 0): 3}
quadruples = np.ndindex((n_features,) * 4)
codes = [surviving.get(partition_of(q), 4) for q in quadruples]
codes = np.reshape(codes, fourth.shape)
k = P @ X[:, 0] ** 4
figures.moment_matrix(codes, n_features, str(k))

# %% [markdown]
# A case to follow by hand: two features as an antipodal pair on one neuron, $w_1=1$, $w_2=-1$, both of importance 1.
# The network answers $(x_1-x_2)^2$ where $x_1^2+x_2^2$ is asked for.
# Its error is $-2x_1x_2$, with the mean square $4\,\mathbb{E}[x_1^2]\,\mathbb{E}[x_2^2]=4$ whatever the fourth moment.

# %%
import feature_capacity as fc

[float(fc.expected_loss([[1, -1]], [1, 1], kurtosis)) for kurtosis in (1.8, 9, 100)]

# %% [markdown]
# ## A world with finitely many outcomes
#
# To take an expectation without any rounding, let each feature, independently of the others, have two values only: $a$ with probability $\frac{1}{1+a^2}$ and $-\frac1a$ otherwise.
# Its mean is 0, its variance 1, and its fourth moment $k = a^2 - 1 + a^{-2}$.
# For $a > 1$ it is lopsided: the third moment is $a - \frac1a$, not 0.
# That makes it a good judge, because the derivation must get rid of third moments too.
#
# With $N$ features there are $2^N$ outcomes, and an expectation is a finite sum of fractions.
# The weights are fractions as well, drawn once: a matrix $W$ with $D$ rows, importances $v$, and a bias $b$ which need not be a good one.

# %%
numerators = rng.integers(-6, 7, (n_dims, n_features)).tolist()
W = np.array([[Fraction(e, 8) for e in row] for row in numerators])
v = np.array([Fraction(4 * n_features - i, 12) for i in range(n_features)])
b = Fraction(bias_in_tenths, 10)
names = ["mean", "variance", "third moment", "fourth moment k"]
pd.DataFrame({"exact": [str(P @ X[:, 0] ** r) for r in (1, 2, 3, 4)]}, names)

# %% [markdown]
# ## From the loss to fourth moments
#
# The target is $y=\sum_i v_i x_i^2$, and the model answers $\tilde y=\|Wx\|^2+b$.
# The loss is the squared error:
#
# $$ L(x) = \big(\tilde y(x) - y(x)\big)^2 . $$ (eq-paper-26)
#
# Model and target are quadratic forms, and so is their difference.
# Its matrix is called $D$ in the paper's appendix; we write $A = W^TW - \operatorname{diag}(v)$ and keep $D$ for the number of neurons:
#
# $$ \mathbb{E}[L] = \mathbb{E}\big[(x^T A\, x + b)^2\big] . $$ (eq-paper-27)
#
# Written out,
#
# $$ \mathbb{E}[L] = \mathbb{E}\Big[\Big(\sum_{i,j} A_{ij}\, x_i x_j + b\Big)^2\Big] . $$ (eq-paper-28)


# %%
A = W.T @ W - np.diag(v)
loss = (((X @ W.T) ** 2).sum(axis=1) + b - X**2 @ v) ** 2
exact = P @ loss
exact, round(float(exact), 4)

# %% [markdown]
# Now square the bracket and take the expectation inside the sums:
#
# $$ \mathbb{E}[L] = \sum_{i,j,k,l} A_{ij}A_{kl}\, \mathbb{E}[x_i x_j x_k x_l] + 2b\sum_{i,j} A_{ij}\,\mathbb{E}[x_i x_j] + b^2 . $$ (eq-paper-29)
#
# The moments of all quadruples were enumerated above; no rule about moments is used yet.

# %%
quartic = A.ravel() @ fourth @ A.ravel()
cross = 2 * b * (A.ravel() @ (P @ products))
quartic + cross + b**2

# %% tags=["hide-input"]
form = (X @ A * X).sum(axis=1)
run.check("eq26-loss-is-a-form", loss - (form + b) ** 2)
run.check("eq27-expected-form", P @ (form + b) ** 2 - exact)
run.check("eq28-double-sum", P @ (products @ A.ravel() + b) ** 2 - exact)
run.check("eq29-moments", quartic + cross + b**2 - exact)
run.badge()

# %% [markdown]
# ## Fifteen partitions
#
# Sort the quadruples $(i,j,k,l)$ by which of their indices are equal.
# Four positions can be divided into groups of equal indices in fifteen ways, of five types: all equal (4), three and one (3|1), two and two (2|2), two equal and two alone (2|1|1), all alone (1|1|1|1).
# Every quadruple belongs to exactly one of them, so the sum in {eq}`eq-paper-29` falls into fifteen parts, which we add up separately.

# %%
parts = sums_by_partition(A, fourth.reshape((n_features,) * 4))
by_type = {}
for partition, (_, total) in parts.items():
    by_type.setdefault(partition_type(partition), []).append(total)
pd.DataFrame({
    "partitions": {kind: len(totals) for kind, totals in by_type.items()},
    "their sum": {kind: str(sum(totals)) for kind, totals in by_type.items()},
})  # fmt: skip

# %% mystnb={"figure": {"caption": "The fifteen partitions of four positions. Arcs join positions with equal indices. Below each: how many quadruples are of this kind, and what their terms add up to in the example of this page. Gray ones vanish.", "name": "fig-appa-partitions"}, "image": {"alt": "Arc diagrams in five rows: one partition of type 4, three of type 2|2, four of type 3|1, six of type 2|1|1 and one of type 1|1|1|1. Only the first two rows are colored and have sums that are not zero."}} tags=["hide-input"]
moment_of_kind = {
    "4": r"$\mathbb{E}[x^4]$",
    "2|2": r"$\mathbb{E}[x^2]^2=1$",
    "3|1": r"$\mathbb{E}[x^3]\,\mathbb{E}[x]=0$",
    "2|1|1": r"$\mathbb{E}[x^2]\,\mathbb{E}[x]^2=0$",
    "1|1|1|1": r"$\mathbb{E}[x]^4=0$",
}
glyphs = {p: (p, n, f"{float(total):.3g}") for p, (n, total) in sorted(parts.items())}
figures.partitions([
    (kind, text, [glyph for p, glyph in glyphs.items() if partition_type(p) == kind])
    for kind, text in moment_of_kind.items()
])  # fmt: skip

# %% [markdown]
# An index that stands alone kills its term: by independence its factor $\mathbb{E}[x_i] = 0$ can be taken out.
# That removes three of the five types, and with 3|1 the third moment.
# In {numref}`fig-appa-moments` the dark cells give $\mathbb{E}[x_i^4]\sum_i A_{ii}^2$.
# The blue ones pair the first factor with itself and the second with itself, $A_{ii}A_{jj}$.
# The two shades of orange pair across, $A_{ij}A_{ij}$ and $A_{ij}A_{ji}$, and because $A$ is symmetric these are the same.
# (The index $k$ and the kurtosis $k$ share a letter, in the paper too.)

# %% tags=["hide-input"]
kept = sum(by_type["4"]) + sum(by_type["2|2"])
wanted = np.array([k, 1, 1, 1, 0], dtype=object)[codes]
run.check("appa-fifteen-partitions", len(parts))
dead = [*by_type["3|1"], *by_type["2|1|1"], *by_type["1|1|1|1"]]
run.check("appa-only-two-types-survive", dead)
run.check("appa-surviving-sum", kept - quartic)
run.check("appa-moment-matrix", fourth - wanted)
run.badge()

# %% [markdown]
# ## The four sums
#
# Collect them, and use $\mathbb{E}[x_ix_j]=\delta_{ij}$ in the term with the bias:
#
# $$ \mathbb{E}[L] = \mathbb{E}[x_i^4]\sum_i A_{ii}^2 + \sum_{i\ne j}A_{ii}A_{jj} + 2\sum_{i\ne j}A_{ij}^2 + 2b\sum_i A_{ii} + b^2 . $$ (eq-paper-30)
#
# Lend one $\sum_i A_{ii}^2$ from the first sum to the second, which is then complete,
#
# $$ \mathbb{E}[L] = \big(\mathbb{E}[x_i^4]-1\big)\sum_i A_{ii}^2 + \sum_{i,j}A_{ii}A_{jj} + 2\sum_{i\ne j}A_{ij}^2 + 2b\sum_i A_{ii} + b^2 , $$ (eq-paper-31)
#
# and a square:
#
# $$ \mathbb{E}[L] = \big(\mathbb{E}[x_i^4]-1\big)\sum_i A_{ii}^2 + \Big(\sum_i A_{ii}\Big)^2 + 2\sum_{i\ne j}A_{ij}^2 + 2b\sum_i A_{ii} + b^2 . $$ (eq-paper-32)
#
# Together with the bias it is one square:
#
# $$ \mathbb{E}[L] = \big(\mathbb{E}[x_i^4]-1\big)\sum_i A_{ii}^2 + \Big(b+\sum_i A_{ii}\Big)^2 + 2\sum_{i\ne j}A_{ij}^2 . $$ (eq-paper-33)
#
# In fractions:

# %%
diagonal = np.diag(A)
squares, trace = (diagonal**2).sum(), diagonal.sum()
off = 2 * ((A**2).sum() - squares)
apart = np.outer(diagonal, diagonal).sum() - squares  # sum over i != j
start = {
    30: k * squares + apart + off,
    31: (k - 1) * squares + np.outer(diagonal, diagonal).sum() + off,
    32: (k - 1) * squares + trace**2 + off,
}
lines = {number: part + 2 * b * trace + b**2 for number, part in start.items()}
lines[33] = (k - 1) * squares + (b + trace) ** 2 + off
printed = {number: part + 2 * b * squares + b**2 for number, part in start.items()}
table = {"as above": lines, "as printed": {**printed, 33: lines[33]}}
pd.DataFrame(table).rename("(P{})".format).astype(str)

# %% [markdown]
# :::{admonition} Where we differ: a bias term
# :class: important
# In the first three lines the paper prints $2b\sum_i A_{ii}^2$ for $2b\sum_i A_{ii}$.
# The column on the right shows what that would give; the last line, and all that follows, is as the paper has it ({ref}`errata-bias-term`).
# :::
#
# ### The best bias
#
# The bias sits in one square only, so the best one is $b = -\sum_i A_{ii}$.
# It is also the bias that makes the model right on average: $\mathbb{E}[x^TAx] = \sum_i A_{ii}$.
# What remains is
#
# $$ \mathbb{E}[L] = \big(\mathbb{E}[x_i^4]-1\big)\sum_i A_{ii}^2 + 2\sum_{i\ne j}A_{ij}^2 , $$ (eq-paper-34)
#
# and with $A_{ii} = \|w_i\|^2 - v_i$ and $A_{ij} = w_i\cdot w_j$ the formula of section 3:
#
# $$ \mathbb{E}[L] = \big(\mathbb{E}[x_i^4]-1\big)\sum_i\big(\|w_i\|^2-v_i\big)^2 + 2\sum_{i\ne j}(w_i\cdot w_j)^2 . $$ (eq-paper-35)

# A bias that is off by $t$ costs $t^2$, whatever the features and the weights.
# So the parabolas of {numref}`fig-appa-bias` have one shape and one axis, and the {term}`kurtosis` only lifts them.

# %% mystnb={"figure": {"caption": "Expected loss over the bias at four kurtoses. Lines: (P33). Dots: sums over all outcomes. The best bias does not depend on the kurtosis, and neither does the cost of missing it.", "name": "fig-appa-bias"}, "image": {"alt": "Four parabolas of equal shape, one above the other, with a common vertical dashed axis; dots lie on each."}}
offsets = np.array([Fraction(t, 2) for t in range(-6, 7)])
steps, best = np.linspace(-3.5, 3.5, 141), -trace
curves, dots = {}, {}
for value in (1, 2, 3, 4):
    outcomes, chances = two_point_outcomes(Fraction(value), n_features)
    error = (outcomes @ A * outcomes).sum(axis=1) + best
    kurtosis = float(chances @ outcomes[:, 0] ** 4)
    name = f"$k={kurtosis:.3g}$"
    dots[name] = np.array([chances @ (error + t) ** 2 for t in offsets], float)
    model = W.astype(float), v.astype(float), kurtosis
    curves[name] = fc.expected_loss(*model, bias=float(best) + steps)
at = float(best) + offsets.astype(float)
figures.bias_parabolas(float(best) + steps, curves, at, dots, float(best))

# %% tags=["hide-input"]
run.check("eq30-four-sums", lines[30] - exact)
run.check("eq31-completed-sum", lines[31] - exact)
run.check("eq32-square-of-trace", lines[32] - exact)
run.check("eq33-general-bias", lines[33] - exact)
gram, at_best = W.T @ W, P @ (form + best) ** 2
overlap = (gram**2).sum() - (np.diag(gram) ** 2).sum()
in_vectors = (k - 1) * ((np.diag(gram) - v) ** 2).sum() + 2 * overlap
missed = [found - found[6] for found in dots.values()]
wanted = np.broadcast_to((offsets**2).astype(float), (4, 13))
run.check("appa-best-bias-is-unbiased", P @ (form + best))
run.check("eq34-best-bias", (k - 1) * squares + off - at_best)
run.check("eq35-in-embedding-vectors", in_vectors - at_best)
run.check("appa-miss-costs-its-square", missed, wanted)
on_lines = [curve[10:131:10] for curve in curves.values()]  # one line point in ten has a dot
run.check("appa-parabolas", on_lines, list(dots.values()))
run.badge()

# %% [markdown]
# ## For all numbers at once
#
# So far these were examples, if exact ones.
# SymPy can do the whole derivation with letters.
# A quadruple has at most four different indices, so that four features show every term that can occur; what holds for $N=4$ with arbitrary $A$ holds for all $N$.
# Each feature gets a third and a fourth moment of its own; what is left of the difference from {eq}`eq-paper-33` is

# %%
x, moment3, moment4 = sp.symbols("x:4"), sp.symbols("s:4"), sp.symbols("k:4")
beta, common = sp.symbols("b k")
S = sp.Matrix(4, 4, lambda i, j: sp.Symbol(f"a{min(i, j)}{max(i, j)}"))
vector = sp.Matrix(x)
quadratic = (vector.T * S * vector)[0]
squared = sp.Poly(quadratic**2 + 2 * beta * quadratic, *x)
expected = beta**2
for powers, coefficient in squared.terms():
    each = zip(powers, moment3, moment4, strict=True)
    moments = [(1, 0, 1, third, fourth)[power] for power, third, fourth in each]
    expected += coefficient * sp.prod(moments)
spread = 2 * sum(S[i, j] ** 2 for i in range(4) for j in range(4) if i != j)
own = sum((moment4[i] - 1) * S[i, i] ** 2 for i in range(4))
own += (beta + S.trace()) ** 2 + spread
equation_33 = (common - 1) * sum(S[i, i] ** 2 for i in range(4))
equation_33 += (beta + S.trace()) ** 2 + spread
difference = sp.expand(expected.subs(dict.fromkeys(moment4, common)) - equation_33)
left = sp.expand(expected - own)
difference

# %% [markdown]
# The derivation says a little more than the paper: features need not be identically distributed.
# If feature $i$ has fourth moment $k_i$, its term gets the factor $k_i - 1$, and nothing else changes.
#
# *Independent* they must be, though, and uncorrelated is not enough.
# Take random signs $s_i$ and one common size: $x_i = s_i z$ with $z = a$ or $\frac1a$, chosen so that $\mathbb{E}[z^2]=1$.
# These features have mean 0, variance 1 and no correlation, but $\mathbb{E}[x_i^2x_j^2] = \mathbb{E}[z^4]$ is not 1.
# Their loss over that of the formula:

# %%
wide = Fraction(max(jump, 2))
high = (1 - wide**-2) / (wide**2 - wide**-2)
signs = two_point_outcomes(Fraction(1), n_features)[0]
together = np.concatenate([signs * wide, signs / wide])
weight = np.repeat(np.array([high, 1 - high]), len(signs)) / len(signs)
error = (together @ A * together).sum(axis=1) + best
of_formula = (weight @ together[:, 0] ** 4 - 1) * squares + off
round(float(weight @ error**2 / of_formula), 4)

# %% tags=["hide-input"]
unlike = covariances(together, together, weight) - np.eye(n_features, dtype=int)
run.check("eq33-symbolic", len(sp.Add.make_args(difference)) if difference != 0 else 0)
run.check("appa-own-kurtosis", len(sp.Add.make_args(left)) if left != 0 else 0)
run.check("appa-uncorrelated-inputs", unlike)
run.check("appa-uncorrelated-is-not-enough", abs(weight @ error**2 / of_formula - 1))
run.badge()

# %% [markdown]
# ## Try it
#
# **Random signs.** With `jump` 1 a feature is $+1$ or $-1$, and $k = 1$.
# What is left of the loss?
#
# ```sh
# papermill notebooks/appA_expected_loss.ipynb out.ipynb --cwd notebooks -p jump 1
# ```
#
# :::{admonition} Answer
# :class: dropdown
# The squares $x_i^2$ are constant, so the target is a constant too and the bias can supply it.
# Missing a feature costs nothing; only hallucinated products are punished.
# :::
#
# **The bias that hides a slip.** Three printed equations have a wrong bias term.
# Which bias makes the column *as printed* right all the same?
#
# ```sh
# papermill notebooks/appA_expected_loss.ipynb out.ipynb --cwd notebooks -p bias_in_tenths 0
# ```
#
# :::{admonition} Answer
# :class: dropdown
# Zero: the wrong term is multiplied by $b$, and all four lines of the table are then the same fraction in every column.
# A check at a convenient value proves little.
# :::
#
# **More features.** With five features instead of four, does a larger or a smaller part of the quadruples survive?
#
# ```sh
# papermill notebooks/appA_expected_loss.ipynb out.ipynb --cwd notebooks -p n_features 5
# ```
#
# :::{admonition} Answer
# :class: dropdown
# A smaller one: 65 of 625 instead of 40 of 256.
# Alive are the $N$ quadruples of one index and the $3N(N-1)$ that pair two, so the part falls like $3/N^2$.
# :::
#
# ## To remember
#
# - Of the fifteen partitions of four indices, those with a lone index vanish because the mean is 0; the type 4 brings in the kurtosis, the three of type 2|2 bring in everything else.
# - The expected loss is exact for independent features of mean 0 and variance 1, lopsided ones included.
# - The best bias makes the model right on average, and missing it by $t$ costs $t^2$.
#
# Next: {ref}`appb-correlations` reads the two sums as true and hallucinated correlations.
