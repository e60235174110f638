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
# **Paper:** Appendix A, equations 26–35 {cite}`scherlis2022`.
# **Claims checked here:** {glue:text}`appa-claims`.
# **Run time:** a few seconds.
#
# :::{admonition} In one minute
# :class: tip
# Everything in section 3 rests on one formula, the {term}`expected loss` of the quadratic model.
# Its derivation is bookkeeping: expand a square, get a sum over quadruples of features, and see which quadruples have a moment that is not zero.
# Of fifteen ways in which four indices can coincide, four survive.
# We follow the derivation line by line, and each line is compared with a sum over *all* outcomes of the inputs, in fractions, so that equal means equal.
# {ref}`sec3-1-quadratic-model` tells the same story in brief; here nothing is left out.
# :::

# %% tags=["parameters"]
n_features: int = 4  # features N [3 .. 5]
n_dims: int = 2  # neurons D [1 .. 3]
jump: int = 3  # larger of the two values of a feature [1 .. 8]
bias_in_tenths: int = 7  # ten times the bias b [-50 .. 50]
seed: int = 0  # of the weights [0 .. 1000000]

# %% tags=["hide-input"]
from collections import Counter
from fractions import Fraction
from itertools import product

import numpy as np
import pandas as pd
import sympy as sp
from myst_nb import glue

import feature_capacity as fc
from feature_capacity.book.claims.checks import open_page
from feature_capacity.figures import appA_expected_loss as figures

run = open_page(
    "appA_expected_loss",
    n_features=n_features,
    n_dims=n_dims,
    jump=jump,
    bias_in_tenths=bias_in_tenths,
    seed=seed,
)
glue("appa-claims", len(run.claims), display=False)
rng = np.random.default_rng(seed)

# %% [markdown]
# ## A world with finitely many outcomes
#
# To take an expectation without any rounding, let each feature, independently of the others, have two values only: $a$ with probability $\frac{1}{1+a^2}$ and $-\frac1a$ otherwise.
# Its mean is 0, its variance 1, and its fourth moment $k = a^2 - 1 + a^{-2}$.
# For $a > 1$ it is lopsided: the third moment is $a - \frac1a$, not 0.
# That makes it a good judge, because the derivation must get rid of third moments too.
#
# With $N$ features there are $2^N$ outcomes, and an expectation is a finite sum of fractions.
#
# The weights are fractions as well, drawn once: a matrix $W$ with $D$ rows, importances $v$, and a bias $b$ which need not be a good one.

# %%
def exactly(measured, reference=0):
    """Difference of two exact numbers or arrays of them: 0.0 only if they are equal."""
    return np.asarray(measured - reference, dtype=float)


a = Fraction(jump)
values, chances = [a, -1 / a], [1 / (1 + a * a), a * a / (1 + a * a)]
X = np.array(list(product(values, repeat=n_features)), dtype=object)
P = np.prod(np.array(list(product(chances, repeat=n_features)), dtype=object), axis=1)
numerators = rng.integers(-6, 7, (n_dims, n_features))
W = np.array([[Fraction(int(e), 8) for e in row] for row in numerators])
v = np.array([Fraction(4 * n_features - i, 12) for i in range(n_features)], dtype=object)
b = Fraction(bias_in_tenths, 10)

mean, variance, third, k = (P @ X[:, 0] ** order for order in (1, 2, 3, 4))
pd.DataFrame(
    {"exact": [mean, variance, third, k]},
    index=["mean", "variance", "third moment", "fourth moment k"],
).astype(str)

# %% [markdown]
# ## From the loss to fourth moments
#
# The target is $y=\sum_i v_i x_i^2$, and the model answers $\tilde y=\|Wx\|^2+b$.
# The loss is the squared error (the paper's equation 26):
#
# $$ L(x) = \big(\tilde y(x) - y(x)\big)^2 . $$ (eq-paper-26)
#
# Model and target are quadratic forms, and so is their difference.
# Its matrix is called $D$ in the paper's appendix; we write $A = W^\mathsf{T}W - \operatorname{diag}(v)$ and keep $D$ for the number of neurons (equation 27):
#
# $$ \mathbb{E}[L] = \mathbb{E}\big[(x^\mathsf{T} A\, x + b)^2\big] . $$ (eq-paper-27)
#
# Written out (28),
#
# $$ \mathbb{E}[L] = \mathbb{E}\Big[\Big(\sum_{i,j} A_{ij}\, x_i x_j + b\Big)^2\Big] . $$ (eq-paper-28)

