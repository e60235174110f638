"""The networks of the zoo by name.

======================  ============================================================================
name                    what it is
======================  ============================================================================
quadratic-independent   squares of six independent features in three neurons
quadratic-power-law     forty features whose importance falls by a power law, in twelve neurons
quadratic-unequal       features that differ in kurtosis, one of them dense
quadratic-dependent     exactly two of six features are on at a time: pairs all depend alike
quadratic-gaussian      correlated Gaussians, which share at kurtosis 3
quadratic-exclusive     a tree of seven features in three dimensions, without loss
computation-…           section 3.7, the sum of an activation computed: quadratic, relu, gelu
autoencoder-…           section 3.7, the input given back: quadratic, relu, gelu
absolute-values         the sum of absolute values computed by three neurons
absolute-values-pair    that of two features computed by one neuron, certified to a part in 1,000
two-layers-clean        squares of squares, the first layer monosemantic
two-layers-shared       squares of squares, the first layer in superposition
======================  ============================================================================
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch

from .. import _digest
from .._arrays import require_known, require_whole, to_numpy
from ..geometry.embeddings import optimal_embedding
from ..models.inputs import SparseInput, SparseUniform, UnitSparseUniform
from ..models.toy_models import ToyModel
from ..theory.allocation import solve_allocation
from ..theory.capacity import capacities
from .cache import kept
from .distributions import ExclusiveTree, FixedNumber, Gaussian, Independent
from .layers import Layered, behind_clean_layer
from .pair import PairOfAbsolutes
from .paths import ZooPaths, paths_of
from .quadratic import Quadratic, all_pairs_alike, exclusive, gaussian, independent
from .record import KINDS, Certificate, KnownNetwork, Optimum, Recipe
from .searched import Searched
from .training import trained

_SIX = (2.0, 1.0, 0.8, 0.7, 0.5, 0.15)  # one whole, four that share, one ignored, at kurtosis 9
_FALLING = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)


def names() -> list[str]:
    """Names of all networks.

    >>> len(names()), names()[0]
    (16, 'quadratic-independent')
    """
    return list(_recipes())


def training_paths(
    name: str,
    rule: str = "adam",
    n_starts: int = 3,
    n_steps: int = 1500,
    n_records: int = 61,
    seed: int = 0,
) -> ZooPaths:
    """Train a network of the zoo and keep records of the way; on the CPU, the same every time.

    Parameters
    ----------
    name : str
        One of :func:`names`.
    rule : {"adam", "descent"}
        Adam as for the kind ``trained``, or plain gradient descent, which takes a tenth of the
        learning rate that would make it leave the optimum; fresh minibatches for both.
    n_starts, n_steps : int
        Random starts, trained side by side, and steps.
    n_records : int
        Evenly spaced over the steps, both ends included.
    seed : int
        Of starts and samples.

    Examples
    --------
    >>> way = training_paths("quadratic-gaussian", n_starts=1, n_steps=20, n_records=2)
    >>> way.W.shape, bool(way.loss[-1, 0] < way.loss[0, 0])
    ((2, 1, 2, 4), True)
    """
    require_whole(seed, "seed", 0, None, "a whole number, at least 0")
    return paths_of(_recipe(name), _optimum(name), rule, n_starts, n_steps, n_records, int(seed))


def summary(name: str) -> str:
    """What a network is, in a sentence."""
    return _recipe(name).summary


def load(name: str, kind: str = "minimized", seed: int = 0) -> KnownNetwork:
    """A network and the truth about it; made when it is first asked for, and then kept on disk.

    Parameters
    ----------
    name : str
        One of :func:`names`.
    kind : {"minimized", "trained", "random"}
        The exact loss minimized to second order from random starts, Adam on minibatches, or
        columns in random directions.
    seed : int
        Of starts, samples and directions.

    Returns
    -------
    KnownNetwork

    Raises
    ------
    ValueError
        For a name, kind or seed that there is not.

    Examples
    --------
    >>> network = load("quadratic-independent", "random")
    >>> network.W.shape, network.certificate.method, network.excess > 0
    ((3, 6), 'closed form', True)
    """
    recipe = _recipe(name)
    require_known("kind", kind, KINDS)
    seed = require_whole(seed, "seed", 0, None, "a whole number, at least 0")
    W, bias = recipe.random(seed) if kind == "random" else _weights(recipe, kind, seed)
    return KnownNetwork(
        name=name,
        kind=kind,
        summary=recipe.summary,
        seed=seed,
        module=recipe.module(W, bias),
        inputs=recipe.inputs,
        importance=np.array(recipe.importance),
        W=W,
        bias=bias,
        capacity=to_numpy(capacities(W)),
        loss=recipe.loss(W, bias),
        optimum=_optimum(name),
    )


def _weights(recipe: Recipe, kind: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    def make() -> dict[str, np.ndarray]:
        made = trained(recipe, seed) if kind == "trained" else recipe.minimized(seed)
        return dict(zip(("W", "bias"), made, strict=True))

    found = kept(f"{recipe.name}-{kind}-{seed}-{_fingerprint()}", make)
    return found["W"], found["bias"]


@lru_cache(maxsize=32)
def _optimum(name: str) -> Optimum:
    """The optimum; kept on disk where it takes a search."""
    recipe = _recipe(name)
    if isinstance(recipe, Quadratic) and recipe.solve is not None:
        return recipe.optimum()
    fresh: list[Optimum] = []

    def make() -> dict[str, np.ndarray]:
        best = recipe.optimum()
        fresh.append(best)
        proof = best.certificate
        words = "\n".join((proof.method, proof.reason)).encode()
        return {
            "W": best.W,
            "bias": best.bias,
            "losses": np.array([proof.loss, proof.lower_bound]),
            "words": np.frombuffer(words, np.uint8),
        }

    found = kept(f"{name}-optimum-{_fingerprint()}", make)
    if fresh:
        return fresh[0]
    method, reason = found["words"].tobytes().decode().split("\n")
    loss, below = found["losses"].tolist()
    proof = Certificate(method, loss, below, reason)
    return Optimum(found["W"], found["bias"], to_numpy(capacities(found["W"])), None, proof)


@lru_cache(maxsize=1)
def _fingerprint() -> str:
    """What weights depend on besides their name: the code, and the libraries that compute."""
    code = [_digest.module_file("zoo.catalog")]
    return _digest.digest(torch.__version__, np.__version__, code=code)[:16]


def _recipe(name: str) -> Recipe:
    require_known("network", name, _recipes())
    return _recipes()[name]


@lru_cache(maxsize=1)
def _recipes() -> dict[str, Recipe]:
    made = [*_quadratic(), *_toys(), *_two_layers()]
    return {recipe.name: recipe for recipe in made}


def _alike(feature: SparseInput, n: int) -> Independent:
    return Independent((feature,) * n)


def _quadratic() -> list[Recipe]:
    sparse, dense = SparseUniform(0.2), SparseUniform(0.72)  # kurtosis 9 and 2.5
    power = tuple(float(i) ** -0.7 for i in range(1, 41))
    rare = SparseUniform(0.06)
    pairs = tuple(
        tuple(1.0 if i == j else 0.4 if i // 2 == j // 2 else 0.0 for j in range(4))
        for i in range(4)
    )
    tree = ExclusiveTree((-1, 0, 0, 1, 1, 2, 2), (0.9, *[0.45] * 6))
    return [
        Quadratic(
            "quadratic-independent",
            "squares of six independent features of kurtosis 9 in three neurons",
            _SIX, 3, _alike(sparse, 6), independent,
        ),
        Quadratic(
            "quadratic-power-law",
            "forty features of kurtosis 45 whose importance falls by a power law, in twelve",
            power, 12, _alike(SparseUniform(0.04), 40), independent,
        ),
        Quadratic(
            "quadratic-unequal",
            "a dense feature (kurtosis 2.5) that shares two neurons with four of kurtosis 30",
            (2.6, 1.0, 1.0, 1.0, 1.0), 2, Independent((dense, rare, rare, rare, rare)), independent,
        ),
        Quadratic(
            "quadratic-dependent",
            "six features in three neurons, exactly two of them on: pairs all depend alike",
            _FALLING, 3, FixedNumber(6, 2), all_pairs_alike,
        ),
        Quadratic(
            "quadratic-gaussian",
            "four Gaussian features, correlated in two pairs, share two neurons at kurtosis 3",
            (1.0, 0.9, 0.8, 0.7), 2, Gaussian(pairs), gaussian,
        ),
        Quadratic(
            "quadratic-exclusive",
            "a tree of seven features, branches exclude each other, in three without loss",
            (1.0,) * 7, 3, tree, exclusive,
        ),
    ]  # fmt: skip


def _toys() -> list[Recipe]:
    signed, unit = SparseUniform(0.1), UnitSparseUniform(0.1)
    made: list[Recipe] = [
        Quadratic(
            "computation-quadratic",
            "section 3.7: the sum of squares of six features computed by three neurons",
            _FALLING, 3, _alike(signed, 6), independent,
        )
    ]  # fmt: skip
    for activation, shown in (("relu", "ReLU"), ("gelu", "GELU")):
        made.append(
            Searched(
                f"computation-{activation}",
                f"section 3.7: the sum of {shown} of six features computed by three neurons",
                _FALLING, 3, _alike(signed, 6), ToyModel("computation", activation),
            )
        )  # fmt: skip
    for activation, shown in (("quadratic", "squares"), ("relu", "ReLU"), ("gelu", "GELU")):
        made.append(
            Searched(
                f"autoencoder-{activation}",
                f"section 3.7: six features given back from three dimensions, {shown}",
                _FALLING, 3, _alike(unit, 6), ToyModel("autoencoder", activation),
            )
        )  # fmt: skip
    made.append(
        Searched(
            "absolute-values",
            "the sum of absolute values of six features computed by three neurons",
            _FALLING, 3, _alike(signed, 6), ToyModel("computation", "abs"),
        )
    )  # fmt: skip
    made.append(
        PairOfAbsolutes(
            "absolute-values-pair",
            "the sum of absolute values of two features computed by one neuron",
            (1.0, 0.8), 1, _alike(signed, 2), ToyModel("computation", "abs", 2, 1),
        )
    )  # fmt: skip
    return made


def _two_layers() -> list[Recipe]:
    feature = SparseUniform(0.3)
    shared = optimal_embedding(
        solve_allocation(np.ones(6), 4, feature.kurtosis), np.random.default_rng(0)
    )
    return [
        Layered(
            "two-layers-clean",
            "squares of squares: six monosemantic neurons, then three for the six",
            _SIX, 3, _alike(feature, 6), behind_clean_layer, np.eye(6),
        ),
        Layered(
            "two-layers-shared",
            "squares of squares: six features share four neurons, then two for the four",
            (1.0, 0.9, 0.8, 0.7), 2, _alike(feature, 6), None, shared,
        ),
    ]  # fmt: skip
