# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# (sec5-conclusions)=
# # Conclusions
#
# **Paper:** section 5 {cite}`scherlis2022`.
# **Claims checked here:** {glue:text}`sec5-claims`, besides those that other pages have checked.
# **Run time:** a few seconds.
#
# :::{admonition} In one minute
# :class: tip
# We put the paper's conclusions into twelve sentences of our own, eleven of results and one of outlook, and go through them one by one: a fresh check where one can be had in a second, and the verdicts of the pages that looked closely.
#
# - What the paper *proves* holds, to rounding error.
# - One word has to be softened: optima of the quadratic model do not *always* have one large block; generically they do.
# - The outlook, that architecture may control the size of {term}`blocks <block>`, rests on comparisons of trained or minimized networks ({ref}`sec3-7-other-models`).
#
# After that comes what a reproduction owes its readers: what was easy, what was hard, what differs and why, and what it costs to run all of it.
# :::

# %% tags=["parameters"] quick={"quick_records": true, "n_problems": 4}
n_features: int = 60  # features of the large example [20 .. 400]
n_dims: int = 15  # its dimensions [2 .. 19]
kurtosis: float = 9.0  # fourth moment k of a feature [3.2 .. 60]
decades: float = 4.0  # importances spread over so many powers of ten [0.5 .. 8]
n_problems: int = 12  # random problems solved without the theory [2 .. 200]
quick_records: bool = False  # read the verdicts of the quick build instead of the published one
seed: int = 0  # of everything random on this page [0 .. 1000000]
device: str = "auto"  # where the numerical minimization runs {auto, cpu, cuda, mps}

# %% tags=["hide-input"]
import math
import os
import platform

import numpy as np
from IPython.display import HTML
from myst_nb import glue

import feature_capacity as fc
from feature_capacity.book.build import Build
from feature_capacity.book.claims.checks import open_page
from feature_capacity.geometry.ensembles import random_efficient
from feature_capacity.figures import sec5_conclusions as figures
from feature_capacity.book.pages import list_pages
from feature_capacity.book.project import find_project
from feature_capacity.solvers.newton import minimize_quadratic
from feature_capacity.models.device import pick_device
from feature_capacity.book.claims.tables import ClaimTable, sentences_html

run = open_page(
    "sec5_conclusions",
    n_features=n_features,
    n_dims=n_dims,
    kurtosis=kurtosis,
    decades=decades,
    n_problems=n_problems,
    quick_records=quick_records,
    seed=seed,
    device=device,
)
print("computed on:", pick_device(device))
glue("sec5-claims", len(run.claims), display=False)
rng = np.random.default_rng(seed)
build = Build(find_project(), quick_records)
verdicts = [row for row in build.claims().rows if row.claim.page != "sec5_conclusions"]

others = [page for page in list_pages(build.project) if page.name != run.page]
known = [s for s in map(build.seconds, others) if s is not None]
cost = f"{math.ceil(sum(known) / 60)} minutes for the {len(known)} pages executed so far, added up" if known else "not measured"
machine = f"{platform.machine()}, {os.cpu_count()} CPU cores, {platform.system()}"
glue("sec5-machine", machine, display=False)
glue("sec5-cost", cost, display=False)

def cited(*patterns):
    """What other pages found on these claims, with links to the cells that measured it."""
    return HTML(ClaimTable(verdicts).select(*patterns).by_section_html(root="../"))

# %% [markdown]
# (sec5-allocation)=
# ## Who gets capacity
#
# The first paragraph is about {term}`allocation`.
#
# 1. *Capacity is the fraction of a dimension that a feature has.* A definition, {eq}`eq-paper-3`.
# 2. *Many features are ignored, or get a full dimension orthogonal to all others; their relative importance decides.*
# 3. *Features are polysemantic only when the marginal loss reduction of more capacity is equal and significant.*
# 4. *That explains the sharp pinning of features at 0 or 1.*
#
# "Significant" is a word that the introduction does not have.
# It can be given a meaning: the common marginal benefit is not only equal, it is at least what any ignored feature would gain from its first bit of capacity.
#
# We take many features with importances spread evenly over some powers of ten.