# %%
A = W.T @ W - np.diag(v)
target = (X**2) @ v
output = ((X @ W.T) ** 2).sum(axis=1) + b
loss = (output - target) ** 2
exact = P @ loss
form = (X @ A * X).sum(axis=1)
products = (X[:, :, None] * X[:, None, :]).reshape(len(X), -1)

# %% [markdown]
# Now square the bracket and take the expectation inside the sums (29):
#
# $$ \mathbb{E}[L] = \sum_{i,j,k,l} A_{ij}A_{kl}\, \mathbb{E}[x_i x_j x_k x_l] + 2b\sum_{i,j} A_{ij}\,\mathbb{E}[x_i x_j] + b^2 . $$ (eq-paper-29)
#
# The moments of all quadruples are enumerated like everything else here; no rule about moments is used yet.

# %%
fourth = products.T @ (P[:, None] * products)
second = products.T @ P
quartic, cross = A.ravel() @ fourth @ A.ravel(), 2 * b * (A.ravel() @ second)

# %% tags=["hide-input"]
run.check("eq26-loss-is-a-form", exactly(loss, (form + b) ** 2))
run.check("eq27-expected-form", exactly(P @ (form + b) ** 2, exact))
run.check("eq28-double-sum", exactly(P @ (products @ A.ravel() + b) ** 2, exact))
run.check("eq29-moments", exactly(quartic + cross + b**2, exact))
run.badge()

# %% [markdown]
# ## Fifteen partitions
#
# Sort the quadruples $(i,j,k,l)$ by which of their indices are equal.
# Four positions can be divided into groups of equal indices in fifteen ways, of five types: all equal (4), three and one (3|1), two and two (2|2), two equal and two alone (2|1|1), all alone (1|1|1|1).
# Every quadruple belongs to exactly one of them, so the sum in {eq}`eq-paper-29` falls into fifteen parts, which we add up separately.

# %%
def pattern(quadruple):
    """For each position, where its index occurs first: equal indices, equal entries."""
    return tuple(quadruple.index(index) for index in quadruple)


quadruples = list(product(range(n_features), repeat=4))
parts = {p: Fraction(0) for p in sorted({pattern(q) for q in product(range(4), repeat=4)})}
count = Counter(pattern(q) for q in quadruples)
for (i, j, m, n), moment in zip(quadruples, fourth.ravel(), strict=True):
    parts[pattern((i, j, m, n))] += A[i, j] * A[m, n] * moment


def kind(p):
    return "|".join(str(size) for size in sorted(Counter(p).values(), reverse=True))


dead = [total for p, total in parts.items() if kind(p) not in ("4", "2|2")]
alive = [total for p, total in parts.items() if kind(p) in ("4", "2|2")]

# %% mystnb={"figure": {"caption": "The fifteen partitions of four positions. Arcs join positions with equal indices. Below each: how many quadruples are of this kind, and what their terms add up to in the example of this page. Gray ones vanish.", "name": "fig-appa-partitions"}, "image": {"alt": "Arc diagrams in five rows: one partition of type 4, three of type 2|2, four of type 3|1, six of type 2|1|1 and one of type 1|1|1|1. Only the first two rows are colored and have sums that are not zero."}} tags=["hide-input"]
moment_of_kind = {
    "4": r"$\mathbb{E}[x^4]$",
    "2|2": r"$\mathbb{E}[x^2]^2=1$",
    "3|1": r"$\mathbb{E}[x^3]\,\mathbb{E}[x]=0$",
    "2|1|1": r"$\mathbb{E}[x^2]\,\mathbb{E}[x]^2=0$",
    "1|1|1|1": r"$\mathbb{E}[x]^4=0$",
}


def short(total):
    return "0" if total == 0 else f"{float(total):.3g}"


rows = [
    (name, text, [(p, count[p], short(t)) for p, t in parts.items() if kind(p) == name])
    for name, text in moment_of_kind.items()
]
figures.partitions(rows)

