"""Where torch computes, on machines with and without a card."""

import itertools

import pytest
import torch

from feature_capacity.models.device import pick_device


def test_devices():
    assert pick_device("cpu").type == "cpu"
    assert pick_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    for absent in ("cuda:77", "meta", "", None):
        with pytest.raises(ValueError, match=r"this machine has \(auto, .*cpu\); got"):
            pick_device(absent)


@pytest.mark.parametrize("there", list(itertools.product([False, True], repeat=2)))
def test_auto_takes_cuda_then_mps_then_the_cpu(monkeypatch, there):
    cuda, mps = there
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    monkeypatch.setattr(torch, "empty", lambda *_, **__: None)  # no such device to try
    best = "cuda" if cuda else "mps" if mps else "cpu"
    assert pick_device("auto", float64=False).type == best
    assert pick_device("auto").type == ("cuda" if cuda else "cpu"), "MPS has no float64"
    if mps:
        assert pick_device("mps", float64=False).type == "mps"
        assert pick_device("mps").type == "cpu"
    else:
        with pytest.raises(ValueError, match="got 'mps'"):
            pick_device("mps")
