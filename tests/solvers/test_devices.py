"""The same results wherever torch computes: on an emulated card, and on a real one if there is one.

The bounds are those that `book/how_to_run.md` states.
"""

import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import feature_capacity as fc
from feature_capacity.book.pages import list_pages
from feature_capacity.book.project import find_project
from feature_capacity.models.toy_models import ToyModel
from feature_capacity.models.training import train
from feature_capacity.solvers import fused_sums
from feature_capacity.solvers.minimization import minimize
from feature_capacity.solvers.newton import minimize_quadratic
from feature_capacity.sweeps.config import SweepConfig
from feature_capacity.sweeps.run import run_sweep

from ..emulated_device import emulated_card, is_there
from ..in_process import run_page

DEVICES = ["emulated", *(["cuda"] if torch.cuda.is_available() else [])]
EXACT, COARSE, TRAINED = 1e-9, 1e-4, 0.1  # relative, of float64, of float32 and of training

IMPORTANCE = [[1.0, 0.9, 0.8, 0.2], [3.0, 1.0, 1.0, 1.0], [0.1, 1.0, 1.0, 1.0]]
INPUTS = fc.UnitSparseUniform(0.1)
PAGES = {page.name: page for page in list_pages(find_project())}
COMPUTING = [name for name, page in PAGES.items() if "device" in page.parameters.parameters]


@pytest.fixture(params=DEVICES)
def both(request, monkeypatch):
    """Call a function on the CPU and on the card, and compare what it returns."""

    def compare(function, bound, *fields):
        if request.param == "cuda":
            wanted, found = function("cpu"), function("cuda")
        else:
            bound = 0  # the arithmetic is the same; only places differ
            with monkeypatch.context() as patch:  # compiled sums are for the CPU alone
                patch.setattr(fused_sums, "can_do", lambda model, quadrature: False)
                wanted = function("cpu")
            with emulated_card(monkeypatch) as card:
                found = function("cuda")
            assert card.operations > 100
        for field in fields:
            one, other = getattr(found, field), getattr(wanted, field)
            np.testing.assert_allclose(one, other, rtol=bound, atol=bound, err_msg=field)

    return compare


# ------------------------------------------------------------------------------ the emulation


def test_the_emulated_card_refuses_what_a_card_refuses(monkeypatch):
    here = torch.ones(3)
    with emulated_card(monkeypatch) as card:
        there = here.to("cuda")
        assert there.device.type == "cuda"
        assert is_there(there)
        for mixed in (lambda: here + there, lambda: torch.where(there > 0, here, there)):
            with pytest.raises(RuntimeError, match="in one place"):
                mixed()
        for taken in (there.numpy, lambda: np.asarray(there)):
            with pytest.raises(TypeError, match=r"use Tensor\.cpu"):
                taken()
        with pytest.raises(RuntimeError, match="a generator of the other place"):
            torch.rand(3, generator=torch.Generator(), device="cuda")
        there += 1
        assert here.tolist() == [1, 1, 1], "another place is other memory"
        assert (there + 1).cpu().numpy().tolist() == [3, 3, 3]
        assert is_there(torch.zeros_like(there) + 1)
        assert not is_there(there.cpu())
        assert not is_there(torch.zeros(3))
        assert card.operations == 5
    assert here.device.type == "cpu"


def test_code_that_forgets_to_move_something_is_caught(monkeypatch):
    forgetful = lambda device: torch.eye(2, device=device) @ torch.ones(2)  # noqa: E731
    assert forgetful("cpu").tolist() == [1, 1]
    with emulated_card(monkeypatch), pytest.raises(RuntimeError, match="in one place"):
        forgetful("cuda")