# %%
importance = np.logspace(0, -decades, n_features)
allocation = fc.solve_allocation(importance, n_dims, kurtosis)
pinned = allocation.phase != fc.POLYSEMANTIC
scaled = fc.solve_allocation(1000 * importance, n_dims, kurtosis)
W = fc.optimal_embedding(allocation, generator=rng)
whole = W[:, allocation.phase == fc.MONOSEMANTIC]
gram = np.abs(whole.T @ W)
gram[:, allocation.phase == fc.MONOSEMANTIC] -= np.diag((whole**2).sum(axis=0))

run.check("sec5-many-are-pinned", pinned.mean())
run.check("sec5-relative-importance", scaled.capacity, allocation.capacity)
run.check("sec5-own-dimension", np.abs(gram).max(initial=0))

benefit = fc.marginal_benefit(allocation.capacity, importance, kurtosis)
shared, ignored = allocation.phase == fc.POLYSEMANTIC, allocation.phase == fc.IGNORED
run.check("sec5-shared-are-equal", benefit[shared], np.full(shared.sum(), allocation.threshold))
run.check("sec5-and-significant", np.append(allocation.threshold - benefit[ignored], allocation.threshold))

# %% [markdown]
# Is the pinning an artifact of the theory?
# We minimize the loss over embeddings for random importances, from random starts, without any use of capacities.

# %%
problems = 10 ** rng.uniform(-1, 1, (n_problems, 8))
minima = minimize_quadratic(problems, kurtosis, n_dims=4, n_starts=8, seed=seed, device=device)
theory = fc.solve_allocation(problems, 4, kurtosis)
run.check("sec5-pinned-without-theory", np.abs(minima.capacity - theory.capacity).max())
glue("sec5-pinned", f"{(theory.phase != fc.POLYSEMANTIC).mean():.0%}", display=False)

# %% mystnb={"figure": {"caption": "The first paragraph in one picture. a: optimal capacities of many features. b: the phase of each of them when all inputs become sparser (downward). None share when inputs are dense, few at the sparsity of panel a, and most of them at the bottom of panel b.", "name": "fig-sec5-fates"}, "image": {"alt": "Left: capacity against importance on a logarithmic axis: zero, then a steep rise through a few shared features, then one. Right: a map with three colors; the band of shared features is absent at the top and widens toward small probabilities."}} tags=["hide-input"]
probability = np.logspace(-3, 0, 61)
kurtoses = np.array([fc.SparseUniform(p).kurtosis for p in probability])
phases = np.array([fc.solve_allocation(importance, n_dims, k).phase for k in kurtoses])
figures.three_fates(importance, allocation, probability, phases)

# %% [markdown]
# In the random problems, {glue:text}`sec5-pinned` of the features are pinned, and the minimizer finds the same capacities as the theory.
# What other pages found:

# %%
cited("eq3-bounds", "fig2-*", "intro-pinning*", "intro-own-dimension*", "eq6-*", "eq7-*", "eq8-*", "sec2-any-diminishing-curves")

# %% [markdown]
# (sec5-model)=
# ## The model and its phase diagram
#
# The second paragraph:
#
# 5. *A two-layer model with quadratic activations gives a phase diagram of capacity.*
# 6. *It agrees qualitatively with that of* {cite}`elhage2022toy`.
# 7. *It confirms the predictions on optimal capacity.*
#
# Sentence 5 and sentence 7 are exact statements.
# Sentence 6 rests on three observations that the introduction names: what matters much more is whole, what matters much less is ignored, and in between lies a region that depends on sparsity.
# In the quadratic model that is a count of phases along a line of growing importance: two when inputs are dense, three when they are sparse.

# %%
V = np.logspace(-2, 2, 401)
diagram = fc.phase_diagram(V, np.array([2.0, 4.0, 9.0, 50.0]), n_features=6, n_dims=3)
phases = [len(np.unique(line)) for line in diagram.phase]
ordered = np.diff(diagram.phase, axis=1).min()
run.check("sec5-phases-along-a-line", phases, [2, 3, 3, 3])
run.check("sec5-phases-in-order", ordered)

# %%
cited("fig4-*", "intro-much-*", "intro-intermediate*", "sec3-7-extreme-*", "sec3-7-same-shape-*", "sec3-7-jump-*", "sec3-7-zero-to-one-*", "sec3-7-smoother-*")

