"""Losses of minima judged by samples and by other nodes."""

import numpy as np
import pytest

from feature_capacity.sweeps.choices import flattery, sampled_beside
from feature_capacity.sweeps.figure_seven import Panel
from feature_capacity.sweeps.run import run_sweep

from ..tolerances import STANDARD_ERRORS


@pytest.fixture(scope="module")
def diagrams():
    panels = Panel("computation", 3, "relu"), Panel("autoencoder", 3, "gelu")
    effort = {"n_starts": 1, "max_rounds": 0, "n_points": 512}
    return [
        (panel, run_sweep(panel.config(4, **effort), device="cpu", progress=False))
        for panel in panels
    ]


def test_samples_and_nodes_agree_on_the_loss_of_a_cell(diagrams):
    found = sampled_beside(diagrams, 0.1, 1.3, 200_000)
    assert (np.abs(found.mean - found.on_nodes) < STANDARD_ERRORS * found.standard_error).all()
    other = sampled_beside(diagrams, 0.1, 30.0, 200_000)
    gap = np.abs(other.mean - found.on_nodes)  # of another cell, so that the test can fail
    assert (gap > STANDARD_ERRORS * found.standard_error).any()


def test_few_nodes_flatter_by_percents_and_the_same_nodes_not_at_all(diagrams):
    off = flattery(*diagrams[0], n_points=16_384)
    assert np.nanmax(np.abs(off)) > 1e-3
    assert np.nanmax(np.abs(off)) < 0.5