# ------------------------------------------------------------------------------------ results


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    "function",
    [
        lambda W, v: fc.capacities(W),
        lambda W, v: fc.total_capacity(W),
        lambda W, v: fc.leverage_capacities(W),
        lambda W, v: fc.interference(W),
        lambda W, v: fc.best_bias(W, v),
        lambda W, v: fc.expected_loss(W, v, 9.0),
        lambda W, v: fc.loss_from_capacities(fc.capacities(W), (W**2).sum(0), v, 9.0),
        lambda W, v: fc.marginal_benefit(fc.capacities(W), v, 9.0),
        lambda W, v: fc.best_sq_norm(fc.capacities(W), v, 9.0),
        lambda W, v: fc.solve_allocation(v, 2, 9.0).capacity,
        lambda W, v: fc.solve_allocation(v, 2, 2.0).capacity,
        lambda W, v: fc.classify(fc.capacities(W)),
        lambda W, v: fc.phase_diagram(v, 1 + v, 6, 3).capacity,
    ],
)
def test_a_closed_form_stays_where_its_arguments_are(device, function, monkeypatch):
    generator = torch.Generator().manual_seed(0)
    W = torch.randn(2, 4, generator=generator, dtype=torch.float64)
    v = torch.rand(4, generator=generator, dtype=torch.float64) + 0.5
    wanted = function(W, v)
    if device == "cuda":
        found = function(W.to("cuda"), v.to("cuda"))
        assert found.device.type == "cuda"
    else:
        with emulated_card(monkeypatch):
            found = function(W.to("cuda"), v.to("cuda"))
            assert is_there(found)
            found = found.cpu()
    np.testing.assert_allclose(found.cpu().numpy(), wanted.numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kurtosis", [2.0, 9.0])
def test_the_quadratic_minimum_is_the_same(both, kurtosis):
    both(
        lambda device: minimize_quadratic(IMPORTANCE, kurtosis, 2, device=device),
        EXACT, "loss", "capacity",
    )  # fmt: skip


@pytest.mark.parametrize("penalty", [0.0, pytest.param(0.1, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "activation",
    [
        *("quadratic", "relu", "gelu"),
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("tanh", "abs")),
    ],
)
@pytest.mark.parametrize("kind", ["autoencoder", "computation"])
def test_a_toy_model_has_the_same_minimum(both, kind, activation, penalty):
    model = ToyModel(kind, activation, 4, 2)
    both(
        lambda device: minimize(model, INPUTS, IMPORTANCE, overlap_penalty=penalty, device=device),
        COARSE, "loss",
    )  # fmt: skip


@pytest.mark.slow
def test_a_sweep_is_the_same(both):
    config = SweepConfig.from_mapping(
        {
            "model": "autoencoder", "activation": "relu", "inputs": "unit_sparse_uniform",
            "n_features": 4, "n_dims": 2, "n_starts": 2, "n_points": 64, "max_rounds": 1,
            "importance": {"low": 0.1, "high": 10, "count": 3},
            "probability": {"low": 0.05, "high": 1, "count": 2},
        }
    )  # fmt: skip
    both(lambda device: run_sweep(config, device=device, progress=False), COARSE, "loss")


@pytest.mark.parametrize("optimizer", ["adam", pytest.param("adamw", marks=pytest.mark.slow)])
def test_training_ends_alike(both, optimizer):
    """On a real card the samples are other ones, and only averages can agree."""
    model = ToyModel("autoencoder", "relu", 4, 2)

    def last_loss(device):
        found = train(
            model, INPUTS, IMPORTANCE, n_steps=200, optimizer=optimizer,
            learning_rate=1e-2, device=device,
        )  # fmt: skip
        return SimpleNamespace(loss=found.batch_loss[-20:].mean(axis=0))

    both(last_loss, TRAINED, "loss")


# -------------------------------------------------------------------------------------- pages


def test_pages_that_minimize_let_one_choose_the_device():
    named = r"\b(minimize_quadratic|minimize_moments|fc\.minimize|figure_seven|train_\w+)[(,]"
    for name, page in PAGES.items():
        source = page.source.read_text(encoding="utf-8")
        chosen = "device=device" in source and "pick_device(" in source
        assert chosen == (name in COMPUTING), name
        assert chosen or not re.search(named, source), name


@pytest.mark.thorough
@pytest.mark.parametrize("name", COMPUTING)
def test_a_page_runs_on_the_card_with_the_verdicts_of_the_cpu(name, monkeypatch, tmp_path):
    page = PAGES[name]
    settings = dict(page.parameters.quick)
    if "workers" in page.parameters.parameters:
        settings["workers"] = 1  # other processes would not know of an emulated card
    monkeypatch.setenv("FEATURE_CAPACITY_BUILD", str(tmp_path / "cpu"))
    wanted = run_page(page, settings | {"device": "cpu"})
    monkeypatch.setenv("FEATURE_CAPACITY_BUILD", str(tmp_path / "card"))
    if torch.cuda.is_available():
        found = run_page(page, settings | {"device": "cuda"})
    else:
        with emulated_card(monkeypatch) as card:
            found = run_page(page, settings | {"device": "cuda"})
        assert card.operations > 100
    assert {key: one.status for key, one in found.items()} == {
        key: one.status for key, one in wanted.items()
    }