# %% [markdown]
# Taken together, sections 1 and 3.7 qualify sentence 6 themselves.
# The introduction says of both models that a feature of much greater importance is always whole; section 3.7 reports that the autoencoder with six features in three dimensions keeps such features in {term}`superposition`.
#
# (sec5-geometry)=
# ## The geometry
#
# The third paragraph repeats section 4.
#
# 8. *Efficient embeddings are block-semiorthogonal.*
# 9. *Blocks correspond to polytopes: small ones to regular polytopes, large ones to less ordered arrangements.*
# 10. *Large blocks leave capacities free; the capacity of a small block must be a whole number, and these numbers must add up. Small blocks leave lengths free, since each can be scaled by itself.*
#
# Sentence 9 can be made sharp.
# Let $d+1$ features share a block of $d$ dimensions equally.
# The complement of their projection has rank 1 and equal diagonal entries, so all its entries are $\pm 1/(d+1)$: the cosines between features are $\pm 1/d$, and the block is a regular simplex up to signs.
# The smallest shared blocks are regular because they *cannot* be otherwise.
# With more features per dimension there is room for disorder.

# %%
def cosines(n, d):
    """Cosines between the features of a random member of the n equal features in d dimensions."""
    R = fc.embedding_from_capacities(np.full(n, d / n), generator=rng)
    R = R / np.linalg.norm(R, axis=0)
    return np.abs(R.T @ R)[np.triu_indices(n, 1)]

small = {f"{d + 1} in {d}": cosines(d + 1, d) for d in (1, 2, 3, 4)}
large = {f"{3 * d} in {d}": cosines(3 * d, d) for d in (3, 5)}
forced = np.concatenate([np.full(len(c), 1 / d) for d, c in enumerate(small.values(), start=1)])
run.check("sec5-small-blocks-are-forced", np.concatenate(list(small.values())), forced)
run.check("sec5-large-blocks-are-loose", min(c.std() for c in large.values()))

# %% mystnb={"figure": {"caption": "Cosines between all pairs of equal features in random blocks. One feature more than dimensions: a simplex, whatever the random numbers. Three times as many: the angles scatter widely.", "name": "fig-sec5-blocks"}, "image": {"alt": "Six lines with tick marks. Two in one: all at 1; three in two: all at one half; four in three: all at one third; five in four: all at one quarter. Nine in three and fifteen in five: marks spread from 0 to nearly 1."}} tags=["hide-input"]
figures.block_geometry(small | large)

# %% [markdown]
# Sentence 10 on a random embedding of three blocks:

# %%
W = random_efficient([(3, 7), (2, 4), (1, 2)], rng)
c, blocks = fc.capacities(W), fc.blocks(W)
stretched = W.copy()
for block in blocks:
    stretched[:, block.features] *= rng.uniform(0.2, 5)
one_longer = W * (1 + np.eye(W.shape[1]))[:, None]  # feature i twice as long, for each i

run.check("sec5-block-capacities-are-whole", [c[list(b.features)].sum() for b in blocks], [b.dimension for b in blocks])
run.check("sec5-blocks-scale-freely", fc.capacities(stretched), c)
run.check("sec5-features-do-not", np.mean(len(W) - fc.total_capacity(one_longer)))

# %%
cited("thm1-*", "thm2-*", "sec4-polytopes", "eq25-*", "sec4-6-freedom*", "apph-lemma*")

# %% [markdown]
# (sec5-outlook)=
# ## Blocks and architecture
#
# The last paragraph compares models and looks ahead.
#
# 11. *Optima of the quadratic model always have one large block, while the autoencoder of* {cite}`elhage2022toy` *has blocks of many sizes, depending on its training distribution.*
# 12. *So architecture may determine the size of blocks, and with it polysemanticity, besides other means such as the activation function* {cite}`elhage2022solu`.
#
# The first half of sentence 11 is true generically and not always ({ref}`always-one-block`).
# The second half is a report on other work; {ref}`sec3-7-other-models` finds pairs with ReLU and GELU, and mostly one large block with quadratic ({ref}`quadratic-autoencoder`).
# Sentence 12 is a conjecture.
# Two models are an example of it; a test would need a family of architectures.

# %%
cited("sec5-always-one-block", "sec4-6-one-shared-block", "sec4-6-pairs-as-good", "sec3-7-pairs-*", "sec3-7-antipodal-*", "sec3-7-many-neurons-*", "sec4-6-*blocks*")

# %% [markdown]
# ## The whole book at a glance
#
# One square is one claim; the table behind it, with a link to each cell, is in {ref}`claims`.
#
# ```{machine-written} score
# ```

