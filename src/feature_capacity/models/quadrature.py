"""Expectations without noise: weighted nodes that stand for all inputs of a sparse distribution.

With N features an input has 2^N on/off masks.  The masks are summed exactly, each with its weight
p^m (1-p)^(N-m), and the active values are integrated by Gauss nodes (few active features) or by
scrambled Sobol points whose weights are corrected so that low moments are exact.
A loss averaged over such nodes is smooth in the weights of a model and the same at every
evaluation, so it can be minimized to second order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, combinations_with_replacement, product

import numpy as np
from scipy.stats import qmc

from .._arrays import require, require_whole, shown
from .inputs import SparseInput

MOST_EXACT_FEATURES = 12
"""Up to this many features all masks are summed; beyond it they are drawn."""

MOST_MOMENT_NODES = 3**8
"""As many nodes :func:`moment_quadrature` makes at most."""

_GAUSS_POINTS = {1: 128, 2: 12}  # points per active value; GELU bends in a small part of its range
_FEW_GAUSS_POINTS = {1: 16, 2: 4}  # of coarse nodes
_COARSE = 1024  # fewer points than this are coarse nodes


@dataclass(frozen=True, eq=False)
class Quadrature:
    """Nodes and weights for expectations over inputs.

    Attributes
    ----------
    x : array (n_nodes, n_features)
    weight : array (n_nodes,)
        Positive, summing to 1.
    all_masks : bool
        Whether every on/off mask was considered; False where masks were drawn at random.
    dropped : float
        Share of the second moment carried by the masks left out as negligible.
    mirrored : bool
        Whether every node x stands for x and -x alike, each with half of its weight.
    """

    x: np.ndarray
    weight: np.ndarray
    all_masks: bool
    dropped: float
    mirrored: bool = False


def sparse_quadrature(
    inputs: SparseInput,
    n_features: int,
    n_points: int = 4096,
    seed: int = 0,
    negligible: float = 1e-6,
    n_masks: int = 512,
    gauss: bool = True,
    mirrored: bool = False,
) -> Quadrature:
    """Nodes for independent features that all have the distribution ``inputs``.

    Parameters
    ----------
    inputs : SparseInput
        :class:`SparseUniform`, :class:`SparseNormal` or :class:`UnitSparseUniform`.
    n_features : int
    n_points : int
        About how many nodes to spend.  They go to the numbers of active features that matter
        at this p, by the root of their share of the second moment.  With fewer than 1,024 the
        Gauss rules are short too: such nodes are for finding the way, not for the result.
    seed : int
        Scrambling of the Sobol points; Gauss points are the same for every seed.
    negligible : float
        Masks of m active features are left out while, together, they carry at most this share of
        the second moment; the share is reported as ``dropped``.
    n_masks : int
        Masks drawn for each number of active features, for more than ``MOST_EXACT_FEATURES``
        features.
    gauss : bool
        Integrate one active feature, and two whose values have both signs unless nodes are
        mirrored, by Gauss rules.
        Without, all values are Sobol points, and nothing is shared with another seed: less exact,
        but a fresh draw, by which minima found on other nodes can be judged.
    mirrored : bool
        For inputs that are as likely as their opposites: nodes in one half of the space, each of
        which stands for its opposite too.  As good as twice as many.

    Examples
    --------
    >>> from feature_capacity import SparseUniform
    >>> rule = sparse_quadrature(SparseUniform(0.2), n_features=3)
    >>> len(rule.weight), round(float(rule.weight @ rule.x[:, 0] ** 4), 9)  # kurtosis 9 / 5p
    (1841, 9.0)
    """
    n = require_whole(n_features, "n_features", 1, None, "a whole number, at least 1")
    require_whole(n_points, "n_points", 64, None, "a whole number, at least 64")
    require(0 <= negligible < 1, f"negligible must be in [0, 1); got {negligible!r}")
    require(
        not mirrored or inputs.moment(1) == inputs.moment(3) == 0,
        f"mirrored nodes take inputs that are as likely as their opposites; got {inputs}",
    )
    generator = np.random.default_rng([seed, n])
    p = inputs.p
    counts = np.arange(n + 1)
    chance = np.array([math.comb(n, m) * p**m * (1 - p) ** (n - m) for m in counts])
    share = chance * counts / (n * p)
    kept, dropped = _keep(share, negligible)

    points, weights = [np.zeros((1, n))], [chance[:1]]
    all_masks = True
    for m in kept.tolist():
        masks = _masks(n, m, n_masks, generator)
        if gauss and (m == 1 or (m == 2 and inputs.mean == 0 and not mirrored)):
            values, value_weight = _gauss_nodes(inputs, m, n_points, mirrored)
        else:
            # Sparse features that share neurons, or are an antipodal pair, cost nothing while one
            # of them is active alone: what is lost, they lose in pairs, however rare these are.
            part = share[m] / share[2:].sum() if m > 1 else share[1]
            most = n_points if mirrored else n_points / 2
            target = n_points * math.sqrt(part) / len(masks)
            fewest = min(max(n_points // 64, 8), 64)  # for a mask that hardly matters
            count = 2 ** round(math.log2(min(max(target, fewest), most)))
            n_sets = len(masks) if mirrored else 1
            values, value_weight = _sobol_nodes(inputs, m, count, n_sets, generator, mirrored)
        all_masks &= len(masks) == math.comb(n, m)
        block = np.zeros((len(masks), values.shape[-2], n))
        np.put_along_axis(block, masks[:, None, :], values, axis=2)
        points.append(block.reshape(-1, n))
        share_of_mask = np.broadcast_to(value_weight, block.shape[:2])
        weights.append(share_of_mask.reshape(-1) * chance[m] / len(masks))
    x, weight = np.concatenate(points), np.concatenate(weights)
    some = weight > 0
    weight = weight[some] / weight.sum()
    return Quadrature(x[some], weight, all_masks, float(dropped), mirrored)


def moment_quadrature(inputs: SparseInput, n_features: int, negligible: float = 1e-8) -> Quadrature:
    """Nodes on which every moment up to the fourth is exact: all that a quadratic model needs.

    The square of (w . x + b)^2 - x_i has degree four, so its expectation on these nodes has no
    error.  A feature takes 0 and two other values; there are 3^n_features nodes, less those that
    carry no more than ``negligible`` of the second moment each.

    >>> from feature_capacity import UnitSparseUniform
    >>> rule = moment_quadrature(UnitSparseUniform(0.5), 2)
    >>> len(rule.weight), round(float(rule.weight @ (rule.x[:, 0] - rule.x[:, 1]) ** 4), 12)
    (9, 0.116666666667)
    """
    n = require_whole(n_features, "n_features", 1, None, "a whole number, at least 1")
    require(3**n <= MOST_MOMENT_NODES, f"n_features must be at most 8 here; got {shown(n)}")
    m1, m2, m3, m4 = (inputs.moment(order) / inputs.p for order in (1, 2, 3, 4))
    # Orthogonal to lower powers of x under x dP: a Gauss rule with one node held at 0.
    if m1 == m3 == 0:
        square, linear = -m4 / m2, 0.0
    else:
        square, linear = np.linalg.solve([[m1, m2], [m2, m3]], [-m3, -m4])
    values = np.roots([1, linear, square]).real
    weight = np.linalg.solve([values, values**2], [m1, m2]) * inputs.p
    values, weight = np.append(0.0, values), np.append(1 - weight.sum(), weight)
    x = np.array(list(product(values, repeat=n)))
    products = np.array([math.prod(c) for c in product(weight, repeat=n)])
    share = products * (x**2).sum(axis=1)
    share /= share.sum()
    some = (share > negligible) | ~x.any(axis=1)
    dropped = float(share[~some].sum())
    return Quadrature(x[some], products[some] / products[some].sum(), True, dropped)


def _keep(share: np.ndarray, negligible: float) -> tuple[np.ndarray, float]:
    """Numbers of active features to keep: all but the rarest that together are negligible."""
    order = np.argsort(share[1:]) + 1
    left_out = np.cumsum(share[order]) <= negligible
    return np.sort(order[~left_out]), share[order[left_out]].sum()


def _masks(n: int, m: int, n_masks: int, generator: np.random.Generator) -> np.ndarray:
    """Positions of the active features: every choice, or a draw when there are too many."""
    if n <= MOST_EXACT_FEATURES or math.comb(n, m) <= n_masks:
        return np.array(list(combinations(range(n), m)))
    return np.argsort(generator.random((n_masks, n)), axis=1)[:, :m]


# Where inputs have one sign, a square of Gauss points has its diagonal on the kink that ReLU makes
# of an antipodal pair; Sobol points do better there, and for the even functions of mirrored nodes.
def _gauss_nodes(
    inputs: SparseInput, m: int, n_points: int, mirrored: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Values of m active features, shape (nodes, m), and weights that sum to 1."""
    x, w = inputs.active_rule((_GAUSS_POINTS if n_points >= _COARSE else _FEW_GAUSS_POINTS)[m])
    grid = np.array(list(product(x, repeat=m)))
    weight = np.array([math.prod(c) for c in product(w, repeat=m)])
    if not mirrored:
        return grid, weight
    half = grid[:, 0] > 0
    return grid[half], 2 * weight[half]


