"""Random capacities and random efficient embeddings, to test against and to compare with."""

from collections.abc import Sequence

import numpy as np

from .._arrays import require, require_generator, require_whole, shown
from .embeddings import embedding_from_capacities, tegum_product
from .rotations import random_rotation, with_sum


def random_capacities(
    n_features: int, generator: np.random.Generator, n_dims: int | None = None
) -> np.ndarray:
    """Capacities strictly between 0 and 1 that sum to a whole number of dimensions.

    Some draws are even, some have a few large features among many small ones, some the reverse.

    Parameters
    ----------
    n_features : int
        At least 2.
    generator : numpy.random.Generator
    n_dims : int, optional
        From 1 to ``n_features - 1``; default: drawn from that range.

    Returns
    -------
    array, shape (n_features,)

    Examples
    --------
    >>> c = random_capacities(9, np.random.default_rng(0), n_dims=4)
    >>> bool(((c > 0) & (c < 1)).all()), float(c.sum().round(12))
    (True, 4.0)
    """
    require_generator(generator)
    require_whole(n_features, "n_features", 2, None, "a whole number, at least 2")
    if n_dims is None:
        n_dims = int(generator.integers(1, n_features))
    rule = f"a whole number from 1 to n_features - 1 ({n_features - 1})"
    require_whole(n_dims, "n_dims", 1, n_features - 1, rule)
    c = generator.uniform(0.001, 0.999, n_features) ** generator.choice([0.3, 1.0, 4.0])
    return with_sum(c, n_dims)


def random_efficient(
    shapes: Sequence[tuple[int, int]], generator: np.random.Generator, n_ignored: int = 0
) -> np.ndarray:
    """A random efficient embedding W = Q B P with blocks of the given shapes (section 4.4).

    Every block is a random semiorthogonal matrix times a random length between 1/2 and 2; Q is a
    random rotation of the space and P a random order of the features.

    Parameters
    ----------
    shapes : sequence of (dimension, features)
        One pair per block, with at least as many features as dimensions.
    generator : numpy.random.Generator
    n_ignored : int
        Zero columns to add.

    Returns
    -------
    array, shape (sum of dimensions, sum of features + n_ignored)

    Examples
    --------
    >>> from feature_capacity import total_capacity
    >>> W = random_efficient([(2, 5), (1, 2)], np.random.default_rng(0), n_ignored=1)
    >>> W.shape, float(total_capacity(W).round(12))
    ((3, 8), 3.0)
    """
    require_generator(generator)
    pairs = all(isinstance(shape, (tuple, list)) and len(shape) == 2 for shape in shapes)
    require(
        len(shapes) > 0 and pairs,
        f"shapes must name at least one block, as pairs (dimension, features); got {shown(shapes)}",
    )
    require_whole(n_ignored, "n_ignored", 0, None, "a whole number, at least 0")
    parts = []
    for dimension, n_features in shapes:
        require_whole(n_features, "the features of a block", 1, None, "a whole number, at least 1")
        rule = f"a whole number from 1 to the features of the block ({n_features})"
        require_whole(dimension, "the dimension of a block", 1, n_features, rule)
        frame, _ = np.linalg.qr(generator.standard_normal((n_features, dimension)))
        parts.append(2 ** generator.uniform(-1, 1) * frame.T)
    B = tegum_product(*parts)
    B = np.concatenate([B, np.zeros((len(B), n_ignored))], axis=1)
    Q = random_rotation(len(B), generator)
    return Q @ B[:, generator.permutation(B.shape[1])]


def random_block_cosines(
    n_features: int, n_dims: int, generator: np.random.Generator
) -> np.ndarray:
    """Cosines without sign between all features of a random block that they share equally.

    Parameters
    ----------
    n_features, n_dims : int
        Every feature gets the capacity n_dims / n_features.
    generator : numpy.random.Generator

    Returns
    -------
    array, shape (n_features * (n_features - 1) / 2,)

    Examples
    --------
    One feature more than dimensions makes a regular simplex, up to signs:

    >>> random_block_cosines(3, 2, np.random.default_rng(0)).round(12)
    array([0.5, 0.5, 0.5])
    """
    R = embedding_from_capacities(np.full(n_features, n_dims / n_features), generator=generator)
    R = R / np.linalg.norm(R, axis=0)
    return np.abs(R.T @ R)[np.triu_indices(n_features, 1)]


def random_shapes(
    n_features: int, n_dims: int, generator: np.random.Generator
) -> list[tuple[int, int]]:
    """Dimensions and features of one to three blocks that fill a space, for `random_efficient`.

    >>> shapes = random_shapes(12, 5, np.random.default_rng(0))
    >>> [sum(sizes) for sizes in zip(*shapes)]
    [5, 12]
    """
    r = int(generator.integers(1, min(3, n_dims) + 1))
    even = np.full(r, 1 / r)
    dims = 1 + generator.multinomial(n_dims - r, even)
    features = dims + generator.multinomial(n_features - n_dims, even)
    return list(zip(dims.tolist(), features.tolist(), strict=True))


def even_shapes(n_features: int, n_dims: int, n_blocks: int) -> list[tuple[int, int]]:
    """Dimensions and features of blocks that are as nearly equal as they can be.

    >>> even_shapes(12, 5, 2)
    [(3, 7), (2, 5)]
    """
    dims, more = (
        [len(part) for part in np.array_split(range(total), n_blocks)]
        for total in (n_dims, n_features - n_dims)
    )
    return [(d, d + extra) for d, extra in zip(dims, more, strict=True)]