# %% mystnb={"figure": {"caption": "Verdicts on all claims outside this page, by section of the paper, as of the pages executed last. Many orange squares have a blue partner: the errata check a printed formula, which differs, and beside it the corrected one, which agrees.", "name": "fig-sec5-verdicts"}, "image": {"alt": "Rows of small squares, one row per section. Nearly all are blue for agreement; some are orange for differences; pale ones belong to pages that were not executed."}} tags=["hide-input"]
order = sorted({row.claim.section.split(",")[0].split(".")[0] for row in verdicts}, key=lambda s: (s.isupper(), s[0].isdigit(), s))
statuses = {s: sorted(row.status for row in verdicts if row.claim.section.split(",")[0].split(".")[0] == s) for s in order}
figures.verdicts_at_a_glance(statuses)

# %% [markdown]
# ## Does it agree with the paper?
#
# Sentence by sentence, with every check of this book that bears on it:

# %% tags=["hide-input"]
rests_on = {
    "1 capacity is the fraction of a dimension": ("eq3-*",),
    "2 ignored, or a dimension of their own, by relative importance": (
        "sec5-many-are-pinned", "sec5-relative-importance", "sec5-own-dimension", "intro-own-dimension*", "fig2-*",
    ),
    "3 polysemantic only at equal and significant marginal loss reduction": (
        "sec5-shared-are-equal", "sec5-and-significant", "eq6-*", "eq7-*", "eq8-*",
    ),
    "4 which explains the pinning at 0 and 1": ("intro-pinning*", "sec5-pinned-without-theory"),
    "5 the quadratic model has a phase diagram of capacity": ("fig4-*", "sec5-phases-*"),
    "6 which agrees qualitatively with that of the autoencoder": (
        "sec3-7-same-shape-*", "sec3-7-jump-*", "sec3-7-zero-to-one-*", "sec3-7-smoother-*", "sec3-7-extreme-*",
        "intro-much-*", "intro-intermediate*",
    ),
    "7 and confirms the predictions on optimal capacity": ("fig4-*", "sec2-any-diminishing-curves"),
    "8 efficient embeddings are block-semiorthogonal": ("thm1-*", "thm2-*"),
    "9 small blocks are regular polytopes, large ones are not": (
        "sec4-polytopes", "sec5-small-blocks-are-forced", "sec5-large-blocks-are-loose",
    ),
    "10 blocks tie capacities or lengths": (
        "sec5-block-capacities-are-whole", "sec5-blocks-scale-freely", "sec5-features-do-not", "sec4-6-freedom*",
    ),
    "11 always one block in one model, many sizes in the other": (
        "sec5-always-one-block", "sec4-6-one-shared-block", "sec4-6-*blocks*", "sec3-7-pairs-*", "sec3-7-antipodal-*",
        "sec3-7-many-neurons-*",
    ),
    "12 architecture may determine the size of blocks": (),
}  # fmt: skip
everything = ClaimTable([*verdicts, *run.table().rows])
sentences = {sentence: everything.select(*patterns) for sentence, patterns in rests_on.items()}


def numbers(*summaries):
    return ", ".join(s.split()[0] for s, table in sentences.items() if table.summary() in summaries) or "none"


glue("sec5-hold", numbers("holds"), display=False)
glue("sec5-in-part", numbers("holds in part", "does not hold"), display=False)
HTML(sentences_html(sentences, root="../"))

# %% [markdown]
# Each difference is explained in the table below, and in {ref}`deviations`.
# The checks made on this page itself:

# %%
run.table()

