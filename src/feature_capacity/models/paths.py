r"""The way that training takes: weights, loss and turning along it.

Three rules: *gradient*, plain gradient descent; *momentum*; *adam*.  Without a batch size the
gradient is that of the expected loss, on the nodes of a quadrature; with one it is that of a fresh
batch at every step.

*Turning.*  Where the loss depends on W through :math:`W^TW` alone, as in the quadratic model and in
every autoencoder here, its gradient is :math:`WQ` with a symmetric Q, for the expected loss and for
each batch.  A step of plain gradient descent then has
:math:`W'W^T=W(I-rQ)W^T`, which is symmetric: no step turns the embedding.  Momentum adds up
gradients of different W, and Adam divides entry by entry; both turn it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .._arrays import ArrayLike, require, require_known, require_number, require_whole, to_numpy
from .activations import with_slope
from .device import pick_device
from .inputs import SparseInput, SparseUniform, UnitSparseUniform
from .quadrature import sparse_quadrature
from .toy_models import ToyModel, output, squared_error

RULES: dict[str, Callable[[list[Tensor], float], torch.optim.Optimizer]] = {
    "gradient": lambda weights, rate: torch.optim.SGD(weights, lr=rate),
    "momentum": lambda weights, rate: torch.optim.SGD(weights, lr=rate, momentum=0.9),
    "adam": lambda weights, rate: torch.optim.Adam(weights, lr=rate),
}
"""Ways to take a step, by the name that `training_paths` takes."""


@dataclass(frozen=True)
class Paths:
    """Several models on their way; NumPy arrays, records first.

    Attributes
    ----------
    steps : integer array (n_records,)
    W : array (n_records, n_models, n_dims, n_features)
    loss : array (n_records, n_models)
        Expected loss on the nodes; of the computation model at its best bias.
    turned : array (n_records, n_models)
        Angle by which all steps so far have turned the embedding, in radians, summed without
        signs; see :func:`turn`.
    """

    steps: np.ndarray
    W: np.ndarray
    loss: np.ndarray
    turned: np.ndarray


def training_paths(
    model: ToyModel,
    inputs: SparseInput,
    importance: ArrayLike,
    rule: str = "gradient",
    batch_size: int | None = None,
    n_steps: int = 2000,
    learning_rate: float = 0.01,
    start_size: float = 0.1,
    n_models: int = 4,
    n_records: int = 100,
    n_points: int = 512,
    seed: int = 0,
    device: str = "auto",
) -> Paths:
    """Train models from random starts and keep records of the way.

    The computation model has the best bias at every step; that of the autoencoder is trained.

    Parameters
    ----------
    model : ToyModel
    inputs : SparseInput
    importance : array, shape (n_features,)
    rule : {"gradient", "momentum", "adam"}
    batch_size : int, optional
        Samples at every step, at least 2; default: the expectation.
    n_steps, learning_rate
    start_size : float
        Standard deviation of the entries of W at the start.
    n_models : int
        Starts.
    n_records : int
        Records, evenly spaced over the steps, both ends included.
    n_points : int
        Nodes of the expectation, about.
    seed : int
        Of starts, nodes and samples.
    device : str
        ``auto``, ``cpu``, ``cuda``, ``mps``.

    Examples
    --------
    >>> from feature_capacity import SparseUniform
    >>> model = ToyModel("computation", "quadratic", n_features=2, n_dims=1)
    >>> paths = training_paths(model, SparseUniform(1.0), [2.0, 1.0], n_steps=300, n_models=1)
    >>> bool(paths.loss[-1, 0] < paths.loss[0, 0]), bool(paths.turned.max() < 1e-12)
    (True, True)
    """
    v = model.importance_rows(np.atleast_2d(to_numpy(importance)), "1")
    require(len(v) == 1, "importance must have shape (n_features,)")
    require(model.bias == "best", f"the model must have the best bias here; got {model.bias!r}")
    require_known("rule", rule, RULES)
    for name, value in (("n_steps", n_steps), ("n_models", n_models)):
        require_whole(value, name, 1, None, "a whole number, at least 1")
    require_whole(n_records, "n_records", 2, None, "a whole number, at least 2")
    require_number(learning_rate, "learning_rate", 1e-12, 1e12, "(0, 1e12]")
    where = pick_device(device)
    n, shape = model.n_features, (n_models, model.n_dims, model.n_features)
    start = start_size * np.random.default_rng(seed).standard_normal(shape)
    W = torch.from_numpy(start).to(where).requires_grad_()
    bias = torch.zeros((n_models, *model.bias_shape), dtype=W.dtype, device=where)
    trained = [W]
    if model.kind == "autoencoder":
        trained.append(bias.requires_grad_())
    nodes = sparse_quadrature(inputs, n, n_points, seed)
    x, weight = (torch.from_numpy(a).to(where) for a in (nodes.x, nodes.weight))
    importances = torch.from_numpy(v).to(where).expand(n_models, n)
    draw = _batches(inputs, n_models, n, batch_size, seed, where)
    stepper = RULES[rule](trained, learning_rate)

    kept = set(np.linspace(0, n_steps, n_records).round().astype(int).tolist())
    turned = torch.zeros(n_models, dtype=W.dtype, device=where)
    records = []
    for step in range(n_steps + 1):
        if step in kept:
            with torch.no_grad():
                loss = _loss(model, W, bias, importances, x, weight)
            records.append((step, *(to_numpy(part).copy() for part in (W, loss, turned))))
        stepper.zero_grad(set_to_none=True)
        batch = (x, weight) if draw is None else draw()
        _loss(model, W, bias, importances, *batch).sum().backward()
        before = W.detach().clone()
        stepper.step()
        turned = turned + turn(before, W.detach())
    require(
        np.isfinite(np.asarray(records[-1][2])).all(),
        f"training went out of range at learning_rate {learning_rate:g}: take a smaller one",
    )
    return Paths(*(np.array(column) for column in zip(*records, strict=True)))


def compare_rules(
    importance: ArrayLike,
    n_dims: int,
    probability: float,
    n_steps: int = 1500,
    batch_size: int = 128,
    n_models: int = 3,
    seed: int = 0,
    device: str = "auto",
) -> dict[str, dict[str, Paths]]:
    """Paths of five models of section 3.7 under three rules, by the names of model and rule.

    The rules are "gradient" (of the expected loss), "batches" (plain descent with a fresh batch at
    every step) and "Adam" (with batches).  Learning rates of the first two are fixed parts of what
    the curvature allows, that of Adam is 0.01.

    Parameters
    ----------
    importance : array, shape (n_features,)
    n_dims : int
    probability : float
        Of a feature to be active; inputs of the computation models are sparse uniform of
        variance 1, those of the autoencoders uniform on [0, 1].
    n_steps, batch_size, n_models, seed, device
        Of :func:`training_paths`.

    Examples
    --------
    >>> paths = compare_rules([1.0, 0.5], 1, 0.2, n_steps=2, n_models=1)
    >>> list(paths)[0], list(paths["autoencoder, GELU"])
    ('computation, quadratic', ['gradient', 'batches', 'Adam'])
    """
    two_sided, one_sided = SparseUniform(probability), UnitSparseUniform(probability)
    largest = float(np.max(to_numpy(importance)))
    steep = 0.015 / ((two_sided.kurtosis - 1) * largest)
    cases: dict[str, tuple[str, str, SparseInput, float]] = {
        "computation, quadratic": ("computation", "quadratic", two_sided, steep),
        "computation, ReLU": ("computation", "relu", two_sided, 0.1 / largest),
        "computation, GELU": ("computation", "gelu", two_sided, 0.1 / largest),
        "autoencoder, ReLU": ("autoencoder", "relu", one_sided, 0.5 / largest),
        "autoencoder, GELU": ("autoencoder", "gelu", one_sided, 0.5 / largest),
    }
    n = len(to_numpy(importance))
    found: dict[str, dict[str, Paths]] = {}
    for name, (kind, activation, inputs, rate) in cases.items():
        model = ToyModel(kind, activation, n, n_dims)
        rules: dict[str, tuple[str, int | None, float]] = {
            "gradient": ("gradient", None, rate),
            "batches": ("gradient", batch_size, rate),
            "Adam": ("adam", batch_size, 0.01),
        }
        found[name] = {
            label: training_paths(
                model, inputs, importance, rule, batch, n_steps, learning_rate,
                n_models=n_models, seed=seed, device=device,
            )
            for label, (rule, batch, learning_rate) in rules.items()
        }  # fmt: skip
    return found


def turn(before: Tensor, after: Tensor) -> Tensor:
    r"""Angle by which a small step turns an embedding, from the skew part of ``after @ before.T``.

    :math:`\frac{D}{2\sqrt2}\,\|K-K^T\|_F/\mathrm{tr}\,K` with :math:`K=W'W^T`, which is the sine of
    the angle of a rotation in one plane where the rows of W are orthogonal and of one length.
    Shape ``(*batch,)``.

    >>> W, a = torch.eye(2), 0.01
    >>> R = torch.tensor([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]])
    >>> round(float(turn(W, R @ W)), 5)
    0.01
    """
    K = after @ before.mT
    skew = (K - K.mT).flatten(-2).norm(dim=-1)
    size = K.diagonal(dim1=-2, dim2=-1).sum(-1)
    return skew * K.shape[-1] / (2 * math.sqrt(2) * size)


def _loss(
    model: ToyModel, W: Tensor, bias: Tensor, importance: Tensor, x: Tensor, weight: Tensor
) -> Tensor:
    """Weighted mean of the squared error, in the computation model at its best bias."""
    if model.kind == "autoencoder":
        return (squared_error(model, W, bias, importance, x) * weight).sum(-1)
    target = (with_slope(model.activation)(x)[0] * importance[..., None, :]).sum(-1)
    error = output(model, W, bias, x) - target
    mean = (error * weight).sum(-1, keepdim=True)
    return ((error - mean) ** 2 * weight).sum(-1)


def _batches(
    inputs: SparseInput,
    n_models: int,
    n_features: int,
    batch_size: int | None,
    seed: int,
    device: torch.device,
) -> Callable[[], tuple[Tensor, Tensor]] | None:
    """A function that draws a batch for every model and its weights; none for the expectation."""
    if batch_size is None:
        return None
    require_whole(batch_size, "batch_size", 2, None, "a whole number, at least 2")
    generator = torch.Generator(device=device).manual_seed(seed)
    shape = (n_models, batch_size, n_features)
    weight = torch.full((batch_size,), 1 / batch_size, dtype=torch.float64, device=device)
    return lambda: (inputs.sample(shape, generator, dtype=torch.float64), weight)
