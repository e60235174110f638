"""The two toy models: a batch against loops, one model against the other."""

import math

import numpy as np
import pytest
import torch

from feature_capacity.models.toy_models import KINDS, ToyModel, output, squared_error

from ..tolerances import ROUNDING


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_of_models_is_a_loop_over_samples_and_neurons(kind):
    model, rng = ToyModel(kind, "gelu", 4, 2), np.random.default_rng(0)
    W, x = rng.standard_normal((3, 2, 4)), rng.standard_normal((5, 4))
    bias, v = rng.standard_normal((3, *model.bias_shape)), rng.random((3, 4))
    batch = squared_error(model, *(torch.from_numpy(np.asarray(a)) for a in (W, bias, v, x)))

    def gelu(z):
        return z * 0.5 * (1 + math.erf(z / math.sqrt(2)))

    for m in range(3):
        for s in range(5):
            hidden = [sum(W[m, a, i] * x[s, i] for i in range(4)) for a in range(2)]
            if kind == "computation":
                answer = sum(map(gelu, hidden)) + bias[m]
                loss = (answer - sum(v[m, i] * gelu(x[s, i]) for i in range(4))) ** 2
            else:
                answer = [
                    gelu(sum(W[m, a, i] * hidden[a] for a in range(2)) + bias[m, i])
                    for i in range(4)
                ]
                loss = sum(v[m, i] * (answer[i] - x[s, i]) ** 2 for i in range(4))
            assert float(batch[m, s]) == pytest.approx(loss, rel=ROUNDING)


def test_the_computation_model_adds_up_what_the_autoencoder_keeps_apart():
    x = torch.from_numpy(np.random.default_rng(0).standard_normal((7, 3)))
    W, zero = torch.eye(3, dtype=torch.float64), torch.zeros((), dtype=torch.float64)
    added = output(ToyModel("computation", "relu", 3, 3), W, zero, x)
    apart = output(ToyModel("autoencoder", "relu", 3, 3), W, zero.expand(3), x)
    torch.testing.assert_close(added, apart.sum(dim=-1))


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("transformer",), "known: autoencoder, computation"),
        (("autoencoder", "rleu"), "did you mean relu"),
        (("autoencoder", "relu", 2, 3), "number of features"),
        (("autoencoder", "relu", 2, 0), "n_dims"),
        (
            ("autoencoder", "relu", 2, 1, "learned"),
            "unknown bias 'learned'.* known: best, none, shared",
        ),
        (("computation", "relu", 2.5), "n_features"),
    ],
)
def test_models_that_do_not_exist(arguments, word):
    with pytest.raises(ValueError, match=word):
        ToyModel(*arguments)