# %% [markdown]
# ## What was easy, what was hard, what differs
#
# **Easy.**
# Everything about the quadratic model.
# The loss is exact, so a phase diagram needs no training: the allocation is one sort, and its check is a Newton method on the 18 weights of six features in three dimensions.
# Derivations are short enough to be run line by line.
#
# **Hard.**
# Figure 7.
# The paper does not state inputs, optimizer, grid, restarts, or how the best run was picked, and we know of no public code of the authors; the ReLU and GELU landscapes have many local minima, so each of these choices shows.
# Also hard: to word a claim so that a check can fail it. "Qualitatively similar" had to become a number with a limit before it was measured.
#
# **What differs, and why.**
#
# | sentence | verdict | explanation |
# |---|---|---|
# | 2, and the abstract | holds, but capacity is not in proportion to importance | {ref}`capacity-in-proportion` |
# | 3 | holds; one letter stands for two multipliers | {ref}`two-multipliers` |
# | 5, and section 3.6 | the marginal curves are convex on both sides of $k=3$; what changes is whether they rise or fall | {ref}`convex-or-concave` |
# | 6, and section 3.7 | one jump at mild sparsity, at equal importances, with every nonlinearity; from 0 to 1 with quadratic only, since half of ReLU and of GELU is linear | {ref}`jump-not-from-zero` |
# | 6, and section 3.7 | a smaller jump is left at high sparsity with ReLU and GELU | {ref}`jump-in-sparse-rows` |
# | 6, and section 3.7 | superposed features project on many neurons with quadratic; with ReLU and GELU they lie two to a neuron | {ref}`on-neurons` |
# | 6, and section 3.7 | holds for ReLU in the autoencoder, 6 in 3; with GELU superposition ends at moderate importance | {ref}`gelu-at-extreme-importance` |
# | 8 | holds, with one scale for each block | {ref}`block-scale` |
# | 8, by singular vectors | holds for full rank | {ref}`singular-vectors-rank` |
# | 11 | generically, not always | {ref}`always-one-block` |
# | 11, for the autoencoder | pairs with ReLU and GELU; with quadratic mostly one block | {ref}`quadratic-autoencoder` |
# | appendices A and E | results hold, slips on the way | {ref}`bias-term`, {ref}`covariance-macro` |
#
# None of these reaches a theorem. The full list is in {ref}`deviations`.
#
# ## Checklist
#
# | question | answer |
# |---|---|
# | *Scope:* which claims were tested? | every numbered equation, theorem and figure, and every sentence that a computation can decide; opinions and outlook are named as such |
# | *Methodology:* how? | closed forms against routes that share no code with them: exact moments, enumeration, generic optimizers, sampling; criteria were written down before measuring ({ref}`claims`) |
# | *Data* | none; all inputs are drawn from stated distributions with stated seeds |
# | *Code* | written anew for this book; one small package, tested, with exact versions pinned |
# | *Results:* do they support the paper? | the score above; each verdict links to its cell |
# | *Deviations* | {ref}`deviations`: errata, choices where the paper is silent, and what was not attempted |
# | *Statistics* | sampled values come with standard errors; trained or minimized models with the spread over starts |
# | *Contact with the authors* | none |
# | *Hardware* | {glue:text}`sec5-machine`; no graphics card is needed, and none was used |
# | *Cost* | {glue:text}`sec5-cost`; installing takes a few minutes more, and so does the test suite |
#
# ## Try it
#
# Paste a command at the root of the project; the executed page is then in `out.ipynb`.
#
# **Sparser inputs.** In {numref}`fig-sec5-fates` few features share.
# Does a kurtosis of 50 make more of them share?
#
# ```sh
# papermill notebooks/sec5_conclusions.ipynb out.ipynb --cwd notebooks -p kurtosis 50
# ```
#
# :::{admonition} Answer
# :class: dropdown
# Yes: 21 of the 60, where it was 8.
# Features share when their importances lie within a factor of $(k-1)/2$ of each other, which is now 24.5.
# :::
#
# **More alike.** And importances that spread over a single power of ten?
#
# ```sh
# papermill notebooks/sec5_conclusions.ipynb out.ipynb --cwd notebooks -p decades 1
# ```
#
# :::{admonition} Answer
# :class: dropdown
# That works even better: 36 share, and a single feature still owns a dimension.
# The window of sharing is as wide as before, a factor of 4, but more features lie in it.
# :::
#
# **A long queue.** Four hundred features stand in line for 19 dimensions.
# How many of them own one?
#
# ```sh
# papermill notebooks/sec5_conclusions.ipynb out.ipynb --cwd notebooks -p n_features 400 -p n_dims 19
# ```
#
# :::{admonition} Answer
# :class: dropdown
# None: neighbors are so close in importance that 55 of them share the 19 dimensions, and 345 are ignored.
# :::
#
# ## What we saw
#
# - Sentences that hold in every check: {glue:text}`sec5-hold`; 9 can even be sharpened.
# - Sentences that hold in part: {glue:text}`sec5-in-part`. Sentence 6 holds where the paper itself does not qualify it; in sentence 11 "always" should read "generically".
# - Sentence 12 is an invitation: the blocks that a network forms can be counted with `fc.blocks`, for any architecture.