# %% [markdown]
# An index that stands alone kills its term: by independence its factor $\mathbb{E}[x_i] = 0$ can be taken out.
# That removes three of the five types, and with 3|1 the third moment.
# Most quadruples die.
# {numref}`fig-appa-moments` shows those that remain, in the matrix whose entries are all moments $\mathbb{E}[x_ix_j \cdot x_kx_l]$.

# %%
names = list(figures.PATTERN_COLORS)
surviving = {(0, 0, 0, 0): 0, (0, 0, 2, 2): 1, (0, 1, 0, 1): 2, (0, 1, 1, 0): 3}
codes = [surviving.get(pattern(q), names.index("none")) for q in quadruples]
codes = np.reshape(codes, fourth.shape)
by_code = np.array([k, 1, 1, 1, 0], dtype=object)
glue("appa-alive", int((codes < 4).sum()), display=False)
glue("appa-quadruples", codes.size, display=False)

# %% mystnb={"figure": {"caption": "All fourth moments of a few independent features, by pairs of indices. Where all four indices agree the moment is the kurtosis; three families of pairs give 1; all else is 0.", "name": "fig-appa-moments"}, "image": {"alt": "A square matrix of colored cells. Dark cells sit where all four indices agree; blue cells join pairs ii and jj; two shades of orange lie on the diagonal and on its mirror image within blocks; all other cells are pale."}} tags=["hide-input"]
figures.moment_matrix(codes, n_features, str(k))

# %% [markdown]
# Of {glue:text}`appa-quadruples` quadruples, {glue:text}`appa-alive` are alive.
# (The index $k$ and the kurtosis $k$ share a letter, in the paper too.)
# The dark cells give $\mathbb{E}[x_i^4]\sum_i A_{ii}^2$.
# The blue ones pair the first factor with itself and the second with itself, $A_{ii}A_{jj}$.
# The two shades of orange pair across, $A_{ij}A_{ij}$ and $A_{ij}A_{ji}$, and because $A$ is symmetric these are the same.

# %% tags=["hide-input"]
run.check("appa-fifteen-partitions", len(parts))
run.check("appa-only-two-types-survive", exactly(np.array(dead)))
run.check("appa-surviving-sum", exactly(sum(alive), quartic))
run.check("appa-moment-matrix", exactly(fourth, by_code[codes]))
run.badge()

# %% [markdown]
# ## The four sums
#
# Collect them, and use $\mathbb{E}[x_ix_j]=\delta_{ij}$ in the term with the bias (equation 30):
#
# $$ \mathbb{E}[L] = \mathbb{E}[x_i^4]\sum_i A_{ii}^2 + \sum_{i\ne j}A_{ii}A_{jj} + 2\sum_{i\ne j}A_{ij}^2 + 2b\sum_i A_{ii} + b^2 . $$ (eq-paper-30)
#
# Lend one $\sum_i A_{ii}^2$ from the first sum to the second, which is then complete (31),
#
# $$ \mathbb{E}[L] = \big(\mathbb{E}[x_i^4]-1\big)\sum_i A_{ii}^2 + \sum_{i,j}A_{ii}A_{jj} + 2\sum_{i\ne j}A_{ij}^2 + 2b\sum_i A_{ii} + b^2 , $$ (eq-paper-31)
#
# and a square (32):
#
# $$ \mathbb{E}[L] = \big(\mathbb{E}[x_i^4]-1\big)\sum_i A_{ii}^2 + \Big(\sum_i A_{ii}\Big)^2 + 2\sum_{i\ne j}A_{ij}^2 + 2b\sum_i A_{ii} + b^2 . $$ (eq-paper-32)
#
# Together with the bias it is one square (33):
#
# $$ \mathbb{E}[L] = \big(\mathbb{E}[x_i^4]-1\big)\sum_i A_{ii}^2 + \Big(b+\sum_i A_{ii}\Big)^2 + 2\sum_{i\ne j}A_{ij}^2 . $$ (eq-paper-33)
#
# In 30, 31 and 32 the paper prints $2b\sum_i A_{ii}^2$ for $2b\sum_i A_{ii}$, a slip that {ref}`errata-bias-term` deals with.
# In fractions it shows at a glance:

# %%
diagonal = np.diag(A)
squares, trace = (diagonal**2).sum(), diagonal.sum()
off = 2 * ((A**2).sum() - squares)
mixed = sum(p * q for i, p in enumerate(diagonal) for j, q in enumerate(diagonal) if i != j)
complete = sum(p * q for p, q in product(diagonal, repeat=2))
before_bias = {
    30: k * squares + mixed + off,
    31: (k - 1) * squares + complete + off,
    32: (k - 1) * squares + trace**2 + off,
}
lines = {number: rest + 2 * b * trace + b**2 for number, rest in before_bias.items()}
printed = {number: rest + 2 * b * squares + b**2 for number, rest in before_bias.items()}
lines[33] = printed[33] = (k - 1) * squares + (b + trace) ** 2 + off
comparison = pd.DataFrame({"printed": printed, "corrected": lines})
comparison.insert(0, "exact", [exact] * len(lines))
comparison.rename(index="eq. {}".format).astype(str)

# %% tags=["hide-input"]
run.check("eq30-four-sums", exactly(lines[30], exact))
run.check("eq31-completed-sum", exactly(lines[31], exact))
run.check("eq32-square-of-trace", exactly(lines[32], exact))
run.check("eq33-general-bias", exactly(lines[33], exact))
run.badge()

# %% [markdown]
# ## The best bias
#
# The bias sits in one square only, so the best one is $b = -\sum_i A_{ii}$.
# It is also the bias that makes the model right on average: $\mathbb{E}[x^\mathsf{T}Ax] = \sum_i A_{ii}$.
# What remains is equation 34,
#
# $$ \mathbb{E}[L] = \big(\mathbb{E}[x_i^4]-1\big)\sum_i A_{ii}^2 + 2\sum_{i\ne j}A_{ij}^2 , $$ (eq-paper-34)
#
# and with $A_{ii} = \|w_i\|^2 - v_i$ and $A_{ij} = w_i\cdot w_j$ the formula of section 3 (35):
#
# $$ \mathbb{E}[L] = \big(\mathbb{E}[x_i^4]-1\big)\sum_i\big(\|w_i\|^2-v_i\big)^2 + 2\sum_{i\ne j}(w_i\cdot w_j)^2 . $$ (eq-paper-35)

# %%
best = -trace
gram = W.T @ W
overlap = sum(gram[i, j] ** 2 for i in range(n_features) for j in range(n_features) if i != j)
in_vectors = (k - 1) * ((np.diag(gram) - v) ** 2).sum() + 2 * overlap
at_best = P @ (form + best) ** 2

# %% [markdown]
# A bias that is off by $t$ costs $t^2$, whatever the features and the weights.
# So the parabolas of {numref}`fig-appa-bias` have one shape and one axis, and the {term}`kurtosis` only lifts them.

# %%
offsets = [Fraction(t, 2) for t in range(-6, 7)]
curves, dots = {}, {}
steps = np.linspace(-3.5, 3.5, 141)
W_float, v_float = W.astype(float), v.astype(float)
for value in (1, 2, 3, 4):
    law = [Fraction(1, 1 + value**2), Fraction(value**2, 1 + value**2)]
    points = np.array(list(product([Fraction(value), Fraction(-1, value)], repeat=n_features)))
    weight = np.prod(np.array(list(product(law, repeat=n_features))), axis=1)
    error = (points @ A * points).sum(axis=1)
    kurtosis = float(weight @ points[:, 0] ** 4)
    name = f"$k={kurtosis:.3g}$"
    dots[name] = np.array([float(weight @ (error + best + t) ** 2) for t in offsets])
    curves[name] = fc.expected_loss(W_float, v_float, kurtosis, bias=float(best) + steps)

# %% mystnb={"figure": {"caption": "Expected loss over the bias at four kurtoses. Lines: equation 33. Dots: sums over all outcomes. The best bias does not depend on the kurtosis, and neither does the cost of missing it.", "name": "fig-appa-bias"}, "image": {"alt": "Four parabolas of equal shape, one above the other, with a common vertical dashed axis; dots lie on each."}} tags=["hide-input"]
figures.bias_parabolas(
    float(best) + steps, curves, float(best) + np.array(offsets, dtype=float), dots, float(best)
)

# %% tags=["hide-input"]
run.check("appa-best-bias-is-unbiased", exactly(P @ (form + best)))
run.check("eq34-best-bias", exactly((k - 1) * squares + off, at_best))
run.check("eq35-in-embedding-vectors", exactly(in_vectors, at_best))
run.check(
    "appa-miss-costs-its-square",
    [dots[name] - dots[name][6] for name in dots],
    np.broadcast_to(np.array(offsets, dtype=float) ** 2, (4, 13)),
)
run.badge()

