"""Networks of the zoo as safetensors files in the layout that tools for autoencoders read."""

from __future__ import annotations

import json

import numpy as np
from safetensors.numpy import save

from .. import __version__
from .record import KnownNetwork


def safetensors_bytes(network: KnownNetwork) -> bytes:
    """The known features as a dictionary in the layout of SAELens, with the truth about them.

    Tensors in float32: ``W_dec``, one feature a row (n_features, n_dims); ``W_enc``, its transpose;
    ``b_enc`` and ``b_dec``, zeros; ``bias`` of the network; ``W_dec_optimal``, an optimum;
    ``capacity``, ``optimal_capacity`` and ``importance``, one entry a feature.  The metadata say
    what the network is, its exact loss, and what is known of the lowest one.

    Examples
    --------
    >>> from feature_capacity.zoo.catalog import load
    >>> content = safetensors_bytes(load("quadratic-independent", "random"))
    >>> from safetensors.numpy import load as read
    >>> read(content)["W_dec"].shape
    (6, 3)
    """
    n_dims, n_features = network.W.shape
    arrays = {
        "W_dec": network.W.T,
        "W_enc": network.W,
        "b_enc": np.zeros(n_features),
        "b_dec": np.zeros(n_dims),
        "bias": np.atleast_1d(network.bias),
        "W_dec_optimal": network.optimal_W.T,
        "capacity": network.capacity,
        "optimal_capacity": network.optimal_capacity,
        "importance": network.importance,
    }
    return save(
        {key: np.ascontiguousarray(x, np.float32) for key, x in arrays.items()}, _told(network)
    )


def described(network: KnownNetwork) -> dict[str, object]:
    """What there is to say about a network, as plain numbers and words.

    >>> from feature_capacity.zoo.catalog import load
    >>> described(load("quadratic-exclusive", "random"))["lowest loss"]
    0.0
    """
    proof = network.certificate
    return {
        "name": network.name,
        "what": network.summary,
        "instance": f"{network.kind}, seed {network.seed}",
        "dimensions": network.W.shape[0],
        "features": network.W.shape[1],
        "inputs": str(network.inputs),
        "importance": network.importance.tolist(),
        "loss": network.loss,
        "lowest loss": proof.loss,
        "at least": proof.lower_bound,
        "certificate": f"{proof.method}: {proof.reason}",
        "capacity": network.capacity.tolist(),
        "optimal capacity": network.optimal_capacity.tolist(),
    }


def _told(network: KnownNetwork) -> dict[str, str]:
    told = {
        key: x if isinstance(x, str) else json.dumps(x) for key, x in described(network).items()
    }
    return {"format": "pt", "made by": f"feature-capacity {__version__}", **told}