def _sobol_nodes(
    inputs: SparseInput,
    m: int,
    count: int,
    n_sets: int,
    generator: np.random.Generator,
    mirrored: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """The same from scrambled Sobol points, in one set or several.

    Blocks of a power of two points are as even as the whole sequence; with a set for each mask,
    errors of different masks cancel.  Mirrored points have the first value above 0.
    """
    sequence = qmc.Sobol(m, scramble=True, rng=generator)
    u = sequence.random_base2(math.ceil(math.log2(count * n_sets)))
    u = np.clip(u[: count * n_sets], 1e-12, 1 - 1e-12)
    if mirrored:
        u[:, 0] = (1 + u[:, 0]) / 2
    values = inputs.active_from_uniform(u).reshape(n_sets, count, m)
    return values, np.array([_moment_weights(inputs, each, mirrored) for each in values])


def _moment_weights(inputs: SparseInput, values: np.ndarray, mirrored: bool) -> np.ndarray:
    """Weights nearest to equal ones that make low moments exact: all up to the fourth if possible.

    Where that would need a negative weight, which would spoil the least-squares structure, fewer
    moments are asked for until it does not.
    """
    count, m = values.shape
    moment = [1.0] + [inputs.moment(r) / inputs.p for r in range(1, 5)]
    unit = math.sqrt(moment[2])
    for powers in _moment_sets(m):
        if mirrored:  # moments of odd order are exact as it is
            powers = powers[powers.sum(axis=1) % 2 == 0]
        if len(powers) >= count:
            continue
        size = unit ** powers.sum(axis=1)
        basis = np.prod(values[:, None, :] ** powers, axis=2) / size
        target = np.prod(np.array(moment)[powers], axis=1) / size
        system = basis.T @ basis / count
        correction = np.linalg.lstsq(system, target - basis.mean(axis=0), rcond=1e-12)[0]
        weight = (1 + basis @ correction) / count
        if weight.min() > 0:
            return weight
    return np.full(count, 1 / count)


@lru_cache(maxsize=32)
def _moment_sets(m: int) -> list[np.ndarray]:
    """Sets of exponents, from all moments of order four down to means and variances."""
    terms = [t for r in range(5) for t in combinations_with_replacement(range(m), r)]
    powers = np.array([[t.count(i) for i in range(m)] for t in terms])
    order, largest = powers.sum(axis=1), powers.max(axis=1)
    even = (powers % 2 == 0).all(axis=1)
    return [
        powers,
        powers[(order <= 2) | even],
        powers[(order <= 1) | even],
        powers[order <= 2],
        powers[(order <= 1) | ((order == 2) & (largest == 2))],
    ]