# %% [markdown]
# ## For all numbers at once
#
# So far these were examples, if exact ones.
# SymPy can do the whole derivation with letters.
# A quadruple has at most four different indices, so that four features show every term that can occur; what holds for $N=4$ with arbitrary $A$ holds for all $N$.
# Each feature gets a third and a fourth moment of its own.

# %%
x, moment3, moment4 = sp.symbols("x:4"), sp.symbols("s:4"), sp.symbols("k:4")
beta, common = sp.symbols("b k")
S = sp.Matrix(4, 4, lambda i, j: sp.Symbol(f"a{min(i, j)}{max(i, j)}"))
vector = sp.Matrix(x)
squared = sp.Poly((vector.T * S * vector)[0] ** 2 + 2 * beta * (vector.T * S * vector)[0], *x)
expected = beta**2
for powers, coefficient in squared.terms():
    factors = [(1, 0, 1, moment3[f], moment4[f])[power] for f, power in enumerate(powers)]
    expected += coefficient * sp.prod(factors)
spread = 2 * sum(S[i, j] ** 2 for i in range(4) for j in range(4) if i != j)
own = sum((moment4[i] - 1) * S[i, i] ** 2 for i in range(4)) + (beta + S.trace()) ** 2 + spread
equation_33 = (common - 1) * sum(S[i, i] ** 2 for i in range(4))
equation_33 += (beta + S.trace()) ** 2 + spread
difference = sp.expand(expected.subs(dict.fromkeys(moment4, common)) - equation_33)
left = sp.expand(expected - own)

# %% [markdown]
# The second line says a little more than the paper: features need not be identically distributed.
# If feature $i$ has fourth moment $k_i$, its term gets the factor $k_i - 1$, and nothing else changes.
#
# *Independent* they must be, though, and uncorrelated is not enough.
# Take random signs $s_i$ and one common size: $x_i = s_i z$ with $z = a$ or $\frac1a$, chosen so that $\mathbb{E}[z^2]=1$.
# These features have mean 0, variance 1 and no correlation, but $\mathbb{E}[x_i^2x_j^2] = \mathbb{E}[z^4]$ is not 1.

# %%
wide = a if jump > 1 else Fraction(2)
high = (1 - wide**-2) / (wide**2 - wide**-2)
signs = np.array(list(product([1, -1], repeat=n_features)), dtype=object)
together = np.concatenate([signs * wide, signs / wide])
weight = np.repeat(np.array([high, 1 - high], dtype=object), len(signs)) / len(signs)
covariance = together.T @ (weight[:, None] * together)
error = (together @ A * together).sum(axis=1) + best
kurtosis = weight @ together[:, 0] ** 4
formula = (kurtosis - 1) * squares + off

# %% tags=["hide-input"]
run.check("eq33-symbolic", len(difference.as_coefficients_dict()) if difference != 0 else 0)
run.check("appa-own-kurtosis", len(left.as_coefficients_dict()) if left != 0 else 0)
run.check("appa-uncorrelated-inputs", exactly(covariance, np.eye(n_features, dtype=int)))
run.check("appa-uncorrelated-is-not-enough", abs(float(weight @ error**2 / formula) - 1))
run.badge()

# %% [markdown]
# ## Does it agree with the paper?
#
# Yes, in every line, once the bias term of equations 30 to 32 is corrected; that slip is counted on the page {ref}`errata`, not here.
#
# All verdicts of this page are among {ref}`claims`, with what each measurement came to.
#
# ## Try it
#
# Paste a command at the root of the project; the executed page is then in `out.ipynb`.
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
# Which bias makes the column *printed* right all the same?
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
# ## What we saw
#
# * Of the fifteen partitions of four indices, those with a lone index vanish because the mean is 0; the type 4 brings in the kurtosis, the three of type 2|2 bring in everything else.
# * Equations 33 to 35 are exact for independent features of mean 0 and variance 1, lopsided ones included.
# * The best bias makes the model right on average, and missing it by $t$ costs $t^2$.
#
# Next: {ref}`appb-correlations` reads the two sums as true and hallucinated correlations.
